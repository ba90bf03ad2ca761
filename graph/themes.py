"""The SDL of themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.artists import SeedSource, Texture
from domain.assets import Badge
from graph.fields import Node, deprecated, described, stored

if TYPE_CHECKING:
    from graph.artists import Artist

described(
    Texture,
    NONE="No texture.",
    PAPER="Paper.",
    FILM_GRAIN="Film grain.",
    HALFTONE="Halftone dots.",
    DENIM="Denim.",
    TAPE="Tape.",
    LINEN="Linen.",
    STATIC="Static.",
    VINYL="Vinyl.",
    CHROME="Chrome.",
)
described(
    SeedSource,
    COVER="Taken from a cover.",
    CURATED="Chosen from a curated set.",
    CUSTOM="Chosen freely.",
)


@strawberry.type(description="The colour a theme grows from.")
class ThemeSeed:
    """HSL."""

    source: SeedSource = stored("Where the colour was taken.")
    hue: int = stored("Hue in degrees, 0 to 359.")
    saturation: int = stored("Saturation in percent.")
    lightness: int = stored("Lightness in percent.")


@strawberry.type(description="The colours of a theme, each `#rrggbb`.")
class ThemeTokens:
    """Seven colours."""

    base: str = stored("The ground.")
    surface: str = stored("What lies on the ground.")
    accent: str = stored("What wants to be seen.")
    glow: str = stored("The light around it.")
    gradient_end: str = stored("Where the ground's gradient ends.")
    footer_start: str = stored("Where the footer's gradient begins.")
    footer_end: str = stored("Where the footer's gradient ends.")


@strawberry.type(description="The finer points of a theme.")
class ThemeDetails:
    """Type, motion and light."""

    typography: str | None = stored("Its typeface.")
    motion: str | None = stored("How it moves.")
    glow: float | None = stored("How strong its light is, 0 to 1; null as the house has it.")
    grain: float | None = stored("How grainy it is, 0 to 1; null as the house has it.")


@strawberry.type(description="The look of a world or a hook.")
class Theme(Node):
    """Theme, version 1."""

    seed: ThemeSeed = stored("The colour it grows from.")
    tokens: ThemeTokens = stored("Its colours.")
    is_extracted: bool = stored("Its colours were read off a cover.")
    pattern: str | None = stored("The name of its pattern.")
    texture: Texture = stored("The grain over it.")
    texture_opacity: float = stored("How strong the grain is, 0 to 1.")
    details: ThemeDetails = stored("Its finer points.")
    badges: list[Badge] = stored("How it was made.")
    typography: str | None = deprecated("Its typeface.", "2027-06-01: use `details`")
    motion: str | None = deprecated("How it moves.", "2027-06-01: use `details`")
    release_posture: str | None = stored("How a release stands in it.")
    artist: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("Whose theme it is.")
