"""Loops, in the process that reads what came from elsewhere: decoded, and drawn again from their pictures.

What is handed out is H.264 in MP4, at most 1,280 pixels a side and 60 pictures a second, upright and silent: the hook
is what one hears. Nothing else that came with it is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import av
from av.filter import Graph

from domain.errors import Invalid
from domain.media import LONGEST_LOOP_MS, Format

DEMUXERS = {Format.M4A: "mov", Format.MP4: "mov", Format.WEBM: "matroska"}
"""By what the first bytes say; many films begin as sound in the same container does."""
_CODECS = {"h264", "hevc", "vp8", "libvpx", "vp9", "libvpx-vp9", "av1", "libdav1d", "mpeg4"}
_MOST_PIXELS = 3840 * 2160
_MOST_PICTURES = LONGEST_LOOP_MS // 1000 * 120
_LONGEST_SIDE = 1280
_LEAST_MS = 16
"""From one picture to the next: no screen shows more."""
_ENOUGH = 0.98
_MILLISECOND = Fraction(1, 1000)
_CODING = {"preset": "veryfast", "crf": "23", "maxrate": "6M", "bufsize": "12M"}
_HALF_TURN = (("hflip", None), ("vflip", None))
_TURNS = {90: (("transpose", "cclock"),), -90: (("transpose", "clock"),), 180: _HALF_TURN, -180: _HALF_TURN}


def film(file: BinaryIO, into: BinaryIO, format_: Format) -> dict[str, Any]:
    """Write the moving picture of a file, and nothing else that is in it.

    Raises:
        Invalid: there is none, or it is too long or too large.
    """
    last, written = 0, 0
    try:
        with av.open(into, "w", format="mp4") as target:
            stream: Any = None
            for at, frame in _pictures(file, format_):
                if stream is None:
                    stream = _stream(target, frame)
                drawn = frame.reformat(stream.width, stream.height, stream.pix_fmt)
                drawn.pts, drawn.time_base = at, _MILLISECOND
                target.mux(stream.encode(drawn))
                last, written = at, written + 1
            if stream is None:
                raise Invalid("There is no picture in it.")
            target.mux(stream.encode(None))
    except (av.FFmpegError, ValueError) as error:
        raise Invalid("It is no film that can be read.") from error
    into.flush()
    # The last picture is shown as long as the others are.
    return {"format": Format.MP4.value, "duration_ms": max(round(last * written / max(written - 1, 1)), 1)}


def _stream(target: Any, frame: Any) -> Any:
    """What the pictures are written to, as large as the first of them where that is not too large."""
    shrunk = min(1.0, _LONGEST_SIDE / max(frame.width, frame.height))
    stream = target.add_stream("libx264", options=_CODING)
    # Halves of the picture's colours are kept for every second pixel.
    stream.width, stream.height = (max(round(side * shrunk) // 2 * 2, 2) for side in (frame.width, frame.height))
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _MILLISECOND
    stream.codec_context.thread_count = 1
    return stream


def _pictures(file: BinaryIO, format_: Format) -> Iterator[tuple[int, Any]]:
    """The pictures of a film, upright, with the milliseconds at which they begin."""
    file.seek(0)
    # The demuxer is named: no playlist, and nothing else that leads to other files, is ever looked for.
    with av.open(file, "r", format=DEMUXERS[format_], metadata_errors="ignore") as source:
        if not source.streams.video:
            raise Invalid("There is no picture in it.")
        stream: Any = source.streams.video[0]
        context = stream.codec_context
        if context.name not in _CODECS:
            raise Invalid("It is coded in a way that is not read here. H.264, VP9 and AV1 are.")
        context.thread_count = 1
        seen, first, last = 0, None, -_LEAST_MS
        for frame in source.decode(stream):
            seen += 1
            if seen > _MOST_PICTURES:
                raise Invalid(f"A loop has at most {_MOST_PICTURES} pictures.")
            if not 0 < frame.width * frame.height <= _MOST_PIXELS:
                raise Invalid(f"A picture of a loop has at most {_MOST_PIXELS} pixels.")
            if frame.time is None:
                raise Invalid("Its pictures have no time.")
            first = frame.time if first is None else first
            at = round((frame.time - first) * 1000)
            if at > LONGEST_LOOP_MS:
                raise Invalid(f"A loop has at most {LONGEST_LOOP_MS // 1000} seconds.")
            if at - last >= _LEAST_MS:
                last = at
                yield at, upright(frame)
        if stream.frames and seen < stream.frames * _ENOUGH:
            raise Invalid("It is cut off.")


def upright(frame: Any) -> Any:
    """A picture as it is to be looked at: cameras that were turned write so beside it."""
    turns = _TURNS.get(frame.rotation)
    if turns is None:
        return frame
    graph = Graph()
    entry = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_MILLISECOND)
    graph.link_nodes(entry, *[graph.add(name, way) for name, way in turns], graph.add("buffersink")).configure()
    graph.push(frame)
    return graph.pull()
