"""Clients of the field, each as its users run it: what it asks is answered, what is refused arrives as its errors."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql.utilities import lexicographic_sort_schema, print_schema

from graph.schema import executable
from tests.conformance.conftest import Served
from tests.conformance.node import Node

ARTISTS = "{ artists(first: 2) { nodes { id handle } } }"
RENAME = """
mutation {
  updateAsset(input: { id: "track_01jd0000000000000000000000", expectedVersion: 1 }) {
    __typename ... on SignInNeededError { code }
  }
}
"""
BAD_ID = 'mutation { updateAsset(input: { id: "no id", expectedVersion: 1 }) { __typename } }'
TICKS = "subscription { clock(every: 10, until: 3) { number } }"
COUNTED = [{"clock": {"number": number}} for number in (1, 2, 3)]
NOT_SIGNED_IN = {"updateAsset": {"__typename": "SignInNeededError", "code": "UNAUTHENTICATED"}}
RESPONSE = "application/graphql-response+json"


def codes(errors: list[Any]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


# The protocols' own clients: graphql-transport-ws, and graphql-sse in distinct connections.


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse"])
def test_a_protocols_own_client_reads_with_a_query(node: Node, served: Served, client: str) -> None:
    results = node.outcome(f"clients/{client}.mjs", served.url, ARTISTS)
    assert len(results) == 1
    assert len(results[0]["data"]["artists"]["nodes"]) == 2


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse"])
def test_a_protocols_own_client_sees_every_event_and_the_end(node: Node, clock: str, client: str) -> None:
    assert node.outcome(f"clients/{client}.mjs", clock, TICKS) == [{"data": tick} for tick in COUNTED]


# Apollo Client


def test_apollo_reads_and_keeps_things_by_their_ids(node: Node, served: Served) -> None:
    outcome = node.outcome("clients/apollo.mjs", served.url, ARTISTS)
    artists = outcome["results"][0]["artists"]["nodes"]
    assert set(outcome["kept"]) == {"ROOT_QUERY"} | {f"Artist:{artist['id']}" for artist in artists}
    assert outcome["exchanges"][0]["type"].startswith(RESPONSE)


def test_apollo_meets_a_refusal_as_data_and_bad_input_as_an_error_with_its_code(node: Node, served: Served) -> None:
    refused = node.outcome("clients/apollo.mjs", served.url, RENAME)
    assert refused["results"] == [NOT_SIGNED_IN]
    bad = node.outcome("clients/apollo.mjs", served.url, BAD_ID)
    assert codes(bad["errors"]) == ["BAD_USER_INPUT"]
    assert [exchange["status"] for exchange in (refused["exchanges"] + bad["exchanges"])] == [200, 400]


def test_apollo_subscribes_over_multipart(node: Node, clock: str) -> None:
    outcome = node.outcome("clients/apollo.mjs", clock, TICKS)
    assert [result["clock"]["number"] for result in outcome["results"]] == [1, 2, 3]
    assert outcome["exchanges"][0]["type"].startswith("multipart/mixed")


# urql


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_urql_reads(node: Node, served: Served, method: str) -> None:
    outcome = node.outcome("clients/urql.mjs", served.url, ARTISTS, method.lower())
    assert len(outcome["results"][0]["data"]["artists"]["nodes"]) == 2
    [exchange] = outcome["exchanges"]
    assert (exchange["method"], exchange["status"]) == (method, 200)
    assert exchange["type"].startswith(RESPONSE)


def test_urql_meets_a_refusal_as_data_and_bad_input_as_an_error_with_its_code(node: Node, served: Served) -> None:
    assert node.outcome("clients/urql.mjs", served.url, RENAME)["results"] == [{"data": NOT_SIGNED_IN}]
    [bad] = node.outcome("clients/urql.mjs", served.url, BAD_ID)["results"]
    assert codes(bad["errors"]) == ["BAD_USER_INPUT"]


def test_urql_subscribes_over_server_sent_events(node: Node, clock: str) -> None:
    outcome = node.outcome("clients/urql.mjs", clock, TICKS)
    assert outcome["results"] == [{"data": tick} for tick in COUNTED]
    assert outcome["exchanges"][0]["type"].startswith("text/event-stream")


# gql, of Python


def over(transport: str, url: str) -> AIOHTTPTransport | HTTPXAsyncTransport | WebsocketsTransport:
    """A transport of gql's, and nothing it would do unasked."""
    if transport == "aiohttp":
        return AIOHTTPTransport(url=url)
    if transport == "httpx":
        return HTTPXAsyncTransport(url=url)
    return WebsocketsTransport(
        url=url.replace("http", "ws", 1), subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]
    )


@pytest.mark.parametrize("transport", ["aiohttp", "httpx", "websockets"])
async def test_gql_of_python_reads_and_meets_errors(served: Served, transport: str) -> None:
    async with Client(transport=over(transport, served.url)) as session:
        assert len((await session.execute(gql(ARTISTS)))["artists"]["nodes"]) == 2
        with pytest.raises(TransportQueryError) as refused:
            await session.execute(gql(BAD_ID))
        assert codes(refused.value.errors or []) == ["BAD_USER_INPUT"]


async def test_gql_of_python_learns_the_schema_by_introspection(served: Served) -> None:
    asking = Client(
        transport=over("aiohttp", served.url),
        fetch_schema_from_transport=True,
        introspection_args={"specified_by_url": True, "input_value_deprecation": True, "input_object_one_of": True},
    )
    async with asking as session:
        learnt = session.client.schema
    assert print_schema(lexicographic_sort_schema(learnt)) == print_schema(lexicographic_sort_schema(executable()))


async def test_gql_of_python_subscribes_over_websocket(clock: str) -> None:
    async with Client(transport=over("websockets", clock)) as session:
        assert [tick async for tick in session.subscribe(gql(TICKS))] == COUNTED


# Rooms


HEARING = "subscription ($room: ID!, $after: String) { roomEvents(roomId: $room, after: $after) { id kind reaction } }"
REACTING = "mutation ($input: ReactInput!) { react(input: $input) { __typename } }"
ROOM = '{ world(handle: "marrow-and-tide") { room { id lastEvent } } }'


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse", "apollo", "urql"])
def test_a_client_follows_a_room_and_goes_on_where_it_was_cut_off(node: Node, served: Served, client: str) -> None:
    authorization = f"Bearer {served.session()}"

    def deed(reaction: str) -> dict[str, Any]:
        return {"query": REACTING, "variables": {"input": {"room": room["id"], "reaction": reaction}}}

    with httpx.Client(headers={"authorization": authorization}, trust_env=False) as asking:
        room: dict[str, str] = asking.post(served.url, json={"query": ROOM}).json()["data"]["world"]["room"]
        for reaction in ("HEART", "FIRE"):
            told = asking.post(served.url, json=deed(reaction)).json()["data"]
            assert told["react"]["__typename"] == "ReactSuccess"
    variables = json.dumps({"room": room["id"], "after": room["lastEvent"]})
    words = (served.url, HEARING, variables, "2", json.dumps(deed("WAVE")), authorization)
    events = [result["roomEvents"] for result in node.outcome("clients/following.mjs", client, *words)]
    assert [event["reaction"] for event in events if event["reaction"]] == ["HEART", "FIRE", "WAVE"]
    assert len({event["id"] for event in events}) == len(events)
