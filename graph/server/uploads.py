"""`POST /api/upload/media`: bytes that stream in, are hashed on the way, and are attached to an asset, or to an artist.

As `multipart/form-data` with the fields `asset` and `role` before the part `file`, or as the body itself with both in
the query string; `artist` in place of `asset` for what their world shows. What a file is, is read in it; its name and
its type as they are sent mean nothing. Nothing is found before all of it has come, and nothing is heard or seen before
a worker has read it to its end.
"""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.custody import writable
from db.verdicts import ASSET_REF_KINDS
from domain.accounts import allow
from domain.assets import MediaRole
from domain.errors import BadInput, Invalid, NotFound, SignInNeeded, TooLarge, Unsupported
from domain.ids import Kind, Ref, parse_ref_of
from domain.keys import KeyScope
from domain.media import LARGEST_UPLOAD, SNIFFED, Format, check_role, check_target, sniffed
from graph.server.guard import PROBLEM_TYPE, problem
from graph.server.parts import Parts, boundary_of
from graph.server.rest import UNCACHED, Allowance, Reception
from graph.server.wav import samples_of
from resolvers.blobs import Blobs, Incoming, Kept
from resolvers.context import Acting
from resolvers.media import Upload, attach_media

FILE = "file"
_ARTISTS = frozenset({Kind.ARTIST})
_AROUND = 64 * 1024
"""Bytes of a body that are not the file."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Uploads:
    """The route of uploads."""

    def __init__(self, reception: Reception, blobs: Blobs, allowance: Allowance) -> None:
        """Store what comes as blobs."""
        self._reception = reception
        self._blobs = blobs
        self._allowance = allowance

    def routes(self) -> list[Route]:
        """The route `/api/upload/media`."""
        return [Route("/api/upload/media", self.upload, methods=["POST"])]

    async def upload(self, request: Request) -> Response:
        """Take a file and attach it; 201 with what it became."""
        actor = await self._reception.actor(request)
        await self._allowance.take(actor)
        if actor.viewer.account is None:
            raise SignInNeeded("Sign in first.")
        allow(actor.viewer, KeyScope.ASSETS_WRITE, writes=True)
        key = _idempotency_key(request)
        _check_size(request)
        acting = self._reception.acting(actor.viewer)
        try:
            body, given = await _opened(request)
            of, role = await self._target(acting, given)
            async with self._blobs.receive() as incoming:
                format_ = await _receive(body, incoming, role)
                upload = Upload(of, role, format_, await _kept(incoming, role, format_))
            media = await attach_media(acting, self._blobs, upload, key)
        except ClientDisconnect:
            # Nobody reads this, and nothing was kept.
            return Response(status_code=400)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            return Response(problem(507, "There is no room for it."), 507, UNCACHED, PROBLEM_TYPE)
        return JSONResponse(_told(media, upload), 201, UNCACHED)

    async def _target(self, acting: Acting, given: Mapping[str, str]) -> tuple[Ref, MediaRole]:
        """What the file shall be to which asset or artist; known before a byte of it is taken."""
        is_world = "artist" in given and "asset" not in given
        of = (
            parse_ref_of(given["artist"], _ARTISTS)
            if is_world
            else parse_ref_of(given.get("asset", ""), ASSET_REF_KINDS)
        )
        try:
            role = MediaRole(given.get("role", MediaRole.MASTER.value).upper())
        except ValueError:
            raise BadInput(f"role is one of {', '.join(MediaRole)}.") from None
        check_target(of, role)
        found = await writable(acting.database, acting.viewer, of)
        if found is None:
            raise NotFound("There is no such artist." if is_world else "There is no such asset.")
        return found, role


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and _KEY.fullmatch(key) is None:
        raise BadInput("Idempotency-Key is 1 to 255 printable characters.")
    return key


def _check_size(request: Request) -> None:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Unsupported("Send the file as it is, not compressed.")
    if int(request.headers.get("content-length", 0)) > LARGEST_UPLOAD + _AROUND:
        raise _too_large()


def _too_large() -> TooLarge:
    return TooLarge(f"A file has at most {LARGEST_UPLOAD} bytes.")


async def _opened(request: Request) -> tuple[AsyncIterator[bytes], Mapping[str, str]]:
    """The bytes of the file, and what was said before them."""
    boundary = boundary_of(request.headers.get("content-type", ""))
    given = dict(request.query_params)
    if boundary is None:
        return request.stream(), given
    parts = Parts(request.stream(), boundary)
    while (part := await parts.following()) is not None:
        if part.name == FILE:
            return part.data, given
        given[part.name] = await part.text()
    raise BadInput(f"There is no part named {FILE}; the fields come before it.")


async def _receive(body: AsyncIterator[bytes], incoming: Incoming, role: MediaRole) -> Format:
    """Take the bytes, as many as may be; what they are shows in the first ones."""
    head, size, format_ = b"", 0, None
    async for piece in body:
        size += len(piece)
        if size > LARGEST_UPLOAD:
            raise _too_large()
        if format_ is None:
            head += piece[:SNIFFED]
            if len(head) >= SNIFFED:
                format_ = check_role(role, sniffed(head))
        await incoming.write(piece)
    if size == 0:
        raise Unsupported("The file is empty.")
    if format_ is None:
        format_ = check_role(role, sniffed(head))
    return format_


async def _kept(incoming: Incoming, role: MediaRole, format_: Format) -> Kept:
    """Store the bytes, where they have the outline of what they shall be; a worker reads all of them."""
    await incoming.flush()
    await asyncio.to_thread(outline, incoming.file, role, format_)
    return await incoming.keep()


def outline(file: BinaryIO, role: MediaRole, format_: Format) -> None:
    """Look whether a file has the outline of what it shall be.

    Raises:
        Unsupported: it has not.
    """
    if role is MediaRole.MASTER and format_ is Format.WAV:
        try:
            samples_of(file)
        except Invalid as error:
            raise Unsupported(error.message) from None


def _told(media: Ref, upload: Upload) -> dict[str, Any]:
    return {
        "id": str(media),
        "artist" if upload.of.kind is Kind.ARTIST else "asset": str(upload.of),
        "role": upload.role.value,
        "sha256": upload.kept.sha256,
        "byteSize": upload.kept.size,
        "mimeType": upload.format.mime_type,
    }
