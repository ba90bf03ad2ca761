"""The log over all events by HTTP: checkpoint and tiles (C2SP tlog-tiles), and proofs that can be checked offline."""

from __future__ import annotations

import asyncio
import re

import rfc8785
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.accounts import ANONYMOUS
from domain.errors import NotFound
from domain.log import LogState, tile_of
from graph.server.rest import Reception
from graph.server.signers import KeyFolder
from graph.server.wellknown import told
from resolvers.log import checkpoint, log_inclusion, tile

FOR_EVER = "public, max-age=31536000, immutable"
A_MOMENT = "public, max-age=1"
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Log:
    """The log of this house."""

    def __init__(self, reception: Reception, keys: KeyFolder) -> None:
        """Serve what is in a database, and the keys that check it."""
        self._reception = reception
        self._keys = keys

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/log/checkpoint", self._checkpoint),
            Route("/log/tile/{path:path}", self._tile),
            Route("/log/inclusion/{hash}", self._inclusion),
        ]

    async def _checkpoint(self, request: Request) -> Response:
        note = await checkpoint(self._reception.database)
        if note is None:
            raise NotFound("Nothing was logged yet.")
        return told(request, note.encode(), "text/plain; charset=utf-8", caching=A_MOMENT)

    async def _tile(self, request: Request) -> Response:
        asked = tile_of(request.path_params["path"])
        found = None if asked is None else await tile(self._reception.database, asked)
        if found is None:
            raise NotFound("There is no such tile.")
        return told(request, found, "application/octet-stream", caching=FOR_EVER)

    async def _inclusion(self, request: Request) -> Response:
        """What `casset verify` takes: that an event is in the log, and everything needed to check it."""
        asked = request.path_params["hash"]
        if _HASH.fullmatch(asked) is None:
            raise NotFound("The hash of an event has 64 hexadecimal digits.")
        included = await log_inclusion(self._reception.acting(ANONYMOUS), bytes.fromhex(asked))
        if included["state"] is not LogState.LOGGED:
            raise NotFound("There is no such event, or it is not logged yet.")
        names = ("leafIndex", "treeSize", "hashes")
        keys = await asyncio.to_thread(self._keys.document)
        bundle = {
            "hash": asked,
            "inclusion": {name: included[name] for name in names},
            "checkpoint": included["checkpoint"],
            **({} if keys is None else {"keys": keys}),
        }
        return told(request, rfc8785.dumps(bundle), "application/json", caching=A_MOMENT)
