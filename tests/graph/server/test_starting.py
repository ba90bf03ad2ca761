"""A start finds its database, whoever ends meanwhile."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

from db.embedded import EmbeddedPostgres
from graph.server.databases import database_of
from graph.server.settings import Settings

ROOT = Path(__file__).parents[3]
OWNER = """
import sys
from pathlib import Path
from db.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
postgres.start()
print("started", flush=True)
sys.stdin.read()
postgres.stop()
"""


async def test_a_start_outlives_the_process_whose_database_it_found(tmp_path: Path) -> None:
    data, server = tmp_path / "data", Future[EmbeddedPostgres]()
    command = [sys.executable, "-c", OWNER, str(data)]
    found = EmbeddedPostgres(data, durable=False)
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        found.start()
        server.set_result(found)
    try:
        database = await database_of(Settings(data=data), server)
        await database.open()
        assert await database.fetch("SELECT '1'::bytea", (), keep=False) == b"1"
        await database.close()
    finally:
        found.stop()
