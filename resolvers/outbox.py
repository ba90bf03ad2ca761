"""The relay: what happened in rooms, read after its commit and told to whoever hears them.

Each process listens to the database on a connection of its own and reads what follows the last event it told of a
room. Notifications may be lost, events may not: every few seconds, and after each new connection, it looks by itself.
The numbers of a room are in the order of their commits, so nothing waits for transactions that are older and open.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

import orjson
import structlog

from db.engine import Database
from db.rooms import events_after, last_events
from domain.errors import CassetError, NotFound
from domain.rooms import RESUMABLE_EVENTS, Happening, RoomEventKind
from resolvers.admissions import Admissions
from subscriptions.broker import Broker, Hearing

log = structlog.get_logger()
CHANNEL = "room_event"
LOOK_EVERY = 3.0
"""Seconds between two looks at rooms of which nothing was heard."""
RETRY = 0.2
AT_ONCE = 250
"""Events that are read at once."""


@dataclass(slots=True, eq=False)
class Followed:
    """A room that is heard here.

    Attributes:
        reached: the number of the last event that was told.
        hold: keeps what is remembered of it.
        hearings: of those who hear it.
        void: its numbers began again.
    """

    room: UUID
    epoch: UUID
    reached: int
    hold: Hearing
    hearings: set[Hearing] = field(default_factory=set)
    void: bool = False

    @property
    def topic(self) -> str:
        """Under what it is told."""
        return f"room:{self.room}:{self.epoch}"

    def end(self) -> None:
        """Nobody hears it any more."""
        self.void = True
        for hearing in (*self.hearings, self.hold):
            hearing.stop()


class Relay:
    """Tells what happens in the rooms that are heard in this process."""

    def __init__(self, database: Database, broker: Broker) -> None:
        """Read from a database and tell a broker; nothing is told before `run`."""
        self.broker = broker
        self.admissions = Admissions(database)
        self._database = database
        self._rooms: dict[UUID, Followed] = {}
        self._listeners: Counter[UUID] = Counter()
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._dirty: set[UUID] = set()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def following(self, room: UUID) -> AsyncIterator[tuple[Followed, Hearing]]:
        """Hear a room meanwhile, from now on.

        Raises:
            NotFound: there is no such room.
            Unavailable: the database is away.
        """
        # Who waits for it counts: a room is begun once for a crowd, however soon the first of them leaves.
        self._listeners[room] += 1
        try:
            followed = await self._followed(room)
            hearing = await self.broker.subscribe(followed.topic)
            followed.hearings.add(hearing)
            try:
                yield followed, hearing
            finally:
                hearing.stop()
                followed.hearings.discard(hearing)
        finally:
            self._listeners[room] -= 1
            if not self._listeners[room]:
                del self._listeners[room]
                unheard = self._rooms.pop(room, None)
                if unheard is not None:
                    unheard.end()

    async def _followed(self, room: UUID) -> Followed:
        """A room; whoever comes first begins to follow it, and others wait for them."""
        known = self._rooms.get(room)
        if known is None:
            async with self._turns.setdefault(room, asyncio.Lock()):
                known = self._rooms.get(room)
                if known is None:
                    known = self._rooms[room] = await self._begin(room)
                    # What happened since it was read was told to nobody.
                    self._look_at([room])
        return known

    async def _begin(self, room: UUID) -> Followed:
        epoch, last = (await self.last([room])).get(room, (None, 0))
        if epoch is None:
            raise NotFound("There is no such room.")
        followed = Followed(room, epoch, 0, await self.broker.subscribe(f"room:{room}:{epoch}"))
        try:
            followed.reached = max(last - RESUMABLE_EVENTS, self.broker.last(followed.topic) or 0)
            while await self._tell_on(followed):
                pass
            # Of what happened long ago there may be nothing left to read.
            followed.reached = max(followed.reached, last)
        except BaseException:
            followed.end()
            raise
        return followed

    async def last(self, rooms: list[UUID]) -> Mapping[UUID, tuple[UUID, int]]:
        """The epoch of each room, and the number of the last thing that happened there.

        Raises:
            Unavailable: the database is away.
        """
        async with self._database.read() as connection:
            return await last_events(connection, rooms)

    # -- running ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Relay until cancelled."""
        await asyncio.gather(self._listen(), self._read(), self._look(), self.admissions.run())

    def _heard(self, payload: str) -> None:
        text, _, number = payload.partition(" ")
        followed = self._rooms.get(UUID(text))
        if followed is not None and int(number) > followed.reached:
            self._look_at([followed.room])

    async def _listen(self) -> None:
        while True:
            try:
                async with self._database.listening(CHANNEL, self._heard) as lost:
                    # What was told before it listened was told to nobody here.
                    self._look_at(self._rooms)
                    await lost.wait()
            except Exception as error:  # noqa: BLE001  # whatever it is, it is tried again
                log.warning("the relay does not hear the database", error=type(error).__name__)
            await asyncio.sleep(RETRY)

    async def _look(self) -> None:
        """Look by itself: for what no notification told, and for rooms whose numbers began again."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if not self._rooms:
                continue
            with suppress(CassetError):
                found = await self.last([*self._rooms])
                for followed in [*self._rooms.values()]:
                    epoch, last = found.get(followed.room, (followed.epoch, followed.reached))
                    if epoch != followed.epoch:
                        self._rooms.pop(followed.room).end()
                    elif last > followed.reached:
                        self._look_at([followed.room])

    async def _read(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            for room in dirty:
                followed = self._rooms.get(room)
                try:
                    if followed is not None and await self._tell_on(followed):
                        self._look_at([room])
                except Exception as error:  # noqa: BLE001  # whatever it is, it is tried again
                    log.warning("the relay does not tell for the moment", error=type(error).__name__)
                    self._look_at([room])
                    await asyncio.sleep(RETRY)

    def _look_at(self, rooms: Iterable[UUID]) -> None:
        self._dirty.update(rooms)
        self._wake.set()

    async def _tell_on(self, followed: Followed) -> bool:
        """Tell what follows; whether there may be more."""
        async with self._database.read() as connection:
            events = await events_after(connection, followed.room, followed.reached, AT_ONCE)
        for event in events:
            if event.epoch != followed.epoch:
                return False
            await self.broker.publish(followed.topic, event.id, encoded(event))
            followed.reached = max(followed.reached, event.id)
        return len(events) == AT_ONCE

    async def since(self, followed: Followed, after: int, until: int) -> list[bytes]:
        """What happened after one event and before another, read from what is true.

        Raises:
            Unavailable: the database is away.
        """
        async with self._database.read() as connection:
            events = await events_after(connection, followed.room, after, until - after - 1)
        return [encoded(event) for event in events if event.epoch == followed.epoch and event.id < until]


def encoded(event: Happening) -> bytes:
    """An event as it is told between processes; `told` reads it."""
    return orjson.dumps([event.id, event.kind.value, event.at, event.handle, event.payload])


def told(body: bytes) -> tuple[int, RoomEventKind, datetime, str | None, dict[str, Any]]:
    """(number, kind, moment, handle, payload) of an event."""
    number, kind, at, handle, payload = orjson.loads(body)
    return number, RoomEventKind(kind), datetime.fromisoformat(at), handle, payload
