"""The connections compiled statements run on: handed out and taken back without a round trip, a task or a proxy.

asyncpg's own pool spends more of the server's time on lending a connection than a short statement takes. Nothing is
ever set on these connections, so that there is nothing to reset. One that was left in the middle of a statement keeps
what it has prepared: it is lent again when the statement is ended; one that does not answer is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

MENDING = 5.0
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
        self._mending: set[asyncio.Task[Any]] = set()

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

    def mend(self, connection: asyncpg.Connection) -> None:
        """Take a connection back that failed, or whose statement was left: it is lent again if it answers."""
        task = asyncio.get_running_loop().create_task(self._mend(connection))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def _mend(self, connection: asyncpg.Connection) -> None:
        """Ask something: asyncpg first waits until what it had cancelled is over on the server."""
        try:
            await connection.fetchval("SELECT 1", timeout=MENDING)
        except asyncpg.QueryCanceledError:
            self.give_back(connection)  # the cancellation came late, and is over now
        except BaseException:  # noqa: BLE001  # whatever it is, the connection is not trusted
            connection.terminate()
            self._leave_room()
        else:
            self.give_back(connection)

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
        """Close those that are not lent, after those that are being mended."""
        if self._mending:
            await asyncio.wait(self._mending)
        while self._idle:
            connection = self._idle.pop()
            self._free += 1
            with contextlib.suppress(Exception):
                await connection.close(timeout=MENDING)
