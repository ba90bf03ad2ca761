"""What every answer shares: a request id, security headers, CORS, and a masked answer where the application fails.

`Guard` stands between the server and the application, for HTTP and WebSocket alike. What a request asks for, and
what it costs, is not looked at here; what is no HTTP at all never comes this far (`graph/server/protocol.py`).
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Collection, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from domain.errors import Code

log = structlog.get_logger()

HeaderList = list[tuple[bytes, bytes]]

REQUEST_ID: ContextVar[str] = ContextVar("request_id")
"""The id of the request that is being answered; tasks started for it inherit it."""

SECURITY_HEADERS: Final[HeaderList] = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""On every answer; what the application says itself is left as it is."""
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")

PROBLEM_TYPE: Final = "application/problem+json"
PROBES: Final = frozenset({"/livez", "/readyz"})
"""A load balancer asks these by address, whatever name the process goes by."""

_MASKED = "Something went wrong on our side."
_ELSEWHERE = "This process does not answer for that host."
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PORT = re.compile(rb":\d*$")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_VARY_ORIGIN = (b"vary", b"origin")
_EXPOSED = (
    b"access-control-expose-headers",
    (
        b"accept-ranges, content-range, etag, link, location, ratelimit, ratelimit-policy, repr-digest, retry-after, "
        b"x-preview-duration, x-request-id, www-authenticate, payment-required, payment-response, payment-receipt"
    ),
)
_REQUEST_HEADERS = (
    b"content-type",
    b"authorization",
    b"idempotency-key",
    b"payment-authorization",
    b"payment-signature",
    b"x-request-id",
    b"if-match",
    b"if-none-match",
    b"if-range",
    b"range",
    b"last-event-id",
    b"mcp-method",
    b"mcp-name",
    b"mcp-protocol-version",
    b"x-requested-with",
    b"apollo-require-preflight",
    b"x-apollo-operation-name",
)
_PREFLIGHT: HeaderList = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT"),
    (b"access-control-allow-headers", b", ".join(_REQUEST_HEADERS)),
    (b"access-control-max-age", b"7200"),
]
_PROBLEM_CODES = {
    401: Code.UNAUTHENTICATED,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    413: Code.TOO_LARGE,
    415: Code.UNSUPPORTED_MEDIA,
    429: Code.RATE_LIMIT,
    431: Code.TOO_LARGE,
    503: Code.UNAVAILABLE,
}


class Guard:
    """An ASGI application around another one.

    Anybody may read from any origin, without credentials. A cookie counts only where no other origin is involved, or a
    trusted one: otherwise it is taken off before the application sees the request, also on a WebSocket, which CORS does
    not cover.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        origins: Collection[str] = (),
        hosts: Collection[str] = (),
        production: bool = False,
    ) -> None:
        """Prepare the headers once.

        Args:
            app: what is guarded.
            origins: trusted with cookies, as browsers write them: `https://casset.example`.
            hosts: names this process answers to, without port; empty for any.
            production: whether browsers are told to come by HTTPS only.
        """
        self._app = app
        self._hosts = frozenset(host.lower().encode("ascii") for host in hosts)
        self._security = [*SECURITY_HEADERS, STRICT_TRANSPORT] if production else SECURITY_HEADERS
        self._security_names = frozenset(name for name, _ in self._security)
        # Where no origin is special every answer is the same for all of them, and caches may share it.
        vary = [_VARY_ORIGIN] if origins else []
        self._public: HeaderList = [_ANY_ORIGIN, _EXPOSED, *vary]
        self._trusted: dict[bytes | None, HeaderList] = {
            origin.encode("ascii"): [
                (b"access-control-allow-origin", origin.encode("ascii")),
                (b"access-control-allow-credentials", b"true"),
                _EXPOSED,
                *vary,
            ]
            for origin in origins
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or one WebSocket from its handshake to its end."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        request_id = _request_id(asked.get(b"x-request-id"))
        origin = asked.get(b"origin")
        if origin is not None and b"cookie" in asked and not self._trusts(origin, asked, scope.get("scheme", "")):
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"cookie"]
        shared = [*self._trusted.get(origin, self._public), (b"x-request-id", request_id)]
        guarded = self._http if scope["type"] == "http" else self._websocket
        await guarded(scope, receive, send, asked, shared)

    async def _http(
        self, scope: Scope, receive: Receive, send: Send, asked: dict[bytes, bytes], shared: HeaderList
    ) -> None:
        started = False

        def answer(message: Message) -> Awaitable[None]:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": self._headers(message, shared)}
            return send(message)

        async def say(messages: tuple[Message, Message]) -> None:
            for message in messages:
                await answer(message)

        early = self._early(scope, asked)
        if early is not None:
            await say(early)
            return
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            if not started:
                await say(_problem_messages(503, "This process is going away. Try again."))
            raise
        except Exception:
            log.exception("request failed", path=scope["path"])
            # What has begun stays unfinished: the server closes the connection, and nobody takes it for whole.
            if not started:
                await say(_failure_messages(scope, asked))

    async def _websocket(
        self, scope: Scope, receive: Receive, send: Send, asked: dict[bytes, bytes], shared: HeaderList
    ) -> None:
        answered = False

        def answer(message: Message) -> Awaitable[None]:
            nonlocal answered
            if answered:
                return send(message)
            answered = True
            if message["type"] == "websocket.close":
                return deny(403, "This WebSocket is not opened.")
            return send({**message, "headers": self._headers(message, shared)})

        async def deny(status: int, detail: str) -> None:
            """Answer the handshake with a problem (ASGI extension `websocket.http.response`)."""
            start, end = _problem_messages(status, detail, "websocket.http.response")
            await send({**start, "headers": self._headers(start, shared)})
            await send(end)

        if self._is_elsewhere(scope, asked):
            await deny(421, _ELSEWHERE)
            return
        try:
            await self._app(scope, receive, answer)
        except ClientDisconnected:
            raise
        except Exception:
            log.exception("socket failed", path=scope["path"])
            if answered:
                with suppress(ClientDisconnected, RuntimeError):
                    await send({"type": "websocket.close", "code": 1011})
            else:
                await deny(500, _MASKED)

    def _early(self, scope: Scope, asked: dict[bytes, bytes]) -> tuple[Message, Message] | None:
        """The answer to what the application need not see: another host's requests and CORS preflights."""
        if self._is_elsewhere(scope, asked):
            return _problem_messages(421, _ELSEWHERE)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            return {"type": "http.response.start", "status": 204, "headers": _PREFLIGHT}, {"type": "http.response.body"}
        return None

    def _headers(self, message: Message, shared: HeaderList) -> HeaderList:
        own = message.get("headers", ())
        names = dict(own)
        if self._security_names.isdisjoint(names):
            return [*own, *self._security, *shared]
        return [*own, *(header for header in self._security if header[0] not in names), *shared]

    def _trusts(self, origin: bytes, asked: dict[bytes, bytes], scheme: str) -> bool:
        own = (b"https://" if scheme in {"https", "wss"} else b"http://") + asked.get(b"host", b"")
        return origin == own or origin in self._trusted

    def _is_elsewhere(self, scope: Scope, asked: dict[bytes, bytes]) -> bool:
        """Whether the request is for another host: a name somebody else pointed at this process (DNS rebinding)."""
        if not self._hosts or scope["path"] in PROBES:
            return False
        return _PORT.sub(b"", asked.get(b"host", b"").lower()) not in self._hosts


def name_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the request's id to a log line: a processor of structlog, so that what logs nothing pays nothing."""
    request_id = REQUEST_ID.get(None)
    if request_id is not None:
        event["request_id"] = request_id
    return event


def problem(status: int, detail: str, code: Code | None = None) -> bytes:
    """A problem document (RFC 9457): a stable code beside the status, the usual one where none is given.

    The request's id is in it, where there is one.
    """
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or _PROBLEM_CODES.get(status, Code.BAD_USER_INPUT if status < 500 else Code.INTERNAL),
    }
    request_id = REQUEST_ID.get(None)
    if request_id is not None:
        document["requestId"] = request_id
    return orjson.dumps(document)


async def refused_by_routing(_: Request, error: Exception) -> Response:
    """Starlette's own refusals, such as 404 and 405, as problems; `Allow` stays."""
    if not isinstance(error, HTTPException):
        raise error
    detail = _REFUSALS.get(error.status_code, f"{error.detail}.")
    return Response(problem(error.status_code, detail), error.status_code, error.headers, PROBLEM_TYPE)


async def failed(_: Request, __: Exception) -> Response:
    """An unexpected exception in a route, masked; Starlette raises it again, and the guard logs it."""
    return Response(problem(500, _MASKED), 500, media_type=PROBLEM_TYPE)


PROBLEM_HANDLERS: Final[dict[Any, ExceptionHandler]] = {HTTPException: refused_by_routing, Exception: failed}
"""For `Starlette(exception_handlers=…)`."""

_REFUSALS = {404: "There is nothing at this address.", 405: "This address does not answer to that method."}


def _request_id(given: bytes | None) -> bytes:
    """The id the caller gave, where it is sane; otherwise a new one: no secret, only unlikely to come twice."""
    if given is not None and _SANE_ID.fullmatch(given):
        REQUEST_ID.set(given.decode("ascii"))
        return given
    made = f"{random.getrandbits(96):024x}"
    REQUEST_ID.set(made)
    return made.encode("ascii")


def _failure_messages(scope: Scope, asked: dict[bytes, bytes]) -> tuple[Message, Message]:
    """The masked 500: a GraphQL response for `/graphql`, a problem elsewhere."""
    if scope["path"] != "/graphql":
        return _problem_messages(500, _MASKED)
    graphql = b"application/graphql-response+json"
    media_type = graphql if graphql in asked.get(b"accept", b"") else b"application/json"
    extensions = {"code": Code.INTERNAL, "requestId": REQUEST_ID.get()}
    body = orjson.dumps({"errors": [{"message": _MASKED, "extensions": extensions}]})
    return _messages(500, media_type + b"; charset=utf-8", body)


def _problem_messages(status: int, detail: str, kind: str = "http.response") -> tuple[Message, Message]:
    return _messages(status, PROBLEM_TYPE.encode("ascii"), problem(status, detail), kind)


def _messages(status: int, media_type: bytes, body: bytes, kind: str = "http.response") -> tuple[Message, Message]:
    """The two ASGI messages of a whole answer."""
    headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]
    return {"type": f"{kind}.start", "status": status, "headers": headers}, {"type": f"{kind}.body", "body": body}
