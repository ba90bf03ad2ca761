"""Those who stay are looked after: a session that was ended and a key that was revoked end what they opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from db.credentials import good_keys, good_sessions
from db.engine import Database
from domain.errors import CassetError
from graph.server.actors import Actor

LOOK_EVERY = 2.0
"""Seconds between two looks at all of them."""

End = Callable[[], None]
"""Ends what somebody opened."""


class Watch:
    """Who has something open in this process, by what they came in with."""

    def __init__(self, database: Database) -> None:
        """Ask a database."""
        self._database = database
        self._open: dict[bytes | UUID, set[End]] = {}

    @contextmanager
    def watching(self, actor: Actor, end: End) -> Iterator[None]:
        """Something is open meanwhile; `end` is called where it may not be any more. Who has no name stays."""
        held = actor.session or actor.viewer.key
        if held is None:
            yield
            return
        self._open.setdefault(held, set()).add(end)
        try:
            yield
        finally:
            ends = self._open.get(held, set())
            ends.discard(end)
            if not ends:
                self._open.pop(held, None)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            with suppress(CassetError):
                await self.look()

    async def look(self) -> None:
        """End what may not be open any more.

        Raises:
            Unavailable: the database is away.
        """
        hashes = [held for held in self._open if isinstance(held, bytes)]
        keys = [held for held in self._open if isinstance(held, UUID)]
        good: set[bytes | UUID] = set()
        if hashes:
            good |= await good_sessions(self._database, hashes)
        if keys:
            good |= await good_keys(self._database, keys)
        asked: list[bytes | UUID] = [*hashes, *keys]
        for held in asked:
            if held not in good:
                for end in [*self._open.get(held, ())]:
                    end()
