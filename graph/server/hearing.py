"""Listening to a recording, piece by piece: where it sounds, how fast it is, in which key, how loud, where it is most.

The first of these is read off the samples and is the same wherever it is read. The others are a machine's opinion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.audio import Pcm
from domain.errors import Invalid
from domain.hooks import HOOK_MS
from graph.server.pulse import Tempo, beat_near, tempo_of
from graph.server.tonality import STEPS, key_of, pitches_of

SILENCE = 0.001
"""Of full scale: what is never louder is not heard. 60 dB below the loudest."""
_RATE = 11_025
"""Samples a second that are listened to, about: tempo and key are below 5 kHz."""
_FRAMES_A_SECOND = 86
_OVERLAP = 4
"""How many frames of the pulse each moment is in."""
_TONES_S = 0.37
"""Seconds of a frame in which semitones of the lowest octave are apart."""
_LOUDNESS = 1_000.0
"""What is a thousandth of the loudest is heard, and what is below that fades."""
_LAG = 0.62
"""Where in its frame something is when it is heard to begin most."""
_BATCH = 1 << 19
"""Bytes that are listened to at a time."""
_DECIBELS = 60.0
_AS_LOUD = 0.997
"""Of two stretches that are as loud the earlier one is taken."""

Samples = NDArray[np.float32]


def heard_of(pcm: Pcm, frames: int, pieces: Iterable[bytes]) -> dict[str, Any]:
    """What is heard in a recording: `timing`, `musical`, and where its `hook` may be, as JSON.

    Args:
        pcm: how its samples are laid out.
        frames: how many moments it has.
        pieces: its samples, of whole moments.

    Raises:
        Invalid: a sample is no number.
    """
    ear = _Ear(pcm)
    for batch in _batched(pieces):
        ear.take(_samples(pcm, batch))
    ear.end()
    duration_ms = max(round(frames * 1000 / pcm.rate), 1)
    timing = {"duration_ms": duration_ms, "sample_rate": pcm.rate, "channels": pcm.channels, **ear.sounding()}
    tempo = tempo_of(ear.envelope, ear.rate)
    return {"timing": timing, "musical": ear.musical(tempo), "hook": ear.hook(tempo, duration_ms)}


def _batched(pieces: Iterable[bytes]) -> Iterator[bytes]:
    batch = bytearray()
    for piece in pieces:
        batch += piece
        if len(batch) >= _BATCH:
            yield bytes(batch)
            batch.clear()
    yield bytes(batch)


def _samples(pcm: Pcm, data: bytes) -> Samples:
    """Samples from -1 to 1, a row for each moment and a column for each channel."""
    scale = 1 if pcm.is_float else 2 ** (pcm.bits - 1)
    if pcm.bits == 8:
        raw: NDArray[Any] = np.frombuffer(data, np.uint8).astype(np.int16) - 128
    elif pcm.bits == 24:
        # There is no type of three bytes: each sample gets a fourth, the lowest.
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        raw, scale = wide.view("<i4")[:, 0], 2**31
    else:
        raw = np.frombuffer(data, f"<{'f' if pcm.is_float else 'i'}{pcm.bits // 8}")
    samples = raw.astype(np.float32) / np.float32(scale)
    if not np.isfinite(samples).all():
        raise Invalid("A sample is no number.")
    return np.clip(samples, -1, 1).reshape(-1, pcm.channels)


class _Frames:
    """Cuts what comes piece by piece into frames that overlap, beginning in the silence before the first of it."""

    def __init__(self, size: int, hop: int) -> None:
        self._size, self._hop = size, hop
        self._rest: Samples = np.zeros(size, np.float32)
        self.window = np.hanning(size + 1)[:-1]

    def spectra(self, mono: Samples) -> NDArray[np.float64]:
        """The amplitudes of each frame that is full by now."""
        data = np.concatenate([self._rest, mono])
        count = max((len(data) - self._size) // self._hop + 1, 0)
        self._rest = data[count * self._hop :]
        if count == 0:
            return np.zeros((0, self._size // 2 + 1))
        cut = np.lib.stride_tricks.sliding_window_view(data, self._size)[:: self._hop][:count]
        return np.abs(np.fft.rfft(cut * self.window)) * (2 / self.window.sum())


def _means(left: Samples, more: Samples, every: int) -> tuple[Samples, Samples]:
    """The means of so many numbers each, of what was left and some more; and what is left now."""
    data = np.concatenate([left, more])
    count = len(data) // every
    return data[: count * every].reshape(-1, every).mean(axis=1), data[count * every :]


class _Ear:
    """Takes samples and keeps what is heard in them: a few numbers for each hundredth of a second."""

    def __init__(self, pcm: Pcm) -> None:
        self._pcm = pcm
        self._at = 0
        self._sounding: list[int] = []
        self._every = max(round(pcm.rate / _RATE), 1)
        self._left: Samples = np.zeros(0, np.float32)
        self._squares: Samples = np.zeros(0, np.float32)
        rate = pcm.rate / self._every
        self._hop = max(round(rate / _FRAMES_A_SECOND), 1)
        self.rate = rate / self._hop
        self._step_hz = rate / (size := max(round(rate * _TONES_S), 8))
        self._pulse = _Frames(self._hop * _OVERLAP, self._hop)
        self._tones = _Frames(size, max(size // 2, 1))
        self._last: NDArray[np.float64] | None = None
        self._strengths: list[NDArray[np.float64]] = []
        self._powers: list[Samples] = []
        self._pitches = np.zeros(STEPS)

    def take(self, samples: Samples) -> None:
        """Listen to some more."""
        loud = np.flatnonzero(np.abs(samples).max(axis=1, initial=0) > SILENCE)
        if len(loud):
            self._sounding = [*self._sounding[:1], self._at + int(loud[0]), self._at + int(loud[-1]) + 1]
        self._at += len(samples)
        powers, self._squares = _means(self._squares, (samples**2).mean(axis=1), self._every * self._hop)
        self._powers.append(powers)
        mono, self._left = _means(self._left, samples.mean(axis=1), self._every)
        self._listen(mono)

    def end(self) -> None:
        """Hear it out."""
        if len(self._squares):
            self._powers.append(self._squares.mean(keepdims=True))
        self._listen(np.zeros(self._hop * _OVERLAP, np.float32))

    def _listen(self, mono: Samples) -> None:
        self._feel(self._pulse.spectra(mono))
        self._pitches += pitches_of(self._tones.spectra(mono), self._step_hz)

    def _feel(self, spectra: NDArray[np.float64]) -> None:
        """How much louder each band is than a moment before."""
        if not len(spectra):
            return
        loudness = np.log1p(spectra * _LOUDNESS)
        before = loudness[:1] * 0 if self._last is None else self._last
        self._last = loudness[-1:]
        rise = np.diff(np.concatenate([before, loudness]), axis=0)
        self._strengths.append(np.maximum(rise, 0).mean(axis=1))

    @property
    def envelope(self) -> NDArray[np.float64]:
        """How strongly something begins, frame by frame."""
        return np.concatenate(self._strengths) if self._strengths else np.zeros(0)

    def sounding(self) -> dict[str, int | None]:
        """From where to where anything is heard, in milliseconds."""
        if not self._sounding:
            return {"sound_start_ms": None, "sound_end_ms": None}
        first, last = self._sounding[0], self._sounding[-1]
        return {
            "sound_start_ms": first * 1000 // self._pcm.rate,
            "sound_end_ms": max(-(-last * 1000 // self._pcm.rate), 1),
        }

    def musical(self, tempo: Tempo | None) -> dict[str, Any]:
        """Tempo, key and energy, and why there is none of them."""
        key = key_of(self._pitches)
        sure = [each.confidence for each in (tempo, key) if each is not None]
        error = None
        if not self._sounding:
            error = "There is nothing to hear in it."
        elif not sure:
            error = "Neither a steady pulse nor a key is heard in it."
        return {
            "bpm": None if tempo is None else round(tempo.bpm, 2),
            "other_bpm": None if tempo is None or tempo.other_bpm is None else round(tempo.other_bpm, 2),
            "musical_key": None if key is None else key.name,
            "energy": self._energy(),
            "confidence": round(min(sure, default=0.0), 4),
            "error": error,
        }

    def _energy(self) -> float:
        """How loud it is on average while it sounds: 0 at 60 dB below full scale, 1 at full scale."""
        powers = np.concatenate(self._powers)
        heard = powers[powers > SILENCE**2]
        if not len(heard):
            return 0.0
        decibels = 10 * np.log10(heard.mean())
        return round(float(np.clip(1 + decibels / _DECIBELS, 0, 1)), 4)

    def hook(self, tempo: Tempo | None, duration_ms: int) -> dict[str, Any] | None:
        """Where the loudest stretch of the length of a hook begins, on a beat where there are beats."""
        powers = np.concatenate(self._powers)
        length = round(HOOK_MS * self.rate / 1000)
        if duration_ms <= HOOK_MS or len(powers) <= length or not self._sounding:
            return None
        total = np.concatenate([[0.0], np.cumsum(powers)])
        sums = total[length:] - total[:-length]
        best = int(np.argmax(sums >= sums.max() * _AS_LOUD))
        begins = best + _OVERLAP * (1 - _LAG)
        at = begins if tempo is None else beat_near(self.envelope, self.rate, tempo, begins)
        # The first that is about as loud as the loudest may be quieter than most of what is steady.
        lead = max(1 - float(np.median(sums)) / float(sums[best]), 0.0)
        confidence = lead if tempo is None else lead + (1 - lead) * tempo.confidence * 0.3
        return {"start_ms": self._moment(at, duration_ms - HOOK_MS), "confidence": round(min(confidence, 1.0), 4)}

    def _moment(self, frame: float, latest: int) -> int:
        """When what begins in a frame begins, in milliseconds; and at the latest then."""
        frame -= _OVERLAP * (1 - _LAG)
        return min(max(round(frame * 1000 / self.rate), 0), latest)
