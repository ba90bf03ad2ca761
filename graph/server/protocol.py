"""HTTP/1.1 on the wire: uvicorn's protocol with limits of time, size and number.

A client that is slow, silent or endless is let go, and what is no proper request is refused before the application
hears of it (RFC 9112). WebSockets leave this protocol with their handshake; what a request means is not looked at here.
"""

from __future__ import annotations

import asyncio
import math
from enum import Enum
from typing import Any, ClassVar, NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from graph.server.admission import PACE, ConnectionLimits, refusal
from graph.server.heads import is_proper

LEAVING = "casset.leaving"
"""Under this key of its state a read leaves the task to cancel when its client is gone; it is taken off for that."""
LEAVES_AFTER = 0.25
"""Seconds that such a read still has."""
_NEVER = math.inf


class _Reading(Enum):
    """What the next byte from the client belongs to."""

    NOTHING = "nothing"
    HEAD = "head"
    BODY = "body"


class CassetProtocol(HttpToolsProtocol):
    """One connection; for `uvicorn.Config(http=CassetProtocol)`.

    There is one timer for the life of a connection. Events only move deadlines; the timer compares them when it wakes,
    which is at least as often as the shortest limit is long, so that none is overslept.
    """

    limits: ClassVar = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn gives a connection."""
        super().__init__(*args, **kwargs)
        limits = self.limits
        self._longest_sleep = min(
            limits.head_seconds, limits.body_seconds, limits.write_seconds, self.timeout_keep_alive
        )
        self._timer: asyncio.TimerHandle | None = None
        self._read_by = _NEVER
        self._write_by = _NEVER
        self._unsent = 0
        self._reading = _Reading.NOTHING
        self._fed = 0
        self._paced = 0
        self._pieces = 0
        self._held = 0
        self._running: RequestResponseCycle | None = None
        self._refused_with = 400
        self._deaf = False

    # What the transport reports

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start the timer, or refuse the connection where there are too many."""
        super().connection_made(transport)
        addresses = (getattr(other, "client", None) for other in self.connections)
        others = (client and client[0] for client in addresses)
        if self.limits.admits(self.client and self.client[0], others, len(self.connections)):
            self._read_by = self.loop.time() + self.limits.head_seconds
            self._timer = self.loop.call_later(self._longest_sleep, self._wake)
        else:
            self._deaf = True
            transport.write(refusal(503, self.server_state.default_headers))
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what came, in pieces no longer than a head may be."""
        longest = self.limits.head_bytes
        if len(data) <= longest:
            self._feed(data)
        else:
            for start in range(0, len(data), longest):
                self._feed(data[start : start + longest])

    def pause_writing(self) -> None:
        """The client does not keep up: from now on its pace counts."""
        super().pause_writing()
        self._pace_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self._write_by = _NEVER

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer and tell the application; uvicorn tells only the newest request, which may be a queued one."""
        self._stop_timer()
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
            leaving = running.scope["state"].pop(LEAVING, None)
            if leaving is not None:
                # Most reads end sooner than a statement is cancelled.
                self.loop.call_later(LEAVES_AFTER, leaving.cancel)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket protocol, and leave nothing of this one to the garbage collector."""
        self._stop_timer()
        self._deaf = True
        super().handle_websocket_upgrade()
        # The two hold each other. uvicorn takes them apart only where a connection ends as HTTP.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does it then

    # What the parser reports

    def on_message_begin(self) -> None:
        """A request begins; the first one of a connection has had its deadline since the connection's start."""
        super().on_message_begin()
        self._reading = _Reading.HEAD
        self._fed = 0
        if self._running is not None:
            self._read_by = self.loop.time() + self.limits.head_seconds

    def on_headers_complete(self) -> None:
        """Check the head, then let uvicorn start the application with it."""
        upgrading = self.parser.should_upgrade()
        self._check_head(upgrading=upgrading)
        if not upgrading:
            # Trailers are no headers (RFC 9110, 6.5.1): the application's list ends here.
            self.headers = []
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        self._reading = _Reading.BODY
        self._fed = self._paced = self._pieces = self._held = 0
        self._read_by = self.loop.time() + self.limits.body_seconds

    def on_body(self, body: bytes) -> None:
        """A part of a body; a body that keeps its pace may be long, unless the answer did not wait for it."""
        super().on_body(body)
        self._fed = 0
        self._pieces += 1
        self._held += len(body)
        if self._pieces > self.limits.pieces and self._held < self._pieces * self.limits.piece_bytes:
            self._leave_parser(400)
        self._paced += len(body)
        if self._paced >= PACE and not self.cycle.response_complete:
            self._paced = 0
            self._read_by = self.loop.time() + self.limits.body_seconds

    def on_message_complete(self) -> None:
        """A request is whole."""
        super().on_message_complete()
        self._reading = _Reading.NOTHING
        if self._running is None or not self._running.response_complete:
            self._read_by = _NEVER
        else:
            self._read_by = self.loop.time() + self.timeout_keep_alive

    # What the answer reports

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one: as uvicorn does it, without a timer of its own each time."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._running, app = self.pipeline.pop()
            self._start_asgi_task(self._running, app)
        elif self._reading is _Reading.NOTHING:
            self._read_by = self.loop.time() + self.timeout_keep_alive

    # Deadlines

    def _wake(self) -> None:
        now = self.loop.time()
        if self.transport.is_closing():
            # Closed, and perhaps held open by what the client does not take.
            self._read_by = _NEVER
            if self._write_by == _NEVER:
                self._pace_writing()
        if self._write_by <= now:
            self._write_late()
        elif self._read_by <= now:
            self._read_late()
        due = min(self._read_by, self._write_by, now + self._longest_sleep)
        self._timer = self.loop.call_at(due, self._wake)

    def _read_late(self) -> None:
        self._read_by = _NEVER
        if self.flow.read_paused:
            # It is the application that has not read yet.
            self._read_by = self.loop.time() + self.limits.body_seconds
        elif self._deaf or self._reading is _Reading.NOTHING:
            self.transport.close()
        else:
            self._refuse(408)

    def _write_late(self) -> None:
        if self._unsent - self.transport.get_write_buffer_size() >= PACE:
            self._pace_writing()
        else:
            self._write_by = _NEVER
            self.transport.abort()

    def _pace_writing(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._write_by = self.loop.time() + self.limits.write_seconds

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What is no request

    def _feed(self, data: bytes) -> None:
        if self._deaf:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._refused_with)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        else:
            if self._reading is not _Reading.NOTHING:
                self._fed += len(data)
                # Heads, chunk extensions and trailers; the first piece may have begun with something else.
                if self._fed > 2 * self.limits.head_bytes or len(self.headers) > self.limits.headers:
                    self._refuse(431)

    def _check_head(self, *, upgrading: bool) -> None:
        limits, headers = self.limits, self.headers
        if len(headers) > limits.headers or (self._fed and self._head_size() > limits.head_bytes):
            self._leave_parser(431)
        if len(self.pipeline) >= limits.pipelined:
            self._leave_parser(400)
        if not is_proper(self.parser.get_http_version(), headers, upgrading=upgrading):
            self._leave_parser(400)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _leave_parser(self, status: int) -> NoReturn:
        """Leave the parser; `_feed` answers."""
        self._refused_with = status
        raise httptools.HttpParserCallbackError

    def _refuse(self, status: int) -> None:
        """Read no further, and end with a problem; an earlier request is still answered."""
        self._deaf = True
        running = self._running
        if running is None:
            self._end(status)
        elif self._reading is _Reading.BODY and running is self.cycle:
            if running.response_started:
                self.transport.close()
            else:
                running.disconnected = True
                running.waiting_for_100_continue = False
                running.message_event.set()
                self._end(status)
        elif running.response_complete:
            self._end(status)
        else:
            self.pipeline.clear()
            running.keep_alive = False
            self._read_by = _NEVER

    def _end(self, status: int) -> None:
        """Answer and close; what may still be arriving is read a while longer, or a reset would overtake the answer."""
        self.transport.write(refusal(status, self.server_state.default_headers))
        if status != 408 and self.transport.can_write_eof():
            self.transport.write_eof()
            self._read_by = self.loop.time() + self.timeout_keep_alive
        else:
            self.transport.close()
