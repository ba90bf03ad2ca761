"""All that an asset is made of: up, with the shortest ways, and down, with all that is met above summed up.

Both walk bonds, not assets: which stretch of an asset is meant depends on the bond by which it is reached, and the
windows at one asset are united only in so far as a bond above it overlaps any of them. A bond is crossed once for each
bit (`domain.levels`), so that a walk ends whatever cycles the facts hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from domain.facts import CARRIES, Graph
from domain.levels import BITS, EVERY, OUTRIGHT, WIDTH
from domain.lineage import EdgeKind
from domain.windows import Window, overlap

_CARRIES = {
    kind: sum((1 << bit) | (1 << bit + WIDTH) for (_, layer), bit in BITS.items() if layer in layers)
    for kind, layers in CARRIES.items()
}


class Arrival(NamedTuple):
    """An asset reached.

    Attributes:
        node: the asset's number.
        fresh: the bits in which it is the first arrival at the asset.
        path: the ids of the bonds that led here, the shortest; of those as short, the first by ids.
    """

    node: int
    fresh: int
    path: tuple[UUID, ...]


class Ascent(NamedTuple):
    """What a walk found.

    Attributes:
        arrivals: shortest paths first, then by the ids of their bonds.
        reached: the bits in which each asset was reached, by its number.
        crossed: the bits in which each bond was crossed, by its number.
    """

    arrivals: list[Arrival]
    reached: dict[int, int]
    crossed: dict[int, int]


def carries(graph: Graph, reaches: Callable[[int], int]) -> Callable[[int], int]:
    """The bits each bond carries; `reaches` answers which an instrument (by number) does."""

    def carried(bond: int) -> int:
        kind = graph.bonds[bond].kind
        if kind is EdgeKind.USES_INSTRUMENT:
            return _CARRIES[kind] & reaches(graph.parents[bond])
        return _CARRIES[kind]

    return carried


def ascend(
    graph: Graph,
    start: int,
    window: Window | None,
    carried: Callable[[int], int],
    goes_on: Callable[[int], bool] = lambda _: True,
) -> Ascent:
    """Walk from an asset over all that binds it, breadth first.

    Args:
        graph: the facts.
        start: the asset.
        window: the stretch of it that is asked about.
        carried: the bits a bond carries.
        goes_on: whether to walk on from an asset.
    """
    bonds, parents, above = graph.bonds, graph.parents, graph.above
    found = Ascent([Arrival(start, OUTRIGHT, ())], {start: OUTRIGHT}, {})
    arrivals, reached, crossed = found
    queue = [(arrivals[0], OUTRIGHT, window)]
    seen: dict[tuple[int, Window | None], int] = {}
    for arrival, arrived, stretch in queue:
        node = arrival.node
        # What came here by the whole asset, or by this same stretch, went on already.
        went = seen.get((node, None), 0) | (seen.get((node, stretch), 0) if stretch is not None else 0)
        bits = arrived & ~went
        if not bits or not above[node] or not goes_on(node):
            continue
        seen[node, stretch] = went | bits
        leaving = _through(graph, node, bits)
        for bond in above[node]:
            known = crossed.get(bond, 0)
            new = leaving & ~known
            if not new:
                continue
            told = bonds[bond]
            if stretch is not None and not overlap(stretch, told.child_window):
                continue
            new &= carried(bond)
            if not new:
                continue
            crossed[bond] = known | new
            parent = parents[bond]
            before = reached.get(parent, 0)
            reached[parent] = before | new
            reaching = Arrival(parent, new & ~before, (*arrival.path, told.id))
            arrivals.append(reaching)
            queue.append((reaching, new, told.parent_window))
    return found


class Sums:
    """For every asset and bond above some assets, the sum of all that is met there and further up.

    A sum is an int of planes of 32 bits. Planes are joined by OR, and crossing a bond takes the bits it does not carry
    out of every plane.
    """

    def __init__(
        self,
        graph: Graph,
        starts: Iterable[int],
        planes: int,
        own: Callable[[int], int],
        carried: Callable[[int], int],
    ) -> None:
        """Sum up.

        Args:
            graph: the facts.
            starts: the assets to begin with.
            planes: how many there are.
            own: what an asset says itself, by its number.
            carried: the bits a bond carries.
        """
        self._graph, self._own, self._carried = graph, own, carried
        self._every_plane = sum(1 << 2 * WIDTH * plane for plane in range(planes))
        self._outright = OUTRIGHT * self._every_plane
        self._whole: dict[int, int] = {}
        self._over: dict[int, int] = {}
        order, is_acyclic = _parents_first(graph, starts)
        while self._sum(order) and not is_acyclic:
            pass

    def at(self, node: int, window: Window | None) -> int:
        """What an asset says and all above it, asked about a stretch."""
        if window is None:
            return self._whole.get(node, 0)
        return self._joined(node, [bond for bond in self._graph.above[node] if self._meets(bond, window)])

    def alone(self, node: int) -> int:
        """What an asset says itself."""
        return self._own(node)

    def by(self, bond: int) -> int:
        """What the child of a bond says, and all above that bond alone."""
        return self._joined(self._graph.children[bond], [bond])

    def beyond(self, bond: int) -> int:
        """What is met where a bond leads, if everything is carried there."""
        return self.at(self._graph.parents[bond], self._graph.bonds[bond].parent_window)

    def spread(self, bits: int) -> int:
        """The same bits in every plane."""
        return bits * self._every_plane

    def _meets(self, bond: int, window: Window) -> bool:
        return overlap(self._graph.bonds[bond].child_window, window)

    def _joined(self, node: int, bonds: Sequence[int]) -> int:
        total = 0
        for bond in bonds:
            total |= self._over.get(bond, 0)
        return self._with_own(node, total)

    def _with_own(self, node: int, total: int) -> int:
        if total and self._graph.is_track[node]:
            total = total >> WIDTH & self._outright
            total |= total << WIDTH
        return self._own(node) | total

    def _sum(self, order: Sequence[int]) -> bool:
        """Sum up once, in an order; answers whether anything changed."""
        changed = False
        for node in order:
            total = 0
            for bond in self._graph.above[node]:
                over = self.beyond(bond)
                over = over and over & self.spread(self._carried(bond))
                if over != self._over.get(bond, 0):
                    self._over[bond] = over
                    changed = True
                total |= over
            whole = self._with_own(node, total)
            changed = changed or whole != self._whole.get(node)
            self._whole[node] = whole
        return changed


def _through(graph: Graph, node: int, bits: int) -> int:
    """The bits that leave an asset upwards: what lies above a track is reached through a track."""
    if graph.is_track[node]:
        return (bits | bits << WIDTH) & EVERY & ~OUTRIGHT
    return bits


def _parents_first(graph: Graph, starts: Iterable[int]) -> tuple[list[int], bool]:
    """All assets above some, each after its parents, and whether that could be kept for all of them."""
    order: list[int] = []
    # False while its parents are being looked at.
    done: dict[int, bool] = {}
    is_acyclic = True
    for start in starts:
        if start in done:
            continue
        done[start] = False
        stack = [(start, iter(graph.above[start]))]
        while stack:
            node, above = stack[-1]
            for bond in above:
                parent = graph.parents[bond]
                if parent not in done:
                    done[parent] = False
                    stack.append((parent, iter(graph.above[parent])))
                    break
                is_acyclic = is_acyclic and done[parent]
            else:
                done[node] = True
                order.append(node)
                stack.pop()
    return order, is_acyclic
