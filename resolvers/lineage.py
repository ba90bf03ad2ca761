"""Walking lineage: everything something is made of, or everything made of it, nearest first, a page at a time.

An answer is complete, or says that it is not, why, and how to go on. What the walker may not see is a step without a
name: counts and distances hold, nothing leaks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any
from uuid import UUID

import numpy as np

from db.hops import Ground, Hops, Numbers, Steps, distinct
from db.walks import WalkReader, walking
from domain.assets import AssetKind, asset_ref
from domain.windows import Window, overlap
from resolvers.context import Acting, Told, moment_of
from resolvers.steps import MOST_WALKED, Front, Step, step_told, steps_of
from resolvers.telling import Later


class WalkEnd(StrEnum):
    """Why a walk is not complete."""

    PAGE = "PAGE"
    DEPTH = "DEPTH"
    BUDGET = "BUDGET"


@dataclass(frozen=True, slots=True)
class Walk:
    """What is asked of a walk.

    Attributes:
        upwards: to what something is made of; otherwise to what is made of it.
        kinds: of the steps taken.
        statuses: of the edges among them.
        asset_kinds: only assets of these kinds are told; others are walked over, and so is what is hidden.
        contributor: only assets on which this contributor is credited are told, likewise.
        window: which stretch of the asset; None for the whole.
        depth: how many steps away at most.
        valid_at: what held at that moment; None for now.
        known_at: as it was known at that one.
        first: how many assets are told at most.
        after: (distance, place) of the last one told before.
    """

    upwards: bool
    kinds: Collection[str]
    statuses: Collection[str]
    asset_kinds: frozenset[AssetKind] | None
    contributor: UUID | None
    window: Window | None
    depth: int
    valid_at: datetime | None
    known_at: datetime | None
    first: int
    after: tuple[int, UUID] | None


async def walked(acting: Acting, assets: Sequence[UUID], walk: Walk, cursor: Any) -> Mapping[UUID, Told]:
    """The walks from some assets, all on one state of the graph; `cursor` writes a place in a walk."""
    moment = moment_of(walk.valid_at, walk.known_at, acting.now())
    steps = Steps(walk.upwards, walk.kinds, walk.statuses, moment)
    async with walking(acting.database, acting.viewer, now=moment is None) as reader:
        explains = acting.wants("through")
        return {asset: await _Walker(reader, walk, steps, asset, explains).told(cursor) for asset in assets}


class _Stretches:
    """How far a walk over a stretch has come: the assets it met, and the stretches of them from which it has to go on.

    A step is taken once, as it leads to the same stretch whatever led there.
    """

    def __init__(self, start: int, window: Window) -> None:
        self._stretches: dict[int, set[Window | None]] = {start: {window}}
        self._met: dict[int, set[Window | None]] = {start: {window}}
        self._taken: set[int] = set()

    @property
    def here(self) -> Numbers:
        """The assets from which it has yet to go on."""
        return np.array(list(self._stretches), np.int64)

    @property
    def count(self) -> int:
        """How many assets were met."""
        return len(self._met)

    def cross(self, hops: Hops, windows: Mapping[int, tuple[Window | None, Window | None]]) -> Hops:
        """Take the steps that touch a stretch walked; answers those to assets that were not met before."""
        fresh = np.zeros(len(hops.bonds), np.bool_)
        onward: dict[int, set[Window | None]] = {}
        for place, (bond, here, there) in enumerate(zip(*(column.tolist() for column in hops), strict=True)):
            near, far = windows.get(bond, (None, None))
            stretches = self._stretches[here]
            touches = None in stretches or any(overlap(near, stretch) for stretch in stretches)
            if bond in self._taken or not touches:
                continue
            self._taken.add(bond)
            known = self._met.get(there)
            if known is None:
                fresh[place] = True
            if known is None or not known & {None, far}:
                onward.setdefault(there, set()).add(far)
        for asset, stretches in onward.items():
            self._met.setdefault(asset, set()).update(stretches)
        self._stretches = onward
        return hops.only(fresh)


class _Walker:
    """One walk."""

    def __init__(self, reader: WalkReader, walk: Walk, steps: Steps, start: UUID, explains: bool) -> None:
        self._reader, self._walk, self._steps, self._start = reader, walk, steps, start
        self._explains = explains
        self._ground = reader.ground
        node = self._ground.number(start)
        self._front = Front(node) if walk.window is None else _Stretches(node, walk.window)

    async def told(self, cursor: Any) -> Told:
        """Walk level by level until the page is full."""
        front = self._front
        found: list[tuple[int, bytes, int]] = []
        levels: list[Hops] = []
        distance, end = 0, None
        while len(front.here) and end is None:
            level = await self._level()
            if distance == self._walk.depth:
                end = WalkEnd.DEPTH if len(front.here) else None
                break
            distance += 1
            placed = await self._placed(distance, level)
            found += [(distance, *each) for each in placed[: self._walk.first + 1 - len(found)]]
            levels.append(level)
            if len(found) > self._walk.first:
                end = WalkEnd.PAGE
            elif front.count > MOST_WALKED:
                end = WalkEnd.BUDGET
        page = found[: self._walk.first]
        last = page[-1] if page else None
        return {
            "__typename": "LineageWalk",
            "assets": await self._named(page, levels) if page else [],
            "complete": end is None,
            "reason": end and end.value,
            "endCursor": cursor(last[0], UUID(bytes=last[1])) if last else None,
        }

    async def _level(self) -> Hops:
        """The last steps to what is one step further away."""
        hops = await self._ground.hops(self._front.here, self._steps)
        if isinstance(self._front, Front):
            return self._front.cross(hops, self._ground.size)
        ids = [id_ for id_, _ in self._ground.bonds(hops.bonds)]
        bonds = dict(zip(ids, hops.bonds.tolist(), strict=True))
        windows = {bonds[id_]: ends for id_, ends in (await self._reader.windows(bonds.keys())).items()}
        if not self._walk.upwards:
            windows = {bond: ends[::-1] for bond, ends in windows.items()}
        return self._front.cross(hops, windows)

    async def _named(self, page: Sequence[tuple[int, bytes, int]], levels: Sequence[Hops]) -> list[Told]:
        """What is told of a page, of (distance, place, node), whose last steps are among those of some levels."""
        nodes = np.array([node for _, _, node in page], np.int64)
        ids, kinds = self._ground.assets(nodes), self._ground.kinds(nodes)
        distances = [distance for distance, _, _ in page]
        if self._explains:
            through = _Through(self._ground, [level.only(np.isin(level.far, nodes)) for level in levels])
            return await self._explained(ids, distances, through)
        if kinds is None:
            looks = await self._reader.looks(ids)
            kinds = [looks.kinds[id_] for id_ in ids]
        return list(map(_met, ids, kinds, distances))

    async def _explained(self, ids: Sequence[UUID], distances: Sequence[int], through: _Through) -> list[Told]:
        """What is told of a page, with the last steps: it takes as long as the walk to read how their ends look."""
        looks = await self._reader.looks({*ids, *through.near})
        shown = looks.shown | {self._start}

        def last_steps(asset: UUID) -> list[Told]:
            return [step_told(step, looks.kinds, shown, upwards=self._walk.upwards) for step in through.steps[asset]]

        return [
            Later(_met(id_, looks.kinds[id_], distance), {"through": partial(last_steps, id_)})
            for id_, distance in zip(ids, distances, strict=True)
        ]

    async def _placed(self, distance: int, level: Hops) -> list[tuple[bytes, int]]:
        """(place, node) of what a level may tell after the cursor, of the kinds and the contributor, in its order."""
        walk = self._walk
        if walk.after is not None and distance < walk.after[0]:
            return []
        nodes = distinct(level.far)
        if walk.asset_kinds is not None:
            nodes = self._ground.may_be(nodes, walk.asset_kinds)
        placed = sorted(zip(self._places(nodes), nodes.tolist(), strict=True))
        if walk.after is not None and distance == walk.after[0]:
            last = walk.after[1].bytes
            placed = [each for each in placed if each[0] > last]
        if walk.asset_kinds is not None or walk.contributor is not None:
            ids = self._ground.assets(np.array([node for _, node in placed], np.int64))
            matching = await self._matching(ids)
            placed = [each for each, asset in zip(placed, ids, strict=True) if asset in matching]
        return placed

    def _places(self, nodes: Numbers) -> list[bytes]:
        """Where assets stand among those as far away. It goes into cursors, and must not tell a hidden one's id."""
        keyed, places = blake2b(digest_size=16, key=self._start.bytes), []
        for key in self._ground.keys(nodes):
            place = keyed.copy()
            place.update(key)
            places.append(place.digest())
        return places

    async def _matching(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those for which the filters hold: what is hidden is not found by what it is."""
        looks, theirs = await self._reader.looks(ids), None
        if self._walk.contributor is not None:
            theirs = await self._reader.credited(ids, self._walk.contributor)
        kinds = self._walk.asset_kinds
        return {
            id_
            for id_ in ids
            if id_ in looks.shown and (kinds is None or looks.kinds[id_] in kinds) and (theirs is None or id_ in theirs)
        }


def _met(asset: UUID, kind: AssetKind, distance: int) -> Told:
    return {"__typename": "WalkedAsset", "asset": asset_ref(kind, asset), "distance": distance}


class _Through:
    """The last steps to some assets: by asset, once they are asked for."""

    def __init__(self, ground: Ground, levels: Sequence[Hops]) -> None:
        self._ground, self._hops = ground, Hops(*map(np.concatenate, zip(*levels, strict=True)))

    @property
    def near(self) -> list[UUID]:
        """Where they come from."""
        return self._ground.assets(distinct(self._hops.near))

    @cached_property
    def steps(self) -> Mapping[UUID, list[Step]]:
        """The steps by where they lead."""
        steps: dict[UUID, list[Step]] = {}
        for step in steps_of(self._ground, self._hops):
            steps.setdefault(step.far, []).append(step)
        return steps
