"""Sound over HTTP: tokens, bytes, waveforms, and the files of images.

A token opens one track for one account, or for anybody, for five minutes at most; whether they are entitled is asked
again at every request. Whoever is not entitled hears a preview: an object of its own, so that no request, however it is
put, meets a byte of the master outside the window, or learns how long it is.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from db.media import Cut, Playable, shown_media
from domain.accounts import ANONYMOUS
from domain.audio import FULL_SCALE, Mode, byte_range
from domain.canonical import digest
from domain.errors import BadInput, NotFound, SignInNeeded, TooLarge, Unavailable
from domain.ids import Kind, Ref, parse_ref_of
from domain.windows import Window
from graph.fields import write_moment
from graph.server.buckets import Buckets
from graph.server.door import LOOK
from graph.server.rest import UNCACHED, Allowance, Reception, address, paid
from resolvers.audio import Heard, ask_to_hear, come_to_hear, waveform_of
from resolvers.blobs import Blobs
from resolvers.decoding import Studio

_LARGEST_QUESTION = 4 * 1024
_TRACKS, _MEDIA = frozenset({Kind.TRACK}), frozenset({Kind.MEDIA})
_HEARD = frozenset({Kind.TRACK, Kind.SAMPLE})
"""A sample is heard as a clip."""
_ELSEWHERE = {"cross-origin-resource-policy": "cross-origin"}
"""Pages of other origins may play and show it: what it takes to be let in is in the address, or it is public."""
_ATTACHED = {"content-disposition": "attachment"}


class Audio:
    """The routes of sound and images."""

    def __init__(self, reception: Reception, studio: Studio, buckets: Buckets, tokens: Allowance) -> None:
        """Hand out what the studio has."""
        self._reception = reception
        self._studio = studio
        self._blobs: Blobs = studio.blobs
        self._buckets = buckets
        self._tokens = tokens
        self._cutting: dict[tuple[UUID, Window], asyncio.Task[Cut]] = {}

    def routes(self) -> list[Route]:
        """The routes below `/api/audio` and `/api/media`."""
        return [
            Route("/api/audio/token", self.token, methods=["POST"]),
            Route("/api/audio/waveform/{id}", self.waveform),
            Route("/api/audio/{id}", self.listen),
            Route("/api/media/{id}", self.file),
        ]

    async def token(self, request: Request) -> Response:
        """`{"trackId", "mode"}`: a token for the one who asks, and where to go with it."""
        actor = await self._reception.actor(request)
        await self._tokens.take(actor)
        track, mode = _question(await _small_body(request))
        ticket, playable = await ask_to_hear(self._reception.acting(actor.viewer), track, mode)
        if ticket.mode is Mode.PREVIEW:
            await self._cut(playable, ticket.window)
        start_ms, end_ms = ticket.window
        told = {
            "token": ticket.token,
            "url": ticket.url,
            "mode": ticket.mode.value,
            "expiresAt": write_moment(ticket.expires_at),
            "startMs": start_ms,
            "durationMs": (end_ms or start_ms) - start_ms,
        }
        return JSONResponse(told, headers=UNCACHED)

    async def listen(self, request: Request) -> Response:
        """The bytes a token opens: all of them, or one range."""
        await paid(self._buckets, address(request), LOOK)
        track = _named(request, _HEARD)
        text = request.query_params.get("token")
        if text is None:
            raise SignInNeeded("Come with a token: POST /api/audio/token gives one.")
        heard = await come_to_hear(self._reception.acting(ANONYMOUS), track, text)
        sha256, mime_type, headers = await self._what(heard)
        return await self._sent(request, sha256, mime_type, UNCACHED | headers)

    async def _what(self, heard: Heard) -> tuple[str, str, dict[str, str]]:
        """The object that is heard, its type, and what is said beside it."""
        if heard.mode is Mode.FULL:
            return heard.playable.sha256, heard.playable.format.mime_type, _ELSEWHERE
        cut = heard.preview or await self._cut(heard.playable, heard.window)
        start_ms, end_ms = heard.window
        seconds = ((end_ms or start_ms) - start_ms) / 1000
        return cut.sha256, cut.mime_type, {**_ELSEWHERE, "x-preview-duration": f"{seconds:g}"}

    async def _cut(self, playable: Playable, window: Window) -> Cut:
        """The preview of a window, cut once for all who come for it at the same time."""
        key = (playable.media, window)
        task = self._cutting.get(key)
        if task is None:
            task = self._cutting[key] = asyncio.create_task(self._studio.cut(playable, window))
            task.add_done_callback(lambda _: self._cutting.pop(key, None))
        return await asyncio.shield(task)

    async def waveform(self, request: Request) -> Response:
        """500 peaks from 0 to 1."""
        actor = await self._reception.actor(request)
        await paid(self._buckets, actor.key, LOOK)
        track = _named(request, _TRACKS)
        peaks = await waveform_of(self._reception.acting(actor.viewer), track)
        body = orjson.dumps({"trackId": str(track), "peaks": [peak / FULL_SCALE for peak in peaks]})
        headers = {"cache-control": "private, no-cache", "etag": f'"{digest(body)[:32]}"'}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, "application/json")

    async def file(self, request: Request) -> Response:
        """An image, a loop, or a source file for its owners."""
        actor = await self._reception.actor(request, embedded=True)
        await paid(self._buckets, actor.key, LOOK)
        media = _named(request, _MEDIA)
        async with self._reception.database.read() as connection:
            shown = await shown_media(connection, actor.viewer, media.id)
        if shown is None:
            raise NotFound("There is no such file.")
        headers = {"cache-control": "public, max-age=30", **_ELSEWHERE} if shown.is_public else UNCACHED
        return await self._sent(request, shown.sha256, shown.mime_type, headers)

    async def _sent(self, request: Request, sha256: str, mime_type: str, headers: dict[str, str]) -> Response:
        """The bytes of an object, or the one range of them that is asked for."""
        try:
            size = await self._blobs.size(sha256)
        except FileNotFoundError as error:
            raise Unavailable("Its bytes are not there for the moment.") from error
        tag = f'"{sha256}"'
        asked = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
        part = byte_range(asked, size)
        begin, end = part or (0, size)
        said = {**headers, **_ATTACHED, "accept-ranges": "bytes", "etag": tag, "content-length": str(end - begin)}
        if part is not None:
            said["content-range"] = f"bytes {begin}-{end - 1}/{size}"
        status = 200 if part is None else 206
        if request.method == "HEAD":
            return Response(None, status, said, mime_type)
        return StreamingResponse(self._blobs.read(sha256, begin, end), status, said, mime_type)


def _named(request: Request, kinds: frozenset[Kind]) -> Ref:
    return parse_ref_of(request.path_params["id"], kinds)


async def _small_body(request: Request) -> Any:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_QUESTION:
            raise TooLarge(f"A question has at most {_LARGEST_QUESTION} bytes.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput("Send JSON in UTF-8.") from None


def _question(given: Any) -> tuple[Ref, Mode | None]:
    if not isinstance(given, dict) or not isinstance(given.get("trackId"), str):
        raise BadInput('Send {"trackId": "track_…"}, and "mode" where it matters.')
    mode = given.get("mode")
    if mode is None:
        return parse_ref_of(given["trackId"], _TRACKS), None
    if not isinstance(mode, str) or mode.upper() not in set(Mode):
        raise BadInput("mode is PREVIEW or FULL.")
    return parse_ref_of(given["trackId"], _TRACKS), Mode(mode.upper())
