"""Pictures, in the process that reads what came from elsewhere: decoded, and drawn again from their pixels."""

from __future__ import annotations

from typing import Any, BinaryIO, NamedTuple

import av

from domain.errors import Invalid
from domain.media import SNIFFED, Format, sniffed

_MOST_PIXELS = 40_000_000


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
    """Write the picture of a file, and nothing else that is in it.

    Raises:
        Invalid: there is none, or too large a one.
    """
    file.seek(0)
    format_ = sniffed(file.read(SNIFFED))
    kind = _KINDS.get(format_)
    if kind is None:
        raise Invalid("It is no picture.")
    file.seek(0)
    try:
        with av.open(file, "r", format=kind.demuxer, metadata_errors="ignore") as source:
            context: Any = source.streams.video[0].codec_context
            if not 0 < context.width * context.height <= _MOST_PIXELS:
                raise Invalid(f"A picture has at most {_MOST_PIXELS} pixels.")
            context.thread_count = 1
            frame = next(source.decode(source.streams.video[0]))
        pixels = kind.clear if any(part.is_alpha for part in frame.format.components) else kind.solid
        with av.open(into, "w", format="image2pipe") as target:
            stream: Any = target.add_stream(kind.codec, rate=1)
            stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixels
            target.mux(stream.encode(frame.reformat(format=pixels)))
            target.mux(stream.encode(None))
    except (av.FFmpegError, StopIteration, IndexError, ValueError) as error:
        raise Invalid("It is no picture that can be read.") from error
    into.flush()
    return {"format": format_.value}
