"""What can be done with clips: send them in, decide about them, take them back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db import clips
from db.access import Action
from db.accounts import viewer_of_account
from db.changes import announce, record_changes
from db.clips import HeldClip
from db.registration import edge_between, hold_ends, hold_lineage
from db.rituals import HeldRitual, hold_ritual
from db.rooms import add_room_event
from db.signals import Around, add_signal
from db.social import Place
from domain.accounts import person_of
from domain.clips import MOST_WAITING, ClipState, check_step, checked_sound
from domain.errors import Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.lineage import EdgeKind
from domain.measures import SignalKind
from domain.registration import EdgeDraft
from domain.rituals import OVER
from domain.rooms import RoomEventKind
from domain.social import ActivityKind
from domain.windows import Window
from resolvers.context import Acting
from resolvers.inbox import tell, tell_one
from resolvers.registration import agree_to_edge, permission_to_register, write_edge
from resolvers.social import placed
from resolvers.writing import Outcome, done_once
from subscriptions.events import clip_changed

_MADE = EdgeKind.DERIVED_FROM
"""How a clip is made from the track of its hook, as far as anybody says."""


async def submit_clip(acting: Acting, sample: Ref, hook: Ref, ritual: Ref | None, idempotency_key: str | None) -> Ref:
    """Send a sample in as a clip, with the edge that says what it is made from; its artist decides.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such hook or ritual for the viewer, or the sample is not theirs.
        Invalid: the sample is no clip, or the ritual is around something else.
        Moved: it was sent in already, too many wait, its sound is not read yet, or the ritual is over.
        CycleClosed: the track is made from the sample.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)
    async with acting.database.read() as connection:
        place = await placed(connection, acting, hook)
    edge = _edge(sample, place)
    # What the track answers is asked in a transaction of its own, before the lock of lineage is taken.
    permission = await permission_to_register(acting, edge.parent, edge.parent_window)

    async def work(connection: Any) -> Outcome:
        # It comes before every lock of a row; and nobody sends in two at once, however fast they are.
        await hold_lineage(connection)
        ends = await hold_ends(connection, acting.viewer, [edge.child.id, edge.parent.id])
        child = ends.get(edge.child.id)
        sound = None if child is None else await clips.sound_of(connection, acting.viewer, child.ref.id)
        if child is None or sound is None:
            raise NotFound("There is no such sample of yours.", path=("asset",))
        if edge.parent.id not in ends:
            raise Moved("It is not out yet: clips are made from what can be heard.", path=("hook",))
        media = checked_sound(sound)
        within = None if ritual is None else await _open_ritual(connection, acting, ritual, place)
        if await clips.was_sent(connection, child.ref.id, place.subject.id):
            raise Moved("It was sent in already.", path=("asset",))
        if await clips.count_waiting(connection, account, place.artist) >= MOST_WAITING:
            raise Moved(f"{MOST_WAITING} clips of yours wait here already.", path=("hook",))
        if await edge_between(connection, child.ref.id, edge.parent.id, _MADE, None) is None:
            await write_edge(connection, acting, edge, permission)
        clip = Ref(Kind.CLIP, acting.new_id())
        window = Window(place.start_ms, place.end_ms)
        new = clips.NewClip(
            clip.id, place.subject.id, within, place.artist, child.ref.id, media, child.owner, account, window
        )
        await clips.add_clip(connection, new)
        await record_changes(connection, [(clip.id, "CLIP_SENT", [place.subject.id, child.ref.id])])
        await _announce(connection, clip, place.subject, ClipState.PENDING)
        await tell(connection, acting, place, ActivityKind.CLIP_SENT)
        return {"clip": str(clip)}

    request = {"asset": str(sample), "hook": str(hook), "ritual": ritual and str(ritual)}
    return parse_ref((await done_once(acting, "submitClip", request, idempotency_key, work))["clip"])


async def approve_clip(acting: Acting, clip: Ref, idempotency_key: str | None) -> Ref:
    """Let a clip be heard with its hook: its artist agrees to what it is made from, and the room is told.

    Where its ritual is over by then, the clip is a part of it no longer: a memory does not change.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such clip, or it is not the viewer's to decide.
        Moved: somebody has decided, or what was sent in is not there any more.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        await hold_lineage(connection)
        held = await _held(connection, acting, clip, Action.WRITE, ClipState.APPROVED)
        if not await clips.stands_for_all(connection, held):
            raise Moved("What was sent in is not there any more.", path=("clip",))
        place = await placed(connection, acting, held.hook)
        ritual = None
        if held.ritual is not None:
            ritual = await hold_ritual(connection, acting.viewer, held.ritual, Action.READ)
        is_on = ritual is not None and ritual.state not in OVER
        await clips.move_clip(connection, held, ClipState.APPROVED, account, held.ritual if is_on else None)
        await agree_to_edge(connection, acting, held.sample, Ref(Kind.TRACK, place.logged), _MADE)
        await _told(connection, acting, held, place, ClipState.APPROVED)
        room = ritual.room if ritual is not None and is_on else place.room
        if room is not None:
            await add_room_event(connection, room, RoomEventKind.CLIP_APPROVED, held.account, {"clip": str(clip)})
        fan = await viewer_of_account(connection, held.account)
        await add_signal(connection, fan, SignalKind.CLIP, Around(place.artist, place.hook, room=room))
        return {"clip": str(clip)}

    await done_once(acting, "approveClip", {"clip": str(clip)}, idempotency_key, work)
    return clip


async def decide_clip(acting: Acting, clip: Ref, to: ClipState, name: str, idempotency_key: str | None) -> Ref:
    """Take no clip of what was sent in, take one away that was heard, or, as who sent it in, take it back.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such clip, or it is not the viewer's to decide, or to take back.
        Moved: it does not go there from where it stands.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)
    action = Action.OWN if to is ClipState.WITHDRAWN else Action.WRITE

    async def work(connection: Any) -> Outcome:
        held = await _held(connection, acting, clip, action, to)
        await clips.move_clip(connection, held, to, account, held.ritual)
        if to is ClipState.WITHDRAWN:
            await _record(connection, held, to)
        else:
            await _told(connection, acting, held, await placed(connection, acting, held.hook), to)
        return {"clip": str(clip)}

    await done_once(acting, name, {"clip": str(clip)}, idempotency_key, work)
    return clip


def _edge(sample: Ref, place: Place) -> EdgeDraft:
    window = Window(place.start_ms, place.end_ms)
    return EdgeDraft(sample, Ref(Kind.TRACK, place.logged), _MADE, parent_window=window)


async def _open_ritual(connection: Any, acting: Acting, ritual: Ref, place: Place) -> UUID:
    """A ritual that takes clips made from a hook, under the writer's lock."""
    held = await hold_ritual(connection, acting.viewer, ritual.id, Action.READ)
    if held is None or not await _is_around(connection, held, place):
        raise NotFound("There is no such ritual around this hook.", path=("ritual",))
    if held.state in OVER:
        raise Moved(f"The ritual is {held.state.value}: it takes no clips any more.", path=("ritual",))
    return held.id


async def _is_around(connection: Any, held: HeldRitual, place: Place) -> bool:
    if held.subject.kind is Kind.HOOK:
        return held.subject == place.subject
    return held.artist == place.artist and await clips.is_on_release(connection, held.subject.id, place.logged)


async def _held(connection: Any, acting: Acting, clip: Ref, action: Action, to: ClipState) -> HeldClip:
    held = await clips.hold_clip(connection, acting.viewer, clip.id, action)
    if held is None:
        raise NotFound("There is no such clip that is yours to decide.", path=("clip",))
    check_step(held.state, to)
    return held


_ACTIVITIES = {
    ClipState.APPROVED: ActivityKind.CLIP_APPROVED,
    ClipState.REJECTED: ActivityKind.CLIP_REJECTED,
    ClipState.REMOVED: ActivityKind.CLIP_REMOVED,
}


async def _told(connection: Any, acting: Acting, held: HeldClip, place: Place, state: ClipState) -> None:
    """Who sent it in is told what was decided, unless they decided it."""
    await _record(connection, held, state)
    if held.account != acting.viewer.account:
        await tell_one(connection, acting, place, _ACTIVITIES[state], held.account)


async def _record(connection: Any, held: HeldClip, state: ClipState) -> None:
    await record_changes(connection, [(held.id, f"CLIP_{state.value}", [held.hook.id, held.sample.id])])
    await _announce(connection, Ref(Kind.CLIP, held.id), held.hook, state)


async def _announce(connection: Any, clip: Ref, hook: Ref, state: ClipState) -> None:
    told = clip_changed(clip, hook, state)
    await announce(connection, told.topic, told.payload)
