"""The four kinds of asset and what all of them share."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.errors import Invalid
from domain.ids import Ref


class AssetKind(StrEnum):
    """The four kinds of asset; the list is closed."""

    TRACK = "TRACK"
    SAMPLE = "SAMPLE"
    INSTRUMENT = "INSTRUMENT"
    RELEASE = "RELEASE"


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
class AssetUpdate:
    """What somebody wants to change of an asset; None leaves a field as it is, `clears_made_on` takes the date away."""

    asset: Ref
    expected_version: int
    title: str | None = None
    badges: frozenset[Badge] | None = None
    made_on: date | None = None
    clears_made_on: bool = False


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


def checked_badges(badges: frozenset[Badge]) -> list[Badge]:
    """Badges that agree with each other, in the order of the vocabulary.

    Raises:
        Invalid: two of them exclude each other.
    """
    for badge, excluded in _EXCLUDES.items():
        clash = excluded & badges if badge in badges else set()
        if clash:
            named = ", ".join(sorted(clash))
            raise Invalid(f"{badge.value} excludes {named}.", path=("badges",))
    return [badge for badge in Badge if badge in badges]
