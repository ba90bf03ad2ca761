"""Walking lineage: everything something is made of, or everything made of it, nearest first, a page at a time.

An answer is complete, or says that it is not, why, and how to go on. What the walker may not see is a step without a
name: counts and distances hold, nothing leaks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.walks import Hop, Steps, WalkReader, walking
from domain.assets import AssetKind
from domain.ids import Kind, Ref
from domain.lineage import StepKind
from resolvers.context import Acting

MOST_WALKED = 50_000
"""Assets one walk comes by; beyond, it says so."""

Told = dict[str, Any]


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
        asset_kinds: only assets of these kinds are told; others are walked over.
        contributor: only assets on which this contributor is credited are told.
        depth: how many steps away at most.
        valid_at: what held at that moment; None for now.
        known_at: as it was known at that one.
        first: how many assets are told at most.
        after: (distance, id) of the last one told before.
    """

    upwards: bool
    kinds: Collection[str]
    statuses: Collection[str]
    asset_kinds: frozenset[AssetKind] | None
    contributor: UUID | None
    depth: int
    valid_at: datetime | None
    known_at: datetime | None
    first: int
    after: tuple[int, UUID] | None


async def walked(acting: Acting, assets: Sequence[UUID], walk: Walk, cursor: Any) -> Mapping[UUID, Told]:
    """The walks from some assets, all on one state of the graph; `cursor` writes a place in a walk."""
    async with walking(acting.database, acting.viewer) as reader:
        return {asset: await _Walker(reader, walk).told(asset, cursor) for asset in assets}


class _Walker:
    """One walk."""

    def __init__(self, reader: WalkReader, walk: Walk) -> None:
        self._reader = reader
        self._walk = walk
        valid_at = walk.valid_at or walk.known_at
        moment = None if valid_at is None else (valid_at, walk.known_at or valid_at)
        self._steps = Steps(walk.upwards, walk.kinds, walk.statuses, moment)

    async def told(self, start: UUID, cursor: Any) -> Told:
        """Walk level by level until the page is full."""
        seen, here, found = {start}, [start], []
        distance, end = 0, None
        while here and end is None:
            if distance == self._walk.depth:
                end = WalkEnd.DEPTH if await self._hops(here) else None
                break
            distance += 1
            level: dict[UUID, list[Hop]] = {}
            for hop in await self._hops(here):
                if hop.far not in seen:
                    level.setdefault(hop.far, []).append(hop)
            here = sorted(level)
            seen.update(here)
            found += await self._wanted(distance, level)
            if len(found) > self._walk.first:
                end = WalkEnd.PAGE
            elif len(seen) > MOST_WALKED:
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

    async def _hops(self, here: Sequence[UUID]) -> list[Hop]:
        return await self._reader.hops(here, self._steps)

    async def _wanted(self, distance: int, level: Mapping[UUID, list[Hop]]) -> list[tuple[int, UUID, Told]]:
        """What is told of a level: after the cursor, of the kinds and the contributor asked for."""
        after = self._walk.after
        ids = [id_ for id_ in sorted(level) if after is None or (distance, id_) > after]
        kinds = await self._reader.kinds(ids)
        if self._walk.asset_kinds is not None:
            ids = [id_ for id_ in ids if kinds[id_] in self._walk.asset_kinds]
        if self._walk.contributor is not None:
            theirs = await self._reader.credited(ids, self._walk.contributor)
            ids = [id_ for id_ in ids if id_ in theirs]
        return [(distance, id_, self._told(distance, asset_ref(id_, kinds[id_]), level[id_])) for id_ in ids]

    def _told(self, distance: int, asset: Ref, hops: Sequence[Hop]) -> Told:
        parent = asset if self._walk.upwards else None
        through = [step_told(hop, parent) for hop in hops]
        return {"__typename": "WalkedAsset", "asset": asset, "distance": distance, "through": through}


def asset_ref(id_: UUID, kind: AssetKind) -> Ref:
    """The reference of an asset."""
    return Ref(Kind(kind.value.lower()), id_)


def step_told(hop: Hop, parent: Ref | None) -> Told:
    """A step by SDL names; `parent` is what it leads up to, where that is known."""
    contains = hop.kind is StepKind.CONTAINS
    return {
        "__typename": "LineageStep",
        "kind": hop.kind.value,
        "edge": None if contains else Ref(Kind.EDGE, hop.id),
        "item": Ref(Kind.ITEM, hop.id) if contains else None,
        "parent": parent,
    }
