"""Measuring how people gather, once an hour, for who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from db.engine import Database
from db.participation import Measured, add_snapshots, links_to, measured_lately, signals_around
from domain.jobs import JobKind
from domain.measures import FORMULA, early_motion, energy, rise, trusted_circulation
from resolvers.context import now, unhurried, uuid7
from resolvers.jobs import Doing, Effect, Running, again

EVERY = timedelta(hours=1)
AT_ONCE = 500
"""Snapshots that are written with one statement."""


_once_more = partial(again, kind=JobKind.TAKE_MEASURES, wait=EVERY)


@dataclass(frozen=True, slots=True)
class Gauge:
    """Takes the measures of releases, hooks and worlds."""

    database: Database

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its job is done."""
        return {JobKind.TAKE_MEASURES: self._take}

    async def begin(self) -> None:
        """See to it that measures are taken, hour by hour.

        Raises:
            Unavailable: the database is away.
        """
        async with self.database.write() as connection:
            await _once_more(connection)

    async def _take(self, running: Running) -> Effect:
        # One moment for all of them, and nothing that was done after it: what is measured again is the same snapshot.
        at = now().replace(minute=0, second=0, microsecond=0)
        async with self.database.read() as connection:
            subjects = await measured_lately(connection, at)
            rows = []
            async for subject in unhurried(subjects):
                rows.append(await self._measure(connection, subject, at))
                running.progress = 100 * len(rows) // len(subjects)

        async def effect(connection: Any) -> None:
            for start in range(0, len(rows), AT_ONCE):
                await add_snapshots(connection, rows[start : start + AT_ONCE])
            await _once_more(connection)

        return effect

    async def _measure(self, connection: Any, subject: Measured, at: datetime) -> dict[str, Any]:
        signals = await signals_around(connection, subject, at)
        shares, visits = await links_to(connection, subject, at)
        return {
            "id": uuid7(),
            "subject_id": subject.id,
            "taken_at": at,
            "formula": FORMULA,
            "energy": energy(signals, at),
            "rise": rise(signals, at),
            "early_motion": early_motion(signals, subject.out_at),
            "trusted_circulation": trusted_circulation(shares, visits),
            "participants": len({signal.actor for signal in signals if not signal.own}),
        }
