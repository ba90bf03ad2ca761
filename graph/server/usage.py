"""What programs read of works and ask about them, noted beside the answer and written down every few seconds.

A read that writes would be no read: notes are gathered here, one for each key, work and kind, and the last of them are
lost with the process. Who comes without a key is not noted.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from db.engine import Database
from db.licensing import Noted, note_uses
from domain.accounts import Viewer
from domain.licensing import UseKind
from resolvers.context import uuid7

log = structlog.get_logger()
SECONDS = 5.0
MOST_NOTED = 5_000
"""Waiting to be written; more than that is not noted."""


class Usage:
    """What was noted and is not written yet."""

    def __init__(self, database: Database) -> None:
        """Write it into a database."""
        self._database = database
        self._waiting: dict[tuple[UUID, UUID, UseKind], Noted] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, viewer: Viewer, asset: UUID, kind: UseKind) -> None:
        """Note what somebody's program did with a work."""
        if viewer.key is None or viewer.account is None or len(self._waiting) >= MOST_NOTED:
            return
        self._waiting[viewer.key, asset, kind] = Noted(asset, viewer.account, viewer.key, kind)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._later())

    async def _later(self) -> None:
        # What is noted while others are written waits for the next time round.
        while self._waiting:
            await asyncio.sleep(SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write down what waits."""
        noted, self._waiting = list(self._waiting.values()), {}
        try:
            async with self._database.write() as connection:
                await note_uses(connection, [(uuid7(), each) for each in noted])
        except Exception as error:  # noqa: BLE001  # nobody waits for it, and nothing follows from it
            log.warning("what programs read was not written down", error=type(error).__name__, lost=len(noted))

    async def close(self) -> None:
        """Write down what waits, and no more."""
        if self._task is not None:
            self._task.cancel()
        if self._waiting:
            await self.write()
