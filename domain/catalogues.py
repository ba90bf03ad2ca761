"""Catalogues: folders of CSV files that others hand over, read and checked row by row.

Here live the format and what makes a single row usable. What a row must find beside it (its owner, the ends of
an edge, no other row of the same name) only the database knows, and it is checked there.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import zip_longest
from typing import Generic, NamedTuple, TypeVar

from domain.artists import ArtistKind
from domain.assets import LONGEST_TITLE, AssetKind, SampleSubkind
from domain.cells import (
    LONGEST_NAME,
    WHOLE,
    Cells,
    Drop,
    RowUnusable,
    Window,
    needed_handle,
    needed_ref,
    needed_word,
    one_of,
    read_bpm,
    read_day,
    read_sha256,
    read_stated_license,
    read_subkind,
    read_text,
    read_window,
    shown,
    squeezed,
    storable,
)
from domain.contributors import CreditRole
from domain.errors import BadInput
from domain.imports import Count, Problem, Report
from domain.lineage import EdgeKind
from domain.rights import Decision, License, Use

LONGEST_SOURCE = 100
LONGEST_NOTE = 2000
CONTAINS = "CONTAINS"
"""The edge from a release to an item of it: becomes the items of a version, never a stored edge."""

Row = TypeVar("Row")


class CatalogueUnreadable(BadInput):
    """A folder or a file of it is no catalogue: nothing of it is imported. The message names file and line."""


class ArtistRow(NamedTuple):
    """A line of artists.csv."""

    line: int
    handle: str
    name: str
    kind: ArtistKind


class AssetRow(NamedTuple):
    """A line of assets.csv; `owner` is a handle, `license` is None where none is stated."""

    line: int
    ref: str
    kind: AssetKind
    title: str
    owner: str
    subkind: SampleSubkind | None
    made_on: date | None
    license: License | None
    media_sha256: str | None
    bpm: Decimal | None


class EdgeRow(NamedTuple):
    """A line of edges.csv; `kind` is an EdgeKind or CONTAINS, the ends are refs of the source."""

    line: int
    child: str
    parent: str
    kind: str
    child_window: Window
    parent_window: Window
    note: str | None


class CreditRow(NamedTuple):
    """A line of credits.csv."""

    line: int
    asset: str
    name: str
    role: CreditRole


class PolicyRow(NamedTuple):
    """A line of policies.csv: another decision for one use than the license of the asset makes."""

    line: int
    asset: str
    use: Use
    decision: Decision


@dataclass(frozen=True, slots=True)
class File(Generic[Row]):
    """One file of the format.

    Attributes:
        name: its name in the folder.
        required: the columns it must have.
        optional: the columns it may have.
        read: makes a row out of (line, cells), drops bad fields, raises RowUnusable.
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[int, Cells, Drop], Row]

    def rows(self, lines: Iterable[bytes], report: Report) -> Iterator[Row]:
        """The usable rows, one at a time; everything else is noted.

        Raises:
            CatalogueUnreadable: not UTF-8, or the header names other columns than the format.
        """
        count = report.counts.setdefault(self.name, Count())
        for line, cells in self._table(lines):
            count.read += 1
            try:
                if isinstance(cells, RowUnusable):
                    raise cells
                row = self.read(line, cells, partial(self._drop, report, line))
            except RowUnusable as unusable:
                report.note(Problem(self.name, line, str(unusable), skipped=True))
            else:
                yield row

    def _drop(self, report: Report, line: int, reason: str) -> None:
        report.note(Problem(self.name, line, reason, skipped=False))

    def _table(self, lines: Iterable[bytes]) -> Iterator[tuple[int, Cells | RowUnusable]]:
        """The lines where rows begin, and their cells by column. A row may end early and be empty from there."""
        reader = csv.reader(_decoded(self.name, lines), strict=True)
        try:
            header = next(reader)
        except (StopIteration, csv.Error):
            raise CatalogueUnreadable(f"{self.name}:1: the first line must name the columns.") from None
        columns = self._columns(header)
        names = [*columns, *(name for name in (*self.required, *self.optional) if name not in columns)]
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                until = f", up to line {reader.line_num}" if reader.line_num > line else ""
                yield line, RowUnusable(f"is no CSV ({error}{until})")
                continue
            if any(cells[len(columns) :]):
                yield line, RowUnusable(f"has {len(cells)} cells under {len(columns)} columns")
            elif cells:
                yield line, dict(zip_longest(names, cells[: len(columns)], fillvalue=""))

    def _columns(self, cells: list[str]) -> list[str]:
        columns = [cell.strip().lower() for cell in cells]
        known = (*self.required, *self.optional)
        faults = {
            "unknown": [name for name in columns if name not in known],
            "missing": [name for name in self.required if name not in columns],
            "repeated": sorted({name for name in columns if columns.count(name) > 1}),
        }
        for fault, names in faults.items():
            if names:
                listed = ", ".join(shown(name) for name in names)
                raise CatalogueUnreadable(f"{self.name}:1: {fault} columns: {listed}. Known: {', '.join(known)}.")
        return columns


def _decoded(file: str, lines: Iterable[bytes]) -> Iterator[str]:
    """Lines as text, without the byte order mark."""
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise CatalogueUnreadable(f"{file}:{number}: not UTF-8 (byte {error.start + 1} of the line).") from None


def checked_source(text: str) -> str:
    """A name for where a catalogue comes from.

    Raises:
        BadInput: empty, longer than 100 characters, or with a slash or a control character.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not 0 < len(name) <= LONGEST_SOURCE or "/" in name or storable(name) != name:
        raise BadInput("A source is named by 1 to 100 characters, without slashes and control characters.")
    return name


def _artist(line: int, cells: Cells, drop: Drop) -> ArtistRow:
    handle = needed_handle("handle", cells["handle"])
    name = read_text("name", cells["name"].strip(), LONGEST_NAME, drop)
    kind = one_of(ArtistKind, cells["kind"])
    if kind is None:
        drop(f"kind {shown(cells['kind'])} is none of {', '.join(ArtistKind)}; taken for CREATOR")
    return ArtistRow(line, handle, name or handle, kind or ArtistKind.CREATOR)


def _asset(line: int, cells: Cells, drop: Drop) -> AssetRow:
    ref = needed_ref("ref", cells["ref"])
    kind = needed_word("kind", AssetKind, cells["kind"])
    owner = needed_handle("owner", cells["owner"])
    return AssetRow(
        line,
        ref,
        kind,
        read_text("title", cells["title"], LONGEST_TITLE, drop),
        owner,
        read_subkind(kind, cells["subkind"], drop),
        read_day(cells["created"], drop),
        read_stated_license(cells["license"], drop),
        read_sha256(cells["media_sha256"], drop),
        read_bpm(kind, cells["bpm"], drop),
    )


def _edge(line: int, cells: Cells, drop: Drop) -> EdgeRow:
    child, parent = needed_ref("child", cells["child"]), needed_ref("parent", cells["parent"])
    is_item = squeezed(cells["kind"]) == CONTAINS
    kind = CONTAINS if is_item else needed_word("kind", EdgeKind, cells["kind"]).value
    if child == parent:
        raise RowUnusable(f"{shown(child)} cannot be made from itself ({kind})")
    windows = read_window("child", cells, drop), read_window("parent", cells, drop)
    note = read_text("note", cells["note"].strip(), LONGEST_NOTE, drop) or None
    if is_item and (windows != (WHOLE, WHOLE) or note):
        drop("windows and note are left out: a release contains an item as a whole")
        windows, note = (WHOLE, WHOLE), None
    return EdgeRow(line, child, parent, kind, *windows, note)


def _credit(line: int, cells: Cells, drop: Drop) -> CreditRow:
    asset = needed_ref("asset", cells["asset"])
    role = needed_word("role", CreditRole, cells["role"])
    name = read_text("name", cells["name"].strip(), LONGEST_NAME, drop)
    if not name:
        raise RowUnusable("name is empty")
    return CreditRow(line, asset, name, role)


def _policy(line: int, cells: Cells, _: Drop) -> PolicyRow:
    asset = needed_ref("asset", cells["asset"])
    return PolicyRow(
        line, asset, needed_word("use", Use, cells["use"]), needed_word("decision", Decision, cells["decision"])
    )


_WINDOWS = ("child_start_ms", "child_end_ms", "parent_start_ms", "parent_end_ms")
ARTISTS = File("artists.csv", ("handle", "name", "kind"), (), _artist)
ASSETS = File(
    "assets.csv",
    ("ref", "kind", "title", "owner"),
    ("subkind", "created", "license", "media_sha256", "bpm"),
    _asset,
)
EDGES = File("edges.csv", ("child", "parent", "kind"), (*_WINDOWS, "note"), _edge)
CREDITS = File("credits.csv", ("asset", "name", "role"), (), _credit)
POLICIES = File("policies.csv", ("asset", "use", "decision"), (), _policy)
FILE_NAMES = tuple(file.name for file in (ARTISTS, ASSETS, EDGES, CREDITS, POLICIES))
