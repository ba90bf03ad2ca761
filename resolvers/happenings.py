"""Hearing a room: what was missed, then what happens, each event once and in order, or that it is to be read afresh."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from domain.errors import Unavailable
from domain.ids import Ref
from domain.rooms import RESUMABLE_EVENTS, RESUMABLE_FOR, Mark, RoomEventKind, mark_of
from resolvers.admissions import Guest
from resolvers.context import Acting, Told
from resolvers.outbox import Followed, Relay, told
from subscriptions.broker import End, Hearing, News

_SUBJECTS = ("message", "comment", "clip", "release", "entitlement", "hook")


class FellBehind(Exception):
    """Somebody takes what they are told more slowly than it is remembered: they may resume where they are."""


@dataclass(slots=True, eq=False)
class RoomNews:
    """An event of a room, as everybody is told.

    Attributes:
        mark: the place after it; None where nobody resumes.
        value: what is told, by SDL names; None where there is only a place to begin from.
        made: what was made of it for all who are told the same.
    """

    mark: str | None
    value: Told | None
    made: dict[Any, Any] = field(default_factory=dict)


class _Event(NamedTuple):
    id: int
    kind: RoomEventKind
    at: datetime
    payload: dict[str, Any]
    news: RoomNews


async def room_events(acting: Acting, room: Ref, after: Mark | None) -> AsyncGenerator[RoomNews]:
    """What happens in a room from a mark on, or from now on; it ends where the viewer is not let in any more.

    Raises:
        NotFound: there is no such room, or not for the viewer.
        FellBehind: what is told is not taken.
        Unavailable: the database is away.
    """
    relay = acting.relay
    if relay is None:
        raise Unavailable("Nobody tells here what happens.")
    goes_on = True
    while goes_on:
        arriving = await relay.admissions.enter(room.id, acting.viewer)
        async with relay.following(room.id) as (followed, hearing):
            with relay.admissions.staying(arriving, hearing) as guest:
                story = _Story(relay, followed, hearing, guest, acting.now())
                async with aclosing(story.told(after)) as events:
                    async for event in events:
                        if not await relay.admissions.still(guest):
                            return
                        yield event
            if hearing.end is End.SLOW:
                raise FellBehind
            # Its numbers began again: the last of them is a place that is void.
            goes_on, after = followed.void, Mark(room.id, followed.epoch, 0)


@dataclass(slots=True)
class _Story:
    """What one listener is told of a room while its numbers go on."""

    relay: Relay
    followed: Followed
    hearing: Hearing
    guest: Guest
    now: datetime
    place: int = 0

    async def told(self, after: Mark | None) -> AsyncGenerator[RoomNews]:
        """Where they begin, what they missed, and then what happens."""
        self.place = max(self.followed.reached, self.relay.broker.last(self.followed.topic) or 0)
        missed: Sequence[News] | None = ()
        if after is not None:
            missed = await self._missed(after)
        if missed is None:
            yield self._reset()
        else:
            yield RoomNews(self._mark(self.place), None)
        for event in _redacted([self._event(news) for news in missed or ()]):
            self.place = event.id
            yield event.news
        while batch := await self.hearing.next():
            for news in batch:
                if news.id <= self.place:
                    continue
                if news.id > self.place + 1:
                    for between in await self._between(news.id):
                        yield between
                self.place = news.id
                yield self._event(news).news

    async def _missed(self, after: Mark) -> Sequence[News] | None:
        """What happened after a place, where the listener then stands; None where it is void."""
        if after.epoch != self.followed.epoch:
            return None
        if after.id > self.place:
            _, last = (await self.relay.last([after.room])).get(after.room, (after.epoch, 0))
            if after.id > last:
                return None
        missed = self._remembered(after.id)
        if missed is None:
            if self.place - after.id > RESUMABLE_EVENTS:
                return None
            missed = await self._read(after.id, self.place + 1)
            if len(missed) < self.place - after.id:
                return None  # some of it is kept no more
        if len(missed) > RESUMABLE_EVENTS or (missed and self.now - self._event(missed[0]).at > RESUMABLE_FOR):
            return None
        self.place = after.id
        return missed

    def _remembered(self, after: int) -> Sequence[News] | None:
        if after >= self.place:
            return ()
        return self.relay.broker.since(self.followed.topic, after)

    async def _read(self, after: int, until: int) -> list[News]:
        """What is remembered nowhere."""
        bodies = await self.relay.since(self.followed, after, until)
        return [News(told(body)[0], body) for body in bodies]

    async def _between(self, until: int) -> list[RoomNews]:
        """What was not told between the last event and this one."""
        remembered = self.relay.broker.since(self.followed.topic, self.place)
        if remembered is None:
            remembered = await self._read(self.place, until)
        return [self._event(news).news for news in remembered if self.place < news.id < until]

    def _event(self, news: News) -> _Event:
        """An event, made once for all who are told of it here."""
        event: _Event | None = news.made.get("event")
        if event is None:
            number, kind, at, handle, payload = told(news.body)
            value = _value(self._mark(number), kind, at, handle, payload)
            event = _Event(number, kind, at, payload, RoomNews(value["id"], value))
            news.made["event"] = event
        return event

    def _mark(self, number: int) -> str:
        return mark_of(Mark(self.followed.room, self.followed.epoch, number))

    def _reset(self) -> RoomNews:
        mark = self._mark(self.place)
        return RoomNews(mark, _value(mark, RoomEventKind.RESET, self.now, None, {}))


def _redacted(events: Sequence[_Event]) -> Iterator[_Event]:
    """What was missed, without the words that were taken back meanwhile."""
    gone = {event.payload.get("message") for event in events if event.kind is RoomEventKind.MESSAGE_DELETED}
    for event in events:
        value = event.news.value
        if event.kind is RoomEventKind.MESSAGE and event.payload.get("message") in gone and value is not None:
            message = {**value["message"], "text": None}
            yield event._replace(news=RoomNews(event.news.mark, {**value, "message": message}))
        else:
            yield event


def _value(mark: str, kind: RoomEventKind, at: datetime, handle: str | None, payload: Mapping[str, Any]) -> Told:
    """An event by SDL names; it leads to nothing that depends on who looks."""
    return {
        "__typename": "RoomEvent",
        "id": mark,
        "kind": kind.value,
        "at": at,
        "person": None if handle is None else {"__typename": "RoomPerson", "handle": handle},
        "joined": payload.get("joined"),
        "message": _part(payload, "RoomEventMessage", "message", "id", "text"),
        "reaction": payload.get("reaction"),
        "comment": _part(payload, "RoomEventComment", "comment", "id", "hook", "positionMs"),
        "now": _now(payload) if kind is RoomEventKind.NOW_CHANGED else None,
        "subject": next((payload[name] for name in _SUBJECTS if payload.get(name)), None),
        "title": payload.get("title"),
        "heat": payload.get("heat"),
    }


def _part(payload: Mapping[str, Any], type_: str, name: str, *fields: str) -> Told | None:
    """A part of an event that has an id: `id` is told under its name, the rest under their own."""
    if payload.get(name) is None:
        return None
    return {"__typename": type_} | {each: payload.get(name if each == "id" else each) for each in fields}


def _now(payload: Mapping[str, Any]) -> Told | None:
    if payload.get("track") is None:
        return None
    return {
        "__typename": "RoomEventNow",
        **{name: payload.get(name) for name in ("track", "hook", "title", "durationMs")},
        "since": datetime.fromisoformat(payload["since"]),
    }
