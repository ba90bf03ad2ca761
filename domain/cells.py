"""Cells: what one cell of a catalogue says, and what is wrong with it.

A cell that cannot be read is dropped with a reason, or makes its row unusable, as the reader's name tells: `read_`
drops, `needed_` does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from domain.assets import AssetKind, SampleSubkind
from domain.rights import License, read_license

LONGEST_NAME = 300
LONGEST_REF = 500

_HANDLE = re.compile(r"@?([a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?)")
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_DECIMAL = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?")
_BPM_LIMIT = 10_000
_BPM_STEP = Decimal("0.001")
_MILLISECONDS = re.compile(r"[0-9]{1,10}")
_LATEST_MS = 2**31 - 1

Word = TypeVar("Word", bound=StrEnum)
Cells = Mapping[str, str]
"""A row: the text of every column of the format, empty where the file has none."""
Drop = Callable[[str], None]
"""Takes the reason why a field was dropped."""


class RowUnusable(Exception):
    """A row cannot be taken; the message says why."""


class Window(NamedTuple):
    """Milliseconds, half-open; (None, None) is the whole."""

    start_ms: int | None
    end_ms: int | None


WHOLE = Window(None, None)


def read_handle(text: str) -> str | None:
    """A handle in the form it is kept in: lower case, without the @; None where it cannot be one."""
    found = _HANDLE.fullmatch(unicodedata.normalize("NFKC", text).strip().casefold())
    return found[1] if found else None


def storable(text: str) -> str:
    """The text without what is no text: white space for white space controls, nothing for other controls."""
    if text.isprintable():
        return text
    spaced = "".join(" " if char in "\t\n\r" else char for char in text)
    return "".join(char for char in spaced if unicodedata.category(char) not in {"Cc", "Cs"})


def shown(text: str) -> str:
    """A cell as a problem quotes it."""
    return repr(text if len(text) <= 60 else text[:60] + "…")


def read_text(name: str, text: str, longest: int, drop: Drop) -> str:
    """A text in NFC that can be stored; what cannot be is dropped."""
    kept = storable(text)
    if kept != text:
        drop(f"{name} holds control characters; they are left out")
    kept = unicodedata.normalize("NFC", kept)
    if len(kept) > longest:
        drop(f"{name} has {len(kept)} characters; the first {longest} are kept")
    return kept[:longest]


def needed_ref(name: str, text: str) -> str:
    """The source's own id of an asset: up to 500 characters, without controls."""
    ref = text.strip()
    if not ref or len(ref) > LONGEST_REF or storable(ref) != ref:
        raise RowUnusable(f"{name} {shown(ref)} is unusable: 1 to {LONGEST_REF} characters, no controls")
    return ref


def needed_handle(name: str, text: str) -> str:
    """A handle, as `read_handle` gives it."""
    handle = read_handle(text)
    if handle is None:
        raise RowUnusable(f"{name} {shown(text)} cannot be a handle: letters a–z, digits, and . _ - between")
    return handle


@lru_cache(maxsize=1024)
def squeezed(text: str) -> str:
    """The letters and digits of a text, in capitals."""
    return "".join(filter(str.isalnum, text)).upper()


def one_of(words: type[Word], text: str) -> Word | None:
    """The word a text spells: `MixingEngineer`, `mixing engineer` and `MIXING_ENGINEER` are one."""
    return _spellings(words).get(squeezed(text))


@lru_cache(maxsize=16)
def _spellings(words: type[Word]) -> Mapping[str, Word]:
    return {squeezed(word): word for word in words}


def needed_word(name: str, words: type[Word], text: str) -> Word:
    """The word of a vocabulary a text spells."""
    word = one_of(words, text)
    if word is None:
        raise RowUnusable(f"{name} {shown(text)} is none of {', '.join(words)}")
    return word


def read_subkind(kind: AssetKind, text: str, drop: Drop) -> SampleSubkind | None:
    """What sort of sample it is."""
    if not text.strip():
        return None
    subkind = one_of(SampleSubkind, text)
    if kind is not AssetKind.SAMPLE:
        drop(f"subkind {shown(text)} is left out: only samples have one")
        return None
    if subkind is None:
        drop(f"subkind {shown(text)} is none of {', '.join(SampleSubkind)}")
    return subkind


def read_day(text: str, drop: Drop) -> date | None:
    """An ISO 8601 date, or the date of a moment as it is written."""
    text = text.strip()
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        day = date.max
    if not date.min < day < date.max:
        # The first and the last day there are stand for no day where they are stored.
        drop(f"created {shown(text)} is no ISO date")
        return None
    return day


def read_stated_license(text: str, drop: Drop) -> License | None:
    """The license; what is no license we know is all rights reserved, and said."""
    if not text.strip():
        return None
    license_ = read_license(read_text("license", text.strip(), LONGEST_NAME, drop))
    if license_.stated_as is not None:
        drop(f"license {shown(text)} cannot be read; taken for all rights reserved")
    return license_


def read_sha256(text: str, drop: Drop) -> str | None:
    """The SHA-256 of a media file, in small letters."""
    text = text.strip()
    if not text:
        return None
    found = _SHA256.fullmatch(text.lower())
    if found is None:
        drop(f"media_sha256 {shown(text)} is not 64 hexadecimal digits")
        return None
    return found[1]


def read_bpm(kind: AssetKind, text: str, drop: Drop) -> Decimal | None:
    """Beats per minute as a decimal, to the thousandth."""
    text = text.strip()
    if not text:
        return None
    if kind not in {AssetKind.TRACK, AssetKind.SAMPLE}:
        drop(f"bpm {shown(text)} is left out: only tracks and samples have one")
        return None
    told = Decimal(text) if _DECIMAL.fullmatch(text) else Decimal(0)
    bpm = told.quantize(_BPM_STEP)
    if not 0 < bpm < _BPM_LIMIT:
        drop(f"bpm {shown(text)} is no decimal above 0 and below {_BPM_LIMIT}")
        return None
    if bpm != told:
        drop(f"bpm {shown(text)} is rounded to thousandths")
    return bpm


def read_window(side: str, cells: Cells, drop: Drop) -> Window:
    """A window of one side; one that cannot be read becomes the whole, which binds more, never less."""
    texts = cells[f"{side}_start_ms"].strip(), cells[f"{side}_end_ms"].strip()
    if texts == ("", ""):
        return WHOLE
    if all(_MILLISECONDS.fullmatch(text) for text in texts if text):
        start, end = (int(text) if text else None for text in texts)
        if (start or 0) < (_LATEST_MS if end is None else end) <= _LATEST_MS:
            return Window(start, end)
    drop(f"{side} window {shown(texts[0])} to {shown(texts[1])} is none in milliseconds; the whole is taken")
    return WHOLE
