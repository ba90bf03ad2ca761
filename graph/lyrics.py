"""The SDL of lyrics."""

from __future__ import annotations

import strawberry

from graph.fields import stored


@strawberry.type(description="A word, or a part of one, while it is sung.")
class LyricWord:
    """A word."""

    start_ms: int = stored("When it begins, in milliseconds of the track.")
    end_ms: int = stored("When it ends: the first millisecond after it.")
    text: str = stored("The word.")


@strawberry.type(description="A line while it is sung.")
class LyricLine:
    """A line."""

    start_ms: int = stored("When it begins, in milliseconds of the track.")
    end_ms: int = stored("When it ends: the first millisecond after it.")
    text: str = stored("The line.")
    words: list[LyricWord] = stored("Its words in order, where their times are known; they spell the line.")


@strawberry.type(description="What is sung in a track, and when.")
class Lyrics:
    """Lyrics."""

    language: str | None = stored("Their language, a tag of BCP 47 such as `pt-BR`.")
    lines: list[LyricLine] = stored("All lines, in the order in which they begin; two voices may sing at once.")
    lrc: str = stored(
        "All lines as an LRC file, with the times of words where they are known. A line that goes on while another one "
        "begins ends there: LRC has no other way to say it."
    )
    version: int = stored("Grows with every write; send it back as `expectedVersion`.")
