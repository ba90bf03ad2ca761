"""The two graphs that lineage and rights are measured on, as numbers: nodes 0, 1, 2 …, and edges from child to parent.

`music` draws a graph with the shape of the documented world of sampling: 0.7 edges per node, children per parent by a
power law of exponent 2.6, one hub with 1,975 children and 2,591 descendants, mixes of 100 to 344 parents, chains of ten,
three edges of a hundred whose child is older than its parent. The same seed, the same graph. `scale` reads the
dependency graph of a Linux distribution: no music, but hard.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import NamedTuple

SEED = 20
EDGES = 1_000_000
EDGES_PER_NODE = 0.7
ALPHA = 2.6
HUB_CHILDREN, HUB_DESCENDANTS = 1975, 2591
MIXES, MIX_PARENTS = 200, (105, 344)
COLLAGES, COLLAGE_PARENTS = 600, (20, 90)
"""Between a remix and a mix; for verdicts over some fifty ancestors."""
LONGEST_CHAIN = 10
MOST_CHILDREN = 1500
"""Of everything but the hub."""
OLDER = 0.03
"""Of the children: their edges are a little more."""
SCALE = Path(__file__).parents[2].parent / "shared" / "data" / "scale" / "dag_edges.csv.gz"


class Drawn(NamedTuple):
    """A graph.

    Attributes:
        levels: of each node, how far it is from what is made of nothing (or 0 where nobody asks).
        older: the nodes that are dated before what they are made of.
        edges: (child, parent), each pair once, without a cycle.
    """

    levels: list[int]
    older: set[int]
    edges: list[tuple[int, int]]


def music() -> Drawn:
    """A million edges, nearly."""
    random = Random(SEED)
    levels, drawn = [0], [*_around_the_hub(random)]
    for child, _ in drawn:
        levels += [0] * (child + 1 - len(levels))
    for child, parent in drawn:
        levels[child] = levels[parent] + 1
    hub_nodes = len(levels)
    wanted = EDGES - len(drawn)
    # Each level is a quarter of the one before; a child has 1.4 parents, besides those of mixes and collages.
    many = ((1, MIXES, MIX_PARENTS), (2, COLLAGES, COLLAGE_PARENTS))
    children = round((wanted - sum(count * sum(parents) // 2 for _, count, parents in many)) / 1.4)
    sizes = [max(4, round(children * 0.75 * 0.25**level)) for level in range(LONGEST_CHAIN)]
    below = [*sizes[1:], 0]
    pools: list[list[int]] = [_stubs(random, wanted - sum(below), hub_nodes, levels, 0, None)]
    made: list[range] = []
    for level, (size, stubs) in enumerate(zip(sizes, below, strict=True), 1):
        made.append(range(len(levels), len(levels) + size))
        levels += [level] * size
        pools.append(_stubs(random, stubs, made[-1].start, levels, level, size))
    for level, nodes in enumerate(made, 1):
        for child in nodes:
            drawn += [(child, parent) for parent in _parents(random, pools, level, _parent_count(random))]
    for level, count, parents in many:
        for child in random.sample(made[level - 1], count):
            drawn += [(child, parent) for parent in _parents(random, pools, level, random.randint(*parents))]
    drawn = sorted(set(drawn))
    levels += [0] * (round(len(drawn) / EDGES_PER_NODE) - len(levels))
    older = {node for node in range(1, len(levels)) if levels[node] and random.random() < OLDER}
    return Drawn(levels, older, drawn)


def _around_the_hub(random: Random) -> Iterator[tuple[int, int]]:
    """Node 0, what is made of it, and what is made of that: on from a few of them, at most ten deep."""
    depth = [0]
    for child in range(1, HUB_DESCENDANTS + 1):
        parent = 0
        while child > HUB_CHILDREN and (parent == 0 or depth[parent] == LONGEST_CHAIN):
            parent = random.choice((random.randrange(1, 300), random.randrange(max(1, child - 40), child)))
        depth.append(depth[parent] + 1)
        yield child, parent


def _child_counts(random: Random) -> Iterator[int]:
    """Numbers by the power law, up to the most."""
    sums = list(accumulate(count**-ALPHA for count in range(1, MOST_CHILDREN + 1)))
    while True:
        yield from random.choices(range(1, MOST_CHILDREN + 1), cum_weights=sums, k=10_000)


def _stubs(random: Random, wanted: int, first: int, levels: list[int], level: int, most: int | None) -> list[int]:
    """Parents of a level from `first` on, each as often as it has children, mixed; nodes without a bound are made."""
    stubs: list[int] = []
    node = first
    for count in _child_counts(random):
        if len(stubs) >= wanted or (most is not None and node == first + most):
            break
        stubs += [node] * count
        node += 1
    if most is None:
        levels += [level] * (node - len(levels))
    random.shuffle(stubs)
    return stubs


def _parent_count(random: Random) -> int:
    return random.choices((1, 2, 3, 4, 6), weights=(72, 19, 6, 2, 1))[0]


def _parents(random: Random, pools: list[list[int]], level: int, count: int) -> list[int]:
    """One from the level below, so that the chain is as long as its level says; the others from anywhere below."""
    found = []
    for place in range(count):
        at = level - 1 if place == 0 or random.random() < 0.1 else 0
        pool = pools[at] or pools[0]
        if pool:
            found.append(pool.pop())
    return found


def scale(path: Path = SCALE) -> Drawn:
    """The dependency graph."""
    with gzip.open(path, "rt") as file:
        rows = csv.reader(file)
        next(rows)
        edges = sorted({(int(child), int(parent)) for child, parent in rows})
    return Drawn([0] * (1 + max(map(max, edges))), set(), edges)
