"""Doing jobs: each is held by a heartbeat while it is worked on, and called done together with its effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from db.changes import announce
from db.engine import Database
from db.jobs import LeaseLost, claim, come_round, complete, fail, renew
from domain.errors import CassetError
from domain.ids import Kind, Ref
from domain.jobs import HEARTBEAT, ClaimedJob, JobKind, NewJob
from resolvers.context import uuid7
from subscriptions.events import job_changed

log = structlog.get_logger()

Effect = Callable[[Any], Awaitable[None]]
"""What a job leads to, written on the connection of the transaction that completes it."""


class Hopeless(Exception):
    """A job cannot succeed, however often it is tried."""

    def __init__(self, message: str, effect: Effect | None = None) -> None:
        """Keep a sentence for its owner, and what giving up leads to."""
        super().__init__(message)
        self.effect = effect


@dataclass(slots=True)
class Running:
    """A job under way.

    Attributes:
        job: what is done.
        progress: percent, set by whoever does it; told to its owner with the next heartbeat.
    """

    job: ClaimedJob
    progress: int | None = None


Doing = Callable[[Running], Awaitable[Effect]]


async def again(connection: Any, kind: JobKind, wait: timedelta) -> None:
    """Let a job that comes round be done, or done once more, after a while."""
    id_ = uuid7()
    await come_round(connection, NewJob(id_, kind, id_), wait)


@dataclass(slots=True)
class Workshop:
    """Does the jobs of some kinds, a few at a time.

    Attributes:
        database: where they are.
        doings: how each kind is done.
        hands: how many at a time.
        heartbeat: seconds between two signs of life.
    """

    database: Database
    doings: Mapping[JobKind, Doing]
    hands: int = 2
    heartbeat: float = HEARTBEAT.total_seconds()
    _busy: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def turn(self) -> int:
        """Take what is due and there are hands for; how many were taken.

        Raises:
            Unavailable: the database is away.
        """
        free = self.hands - len(self._busy)
        if free < 1:
            return 0
        async with self.database.write() as connection:
            jobs = await claim(connection, self.doings.keys(), free)
            for job in jobs:
                await _told(connection, job)
        for job in jobs:
            task = asyncio.create_task(self._do(job))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        return len(jobs)

    async def hand_free(self, seconds: float) -> None:
        """Wait until one that was taken is done, and so long at most."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds)

    async def settled(self) -> None:
        """Wait for all that were taken."""
        if self._busy:
            await asyncio.wait(self._busy)

    async def drain(self) -> None:
        """Do everything that is due now, and what becomes due of it."""
        while await self.turn() or self._busy:
            await self.settled()

    async def _do(self, job: ClaimedJob) -> None:
        running = Running(job)
        working = asyncio.create_task(self._work(running))
        try:
            while not working.done():
                await asyncio.wait({working}, timeout=self.heartbeat)
                if not working.done():
                    async with self.database.write() as connection:
                        await renew(connection, job, running.progress)
                        if running.progress is not None:
                            await _told(connection, job)
            await working
        except LeaseLost:
            # Where it is done by now, that was this worker: the sign of life came too late.
            if not working.done() or working.exception() is not None:
                log.warning("a job was somebody else's by then", job=str(job.id), kind=job.kind.value)
        except Exception as error:  # noqa: BLE001  # whatever it is, others have their turn; it is told in the row
            await self._failed(job, error)
        finally:
            working.cancel()

    async def _work(self, running: Running) -> None:
        effect = await self.doings[running.job.kind](running)
        async with self.database.write() as connection:
            await complete(connection, running.job)
            await effect(connection)
            await _told(connection, running.job)

    async def _failed(self, job: ClaimedJob, error: Exception) -> None:
        hopeless = isinstance(error, Hopeless)
        # Of an error that nobody foresaw the owner learns its type: what it says may be about us.
        said = str(error) if isinstance(error, Hopeless | CassetError) else type(error).__name__
        if not hopeless:
            log.warning("a job failed", job=str(job.id), kind=job.kind.value, exc_info=error)
        try:
            async with self.database.write() as connection:
                await fail(connection, job, said, hopeless=hopeless)
                await _told(connection, job)
                if isinstance(error, Hopeless) and error.effect is not None:
                    await error.effect(connection)
        except (LeaseLost, CassetError):
            # The lease runs out by itself.
            log.warning("a failure could not be told", job=str(job.id))


async def _told(connection: Any, job: ClaimedJob) -> None:
    """Tell for whom it is done that a job goes on."""
    if job.owner is not None:
        announcement = job_changed(Ref(Kind.JOB, job.id), Ref(Kind.ARTIST, job.owner))
        await announce(connection, announcement.topic, announcement.payload)
