"""What the tests here stand between: the served product, a clock beside it, and clients that run on Node."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.node import Node, NodeUnavailable, installed

ROOT = Path(__file__).parents[2]
PATIENCE = 60
"""Seconds until a server must be open, and closed again."""
HANDLE = "oda-verrill"
"""Somebody of the demo scene."""
# In development clients may ask for the schema; a database of somebody's own is never written to.
# Suites ask thousands of questions from one address.
PLENTY = {"CASSET_POINTS": "1000000", "CASSET_POINTS_PER_SECOND": "100000"}
ENVIRONMENT = os.environ | {"CASSET_ENVIRONMENT": "development", "DATABASE_URL": ""} | PLENTY


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/conformance/test_fuzzing.py -n0 -s --examples 300`."""
    parser.addoption("--examples", type=int, help="How many documents Schemathesis tries for each root field.")
    parser.addoption("--cut-ms", type=int, help="For how long one of two browsers in a room is cut off.")
    parser.addoption("--pictures", type=Path, help="A folder for pictures of what they saw.")


@dataclass(frozen=True, slots=True)
class Served:
    """The product as it is served: its data folder and the address of its endpoint."""

    data: Path
    url: str

    def session(self) -> str:
        """The secret of a new session of somebody who holds an artist."""
        command = [sys.executable, "-m", "graph.server.cli", "token", HANDLE, "--data", str(self.data)]
        return subprocess.run(
            command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True
        ).stdout.strip()


@contextmanager
def opened(log: Path, module: str, *words: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """A server as a process of its own, told more by its environment: its address."""
    told = ENVIRONMENT | (environment or {})
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=ROOT, env=told, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        yield said_address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def said_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that a server writes to its log when it is open."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if found := re.search(r"http://127\.0\.0\.1:\d+/graphql", log.read_text()):
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} is not open:\n{log.read_text()}")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with its demo scene."""
    data = tmp_path_factory.mktemp("served") / "data"
    words = ["serve", "--port", "0", "--data", str(data)]
    with opened(data.with_name("served.log"), "graph.server.cli", *words) as url:
        yield Served(data, url)


@pytest.fixture(scope="session")
def clock(served: Served) -> Iterator[str]:
    """The endpoint of a second server, over the same data, whose schema has a subscription."""
    with opened(served.data.with_name("clock.log"), "tests.conformance.clock_server", str(served.data)) as url:
        yield url


@pytest.fixture(scope="session")
def node() -> Node:
    """Node and the clients; who needs it is skipped where it is not to be had."""
    try:
        return installed()
    except NodeUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser; who needs it is skipped where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found
