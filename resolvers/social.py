"""What can be done around a song: follow, like and save, and take it back; play a hook."""

from __future__ import annotations

from typing import Any, NamedTuple

from db.changes import record_changes
from db.rooms import add_room_event
from db.signals import Around, add_signal
from db.social import Place, bind_tie, end_tie, place_of
from domain.accounts import person_of
from domain.errors import Invalid, NotFound
from domain.ids import Ref, parse_ref
from domain.measures import SignalKind
from domain.rooms import RoomEventKind
from domain.social import HEARD_MS, PLAYS_APART, ActivityKind, TieKind
from resolvers.context import Acting
from resolvers.inbox import tell
from resolvers.links import brought
from resolvers.writing import Outcome, done_once


class _Told(NamedTuple):
    """What a new tie leads to: in the change log, the inbox, the room and the measures."""

    began: str
    ended: str
    activity: ActivityKind
    event: RoomEventKind | None
    signal: SignalKind | None


_TOLD = {
    TieKind.FOLLOW: _Told("FOLLOWED", "UNFOLLOWED", ActivityKind.FOLLOWED, RoomEventKind.FOLLOWED, SignalKind.FOLLOW),
    TieKind.LIKE: _Told("LIKED", "UNLIKED", ActivityKind.LIKED, None, SignalKind.LIKE),
    TieKind.SAVE: _Told("SAVED", "UNSAVED", ActivityKind.SAVED, RoomEventKind.COLLECTED, None),
}


async def tie(
    acting: Acting, kind: TieKind, subject: Ref, name: str, idempotency_key: str | None, via: str | None = None
) -> Ref:
    """Follow an artist, or like or save a hook; who does already changes nothing. The artist or the hook.

    It is told, and counts for the measures, the first time only: who lets go and comes again is no news. `via` is the
    code of the link they came by.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing for the viewer.
        KeyReused: the idempotency key belongs to another request.
    """
    account, told = person_of(acting.viewer), _TOLD[kind]

    async def work(connection: Any) -> Outcome:
        place = await placed(connection, acting, subject)
        first = await bind_tie(connection, acting.new_id(), account, kind, place)
        if first is not None:
            await record_changes(connection, [(place.logged, told.began, place.touched)])
        if first:
            await tell(connection, acting, place, told.activity)
            if told.event is not None and place.room is not None:
                payload = {} if place.hook is None else {"hook": str(place.subject)}
                await add_room_event(connection, place.room, told.event, account, payload)
            await brought(connection, acting, acting.viewer, via, place.artist)
            if told.signal is not None:
                await add_signal(connection, acting.viewer, told.signal, around(place))
        return {"subject": str(place.subject)}

    request = {"subject": str(subject)} | ({} if via is None else {"via": via})
    outcome = await done_once(acting, name, request, idempotency_key, work)
    return parse_ref(outcome["subject"])


async def untie(acting: Acting, kind: TieKind, subject: Ref, name: str, idempotency_key: str | None) -> Ref:
    """Follow an artist no more, or like or save a hook no more; who did not changes nothing.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing for the viewer.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        place = await placed(connection, acting, subject)
        if await end_tie(connection, account, kind, place.subject):
            await record_changes(connection, [(place.logged, _TOLD[kind].ended, place.touched)])
        return {"subject": str(place.subject)}

    outcome = await done_once(acting, name, {"subject": str(subject)}, idempotency_key, work)
    return parse_ref(outcome["subject"])


async def record_play(acting: Acting, hook: Ref, heard_ms: int, idempotency_key: str | None) -> Ref:
    """Note that the viewer heard a hook; again before it could be over is the same play.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such hook for the viewer.
        Invalid: they have not heard enough of it.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        place = await placed(connection, acting, hook)
        enough = min(HEARD_MS, place.end_ms - place.start_ms)
        if heard_ms < enough:
            raise Invalid(f"A hook is played once {enough} ms of it were heard.", path=("heardMs",))
        # It was heard beside the room, which it does not warm.
        heard = Around(place.artist, place.hook)
        await add_signal(connection, acting.viewer, SignalKind.HOOK_PLAY, heard, PLAYS_APART)
        return {"hook": str(place.subject)}

    request = {"hook": str(hook), "heardMs": heard_ms}
    outcome = await done_once(acting, "recordPlay", request, idempotency_key, work)
    return parse_ref(outcome["hook"])


def around(place: Place) -> Around:
    """What is done at a place, for the measures."""
    return Around(place.artist, place.hook, place.release, place.room)


async def placed(connection: Any, acting: Acting, subject: Ref) -> Place:
    """Where something is done.

    Raises:
        NotFound: there is no such artist, or no such hook or ritual for the viewer.
    """
    place = await place_of(connection, acting.viewer, subject)
    if place is None:
        named = subject.kind.value
        raise NotFound(f"There is no such {named}.", path=(named,))
    return place
