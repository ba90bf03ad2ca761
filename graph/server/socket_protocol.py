"""WebSockets on the wire: uvicorn's protocol, which lets go whoever takes nothing for a while.

Without it a client that never reads keeps its connection for ever: a close waits for what is not taken, and so does
uvicorn's own end after an unanswered ping.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from graph.server.admission import PACE, ConnectionLimits


class CassetSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket; for `uvicorn.Config(ws=CassetSocketProtocol)`."""

    limits: ClassVar = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn gives a connection."""
        super().__init__(*args, **kwargs)
        self._unsent = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hear of every byte that the kernel does not take, not only of 64 KiB."""
        super().connection_made(transport)
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=0)

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
