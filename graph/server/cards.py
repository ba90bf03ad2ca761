"""`/cards/{ref}.png`: the picture that is shown beside a link, drawn from a theme and a cover.

It is made of what anybody may read. Its tag says of what, so that who has it is told so without drawing it; what was
drawn lately is kept, and cards are drawn beside uploads, never in their place.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import OrderedDict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.media import shown_media
from domain.accounts import ANONYMOUS
from domain.canonical import canonical, digest
from domain.errors import Unavailable
from graph.server.decoding import ProcessDecoder
from graph.server.previews import Preview, Previews
from graph.server.rest import Allowance, Reception, address, paid
from resolvers.blobs import Blobs

CARDS_A_MINUTE = 30
"""That one network has drawn; what is drawn already costs nothing."""
_DRAWING = "casset-card/1"
"""How cards are drawn: another way of it is another version, and no tag of the former is good."""
_KEPT = 32
_FRESH = "public, max-age=300"


class Cards:
    """The social cards of this house."""

    def __init__(self, reception: Reception, previews: Previews, blobs: Blobs, drawings: Allowance) -> None:
        """Draw none yet."""
        self._reception = reception
        self._previews = previews
        self._blobs = blobs
        self._drawings = drawings
        self._decoder = ProcessDecoder()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._drawing: dict[str, asyncio.Task[bytes]] = {}

    def routes(self) -> list[Route]:
        """The address."""
        return [Route("/cards/{ref}.png", self._card)]

    async def _card(self, request: Request) -> Response:
        preview = await self._previews.of(request.path_params["ref"])
        cover = await self._cover(preview)
        card = {
            "kind": preview.word,
            "title": preview.title,
            "by": preview.by,
            "address": preview.path,
            "tokens": dict(preview.tokens),
        }
        tag = digest(canonical({"drawn": _DRAWING, "card": card, "cover": cover or ""}))[:32]
        headers = {"etag": f'"{tag}"', "cache-control": _FRESH, "cross-origin-resource-policy": "cross-origin"}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = self._kept.get(tag)
        if body is None:
            await paid(self._drawings.buckets, f"{self._drawings.what}:{address(request)}", 1)
            body = await self._drawn(tag, card, cover)
        return Response(body, media_type="image/png", headers=headers)

    async def _cover(self, preview: Preview) -> str | None:
        """What is stored of the cover everybody may see."""
        if preview.picture is None:
            return None
        async with self._reception.database.read() as connection:
            shown = await shown_media(connection, ANONYMOUS, preview.picture.id)
        return None if shown is None else shown.sha256

    async def _drawn(self, tag: str, card: dict[str, Any], cover: str | None) -> bytes:
        """A card, drawn once for all who come for it at the same time."""
        task = self._drawing.get(tag)
        if task is None:
            task = self._drawing[tag] = asyncio.create_task(self._draw(card, cover))
            task.add_done_callback(lambda done: self._keep(tag, done))
        return await asyncio.shield(task)

    async def _draw(self, card: dict[str, Any], cover: str | None) -> bytes:
        try:
            picture = None if cover is None else await self._blobs.open(cover)
        except FileNotFoundError as error:
            raise Unavailable("Its cover is not there for the moment.") from error
        try:
            with tempfile.TemporaryFile() as into:
                await self._decoder.paint(card, picture, into)
                into.seek(0)
                return into.read()
        finally:
            if picture is not None:
                picture.close()

    def _keep(self, tag: str, done: asyncio.Task[bytes]) -> None:
        del self._drawing[tag]
        if not done.cancelled() and done.exception() is None:
            self._kept[tag] = done.result()
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
