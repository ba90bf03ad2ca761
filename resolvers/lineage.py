"""Walking lineage: everything something is made of, or everything made of it, nearest first, a page at a time.

An answer is complete, or says that it is not, why, and how to go on. What the walker may not see is a step without a
name: counts and distances hold, nothing leaks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from uuid import UUID

from db.walks import Hop, Looks, Steps, WalkReader, walking
from domain.assets import AssetKind
from domain.ids import Kind, Ref
from domain.lineage import StepKind
from domain.windows import Window, overlap
from resolvers.context import Acting, Told, moment_of

MOST_WALKED = 50_000
"""Assets one walk comes by; beyond, it says so."""


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
    steps = Steps(walk.upwards, walk.kinds, walk.statuses, moment_of(walk.valid_at, walk.known_at, acting.now()))
    async with walking(acting.database, acting.viewer) as reader:
        return {asset: await _Walker(reader, walk, steps, asset).told(cursor) for asset in assets}


class _Front:
    """How far a walk has come: the assets it met, and the stretches of some of them from which it has yet to go on.

    A step is taken once, as it leads to the same stretch whatever led there.
    """

    def __init__(self, start: UUID, window: Window | None) -> None:
        self.here: dict[UUID, set[Window | None]] = {start: {window}}
        self.met: dict[UUID, set[Window | None]] = {start: {window}}
        self._taken: set[UUID] = set()

    def cross(
        self, hops: Iterable[Hop], windows: Mapping[UUID, tuple[Window | None, Window | None]]
    ) -> dict[UUID, list[Hop]]:
        """Take the steps that touch a stretch walked; answers those to assets that were not met before, by asset."""
        level: dict[UUID, list[Hop]] = {}
        onward: dict[UUID, set[Window | None]] = {}
        for hop in hops:
            near, far = windows.get(hop.id, (None, None))
            stretches = self.here[hop.near]
            touches = None in stretches or any(overlap(near, stretch) for stretch in stretches)
            if hop.id in self._taken or not touches:
                continue
            self._taken.add(hop.id)
            known = self.met.get(hop.far)
            if known is None:
                level.setdefault(hop.far, []).append(hop)
            if known is None or not known & {None, far}:
                onward.setdefault(hop.far, set()).add(far)
        for asset, stretches in onward.items():
            self.met.setdefault(asset, set()).update(stretches)
        self.here = onward
        return level


class _Walker:
    """One walk."""

    def __init__(self, reader: WalkReader, walk: Walk, steps: Steps, start: UUID) -> None:
        self._reader, self._walk, self._steps, self._start = reader, walk, steps, start

    async def told(self, cursor: Any) -> Told:
        """Walk level by level until the page is full."""
        front = _Front(self._start, self._walk.window)
        found: list[tuple[int, UUID, Told]] = []
        distance, end = 0, None
        while front.here and end is None:
            level = await self._level(front)
            if distance == self._walk.depth:
                end = WalkEnd.DEPTH if front.here else None
                break
            distance += 1
            found += await self._wanted(distance, level, self._walk.first + 1 - len(found))
            if len(found) > self._walk.first:
                end = WalkEnd.PAGE
            elif len(front.met) > MOST_WALKED:
                end = WalkEnd.BUDGET
        page = found[: self._walk.first]
        last = page[-1] if page else None
        return {
            "__typename": "LineageWalk",
            "assets": [step for _, _, step in page],
            "complete": end is None,
            "reason": end and end.value,
            "endCursor": cursor(last[0], last[1]) if last else None,
        }

    async def _level(self, front: _Front) -> dict[UUID, list[Hop]]:
        """The last steps to what is one step further away."""
        hops = await self._reader.hops(list(front.here), self._steps)
        if self._walk.window is None:
            return front.cross(hops, {})
        windows = await self._reader.windows([hop.id for hop in hops])
        if not self._walk.upwards:
            windows = {id_: (parent, child) for id_, (child, parent) in windows.items()}
        return front.cross(hops, windows)

    async def _wanted(self, distance: int, level: Mapping[UUID, list[Hop]], room: int) -> list[tuple[int, UUID, Told]]:
        """What is told of a level: after the cursor, of the kinds and the contributor asked for, at most `room`."""
        walk = self._walk
        places = {id_: self._place(id_) for id_ in level}
        ids = sorted(places, key=lambda id_: places[id_].int)  # UUIDs compare slowly
        if walk.after is not None:
            ids = [id_ for id_ in ids if (distance, places[id_]) > walk.after]
        if walk.asset_kinds is not None or walk.contributor is not None:
            ids = await self._matching(ids)
        ids = ids[:room]
        hops = [hop for id_ in ids for hop in level[id_]]
        looks = await self._reader.looks({*ids, *[hop.near for hop in hops]}) if ids else Looks({}, frozenset())
        shown = looks.shown | {self._start}
        return [
            (
                distance,
                places[id_],
                {
                    "__typename": "WalkedAsset",
                    "asset": asset_ref(id_, looks.kinds[id_]),
                    "distance": distance,
                    "through": [step_told(hop, looks.kinds, shown, upwards=walk.upwards) for hop in level[id_]],
                },
            )
            for id_ in ids
        ]

    def _place(self, asset: UUID) -> UUID:
        """Where an asset stands among those as far away. It goes into cursors, and must not tell a hidden one's id."""
        return UUID(bytes=blake2b(asset.bytes, digest_size=16, key=self._start.bytes).digest())

    async def _matching(self, ids: Sequence[UUID]) -> list[UUID]:
        """Those for which the filters hold: what is hidden is not found by what it is."""
        looks, theirs = await self._reader.looks(ids), None
        if self._walk.contributor is not None:
            theirs = await self._reader.credited(ids, self._walk.contributor)
        kinds = self._walk.asset_kinds
        return [
            id_
            for id_ in ids
            if id_ in looks.shown and (kinds is None or looks.kinds[id_] in kinds) and (theirs is None or id_ in theirs)
        ]


def asset_ref(id_: UUID, kind: AssetKind) -> Ref:
    """The reference of an asset."""
    return Ref(Kind(kind.value.lower()), id_)


def step_told(hop: Hop, kinds: Mapping[UUID, AssetKind], shown: Collection[UUID], *, upwards: bool) -> Told:
    """A step by SDL names: the item only of a release that is shown, the edge only with an end that is.

    Args:
        hop: the step.
        kinds: of its ends.
        shown: the assets that are shown to whoever is told.
        upwards: whether it was walked up.
    """
    child, parent = (hop.near, hop.far) if upwards else (hop.far, hop.near)
    is_item = hop.kind is StepKind.CONTAINS
    is_edge = not is_item and (child in shown or parent in shown)
    return {
        "__typename": "LineageStep",
        "kind": hop.kind.value,
        "edge": Ref(Kind.EDGE, hop.id) if is_edge else None,
        "item": Ref(Kind.ITEM, hop.id) if is_item and child in shown else None,
        "parent": asset_ref(parent, kinds[parent]),
    }
