"""What waits to be written to one WebSocket: bounded, and where to resume after what was written."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from graph.server.requests import Send

Place = tuple[Hashable, str]
"""An operation, and the mark of one of its events."""
GONE = (OSError, RuntimeError)
"""What sending meets where the client has left, and where uvicorn closed by itself: no pong came, too long a frame."""


class Outbox:
    """Messages on their way to a client."""

    def __init__(self, send: Send, most: int, most_bytes: int) -> None:
        """Keep so many messages and bytes for a client that does not keep up; one message may be longer."""
        self._send = send
        self._most_bytes = most_bytes
        self._bytes = 0
        self._waiting: asyncio.Queue[tuple[bytes, Place | None]] = asyncio.Queue(most)
        self._reached: Place | None = None
        self._room = asyncio.Event()

    def put(self, message: bytes, place: Place | None = None) -> bool:
        """Take a message; False where there is no room for it."""
        size = self._bytes + len(message)
        if self._waiting.full() or (size > self._most_bytes and self._bytes):
            return False
        self._bytes = size
        self._waiting.put_nowait((message, place))
        return True

    def begin(self, place: Place) -> None:
        """An operation begins at a place: from there it goes on until one of its events is written."""
        if self._reached is None or self._reached[0] is not place[0]:
            self._reached = place

    @property
    def has_room(self) -> bool:
        """Whether less waits than half of what may."""
        return self._waiting.qsize() * 2 <= self._waiting.maxsize and self._bytes * 2 <= self._most_bytes

    async def room(self) -> None:
        """Wait until half of what may wait is written."""
        while not self.has_room:
            self._room.clear()
            await self._room.wait()

    async def write(self) -> None:
        """Send what waits, and what comes, until the client is gone."""
        while True:
            message, place = await self._waiting.get()
            try:
                await self._send({"type": "websocket.send", "text": message.decode()})
            except GONE:
                return
            self._bytes -= len(message)
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
        self._waiting = asyncio.Queue()
        self._reached = None
