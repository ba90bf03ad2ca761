"""A family drawn as SVG: what a work is made of stands above it, what is made of it below, by distance.

Heights are measured away from the work asked about, on either side. A level is a band, and a wide band wraps into
rows. A link leaves the farther work on its near side, beside a label that names the kinds; from an outer row it takes
the lane between two rows and the gutter between two columns, and between two bands it is a curve. So no link crosses
a work.
"""

from __future__ import annotations

import colorsys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, sqrt
from unicodedata import east_asian_width

from domain.lineage import StepKind
from graph.server.lineage import Family, Link, Work, told

WIDTH, HEIGHT = 184.0, 42.0
"""Of a box."""
GUTTER, LANE, LINE = 30.0, 14.0, 12.0
"""Between columns; between rows; a line of a label."""
PORTS = 56.0
"""How much of a box's side its links take; the label takes the rest."""
TRACKS = 6
"""Lines in a gutter."""
LEAST_COLUMNS = 8
MARGIN, HEADER = 24.0, 40.0
_TINTS = {"track": "#eef4ff", "sample": "#eefaf0", "instrument": "#fff6e6", "release": "#f7efff"}

Point = tuple[float, float]
"""(x, height)."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a work stands.

    Attributes:
        x: its left side.
        near: the height of its near side; `far` of its far one.
        lane: the height at which links to it turn into the gutter; None in the row that is nearest.
        beyond: the height at which links from it do; None in the row that is farthest.
        band: from where to where its level reaches.
        track: the line of the gutters that links from it take.
    """

    x: float
    near: float
    lane: float | None
    beyond: float | None
    band: tuple[float, float]
    track: int

    @property
    def far(self) -> float:
        """Its far side."""
        return self.near + HEIGHT

    def gutter(self, track: int) -> float:
        """A line in the gutter beside it."""
        return self.x + WIDTH + GUTTER * (1 + track % TRACKS) / (TRACKS + 1)


class Side:
    """The works on one side of the work asked about, laid out."""

    def __init__(self, family: Family, columns: int, *, upwards: bool) -> None:
        """Lay them out in at most so many columns."""
        self.sign = -1 if upwards else 1
        self._columns = columns
        self._inward: dict[str, list[tuple[str, Link]]] = {}
        self._outward: dict[str, list[tuple[str, Link]]] = {}
        for near, beyond in family.steps(upwards=upwards).items():
            for far, links in beyond.items():
                self._inward.setdefault(far, []).extend((near, link) for link in links)
                self._outward.setdefault(near, []).extend((far, link) for link in links)
        half = HEIGHT / 2
        self.boxes = {family.root: Box(-WIDTH / 2, -half, None, None, (-half, half), 0)}
        levels: dict[int, list[str]] = {}
        for work in family.works.values():
            if work.level * self.sign < 0:
                levels.setdefault(abs(work.level), []).append(work.key)
        height = half
        for level in sorted(levels):
            height = self._lay(levels[level], height + 40.0 + 8.0 * min(len(levels[level]), columns))
        self.height = height

    def _lay(self, works: Sequence[str], start: float) -> float:
        """Lay out a level from a height on; answers where it ends."""
        rows = ceil(len(works) / self._columns)
        columns = ceil(len(works) / rows)
        ordered = sorted(works, key=lambda work: (self._middle(work), work))
        labels = [LINE * max(len(self.kinds(work)) for work in ordered[row::rows]) for row in range(rows)]
        near = [start + sum(labels[: row + 1]) + (row + 1) * LANE + row * HEIGHT for row in range(rows)]
        band = start, near[-1] + HEIGHT
        for place, work in enumerate(ordered):
            column, row = divmod(place, rows)
            self.boxes[work] = Box(
                (column - columns / 2) * (WIDTH + GUTTER) + GUTTER / 2,
                near[row],
                near[row] - labels[row] - LANE / 3 if row else None,
                near[row] + HEIGHT + LANE / 3 if row < rows - 1 else None,
                band,
                place,
            )
        return band[1]

    def _middle(self, work: str) -> tuple[float, float]:
        """Where the nearer works stand that it is linked to, on average: across, and in height."""
        boxes = [self.boxes[near] for near, _ in self._inward[work]]
        return sum(box.x for box in boxes) / len(boxes), sum(box.near for box in boxes) / len(boxes)

    def kinds(self, work: str) -> Counter[str]:
        """The kinds of the links from a work inwards, with how many there are."""
        return Counter(link.kind for _, link in self._inward.get(work, ()))

    def ways(self) -> Iterator[tuple[Link, list[Point], list[Point]]]:
        """Every link: its points from the farther work to where a curve begins, and from where it ends."""
        ports = {
            (near, link.key): self.boxes[near].x + WIDTH * place / (len(ways) + 1)
            for near, ways in self._outward.items()
            for place, (_, link) in enumerate(self._ranked(ways), start=1)
        }
        for far, ways in self._inward.items():
            for place, (near, link) in enumerate(self._ranked(ways), start=1):
                leaves = self.boxes[far].x + WIDTH - PORTS * (1 - place / (len(ways) + 1))
                yield link, self._leaving(far, near, leaves), self._reaching(near, ports[near, link.key])

    def _ranked(self, ways: Sequence[tuple[str, Link]]) -> list[tuple[str, Link]]:
        """From left to right."""
        return sorted(ways, key=lambda way: (self.boxes[way[0]].x, way[0], way[1].key))

    def _leaving(self, far: str, near: str, x: float) -> list[Point]:
        box = self.boxes[far]
        if box.lane is None:
            return [(x, box.near), (x, box.band[0])]
        gutter = box.gutter(self.boxes[near].track)
        return [(x, box.near), (x, box.lane), (gutter, box.lane), (gutter, box.band[0])]

    def _reaching(self, near: str, x: float) -> list[Point]:
        box = self.boxes[near]
        if box.beyond is None:
            return [(x, box.far)]
        gutter = box.gutter(box.track)
        return [(gutter, box.band[1]), (gutter, box.beyond), (x, box.beyond), (x, box.far)]


def draw(family: Family) -> str:
    """A picture of a family, as an SVG document: every work once, every link once."""
    widest = max(Counter(work.level for work in family.works.values()).values())
    columns = max(LEAST_COLUMNS, ceil(sqrt(widest / 2)))
    above, below = (Side(family, columns, upwards=upwards) for upwards in (True, False))
    boxes = [*above.boxes.values(), *below.boxes.values()]
    heading, *missing = heading_of(family), *family.missing
    left = min(box.x for box in boxes) - MARGIN
    right = max(max(box.x for box in boxes) + WIDTH + GUTTER, left + _breadth(heading, 15)) + MARGIN
    top = -above.height - HEADER - LINE * len(missing) - MARGIN
    bottom = below.height + MARGIN
    size = f'width="{right - left:.0f}" height="{bottom - top:.0f}"'
    view = f"{left:.1f} {top:.1f} {right - left:.1f} {bottom - top:.1f}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" {size} role="img" font-family="sans-serif">',
            f"<title>{escape(heading)}</title>",
            f'<rect x="{left:.1f}" y="{top:.1f}" width="100%" height="100%" fill="#ffffff"/>',
            _text(left + MARGIN, top + MARGIN + 10, heading, 15, "#111111"),
            *[
                _text(left + MARGIN, top + MARGIN + 14 + LINE * place, sentence, 10, "#a02020")
                for place, sentence in enumerate(missing, start=1)
            ],
            *[line for side in (above, below) for line in _links(side)],
            *[line for side in (above, below) for line in _labels(side)],
            *[line for side in (above, below) for line in _works(family, side)],
            "</svg>\n",
        ]
    )


def heading_of(family: Family) -> str:
    """What the picture shows."""
    above, below = (family.count(upwards=upwards) for upwards in (True, False))
    root = family.works[family.root]
    return f"{root.name} by {root.handle}: made of {above} (above), part of {below} (below)"


def _links(side: Side) -> Iterator[str]:
    for link, leaving, reaching in side.ways():
        (x, start), (end_x, end) = leaving[-1], reaching[0]
        middle = (start + end) / 2
        path = " L".join(_at(side, *point) for point in leaving)
        curve = f" C{_at(side, x, middle)} {_at(side, end_x, middle)} {_at(side, end_x, end)}"
        rest = "".join(f" L{_at(side, *point)}" for point in reaching[1:])
        dashes = "" if link.is_settled else ' stroke-dasharray="5 3"'
        look = f'fill="none" stroke="{_colour(link.kind)}" stroke-width="1.3" stroke-linejoin="round"{dashes}'
        yield (
            f'<path data-link="{escape(link.key)}" d="M{path}{curve}{rest}" {look} opacity="0.75">'
            f"<title>{escape(told([link]))}</title></path>"
        )


def _labels(side: Side) -> Iterator[str]:
    """Beside the near side of each work: the kinds of its links inwards."""
    for work, box in side.boxes.items():
        for place, (kind, count) in enumerate(sorted(side.kinds(work).items())):
            height = box.near - 4 - LINE * place if side.sign > 0 else box.near - LINE + 2 - LINE * place
            said = kind.lower().replace("_", " ") + (f" ×{count}" if count > 1 else "")
            yield _text(box.x + 2, side.sign * height, said, 10, _colour(kind))


def _works(family: Family, side: Side) -> Iterator[str]:
    for key, box in side.boxes.items():
        if key == family.root and side.sign < 0:
            continue  # it stands on both sides, and is drawn once
        work = family.works[key]
        y = min(side.sign * box.near, side.sign * box.far)
        yield f'<g data-work="{escape(key)}"><title>{escape(_in_full(work))}</title>'
        yield f'<rect x="{box.x:.1f}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="6" {_border(family, work)}/>'
        yield _text(box.x + 9, y + 18, _fitted(work.name, 12), 12, "#111111")
        if work.handle:
            yield _text(box.x + 9, y + 33, _fitted(f"{work.handle} · {work.kind}", 10), 10, "#555555")
        yield "</g>"


def _border(family: Family, work: Work) -> str:
    if work.title is None:
        return 'fill="#f2f2f2" stroke="#888888" stroke-dasharray="3 3"'
    width = 2.5 if work.key == family.root else 1
    return f'fill="{_TINTS.get(work.kind, "#ffffff")}" stroke="#444444" stroke-width="{width}"'


def _in_full(work: Work) -> str:
    return f"{work.name} by {work.handle}, {work.kind}" if work.handle else work.name


def _at(side: Side, x: float, height: float) -> str:
    return f"{x:.1f} {side.sign * height:.1f}"


def _text(x: float, y: float, said: str, size: int, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}">{escape(said)}</text>'


def _colour(kind: str) -> str:
    """A colour of its own for each kind."""
    hue = list(StepKind).index(StepKind(kind)) / len(StepKind)
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.36, 0.6))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _fitted(said: str, size: int) -> str:
    """A text cut so that it fits into a box."""
    if _breadth(said, size) <= WIDTH - 18:
        return said
    while _breadth(f"{said}…", size) > WIDTH - 18:
        said = said[:-1]
    return f"{said.rstrip()}…"


def _breadth(said: str, size: int) -> float:
    """How broad a text is at most, in about any font without serifs."""
    return size * sum(map(_em, said))


def _em(letter: str) -> float:
    if east_asian_width(letter) in "FW":
        return 1.05
    if letter in "MWmw@%—…":
        return 0.95
    if letter in "iljtfrI.,:;'|!()[]- ":
        return 0.4
    return 0.75 if letter.isupper() else 0.6
