"""Reading what was uploaded to its end: what is heard and seen in it, as jobs, and the cut that anybody may hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

from db.changes import record_changes
from db.engine import Database
from db.media import Cut, Playable, Stored, add_preview, note_content, note_duration, note_length, stored_media
from domain.analyses import Heard
from domain.audio import LONGEST_MS
from domain.colours import Hsl
from domain.errors import Invalid, Unavailable
from domain.jobs import JobKind
from domain.media import MOVING, SHOWN, ContentState, Format
from domain.recordings import Tags
from domain.windows import Window
from resolvers.analyses import keep_heard
from resolvers.blobs import Blobs, hold_blob, sha256_of
from resolvers.jobs import Doing, Effect, Hopeless, Running


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
