"""The colour of a cover: what it depends on, and what grows from it."""

from __future__ import annotations

import random
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.artists import SeedSource
from domain.assets import Badge
from domain.colours import Hsl, Rgb, contrast, hex_of, hsl_of, rgb_of, seed_of
from domain.errors import Invalid
from domain.ids import Kind, Ref
from domain.themes import READABLE, TOKENS, Look, checked_look, grown, read_seed

CHANNEL = st.integers(0, 255)
PIXELS = st.lists(st.tuples(CHANNEL, CHANNEL, CHANNEL), max_size=60)
COLOURS = st.builds(Hsl, st.integers(0, 359), st.integers(0, 100), st.integers(0, 100))
RED, BLUE, DULL = (230, 20, 30), (20, 40, 220), (120, 150, 90)
COVER = Ref(Kind.MEDIA, UUID(int=1))


@given(PIXELS, st.integers(2, 5), st.randoms(use_true_random=False))
def test_a_seed_depends_on_how_much_of_a_picture_has_which_colour_and_on_nothing_else(
    pixels: list[Rgb], times: int, chance: random.Random
) -> None:
    seed = seed_of(pixels)
    shuffled = pixels * times
    chance.shuffle(shuffled)
    assert seed_of(shuffled) == seed
    assert seed_of(iter(pixels)) == seed


@given(PIXELS, st.lists(st.integers(0, 39).map(lambda dark: (dark, dark, dark)), max_size=30))
def test_what_is_black_or_grey_has_no_say(pixels: list[Rgb], dark: list[Rgb]) -> None:
    grey = [(light, light + 9, light + 5) for light in range(0, 240, 7)]
    assert seed_of([*dark, *pixels, *grey]) == seed_of(pixels)


@given(st.tuples(CHANNEL, CHANNEL, CHANNEL))
def test_a_picture_of_one_colour_has_that_colour_or_none(colour: Rgb) -> None:
    assert seed_of([colour] * 7) in {hsl_of(*colour), None}


@given(PIXELS)
def test_a_seed_is_always_in_its_range(pixels: list[Rgb]) -> None:
    seed = seed_of(pixels)
    assert seed is None or (0 <= seed.hue < 360 and 0 <= seed.saturation <= 100 and 0 <= seed.lightness <= 100)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        ([], None),
        ([(0, 0, 0), (255, 255, 255), (128, 128, 128), (60, 70, 65)], None),
        ([RED] * 40 + [DULL] * 60, RED),  # not the fullest, and full enough
        ([RED] * 20 + [DULL] * 80, DULL),  # a spot of red is no dominant colour
        ([RED] * 30 + [BLUE] * 30 + [(255, 255, 255)] * 900, RED),
        ([(255, 0, 4), (255, 4, 0)] * 5 + [(90, 140, 90)], (255, 2, 2)),  # red is one bucket, on both sides of 0
    ],
)
def test_the_most_saturated_of_the_dominant_colours_is_taken(pixels: list[Rgb], expected: Rgb | None) -> None:
    assert seed_of(pixels) == (None if expected is None else hsl_of(*expected))


@given(COLOURS)
def test_what_grows_from_a_seed_can_be_read(seed: Hsl) -> None:
    colours = grown(seed)
    assert tuple(colours) == TOKENS
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours.values())
    ground, accent = (hsl_of(*bytes.fromhex(colours[name][1:])) for name in ("base", "accent"))
    assert contrast(ground, accent) >= READABLE - 0.3, "rounded to the percent"
    assert grown(seed) == colours


@given(COLOURS)
def test_a_colour_is_spelled_as_it_is_shown(colour: Hsl) -> None:
    assert hex_of(colour) == "#" + bytes(rgb_of(colour)).hex()


def test_contrast_is_that_of_the_web() -> None:
    assert contrast(Hsl(0, 0, 0), Hsl(0, 0, 100)) == pytest.approx(21)
    assert contrast(Hsl(0, 100, 50), Hsl(0, 0, 100)) == pytest.approx(3.998, abs=1e-3)


@pytest.mark.parametrize(
    ("source", "given_", "cover", "field"),
    [
        (SeedSource.CUSTOM, {"hue": 360, "saturation": 0, "lightness": 0}, None, "hue"),
        (SeedSource.CUSTOM, {"hue": -1, "saturation": 0, "lightness": 0}, None, "hue"),
        (SeedSource.CUSTOM, {"hue": 0, "saturation": 101, "lightness": 0}, None, "saturation"),
        (SeedSource.CURATED, {"hue": 0, "saturation": 0, "lightness": -1}, None, "lightness"),
        (SeedSource.CURATED, {"hue": 0, "saturation": 0}, None, "lightness"),
        (SeedSource.CUSTOM, {}, None, "hue"),
        (SeedSource.CUSTOM, {"hue": 0, "saturation": 0, "lightness": 0}, COVER, "cover"),
        (SeedSource.COVER, {}, None, "cover"),
        (SeedSource.COVER, {"hue": 5}, COVER, "hue"),
    ],
)
def test_a_seed_is_a_colour_or_a_cover(
    source: SeedSource, given_: dict[str, int], cover: Ref | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read_seed(source, given_, cover)
    assert refused.value.path == ("theme", "seed", field)


SEED = read_seed(SeedSource.CUSTOM, {"hue": 1, "saturation": 2, "lightness": 3}, None)


@pytest.mark.parametrize(
    ("look", "path"),
    [
        (Look(SEED, values={"texture_opacity": float("nan")}), ("textureOpacity",)),
        (Look(SEED, values={"texture_opacity": float("inf")}), ("textureOpacity",)),
        (Look(SEED, values={"texture_opacity": 1.01}), ("textureOpacity",)),
        (Look(SEED, values={"glow_strength": -0.1}), ("details", "glow")),
        (Look(SEED, values={"grain": 2}), ("details", "grain")),
        (Look(SEED, values={"pattern": "Not A Name"}), ("pattern",)),
        (Look(SEED, values={"pattern": "a" * 61}), ("pattern",)),
        (Look(SEED, values={"typography": "x" * 121}), ("details", "typography")),
        (Look(SEED, values={"release_posture": "a\u0007"}), ("releasePosture",)),
        (Look(SEED, {"gradient_end": "red"}), ("tokens", "gradientEnd")),
        (Look(SEED, {"base": "#12345"}), ("tokens", "base")),
        (Look(SEED, {"base": "url(x)"}), ("tokens", "base")),
        (Look(SEED, badges=frozenset({Badge.NO_AI_USED, Badge.AI_ASSISTED})), ("badges",)),
    ],
)
def test_a_theme_that_breaks_a_rule_is_told_where(look: Look, path: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        checked_look(look)
    assert refused.value.path == ("theme", *path)
