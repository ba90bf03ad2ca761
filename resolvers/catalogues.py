"""The import of a catalogue: read, staged, checked, and only then merged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from db.catalogues import Staging, Stated, staging
from db.engine import Database
from db.imports import STEPS, Merge
from domain.catalogues import (
    ARTISTS,
    ASSETS,
    CREDITS,
    EDGES,
    FILE_NAMES,
    POLICIES,
    AssetRow,
    CatalogueUnreadable,
    File,
    PolicyRow,
    checked_source,
)
from domain.imports import Outcome, Problem, Report
from domain.rights import LicenseFamily, Term, Use, overruled, preset, terms_digest

CHUNK = 5000  # rows read before they are staged: what an import holds of a file

Row = TypeVar("Row")
OpenFile = Callable[[str], AbstractContextManager[Iterable[bytes]] | None]
"""Opens a file of the folder for its lines; None where the folder has no such file."""
Progress = Callable[[str, int, int], None]
"""Is told the step and how many of how many rows of it are written."""


async def import_catalogue(
    database: Database,
    open_file: OpenFile,
    source: str,
    *,
    strict: bool = False,
    dry_run: bool = False,
    progress: Progress,
    now: Callable[[], datetime],
    new_id: Callable[[], UUID],
) -> Report:
    """Import a catalogue folder.

    Everything is read and checked before anything can be seen. Then it is written in batches: what is there already
    from the same source is updated where it differs, so that an import that was cut short is finished by the next.

    Args:
        database: where to.
        open_file: the folder.
        source: the name under which the folder's own refs are remembered.
        strict: write nothing if there is any problem.
        dry_run: write nothing, answer the same report.
        progress: is told of every batch.
        now: the clock.
        new_id: makes a UUIDv7.

    Raises:
        BadInput: the source has no name; CatalogueUnreadable: the folder is no catalogue. Nothing is written.
        ImportRunning: there is one import at a time. Nothing is written.
        ImportDisturbed, Unavailable: what was written stays; import again.
    """
    report = Report(checked_source(source))
    rights = _Rights()
    async with staging(database, report.source, new_id) as stage:
        await _stage_files(open_file, stage, rights, report)
        for problem in await stage.check():
            report.note(problem)
        await _count(stage, rights, report)
        if strict and report.problems:
            report.outcome = Outcome.REFUSED
        elif not dry_run:
            await _merge(Merge(stage, now), rights, progress)
            report.outcome = Outcome.IMPORTED
    report.problems.sort()
    return report


@dataclass(slots=True)
class _Rights:
    """What the catalogue says about rights: decisions by asset and use, and the sets of terms they come to."""

    decisions: dict[str, dict[Use, PolicyRow]] = field(default_factory=dict)
    terms: dict[str, tuple[Term, ...]] = field(default_factory=dict)

    def add(self, row: PolicyRow, report: Report) -> None:
        """Remember a decision; the first for an asset and a use wins."""
        first = self.decisions.setdefault(row.asset, {}).setdefault(row.use, row)
        if first is not row:
            reason = f"{row.use} of {row.asset!r} is already decided in line {first.line}"
            report.note(Problem(POLICIES.name, row.line, reason, skipped=True))

    def stated(self, row: AssetRow) -> Stated:
        """What an asset's license and decisions come to."""
        decisions = {use: policy.decision for use, policy in self.decisions.get(row.ref, {}).items()}
        if row.license is None and not decisions:
            return Stated()
        terms = preset(row.license) if row.license else ()
        family = row.license.family if row.license else LicenseFamily.CUSTOM
        if decisions:
            terms, family = overruled(terms, decisions), LicenseFamily.CUSTOM
        key = terms_digest(terms)
        self.terms[key] = terms
        if row.license is None:
            return Stated(family, terms=key)
        return Stated(family, row.license.id, row.license.stated_as, key)


async def _stage_files(open_file: OpenFile, stage: Staging, rights: _Rights, report: Report) -> None:
    """Read every file there is, policies first: an asset's row carries them."""

    async def keep_policies(rows: Sequence[PolicyRow]) -> None:
        for row in rows:
            rights.add(row, report)

    async def stage_assets(rows: Sequence[AssetRow]) -> None:
        await stage.stage_assets([(row, rights.stated(row)) for row in rows])

    found = [
        await _stage(open_file, POLICIES, report, keep_policies),
        await _stage(open_file, ARTISTS, report, stage.stage_artists),
        await _stage(open_file, ASSETS, report, stage_assets),
        await _stage(open_file, EDGES, report, stage.stage_edges),
        await _stage(open_file, CREDITS, report, stage.stage_credits),
    ]
    if not any(found):
        raise CatalogueUnreadable(f"There is no catalogue here: none of {', '.join(FILE_NAMES)}.")


async def _stage(
    open_file: OpenFile, file: File[Row], report: Report, keep: Callable[[Sequence[Row]], Awaitable[None]]
) -> bool:
    """Hand on the usable rows of a file, some at a time; whether there is the file."""
    opened = open_file(file.name)
    if opened is None:
        return False
    with opened as lines:
        for rows in _chunks(file.rows(lines, report)):
            await keep(rows)
    return True


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


async def _count(stage: Staging, rights: _Rights, report: Report) -> None:
    """Say what will become of the rows that can be imported."""
    for file in (ARTISTS, ASSETS, EDGES, CREDITS):
        if count := report.counts.get(file.name):
            fates = await stage.fates(file)
            count.new, count.updated, count.unchanged = (fates.get(fate, 0) for fate in ("new", "changed", "same"))
    if count := report.counts.get(POLICIES.name):
        fates_of_assets = await stage.asset_fates(list(rights.decisions))
        for ref, decided in rights.decisions.items():
            fate, changes = fates_of_assets.get(ref, ("refused", []))
            if fate == "refused":
                for row in decided.values():
                    reason = f"{ref!r} is no asset that assets.csv brings"
                    report.note(Problem(POLICIES.name, row.line, reason, skipped=True))
            elif fate == "new":
                count.new += len(decided)
            elif "policy" in changes:
                count.updated += len(decided)
            else:
                count.unchanged += len(decided)


async def _merge(merge: Merge, rights: _Rights, progress: Progress) -> None:
    await merge.add_terms(rights.terms)
    for step in STEPS:
        batches = await merge.batches(step)
        total, done = sum(batch.rows for batch in batches), 0
        progress(step, done, total)
        for batch in batches:
            await merge.write(step, batch)
            done += batch.rows
            progress(step, done, total)
