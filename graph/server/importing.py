"""`casset import`, as a person sees it: bars while it runs, and what it found and did when it ends."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from db.engine import Database
from domain.catalogues import CatalogueUnreadable
from domain.errors import BadInput
from domain.imports import Count, Outcome, Report
from resolvers import catalogues
from resolvers.catalogues import import_catalogue
from resolvers.context import uuid7

SHOWN_PROBLEMS = 50
_ENDINGS = {
    Outcome.IMPORTED: "Imported.",
    Outcome.CHECKED: "Checked. Nothing was written.",
    Outcome.REFUSED: "Nothing was written, because there are problems.",
}


async def run_import(
    database: Database,
    folder: Path,
    source: str | None,
    console: Console,
    *,
    strict: bool = False,
    dry_run: bool = False,
    report: Path | None = None,
) -> bool:
    """Import a folder, show how it goes and print what came of it.

    Args:
        database: where to; open.
        folder: the catalogue folder.
        source: what its refs are remembered under; None for the folder's name.
        console: where to print.
        strict: write nothing if there is any problem.
        dry_run: write nothing.
        report: a CSV file for every problem.

    Returns:
        False where the import was strict and there were problems.

    Raises:
        BadInput: the folder is no catalogue, or the report cannot be written. Nothing is imported.
        CassetError: as `import_catalogue` raises.
    """
    source = _source(folder, source)
    if report is not None:
        _write_problems(report, Report(""))  # rather now than after the import
    with bars_on(console) as bars:
        found = await import_catalogue(
            database,
            opener(folder, bars),
            source,
            strict=strict,
            dry_run=dry_run,
            progress=teller(bars),
            now=lambda: datetime.now(UTC),
            new_id=uuid7,
        )
    if report is not None:
        _write_problems(report, found)
    _print(console, found, report)
    return found.outcome is not Outcome.REFUSED


def _source(folder: Path, source: str | None) -> str:
    if not folder.is_dir():
        raise CatalogueUnreadable(f"{folder} is no folder.")
    return folder.resolve().name if source is None else source


def bars_on(console: Console) -> Progress:
    """Bars that are gone when they are full."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def opener(folder: Path, bars: Progress) -> catalogues.OpenFile:
    """Opens the files of a folder; a bar follows what is read of each."""

    def open_file(name: str) -> BinaryIO | None:
        try:
            return bars.open(folder / name, "rb", description=f"Reading {name}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CatalogueUnreadable(f"{name}: {error.strerror}.") from None

    return open_file


def teller(bars: Progress) -> catalogues.Progress:
    """Shows the steps of writing, a bar for each."""
    tasks: dict[str, TaskID] = {}

    def tell(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = bars.add_task(f"Writing {step}", total=total)
        bars.update(tasks[step], completed=done)

    return tell


def _write_problems(path: Path, found: Report) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["file", "line", "row", "reason"])
            table.writerows(
                [each.file, each.line, "skipped" if each.skipped else "kept", each.reason] for each in found.problems
            )
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None


def _print(console: Console, found: Report, report: Path | None) -> None:
    for problem in found.problems[:SHOWN_PROBLEMS]:
        console.print(str(problem), markup=False, highlight=False, emoji=False, soft_wrap=True)
    more = len(found.problems) - SHOWN_PROBLEMS
    if more > 0:
        where = f"all are in {report}" if report else "--report FILE writes all of them"
        console.print(f"… and {more} more problems; {where}.", markup=False, highlight=False, soft_wrap=True)
    table = Table("file", *Count.__slots__[:-1], "fields dropped")
    for name, count in found.counts.items():
        table.add_row(name, *(f"{getattr(count, column):,}" for column in Count.__slots__))
    console.print(table)
    console.print(_ENDINGS[found.outcome])
