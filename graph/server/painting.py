"""Social cards, in the process that reads what came from elsewhere: a cover, a title and the colours of a theme.

The same card is the same bytes on every machine: the font comes along, and nothing is drawn by chance.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Iterator, Mapping
from importlib import resources
from io import BytesIO
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont

from domain.colours import contrast, hsl_of
from domain.links import CARD_HEIGHT as HEIGHT
from domain.links import CARD_WIDTH as WIDTH
from graph.server.pictures import first_picture

_EDGE, _COVER = 80, 470
_ROUND = 28
_TEXT = _EDGE + _COVER + 60
_ROOM = WIDTH - _TEXT - _EDGE
_LINES = 3
_SIZES = (76, 66, 58, 50, 44)
_SMALL = 30
_WRITABLE = ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1EFF), (0x2010, 0x2027))
"""What the font that comes along can write: Latin, Greek and Cyrillic letters, and what stands between them."""
_READABLE = 4.5
_SIDE = 180
"""How far the middle of a side is from the middle, of the 255 that a corner is."""
_LIGHT, _DARK = "#f7f4ee", "#141217"


class Card(NamedTuple):
    """What a card shows.

    Attributes:
        kind: what it is, in a word or two.
        title: how it is called.
        by: whose it is.
        address: where it is: written where the title cannot be.
        tokens: the colours of its theme, by name; empty where it has none.
    """

    kind: str
    title: str
    by: str
    address: str
    tokens: Mapping[str, str]

    @property
    def ground(self) -> str:
        """The colour beneath it."""
        return self.tokens.get("base", "#15131a")

    @property
    def accent(self) -> str:
        """The colour that stands out."""
        return self.tokens.get("accent", "#e8b04b")

    @property
    def glow(self) -> str:
        """The colour of its light."""
        return self.tokens.get("glow", "#7d5ba6")

    @property
    def ink(self) -> str:
        """What is read on the ground."""
        return max(_LIGHT, _DARK, key=lambda colour: _apart(colour, self.ground))


def paint(card: Card, cover: BinaryIO | None, into: BinaryIO) -> None:
    """Draw a card, as PNG.

    Raises:
        Invalid: the cover is no picture.
    """
    canvas = _ground(card)
    picture = _pattern(card) if cover is None else _fitted(first_picture(cover))
    _hang(canvas, picture)
    _write(canvas, card)
    canvas.save(into, "PNG", compress_level=6)
    into.flush()


def _ground(card: Card) -> Image.Image:
    """The ground of the theme, lit from where the cover hangs."""
    ground = Image.new("RGB", (WIDTH, HEIGHT), card.ground)
    end = Image.new("RGB", (WIDTH, HEIGHT), card.tokens.get("gradientEnd", card.ground))
    ground.paste(end, mask=Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    # Pillow's light goes out in the corners of its square: this one does at the sides, so that it has no edge.
    light = Image.radial_gradient("L").resize((1500, 1200)).point(lambda far: max(_SIDE - far, 0) * 100 // _SIDE)
    ground.paste(Image.new("RGB", light.size, card.glow), (-440, -290), light)
    return ground


def _fitted(picture: Image.Image) -> Image.Image:
    """The middle of a picture, as a square."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side)).resize((_COVER, _COVER), Image.Resampling.LANCZOS)


def _pattern(card: Card) -> Image.Image:
    """What hangs there where there is no cover: rings in the colours of the theme, others for each address."""
    scale = 2
    size = _COVER * scale
    drawn = Image.new("RGB", (size, size), card.tokens.get("surface", "#231f2b"))
    pen = ImageDraw.Draw(drawn)
    numbers = hashlib.sha256(card.address.encode()).digest()
    angle = numbers[0] / 256 * math.tau
    middle = size / 2 + math.cos(angle) * size / 4, size / 2 + math.sin(angle) * size / 4
    for ring in range(13, 0, -1):
        reach = size * ring / 11
        colour = card.glow if (numbers[ring] + ring) % 3 else card.accent
        box = (middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach)
        pen.ellipse(box, outline=colour, width=4 + numbers[ring] % 5 * 4)
    return drawn.resize((_COVER, _COVER), Image.Resampling.LANCZOS)


def _hang(canvas: Image.Image, picture: Image.Image) -> None:
    shape = Image.new("L", (_COVER * 2, _COVER * 2), 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, _COVER * 2 - 1, _COVER * 2 - 1), _ROUND * 2, fill=255)
    shape = shape.resize((_COVER, _COVER), Image.Resampling.LANCZOS)
    shadow = Image.new("L", (WIDTH, HEIGHT), 0)
    shadow.paste(shape.point(lambda value: value // 2), (_EDGE, _EDGE + 14))
    canvas.paste(Image.new("RGB", (WIDTH, HEIGHT), "black"), mask=shadow.filter(ImageFilter.GaussianBlur(22)))
    canvas.paste(picture, (_EDGE, _EDGE), shape)


def _write(canvas: Image.Image, card: Card) -> None:
    """What it is, how it is called and whose it is; in the middle of what is left beside the cover."""
    pen = ImageDraw.Draw(canvas)
    small = _font(_SMALL)
    accent = card.accent if _apart(card.accent, card.ground) >= _READABLE else card.ink
    title = _writable(card.title) or card.address
    size, lines = next(_settings(title))
    height = _SMALL + 26 + len(lines) * size * 1.16 + 22 + _SMALL
    at = (HEIGHT - height) / 2 - 20
    pen.text((_TEXT, at), card.kind.upper(), accent, small)
    at += _SMALL + 26
    for line in lines:
        pen.text((_TEXT, at), line, card.ink, _font(size))
        at += size * 1.16
    by = _writable(card.by)
    if by and by != title:
        pen.text((_TEXT, at + 22), _shortened(by, small), card.ink, small)
    pen.text((_TEXT, HEIGHT - _EDGE - 26), "casset", accent, _font(26))


def _settings(title: str) -> Iterator[tuple[int, list[str]]]:
    """Ways to set a title, the largest that fits first; the last one is cut off where it must be."""
    for size in _SIZES:
        lines = _wrapped(title, _font(size))
        if len(lines) <= _LINES and all(_font(size).getlength(line) <= _ROOM for line in lines):
            yield size, lines
    size = _SIZES[-1]
    *kept, last = _wrapped(title, _font(size))[:_LINES]
    rest = title[len(" ".join(kept)) :].strip() if kept else last
    yield size, [_shortened(line, _font(size)) for line in (*kept, rest)]


def _wrapped(title: str, font: ImageFont.FreeTypeFont) -> list[str]:
    lines: list[str] = []
    for word in title.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= _ROOM:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def _shortened(line: str, font: ImageFont.FreeTypeFont) -> str:
    if font.getlength(line) <= _ROOM:
        return line
    while line and font.getlength(f"{line}…") > _ROOM:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _writable(text: str) -> str:
    """A text, where the font can write all of it; otherwise nothing, rather than boxes."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text if all(any(low <= ord(sign) <= high for low, high in _WRITABLE) for sign in text) else ""


def _font(size: int) -> ImageFont.FreeTypeFont:
    if size not in _FONTS:
        file = resources.files("graph.server").joinpath("fonts", "DejaVuSansCondensed-Bold.ttf")
        _FONTS[size] = ImageFont.truetype(BytesIO(file.read_bytes()), size, layout_engine=ImageFont.Layout.BASIC)
    return _FONTS[size]


_FONTS: dict[int, ImageFont.FreeTypeFont] = {}


def _apart(one: str, other: str) -> float:
    colours = [hsl_of(*ImageColor.getrgb(colour)[:3]) for colour in (one, other)]
    return contrast(colours[0], colours[1])
