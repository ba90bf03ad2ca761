"""What this house publishes about itself: the keys it signs with, as a DID document and as a JSON Web Key Set."""

from __future__ import annotations

import asyncio

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.canonical import digest
from domain.errors import NotFound
from domain.signers import key_set, trusted
from graph.server.signers import KeyFolder

FRESH = "public, max-age=300"


class WellKnown:
    """The published keys, as they are in their folder: one that was just added is listed at once."""

    def __init__(self, keys: KeyFolder) -> None:
        """Publish the keys of a folder."""
        self._keys = keys

    def routes(self) -> list[Route]:
        """The addresses."""
        return [Route("/.well-known/did.json", self._did), Route("/.well-known/jwks.json", self._key_set)]

    async def _did(self, request: Request) -> Response:
        return told(request, orjson.dumps(await self._document()), "application/did+json")

    async def _key_set(self, request: Request) -> Response:
        body = orjson.dumps(key_set(trusted(await self._document())))
        return told(request, body, "application/jwk-set+json")

    async def _document(self) -> object:
        document = await asyncio.to_thread(self._keys.document)
        if document is None:
            raise NotFound("No keys are published here.")
        return document


def told(request: Request, body: bytes, media_type: str, *, caching: str = FRESH) -> Response:
    """A public answer with a strong tag; whoever has it already is told so."""
    headers = {"etag": f'"{digest(body)[:32]}"', "cache-control": caching}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
