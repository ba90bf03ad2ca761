"""Where uploads are that go to the store by themselves, until they are media."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import exists, func, insert, literal, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from domain.assets import MediaRole, asset_ref
from domain.ids import Kind, Ref
from domain.jobs import JobKind, JobState


class Staged(NamedTuple):
    """An upload on its way.

    Attributes:
        id: of the media it will be.
        of: the asset or artist it is for.
        account: who sends it.
        role: what it shall be.
        sha256: what its sender says of it.
        byte_size: the same.
        expires_at: until when it may be finished.
        finished_at: when it was; None before.
        cleared_at: when what was sent was taken away; None before.
    """

    id: UUID
    of: Ref
    account: UUID
    role: MediaRole
    sha256: str
    byte_size: int
    expires_at: datetime
    finished_at: datetime | None
    cleared_at: datetime | None


async def add_staged(connection: AsyncConnection, values: Mapping[str, Any], of: Ref, lasts: timedelta) -> datetime:
    """Begin an upload; when it must be finished."""
    column = "artist_id" if of.kind is Kind.ARTIST else "asset_id"
    row = {**values, column: of.id, "expires_at": func.now() + literal(lasts)}
    table = tables.staged_upload
    return (await connection.execute(insert(table).values(row).returning(table.c.expires_at))).scalar_one()


async def hold_staging(connection: AsyncConnection, account: UUID) -> int:
    """How many uploads of an account are on their way; nobody begins another one for it before commit."""
    held = tables.account
    await connection.execute(select(held.c.id).where(held.c.id == account).with_for_update(key_share=True))
    table = tables.staged_upload
    query = select(func.count()).where(
        table.c.account_id == account,
        table.c.cleared_at.is_(None),
        table.c.finished_at.is_(None),
        table.c.expires_at > func.now(),
    )
    return (await connection.execute(query)).scalar_one()


async def hold_staged(connection: AsyncConnection, id_: UUID) -> Staged | None:
    """Lock an upload on its way; None where there is none, or its time is over."""
    table = tables.staged_upload
    query = _query().where(table.c.id == id_, table.c.expires_at > func.now()).with_for_update(of=table)
    return _read((await connection.execute(query)).first())


async def staged_upload(connection: AsyncConnection, id_: UUID) -> Staged | None:
    """An upload on its way; asked by a job, which sees everything."""
    return _read((await connection.execute(_query().where(tables.staged_upload.c.id == id_))).first())


def _query() -> Any:
    table, asset = tables.staged_upload, tables.asset
    return select(table, asset.c.kind.label("asset_kind")).join_from(
        table, asset, asset.c.id == table.c.asset_id, isouter=True
    )


def _read(row: Any) -> Staged | None:
    if row is None:
        return None
    of = Ref(Kind.ARTIST, row.artist_id) if row.asset_id is None else asset_ref(row.asset_kind, row.asset_id)
    said = (row.sha256, row.byte_size, row.expires_at, row.finished_at, row.cleared_at)
    return Staged(row.id, of, row.account_id, MediaRole(row.role), *said)


async def finish_staged(connection: AsyncConnection, id_: UUID) -> None:
    """All of a held upload was sent."""
    table = tables.staged_upload
    await connection.execute(update(table).where(table.c.id == id_).values(finished_at=func.now()))


async def taking(connection: AsyncConnection, id_: UUID) -> Ref | None:
    """The job that takes an upload, or has taken it."""
    job = tables.job
    query = select(job.c.id).where(job.c.subject_id == id_, job.c.kind == JobKind.TAKE_UPLOAD.value)
    found = (await connection.execute(query)).scalar()
    return None if found is None else Ref(Kind.JOB, found)


async def overdue(connection: AsyncConnection, most: int) -> Sequence[UUID]:
    """Uploads of which nothing is needed any more: taken or refused, or never finished in their time."""
    table, job = tables.staged_upload, tables.job
    waits = (
        exists()
        .where(job.c.subject_id == table.c.id, job.c.state.in_((JobState.READY.value, JobState.RUNNING.value)))
        .correlate(table)
    )
    is_over = (table.c.finished_at.is_not(None)) | (table.c.expires_at <= func.now())
    query = (
        select(table.c.id).where(table.c.cleared_at.is_(None), is_over, not_(waits)).order_by(table.c.id).limit(most)
    )
    return list((await connection.execute(query)).scalars())


async def note_cleared(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """What was sent is taken away."""
    table = tables.staged_upload
    await connection.execute(update(table).where(table.c.id.in_(ids)).values(cleared_at=func.now()))
