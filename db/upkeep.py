"""How it goes with what is done and kept for the artists somebody holds: jobs, manifests, anchors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, select

from db import tables
from db.access import Action, allowed
from db.integrity import still_fails
from db.places import Inline, Stored
from domain.anchors import OVER, UNDER_WAY, AnchorState
from domain.jobs import JobState

_OPEN = (JobState.READY.value, JobState.RUNNING.value)


def _jobs(measure: Any, *states: str, due: bool = False) -> Any:
    def value(_: Any) -> ColumnElement[Any]:
        job = tables.job.alias()
        query = select(measure(job)).where(job.c.state.in_(states), allowed(tables.job, Action.LIST, job))
        query = query.where(job.c.run_after <= func.now()) if due else query
        return query.correlate_except(job).scalar_subquery()

    return value


def _failing(_: Any) -> ColumnElement[int]:
    check = tables.manifest_check.alias()
    query, among = _theirs(func.count(check.c.manifest_id.distinct()), check, check.c.manifest_id)
    return query.where(still_fails(check)).correlate_except(*among).scalar_subquery()


def _anchors(states: Collection[AnchorState]) -> Any:
    def value(_: Any) -> ColumnElement[int]:
        anchor, batch = tables.anchor.alias(), tables.anchor_batch.alias()
        query, among = _theirs(func.count(), anchor, anchor.c.id)
        state = func.coalesce(batch.c.state, AnchorState.PREPARED.value)
        query = query.outerjoin(batch, batch.c.id == anchor.c.batch_id).where(
            state.in_([each.value for each in states])
        )
        return query.correlate_except(*among, batch).scalar_subquery()

    return value


def _theirs(measure: Any, row: Any, version_id: Any) -> tuple[Any, list[Any]]:
    """A measure over what belongs to versions of releases the viewer may change, and what it is taken from."""
    version, asset = tables.release_version.alias(), tables.asset.alias()
    query = (
        select(measure)
        .join_from(row, version, version.c.id == version_id)
        .join(asset, asset.c.id == version.c.release_id)
        .where(allowed(tables.asset, Action.WRITE, asset))
    )
    return query, [row, version, asset]


UPKEEP = Inline(
    "Upkeep",
    {
        "jobsDue": Stored(_jobs(lambda _: func.count(), *_OPEN, due=True)),
        "oldestDueAt": Stored(_jobs(lambda job: func.min(job.c.run_after), *_OPEN, due=True), nullable=True),
        "jobsDead": Stored(_jobs(lambda _: func.count(), JobState.DEAD.value)),
        "manifestsFailing": Stored(_failing),
        "anchorsWaiting": Stored(_anchors(UNDER_WAY)),
        "anchorsLost": Stored(_anchors(OVER)),
    },
)
