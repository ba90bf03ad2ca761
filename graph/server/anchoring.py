"""`casset anchor`: brings roots over manifests to a chain by hand, step by step. A worker does so by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graph.server.command import DEFAULT_DATA, DataFolder, console, opened, run
from graph.server.settings import Settings

if TYPE_CHECKING:
    from db.batches import Batch
    from db.engine import Database
    from resolvers.anchoring import Anchorer

app = typer.Typer(
    name="anchor", no_args_is_help=True, help="Anchored proof: roots over manifests, timestamped by a public chain."
)


@app.command()
def readiness(data: DataFolder = DEFAULT_DATA) -> None:
    """Look whether everything is there that anchoring needs: the key, the chain, what it asks and what there is."""

    async def work(settings: Settings) -> bool:
        from graph.server.chains import anchorer_of
        from graph.server.readiness import show_findings

        return bool(await opened(settings, lambda database: show_findings(anchorer_of(settings, database), console)))

    run(work, data)


@app.command()
def prepare(data: DataFolder = DEFAULT_DATA) -> None:
    """Put the manifests that wait into a batch with one root; nothing is sent."""
    _step(lambda anchorer: anchorer.prepare(), data)


@app.command()
def submit(data: DataFolder = DEFAULT_DATA) -> None:
    """Sign and send what is prepared."""
    _step(lambda anchorer: anchorer.submit(), data)


@app.command()
def process(data: DataFolder = DEFAULT_DATA) -> None:
    """Do all that can be done now: prepare, send, bid more, look what became of it."""
    _step(lambda anchorer: anchorer.process(), data)


@app.command()
def verify(data: DataFolder = DEFAULT_DATA) -> None:
    """Look up on the chain whether everything that was anchored is there as it was."""
    _step(lambda anchorer: anchorer.verify(), data)


def _step(step: Callable[[Anchorer], Awaitable[list[Batch]]], data: Path) -> None:
    """Do a step and show how its batches stand; it ends with 1 where one is not what it was."""

    async def work(settings: Settings) -> bool:
        from graph.server.chains import anchorer_of
        from graph.server.readiness import show_batches
        from resolvers.chains import Hindered

        async def done(database: Database) -> bool:
            anchorer = anchorer_of(settings, database)
            if anchorer is None:
                raise Hindered("No chain is named: CASSET_CHAIN is empty, and nothing is anchored.")
            return await show_batches(database, await step(anchorer), console)

        return bool(await opened(settings, done))

    run(work, data)
