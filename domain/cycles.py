"""Cycles: which of some new edges would make a thing an ancestor of itself, and along which path.

An order of all nodes, ancestors first, is kept while edges are added (Pearce and Kelly, "A dynamic topological sort
algorithm for directed acyclic graphs", 2006). Most edges agree with it and cost nothing; one that does not makes us
look only at the nodes between its ends.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)
Neighbours = list[list[int]]


def closing_edges(known: Sequence[tuple[Node, Node]], new: Sequence[tuple[Node, Node]]) -> dict[int, list[Node]]:
    """The new edges that close a cycle with the known ones and the new ones before them.

    Args:
        known: (child, parent) pairs that stand, without a cycle among them.
        new: the pairs to add, in order.

    Returns:
        By index into `new`, the cycle from the child of the edge over its parent up to the child again. All other
        new edges can be added.
    """
    numbers: dict[Node, int] = {}
    edges = [
        (numbers.setdefault(child, len(numbers)), numbers.setdefault(parent, len(numbers)))
        for child, parent in (*known, *new)
    ]
    places = _order(len(numbers), edges)
    if all(places[parent] < places[child] for child, parent in edges):
        return {}
    nodes = list(numbers)
    ancestry = _Ancestry(places)
    closing = {}
    for index, (child, parent) in enumerate(edges, -len(known)):
        path = ancestry.add(child, parent)
        if path is not None and index >= 0:
            closing[index] = [nodes[number] for number in path]
    return closing


def _neighbours(count: int) -> Neighbours:
    return [[] for _ in range(count)]


def _order(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """A place for every node: parents before children wherever no cycle forbids it (a depth-first search)."""
    parents = _neighbours(count)
    for child, parent in edges:
        parents[child].append(parent)
    places, seen, next_place = [0] * count, [False] * count, 0
    for root in range(count):
        if seen[root]:
            continue
        seen[root] = True
        stack = [(root, iter(parents[root]))]
        while stack:
            node, above = stack[-1]
            unseen = next((other for other in above if not seen[other]), None)
            if unseen is None:
                places[node], next_place = next_place, next_place + 1
                stack.pop()
            else:
                seen[unseen] = True
                stack.append((unseen, iter(parents[unseen])))
    return places


class _Ancestry:
    """The edges added so far and an order that agrees with all of them."""

    def __init__(self, places: list[int]) -> None:
        self._places = places
        self._parents = _neighbours(len(places))
        self._children = _neighbours(len(places))

    def add(self, child: int, parent: int) -> list[int] | None:
        """Add an edge; answer the cycle it would close instead, if it would."""
        if self._places[parent] >= self._places[child]:
            first, last = self._places[child], self._places[parent]
            above = self._reached(parent, self._parents, first, last, goal=child)
            if child in above:
                return _path(above, child)
            below = self._reached(child, self._children, first, last)
            self._reorder([*above], [*below])
        self._parents[child].append(parent)
        self._children[parent].append(child)
        return None

    def _reached(
        self, start: int, steps: Neighbours, first: int, last: int, *, goal: int | None = None
    ) -> dict[int, int]:
        """The nodes within some places that steps lead to, each with the node before it; no further than a goal."""
        before = {start: start}
        if goal == start:
            return before
        waiting = [start]
        for node in waiting:
            for other in steps[node]:
                if other not in before and first <= self._places[other] <= last:
                    before[other] = node
                    if other == goal:
                        return before
                    waiting.append(other)
        return before

    def _reorder(self, above: list[int], below: list[int]) -> None:
        """Put what is above before what is below, in the places both had."""
        place = self._places.__getitem__
        nodes = [*sorted(above, key=place), *sorted(below, key=place)]
        for node, new_place in zip(nodes, sorted(map(place, nodes)), strict=True):
            self._places[node] = new_place


def _path(before: dict[int, int], child: int) -> list[int]:
    """From the child over the start of the search and up to the child again."""
    path = [child]
    while before[path[-1]] != path[-1]:
        path.append(before[path[-1]])
    return [child, *reversed(path)]
