"""Pictures, in the process that reads what came from elsewhere: decoded, and drawn again from their pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import av

from domain.colours import Rgb, seed_of
from domain.errors import Invalid
from domain.media import SNIFFED, Format, sniffed
from graph.server.films import DEMUXERS, film, upright

_MOST_PIXELS = 40_000_000
_SMALL = 96
"""Pixels a side of what a colour is read off: its hues are those of the whole."""
_SEEN = 128
"""Of 255: what lets more light through than that is not looked at."""


class _Kind(NamedTuple):
    """How a kind of picture is read and written; `clear` where some of it is transparent."""

    demuxer: str
    codec: str
    solid: str
    clear: str


_KINDS = {
    Format.PNG: _Kind("png_pipe", "png", "rgb24", "rgba"),
    Format.JPEG: _Kind("jpeg_pipe", "mjpeg", "yuvj420p", "yuvj420p"),
    Format.WEBP: _Kind("webp_pipe", "libwebp", "yuv420p", "yuva420p"),
}


def redraw(file: BinaryIO, into: BinaryIO) -> dict[str, Any]:
    """Write the picture of a file, still or moving, and nothing else that is in it.

    Raises:
        Invalid: there is none, or too large a one.
    """
    file.seek(0)
    format_ = sniffed(file.read(SNIFFED))
    if format_ in DEMUXERS:
        return film(file, into, format_)
    kind = _KINDS.get(format_)
    if kind is None:
        raise Invalid("It is no picture.")
    try:
        frame = _first_frame(file, kind.demuxer)
        pixels = kind.clear if any(part.is_alpha for part in frame.format.components) else kind.solid
        with av.open(into, "w", format="image2pipe") as target:
            stream: Any = target.add_stream(kind.codec, rate=1)
            stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixels
            target.mux(stream.encode(frame.reformat(format=pixels)))
            target.mux(stream.encode(None))
    except (av.FFmpegError, StopIteration, IndexError, ValueError) as error:
        raise Invalid("It is no picture that can be read.") from error
    into.flush()
    return {"format": format_.value, "seed": seed_of(_pixels(frame))}


def first_picture(file: BinaryIO) -> Any:
    """The picture of a file, or the first one of a loop, as Pillow has it.

    Raises:
        Invalid: there is none, or too large a one.
    """
    file.seek(0)
    format_ = sniffed(file.read(SNIFFED))
    demuxers = DEMUXERS | {known: kind.demuxer for known, kind in _KINDS.items()}
    if format_ not in demuxers:
        raise Invalid("It is no picture.")
    try:
        return _first_frame(file, demuxers[format_]).to_image()
    except (av.FFmpegError, StopIteration, IndexError, ValueError) as error:
        raise Invalid("It is no picture that can be read.") from error


def _first_frame(file: BinaryIO, demuxer: str) -> Any:
    file.seek(0)
    with av.open(file, "r", format=demuxer, metadata_errors="ignore") as source:
        context: Any = source.streams.video[0].codec_context
        if not 0 < context.width * context.height <= _MOST_PIXELS:
            raise Invalid(f"A picture has at most {_MOST_PIXELS} pixels.")
        context.thread_count = 1
        return upright(next(source.decode(source.streams.video[0])))


def _pixels(frame: Any) -> Iterator[Rgb]:
    """The pixels of a picture made small, without those one sees through."""
    small = frame.reformat(_SMALL, _SMALL, "rgba", interpolation="AREA")
    (plane,) = small.planes
    data, line = bytes(plane), plane.line_size
    for row in range(_SMALL):
        for at in range(row * line, row * line + _SMALL * 4, 4):
            red, green, blue, alpha = data[at : at + 4]
            if alpha >= _SEEN:
                yield red, green, blue
