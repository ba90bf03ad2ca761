"""The connections compiled statements run on: handed out and taken back without a round trip, a task or a proxy.

asyncpg's own pool spends more of the server's time on lending a connection than a short statement takes. Nothing is
ever set on these connections, so that there is nothing to reset; one that failed or was left in the middle of a
statement is closed and another opened in its place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

CLOSING = 5.0
"""Seconds a connection has for ending what it was in the middle of."""


class Connections:
    """At most so many connections to one database; who comes when all are lent waits, first come, first served."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], most: int, wait: float) -> None:
        """Open none yet.

        Args:
            connect: opens one.
            most: how many there may be.
            wait: seconds until somebody who waits for one is told that there is none.
        """
        self._connect = connect
        self._wait = wait
        self._idle: list[asyncpg.Connection] = []
        self._free = most
        """How many more may be opened."""
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._closing: set[asyncio.Task[Any]] = set()

    async def take(self) -> asyncpg.Connection:
        """Lend a connection, the one most recently used.

        Raises:
            TimeoutError: all of them are lent for longer than the wait.
        """
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._free += 1
        if not self._free:
            lent = await self._wait_for_one()
            if lent is not None:
                return lent
        else:
            self._free -= 1
        try:
            return await self._connect()
        except BaseException:
            self._leave_room()
            raise

    async def _wait_for_one(self) -> asyncpg.Connection | None:
        """Wait for a connection, or for the right to open one."""
        waiter: asyncio.Future[asyncpg.Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._wait):
                return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                # It was handed over at the very moment its taker went away.
                lent = waiter.result()
                self._leave_room() if lent is None else self.give_back(lent)
            else:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(waiter)
            raise

    def give_back(self, connection: asyncpg.Connection) -> None:
        """Take a connection back that is ready for its next statement."""
        if connection.is_closed():
            self._leave_room()
            return
        waiter = self._next_waiter()
        if waiter is None:
            self._idle.append(connection)
        else:
            waiter.set_result(connection)

    def discard(self, connection: asyncpg.Connection) -> None:
        """Take a connection back that failed, or whose statement was left: it ends that, and is closed."""
        task = asyncio.get_running_loop().create_task(self._end(connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end(self, connection: asyncpg.Connection) -> None:
        try:
            await connection.close(timeout=CLOSING)
        except (Exception, asyncio.CancelledError):  # noqa: BLE001  # however it ends, it is gone
            connection.terminate()
        finally:
            self._leave_room()

    def _leave_room(self) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._free += 1
        else:
            waiter.set_result(None)

    def _next_waiter(self) -> asyncio.Future[asyncpg.Connection | None] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    async def close(self) -> None:
        """Close those that are not lent, and wait for those that are ending."""
        while self._idle:
            self.discard(self._idle.pop())
        if self._closing:
            await asyncio.wait(self._closing)
