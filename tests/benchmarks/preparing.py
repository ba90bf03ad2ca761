"""The database of the benchmarks: an embedded PostgreSQL of its own, filled once with rows that follow from numbers alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import db
from db.embedded import EmbeddedPostgres
from db.migrate import migrate

HERE = Path(__file__).parent
DATABASE = "casset"
FILLING = HERE / "filling.sql"
SESSION = {
    "session_replication_role": "replica",
    "maintenance_work_mem": "512MB",
    "work_mem": "256MB",
    "TimeZone": "UTC",
    "jit": "off",
}
COUNTED = (
    "artist",
    "asset",
    "release",
    "credit",
    "policy",
    "lineage_edge",
    "provenance_event",
    "release_item",
)


@contextmanager
def cluster(data: Path) -> Iterator[EmbeddedPostgres]:
    """The server of the data folder while the block runs. Not durable: the rows can be made again."""
    server = EmbeddedPostgres(data, durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def recipe(*files: Path) -> str:
    """What the rows are made from: the migrations and some files. Another recipe means another database."""
    migrations = sorted((Path(db.__file__).parent / "migrations" / "versions").glob("*.*"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in [*migrations, *files])).hexdigest()


async def is_prepared(server: EmbeddedPostgres, name: str = DATABASE, wanted: str | None = None) -> bool:
    """Whether a database holds the rows of a recipe, whole."""
    connection = await asyncpg.connect(**server.dsn(user="postgres", database="postgres"))
    try:
        said = await connection.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", name
        )
    finally:
        await connection.close()
    return bool(said == (wanted or recipe(FILLING)))


async def prepare(server: EmbeddedPostgres, console: Console) -> None:
    """Make the database unless it is there. The recipe is noted last: half a database is made anew."""
    if await is_prepared(server):
        console.print("The benchmark database is ready.")
        return
    await renew(server, DATABASE)
    steps = re.split(r"^-- == (.+)\n", FILLING.read_text(), flags=re.MULTILINE)[1:]
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    connection = await asyncpg.connect(**server.dsn(user="postgres", database=DATABASE), server_settings=SESSION)
    try:
        with Progress(*columns, console=console) as progress:
            for title, statements in zip(steps[::2], steps[1::2], strict=True):
                task = progress.add_task(title, total=1)
                await connection.execute(statements)
                progress.update(task, completed=1)
        await connection.execute("CHECKPOINT")
        for table in COUNTED:
            console.print(f"{await connection.fetchval(f'SELECT count(*) FROM {table}'):>10,} {table}")
        await made(connection, DATABASE, recipe(FILLING))
    finally:
        await connection.close()


async def made(connection: asyncpg.Connection, name: str, by: str) -> None:
    """Note by which recipe a database was made."""
    await connection.execute(f"COMMENT ON DATABASE {name} IS '{by}'")


async def renew(server: EmbeddedPostgres, name: str) -> None:
    """Make a database anew: with the product's tables, and empty."""
    connection = await asyncpg.connect(**server.dsn(user="postgres", database="postgres"))
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name} OWNER casset_owner")
    finally:
        await connection.close()
    await migrate(server.dsn(user="casset_owner", database=name))
