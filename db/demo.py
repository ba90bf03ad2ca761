"""What the demo scene needs of the database: to know that there is room for it, and to write its rows as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.assets import HeldAsset, held_row

_LOADING = 0x64656D6F


async def has_artists(connection: AsyncConnection) -> bool:
    """Whether any artist is there."""
    return (await connection.execute(select(tables.artist.c.id).limit(1))).first() is not None


async def hold_handles(connection: AsyncConnection, handles: Sequence[str]) -> bool:
    """Whether all the handles are free, as artists and as accounts; nobody else asks before this transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(_LOADING)))
    for table in (tables.artist, tables.account):
        taken = select(table.c.id).where(table.c.handle.in_(handles)).limit(1)
        if (await connection.execute(taken)).first() is not None:
            return False
    return True


async def term_sets_held(connection: AsyncConnection) -> dict[str, UUID]:
    """The sets of terms that are there, by digest."""
    table = tables.term_set
    return {row.digest: row.id for row in await connection.execute(select(table.c.digest, table.c.id))}


async def add_rows(
    connection: AsyncConnection, rows: Mapping[str, Sequence[Mapping[str, Any]]], written: Callable[[int], None]
) -> None:
    """Write rows by table, referenced tables first; rows of one table name the same columns.

    A moment in a range column stands for the time from then on.

    Args:
        connection: a transaction.
        rows: table names and rows.
        written: told after each table how many rows it got.
    """
    for table in tables.metadata.sorted_tables:
        given = rows.get(table.name)
        if not given:
            continue
        ranges = {column.name for column in table.columns if isinstance(column.type, TSTZRANGE)}
        values = [{name: _since(value) if name in ranges else value for name, value in row.items()} for row in given]
        await connection.execute(insert(table), values)
        written(len(values))


def _since(moment: datetime) -> Range[datetime]:
    return Range(moment, None)


async def hold_work(connection: AsyncConnection, asset_id: UUID) -> HeldAsset | None:
    """Lock a work of the scene, for a job, which sees everything; None where there is none."""
    asset = tables.asset
    row = (await connection.execute(select(asset).where(asset.c.id == asset_id).with_for_update())).first()
    return None if row is None else held_row(row)
