"""Sound: what may be heard of it, tokens that say so, ranges of bytes, and PCM as WAV files hold it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import struct
from array import array
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import BadRange, Invalid, SignInNeeded, TokenExpired
from domain.hooks import HOOK_MS, hook_window
from domain.windows import Window

PEAKS = 500
FULL_SCALE = 10_000
"""Peaks are whole numbers of ten thousandths."""
TOKEN_LASTS = timedelta(minutes=5)
_STEP = 60
"""Seconds: tokens asked for in the same minute end together, so that what is read alike is answered alike."""
LONGEST_MS = 6 * 60 * 60 * 1000


class Mode(StrEnum):
    """How much of a track is heard."""

    PREVIEW = "PREVIEW"
    FULL = "FULL"


# Windows


def heard(hook: Window | None, duration_ms: int) -> Window:
    """What anybody may hear of a track: its hook, cut where the media ends; where there is none, as if it was usual."""
    if hook is not None and hook.start_ms < duration_ms:
        end = duration_ms if hook.end_ms is None else min(hook.end_ms, duration_ms)
        return Window(hook.start_ms, min(end, hook.start_ms + HOOK_MS))
    return hook_window(None, duration_ms)


# Tokens


@dataclass(frozen=True, slots=True)
class AudioToken:
    """What a token says: until then, this account may hear that much of this track. None is anybody's."""

    track: UUID
    mode: Mode
    subject: UUID | None
    expires_at: datetime


_PURPOSE = b"casset audio token 1"
_BODY = struct.Struct(">BQ16s16s")
_MODES = (Mode.PREVIEW, Mode.FULL)
_NOBODY = bytes(16)
_SEAL = 32
_LENGTH = -(-(_BODY.size + _SEAL) * 4 // 3)


def token_end(now: datetime) -> datetime:
    """When a token that is asked for now ends: in four to five minutes."""
    return datetime.fromtimestamp(int(now.timestamp()) // _STEP * _STEP, UTC) + TOKEN_LASTS


def sealed(token: AudioToken, secret: bytes) -> str:
    """A token as text."""
    subject = _NOBODY if token.subject is None else token.subject.bytes
    expires = int(token.expires_at.timestamp())
    body = _BODY.pack(_MODES.index(token.mode), expires, token.track.bytes, subject)
    return base64.urlsafe_b64encode(body + _seal(body, secret)).decode().rstrip("=")


def opened(text: str, secrets: Sequence[bytes], now: datetime) -> AudioToken:
    """Read a token that one of some secrets has sealed.

    Raises:
        SignInNeeded: it is none.
        TokenExpired: it was one.
    """
    refused = SignInNeeded("This is no token to listen with. Ask for one.")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (NotBase64, ValueError):
        raise refused from None
    if len(text) != _LENGTH or base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise refused
    body, seal = data[: _BODY.size], data[_BODY.size :]
    if not any(hmac.compare_digest(_seal(body, secret), seal) for secret in secrets):
        raise refused
    mode, expires, track, subject = _BODY.unpack(body)
    expires_at = datetime.fromtimestamp(expires, UTC)
    if expires_at <= now:
        raise TokenExpired("The token has ended. Ask for another one.")
    return AudioToken(UUID(bytes=track), _MODES[mode], None if subject == _NOBODY else UUID(bytes=subject), expires_at)


def _seal(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + body, hashlib.sha256)


# Ranges of bytes (RFC 9110, section 14)

_RANGE = re.compile(r"[Bb][Yy][Tt][Ee][Ss]=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII)


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte asked for and the one after the last, of so many; None for all of them.

    A unit we do not know is no range of ours, as the RFC wants it; more than one range is refused.

    Raises:
        BadRange: it is none, or none of these bytes is in it.
    """
    if header is None or header.partition("=")[0].strip().lower() != "bytes":
        return None
    refused = BadRange("One range of bytes at a time, within what there is.", size)
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        raise refused
    first, last = match.groups()
    if not first:
        count = min(int(last or 0), size)
        begin, end = size - count, size
    else:
        begin, end = int(first), size if not last else min(int(last) + 1, size)
        if last and int(last) < begin:
            raise refused
    if begin >= end:
        raise refused
    return begin, end


# PCM


@dataclass(frozen=True, slots=True)
class Pcm:
    """How samples are laid out: as many a second, channels side by side, each of so many bits."""

    rate: int
    channels: int
    bits: int
    is_float: bool

    @property
    def frame(self) -> int:
        """Bytes of one moment of all channels."""
        return self.channels * self.bits // 8

    def frames_at(self, ms: int) -> int:
        """The frames before a moment."""
        return ms * self.rate // 1000


_FMT = struct.Struct("<HHIIHH")
_TAIL = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_BITS = {False: frozenset({8, 16, 24, 32}), True: frozenset({32, 64})}


def pcm_of(chunk: bytes) -> Pcm:
    """How the samples of a WAV file are laid out, from its `fmt ` chunk.

    Raises:
        Invalid: in no way that is read here.
    """
    if len(chunk) < _FMT.size:
        raise Invalid("The format of the samples is cut off.")
    tag, channels, rate, _, frame, bits = _FMT.unpack_from(chunk)
    if tag == _EXTENSIBLE:
        if len(chunk) < 40 or chunk[26:40] != _TAIL:
            raise Invalid("The samples are of an unknown kind.")
        tag = int.from_bytes(chunk[24:26], "little")
    found = Pcm(rate, channels, bits, is_float=tag == _FLOAT)
    if tag not in {_PCM, _FLOAT} or bits not in _BITS[found.is_float]:
        raise Invalid("The samples are neither PCM of 8, 16, 24 or 32 bits nor floats.")
    if not 1 <= channels <= 8 or not 1_000 <= rate <= 768_000 or frame != found.frame:
        raise Invalid("The samples are laid out in no way that sound is.")
    return found


def wav_head(pcm: Pcm, data: int) -> bytes:
    """What stands before the samples in a WAV file: the whole of a file but so many bytes of samples."""
    tag = _FLOAT if pcm.is_float else _PCM
    fmt = _FMT.pack(tag, pcm.channels, pcm.rate, pcm.rate * pcm.frame, pcm.frame, pcm.bits)
    return b"".join(
        [
            b"RIFF",
            struct.pack("<I", 4 + 8 + len(fmt) + 8 + data + data % 2),
            b"WAVEfmt ",
            struct.pack("<I", len(fmt)),
            fmt,
            b"data",
            struct.pack("<I", data),
        ]
    )


def loudest(pcm: Pcm, samples: bytes) -> int:
    """The loudest of some samples, in ten thousandths of full scale.

    Raises:
        Invalid: one of them is no number.
    """
    if not samples:
        return 0
    if pcm.is_float:
        floats = array("f" if pcm.bits == 32 else "d", samples)
        # What is no number is neither larger nor smaller than another one: only the sum of all tells.
        if not math.isfinite(sum(floats)):
            raise Invalid("A sample is no number.")
        top, bottom = max(floats), min(floats)
        return min(round(max(top, -bottom) * FULL_SCALE), FULL_SCALE)
    if pcm.bits == 8:
        return max(max(samples) - 128, 128 - min(samples)) * FULL_SCALE >> 7
    values = _integers(pcm.bits, samples)
    highest, lowest = max(values), min(values)
    return max(highest, -lowest) * FULL_SCALE >> (15 if pcm.bits == 16 else 31)


def _integers(bits: int, samples: bytes) -> array[int]:
    if bits != 24:
        return array("h" if bits == 16 else "i", samples)
    # There is no array of three bytes: each gets a fourth, the lowest.
    wide = bytearray(len(samples) // 3 * 4)
    wide[1::4], wide[2::4], wide[3::4] = samples[0::3], samples[1::3], samples[2::3]
    return array("i", bytes(wide))


def peaks_inside(window: Window, duration_ms: int, peaks: Sequence[int]) -> Sequence[int]:
    """The peaks of a recording of that length that touch a window."""
    end = duration_ms if window.end_ms is None else window.end_ms
    return peaks[window.start_ms * PEAKS // duration_ms : -(-end * PEAKS // duration_ms)]


def bucket_ends(frames: int) -> Iterable[int]:
    """After which frame each of the 500 peaks of a recording ends; short ones share frames."""
    return (max((number + 1) * frames // PEAKS, 1) for number in range(PEAKS))
