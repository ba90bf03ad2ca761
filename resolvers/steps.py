"""The steps of lineage as resolvers take and tell them: how far a walk has come, and what it came by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

import numpy as np

from db.hops import Ground, Hops, Numbers, distinct
from domain.assets import AssetKind, asset_ref
from domain.ids import Kind, Ref
from domain.lineage import StepKind
from resolvers.context import Told

MOST_WALKED = 50_000
"""Assets one walk comes by; beyond, it says so."""


class Front:
    """How far a walk over whole assets has come: the assets that were met, and those from which it has yet to go on."""

    def __init__(self, start: int) -> None:
        """Begin at an asset."""
        self.here: Numbers = np.array([start], np.int64)
        self.count = 1
        self._met = np.zeros(start + 1, np.bool_)
        self._met[start] = True

    def cross(self, hops: Hops, size: int) -> Hops:
        """Take some steps; answers those to assets that were not met before. `size` is that of the ground."""
        if size > len(self._met):
            self._met = np.concatenate([self._met, np.zeros(size - len(self._met), np.bool_)])
        level = hops.only(~self._met[hops.far])
        self.here = distinct(level.far)
        self.count += len(self.here)
        self._met[self.here] = True
        return level


class Step(NamedTuple):
    """One bond that was walked, from the near end to the far one."""

    id: UUID
    near: UUID
    far: UUID
    kind: StepKind


def steps_of(ground: Ground, hops: Hops) -> list[Step]:
    """Some hops as what they are, in the order of their ids."""
    ends = ground.assets(hops.near), ground.assets(hops.far)
    steps = [Step(id_, near, far, kind) for (id_, kind), near, far in zip(ground.bonds(hops.bonds), *ends, strict=True)]
    return sorted(steps, key=lambda step: step.id.int)


def step_told(step: Step, kinds: Mapping[UUID, AssetKind], shown: Collection[UUID], *, upwards: bool) -> Told:
    """A step by SDL names: the item only of a release that is shown, the edge only with an end that is.

    Args:
        step: what was walked.
        kinds: of its ends.
        shown: the assets that are shown to whoever is told.
        upwards: whether it was walked up.
    """
    child, parent = (step.near, step.far) if upwards else (step.far, step.near)
    is_item = step.kind is StepKind.CONTAINS
    is_edge = not is_item and (child in shown or parent in shown)
    return {
        "__typename": "LineageStep",
        "kind": step.kind.value,
        "edge": Ref(Kind.EDGE, step.id) if is_edge else None,
        "item": Ref(Kind.ITEM, step.id) if is_item and child in shown else None,
        "parent": asset_ref(kinds[parent], parent),
    }
