"""The application: every object built once, `/graphql` in front of everything else, one guard around it all."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from graphql import GraphQLSchema
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db.engine import Database
from graph.reading import Reader
from graph.schema import executable, sdl
from graph.server import explorer, listening
from graph.server.addresses import Addresses
from graph.server.agents import Agents
from graph.server.audio import Audio
from graph.server.buckets import Buckets, MemoryBuckets, RedisBuckets
from graph.server.cards import CARDS_A_MINUTE, Cards
from graph.server.chains import anchorer_of
from graph.server.cron import Cron
from graph.server.discovery import Discovery
from graph.server.door import Door
from graph.server.endpoint import Endpoint
from graph.server.events import Events
from graph.server.gauges import Gauges
from graph.server.guard import PROBLEM_HANDLERS, Guard
from graph.server.health import Health
from graph.server.house import close, house_of
from graph.server.identities import SignIns
from graph.server.links import VISITS_A_MINUTE, Links
from graph.server.log import Log
from graph.server.manifests import Manifests
from graph.server.mcp import PATHS, Mcp
from graph.server.offering import Offering
from graph.server.payments import Payments, till_of
from graph.server.permissions_told import PermissionsTold
from graph.server.previews import Previews
from graph.server.rest import REFUSAL_HANDLERS, Allowance, Reception, allowance
from graph.server.settings import Documents, Environment, Settings
from graph.server.signers import keys_of
from graph.server.sockets import Sockets
from graph.server.streams import Streams
from graph.server.uploads import Uploads
from graph.server.usage import Usage
from graph.server.wellknown import WellKnown
from graph.server.worker import rounds_of, staging_of, studio_of, workshop_of
from resolvers.outbox import Relay
from subscriptions.broker import Broker
from subscriptions.memory import MemoryBroker
from subscriptions.presence import MemoryPresence, Presence
from subscriptions.shared_presence import RedisPresence
from subscriptions.streams import RedisBroker

UPLOADS_A_MINUTE, AUDIO_TOKENS_A_MINUTE = 10, 20
LICENSES_A_MINUTE = 30
"""How often one client asks for one: to be told what to pay, to pay, and to be told again."""


class Application:
    """An ASGI application over one database."""

    def __init__(self, settings: Settings, database: Database, schema: GraphQLSchema) -> None:
        """Build every object once; nothing is connected before the server starts."""
        develops = settings.environment is Environment.DEVELOPMENT
        self.health = Health(database)
        self._presence = presence_of(settings)
        self._broker = broker_of(settings)
        self._relay = Relay(database, self._broker)
        self.reader = Reader(
            schema, database, settings.execution, is_open=develops, presence=self._presence, relay=self._relay
        )
        self._database = database
        self._buckets = buckets_of(settings)
        trusted_only = settings.documents is Documents.TRUSTED
        door = Door(self.reader, database, self._buckets, trusted_only=trusted_only)
        self._house, self._watch = house_of(settings), door.watch
        self._streams = Streams(door, self.health.draining)
        self._endpoint = Endpoint(door, self._streams, self._house)
        self._sockets = Sockets(door, self.health.draining)
        self._offering = Offering(schema, door, settings)
        self.permissions = PermissionsTold(Reception(database), self._buckets)
        self.usage = Usage(database)
        self._agents = Agents(self._offering, self._house, self.permissions, self.usage)
        self._mcp = Mcp(self._offering, self._house)
        self._explores = develops
        routes = [Route("/schema.graphql", _sdl), Route("/metrics", self._metrics), *self.health.routes()]
        routes += self._media_routes(settings)
        routes += self._shared_routes(settings)
        routes += Events(Reception(database), door, self._relay, self._streams).routes()
        routes += SignIns(Reception(database), self._house, settings.providers).routes()
        keys = keys_of(settings)
        routes += [*WellKnown(keys).routes(), *Log(Reception(database), keys).routes()]
        routes += Manifests(Reception(database), keys, self._house.signer).routes()
        routes += self._kept_routes(settings)
        routes += self._paid_routes(settings, tries=develops)
        routes += self.permissions.routes()
        routes += Discovery(self._offering).routes()
        if develops:
            routes += [Route("/graphql", explorer.page), *explorer.routes()]
        routes += self._travelling_routes(settings, listens=develops)
        rest = Starlette(
            routes=routes, lifespan=self._lifespan, exception_handlers={**PROBLEM_HANDLERS, **REFUSAL_HANDLERS}
        )
        # An address has one spelling: nobody who looks for `/s/` is led to a world of that name.
        rest.router.redirect_slashes = False
        self._rest = rest
        guarded: Any = Guard(self._route, origins=settings.origins, hosts=settings.hosts, production=not develops)
        # Who a proxy speaks for is asked of those that were named, and of nobody else.
        trusted = list(settings.proxies)
        self._guarded = ProxyHeadersMiddleware(guarded, trusted_hosts=trusted) if trusted else guarded

    def _media_routes(self, settings: Settings) -> list[Route]:
        reception, self.studio = Reception(self._database), studio_of(settings, self._database)
        self._house.staging = staging_of(self.studio.blobs)
        uploaded = allowance(settings, "upload", UPLOADS_A_MINUTE)
        tokens = allowance(settings, "audio token", AUDIO_TOKENS_A_MINUTE)
        self._allowances: tuple[Allowance, ...] = (uploaded, tokens)
        uploads = Uploads(reception, self.studio.blobs, uploaded)
        return [*uploads.routes(), *Audio(reception, self.studio, self._buckets, tokens).routes()]

    def _kept_routes(self, settings: Settings) -> list[Route]:
        """What anchors, and what a clock elsewhere calls."""
        self.anchorer = anchorer_of(settings, self._database)
        self._house.anchors = self.anchorer is not None
        self._gauges = Gauges(self._database, self.reader.metrics.registry)
        if settings.cron_secret is None:
            return []
        keys = keys_of(settings)
        workshop = workshop_of(self.studio, keys, self.anchorer)
        rounds = rounds_of(self.studio, keys, self.anchorer)
        return Cron(self._database, settings.cron_secret, workshop, rounds, self.anchorer).routes()

    def _shared_routes(self, settings: Settings) -> list[Route]:
        visits = allowance(settings, "visit", VISITS_A_MINUTE)
        self._allowances = (*self._allowances, visits)
        return Links(Reception(self._database), visits).routes()

    def _travelling_routes(self, settings: Settings, *, listens: bool) -> list[Route]:
        """What links lead to, and what is shown beside them; last, as any word may be the address of a world."""
        drawings = allowance(settings, "card", CARDS_A_MINUTE)
        self._allowances = (*self._allowances, drawings)
        previews = Previews(self.reader)
        cards = Cards(Reception(self._database), previews, self.studio.blobs, drawings)
        pages = Addresses(previews, self._buckets, settings.origin, listens=listens).routes()
        return [*cards.routes(), *pages, *(listening.routes() if listens else ())]

    def _paid_routes(self, settings: Settings, *, tries: bool) -> list[Route]:
        realm = settings.hosts[0] if settings.hosts else "casset"
        till = till_of(self._house, settings.settlement, realm=realm, tries=tries)
        asked_for = allowance(settings, "license", LICENSES_A_MINUTE)
        self._allowances = (*self._allowances, asked_for)
        self.payments = Payments(Reception(self._database), self._house, till, asked_for)
        return self.payments.routes()

    @property
    def gone(self) -> int:
        """The sockets and streams that have ended, ever."""
        return self._sockets.gone + self._streams.gone

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer whatever comes."""
        await self._guarded(scope, receive, send)

    async def _route(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer `/graphql` and what is made of it without a router's detour; a browser meets the explorer."""
        path = scope.get("path", "")
        if path != "/graphql" or (self._explores and _opens_page(scope)):
            found = self._agents.find(scope) if path.startswith("/api/") and scope["type"] == "http" else None
            if found is not None:
                await self._agents(scope, receive, send, *found)
            elif path in PATHS and scope["type"] == "http":
                await self._mcp(scope, receive, send)
            else:
                await self._rest(scope, receive, send)
        elif scope["type"] == "http":
            await self._endpoint(scope, receive, send)
        else:
            await self._sockets(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._database.open()
        running = {asyncio.create_task(work.run()) for work in (self._relay, self._watch)}
        yield
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await self._broker.close()
        await self._mcp.close()
        await self._offering.close()
        await self.usage.close()
        await close(self._house)
        self.studio.blobs.close()
        for each in self._allowances:
            await each.close()
        await self._presence.close()
        await self._database.close()
        if isinstance(self._buckets, RedisBuckets):
            await self._buckets.close()

    async def _metrics(self, _: Request) -> Response:
        await self._gauges.refresh()
        return Response(generate_latest(self.reader.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def buckets_of(settings: Settings) -> Buckets:
    """The buckets of a process: its own, or those it shares over Redis."""
    if settings.redis_url is None:
        return MemoryBuckets(settings.points, settings.points_per_second)
    return RedisBuckets(settings.redis_url, settings.points, settings.points_per_second)


def broker_of(settings: Settings) -> Broker:
    """Tells what happens: in this process, or in all that share its Redis."""
    return MemoryBroker() if settings.redis_url is None else RedisBroker(settings.redis_url)


def presence_of(settings: Settings) -> Presence:
    """Who is in each room: as this process knows, or as it shares over Redis."""
    return MemoryPresence() if settings.redis_url is None else RedisPresence(settings.redis_url)


def _opens_page(scope: Any) -> bool:
    """A browser opening the address, not a client asking with GET."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return False
    return b"text/html" in next((value for name, value in scope["headers"] if name == b"accept"), b"")


async def _sdl(request: Request) -> Response:
    """The schema, for whoever builds a client: public whatever introspection says."""
    text = sdl().encode()
    tag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "public, max-age=300"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/graphql; charset=utf-8", headers=headers)


def create_app(settings: Settings, database: Database, schema: GraphQLSchema | None = None) -> Application:
    """The application for a process; `schema` is the product's where none is given."""
    return Application(settings, database, schema or executable())
