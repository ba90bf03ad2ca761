"""What waits to be written to one WebSocket: bounded, and where to resume after what was written."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from graph.server.requests import Send

Place = tuple[Hashable, str]
"""An operation, and the mark of one of its events."""
GONE = (OSError, RuntimeError)
"""What sending meets where the client has left, and where uvicorn closed by itself: no pong came, too long a frame."""
SHARE = 8
"""What can wait elsewhere takes an eighth of what may wait: of two hundred that never read, each has its own copy."""


class Outbox:
    """Messages on their way to a client. A thousand clients wait for nothing most of the time, so that it is small."""

    __slots__ = ("_bytes", "_more", "_most", "_most_bytes", "_reached", "_room", "_send", "_waiting")

    def __init__(self, send: Send, most: int, most_bytes: int) -> None:
        """Keep so many messages and bytes for a client that does not keep up; one message may be longer."""
        self._send = send
        self._most, self._most_bytes = most, most_bytes
        self._bytes = 0
        self._waiting: list[tuple[bytes, Place | None]] = []
        self._reached: Place | None = None
        self._more: asyncio.Future[None] | None = None
        self._room: asyncio.Event | None = None

    def put(self, message: bytes, place: Place | None = None) -> bool:
        """Take a message; False where there is no room for it."""
        size = self._bytes + len(message)
        if len(self._waiting) >= self._most or (size > self._most_bytes and self._bytes):
            return False
        self._bytes = size
        self._waiting.append((message, place))
        if self._more is not None and not self._more.done():
            self._more.set_result(None)
        return True

    def begin(self, place: Place) -> None:
        """An operation begins at a place: from there it goes on until one of its events is written."""
        if self._reached is None or self._reached[0] is not place[0]:
            self._reached = place

    @property
    def has_room(self) -> bool:
        """Whether so little waits that what can wait elsewhere, for all together, may follow."""
        return len(self._waiting) * SHARE <= self._most and self._bytes * SHARE <= self._most_bytes

    async def room(self) -> None:
        """Wait until there is room again."""
        self._room = self._room or asyncio.Event()
        while not self.has_room:
            self._room.clear()
            await self._room.wait()

    async def write(self) -> None:
        """Send what waits, and what comes, until the client is gone."""
        while True:
            if not self._waiting:
                self._more = asyncio.get_running_loop().create_future()
                await self._more
            message, place = self._waiting.pop(0)
            try:
                await self._send({"type": "websocket.send", "text": message.decode()})
            except GONE:
                return
            self._bytes -= len(message)
            if self._room is not None:
                self._room.set()
            # What only waits would be lost with the socket: the place is that of what is written.
            self._reached = place or self._reached

    def mark_of(self, operation: Hashable) -> str | None:
        """Where an operation goes on: after the last event that was written, if it was one of its own."""
        reached = self._reached
        return reached[1] if reached is not None and reached[0] is operation else None

    def clear(self) -> None:
        """Let go of what will not be sent, and of whose events were.

        It need not be kept while a slow client takes its leave, nor hold an operation that holds this in turn.
        """
        self._waiting = []
        self._reached = None
