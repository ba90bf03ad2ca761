"""Where a catalogue waits and is checked: temporary tables of one session, seen by nobody else and gone with it.

A staged row has a line, the ids it will get, and a fate: `new`, `changed`, or `same` as what is stored. What only
the other rows and the database can tell of it is checked here; `db.imports` writes what is left.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from db.checks import ARTIST_CHECKS, ASSET_CHECKS, CREDIT_CHECKS, EDGE_CHECKS, ITEM_FATES, KNOWN_LINEAGE
from db.engine import Database
from domain.catalogues import ARTISTS, ASSETS, CREDITS, EDGES, ArtistRow, AssetRow, CreditRow, EdgeRow, File
from domain.cycles import closing_edges
from domain.errors import Unavailable
from domain.imports import ImportDisturbed, ImportRunning, Problem
from domain.search import fold

TABLES = {ARTISTS: "staged_artist", ASSETS: "staged_asset", EDGES: "staged_edge", CREDITS: "staged_credit"}
_IMPORT_LOCK = 0x696D706F  # "impo": one import at a time
_LAST_LINE = 2**31 - 1
_LONGEST_KEY = 300
_LONGEST_LEXEME = 500  # characters: PostgreSQL takes 2,046 bytes
_LONGEST_PATH = 20
# Checks read whole tables and a batch writes thousands of rows: they may take longer than a request may.
_OPEN = """
SET statement_timeout = '10min'; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '5min';
SET default_statistics_target = 10;
CREATE TEMP TABLE staged_artist (
  line int PRIMARY KEY, handle text, name text, kind text, names text[], words text[], id uuid,
  fate text DEFAULT 'new');
CREATE TEMP TABLE staged_asset (
  line int PRIMARY KEY, ref text, kind text, title text, owner text, subkind text, made_on date, bpm numeric,
  sha256 text, family text, license text, stated_as text, terms text, names text[], words text[],
  id uuid, version_id uuid, media_id uuid, policy_id uuid, past_policy_id uuid,
  owner_id uuid, held_policy_id uuid, changes text[], fate text DEFAULT 'new');
CREATE TEMP TABLE staged_edge (
  line int PRIMARY KEY, child text, parent text, kind text, child_start_ms int, child_end_ms int,
  parent_start_ms int, parent_end_ms int, note text, id uuid, child_id uuid, parent_id uuid, held_id uuid,
  child_window int4range GENERATED ALWAYS AS (int4range(child_start_ms, child_end_ms)) STORED,
  fate text DEFAULT 'new');
CREATE TEMP TABLE staged_credit (
  line int PRIMARY KEY, asset text, name text, name_key text, role text, names text[], words text[],
  id uuid, contributor_id uuid, artist_id uuid, asset_id uuid, introduces boolean, fate text DEFAULT 'new');
CREATE TEMP TABLE staged_version (
  line int PRIMARY KEY, release_id uuid, items int, version_id uuid, number int, past_id uuid)"""


class Stated(NamedTuple):
    """What a row says about rights: columns of a policy, the terms by their digest. All None: nothing."""

    family: str | None = None
    license: str | None = None
    stated_as: str | None = None
    terms: str | None = None


class Staging:
    """The staged rows of one import."""

    def __init__(self, raw: asyncpg.Connection, source: str, new_id: Callable[[], UUID]) -> None:
        """Keep the session the tables live in; `seen` is the snapshot in which lineage was last looked at."""
        self.raw, self.source, self.new_id = raw, source, new_id
        self.seen = ""

    async def stage_artists(self, rows: Sequence[ArtistRow]) -> None:
        """Add rows of artists.csv."""
        columns = "line handle name kind names words id"
        records = ((*row, *_found_by(row.name, row.handle), self.new_id()) for row in rows)
        await self._copy(ARTISTS, columns, records)

    async def stage_assets(self, rows: Sequence[tuple[AssetRow, Stated]]) -> None:
        """Add rows of assets.csv, each with what it says about rights."""
        columns = (
            "line ref kind title owner subkind made_on bpm sha256 family license stated_as terms names words"
            " id version_id media_id policy_id"
        )
        await self._copy(ASSETS, columns, (self._asset(row, stated) for row, stated in rows))

    def _asset(self, row: AssetRow, stated: Stated) -> tuple[Any, ...]:
        told = (row.line, row.ref, row.kind, row.title, row.owner, row.subkind, row.made_on, row.bpm)
        wanted = (True, row.kind == "RELEASE", row.media_sha256, stated.terms)
        ids = (self.new_id() if needed else None for needed in wanted)
        return (*told, row.media_sha256, *stated, *_found_by(row.title), *ids)

    async def stage_edges(self, rows: Sequence[EdgeRow]) -> None:
        """Add rows of edges.csv."""
        columns = "line child parent kind child_start_ms child_end_ms parent_start_ms parent_end_ms note id"
        records = ((*row[:4], *row.child_window, *row.parent_window, row.note, self.new_id()) for row in rows)
        await self._copy(EDGES, columns, records)

    async def stage_credits(self, rows: Sequence[CreditRow]) -> None:
        """Add rows of credits.csv; names that fold to the same words are one contributor."""
        columns = "line asset name role name_key names words id contributor_id"
        await self._copy(CREDITS, columns, (self._credit(row) for row in rows))

    def _credit(self, row: CreditRow) -> tuple[Any, ...]:
        names, words = _found_by(row.name)
        key = (names[0] or row.name.casefold())[:_LONGEST_KEY]
        return (*row, key, names, words, self.new_id(), self.new_id())

    async def _copy(self, file: File[Any], columns: str, records: Iterable[tuple[Any, ...]]) -> None:
        await self.raw.copy_records_to_table(TABLES[file], records=list(records), columns=columns.split())

    async def check(self) -> list[Problem]:
        """Take out what cannot be imported and settle the fate of the rest.

        Whoever changes the same things before they are merged is met there by ImportDisturbed.
        """
        problems = []
        for file, checks in (
            (ARTISTS, ARTIST_CHECKS),
            (ASSETS, ASSET_CHECKS),
            (EDGES, (*EDGE_CHECKS, ITEM_FATES)),
            (CREDITS, CREDIT_CHECKS),
        ):
            for statement in (f"ANALYZE {TABLES[file]}", *checks):
                skipped = statement.lstrip().startswith("DELETE")
                found = await self.raw.fetch(statement)
                problems += [Problem(file.name, line, reason, skipped) for line, reason in found]
        problems += await self._refuse_cycles()
        await self._name_past_policies()
        return problems

    async def _refuse_cycles(self) -> list[Problem]:
        self.seen = await self.raw.fetchval("SELECT pg_current_snapshot()::text")
        closing = await self.closing()
        names = await self._refs({node for path in closing.values() for node in path})
        if closing:
            await self.raw.execute("DELETE FROM staged_edge WHERE line = ANY ($1::int[])", list(closing))
            await self.raw.execute(ITEM_FATES)
        return [
            Problem(EDGES.name, line, f"closes a cycle: {_path([names[node] for node in path])}", skipped=True)
            for line, path in closing.items()
        ]

    async def closing(self, first: int = 0, last: int = _LAST_LINE) -> dict[int, list[UUID]]:
        """The lines of new edges that close a cycle with what is stored and staged, and the cycles."""
        new = await self.raw.fetch(
            "SELECT line, child_id, parent_id FROM staged_edge"
            " WHERE fate = 'new' AND line BETWEEN $1 AND $2 ORDER BY line",
            first,
            last,
        )
        known = await self.raw.fetch(KNOWN_LINEAGE, first, last) if new else []
        found = closing_edges([(child, parent) for child, parent in known], [(row[1], row[2]) for row in new])
        return {new[index]["line"]: path for index, path in found.items()}

    async def _refs(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """What the source calls its assets; others by their own reference."""
        rows = await self.raw.fetch(
            """
            SELECT wanted.id, coalesce(row.ref, origin.source_ref, asset.ref)
            FROM unnest($1::uuid[]) AS wanted (id)
            LEFT JOIN staged_asset AS row ON row.id = wanted.id
            LEFT JOIN asset ON asset.id = wanted.id
            LEFT JOIN origin ON origin.asset_id = wanted.id AND origin.source = current_setting('casset.source')""",
            list(ids),
        )
        return dict(map(tuple, rows))

    async def _name_past_policies(self) -> None:
        """A policy that is replaced goes on to say what held until now, in a row that needs an id."""
        lines = await self.raw.fetch(
            "SELECT line FROM staged_asset WHERE held_policy_id IS NOT NULL AND 'policy' = ANY (changes)"
        )
        await self.raw.executemany(
            "UPDATE staged_asset SET past_policy_id = $2 WHERE line = $1",
            [(row["line"], self.new_id()) for row in lines],
        )

    async def fates(self, file: File[Any]) -> dict[str, int]:
        """How many rows of a file are new, changed and the same."""
        rows = await self.raw.fetch(f"SELECT fate, count(*) FROM {TABLES[file]} GROUP BY fate")  # noqa: S608  # a name of ours
        return dict(map(tuple, rows))

    async def asset_fates(self, refs: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
        """The fates of some assets and what changes of them, by ref; a refused one is missing."""
        rows = await self.raw.fetch("SELECT ref, fate, changes FROM staged_asset WHERE ref = ANY ($1::text[])", refs)
        return {row["ref"]: (row["fate"], row["changes"] or []) for row in rows}


def _found_by(*names: str) -> tuple[list[str], list[str]]:
    """The folded names a thing is found by and the words in them, as `db.search` keeps them."""
    folded = [fold(name) for name in names]
    return folded, list(dict.fromkeys(word[:_LONGEST_LEXEME] for name in folded for word in name.split()))


def _path(refs: Sequence[str]) -> str:
    """A cycle from child to parent; the middle of a very long one is left out."""
    cut = len(refs) - _LONGEST_PATH
    shown = [*refs[: _LONGEST_PATH // 2], f"({cut} more)", *refs[-_LONGEST_PATH // 2 :]] if cut > 0 else refs
    return " → ".join(shown)


async def _wait_for_other_imports(raw: asyncpg.Connection) -> None:
    """Become the one import; the session of a killed one ends within the seconds a lock is waited for."""
    try:
        await raw.execute("SELECT pg_advisory_lock($1)", _IMPORT_LOCK)
    except asyncpg.LockNotAvailableError:
        raise ImportRunning("Another import is running. Wait for it to end.") from None


@asynccontextmanager
async def staging(database: Database, source: str, new_id: Callable[[], UUID]) -> AsyncIterator[Staging]:
    """A session with empty staging tables; whatever happens in it is gone with it, but what was merged.

    Raises:
        ImportRunning: another import is on its way.
        ImportDisturbed: somebody else wrote what this import was about to write.
        Unavailable: the database went away; what was merged is kept.
    """
    try:
        async with own_session(database) as raw:
            await _wait_for_other_imports(raw)
            await raw.execute("SELECT set_config('casset.source', $1, false)", source)
            await raw.execute(_OPEN)
            yield Staging(raw, source, new_id)
    except (
        asyncpg.UniqueViolationError,
        asyncpg.ExclusionViolationError,
        asyncpg.LockNotAvailableError,
        asyncpg.DeadlockDetectedError,
    ) as error:
        raise ImportDisturbed(
            "Somebody else wrote to the same things meanwhile. Import again: it goes on from here."
        ) from error
    except Unavailable as error:
        raise Unavailable("The database went away. Import again: it goes on from here.") from error


@asynccontextmanager
async def own_session(database: Database) -> AsyncIterator[Any]:
    """A connection that is not shared: tables, locks and settings are its own, so it does not go back to the pool."""
    async with database.read() as connection:
        try:
            yield (await connection.get_raw_connection()).driver_connection
        finally:
            await connection.invalidate()
