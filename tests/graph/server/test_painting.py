"""Social cards are the same bytes everywhere: a cover, or rings of its own; a title that can be read, or no title."""

from __future__ import annotations

import io
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from domain.colours import contrast, hsl_of
from domain.errors import Invalid
from domain.links import CARD_HEIGHT, CARD_WIDTH
from domain.media import Format
from graph.server.painting import Card, paint
from tests.graph.server.test_covers import picture
from tests.graph.server.test_loops import film

TOKENS = {"base": "#10242b", "surface": "#16323b", "accent": "#4fb3c8", "glow": "#7fd0e0", "gradientEnd": "#1c1a2e"}
CARD = Card("Hook", "Ferry Light", "Marrow & Tide", "/marrow-and-tide", TOKENS)
COVER = (100, 300), (530, 300)
"""Places on the left and on the right half of where a cover hangs."""


def painted(card: Card, cover: bytes | None = None) -> bytes:
    out = io.BytesIO()
    paint(card, None if cover is None else io.BytesIO(cover), out)
    return out.getvalue()


def colours(data: bytes, *places: tuple[int, int]) -> list[Any]:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (CARD_WIDTH, CARD_HEIGHT))
    return [image.getpixel(place) for place in places]


@pytest.mark.parametrize("kind", [Format.PNG, Format.JPEG, Format.WEBP])
def test_a_cover_hangs_on_its_card_whatever_it_is_written_in(kind: Format) -> None:
    left, right = colours(painted(CARD, picture(kind)), *COVER)
    assert left[0] > left[2] + 100, "its left half is red"
    assert right[2] > right[0] + 100, "its right half is blue"


def test_of_a_loop_the_first_picture_hangs_there() -> None:
    (place,) = colours(painted(CARD, film()), (315, 315))
    (without,) = colours(painted(CARD), (315, 315))
    assert place != without


def test_what_is_no_picture_is_refused() -> None:
    for cover in (b"", b"<svg onload=alert(1)>", picture(Format.PNG)[:60]):
        with pytest.raises(Invalid):
            painted(CARD, cover)


def test_the_same_card_is_the_same_bytes_and_another_is_another() -> None:
    others = [
        CARD,
        CARD._replace(title="Ferry Dark"),
        CARD._replace(by="Oda"),
        CARD._replace(kind="Release"),
        CARD._replace(address="/oda"),
        CARD._replace(tokens=TOKENS | {"accent": "#ff8800"}),
        CARD._replace(tokens={}),
    ]
    drawn = [painted(card) for card in others]
    assert drawn[0] == painted(CARD)
    assert all(one != other for one, other in combinations(drawn, 2))


def test_a_title_that_the_font_cannot_write_is_left_out_rather_than_drawn_as_boxes() -> None:
    for title in ("字", "فجر", "🎵", "a\u202eb", "  "):
        assert painted(CARD._replace(title=title)) == painted(CARD._replace(title="/marrow-and-tide"))
    written = [painted(CARD._replace(title=title)) for title in ("Żółć", "Ναι", "Ёлка", "Việt", "e\u0301")]
    assert len(set(written)) == 5
    assert written[-1] == painted(CARD._replace(title="é")), "however it is spelled"


@settings(deadline=None, max_examples=12)
@given(st.text(max_size=400), st.text(max_size=200))
def test_whatever_it_is_called_it_is_drawn(title: str, by: str) -> None:
    colours(painted(CARD._replace(title=title, by=by)))


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_its_ink_is_readable_on_every_ground(ground: tuple[int, int, int]) -> None:
    card = CARD._replace(tokens={"base": "#{:02x}{:02x}{:02x}".format(*ground)})
    ink = int(card.ink[1:3], 16), int(card.ink[3:5], 16), int(card.ink[5:7], 16)
    assert contrast(hsl_of(*ink), hsl_of(*ground)) >= 3.9
