"""`casset sweep`, as a person sees it: what is stored and named by nothing, since when, and what was removed."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from db.blobs import orphans
from resolvers.sweeping import Sweeper

SHOWN = 50


async def show_sweep(sweeper: Sweeper, console: Console, *, dry_run: bool) -> None:
    """Sweep, and print what was found and done.

    Raises:
        Unavailable: the database or the store is away.
    """
    swept = await sweeper.sweep(dry_run=dry_run)
    async with sweeper.database.read() as connection:
        left = await orphans(connection)
    if left:
        table = Table("SHA-256", "bytes", "named by nothing since", "removed after")
        for orphan in left[:SHOWN]:
            since, until = (f"{moment:%Y-%m-%d %H:%M}" for moment in (orphan.found_at, orphan.found_at + sweeper.grace))
            table.add_row(orphan.sha256, f"{orphan.byte_size:,}", since, until)
        console.print(table)
    if len(left) > SHOWN:
        console.print(f"… and {len(left) - SHOWN:,} more.", highlight=False)
    console.print(
        f"{swept.stored:,} blobs are stored; nothing names {swept.orphans:,} of them, {swept.bytes:,} bytes.",
        highlight=False,
    )
    done = "Nothing was removed." if dry_run else f"{swept.removed:,} removed; {swept.cleared:,} uploads cleared away."
    console.print(done, highlight=False)
