"""Whether the process lives, whether it should be sent requests, and how it goes: `/livez`, `/readyz`, the drain.

On SIGTERM the process says so first (`Health.draining`: `/readyz` answers 503, streams and sockets end themselves),
then stops accepting, and finishes what is in flight.
"""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db.engine import Database
from domain.errors import CassetError
from graph.server.guard import PROBLEM_TYPE, problem

FAREWELL = 0.2
"""Seconds for last words: of streams and sockets before anything is closed, of late requests before the end."""

_UNCACHED = {"cache-control": "no-store"}


class Health:
    """The state a load balancer asks for."""

    def __init__(self, database: Database, patience: float = 1.0) -> None:
        """Ask a database.

        Args:
            database: the one the process serves.
            patience: seconds in which it has to answer a trivial statement.
        """
        self.draining = asyncio.Event()
        self._database = database
        self._patience = patience
        self._asking: asyncio.Task[bool] | None = None

    def routes(self) -> list[Route]:
        """The routes `/livez` and `/readyz`."""
        return [Route("/livez", self.livez), Route("/readyz", self.readyz)]

    async def livez(self, _: Request) -> Response:
        """200: the event loop turns. Whoever gets no answer may restart the process."""
        return PlainTextResponse("live", headers=_UNCACHED)

    async def readyz(self, _: Request) -> Response:
        """200 where requests are welcome; 503 while the database is away and while draining."""
        if self.draining.is_set():
            return _unready("The process is going away.")
        if not await self._answers():
            return _unready("The database does not answer.")
        return PlainTextResponse("ready", headers=_UNCACHED)

    async def _answers(self) -> bool:
        """Ask once for all who wonder at the same time: this address is open to anybody, connections are few."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                await self._database.fetch("SELECT 1", (), keep=True)
        except (CassetError, TimeoutError):
            return False
        return True


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which lets streams and sockets go before it closes anything."""

    def __init__(self, config: uvicorn.Config, draining: asyncio.Event) -> None:
        """Serve a configuration.

        Args:
            config: as uvicorn takes it; `timeout_graceful_shutdown` bounds what is in flight.
            draining: set when the end begins.
        """
        super().__init__(config)
        self._draining = draining

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, give streams and sockets their moment, then drain as uvicorn does; the late are told, too."""
        self._draining.set()
        await asyncio.sleep(FAREWELL)
        await super().shutdown(sockets)
        if self.server_state.tasks:
            # uvicorn has cancelled them and does not wait: what they still say would be lost.
            await asyncio.wait(self.server_state.tasks, timeout=FAREWELL)


def _unready(detail: str) -> Response:
    headers = {**_UNCACHED, "retry-after": "1"}
    return Response(problem(503, detail), 503, headers, PROBLEM_TYPE)
