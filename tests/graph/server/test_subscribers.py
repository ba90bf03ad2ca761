"""Subscribers that do not read, leave, or are killed: nobody else is hurt, and nothing of them is left."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.graph.server.serving_clock import Served, numbers, served, until

ROOT = Path(__file__).parents[3]
COUNTING = "subscription ($until: Int) { clock(until: $until) { number } }"
FLOOD = "subscription { clock(size: 8000) { number text } }"


@pytest.fixture(scope="module")
def server(new_target: Callable[[], dict[str, Any]]) -> Iterator[Served]:
    with served(new_target()) as running:
        yield running


@pytest.fixture
async def quiet(server: Served) -> AsyncIterator[Served]:
    """The server, on which nothing runs before the test, nor after it."""
    server.clock.made = 0
    yield server
    await until(lambda: server.clock.running == 0)


# Slow readers


async def test_a_burst_reaches_who_reads_it(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.subscribe("1", COUNTING, variables={"until": 2000})
        heard = [await client.hear() for _ in range(2001)]
    assert numbers(heard) == list(range(1, 2001))
    assert heard[-1] == {"id": "1", "type": "complete"}


async def test_who_does_not_read_is_closed_with_the_place_to_resume_from(quiet: Served) -> None:
    async with deaf(quiet) as client, quiet.socket() as other:
        await client.subscribe("1", FLOOD)
        await until(lambda: quiet.clock.made > 0)
        # Nobody else is hurt meanwhile.
        for number in range(20):
            await other.answer(str(number), "{ __typename }")
        await until(lambda: quiet.clock.running == 0)
        # Now it reads after all.
        heard = await client.rest()
    seen = numbers(heard)
    assert seen == list(range(1, len(seen) + 1))
    assert heard[-1] == {"code": 1013, "reason": f"resume after tick-{seen[-1]}"}
    assert len(seen) < quiet.clock.made


async def test_what_waits_for_who_does_not_read_is_bounded(quiet: Served) -> None:
    limits = quiet.app._sockets.limits
    async with deaf(quiet) as client:
        await client.subscribe("1", FLOOD)
        await until(lambda: quiet.clock.made > 0 and quiet.clock.running == 0)
        # What is neither with the kernel nor in the transport waited, and was thrown away.
        seen = numbers(await client.rest())
    assert (quiet.clock.made - len(seen)) * 8000 <= limits.unsent_bytes + 100_000


def deaf(server: Served) -> Any:
    """A socket whose client reads only when it is told to, and has little room for what it does not read."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", server.http.port))
    return server.socket(sock=small, max_queue=1)


# Crowds

SOCKETS = 200
"""Of a crowd; the figures of the note are those of 1,000."""
SLACK = 4 << 20
"""Bytes by which memory may differ between two crowds that have left: 20 KiB for each socket."""


async def crowd(server: Served) -> None:
    """Subscribers come in a process of their own, and are killed."""
    command = [sys.executable, "-m", "tests.graph.server.crowd", server.url.replace("http", "ws"), str(SOCKETS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert await asyncio.to_thread(process.stdout.readline) == b"%d\n" % SOCKETS
            assert server.clock.running == SOCKETS
        finally:
            process.kill()
    state = server.http.server.server_state
    await until(lambda: not (server.clock.running or state.connections or state.tasks))


async def test_a_crowd_that_is_killed_leaves_nothing_behind(quiet: Served) -> None:
    # What is made once for ever is made with the first one.
    await crowd(quiet)
    before = memory()
    await crowd(quiet)
    assert memory() - before < SLACK


def memory() -> int:
    """The bytes of this process, and of the server in it, that are in use."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)
