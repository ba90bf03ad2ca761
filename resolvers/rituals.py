"""What can be done with rituals: announce them, be there, call them off; and how they move at their times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from db import hosting, presaves, rituals
from db.access import Action
from db.artists import hold_artist
from db.changes import announce, record_changes
from db.engine import Database
from db.entitlements import owned_subject
from db.history import moment_under_locks
from db.jobs import enqueue
from db.rituals import HeldRitual, hold_ritual
from db.signals import Around, add_signal
from domain.accounts import freshly_signed_in, person_of
from domain.errors import Forbidden, Invalid, Moved, NotFound, Unavailable
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.measures import SignalKind
from domain.rituals import AWAITED, RitualDraft, RitualState, checked_ritual, state_due
from domain.rooms import RoomVisibility
from resolvers.context import Acting, uuid7
from resolvers.jobs import Doing, Effect, Running
from resolvers.links import brought
from resolvers.writing import Outcome, done_once
from subscriptions.events import ritual_changed

AT_ONCE = 4
"""Presaves that a process writes at once: those of one ritual wait for each other, each with a connection."""
PATIENCE = 2.0
"""Seconds that somebody waits for their turn."""
_TURNS: WeakKeyDictionary[Database, asyncio.Semaphore] = WeakKeyDictionary()


async def announce_ritual(acting: Acting, draft: RitualDraft, idempotency_key: str | None) -> Ref:
    """Announce a ritual around a hook or a release; where that has no room yet, one is opened.

    Raises:
        SignInNeeded: nobody is signed in, or longer than 12 hours ago.
        NotFound: there is no such thing, or it is not the viewer's to change; or they do not own what it unlocks.
        Invalid: the title or a time breaks a rule, the artist has another ritual in that time, or what it unlocks is
            not theirs.
        KeyReused: the idempotency key belongs to another request.
    """
    account = freshly_signed_in(acting.viewer, acting.now())
    title = checked_ritual(draft.title, draft.times, acting.now())

    async def work(connection: Any) -> Outcome:
        about = await hosting.subject_of(connection, acting.viewer, draft.subject)
        if about is None or await hold_artist(connection, acting.viewer, about.artist) is None:
            raise NotFound("There is no such thing to gather around.", path=("subject",))
        promised = await _unlocked(connection, acting, draft.unlocks, about.artist)
        if await rituals.overlaps(connection, about.artist, draft.times):
            raise Invalid("The artist has another ritual in that time.", path=("opensAt",))
        opened = await hosting.add_room(connection, acting.new_id(), about, title, RoomVisibility.PUBLIC)
        room = opened or await hosting.room_of(connection, about)
        ritual = Ref(Kind.RITUAL, acting.new_id())
        current = Ref(draft.subject.kind, about.hook or about.release or draft.subject.id)
        await rituals.add_ritual(
            connection, ritual.id, about.artist, room, account, RitualDraft(current, title, draft.times, promised)
        )
        moves = (draft.times.opens_at, draft.times.releases_at, draft.times.ends_at)
        jobs = [NewJob(acting.new_id(), JobKind.MOVE_RITUAL, ritual.id, about.artist, {}, at) for at in moves]
        await enqueue(connection, jobs)
        await _told(connection, ritual, about.artist, RitualState.ANNOUNCED)
        return {"ritual": str(ritual)}

    times = {"opensAt": draft.times.opens_at, "releasesAt": draft.times.releases_at, "endsAt": draft.times.ends_at}
    request = {"subject": str(draft.subject), "title": title, **times}
    request |= {} if draft.unlocks is None else {"unlocks": str(draft.unlocks)}
    return parse_ref((await done_once(acting, "announceRitual", request, idempotency_key, work))["ritual"])


async def open_ritual(acting: Acting, ritual: Ref, idempotency_key: str | None) -> Ref:
    """Open a ritual that was announced, before its time.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such ritual, or it is not the viewer's to change.
        Moved: it is open already, or over.
        KeyReused: the idempotency key belongs to another request.
    """
    return await _by_hand(acting, "openRitual", ritual, RitualState.OPEN, {RitualState.ANNOUNCED}, idempotency_key)


async def cancel_ritual(acting: Acting, ritual: Ref, idempotency_key: str | None) -> Ref:
    """Call a ritual off, as long as what it is around is awaited.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such ritual, or it is not the viewer's to change.
        Moved: what it is around is out, or it is over.
        KeyReused: the idempotency key belongs to another request.
    """
    return await _by_hand(acting, "cancelRitual", ritual, RitualState.CANCELLED, AWAITED, idempotency_key)


async def _by_hand(
    acting: Acting, name: str, ritual: Ref, to: RitualState, where: Any, idempotency_key: str | None
) -> Ref:
    person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await hold_ritual(connection, acting.viewer, ritual.id, Action.WRITE)
        if held is None:
            raise NotFound("There is no such ritual.", path=("ritual",))
        if held.state not in where:
            raise Moved(f"The ritual is {held.state.value}.", path=("ritual",))
        await _move(connection, held, to, acting.now())
        return {"ritual": str(ritual)}

    await done_once(acting, name, {"ritual": str(ritual)}, idempotency_key, work)
    return ritual


async def presave(
    acting: Acting, ritual: Ref, idempotency_key: str | None, *, is_named: bool, via: str | None = None
) -> Ref:
    """Be there before it is out: the next in the order of arrival. Again, it only says whether one is named.

    `via` is the code of the link they came by.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such ritual for the viewer.
        Forbidden: it is the viewer's own, or a key asks.
        Moved: what it is around is out, or it was called off.
        KeyReused: the idempotency key belongs to another request.
        Unavailable: too many come at once; the request may be repeated.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        met = await presaves.meet_ritual(connection, acting.viewer, ritual.id)
        if met is None:
            raise NotFound("There is no such ritual.", path=("ritual",))
        if met.state not in AWAITED:
            raise _moved(met.state)
        if met.is_own:
            raise Forbidden("It is your own: others are there first.")
        if not await presaves.name_presave(connection, ritual.id, account, is_named=is_named):
            await brought(connection, acting, acting.viewer, via, met.artist)
            await add_signal(connection, acting.viewer, SignalKind.PRESAVE, Around(met.artist, met.hook, met.release))
            if not await presaves.add_presave(connection, acting.new_id(), ritual.id, account, is_named=is_named):
                raise _moved((await rituals.ritual_of(connection, ritual.id)).state)
        return {"ritual": str(ritual)}

    request = {"ritual": str(ritual), "isNamed": is_named} | ({} if via is None else {"via": via})
    async with _turn(acting.database):
        await done_once(acting, "presave", request, idempotency_key, work)
    return ritual


def _moved(state: RitualState) -> Moved:
    return Moved(f"The ritual is {state.value}: there is nothing to wait for.", path=("ritual",))


@asynccontextmanager
async def _turn(database: Database) -> AsyncIterator[None]:
    """Wait for those who came before, and not with a connection: what comes out at that moment needs one, too."""
    turns = _TURNS.setdefault(database, asyncio.Semaphore(AT_ONCE))
    try:
        async with asyncio.timeout(PATIENCE):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("Many come at once. Try again in a moment.") from None
    try:
        yield
    finally:
        turns.release()


async def release_is_out(connection: Any, release: Ref, at: datetime) -> None:
    """What waited for a release has it: in the transaction that publishes."""
    for held in await rituals.hold_awaiting(connection, release.id):
        if held.state in AWAITED:
            await _move(connection, held, RitualState.RELEASED, at)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Moves rituals at their times."""

    database: Database

    def doings(self) -> Mapping[JobKind, Doing]:
        """How the jobs of rituals are done."""
        return {JobKind.MOVE_RITUAL: self._due}

    async def _due(self, running: Running) -> Effect:
        async def effect(connection: Any) -> None:
            held = await rituals.hold_due(connection, running.job.subject)
            # Whose clock let the job begin: by one that is late it would be done, and nothing would follow it.
            at = await moment_under_locks(connection)
            state = state_due(held.state, held.times, at, is_out=held.is_out)
            if state is not held.state:
                await _move(connection, held, state, at)

        return effect


async def _move(connection: Any, held: HeldRitual, state: RitualState, at: datetime) -> None:
    """Let a held ritual stand somewhere else, with all that follows from it."""
    ritual = Ref(Kind.RITUAL, held.id)
    memory = await rituals.remembered(connection, held, at) if state is RitualState.MEMORY else {}
    await rituals.move_ritual(connection, held, state, memory)
    # A ritual that is looked at late is a memory at once, and what it came to is out all the same.
    is_out = held.state in AWAITED and state in {RitualState.RELEASED, RitualState.MEMORY}
    following = [JobKind.UNLOCK_RITUAL] if is_out and held.unlocks is not None else []
    following += [JobKind.PROVE_RITUAL] if state is RitualState.MEMORY else []
    if following:
        await enqueue(connection, [NewJob(uuid7(), kind, held.id, held.artist) for kind in following])
    await _told(connection, ritual, held.artist, state)


async def _unlocked(connection: Any, acting: Acting, unlocks: Ref | None, artist: Any) -> Ref | None:
    """What a ritual may promise to those who wait: what its announcer, as the owner, may give."""
    if unlocks is None:
        return None
    owned = await owned_subject(connection, acting.viewer, unlocks)
    if owned is None:
        raise NotFound("There is no such thing to unlock.", path=("unlocks",))
    if owned.artist != artist:
        raise Invalid("A ritual unlocks what is of its own artist.", path=("unlocks",))
    return Ref(unlocks.kind, owned.id)


async def _told(connection: Any, ritual: Ref, artist: Any, state: RitualState) -> None:
    await record_changes(connection, [(ritual.id, f"RITUAL_{state.value}", [artist])])
    told = ritual_changed(ritual, state)
    await announce(connection, told.topic, told.payload)
