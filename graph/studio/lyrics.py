"""The mutations of lyrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.errors import BadInput, Moved
from domain.ids import Kind, parse_ref_of
from domain.keys import KeyScope
from domain.lyrics import Line, LyricsWish, Word
from graph.assets import Track
from graph.fields import optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.lyrics import set_lyrics


@strawberry.type(description="The track with its lyrics as they are now.")
class SetLyricsSuccess:
    """The payload."""

    track: Track = stored("The track.")


@strawberry.input(description="A word, or a part of one, while it is sung.")
class LyricWordInput:
    """A word."""

    start_ms: int = strawberry.field(description="When it begins, in milliseconds of the track.")
    end_ms: int = strawberry.field(description="When it ends: the first millisecond after it.")
    text: str = strawberry.field(description="The word.")


@strawberry.input(description="A line while it is sung.")
class LyricLineInput:
    """A line."""

    start_ms: int = strawberry.field(description="When it begins, in milliseconds of the track.")
    end_ms: int = strawberry.field(description="When it ends: the first millisecond after it.")
    text: str | None = optional(
        "The line, at most 500 characters; where it is left out, its words with spaces between."
    )
    words: list[LyricWordInput] | None = optional(
        "Its words, where their times are known: inside of the line, one after the other, and spelling its text."
    )


@strawberry.input(description="Lines in time: one by one, or as a file.", one_of=True)
class LyricsInput:
    """Timed lines."""

    lines: list[LyricLineInput] | None = optional("All lines, at most 1,000; an empty list takes them away.")
    lrc: str | None = optional(
        "The text of an LRC file of at most 60,000 characters: `[mm:ss.xx]` before each line, several where it is sung "
        "several times, `<mm:ss.xx>` before words, and `[offset:]` in milliseconds. Other tags are passed over."
    )


@strawberry.input(description="What is sung in a track, and when. What is left out stays as it is.")
class SetLyricsInput:
    """The input of `setLyrics`."""

    track: strawberry.ID = strawberry.field(description="The track.")
    lyrics: LyricsInput | None = optional("All lines.")
    language: str | None = optional("Their language, a tag of BCP 47 such as `pt-BR`; null: nobody says.")
    expected_version: int | None = optional(
        "The `version` of the lyrics you read; leave it out where there are none yet. Refused when they have moved "
        "since."
    )
    idempotency_key: str | None = key_field()


def timing_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """`language`, and `lines` or `lrc`, out of an input that has `language` and `lyrics`.

    Raises:
        BadInput: the lines are null.
    """
    values: dict[str, Any] = {name: asked[name] for name in ("language",) if name in asked}
    if "lyrics" in asked:
        if asked["lyrics"] is None:
            raise BadInput("lyrics are not null; no lines take them away.")
        given = asked["lyrics"]
        values |= {"lrc": given["lrc"]} if "lrc" in given else {"lines": [_line(line) for line in given["lines"]]}
    return values


def _line(given: Mapping[str, Any]) -> Line:
    words = tuple(Word(word["startMs"], word["endMs"], word["text"]) for word in given.get("words") or ())
    return Line(given["startMs"], given["endMs"], given.get("text") or "", words)


def _set_lyrics(asked: Mapping[str, Any]) -> Act:
    track = parse_ref_of(asked["track"], frozenset({Kind.TRACK}))
    wish, key = LyricsWish(track, asked.get("expectedVersion"), timing_of(asked)), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"track": await set_lyrics(acting, wish, key)}

    return act


DEEDS = (
    Deed(
        "set_lyrics",
        "Gives a track its lyrics, or others than it has: lines with their times, and words where they are known.",
        SetLyricsInput,
        SetLyricsSuccess,
        _set_lyrics,
        (Moved,),
        KeyScope.ASSETS_WRITE,
    ),
)
