"""`/mcp`: the operations of the house as tools, over streamable HTTP without sessions (Model Context Protocol).

The SDK is imported when the first client comes: it takes longer than everything else this process imports.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any, Final

from domain.errors import CassetError, Code
from graph.server.actors import Actor
from graph.server.agents import send_problem
from graph.server.buckets import rate_limit_headers
from graph.server.door import OutOfPoints
from graph.server.offering import Offering, Problem, problem_of
from graph.server.requests import Receive, RequestRefused, Scope, Send
from resolvers.callers import House

PATHS: Final = frozenset({"/mcp", "/mcp/"})
ACTOR: Final = "casset.actor"
"""Where a scope says who asks."""


class Mcp:
    """The door for clients of MCP."""

    def __init__(self, offering: Offering, house: House) -> None:
        """Offer tools; nothing of the SDK is imported yet."""
        self._offering = offering
        self._house = house
        self._starting: asyncio.Task[Any] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a client. Nothing is told that was not asked for: who listens (GET) is told so."""
        if scope["method"] != "POST":
            said = "Tools are called with POST."
            await send_problem(send, Problem(405, Code.BAD_USER_INPUT, said, headers=((b"allow", b"POST"),)))
            return
        try:
            actor = await self._offering.door.enter(scope, dict(scope["headers"]))
        except RequestRefused as refused:
            wrong = Problem(refused.status, refused.code, refused.message, headers=refused.headers)
            await send_problem(send, wrong)
        except OutOfPoints as spent:
            limits = rate_limit_headers(spent.balance)
            await send_problem(send, Problem(429, Code.RATE_LIMIT, spent.message, headers=limits))
        except CassetError as error:
            await send_problem(send, problem_of(error))
        else:
            await self._pass_on(actor, scope, receive, send)

    async def _pass_on(self, actor: Actor, scope: Scope, receive: Receive, send: Send) -> None:
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        manager = await asyncio.shield(self._starting)
        await manager.handle_request({**scope, ACTOR: actor}, receive, send)

    async def _start(self) -> Any:
        tooling = await asyncio.to_thread(import_module, "graph.server.tooling")
        manager = tooling.manager_of(self._offering, self._house)
        serves = asyncio.Event()
        self._serving = asyncio.create_task(self._serve(manager, serves))
        await serves.wait()
        return manager

    async def _serve(self, manager: Any, serves: asyncio.Event) -> None:
        async with manager.run():
            serves.set()
            await self._ending.wait()

    async def close(self) -> None:
        """End what is under way."""
        self._ending.set()
        if self._serving is not None:
            await self._serving
