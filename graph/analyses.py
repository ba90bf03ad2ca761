"""The SDL of what is heard in recordings."""

from __future__ import annotations

import strawberry

from graph.fields import stored


@strawberry.type(description="Read off the samples: the same wherever it is read.")
class TimingLayer:
    """The deterministic layer."""

    duration_ms: int = stored("How long the recording is, in milliseconds.")
    sample_rate: int = stored("Samples a second.")
    channels: int = stored("Channels side by side.")
    sound_start_ms: int | None = stored(
        "Where it is first louder than 60 dB below full scale, in milliseconds; null in silence."
    )
    sound_end_ms: int | None = stored("Where it is so no more; null in silence.")


@strawberry.type(description="The opinion of a machine that listened: it may be wrong, and says how sure it is.")
class MusicalLayer:
    """The fallible layer."""

    bpm: float | None = stored("Its tempo in beats per minute; null where no steady pulse is heard.")
    other_bpm: float | None = stored("Half or double of the tempo, where that fits about as well.")
    key: str | None = stored("Its key, such as `Eb major` or `F# minor`; null where none is heard.")
    energy: float | None = stored(
        "How loud it is while it sounds, on average: 0 at 60 dB below full scale, 1 at full scale."
    )
    provider: str = stored("Who or what listened.")
    version: str = stored("Which version of the provider.")
    confidence: float = stored("How sure it is, 0 to 1: of its tempo or of its key, whichever is less sure.")
    error: str | None = stored("Why there is neither a tempo nor a key.")


@strawberry.type(description="What is heard in a recording.")
class MusicAnalysis:
    """An analysis."""

    timing: TimingLayer = stored("What can be read off the samples.")
    musical: MusicalLayer = stored("What a machine takes it for.")
