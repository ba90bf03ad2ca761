"""What the lineage benchmark asks about: always the same things of a graph, drawn from the numbers it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from random import Random
from uuid import UUID

import asyncpg
from graphs import SEED

from db.embedded import EmbeddedPostgres

MANY, FEW = 100, 4
Ends = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Subjects.

    Attributes:
        name: of the graph.
        ids: the keys of all that is asked about.
        paths: something, and something it is made of.
        strangers: two that are not made of each other, most of them with much above them.
        parents: things of which others are made.
        children: things made of others, mixes among them.
        hub: the hub, several times.
        fifties: things with 45 to 55 ancestors.
        batches: 500 things each.
        deep: things with about 40,000 ancestors.
    """

    name: str
    ids: Mapping[str, UUID]
    paths: Sequence[Ends]
    strangers: Sequence[Ends]
    parents: Sequence[str]
    children: Sequence[str]
    hub: Sequence[str]
    fifties: Sequence[str]
    batches: Sequence[Sequence[str]]
    deep: Sequence[str]


async def drawn(server: EmbeddedPostgres, name: str) -> Drawn:
    """The subjects of a graph."""
    connection = await asyncpg.connect(**server.dsn(user="postgres", database=name))
    try:
        public = {
            row[0]: (row[1], row[2])
            for row in await connection.fetch(
                "SELECT n, asset.ref, asset.id FROM bench.asset AS drawn JOIN asset USING (id) WHERE drawn.state = 'PUBLIC'"
            )
        }
        above: dict[int, list[int]] = {}
        below: dict[int, list[int]] = {}
        rows = await connection.fetch(
            """
            SELECT child.n, parent.n FROM lineage_edge
            JOIN bench.asset AS child ON child.id = child_id JOIN bench.asset AS parent ON parent.id = parent_id
            WHERE status <> 'REJECTED' ORDER BY 1, 2"""
        )
    finally:
        await connection.close()
    for child, parent in rows:
        above.setdefault(child, []).append(parent)
        below.setdefault(parent, []).append(child)
    return _drawn(name, public, above, below)


def _drawn(
    name: str, public: Mapping[int, tuple[str, UUID]], above: Mapping[int, list[int]], below: Mapping[int, list[int]]
) -> Drawn:
    random = Random(SEED)
    children = [node for node in above if node in public]
    mixes = [node for node in children if len(above[node]) >= MANY]
    # On the other graph nearly everything stands above everything: few are looked at.
    some = random.sample(children, 2000 if name == "music" else 2 * MANY)
    sizes = {node: len(_reached(above, node)) - 1 for node in some[:MANY]}
    collages = [node for node in children if 20 < len(above[node]) < 60] if name == "music" else []
    fifties = [node for node in collages if 45 <= len(_reached(above, node)) - 1 <= 55]
    paths = [(node, goal) for node in some if (goal := random.choice(_reached(above, node)[1:])) in public]
    if name == "music":
        # Most have nobody but their parents above them: these are the long ways and the wide ones.
        paths = [ends for ends in paths if ends[1] not in above[ends[0]]] + [(node, above[node][-1]) for node in mixes]
        paths = [ends for ends in paths if ends[1] in public]
    strangers = [
        (node, other)
        for node, other in pairwise(some)
        if other not in _reached(above, node) and node not in _reached(above, other)
    ]
    parents = [node for node in random.sample(sorted(below), 4000) if node in public]
    hub = max(below, key=lambda node: len(below[node]))
    asked = MANY if name == "music" else FEW
    used = {
        "parents": sorted(parents, key=lambda node: -len(_reached(below, node)))[: 2 * MANY] if name == "music" else [],
        "children": [*some[:MANY], *mixes[:MANY]],
        "hub": [hub] * 20,
        "fifties": fifties[:MANY],
        "deep": sorted(sizes, key=lambda node: abs(sizes[node] - 40_000))[:FEW],
    }
    several = [random.sample(children, 500) for _ in range(20)]
    ends = [*paths[:asked], *strangers[:asked]]
    everything = set(chain(*used.values(), *several, *ends))

    def refs(nodes: Sequence[int]) -> list[str]:
        return [public[node][0] for node in nodes]

    return Drawn(
        name,
        dict(public[node] for node in everything if node in public),
        [(public[one][0], public[other][0]) for one, other in paths[:asked]],
        [(public[one][0], public[other][0]) for one, other in strangers[:asked]],
        batches=[refs(batch) for batch in several],
        **{key: refs(nodes) for key, nodes in used.items()},
    )


def _reached(steps: Mapping[int, list[int]], start: int) -> list[int]:
    """Everything that steps lead to, nearest first, the start included."""
    seen, waiting = {start}, [start]
    for node in waiting:
        for other in steps.get(node, ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return waiting
