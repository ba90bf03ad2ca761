"""The four kinds of asset and what all of them share."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from stdnum import ean, isrc
from stdnum.exceptions import ValidationError

from domain.errors import Invalid
from domain.ids import Kind, Ref
from domain.texts import checked_text


class AssetKind(StrEnum):
    """The four kinds of asset; the list is closed."""

    TRACK = "TRACK"
    SAMPLE = "SAMPLE"
    INSTRUMENT = "INSTRUMENT"
    RELEASE = "RELEASE"


_REFERRED: Mapping[str, Kind] = {kind: Kind[kind.name] for kind in AssetKind}


def asset_ref(kind: str, id_: UUID) -> Ref:
    """The reference of an asset of a kind (`AssetKind`)."""
    return Ref(_REFERRED[kind], id_)


class AssetState(StrEnum):
    """Who may see an asset."""

    PRIVATE = "PRIVATE"
    UNLISTED = "UNLISTED"
    PUBLIC = "PUBLIC"
    ARCHIVED = "ARCHIVED"
    WITHDRAWN = "WITHDRAWN"


class Badge(StrEnum):
    """How a work was made: information, never a ranking input."""

    HUMAN_MADE = "HUMAN_MADE"
    NO_AI_USED = "NO_AI_USED"
    AI_ASSISTED = "AI_ASSISTED"
    GENERATED = "GENERATED"
    GENERATED_VISUAL_WORLD = "GENERATED_VISUAL_WORLD"
    REMIX = "REMIX"
    CO_CREATED = "CO_CREATED"
    DERIVATIVE = "DERIVATIVE"


class SampleSubkind(StrEnum):
    """What sort of sample it is."""

    LOOP = "LOOP"
    ONE_SHOT = "ONE_SHOT"
    VOICE_MEMO = "VOICE_MEMO"
    JAM = "JAM"
    STEM = "STEM"


class MediaRole(StrEnum):
    """What a media file is to its asset."""

    MASTER = "MASTER"
    PREVIEW = "PREVIEW"
    COVER = "COVER"
    LOOP = "LOOP"
    SOURCE = "SOURCE"


class AssetOrder(StrEnum):
    """The order of a list of assets."""

    NEWEST = "NEWEST"
    TITLE = "TITLE"
    MOST_DERIVED = "MOST_DERIVED"


LONGEST_TITLE = 300
_EXCLUDES = {
    Badge.NO_AI_USED: {Badge.AI_ASSISTED, Badge.GENERATED, Badge.GENERATED_VISUAL_WORLD},
    Badge.HUMAN_MADE: {Badge.GENERATED},
}


@dataclass(frozen=True, slots=True)
class Details:
    """What only one kind of asset has: values by column; None takes a value away."""

    kind: AssetKind
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssetUpdate:
    """What somebody wants to change of an asset; None leaves a field as it is, `clears_made_on` takes the date away."""

    asset: Ref
    expected_version: int
    title: str | None = None
    badges: frozenset[Badge] | None = None
    made_on: date | None = None
    clears_made_on: bool = False
    details: Details | None = None


@dataclass(frozen=True, slots=True)
class AssetDraft:
    """An asset somebody makes; its kind is that of its details."""

    owner: Ref
    title: str
    details: Details
    badges: frozenset[Badge] = frozenset()
    made_on: date | None = None


def checked_title(title: str) -> str:
    """A title in NFC.

    Raises:
        Invalid: longer than 300 characters, or with a character that is no text.
    """
    folded = unicodedata.normalize("NFC", title)
    if len(folded) > LONGEST_TITLE:
        raise Invalid(f"A title has at most {LONGEST_TITLE} characters.", path=("title",))
    if any(unicodedata.category(character) in {"Cs", "Cc"} for character in folded):
        raise Invalid("A title holds a control character or half a surrogate pair.", path=("title",))
    return folded


def checked_day(day: date | None) -> date | None:
    """The day a work is of.

    Raises:
        Invalid: in the first or the last year there is, of which some days cannot be told apart from always and never.
    """
    if day is not None and not date.min.year < day.year < date.max.year:
        raise Invalid("This is a year that no work is of.", path=("madeOn",))
    return day


def checked_badges(badges: frozenset[Badge], path: tuple[str, ...] = ("badges",)) -> list[Badge]:
    """Badges that agree with each other, in the order of the vocabulary.

    Raises:
        Invalid: two of them exclude each other; `path` is where they are in the input.
    """
    for badge, excluded in _EXCLUDES.items():
        clash = excluded & badges if badge in badges else set()
        if clash:
            named = ", ".join(sorted(clash))
            raise Invalid(f"{badge.value} excludes {named}.", path=path)
    return [badge for badge in Badge if badge in badges]


def checked_details(details: Details) -> dict[str, Any]:
    """The details of an asset as they are stored, by column.

    Raises:
        Invalid: a value breaks a rule.
    """
    at = ("details", details.kind.value.lower())
    return {
        name: None if value is None else _DETAILS[name](value, (*at, _FIELDS.get(name, name)))
        for name, value in details.values.items()
    }


_FIELDS = {"musical_key": "musicalKey", "release_kind": "releaseKind"}
"""The names of details in an input, where they differ from those of the columns."""
_LEAST_BPM, _MOST_BPM = 1, 9_999


def _tempo(bpm: float, path: tuple[str, ...]) -> Decimal:
    if not _LEAST_BPM <= bpm <= _MOST_BPM:
        raise Invalid(f"A tempo is {_LEAST_BPM} to {_MOST_BPM:,} beats per minute.", path=path)
    return round(Decimal(str(bpm)), 3)


def _isrc(text: str, path: tuple[str, ...]) -> str:
    """Without hyphens, in capitals."""
    try:
        return str(isrc.validate(text))
    except ValidationError:
        raise Invalid("This is no ISRC. An ISRC looks like GB-A1B-23-00001.", path=path) from None


def _upc(text: str, path: tuple[str, ...]) -> str:
    """A UPC of 12 digits, or an EAN of 13."""
    digits = text.replace(" ", "").replace("-", "")
    is_long = len(digits) in {12, 13} and digits.isascii() and digits.isdecimal()
    if not is_long or not ean.is_valid(digits.zfill(13)):
        raise Invalid("This is no UPC or EAN: its last digit does not fit the others.", path=path)
    return digits


def _line(longest: int, text: str, path: tuple[str, ...]) -> str | None:
    return checked_text(text, longest, path) or None


def _word(word: StrEnum, _: tuple[str, ...]) -> str:
    return word.value


_DETAILS: Mapping[str, Callable[[Any, tuple[str, ...]], Any]] = {
    "bpm": _tempo,
    "musical_key": partial(_line, 40),
    "isrc": _isrc,
    "subkind": _word,
    "family": partial(_line, 100),
    "format": partial(_line, 100),
    "release_kind": _word,
    "upc": _upc,
    "label": partial(_line, 300),
}


def checked_state(kind: AssetKind) -> None:
    """Whether an owner may give an asset another state.

    Raises:
        Invalid: it is a release: it is published, archived and withdrawn as a whole.
    """
    if kind is AssetKind.RELEASE:
        said = "A release is shown by publishing it, and archived or withdrawn as a whole."
        raise Invalid(said, path=("state",))
