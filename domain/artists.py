"""Artists, the holders of worlds and owners of assets, and the look of a world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.errors import Invalid
from domain.ids import Ref
from domain.texts import checked_text

LONGEST_NAME, LONGEST_TAGLINE, LONGEST_BIO = 300, 200, 4000
MOST_ARTISTS = 50
"""Of one owner."""


class ArtistKind(StrEnum):
    """What an artist is."""

    CREATOR = "CREATOR"
    FAN = "FAN"
    DUO = "DUO"
    GROUP = "GROUP"
    LABEL = "LABEL"
    ESTATE = "ESTATE"
    SCENE = "SCENE"


class Texture(StrEnum):
    """The grain over a theme."""

    NONE = "NONE"
    PAPER = "PAPER"
    FILM_GRAIN = "FILM_GRAIN"
    HALFTONE = "HALFTONE"
    DENIM = "DENIM"
    TAPE = "TAPE"
    LINEN = "LINEN"
    STATIC = "STATIC"
    VINYL = "VINYL"
    CHROME = "CHROME"


class SeedSource(StrEnum):
    """Where the colour a theme grows from was taken."""

    COVER = "COVER"
    CURATED = "CURATED"
    CUSTOM = "CUSTOM"


class ArtistOrder(StrEnum):
    """The order of a list of artists."""

    NAME = "NAME"
    NEWEST = "NEWEST"


@dataclass(frozen=True, slots=True)
class ArtistDraft:
    """An artist somebody wants to be."""

    handle: str
    name: str
    kind: ArtistKind = ArtistKind.CREATOR
    tagline: str | None = None
    bio: str | None = None


@dataclass(frozen=True, slots=True)
class ArtistUpdate:
    """What somebody wants to change of an artist, by column; what is not in `values` stays as it is."""

    artist: Ref
    expected_version: int
    values: Mapping[str, Any]


def checked_name(name: str, field: str = "name") -> str:
    """A name in NFC, without space around it.

    Raises:
        Invalid: empty, longer than 300 characters, or with a character that is no text.
    """
    text = checked_text(name, LONGEST_NAME, (field,))
    if not text:
        raise Invalid("An artist has a name.", path=(field,))
    return text


def checked_tagline(tagline: str | None) -> str | None:
    """One line about a world in NFC, or None.

    Raises:
        Invalid: longer than 200 characters, or of several lines.
    """
    return None if tagline is None else checked_text(tagline, LONGEST_TAGLINE, ("tagline",)) or None


def checked_bio(bio: str | None) -> str | None:
    """What an artist tells about themselves in NFC, or None.

    Raises:
        Invalid: longer than 4,000 characters, or with a character that is no text.
    """
    return None if bio is None else checked_text(bio, LONGEST_BIO, ("bio",), lines=True) or None
