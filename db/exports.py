"""What is read to write a catalogue: the public assets of the house or of one artist, on one state of it.

An asset goes by the ref of the catalogue it came from, where that is one and nothing else goes by it; by its own
reference otherwise. Everything comes in an order that says nothing of this database: two houses with the same content
write the same files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select

from db import tables
from db.catalogues import own_session
from db.engine import Database
from db.facts import term_of
from domain.exports import Spoken
from domain.rights import Term

_PAGE = 1000
_OPEN = "SET statement_timeout = '10min'; SET idle_in_transaction_session_timeout = '10min'"
_NAME = """
    CREATE TEMP TABLE exported ON COMMIT DROP AS
    WITH wanted AS (
      SELECT asset.id, asset.ref, CASE WHEN count(*) = 1 THEN min(origin.source_ref) END AS known
      FROM asset LEFT JOIN origin ON origin.asset_id = asset.id AND origin.source NOT LIKE '%/%'
      WHERE state = 'PUBLIC' AND (owner_id = $1 OR $1 IS NULL) GROUP BY asset.id
    ), counted AS (
      SELECT id, ref, known, count(*) OVER (PARTITION BY known) AS times FROM wanted
    )
    SELECT counted.id,
           CASE WHEN known IS NOT NULL AND times = 1 AND other.id IS NULL THEN known ELSE counted.ref END AS ref
    FROM counted LEFT JOIN asset AS other ON other.ref = known"""
_INDEX = "ALTER TABLE exported ADD PRIMARY KEY (id); ANALYZE exported"
_ARTISTS = """
    SELECT handle, name, kind FROM artist WHERE id = $1 OR $1 IS NULL ORDER BY handle COLLATE "C" """
_ASSETS = """
    SELECT exported.ref, asset.kind, asset.title, artist.handle AS owner, sample.subkind, asset.made_on,
           coalesce(track.bpm, sample.bpm) AS bpm, master.sha256, spoken.policies
    FROM exported JOIN asset USING (id) JOIN artist ON artist.id = asset.owner_id
    LEFT JOIN track ON track.id = asset.id LEFT JOIN sample ON sample.id = asset.id
    LEFT JOIN release ON release.id = asset.id
    LEFT JOIN LATERAL (
      SELECT sha256 FROM media WHERE asset_id = asset.id AND role = 'MASTER' ORDER BY created_at DESC, id DESC LIMIT 1
    ) AS master ON true
    LEFT JOIN LATERAL (
      SELECT array_agg((family, license, stated_as, term_set_id) ORDER BY rank) AS policies
      FROM (SELECT license_family AS family, license, stated_as, term_set_id,
                   array_position(ARRAY[release.current_version_id, asset.id, artist.id], subject_id) AS rank
            FROM policy
            WHERE subject_id IN (release.current_version_id, asset.id, artist.id)
              AND level IN ('VERSION', 'ASSET', 'ARTIST') AND upper_inf(known) AND valid @> now()) AS speaking
    ) AS spoken ON true
    ORDER BY exported.ref COLLATE "C" """
# What an import would confirm: edges that bind, and those that all agree on.
_STANDING = "upper_inf(known) AND valid @> now() AND status <> 'REJECTED' AND (binding OR status = 'CONFIRMED')"
_EDGES = f"""
    SELECT child, parent, kind, child_start_ms, child_end_ms, parent_start_ms, parent_end_ms, note
    FROM (
      SELECT child.ref AS child, parent.ref AS parent, kind, child_start_ms, child_end_ms, parent_start_ms,
             parent_end_ms, note, 0 AS position
      FROM lineage_edge JOIN exported AS child ON child.id = child_id JOIN exported AS parent ON parent.id = parent_id
      WHERE {_STANDING}
      UNION ALL
      SELECT whole.ref, part.ref, 'CONTAINS', NULL, NULL, NULL, NULL, NULL, item.position
      FROM release JOIN exported AS whole USING (id)
      JOIN release_item AS item ON item.version_id = release.current_version_id
      JOIN exported AS part ON part.id = item.asset_id
    ) AS edge
    ORDER BY child COLLATE "C", position, parent COLLATE "C", kind, child_start_ms, child_end_ms"""  # noqa: S608  # a clause of ours
_CREDITS = """
    SELECT exported.ref AS asset, contributor.name, credit.role
    FROM credit JOIN exported ON exported.id = credit.asset_id
    JOIN contributor ON contributor.id = credit.contributor_id
    WHERE credit.ended_at IS NULL AND credit.acceptance <> 'DECLINED'
    ORDER BY exported.ref COLLATE "C", credit.position, contributor.name COLLATE "C", credit.role"""
STATEMENTS = {"artists.csv": _ARTISTS, "assets.csv": _ASSETS, "edges.csv": _EDGES, "credits.csv": _CREDITS}
"""What each file is written from."""
_LEFT_OUT = {
    "assets that are not public": """
      SELECT count(*) FROM asset WHERE state <> 'PUBLIC' AND (owner_id = $1 OR $1 IS NULL)""",
    "edges to what is not here": f"""
      SELECT count(*) FROM lineage_edge
      WHERE {_STANDING}
        AND (child_id IN (SELECT id FROM exported)) <> (parent_id IN (SELECT id FROM exported))""",  # noqa: S608  # a clause of ours
    "items of releases that are not here": """
      SELECT count(*) FROM release JOIN exported USING (id)
      JOIN release_item AS item ON item.version_id = release.current_version_id
      WHERE item.asset_id NOT IN (SELECT id FROM exported)""",
}
_TERMS = f"SELECT term_set_id, {', '.join(Term._fields)} FROM term ORDER BY term_set_id, position"  # noqa: S608  # names of ours


class Reading:
    """A catalogue being read."""

    def __init__(self, raw: asyncpg.Connection, artist: UUID | None, terms: dict[UUID, tuple[Term, ...]]) -> None:
        """Read over a session on one state of the database."""
        self._raw = raw
        self._artist = artist
        self._terms = terms

    async def count(self, name: str) -> int:
        """How many rows a file will have."""
        sql = f"SELECT count(*) FROM ({STATEMENTS[name]}) AS counted"  # noqa: S608  # a statement of ours
        return await self._raw.fetchval(sql, *self._given(sql))

    async def rows(self, name: str) -> AsyncIterator[asyncpg.Record]:
        """The rows of a file, in order, a page at a time."""
        async for row in self._raw.cursor(STATEMENTS[name], *self._given(STATEMENTS[name]), prefetch=_PAGE):
            yield row

    def spoken(self, row: asyncpg.Record) -> list[Spoken]:
        """The policies that speak for an asset, the most specific first."""
        return [
            Spoken(family, license_, stated_as, self._terms.get(terms, ()))
            for family, license_, stated_as, terms in row["policies"] or ()
        ]

    async def left_out(self) -> dict[str, int]:
        """What the files do not tell, and how often."""
        counts = {what: await self._raw.fetchval(sql, *self._given(sql)) for what, sql in _LEFT_OUT.items()}
        return {what: count for what, count in counts.items() if count}

    def _given(self, sql: str) -> tuple[Any, ...]:
        return (self._artist,) if "$1" in sql else ()


@asynccontextmanager
async def reading(database: Database, artist: UUID | None) -> AsyncIterator[Reading]:
    """Read what is public of an artist, or of everybody, as it is now.

    Raises:
        Unavailable: the database went away.
    """
    async with own_session(database) as raw:
        await raw.execute(_OPEN)
        async with raw.transaction(isolation="repeatable_read"):
            await raw.execute(_NAME.replace("$1", "NULL::uuid" if artist is None else f"'{artist}'::uuid"))
            await raw.execute(_INDEX)
            yield Reading(raw, artist, await _terms(raw))


async def _terms(raw: asyncpg.Connection) -> dict[UUID, tuple[Term, ...]]:
    """All sets of terms: many assets share each."""
    found: dict[UUID, tuple[Term, ...]] = {}
    for row in await raw.fetch(_TERMS):
        found[row["term_set_id"]] = (*found.get(row["term_set_id"], ()), term_of(SimpleNamespace(**row)))
    return found


async def artist_named(database: Database, handle: str) -> UUID | None:
    """The artist with that handle; None where there is none."""
    artist = tables.artist
    async with database.read() as connection:
        return (await connection.execute(select(artist.c.id).where(artist.c.handle == handle))).scalar()
