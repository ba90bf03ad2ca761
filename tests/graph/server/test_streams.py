"""Answers in parts over HTTP, byte by byte: graphql-sse in distinct connections, Apollo's multipart subscriptions.

The protocols: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md and
https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from db import tables
from db.accounts import add_session
from db.engine import Database
from graph.server.admission import ConnectionLimits
from graph.server.settings import Settings
from graph.server.streams import MOST_STREAMS
from tests.graph.server.serving_clock import HOUR, NOWHERE, PATIENCE, Served, served, until

SSE, MULTIPART, JSON = "text/event-stream", "multipart/mixed", "application/json"
SECRET = "a secret of the test"  # made up here
COUNTING = "subscription ($until: Int) { clock(until: $until) { number } }"
SILENT = f"subscription {{ clock(every: {HOUR}) {{ number }} }}"
FLOOD = "subscription { clock(size: 8000) { number text } }"
TICK = b'{"data":{"clock":{"number":%d}}}'
COMPLETE = b"event: complete\ndata:\n\n"
PART = b'\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{"payload":%b}'
BOUNDARY = b"\r\n---"


@pytest.fixture(scope="module")
async def database(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Database]:
    """What the servers here read: one account with a session."""
    opened = Database(new_target())
    await opened.open()
    async with opened.write() as connection:
        await connection.execute(insert(tables.account).values(id=UUID(int=41), handle="ada"))
        secret_hash = hashlib.sha256(SECRET.encode()).digest()
        await add_session(connection, UUID(int=42), UUID(int=41), secret_hash, timedelta(days=1))
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def server(database: Database) -> Iterator[Served]:
    """One server for all that needs no times or limits of its own."""
    with served(database._target) as running:
        yield running


@pytest.fixture
async def quiet(server: Served) -> AsyncIterator[Served]:
    """The server, on which nothing runs before the test, nor after it."""
    server.clock.made = 0
    yield server
    await until(lambda: server.clock.running == 0 and not server.app._endpoint._streams._open)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        yield client


class Stream:
    """An answer that is still being read."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._pieces = response.aiter_raw()

    async def until(self, end: bytes) -> bytes:
        """What comes up to these bytes, and nothing after them."""
        read = b""
        async with asyncio.timeout(PATIENCE):
            while not read.endswith(end):
                read += await anext(self._pieces)
        return read

    async def rest(self) -> bytes:
        """What comes until the answer is whole."""
        async with asyncio.timeout(PATIENCE):
            return b"".join([piece async for piece in self._pieces])


@contextlib.asynccontextmanager
async def opened(
    client: httpx.AsyncClient, server: Served, accept: str, query: str, **options: Any
) -> AsyncIterator[Stream]:
    """The answer to an operation, from its head on."""
    headers = {"accept": accept, **options.pop("headers", {})}
    async with client.stream("POST", server.url, json={"query": query, **options}, headers=headers) as response:
        yield Stream(response)


async def ask(
    client: httpx.AsyncClient, server: Served, accept: str | None, query: str, **options: Any
) -> httpx.Response:
    """The whole answer to an operation."""
    headers = {} if accept is None else {"accept": accept}
    return await client.post(server.url, json={"query": query, **options}, headers=headers)


# What a stream is made of


async def test_events_are_framed_as_server_sent_events(quiet: Served, client: httpx.AsyncClient) -> None:
    answer = await ask(client, quiet, SSE, COUNTING, variables={"until": 2})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "ratelimit" in answer.headers
    assert answer.content == (
        b":\n\n"
        b'event: next\nid: tick-1\ndata: {"data":{"clock":{"number":1}}}\n\n'
        b'event: next\nid: tick-2\ndata: {"data":{"clock":{"number":2}}}\n\n'
        b"event: complete\ndata:\n\n"
    )


async def test_an_event_source_subscribes_with_get(quiet: Served, client: httpx.AsyncClient) -> None:
    asked = {"query": COUNTING, "variables": '{"until": 1}'}
    answer = await client.get(quiet.url, params=asked, headers={"accept": SSE})
    assert answer.content == b":\n\nevent: next\nid: tick-1\ndata: %b\n\n%b" % (TICK % 1, COMPLETE)


async def test_events_are_parts_of_a_multipart_answer(quiet: Served, client: httpx.AsyncClient) -> None:
    accept = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0, application/json'
    answer = await ask(client, quiet, accept, COUNTING, variables={"until": 2})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == 'multipart/mixed;boundary="-";subscriptionSpec="1.0"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == PART % (TICK % 1) + PART % (TICK % 2) + b"\r\n-----\r\n"


async def test_a_part_comes_with_the_boundary_that_ends_it(quiet: Served, client: httpx.AsyncClient) -> None:
    # Clients read a part when they see its end, and the next event is an hour away.
    async with opened(client, quiet, MULTIPART, SILENT) as stream:
        assert await stream.until(b"}" + BOUNDARY) == PART % (TICK % 1) + BOUNDARY


@pytest.mark.parametrize(
    ("accept", "beginning", "sign"),
    [
        (SSE, b":\n\nevent: next\nid: tick-1\ndata: %b\n\n" % (TICK % 1), b":\n\n"),
        (
            MULTIPART,
            PART % (TICK % 1) + BOUNDARY,
            b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{}" + BOUNDARY,
        ),
    ],
    ids=["sse", "multipart"],
)
async def test_a_silent_stream_says_that_it_lives(
    database: Database, client: httpx.AsyncClient, accept: str, beginning: bytes, sign: bytes
) -> None:
    with served(database._target, heartbeat=0.05) as beating:
        async with opened(client, beating, accept, SILENT) as stream:
            expected = beginning + sign + sign + sign
            read = b""
            while len(read) < len(expected):
                read += await stream.until(sign)
            assert read.startswith(expected)
        await until(lambda: beating.clock.running == 0)


async def test_line_ends_in_what_is_answered_are_not_those_of_a_frame(quiet: Served, client: httpx.AsyncClient) -> None:
    # An alias cannot hold them, a value can: what is answered about a bad one repeats it.
    given = {"until": "a\nb\rc\r\n\n\u2028event: complete"}
    answer = await ask(client, quiet, SSE, COUNTING, variables=given)
    frames = answer.content.split(b"\n\n")
    assert len(frames) == 4
    assert frames[1].count(b"\n") == 1
    assert b"\r" not in answer.content


# Who gets one


@pytest.mark.parametrize("accept", [None, "*/*", JSON, "application/graphql-response+json", f"{JSON}, {SSE};q=0"])
async def test_a_subscription_needs_a_road_for_its_events(
    quiet: Served, client: httpx.AsyncClient, accept: str | None
) -> None:
    for refused in (
        await ask(client, quiet, accept, SILENT),
        await client.get(quiet.url, params={"query": SILENT}, headers={"accept": accept or "*/*"}),
    ):
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["extensions"] == {"code": "SUBSCRIPTION_TRANSPORT_REQUIRED"}
    # It has not begun either.
    assert quiet.clock.made == 0


async def test_a_query_is_a_stream_of_one_event_for_who_takes_nothing_else(
    quiet: Served, client: httpx.AsyncClient
) -> None:
    answer = await ask(client, quiet, SSE, "{ __typename }")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    comment, event, complete, end = answer.content.split(b"\n\n")
    assert (comment, complete, end) == (b":", b"event: complete\ndata:", b"")
    body = json.loads(event.removeprefix(b"event: next\ndata: "))
    assert body["data"] == {"__typename": "Query"}
    assert set(body["extensions"]["cost"]) == {"requested", "actual", "remaining"}


async def test_a_mutation_is_a_stream_of_one_event_too(quiet: Served, client: httpx.AsyncClient) -> None:
    answer = await ask(client, quiet, SSE, "mutation { __typename }")
    assert b'data: {"data":{"__typename":"Mutation"}' in answer.content
    assert answer.content.endswith(COMPLETE)


@pytest.mark.parametrize("accept", [f"{SSE}, {JSON}", f"{JSON}, {MULTIPART}", f"{SSE}, */*;q=0.1"])
async def test_a_query_is_one_answer_for_who_takes_one(quiet: Served, client: httpx.AsyncClient, accept: str) -> None:
    answer = await ask(client, quiet, accept, "{ __typename }")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("query", ["{", "{ nothing }", "subscription { nothing }", "subscription { clock { no } }"])
async def test_a_refusal_is_an_event_for_who_takes_nothing_else(
    quiet: Served, client: httpx.AsyncClient, query: str
) -> None:
    answer = await ask(client, quiet, SSE, query)
    assert answer.status_code == 200
    comment, event, complete, end = answer.content.split(b"\n\n")
    assert (comment, complete, end) == (b":", b"event: complete\ndata:", b"")
    body = json.loads(event.removeprefix(b"event: next\ndata: "))
    assert set(body) == {"errors"}
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_account_has_so_many_streams_and_no_more(quiet: Served, client: httpx.AsyncClient) -> None:
    signed = {"authorization": f"Bearer {SECRET}"}
    async with contextlib.AsyncExitStack() as streams:
        for _ in range(MOST_STREAMS):
            await streams.enter_async_context(opened(client, quiet, SSE, SILENT, headers=signed))
        async with opened(client, quiet, SSE, SILENT, headers=signed) as one_more:
            assert one_more.response.status_code == 429
            assert json.loads(await one_more.rest())["errors"][0]["extensions"] == {"code": "RATE_LIMIT"}
        async with opened(client, quiet, SSE, SILENT) as anonymous:
            assert anonymous.response.status_code == 200
    await until(lambda: quiet.clock.running == 0)
    async with opened(client, quiet, SSE, SILENT, headers=signed) as again:
        assert again.response.status_code == 200


async def test_who_is_out_of_points_gets_no_stream(database: Database, client: httpx.AsyncClient) -> None:
    with served(database._target, Settings(points=5, points_per_second=1)) as poor:
        asked = 'subscription { artist(handle: "ada") { assets(first: 100) { nodes { id } } } }'
        refused = await ask(client, poor, SSE, asked)
        assert refused.status_code == 429
        assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMIT"}
        assert poor.clock.made == 0


# How a stream ends


@pytest.mark.parametrize("accept", [SSE, MULTIPART])
async def test_a_client_that_leaves_stops_its_source(quiet: Served, client: httpx.AsyncClient, accept: str) -> None:
    # Long before the next event, and before the next sign of life.
    async with opened(client, quiet, accept, SILENT) as stream:
        await stream.until(b"}" + BOUNDARY if accept == MULTIPART else b"}}}\n\n")
        assert quiet.clock.running == 1
    await until(lambda: quiet.clock.running == 0, patience=PATIENCE / 2)


async def test_a_process_that_goes_ends_its_streams_without_their_end(
    database: Database, client: httpx.AsyncClient
) -> None:
    with served(database._target) as leaving:
        async with (
            opened(client, leaving, SSE, SILENT) as events,
            opened(client, leaving, MULTIPART, SILENT) as parts,
        ):
            await events.until(b"}}}\n\n")
            await parts.until(b"}" + BOUNDARY)
            leaving.leave()
            # `complete` would say that there is nothing to come back for: `Last-Event-ID: tick-1`.
            assert await events.rest() == b""
            said, end = (await parts.rest()).removesuffix(b"\r\n").rsplit(b"\r\n", 1)
        assert end == b"-----"
        head, body = said.split(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/json; charset=utf-8"
        going = json.loads(body)
        assert going["payload"] is None
        assert [error["extensions"] for error in going["errors"]] == [{"code": "UNAVAILABLE"}]
        assert leaving.clock.running == 0


async def test_a_database_that_is_away_is_the_last_event(client: httpx.AsyncClient) -> None:
    with served(NOWHERE, lifespan="off") as away:
        answer = await ask(client, away, SSE, 'subscription { artist(handle: "ada", every: 1) { id } }')
        comment, event, complete, end = answer.content.split(b"\n\n")
        assert (comment, complete, end) == (b":", b"event: complete\ndata:", b"")
        body = json.loads(event.removeprefix(b"event: next\ndata: "))
        assert body["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert away.clock.running == 0


@pytest.mark.parametrize("accept", [SSE, MULTIPART])
async def test_a_defect_breaks_the_stream_and_says_nothing_of_itself(
    quiet: Served, client: httpx.AsyncClient, accept: str
) -> None:
    with capture_logs() as logs:
        async with opened(client, quiet, accept, "subscription { broken }") as stream:
            with pytest.raises(httpx.RemoteProtocolError):
                await stream.rest()
    assert [log["event"] for log in logs] == ["request failed"]


# Slow readers


@pytest.mark.parametrize("accept", [SSE, MULTIPART])
async def test_a_source_waits_for_who_does_not_read(quiet: Served, accept: str) -> None:
    with deaf(quiet, accept) as reader:
        stuck = await standstill(quiet)
        # It goes on where it stopped.
        while quiet.clock.made <= stuck:
            reader.recv(65536)


async def test_who_does_not_read_is_let_go_and_nobody_is_hurt(database: Database, client: httpx.AsyncClient) -> None:
    with served(database._target, limits=ConnectionLimits(write_seconds=0.5)) as strict:
        async with opened(client, strict, SSE, SILENT) as other:
            await other.until(b"}}}\n\n")
            with deaf(strict, SSE):
                await until(lambda: strict.clock.running == 2)
                assert (await ask(client, strict, JSON, "{ __typename }")).status_code == 200
                await until(lambda: strict.clock.running == 1)
            assert (await ask(client, strict, JSON, "{ __typename }")).status_code == 200


def deaf(server: Served, accept: str) -> socket.socket:
    """A client that asks for more than it reads, and has little room for what it does not read."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(PATIENCE)
    reader.connect(("127.0.0.1", server.http.port))
    body = json.dumps({"query": FLOOD}).encode()
    reader.sendall(
        b"POST /graphql HTTP/1.1\r\nHost: casset\r\nAccept: %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (accept.encode(), len(body), body)
    )
    return reader


async def standstill(server: Served) -> int:
    """How many events were made when no more are."""
    made = -1
    async with asyncio.timeout(PATIENCE):
        while made != server.clock.made or not made:
            made = server.clock.made
            await asyncio.sleep(0.2)
    return made
