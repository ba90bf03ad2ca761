"""Being in a room: heartbeats, leaving, and who is there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from weakref import WeakKeyDictionary

from db.presence import place_in
from db.signals import add_signal
from domain.errors import NotFound, Unavailable
from domain.ids import Ref
from domain.measures import SignalKind
from resolvers.context import Acting, Told
from resolvers.happenings import RoomNews
from subscriptions.presence import LASTS, Crowd, Presence, Step, Visitor


class PresenceKind(StrEnum):
    """What is told of who is in a room."""

    SNAPSHOT = "SNAPSHOT"
    CHANGE = "CHANGE"
    SUMMARY = "SUMMARY"


MINUTE, NEARLY_A_MINUTE = timedelta(minutes=1), timedelta(seconds=55)
"""Another process may have counted the minute just before."""
GONE_AFTER = timedelta(seconds=LASTS)
MOST_SPANS = 65_536
MOST_NAMED = 100
"""People named at once; of a crowd the rest is counted."""


async def heartbeat(acting: Acting, room: Ref, connection: str) -> Ref:
    """Say that the viewer is in a room, by one connection of theirs.

    Raises:
        NotFound: there is no such room, or not for the viewer.
    """
    async with acting.database.read() as reading:
        place = await place_in(reading, acting.viewer, room.id)
    if place is None:
        # Whoever may not be there any more is gone at once.
        await acting.presence.leave(room.id, _visitor(acting, "", ""))
        raise NotFound("There is no such room.", path=("room",))
    await acting.presence.beat(room.id, _visitor(acting, place.handle, connection))
    account = acting.viewer.account
    if account is not None and _minutes_of(acting.presence).full(room.id, account, acting.now()):
        async with acting.database.write() as writing:
            await add_signal(writing, acting.viewer, SignalKind.ROOM_MINUTE, place.around, NEARLY_A_MINUTE)
    return room


class _Minutes:
    """How long people have been in rooms, as far as this process knows: each whole minute is told once."""

    def __init__(self) -> None:
        self._spans: OrderedDict[tuple[UUID, UUID], tuple[datetime, datetime]] = OrderedDict()

    def full(self, room: UUID, account: UUID, now: datetime) -> bool:
        """Whether somebody who is in a room has been there for another minute."""
        since, seen = self._spans.pop((room, account), (now, now))
        since = now if now - seen > GONE_AFTER else since
        is_full = now - since >= MINUTE
        self._spans[room, account] = (now if is_full else since), now
        if len(self._spans) > MOST_SPANS:
            self._spans.popitem(last=False)
        return is_full


_MINUTES: WeakKeyDictionary[Presence, _Minutes] = WeakKeyDictionary()


def _minutes_of(presence: Presence) -> _Minutes:
    return _MINUTES.setdefault(presence, _Minutes())


async def show_out(acting: Acting, room: Ref, account: UUID) -> None:
    """Let somebody be in a room no more, by whatever tab."""
    await acting.presence.leave(room.id, Visitor(account, "", "", ""))


async def step_out(acting: Acting, room: Ref, connection: str) -> None:
    """Say that a connection of the viewer's is in a room no more; who was not there is not there afterwards either."""
    await acting.presence.leave(room.id, _visitor(acting, "", connection))


def _visitor(acting: Acting, handle: str, connection: str) -> Visitor:
    return Visitor(acting.viewer.account, handle, acting.actor, connection)


async def present_in(acting: Acting, rooms: Sequence[UUID]) -> Mapping[UUID, Told]:
    """Who is in each of some rooms, which the viewer may see."""
    return {room: _told(await acting.presence.crowd(room)) for room in rooms}


async def presence_in(acting: Acting, room: Ref) -> AsyncGenerator[RoomNews]:
    """Who is in a room, and then each change; it ends where the viewer is not let in any more.

    Raises:
        NotFound: there is no such room, or not for the viewer.
        Unavailable: the database is away.
    """
    relay = acting.relay
    if relay is None:
        raise Unavailable("Nobody tells here what happens.")
    guest = await relay.admissions.enter(room.id, acting.viewer)
    watching = acting.presence.watch(room.id)
    try:
        with relay.admissions.staying(guest, watching):
            while (step := await watching.next()) is not None and await relay.admissions.still(guest):
                yield RoomNews(None, _step_told(step), step.made)
    finally:
        watching.stop()


def _told(crowd: Crowd) -> Told:
    return {
        "__typename": "RoomPresence",
        "count": crowd.count,
        "anonymous": crowd.unnamed,
        "people": _people_told(crowd.people),
    }


def _step_told(step: Step) -> Told:
    known: Told | None = step.made.get("value")
    if known is None:
        known = step.made["value"] = _change_told(step)
    return known


def _change_told(step: Step) -> Told:
    came, left = step.came, step.left
    is_summary = step.before is not None and len(came) + len(left) > MOST_NAMED
    return {
        "__typename": "PresenceChange",
        "kind": _kind(step, is_summary=is_summary).value,
        "count": step.crowd.count,
        "anonymous": step.crowd.unnamed,
        "came": [] if is_summary else _people_told(came),
        "left": [] if is_summary else _people_told(left),
    }


def _kind(step: Step, *, is_summary: bool) -> PresenceKind:
    if step.before is None:
        return PresenceKind.SNAPSHOT
    return PresenceKind.SUMMARY if is_summary else PresenceKind.CHANGE


def _people_told(people: Mapping[UUID, str]) -> list[Told]:
    """Some people, by handle."""
    return [{"__typename": "RoomPerson", "handle": handle} for handle in sorted(people.values())[:MOST_NAMED]]
