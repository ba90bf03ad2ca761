"""LRC files: `[mm:ss.xx] text` a line, with `<mm:ss.xx>` before each word in enhanced ones.

A line lasts until another one begins; a time without text ends the line before it, and a word. Lines that begin at the
same time are sung together. What LRC cannot say is that a line goes on while the next one begins: written down, it ends
there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from domain.errors import Invalid
from domain.lyrics import (
    LONGEST_LYRICS,
    WORD_TIME,
    Line,
    Refuse,
    Word,
    aligned,
    checked_line,
    collected,
    is_meant_for_time,
)

LAST_LINE_MS = 10_000
"""How long the last line lasts, where nothing ends it and nobody knows how long the media is."""
_TIME = re.compile(r"\s*(\d{1,4}):([0-5]?\d)(?:\.(\d{1,3}))?\s*", re.ASCII)
_TAG = re.compile(r"\[\s*(ti|ar|al|au|lr|length|by|offset|re|tool|ve|la|id|encoding|#)\s*:(.*)\]", re.IGNORECASE)
_OFFSET = re.compile(r"\s*([-+]?\d{1,7})\s*", re.ASCII)
_ENDS = re.compile(r"\r\n|\r|\n")
_PATH = ("lrc",)


class _Stamped(NamedTuple):
    """A text and when it is sung; `alone` is False where it is sung at other times too."""

    at: int
    number: int
    text: str
    alone: bool


def read_lrc(text: str, duration_ms: int | None) -> tuple[Line, ...]:
    """The lines of an LRC file; tags about the file are passed over, but `[offset:]` counts.

    Args:
        text: of the file.
        duration_ms: how long the media is; None while that is not known.

    Raises:
        Invalid: it is no LRC file, or breaks a rule; the sentence names the line.
    """
    if len(text) > LONGEST_LYRICS:
        raise Invalid(f"An LRC file has at most {LONGEST_LYRICS} characters, not {len(text)}.", path=_PATH)
    rows = list(enumerate(_ENDS.split(text.removeprefix("\ufeff")), 1))
    offset = _offset(rows)
    stamped = sorted((entry for number, row in rows for entry in _stamped(number, row, offset)), key=lambda e: e.at)
    moments = sorted({entry.at for entry in stamped})
    following = dict(pairwise(moments))
    for entry in stamped:
        if duration_ms is not None and entry.at >= duration_ms + (not entry.text):
            raise _refusal(entry.number)(f"The media ends at {duration_ms} ms, before {entry.at} ms.")
    lines = []
    for entry in stamped:
        if entry.text:
            last = entry.at + LAST_LINE_MS if duration_ms is None else duration_ms
            line = _line(entry, following.get(entry.at, last), offset)
            lines.append(checked_line(line, duration_ms, _refusal(entry.number)))
    return collected(lines, _PATH)


def _refusal(number: int) -> Refuse:
    return lambda said, *_: Invalid(f"Line {number}: {said}", path=_PATH)


def _offset(rows: Sequence[tuple[int, str]]) -> int:
    """How much earlier everything is sung than its times say, in milliseconds."""
    offset = 0
    for number, row in rows:
        tag = _TAG.fullmatch(row.strip())
        if tag and tag[1].lower() == "offset":
            given = _OFFSET.fullmatch(tag[2])
            if given is None:
                raise _refusal(number)("An offset is written [offset:+250], in milliseconds.")
            offset = int(given[1])
    return offset


def _stamped(number: int, row: str, offset: int) -> list[_Stamped]:
    """What a row says is sung, once for each of its times."""
    rest, times = row.strip(" \t"), []
    if not rest or _TAG.fullmatch(rest):
        return []
    while rest.startswith("["):
        inside, closed, after = rest[1:].partition("]")
        if is_meant_for_time(inside):
            times.append(_moment(inside if closed else rest, number, offset))
            rest = after.lstrip(" \t")
        elif times:
            break
        else:
            raise _refusal(number)("A line begins with its time, [mm:ss.xx].")
    if not times:
        raise _refusal(number)("A line begins with its time, [mm:ss.xx].")
    return [_Stamped(at, number, rest, len(times) == 1) for at in times]


def _moment(written: str, number: int, offset: int) -> int:
    """A time in milliseconds; what is sung before the beginning is sung at the beginning."""
    time = _TIME.fullmatch(written)
    if time is None:
        raise _refusal(number)(f"{written[:20]!r} is no time. A time is written mm:ss.xx, with seconds below 60.")
    minutes, seconds, fraction = time.groups(default="")
    at = (int(minutes) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
    return max(at - offset, 0)


def _line(entry: _Stamped, end_ms: int, offset: int) -> Line:
    """A line with the words that have times."""
    before, *pieces = WORD_TIME.split(entry.text)
    if not pieces:
        return Line(entry.at, end_ms, entry.text)
    if not entry.alone:
        raise _refusal(entry.number)("A line that is sung several times has no times for its words.")
    sung = [(_moment(time, entry.number, offset), text) for time, text in zip(pieces[::2], pieces[1::2], strict=True)]
    if before.strip():
        sung.insert(0, (entry.at, before))
    # A time without text, at the end, may let the last word end after the next line has begun.
    end_ms = max(end_ms, sung[-1][0])
    ends = [*[at for at, _ in sung[1:]], end_ms]
    words = [Word(at, end, text.strip()) for (at, text), end in zip(sung, ends, strict=True) if text.strip()]
    return Line(entry.at, end_ms, "".join([before, *pieces[1::2]]), tuple(words))


def write_lrc(lines: Sequence[Line]) -> str:
    """Lines as an LRC file, enhanced where words have times."""
    rows = []
    together = [list(group) for _, group in groupby(lines, key=lambda line: line.start_ms)]
    for group, following in zip(together, [*together[1:], None], strict=False):
        until = max(line.end_ms for line in group)
        read_end = until if following is None else min(until, following[0].start_ms)
        rows += [f"[{_written(line.start_ms)}]{_body(line, read_end)}" for line in group]
        if following is None or until < following[0].start_ms:
            rows.append(f"[{_written(until)}]")
    return "".join(f"{row}\n" for row in rows)


def _body(line: Line, read_end: int) -> str:
    """The text of a line, with the times of its words; `read_end` is when a reader takes it to end."""
    written, end = "", 0
    places = aligned(line.text, line.words) or ()
    until = [*[word.start_ms for word in line.words[1:]], read_end]
    for place, word, following in zip(places, line.words, until, strict=False):
        written += f"{line.text[end:place]}<{_written(word.start_ms)}>{word.text}"
        if word.end_ms != following:
            written += f"<{_written(word.end_ms)}>"
        end = place + len(word.text)
    return written + line.text[end:]


def _written(ms: int) -> str:
    """A time, in hundredths where it is one."""
    minutes, rest = divmod(ms, 60_000)
    seconds, thousandths = divmod(rest, 1000)
    fraction = f"{thousandths // 10:02}" if thousandths % 10 == 0 else f"{thousandths:03}"
    return f"{minutes:02}:{seconds:02}.{fraction}"
