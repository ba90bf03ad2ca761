"""The endpoint: what is no GraphQL request gets a clear answer, and a session's secret stands for its account."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, update

from db import tables
from db.accounts import add_session
from db.engine import Database
from graph.server.app import create_app
from graph.server.settings import Environment, Settings

ACCOUNT, ARTIST = UUID(int=21), UUID(int=22)
SECRET = "a secret of the test"  # made up here
QUERY = {"query": "{ viewer { account { handle } artists { nodes { handle } } } }"}


@pytest.fixture
async def client(database: Database) -> httpx.AsyncClient:
    async with database.write() as connection:
        await connection.execute(insert(tables.account).values(id=ACCOUNT, handle="ada"))
        await connection.execute(
            insert(tables.artist).values(id=ARTIST, handle="ada", name="Ada", kind="CREATOR", claimed=True)
        )
        await connection.execute(
            insert(tables.membership).values(id=UUID(int=23), account_id=ACCOUNT, artist_id=ARTIST, role="OWNER")
        )
        secret_hash = hashlib.sha256(SECRET.encode()).digest()
        await add_session(connection, UUID(int=24), ACCOUNT, secret_hash, timedelta(days=1))
    return client_of(database, "127.0.0.1")


def client_of(
    database: Database, address: str, environment: Environment = Environment.DEVELOPMENT
) -> httpx.AsyncClient:
    app = create_app(Settings(environment=environment), database)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 4000)), base_url="http://casset")


def signed(secret: str = SECRET) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


async def test_a_session_stands_for_its_account(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json=QUERY, headers=signed())
    assert answer.json()["data"]["viewer"] == {
        "account": {"handle": "ada"},
        "artists": {"nodes": [{"handle": "ada"}]},
    }
    assert (await client.post("/graphql", json=QUERY)).json() == {"data": {"viewer": None}}


async def test_a_session_made_for_loopback_is_good_nowhere_else(client: httpx.AsyncClient, database: Database) -> None:
    elsewhere = await client_of(database, "192.0.2.7").post("/graphql", json=QUERY, headers=signed())
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["extensions"]["code"]) == (
        401,
        "UNAUTHENTICATED",
    )


@pytest.mark.parametrize("ending", ["revoked_at", "expires_at"])
async def test_a_session_that_is_over_is_refused_like_an_unknown_one(
    client: httpx.AsyncClient, database: Database, ending: str
) -> None:
    async with database.write() as connection:
        await connection.execute(update(tables.session).values({ending: datetime(2020, 1, 1, tzinfo=UTC)}))
    over = await client.post("/graphql", json=QUERY, headers=signed())
    unknown = await client.post("/graphql", json=QUERY, headers=signed("another"))
    assert (over.status_code, over.content) == (401, unknown.content)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"1", 400),
        (b"[]", 400),
        (b'{"query": 1}', 400),
        (b'{"query": "{ artists { totalCount } }", "variables": []}', 400),
        (b'{"query": "\xff"}', 400),
        (b'{"query": "{ search(query: \\"\\ud800\\") { totalCount } }"}', 400),
        (b"[" * 50_000, 400),
        (b'{"query": "' + b" " * 70_000 + b'"}', 413),
    ],
)
async def test_what_is_no_request_gets_a_clear_answer(client: httpx.AsyncClient, content: bytes, status: int) -> None:
    answer = await client.post("/graphql", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_get_reads_and_never_writes(client: httpx.AsyncClient) -> None:
    read = await client.get(
        "/graphql",
        params={"query": "query($n: Int) { artists(first: $n) { totalCount } }", "variables": '{"n": 1}'},
    )
    assert read.json() == {"data": {"artists": {"totalCount": 1}}}
    write = await client.get("/graphql", params={"query": "mutation { __typename }"})
    assert (write.status_code, write.headers["allow"]) == (405, "POST")
    assert (await client.put("/graphql", json=QUERY)).status_code == 405
    assert (await client.post("/graphql", content=b"{}", headers={"content-type": "text/plain"})).status_code == 415


async def test_the_response_type_decides_the_status_of_a_refusal(client: httpx.AsyncClient) -> None:
    refused = {"query": "{ nothing }"}
    plain = await client.post("/graphql", json=refused, headers={"accept": "application/json"})
    modern = await client.post("/graphql", json=refused, headers={"accept": "application/graphql-response+json"})
    assert (plain.status_code, modern.status_code) == (200, 400)
    assert "data" not in modern.json()
    assert plain.json() == modern.json()


async def test_the_explorer_is_for_development_only(client: httpx.AsyncClient, database: Database) -> None:
    browser = {"accept": "text/html,application/xhtml+xml"}
    assert "graphiql" in (await client.get("/graphql", headers=browser)).text
    production = client_of(database, "127.0.0.1", Environment.PRODUCTION)
    assert (await production.get("/graphql", headers=browser)).status_code == 400
    assert (await production.get("/graphiql")).status_code == 404


async def test_tiers_and_refused_plans_are_counted(client: httpx.AsyncClient) -> None:
    await client.post("/graphql", json=QUERY)
    await client.post("/graphql", json={"query": "{ __schema { queryType { name } } }"})
    metrics = (await client.get("/metrics")).text
    assert 'casset_operations_total{tier="plan"} 1.0' in metrics
    assert 'casset_operations_total{tier="reference"} 1.0' in metrics
    assert 'casset_plan_refusals_total{reason="Query.__schema is not stored"} 1.0' in metrics


async def test_the_schema_is_public(client: httpx.AsyncClient) -> None:
    assert "\ntype Query {" in (await client.get("/schema.graphql")).text
