"""Reading sound in a process of its own, with limits: whatever a file does to its reader, it does it here.

`python -m graph.server.sound measure FD`, `… analyze FD`, `… cut FD FD START_MS END_MS`, `… redraw FD FD`,
`… tags FD FD` and `… paint CARD FD [FD]`, started by `graph/server/decoding.py`. The process is given open files and no
names, has no more memory, time and room to write than sound may take, and ends with its parent. It answers in JSON, a
line for each step.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

import av

from domain.audio import PEAKS, Pcm, bucket_ends, loudest, wav_head
from domain.errors import Invalid
from domain.media import SNIFFED, Format, sniffed
from graph.server.pictures import redraw
from graph.server.tags import read_tags
from graph.server.wav import samples_of

REFUSED = 3
"""The exit status where it is no sound."""
_MEMORY = 512 << 20
_PROCESSOR_SECONDS = 60
_LARGEST_CUT = 64 << 20
_PIECE_FRAMES = 1 << 16
_MOST_BAD = 10
_DEMUXERS = {Format.MP3: "mp3", Format.FLAC: "flac", Format.AAC: "aac", Format.M4A: "mov", Format.OGG: "ogg"}
_DECLARED = {Format.FLAC, Format.M4A}
"""What says exactly how long it is."""
_ENOUGH = 0.98


class Wav:
    """The samples of a WAV file."""

    def __init__(self, file: BinaryIO) -> None:
        """Find them."""
        self._file = file
        self.pcm, self._start, length = samples_of(file)
        self.frames = length // self.pcm.frame

    def read(self, first: int, last: int) -> Iterator[bytes]:
        """The frames between two, a piece at a time."""
        self._file.seek(self._start + first * self.pcm.frame)
        while first < last:
            samples = self._file.read(min(last - first, _PIECE_FRAMES) * self.pcm.frame)
            first += len(samples) // self.pcm.frame
            yield samples


class Coded:
    """The samples of a file that is decoded: of 16 bits, in one channel or two."""

    def __init__(self, file: BinaryIO, format_: Format) -> None:
        """Read all of it once: only so it is known how long it is, and that it can be read."""
        self._file = file
        self._demuxer = _DEMUXERS[format_]
        with self._opened() as (_, stream):
            channels = min(stream.codec_context.channels, 2)
            self.pcm = Pcm(stream.codec_context.sample_rate, channels, 16, is_float=False)
            declared = float(stream.duration * stream.time_base) * self.pcm.rate if stream.duration else 0.0
        self.frames = sum(len(samples) // self.pcm.frame for samples in self._pieces())
        if self.frames == 0:
            raise Invalid("It has no samples.")
        if format_ in _DECLARED and self.frames < declared * _ENOUGH:
            raise Invalid("It is cut off.")

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        self._file.seek(0)
        try:
            # The demuxer is named: no playlist, and nothing else that leads to other files, is ever looked for.
            with av.open(self._file, format=self._demuxer, metadata_errors="ignore") as container:
                if not container.streams.audio:
                    raise Invalid("There is no sound in it.")
                stream = container.streams.audio[0]
                stream.codec_context.thread_count = 1
                yield container, stream
        except (av.FFmpegError, ValueError) as error:
            raise Invalid("It cannot be decoded.") from error

    def _pieces(self) -> Iterator[bytes]:
        with self._opened() as (container, stream):
            layout = "mono" if self.pcm.channels == 1 else "stereo"
            resampler = av.AudioResampler(format="s16", layout=layout, rate=self.pcm.rate)
            good = bad = 0
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                    good += 1
                except av.InvalidDataError:
                    # Old files begin with junk, and have some on the way; players pass over it.
                    bad += 1
                    if bad > _MOST_BAD and bad * 100 > good:
                        raise
                    continue
                for frame in frames:
                    yield from self._samples(resampler.resample(frame))
            yield from self._samples(resampler.resample(None))

    def _samples(self, frames: Iterable[Any]) -> Iterator[bytes]:
        for frame in frames:
            yield bytes(frame.planes[0])[: frame.samples * self.pcm.frame]

    def read(self, first: int, last: int) -> Iterator[bytes]:
        """The frames between two, a piece at a time."""
        at = 0
        for samples in self._pieces():
            count = len(samples) // self.pcm.frame
            begin, end = max(first - at, 0), min(last - at, count)
            if begin < end:
                yield samples[begin * self.pcm.frame : end * self.pcm.frame]
            at += count
            if at >= last:
                return


def _source(file: BinaryIO) -> Wav | Coded:
    file.seek(0)
    format_ = sniffed(file.read(SNIFFED))
    return Coded(file, format_) if format_ in _DEMUXERS else Wav(file)


def _measure(file: BinaryIO) -> dict[str, Any]:
    source = _source(file)
    ends = list(bucket_ends(source.frames))
    heard, peaks, peak, read = hashlib.sha256(), [0] * PEAKS, 0, 0
    bucket = 0
    for samples in source.read(0, source.frames):
        heard.update(samples)
        rest = memoryview(samples)
        while rest and bucket < PEAKS:
            size = (ends[bucket] - read) * source.pcm.frame
            part, rest = rest[:size], rest[size:]
            peak = max(peak, loudest(source.pcm, bytes(part)))
            read += len(part) // source.pcm.frame
            # A short recording has fewer frames than peaks: several end with the same one.
            while bucket < PEAKS and read == ends[bucket]:
                peaks[bucket] = peak
                bucket += 1
                if bucket * 20 % PEAKS == 0:
                    _say({"progress": bucket * 100 // PEAKS})
            if read == ends[bucket - 1]:
                peak = 0
    return {
        "rate": source.pcm.rate,
        "channels": source.pcm.channels,
        "frames": source.frames,
        "peaks": peaks,
        "pcm_sha256": heard.hexdigest(),
    }


def _analyze(file: BinaryIO) -> dict[str, Any]:
    from graph.server.hearing import heard_of  # noqa: PLC0415  # numpy takes longer to come than a preview to be cut

    source = _source(file)
    return heard_of(source.pcm, source.frames, _telling(source))


def _telling(source: Wav | Coded) -> Iterator[bytes]:
    """All samples, telling every twentieth of the way."""
    read = 0
    for samples in source.read(0, source.frames):
        told, read = read * 20 // source.frames, read + len(samples) // source.pcm.frame
        if read * 20 // source.frames > told:
            _say({"progress": read * 100 // source.frames})
        yield samples


def _cut(file: BinaryIO, into: BinaryIO, start_ms: int, end_ms: int) -> dict[str, Any]:
    source = _source(file)
    first, last = source.pcm.frames_at(start_ms), min(source.pcm.frames_at(end_ms), source.frames)
    if first >= last:
        raise Invalid("The window is past the end.")
    length = (last - first) * source.pcm.frame
    into.write(wav_head(source.pcm, length))
    into.writelines(source.read(first, last))
    if length % 2:
        into.write(b"\0")
    into.flush()
    return {"format": Format.WAV.value}


def _compose(descriptor: int, piece: dict[str, Any]) -> None:
    from graph.server.composing import compose  # noqa: PLC0415  # numpy again, for the demo scene only

    with os.fdopen(descriptor, "wb") as into:
        compose(into, piece)


def _paint(card: dict[str, Any], descriptors: list[int]) -> None:
    from graph.server.painting import Card, paint  # noqa: PLC0415  # what draws, for cards only

    with ExitStack() as opened:
        into = opened.enter_context(os.fdopen(descriptors[0], "wb"))
        cover = opened.enter_context(os.fdopen(descriptors[1], "rb")) if descriptors[1:] else None
        paint(Card(**card), cover, into)


def _told_tags(file: BinaryIO, into: BinaryIO) -> dict[str, Any]:
    """The tags of a recording; the picture among them is written."""
    file.seek(0)
    format_ = sniffed(file.read(SNIFFED))
    try:
        found = read_tags(file, format_)
    except MemoryError:
        raise
    except Exception as error:  # whatever a tag does to its reader, it is no tag
        raise Invalid("Its tags cannot be read.") from error
    if found.picture is not None:
        into.write(found.picture)
        into.flush()
    return {"tags": found.tags}


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _limit() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    for what, most, end in (
        (resource.RLIMIT_AS, _MEMORY, _MEMORY),
        # A signal that tells, and some seconds later one that ends it.
        (resource.RLIMIT_CPU, _PROCESSOR_SECONDS, _PROCESSOR_SECONDS + 5),
        (resource.RLIMIT_FSIZE, _LARGEST_CUT, _LARGEST_CUT),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(what, (most, end))


def main(words: list[str]) -> int:
    """Do what the words say; 3 where it is no sound."""
    _limit()
    try:
        if words[0] == "compose":
            _compose(int(words[1]), json.loads(words[2]))
            return 0
        if words[0] == "paint":
            _paint(json.loads(words[1]), [int(word) for word in words[2:]])
            return 0
        with os.fdopen(int(words[1]), "rb") as file:
            if words[0] == "measure":
                _say(_measure(file))
            elif words[0] == "analyze":
                _say(_analyze(file))
            else:
                with os.fdopen(int(words[2]), "wb") as into:
                    if words[0] == "redraw":
                        _say(redraw(file, into))
                    elif words[0] == "tags":
                        _say(_told_tags(file, into))
                    else:
                        _say(_cut(file, into, int(words[3]), int(words[4])))
    except Invalid as error:
        _say({"refused": error.message})
        return REFUSED
    except MemoryError:
        _say({"refused": "It cannot be read within the limits."})
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
