"""The mutations of themes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain.artists import SeedSource, Texture
from domain.assets import Badge
from domain.colours import Hsl
from domain.errors import BadInput, Moved
from domain.ids import Kind, Ref, parse_ref_of
from domain.themes import TOKENS, WEARERS, Look, ThemeWish, read_seed
from graph.artists import Artist
from graph.fields import optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from graph.themes import Theme
from resolvers.context import Acting
from resolvers.themes import set_theme


@strawberry.type(description="The theme as it is now, under a new id: the old one tells how it was before.")
class SetThemeSuccess:
    """The payload."""

    theme: Theme | None = stored("The theme; null where it was taken off.")
    artist: Artist = stored("Whose it is.")


@strawberry.input(description="The colour a theme grows from: chosen, or read off a cover.")
class ThemeSeedInput:
    """HSL, or an image."""

    source: SeedSource = strawberry.field(description="Where it is taken.")
    hue: int | None = optional("Hue in degrees, 0 to 359; not with COVER.")
    saturation: int | None = optional("Saturation in percent; not with COVER.")
    lightness: int | None = optional("Lightness in percent; not with COVER.")
    cover: strawberry.ID | None = optional("With COVER: the image, of the artist or an asset of theirs.")


@strawberry.input(description="Colours of your own, each `#rrggbb`; those left out grow from the seed.")
class ThemeTokensInput:
    """Seven colours."""

    base: str | None = optional("The ground.")
    surface: str | None = optional("What lies on the ground.")
    accent: str | None = optional("What wants to be seen.")
    glow: str | None = optional("The light around it.")
    gradient_end: str | None = optional("Where the ground's gradient ends.")
    footer_start: str | None = optional("Where the footer's gradient begins.")
    footer_end: str | None = optional("Where the footer's gradient ends.")


@strawberry.input(description="The finer points of a theme.")
class ThemeDetailsInput:
    """Type, motion and light."""

    typography: str | None = optional("Its typeface, at most 120 characters.")
    motion: str | None = optional("How it moves, at most 120 characters.")
    glow: float | None = optional("How strong its light is, 0 to 1.")
    grain: float | None = optional("How grainy it is, 0 to 1.")


@strawberry.input(description="A theme, version 1: all of it. What is left out is as the house has it.")
class ThemeInput:
    """A theme."""

    seed: ThemeSeedInput = strawberry.field(description="The colour it grows from.")
    tokens: ThemeTokensInput | None = optional("Its colours, where they are not those that grow from the seed.")
    pattern: str | None = optional("The name of its pattern: letters a to z and digits, with single - between them.")
    texture: Texture | None = optional("The grain over it; NONE where nothing is said.")
    texture_opacity: float | None = optional("How strong the grain is, 0 to 1; 0 where nothing is said.")
    badges: list[Badge] | None = optional("The badges it shows of how things were made.")
    details: ThemeDetailsInput | None = optional("Its finer points.")
    release_posture: str | None = optional("How a release stands in it, at most 120 characters.")


@strawberry.input(description="How a world or a hook shall look, all of it.")
class SetThemeInput:
    """The input of `setTheme`."""

    subject: strawberry.ID = strawberry.field(description="The artist whose world it is, or the hook.")
    theme: ThemeInput | None = optional("The theme; null takes it off.")
    expected_theme: strawberry.ID | None = optional(
        "The theme you read; leave it out where there is none yet. Refused where another is worn by now."
    )
    idempotency_key: str | None = key_field()


_VALUES = {"pattern": "pattern", "textureOpacity": "texture_opacity", "releasePosture": "release_posture"}
_DETAILS = {"typography": "typography", "motion": "motion", "glow": "glow_strength", "grain": "grain"}
_TOKENS = {to_camel_case(name): name for name in TOKENS}


def _look(asked: Mapping[str, Any], cover: Ref | None) -> Look:
    """A theme as it was given; what breaks a rule of it is told by its path.

    Raises:
        Invalid: its seed is none.
    """
    seed = asked["seed"]
    channels = {name: seed[name] for name in Hsl._fields if seed.get(name) is not None}
    values = {column: asked.get(name) for name, column in _VALUES.items()}
    values |= {column: (asked.get("details") or {}).get(name) for name, column in _DETAILS.items()}
    values["texture"] = None if asked.get("texture") is None else Texture(asked["texture"])
    tokens = {_TOKENS[name]: colour for name, colour in (asked.get("tokens") or {}).items() if colour is not None}
    badges = frozenset(Badge(badge) for badge in asked.get("badges") or ())
    return Look(read_seed(SeedSource(seed["source"]), channels, cover), tokens, values, badges)


def _set_theme(asked: Mapping[str, Any]) -> Act:
    subject = parse_ref_of(asked["subject"], WEARERS)
    if "theme" not in asked:
        raise BadInput("Say all of the theme, or null to take it off.")
    expected = asked.get("expectedTheme")
    worn = None if expected is None else parse_ref_of(expected, frozenset({Kind.THEME}))
    key, theme = key_of(asked), asked["theme"]
    named = None if theme is None else theme["seed"].get("cover")
    cover = None if named is None else parse_ref_of(named, frozenset({Kind.MEDIA}))

    async def act(acting: Acting) -> Mapping[str, Any]:
        wish = ThemeWish(subject, worn, None if theme is None else _look(theme, cover))
        written, artist = await set_theme(acting, wish, key)
        return {"theme": written, "artist": artist}

    return act


DEEDS = (
    Deed(
        "set_theme",
        "Says how a world or a hook looks, all of it; only a signed-in person may. A theme that changes gets a new id, "
        "and the old one goes on to tell how it was.",
        SetThemeInput,
        SetThemeSuccess,
        _set_theme,
        (Moved,),
    ),
)
