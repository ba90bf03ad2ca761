"""What somebody is told of what is theirs, as it happens: their jobs, their verdicts, their inbox.

It is read from the outbox, once for all who listen in this process, while anybody does. Every event has a place: who
comes back with the last one they saw misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from db.accounts import viewer_of_account
from db.engine import Database
from db.feeds import NEWS, Announced, Position, outbox_after, outbox_end
from domain.accounts import person_of
from domain.errors import BadInput, CassetError, SignInNeeded, Unavailable
from domain.ids import Kind, Ref, parse_ref
from resolvers.context import Acting
from resolvers.happenings import RoomNews

LOOK_EVERY = 0.5
"""Seconds between two looks at the outbox."""
AT_ONCE = 500
MOST_WAITING = 1_000
"""Events that wait for one listener who does not keep up."""
TOPICS = ("job.changed", "rights.changed", "activity.added")
Wanted = Callable[[Announced], bool]


@dataclass(eq=False, slots=True)
class _Listener:
    wanted: Wanted
    lines: asyncio.Queue[Announced | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    has_lost: bool = False

    def tell(self, line: Announced) -> None:
        if self.has_lost or not self.wanted(line):
            return
        if self.lines.qsize() >= MOST_WAITING - 1:
            self.lose()
        else:
            self.lines.put_nowait(line)

    def lose(self) -> None:
        """Tell nothing more: they go on from where they are."""
        if not self.has_lost:
            self.has_lost = True
            self.lines.put_nowait(None)


class Feeds:
    """Follows the outbox of one database for those who listen in this process."""

    def __init__(self, database: Database) -> None:
        """Follow nothing before somebody listens."""
        self._database = database
        self._listeners: set[_Listener] = set()
        self._place: Position = (0, 0)
        self._beginning = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    async def listen(self, wanted: Wanted, after: Position | None) -> AsyncGenerator[Announced]:
        """The lines somebody wants, from now on, or from after a place on; it never ends by itself.

        Raises:
            BadInput: nothing has come to that place yet.
            Unavailable: the database is away, or they did not keep up.
        """
        listener = _Listener(wanted)
        try:
            joined = await self._join(listener)
            if after is not None:
                async with self._database.read() as connection:
                    if after >= await outbox_end(connection):
                        raise BadInput("Nothing has come to that place yet.")
                async for line in self._between(after, joined):
                    if wanted(line):
                        yield line
            while (coming := await listener.lines.get()) is not None:
                if after is None or coming.place > after:
                    yield coming
            raise Unavailable("This cannot go on here. Subscribe again after the last place you heard.")
        finally:
            self._listeners.discard(listener)

    async def _join(self, listener: _Listener) -> Position:
        """Tell somebody what comes from now on, and say where that is."""
        async with self._beginning:
            if self._following is None or self._following.done():
                async with self._database.read() as connection:
                    self._place = await outbox_end(connection)
                self._following = asyncio.create_task(self._follow())
            self._listeners.add(listener)
            return self._place

    async def _between(self, after: Position, until: Position) -> AsyncGenerator[Announced]:
        """What was there between two places."""
        while True:
            async with self._database.read() as connection:
                lines = await outbox_after(connection, TOPICS, after, AT_ONCE)
            for line in lines:
                if line.place > until:
                    return
                yield line
            if len(lines) < AT_ONCE:
                return
            after = lines[-1].place

    async def _follow(self) -> None:
        """Read on while anybody listens."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY)
                if not self._listeners and not self._beginning.locked():
                    return
                with suppress(CassetError):  # the database is away: what it holds is read when it is back
                    while await self._read_on():
                        pass
        finally:
            for listener in self._listeners:
                listener.lose()

    async def _read_on(self) -> bool:
        """Tell what has come; whether there may be more."""
        async with self._database.read() as connection:
            lines = await outbox_after(connection, TOPICS, self._place, AT_ONCE)
        for line in lines:
            self._place = line.place
            for listener in self._listeners:
                listener.tell(line)
        return len(lines) == AT_ONCE


_FEEDS: WeakKeyDictionary[Database, Feeds] = WeakKeyDictionary()


def feeds_of(database: Database) -> Feeds:
    """The feeds of a database."""
    return _FEEDS.setdefault(database, Feeds(database))


async def job_updates(acting: Acting, after: Position | None) -> AsyncGenerator[RoomNews]:
    """How jobs go on that are done for the artists the viewer is a member of.

    Raises:
        SignInNeeded: nobody is signed in.
    """
    async with aclosing(_of_artists(acting, "job.changed", after)) as lines:
        async for line in lines:
            mark = NEWS.write(line.place)
            update = {"__typename": "JobUpdate", "job": parse_ref(line.payload["job"]), "cursor": mark}
            yield RoomNews(mark, update)


async def rights_updates(acting: Acting, after: Position | None) -> AsyncGenerator[RoomNews]:
    """What changed verdicts on assets of the artists the viewer is a member of.

    Raises:
        SignInNeeded: nobody is signed in.
    """
    async with aclosing(_of_artists(acting, "rights.changed", after)) as lines:
        async for line in lines:
            mark, said = NEWS.write(line.place), line.payload
            update = {
                "__typename": "RightsUpdate",
                "artist": parse_ref(said["owner"]),
                "cause": parse_ref(said["cause"]),
                "count": said["count"],
                "cursor": mark,
            }
            yield RoomNews(mark, update)


async def activity_updates(acting: Acting, after: Position | None) -> AsyncGenerator[RoomNews]:
    """What comes into the viewer's inbox.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: a key asks.
    """
    account = str(Ref(Kind.ACCOUNT, person_of(acting.viewer)))
    lines = feeds_of(acting.database).listen(_wanted("activity.added", "account", {account}), after)
    async with aclosing(lines):
        async for line in lines:
            mark = NEWS.write(line.place)
            update = {"__typename": "ActivityUpdate", "activity": parse_ref(line.payload["activity"]), "cursor": mark}
            yield RoomNews(mark, update)


async def _of_artists(acting: Acting, topic: str, after: Position | None) -> AsyncGenerator[Announced]:
    """Lines about artists the viewer held when they began to listen, and holds when they are told."""
    viewer = acting.viewer
    if viewer.account is None:
        raise SignInNeeded("Sign in first.")
    owners = {str(Ref(Kind.ARTIST, artist)) for artist in viewer.holds}
    async with aclosing(feeds_of(acting.database).listen(_wanted(topic, "owner", owners), after)) as lines:
        async for line in lines:
            # Whose key it is may have left the artist, too.
            async with acting.database.read() as connection:
                person = await viewer_of_account(connection, viewer.account)
            if parse_ref(line.payload["owner"]).id in person.holds:
                yield line


def _wanted(topic: str, name: str, refs: Collection[str]) -> Wanted:
    return lambda line: line.topic == topic and line.payload[name] in refs
