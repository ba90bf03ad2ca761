"""What can be done with media: attach what was uploaded, read it to its end, and cut what anybody may hear."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, Protocol

from db.artists import HeldArtist, hold_artist
from db.assets import HeldAsset, hold_asset, update_asset
from db.blobs import hold_bytes
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
    note_length,
    stored_media,
)
from domain.accounts import allow
from domain.analyses import Heard
from domain.assets import MediaRole
from domain.audio import LONGEST_MS
from domain.colours import Hsl
from domain.errors import Invalid, NotFound, Unavailable
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.keys import KeyScope
from domain.media import MOVING, SHOWN, ContentState, Format, check_role, check_target
from domain.provenance import EventKind
from domain.recordings import Tags
from domain.windows import Window
from resolvers.analyses import keep_heard
from resolvers.context import Acting
from resolvers.jobs import Doing, Effect, Hopeless, Running
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import Announcement, artist_updated, asset_updated

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


class Blob(NamedTuple):
    """Bytes that are stored: their SHA-256, how many they are, and when they came last."""

    sha256: str
    size: int
    since: datetime


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

    def stored(self) -> AsyncIterator[Sequence[Blob]]:
        """All that is there, some at a time."""

    async def since(self, sha256: str) -> datetime | None:
        """When bytes came last; None where they are not there."""

    async def remove(self, sha256: str) -> None:
        """Take bytes away for good, if they are there."""

    async def tidy(self) -> None:
        """Take away what dead processes have begun to write."""

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


class Drawn(NamedTuple):
    """What was drawn again.

    Attributes:
        format: of what was written.
        seed: the colour a theme may grow from; None where an image has none, and of a loop.
        duration_ms: how long a loop is; None of an image.
    """

    format: Format
    seed: Hsl | None = None
    duration_ms: int | None = None


class Decoder(Protocol):
    """Reads sound and pictures, with limits on time and memory."""

    async def measure(self, file: BinaryIO, tell: Callable[[int], None]) -> Sound:
        """Read all of it; `tell` learns how many percent are done. Invalid where it is no sound."""

    async def analyze(self, file: BinaryIO, tell: Callable[[int], None]) -> Heard:
        """Listen to all of it; `tell` learns how many percent are done. Invalid where it is no sound."""

    async def cut(self, file: BinaryIO, window: Window, into: BinaryIO) -> Format:
        """Write a window of it as a file of its own, with nothing else in it."""

    async def redraw(self, file: BinaryIO, into: BinaryIO) -> Drawn:
        """Write an image or a loop as it looks, with nothing else in it. Invalid where it is none."""

    async def tags(self, file: BinaryIO, into: BinaryIO) -> Tags:
        """Read what a recording says of itself, and write the picture in it. Invalid where that cannot be read."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: bytes that are stored, and what they shall be to an asset, or to an artist."""

    of: Ref
    role: MediaRole
    format: Format
    kept: Kept


async def attach_media(acting: Acting, blobs: Blobs, upload: Upload, idempotency_key: str | None) -> Ref:
    """Attach an upload, in one transaction with the jobs that read it; the same bytes again change nothing.

    Raises:
        Unavailable: the bytes were cleared away since they were stored.
        SignInNeeded: nobody is signed in.
        Forbidden: a key lacks the scope.
        NotFound: there is no such asset or artist, or it is not the viewer's to change.
        Invalid: nothing may be uploaded in that role.
        Unsupported: not a file like this.
        KeyReused: the idempotency key belongs to another request.
    """
    allow(acting.viewer, KeyScope.ASSETS_WRITE)
    check_target(upload.of, upload.role)
    check_role(upload.role, upload.format)

    async def work(connection: Any) -> Outcome:
        held = await held_target(connection, acting, upload.of)
        media = Ref(Kind.MEDIA, acting.new_id())
        return {"media": str(await attach(connection, acting, blobs, held, media, upload))}

    request = {"of": str(upload.of), "role": upload.role.value, "sha256": upload.kept.sha256}
    outcome = await done_once(acting, "uploadMedia", request, idempotency_key, work)
    return parse_ref(outcome["media"])


async def attach(
    connection: Any, acting: Acting, blobs: Blobs, held: HeldAsset | HeldArtist, media: Ref, upload: Upload
) -> Ref:
    """Attach an upload to what is held, as `attach_media` does; as this media, or as what the same bytes are already.

    Raises:
        Unavailable: the bytes were cleared away since they were stored.
    """
    of, owner = (held.ref, held.owner) if isinstance(held, HeldAsset) else (upload.of, held.id)
    known = await media_held(connection, of, upload.role, upload.kept.sha256)
    if known is not None:
        return known
    await hold_blob(connection, blobs, upload.kept.sha256)
    values = {"role": upload.role.value, "sha256": upload.kept.sha256, "byte_size": upload.kept.size}
    await add_media(connection, media.id, of, values, upload.format)
    kinds = _JOBS.get(upload.role)
    if kinds is not None:
        await enqueue(connection, [NewJob(acting.new_id(), kind, media.id, owner) for kind in kinds])
    payload = {"media": str(media), "role": upload.role.value, "sha256": upload.kept.sha256}
    event = happened(acting, of, EventKind.MEDIA_ATTACHED, payload)
    await follow(connection, [event], [await _moved_on(connection, held)], touched=[media.id])
    return media


async def hold_blob(connection: Any, blobs: Blobs, sha256: str) -> None:
    """Keep bytes that were stored from being cleared away, before a row names them; until commit.

    Raises:
        Unavailable: they were cleared away since they were stored.
    """
    await hold_bytes(connection, sha256)
    try:
        await blobs.size(sha256)
    except FileNotFoundError:
        raise Unavailable("The file was cleared away before it was used. Send it again.") from None


async def held_target(connection: Any, acting: Acting, of: Ref) -> HeldAsset | HeldArtist:
    """What an upload is attached to, under the writer's lock.

    Raises:
        NotFound: there is no such asset or artist, or it is not the viewer's to change.
    """
    if of.kind is Kind.ARTIST:
        artist = await hold_artist(connection, acting.viewer, of.id)
        if artist is None:
            raise NotFound("There is no such artist.", path=("artist",))
        return artist
    asset = await hold_asset(connection, acting.viewer, of.id)
    if asset is None:
        raise NotFound("There is no such asset.", path=("asset",))
    return asset


async def _moved_on(connection: Any, held: HeldAsset | HeldArtist) -> Announcement:
    """An asset is another one with another file; a world is not, before it shows the file."""
    if isinstance(held, HeldArtist):
        return artist_updated(Ref(Kind.ARTIST, held.id), held.version)
    await update_asset(connection, held, {})
    return asset_updated(held.ref, held.version + 1)


_JOBS = {
    MediaRole.MASTER: (JobKind.HASH_MEDIA, JobKind.COMPUTE_WAVEFORM, JobKind.ANALYZE_MUSIC),
    MediaRole.COVER: (JobKind.HASH_MEDIA,),
    MediaRole.LOOP: (JobKind.HASH_MEDIA,),
}


@dataclass(frozen=True, slots=True)
class Studio:
    """What reads sound and pictures, and cuts sound.

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
        return {
            JobKind.HASH_MEDIA: self._hash,
            JobKind.COMPUTE_WAVEFORM: self._draw,
            JobKind.ANALYZE_MUSIC: self._analyze,
        }

    async def _hash(self, running: Running) -> Effect:
        """Read an upload to its end: from then on it may be heard, or seen."""
        stored = await self._stored(running)
        with await self._opened(stored) as file:
            if await asyncio.to_thread(sha256_of, file) != stored.sha256:
                raise Hopeless("The stored bytes are not those that were uploaded.")
            if stored.format in SHOWN | MOVING:
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
            await record_changes(connection, [(stored.of, "MEDIA_READ", [stored.media])])

        return effect

    async def _redrawn(self, stored: Stored, file: BinaryIO) -> Effect:
        """An image or a loop as it looks, without whatever else came with it."""
        try:
            async with self.blobs.receive() as incoming:
                drawn = await self.decoder.redraw(file, incoming.file)
                kept = await incoming.keep()
        except Invalid as error:
            raise Hopeless(error.message, _refusing(stored, error.message)) from None

        async def effect(connection: Any) -> None:
            await hold_blob(connection, self.blobs, kept.sha256)
            seed = {} if drawn.seed is None else {f"seed_{name}": value for name, value in drawn.seed._asdict().items()}
            told = {"state": ContentState.READY.value, "shown_sha256": kept.sha256, **seed}
            await note_content(connection, stored.media, told)
            if drawn.duration_ms is not None:
                await note_length(connection, stored.media, drawn.duration_ms)
            await record_changes(connection, [(stored.of, "MEDIA_READ", [stored.media])])

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
            await record_changes(connection, [(stored.of, "WAVEFORM_DRAWN", [stored.media])])

        return effect

    async def _analyze(self, running: Running) -> Effect:
        """What is heard in an upload."""
        stored = await self._stored(running)
        with await self._opened(stored) as file:
            try:
                heard = await self.decoder.analyze(file, _telling(running))
            except Invalid as error:
                raise Hopeless(error.message) from None

        async def effect(connection: Any) -> None:
            await keep_heard(connection, stored.media, stored.of, heard)

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
            await hold_blob(connection, self.blobs, kept.sha256)
            await add_preview(connection, playable.media, window, cut)
        return cut


def _refusing(stored: Stored, fault: str) -> Effect:
    """What an upload that is no sound leads to: it is never heard, and its owner reads why."""

    async def effect(connection: Any) -> None:
        await note_content(connection, stored.media, {"state": ContentState.REFUSED.value, "fault": fault})
        await record_changes(connection, [(stored.of, "MEDIA_REFUSED", [stored.media])])

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
