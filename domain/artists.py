"""Artists, the holders of worlds and owners of assets, and the look of a world."""

from __future__ import annotations

from enum import StrEnum


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
