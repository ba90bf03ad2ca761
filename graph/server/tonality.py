"""The key of a recording: how much of each pitch is in it, compared with how listeners weigh pitches in each key.

The weights are the probe-tone profiles of Krumhansl and Kessler (1982); likeness is Pearson's correlation, as in the
algorithm of Krumhansl and Schmuckler. Recordings need not be tuned to 440 Hz.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 120
"""Parts of an octave in which pitches are counted: ten cents each."""
LOWEST_HZ, HIGHEST_HZ = 65.0, 2_000.0
_A_HZ = 440.0
_STANDING_OUT = 5.0
"""How many times the median of its spectrum a tone is at least: noise has none."""
_FAINTEST = 1e-4
"""The amplitude of a tone, at least."""
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
_MAJORS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINORS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEYS = (*[f"{name} major" for name in _MAJORS], *[f"{name} minor" for name in _MINORS])
_FEWEST_PITCHES, _PRESENT = 3, 0.1
"""How many of the twelve pitches there are in a key, at least, each with so much of the most frequent one."""
_LEAST_LIKE, _SURE_LEAD = 0.5, 0.15
"""How like its key the pitches are, at least; and how much more than any other key, to be sure."""


class Key(NamedTuple):
    """A key, such as `Eb major`, and how sure that is, 0 to 1."""

    name: str
    confidence: float


def pitches_of(spectra: Floats, step_hz: float) -> Floats:
    """How much of each of the 120 pitches of an octave is in some spectra.

    Args:
        spectra: amplitudes, a row for each moment; a full-scale sine has 1.
        step_hz: from one column to the next.
    """
    first, last = max(int(LOWEST_HZ / step_hz), 1), min(int(HIGHEST_HZ / step_hz), spectra.shape[1] - 1)
    counted = np.zeros(STEPS)
    if last - first < 3:
        return counted
    left, middle, right = (np.log(spectra[:, first + by : last + by] + 1e-12) for by in (-1, 0, 1))
    floor = np.log(np.median(spectra[:, first:last], axis=1, keepdims=True) * _STANDING_OUT + _FAINTEST)
    moment, column = np.nonzero((middle > left) & (middle >= right) & (middle > floor))
    before, here, after = (each[moment, column] for each in (left, middle, right))
    bend = before - 2 * here + after
    summit = first + column + np.where(bend < 0, (before - after) / (2 * np.where(bend < 0, bend, -1)), 0)
    places = np.rint(STEPS * np.log2(summit * step_hz / _A_HZ)).astype(int) % STEPS
    # What is twice as loud is not twice as important.
    np.add.at(counted, places, np.sqrt(np.exp(here)))
    return counted


def key_of(pitches: Floats) -> Key | None:
    """The key whose profile the pitches are most like; None where they are like none."""
    if pitches.sum() <= 0:
        return None
    chroma = _chroma(pitches)
    if (chroma > _PRESENT * chroma.max()).sum() < _FEWEST_PITCHES or chroma.std() <= 0:
        return None
    turned = [np.roll(profile, by) for profile in (_MAJOR, _MINOR) for by in range(12)]
    likeness = np.array([np.corrcoef(profile, chroma)[0, 1] for profile in turned])
    first, second = np.argsort(likeness)[:-3:-1]
    if likeness[first] < _LEAST_LIKE:
        return None
    lead = (likeness[first] - likeness[second]) / _SURE_LEAD
    return Key(KEYS[first], float(np.clip(likeness[first] * min(lead, 1), 0, 1)))


def _chroma(pitches: Floats) -> Floats:
    """How much of each of the twelve pitches from C on there is, however they are tuned."""
    turns = np.exp(2j * np.pi * 12 * np.arange(STEPS) / STEPS)
    tuning = np.angle((pitches * turns).sum()) / (2 * np.pi)
    semitones = np.arange(STEPS) * 12 / STEPS - tuning
    chroma = np.zeros(12)
    np.add.at(chroma, (np.rint(semitones).astype(int) + 9) % 12, pitches)
    return chroma
