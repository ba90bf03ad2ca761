"""The door: what is new is prepared beside the event loop, everything that is asked is paid for, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from graphql import parse
from sqlalchemy import insert, select

from db import tables
from db.accounts import add_session
from db.engine import Database
from domain.ids import Kind, Ref
from graph.limits import ANONYMOUS, measure
from graph.schema import executable
from graph.server import negotiation
from graph.server.door import QUICK_VALUES
from graph.server.requests import MOST_VALUES
from graph.server.settings import Settings
from resolvers.context import uuid7
from tests.graph.server.serving_clock import Served, served, until

ACCOUNT, ARTIST, TRACK = UUID(int=71), UUID(int=72), UUID(int=73)
SECRET = "a-secret-of-the-door"
ACTOR, SOMEBODY = "address:127.0.0.1", f"account:{ACCOUNT}"
KNOWN = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
POST = {"accept": "application/json", "content-type": "application/json"}
OPERATIONS = Path(__file__).parents[2] / "benchmarks" / "operations"


@pytest.fixture(scope="module")
async def database(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Database]:
    """An account that holds an artist with a track."""
    opened = Database(new_target())
    await opened.open()
    async with opened.write() as connection:
        await connection.execute(insert(tables.account).values(id=ACCOUNT, handle="ada"))
        await connection.execute(
            insert(tables.artist).values(id=ARTIST, handle="ada", name="Ada", kind="CREATOR", claimed=True)
        )
        await connection.execute(
            insert(tables.membership).values(id=UUID(int=74), account_id=ACCOUNT, artist_id=ARTIST, role="OWNER")
        )
        await connection.execute(
            insert(tables.asset).values(id=TRACK, kind="TRACK", owner_id=ARTIST, title="Rain", state="PUBLIC")
        )
        await connection.execute(insert(tables.track).values(id=TRACK))
        secret_hash = hashlib.sha256(SECRET.encode()).digest()
        await add_session(connection, uuid7(), ACCOUNT, secret_hash, timedelta(days=1))
    yield opened
    await opened.close()


@pytest.fixture
def server(database: Database) -> Iterator[Served]:
    """A server for whose buckets time stands still: every point that is spent shows."""
    with served(database._target) as running:
        running.app._buckets._clock = lambda: 0.0
        yield running


@contextlib.contextmanager
def occupied(server: Served) -> Iterator[None]:
    """While the workbench has something else to do."""
    begun, released = threading.Event(), threading.Event()

    def occupy() -> None:
        begun.set()
        released.wait()

    server.app.reader.bench._thread.submit(occupy)
    begun.wait()
    try:
        yield
    finally:
        released.set()


async def ask(server: Served, query: str, **variables: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.post(server.url, json={"query": query, "variables": variables}, headers=POST)


async def balance(server: Served, actor: str = ACTOR) -> int:
    return (await server.app._buckets.settle(actor, 0)).remaining


# Beside the event loop


async def test_what_is_known_waits_for_nothing_that_is_new(server: Served) -> None:
    known = await ask(server, KNOWN, ids=[])
    with occupied(server):
        new = asyncio.create_task(ask(server, f"# {known.status_code}\n{KNOWN}", ids=[]))
        assert (await ask(server, KNOWN, ids=[])).json()["data"] == known.json()["data"]
        assert not new.done()
    assert (await new).json()["data"] == known.json()["data"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ artits { totalCount } }", {}),
        ("{ " + "a: __typename " * 300 + "}", {}),
        ("query ($n: Int) { assets(first: $n, order: TITLE) { nodes { id } } }", {"n": 1}),
        (KNOWN, {"ids": ["asset"] * QUICK_VALUES}),
    ],
    ids=["wrong", "long", "another shape", "many values"],
)
async def test_what_takes_long_is_done_on_the_workbench(server: Served, query: str, variables: dict[str, Any]) -> None:
    await ask(server, KNOWN, ids=[])
    with occupied(server):
        asking = asyncio.create_task(ask(server, query, **variables))
        await until(lambda: bool(server.app._endpoint._door._making))
        assert not asking.done()
    assert (await asking).status_code == 200


async def test_one_actor_has_one_thing_on_the_workbench_and_the_others_wait_behind_it(server: Served) -> None:
    door = server.app._endpoint._door
    with occupied(server):
        asking = [asyncio.create_task(ask(server, f"# {number}\n{KNOWN}", ids=[])) for number in range(5)]
        await until(lambda: len(door._making) == 5)
        assert server.app.reader.bench._thread._work_queue.qsize() == 1
    assert [(await each).status_code for each in asking] == [200] * 5
    assert not door._turns


async def test_what_waits_is_not_made_any_more_where_nothing_is_left_to_pay_it(server: Served) -> None:
    with occupied(server):
        asking = [asyncio.create_task(ask(server, f"# {number}\n{KNOWN}", ids=[])) for number in range(5)]
        await until(lambda: len(server.app._endpoint._door._making) == 5)
        await server.app._buckets.settle(ACTOR, -(10**6))
    assert [(await each).status_code for each in asking].count(429) >= 4
    assert len(server.app.reader.documents._kept) <= 1


async def test_what_computed_values_lead_to_is_made_there_too_and_paid_for(server: Served) -> None:
    told = " ".join(f"a{number}: title owner {{ id name handle }} createdAt version" for number in range(5))
    query = f'{{ asset(id: "{Ref(Kind.TRACK, TRACK)}") {{ rights(uses: [SYNC]) {{ blockers {{ asset {{ {told} }} }} }} }} }}'
    prepared = server.app.reader.prepare(query, None, None, ANONYMOUS)
    before = await balance(server)
    with occupied(server):
        # Its own plan is known; that of the assets it leads to is not.
        asking = asyncio.create_task(ask(server, query))
        await until(lambda: server.app.reader.bench._thread._work_queue.qsize() == 1)
        assert not server.app._endpoint._door._making
        assert not asking.done()
    answer = (await asking).json()
    assert answer["data"]["asset"]["rights"][0]["blockers"][0]["asset"]["a0"] == "Rain"
    assert before - await balance(server) > 1 + answer["extensions"]["cost"]["actual"]
    assert prepared.meter.seconds == 0


async def test_who_leaves_while_something_is_made_pays_for_it(server: Served) -> None:
    door = server.app._endpoint._door
    async with server.socket() as client:
        with occupied(server):
            await client.subscribe("1", "{ artists { nodes { id name handle } } }")
            await until(lambda: len(door._making) == 1)
            before = await balance(server)
            await client.say(type="complete", id="1")
            assert await client.lives()
        await until(lambda: not door._making)
    assert await balance(server) < before


# Variables


async def test_variables_hold_so_many_values_and_no_more(server: Served) -> None:
    id_ = str(Ref(Kind.TRACK, TRACK))
    query = "query ($ids: [ID!]!) { permissionCheck(ids: $ids, uses: [SYNC]) { id } }"
    assert len((await ask(server, query, ids=[id_] * 500)).json()["data"]["permissionCheck"]) == 500
    # The list itself is one, in lists and in objects.
    for ids in ([1] * MOST_VALUES, [[1] * (MOST_VALUES - 1)] * 2, {"a": {"b": [1] * MOST_VALUES}}):
        refused = (await ask(server, query, ids=ids)).json()["errors"][0]
        assert refused["extensions"]["code"] == "TOO_COSTLY"
    assert (await ask(server, query, ids=[1] * (MOST_VALUES - 1))).json()["errors"][0]["extensions"][
        "code"
    ] != "TOO_COSTLY"


# What everything costs

REQUESTS: dict[str, tuple[int, dict[str, Any]]] = {
    "no JSON": (400, {"content": b"?", "headers": POST}),
    "no object": (400, {"content": b"[]", "headers": POST}),
    "no query": (400, {"content": b"{}", "headers": POST}),
    "nothing": (400, {"content": b"", "headers": POST}),
    "too long": (413, {"content": b" " * 70_000, "headers": POST}),
    "another type": (415, {"content": b"{}", "headers": {"content-type": "text/plain"}}),
    "another method": (405, {"method": "PUT", "headers": POST}),
    "an unknown document": (404, {"json": {"documentId": "sha256:" + "0" * 64}, "headers": POST}),
    "a bad token": (401, {"json": {"query": "{ __typename }"}, "headers": {**POST, "authorization": "Bearer no"}}),
    "a cookie alone": (403, {"json": {"query": "{ __typename }"}, "headers": {**POST, "cookie": "casset_session=no"}}),
}


async def send(server: Served, request: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.request(**{"method": "POST", "url": server.url, **request})


@pytest.mark.parametrize("name", REQUESTS)
async def test_what_is_refused_is_paid_for_and_refused_otherwise_where_nothing_is_left(
    server: Served, name: str
) -> None:
    status, request = REQUESTS[name]
    before = await balance(server)
    assert (await send(server, request)).status_code == status
    assert await balance(server) < before
    await server.app._buckets.settle(ACTOR, -(10**6))
    poor = await send(server, request)
    assert (poor.status_code, poor.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMIT")


async def test_who_is_known_pays_for_themselves_and_not_with_their_address(server: Served) -> None:
    await server.app._buckets.settle(ACTOR, -(10**6))
    before = await balance(server, SOMEBODY)
    request = {"json": {"query": "{ __typename }"}, "headers": {**POST, "authorization": f"Bearer {SECRET}"}}
    assert (await send(server, request)).status_code == 200
    assert await balance(server, SOMEBODY) < before


async def test_who_introduces_themselves_with_nothing_left_comes_back_later(server: Served) -> None:
    await server.app._buckets.settle(ACTOR, -(10**6))
    async with server.bare_socket() as client:
        await client.say(type="connection_init")
        assert await client.closed() == 1013


def test_a_frontend_may_begin_with_twenty_of_its_dearest_pages() -> None:
    """Each asks for all the operations of the benchmark; what they do not use is given back as they are answered."""
    texts = [path.read_text() for path in OPERATIONS.glob("*.graphql")]
    costs = [cost.of({}) for text in texts for cost in measure(executable(), parse(text)).costs.values()]
    assert len(costs) >= 5
    assert 20 * sum(costs) < Settings().points


# Mutations

UPDATE = "mutation ($input: UpdateAssetInput!) { updateAsset(input: $input) { __typename } }"


@pytest.mark.parametrize("how", ["leaves", "completes"])
async def test_a_mutation_that_runs_is_finished_though_its_socket_goes(
    server: Served, database: Database, how: str
) -> None:
    async with database.read() as connection:
        version = await connection.scalar(select(tables.asset.c.version).where(tables.asset.c.id == TRACK))
    changing = {"id": str(Ref(Kind.TRACK, TRACK)), "expectedVersion": version, "title": f"Rain, {how}"}
    holder = await asyncpg.connect(**database._target)
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM asset WHERE id = $1 FOR UPDATE", TRACK)
            async with server.socket({"authorization": f"Bearer {SECRET}"}) as client:
                await client.subscribe("1", UPDATE, variables={"input": changing})
                while not await holder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - no event tells of a lock
                    await asyncio.sleep(0.01)
                if how == "leaves":
                    client.socket.transport.abort()
                else:
                    await client.say(type="complete", id="1")
                    assert await client.lives()
    finally:
        await holder.close()
    async with asyncio.timeout(10):
        while True:
            async with database.read() as connection:
                asset = tables.asset.c
                row = (await connection.execute(select(asset.title, asset.version).where(asset.id == TRACK))).one()
            if row.version != version:
                break
            await asyncio.sleep(0.01)
    assert (row.title, row.version) == (f"Rain, {how}", version + 1)


# What documents are told


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ " + "__typename " * 600 + "}", "The document has more than 500 tokens."),
        ("{a" * 240, "The document is nested too deeply."),
        ("{ viewer { " + "account {} " * 150 + "} }", "The document takes too long to validate."),
    ],
)
async def test_what_is_given_up_says_why(server: Served, query: str, message: str) -> None:
    error = (await ask(server, query)).json()["errors"][0]
    assert (error["message"], error["extensions"]["code"]) == (message, "TOO_COSTLY")


def test_an_overlong_header_is_cut_before_it_is_remembered() -> None:
    for read, cached in ((negotiation.accepted, negotiation._accepted), (negotiation.coding, negotiation._coding)):
        before = cached.cache_info().currsize
        for number in range(5):
            read(b"*/*," + b" " * 2000 + b"%d" % number)
        assert cached.cache_info().currsize == before + 1
