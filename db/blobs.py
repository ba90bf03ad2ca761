"""What is known of stored bytes: which of them something names, and which have been named by nothing for a while.

Bytes are stored before the row that names them is written. So whoever is about to name some *holds* them first, until
the end of the transaction, and looks whether they are still there; whoever removes some holds them alone, and looks
whether they are still named by nothing. Of the two, the later one sees what the earlier one did.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ARRAY, Text, any_, case, func, literal, not_, select, union, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables

_HOLDING = 0x626C6F62  # "blob"
# Every column that ends so names stored bytes, but for those below.
_NAMES = "sha256"
_NO_NAMES = {"trusted_document.sha256", "media_content.pcm_sha256", "orphan_blob.sha256", "staged_upload.sha256"}
"""Of texts; of decoded samples; of what is named by nothing; of what may never come."""
NAMING = tuple(
    column
    for table in tables.metadata.sorted_tables
    for column in table.columns
    if column.name.endswith(_NAMES) and str(column) not in _NO_NAMES
)
"""The columns that name stored bytes."""


async def hold_bytes(connection: AsyncConnection, sha256: str) -> None:
    """Keep stored bytes from being removed until commit; then look whether they are there."""
    await connection.execute(select(func.pg_advisory_xact_lock_shared(_HOLDING, _place(sha256))))


async def hold_bytes_alone(connection: AsyncConnection, sha256: str) -> None:
    """Keep everybody from naming stored bytes until commit; then look whether something does."""
    await connection.execute(select(func.pg_advisory_xact_lock(_HOLDING, _place(sha256))))


def _place(sha256: str) -> int:
    return int.from_bytes(bytes.fromhex(sha256[:8]), "big", signed=True)


async def named(connection: AsyncConnection, names: Collection[str]) -> set[str]:
    """Which of some stored bytes something names."""
    wanted = literal(list(names), ARRAY(Text))
    found = union(*[select(column.label("name")).where(column == any_(wanted)) for column in NAMING])
    return set((await connection.execute(found)).scalars())


class Orphan(NamedTuple):
    """Stored bytes that nothing names, and since when that is known."""

    sha256: str
    byte_size: int
    found_at: datetime


async def note_orphans(connection: AsyncConnection, sizes: Mapping[str, int]) -> None:
    """Remember all that nothing names, sizes by SHA-256; what was noted before and is no orphan now is settled."""
    table = tables.orphan_blob
    others = not_(table.c.sha256 == any_(literal(list(sizes), ARRAY(Text))))
    settled = update(table).where(table.c.settled_at.is_(None), others)
    await connection.execute(settled.values(settled_at=func.now()))
    if sizes:
        rows = [{"sha256": sha256, "byte_size": size} for sha256, size in sizes.items()]
        query = upsert(table)
        again = {
            "byte_size": query.excluded.byte_size,
            "found_at": case((table.c.settled_at.is_(None), table.c.found_at), else_=func.now()),
            "settled_at": None,
            "removed": False,
        }
        await connection.execute(query.on_conflict_do_update(index_elements=["sha256"], set_=again), rows)


async def orphans(connection: AsyncConnection, grace: timedelta = timedelta(0)) -> Sequence[Orphan]:
    """What has been known to be named by nothing for so long, the longest first."""
    table = tables.orphan_blob
    query = (
        select(table.c.sha256, table.c.byte_size, table.c.found_at)
        .where(table.c.settled_at.is_(None), table.c.found_at <= func.now() - literal(grace))
        .order_by(table.c.found_at, table.c.sha256)
    )
    return [Orphan(*row) for row in await connection.execute(query)]


async def settle_orphan(connection: AsyncConnection, sha256: str, *, removed: bool) -> None:
    """An orphan is one no more."""
    table = tables.orphan_blob
    query = update(table).where(table.c.sha256 == sha256, table.c.settled_at.is_(None))
    await connection.execute(query.values(settled_at=func.now(), removed=removed))
