"""What hostile requests cost the server, and what everybody else notices: `.venv/bin/python tests/benchmarks/attacks.py`.

Two tables. In the first each attack is sent 50 times, 50 a second, never twice the same, over HTTP, WebSocket and SSE;
buckets are deep and not refilled, so that every request is looked at and every point shows. In the second one actor
keeps at it against the product's own settings. A probe in a process of its own asks for next to nothing every 20 ms:
what it waits longer than in quiet is the lag of the event loop. Words after the program's name choose attacks by parts
of their names; `flood` alone asks for the second table only.

The attacks themselves stand in `tests/benchmarks/hostile.py`.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from graph.limits import ANONYMOUS, KNOWN, Limits
from tests.benchmarks.hostile import BODY, HANDSHAKE, OPENING, Body, crumbs, frames, heads, near, published, widest
from tests.benchmarks.processes import cpu

ROOT = Path(__file__).parents[2]
HANDLE = "oda-verrill"
"""Somebody of the demo scene."""
TIMES, RATE = 50, 50
FLOOD_SECONDS = 10
PROBE_EVERY = 0.02
PROBE_ADDRESS = "127.0.1.1"
"""Every loopback address is an actor of its own."""
MOST_MILLISECONDS, MOST_MEBIBYTES, MOST_LAG = 40, 16, 50
NEXT_TO_NOTHING = b'{"query":"{ __typename }"}'
UNREFILLED = {"CASSET_POINTS": "1000000", "CASSET_POINTS_PER_SECOND": "1"}


# -- the server and the probe ------------------------------------------------------------------------------------------


class Server:
    """`casset serve` as a process of its own."""

    def __init__(self, data: Path, settings: Mapping[str, str]) -> None:
        """Start it, and wait until it accepts connections."""
        self._data = data
        self._log = data.with_suffix(".log")
        command = [sys.executable, "-m", "graph.server.cli", "serve", "--port", "0", "--data", str(data)]
        with self._log.open("w") as written:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **settings}, stdout=written, stderr=subprocess.STDOUT
            )
        self._seen = psutil.Process(self._process.pid)
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/graphql", self._log.read_text())):
            self._wait()
        self.url, self.port = found[0], int(found[1])
        while not self._accepts():
            self._wait()

    def _wait(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(self._log.read_text())
        time.sleep(0.05)

    def _accepts(self) -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def session(self) -> dict[str, str]:
        """The header of a new session of somebody who holds an artist."""
        command = [sys.executable, "-m", "graph.server.cli", "token", HANDLE, "--data", str(self._data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return {"authorization": f"Bearer {done.stdout.strip()}"}

    @property
    def milliseconds(self) -> float:
        """Of CPU, so far."""
        return cpu([self._process.pid])

    @property
    def mebibytes(self) -> float:
        """Resident."""
        return self._seen.memory_info().rss / 2**20

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def _probe(port: int, pipe: Any) -> None:
    """Ask every 20 ms, over one connection for as long as it is left open; tell how long answers took when told to."""
    took: list[float] = []
    client = HTTPConnection("127.0.0.1", port, timeout=60, source_address=(PROBE_ADDRESS, 0))
    due = time.monotonic()
    while True:
        if pipe.poll(max(0.0, due - time.monotonic())):
            if pipe.recv() == "stop":
                return
            pipe.send(took)
            took = []
            continue
        began = time.monotonic()
        try:
            client.request("POST", "/graphql", NEXT_TO_NOTHING, {"content-type": "application/json"})
            client.getresponse().read()
        except (ConnectionError, HTTPException):
            client.close()
        took.append((time.monotonic() - began) * 1e3)
        due = max(due + PROBE_EVERY, time.monotonic())


@contextmanager
def probing(port: int) -> Iterator[Callable[[], list[float]]]:
    """A probe while the block runs: the milliseconds its answers took since it was last asked."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_probe, args=(port, there), daemon=True)
    process.start()
    there.close()

    def tell() -> list[float]:
        here.send("tell")
        return list(here.recv())

    try:
        yield tell
    finally:
        here.send("stop")
        process.join()


# -- the roads ---------------------------------------------------------------------------------------------------------


class Attacker:
    """One actor: an address, and perhaps a session."""

    def __init__(self, server: Server, address: str, session: Mapping[str, str]) -> None:
        """Connect to nothing yet."""
        self._server = server
        self._address = address
        self._session = dict(session)
        self._socket: ClientConnection | None = None
        self._turn = asyncio.Lock()
        # Let go of before the server does: a request on its way to a closed connection is lost.
        kept = httpx.Limits(max_connections=20, keepalive_expiry=2)
        transport = httpx.AsyncHTTPTransport(local_address=address, limits=kept)
        self._client = httpx.AsyncClient(transport=transport, timeout=60)

    async def http(self, body: bytes, more: Mapping[str, str] | None = None) -> str:
        """POST; the status and the first error's code."""
        given = {"content-type": "application/json", **self._session, **(more or {})}
        answer = await self._client.post(self._server.url, content=body, headers=given)
        return f"{answer.status_code} {_code(answer.text)}"

    async def sse(self, body: bytes) -> str:
        """POST, and nothing but a stream is taken for an answer."""
        return await self.http(body, {"accept": "text/event-stream"})

    async def websocket(self, body: bytes) -> str:
        """Subscribe; the answer's type and code, or how the socket was closed."""
        async with self._turn:
            try:
                if self._socket is None:
                    self._socket = await self._opened()
                await self._socket.send('{"id":"1","type":"subscribe","payload":' + body.decode() + "}")
                heard = str(await self._socket.recv())
                if '"type":"next"' in heard:
                    await self._socket.recv()
            except ConnectionClosed as closed:
                self._socket = None
                return f"closed {closed.rcvd.code if closed.rcvd else ''}"
        return f"{json.loads(heard)['type']} {_code(heard)}"

    async def _opened(self) -> ClientConnection:
        opened = await connect(
            f"ws://127.0.0.1:{self._server.port}/graphql",
            subprotocols=["graphql-transport-ws"],
            compression=None,
            proxy=None,
            local_addr=(self._address, 0),
            additional_headers=self._session,
        )
        await opened.send('{"type":"connection_init"}')
        await opened.recv()
        return opened

    async def wire(self, sent: bytes, before: bytes = b"") -> str:
        """Send bytes on a connection of their own, after a handshake where one is given; how it was ended."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port, local_addr=(self._address, 0))
        heard = b""
        try:
            if before:
                writer.write(before)
                heard = await reader.readuntil(b"\r\n\r\n")
            writer.write(sent)
            heard += await reader.read()
        except ConnectionError:
            pass
        writer.close()
        return heard.rpartition(b"\x88")[2][3:].decode() if before else heard.partition(b"\r\n")[0].decode()

    async def remaining(self) -> int:
        """The points left, one less each time they are asked for."""
        given = {"content-type": "application/json", **self._session}
        answer = await self._client.post(self._server.url, content=NEXT_TO_NOTHING, headers=given)
        return int(re.search(r"r=(\d+)", answer.headers["ratelimit"])[1])

    async def close(self) -> None:
        """Disconnect."""
        if self._socket is not None:
            await self._socket.close()
        await self._client.aclose()


def _code(text: str) -> str:
    found = re.search(r'"code":"(\w+)"', text)
    return found[1] if found else ""


async def paced(sending: Sequence[Callable[[], Awaitable[str]]]) -> Counter[str]:
    """Send at the rate, whether answered or not; the answers, counted."""
    began = time.monotonic()
    under_way = []
    for number, send in enumerate(sending):
        await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
        under_way.append(asyncio.ensure_future(send()))
    return Counter(await asyncio.gather(*under_way))


# -- the tables --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quiet:
    """The probe's answers while nobody else asks: milliseconds, and what one of them costs the server."""

    median: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What one attack came to."""

    answers: Counter[str]
    milliseconds: float
    lag: float
    p99: float
    mebibytes: float
    points: float


async def quiet(server: Server, tell: Callable[[], list[float]]) -> Quiet:
    """Look at the probe alone for a while."""
    await asyncio.sleep(1)
    tell()
    before = server.milliseconds
    await asyncio.sleep(2)
    took = sorted(tell())
    return Quiet(median(took), took[len(took) * 99 // 100], (server.milliseconds - before) / len(took))


async def measured(
    server: Server,
    tell: Callable[[], list[float]],
    usual: Quiet,
    attacker: Attacker,
    sending: Sequence[Callable[[], Awaitable[str]]],
) -> Cost:
    """Send an attack and watch the server."""
    points, memory = await attacker.remaining(), server.mebibytes
    tell()
    before = server.milliseconds
    answers = await paced(sending)
    took = sorted(tell())
    used = server.milliseconds - before - usual.cpu * len(took)
    spent = points - await attacker.remaining() - 1
    return Cost(
        answers,
        used / len(sending),
        took[-1] - usual.median,
        took[len(took) * 99 // 100] - usual.p99,
        server.mebibytes - memory,
        spent / len(sending),
    )


async def _row(table: Table, name: str, road: str, measuring: Awaitable[Cost]) -> None:
    cost = await measuring
    said = ", ".join(
        answer if count == cost.answers.total() else f"{count} × {answer}" for answer, count in cost.answers.items()
    )
    cells = [
        (f"{cost.milliseconds:.1f}", cost.milliseconds > MOST_MILLISECONDS),
        (f"{cost.lag:.0f}", False),
        (f"{cost.p99:.0f}", cost.p99 > MOST_LAG),
        (f"{cost.mebibytes:.1f}", cost.mebibytes > MOST_MEBIBYTES),
        (f"{cost.points:.0f}", False),
    ]
    table.add_row(name, road, said, *[f"[bold red]{text}[/]" if over else text for text, over in cells])


def _table(title: str) -> Table:
    table = Table(title=title)
    for name in ("attack", "road", "answered"):
        table.add_column(name, overflow="fold")
    for name in ("CPU ms each", "lag max ms", "p99 more ms", "RSS more MiB", "points each"):
        table.add_column(name, justify="right")
    return table


def _chosen(attacks: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    return {name: body for name, body in attacks.items() if not words or any(word in name for word in words)}


async def one_by_one(data: Path, words: Sequence[str], console: Console, limits: Limits) -> None:
    """The first table: each attack by itself, within the limits of those we know or of those we do not."""
    server = Server(data, UNREFILLED)
    table = _table(f"{'known' if limits is KNOWN else 'anonymous'}: {TIMES} times each, {RATE} a second")
    attacks = published() | near(limits) | {"an operation with a long statement": widest(limits)}
    try:
        with probing(server.port) as tell:
            usual = await quiet(server, tell)
            table.caption = f"in quiet: {usual.median:.1f} ms, p99 {usual.p99:.1f} ms, {usual.cpu:.2f} ms CPU each"
            given = server.session() if limits is KNOWN else {}
            for number, (name, body) in enumerate(_chosen(attacks, words).items()):
                attacker = Attacker(server, f"127.0.2.{number + 1}", given)
                roads = {"HTTP": attacker.http}
                if limits is ANONYMOUS and len(body(0)) <= BODY:
                    roads |= {"WebSocket": attacker.websocket, "SSE": attacker.sse}
                for before, (road, send) in enumerate(roads.items()):
                    # A document kept from the road before would cost nothing on this one.
                    sending = [partial(send, body(before * TIMES + turn)) for turn in range(TIMES)]
                    await _row(table, name, road, measured(server, tell, usual, attacker, sending))
                await attacker.close()
            for number, (name, more) in enumerate(_chosen(heads(), words).items() if limits is ANONYMOUS else ()):
                attacker = Attacker(server, f"127.0.3.{number + 1}", {})
                sending = [partial(attacker.http, NEXT_TO_NOTHING, more(turn)) for turn in range(TIMES)]
                await _row(table, name, "HTTP", measured(server, tell, usual, attacker, sending))
                await attacker.close()
            for number, (name, frame) in enumerate(_chosen(frames(), words).items() if limits is ANONYMOUS else ()):
                attacker = Attacker(server, f"127.0.5.{number + 1}", {})
                sending = [partial(attacker.wire, OPENING + frame * 10_000, HANDSHAKE)] * TIMES
                await _row(table, f"10,000 {name}", "WebSocket", measured(server, tell, usual, attacker, sending))
                await attacker.close()
            if limits is ANONYMOUS and (not words or "crumbs" in words):
                attacker = Attacker(server, "127.0.6.1", {})
                sending = [partial(attacker.wire, crumbs(60_000))] * TIMES
                await _row(table, "a body in 60,000 crumbs", "HTTP", measured(server, tell, usual, attacker, sending))
                await attacker.close()
    finally:
        server.stop()
        console.print(table)


async def flood(data: Path, console: Console) -> None:
    """The second table: one actor keeps at it, against the product's own settings."""
    server = Server(data, {})
    table = _table(f"one actor, {RATE} a second for {FLOOD_SECONDS} s, the product's own settings")
    every = [body for body in (published() | near(ANONYMOUS)).values() if len(body(0)) <= BODY]
    dearest = "30,000 lines, five errors, one field again and again"
    variables = published()["14 variables of 64 KiB"]
    floods: dict[str, Body] = {
        "all of them in turn": lambda turn: every[turn % len(every)](turn),
        dearest: near(ANONYMOUS)[dearest],
        "64 KiB of variables": variables,
        "64 KiB of variables, always one document": lambda _: variables(0),
        "an operation with a long statement": widest(ANONYMOUS),
    }
    try:
        with probing(server.port) as tell:
            usual = await quiet(server, tell)
            for number, (name, body) in enumerate(floods.items()):
                attacker = Attacker(server, f"127.0.4.{number + 1}", {})
                sending = [partial(attacker.http, body(turn)) for turn in range(RATE * FLOOD_SECONDS)]
                await _row(table, name, "HTTP", measured(server, tell, usual, attacker, sending))
                await attacker.close()
    finally:
        server.stop()
        console.print(table)


def main() -> None:
    """Print the tables."""
    console = Console(width=180)
    words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        if words != ["flood"]:
            for limits in (ANONYMOUS, KNOWN):
                asyncio.run(one_by_one(data, words, console, limits))
        if words in ([], ["flood"]):
            asyncio.run(flood(data, console))


if __name__ == "__main__":
    main()
