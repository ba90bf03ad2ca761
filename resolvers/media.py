"""What can be done with media: attach what was uploaded, read it to its end, and cut what anybody may hear."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

from db.assets import hold_asset, update_asset
from db.changes import record_changes
from db.engine import Database
from db.jobs import enqueue
from db.media import (
    Cut,
    Playable,
    Stored,
    add_media,
    add_preview,
    media_held,
    note_content,
    note_duration,
    stored_media,
)
from domain.accounts import allow
from domain.assets import MediaRole
from domain.audio import LONGEST_MS
from domain.errors import Invalid, NotFound, Unavailable
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.keys import KeyScope
from domain.media import SHOWN, ContentState, Format, check_role
from domain.provenance import EventKind
from domain.windows import Window
from resolvers.context import Acting
from resolvers.jobs import Doing, Effect, Hopeless, Running
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import asset_updated

_PIECE = 1 << 20


class Kept(NamedTuple):
    """Bytes that are stored under their SHA-256."""

    sha256: str
    size: int


class Incoming(Protocol):
    """Bytes on their way in: nobody finds them before they are kept."""

    file: BinaryIO

    async def write(self, data: bytes) -> None:
        """Take more."""

    async def flush(self) -> None:
        """Have all that came in the file."""

    async def keep(self) -> Kept:
        """Store them for good, all or nothing."""


class Blobs(Protocol):
    """Where bytes are stored, each under the SHA-256 of all of them."""

    def receive(self) -> AbstractAsyncContextManager[Incoming]:
        """Begin to take bytes; what is not kept in the end is gone."""

    async def size(self, sha256: str) -> int:
        """How many bytes there are; FileNotFoundError where they are not there."""

    def read(self, sha256: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes between two, a piece at a time."""

    async def open(self, sha256: str) -> BinaryIO:
        """A real file with the bytes; FileNotFoundError where they are not there."""

    def close(self) -> None:
        """Let go of what is held; it is taken again when it is needed."""


class Sound(NamedTuple):
    """What a recording is, read to its end."""

    rate: int
    channels: int
    frames: int
    peaks: list[int]
    pcm_sha256: str

    @property
    def duration_ms(self) -> int:
        """Its length, to the millisecond."""
        return max(round(self.frames * 1000 / self.rate), 1)


class Decoder(Protocol):
    """Reads sound, with limits on time and memory."""

    async def measure(self, file: BinaryIO, tell: Callable[[int], None]) -> Sound:
        """Read all of it; `tell` learns how many percent are done. Invalid where it is no sound."""

    async def cut(self, file: BinaryIO, window: Window, into: BinaryIO) -> Format:
        """Write a window of it as a file of its own, with nothing else in it."""

    async def redraw(self, file: BinaryIO, into: BinaryIO) -> Format:
        """Write an image as it looks, with nothing else in it. Invalid where it is none."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: bytes that are stored, and what they shall be to an asset."""

    asset: Ref
    role: MediaRole
    format: Format
    kept: Kept


async def attach_media(acting: Acting, upload: Upload, idempotency_key: str | None) -> Ref:
    """Attach an upload to an asset, in one transaction with the jobs that read it; the same bytes again change nothing.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: a key lacks the scope.
        NotFound: there is no such asset, or it is not the viewer's to change.
        Invalid: nothing may be uploaded in that role.
        Unsupported: not a file like this.
        KeyReused: the idempotency key belongs to another request.
    """
    allow(acting.viewer, KeyScope.ASSETS_WRITE)
    check_role(upload.role, upload.format)

    async def work(connection: Any) -> Outcome:
        held = await hold_asset(connection, acting.viewer, upload.asset.id)
        if held is None:
            raise NotFound("There is no such asset.", path=("asset",))
        known = await media_held(connection, held.ref.id, upload.role, upload.kept.sha256)
        if known is not None:
            return {"media": str(known)}
        media = Ref(Kind.MEDIA, acting.new_id())
        values = {"asset_id": held.ref.id, "role": upload.role.value, "sha256": upload.kept.sha256}
        await add_media(connection, {"id": media.id, **values, "byte_size": upload.kept.size}, upload.format)
        kinds = _JOBS.get(upload.role)
        if kinds is not None:
            await enqueue(connection, [NewJob(acting.new_id(), kind, media.id, held.owner) for kind in kinds])
        await update_asset(connection, held, {})
        payload = {"media": str(media), "role": upload.role.value, "sha256": upload.kept.sha256}
        event = happened(acting, held.ref, EventKind.MEDIA_ATTACHED, payload)
        await follow(connection, [event], [asset_updated(held.ref, held.version + 1)], touched=[media.id])
        return {"media": str(media)}

    request = {"asset": str(upload.asset), "role": upload.role.value, "sha256": upload.kept.sha256}
    outcome = await done_once(acting, "uploadMedia", request, idempotency_key, work)
    return parse_ref(outcome["media"])


_JOBS = {
    MediaRole.MASTER: (JobKind.HASH_MEDIA, JobKind.COMPUTE_WAVEFORM),
    MediaRole.COVER: (JobKind.HASH_MEDIA,),
}


@dataclass(frozen=True, slots=True)
class Studio:
    """What reads and cuts sound.

    Attributes:
        database: knows what was uploaded.
        blobs: where the bytes are.
        decoder: reads them.
    """

    database: Database
    blobs: Blobs
    decoder: Decoder

    def doings(self) -> Mapping[JobKind, Doing]:
        """How the jobs of uploads are done."""
        return {JobKind.HASH_MEDIA: self._hash, JobKind.COMPUTE_WAVEFORM: self._draw}

    async def _hash(self, running: Running) -> Effect:
        """Read an upload to its end: from then on it may be heard, or seen."""
        stored = await self._stored(running)
        with await self._opened(stored) as file:
            if await asyncio.to_thread(sha256_of, file) != stored.sha256:
                raise Hopeless("The stored bytes are not those that were uploaded.")
            if stored.format in SHOWN:
                return await self._redrawn(stored, file)
            try:
                sound = await self.decoder.measure(file, _telling(running))
                if sound.duration_ms > LONGEST_MS:
                    raise Invalid("It is longer than 6 hours.")
            except Invalid as error:
                raise Hopeless(error.message, _refusing(stored, error.message)) from None

        async def effect(connection: Any) -> None:
            told = {
                "state": ContentState.READY.value,
                "sample_rate": sound.rate,
                "channels": sound.channels,
                "pcm_sha256": sound.pcm_sha256,
            }
            await note_content(connection, stored.media, told)
            await note_duration(connection, stored, sound.duration_ms)
            await record_changes(connection, [(stored.asset, "MEDIA_READ", [stored.media])])

        return effect

    async def _redrawn(self, stored: Stored, file: BinaryIO) -> Effect:
        """An image as it looks, without whatever else came with it."""
        try:
            async with self.blobs.receive() as incoming:
                await self.decoder.redraw(file, incoming.file)
                kept = await incoming.keep()
        except Invalid as error:
            raise Hopeless(error.message, _refusing(stored, error.message)) from None

        async def effect(connection: Any) -> None:
            told = {"state": ContentState.READY.value, "shown_sha256": kept.sha256}
            await note_content(connection, stored.media, told)
            await record_changes(connection, [(stored.asset, "MEDIA_READ", [stored.media])])

        return effect

    async def _draw(self, running: Running) -> Effect:
        """The waveform of an upload."""
        stored = await self._stored(running)
        with await self._opened(stored) as file:
            try:
                sound = await self.decoder.measure(file, _telling(running))
            except Invalid as error:
                raise Hopeless(error.message) from None

        async def effect(connection: Any) -> None:
            await note_content(connection, stored.media, {"peaks": sound.peaks})
            await record_changes(connection, [(stored.asset, "WAVEFORM_DRAWN", [stored.media])])

        return effect

    async def _stored(self, running: Running) -> Stored:
        stored = await stored_media(self.database, running.job.subject)
        if stored is None:
            raise Hopeless("There is no such upload.")
        return stored

    async def _opened(self, stored: Stored) -> BinaryIO:
        try:
            return await self.blobs.open(stored.sha256)
        except FileNotFoundError:
            raise Hopeless("The stored bytes are gone.") from None

    async def cut(self, playable: Playable, window: Window) -> Cut:
        """Cut the preview of a window, an object of its own, and keep it.

        Raises:
            Unavailable: it cannot be cut for the moment.
        """
        try:
            with await self.blobs.open(playable.sha256) as file:
                async with self.blobs.receive() as incoming:
                    format_ = await self.decoder.cut(file, window, incoming.file)
                    kept = await incoming.keep()
        except (OSError, Invalid) as error:
            raise Unavailable("The preview is not there for the moment. Try again.") from error
        cut = Cut(kept.sha256, format_.mime_type, kept.size)
        async with self.database.write() as connection:
            await add_preview(connection, playable.media, window, cut)
        return cut


def _refusing(stored: Stored, fault: str) -> Effect:
    """What an upload that is no sound leads to: it is never heard, and its owner reads why."""

    async def effect(connection: Any) -> None:
        await note_content(connection, stored.media, {"state": ContentState.REFUSED.value, "fault": fault})
        await record_changes(connection, [(stored.asset, "MEDIA_REFUSED", [stored.media])])

    return effect


def _telling(running: Running) -> Callable[[int], None]:
    def tell(percent: int) -> None:
        running.progress = percent

    return tell


def sha256_of(file: BinaryIO) -> str:
    """The SHA-256 of a whole file, in hexadecimal digits."""
    file.seek(0)
    found = hashlib.sha256()
    while piece := file.read(_PIECE):
        found.update(piece)
    return found.hexdigest()
