"""A picture of a family is whole and legible: every work and link once, nothing on top of anything."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, pairwise
from random import Random
from typing import NamedTuple

import pytest

from graph.server.drawing import draw
from graph.server.lineage import Family, Work
from tests.graph.server.families import Element, family, read_svg

STEPS = 12
"""Points along a curve at which it is looked at."""


class Area(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Area) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, x: float, y: float) -> bool:
        return self.left < x < self.right and self.top < y < self.bottom


def by_chance(seed: int) -> Family:
    """Up to four levels on either side, each of up to thirty works."""
    chance = Random(seed)
    above, below = ([chance.randint(1, 30) for _ in range(chance.randint(0, 4))] for _ in range(2))
    return family(above, below, seed, chance.choice((0, 0.1, 0.5)))


@pytest.fixture(params=range(25))
def drawn(request: pytest.FixtureRequest) -> Family:
    return by_chance(request.param)


def area(element: Element) -> Area:
    x, y = element.number("x"), element.number("y")
    return Area(x, y, x + element.number("width"), y + element.number("height"))


class Picture:
    """A picture as it was drawn."""

    def __init__(self, drawn: Family) -> None:
        document = read_svg(draw(drawn))
        elements = document.all()
        x, y, width, height = map(float, document.attributes["viewBox"].split())
        self.whole = Area(x, y, x + width, y + height)
        self.works = {
            element.attributes["data-work"]: next(inner for inner in element.children if inner.name == "rect")
            for element in elements
            if "data-work" in element.attributes
        }
        self.drawn = Counter(element.attributes.get("data-work") for element in elements)
        self.boxes = {key: area(rect) for key, rect in self.works.items()}
        self.links = [element for element in elements if element.name == "path"]
        self.labels = [element for element in elements if element.name == "text" and element.parent is document]
        self.texts = [element.text for element in elements]


def second(values: tuple[float, ...]) -> float:
    return values[1]


def points(path: Element) -> list[tuple[float, float]]:
    """Where a path goes: its corners, and points along its curve."""
    number = r"-?\d+(?:\.\d+)?"
    found: list[tuple[float, float]] = []
    for command, body in re.findall(r"([MLC])([^MLC]*)", path.attributes["d"]):
        numbers = [float(word) for word in re.findall(number, body)]
        ends = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "C":
            start, (one, two, end) = found[-1], ends
            for step in range(1, STEPS + 1):
                t = step / STEPS
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                found.append(
                    (
                        sum(w * p[0] for w, p in zip(weights, (start, one, two, end), strict=True)),
                        sum(w * p[1] for w, p in zip(weights, (start, one, two, end), strict=True)),
                    )
                )
        else:
            found += ends
    return found


def between(path: Element) -> list[tuple[float, float]]:
    """Points along a path, close to each other."""
    return [
        (x + (end_x - x) * step / STEPS, y + (end_y - y) * step / STEPS)
        for (x, y), (end_x, end_y) in pairwise(points(path))
        for step in range(STEPS + 1)
    ]


def test_every_work_and_every_link_is_drawn_once(drawn: Family) -> None:
    picture = Picture(drawn)
    assert {key: picture.drawn[key] for key in drawn.works} == dict.fromkeys(drawn.works, 1)
    assert picture.works.keys() == drawn.works.keys()
    assert Counter(link.attributes["data-link"] for link in picture.links) == Counter(link.key for link in drawn.links)
    assert all(sentence in picture.texts for sentence in drawn.missing)


def test_no_two_works_overlap_and_all_is_within_the_picture(drawn: Family) -> None:
    picture = Picture(drawn)
    assert not any(one.overlaps(other) for one, other in combinations(picture.boxes.values(), 2))
    for box in picture.boxes.values():
        assert picture.whole.left < box.left < box.right < picture.whole.right
        assert picture.whole.top < box.top < box.bottom < picture.whole.bottom
    for path in picture.links:
        assert all(picture.whole.holds(*point) for point in points(path))


def test_a_link_leads_from_its_work_to_the_other_and_crosses_none(drawn: Family) -> None:
    picture = Picture(drawn)
    links = {link.key: link for link in drawn.links}
    # Numbers are written with one decimal: what touches a side may seem to be within by less than that.
    inside = [Area(box.left + 0.2, box.top + 0.2, box.right - 0.2, box.bottom - 0.2) for box in picture.boxes.values()]
    for path in picture.links:
        link, way = links[path.attributes["data-link"]], points(path)
        ends = [picture.boxes[key] for key in (link.child, link.parent)]
        for (x, y), box in zip(sorted((way[0], way[-1]), key=second), sorted(ends, key=second), strict=True):
            assert box.left < x < box.right
            assert min(abs(y - box.top), abs(y - box.bottom)) < 0.2
        whole = Area(min(x for x, _ in way), min(y for _, y in way), max(x for x, _ in way), max(y for _, y in way))
        near = [box for box in inside if box.overlaps(whole)]
        assert not any(box.holds(*point) for point in between(path) for box in near)


def test_a_label_stands_on_no_work(drawn: Family) -> None:
    picture = Picture(drawn)
    for label in picture.labels:
        x, y = label.number("x"), label.number("y")
        said = Area(x, y - 8, x + 120, y + 2)
        assert not any(said.overlaps(box) for box in picture.boxes.values())


def test_what_is_above_stands_above_and_what_is_farther_stands_farther(drawn: Family) -> None:
    picture = Picture(drawn)
    bands: dict[int, list[Area]] = {}
    for key, box in picture.boxes.items():
        bands.setdefault(drawn.works[key].level, []).append(box)
    for lower, upper in pairwise(sorted(bands)):
        assert max(box.bottom for box in bands[upper]) < min(box.top for box in bands[lower])


def test_three_hundred_and_forty_four_parents_are_a_block_and_no_line() -> None:
    picture = Picture(family([344], [2600], seed=1, unseen=0))
    breadth = picture.whole.right - picture.whole.left
    height = picture.whole.bottom - picture.whole.top
    assert len(picture.works) == 1 + 344 + 2600
    assert 0.5 < breadth / height < 4


def test_a_work_of_which_nothing_is_known_to_be_made_is_drawn_alone() -> None:
    picture = Picture(Family("track_a", {"track_a": Work("track_a", 0, "Alone", "ada", "track")}))
    assert list(picture.works) == ["track_a"]
    assert picture.links == []


@pytest.mark.parametrize("seed", range(5))
def test_the_same_family_is_drawn_alike(seed: int) -> None:
    assert draw(family([5, 3], [4], seed)) == draw(family([5, 3], [4], seed))


def test_unseen_works_are_counted_and_not_named() -> None:
    drawn = family([40], [], seed=3, unseen=0.5)
    unseen = drawn.works["unseen 1"]
    picture = Picture(drawn)
    assert f"{unseen.count} unnamed" in picture.texts
