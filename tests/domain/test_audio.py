"""Windows, tokens, ranges and samples, on their own."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets import MediaRole
from domain.audio import (
    FULL_SCALE,
    PEAKS,
    AudioToken,
    Mode,
    Pcm,
    bucket_ends,
    byte_range,
    heard,
    loudest,
    opened,
    pcm_of,
    sealed,
    token_end,
    wav_head,
)
from domain.errors import BadRange, Invalid, SignInNeeded, TokenExpired, Unsupported
from domain.hooks import HOOK_MS
from domain.media import LARGEST_TAG, Format, check_role, sniffed
from domain.windows import Window

SECRET = b"s" * 32
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
starts = st.integers(0, 10**7)
hooks = st.one_of(
    st.none(), st.builds(lambda start, length: Window(start, start + length), starts, st.integers(1, HOOK_MS))
)
ids = st.uuids().filter(lambda id_: id_.int)
tokens = st.builds(
    AudioToken,
    ids,
    st.sampled_from(Mode),
    st.none() | ids,
    st.datetimes(datetime(2026, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC)),  # noqa: DTZ001  # the zone follows
)


@given(hooks, st.integers(1, 10**7))
def test_what_is_heard_is_inside_of_the_media_and_no_longer_than_a_hook(hook: Window | None, duration: int) -> None:
    start, end = heard(hook, duration)
    assert end is not None
    assert 0 <= start < end <= duration
    assert end - start <= HOOK_MS
    if hook is not None and hook.start_ms < duration:
        assert (start, end) == (hook.start_ms, min(hook.end_ms or 0, duration))
    else:
        assert end - start == min(duration, HOOK_MS)


@given(tokens)
def test_a_token_says_what_was_sealed_until_it_ends(token: AudioToken) -> None:
    text = sealed(token, SECRET)
    before = token.expires_at - timedelta(seconds=1)
    assert opened(text, [b"x" * 32, SECRET], before) == token
    with pytest.raises(TokenExpired):
        opened(text, [SECRET], token.expires_at)
    for secrets in ([], [b"x" * 32]):
        with pytest.raises(SignInNeeded):
            opened(text, secrets, before)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda data: data.decode("latin-1")))
def test_no_text_is_a_token_by_chance(text: str) -> None:
    with pytest.raises(SignInNeeded):
        opened(text, [SECRET], NOW)


@given(tokens, st.data())
def test_no_letter_of_a_token_can_be_changed(token: AudioToken, data: st.DataObject) -> None:
    text = sealed(token, SECRET)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_=+/ "))
    changed = text[:at] + letter + text[at + 1 :]
    if changed != text:
        with pytest.raises(SignInNeeded):
            opened(changed, [SECRET], NOW)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001  # the zone follows
def test_a_token_lasts_four_to_five_minutes(at: datetime) -> None:
    now = at.replace(tzinfo=UTC)
    assert timedelta(minutes=4) < token_end(now) - now <= timedelta(minutes=5)


def reference(header: str, size: int) -> tuple[int, int] | None:
    """RFC 9110 section 14.1.2, step by step."""
    first, _, last = header.removeprefix("bytes=").partition("-")
    if first:
        begin, end = int(first), int(last) if last else size - 1
        return (begin, min(end, size - 1) + 1) if begin <= end and begin < size else None
    return (max(size - int(last), 0), size) if last and int(last) and size else None


numbers = st.integers(0, 120) | st.sampled_from([10**9, 10**17])


@given(
    st.one_of(st.tuples(numbers, numbers), st.tuples(st.just(""), numbers), st.tuples(numbers, st.just(""))),
    st.integers(0, 100),
)
def test_a_range_is_what_the_rfc_says(pair: tuple[int | str, int | str], size: int) -> None:
    header = f"bytes={pair[0]}-{pair[1]}"
    expected = reference(header, size)
    if expected is None:
        with pytest.raises(BadRange) as refused:
            byte_range(header, size)
        assert refused.value.size == size
    else:
        assert byte_range(header, size) == expected


@given(st.text(max_size=40))
def test_whatever_is_asked_for_lies_inside(text: str) -> None:
    for header in (text, f"bytes={text}"):
        try:
            part = byte_range(header, 1000)
        except BadRange:
            continue
        assert part is None or 0 <= part[0] < part[1] <= 1000


@pytest.mark.parametrize("header", [None, "frames=0-1", "bytesx=0-1", ""])
def test_an_unknown_unit_is_no_range(header: str | None) -> None:
    assert byte_range(header, 10) is None


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,3-4",
        "bytes=0-0,",
        "bytes",
        "bytes=-",
        "bytes=-0",
        "bytes=+0-1",
        "bytes=0-1_0",
        "bytes=5-4",
        "bytes=10-",
        "bytes=٣-",
    ],
)
def test_more_than_one_range_or_none_is_refused(header: str) -> None:
    with pytest.raises(BadRange):
        byte_range(header, 10)


layouts = st.builds(
    lambda rate, channels, kind: Pcm(rate, channels, abs(kind), is_float=kind < 0),
    st.integers(1_000, 768_000),
    st.integers(1, 8),
    st.sampled_from([8, 16, 24, 32, -32, -64]),
)


@given(layouts)
def test_a_layout_is_read_as_it_was_written(pcm: Pcm) -> None:
    head = wav_head(pcm, 0)
    assert pcm_of(head[20:36]) == pcm
    extensible = b"\xfe\xff" + head[22:36] + struct.pack("<HHI", 22, pcm.bits, 0)
    extensible += head[20:22] + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    assert pcm_of(extensible) == pcm


@given(st.binary(max_size=60))
def test_no_layout_is_more_than_refused(chunk: bytes) -> None:
    try:
        pcm = pcm_of(chunk)
    except Invalid:
        return
    assert pcm.frame > 0


@given(st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=30), st.sampled_from([16, 24, 32]))
def test_the_loudest_sample_is_the_farthest_from_silence(values: list[int], bits: int) -> None:
    moved = [value << bits - 24 if bits > 24 else value >> 24 - bits for value in values]
    data = b"".join(value.to_bytes(bits // 8, "little", signed=True) for value in moved)
    assert loudest(Pcm(8000, 1, bits, is_float=False), data) == max(map(abs, moved)) * FULL_SCALE >> bits - 1


@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=30))
def test_floats_are_cut_at_full_scale(values: list[float]) -> None:
    data = struct.pack(f"<{len(values)}f", *values)
    assert loudest(Pcm(8000, 1, 32, is_float=True), data) == min(round(max(map(abs, values)) * FULL_SCALE), FULL_SCALE)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_no_sound(bad: float) -> None:
    with pytest.raises(Invalid):
        loudest(Pcm(8000, 1, 64, is_float=True), struct.pack("<3d", 0.5, bad, -0.5))


@given(st.integers(1, 10**8))
def test_the_peaks_cover_everything_in_order(frames: int) -> None:
    ends = list(bucket_ends(frames))
    assert len(ends) == PEAKS
    assert ends == sorted(ends)
    assert (ends[0] >= 1, ends[-1]) == (True, frames)


@pytest.mark.parametrize(
    ("head", "format_"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", Format.WAV),
        (b"RIFF\0\0\0\0WEBPVP8 ", Format.WEBP),
        (b"RIFF\0\0\0\0AVI LIST", Format.OTHER),
        (b"fLaC\0\0\0\x22", Format.FLAC),
        (b"OggS\0\x02", Format.OGG),
        (b"\xff\xfb\x90\x00", Format.MP3),
        (b"\xff\xf3\x40\xc0", Format.MP3),
        (b"ID3\x04\0\0\0\0\0\x0a", Format.MP3),
        (b"ID3\x04\0\0\xff\0\0\x0a", Format.OTHER),
        (b"\xff\xf1\x50\x80", Format.AAC),
        (b"\0\0\0\x1cftypM4A \0\0\0\0", Format.M4A),
        (b"\0\0\0\x1cftypheic\0\0\0\0", Format.OTHER),
        (b"\x89PNG\r\n\x1a\n", Format.PNG),
        (b"\xff\xd8\xff\xe0", Format.JPEG),
        (b"<svg xmlns=", Format.OTHER),
        (b"<html>", Format.OTHER),
        (b"", Format.OTHER),
        (b"\xff", Format.OTHER),
        (b"\xff\xff\xff\xff", Format.OTHER),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head: bytes, format_: Format) -> None:
    assert sniffed(head) is format_


def test_a_tag_has_its_limit() -> None:
    def tag(size: int) -> bytes:
        return b"ID3\x04\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))

    assert sniffed(tag(LARGEST_TAG)) is Format.MP3
    with pytest.raises(Unsupported):
        sniffed(tag(LARGEST_TAG + 1))


@given(st.binary(max_size=64))
def test_no_beginning_is_more_than_refused(head: bytes) -> None:
    try:
        format_ = sniffed(head)
    except Unsupported:
        return
    assert "/" in format_.mime_type


def takes(role: MediaRole, format_: Format) -> bool:
    try:
        check_role(role, format_)
    except (Invalid, Unsupported):
        return False
    return True


def test_a_master_is_sound_a_cover_is_a_picture_a_loop_is_a_film_and_a_source_is_anything() -> None:
    taken = {(role, format_) for role in MediaRole for format_ in Format if takes(role, format_)}
    sound = {Format.WAV, Format.MP3, Format.FLAC, Format.AAC, Format.M4A, Format.OGG}
    pictures = {Format.PNG, Format.JPEG, Format.WEBP}
    films = {Format.M4A, Format.MP4, Format.WEBM}  # what begins as M4A may be a film
    assert taken == {(MediaRole.MASTER, format_) for format_ in sound} | {
        (MediaRole.COVER, format_) for format_ in pictures
    } | {(MediaRole.LOOP, format_) for format_ in films} | {(MediaRole.SOURCE, format_) for format_ in Format}
