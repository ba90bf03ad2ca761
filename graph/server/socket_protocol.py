"""WebSockets on the wire: uvicorn's protocol, which lets go whoever takes nothing for long, or says nothing at length.

Without it a client that never reads keeps its connection for ever: a close waits for what is not taken, and so does
uvicorn's own end after an unanswered ping. And of frames that are no messages, such as pings and empty pieces of a
message, a client may send a million a second, which the application never hears of.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from graph.server.admission import PACE, ConnectionLimits
from graph.server.messages import Closed

PIECE = 2048
"""Bytes that are parsed before their frames are counted; the shortest frame has six."""

LINGERS = 2.0
"""Seconds in which a client that said too much may take the reason why it is let go."""


class CassetSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket; for `uvicorn.Config(ws=CassetSocketProtocol)`."""

    limits: ClassVar = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn gives a connection."""
        super().__init__(*args, **kwargs)
        self._unsent = 0
        self._timer: asyncio.TimerHandle | None = None
        self._deaf = False
        self._frames = float(self.limits.frames)
        self._counted = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hear of every byte that the kernel does not take, not only of 64 KiB."""
        super().connection_made(transport)
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Parse what came, in pieces."""
        for start in range(0, len(data), PIECE):
            if self._deaf or self.transport.is_closing():
                return
            super().data_received(data[start : start + PIECE])

    def handle_events(self) -> None:
        """Handle the frames of a piece, or end it here where there are too many."""
        now, limits = self.loop.time(), self.limits
        restored = (now - self._counted) * limits.frames_per_second
        self._frames = min(self._frames + restored, limits.frames) - len(self.conn.events)
        self._counted = now
        if self._frames >= 0:
            super().handle_events()
        else:
            self._refuse(Closed(4429, "Too many frames"))

    def _refuse(self, closed: Closed) -> None:
        """Say why, and read on for a moment, or a reset would overtake the reason."""
        self._deaf = self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closed.code, "reason": closed.reason})
        self.conn.fail(closed.code, closed.reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGERS, self.transport.close)

    def start_keepalive(self) -> None:
        """The handshake is over; what was asked and answered then stands in the scope as far as it is needed."""
        super().start_keepalive()
        del self.request, self.response

    def pause_writing(self) -> None:
        """The client does not keep up: from now on its pace counts."""
        super().pause_writing()
        self._pace()

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer and tell the application."""
        self._stop()
        super().connection_lost(exc)

    def _pace(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._timer = self.loop.call_later(self.limits.write_seconds, self._look)

    def _look(self) -> None:
        if self._unsent - self.transport.get_write_buffer_size() >= PACE:
            self._pace()
        else:
            self.transport.abort()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
