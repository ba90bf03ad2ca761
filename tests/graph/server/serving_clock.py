"""The product served as in production, with test subscriptions of its own, and a client of its WebSockets.

What a subscription's source does is seen here: how many run, how many events they made.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from db.engine import Database
from graph.schema import executable
from graph.server.admission import ConnectionLimits
from graph.server.app import Application, create_app
from graph.server.health import DrainingServer
from graph.server.messages import SUBPROTOCOL
from graph.server.serving import server_of
from graph.server.settings import Settings
from graph.server.sockets import SocketLimits
from tests.graph.server.running import PATIENCE, Running, running

HOUR = 3_600_000
"""Milliseconds between two ticks where a test wants none."""
NOWHERE = {"host": "127.0.0.1", "port": 1, "user": "casset", "database": "casset"}
"""A database that is away."""


@dataclass(frozen=True, slots=True)
class Tick:
    """An event; its number is the place to resume from."""

    number: int
    text: str

    @property
    def clock(self) -> Tick:
        return self

    @property
    def mark(self) -> str:
        return f"tick-{self.number}"


class Clock:
    """The sources of the test subscriptions."""

    def __init__(self) -> None:
        self.running = 0
        self.made = 0

    async def ticks(
        self, _: Any, __: Any, *, every: int = 0, until: int | None = None, size: int = 0, **___: Any
    ) -> AsyncIterator[Tick]:
        """Ticks from 1 on, without ever giving way where `every` is 0."""
        self.running += 1
        try:
            for number in itertools.count(1):
                if until is not None and number > until:
                    return
                if every:
                    # The first tick comes at once.
                    await asyncio.sleep(every / 1000 if number > 1 else 0)
                self.made += 1
                yield Tick(number, "x" * size)
        finally:
            self.running -= 1

    async def broken(self, _: Any, __: Any) -> AsyncIterator[Tick]:
        """A source with a defect."""
        yield Tick(1, "")
        raise LookupError("a defect of the test")

    def schema(self) -> GraphQLSchema:
        """The product's schema and these subscriptions."""
        product = executable()
        artist = product.query_type.fields["artist"]
        every = GraphQLArgument(GraphQLInt, default_value=0)
        fields = {
            "clock": GraphQLField(
                GraphQLObjectType(
                    "Tick",
                    {"number": GraphQLField(GraphQLNonNull(GraphQLInt)), "text": GraphQLField(GraphQLString)},
                ),
                args={
                    "every": every,
                    "until": GraphQLArgument(GraphQLInt),
                    "size": GraphQLArgument(GraphQLInt, default_value=0),
                },
                subscribe=self.ticks,
            ),
            "artist": GraphQLField(
                artist.type,
                args={"handle": GraphQLArgument(GraphQLNonNull(GraphQLString)), "every": every},
                subscribe=self.ticks,
                resolve=lambda _, info, handle, **__: artist.resolve(None, info, handle=handle),
            ),
            "broken": GraphQLField(GraphQLInt, subscribe=self.broken),
        }
        return listening(product, fields)


def listening(schema: GraphQLSchema, fields: Mapping[str, GraphQLField]) -> GraphQLSchema:
    """A schema with more to subscribe to."""
    own, kept = schema.subscription_type, schema.to_kwargs()
    types = [type_ for type_ in kept["types"] if type_ is not own]
    subscription = GraphQLObjectType("Subscription", {**own.fields, **fields})
    return GraphQLSchema(**{**kept, "types": types, "subscription": subscription})


@dataclass(frozen=True, slots=True)
class Served:
    """A server that accepts connections, and what is inside it."""

    app: Application
    clock: Clock
    http: Running

    def leave(self) -> None:
        """Begin the end of the process, as SIGTERM does."""
        self.http.server.should_exit = True

    @property
    def url(self) -> str:
        return f"{self.http.address}/graphql"

    @contextlib.asynccontextmanager
    async def socket(self, init: Mapping[str, Any] | None = None, **options: Any) -> AsyncIterator[Client]:
        """A WebSocket that has been acknowledged."""
        async with self.bare_socket(**options) as client:
            await client.say(type="connection_init", **({} if init is None else {"payload": init}))
            assert await client.hear() == {"type": "connection_ack"}
            yield client

    @contextlib.asynccontextmanager
    async def bare_socket(self, **options: Any) -> AsyncIterator[Client]:
        """A WebSocket that has said nothing."""
        given = {"subprotocols": [SUBPROTOCOL], "compression": None, "proxy": None, "close_timeout": 1} | options
        async with connect(f"ws://127.0.0.1:{self.http.port}/graphql", **given) as socket:
            yield Client(socket)


class Client:
    """The other end of one WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(orjson.dumps(message).decode())

    async def subscribe(self, id: str, query: str, **payload: Any) -> None:
        await self.say(id=id, type="subscribe", payload={"query": query, **payload})

    async def hear(self) -> dict[str, Any]:
        """The next message; how the server closed where there is none."""
        try:
            async with asyncio.timeout(PATIENCE):
                return dict(orjson.loads(await self.socket.recv()))
        except ConnectionClosed as closed:
            return {} if closed.rcvd is None else {"code": closed.rcvd.code, "reason": closed.rcvd.reason}

    async def rest(self) -> list[dict[str, Any]]:
        """Every message until the server closes, and how it did."""
        heard = [await self.hear()]
        while "type" in heard[-1]:
            heard.append(await self.hear())
        return heard

    async def closed(self) -> int:
        """The code that the server closes with; what it says before is passed over."""
        return int((await self.rest())[-1]["code"])

    async def answer(self, id: str, query: str, **payload: Any) -> dict[str, Any]:
        """The one answer to an operation, or its errors."""
        await self.subscribe(id, query, **payload)
        heard = await self.hear()
        assert heard["id"] == id
        if heard["type"] == "next":
            assert await self.hear() == {"id": id, "type": "complete"}
        return dict(heard)

    async def lives(self) -> bool:
        """Whether the socket still answers."""
        await self.say(type="ping")
        return (await self.hear()).get("type") == "pong"


@contextlib.contextmanager
def served(
    target: Mapping[str, Any],
    settings: Settings | None = None,
    *,
    sockets: SocketLimits | None = None,
    heartbeat: float | None = None,
    limits: ConnectionLimits | None = None,
    **config: Any,
) -> Iterator[Served]:
    """Serve a database until the block ends, with shorter times where a test cannot wait for the real ones."""
    clock = Clock()
    app = create_app(settings or Settings(), Database(target), schema=clock.schema())
    if sockets is not None:
        app._sockets.limits = sockets
    if heartbeat is not None:
        app._endpoint._streams._heartbeat = heartbeat
    production = server_of(app).config
    given = {name: getattr(production, name) for name in ("ws", "ws_max_size", "ws_per_message_deflate")}
    make_server = functools.partial(DrainingServer, draining=app.health.draining)
    with running(app, limits, make_server=make_server, **{"lifespan": "on", **given, **config}) as http:
        yield Served(app, clock, http)


async def until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def numbers(messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Of the ticks among messages of a socket."""
    return [message["payload"]["data"]["clock"]["number"] for message in messages if message.get("type") == "next"]
