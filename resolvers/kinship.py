"""How things are related: the ways from one up to the other, what several have in common, where it all began.

Only for who may read the things that are asked about: what is not there and what is not theirs have no relations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from uuid import UUID

import numpy as np

from db.hops import Ground, Hops, Numbers, Steps
from db.walks import walking
from domain.assets import asset_ref
from domain.errors import TooCostly
from domain.ids import Ref
from domain.lineage import EdgeStatus, StepKind
from resolvers.context import Acting, Told
from resolvers.steps import MOST_WALKED, Front, Step, step_told, steps_of

UP = Steps(True, tuple(StepKind), tuple(EdgeStatus))
DOWN = replace(UP, upwards=False)


async def lineage_paths(acting: Acting, one: UUID, other: UUID, most: int) -> list[Told]:
    """The shortest ways between two assets, from what is made up to what it is made of; none where there is none.

    Ties are broken by the ids of the steps.
    """
    async with walking(acting.database, acting.viewer) as reader:
        ends = await reader.readable([one, other])
        for child, parent in (ends, ends[::-1]) if len(set(ends)) > 1 else ():
            steps = await (_shortest_steps if most == 1 else _steps_between)(reader.ground, child, parent)
            if steps:
                paths = _shortest(steps, child, parent, most)
                looks = await reader.looks({step.far for path in paths for step in path})
                shown = looks.shown | {child, parent}
                return [
                    {
                        "__typename": "LineagePath",
                        "length": len(path),
                        "steps": [step_told(step, looks.kinds, shown, upwards=True) for step in path],
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
        ground = reader.ground
        all_above = [await _above(ground, asset) for asset in dict.fromkeys(found)]
        distances = [dict(zip(above.nodes.tolist(), above.distances.tolist(), strict=True)) for above in all_above]
        common = list(set.intersection(*[set(each) for each in distances]))
        shared = dict(zip(common, ground.assets(np.array(common, np.int64)), strict=True))
        ranked = sorted(
            shared, key=lambda node: (max(d[node] for d in distances), sum(d[node] for d in distances), shared[node])
        )
        nearest = {shared[node]: [each[node] for each in distances] for node in ranked[:most]}
        looks = await reader.looks(nearest)
    return [
        {"__typename": "CommonAncestor", "asset": asset_ref(looks.kinds[id_], id_), "distances": each}
        for id_, each in nearest.items()
    ]


async def lineage_roots(acting: Acting, asset: UUID, most: int) -> list[Ref]:
    """What an asset is made of that is made of nothing itself, nearest first; itself, where it is made of nothing."""
    async with walking(acting.database, acting.viewer) as reader:
        found = await reader.readable([asset])
        if not found:
            return []
        above = await _above(reader.ground, *found)
        made = np.isin(above.nodes, np.concatenate([hops.near for hops in above.taken]))
        ids = reader.ground.assets(above.nodes[~made])
        roots = [id_ for _, id_ in sorted(zip(above.distances[~made].tolist(), ids, strict=True))[:most]]
        looks = await reader.looks(roots)
    return [asset_ref(looks.kinds[id_], id_) for id_ in roots]


class _Climb:
    """A walk over all there is in one direction, level by level.

    Attributes:
        front: how far it has come.
        levels: the assets of each distance, the start first.
        taken: the steps from each level.
    """

    def __init__(self, ground: Ground, start: UUID, steps: Steps, within: Numbers | None = None) -> None:
        """Begin at an asset, and stay among some where they are given."""
        self._ground, self._steps, self._within = ground, steps, within
        self.front = Front(ground.number(start))
        self.levels = [self.front.here]
        self.taken: list[Hops] = []

    @property
    def ends(self) -> bool:
        """There is nothing further."""
        return not len(self.front.here)

    async def on(self) -> None:
        """One level further.

        Raises:
            TooCostly: there is more than a walk may come by.
        """
        if self.front.count > MOST_WALKED:
            raise TooCostly(f"That is made of more than {MOST_WALKED:,} assets. `ancestors` walks them page by page.")
        hops = await self._ground.hops(self.front.here, self._steps)
        if self._within is not None:
            hops = hops.only(np.isin(hops.far, self._within))
        self.taken.append(hops)
        self.front.cross(hops, self._ground.size)
        self.levels.append(self.front.here)

    @property
    def nodes(self) -> Numbers:
        """All that was met, the nearest first."""
        return np.concatenate(self.levels)

    @property
    def distances(self) -> Numbers:
        """How far away each of them is."""
        return np.repeat(np.arange(len(self.levels)), [len(level) for level in self.levels])

    def back(self, ends: Numbers) -> list[Hops]:
        """The steps of all shortest ways from the start to some assets of the last level."""
        found = []
        for hops in reversed(self.taken):
            found.append(hops.only(np.isin(hops.far, ends)))
            ends = found[-1].near
        return found


async def _above(ground: Ground, start: UUID) -> _Climb:
    """Everything above an asset, nearest first.

    Raises:
        TooCostly: there is more above than a walk may come by.
    """
    climb = _Climb(ground, start, UP)
    while not climb.ends:
        await climb.on()
    return climb


async def _shortest_steps(ground: Ground, child: UUID, parent: UUID) -> list[Step]:
    """The steps of all shortest ways up from one asset to another; none where there is no way.

    It is walked from both ends, where less is waiting: what is new has nothing made of it yet, and what is a root is
    made of nothing.
    """
    up, down = _Climb(ground, child, UP), _Climb(ground, parent, DOWN)
    while not up.ends and not down.ends:
        met = np.intersect1d(up.front.here, down.front.here, assume_unique=True)
        if len(met):
            risen = [step for hops in up.back(met) for step in steps_of(ground, hops)]
            return risen + _upwards([step for hops in down.back(met) for step in steps_of(ground, hops)])
        await (up if len(up.front.here) <= len(down.front.here) else down).on()
    return []


async def _steps_between(ground: Ground, child: UUID, parent: UUID) -> list[Step]:
    """The steps of all ways up from one asset to another; none where there is no way."""
    above = (await _above(ground, child)).nodes
    if ground.number(parent) not in above:
        return []
    down = _Climb(ground, parent, DOWN, within=above)
    while not down.ends:
        await down.on()
    return _upwards([step for hops in down.taken for step in steps_of(ground, hops)])


def _upwards(steps: Sequence[Step]) -> list[Step]:
    """Steps that were walked down, as steps up."""
    return [step._replace(near=step.far, far=step.near) for step in steps]


def _shortest(steps: Sequence[Step], start: UUID, goal: UUID, most: int) -> list[tuple[Step, ...]]:
    """The shortest ways up, each taking no asset twice: best first, by what is left to go at least."""
    left = _left(steps, goal)
    above: dict[UUID, list[Step]] = {}
    for step in steps:
        above.setdefault(step.near, []).append(step)
    waiting: list[tuple[int, list[UUID], UUID, tuple[Step, ...]]] = [(left[start], [], start, ())]
    found: list[tuple[Step, ...]] = []
    while waiting and len(found) < most:
        _, ids, here, path = heappop(waiting)
        if here == goal:
            found.append(path)
            continue
        for step in above.get(here, ()):
            if step.far != start and all(step.far != taken.far for taken in path):
                way = (*path, step)
                heappush(waiting, (len(way) + left[step.far], [*ids, step.id], step.far, way))
    return found


def _left(steps: Sequence[Step], goal: UUID) -> Mapping[UUID, int]:
    """How far it is up to the goal, from everything below it."""
    below: dict[UUID, list[UUID]] = {}
    for step in steps:
        below.setdefault(step.far, []).append(step.near)
    left, here = {goal: 0}, [goal]
    while here:
        reached = {near for far in here for near in below.get(far, ())} - left.keys()
        left |= dict.fromkeys(reached, left[here[0]] + 1)
        here = list(reached)
    return left
