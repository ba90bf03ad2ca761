"""The commands of those who keep a house: its documents, claims, keys and log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from domain.claims import ClaimState
from graph.server.command import DEFAULT_DATA, DataFolder, console, opened, run, run_opened
from graph.server.settings import Settings

documents = typer.Typer(name="documents", no_args_is_help=True, help="Operations that clients name by their hash.")


@documents.command(name="add")
def documents_add(
    files: Annotated[
        list[Path],
        typer.Argument(help="A .graphql file, or the JSON that graphql-codegen or Relay wrote.", exists=True),
    ],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Register documents, all or none."""
    from graph.server.documents import add

    run_opened(lambda database: add(database, files, console), data)


@documents.command(name="list")
def documents_list(data: DataFolder = DEFAULT_DATA) -> None:
    """Show what is registered."""
    from graph.server.documents import list_

    run_opened(lambda database: list_(database, console), data)


@documents.command(name="check")
def documents_check(data: DataFolder = DEFAULT_DATA) -> None:
    """Validate what is registered against the schema as it is now."""
    from graph.server.documents import check

    run_opened(lambda database: check(database, console), data)


claims = typer.Typer(
    name="claims", no_args_is_help=True, help="Artists that somebody claims to be: look at the proof, and decide."
)
Claim = Annotated[str, typer.Argument(metavar="CLAIM", help="The id of a claim, as the list shows it.")]


@claims.command(name="list")
def claims_list(data: DataFolder = DEFAULT_DATA) -> None:
    """Show the open claims, where each shows its proof, and the text to look for there."""
    from graph.server.claims import show_claims

    run_opened(lambda database: show_claims(database, console), data)


@claims.command(name="approve")
def claims_approve(claim: Claim, data: DataFolder = DEFAULT_DATA) -> None:
    """Give the artist to the claimant, whose proof you have seen; other claims of the artist are refused."""
    from graph.server.claims import settle_claim

    run_opened(lambda database: settle_claim(database, claim, ClaimState.APPROVED, console), data)


@claims.command(name="refuse")
def claims_refuse(claim: Claim, data: DataFolder = DEFAULT_DATA) -> None:
    """Refuse a claim; the artist goes on waiting."""
    from graph.server.claims import settle_claim

    run_opened(lambda database: settle_claim(database, claim, ClaimState.REFUSED, console), data)


keys = typer.Typer(
    name="keys", no_args_is_help=True, help="The keys this house signs with; those that were replaced stay listed."
)


@keys.command(name="rotate")
def keys_rotate(data: DataFolder = DEFAULT_DATA) -> None:
    """Add a key, which signs from now on; what the ones before have signed stays good."""

    async def work(settings: Settings) -> None:
        from graph.server.signers import rotate_keys

        rotate_keys(settings, console)

    run(work, data)


@keys.command(name="list")
def keys_list(data: DataFolder = DEFAULT_DATA) -> None:
    """Show the keys, the one that signs first."""

    async def work(settings: Settings) -> None:
        from graph.server.signers import list_keys

        list_keys(settings, console)

    run(work, data)


log = typer.Typer(name="log", no_args_is_help=True, help="The log over everything that happened to every work.")


@log.command(name="export")
def log_export(
    folder: Annotated[Path, typer.Argument(help="A folder that is empty, or not there yet.", file_okay=False)],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Write the log into a folder that `casset verify` checks without us."""

    async def work(settings: Settings) -> Any:
        from graph.server.signers import keys_of
        from graph.server.transcripts import export_log

        keys = keys_of(settings)
        return await opened(settings, lambda database: export_log(database, keys, folder, console))

    run(work, data)


GROUPS = (documents, claims, keys, log)
