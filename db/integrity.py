"""What checking manifests found and since when, which are checked next, and which nobody has signed yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, and_, cast, exists, func, literal, literal_column, select, update
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.assets import HeldAsset, held_row
from db.manifests import Kept, manifest_of
from domain.jobs import JobKind, JobState
from domain.manifests import CheckKind
from domain.provenance import EventKind
from domain.releases import VersionState

_OUT = (VersionState.PUBLISHED.value, VersionState.SUPERSEDED.value)
_WAITS = (JobState.READY.value, JobState.RUNNING.value)


class Noted(NamedTuple):
    """What the last check of one kind found.

    Attributes:
        passed: all was well.
        found: what was found instead.
        since: when the same was found first, and from then on every time.
    """

    passed: bool
    found: str | None
    since: datetime


async def noted(connection: AsyncConnection, versions: Sequence[UUID]) -> dict[tuple[UUID, CheckKind], Noted]:
    """What was found last of the manifests of some versions, by kind."""
    check, other, same = (tables.manifest_check.alias() for _ in range(3))
    last = (
        select(check)
        .ext(distinct_on(check.c.manifest_id, check.c.kind))
        .where(check.c.manifest_id.in_(versions))
        .order_by(check.c.manifest_id, check.c.kind, check.c.created_at.desc(), check.c.id.desc())
        .subquery("last")
    )

    def alike(row: Any) -> ColumnElement[bool]:
        return and_(row.c.manifest_id == last.c.manifest_id, row.c.kind == last.c.kind)

    differs = (other.c.passed != last.c.passed) | other.c.found.is_distinct_from(last.c.found)
    until = select(func.max(other.c.created_at)).where(alike(other), differs).scalar_subquery()
    since = (
        select(func.min(same.c.created_at))
        .where(alike(same), same.c.created_at > func.coalesce(until, literal_column("'-infinity'::timestamptz")))
        .scalar_subquery()
    )
    rows = await connection.execute(select(*last.c, func.coalesce(since, last.c.created_at).label("since")))
    return {(row.manifest_id, CheckKind(row.kind)): Noted(row.passed, row.found, row.since) for row in rows}


async def out_of(connection: AsyncConnection, releases: Sequence[UUID]) -> dict[UUID, UUID]:
    """The versions of some releases that are out, by release."""
    release = tables.release
    query = select(release.c.id, release.c.current_version_id).where(
        release.c.id.in_(releases), release.c.current_version_id.is_not(None)
    )
    return {row.id: row.current_version_id for row in await connection.execute(query)}


async def published_by(connection: AsyncConnection, versions: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """(id, canonical text) of the events that say of some versions that they were published, by version."""
    version, event = tables.release_version, tables.provenance_event
    named = cast(event.c.body, JSONB)["payload"]["version"].astext
    query = (
        select(version.c.id, event.c.id.label("event"), event.c.body)
        .join_from(version, event, event.c.subject_id == version.c.release_id)
        .where(version.c.id.in_(versions), event.c.kind == EventKind.RELEASE_PUBLISHED.value, named == version.c.ref)
    )
    return {row.id: (row.event, row.body) for row in await connection.execute(query)}


class Due(NamedTuple):
    """A version whose manifest is to be looked at.

    Attributes:
        version: the version.
        owner: whose release it is.
        is_current: no later one took its place.
        is_signed: its manifest has a proof.
    """

    version: UUID
    owner: UUID
    is_current: bool
    is_signed: bool


def _due() -> Any:
    manifest, version, asset = tables.manifest, tables.release_version, tables.asset
    return (
        select(
            manifest.c.id,
            asset.c.owner_id,
            (version.c.state == VersionState.PUBLISHED.value).label("is_current"),
            manifest.c.proof.is_not(None).label("is_signed"),
        )
        .join_from(manifest, version, version.c.id == manifest.c.id)
        .join(asset, asset.c.id == version.c.release_id)
        .where(version.c.state.in_(_OUT))
    )


def _waits(kind: JobKind) -> ColumnElement[bool]:
    """Something is to be done with the manifest already."""
    job = tables.job.alias()
    waiting = job.c.subject_id == tables.manifest.c.id, job.c.kind == kind.value, job.c.state.in_(_WAITS)
    return exists().where(*waiting).correlate_except(job)


def _last_look() -> ColumnElement[Any]:
    check = tables.manifest_check.alias()
    of_it = check.c.manifest_id == tables.manifest.c.id, check.c.kind == CheckKind.REGENERATION.value
    return select(func.max(check.c.created_at, type_=DateTime(timezone=True))).where(*of_it).scalar_subquery()


async def unchecked(connection: AsyncConnection, age: timedelta, most: int) -> list[Due]:
    """Versions whose manifests nobody has made again for so long, the longest forgotten first."""
    last = _last_look()
    forgotten = (last.is_(None)) | (last < func.now() - literal(age))
    query = _due().where(forgotten, ~_waits(JobKind.REGENERATE_MANIFEST)).order_by(last.nulls_first()).limit(most)
    return [Due(*row) for row in await connection.execute(query)]


async def unsigned(connection: AsyncConnection, most: int) -> list[Due]:
    """Versions whose manifests nobody has signed, the oldest first; without those that were found to be forged."""
    check = tables.manifest_check.alias()
    broken = exists().where(
        check.c.manifest_id == tables.manifest.c.id, ~check.c.passed, check.c.kind == CheckKind.REGENERATION.value
    )
    is_open = tables.manifest.c.proof.is_(None), ~broken.correlate_except(check), ~_waits(JobKind.SIGN_MANIFEST)
    query = _due().where(*is_open).order_by(tables.manifest.c.created_at).limit(most)
    return [Due(*row) for row in await connection.execute(query)]


async def hold_unsigned(connection: AsyncConnection, version_id: UUID) -> tuple[HeldAsset, Kept] | None:
    """Lock the release of a version whose manifest nobody has signed, for nobody; None where it is signed."""
    version, asset = tables.release_version, tables.asset
    release = select(version.c.release_id).where(version.c.id == version_id).scalar_subquery()
    row = (await connection.execute(select(asset).where(asset.c.id == release).with_for_update())).first()
    kept = await manifest_of(connection, version_id)
    return None if row is None or kept is None or kept.proof is not None else (held_row(row), kept)


async def sign(connection: AsyncConnection, version_id: UUID, proof: str) -> None:
    """Put the proof beside the manifest of a version whose release is held."""
    manifest = tables.manifest
    await connection.execute(update(manifest).where(manifest.c.id == version_id).values(proof=proof))


def still_fails(check: Any) -> ColumnElement[bool]:
    """A check found something wrong, and none after it found all well. That works are others by now is no failure."""
    later = tables.manifest_check.alias()
    passed_since = exists().where(
        later.c.manifest_id == check.c.manifest_id,
        later.c.kind == check.c.kind,
        later.c.passed,
        later.c.created_at > check.c.created_at,
    )
    return and_(~check.c.passed, check.c.kind != CheckKind.SNAPSHOT.value, ~passed_since.correlate_except(later))


async def failing(connection: AsyncConnection) -> Mapping[CheckKind, int]:
    """How many manifests failed their last check, by kind."""
    check = tables.manifest_check.alias()
    many = func.count(check.c.manifest_id.distinct()).label("many")
    query = select(check.c.kind, many).where(still_fails(check)).group_by(check.c.kind)
    return {CheckKind(row.kind): row.many for row in await connection.execute(query)}
