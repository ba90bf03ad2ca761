"""How things are related: the ways from one up to the other, what several have in common, where it all began.

Only for who may read the things that are asked about: what is not there and what is not theirs have no relations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from uuid import UUID

from db.walks import Hop, Steps, WalkReader, walking
from domain.errors import TooCostly
from domain.ids import Ref
from domain.lineage import EdgeStatus, StepKind
from resolvers.context import Acting, Told
from resolvers.lineage import MOST_WALKED, asset_ref, step_told

UP = Steps(True, tuple(StepKind), tuple(EdgeStatus))


async def lineage_paths(acting: Acting, one: UUID, other: UUID, most: int) -> list[Told]:
    """The shortest ways between two assets, from what is made up to what it is made of; none where there is none.

    Ties are broken by the ids of the steps.
    """
    async with walking(acting.database, acting.viewer) as reader:
        ends = await reader.readable([one, other])
        for child, parent in (ends, ends[::-1]) if ends else ():
            above = await _above(reader, child, parent if most == 1 else None)
            if parent in above.distances and parent != child:
                paths = _shortest(above.hops, child, parent, most)
                looks = await reader.looks({hop.far for path in paths for hop in path})
                shown = looks.shown | {child, parent}
                return [
                    {
                        "__typename": "LineagePath",
                        "length": len(path),
                        "steps": [step_told(hop, looks.kinds, shown, upwards=True) for hop in path],
                    }
                    for path in paths
                ]
    return []


async def common_ancestors(acting: Acting, assets: Sequence[UUID], most: int) -> list[Told]:
    """What all of some assets are made of, the nearest first: by the farthest of them, then by all together."""
    async with walking(acting.database, acting.viewer) as reader:
        found = await reader.readable(assets)
        if not found:
            return []
        distances = [(await _above(reader, asset)).distances for asset in dict.fromkeys(found)]
        shared = set.intersection(*[set(each) for each in distances])
        ranked = sorted(shared, key=lambda id_: (max(d[id_] for d in distances), sum(d[id_] for d in distances), id_))
        nearest = ranked[:most]
        looks = await reader.looks(nearest)
    return [
        {
            "__typename": "CommonAncestor",
            "asset": asset_ref(id_, looks.kinds[id_]),
            "distances": [each[id_] for each in distances],
        }
        for id_ in nearest
    ]


async def lineage_roots(acting: Acting, asset: UUID, most: int) -> list[Ref]:
    """What an asset is made of that is made of nothing itself, nearest first; itself, where it is made of nothing."""
    async with walking(acting.database, acting.viewer) as reader:
        found = await reader.readable([asset])
        if not found:
            return []
        above = await _above(reader, *found)
        made = {hop.near for hop in above.hops}
        roots = [id_ for id_ in above.distances if id_ not in made][:most]
        looks = await reader.looks(roots)
    return [asset_ref(id_, looks.kinds[id_]) for id_ in roots]


class _Above:
    """Everything above an asset: the steps, and how far away each asset is, the asset itself included."""

    def __init__(self, start: UUID) -> None:
        self.distances: dict[UUID, int] = {start: 0}
        self.hops: list[Hop] = []


async def _above(reader: WalkReader, start: UUID, goal: UUID | None = None) -> _Above:
    """Walk all the way up, or no further than to a goal: all that is nearer is walked, so the shortest ways are there.

    Raises:
        TooCostly: there is more above than a walk may come by.
    """
    above, here, distance = _Above(start), [start], 0
    while here and goal not in above.distances:
        if len(above.distances) > MOST_WALKED:
            raise TooCostly(f"That is made of more than {MOST_WALKED:,} assets. `ancestors` walks them page by page.")
        distance += 1
        hops = await reader.hops(here, UP)
        above.hops += hops
        here = sorted({hop.far for hop in hops} - above.distances.keys())
        above.distances |= dict.fromkeys(here, distance)
    return above


def _shortest(hops: Sequence[Hop], start: UUID, goal: UUID, most: int) -> list[tuple[Hop, ...]]:
    """The shortest ways up, each taking no asset twice: best first, by what is left to go at least."""
    left = _left(hops, goal)
    steps: dict[UUID, list[Hop]] = {}
    for hop in hops:
        if hop.far in left:
            steps.setdefault(hop.near, []).append(hop)
    waiting: list[tuple[int, list[UUID], UUID, tuple[Hop, ...]]] = [(left[start], [], start, ())]
    found: list[tuple[Hop, ...]] = []
    while waiting and len(found) < most:
        _, ids, here, path = heappop(waiting)
        if here == goal:
            found.append(path)
            continue
        for hop in steps.get(here, ()):
            if hop.far != start and all(hop.far != taken.far for taken in path):
                way = (*path, hop)
                heappush(waiting, (len(way) + left[hop.far], [*ids, hop.id], hop.far, way))
    return found


def _left(hops: Sequence[Hop], goal: UUID) -> Mapping[UUID, int]:
    """How far it is up to the goal, from everything below it."""
    below: dict[UUID, list[UUID]] = {}
    for hop in hops:
        below.setdefault(hop.far, []).append(hop.near)
    left, here = {goal: 0}, [goal]
    while here:
        reached = {near for far in here for near in below.get(far, ())} - left.keys()
        left |= dict.fromkeys(reached, left[here[0]] + 1)
        here = list(reached)
    return left
