"""What is heard in a recording: a timing layer that is the same wherever it is read, and a musical one that may err."""

from __future__ import annotations

from typing import NamedTuple

VERSION = "1"
"""Of how this house listens: another one may hear something else in the same recording."""


class Timing(NamedTuple):
    """Read off the samples.

    Attributes:
        duration_ms: how long the recording is.
        sample_rate: samples a second.
        channels: side by side.
        sound_start_ms: where it is first louder than 60 dB below full scale; None in silence.
        sound_end_ms: where it is so no more.
    """

    duration_ms: int
    sample_rate: int
    channels: int
    sound_start_ms: int | None
    sound_end_ms: int | None


class Musical(NamedTuple):
    """A machine's opinion.

    Attributes:
        bpm: beats per minute; None where no steady pulse is heard.
        other_bpm: half or double of it, where that fits about as well.
        musical_key: such as `Eb major`; None where none is heard.
        energy: how loud it is while it sounds, on average: 0 at 60 dB below full scale, 1 at full scale.
        confidence: the lesser one of tempo and key, 0 to 1.
        error: why nothing is heard.
    """

    bpm: float | None
    other_bpm: float | None
    musical_key: str | None
    energy: float
    confidence: float
    error: str | None


class Loudest(NamedTuple):
    """The loudest stretch of the length of a hook, from a beat on, and how much it stands out, 0 to 1."""

    start_ms: int
    confidence: float


class Heard(NamedTuple):
    """All that is heard; no `hook` where the recording is no longer than one."""

    timing: Timing
    musical: Musical
    hook: Loudest | None
