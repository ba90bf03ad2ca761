"""Media: what a file is, decided by its first bytes and never by its name or by what its sender says of it."""

from __future__ import annotations

from enum import StrEnum

from domain.assets import MediaRole
from domain.errors import Invalid, Unsupported
from domain.ids import Kind, Ref

LARGEST_UPLOAD = 200 * 1024 * 1024
"""Bytes."""
SNIFFED = 64
"""First bytes of a file that tell what it is."""
LARGEST_TAG = 16 * 1024 * 1024
"""Bytes of an ID3 tag: a cover in print quality, and no more."""


class Format(StrEnum):
    """What a file is."""

    WAV = "WAV"
    MP3 = "MP3"
    FLAC = "FLAC"
    AAC = "AAC"
    M4A = "M4A"
    OGG = "OGG"
    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"
    MP4 = "MP4"
    WEBM = "WEBM"
    OTHER = "OTHER"

    @property
    def mime_type(self) -> str:
        """The media type it is served as."""
        return _TYPES[self]


class ContentState(StrEnum):
    """Whether what was uploaded was read to its end."""

    RECEIVED = "RECEIVED"
    READY = "READY"
    REFUSED = "REFUSED"


_TYPES = {
    Format.WAV: "audio/wav",
    Format.MP3: "audio/mpeg",
    Format.FLAC: "audio/flac",
    Format.AAC: "audio/aac",
    Format.M4A: "audio/mp4",
    Format.OGG: "audio/ogg",
    Format.PNG: "image/png",
    Format.JPEG: "image/jpeg",
    Format.WEBP: "image/webp",
    Format.MP4: "video/mp4",
    # A loop is handed out drawn again, in the form that every browser plays.
    Format.WEBM: "video/mp4",
    Format.OTHER: "application/octet-stream",
}
_MAGIC = (
    (b"fLaC", Format.FLAC),
    (b"OggS", Format.OGG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x1aE\xdf\xa3", Format.WEBM),
)
_M4A = {b"ftypM4A ", b"ftypM4B ", b"ftypmp42", b"ftypisom"}
"""AAC in the container that music shops sell it in; the last two brands are those of moving pictures, too."""
_MP4 = {
    b"ftypM4V ",
    b"ftypMSNV",
    b"ftypavc1",
    b"ftypdash",
    b"ftypiso2",
    b"ftypiso4",
    b"ftypiso5",
    b"ftypiso6",
    b"ftypmp41",
    b"ftypqt  ",
}
"""Moving pictures, as telephones, cameras and editors write them."""
PLAYED = frozenset({Format.WAV, Format.MP3, Format.FLAC, Format.AAC, Format.M4A, Format.OGG})
"""What is decoded here, and so may be a master."""
SHOWN = frozenset({Format.PNG, Format.JPEG, Format.WEBP})
"""What may be a cover: drawn again, so that nothing but its picture is ever handed out."""
MOVING = frozenset({Format.MP4, Format.WEBM})
"""What may be a loop: drawn again likewise, without its sound."""
LONGEST_LOOP_MS = 30_000
"""No picture of a loop begins later."""
OF_WORLDS = frozenset({MediaRole.COVER, MediaRole.LOOP})
"""What may be uploaded for an artist's world, and not only for an asset."""
_TAKEN = {
    MediaRole.MASTER: PLAYED,
    MediaRole.COVER: SHOWN,
    MediaRole.LOOP: MOVING,
    MediaRole.SOURCE: frozenset(Format),
}
_SAID = {
    MediaRole.MASTER: "A master is a WAV, MP3, FLAC, AAC or OGG file.",
    MediaRole.PREVIEW: "A preview is cut from the master, and never uploaded.",
    MediaRole.COVER: "A cover is a PNG, JPEG or WebP image.",
    MediaRole.LOOP: "A loop is an MP4, QuickTime or WebM film of at most 30 seconds.",
}


def sniffed(head: bytes) -> Format:
    """What a file is, from its first 64 bytes.

    Raises:
        Unsupported: an MP3 whose tag alone would be larger than any.
    """
    if head[:4] == b"RIFF" and head[8:12] in {b"WAVE", b"WEBP"}:
        return Format.WAV if head[8:12] == b"WAVE" else Format.WEBP
    if head[4:12] in _M4A:
        return Format.M4A
    if head[4:12] in _MP4:
        return Format.MP4
    for magic, format_ in _MAGIC:
        if head.startswith(magic):
            return format_
    if head.startswith(b"ID3") and len(head) >= 10:
        size = 0
        for byte in head[6:10]:
            if byte & 0x80:
                return Format.OTHER
            size = size << 7 | byte
        if size > LARGEST_TAG:
            raise Unsupported(f"Its tag says it has {size} bytes; at most {LARGEST_TAG} are read.")
        return Format.MP3
    return _framed(head)


def _framed(head: bytes) -> Format:
    """MPEG audio by its sync word: layer 0 is ADTS, where AAC is; layer 3 is MP3."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return Format.OTHER
    if head[1] & 0xF6 == 0xF0:
        return Format.AAC
    is_mp3 = (
        head[1] & 0x06 == 0x02 and head[1] & 0x18 != 0x08 and head[2] >> 4 not in {0, 15} and head[2] & 0x0C != 0x0C
    )
    return Format.MP3 if is_mp3 else Format.OTHER


def check_target(of: Ref, role: MediaRole) -> None:
    """Let a file be of an asset, or of an artist whose world shows it.

    Raises:
        Invalid: only an asset has files like this.
    """
    if of.kind is Kind.ARTIST and role not in OF_WORLDS:
        raise Invalid("An artist's world has covers and loops; upload this for an asset.", path=("role",))


def check_role(role: MediaRole, format_: Format) -> Format:
    """Let a file be what it shall be to its asset; what it is then, as some containers hold sound or moving pictures.

    Raises:
        Invalid: nothing may be uploaded as that.
        Unsupported: not a file like this.
    """
    taken = _TAKEN.get(role)
    if taken is None:
        raise Invalid(_SAID[role], path=("role",))
    if role is MediaRole.LOOP and format_ is Format.M4A:
        return Format.MP4
    if format_ not in taken:
        raise Unsupported(_SAID[role])
    return format_
