"""What an import writes: staged rows become stored ones, in batches of one transaction each.

A batch that meets what the check did not see (a claim, a cycle) is not written, and ends the import; what earlier
batches wrote stays, and the next import of the source goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db import merging
from db.catalogues import Staging
from db.registration import LINEAGE_LOCK
from domain.assets import asset_ref
from domain.canonical import canonical, digest
from domain.ids import Kind, Ref
from domain.imports import ImportDisturbed
from domain.provenance import Event, EventKind, chain
from domain.rights import Term

BATCH = 2000  # rows: some tenths of a second under locks

Subject = Any  # a row of one of the SUBJECTS statements
Told = tuple[EventKind, dict[str, Any]]
Heads = Mapping[UUID, tuple[int, str]]
_EVENT = ["id", "subject_id", "sequence", "kind", "at", "body", "prev", "hash"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some staged rows of a step: those between two lines, both included, that are not stored yet."""

    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Step:
    """How the rows of one kind are written.

    Attributes:
        waiting: the lines of the staged rows to write, and how many rows each stands for.
        hold: locks the owners of a batch and answers whether one of them is claimed.
        write: the statements of a batch.
        events: whose provenance a batch adds to (asked before it is written), and what it tells of each.
    """

    waiting: str
    hold: str
    write: Sequence[str]
    events: tuple[str, Callable[[Subject], Told]] | None = None


def _told_of_asset(row: Subject) -> Told:
    if row["changes"] is None:
        told = {"owner": str(Ref(Kind.ARTIST, row["owner_id"])), "media": row["sha256"], "terms": row["terms"]}
        return EventKind.ASSET_CREATED, {name: value for name, value in told.items() if value is not None}
    now = {"title": row["title"], "madeOn": row["made_on"], "bpm": row["bpm"], "subkind": row["subkind"]}
    now |= {"media": row["sha256"], "policy": row["terms"]}
    said = {name: None if now[name] is None else str(now[name]) for name in row["changes"]}
    payload = {"changed": sorted(said), "digest": digest(canonical(said)), "version": row["version"]}
    return EventKind.ASSET_UPDATED, payload


def _told_of_credits(row: Subject) -> Told:
    return EventKind.CONTRIBUTORS_UPDATED, {"credits": [str(Ref(Kind.CREDIT, id_)) for id_ in row["ids"]]}


def _told_of_edges(row: Subject) -> Told:
    return EventKind.LINEAGE_CHANGED, {"edges": [str(Ref(Kind.EDGE, id_)) for id_ in row["ids"]]}


def _told_of_items(row: Subject) -> Told:
    kind = EventKind.LINEAGE_CHANGED if row["filled"] else EventKind.VERSION_CREATED
    return kind, {"version": str(Ref(Kind.VERSION, row["version_id"])), "items": digest(canonical(row["items"]))}


def _waiting(table: str, *, rows: str = "1", when: str = "fate <> 'same'") -> str:
    return f"SELECT line, {rows} AS rows FROM {table} WHERE {when}"  # noqa: S608  # names of ours


_STEPS = {
    "artists": _Step(_waiting("staged_artist"), merging.HOLD_ARTISTS, merging.WRITE_ARTISTS),
    "assets": _Step(
        _waiting("staged_asset"),
        merging.HOLD_ASSETS,
        merging.WRITE_ASSETS,
        (merging.SUBJECTS_ASSETS, _told_of_asset),
    ),
    "credits": _Step(
        _waiting("staged_credit"),
        merging.HOLD_CREDITS,
        merging.WRITE_CREDITS,
        (merging.SUBJECTS_CREDITS, _told_of_credits),
    ),
    "edges": _Step(
        _waiting("staged_edge", when="fate <> 'same' AND kind <> 'CONTAINS'"),
        merging.HOLD_EDGES,
        merging.WRITE_EDGES,
        (merging.SUBJECTS_EDGES, _told_of_edges),
    ),
    "items": _Step(
        _waiting("staged_version", rows="items", when="true"),
        merging.HOLD_ITEMS,
        merging.WRITE_ITEMS,
        (merging.SUBJECTS_ITEMS, _told_of_items),
    ),
}
STEPS = tuple(_STEPS)
"""What is written, in this order."""
_LINEAGE = {"edges", "items"}


class Merge:
    """The writing half of one import."""

    def __init__(self, stage: Staging, now: Callable[[], datetime]) -> None:
        """Take over what was staged and checked."""
        self._stage = stage
        self._raw = stage.raw
        self._now = now
        self._seen = stage.seen
        self._own: list[str] = []
        self._others_wrote = False

    async def add_terms(self, sets: Mapping[str, Sequence[Term]]) -> None:
        """Store the sets of terms, by digest, that are not there yet."""
        async with self._transaction():
            added = await self._raw.fetch(
                """
                INSERT INTO term_set (id, digest) SELECT * FROM unnest($1::uuid[], $2::text[])
                ON CONFLICT (digest) DO NOTHING RETURNING id, digest""",
                [self._stage.new_id() for _ in sets],
                list(sets),
            )
            terms = [
                (self._stage.new_id(), row["id"], position, *term)
                for row in added
                for position, term in enumerate(sets[row["digest"]], 1)
            ]
            columns = ["id", "term_set_id", "position", *Term._fields]
            await self._raw.copy_records_to_table("term", records=terms, columns=columns)

    async def batches(self, step: str) -> list[Batch]:
        """The batches of a step, in order; the steps before it must have been written."""
        if step == "items":
            await self._plan_versions()
        rows = await self._raw.fetch(
            f"""
            SELECT min(line), max(line), sum(rows)::int
            FROM (SELECT line, rows, (sum(rows) OVER (ORDER BY line) - 1) / {BATCH} AS batch
                  FROM ({_STEPS[step].waiting}) AS waiting) AS numbered
            GROUP BY batch ORDER BY batch"""  # noqa: S608  # names of ours
        )
        return [Batch(*row) for row in rows]

    async def _plan_versions(self) -> None:
        """An empty version, as a release gets it with its row, is filled; one with other items is followed."""
        await self._raw.execute("CREATE INDEX ON staged_edge (child_id) WHERE kind = 'CONTAINS'")
        columns = ["line", "release_id", "items", "version_id", "number", "past_id"]
        plan = []
        for line, release_id, items, version_id, number, filled in await self._raw.fetch(merging.LISTED_RELEASES):
            next_ = (self._stage.new_id(), number + 1, version_id) if filled else (version_id, number, None)
            plan.append((line, release_id, items, *next_))
        await self._raw.copy_records_to_table("staged_version", records=plan, columns=columns)

    async def write(self, step: str, batch: Batch) -> None:
        """Write a batch: its rows, the change log, the search index and provenance, in one transaction.

        Raises:
            ImportDisturbed: an artist was claimed since the check, or an edge would now close a cycle.
        """
        recipe = _STEPS[step]
        async with self._transaction():
            if step in _LINEAGE:
                await self._hold_lineage()
                # The rows of a release may lie anywhere in the file.
                lines = () if step == "items" else (batch.first, batch.last)
                if self._others_wrote and await self._stage.closing(*lines):
                    raise ImportDisturbed("An edge of this catalogue would now close a cycle. Import again.")
            if await self._raw.fetchval(recipe.hold, batch.first, batch.last):
                raise ImportDisturbed("An artist of this catalogue was just claimed. Import again.")
            if recipe.events is None:
                await self._store(recipe, batch)
            else:
                await self._store_and_tell(recipe, batch, *recipe.events)

    async def _store_and_tell(
        self, recipe: _Step, batch: Batch, subjects: str, told: Callable[[Subject], Told]
    ) -> None:
        rows = await self._raw.fetch(subjects, batch.first, batch.last)
        heads = await self._heads([row["id"] for row in rows if row["has_past"]])
        # Chaining costs about as much as storing: it is done meanwhile.
        chained = asyncio.to_thread(self._chained, rows, told, heads)
        records, _ = await asyncio.gather(chained, self._store(recipe, batch))
        await self._raw.copy_records_to_table("provenance_event", records=records, columns=_EVENT)

    async def _store(self, recipe: _Step, batch: Batch) -> None:
        for statement in recipe.write:
            await self._raw.execute(statement, batch.first, batch.last)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self._raw.transaction():
            # The first batches meet empty tables. What was planned for those reads the grown ones as a whole.
            await self._raw.execute("DISCARD PLANS")
            yield
            self._own.append(await self._raw.fetchval("SELECT pg_current_xact_id()::text"))

    async def _hold_lineage(self) -> None:
        """Keep other writers of lineage away until commit, and learn whether any wrote since the check.

        Every write is in the change log, and a writer of lineage held the lock until it had committed: who is not
        in the log by now has not written.
        """
        await self._raw.execute("SELECT pg_advisory_xact_lock($1)", LINEAGE_LOCK)
        if self._others_wrote:
            return
        self._others_wrote = await self._raw.fetchval(
            """
            SELECT EXISTS (
              SELECT FROM change WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot)
                AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot) AND xid <> ALL ($2::text[]::xid8[]))""",
            self._seen,
            self._own,
        )
        self._seen = await self._raw.fetchval("SELECT pg_current_snapshot()::text")

    async def _heads(self, subjects: Sequence[UUID]) -> Heads:
        """The last link of each chain: its sequence and hash."""
        rows = await self._raw.fetch(
            """
            SELECT subject.id, head.sequence, head.hash FROM unnest($1::uuid[]) AS subject (id), LATERAL (
              SELECT sequence, hash FROM provenance_event WHERE subject_id = subject.id
              ORDER BY sequence DESC LIMIT 1) AS head""",
            subjects,
        )
        return {row["id"]: (row["sequence"], row["hash"]) for row in rows}

    def _chained(self, rows: Sequence[Subject], told: Callable[[Subject], Told], heads: Heads) -> list[tuple[Any, ...]]:
        """One event for each subject, at the end of its chain."""
        records = []
        for row in rows:
            kind, payload = told(row)
            subject = asset_ref(row["kind"], row["id"])
            event = Event(self._stage.new_id(), subject, kind, self._now(), None, payload)
            link = chain(event, heads.get(subject.id))
            records.append((event.id, subject.id, link.sequence, kind, event.at, link.body, link.prev, link.hash))
        return records
