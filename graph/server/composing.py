"""Sound for the demo scene, composed by code: small, plain and the same on every run, but other for each work.

A work has a tempo, a key and a length; what it does not say is drawn from its name. Four chords go round, a bar each,
in layers that come and go by sections: a bass, a pad, a figure and a drum. It is written as FLAC of 8,000 samples a
second in 9 bits, which is what keeps a whole scene small.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE = 8_000
_STEPS = 1 << 7
"""Of full scale, to either side of silence; what the other bits would say costs more than it is heard."""
_PIECE = RATE * 8
_NOTES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_ROUNDS = ((0, 5, 3, 4), (0, 3, 5, 4), (0, 4, 5, 3), (0, 2, 3, 4), (5, 3, 0, 4))
# How loud bass, pad, figure and drum are, a section of eight bars each; the last but one is where the hook is.
_SECTIONS = ((0.0, 0.5, 0.2, 0.0), (0.8, 0.4, 0.4, 0.0), (0.8, 0.5, 0.7, 0.6), (0.3, 0.7, 0.2, 0.0))
_ALL = (0.9, 0.6, 1.0, 0.9)
_ALONE = {"STEM": (1.0, 0.0, 0.0, 0.0), "LOOP": (0.7, 0.0, 0.8, 0.9), "VOICE_MEMO": (0.0, 0.0, 0.8, 0.0)}
_BARS = 8


def compose(into: BinaryIO, piece: Mapping[str, Any]) -> None:
    """Write a piece as FLAC.

    Args:
        into: a file to write.
        piece: `name`, by which it differs from others; `seconds`; `bpm`, `tone` and `subkind`, or None for each; and
            `hook`, the second at which its hook begins, or None.
    """
    with av.open(into, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono", format="s16")
        for samples in _pieces(piece):
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _pieces(piece: Mapping[str, Any]) -> Iterator[NDArray[np.int16]]:
    """The samples, some seconds at a time, exactly as many as the piece is long."""
    left, kept = int(piece["seconds"]) * RATE, np.zeros(0, np.float32)
    for bar in _bars(piece):
        kept = np.concatenate((kept, bar))
        while len(kept) >= min(_PIECE, left) and left:
            now, kept = kept[: min(_PIECE, left)], kept[min(_PIECE, left) :]
            left -= len(now)
            yield (np.rint(np.tanh(now) * _STEPS) * (32_768 // _STEPS)).clip(-32_768, 32_767).astype(np.int16)
        if not left:
            return


def _bars(piece: Mapping[str, Any]) -> Iterator[Samples]:
    """Bar after bar, without end."""
    chance = random.Random(hashlib.sha256(piece["name"].encode()).digest())  # noqa: S311  # it composes
    bpm = float(piece["bpm"] or chance.randrange(66, 132))
    root, scale = _key(piece["tone"], chance)
    length = round(RATE * 240 / bpm)
    layers = [_layers(root, scale, degree, length, chance) for degree in chance.choice(_ROUNDS)]
    if piece["subkind"] == "ONE_SHOT":
        yield _note(_pitch(root, scale, 7), int(piece["seconds"]) * RATE, 1.5)
    hook = piece["hook"]
    bar = 0
    while True:
        begins = bar * length / RATE
        is_hook = hook is not None and hook - 1 <= begins < hook + 30
        gains = _ALONE.get(piece["subkind"]) or (_ALL if is_hook else _SECTIONS[bar // _BARS % len(_SECTIONS)])
        yield np.tensordot(np.array(gains, np.float32), layers[bar % len(layers)], 1) * np.float32(0.45)
        bar += 1


def _key(tone: str | None, chance: random.Random) -> tuple[int, tuple[int, ...]]:
    """The lowest note, in semitones above C, and the steps of the scale."""
    words = (tone or "").split()
    if not words or words[0] not in _NOTES:
        return chance.randrange(12), _MODES[chance.choice(("major", "minor"))]
    flat = -1 if "flat" in words else 1 if "sharp" in words else 0
    return (_NOTES[words[0]] + flat) % 12, _MODES["minor" if words[-1] == "minor" else "major"]


def _pitch(root: int, scale: tuple[int, ...], degree: int) -> float:
    """Cycles a second of a step of the scale, from about 65 on."""
    octave, step = divmod(degree, len(scale))
    return 65.406 * 2 ** ((root + scale[step]) / 12 + octave)


def _layers(root: int, scale: tuple[int, ...], degree: int, length: int, chance: random.Random) -> Samples:
    """A bar of a chord: (4, length), a row for each layer."""
    beat, eighth = length // 4, length // 8
    bass, figure, drum = (np.zeros(length, np.float32) for _ in range(3))
    for at in range(0, length - beat + 1, beat):
        bass[at : at + beat] += _note(_pitch(root, scale, degree), beat, 3)
        drum[at : at + beat] += _struck(beat)
    steps = [degree + chance.choice((7, 9, 11, 14)) for _ in range(8)]
    for number, step in enumerate(steps):
        if chance.random() < 0.8:
            at = number * eighth
            figure[at : at + eighth] += _note(_pitch(root, scale, step), eighth, 6)
    pad = sum((_note(_pitch(root, scale, degree + third), length, 0.6) for third in (7, 9, 11)), np.float32(0)) / 3
    return np.stack((bass, pad, figure, drum))


def _note(pitch: float, length: int, fall: float) -> Samples:
    """A triangle that falls off: `fall` is how often in a second it loses two thirds."""
    seconds = np.arange(length, dtype=np.float32) / RATE
    wave = 2 * np.abs(2 * (seconds * pitch % 1) - 1) - 1
    edge = np.minimum(1, np.minimum(seconds, seconds[::-1]) * 200)
    return (wave * np.exp(-seconds * fall) * edge).astype(np.float32)


def _struck(length: int) -> Samples:
    """A drum: a tone that sinks and is soon gone."""
    seconds = np.arange(length, dtype=np.float32) / RATE
    return (np.sin(18 * np.exp(-seconds * 18)) * np.exp(-seconds * 14)).astype(np.float32)
