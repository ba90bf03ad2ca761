"""Families drawn by chance, and SVG read by a parser that trusts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from xml.parsers import expat

from domain.lineage import StepKind
from graph.server.lineage import Family, Link, Work

TITLES = (
    "Rain",
    "",
    "x" * 300,
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "雨の歌" * 20,
    "<script>alert(\"1\")</script> & ]]> 'quoted'",
    "مرحبا بالعالم",
)
ELEMENTS = {"svg", "title", "rect", "text", "path", "g"}


def family(above: Sequence[int], below: Sequence[int], seed: int, unseen: float = 0.1) -> Family:
    """A family with levels of these sizes, nearest first; some works are unseen, some have several links."""
    chance = Random(seed)
    root = Work("track_root", 0, chance.choice(TITLES), "ada", "track")
    works, links = {root.key: root}, []
    for sign, sizes in ((1, above), (-1, below)):
        before = [root.key]
        for level, size in enumerate(sizes, start=1):
            now: dict[str, None] = {}
            for number in range(size):
                is_unseen = chance.random() < unseen
                key = f"unseen {sign * level}" if is_unseen else f"track_{sign * level}_{number}"
                if key in works:
                    works[key].count += 1
                elif is_unseen:
                    works[key] = Work(key, sign * level)
                else:
                    kind = chance.choice(("track", "sample", "instrument", "release"))
                    works[key] = Work(key, sign * level, chance.choice(TITLES), "ada & ben", kind)
                now[key] = None
                for _ in range(chance.choice((1, 1, 1, 2, 5))):
                    near = chance.choice(before)
                    child, parent = (near, key) if sign > 0 else (key, near)
                    is_settled = chance.random() < 0.9
                    kind = chance.choice(list(StepKind)).value
                    links.append(Link(f"edge_{len(links)}", child, parent, kind, "at 0:00–0:40", is_settled))
            before = list(now)
    return Family(root.key, works, links, ["There is more."] * chance.randint(0, 2))


@dataclass
class Element:
    """An element as it was written."""

    name: str
    attributes: dict[str, str]
    parent: Element | None
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self) -> list[Element]:
        """It and everything in it, in the order of the document."""
        return [self, *[inner for child in self.children for inner in child.all()]]

    def number(self, name: str) -> float:
        """An attribute that is a number."""
        return float(self.attributes[name])


def read_svg(text: str) -> Element:
    """Parse an SVG document; anything but plain elements, attributes and text is refused."""
    top = Element("", {}, None)
    here = top
    parser = expat.ParserCreate("utf-8")

    def refuse(*_: object) -> None:
        raise AssertionError("only elements, attributes and text belong in the picture")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal here
        assert name in ELEMENTS, name
        assert not any(word.startswith("on") or "href" in word or word == "style" for word in attributes), attributes
        here.children.append(Element(name, attributes, here))
        here = here.children[-1]

    def end(_: str) -> None:
        nonlocal here
        assert here.parent is not None
        here = here.parent

    def say(said: str) -> None:
        here.text += said

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ProcessingInstructionHandler = parser.CommentHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, say
    parser.Parse(text.encode(), True)
    (document,) = top.children
    assert document.attributes["xmlns"] == "http://www.w3.org/2000/svg"
    return document
