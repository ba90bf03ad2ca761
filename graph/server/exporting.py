"""`casset export`, as a person sees it: a folder that is whole as soon as it is there, and what it does not tell."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import Progress

from db.engine import Database
from db.exports import artist_named
from domain.catalogues import ARTISTS, ASSETS, CREDITS, EDGES, POLICIES, File
from domain.errors import BadInput, NotFound
from domain.imports import Report
from graph.server.importing import SHOWN_PROBLEMS, bars_on, opener, teller
from resolvers.context import uuid7
from resolvers.exports import CreateFile, Exported, export_catalogue

_FILES: tuple[File[Any], ...] = (ARTISTS, ASSETS, EDGES, CREDITS, POLICIES)


async def run_export(database: Database, folder: Path, handle: str | None, console: Console) -> None:
    """Write what is public into a folder, show how it goes and print what came of it.

    Args:
        database: where from; open.
        folder: is made; may be there if nothing is in it.
        handle: of the artist whose works are written; everybody's where that is None.
        console: where to print.

    Raises:
        BadInput: the folder holds something, or cannot be written. Nothing is left behind.
        NotFound: there is no such artist.
        Unavailable: the database went away. Nothing is left behind.
    """
    artist = None if handle is None else await artist_named(database, handle.removeprefix("@").casefold())
    if handle is not None and artist is None:
        raise NotFound(f"There is no artist {handle!r}.")
    with _whole(folder) as making, bars_on(console) as bars:
        exported = await export_catalogue(database, _creator(making), artist, teller(bars))
        report = _read_back(making, bars)
    _print(console, folder, handle, exported, report)


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside, which takes the other's place when everything in it is on the disk; else it is gone."""
    try:
        target = folder.resolve()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise BadInput(f"{folder} is there, and is no empty folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        making = target.with_name(f".{target.name}-{uuid7()}.unfinished")
        making.mkdir()
    except OSError as error:
        raise _unwritable(error) from None
    try:
        yield making
        _settle(making)
        try:
            # It takes the place of an empty folder, and of nothing else: whoever put something there keeps it.
            making.rename(target)
        except OSError as error:
            raise _unwritable(error) from None
        _settle(target.parent)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _settle(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise _unwritable(error) from None
    finally:
        os.close(descriptor)


def _creator(folder: Path) -> CreateFile:
    """Creates the files of a folder; each is on the disk when it is closed."""

    @contextmanager
    def create(name: str) -> Iterator[TextIO]:
        with io.TextIOWrapper(io.BufferedWriter(_File(folder / name, "x")), encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            _settle(folder / name)

    return create


class _File(io.FileIO):
    """A file whose faults are told from those of the database it is written from, which are no BadInput."""

    def write(self, data: Any, /) -> int:
        """Write some."""
        try:
            return super().write(data)
        except OSError as error:
            raise _unwritable(error) from None


def _unwritable(error: OSError) -> BadInput:
    return BadInput(f"The folder cannot be written: {error.strerror}.")


def _read_back(folder: Path, bars: Progress) -> Report:
    """What an import would find fault with."""
    report, open_file = Report("export"), opener(folder, bars)
    for each in _FILES:
        opened = open_file(each.name)
        if opened is not None:
            with opened as lines:
                for _ in each.rows(lines, report):
                    pass
    return report


def _print(console: Console, folder: Path, handle: str | None, exported: Exported, report: Report) -> None:
    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)

    for problem in report.problems[:SHOWN_PROBLEMS]:
        say(f"An import will say: {problem}")
    more = len(report.problems) - SHOWN_PROBLEMS
    if more > 0:
        say(f"… and {more} more things of that kind.")
    for what, count in exported.left_out.items():
        say(f"Not told: {count:,} {what}.")
    rows = ", ".join(f"{count:,} in {name}" for name, count in exported.counts.items())
    whose = "the whole house" if handle is None else handle
    say(f"Exported what is public of {whose} into {folder}: {rows}. The files of media stay here.")
