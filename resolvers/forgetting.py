"""What happened in rooms is forgotten after a week, once a day: what was said stays, and so does what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from db.engine import Database
from db.rooms import forget_events
from domain.jobs import JobKind
from domain.rooms import KEPT_FOR
from resolvers.jobs import Doing, Effect, Running, again

EVERY = timedelta(days=1)
AT_ONCE = 5_000
"""Events that are removed in one transaction."""


_once_more = partial(again, kind=JobKind.FORGET_EVENTS, wait=EVERY)


@dataclass(frozen=True, slots=True)
class Forgetter:
    """Removes events that nobody is told any more."""

    database: Database

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its job is done."""
        return {JobKind.FORGET_EVENTS: self._forget}

    async def begin(self) -> None:
        """See to it that it comes round.

        Raises:
            Unavailable: the database is away.
        """
        async with self.database.write() as connection:
            await _once_more(connection)

    async def _forget(self, _: Running) -> Effect:
        removed = AT_ONCE
        while removed == AT_ONCE:
            async with self.database.write() as connection:
                removed = await forget_events(connection, KEPT_FOR, AT_ONCE)
        return _once_more
