"""What a recording says of itself in its tags, read with mutagen: in the process that reads sound, and nowhere else.

mutagen is under the GPL, version 2 or later. Nothing but `read_tags` loads it, when a folder of recordings is imported.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from domain.media import LARGEST_TAG, Format

LONGEST_VALUE, MOST_VALUES = 400, 60
"""Characters, and values of one name: a title and a cast, and no more."""
_MOST_CHUNKS, _INFO_SIZE = 1_000, 64 * 1024

# Names as Vorbis comments spell them; other formats are told in them.
_FRAMES = {
    "TIT2": "title",
    "TPE1": "artist",
    "TPE2": "albumartist",
    "TALB": "album",
    "TRCK": "tracknumber",
    "TPOS": "discnumber",
    "TSRC": "isrc",
    "TDRC": "date",
    "TPUB": "label",
    "TCOM": "composer",
    "TEXT": "lyricist",
    "TPE4": "remixer",
}
_TEXT_FRAMES = {"BARCODE": "barcode", "MUSICBRAINZ ALBUM TYPE": "releasetype"}
_ATOMS = {
    "\xa9nam": "title",
    "\xa9ART": "artist",
    "aART": "albumartist",
    "\xa9alb": "album",
    "\xa9wrt": "composer",
    "\xa9day": "date",
    "----:com.apple.iTunes:ISRC": "isrc",
    "----:com.apple.iTunes:LABEL": "label",
    "----:com.apple.iTunes:BARCODE": "barcode",
    "----:com.apple.iTunes:LYRICIST": "lyricist",
    "----:com.apple.iTunes:PRODUCER": "producer",
    "----:com.apple.iTunes:ARRANGER": "arranger",
    "----:com.apple.iTunes:REMIXER": "remixer",
    "----:com.apple.iTunes:MIXER": "mixer",
    "----:com.apple.iTunes:MusicBrainz Album Type": "releasetype",
}
_CHUNKS = {
    b"INAM": "title",
    b"IART": "artist",
    b"IPRD": "album",
    b"ITRK": "tracknumber",
    b"IPRT": "tracknumber",
    b"ICRD": "date",
    b"ISRC": "isrc",
    b"IMUS": "composer",
    b"IWRI": "lyricist",
    b"IPRO": "producer",
}

Pair = tuple[str, str]


class Found(NamedTuple):
    """Tags by name, in Vorbis' names, and the picture among them."""

    tags: Mapping[str, list[str]]
    picture: bytes | None


def read_tags(file: BinaryIO, format_: Format) -> Found:
    """Read the tags of a recording; whatever mutagen raises comes through."""
    import mutagen  # noqa: PLC0415  # late: nobody else needs it

    file.seek(0)
    opened = mutagen.File(file)
    pairs = list(_spelled(opened)) if opened is not None else []
    if format_ is Format.WAV:
        pairs += _info(file)
    tags: dict[str, list[str]] = {}
    for name, value in pairs:
        known = tags.setdefault(name, [])
        if value.strip() and value not in known and len(known) < MOST_VALUES:
            known.append(value[:LONGEST_VALUE])
    picture = None if opened is None else next((data for data in _pictures(opened) if data), None)
    return Found(tags, picture if picture is not None and len(picture) <= LARGEST_TAG else None)


def _spelled(opened: Any) -> Iterator[Pair]:
    tags = opened.tags
    if tags is None:
        return
    if hasattr(tags, "getall"):
        yield from _of_frames(tags)
    elif hasattr(opened, "MP4Tags"):
        yield from _of_atoms(tags)
    else:
        for name, value in tags:
            yield _VORBIS.get(name.lower(), name.lower()), value


_VORBIS = {"album artist": "albumartist", "organization": "label", "publisher": "label", "upc": "barcode"}


def _of_frames(tags: Any) -> Iterator[Pair]:
    """ID3."""
    for frame in tags.values():
        if frame.FrameID in _FRAMES:
            for value in frame.text:
                yield _FRAMES[frame.FrameID], str(value)
        elif frame.FrameID == "TXXX" and frame.desc.upper() in _TEXT_FRAMES:
            for value in frame.text:
                yield _TEXT_FRAMES[frame.desc.upper()], str(value)
        elif frame.FrameID in {"TIPL", "IPLS"}:
            yield from ((role.lower(), name) for role, name in frame.people)
        elif frame.FrameID == "TMCL":
            yield from (("performer", f"{name} ({instrument})") for instrument, name in frame.people)


def _of_atoms(tags: Any) -> Iterator[Pair]:
    """MP4."""
    for atom, values in tags.items():
        if atom in {"trkn", "disk"}:
            name = "tracknumber" if atom == "trkn" else "discnumber"
            yield from ((name, str(number)) for number, _ in values)
        elif atom in _ATOMS:
            for value in values:
                yield _ATOMS[atom], bytes(value).decode(errors="replace") if isinstance(value, bytes) else str(value)


def _pictures(opened: Any) -> Iterator[bytes]:
    """Pictures, the front cover first."""
    found: list[tuple[int, bytes]] = [(picture.type, picture.data) for picture in getattr(opened, "pictures", ())]
    tags = opened.tags
    if hasattr(tags, "getall"):
        found += [(frame.type, frame.data) for frame in tags.getall("APIC")]
    elif hasattr(opened, "MP4Tags"):
        found += [(_FRONT, bytes(cover)) for cover in (tags or {}).get("covr", ())]
    elif tags is not None:
        found += _of_comments(tags.get("metadata_block_picture", ()))
    yield from (data for _, data in sorted(found, key=lambda each: each[0] != _FRONT))


_FRONT = 3


def _of_comments(texts: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    from mutagen.flac import Picture  # noqa: PLC0415  # late, as mutagen is

    for text in texts:
        picture = Picture(base64.b64decode(text))
        yield picture.type, picture.data


def _info(file: BinaryIO) -> Iterator[Pair]:
    """The list INFO of a WAV file, which mutagen does not know; the outline of the file was looked at before."""
    end, place = file.seek(0, io.SEEK_END), 12
    for _ in range(_MOST_CHUNKS):
        if place + 8 > end:
            return
        file.seek(place)
        head = file.read(12)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] == b"LIST" and head[8:12] == b"INFO":
            yield from _entries(file.read(min(max(size - 4, 0), _INFO_SIZE)))
        place += 8 + size + size % 2


def _entries(listed: bytes) -> Iterator[Pair]:
    place = 0
    while place + 8 <= len(listed):
        size = int.from_bytes(listed[place + 4 : place + 8], "little")
        name = _CHUNKS.get(listed[place : place + 4])
        if name is not None:
            text = listed[place + 8 : place + 8 + size].split(b"\0")[0]
            yield name, _decoded(text)
        place += 8 + size + size % 2


def _decoded(text: bytes) -> str:
    """As UTF-8 where it is that; old programs wrote as Windows does."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("cp1252", errors="replace")
