"""Where jobs live, and how they are handed out: to one worker at a time, whatever happens to it.

A job is written in the transaction that needs it. A claim is a lease with a fence: a worker that was away too long
finds its fence overtaken, and whatever it was about to write with it is rolled back. So a job may run more than once,
and its effect, written in the transaction that completes it, happens once.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.places import Type, columns
from domain.jobs import LEASE, MOST_ATTEMPTS, MOST_DEATHS, ClaimedJob, JobKind, JobState, NewJob, longest_wait

JOB = Type(
    "Job",
    tables.job,
    {
        **columns(tables.job, "kind", "state", "progress", "attempts", "error", "created_at", "finished_at", id="ref"),
    },
)
LONGEST_ERROR = 300
_CLAIMED = ("id", "kind", "subject_id", "payload", "attempts", "fence", "owner_id", "state")
_DIED = "Its worker stopped without a word."


class Backlog(NamedTuple):
    """How it goes with the jobs.

    Attributes:
        due: what could be done now, and is not.
        running: what is under way.
        dead: what was given up.
        oldest_due: when the one became due that waits longest; None where none does.
    """

    due: int
    running: int
    dead: int
    oldest_due: datetime | None


class LeaseLost(Exception):
    """The job is no longer this worker's: whatever it wrote must be rolled back."""


async def enqueue(connection: AsyncConnection, jobs: Sequence[NewJob]) -> None:
    """Write jobs down, in the transaction that needs them done."""
    await connection.execute(insert(tables.job).values([_row(job) for job in jobs]))


async def come_round(connection: AsyncConnection, job: NewJob, wait: timedelta) -> None:
    """Write a job down that comes round, to be done after a while; nothing where one of its kind waits or runs."""
    row = {**_row(job), "run_after": func.now() + literal(wait)}
    await connection.execute(upsert(tables.job).values(row).on_conflict_do_nothing())


async def wake(connection: AsyncConnection, job: NewJob, wait: timedelta) -> None:
    """Let what comes round see what this transaction writes: it is written down, to be done after a while.

    Where one of its kind waits or runs, it is held to the end of the transaction: it is not over before that, and looks
    what there is left to do when it is.
    """
    table = tables.job
    row = {**_row(job), "run_after": func.now() + literal(wait)}
    added = upsert(table).values(row).on_conflict_do_nothing().returning(table.c.id)
    open_ = table.c.state.in_((JobState.READY.value, JobState.RUNNING.value))
    held = select(table.c.id).where(table.c.kind == job.kind.value, table.c.subject_id == table.c.id, open_)
    while (await connection.execute(added)).first() is None:
        if (await connection.execute(held.with_for_update())).first() is not None:
            return


def _row(job: NewJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind.value,
        "subject_id": job.subject,
        "owner_id": job.owner,
        "payload": dict(job.payload),
        "run_after": func.now() if job.run_after is None else job.run_after,
    }


async def claim(connection: AsyncConnection, kinds: Collection[JobKind], most: int) -> list[ClaimedJob]:
    """Take the jobs that are due, the longest waiting first; those that took too many workers along are left dead."""
    job = tables.job
    due = (
        select(job.c.id)
        .where(
            job.c.state.in_((JobState.READY.value, JobState.RUNNING.value)),
            job.c.kind.in_([kind.value for kind in kinds]),
            job.c.run_after <= func.now(),
        )
        .order_by(job.c.run_after, job.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    deaths = case((job.c.state == JobState.RUNNING.value, job.c.deaths + 1), else_=job.c.deaths)
    over = deaths >= MOST_DEATHS
    lease_until = func.now() + literal(LEASE)
    query = (
        update(job)
        .where(job.c.id == due.c.id)
        .values(
            state=case((over, JobState.DEAD.value), else_=JobState.RUNNING.value),
            deaths=deaths,
            attempts=case((over, job.c.attempts), else_=job.c.attempts + 1),
            fence=job.c.fence + 1,
            lease_until=case((over, None), else_=lease_until),
            # Whoever looks for what is due finds a lease that ran out in the same index.
            run_after=lease_until,
            error=case((deaths > job.c.deaths, _told(_DIED)), else_=job.c.error),
            finished_at=case((over, func.now())),
        )
        .returning(*[job.c[name] for name in _CLAIMED])
    )
    rows = (await connection.execute(query)).all()
    return [
        ClaimedJob(row.id, JobKind(row.kind), row.subject_id, row.payload, row.attempts, row.fence, row.owner_id)
        for row in rows
        if row.state == JobState.RUNNING.value
    ]


def _told(error: str) -> Any:
    """The errors so far, and one more: the last ones, a line each."""
    line = error.replace("\n", " ")[:LONGEST_ERROR]
    return func.right(func.concat_ws("\n", tables.job.c.error, line), MOST_ATTEMPTS * (LONGEST_ERROR + 1))


def _mine(job: ClaimedJob) -> Any:
    table = tables.job
    return and_(table.c.id == job.id, table.c.fence == job.fence, table.c.state == JobState.RUNNING.value)


async def backlog(connection: AsyncConnection) -> Backlog:
    """How it goes with all jobs of this house."""
    job = tables.job
    is_due = job.c.run_after <= func.now()
    open_ = select(
        func.count().filter(is_due).label("due"),
        func.count().filter(job.c.state == JobState.RUNNING.value, ~is_due).label("running"),
        func.min(job.c.run_after).filter(is_due).label("oldest_due"),
    ).where(job.c.state.in_((JobState.READY.value, JobState.RUNNING.value)))
    dead = select(func.count()).where(job.c.state == JobState.DEAD.value).scalar_subquery()
    row = (await connection.execute(open_.add_columns(dead.label("dead")))).one()
    return Backlog(row.due, row.running, row.dead, row.oldest_due)


async def renew(connection: AsyncConnection, job: ClaimedJob, progress: int | None = None) -> None:
    """Say that a job is still worked on, and how many percent are done where that is known.

    Raises:
        LeaseLost: another worker has it.
    """
    lease_until = func.now() + literal(LEASE)
    values: dict[str, Any] = {"lease_until": lease_until, "run_after": lease_until}
    if progress is not None:
        values["progress"] = progress
    await _only(connection, update(tables.job).where(_mine(job)).values(values))


async def complete(connection: AsyncConnection, job: ClaimedJob) -> None:
    """Call a job done, first thing in the transaction that writes its effect.

    Raises:
        LeaseLost: another worker has it.
    """
    values = {"state": JobState.DONE.value, "progress": 100, "lease_until": None, "finished_at": func.now()}
    await _only(connection, update(tables.job).where(_mine(job)).values(values))


async def fail(connection: AsyncConnection, job: ClaimedJob, error: str, *, hopeless: bool = False) -> None:
    """Put a job back for later, or among the dead where it was tried often enough or cannot succeed.

    Raises:
        LeaseLost: another worker has it.
    """
    values: dict[str, Any] = {"error": _told(error), "lease_until": None, "progress": None}
    if hopeless or job.attempts >= MOST_ATTEMPTS:
        values |= {"state": JobState.DEAD.value, "finished_at": func.now()}
    else:
        wait = longest_wait(job.attempts) * random.random()  # noqa: S311  # it only spreads retries out
        values |= {"state": JobState.READY.value, "run_after": func.now() + literal(wait)}
    await _only(connection, update(tables.job).where(_mine(job)).values(values))


async def _only(connection: AsyncConnection, query: Any) -> None:
    if (await connection.execute(query.returning(tables.job.c.id))).first() is None:
        raise LeaseLost
