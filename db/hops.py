"""The steps of lineage, one hop at a time and by number: what some assets are made of, or what is made of them.

Nothing here is hidden or cut: an edge somebody may not hear of is no step, an asset they may not see is one like any
other, and what it is told as is decided where it is shown. Assets and bonds have numbers, good for one ground.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import edge_told
from db.containment import contained
from db.history import stood
from domain.assets import AssetKind
from domain.lineage import StepKind

Numbers = NDArray[np.int64]
HERE = bindparam("here", type_=ARRAY(Uuid), required=True)


def distinct(nodes: Numbers) -> Numbers:
    """Each of some assets once, in order."""
    # NumPy's own `unique` hashes them, which takes ten times as long.
    nodes = np.sort(nodes)
    return nodes[np.diff(nodes, prepend=-1) > 0]


@dataclass(frozen=True, slots=True)
class Steps:
    """Which way is walked, along what, and when.

    Attributes:
        upwards: to what things are made of; otherwise to what is made of them.
        kinds: of the steps that are taken.
        statuses: of the edges among them.
        moment: (valid at, known at); None for now.
    """

    upwards: bool
    kinds: Collection[str]
    statuses: Collection[str]
    moment: tuple[datetime, datetime] | None = None


class Hops(NamedTuple):
    """Bonds that were crossed, and the assets they lead from and to."""

    bonds: Numbers
    near: Numbers
    far: Numbers

    def only(self, wanted: NDArray[np.bool_]) -> Hops:
        """Some of them."""
        return Hops(self.bonds[wanted], self.near[wanted], self.far[wanted])


class Ground(Protocol):
    """What is walked on."""

    @property
    def size(self) -> int:
        """More than any number of an asset."""

    def number(self, asset: UUID) -> int:
        """The number of an asset."""

    def assets(self, nodes: Numbers) -> list[UUID]:
        """The assets of some numbers."""

    def keys(self, nodes: Numbers) -> list[bytes]:
        """The ids of some assets, as bytes."""

    def bonds(self, bonds: Numbers) -> list[tuple[UUID, StepKind]]:
        """Some bonds: edges, or releases and their items under the items' ids."""

    def kinds(self, nodes: Numbers) -> list[AssetKind] | None:
        """The kinds of some assets; None where they are not known here."""

    def may_be(self, nodes: Numbers, kinds: Collection[AssetKind]) -> Numbers:
        """Those of some assets that may be of these kinds, as far as is known here."""

    async def hops(self, here: Numbers, steps: Steps) -> Hops:
        """All steps from some assets."""


class ReadGround:
    """Ground that is read from the rows, as it is walked on."""

    def __init__(self, connection: AsyncConnection, viewer: dict[str, object]) -> None:
        """Read over a connection, with the values of the viewer's parameters."""
        self._connection = connection
        self._viewer = viewer
        self._assets: dict[UUID, int] = {}
        self._bonds: dict[UUID, tuple[int, StepKind]] = {}
        self._asset_ids: list[UUID] = []
        self._bond_ids: list[UUID] = []

    @property
    def size(self) -> int:
        """More than any number of an asset."""
        return len(self._asset_ids)

    def number(self, asset: UUID) -> int:
        """The number of an asset."""
        known = self._assets.get(asset)
        if known is None:
            known = self._assets[asset] = len(self._asset_ids)
            self._asset_ids.append(asset)
        return known

    def assets(self, nodes: Numbers) -> list[UUID]:
        """The assets of some numbers."""
        return [self._asset_ids[node] for node in nodes]

    def keys(self, nodes: Numbers) -> list[bytes]:
        """The ids of some assets, as bytes."""
        return [asset.bytes for asset in self.assets(nodes)]

    def bonds(self, bonds: Numbers) -> list[tuple[UUID, StepKind]]:
        """Some bonds."""
        ids = [self._bond_ids[bond] for bond in bonds]
        return [(id_, self._bonds[id_][1]) for id_ in ids]

    def kinds(self, nodes: Numbers) -> None:
        """They are not read here."""

    def may_be(self, nodes: Numbers, kinds: Collection[AssetKind]) -> Numbers:  # kinds are not read here
        """All of them."""
        return nodes

    async def hops(self, here: Numbers, steps: Steps) -> Hops:
        """All steps from some assets."""
        values: dict[str, Any] = {
            **self._viewer,
            "here": self.assets(here),
            "kinds": list(steps.kinds),
            "statuses": list(steps.statuses),
        }
        if steps.moment is not None:
            values |= {"valid_at": steps.moment[0], "known_at": steps.moment[1]}
        rows = (await self._connection.execute(_STATEMENTS[steps.upwards, steps.moment is None], values)).all()
        found = [(self._bond(id_, kind), self.number(near), self.number(far)) for id_, near, far, kind in rows]
        bonds, near, far = np.array(found, dtype=np.int64).reshape(-1, 3).T
        return Hops(bonds, near, far)

    def _bond(self, id_: UUID, kind: str) -> int:
        known = self._bonds.get(id_)
        if known is None:
            known = self._bonds[id_] = len(self._bond_ids), StepKind(kind)
            self._bond_ids.append(id_)
        return known[0]


_KINDS = bindparam("kinds", type_=ARRAY(Text), required=True)
_STATUSES = bindparam("statuses", type_=ARRAY(Text), required=True)


def _statement(*, upwards: bool, now: bool) -> Any:
    edge, item = tables.lineage_edge.alias(), contained(now=now)
    near, far = (edge.c.child_id, edge.c.parent_id) if upwards else (edge.c.parent_id, edge.c.child_id)
    stored = select(edge.c.id, near.label("near"), far.label("far"), edge.c.kind).where(
        near == any_(HERE),
        edge.c.kind == any_(_KINDS),
        edge.c.status == any_(_STATUSES),
        edge_told(edge),
        stood(edge, now=now),
    )
    ends = (item.c.release_id, item.c.asset_id) if upwards else (item.c.asset_id, item.c.release_id)
    contains = literal(StepKind.CONTAINS.value, Text)
    held = select(item.c.id, ends[0].label("near"), ends[1].label("far"), contains).where(
        ends[0] == any_(HERE), contains == any_(_KINDS)
    )
    return union_all(stored, held)


_STATEMENTS = {(up, now): _statement(upwards=up, now=now) for up in (True, False) for now in (True, False)}
