"""GraphQL requests as they travel: the parameters of GraphQL over HTTP, the same ones in a WebSocket's message.

What is no such request is refused here, with a status for HTTP and a stable code for every road.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from domain.errors import Code
from graph.server.negotiation import LONGEST_HEADER

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

LARGEST_BODY = 64 * 1024
MOST_VALUES = 2000
"""In the variables of a request: a question about 500 assets has a quarter of them."""
_DOCUMENT_ID = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_PARAMETERS = 16


class RequestRefused(Exception):
    """A request that is no GraphQL request, or not one for this road: a status, a code and a sentence."""

    def __init__(self, status: int, code: Code, message: str, headers: Headers = ()) -> None:
        """Keep what is answered."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    @property
    def body(self) -> bytes:
        """The answer: a GraphQL response without `data`."""
        return error_body(self.code, self.message)


class GraphQLRequest(NamedTuple):
    """The parameters of a request.

    Attributes:
        query: the document's text; None where only its hash is given.
        operation_name: of the operation, where the document has several.
        variables: as they came.
        sha256: the hash of a registered document, lower-case hex.
        values: how many there are in the variables, at any depth; more than `MOST_VALUES` are not all counted.
    """

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    sha256: str | None = None
    values: int = 0


def error_body(code: Code, message: str) -> bytes:
    """A GraphQL response of one error and no data."""
    return orjson.dumps({"errors": [{"message": message, "extensions": {"code": code.value}}]})


def request_of(values: Any) -> GraphQLRequest:
    """Read the parameters of a request.

    A registered document is named by `documentId` (GraphQL over HTTP, appendix A: `sha256:` and the hash), by the bare
    hash as Relay writes it, or in Apollo's `extensions.persistedQuery`.

    Raises:
        RequestRefused: one is missing or of another type.
    """
    if not isinstance(values, dict):
        raise _bad("The request must be a JSON object.")
    query, name, variables = values.get("query"), values.get("operationName"), values.get("variables")
    extensions = values.get("extensions")
    if not isinstance(name, str | None) or not isinstance(variables, dict | None):
        raise _bad("operationName must be a string, variables an object.")
    if not isinstance(extensions, dict | None):
        raise _bad("extensions must be an object.")
    sha256 = _hash_of(values.get("documentId"), extensions or {})
    if query is None and sha256 is not None:
        return GraphQLRequest(None, name or None, variables, sha256, counted(variables))
    if not isinstance(query, str) or not query:
        raise _bad("query must be a string.")
    return GraphQLRequest(query, name or None, variables, sha256, counted(variables))


def counted(variables: Mapping[str, Any] | None) -> int:
    """The values in the variables; what holds too many is not looked through."""
    inside: list[Any] = [variables] if variables else []
    count = 0
    while inside and count <= MOST_VALUES:
        holder = inside.pop()
        count += len(holder)
        if len(holder) <= MOST_VALUES:
            values = holder.values() if isinstance(holder, dict) else holder
            inside += [value for value in values if isinstance(value, (dict, list))]
    return count


def _hash_of(document_id: Any, extensions: Mapping[str, Any]) -> str | None:
    given = document_id
    persisted = extensions.get("persistedQuery")
    if given is None and isinstance(persisted, dict):
        given = persisted.get("sha256Hash")
    if given is None:
        return None
    found = _DOCUMENT_ID.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise _bad("A document is named by sha256: and its hash, 64 digits from 0 to f.")
    return found[1]


async def request_from(scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> GraphQLRequest:
    """Read the request out of an HTTP exchange.

    Raises:
        RequestRefused: another method or media type, too long a body, no JSON, or no request in it.
    """
    if scope["method"] == "POST":
        content_type, encoding = headers.get(b"content-type", b""), headers.get(b"content-encoding", b"identity")
        check_content(content_type[:LONGEST_HEADER], encoding[:LONGEST_HEADER])
        return request_of(_json(await body_of(receive)))
    if scope["method"] != "GET":
        allow = ((b"allow", b"GET, POST"),)
        raise RequestRefused(405, Code.BAD_USER_INPUT, "Use POST, or GET for queries.", allow)
    try:
        # A strict parse of what browsers and clients write; anything else is no request of theirs.
        given = dict(
            parse_qsl(
                scope["query_string"].decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_PARAMETERS,
            )
        )
    except ValueError:
        raise _bad("The query string is not valid.") from None
    values: dict[str, Any] = {name: given[name] for name in ("query", "operationName", "documentId") if name in given}
    for name in ("variables", "extensions"):
        if given.get(name):
            values[name] = _json(given[name].encode())
    return request_of(values)


@lru_cache(maxsize=64)
def check_content(content_type: bytes, encoding: bytes) -> None:
    """Refuse what is not JSON in UTF-8 as it is.

    Raises:
        RequestRefused: by its media type, or by its coding.
    """
    media_type, *parameters = content_type.lower().split(b";")
    known = [parameter.strip() for parameter in parameters]
    charset = [parameter for parameter in known if parameter.startswith(b"charset=")]
    if media_type.strip() != b"application/json" or charset not in ([], [b"charset=utf-8"], [b'charset="utf-8"']):
        raise RequestRefused(415, Code.UNSUPPORTED_MEDIA, "Send application/json in UTF-8.")
    if encoding != b"identity":
        raise RequestRefused(415, Code.UNSUPPORTED_MEDIA, "Send the body as it is, not compressed.")


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise _bad("The request is not valid JSON in UTF-8.") from None


async def body_of(receive: Receive) -> bytes:
    """All of a body.

    Raises:
        RequestRefused: it is too long, or the client left.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    while True:
        if len(body) > LARGEST_BODY:
            raise RequestRefused(413, Code.TOO_LARGE, f"A request has at most {LARGEST_BODY} bytes.")
        if message["type"] == "http.disconnect":
            raise _bad("The client left.")
        if not message.get("more_body"):
            return body
        message = await receive()
        body += message.get("body", b"")


def _bad(message: str) -> RequestRefused:
    return RequestRefused(400, Code.BAD_USER_INPUT, message)
