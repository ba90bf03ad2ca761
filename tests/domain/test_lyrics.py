"""Lyrics: what is kept of them, what LRC files say, and what of them is sung inside a window."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.lrc import LAST_LINE_MS, read_lrc, write_lrc
from domain.lyrics import (
    LONGEST_LINE,
    LONGEST_LYRICS,
    MOST_LINES,
    MOST_WORDS,
    Line,
    Word,
    checked_language,
    checked_lines,
    part_of,
)
from domain.windows import Window, common

MEDIA_MS = 600_000
texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["[Chorus] oh", "I <3", "[", "<", "beau", "你好", "e\u0301", "a  b", "<00:01>", "[2x]", "a\u3000b", "\u202etrap"]
)


def kept(text: str) -> str | None:
    """The text as it is kept; None where it is not."""
    try:
        return checked_lines([Line(0, 1, text)], None)[0].text
    except Invalid:
        return None


words = texts.map(kept).filter(lambda text: text is not None)
spaces = st.sampled_from(["", " ", "\u3000"])


@st.composite
def lines(draw, start=None, end=None) -> Line:
    """A line, whose words may have times, with or without rests between them."""
    start = draw(st.integers(0, MEDIA_MS - 5_000)) if start is None else start
    end = draw(st.integers(start + 40, start + 5_000)) if end is None else end
    sung = draw(st.lists(words, min_size=1, max_size=5))
    text = sung[0] + "".join(draw(spaces) + word for word in sung[1:])
    moments = sorted(draw(st.sets(st.integers(start, end), min_size=2 * len(sung), max_size=2 * len(sung))))
    if draw(st.booleans()):  # one after the other, without rests
        moments[2::2] = moments[1:-1:2]
    timed = [Word(*moments[2 * n : 2 * n + 2], word) for n, word in enumerate(sung)]
    try:
        return checked_lines([Line(start, end, text, tuple(timed) if draw(st.booleans()) else ())], MEDIA_MS)[0]
    except Invalid:  # words that were kept apart may be no text together
        return Line(start, end, "la", (Word(start, end, "la"),))


any_lines = st.lists(lines(), max_size=6).map(lambda drawn: checked_lines(drawn, MEDIA_MS))


@st.composite
def lines_of_lrc(draw) -> tuple[Line, ...]:
    """What an LRC file can say: lines are sung together, or one after the other."""
    moments = sorted(draw(st.sets(st.integers(0, 10_000).map(lambda tick: tick * 50), max_size=10)))
    drawn: list[Line] = []
    for start, end in zip(moments[::2], moments[1::2], strict=False):
        drawn += [draw(lines(start, end)) for _ in range(draw(st.integers(1, 2)))]
    return tuple(drawn)


@given(lines_of_lrc(), st.none() | st.just(MEDIA_MS), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_an_lrc_file_can_say_it_says_without_loss(written, duration, end):
    assert read_lrc(write_lrc(written).replace("\n", end), duration) == written


@given(any_lines)
def test_what_was_written_is_read_and_written_the_same(drawn):
    file = write_lrc(drawn)
    read = read_lrc(file, MEDIA_MS)
    assert [(line.start_ms, line.text) for line in read] == [(line.start_ms, line.text) for line in drawn]
    assert [line.words for line in read] == [line.words for line in drawn]
    assert write_lrc(read) == file


@given(any_lines)
def test_what_is_kept_is_kept_as_it_is(drawn):
    assert checked_lines(drawn, MEDIA_MS) == drawn


SONG = """\ufeff[ti:Song [Live]]
[ar: Ada]
[offset: +250]
[00:10.25] First line
[00:20.250][01:00.25] Refrain

[00:12.5]<00:12.5>Beau<00:12.75>ti<00:13>ful <00:13.5> <00:14.00>day<00:14.75>
[00:15.25]
[01:00.25] and a voice
[1:10.25]
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_is_read_with_offset_words_rests_and_several_times(end):
    assert read_lrc(SONG.replace("\n", end), 180_000) == (
        Line(10_000, 12_250, "First line"),
        Line(
            12_250,
            15_000,
            "Beautiful day",
            (
                Word(12_250, 12_500, "Beau"),
                Word(12_500, 12_750, "ti"),
                Word(12_750, 13_250, "ful"),
                Word(13_750, 14_500, "day"),
            ),
        ),
        Line(20_000, 60_000, "Refrain"),
        Line(60_000, 70_000, "Refrain"),
        Line(60_000, 70_000, "and a voice"),
    )


def test_the_last_line_lasts_until_the_media_ends():
    assert read_lrc("[00:05]x", 60_000) == (Line(5_000, 60_000, "x"),)
    assert read_lrc("[00:05]x", None) == (Line(5_000, 5_000 + LAST_LINE_MS, "x"),)


def test_a_word_may_go_on_while_the_next_line_begins():
    read = read_lrc("[00:01]<00:01>a<00:04>\n[00:03]b\n[00:05]", 60_000)
    assert read == (Line(1000, 4000, "a", (Word(1000, 4000, "a"),)), Line(3000, 5000, "b"))


def test_what_an_offset_moves_before_the_beginning_is_sung_at_the_beginning():
    assert read_lrc("[offset:500]\n[00:00.2]a\n[00:03]b", 9_000)[0] == Line(0, 2_500, "a")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("[00:61.00]x", "no time"),
        ("[00:1a.00]x", "no time"),
        ("[00:12,34]x", "no time"),
        ("[00:12:34]x", "no time"),
        ("[-00:12.00]x", "no time"),
        ("[00:12.3456]x", "no time"),
        ("[٠٠:١٢.٠٠]x", "begins with its time"),
        ("[00:12.00 x", "no time"),
        ("[00:12.00][00:1x.00]x", "no time"),
        ("[99999:00.00]x", "no time"),
        ("[00:12.00]<00:61>x", "no time"),
        ("[00:12.00]<3 you>", "no time"),
        ("[00:12.00]<00:11>x", "inside of their line"),
        ("[00:12.00]<00:14>x<00:13>y", "inside of their line"),
        ("[00:12.00]<00:13>x<00:13>y", "inside of their line"),
        ("[00:12.00]<00:13>e<00:14>\u0301", "spell the line"),
        ("[00:12.00][00:20.00]<00:12>x", "several times"),
        ("[01:00]x", "The media ends"),
        ("[01:00.01]", "The media ends"),
        ("[00:59.5]<00:59.5>x<01:01>", "The media ends"),
        ("words without a time", "begins with its time"),
        ("[Chorus: all]", "begins with its time"),
        ("[ar:Ada] words", "begins with its time"),
        ("[offset:soon]", "An offset"),
        ("[00:12.00]a\0b", "control character"),
        ("[00:12.00]a\ud800b", "surrogate"),
        ("\0", "begins with its time"),
        ("[00:12.00]" + "x" * (LONGEST_LINE + 1), "at most 500"),
    ],
)
def test_what_is_wrong_is_said_with_the_number_of_its_line(bad, said):
    with pytest.raises(Invalid, match=said) as refused:
        read_lrc(f"[ti:x]\r\n[00:01.00]good\r\n{bad}\r\n", 60_000)
    assert refused.value.message.startswith("Line 3: ")
    assert refused.value.path == ("lrc",)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "[00:01.00]" * (LONGEST_LYRICS // 10),
        "".join(f"[00:{n % 60:02}]a\n" for n in range(MOST_LINES + 1)),
        "[00:01]" + "<" * 50_000,
        "[00:01]" + "<1" * 25_000,
        "[" * 50_000,
        "[00:01]<1" + ":" * 50_000,
    ],
)
def test_too_much_is_refused_or_read_at_once(text):
    tried(text)


@given(st.text(max_size=60) | st.from_regex(re.compile(r"(\[\d\d:\d\d(\.\d\d)?\](<\d\d:\d\d>)?[ab ]{0,3}\n?){0,6}")))
def test_any_text_is_read_or_refused_with_its_place(text):
    read = tried(text)
    assert checked_lines(read, MEDIA_MS) == read


def tried(text: str) -> tuple[Line, ...]:
    """What is read of a text; nothing where it is refused."""
    path, read = ("lrc",), ()
    try:
        read = read_lrc(text, MEDIA_MS)
    except Invalid as refused:
        path = refused.path
    assert path == ("lrc",)
    return read


A_WORD = (Word(0, 5, "a"),)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (Line(-1, 5, "x"), ["startMs"]),
        (Line(5, 5, "x"), ["startMs"]),
        (Line(0, 60_001, "x"), ["endMs"]),
        (Line(0, 5, " \t "), ["text"]),
        (Line(0, 5, "a\nb"), ["text"]),
        (Line(0, 5, "\udfff"), ["text"]),
        (Line(0, 5, "[00:01.00] x"), ["text"]),
        (Line(0, 5, "x" * 501), ["text"]),
        (Line(0, 5, "b", A_WORD), ["words"]),
        (Line(0, 5, "ab", A_WORD), ["words"]),
        (Line(0, 5, "a a", A_WORD), ["words"]),
        (Line(0, 4, "a", A_WORD), ["words", "0", "startMs"]),
        (Line(0, 5, "a a", A_WORD * 2), ["words", "1", "startMs"]),
        (Line(0, 5, "a", (Word(3, 3, "a"),)), ["words", "0", "startMs"]),
        (Line(0, 5, "a", (Word(0, 5, " "),)), ["words", "0", "text"]),
    ],
)
def test_a_line_that_breaks_a_rule_is_named(line, path):
    with pytest.raises(Invalid) as refused:
        checked_lines([Line(0, 5, "good"), line], 60_000)
    assert refused.value.path == ("lines", "1", *path)


@pytest.mark.parametrize(
    "many",
    [
        [Line(0, 5, "x")] * (MOST_LINES + 1),
        [Line(0, 1000, "", tuple(Word(n, n + 1, "x") for n in range(200)))] * (MOST_WORDS // 200 + 1),
        [Line(0, 5, "x" * LONGEST_LINE)] * (LONGEST_LYRICS // LONGEST_LINE + 1),
    ],
)
def test_there_is_a_most_of_everything(many):
    with pytest.raises(Invalid, match="have at most") as refused:
        checked_lines(many, None)
    assert refused.value.path == ("lines",)


def test_words_without_a_text_are_the_text():
    assert checked_lines([Line(0, 9, "", (Word(0, 2, " Oh "), Word(2, 9, "no")))], None)[0].text == "Oh no"


# -- windows -------------------------------------------------------------------------------------------------------

windows = st.builds(
    lambda start, length: Window(start, start + length), st.integers(0, MEDIA_MS), st.integers(1, 30_000)
)


@st.composite
def lines_and_windows(draw) -> tuple[tuple[Line, ...], Window]:
    """A window that begins somewhere near one of the lines."""
    drawn = draw(st.lists(lines(), min_size=1, max_size=6).map(lambda some: checked_lines(some, MEDIA_MS)))
    start = max(draw(st.sampled_from(drawn)).start_ms + draw(st.integers(-3_000, 3_000)), 0)
    return drawn, Window(start, start + draw(st.integers(1, 10_000)))


def sung(drawn) -> set[tuple[int, str]]:
    """Every millisecond of every word."""
    return {(ms, word.text) for line in drawn for word in line.words for ms in range(word.start_ms, word.end_ms)}


@given(lines_and_windows())
def test_a_part_is_what_is_sung_inside_its_window(given_):
    drawn, window = given_
    part = part_of(drawn, window)
    for each in (*part, *(word for line in part for word in line.words)):
        assert window.start_ms <= each.start_ms < each.end_ms <= (window.end_ms or 0)
    assert sung(part) == {(ms, text) for ms, text in sung(drawn) if window.start_ms <= ms < (window.end_ms or MEDIA_MS)}
    whole = [line for line in drawn if not line.words and common(Window(line.start_ms, line.end_ms), window)]
    assert [line.text for line in part if not line.words] == [line.text for line in whole]
    assert checked_lines(part, MEDIA_MS) == part


@given(any_lines)
def test_the_part_in_all_of_the_media_is_everything(drawn):
    assert part_of(drawn, Window(0, None)) == drawn


@given(lines_and_windows(), windows)
def test_a_part_of_a_part_is_the_part_in_both_windows(given_, other):
    drawn, window = given_
    both = common(window, other)
    twice = part_of(part_of(drawn, window), other)
    assert twice == (() if both is None else part_of(drawn, both))


@pytest.mark.parametrize(
    ("tag", "written"),
    [("EN", "en"), ("pt-br", "pt-BR"), ("zh-HANT-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("de-1996", "de-1996")],
)
def test_a_language_is_written_as_its_tag_is(tag, written):
    assert checked_language(tag) == written


@pytest.mark.parametrize("tag", ["", "english", "e", "en_US", "en-", "en-USA-x", "ｅｎ", "en\n", "a" * 40, "12"])
def test_what_is_no_tag_is_no_language(tag):
    with pytest.raises(Invalid):
        checked_language(tag)
