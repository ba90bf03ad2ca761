"""Answers in parts over HTTP: `graphql-sse` in distinct connections mode, and Apollo's multipart subscriptions.

A stream ends when its source does, when the client leaves, when it does not take its events, and when the process goes.
Each event is executed afresh; nothing is remembered of the one before.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from domain.accounts import ANONYMOUS
from domain.errors import CassetError, Code
from graph.answers import Answer
from graph.server.buckets import rate_limit_headers
from graph.server.door import Admitted, Door
from graph.server.negotiation import EVENT_STREAM, VARY
from graph.server.requests import Headers, Receive, RequestRefused, Send, error_body
from resolvers.happenings import FellBehind

HEARTBEAT = 12.0
"""Seconds of silence after which a stream says that it lives."""
MOST_STREAMS = 20
"""Streams at once of one account."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a stream writes what it sends.

    Attributes:
        content_type: of the answer.
        opening: before the first event; empty for nothing.
        event: one answer, and where to resume after it; without an answer, where it begins.
        heartbeat: what is sent in silence.
        ending: after the last one, where the source is done.
        breaking: instead of it, where the process goes: the client subscribes again elsewhere.
    """

    content_type: bytes
    opening: bytes
    event: Callable[[bytes, str | None], bytes]
    heartbeat: bytes
    ending: bytes
    breaking: bytes


def named(mark: str | None) -> bytes:
    """The line that says which event this is, or that comes after it."""
    return b"id: %b\n" % mark.encode() if mark else b""


SSE = Form(
    EVENT_STREAM + b"; charset=utf-8",
    b":\n\n",
    lambda body, mark: b"event: next\n%bdata: %b\n\n" % (named(mark), body) if body else named(mark) + b"\n",
    b":\n\n",
    b"event: complete\ndata:\n\n",
    b"",
)
"""graphql-sse, PROTOCOL.md; the empty `data` of `complete` is for EventSource, which drops events without one.

A stream that ends without `complete` is opened again by its client, from the last `id` on.
"""
_NEXT_PART = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
_GOING = error_body(Code.UNAVAILABLE, "This process is going away. Subscribe again.")
MULTIPART = Form(
    b'multipart/mixed;boundary="-";subscriptionSpec="1.0"',
    b"\r\n---",
    lambda body, _: b'%b{"payload":%b}\r\n---' % (_NEXT_PART, body) if body else b"",
    b"%b{}\r\n---" % _NEXT_PART,
    b"--\r\n",
    b'%b{"payload":null,%b\r\n-----\r\n' % (_NEXT_PART, _GOING[1:]),
)
"""Apollo's multipart subscriptions, `subscriptionSpec=1.0`; `payload: null` is an error of the transport.

A part is followed by its boundary at once: clients read a part when they see where it ends.
"""


class Streams:
    """Sends streams; counts those of each account, and all that are `gone`."""

    def __init__(self, door: Door, draining: asyncio.Event, *, heartbeat: float = HEARTBEAT) -> None:
        """Stand behind a door.

        Args:
            door: runs subscriptions.
            draining: set when the process is going away: streams end, clients come back elsewhere.
            heartbeat: seconds of silence after which a stream says that it lives.
        """
        self._door = door
        self._draining = draining
        self._heartbeat = heartbeat
        self._open: Counter[str] = Counter()
        self.gone = 0

    async def whole(self, send: Send, body: bytes, limits: Headers) -> None:
        """Send one answer as a stream of one event."""
        await _start(send, SSE, limits)
        await send({"type": "http.response.body", "body": SSE.opening + SSE.event(body, None) + SSE.ending})

    async def events(self, admitted: Admitted, media_type: bytes, receive: Receive, send: Send) -> None:
        """Send the answers of a subscription until it ends.

        Raises:
            RequestRefused: the account has too many streams open.
        """
        await self.send(admitted, SSE if media_type == EVENT_STREAM else MULTIPART, receive, send)

    async def send(self, admitted: Admitted, form: Form, receive: Receive, send: Send) -> None:
        """The same in any form.

        Raises:
            RequestRefused: the account has too many streams open.
        """
        key = admitted.actor.key
        if admitted.actor.viewer is not ANONYMOUS and self._open[key] >= MOST_STREAMS:
            raise RequestRefused(429, Code.RATE_LIMIT, f"An account has at most {MOST_STREAMS} streams at once.")
        self._open[key] += 1
        ends = [asyncio.create_task(_left(receive)), asyncio.create_task(self._draining.wait())]

        def leave() -> None:
            ends[0].cancel()

        try:
            with self._door.watch.watching(admitted.actor, leave):
                await _start(send, form, rate_limit_headers(admitted.balance))
                await _part(send, form.opening)
                await self._relay(admitted, form, send, ends)
        finally:
            for end in ends:
                end.cancel()
            self.gone += 1
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    async def _relay(self, admitted: Admitted, form: Form, send: Send, ends: Sequence[asyncio.Task[Any]]) -> None:
        """Send event after event, and a sign of life in silence, until the source or one of `ends` is done."""
        async with aclosing(self._door.events(admitted)) as events:
            coming = asyncio.ensure_future(anext(events, None))
            ending = form.ending
            try:
                while True:
                    await asyncio.wait({coming, *ends}, timeout=self._heartbeat, return_when=asyncio.FIRST_COMPLETED)
                    if any(end.done() for end in ends):
                        ending = form.breaking
                        break
                    if not coming.done():
                        await _part(send, form.heartbeat)
                        continue
                    answer = _result(coming)
                    if answer is None:
                        ending = form.breaking if _fell_behind(coming) else form.ending
                        break
                    await _part(send, form.event(answer.body, answer.mark))
                    coming = asyncio.ensure_future(anext(events, None))
            finally:
                coming.cancel()
                await asyncio.wait({coming})
        await send({"type": "http.response.body", "body": ending})


def _result(coming: asyncio.Future[Answer | None]) -> Answer | None:
    """The next answer; an error of ours is the last one."""
    try:
        return coming.result()
    except FellBehind:
        return None
    except CassetError as error:
        return Answer(error_body(error.code, error.message))


def _fell_behind(coming: asyncio.Future[Answer | None]) -> bool:
    return isinstance(coming.exception(), FellBehind)


async def _start(send: Send, form: Form, limits: Headers) -> None:
    headers = [(b"content-type", form.content_type), (b"cache-control", b"no-store"), VARY, *limits]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _part(send: Send, part: bytes) -> None:
    if part:
        await send({"type": "http.response.body", "body": part, "more_body": True})


async def _left(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
