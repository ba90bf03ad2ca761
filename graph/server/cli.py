"""The command line: each command reads its arguments, and leaves the work to a module of its own."""

from __future__ import annotations

import hashlib
import json
import runpy
import secrets
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console

from db.accounts import account_holding, add_session
from db.embedded import DataFolderBroken, PostgresDidNotStart
from db.engine import Database
from domain.claims import ClaimState
from domain.errors import CassetError
from domain.rights import Use
from domain.signatures import Unverified
from graph.schema import sdl
from graph.server import documents as trusted
from graph.server.asking import asker_for
from graph.server.claims import settle_claim, show_claims
from graph.server.drawing import draw, heading_of
from graph.server.explain import explain
from graph.server.exporting import run_export
from graph.server.importing import run_import
from graph.server.lineage import family_of, show_family
from graph.server.prov import events_of, prov_json
from graph.server.recordings import run_import as import_recordings
from graph.server.serving import database_of, log_plainly, serving
from graph.server.settings import SettingRefused, Settings, from_environment
from graph.server.signers import KeysBroken, keys_of, list_keys, rotate_keys, signer_of
from graph.server.sweeping import show_sweep
from graph.server.transcripts import export_log
from graph.server.verdicts import show_rights
from graph.server.verifying import verify
from graph.server.worker import studio_of, sweeper_of, work_until_told, workshop_of
from resolvers.context import uuid7

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Casset: worlds, hooks and rooms over one graph of assets.",
)
console = Console()
complaints = Console(stderr=True)

DataFolder = Annotated[Path, typer.Option("--data", help="The folder where everything is kept.", show_default=True)]
DEFAULT_DATA = Path(".casset")


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 8000,
    data: DataFolder = DEFAULT_DATA,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Load the demo scene into an empty database.")] = True,
) -> None:
    """Serve worlds and their graph on this machine."""
    _run(lambda settings: serving(settings, port, console, demo=demo), data)


@app.command()
def worker(data: DataFolder = DEFAULT_DATA) -> None:
    """Do what waits to be done, beside `serve` or instead of its own worker, until told to stop."""

    async def body(settings: Settings) -> None:
        log_plainly()
        signer = signer_of(settings)
        database = await database_of(settings)
        try:
            studio = studio_of(settings, database)
            await work_until_told(workshop_of(studio, keys_of(settings)), sweeper_of(studio), signer)
        finally:
            await database.close()

    _run(body, data)


@app.command(name="import")
def import_(
    folder: Annotated[
        Path, typer.Argument(help="A catalogue folder: artists.csv, assets.csv, edges.csv, credits.csv.")
    ],
    data: DataFolder = DEFAULT_DATA,
    source: Annotated[
        str | None, typer.Option(help="The name of the source; the folder's name where none is given.")
    ] = None,
    strict: Annotated[bool, typer.Option(help="Write nothing when any row has a problem.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Check everything, write nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write every problem to this file.")] = None,
) -> None:
    """Import a catalogue: check all of it, then bring it in, batch by batch."""
    _run_opened(
        lambda database: run_import(database, folder, source, console, strict=strict, dry_run=dry_run, report=report),
        data,
    )


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to: a folder that is not there yet, or is empty.")],
    artist: Annotated[
        str | None, typer.Option(help="Only the works of the artist with this handle; else the whole house.")
    ] = None,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Write what is public as a catalogue folder, which `import` reads: artists, assets, edges, credits, policies."""
    _run_opened(lambda database: run_export(database, folder, artist, console), data)


@app.command(name="import-audio")
def import_audio(
    folder: Annotated[Path, typer.Argument(help="A folder of recordings, and of folders of them.")],
    artist: Annotated[str, typer.Option(help="The handle of the artist, whom somebody holds.")],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Import recordings with their tags, as private drafts of an artist: tracks, and a release for each album."""

    async def body(settings: Settings) -> None:
        await _opened(
            settings, lambda database: import_recordings(studio_of(settings, database), folder, artist, console)
        )

    _run(body, data)


@app.command()
def sweep(
    dry_run: Annotated[bool, typer.Option(help="Report only; remove nothing.")] = False,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Look for stored bytes that nothing names, and remove what was found a week ago. A worker does it every day."""

    async def body(settings: Settings) -> None:
        await _opened(
            settings,
            lambda database: show_sweep(sweeper_of(studio_of(settings, database)), console, dry_run=dry_run),
        )

    _run(body, data)


@app.command()
def token(
    handle: Annotated[str, typer.Argument(help="The handle of an account, or of an artist somebody holds.")],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Open a session for an account and print its secret, once. It is good on this machine only."""

    async def work(database: Database) -> bool:
        secret = secrets.token_urlsafe(32)
        async with database.write() as connection:
            account = await account_holding(connection, handle.casefold())
            if account is None:
                complaints.print(f"Nobody signs in for {handle!r}.")
                return False
            await add_session(connection, uuid7(), account, hashlib.sha256(secret.encode()).digest())
        sys.stdout.write(secret + "\n")
        return True

    _run_opened(work, data)


@app.command(name="explain")
def explain_(
    file: Annotated[Path, typer.Argument(help="A GraphQL document.", exists=True, dir_okay=False)],
    variables: Annotated[str, typer.Option(help="Its variables, as JSON.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="The operation's name, where there are several.")] = None,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Show how an operation is answered: its tier, cost, SQL and PostgreSQL's plan."""
    _run_opened(lambda database: explain(database, file.read_text(), operation, variables, console), data)


Reference = Annotated[
    str, typer.Argument(metavar="REF", help="An id, an address, an ISRC, a UPC, a MusicBrainz id or a file's SHA-256.")
]
Asking = Annotated[str | None, typer.Option("--as", help="Ask as the account behind this handle; else as anybody.")]


@app.command()
def rights(
    ref: Reference,
    use: Annotated[list[Use] | None, typer.Option(case_sensitive=False, help="For this use; may be repeated.")] = None,
    territory: Annotated[str | None, typer.Option(help="Where, as an ISO 3166-1 code such as DE.")] = None,
    purpose: Annotated[str | None, typer.Option(help="For which purpose.")] = None,
    as_of: Annotated[datetime | None, typer.Option(help="What held at that moment, in UTC.")] = None,
    as_: Asking = None,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """May I use this for X? What is in the way, whom to ask, what to change."""

    async def work(database: Database) -> None:
        asker = await asker_for(database, as_)
        moment = as_of and as_of.replace(tzinfo=UTC)
        await show_rights(asker, ref, console, uses=use or (), territory=territory, purpose=purpose, as_of=moment)

    _run_opened(work, data)


@app.command()
def lineage(
    ref: Reference,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file.", dir_okay=False, writable=True)] = None,
    prov: Annotated[Path | None, typer.Option(help="Write it and its history into this file, as PROV-JSON.")] = None,
    depth: Annotated[int | None, typer.Option(help="At most so many steps away.", min=1)] = None,
    as_: Asking = None,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """What something is made of, and what is made of it."""

    async def work(database: Database) -> None:
        asker = await asker_for(database, as_)
        family = await family_of(asker, ref, depth)
        if prov is not None:
            prov.write_text(json.dumps(prov_json(family, await events_of(asker, family.root)), indent=2))
        if svg is None:
            show_family(family, console)
        else:
            svg.write_text(draw(family), encoding="utf-8")
            console.print(f"{heading_of(family)}. Drawn into {svg}.", highlight=False, markup=False, soft_wrap=True)

    _run_opened(work, data)


documents = typer.Typer(no_args_is_help=True, help="Operations that clients name by their hash.")
app.add_typer(documents, name="documents")


@documents.command(name="add")
def documents_add(
    files: Annotated[
        list[Path],
        typer.Argument(help="A .graphql file, or the JSON that graphql-codegen or Relay wrote.", exists=True),
    ],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Register documents, all or none."""
    _run_opened(lambda database: trusted.add(database, files, console), data)


@documents.command(name="list")
def documents_list(data: DataFolder = DEFAULT_DATA) -> None:
    """Show what is registered."""
    _run_opened(lambda database: trusted.list_(database, console), data)


@documents.command(name="check")
def documents_check(data: DataFolder = DEFAULT_DATA) -> None:
    """Validate what is registered against the schema as it is now."""
    _run_opened(lambda database: trusted.check(database, console), data)


claims = typer.Typer(no_args_is_help=True, help="Artists that somebody claims to be: look at the proof, and decide.")
app.add_typer(claims, name="claims")
Claim = Annotated[str, typer.Argument(metavar="CLAIM", help="The id of a claim, as the list shows it.")]


@claims.command(name="list")
def claims_list(data: DataFolder = DEFAULT_DATA) -> None:
    """Show the open claims, where each shows its proof, and the text to look for there."""
    _run_opened(lambda database: show_claims(database, console), data)


@claims.command(name="approve")
def claims_approve(claim: Claim, data: DataFolder = DEFAULT_DATA) -> None:
    """Give the artist to the claimant, whose proof you have seen; other claims of the artist are refused."""
    _run_opened(lambda database: settle_claim(database, claim, ClaimState.APPROVED, console), data)


@claims.command(name="refuse")
def claims_refuse(claim: Claim, data: DataFolder = DEFAULT_DATA) -> None:
    """Refuse a claim; the artist goes on waiting."""
    _run_opened(lambda database: settle_claim(database, claim, ClaimState.REFUSED, console), data)


keys = typer.Typer(no_args_is_help=True, help="The keys this house signs with; those that were replaced stay listed.")
app.add_typer(keys, name="keys")


@keys.command(name="rotate")
def keys_rotate(data: DataFolder = DEFAULT_DATA) -> None:
    """Add a key, which signs from now on; what the ones before have signed stays good."""

    async def work(settings: Settings) -> None:
        rotate_keys(settings, console)

    _run(work, data)


@keys.command(name="list")
def keys_list(data: DataFolder = DEFAULT_DATA) -> None:
    """Show the keys, the one that signs first."""

    async def work(settings: Settings) -> None:
        list_keys(settings, console)

    _run(work, data)


log = typer.Typer(no_args_is_help=True, help="The log over everything that happened to every work.")
app.add_typer(log, name="log")


@log.command(name="export")
def log_export(
    folder: Annotated[Path, typer.Argument(help="A folder that is empty, or not there yet.", file_okay=False)],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Write the log into a folder that `casset verify` checks without us."""
    keys = keys_of(from_environment(data))
    _run_opened(lambda database: export_log(database, keys, folder, console), data)


@app.command(name="verify")
def verify_(
    path: Annotated[
        Path, typer.Argument(help="A manifest, a bundle, an envelope, or a folder of `casset log export`.")
    ],
    keys: Annotated[Path | None, typer.Option(help="The did.json of the house, from where you trust it.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint you kept: the log must fit it too.")] = None,
) -> None:
    """Check without database and network whether something is as it was signed; name the first thing that is not."""
    try:
        console.print(verify(path, keys, checkpoint), highlight=False, markup=False, soft_wrap=True)
    except Unverified as error:
        complaints.print(str(error), highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@app.command()
def schema() -> None:
    """Print the schema, as it is committed in schema.graphql."""
    sys.stdout.write(sdl())


@app.command()
def bench(
    prepare: Annotated[bool, typer.Option("--prepare", help="Make the data first.")] = False,
    operations: Annotated[list[str] | None, typer.Option("--operation", help="Only these: W, D, P, S, A.")] = None,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds.", min=1)] = 5,
    seconds: Annotated[float, typer.Option(help="Seconds for each contender in each round.", min=0.2)] = 3.0,
    data: Annotated[Path, typer.Option("--data", help="The folder of the benchmark's own database.")] = Path(
        ".casset-bench"
    ),
    lineage: Annotated[bool, typer.Option("--lineage", help="Lineage and rights instead, on two big graphs.")] = False,
) -> None:
    """Measure the read engine against hand-written SQL, its reference and a Node server."""
    folder = Path(__file__).parents[2] / "tests" / "benchmarks"
    if not folder.exists():
        complaints.print("The benchmarks are part of the source tree; they are not here.")
        raise typer.Exit(1)
    sys.path.insert(0, str(folder))
    if lineage:
        runpy.run_path(str(folder / "lineage.py"))["main"](data.with_name(f"{data.name}-lineage"))
    else:
        runpy.run_path(str(folder / "bench.py"))["main"](prepare, operations, rounds, seconds, data)


def _run_opened(work: Callable[[Database], Awaitable[Any]], data: Path) -> None:
    """Run a command's work on the database."""
    _run(lambda settings: _opened(settings, work), data)


async def _opened(settings: Settings, work: Callable[[Database], Awaitable[Any]]) -> Any:
    """What some work on the open database comes to."""
    database = await database_of(settings)
    await database.open()
    try:
        return await work(database)
    finally:
        await database.close()


def _run(work: Callable[[Settings], Awaitable[Any]], data: Path) -> None:
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


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
