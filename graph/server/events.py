"""What happens in rooms as a stream of events over plain HTTP: for `EventSource`, curl, and whoever asks no GraphQL."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import BadInput, Code, NotFound, TooMany
from domain.ids import Kind, Ref, parse_ref_of
from graph.server.actors import Actor
from graph.server.door import Admitted, Door, OutOfPoints, Refused
from graph.server.negotiation import EVENT_STREAM
from graph.server.requests import GraphQLRequest, RequestRefused
from graph.server.rest import Reception
from graph.server.streams import SSE, Streams, named
from resolvers.outbox import Relay

_DOCUMENT = """
subscription RoomEvents($room: ID!, $after: String) {
  roomEvents(roomId: $room, after: $after) {
    id kind at person { handle } joined message { id text } reaction comment { id hook positionMs }
    now { track hook title durationMs since } subject title heat
  }
}
"""
_WORLD = "query RoomOfWorld($handle: String!) { world(handle: $handle) { room { id } } }"
_BEFORE, _AFTER = b'{"data":{"roomEvents":', b"}}"
COME_BACK_MS = 1_000, 5_000
"""When a client whose stream ended comes back, by chance: not all at once."""


def _event(body: bytes, mark: str | None) -> bytes:
    """One event by itself, under no name but its `kind`: `EventSource.onmessage` hears it."""
    if not body:
        return named(mark) + b"\n"
    if not body.startswith(_BEFORE):
        return b"event: error\ndata: %b\n\n" % body
    return b"%bdata: %b\n\n" % (named(mark), body[len(_BEFORE) : -len(_AFTER)])


PLAIN = replace(SSE, event=_event, ending=b"")
"""Events without GraphQL around them. A stream that ends is opened again by its client, from the last `id` on."""


class Events:
    """The streams of rooms."""

    def __init__(self, reception: Reception, door: Door, relay: Relay, streams: Streams) -> None:
        """Stream to whom a reception knows and a door lets in."""
        self._reception = reception
        self._door = door
        self._relay = relay
        self._streams = streams

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/api/rooms/{id}/events", self._room),
            Route("/api/casset/{handle}/events", self._world),
        ]

    async def _room(self, request: Request) -> Response:
        try:
            room = parse_ref_of(request.path_params["id"], frozenset({Kind.ROOM}))
        except BadInput:
            raise NotFound("There is no such room.") from None
        return await self._stream(request, room)

    async def _world(self, request: Request) -> Response:
        actor = await self._reception.actor(request, embedded=True)
        actor.check_scopes(["world"])
        admitted = await self._admitted(_WORLD, {"handle": request.path_params["handle"]}, actor)
        answer, _ = await self._door.answer(admitted)
        world = orjson.loads(answer.body)["data"]["world"]
        if world is None or world["room"] is None:
            raise NotFound("There is no such room.")
        return await self._stream(request, parse_ref_of(world["room"]["id"], frozenset({Kind.ROOM})))

    async def _stream(self, request: Request, room: Ref) -> Response:
        actor = await self._reception.actor(request, embedded=True)
        actor.check_scopes(["roomEvents"])
        after = request.headers.get("last-event-id") or request.query_params.get("after")
        admitted = await self._admitted(_DOCUMENT, {"room": str(room), "after": after}, actor)
        # Said before the stream begins, which could not say it by its status any more.
        await self._relay.admissions.enter(room.id, actor.viewer)
        if request.method == "HEAD":
            return Response(media_type=EVENT_STREAM.decode(), headers={"cache-control": "no-store"})
        return _Streamed(self._streams, admitted)

    async def _admitted(self, document: str, variables: Mapping[str, Any], actor: Actor) -> Admitted:
        """A document of ours, paid for.

        Raises:
            RequestRefused: a value is none.
            TooMany: there are too few points.
        """
        try:
            return await self._door.admit_own(GraphQLRequest(document, variables=variables), actor)
        except Refused as refused:
            said = orjson.loads(refused.answer.body)["errors"][0]["message"]
            raise RequestRefused(400, Code.BAD_USER_INPUT, said) from None
        except OutOfPoints as spent:
            raise TooMany(spent.balance.wait_seconds) from None


class _Streamed(Response):
    """A stream, as Starlette sends it."""

    def __init__(self, streams: Streams, admitted: Admitted) -> None:
        super().__init__()
        self._streams = streams
        self._admitted = admitted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it until it ends."""
        wait = random.randint(*COME_BACK_MS)  # noqa: S311  # it spreads a crowd, and guards nothing
        form = replace(PLAIN, opening=b"retry: %d\n\n" % wait)
        await self._streams.send(self._admitted, form, receive, send)
