"""The command line: each command reads its arguments, and leaves the work to a module of its own.

A command imports that module when it runs: the database begins meanwhile, and what needs none has not to wait for it.
"""

from __future__ import annotations

import gc
import hashlib
import json
import runpy
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.rights import Use
from domain.signatures import Unverified
from graph.server import anchoring, contracts, keepers
from graph.server.command import DEFAULT_DATA, DataFolder, complaints, console, opened, run, run_opened
from graph.server.databases import begin, database_of
from graph.server.settings import Settings

if TYPE_CHECKING:
    from db.engine import Database

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Casset: worlds, hooks and rooms over one graph of assets.",
)
for group in (*keepers.GROUPS, anchoring.app, contracts.app):
    app.add_typer(group)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 8000,
    data: DataFolder = DEFAULT_DATA,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Load the demo scene into an empty database.")] = True,
) -> None:
    """Serve worlds and their graph on this machine."""

    async def body(settings: Settings) -> None:
        begun = begin(settings)
        # Nothing that is imported is garbage: the collector would look through it ten times, for a fifth of a second.
        gc.disable()
        from graph.server.serving import serving

        await serving(settings, await database_of(settings, begun), port, console, demo=demo)

    run(body, data)


@app.command()
def worker(data: DataFolder = DEFAULT_DATA) -> None:
    """Do what waits to be done, beside `serve` or instead of its own worker, until told to stop."""

    async def body(settings: Settings) -> None:
        begun = begin(settings)
        from graph.server.chains import anchorer_of
        from graph.server.serving import log_plainly
        from graph.server.signers import keys_of, signer_of
        from graph.server.worker import rounds_of, studio_of, work_until_told, workshop_of

        log_plainly()
        signer = signer_of(settings)
        database = await database_of(settings, begun)
        try:
            studio = studio_of(settings, database)
            keys = keys_of(settings)
            anchorer = anchorer_of(settings, database)
            rounds = rounds_of(studio, keys, anchorer)
            await work_until_told(workshop_of(studio, keys, anchorer), rounds, signer)
        finally:
            await database.close()

    run(body, data)


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

    async def work(database: Database) -> bool:
        from graph.server.importing import run_import

        return await run_import(database, folder, source, console, strict=strict, dry_run=dry_run, report=report)

    run_opened(work, data)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to: a folder that is not there yet, or is empty.")],
    artist: Annotated[
        str | None, typer.Option(help="Only the works of the artist with this handle; else the whole house.")
    ] = None,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Write what is public as a catalogue folder, which `import` reads: artists, assets, edges, credits, policies."""

    async def work(database: Database) -> None:
        from graph.server.exporting import run_export

        await run_export(database, folder, artist, console)

    run_opened(work, data)


@app.command(name="import-audio")
def import_audio(
    folder: Annotated[Path, typer.Argument(help="A folder of recordings, and of folders of them.")],
    artist: Annotated[str, typer.Option(help="The handle of the artist, whom somebody holds.")],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Import recordings with their tags, as private drafts of an artist: tracks, and a release for each album."""

    async def body(settings: Settings) -> None:
        from graph.server.recordings import run_import
        from graph.server.worker import studio_of

        await opened(settings, lambda database: run_import(studio_of(settings, database), folder, artist, console))

    run(body, data)


@app.command()
def sweep(
    dry_run: Annotated[bool, typer.Option(help="Report only; remove nothing.")] = False,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Look for stored bytes that nothing names, and remove what was found a week ago. A worker does it every day."""

    async def body(settings: Settings) -> None:
        from graph.server.sweeping import show_sweep
        from graph.server.worker import studio_of, sweeper_of

        await opened(
            settings,
            lambda database: show_sweep(sweeper_of(studio_of(settings, database)), console, dry_run=dry_run),
        )

    run(body, data)


@app.command()
def token(
    handle: Annotated[str, typer.Argument(help="The handle of an account, or of an artist somebody holds.")],
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Open a session for an account and print its secret, once. It is good on this machine only."""

    async def work(database: Database) -> bool:
        from db.accounts import account_holding, add_session
        from resolvers.context import uuid7

        secret = secrets.token_urlsafe(32)
        async with database.write() as connection:
            account = await account_holding(connection, handle.casefold())
            if account is None:
                complaints.print(f"Nobody signs in for {handle!r}.")
                return False
            await add_session(connection, uuid7(), account, hashlib.sha256(secret.encode()).digest())
        sys.stdout.write(secret + "\n")
        return True

    run_opened(work, data)


@app.command(name="explain")
def explain_(
    file: Annotated[Path, typer.Argument(help="A GraphQL document.", exists=True, dir_okay=False)],
    variables: Annotated[str, typer.Option(help="Its variables, as JSON.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="The operation's name, where there are several.")] = None,
    data: DataFolder = DEFAULT_DATA,
) -> None:
    """Show how an operation is answered: its tier, cost, SQL and PostgreSQL's plan."""

    async def work(database: Database) -> None:
        from graph.server.explain import explain

        await explain(database, file.read_text(), operation, variables, console)

    run_opened(work, data)


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
        from graph.server.asking import asker_for
        from graph.server.verdicts import show_rights

        asker = await asker_for(database, as_)
        moment = as_of and as_of.replace(tzinfo=UTC)
        await show_rights(asker, ref, console, uses=use or (), territory=territory, purpose=purpose, as_of=moment)

    run_opened(work, data)


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
        from graph.server.asking import asker_for
        from graph.server.drawing import draw, heading_of
        from graph.server.lineage import family_of, show_family
        from graph.server.prov import events_of, prov_json

        asker = await asker_for(database, as_)
        family = await family_of(asker, ref, depth)
        if prov is not None:
            prov.write_text(json.dumps(prov_json(family, await events_of(asker, family.root)), indent=2))
        if svg is None:
            show_family(family, console)
        else:
            svg.write_text(draw(family), encoding="utf-8")
            console.print(f"{heading_of(family)}. Drawn into {svg}.", highlight=False, markup=False, soft_wrap=True)

    run_opened(work, data)


@app.command(name="verify")
def verify_(
    path: Annotated[
        Path, typer.Argument(help="A manifest, a bundle, an envelope, or a folder of `casset log export`.")
    ],
    keys: Annotated[Path | None, typer.Option(help="The did.json of the house, from where you trust it.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint you kept: the log must fit it too.")] = None,
) -> None:
    """Check without database and network whether something is as it was signed; name the first thing that is not."""
    from graph.server.verifying import verify

    try:
        console.print(verify(path, keys, checkpoint), highlight=False, markup=False, soft_wrap=True)
    except Unverified as error:
        complaints.print(str(error), highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@app.command()
def schema() -> None:
    """Print the schema, as it is committed in schema.graphql."""
    from graph.schema import sdl

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


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
