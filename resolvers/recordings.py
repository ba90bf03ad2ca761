"""The import of recordings: files with tags become private drafts, each whole or not at all.

A track is written in one transaction with its credits, its master and the jobs that read it, and so is the release of
an album. What was brought before is known by its bytes, and an album by its names: an import that was cut short is
finished by the next, and one that was not adds nothing.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import structlog

from db.assets import HeldAsset, hold_asset
from db.recordings import Holder, hold_imports, is_album_made, note_album, track_of
from db.registration import hold_lineage
from domain.assets import AssetDraft, AssetKind, Details, MediaRole
from domain.audio import LONGEST_MS
from domain.canonical import canonical, digest
from domain.contributors import CreditRole, CreditWish, checked_credits
from domain.errors import CassetError, Invalid, NotFound, TooLarge, Unavailable, Unsupported
from domain.ids import Kind, Ref
from domain.media import LARGEST_UPLOAD, SHOWN, SNIFFED, Format, check_role, sniffed
from domain.recordings import Album, Played, Recording, Tags, read_recording
from domain.search import fold
from resolvers.assets import make_asset
from resolvers.blobs import Incoming, Kept, sha256_of
from resolvers.context import Acting
from resolvers.contributors import credit_people
from resolvers.decoding import Studio
from resolvers.media import Upload, attach
from resolvers.releases import place_items

log = structlog.get_logger()
_PIECE = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Source(NamedTuple):
    """A file that may be a recording: its name, as it is told of it, its title without tags, and how it is opened."""

    name: str
    title: str
    open: Callable[[], BinaryIO]


class Remark(NamedTuple):
    """What there is to say of a file or an album; `refused`, where it was not brought in."""

    name: str
    reason: str
    refused: bool


@dataclass(slots=True)
class Brought:
    """What an import of recordings has done.

    Attributes:
        tracks: new drafts.
        known: files whose bytes are a track of the artist already.
        releases: new drafts of albums.
        remarks: what was refused, and what was left out of what was not.
    """

    tracks: int = 0
    known: int = 0
    releases: int = 0
    remarks: list[Remark] = field(default_factory=list)


class _Picture(NamedTuple):
    format: Format
    kept: Kept


class _Placed(NamedTuple):
    """A track and its place on an album."""

    place: tuple[int, int]
    name: str
    track: Ref
    recording: Recording
    picture: _Picture | None


async def import_recordings(
    acting: Acting,
    studio: Studio,
    holder: Holder,
    sources: Sequence[Source],
    progress: Callable[[int], None],
) -> Brought:
    """Bring recordings in as private drafts of an artist, and their albums as drafts of releases.

    Args:
        acting: somebody who may make something for the artist.
        studio: stores the files and reads them.
        holder: the artist.
        sources: the files, in order.
        progress: is told how many of them are done.

    Raises:
        Unavailable: the database or the store is away, or full. What was written stays; import again.
    """
    importing = _Import(acting, studio, holder)
    for done, source in enumerate(sources, 1):
        await importing.guarded(source.name, importing.take(source))
        progress(done)
    for album, placed in importing.albums.items():
        await importing.guarded(f"album {album.title}", importing.release(album, sorted(placed, key=_order)))
    return importing.brought


def _order(placed: _Placed) -> tuple[tuple[int, int], str]:
    return placed.place, placed.name


class _Import:
    """An import under way."""

    def __init__(self, acting: Acting, studio: Studio, holder: Holder) -> None:
        self._acting = acting
        self._studio = studio
        self._holder = holder
        self.brought = Brought()
        self.albums: defaultdict[Album, list[_Placed]] = defaultdict(list)
        self._names: dict[tuple[str, str], Album] = {}

    async def guarded(self, name: str, work: Any) -> None:
        """Do something about a file; whatever it is that one does, the others come in."""
        try:
            await work
        except Unavailable:
            raise
        except CassetError as error:
            self._remark(name, error.message, refused=True)
        except OSError as error:
            if error.errno in _FULL:
                raise Unavailable("There is no room for more files. Make some, and import again.") from error
            self._remark(name, f"It cannot be read: {error.strerror or 'it takes too long'}.", refused=True)
        except Exception as error:  # it is told of this file, and nothing of it was written
            log.warning("a recording was not brought in", exc_info=error)
            self._remark(name, "It was read, and its reader failed.", refused=True)

    def _remark(self, name: str, reason: str, *, refused: bool = False) -> None:
        self.brought.remarks.append(Remark(name, reason, refused))

    async def take(self, source: Source) -> None:
        """Bring one file in."""
        with await asyncio.to_thread(source.open) as file:
            format_ = _format_of(file)
            blobs = self._studio.blobs
            async with blobs.receive() as incoming, blobs.receive() as pictured:
                await _copy(file, incoming)
                sha256 = await asyncio.to_thread(sha256_of, incoming.file)
                known = await self._known(sha256)
                tags = await self._tags(source, incoming, pictured)
                # Of what is there already, everything was said the first time.
                drop = _unsaid if known else partial(self._remark, source.name)
                recording = read_recording(tags, source.title, drop)
                kept = None if known else await self._heard(incoming)
                made = recording.album is not None and await self._is_made(recording.album)
                picture = None if made or (known and recording.album is None) else await _picture(pictured)
        if kept is None:
            self.brought.known += 1
        else:
            known = await self._track(recording, format_, kept, None if recording.album else picture)
            if made:
                self._remark(source.name, "Its album is a release already: the track is a draft beside it.")
        if recording.album is not None and not made and known is not None:
            album = self._names.setdefault(recording.album.key, recording.album)
            self.albums[album].append(_Placed(recording.place, source.name, known, recording, picture))

    async def _known(self, sha256: str) -> Ref | None:
        async with self._acting.database.read() as connection:
            return await track_of(connection, self._acting.viewer, self._holder.ref.id, sha256)

    async def _is_made(self, album: Album) -> bool:
        async with self._acting.database.read() as connection:
            return await is_album_made(connection, self._holder.ref.id, _key(album))

    async def _tags(self, source: Source, incoming: Incoming, pictured: Incoming) -> Tags:
        try:
            return await self._studio.decoder.tags(incoming.file, pictured.file)
        except Invalid as error:
            self._remark(source.name, error.message)
            return {}

    async def _heard(self, incoming: Incoming) -> Kept:
        """Store a file that can be heard to its end."""
        sound = await self._studio.decoder.measure(incoming.file, lambda _: None)
        if sound.duration_ms > LONGEST_MS:
            raise Invalid("It is longer than 6 hours.")
        return await incoming.keep()

    async def _track(self, recording: Recording, format_: Format, kept: Kept, picture: _Picture | None) -> Ref:
        """Write a draft of a track with all that belongs to it; or the track that these bytes are by now."""
        acting, owner = self._acting, self._holder.ref
        async with acting.database.write() as connection:
            await hold_imports(connection, owner.id)
            known = await track_of(connection, acting.viewer, owner.id, kept.sha256)
            if known is not None:
                self.brought.known += 1
                return known
            details = Details(AssetKind.TRACK, {"isrc": recording.isrc})
            draft = AssetDraft(owner, recording.title, details, made_on=recording.made_on)
            track = await make_asset(connection, acting, draft)
            await self._credit(connection, track, recording.people)
            await self._attach(connection, Upload(track, MediaRole.MASTER, format_, kept))
            if picture is not None:
                await self._attach(connection, Upload(track, MediaRole.COVER, *picture))
        self.brought.tracks += 1
        return track

    async def release(self, album: Album, placed: Sequence[_Placed]) -> None:
        """Write a draft of a release that holds the tracks of an album, in order."""
        acting, owner = self._acting, self._holder.ref
        async with acting.database.write() as connection:
            await hold_imports(connection, owner.id)
            await hold_lineage(connection)
            if await is_album_made(connection, owner.id, _key(album)):
                return
            details: dict[str, Any] = {}
            for each in placed:
                details = {**each.recording.album_details, **details}
            made_on = next((each.recording.made_on for each in placed if each.recording.made_on), None)
            draft = AssetDraft(owner, album.title, Details(AssetKind.RELEASE, details), made_on=made_on)
            release = await make_asset(connection, acting, draft)
            if album.artist is not None:
                await self._credit(connection, release, [Played(album.artist, CreditRole.MAIN_ARTIST)])
            items = list(dict.fromkeys(each.track for each in placed))
            await place_items(connection, acting, await self._held(connection, release), items)
            picture = next((each.picture for each in placed if each.picture), None)
            if picture is not None:
                await self._attach(connection, Upload(release, MediaRole.COVER, *picture))
            await note_album(connection, owner.id, _key(album), release.id)
        self.brought.releases += 1

    async def _held(self, connection: Any, asset: Ref) -> HeldAsset:
        held = await hold_asset(connection, self._acting.viewer, asset.id)
        if held is None:
            raise NotFound("It is not theirs any more.")
        return held

    async def _attach(self, connection: Any, upload: Upload) -> None:
        held = await self._held(connection, upload.of)
        media = Ref(Kind.MEDIA, self._acting.new_id())
        await attach(connection, self._acting, self._studio.blobs, held, media, upload)

    async def _credit(self, connection: Any, asset: Ref, people: Sequence[Played]) -> None:
        """Credit those who are named: the artist as themselves, everybody else by name."""
        wishes: dict[Any, CreditWish] = {}
        for name, role, instrument in people:
            called = fold(name) or name
            party = self._holder.ref if called in self._holder.names else name
            key = (party if isinstance(party, Ref) else called, role, instrument)
            wishes.setdefault(key, CreditWish(party, role, instrument))
        if wishes:
            held = await self._held(connection, asset)
            await credit_people(connection, self._acting, held, checked_credits(list(wishes.values())))


def _format_of(file: BinaryIO) -> Format:
    """What a file is that may be a master.

    Raises:
        Unsupported: it is none.
        TooLarge: it has more bytes than are taken.
    """
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise Unsupported("The file is empty.")
    if size > LARGEST_UPLOAD:
        raise _too_large()
    return check_role(MediaRole.MASTER, sniffed(file.read(SNIFFED)))


def _too_large() -> TooLarge:
    return TooLarge(f"A file has at most {LARGEST_UPLOAD} bytes.")


async def _copy(file: BinaryIO, incoming: Incoming) -> None:
    """Take all of a file, which may grow meanwhile."""
    file.seek(0)
    size = 0
    while piece := await asyncio.to_thread(file.read, _PIECE):
        size += len(piece)
        if size > LARGEST_UPLOAD:
            raise _too_large()
        await incoming.write(piece)
    await incoming.flush()


async def _picture(pictured: Incoming) -> _Picture | None:
    """Store the picture that was found in the tags, where it is one."""
    pictured.file.seek(0)
    format_ = sniffed(pictured.file.read(SNIFFED))
    return _Picture(format_, await pictured.keep()) if format_ in SHOWN else None


def _unsaid(_: str) -> None:
    pass


def _key(album: Album) -> str:
    return digest(canonical(list(album.key)))
