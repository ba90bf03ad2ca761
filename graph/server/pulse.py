"""The pulse of a recording: its tempo, and where its beats are, out of how strongly something begins at each moment.

The tempo is the lag at which the strength of beginnings is most like itself, among those at which people tap their
feet; whether half or double of it is meant, no sound says for sure, so the other one is told where it fits as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Envelope = NDArray[np.float64]
"""How strongly something begins, frame by frame."""

SHORTEST_S = 3.0
"""Seconds below which nobody hears a tempo."""
_SLOWEST, _FASTEST = 40.0, 240.0
_USUAL_BPM, _OCTAVES = 120.0, 0.9
"""Where people tap, and how far from there they still do: the middle and the width of a bell over octaves."""
_FAINTEST = 0.05
"""The strength that beginnings have at least; a steady tone trembles less."""
_LEAST_LIKE, _BY_CHANCE = 0.15, 4.0
"""How like itself a pulse is at its lag, at least, and at least so many times what it is by chance."""
_AS_WELL = 0.6
_MOST_BEATS = 16


class Tempo(NamedTuple):
    """A tempo.

    Attributes:
        bpm: beats per minute.
        other_bpm: half or double of it, where that fits as well.
        confidence: 0 to 1.
    """

    bpm: float
    other_bpm: float | None
    confidence: float


def tempo_of(envelope: Envelope, rate: float) -> Tempo | None:
    """The tempo of an envelope of `rate` frames a second; None where there is no steady pulse."""
    count = len(envelope)
    if count < SHORTEST_S * rate or np.percentile(envelope, 99.5) < _FAINTEST:
        return None
    likeness = _likeness(_beginnings(envelope, rate))
    shortest, longest = int(60 * rate / _FASTEST), min(int(60 * rate / _SLOWEST) + 1, count // 2)
    lags = np.arange(shortest, longest)
    scores = np.where(_is_peak(likeness)[lags], likeness[lags] * _usual(60 * rate / lags), 0)
    best = int(lags[np.argmax(scores)])
    if likeness[best] < max(_LEAST_LIKE, _BY_CHANCE / np.sqrt(count)):
        return None
    period = _refined(likeness, best)
    bpm = 60 * rate / period
    fits = [
        other
        for other in (bpm / 2, bpm * 2)
        if _SLOWEST <= other <= _FASTEST and _near(likeness, 60 * rate / other) >= _AS_WELL * likeness[best]
    ]
    return Tempo(bpm, max(fits, key=_usual, default=None), float(np.clip(likeness[best], 0, 1)))


def _usual(bpm: Any) -> Any:
    """How usual tempos are: 1 in the middle of the bell."""
    return np.exp(-((np.log2(bpm / _USUAL_BPM) / _OCTAVES) ** 2) / 2)


def _beginnings(envelope: Envelope, rate: float) -> Envelope:
    """What stands out of its surroundings of a second."""
    width = min(max(int(rate), 1), len(envelope))
    strength = np.maximum(envelope - np.convolve(envelope, np.ones(width) / width, "same"), 0)
    # As wide as two frames, so that what comes back between two frames is as like as what comes back in one.
    return np.convolve(strength, (0.25, 0.5, 0.25), "same")


def _likeness(strength: Envelope) -> Envelope:
    """How like itself something is at each lag: 1 at none."""
    count, centred = len(strength), strength - strength.mean()
    spectrum = np.fft.rfft(centred, 2 * count)
    products = np.fft.irfft(np.abs(spectrum) ** 2)[:count] / np.arange(count, 0, -1)
    likeness: Envelope = products / products[0] if products[0] > 0 else np.zeros(count)
    return likeness


def _is_peak(likeness: Envelope) -> NDArray[np.bool_]:
    peak = np.zeros(len(likeness), bool)
    peak[1:-1] = (likeness[1:-1] >= likeness[:-2]) & (likeness[1:-1] >= likeness[2:])
    return peak


def _near(likeness: Envelope, lag: float) -> float:
    """The most likeness within a frame of a lag."""
    place = round(lag)
    return float(likeness[max(place - 1, 0) : place + 2].max(initial=0))


def _refined(likeness: Envelope, lag: int) -> float:
    """A period to a fraction of a frame: read off the lag of several beats, each found by the one before."""
    period = float(lag)
    for beats in range(1, _MOST_BEATS + 1):
        first = round(period * beats) - 2
        near = likeness[first : first + 5]
        if first + 6 > len(likeness) * 2 // 3 or near.max() < likeness[lag] / 2:
            break
        period = _summit(likeness, first + int(near.argmax())) / beats
    return period


def _summit(likeness: Envelope, place: int) -> float:
    """Where the parabola through three neighbours is highest."""
    left, middle, right = likeness[place - 1 : place + 2]
    bend = left - 2 * middle + right
    return place if bend >= 0 else place + float(np.clip((left - right) / (2 * bend), -0.5, 0.5))


def beat_near(envelope: Envelope, rate: float, tempo: Tempo, at: float) -> float:
    """The moment of the beat nearest to a moment, in frames: where, beat by beat from there, the most begins."""
    period = 60 * rate / tempo.bpm
    offsets = np.arange(np.ceil(-period / 2), np.ceil(period / 2))
    beats = np.arange(_MOST_BEATS) * period
    places = np.rint(at + offsets[:, None] + beats).astype(int)
    inside = (places >= 0) & (places < len(envelope))
    strength = np.where(inside, envelope[np.clip(places, 0, len(envelope) - 1)], 0).sum(axis=1)
    return float(at + offsets[np.argmax(strength)])
