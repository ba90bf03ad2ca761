"""`graphql-transport-ws`, word by word: what is none of it ends the socket with its code, what is refused does not.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed

from db import tables
from db.accounts import add_session
from db.documents import add_documents
from db.engine import Database
from graph.execution import Execution
from graph.server.requests import LARGEST_BODY
from graph.server.settings import Documents, Settings
from graph.server.sockets import SocketLimits
from tests.graph.server.serving_clock import HOUR, NOWHERE, PATIENCE, Served, numbers, served, until

ACCOUNT, ARTIST, TRACK = UUID(int=31), UUID(int=32), UUID(int=33)
SECRET = "a secret of the test"  # made up here
BEARER = {"authorization": f"Bearer {SECRET}"}

VIEWER = "{ viewer { account { handle } } }"
TITLES = '{ artist(handle: "ada") { assets(first: 1) { nodes { title } } } }'
SILENT = f"subscription {{ clock(every: {HOUR}) {{ number }} }}"
COUNTING = "subscription ($until: Int) { clock(until: $until) { number } }"
REGISTERED = hashlib.sha256(COUNTING.encode()).hexdigest()
INVALID = {"code": 4400, "reason": "Invalid message received"}


@pytest.fixture(scope="module")
async def database(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Database]:
    """What the servers here read: an artist with a track, and an account that holds it."""
    opened = Database(new_target())
    await opened.open()
    async with opened.write() as connection:
        await connection.execute(insert(tables.account).values(id=ACCOUNT, handle="ada"))
        await connection.execute(
            insert(tables.artist).values(id=ARTIST, handle="ada", name="Ada", kind="CREATOR", claimed=True)
        )
        await connection.execute(
            insert(tables.membership).values(id=UUID(int=34), account_id=ACCOUNT, artist_id=ARTIST, role="OWNER")
        )
        await connection.execute(
            insert(tables.asset).values(id=TRACK, kind="TRACK", owner_id=ARTIST, title="Rain", state="PUBLIC")
        )
        await connection.execute(insert(tables.track).values(id=TRACK))
        await new_session(connection, SECRET)
    yield opened
    await opened.close()


async def new_session(connection: Any, secret: str) -> None:
    secret_hash = hashlib.sha256(secret.encode()).digest()
    await add_session(connection, UUID(bytes=secret_hash[:16]), ACCOUNT, secret_hash, timedelta(days=1))


@pytest.fixture(scope="module")
def server(database: Database) -> Iterator[Served]:
    """One server for all that needs no limits of its own."""
    with served(database._target) as running:
        yield running


@pytest.fixture
async def quiet(server: Served) -> AsyncIterator[Served]:
    """The server, on which nothing runs before the test, nor after it."""
    server.clock.made = 0
    yield server
    await until(lambda: server.clock.running == 0 and not server.app._sockets.open)


def codes(message: dict[str, Any]) -> list[str]:
    assert message["type"] == "error"
    return [error["extensions"]["code"] for error in message["payload"]]


# What ends a socket


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        '{"type":"ping"',
        "[]",
        "1",
        "null",
        '"ping"',
        "[" * 5000,
        '{"type":"ping","payload":"\\ud800"}',
        "{}",
        '{"type":null}',
        '{"type":["ping"]}',
        '{"type":"start","id":"1","payload":{"query":"{ __typename }"}}',
        '{"type":"connection_ack"}',
        '{"type":"next","id":"1","payload":{}}',
        '{"type":"ping","payload":[]}',
        '{"type":"ping","payload":"hello"}',
        '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","id":"1","payload":null}',
        '{"type":"subscribe","id":"1","payload":[]}',
        '{"type":"subscribe","id":"1","payload":"{ __typename }"}',
        '{"type":"subscribe","payload":{"query":"{ __typename }"}}',
        '{"type":"subscribe","id":null,"payload":{"query":"{ __typename }"}}',
        '{"type":"subscribe","id":1,"payload":{"query":"{ __typename }"}}',
        '{"type":"subscribe","id":["1"],"payload":{"query":"{ __typename }"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{ __typename }"}}',
        '{"type":"subscribe","id":"%s","payload":{"query":"{ __typename }"}}' % ("1" * 101),
        '{"type":"complete"}',
        '{"type":"complete","id":1}',
    ],
)
async def test_a_message_that_is_none_of_the_protocol_ends_the_socket(quiet: Served, message: str) -> None:
    async with quiet.socket() as client:
        await client.socket.send(message)
        assert await client.hear() == INVALID


async def test_a_binary_message_ends_the_socket(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.socket.send(b'{"type":"ping"}')
        assert await client.closed() == 4400


async def test_a_payload_of_the_first_message_is_an_object(quiet: Served) -> None:
    async with quiet.bare_socket() as client:
        await client.say(type="connection_init", payload=[])
        assert await client.hear() == INVALID


async def test_an_operation_before_the_acknowledgement_ends_the_socket(quiet: Served) -> None:
    async with quiet.bare_socket() as client:
        await client.subscribe("1", "{ __typename }")
        assert await client.hear() == {"code": 4401, "reason": "Unauthorized"}


async def test_an_operation_may_follow_the_first_message_at_once(quiet: Served) -> None:
    async with quiet.bare_socket() as client:
        await client.say(type="connection_init", payload=BEARER)
        await client.subscribe("1", "{ __typename }")
        assert [(await client.hear())["type"] for _ in range(3)] == ["connection_ack", "next", "complete"]


@pytest.mark.parametrize(
    "authorization",
    ["Bearer of nothing", "Bearer", "Basic YTpi", SECRET, "", 1, ["Bearer"], {"token": SECRET}],
)
@pytest.mark.parametrize("name", ["authorization", "Authorization"])
async def test_a_token_that_is_not_good_ends_the_socket(quiet: Served, name: str, authorization: Any) -> None:
    async with quiet.bare_socket() as client:
        await client.say(type="connection_init", payload={name: authorization})
        assert await client.hear() == {"code": 4403, "reason": "Forbidden"}


async def test_a_token_of_the_handshake_is_looked_at_too(quiet: Served) -> None:
    async with quiet.bare_socket(additional_headers={"authorization": "Bearer of nothing"}) as client:
        await client.say(type="connection_init")
        assert await client.closed() == 4403
    async with quiet.socket(additional_headers=BEARER) as client:
        assert (await client.answer("1", VIEWER))["payload"]["data"] == {"viewer": {"account": {"handle": "ada"}}}


@pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["mqtt", "graphql-ws"]])
async def test_another_subprotocol_ends_the_socket(quiet: Served, offered: Any) -> None:
    async with quiet.bare_socket(subprotocols=offered) as client:
        assert client.socket.subprotocol is None
        assert await client.hear() == {"code": 4406, "reason": "Subprotocol not acceptable"}


async def test_the_subprotocol_is_chosen_among_several(quiet: Served) -> None:
    async with quiet.socket(subprotocols=["graphql-ws", "graphql-transport-ws"]) as client:
        assert client.socket.subprotocol == "graphql-transport-ws"


async def test_a_socket_that_does_not_introduce_itself_is_ended(database: Database) -> None:
    with served(database._target, sockets=SocketLimits(init_seconds=0.2)) as hasty:
        async with hasty.socket() as introduced, hasty.bare_socket() as silent, hasty.bare_socket() as talking:
            await talking.say(type="ping")
            assert (await talking.hear())["type"] == "pong"
            assert await talking.closed() == 4408
            assert await silent.hear() == {"code": 4408, "reason": "Connection initialisation timeout"}
            assert await introduced.lives()


@pytest.mark.parametrize("id", ["1", "x" * 100, "\N{GRINNING FACE}" * 100])
async def test_an_id_in_use_ends_the_socket(quiet: Served, id: str) -> None:
    async with quiet.socket() as client:
        await client.subscribe(id, SILENT)
        await client.subscribe(id, "{ __typename }")
        ended = (await client.rest())[-1]
        assert ended["code"] == 4409
        assert f"Subscriber for {id} already exists".startswith(ended["reason"])
        assert ended["reason"].startswith("Subscriber for ")


async def test_a_second_introduction_ends_the_socket(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.say(type="connection_init")
        assert await client.hear() == {"code": 4429, "reason": "Too many initialisation requests"}


async def test_too_many_messages_end_the_socket(quiet: Served) -> None:
    async with quiet.socket() as client:
        with suppress(ConnectionClosed):
            for _ in range(150):
                await client.say(type="pong")
        assert await client.hear() == {"code": 4429, "reason": "Too many messages"}


async def test_an_account_has_so_many_sockets_and_no_more(quiet: Served) -> None:
    async with quiet.socket(BEARER), quiet.socket(BEARER), quiet.socket(BEARER), quiet.socket(BEARER):
        async with quiet.socket(BEARER) as fifth, quiet.bare_socket() as sixth, quiet.socket() as anonymous:
            await sixth.say(type="connection_init", payload=BEARER)
            assert await sixth.hear() == {"code": 4429, "reason": "Too many sockets of one account"}
            assert await fifth.lives()
            assert await anonymous.lives()
        await until(lambda: sum(quiet.app._sockets.open.values()) == 4)
        async with quiet.socket(BEARER) as again:
            assert await again.lives()
    await until(lambda: not quiet.app._sockets.open)


async def test_a_message_that_is_too_long_ends_the_socket_and_nobody_is_alarmed(quiet: Served) -> None:
    with capture_logs() as logs:
        async with quiet.socket() as client:
            await client.subscribe("1", "subscription { clock(every: 1) { number } }")
            await client.socket.send(" " * (LARGEST_BODY + 1))
            assert (await client.rest())[-1].get("code") in {1009, None}
        await until(lambda: quiet.clock.running == 0)
    assert not logs


async def test_a_message_may_come_in_pieces_but_not_without_end(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.socket.send(iter(['{"type":', '"ping"', "}"]))
        assert await client.hear() == {"type": "pong"}
        with suppress(ConnectionClosed):
            await client.socket.send(itertools.repeat(" " * 1000))
        # A reset overtakes the reason, 1009, where more was on its way.
        assert "type" not in await client.hear()


async def test_a_database_that_is_away_ends_only_who_brings_a_token() -> None:
    with served(NOWHERE, lifespan="off") as away:
        async with away.bare_socket() as client:
            await client.say(type="connection_init", payload=BEARER)
            assert await client.closed() == 1013
        async with away.socket() as client:
            assert codes(await client.answer("1", TITLES)) == ["UNAVAILABLE"]
            assert await client.lives()


# What does not


@pytest.mark.parametrize("payload", [None, {}, {"sent": 1, "text": "é"}])
async def test_a_ping_is_answered_with_its_payload(quiet: Served, payload: Any) -> None:
    given = {} if payload is None else {"payload": payload}
    async with quiet.bare_socket() as client:
        await client.say(type="ping", **given)
        assert await client.hear() == {"type": "pong", **given}
        await client.say(type="pong", **given)
        await client.say(type="ping", payload=None)
        assert await client.hear() == {"type": "pong"}


async def test_an_unknown_operation_may_be_completed(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.say(type="complete", id="never begun")
        assert await client.lives()


async def test_a_subscription_sends_its_events_and_then_its_end(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.subscribe("a", COUNTING, variables={"until": 2})
        assert [await client.hear() for _ in range(3)] == [
            {"id": "a", "type": "next", "payload": {"data": {"clock": {"number": 1}}}},
            {"id": "a", "type": "next", "payload": {"data": {"clock": {"number": 2}}}},
            {"id": "a", "type": "complete"},
        ]


async def test_a_completed_subscription_stops_its_source_and_gives_its_id_back(quiet: Served) -> None:
    async with quiet.socket() as client:
        await client.subscribe("1", SILENT)
        assert numbers([await client.hear()]) == [1]
        await client.say(type="complete", id="1")
        await until(lambda: quiet.clock.running == 0)
        assert await client.lives()
        for _ in range(2):
            assert (await client.answer("1", "{ __typename }"))["payload"]["data"] == {"__typename": "Query"}


async def test_a_query_is_answered_with_its_cost(quiet: Served) -> None:
    async with quiet.socket() as client:
        answer = (await client.answer("1", TITLES))["payload"]
    assert answer["data"] == {"artist": {"assets": {"nodes": [{"title": "Rain"}]}}}
    cost = answer["extensions"]["cost"]
    assert cost["actual"] <= cost["requested"]
    assert 0 < cost["remaining"] < Settings().points


async def test_a_mutation_is_refused_as_its_type_says(quiet: Served) -> None:
    asked = """
    mutation {
      updateAsset(input: { id: "track_01jd0000000000000000000000", expectedVersion: 1 }) {
        __typename ... on SignInNeededError { code }
      }
    }
    """
    async with quiet.socket() as client:
        answer = await client.answer("1", asked)
    assert answer["payload"]["data"] == {"updateAsset": {"__typename": "SignInNeededError", "code": "UNAUTHENTICATED"}}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({}, "BAD_USER_INPUT"),
        ({"query": None}, "BAD_USER_INPUT"),
        ({"query": ""}, "BAD_USER_INPUT"),
        ({"query": 1}, "BAD_USER_INPUT"),
        ({"query": "{"}, "BAD_USER_INPUT"),
        ({"query": "{ nothing }"}, "BAD_USER_INPUT"),
        ({"query": "subscription { nothing }"}, "BAD_USER_INPUT"),
        ({"query": "subscription { clock { number } artist(handle: 1) { id } }"}, "BAD_USER_INPUT"),
        ({"query": "{ __typename }", "operationName": "Unknown"}, "BAD_USER_INPUT"),
        ({"query": "query A { __typename } query B { __typename }"}, "BAD_USER_INPUT"),
        ({"query": "{ __typename }", "operationName": 1}, "BAD_USER_INPUT"),
        ({"query": "{ __typename }", "variables": []}, "BAD_USER_INPUT"),
        ({"query": "{ __typename }", "extensions": "none"}, "BAD_USER_INPUT"),
        ({"query": COUNTING, "variables": {"until": "soon"}}, "BAD_USER_INPUT"),
        ({"documentId": "sha256:12"}, "BAD_USER_INPUT"),
        ({"documentId": "sha256:" + "0" * 64}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"query": "{ " + "a:__typename " * 600 + "}"}, "TOO_COSTLY"),
    ],
)
async def test_an_operation_that_is_refused_leaves_the_socket_open(
    quiet: Served, payload: dict[str, Any], code: str
) -> None:
    async with quiet.socket() as client:
        await client.say(type="subscribe", id="1", payload=payload)
        refused = await client.hear()
        assert refused["id"] == "1"
        assert set(codes(refused)) == {code}
        assert await client.lives()
        # The id is free, and nothing more is said of it.
        assert (await client.answer("1", "{ __typename }"))["type"] == "next"


async def test_one_operation_of_several_is_named(quiet: Served) -> None:
    async with quiet.socket() as client:
        answer = await client.answer(
            "1", "query A { a: __typename } subscription B { clock { number } }", operationName="A"
        )
    assert answer["payload"]["data"] == {"a": "Query"}


async def test_a_socket_runs_so_many_operations_at_once_and_no_more(quiet: Served) -> None:
    most = SocketLimits().operations
    async with quiet.socket() as client:
        for number in range(most):
            await client.subscribe(str(number), SILENT)
        assert {(await client.hear())["id"] for _ in range(most)} == set(map(str, range(most)))
        await client.subscribe("one more", SILENT)
        refused = await client.hear()
        assert (refused["id"], codes(refused)) == ("one more", ["RATE_LIMIT"])
        await client.say(type="complete", id="0")
        await client.subscribe("one more", SILENT)
        assert (await client.hear())["type"] == "next"
        assert quiet.clock.running == most
    await until(lambda: quiet.clock.running == 0)


async def test_who_is_out_of_points_is_told_so_and_stays(database: Database) -> None:
    with served(database._target, Settings(points=50, points_per_second=1)) as poor:
        async with poor.socket() as client:
            assert codes(await client.answer("1", "{ artists(first: 100) { nodes { id } } }")) == ["RATE_LIMIT"]
            assert await client.lives()


@pytest.mark.parametrize(
    "name",
    [
        {"documentId": f"sha256:{REGISTERED}"},
        {"documentId": REGISTERED},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": REGISTERED}}},
    ],
)
async def test_a_registered_document_is_named_by_its_hash(
    quiet: Served, database: Database, name: dict[str, Any]
) -> None:
    await add_documents(database, {REGISTERED: COUNTING})
    async with quiet.socket() as client:
        await client.say(type="subscribe", id="1", payload={**name, "variables": {"until": 1}})
        assert numbers([await client.hear()]) == [1]
        assert (await client.hear())["type"] == "complete"


async def test_where_only_registered_documents_are_answered_others_are_refused(database: Database) -> None:
    await add_documents(database, {REGISTERED: COUNTING})
    with served(database._target, Settings(documents=Documents.TRUSTED)) as trusting:
        async with trusting.socket() as client:
            assert codes(await client.answer("1", "{ __typename }")) == ["DOCUMENT_NOT_FOUND"]
            known = {"documentId": REGISTERED, "variables": {"until": 1}}
            await client.say(type="subscribe", id="1", payload=known)
            assert numbers([await client.hear()]) == [1]


# Nothing is remembered


async def rename(database: Database, title: str) -> None:
    async with database.write() as connection:
        await connection.execute(update(tables.asset).where(tables.asset.c.id == TRACK).values(title=title))


@pytest.fixture
async def renamed(database: Database) -> AsyncIterator[Callable[[str], Any]]:
    """Renames the track until the test ends."""
    yield lambda title: rename(database, title)
    await rename(database, "Rain")


async def test_each_event_and_each_operation_reads_anew(database: Database, renamed: Callable[[str], Any]) -> None:
    watching = 'subscription { artist(handle: "ada", every: 20) { assets(first: 1) { nodes { title } } } }'
    # Through loaders: they are what would remember.
    with served(database._target, Settings(execution=Execution.REFERENCE)) as running:
        async with running.socket() as client, running.socket() as asking:
            await client.subscribe("1", watching)
            for title in ("Rain", "Snow", "Hail"):
                await renamed(title)
                seen = title_of(await asking.answer(title, TITLES))
                assert seen == title
                async with asyncio.timeout(PATIENCE):
                    while title_of(await client.hear()) != title:
                        pass


def title_of(message: dict[str, Any]) -> str:
    return str(message["payload"]["data"]["artist"]["assets"]["nodes"][0]["title"])


async def test_a_session_that_is_over_ends_the_socket_at_its_next_operation(quiet: Served, database: Database) -> None:
    async with database.write() as connection:
        await new_session(connection, "another")
    async with quiet.socket({"Authorization": "bearer another"}) as client:
        assert (await client.answer("1", VIEWER))["payload"]["data"]["viewer"] is not None
        async with database.write() as connection:
            await connection.execute(
                update(tables.session)
                .where(tables.session.c.secret_hash == hashlib.sha256(b"another").digest())
                .values(revoked_at=datetime(2020, 1, 1, tzinfo=UTC))
            )
        await client.subscribe("2", VIEWER)
        assert await client.hear() == {"code": 4403, "reason": "Forbidden"}
    await until(lambda: not quiet.app._sockets.open)


# Ends that are nobody's fault


async def test_a_defect_ends_the_socket_and_says_nothing_of_itself(quiet: Served) -> None:
    with capture_logs() as logs:
        async with quiet.socket() as client:
            await client.subscribe("1", "subscription { broken }")
            heard = await client.rest()
    assert heard[-1] == {"code": 1011, "reason": ""}
    assert [log["event"] for log in logs] == ["socket failed"]


async def test_a_process_that_goes_says_where_to_resume(database: Database) -> None:
    with served(database._target) as leaving:
        async with leaving.socket() as one, leaving.socket() as several, leaving.socket() as none:
            await one.subscribe("1", SILENT)
            await several.subscribe("1", SILENT)
            await several.subscribe("2", SILENT)
            for client in (one, several, several):
                assert (await client.hear())["type"] == "next"
            leaving.leave()
            assert await one.hear() == {"code": 1012, "reason": "resume after tick-1"}
            # Each operation has a place of its own, which its client knows.
            assert await several.hear() == {"code": 1012, "reason": "come back"}
            assert await none.hear() == {"code": 1012, "reason": "come back"}
        await until(lambda: leaving.clock.running == 0)
