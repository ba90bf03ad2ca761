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
from graph.limits import ANONYMOUS as ANONYMOUS_LIMITS
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
    assert (await client.post("/graphql", json=QUERY)).json()["data"] == {"viewer": None}


async def test_a_session_made_for_loopback_is_good_nowhere_else(client: httpx.AsyncClient, database: Database) -> None:
    elsewhere = await client_of(database, "192.0.2.7").post("/graphql", json=QUERY, headers=signed())
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["extensions"]["code"]) == (
        401,
        "UNAUTHENTICATED",
    )


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
async def test_what_a_proxy_of_this_machine_passes_on_is_not_from_this_machine(
    client: httpx.AsyncClient, header: str
) -> None:
    passed_on = await client.post("/graphql", json=QUERY, headers=signed() | {header: "127.0.0.1"})
    assert passed_on.status_code == 401


async def test_only_a_named_proxy_says_who_it_speaks_for(database: Database) -> None:
    async def left(proxies: tuple[str, ...], *speaking_for: str) -> list[int]:
        app = create_app(Settings(proxies=proxies, points=1000, points_per_second=1), database)
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 4000))
        asking = httpx.AsyncClient(transport=transport, base_url="http://casset")
        answers = [
            await asking.post("/graphql", json=QUERY, headers={"x-forwarded-for": address}) for address in speaking_for
        ]
        return [answer.json()["extensions"]["cost"]["remaining"] for answer in answers]

    one, other = "198.51.100.1", "203.0.113.2"
    first, second = await left(("192.0.2.0/24",), one, other)
    assert abs(first - second) < 100, "each of them has a bucket"
    first, second = await left((), one, other)
    assert second < first, "an address that is only said shares the bucket of who says it"


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
    code = "TOO_LARGE" if status == 413 else "BAD_USER_INPUT"
    assert answer.json()["errors"][0]["extensions"]["code"] == code


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
    assert (await production.get("/graphql", headers=browser)).status_code == 406
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


READ = {"query": "{ artists(first: 1) { nodes { handle } } }"}


async def test_what_anybody_reads_with_get_is_tagged_aged_and_not_sent_twice(client: httpx.AsyncClient) -> None:
    first = await client.get("/graphql", params=READ)
    assert first.headers["cache-control"] == "public, max-age=30"
    assert "extensions" not in first.json()
    again = await client.get("/graphql", params=READ, headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert {"Accept", "Authorization", "Cookie"} <= set(again.headers["vary"].split(", "))


async def test_an_answer_that_changes_has_another_tag(client: httpx.AsyncClient, database: Database) -> None:
    before = (await client.get("/graphql", params=READ)).headers["etag"]
    async with database.write() as connection:
        await connection.execute(update(tables.artist).values(handle="ida"))
    after = await client.get("/graphql", params=READ, headers={"if-none-match": before})
    assert after.status_code == 200
    assert after.headers["etag"] != before


@pytest.mark.parametrize("how", ["as somebody", "with post", "of the viewer"])
async def test_what_is_somebodys_own_is_never_kept(client: httpx.AsyncClient, how: str) -> None:
    if how == "with post":
        answer = await client.post("/graphql", json=READ)
    elif how == "as somebody":
        answer = await client.get("/graphql", params=READ, headers=signed())
    else:
        answer = await client.get("/graphql", params=QUERY)
    assert "public" not in answer.headers["cache-control"]


@pytest.mark.parametrize(("asked", "coding"), [("gzip", "gzip"), ("br;q=1, gzip;q=0.5", "br"), ("identity", None)])
async def test_a_long_answer_is_coded_as_asked(client: httpx.AsyncClient, asked: str, coding: str | None) -> None:
    query = "{ __schema { types { name description fields { name } } } }"
    plain = await client.post("/graphql", json={"query": query}, headers={"accept-encoding": "identity"})
    answer = await client.post("/graphql", json={"query": query}, headers={"accept-encoding": asked})
    assert answer.headers.get("content-encoding") == coding
    assert answer.json()["data"] == plain.json()["data"]
    assert coding is None or int(answer.headers["content-length"]) < len(plain.content) / 3


async def test_every_answer_says_what_it_cost_and_what_is_left(client: httpx.AsyncClient) -> None:
    query = {"query": "{ artists(first: 50) { nodes { handle } } }"}
    one = (await client.post("/graphql", json=query)).json()["extensions"]["cost"]
    assert one["requested"] == 50
    assert 1 <= one["actual"] < 50
    headers = (await client.post("/graphql", json=query)).headers
    assert headers["ratelimit-policy"].startswith('"graphql";q=')
    assert headers["ratelimit"].startswith('"graphql";r=')


@pytest.mark.parametrize("query", ["{ artists(first: 2) { nodes { handle } } }", "{ broken"])
async def test_an_empty_bucket_answers_before_anything_is_read(database: Database, query: str) -> None:
    app = create_app(Settings(points=300, points_per_second=1), database)
    poor = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("127.0.0.1", 4000)), base_url="http://casset")
    answers = [await poor.post("/graphql", json={"query": query}) for _ in range(310)]
    assert answers[0].status_code == 200
    answer = answers[-1]
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMIT"
    assert int(answer.headers["retry-after"]) >= 1
    other = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("192.0.2.7", 4000)), base_url="http://casset")
    assert (await other.post("/graphql", json={"query": "{ __typename }"})).status_code == 200


@pytest.mark.parametrize("name", ["casset_session", "__Host-casset_session"])
async def test_a_cookie_counts_only_beside_a_header_no_foreign_page_can_send(
    client: httpx.AsyncClient, name: str
) -> None:
    # On this machine: elsewhere the plain name counts for nothing at all.
    cookie = {"cookie": f"{name}={SECRET.replace(' ', '%20')}", "host": "localhost"}
    alone = await client.post("/graphql", json=QUERY, headers=cookie)
    assert (alone.status_code, alone.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def test_an_empty_bucket_does_not_even_read_the_variables_of_a_known_document(database: Database) -> None:
    app = create_app(Settings(points=300, points_per_second=1), database)
    poor = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("127.0.0.1", 4000)), base_url="http://casset")
    plan = app.reader.prepare(READ["query"], None, None, ANONYMOUS_LIMITS).plan
    while (await poor.post("/graphql", json=READ)).status_code == 200:
        pass
    before = plan.uses
    assert (await poor.post("/graphql", json=READ)).status_code == 429
    assert plan.uses == before
