"""Colours: as screens have them, as people speak of them, and the one that a theme grows from, read off a picture."""

from __future__ import annotations

import colorsys
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

Rgb = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

HUES = 36
"""Buckets of ten degrees; the first one is around red."""
_NEAR_BLACK = 40
"""How bright the brightest channel of a pixel is at least; what is darker has no colour one would name."""
_NEAR_GREY = 32
"""How far its brightest and its darkest channel are apart at least: what is not is grey, white or black."""
_DOMINANT = 2
"""A bucket counts that holds at least one pixel where the fullest one holds so many."""


class Hsl(NamedTuple):
    """Hue in degrees, 0 to 359; saturation and lightness in percent."""

    hue: int
    saturation: int
    lightness: int


def hsl_of(red: float, green: float, blue: float) -> Hsl:
    """A colour of channels from 0 to 255, to the degree and the percent."""
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    return Hsl(round(hue * 360) % 360, round(saturation * 100), round(lightness * 100))


def rgb_of(colour: Hsl) -> Rgb:
    """The channels of a colour."""
    channels = colorsys.hls_to_rgb(colour.hue / 360, colour.lightness / 100, colour.saturation / 100)
    red, green, blue = (round(channel * 255) for channel in channels)
    return red, green, blue


def hex_of(colour: Hsl) -> str:
    """A colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*rgb_of(colour))


def contrast(one: Hsl, other: Hsl) -> float:
    """The contrast between two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Hsl) -> float:
    red, green, blue = (
        channel / 255 / 12.92 if channel <= 10 else ((channel / 255 + 0.055) / 1.055) ** 2.4
        for channel in rgb_of(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def seed_of(pixels: Iterable[Rgb]) -> Hsl | None:
    """The colour a theme may grow from: the mean of the most saturated among the dominant hues of a picture.

    Pixels near black or grey are dropped, the others put into buckets by their hue; those are dominant that hold at
    least half as many as the fullest one. It depends on which share of the pixels has which colour, and on nothing
    else: neither on their order nor on their number.

    Returns:
        None where every pixel is near black or grey.
    """
    sums: dict[int, list[int]] = {}
    for (red, green, blue), count in Counter(pixels).items():
        brightest, darkest = max(red, green, blue), min(red, green, blue)
        if brightest < _NEAR_BLACK or brightest - darkest < _NEAR_GREY:
            continue
        hue, _, _ = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
        held = sums.setdefault(round(hue * HUES) % HUES, [0, 0, 0, 0])
        for place, value in enumerate((1, red, green, blue)):
            held[place] += value * count
    if not sums:
        return None
    fullest = max(held[0] for held in sums.values())
    dominant = [(bucket, held) for bucket, held in sums.items() if held[0] * _DOMINANT >= fullest]
    # Of quotients of integers: as often as every pixel is repeated, they are the same numbers.
    _, (count, *channels) = max(dominant, key=lambda each: (_chroma(each[1]), each[1][0] / fullest, -each[0]))
    return hsl_of(*[channel / count for channel in channels])


def _chroma(held: list[int]) -> float:
    """How saturated the mean of a bucket is: pastel is bright, and not saturated."""
    count, *channels = held
    return (max(channels) - min(channels)) / count
