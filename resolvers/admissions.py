"""Who hears a room: they are let in when they come, and asked about again while they stay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from db.admissions import admitted
from db.engine import Database
from domain.accounts import Viewer
from domain.errors import CassetError, NotFound, Unavailable

ASKED_EVERY = 2.0
"""Seconds for which somebody stays let in."""
TOLD_FOR = 4.0
"""Seconds after which nothing is told to somebody who could not be asked about."""
RETRY = 0.25
TRIES = 20

_Key = tuple[UUID, Viewer]


class Listening(Protocol):
    """A stream of somebody's."""

    def stop(self) -> None:
        """End it: they are not let in any more."""


@dataclass(slots=True, eq=False)
class Guest:
    """One viewer in one room, by however many streams."""

    key: _Key
    asked_at: float
    hearings: set[Listening] = field(default_factory=set)
    shut: bool = False


class Admissions:
    """Who is in which room of one process. All who are asked about at once are one statement."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask a database; `clock` counts seconds."""
        self._database = database
        self._clock = clock
        self._guests: dict[_Key, Guest] = {}
        self._questions: dict[_Key, asyncio.Future[bool]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def enter(self, room: UUID, viewer: Viewer) -> Guest:
        """Let a viewer in, for a moment: whoever stays says so by `staying`.

        Raises:
            NotFound: there is no such room, or not for the viewer.
            Unavailable: the database is away.
        """
        key = room, viewer
        guest = self._guests.get(key)
        if guest is None or guest.shut or self._clock() - guest.asked_at >= ASKED_EVERY:
            if not await self._ask(key):
                raise NotFound("There is no such room.")
            guest = self._guests.get(key)
            if guest is None or guest.shut:
                guest = Guest(key, self._clock())
        return guest

    @contextmanager
    def staying(self, guest: Guest, hearing: Listening) -> Iterator[Guest]:
        """Somebody hears the room meanwhile; they are stopped when they are not let in any more."""
        guest = self._guests.setdefault(guest.key, guest)
        guest.hearings.add(hearing)
        try:
            yield guest
        finally:
            guest.hearings.discard(hearing)
            if not guest.hearings and self._guests.get(guest.key) is guest:
                del self._guests[guest.key]

    async def still(self, guest: Guest) -> bool:
        """Whether somebody may be told something now.

        Raises:
            Unavailable: the database is away for long.
        """
        guest = self._guests.get(guest.key, guest)
        for _ in range(TRIES):
            if guest.shut or self._clock() - guest.asked_at < TOLD_FOR:
                return not guest.shut
            with suppress(Unavailable):
                return await self._ask(guest.key)
            await asyncio.sleep(RETRY)
        raise Unavailable("The database is away for a moment. Try again.")

    async def run(self) -> None:
        """Ask about all who stay, every two seconds, until cancelled."""
        while True:
            await asyncio.sleep(ASKED_EVERY)
            with suppress(CassetError):  # they are told nothing until they could be asked about
                await asyncio.gather(*[self._ask(key) for key in self._guests])

    async def _ask(self, key: _Key) -> bool:
        question = self._questions.get(key)
        if question is None:
            question = self._questions[key] = asyncio.get_running_loop().create_future()
            if self._asking is None or self._asking.done():
                # In a task of its own: who leaves does not take the others along.
                self._asking = asyncio.create_task(self._bring())
        return await asyncio.shield(question)

    async def _bring(self) -> None:
        """Bring the questions to the database until there are none."""
        await asyncio.sleep(0)
        while self._questions:
            brought, self._questions = self._questions, {}
            keys, asked_at = [*brought], self._clock()
            try:
                inside = await admitted(self._database, keys)
            except Exception as error:  # noqa: BLE001  # whoever asked is told
                for question in brought.values():
                    question.set_exception(error)
                    question.exception()
                continue
            for number, (key, question) in enumerate(brought.items()):
                self._answer(key, asked_at, let_in=number in inside)
                question.set_result(number in inside)

    def _answer(self, key: _Key, asked_at: float, *, let_in: bool) -> None:
        guest = self._guests.get(key)
        if guest is None:
            return
        guest.asked_at = asked_at
        if not let_in:
            guest.shut = True
            del self._guests[key]
            for hearing in guest.hearings:
                hearing.stop()
