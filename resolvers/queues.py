"""What the hosts of a room mean to play, whether they may, and what is heard now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from db import queues
from db.changes import record_changes
from db.facts import Read
from db.queues import Queued
from domain.accounts import person_of
from domain.errors import Invalid, NotFound
from domain.facts import Grant
from domain.ids import Kind, Ref, parse_ref
from domain.queues import LONGEST_QUEUE, PLAYING, QueueState, uses_of_playing
from domain.rights import Decision, Outcome, Term, strictest
from domain.verdicts import Verdict, decide
from resolvers.context import Acting, Told, unhurried
from resolvers.playing import hear
from resolvers.rooms import hold_hosted
from resolvers.telling import Telling
from resolvers.verdicts import Terms, facts_for, question_of
from resolvers.writing import Outcome as Done
from resolvers.writing import done_once


async def queue_in_room(acting: Acting, room: Ref, piece: Ref, idempotency_key: str | None) -> Ref:
    """Put a hook or a track at the end of a room's queue, as its host.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or the viewer is no host of it; or there is nothing anybody may hear.
        Invalid: the queue is full.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Done:
        held = await hold_hosted(connection, acting, room)
        found = await _audible(connection, piece, held.artist)
        count, last = await queues.last_position(connection, held.id)
        if count >= LONGEST_QUEUE:
            raise Invalid(f"A queue holds at most {LONGEST_QUEUE} pieces.", path=("room",))
        item = Ref(Kind.QUEUED, acting.new_id())
        await queues.add_queued(connection, item.id, held.id, last + 1, found, account)
        await record_changes(connection, [(held.id, "ROOM_QUEUE_CHANGED", [item.id])])
        return {"item": str(item), "room": str(room)}

    request = {"room": str(room), "piece": str(piece)}
    return parse_ref((await done_once(acting, "queueInRoom", request, idempotency_key, work))["item"])


async def remove_from_queue(acting: Acting, item: Ref, idempotency_key: str | None) -> Ref:
    """Take something out of a room's queue, as its host; the room.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: nothing like that waits, or not in a room the viewer hosts.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)

    async def work(connection: Any) -> Done:
        missing = NotFound("Nothing like that waits to be played.", path=("item",))
        found = await queues.room_of_queued(connection, acting.viewer, item.id)
        if found is None:
            raise missing
        held = await hold_hosted(connection, acting, Ref(Kind.ROOM, found))
        if not await queues.end_queued(connection, item.id, QueueState.REMOVED):
            raise missing
        await record_changes(connection, [(held.id, "ROOM_QUEUE_CHANGED", [item.id])])
        return {"room": str(Ref(Kind.ROOM, held.id))}

    done = await done_once(acting, "removeFromQueue", {"item": str(item)}, idempotency_key, work)
    return parse_ref(done["room"])


class Wanted(NamedTuple):
    """What shall be heard: what waits first, or something named, or with `silence` nothing."""

    piece: Ref | None = None
    silence: bool = False


async def play_now(acting: Acting, room: Ref, wanted: Wanted, idempotency_key: str | None) -> Ref:
    """Let a room hear something from now on, as its host.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or the viewer is no host of it; or there is nothing anybody may hear.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Done:
        held = await hold_hosted(connection, acting, room)
        piece = None if wanted.silence else await _chosen(connection, held.id, held.artist, wanted.piece)
        await hear(connection, acting.new_id, held.id, piece, account)
        return {"room": str(room)}

    request = {"room": str(room), "piece": wanted.piece and str(wanted.piece), "silence": wanted.silence}
    await done_once(acting, "playNow", request, idempotency_key, work)
    return room


async def _chosen(connection: Any, room: UUID, artist: UUID, named: Ref | None) -> queues.Piece:
    """What is played of the queue, which it leaves; or what is named."""
    if named is not None and named.kind is not Kind.QUEUED:
        return await _audible(connection, named, artist)
    waiting = await queues.next_queued(connection, room, None if named is None else named.id)
    if waiting is None:
        raise NotFound("Nothing like that waits to be played.", path=("piece",))
    item, piece = waiting
    await queues.end_queued(connection, item, QueueState.PLAYED)
    return await _audible(connection, piece, artist)


async def _audible(connection: Any, piece: Ref, artist: UUID) -> queues.Piece:
    found = await queues.piece_of(connection, piece, artist)
    if found is None:
        raise NotFound("There is no such thing that everybody may hear.", path=("piece",))
    return found


async def decisions_of(
    acting: Acting, items: Sequence[UUID], territory: str | None, *, is_recorded: bool
) -> Mapping[UUID, str]:
    """May they be played where they wait? Nothing of those in rooms the viewer does not host."""
    waiting = await queues.queued_of(acting.database, acting.viewer, items=items)
    decided = await _decided(acting, waiting, territory, is_recorded=is_recorded)
    return {item.id: _outcome(item, verdicts).value for item, verdicts, _ in decided}


async def playing_rights_of(
    acting: Acting, items: Sequence[UUID], territory: str | None, *, is_recorded: bool
) -> Mapping[UUID, list[Told]]:
    """The verdicts on what playing them is. Nothing of those in rooms the viewer does not host."""
    waiting = await queues.queued_of(acting.database, acting.viewer, items=items)
    decided = await _decided(acting, waiting, territory, is_recorded=is_recorded)
    return {item.id: Telling(read).verdicts(item.track, verdicts) for item, verdicts, read in decided}


async def first_blocked_of(
    acting: Acting, rooms: Sequence[UUID], territory: str | None, *, is_recorded: bool
) -> Mapping[UUID, Ref]:
    """The first in the queue of each room that may not be played as it is."""
    waiting = await queues.queued_of(acting.database, acting.viewer, rooms=rooms)
    blocked: dict[UUID, Ref] = {}
    for item, verdicts, _ in await _decided(acting, waiting, territory, is_recorded=is_recorded):
        if _outcome(item, verdicts) is not Outcome.ALLOWED:
            blocked.setdefault(item.room, Ref(Kind.QUEUED, item.id))
    return blocked


async def _decided(
    acting: Acting, waiting: Sequence[Queued], territory: str | None, *, is_recorded: bool
) -> list[tuple[Queued, tuple[Verdict, ...], Read]]:
    """Each with the verdicts on playing it there, all decided on one state of the graph."""
    anything = Terms(frozenset(), territory)
    read = await facts_for(acting, [item.track for item in waiting], anything)
    own = {artist: _consenting(read, artist) for artist in {item.artist for item in waiting}}
    decided = []
    async for item in unhurried(waiting):
        uses = uses_of_playing(item.visibility, is_recorded=is_recorded)
        question = question_of(acting, item.track, replace(anything, uses=uses, window=item.window))
        facts = own[item.artist]
        decided.append((item, decide(facts.facts, question._replace(grantees=frozenset({item.artist}))), facts))
    return decided


def _consenting(read: Read, artist: UUID) -> Read:
    """The facts where an artist lets themself do with their own what they like."""
    terms = tuple([Term(use, None, Decision.ALLOWED) for use in sorted(PLAYING)])
    mine = [part.id for part in read.facts.parts.values() if part.owner == artist]
    grants = [Grant(id_, id_, artist, terms) for id_ in mine]
    return replace(read, facts=replace(read.facts, grants=[*read.facts.grants, *grants]))


def _outcome(item: Queued, verdicts: Iterable[Verdict]) -> Outcome:
    if not item.is_audible:
        return Outcome.DENIED
    return strictest([Outcome.ALLOWED, *[verdict.outcome for verdict in verdicts]])
