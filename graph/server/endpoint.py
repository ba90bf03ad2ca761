"""`/graphql` over HTTP as a bare ASGI callable: one request in, one answer or one stream out.

Statuses, as GraphQL over HTTP has them: 200 with `data`; 400 for a request refused before execution, or 200 where the
client accepts only `application/json`; 401, 403, 404, 405, 406, 413, 415 and 429 for what never was an operation; 503
while the database is away. What the public reads with GET may be kept by caches for as long as the schema says.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Mapping

from domain.accounts import ANONYMOUS
from domain.errors import CassetError, Code, TooMany, Unavailable
from graph.answers import Answer
from graph.server.buckets import rate_limit_headers
from graph.server.cookies import keeping
from graph.server.door import Admitted, Door, OutOfPoints, Refused
from graph.server.house import caller_of
from graph.server.negotiation import (
    EVENT_STREAM,
    JSON_TYPE,
    RESPONSE_TYPE,
    SMALLEST_CODED,
    VARY,
    Accepted,
    accepted,
    coded,
    coding,
)
from graph.server.protocol import LEAVING
from graph.server.requests import Headers, Receive, RequestRefused, Scope, Send, error_body, request_from
from graph.server.streams import Streams
from resolvers.callers import House

UNCACHED = (b"cache-control", b"no-store")


class Endpoint:
    """GraphQL over HTTP."""

    def __init__(self, door: Door, streams: Streams, house: House) -> None:
        """Stand behind a door; send streams; people sign in to the house."""
        self._door = door
        self._streams = streams
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        wanted = accepted(headers.get(b"accept"))
        try:
            actor = await self._door.enter(scope, headers)
            if wanted.json is None and wanted.stream is None:
                raise RequestRefused(406, Code.BAD_USER_INPUT, f"This is answered in {RESPONSE_TYPE.decode()} or JSON.")
            request = await request_from(scope, headers, receive)
            admitted = await self._door.admit(request, actor)
            await self._serve(scope, headers, wanted, admitted, receive, send)
        except RequestRefused as refused:
            await _send(send, refused.status, wanted.json, refused.body, (UNCACHED, *refused.headers))
        except Refused as refused:
            status = 400 if wanted.json == RESPONSE_TYPE else 200
            await self._refuse(send, wanted, status, refused.answer.body, rate_limit_headers(refused.balance))
        except OutOfPoints as spent:
            body = error_body(Code.RATE_LIMIT, spent.message)
            await _send(send, 429, wanted.json, body, (UNCACHED, *rate_limit_headers(spent.balance)))
        except TooMany as error:
            again = (b"retry-after", b"%d" % math.ceil(error.seconds))
            await _send(send, 429, wanted.json, error_body(error.code, error.message), (UNCACHED, again))
        except Unavailable as error:
            await _send(
                send, 503, wanted.json, error_body(error.code, error.message), (UNCACHED, (b"retry-after", b"1"))
            )
        except CassetError as error:
            await _send(send, 400, wanted.json, error_body(error.code, error.message), (UNCACHED,))

    async def _refuse(self, send: Send, wanted: Accepted, status: int, body: bytes, limits: Headers) -> None:
        """Refuse an operation; who takes nothing but a stream learns it from the stream."""
        if wanted.json is None and wanted.stream == EVENT_STREAM:
            await self._streams.whole(send, body, limits)
        else:
            await _send(send, status, wanted.json, body, (UNCACHED, *limits))

    async def _serve(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        wanted: Accepted,
        admitted: Admitted,
        receive: Receive,
        send: Send,
    ) -> None:
        is_get = scope["method"] == "GET"
        if admitted.kind == "mutation" and is_get:
            raise RequestRefused(405, Code.BAD_USER_INPUT, "A mutation needs POST.", ((b"allow", b"POST"),))
        if admitted.kind == "subscription":
            if wanted.stream is None:
                raise RequestRefused(
                    406 if wanted.json is None else 400,
                    Code.SUBSCRIPTION_TRANSPORT_REQUIRED,
                    "A subscription is answered over a WebSocket, as text/event-stream or as multipart/mixed.",
                )
            await self._streams.events(admitted, wanted.stream, receive, send)
            return
        state = scope.get("state", {})
        if admitted.kind == "query":
            state[LEAVING] = asyncio.current_task()
        caller = caller_of(scope, admitted.actor, self._house)
        try:
            answer, cost = await self._door.answer(admitted, caller)
        except asyncio.CancelledError:
            if LEAVING in state or admitted.kind != "query":
                raise
            return  # the client is gone
        limits = rate_limit_headers(admitted.balance)
        if caller.opened is not None:
            limits = (*limits, keeping(headers, caller.opened))
        if wanted.json is None and wanted.stream == EVENT_STREAM:
            await self._streams.whole(send, answer.extended(cost), limits)
        elif is_get and admitted.actor.viewer is ANONYMOUS:
            await self._send_public(headers, wanted, admitted, answer, limits, send)
        else:
            body, encoding = _encoded(headers, answer.extended(cost))
            await _send(send, 200, wanted.json, body, (UNCACHED, *encoding, *limits))

    async def _send_public(
        self,
        headers: Mapping[bytes, bytes],
        wanted: Accepted,
        admitted: Admitted,
        answer: Answer,
        limits: Headers,
        send: Send,
    ) -> None:
        """What everybody may read alike: with a tag and an age, and without what is only this caller's, the balance."""
        age = self._door.max_age(admitted)
        tag = b'W/"%b"' % hashlib.sha256(answer.body).hexdigest()[:32].encode()
        caching = (b"cache-control", b"public, max-age=%d" % age if age else b"no-cache"), (b"etag", tag)
        if _matches(headers.get(b"if-none-match"), tag):
            await send({"type": "http.response.start", "status": 304, "headers": [VARY, *caching, *limits]})
            await send({"type": "http.response.body"})
            return
        body, encoding = _encoded(headers, answer.body)
        await _send(send, 200, wanted.json, body, (*caching, *encoding, *limits))


def _encoded(headers: Mapping[bytes, bytes], body: bytes) -> tuple[bytes, Headers]:
    """The body in the content coding asked for, where that is worth its work."""
    asked = headers.get(b"accept-encoding")
    name = coding(asked) if asked is not None and len(body) >= SMALLEST_CODED else None
    return (body, ()) if name is None else (coded(body, name), ((b"content-encoding", name),))


def _matches(given: bytes | None, tag: bytes) -> bool:
    """Weak comparison of RFC 9110 section 8.8.3.2."""
    if given is None:
        return False
    return given.strip() == b"*" or tag.removeprefix(b"W/") in {
        part.strip().removeprefix(b"W/") for part in given.split(b",")
    }


async def _send(send: Send, status: int, media_type: bytes | None, body: bytes, headers: Headers) -> None:
    sent = [
        (b"content-type", (media_type or JSON_TYPE) + b"; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        VARY,
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
