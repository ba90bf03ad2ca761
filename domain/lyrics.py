"""Lyrics: lines in time, and words in time inside of them. All times are milliseconds of the track, half-open."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from domain.audio import LONGEST_MS
from domain.errors import Invalid
from domain.ids import Ref
from domain.texts import checked_text
from domain.windows import Window, common

MOST_LINES = 1_000
MOST_WORDS = 5_000
LONGEST_LINE = 500
"""Characters of one line."""
LONGEST_LYRICS = 60_000
"""Characters of all lines."""
LONGEST_LANGUAGE = 35
"""Characters of a language tag (RFC 5646, section 4.4.1)."""
WORD_TIME = re.compile(r"<(\s*[-+]?\d[^<>\[\]]{0,30})>", re.ASCII)
"""What is meant for the time of a word in an LRC file, whether it is one or not."""
_NUMBER = re.compile(r"\s*[-+]?\d", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-[a-z\d]{5,8}|-\d[a-z\d]{3})*", re.ASCII)


class Word(NamedTuple):
    """A word, or a part of one, while it is sung."""

    start_ms: int
    end_ms: int
    text: str


class Line(NamedTuple):
    """A line while it is sung; its words, where their times are known, spell its text one after the other."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()


class Lyrics(NamedTuple):
    """The lyrics of a track.

    Attributes:
        language: a tag of BCP 47, such as `pt-BR`; None where nobody said.
        lines: in the order in which they begin. Two voices may sing at once.
    """

    language: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class LyricsWish:
    """What somebody wants the lyrics of a track to be; what is not in `values` stays as it is.

    Attributes:
        track: whose lyrics.
        expected_version: of the lyrics that stand; None where there are none yet.
        values: `language`, and `lines` or `lrc`, the text of an LRC file.
    """

    track: Ref
    expected_version: int | None
    values: Mapping[str, Any]


Refuse = Callable[..., Invalid]
"""(what is wrong, the field of the line it is about, …) -> the error that says where the line is."""


def checked_lines(lines: Sequence[Line], duration_ms: int | None) -> tuple[Line, ...]:
    """Lines as they are kept, in the order in which they begin.

    Args:
        lines: whose texts may be empty where there are words.
        duration_ms: how long the media is; None while that is not known.

    Raises:
        Invalid: a line breaks a rule; `path` leads to it.
    """

    def refusal(number: int) -> Refuse:
        return lambda said, *below: Invalid(said, path=("lines", str(number), *below))

    return collected([checked_line(line, duration_ms, refusal(n)) for n, line in enumerate(lines)], ("lines",))


def collected(lines: Sequence[Line], path: tuple[str, ...]) -> tuple[Line, ...]:
    """Checked lines in the order in which they begin.

    Raises:
        Invalid: they are too many.
    """
    for count, most, noun in (
        (len(lines), MOST_LINES, "lines"),
        (sum(len(line.words) for line in lines), MOST_WORDS, "timed words"),
        (sum(len(line.text) for line in lines), LONGEST_LYRICS, "characters"),
    ):
        if count > most:
            raise Invalid(f"Lyrics have at most {most} {noun}, not {count}.", path=path)
    return tuple(sorted(lines, key=lambda line: line.start_ms))


def checked_line(line: Line, duration_ms: int | None, refuse: Refuse) -> Line:
    """A line as it is kept.

    Raises:
        Invalid: it breaks a rule.
    """
    words = tuple(
        word._replace(text=_checked(word.text, refuse, "words", str(n), "text")) for n, word in enumerate(line.words)
    )
    text = _checked(line.text or " ".join(word.text for word in words), refuse, "text")
    most = LONGEST_MS if duration_ms is None else duration_ms
    if not 0 <= line.start_ms < line.end_ms:
        raise refuse("A line begins at 0 ms or later, and ends after it begins.", "startMs")
    if line.end_ms > most:
        raise refuse(f"The media ends at {most} ms, before the line does at {line.end_ms} ms.", "endMs")
    sung_until = line.start_ms
    for number, word in enumerate(words):
        if not sung_until <= word.start_ms < word.end_ms <= line.end_ms:
            said = "Words are sung inside of their line, one after the other, and end after they begin."
            raise refuse(said, "words", str(number), "startMs")
        sung_until = word.end_ms
    if words and aligned(text, words) is None:
        raise refuse("One after the other, and with nothing but space between, the words spell the line.", "words")
    return Line(line.start_ms, line.end_ms, text, words)


def _checked(text: str, refuse: Refuse, *below: str) -> str:
    """A text as it is kept: in NFC, with single spaces, and nothing in it that an LRC file takes for a time."""
    try:
        checked = re.sub(r"[ \t]+", " ", checked_text(text.replace("\t", " "), LONGEST_LINE, below))
    except Invalid as error:
        raise refuse(error.message, *below) from None
    if not checked:
        raise refuse("There is no text.", *below)
    if (checked.startswith("[") and is_meant_for_time(checked[1:].partition("]")[0])) or WORD_TIME.search(checked):
        raise refuse("What looks like the time of an LRC file is no text.", *below)
    return checked


def is_meant_for_time(text: str) -> bool:
    """Whether what stands in brackets in an LRC file is meant for a time, whether it is one or not."""
    return _NUMBER.match(text) is not None and any(mark in text for mark in ":.,")


def aligned(text: str, words: Sequence[Word]) -> list[int] | None:
    """Where each word begins in the text that they spell; None where they do not."""
    places, end = [], 0
    for word in words:
        place = text.find(word.text, end)
        if place < 0 or text[end:place].strip():
            return None
        places.append(place)
        end = place + len(word.text)
    return None if text[end:].strip() else places


def part_of(lines: Sequence[Line], window: Window) -> tuple[Line, ...]:
    """What is sung inside a window: lines and words cut at its ends. A line without timed words keeps all its text."""
    parts = (_part(line, window) for line in lines)
    return tuple(part for part in parts if part is not None)


def _part(line: Line, window: Window) -> Line | None:
    inside = _cut(line, window)
    if inside is None or not line.words:
        return inside
    kept = [number for number, word in enumerate(line.words) if _cut(word, window)]
    places = aligned(line.text, line.words)
    if not kept or places is None:
        return None
    first, last = kept[0], kept[-1]
    text = line.text[places[first] : places[last] + len(line.words[last].text)]
    words = (_cut(line.words[number], window) for number in kept)
    return inside._replace(text=text, words=tuple(word for word in words if word is not None))


def _cut(sung: Any, window: Window) -> Any:
    """A line or a word, cut; None where nothing of it is inside."""
    inside = common(Window(sung.start_ms, sung.end_ms), window)
    return None if inside is None else sung._replace(start_ms=inside.start_ms, end_ms=inside.end_ms)


def checked_language(tag: str | None) -> str | None:
    """A language tag as it is written: `pt-BR`, `zh-Hant`, `de`. None where there is none.

    Raises:
        Invalid: it is no tag of BCP 47 of a language, with a script, a region and variants where they matter.
    """
    if tag is None:
        return None
    if len(tag) > LONGEST_LANGUAGE or not _LANGUAGE.fullmatch(tag.lower()):
        raise Invalid("A language is named by a tag of BCP 47, such as en, pt-BR or zh-Hant.", path=("language",))
    first, *rest = tag.lower().split("-")
    return "-".join([first, *[_subtag(part) for part in rest]])


def _subtag(part: str) -> str:
    """Scripts begin with a capital, regions are written in capitals (RFC 5646, section 2.1.1)."""
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part
