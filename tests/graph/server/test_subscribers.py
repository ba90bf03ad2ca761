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

from graph.server.admission import ConnectionLimits
from graph.server.socket_protocol import CassetSocketProtocol
from graph.server.sockets import SocketLimits
from tests.graph.server.serving_clock import HOUR, Served, numbers, served, until

ROOT = Path(__file__).parents[3]
SILENT = f"subscription {{ clock(every: {HOUR}) {{ number }} }}"
COUNTING = "subscription ($until: Int) { clock(until: $until) { number } }"
FLOOD = "subscription { clock(size: 8000) { number text } }"


@pytest.fixture(scope="module")
def target(new_target: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A database that nobody writes to."""
    return new_target()


@pytest.fixture(scope="module")
def server(target: dict[str, Any]) -> Iterator[Served]:
    """One server for all that needs no limits of its own."""
    with served(target) as running:
        yield running


@pytest.fixture
async def quiet(server: Served) -> AsyncIterator[Served]:
    """The server, on which nothing runs before the test, nor after it."""
    server.clock.made = 0
    yield server
    await until(lambda: server.clock.running == 0)


async def test_a_client_that_leaves_without_a_word_stops_its_sources(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.subscribe("1", SILENT)
        await client.hear()
        client.socket.transport.abort()
        await until(lambda: quiet.clock.running == 0)


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


@pytest.mark.parametrize(
    "limits", [SocketLimits(unsent=10), SocketLimits(unsent_bytes=10 * 8000)], ids=["number", "size"]
)
async def test_what_waits_for_who_does_not_read_is_bounded(target: dict[str, Any], limits: SocketLimits) -> None:
    with served(target, sockets=limits) as strict:
        async with deaf(strict) as client:
            await client.subscribe("1", FLOOD)
            await until(lambda: strict.clock.made > 0 and strict.clock.running == 0)
            seen = numbers(await client.rest())
    # Ten may wait; a few more are made before the source is told to stop.
    assert strict.clock.made - len(seen) < 20


async def test_who_never_reads_is_given_up(target: dict[str, Any]) -> None:
    with served(target, sockets=SocketLimits(goodbye_seconds=0.2)) as strict:
        async with deaf(strict) as client:
            await client.subscribe("1", FLOOD)
            await until(lambda: strict.clock.made > 0 and not strict.http.server.server_state.tasks)
            assert strict.clock.running == 0


def deaf(server: Served) -> Any:
    """A socket whose client reads only when it is told to, and has little room for what it does not read."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", server.http.port))
    return server.socket(sock=small, max_queue=1)


# Crowds

SOCKETS = 200
"""Of a crowd; the figures of the note are those of 1,000."""
BYTES = 4 << 20
"""By which memory may differ between two crowds that have left; one socket of a crowd takes about 35 KiB."""
BLOCKS = SOCKETS
"""Pieces of memory that may be kept of a crowd; a socket is made of hundreds."""


async def test_who_takes_nothing_is_let_go_by_the_wire(target: dict[str, Any]) -> None:
    class Quick(CassetSocketProtocol):
        limits = ConnectionLimits(write_seconds=0.3)

    with served(target, ws=Quick) as strict:
        async with deaf(strict) as client, strict.socket() as other:
            await client.subscribe("1", FLOOD)
            await until(lambda: strict.clock.made > 0 and len(strict.http.server.server_state.connections) == 1)
            assert strict.clock.running == 0
            assert await other.lives()


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
    kept_bytes, kept_blocks = (now - then for now, then in zip(memory(), before, strict=True))
    assert kept_bytes < BYTES
    assert kept_blocks < BLOCKS


def memory() -> tuple[int, int]:
    """What this process, and the server in it, holds: bytes of the machine's memory, and pieces in use."""
    gc.collect()
    return psutil.Process().memory_info().rss, sys.getallocatedblocks()
