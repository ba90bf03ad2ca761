"""`casset log export`: the log over all events in a folder, for whoever checks it without us."""

from __future__ import annotations

from pathlib import Path

import rfc8785
from rich.console import Console
from rich.progress import Progress

from db.engine import Database
from db.log import checkpoints_up_to, logged_events, newest_checkpoint
from domain.transcripts import CHECKPOINTS, EVENTS, KEYS, LEAVES, write_checkpoints
from graph.server.signers import KeyFolder, KeysBroken

MOST_CHECKPOINTS = 256
"""Of all that were signed: each narrows where something was changed."""


async def export_log(database: Database, keys: KeyFolder, folder: Path, console: Console) -> bool:
    """Write the log as the newest checkpoint has it; False where nothing was logged, or the folder holds something.

    Raises:
        KeysBroken: there are no keys by which it could be checked.
    """
    async with database.read() as connection:
        newest = await newest_checkpoint(connection)
        notes = [] if newest is None else await checkpoints_up_to(connection, newest.size, MOST_CHECKPOINTS)
    document = keys.document()
    if newest is None:
        _say(console, "Nothing was logged yet.")
        return False
    if document is None:
        raise KeysBroken(f"There are no keys in {keys.path}: nobody could check what is written.")
    if not _is_empty(folder):
        _say(console, f"{folder} is not empty.")
        return False
    (folder / KEYS).write_bytes(rfc8785.dumps(document) + b"\n")
    (folder / CHECKPOINTS).write_text(write_checkpoints(notes), encoding="utf-8")
    with (
        Progress(console=console, transient=True) as bar,
        (folder / EVENTS).open("wb") as events,
        (folder / LEAVES).open("wb") as leaves,
    ):
        task = bar.add_task("Writing events", total=newest.size)
        async for logged in logged_events(database, newest.size):
            events.writelines(body.encode() + b"\n" for body, _ in logged)
            leaves.writelines(leaf for _, leaf in logged)
            bar.update(task, advance=len(logged))
    _say(console, f"{newest.size:,} events are in {folder}. Check them: casset verify {folder}")
    return True


def _is_empty(folder: Path) -> bool:
    """Make a folder where there is none; whether nothing is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    return next(folder.iterdir(), None) is None


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
