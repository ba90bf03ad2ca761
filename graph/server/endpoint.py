"""The GraphQL endpoint as a bare ASGI callable: one request in, one answer out.

Bodies are capped, JSON is checked, the viewer is known before anything is read; what is refused answers JSON with a
stable code. Status codes: 200 with data; 400 for a request refused before execution (200 where the client accepts only
`application/json`, as GraphQL over HTTP has it); 401 for a token that is not good; 503 while the database is away.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
import structlog

from db.accounts import viewer_of_session
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.errors import Code, TooCostly, Unavailable
from graph.reading import Answer, Reader

log = structlog.get_logger()

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 64 * 1024
RESPONSE_TYPE = b"application/graphql-response+json"
JSON_TYPE = b"application/json"


class Refused(Exception):
    """A request that is no GraphQL request; it is answered with a status and a code."""

    def __init__(self, status: int, code: Code, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Keep what is answered."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a GraphQL request."""

    query: str
    operation_name: str | None
    variables: Mapping[str, Any] | None


class Endpoint:
    """`/graphql`."""

    def __init__(self, reader: Reader, database: Database) -> None:
        """Answer with a reader; know viewers from the database."""
        self._reader = reader
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        media_type = RESPONSE_TYPE if RESPONSE_TYPE in headers.get(b"accept", b"") else JSON_TYPE
        try:
            asked = await self._asked(scope, headers, receive)
            viewer = await self._viewer(scope, headers)
            answer = await self._reader.answer(asked.query, asked.operation_name, asked.variables, viewer)
        except Refused as refused:
            body = _error(refused.code, refused.message)
            await _send(send, refused.status, media_type, body, refused.headers)
        except Unavailable as error:
            body = _error(error.code, error.message)
            await _send(send, 503, media_type, body, ((b"retry-after", b"1"),))
        except TooCostly as error:
            await _send(send, 400, media_type, _error(error.code, error.message))
        except Exception:
            log.exception("request failed")
            await _send(send, 500, media_type, _error(Code.INTERNAL, "Something went wrong on our side."))
        else:
            await _send(send, _status(answer, media_type), media_type, answer.body)

    async def _asked(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Asked:
        method = scope["method"]
        if method == "GET":
            given = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
            values: Any = {name: given.get(name) for name in ("query", "operationName")}
            values["variables"] = _json(given["variables"].encode()) if given.get("variables") else None
        elif method == "POST":
            content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if content_type != JSON_TYPE:
                raise Refused(415, Code.BAD_USER_INPUT, "Send application/json.")
            values = _json(await _body(receive))
        else:
            raise Refused(405, Code.BAD_USER_INPUT, "Use POST, or GET for queries.", ((b"allow", b"GET, POST"),))
        if not isinstance(values, dict):
            raise Refused(400, Code.BAD_USER_INPUT, "The body must be a JSON object.")
        query, name, variables = values.get("query"), values.get("operationName"), values.get("variables")
        if not isinstance(query, str) or not query:
            raise Refused(400, Code.BAD_USER_INPUT, "query must be a string.")
        if not isinstance(name, str | None) or not isinstance(variables, dict | None):
            raise Refused(400, Code.BAD_USER_INPUT, "operationName must be a string, variables an object.")
        asked = Asked(query, name or None, variables)
        if method == "GET" and self._reader.kind(asked.query, asked.operation_name) == "mutation":
            raise Refused(405, Code.BAD_USER_INPUT, "A mutation needs POST.", ((b"allow", b"POST"),))
        return asked

    async def _viewer(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Viewer:
        authorization = headers.get(b"authorization")
        if authorization is None:
            return ANONYMOUS
        scheme, _, token = authorization.partition(b" ")
        viewer = None
        if scheme.lower() == b"bearer":
            secret_hash = hashlib.sha256(token.strip()).digest()
            loopback = is_loopback(scope.get("client"))
            viewer = await viewer_of_session(self._database, secret_hash, from_loopback=loopback)
        if viewer is None:
            challenge = ((b"www-authenticate", b"Bearer"),)
            raise Refused(401, Code.UNAUTHENTICATED, "The token is not good, or not any more.", challenge)
        return viewer


def is_loopback(client: tuple[str, int] | None) -> bool:
    """Whether the other end of the connection is this machine."""
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _status(answer: Answer, media_type: bytes) -> int:
    return 400 if answer.refused and media_type == RESPONSE_TYPE else 200


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise Refused(400, Code.BAD_USER_INPUT, "The request is not valid JSON in UTF-8.") from None


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, Code.BAD_USER_INPUT, "The client left.")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise Refused(413, Code.BAD_USER_INPUT, f"A request has at most {LARGEST_BODY} bytes.")
        if not message.get("more_body"):
            return body


def _error(code: Code, message: str) -> bytes:
    return orjson.dumps({"errors": [{"message": message, "extensions": {"code": code.value}}]})


async def _send(
    send: Send, status: int, media_type: bytes, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    sent = [
        (b"content-type", media_type + b"; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"Accept, Authorization"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
