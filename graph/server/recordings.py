"""`casset import-audio`, as a person sees it: a folder is looked through, and every file comes in or is named."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from db.accounts import account_holding, viewer_of_account
from db.engine import Database
from db.recordings import Holder, holder_of
from domain.errors import BadInput, NotFound, Unsupported
from domain.media import PLAYED, SNIFFED, Format, sniffed
from graph.server.asking import printable
from resolvers.context import Acting, now, uuid7
from resolvers.decoding import Studio
from resolvers.recordings import Brought, Remark, Source, import_recordings

ENDINGS = frozenset(
    {".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wave", ".wma"}
)
"""What a file is called that wants to be a recording; what it is, is read in it."""


async def run_import(studio: Studio, folder: Path, handle: str, console: Console) -> None:
    """Import a folder of recordings as drafts of an artist, show how it goes and print what came of it.

    Args:
        studio: over an open database.
        folder: looked through with all that is in it; links are not followed.
        handle: of the artist, whom somebody holds.
        console: where to print.

    Raises:
        BadInput: there is no such folder.
        NotFound: there is no such artist, or nobody holds them.
        Unavailable: as `import_recordings` raises.
    """
    acting, holder = await _whose(studio.database, handle.removeprefix("@").casefold())
    found = await asyncio.to_thread(_everything, folder)
    sources = [each for each in found if isinstance(each, Source)]
    with _bar(console) as bar:
        task = bar.add_task("Reading recordings", total=len(sources))
        brought = await import_recordings(
            acting, studio, holder, sources, lambda done: bar.update(task, completed=done)
        )
    brought.remarks[:0] = [each for each in found if isinstance(each, Remark)]
    _print(console, handle, brought)


async def _whose(database: Database, handle: str) -> tuple[Acting, Holder]:
    """The owner's hands, and the artist."""
    async with database.read() as connection:
        account = await account_holding(connection, handle)
        if account is not None:
            viewer = await viewer_of_account(connection, account)
            holder = await holder_of(connection, viewer, handle)
            if holder is not None:
                return Acting(database, viewer, now, uuid7), holder
    raise NotFound(f"Nobody holds an artist {handle!r}: recordings become drafts of somebody who signs in.")


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _everything(folder: Path) -> list[Source | Remark]:
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder.")
    return list(_look(folder))


def _look(folder: Path) -> Iterator[Source | Remark]:
    """Everything in a folder that is a recording or wants to be one, in the order of its path."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Remark(str(here.relative_to(folder)), f"It cannot be read: {error.strerror}.", refused=True)
            continue
        waiting += reversed([Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)])
        for entry in entries:
            if (found := _looked_at(folder, Path(entry.path))) is not None:
                yield found


def _looked_at(folder: Path, path: Path) -> Source | Remark | None:
    """A file as a source, or what keeps it from being one; None where it never wanted to be."""
    name = str(path.relative_to(folder))
    wants = path.suffix.lower() in ENDINGS
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return Remark(name, "It is a link, and links are not followed.", refused=True)
        if not stat.S_ISREG(mode):
            said = "It is a folder." if stat.S_ISDIR(mode) else "It is no file."
            return Remark(name, said, refused=True) if wants else None
        if wants or _is_heard(path):
            return Source(name, path.stem, partial(_opened, path))
    except OSError as error:
        return Remark(name, f"It cannot be read: {error.strerror}.", refused=True) if wants else None
    return None


def _is_heard(path: Path) -> bool:
    """Whether a file is a recording, whatever it is called."""
    with _opened(path) as file:
        try:
            # What films come in may hold sound alone, and then is called so.
            return sniffed(file.read(SNIFFED)) in PLAYED - {Format.M4A}
        except Unsupported:
            return True


def _opened(path: Path) -> BinaryIO:
    """A file, opened as it lies there; a link or a pipe that took its place meanwhile is not."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(descriptor, "rb", buffering=0)


def _print(console: Console, handle: str, brought: Brought) -> None:
    for remark in brought.remarks:
        how = "refused" if remark.refused else "brought in"
        line = f"{printable(remark.name)}: {how}: {printable(remark.reason)}"
        console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
    refused = sum(remark.refused for remark in brought.remarks)
    told = f"{brought.tracks} new tracks and {brought.releases} new releases are drafts of {handle}"
    console.print(f"{told}; {brought.known} files were there, {refused} were refused.", markup=False, highlight=False)
    if brought.tracks:
        console.print("They are heard once a worker has read them: `casset serve` or `casset worker`.", markup=False)
