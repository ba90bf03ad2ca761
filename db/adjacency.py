"""Lineage in memory: every bond that holds now, as arrays, and walking on it as one viewer.

It answers as `db.hops.ReadGround` does. How it is made and kept up is in `db.following`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from asyncpg.pgproto import pgproto
from numpy.typing import NDArray
from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import edge_told
from db.hops import Hops, Numbers, Steps
from domain.assets import AssetKind
from domain.lineage import EdgeStatus, StepKind

STEP_KINDS, EDGE_STATUSES, ASSET_KINDS = tuple(StepKind), tuple(EdgeStatus), tuple(AssetKind)
ITEM_STATUS = len(EDGE_STATUSES)
"""In place of a status: an item has none."""
ENDED, CLOSED, TIMED = 1, 2, 4
"""Flags of a bond: it is no more; it is told to its owners only; it holds at some times only."""
_Small = NDArray[np.uint8]
Ids = NDArray[np.bytes_]
UUID_BYTES = "S16"
_uuid = pgproto.UUID
"""A UUID like any other, read ten times as fast."""


@dataclass(frozen=True, slots=True)
class Bonds:
    """Bonds by number, in columns."""

    ids: Ids
    children: NDArray[np.int32]
    parents: NDArray[np.int32]
    kinds: _Small
    statuses: _Small
    flags: _Small

    def joined(self, other: Bonds) -> Bonds:
        """These and, after them, the others."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return Bonds(*[np.concatenate(pair) for pair in pairs])


class Ends:
    """The bonds at each asset, by one of their ends."""

    def __init__(self, ends: NDArray[np.int32], size: int) -> None:
        self._bonds = np.argsort(ends, kind="stable").astype(np.int32)
        self._starts = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(ends, minlength=size), out=self._starts[1:])

    def at(self, here: Numbers) -> Numbers:
        """The bonds at some assets."""
        here = here[here < len(self._starts) - 1]
        starts = self._starts[here]
        counts = self._starts[here + 1] - starts
        before = np.cumsum(counts) - counts
        places = np.repeat(starts - before, counts) + np.arange(counts.sum())
        return self._bonds[places].astype(np.int64)


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Lineage as one snapshot saw it.

    Attributes:
        snapshot: of PostgreSQL.
        assets: the ids of the assets that were there when it was made, in order, and of those met since.
        kinds: of the assets.
        ordered: how many of the assets are in order.
        bonds: all of them.
        settled: how many of the bonds were there when it was made.
        above: of those, the bonds of each asset to what it is made of.
        below: of those, the bonds of each asset to what is made of it.
        times: when the bonds hold that hold at some times only: from, and until.
    """

    snapshot: str
    assets: Ids
    kinds: _Small
    ordered: int
    bonds: Bonds
    settled: int
    above: Ends
    below: Ends
    times: dict[int, tuple[datetime | None, datetime | None]]

    def number(self, asset: UUID) -> int | None:
        """The number of an asset; None where it has no bonds."""
        id_ = _key(asset)
        place = int(np.searchsorted(self.assets[: self.ordered], id_))
        if place < self.ordered and self.assets[place] == id_:
            return place
        late = np.flatnonzero(self.assets[self.ordered :] == id_)
        return self.ordered + int(late[0]) if len(late) else None

    def at(self, here: Numbers, *, upwards: bool) -> Numbers:
        """The bonds of some assets to what they are made of, or to what is made of them."""
        found = (self.above if upwards else self.below).at(here)
        late = (self.bonds.children if upwards else self.bonds.parents)[self.settled :]
        if len(late):
            found = np.concatenate([found, np.flatnonzero(np.isin(late, here)) + self.settled])
        return found

    def made_of(self, child: UUID) -> Numbers:
        """The bonds of one asset to what it is made of."""
        number = self.number(child)
        return self.at(np.array([] if number is None else [number], np.int64), upwards=True)

    def bond_of(self, child: UUID, bond: UUID) -> list[int]:
        """The bond of an asset with an id, at each place where it is kept."""
        found = self.made_of(child)
        return found[self.bonds.ids[found] == _key(bond)].tolist()

    def items_of(self, release: UUID) -> list[int]:
        """What a release holds."""
        found = self.made_of(release)
        return found[self.bonds.statuses[found] == ITEM_STATUS].tolist()


class IndexGround:
    """Ground in memory, as one viewer walks on it."""

    def __init__(
        self, adjacency: Adjacency, now: datetime, connection: AsyncConnection, viewer: dict[str, object]
    ) -> None:
        """Walk at a time; what is told to owners only is asked over the connection."""
        self._adjacency, self._now = adjacency, now
        self._connection, self._viewer = connection, viewer
        self._strange: list[UUID] = []

    @property
    def size(self) -> int:
        """More than any number of an asset."""
        return len(self._adjacency.assets) + len(self._strange)

    def number(self, asset: UUID) -> int:
        """The number of an asset."""
        known = self._adjacency.number(asset)
        if known is None:
            if asset not in self._strange:
                self._strange.append(asset)
            known = len(self._adjacency.assets) + self._strange.index(asset)
        return known

    def assets(self, nodes: Numbers) -> list[UUID]:
        """The assets of some numbers."""
        count = len(self._adjacency.assets)
        known = uuids(self._adjacency.assets[nodes[nodes < count]])
        if len(known) == len(nodes):
            return known
        told = iter(known)
        return [next(told) if node < count else self._strange[node - count] for node in nodes.tolist()]

    def keys(self, nodes: Numbers) -> list[bytes]:
        """The ids of some assets, as bytes."""
        if (nodes < len(self._adjacency.assets)).all():
            return _bytes(self._adjacency.assets[nodes])
        return [asset.bytes for asset in self.assets(nodes)]

    def bonds(self, bonds: Numbers) -> list[tuple[UUID, StepKind]]:
        """Some bonds."""
        kept = self._adjacency.bonds
        kinds = [STEP_KINDS[kind] for kind in kept.kinds[bonds].tolist()]
        return list(zip(uuids(kept.ids[bonds]), kinds, strict=True))

    def kinds(self, nodes: Numbers) -> list[AssetKind] | None:
        """The kinds of some assets; None where one of them is not among what is kept."""
        if not (nodes < len(self._adjacency.assets)).all():
            return None
        return [ASSET_KINDS[kind] for kind in self._adjacency.kinds[nodes].tolist()]

    def may_be(self, nodes: Numbers, kinds: Collection[AssetKind]) -> Numbers:
        """Those that are of these kinds."""
        wanted = np.array([kind in kinds for kind in ASSET_KINDS])
        known = nodes[nodes < len(self._adjacency.assets)]
        return known[wanted[self._adjacency.kinds[known]]]

    async def hops(self, here: Numbers, steps: Steps) -> Hops:
        """All steps from some assets."""
        bonds = self._adjacency.bonds
        found = self._adjacency.at(here, upwards=steps.upwards)
        for codes, wanted in ((bonds.kinds, _wanted_kinds(steps)), (bonds.statuses, _wanted_statuses(steps))):
            # Mostly all of them are.
            if not wanted.all():
                found = found[wanted[codes[found]]]
        flags = bonds.flags[found]
        if flags.any():
            found = np.concatenate([found[flags == 0], await self._standing(found[flags != 0])])
        ends = bonds.children[found].astype(np.int64), bonds.parents[found].astype(np.int64)
        return Hops(found, *(ends if steps.upwards else ends[::-1]))

    async def _standing(self, flagged: Numbers) -> Numbers:
        """Those of some flagged bonds that hold now and are told to the viewer."""
        bonds, times = self._adjacency.bonds, self._adjacency.times
        flags = bonds.flags[flagged]
        hidden = flags & ENDED > 0
        for place in np.flatnonzero(flags & TIMED > 0).tolist():
            hidden[place] |= not self._holds(times.get(int(flagged[place])))
        closed = np.flatnonzero(~hidden & (flags & CLOSED > 0))
        told: set[UUID] = set()
        ids = uuids(bonds.ids[flagged[closed]]) if self._viewer["viewer_holds"] else []
        if ids:
            told = set((await self._connection.execute(_TOLD, {**self._viewer, "ids": ids})).scalars())
        hidden[closed] = [id_ not in told for id_ in ids] if ids else True
        return flagged[~hidden]

    def _holds(self, time: tuple[datetime | None, datetime | None] | None) -> bool:
        if time is None:
            return True
        since, until = time
        return (since is None or since <= self._now) and (until is None or self._now < until)


def _wanted_kinds(steps: Steps) -> NDArray[np.bool_]:
    return np.array([kind in steps.kinds for kind in STEP_KINDS])


def _wanted_statuses(steps: Steps) -> NDArray[np.bool_]:
    """Items, which have none, among them."""
    return np.array([*[status in steps.statuses for status in EDGE_STATUSES], True])


_TOLD = select(tables.lineage_edge.c.id).where(
    tables.lineage_edge.c.id == any_(bindparam("ids", type_=ARRAY(Uuid), required=True)), edge_told(tables.lineage_edge)
)


def arranged(
    snapshot: str, assets: NDArray[Any], rows: NDArray[Any], times: dict[UUID, tuple[datetime | None, datetime | None]]
) -> Adjacency:
    """Make it of rows as they were copied: (id, kind) of assets, (id, child, parent, kind, status, flags) of bonds."""
    ids = assets["c0"].copy()
    rows = rows[np.argsort(rows["c0"], kind="stable")]
    children, parents = (np.searchsorted(ids, rows[end]).astype(np.int32) for end in ("c1", "c2"))
    kinds, statuses, flags = (rows[code].astype(np.uint8) for code in ("c3", "c4", "c5"))
    bonds = Bonds(rows["c0"].copy(), children, parents, kinds, statuses, flags)
    numbers = np.searchsorted(bonds.ids, packed(list(times)))
    return Adjacency(
        snapshot,
        ids,
        assets["c1"].astype(np.uint8),
        len(ids),
        bonds,
        len(bonds.ids),
        Ends(bonds.children, len(ids)),
        Ends(bonds.parents, len(ids)),
        dict(zip(map(int, numbers), times.values(), strict=True)),
    )


def packed(ids: Collection[UUID]) -> Ids:
    """Ids as an array."""
    return np.array([id_.bytes for id_ in ids], UUID_BYTES)


def _key(id_: UUID) -> bytes:
    """An id as NumPy has it: zeros at the end are padding."""
    return id_.bytes.rstrip(b"\0")


def uuids(ids: Ids) -> list[UUID]:
    """An array as ids."""
    return list(map(_uuid, _bytes(ids)))


def _bytes(ids: Ids) -> list[bytes]:
    """An array as bytes, with the zeros at their end."""
    return ids.view("V16").tolist()
