"""`casset lineage`: what something is made of and what is made of it, gathered as a family and told as a tree."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from domain.errors import BadInput
from domain.lineage import EdgeStatus
from graph.server.asking import Asker, clock, printable

KINDS = ("Track", "Sample", "Instrument", "Release", "Hook")
MOST_TOLD = 1000
"""Works that are told in one direction; that there are more is said."""
_PAGE = 50
_WORK = "__typename id title owner { handle }"
_WINDOW = "{ startMs endMs }"
_WALK = f"""query($id: ID!, $depth: Int, $first: Int, $after: String) {{ asset(id: $id) {{
  walk: %s(depth: $depth, first: $first, after: $after) {{ complete reason endCursor assets {{
    distance asset {{ {_WORK} }}
    through {{
      kind
      edge {{ id status child {{ id }} parent {{ id }} childWindow {_WINDOW} parentWindow {_WINDOW} }}
      item {{ id asset {{ id }} version {{ release {{ id }} }} }}
    }}
  }} }}
}} }}"""
UP, DOWN = "ancestors", "descendants"
_WHY_NOT_WHOLE = {
    "DEPTH": "There is more beyond that depth.",
    "BUDGET": "There is more than one walk may come by.",
    "PAGE": f"Only the nearest {MOST_TOLD} are told.",
}


@dataclass(slots=True)
class Work:
    """A work of the family.

    Attributes:
        key: its id; unseen works of one level share one, as nothing tells them apart.
        level: how many steps above what was asked about, or below where it is negative.
        title: None where it may not be seen.
        handle: of its owner.
        kind: in one word.
        count: how many works it stands for.
    """

    key: str
    level: int
    title: str | None = None
    handle: str = ""
    kind: str = ""
    count: int = 1

    @property
    def name(self) -> str:
        """How it is named."""
        if self.title is not None:
            return self.title or "untitled"
        return "unnamed" if self.count == 1 else f"{self.count} unnamed"


@dataclass(frozen=True, slots=True)
class Link:
    """How one work is made from another, by their keys.

    Attributes:
        said: the stretches and what is disputed, in words.
        is_settled: whether both owners agree.
    """

    key: str
    child: str
    parent: str
    kind: str
    said: str = ""
    is_settled: bool = True


@dataclass(slots=True)
class Family:
    """A work, everything it is made of and everything made of it.

    Attributes:
        root: the key of the work asked about.
        works: by key, the nearest first.
        links: each once, between works of neighbouring levels.
        missing: why it is not whole, in sentences.
    """

    root: str
    works: dict[str, Work]
    links: list[Link] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def count(self, *, upwards: bool) -> int:
        """How many works are above, or below."""
        return sum(work.count for work in self.works.values() if (work.level > 0 if upwards else work.level < 0))

    def steps(self, *, upwards: bool) -> dict[str, dict[str, list[Link]]]:
        """The links above, or below: by the nearer work, then by the farther one."""
        found: dict[str, dict[str, list[Link]]] = {}
        for link in self.links:
            if (self.works[link.parent].level > 0) is upwards:
                near, far = (link.child, link.parent) if upwards else (link.parent, link.child)
                found.setdefault(near, {}).setdefault(far, []).append(link)
        return found


async def family_of(asker: Asker, ref: str, depth: int | None = None) -> Family:
    """Gather the family of what a reference leads to; of a hook, that of its track.

    Args:
        asker: who asks.
        ref: a reference of any form.
        depth: at most so many steps away.

    Raises:
        NotFound: there is nothing the asker may see.
        BadInput: it is nothing that has a lineage, or the depth makes no sense.
    """
    node = await asker.find(ref, KINDS, f"... on Asset {{ {_WORK} }} ... on Hook {{ track {{ {_WORK} }} }}")
    asset = node["track"] if node["__typename"] == "Hook" else node
    if asset is None:
        raise BadInput("The hook's track is not yours to see.")
    root = _work(asset, 0)
    family = Family(root.key, {root.key: root})
    for direction in (UP, DOWN):
        await _walk(asker, family, direction, depth)
    return family


async def _walk(asker: Asker, family: Family, direction: str, depth: int | None) -> None:
    """Add what lies one way, page by page."""
    document, after, end = _WALK % direction, None, "PAGE"
    for _ in range(MOST_TOLD // _PAGE):
        asked = {"id": family.root, "depth": depth, "first": _PAGE, "after": after}
        walk = (await asker.ask(document, **asked))["asset"]["walk"]
        if walk is None:
            family.missing.append(f"Its {direction} are not told: it is withdrawn.")
            return
        for step in walk["assets"]:
            _take(family, step, 1 if direction == UP else -1)
        after, end = walk["endCursor"], walk["reason"]
        if end != "PAGE":
            break
    if end is not None:
        family.missing.append(f"{direction.capitalize()}: {_WHY_NOT_WHOLE[end]}")


def _work(asset: Mapping[str, Any], level: int) -> Work:
    return Work(
        asset["id"],
        level,
        printable(asset["title"]),
        printable(asset["owner"]["handle"]),
        asset["__typename"].lower(),
    )


def _take(family: Family, step: Mapping[str, Any], sign: int) -> None:
    """Add a work that a walk came by, and the links that lead to it."""
    level = sign * step["distance"]
    work = Work(f"unseen {level}", level) if step["asset"] is None else _work(step["asset"], level)
    if work.key in family.works:
        family.works[work.key].count += work.title is None
    else:
        family.works[work.key] = work
    for way in step["through"]:
        near = _near(way, upwards=sign > 0)
        if near not in family.works:
            # What comes before in the walk was told before: it is one of those that may not be seen.
            near = f"unseen {level - sign}" if step["distance"] > 1 else family.root
        child, parent = (near, work.key) if sign > 0 else (work.key, near)
        stored = way["edge"] or way["item"] or {"id": f"unseen {len(family.links)}"}
        family.links.append(
            Link(stored["id"], child, parent, way["kind"], _said(way["edge"]), _is_settled(way["edge"]))
        )


def _near(way: Mapping[str, Any], *, upwards: bool) -> str | None:
    """The id of the work a step comes from, where it may be seen."""
    edge, item = way["edge"], way["item"]
    if edge is not None:
        near = edge["child" if upwards else "parent"]
    elif item is not None:
        near = item["version"] and item["version"]["release"] if upwards else item["asset"]
    else:
        return None
    return near and near["id"]


def _said(edge: Mapping[str, Any] | None) -> str:
    """`at 0:00-0:40 from 0:05-0:45, claimed`: where in the child, which part of the parent, and what is disputed."""
    if edge is None:
        return ""
    words = [
        f"{word} {_stretch(edge[name])}"
        for word, name in (("at", "childWindow"), ("from", "parentWindow"))
        if edge[name]
    ]
    status = [] if _is_settled(edge) else [edge["status"].lower()]
    return ", ".join([" ".join(words)] * bool(words) + status)


def _is_settled(edge: Mapping[str, Any] | None) -> bool:
    return edge is None or edge["status"] == EdgeStatus.CONFIRMED


def _stretch(window: Mapping[str, Any]) -> str:
    end = "the end" if window["endMs"] is None else clock(window["endMs"])
    return f"{clock(window['startMs'] or 0)}–{end}"


def told(links: Sequence[Link]) -> str:
    """The links between two works, in words."""
    return "; ".join(f"{link.kind} {link.said}".strip() for link in links)


def show_family(family: Family, console: Console) -> None:
    """Print a family as two trees: what the work is made of, and what is made of it."""
    for upwards, said in ((True, "is made of"), (False, "is in")):
        count = family.count(upwards=upwards)
        root = family.works[family.root]
        works = f"{count} works" if count != 1 else "1 work"
        tree = Tree(
            Text(f"“{root.name}” by {root.handle} {said} {works}" if count else f"“{root.name}” {said} nothing")
        )
        _grow(tree, family, family.steps(upwards=upwards))
        console.print(tree, highlight=False, soft_wrap=True)
    for sentence in family.missing:
        console.print(sentence, highlight=False, markup=False)


def _grow(whole: Tree, family: Family, steps: Mapping[str, Mapping[str, list[Link]]]) -> None:
    """Hang every work below one it is linked to; where it hangs elsewhere too, it is only named."""
    shown, waiting = {family.root}, deque([(whole, family.root)])
    while waiting:
        tree, near = waiting.popleft()
        for far, links in steps.get(near, {}).items():
            work, is_new = family.works[far], far not in shown
            by = f" by {work.handle}, {work.kind}" if work.handle else ""
            line = f"{told(links)}: {work.name}{by}"
            branch = tree.add(Text(line if is_new else f"{line} (see above)", style="" if is_new else "dim"))
            if is_new:
                shown.add(far)
                waiting.append((branch, far))
