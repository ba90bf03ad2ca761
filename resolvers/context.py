"""What a mutation acts with: the database, who acts, and the time and ids it is given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import uuid6

from db.engine import Database
from domain.accounts import Viewer
from resolvers.callers import Caller
from resolvers.outbox import Relay
from subscriptions.presence import MemoryPresence, Presence

Thing = TypeVar("Thing")
Told = dict[str, Any]
"""A value by SDL names; what is stored is a reference."""
TURN = 0.005
"""Seconds that one caller's thinking takes before others have their turn."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562)."""
    return UUID(int=uuid6.uuid7().int)


@dataclass(frozen=True, slots=True)
class Acting:
    """One caller's hands.

    Attributes:
        database: where everything is written.
        viewer: who acts.
        now: the clock.
        new_id: makes a UUIDv7.
        caller: where the request came from; None where nobody can sign in, such as on a WebSocket or in a job.
        actor: by what is counted who acts: an account, a key, or an address.
        presence: who is in each room.
        relay: tells what happens; None where nobody listens, such as in a job.
        parts: of what is worked out, the names that are asked for, at any depth; None where all of them may be.
    """

    database: Database
    viewer: Viewer
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    caller: Caller | None = None
    actor: str = ""
    presence: Presence = field(default_factory=MemoryPresence)
    relay: Relay | None = None
    parts: frozenset[str] | None = None

    def wants(self, part: str) -> bool:
        """Whether a part of what is worked out may be asked for; another one need not be worked out."""
        return self.parts is None or part in self.parts

    def afterwards(self) -> Acting:
        """The hands after a mutation: those of whom it signed in or out, where it did."""
        if self.caller is None or self.caller.became is None:
            return self
        return replace(self, viewer=self.caller.became)


def moment_of(valid_at: datetime | None, known_at: datetime | None, now: datetime) -> tuple[datetime, datetime] | None:
    """(valid at, known at) of a question; None for now. What is left out is now, and known as of what is asked."""
    if valid_at is None and known_at is None:
        return None
    valid_at = valid_at or now
    return valid_at, known_at or valid_at


async def unhurried(things: Iterable[Thing]) -> AsyncIterator[Thing]:
    """Some things, for work that takes long over many of them: everybody else has a turn in between."""
    began = time.perf_counter()
    for thing in things:
        yield thing
        if time.perf_counter() - began > TURN:
            await asyncio.sleep(0)
            began = time.perf_counter()
