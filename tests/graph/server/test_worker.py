"""The worker as a process: it does what waits, it ends when it is told to, and what reads sound ends with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db import tables
from db.engine import Database
from domain.errors import Invalid
from domain.windows import Window
from graph.server.decoding import DecoderFailed, ProcessDecoder
from graph.server.signers import KeyFolder
from graph.server.worker import work, workshop_of
from tests.graph.server.recordings import OPEN, PCM, Listening, listening, samples, wav

PARENT = """
import subprocess, sys, time
reader = "from graph.server import sound; sound._limit(); print(1, flush=True); import time; time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", reader], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""
ROOT = Path(__file__).parents[3]
PATIENCE = 60


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


async def done(here: Listening) -> None:
    async with asyncio.timeout(PATIENCE):
        # What comes round waits for its day.
        while {job.state for job in await here.rows(tables.job) if job.owner_id} != {"DONE"}:
            pass


async def test_casset_worker_does_what_waits_and_ends_when_it_is_told(here: Listening) -> None:
    await here.upload(wav(2))
    target = here.database._target
    url = f"postgresql://{target['user']}@/{target['database']}?host={target['host']}&port={target['port']}"
    worker = subprocess.Popen(
        [sys.executable, "-m", "graph.server.cli", "worker", "--data", str(here.data)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
    )
    try:
        await done(here)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, PATIENCE) == 0
    finally:
        worker.kill()
        worker.wait()
    assert (await here.token(OPEN, "ada")).status_code == 200


async def test_a_worker_goes_on_when_the_database_comes_back(here: Listening) -> None:
    stop = asyncio.Event()
    working = asyncio.create_task(work(workshop_of(here.app.studio, KeyFolder(here.data / "keys")), stop))
    connection = await asyncpg.connect(**here.database._target)
    # Whoever is connected; not what keeps house for the server, such as autovacuum.
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    try:
        await connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    finally:
        await connection.close()
    async with asyncio.timeout(PATIENCE):
        while (await here.upload(wav(2))).status_code != 201:
            pass
    await done(here)
    stop.set()
    await asyncio.wait_for(working, PATIENCE)


def recording(data: bytes) -> Any:
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the test closes it
    file.write(data)
    file.flush()
    return file


async def test_a_window_is_cut_to_the_frame() -> None:
    file = wav(3)
    with recording(file) as source, recording(b"") as into:
        await ProcessDecoder().cut(source, Window(1_001, 2_002), into)
        into.seek(0)
        cut = samples(into.read())
    assert cut == samples(file)[PCM.frames_at(1_001) * PCM.frame : PCM.frames_at(2_002) * PCM.frame]
    with recording(file) as source, recording(b"") as into, pytest.raises(Invalid):
        await ProcessDecoder().cut(source, Window(3_000, 4_000), into)


async def test_progress_is_told_while_a_recording_is_read() -> None:
    told: list[int] = []
    with recording(wav(3)) as source:
        sound = await ProcessDecoder().measure(source, told.append)
    assert told == sorted(told)
    assert (told[0], len(told), sound.duration_ms) == (5, 20, 3000)


async def test_a_reader_that_dies_is_no_verdict_on_what_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.server.decoding.PATIENCE", 0.0)
    with recording(wav(3)) as source, pytest.raises(TimeoutError):
        await ProcessDecoder().measure(source, lambda _: None)
    monkeypatch.undo()
    with recording(wav(3)) as source:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(DecoderFailed):
            await ProcessDecoder().measure(source, lambda _: None)


def test_what_reads_sound_ends_with_whoever_started_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    reader = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + PATIENCE
    while is_running(reader) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(reader)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
