"""Alive, ready, and going: what a load balancer hears, and that nobody is cut off on the way out."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from db.engine import POOL_SIZE, Database
from graph.server.health import DrainingServer, Health
from tests.graph.server.running import PATIENCE, answer, rest, running

ROOT = Path(__file__).parents[3]


async def ask(health: Health, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=health.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://casset") as client:
        return await client.get(path)


async def test_a_process_is_ready_while_its_database_answers(database: Database) -> None:
    health = Health(database)
    assert (await ask(health, "/readyz")).status_code == 200
    await database.close()
    unready = await ask(health, "/readyz")
    assert (unready.status_code, unready.headers["retry-after"]) == (503, "1")
    assert unready.json()["detail"] == "The database does not answer."
    await database.open()
    assert (await ask(health, "/readyz")).status_code == 200


async def test_a_process_lives_without_its_database_and_while_it_goes(database: Database) -> None:
    health = Health(database)
    await database.close()
    health.draining.set()
    assert (await ask(health, "/livez")).status_code == 200


async def test_a_process_that_goes_is_not_ready(database: Database) -> None:
    health = Health(database)
    health.draining.set()
    unready = await ask(health, "/readyz")
    assert (unready.status_code, unready.json()["detail"]) == (503, "The process is going away.")


async def test_a_database_that_is_too_slow_is_not_ready(database: Database) -> None:
    busy = [asyncio.create_task(database.fetch("SELECT pg_sleep(1)::text", (), keep=False)) for _ in range(POOL_SIZE)]
    await asyncio.sleep(0)
    assert (await ask(Health(database, patience=0.05), "/readyz")).status_code == 503
    await asyncio.gather(*busy)


async def test_many_who_wonder_at_once_are_one_statement(database: Database, statements: list[str]) -> None:
    health = Health(database)
    statements.clear()
    answers = await asyncio.gather(*(ask(health, "/readyz") for _ in range(50)))
    assert {each.status_code for each in answers} == {200}
    assert len(statements) == 1


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_nothing_about_health_is_cached(database: Database, path: str) -> None:
    assert (await ask(Health(database), path)).headers["cache-control"] == "no-store"


class Leaving:
    """An application with a long answer, and a stream that ends itself when the process goes."""

    def __init__(self) -> None:
        self.health = Health(Database({}))
        self.go_on = threading.Event()
        self.begun = threading.Semaphore(0)
        self.rest = Starlette(routes=self.health.routes())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        match scope["path"]:
            case "/wait":
                self.begun.release()
                await asyncio.to_thread(self.go_on.wait, PATIENCE)
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"waited"})
            case "/stream":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
                self.begun.release()
                await self.health.draining.wait()
                await send({"type": "http.response.body", "body": b"ended"})
            case _:
                await self.rest(scope, receive, send)


def test_what_is_in_flight_is_finished_and_nothing_new_is_accepted() -> None:
    app = Leaving()
    make_server = functools.partial(DrainingServer, draining=app.health.draining)
    get = b"GET /%b HTTP/1.1\r\nHost: casset\r\n\r\n"
    with (
        running(app, make_server=make_server, timeout_graceful_shutdown=PATIENCE) as server,
        server.connect() as waiting,
        server.connect() as streaming,
        server.connect() as probing,
    ):
        waiting.sendall(get % b"wait")
        streaming.sendall(get % b"stream")
        app.begun.acquire()
        app.begun.acquire()
        probing.sendall(get % b"livez")
        assert answer(probing).startswith(b"HTTP/1.1 200")
        server.server.should_exit = True
        assert b"ended" in rest(streaming)
        assert rest(probing) == b""
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        app.go_on.set()
        assert b"waited" in rest(waiting)


STUCK = """
import asyncio, socket, uvicorn, uvloop
from graph.server.guard import Guard
from graph.server.health import DrainingServer
from graph.server.protocol import CassetProtocol

async def stuck(scope, receive, send):
    print("begun", flush=True)
    await asyncio.Event().wait()

async def main():
    config = uvicorn.Config(
        Guard(stuck), loop="none", http=CassetProtocol, ws="none", lifespan="off", timeout_graceful_shutdown=0
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        await DrainingServer(config, asyncio.Event()).serve([listening])

uvloop.run(main())
"""


def test_what_takes_too_long_for_the_drain_is_told_to_come_again() -> None:
    command = [sys.executable, "-c", STUCK]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: casset\r\n\r\n")
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGTERM)
            assert rest(client).startswith(b"HTTP/1.1 503")
        assert process.wait(PATIENCE) == -signal.SIGTERM


def test_a_process_that_goes_says_so_before_it_stops_listening() -> None:
    app = Leaving()
    make_server = functools.partial(DrainingServer, draining=app.health.draining)
    details = []
    with running(app, make_server=make_server) as server, httpx.Client(headers={"connection": "close"}) as client:
        server.server.should_exit = True
        with contextlib.suppress(httpx.TransportError):
            while True:
                details.append(client.get(server.address + "/readyz").json()["detail"])
    assert details[-1] == "The process is going away."
