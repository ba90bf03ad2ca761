"""Trusted documents as they are kept: a text under the SHA-256 of its UTF-8 bytes, in lower-case hex."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db import tables
from db.engine import Database

_TABLE = tables.trusted_document


async def document_text(database: Database, sha256: str) -> str | None:
    """The text registered under a hash; None where there is none."""
    async with database.read() as connection:
        return (await connection.execute(select(_TABLE.c.text).where(_TABLE.c.sha256 == sha256))).scalar()


async def documents(database: Database) -> Mapping[str, str]:
    """Every registered text by its hash, the oldest first."""
    async with database.read() as connection:
        rows = await connection.execute(
            select(_TABLE.c.sha256, _TABLE.c.text).order_by(_TABLE.c.created_at, _TABLE.c.sha256)
        )
        return {row.sha256: row.text for row in rows}


async def add_documents(database: Database, texts: Mapping[str, str]) -> frozenset[str]:
    """Register texts by their hashes, all or none; the hashes that are new."""
    if not texts:
        return frozenset()
    rows = [{"sha256": sha256, "text": text} for sha256, text in texts.items()]
    statement = insert(_TABLE).values(rows).on_conflict_do_nothing().returning(_TABLE.c.sha256)
    async with database.write() as connection:
        return frozenset((await connection.execute(statement)).scalars())
