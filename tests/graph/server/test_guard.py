"""What every answer shares: the headers, the request id, who may read from where, and silence about what went wrong."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from graph.server.guard import PROBLEM_HANDLERS, REQUEST_ID, Guard, name_request
from tests.graph.server.running import Running, answer, running

TRUSTED = "https://casset.example"
FOREIGN = "https://elsewhere.example"
SECRET = "SELECT password FROM account"  # what nobody may read in an answer
OWN_POLICY = "default-src 'self'"


async def plain(_: Request) -> Response:
    return PlainTextResponse("plain")


async def own(_: Request) -> Response:
    headers = {"content-security-policy": OWN_POLICY, "x-content-type-options": "nosniff", "vary": "accept"}
    return PlainTextResponse("own", headers=headers)


async def cookies(request: Request) -> Response:
    return JSONResponse(request.cookies)


async def asked_as(_: Request) -> Response:
    return PlainTextResponse(REQUEST_ID.get())


async def too_large(_: Request) -> Response:
    raise HTTPException(413, headers={"x-most": "65536"})


async def fails(_: Request) -> Response:
    raise RuntimeError(SECRET)


ROUTES = [
    Route("/", plain),
    Route("/own", own),
    Route("/cookies", cookies),
    Route("/asked-as", asked_as),
    Route("/too-large", too_large),
    Route("/fails", fails),
]
STARLETTE = Starlette(routes=ROUTES, exception_handlers=PROBLEM_HANDLERS)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Bare callables in front of Starlette, as the application has it."""
    start = {"type": "http.response.start", "status": 200, "headers": []}
    match scope["path"]:
        case "/graphql" | "/bare":
            raise RuntimeError(SECRET)
        case "/breaks":
            await send(start)
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            raise RuntimeError(SECRET)
        case "/cancelled":
            raise asyncio.CancelledError
        case _:
            await STARLETTE(scope, receive, send)


@pytest.fixture(scope="module", autouse=True)
def _logs() -> Iterator[None]:
    """What is logged on purpose stays out of the run's output."""
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def development() -> Iterator[Running]:
    with running(Guard(app)) as server:
        yield server


@pytest.fixture(scope="module")
def production() -> Iterator[Running]:
    guard = Guard(app, origins=[TRUSTED], hosts=["127.0.0.1", "casset.example"], production=True)
    with running(guard) as server:
        yield server


# Headers


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("HEAD", "/", {}, 200),
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/", {}, 405),
        ("OPTIONS", "/", {}, 405),
        ("GET", "/too-large", {}, 413),
        ("GET", "/fails", {}, 500),
        ("GET", "/bare", {}, 500),
        ("POST", "/graphql", {}, 500),
        ("GET", "/cancelled", {}, 503),
        ("GET", "/", {"host": "elsewhere.example"}, 421),
        ("OPTIONS", "/", {"origin": FOREIGN, "access-control-request-method": "POST"}, 204),
    ],
)
def test_every_answer_carries_the_security_headers_once(
    production: Running, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    got = httpx.request(method, production.address + path, headers=headers)
    assert got.status_code == status
    for name, value in {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
    }.items():
        assert got.headers.get_list(name) == [value]
    assert re.fullmatch(r"[0-9a-f]{24}", got.headers["x-request-id"])
    assert SECRET not in got.text


def test_https_is_asked_for_in_production_only(development: Running) -> None:
    assert "strict-transport-security" not in httpx.get(development.address).headers


def test_what_the_application_says_itself_is_left_as_it_is(production: Running) -> None:
    got = httpx.get(production.address + "/own")
    assert got.headers.get_list("content-security-policy") == [OWN_POLICY]
    assert got.headers.get_list("x-content-type-options") == ["nosniff"]
    assert got.headers.get_list("referrer-policy") == ["no-referrer"]
    assert got.headers.get_list("vary") == ["accept", "origin"]


def test_a_constant_answer_of_the_application_does_not_grow() -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}

    async def constant(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send({"type": "http.response.body"})

    with running(Guard(constant)) as server:
        lengths = {len(httpx.get(server.address).headers) for _ in range(3)}
    assert (len(lengths), len(start["headers"])) == (1, 1)


# Request ids


@pytest.mark.parametrize("sane", ["a", "trace-1.2_3", "x" * 64])
def test_the_callers_request_id_is_kept_where_it_is_sane(development: Running, sane: str) -> None:
    got = httpx.get(development.address + "/asked-as", headers={"x-request-id": sane})
    assert (got.text, got.headers.get_list("x-request-id")) == (sane, [sane])


@pytest.mark.parametrize("other", ["", "x" * 65, "a b", "a;b", "<a>", "a\tb", "é".encode()])
def test_any_other_request_id_is_replaced(development: Running, other: str | bytes) -> None:
    got = httpx.get(development.address + "/asked-as", headers={"x-request-id": other})
    assert re.fullmatch(r"[0-9a-f]{24}", got.text)
    assert got.headers.get_list("x-request-id") == [got.text]


def test_every_request_of_a_connection_has_an_id_of_its_own(development: Running) -> None:
    with httpx.Client() as client:
        assert len({client.get(development.address + "/asked-as").text for _ in range(20)}) == 20


def test_a_log_line_names_its_request(development: Running) -> None:
    token = REQUEST_ID.set("abc")
    assert name_request(None, "info", {"event": "seen"}) == {"event": "seen", "request_id": "abc"}
    REQUEST_ID.reset(token)
    assert name_request(None, "info", {"event": "started"}) == {"event": "started"}


# Origins


def cors(got: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in got.headers.items() if name.startswith("access-control-")}


EXPOSED = (
    "accept-ranges, content-range, etag, link, location, ratelimit, ratelimit-policy, repr-digest, retry-after, "
    "x-preview-duration, x-request-id, www-authenticate, payment-required, payment-response, payment-receipt"
)


@pytest.mark.parametrize("origin", [None, FOREIGN, "null", TRUSTED])
def test_anybody_may_read_and_caches_may_share_it(development: Running, origin: str | None) -> None:
    got = httpx.get(development.address, headers={"origin": origin} if origin else {})
    assert cors(got) == {"access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED}
    assert "vary" not in got.headers


@pytest.mark.parametrize(
    "origin", [None, FOREIGN, "null", f"{TRUSTED}.elsewhere.example", f"{TRUSTED}:444", TRUSTED.replace("s:", ":")]
)
def test_only_a_trusted_origin_is_allowed_credentials(production: Running, origin: str | None) -> None:
    trusted = httpx.get(production.address, headers={"origin": TRUSTED})
    assert cors(trusted) == {
        "access-control-allow-origin": TRUSTED,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": EXPOSED,
    }
    other = httpx.get(production.address, headers={"origin": origin} if origin else {})
    assert cors(other) == {"access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED}
    assert trusted.headers["vary"] == other.headers["vary"] == "origin"


@pytest.mark.parametrize("origin", [FOREIGN, TRUSTED])
def test_a_preflight_is_answered_without_the_application(production: Running, origin: str) -> None:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    got = httpx.options(production.address + "/fails", headers=asked)
    assert (got.status_code, got.content) == (204, b"")
    allowed = cors(got)
    assert allowed["access-control-allow-methods"] == "GET, HEAD, POST, PUT"
    assert set(allowed["access-control-allow-headers"].split(", ")) == {
        "content-type",
        "authorization",
        "idempotency-key",
        "x-request-id",
        "if-match",
        "if-none-match",
        "if-range",
        "range",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "payment-authorization",
        "payment-signature",
        "x-requested-with",
        "apollo-require-preflight",
        "x-apollo-operation-name",
    }
    assert allowed["access-control-max-age"] == "7200"
    assert (allowed.get("access-control-allow-credentials") == "true") is (origin == TRUSTED)


@pytest.mark.parametrize(
    ("origin", "seen"),
    [
        (None, {"session": "s"}),
        (TRUSTED, {"session": "s"}),
        ("http://127.0.0.1:{port}", {"session": "s"}),
        ("https://127.0.0.1:{port}", {}),
        (FOREIGN, {}),
        ("null", {}),
        ("", {}),
    ],
)
def test_a_cookie_counts_from_here_and_from_trusted_origins(
    production: Running, origin: str | None, seen: dict[str, str]
) -> None:
    headers = {"cookie": "session=s"}
    if origin is not None:
        headers["origin"] = origin.format(port=production.port)
    assert httpx.get(production.address + "/cookies", headers=headers).json() == seen


# Hosts


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("casset.example", 200),
        ("CASSET.example:8443", 200),
        ("elsewhere.example", 421),
        ("casset.example.elsewhere.example", 421),
        ("elsewhere.example:443", 421),
    ],
)
def test_another_host_is_not_answered_for(production: Running, host: str, status: int) -> None:
    assert httpx.get(production.address, headers={"host": host}).status_code == status


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_load_balancer_may_ask_by_address(production: Running, path: str) -> None:
    assert httpx.get(production.address + path, headers={"host": "10.0.0.7:8000"}).status_code == 404


# Failures


@pytest.mark.parametrize("accept", ["application/graphql-response+json, application/json;q=0.9", "application/json"])
def test_graphql_fails_with_a_masked_error(development: Running, accept: str) -> None:
    got = httpx.post(development.address + "/graphql", headers={"accept": accept})
    assert (got.status_code, got.headers["content-type"].partition(";")[0]) == (500, accept.partition(",")[0])
    extensions = {"code": "INTERNAL", "requestId": got.headers["x-request-id"]}
    assert got.json() == {
        "errors": [{"message": "Something went wrong on our side.", "extensions": extensions}],
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "detail"),
    [
        ("GET", "/fails", 500, "INTERNAL", "Something went wrong on our side."),
        ("GET", "/bare", 500, "INTERNAL", "Something went wrong on our side."),
        ("GET", "/nothing", 404, "NOT_FOUND", "There is nothing at this address."),
        ("PUT", "/", 405, "BAD_USER_INPUT", "This address does not answer to that method."),
        ("GET", "/too-large", 413, "TOO_LARGE", None),
        ("GET", "/cancelled", 503, "UNAVAILABLE", "This process is going away. Try again."),
    ],
)
def test_a_refusal_is_a_problem(
    development: Running, method: str, path: str, status: int, code: str, detail: str | None
) -> None:
    got = httpx.request(method, development.address + path)
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")
    problem = got.json()
    assert (problem["type"], problem["status"], problem["code"]) == ("about:blank", status, code)
    assert problem["requestId"] == got.headers["x-request-id"]
    assert detail in {None, problem["detail"]}


def test_a_refusal_keeps_the_headers_it_came_with(development: Running) -> None:
    allowed = httpx.put(development.address).headers["allow"]
    assert {method.strip() for method in allowed.split(",")} == {"GET", "HEAD"}
    assert httpx.get(development.address + "/too-large").headers["x-most"] == "65536"


def test_what_fails_halfway_is_not_taken_for_whole(development: Running) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(development.address + "/breaks")


def test_a_failure_is_logged_once_and_the_connection_goes_on(development: Running) -> None:
    with structlog.testing.capture_logs() as logs, development.connect() as client:
        for _ in range(2):
            client.sendall(b"GET /fails HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert answer(client).startswith(b"HTTP/1.1 500")
    assert [(line["event"], line["path"]) for line in logs] == [("request failed", "/fails")] * 2


# WebSockets

Sent = list[dict[str, Any]]


async def handshake(behaviour: Any, guard_headers: list[tuple[bytes, bytes]] | None = None, **guarded: Any) -> Sent:
    """What the server is told when a WebSocket is asked for."""
    sent: Sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    headers = [(b"host", b"casset.example"), *(guard_headers or [])]
    scope = {"type": "websocket", "scheme": "wss", "path": "/graphql", "headers": headers, "subprotocols": []}
    await Guard(behaviour, **guarded)(scope, receive, send)
    return sent


def has_security_headers(message: dict[str, Any]) -> bool:
    headers = dict(message["headers"])
    return headers[b"x-content-type-options"] == b"nosniff" and b"x-request-id" in headers


async def test_an_accepted_handshake_carries_the_headers_and_messages_pass() -> None:
    async def accepts(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        await send({"type": "websocket.send", "text": "hello"})
        await send({"type": "websocket.close", "code": 4401})

    accept, *others = await handshake(accepts)
    assert (accept["type"], accept["subprotocol"]) == ("websocket.accept", "graphql-transport-ws")
    assert has_security_headers(accept)
    assert others == [{"type": "websocket.send", "text": "hello"}, {"type": "websocket.close", "code": 4401}]


async def test_a_refused_handshake_is_a_problem_with_the_headers() -> None:
    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close"})

    async def fails_at_once(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError(SECRET)

    for behaviour, status in [(refuses, 403), (fails_at_once, 500)]:
        start, end = await handshake(behaviour)
        assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
        assert has_security_headers(start)
        assert json.loads(end["body"])["status"] == status
        assert SECRET not in str(end)


async def test_a_socket_that_fails_is_closed_with_1011() -> None:
    async def fails_later(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        raise RuntimeError(SECRET)

    assert (await handshake(fails_later))[-1] == {"type": "websocket.close", "code": 1011}


def test_a_handshake_on_the_wire_carries_the_headers_whatever_comes_of_it() -> None:
    async def sockets(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["path"] == "/refused":
            await send({"type": "websocket.close"})
        elif scope["path"] == "/fails":
            raise RuntimeError(SECRET)
        else:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "hello"})
            await receive()

    with running(Guard(sockets), ws="websockets-sansio") as server:
        address = server.address.replace("http", "ws")
        with connect(address) as accepted:
            assert accepted.recv() == "hello"
        got = [accepted.response]
        for path in ("/refused", "/fails"):
            with pytest.raises(InvalidStatus) as refused:
                connect(address + path)
            got.append(refused.value.response)
    assert [each.status_code for each in got] == [101, 403, 500]
    assert {each.headers["x-content-type-options"] for each in got} == {"nosniff"}
    assert len({each.headers["x-request-id"] for each in got}) == 3


async def test_a_socket_for_another_host_is_not_opened() -> None:
    start, _ = await handshake(app, hosts=["elsewhere.example"])
    assert start["status"] == 421


@pytest.mark.parametrize(
    ("origin", "kept"),
    [(TRUSTED, True), (FOREIGN, False), ("http://casset.example", False)],
)
async def test_a_cookie_opens_no_socket_for_a_foreign_page(origin: str, kept: bool) -> None:
    seen: list[bytes] = []

    async def looks(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(name for name, _ in scope["headers"])
        await send({"type": "websocket.accept"})

    await handshake(looks, [(b"origin", origin.encode()), (b"cookie", b"session=s")])
    assert (b"cookie" in seen) is kept
