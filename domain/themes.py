"""Themes, version 1: the look of a world or a hook, grown from one colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from domain.artists import SeedSource, Texture
from domain.assets import Badge, checked_badges
from domain.colours import Hsl, contrast, hex_of
from domain.errors import Invalid
from domain.ids import Kind, Ref
from domain.texts import checked_text

WEARERS = frozenset({Kind.ARTIST, Kind.HOOK})
"""What has a look: the world of an artist, and a hook."""
TOKENS = ("base", "surface", "accent", "glow", "gradient_end", "footer_start", "footer_end")
"""The colours of a theme, by column."""
LONGEST_PATTERN, LONGEST_DETAIL = 60, 120
READABLE = 4.5
"""The contrast between the accent and the ground that a theme grows with, at least: that of running text (WCAG AA)."""
_PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SeedWish:
    """The colour a theme shall grow from: as it is given, or the image it is read off."""

    source: SeedSource
    origin: Hsl | Ref


@dataclass(frozen=True, slots=True)
class Look:
    """A theme as somebody wishes it.

    Attributes:
        seed: what it grows from.
        tokens: colours of their own, by column; what is not there is grown.
        values: the other columns: `pattern`, `texture`, `texture_opacity`, `typography`, `motion`, `glow_strength`,
            `grain`, `release_posture`; what is not there is as the house has it.
        badges: what it shows of how things were made.
    """

    seed: SeedWish
    tokens: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    badges: frozenset[Badge] = frozenset()


@dataclass(frozen=True, slots=True)
class ThemeWish:
    """How somebody wants a world or a hook to look.

    Attributes:
        subject: the artist whose world it is, or the hook.
        expected: the theme that stands; None where there is none yet.
        look: all of the theme; None takes it off.
    """

    subject: Ref
    expected: Ref | None
    look: Look | None


def read_seed(source: SeedSource, given: Mapping[str, int], cover: Ref | None) -> SeedWish:
    """What a theme grows from: `hue`, `saturation` and `lightness`, or a cover.

    Raises:
        Invalid: a cover is named beside a colour or for one of another source, neither is there, or a number is out of
            its range.
    """
    at = ("theme", "seed")
    if source is SeedSource.COVER:
        if cover is None:
            raise Invalid("Say which image the colour is read off.", path=(*at, "cover"))
        if given:
            raise Invalid("The colour of a cover is read off it, and not given.", path=(*at, min(given)))
        return SeedWish(source, cover)
    if cover is not None:
        raise Invalid("Only a seed from COVER is read off one.", path=(*at, "cover"))
    for name, most in zip(Hsl._fields, (359, 100, 100), strict=True):
        if name not in given:
            raise Invalid("A colour has a hue, a saturation and a lightness.", path=(*at, name))
        if not 0 <= given[name] <= most:
            raise Invalid(f"This is 0 to {most}.", path=(*at, name))
    return SeedWish(source, Hsl(**given))


def recoloured(worn: Mapping[str, Any] | None, seed: Hsl) -> Look:
    """A theme as it is worn, by column, grown from another colour; where none is worn, as the house has it."""
    wish = SeedWish(SeedSource.CUSTOM, seed)
    if worn is None:
        return Look(wish)
    values = {name: worn[name] for name in _FIELDS} | {"texture": Texture(worn["texture"])}
    return Look(wish, {}, values, frozenset(Badge(badge) for badge in worn["badges"]))


def checked_look(look: Look) -> dict[str, Any]:
    """A theme as it is stored, by column, but for its seed and the colours that grow from it.

    Raises:
        Invalid: a value breaks a rule.
    """
    values = {name: _checked(name, look.values.get(name)) for name in _FIELDS}
    for name, colour in look.tokens.items():
        if _COLOUR.fullmatch(colour) is None:
            raise Invalid("A colour is written #rrggbb.", path=("theme", "tokens", _camel(name)))
    badges = [badge.value for badge in checked_badges(look.badges, ("theme", "badges"))]
    return {**values, **{name: colour.lower() for name, colour in look.tokens.items()}, "badges": badges}


def _checked(name: str, value: Any) -> Any:
    path = ("theme", *_FIELDS[name])
    if name == "texture":
        return (value or Texture.NONE).value
    if name in _STRENGTHS:
        if value is None:
            return _STRENGTHS[name]
        if not (isfinite(value) and 0 <= value <= 1):
            raise Invalid("This is 0 to 1.", path=path)
        return float(value)
    if value is None:
        return None
    if name == "pattern" and (len(value) > LONGEST_PATTERN or _PATTERN.fullmatch(value) is None):
        said = f"A pattern is named by at most {LONGEST_PATTERN} letters a to z and digits, with single - between them."
        raise Invalid(said, path=path)
    return checked_text(value, LONGEST_DETAIL, path) or None


_FIELDS = {
    "pattern": ("pattern",),
    "texture": ("texture",),
    "texture_opacity": ("textureOpacity",),
    "typography": ("details", "typography"),
    "motion": ("details", "motion"),
    "glow_strength": ("details", "glow"),
    "grain": ("details", "grain"),
    "release_posture": ("releasePosture",),
}
"""Where each column is in the input."""
_STRENGTHS = {"texture_opacity": 0.0, "glow_strength": None, "grain": None}
"""What is 0 to 1, and what it is where nothing is said."""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def grown(seed: Hsl) -> dict[str, str]:
    """The colours that grow from one, by column: a dark ground of its hue, and an accent that can be read on it."""
    hue, saturation, lightness = seed
    muted = min(saturation, 40)
    base, surface = Hsl(hue, muted, 8), Hsl(hue, muted, 14)
    accent = next(
        shade
        for shade in (Hsl(hue, saturation, light) for light in range(min(max(lightness, 45), 100), 101))
        if contrast(shade, surface) >= READABLE and contrast(shade, base) >= READABLE
    )
    colours = (
        base,
        surface,
        accent,
        accent._replace(lightness=min(accent.lightness + 12, 100)),
        Hsl((hue + 30) % 360, muted, 12),
        Hsl(hue, muted, 6),
        Hsl(hue, muted, 3),
    )
    return {name: hex_of(colour) for name, colour in zip(TOKENS, colours, strict=True)}
