"""Who is in a room now: heartbeats that run out, one person however many tabs, and what changes for those who watch.

Here live the contract, and the presence of one process; `subscriptions/shared_presence.py` is that of several. A
heartbeat is written down nowhere else: what is lost with a process is there again with the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol
from uuid import UUID

BEAT_EVERY = 15
"""Seconds between two heartbeats of a connection."""
LASTS = 40.0
"""Seconds after its last heartbeat that a connection is gone: two may be lost."""
RECOUNT = 4.0
"""Seconds after which a room that is watched is counted again, whatever was heard of it."""
GATHER = 0.25
"""Seconds in which changes of a room are told together."""
MOST_TABS, MOST_UNNAMED = 20, 50
"""Connections in one room of one account, and of people without a name at one address. More of them count no more."""


class Visitor(NamedTuple):
    """Somebody in a room, by one connection.

    Attributes:
        account: None for who is not named.
        handle: of the account.
        address: by which those without a name are bounded.
        connection: a tab, as its client named it; empty for every one of theirs.
    """

    account: UUID | None
    handle: str
    address: str
    connection: str

    @property
    def source(self) -> str:
        """Whose connections are counted together."""
        return f"?{self.address}" if self.account is None else str(self.account)

    @property
    def most(self) -> int:
        """How many of them are counted."""
        return MOST_UNNAMED if self.account is None else MOST_TABS


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is in a room.

    Attributes:
        people: the handles of those with a name, by account.
        unnamed: how many others.
    """

    people: Mapping[UUID, str] = field(default_factory=dict)
    unnamed: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.people) + self.unnamed


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What somebody who watches is told: the crowd as it is, and who came and left since they were told before.

    Attributes:
        before: None for the first.
        crowd: as it is now.
        made: what was made of it, for all who are told the same.
    """

    before: Crowd | None
    crowd: Crowd
    made: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def came(self) -> dict[UUID, str]:
        """Who is here, and was not before."""
        known = {} if self.before is None else self.before.people
        return {account: handle for account, handle in self.crowd.people.items() if account not in known}

    @property
    def left(self) -> dict[UUID, str]:
        """Who was here, and is no more."""
        known = {} if self.before is None else self.before.people
        return {account: handle for account, handle in known.items() if account not in self.crowd.people}


class Presence(Protocol):
    """Who is in each room."""

    async def beat(self, room: UUID, visitor: Visitor) -> None:
        """Say that a connection is there."""

    async def leave(self, room: UUID, visitor: Visitor) -> None:
        """Say that it is no more, or none of theirs where none is named."""

    async def crowd(self, room: UUID) -> Crowd:
        """Who is in a room now."""

    def watch(self, room: UUID) -> Watching:
        """Watch a room from now on, until `stop`; what changes in one moment is told together."""

    async def close(self) -> None:
        """Let go of what was opened."""


class Watching:
    """One who watches a room. What they are told is worked out when they ask: nothing waits for each."""

    __slots__ = ("_before", "_waiting", "_watch", "ended")

    def __init__(self, watch: _Watch) -> None:
        """Watch from now on; the first step is the crowd as it is."""
        self._watch = watch
        self._before: Crowd | None = None
        self._waiting: asyncio.Future[None] | None = None
        self.ended = False

    async def next(self) -> Step | None:
        """What changed meanwhile, or as soon as something does; None where it has ended."""
        while not self.ended:
            step = self._watch.step(self._before)
            if step is not None:
                self._before = step.crowd
                return step
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return None

    def wake(self) -> None:
        """There is something to see, or nothing any more."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def stop(self) -> None:
        """Watch no more."""
        if not self.ended:
            self.ended = True
            self._watch.leave(self)
            self.wake()


class _Watch:
    """A room that is watched."""

    def __init__(self, count: Callable[[], Awaitable[Crowd]], forget: Callable[[], None]) -> None:
        self.moved = asyncio.Event()
        self._count = count
        self._forget = forget
        self._watchings: set[Watching] = set()
        self._crowd: Crowd | None = None
        self._step: Step | None = None
        self._following = asyncio.create_task(self._follow())

    def enter(self) -> Watching:
        watching = Watching(self)
        self._watchings.add(watching)
        return watching

    def leave(self, watching: Watching) -> None:
        self._watchings.discard(watching)
        if not self._watchings:
            self._following.cancel()
            self._forget()

    def step(self, before: Crowd | None) -> Step | None:
        """What changed since a crowd was told; the same step for all who heard the same, and None for nothing."""
        if self._crowd is None or self._crowd is before:
            return None
        if self._step is None or self._step.before is not before or self._step.crowd is not self._crowd:
            self._step = Step(before, self._crowd)
        return self._step

    async def _follow(self) -> None:
        """Count, and tell what changed; what changes in the moment after that is told together."""
        while True:
            self.moved.clear()
            crowd = await self._count()
            if crowd != self._crowd:
                self._crowd = crowd
                for watching in self._watchings:
                    watching.wake()
            await asyncio.sleep(GATHER)
            with suppress(TimeoutError):
                async with asyncio.timeout(RECOUNT - GATHER):
                    await self.moved.wait()


class Watches:
    """The rooms that somebody in this process watches: each is counted once for all of them."""

    def __init__(self, count: Callable[[UUID], Awaitable[Crowd]]) -> None:
        """Count rooms by a function."""
        self._count = count
        self._watches: dict[UUID, _Watch] = {}

    @property
    def rooms(self) -> list[UUID]:
        """Those that are watched."""
        return list(self._watches)

    def moved(self, room: UUID) -> None:
        """Something may have changed in a room."""
        if room in self._watches:
            self._watches[room].moved.set()

    def watch(self, room: UUID) -> Watching:
        """Watch, as `Presence` says."""
        if room not in self._watches:
            self._watches[room] = _Watch(partial(self._count, room), partial(self._watches.__delitem__, room))
        return self._watches[room].enter()


class MemoryPresence:
    """The presence of one process."""

    def __init__(self, lasts: float = LASTS, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with empty rooms; `clock` counts seconds, of which a heartbeat `lasts` so many."""
        self._lasts = lasts
        self._clock = clock
        self._rooms: OrderedDict[UUID, dict[str, _Visits]] = OrderedDict()
        self._swept = clock()
        self._watches = Watches(self.crowd)

    async def beat(self, room: UUID, visitor: Visitor) -> None:
        """Beat, as `Presence` says."""
        now = self._clock()
        self._sweep(now)
        visits = self._rooms.setdefault(room, {}).setdefault(visitor.source, _Visits(visitor.account))
        visits.forget(now)
        known = visitor.connection in visits.until
        if known or len(visits.until) < visitor.most:
            visits.until[visitor.connection] = now + self._lasts
        if not known or visits.handle != visitor.handle:
            visits.handle = visitor.handle
            self._watches.moved(room)

    async def leave(self, room: UUID, visitor: Visitor) -> None:
        """Leave, as `Presence` says."""
        visits = self._rooms.get(room, {}).get(visitor.source)
        if visits is not None:
            if visitor.connection:
                visits.until.pop(visitor.connection, None)
            else:
                visits.until.clear()
            self._watches.moved(room)

    async def crowd(self, room: UUID) -> Crowd:
        """The crowd, as `Presence` says."""
        self._forget(room, self._clock())
        here = self._rooms.get(room, {}).values()
        people = {visits.account: visits.handle for visits in here if visits.account is not None}
        return Crowd(people, sum(len(visits.until) for visits in here if visits.account is None))

    def watch(self, room: UUID) -> Watching:
        """Watch, as `Presence` says."""
        return self._watches.watch(room)

    async def close(self) -> None:
        """Nothing was opened."""

    def _sweep(self, now: float) -> None:
        """Once a second, forget who is gone from one room: nobody may ever ask about it again."""
        if self._rooms and now - self._swept >= 1:
            self._swept = now
            room = next(iter(self._rooms))
            self._rooms.move_to_end(room)
            self._forget(room, now)

    def _forget(self, room: UUID, now: float) -> None:
        here = self._rooms.get(room, {})
        for source, visits in list(here.items()):
            visits.forget(now)
            if not visits.until:
                del here[source]
        if not here:
            self._rooms.pop(room, None)


@dataclass(slots=True)
class _Visits:
    """The connections of one source in a room, each with the moment when it is gone."""

    account: UUID | None
    handle: str = ""
    until: dict[str, float] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        """Let go of those that are gone."""
        self.until = {connection: until for connection, until in self.until.items() if until > now}
