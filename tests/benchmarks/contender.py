"""One contender, a server process of its own: `contender.py NAME` with the target of asyncpg as JSON on standard input.

Says its port on standard output and serves until standard input closes. All are uvicorn on uvloop and httptools, one
process, and `db.engine.Database` with its pool:

    plan       the product as it is
    reference  the product with EXECUTION=reference
    unguarded  the product whose statements are compiled without visibility predicates
    bare       the read engine behind an endpoint that only reads a body and writes one: what the door is measured against
    floor      bare routes that run the twins, by hand, and write the bytes: POST /W {"handle": …}, POST /S {"id": …}
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import socket
import sys
from typing import Any

import orjson
import uvicorn
import uvloop
from sqlalchemy import true
from workload import twins

from db import access, tables
from db.engine import Database
from db.history import holds_now
from db.map import TYPES
from domain.accounts import ANONYMOUS
from domain.ids import parse_ref
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from graph.server.app import create_app
from graph.server.serving import server_of
from graph.server.settings import Environment, Settings
from graph.server.tidying import keep_what_is_made

PRODUCTS = {"plan": Execution.PLAN, "reference": Execution.REFERENCE, "unguarded": Execution.PLAN}
NAMES = (*PRODUCTS, "bare", "floor")
PLENTY = 10**6


class Bare:
    """The least an endpoint does: one body in, one body out, nothing checked and nothing limited."""

    def __init__(self, database: Database) -> None:
        """Read with the product's engine."""
        self._database = database
        self._reader = Reader(executable(), database)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        message = await receive()
        body = await self._answer(scope, orjson.loads(message["body"]))
        headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Any, asked: Any) -> bytes:
        answer = await self._reader.answer(asked["query"], None, asked["variables"], ANONYMOUS)
        return answer.body

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await self._database.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._database.close()
        await send({"type": "lifespan.shutdown.complete"})


class Floor(Bare):
    """What a good engineer writes where there is no GraphQL: one route for each operation, its SQL, its bytes."""

    def __init__(self, database: Database) -> None:
        """Know the twins."""
        self._database = database
        self._twins = twins()

    async def _answer(self, scope: Any, asked: Any) -> bytes:
        name = scope["path"][1:]
        (subject,) = asked.values()
        return await self._database.fetch(self._twins[name], arguments(name, subject), keep=True)


def arguments(name: str, subject: str) -> tuple[Any, ...]:
    """What a twin is given: the subject, then what anonymous holds, and that they are no agent."""
    if name == "W":
        return subject.casefold(), (), False
    ref = parse_ref(subject)
    return (ref.id, (), False) if name == "D" else (ref.id, ref.kind.value.upper(), (), False)


def remove_guards() -> None:
    """Compile without visibility: every row is seen and shown; which row of a history holds now stays a question."""
    history = {tables.policy, tables.split, tables.lineage_edge}

    def unguarded(table: Any, _: Any, row: Any) -> Any:
        return holds_now(row) if table in history else true()

    for module in [module for name, module in sys.modules.items() if name.startswith("db.")]:
        if getattr(module, "allowed", None) is access.allowed and module is not access:
            module.allowed = unguarded
    for name, type_ in TYPES.items():
        TYPES[name] = dataclasses.replace(type_, shown=None)


def server_for(name: str, database: Database) -> uvicorn.Server:
    """The server of a contender."""
    if name in PRODUCTS:
        if name == "unguarded":
            remove_guards()
        settings = Settings(
            environment=Environment.PRODUCTION, execution=PRODUCTS[name], points=PLENTY, points_per_second=PLENTY
        )
        return server_of(create_app(settings, database))
    config = uvicorn.Config(
        Bare(database) if name == "bare" else Floor(database),
        http="httptools",
        loop="none",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    return uvicorn.Server(config)


async def serve(name: str, target: dict[str, Any]) -> None:
    """Serve until standard input closes."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = server_for(name, Database(target))
    keep_what_is_made()
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdout = sys.stderr  # nobody reads on: a log would fill the pipe and stop us

    async def watch() -> None:
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True

    watching = asyncio.create_task(watch())
    await server.serve(sockets=[listening])
    watching.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(serve(sys.argv[1], json.loads(sys.stdin.readline())))
