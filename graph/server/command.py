"""How a command of the command line runs: its settings, its database, and what it says when something is in the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop
from rich.console import Console

from db.embedded import DataFolderBroken, PostgresDidNotStart
from domain.errors import CassetError
from graph.server.databases import begin, database_of
from graph.server.settings import SettingRefused, Settings, from_environment
from graph.server.signers import KeysBroken

if TYPE_CHECKING:
    from db.engine import Database

console = Console()
complaints = Console(stderr=True)

DataFolder = Annotated[Path, typer.Option("--data", help="The folder where everything is kept.", show_default=True)]
DEFAULT_DATA = Path(".casset")


def run(work: Callable[[Settings], Awaitable[Any]], data: Path) -> None:
    """Run a command's work; an expected failure is one sentence and exit code 1."""

    async def body() -> Any:
        return await work(from_environment(data))

    try:
        done = uvloop.run(body())
    except (CassetError, SettingRefused, KeysBroken, DataFolderBroken, PostgresDidNotStart) as error:
        complaints.print(str(error), highlight=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if done is False:
        raise typer.Exit(1)


def run_opened(work: Callable[[Database], Awaitable[Any]], data: Path) -> None:
    """Run a command's work on the database."""
    run(lambda settings: opened(settings, work), data)


async def opened(settings: Settings, work: Callable[[Database], Awaitable[Any]]) -> Any:
    """What some work on the open database comes to."""
    database = await database_of(settings, begin(settings))
    await database.open()
    try:
        return await work(database)
    finally:
        await database.close()
