"""The application: every object built once, `/graphql` in front of everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db.engine import Database
from graph.reading import Reader
from graph.schema import executable, sdl
from graph.server import explorer
from graph.server.endpoint import Endpoint
from graph.server.settings import Environment, Settings


class Application:
    """An ASGI application over one database."""

    def __init__(self, settings: Settings, database: Database) -> None:
        """Build every object once; nothing is connected before the server starts."""
        self.reader = Reader(executable(), database, settings.execution)
        self._database = database
        self._endpoint = Endpoint(self.reader, database)
        self._explores = settings.environment is Environment.DEVELOPMENT
        routes = [Route("/schema.graphql", _sdl), Route("/metrics", self._metrics)]
        if self._explores:
            routes += [Route("/graphql", explorer.page), *explorer.routes()]
        self._rest = Starlette(routes=routes, lifespan=self._lifespan)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer `/graphql` without the detour through a router; a browser that opens it meets the explorer."""
        if scope["type"] == "http" and scope["path"] == "/graphql" and not (self._explores and _opens_page(scope)):
            await self._endpoint(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._database.open()
        yield
        await self._database.close()

    async def _metrics(self, _: Request) -> Response:
        return Response(generate_latest(self.reader.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _opens_page(scope: Any) -> bool:
    """A browser opening the address, not a client asking with GET."""
    accepts = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return scope["method"] == "GET" and not scope["query_string"] and b"text/html" in accepts


async def _sdl(_: Request) -> Response:
    return PlainTextResponse(sdl(), media_type="application/graphql")


def create_app(settings: Settings, database: Database) -> Application:
    """The application for a process."""
    return Application(settings, database)
