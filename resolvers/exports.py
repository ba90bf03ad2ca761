"""The export of a catalogue: what is public is written in the format that an import reads."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TextIO
from uuid import UUID

from db.engine import Database
from db.exports import Reading, reading
from domain.catalogues import ARTISTS, ASSETS, CREDITS, EDGES, POLICIES, File
from domain.exports import told_rights
from domain.search import fold
from resolvers.catalogues import Progress

CreateFile = Callable[[str], AbstractContextManager[TextIO]]
"""Creates a file of the folder."""
Row = tuple[Any, ...]


@dataclass(slots=True)
class Exported:
    """What an export has written.

    Attributes:
        counts: rows by file.
        left_out: what is told of no row, and how often.
    """

    counts: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


async def export_catalogue(database: Database, create: CreateFile, artist: UUID | None, progress: Progress) -> Exported:
    """Write a catalogue folder, file by file, on one state of the database.

    Args:
        database: where from.
        create: the folder.
        artist: whose works; everybody's where that is None.
        progress: is told of every thousand rows.

    Raises:
        Unavailable: the database went away.
    """
    exported = Exported()
    async with reading(database, artist) as catalogue:
        exported.left_out = await catalogue.left_out()
        written = _Writing(catalogue, create, progress, exported)
        await written.file(ARTISTS, _plainly)
        await written.assets()
        await written.file(EDGES, _plainly)
        await written.file(CREDITS, _once)
    return exported


class _Writing:
    """A catalogue being written."""

    def __init__(self, catalogue: Reading, create: CreateFile, progress: Progress, exported: Exported) -> None:
        self._catalogue = catalogue
        self._create = create
        self._progress = progress
        self._exported = exported

    async def file(self, file: File[Any], rows: Callable[[AsyncIterator[Any]], AsyncIterator[Row]]) -> None:
        """Write a file whose rows are those of its statement."""
        with self._create(file.name) as into:
            table = _table(into, file)
            async for row in rows(self._read(file.name)):
                table.writerow(row)
                self._count(file)

    async def assets(self) -> None:
        """Write assets.csv, and policies.csv beside it."""
        with self._create(ASSETS.name) as into, self._create(POLICIES.name) as beside:
            assets, policies = _table(into, ASSETS), _table(beside, POLICIES)
            self._exported.counts |= {ASSETS.name: 0, POLICIES.name: 0}
            async for row in self._read(ASSETS.name):
                told = told_rights(self._catalogue.spoken(row))
                bpm = None if row["bpm"] is None else f"{row['bpm'].normalize():f}"
                assets.writerow([*list(row)[:6], told.license, row["sha256"], bpm])
                self._count(ASSETS)
                for use, decision in told.decisions.items():
                    policies.writerow([row["ref"], use.value, decision.value])
                    self._count(POLICIES)
                if not told.whole:
                    self._narrowed()

    async def _read(self, name: str) -> AsyncIterator[Any]:
        total, done = await self._catalogue.count(name), 0
        self._exported.counts.setdefault(name, 0)
        self._progress(name, done, total)
        async for row in self._catalogue.rows(name):
            yield row
            done += 1
            if done % _STEP == 0 or done == total:
                self._progress(name, done, total)

    def _count(self, file: File[Any]) -> None:
        self._exported.counts[file.name] += 1

    def _narrowed(self) -> None:
        left_out = self._exported.left_out
        left_out[_CONDITIONS] = left_out.get(_CONDITIONS, 0) + 1


_STEP = 1000
_CONDITIONS = "conditions of policies, written more closed than they are"


def _table(into: TextIO, file: File[Any]) -> Any:
    table = csv.writer(into, lineterminator="\n")
    table.writerow([*file.required, *file.optional])
    return table


async def _plainly(rows: AsyncIterator[Any]) -> AsyncIterator[Row]:
    async for row in rows:
        yield tuple(row)


async def _once(rows: AsyncIterator[Any]) -> AsyncIterator[Row]:
    """Credits, of which a catalogue tells a name in a role once for each asset, whatever was played."""
    asset, seen = None, set[tuple[str, str]]()
    async for row in rows:
        if row["asset"] != asset:
            asset, seen = row["asset"], set()
        key = fold(row["name"]) or row["name"].casefold(), row["role"]
        if key not in seen:
            seen.add(key)
            yield tuple(row)
