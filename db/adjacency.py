"""Lineage in memory: every bond that holds now, for walks over more than rows can be read in time.

It is made from the rows and is never older than the transaction it is asked in: what the change log names since the
snapshot it was made of is read again before each walk. It answers as `db.hops.ReadGround` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import numpy as np
from asyncpg.pgproto import pgproto
from numpy.typing import NDArray
from sqlalchemy import (
    ARRAY,
    SmallInteger,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import edge_stands, edge_told
from db.containment import contained
from db.engine import Database
from db.hops import Hops, Numbers, Steps
from db.statements import statement_text
from domain.assets import AssetKind
from domain.errors import CassetError
from domain.lineage import EdgeStatus, StepKind

MOST_FOLLOWED = 20_000
"""Bonds that changed since it was made; beyond, it is made anew."""
_PATIENCE = "60s"
_STEP_KINDS, _EDGE_STATUSES, _ASSET_KINDS = tuple(StepKind), tuple(EdgeStatus), tuple(AssetKind)
_ITEM_STATUS = len(_EDGE_STATUSES)
"""In place of a status: an item has none."""
_ENDED, _CLOSED, _TIMED = 1, 2, 4
"""Flags of a bond: it is no more; it is told to its owners only; it holds at some times only."""
_Small = NDArray[np.uint8]
_Ids = NDArray[np.bytes_]
_UUID = "S16"
_uuid = pgproto.UUID
"""A UUID like any other, read ten times as fast."""


@dataclass(frozen=True, slots=True)
class _Bonds:
    """Bonds by number, in columns."""

    ids: _Ids
    children: NDArray[np.int32]
    parents: NDArray[np.int32]
    kinds: _Small
    statuses: _Small
    flags: _Small

    def joined(self, other: _Bonds) -> _Bonds:
        """These and, after them, the others."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return _Bonds(*[np.concatenate(pair) for pair in pairs])


class _Ends:
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
    assets: _Ids
    kinds: _Small
    ordered: int
    bonds: _Bonds
    settled: int
    above: _Ends
    below: _Ends
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
        known = len(self._adjacency.assets)
        if self._strange and (nodes >= known).any():
            return [
                self._strange[node - known] if node >= known else self.assets(nodes[[at]])[0]
                for at, node in enumerate(nodes)
            ]
        return _uuids(self._adjacency.assets[nodes])

    def bonds(self, bonds: Numbers) -> list[tuple[UUID, StepKind]]:
        """Some bonds."""
        kept = self._adjacency.bonds
        kinds = [_STEP_KINDS[kind] for kind in kept.kinds[bonds].tolist()]
        return list(zip(_uuids(kept.ids[bonds]), kinds, strict=True))

    def may_be(self, nodes: Numbers, kinds: Collection[AssetKind]) -> Numbers:
        """Those that are of these kinds."""
        wanted = np.array([kind in kinds for kind in _ASSET_KINDS])
        known = nodes[nodes < len(self._adjacency.assets)]
        return known[wanted[self._adjacency.kinds[known]]]

    async def hops(self, here: Numbers, steps: Steps) -> Hops:
        """All steps from some assets."""
        bonds = self._adjacency.bonds
        kinds = np.array([kind in steps.kinds for kind in _STEP_KINDS])
        statuses = np.array([*[status in steps.statuses for status in _EDGE_STATUSES], True])
        found = self._adjacency.at(here, upwards=steps.upwards)
        found = found[kinds[bonds.kinds[found]] & statuses[bonds.statuses[found]]]
        flags = bonds.flags[found]
        if flags.any():
            found = np.concatenate([found[flags == 0], await self._standing(found[flags != 0])])
        ends = bonds.children[found].astype(np.int64), bonds.parents[found].astype(np.int64)
        return Hops(found, *(ends if steps.upwards else ends[::-1]))

    async def _standing(self, flagged: Numbers) -> Numbers:
        """Those of some flagged bonds that hold now and are told to the viewer."""
        flags, times = self._adjacency.bonds.flags, self._adjacency.times
        held = np.array(
            [bond for bond in flagged.tolist() if not flags[bond] & _ENDED and self._holds(times.get(bond))], np.int64
        )
        closed = held[flags[held] & _CLOSED > 0]
        if not len(closed):
            return held
        told: set[UUID] = set()
        if self._viewer["viewer_holds"]:
            ids = _uuids(self._adjacency.bonds.ids[closed])
            told = set((await self._connection.execute(_TOLD, {**self._viewer, "ids": ids})).scalars())
        hidden = [bond for bond, (id_, _) in zip(closed, self.bonds(closed), strict=True) if id_ not in told]
        return held[~np.isin(held, hidden)]

    def _holds(self, time: tuple[datetime | None, datetime | None] | None) -> bool:
        if time is None:
            return True
        since, until = time
        return (since is None or since <= self._now) and (until is None or self._now < until)


class LineageIndex:
    """The lineage of one database, kept in memory once a walk was long enough to be worth it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._adjacency: Adjacency | None = None
        self._following = asyncio.Lock()
        self._making: asyncio.Task[None] | None = None

    def wanted(self, database: Database) -> None:
        """Make it beside everything else, unless it is there or being made."""
        if self._adjacency is None and (self._making is None or self._making.done()):
            self._making = asyncio.create_task(self._make(database))

    async def _make(self, database: Database) -> None:
        try:
            self._adjacency = await made(database)
        except CassetError:
            # The database is away or busy: a later walk asks again.
            self._adjacency = None

    async def ready(self) -> None:
        """Wait for it, where it is being made."""
        if self._making is not None:
            await self._making

    async def at(self, connection: AsyncConnection) -> tuple[Adjacency, datetime] | None:
        """Lineage as the connection's snapshot sees it, and its time; None where it is not in memory.

        Whoever waits here has no snapshot yet: it is taken in turn, so that none is older than what is kept.
        """
        if self._adjacency is None:
            return None
        async with self._following:
            kept = self._adjacency
            since = (await connection.execute(_SINCE, {"seen": kept.snapshot})).one()
            edges, releases = since.edges or [], since.releases or []
            late = len(kept.bonds.ids) - kept.settled + len(edges) + len(releases)
            if late > MOST_FOLLOWED:
                self._adjacency = None
                return None
            if edges or releases:
                kept = await _followed(connection, kept, edges, releases)
            self._adjacency = kept = replace(kept, snapshot=since.snapshot)
            return kept, since.now


_INDEXES: WeakKeyDictionary[Database, LineageIndex] = WeakKeyDictionary()


def index_of(database: Database) -> LineageIndex:
    """The index of a database."""
    return _INDEXES.setdefault(database, LineageIndex())


_TOLD = select(tables.lineage_edge.c.id).where(
    tables.lineage_edge.c.id == any_(bindparam("ids", type_=ARRAY(Uuid), required=True)), edge_told(tables.lineage_edge)
)
_SINCE = text(
    """
    SELECT pg_current_snapshot()::text AS snapshot, now() AS now,
           array_agg(DISTINCT touched.id) FILTER (WHERE change.kind = 'EDGES_WRITTEN') AS edges,
           array_agg(DISTINCT touched.id) FILTER (WHERE change.kind = 'CONTENTS_WRITTEN') AS releases
    FROM change CROSS JOIN unnest(change.ids) AS touched (id)
    WHERE change.kind IN ('EDGES_WRITTEN', 'CONTENTS_WRITTEN')
      AND change.xid >= pg_snapshot_xmin(CAST(CAST(:seen AS text) AS pg_snapshot))
      AND NOT pg_visible_in_snapshot(change.xid, CAST(CAST(:seen AS text) AS pg_snapshot))
    """
)


async def made(database: Database) -> Adjacency:
    """Lineage, from all the rows.

    Raises:
        Unavailable: the database is away.
    """
    async with (
        database.plan_connection("lineage") as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
        snapshot = await connection.fetchval("SELECT pg_current_snapshot()::text")
        assets = await _copied(connection, _ASSETS, "uc")
        edges = await _copied(connection, _EDGES, "uuuccc")
        items = await _copied(connection, _ITEMS, "uuuccc")
        times = {row["id"]: (row["since"], row["until"]) for row in await connection.fetch(_TIMES)}
    return await asyncio.to_thread(_arranged, snapshot, assets, np.concatenate([edges, items]), times)


async def _copied(connection: Any, query: str, columns: str) -> NDArray[Any]:
    """What a query answers, as PostgreSQL's binary COPY has it: `u` is a UUID, `c` a code of two bytes."""
    data = bytearray()

    async def take(chunk: bytes) -> None:
        data.extend(chunk)

    await connection.copy_from_query(query, output=take, format="binary")
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        fields += [(f"length{number}", ">i4"), (f"c{number}", _UUID if column == "u" else ">i2")]
    return np.frombuffer(
        data,
        np.dtype(fields),
        count=(len(data) - _COPY_HEAD - _COPY_END) // np.dtype(fields).itemsize,
        offset=_COPY_HEAD,
    )


_COPY_HEAD, _COPY_END = 19, 2
"""Bytes before the first row and after the last."""


def _arranged(
    snapshot: str, assets: NDArray[Any], rows: NDArray[Any], times: dict[UUID, tuple[datetime | None, datetime | None]]
) -> Adjacency:
    ids = assets["c0"].copy()
    rows = rows[np.argsort(rows["c0"], kind="stable")]
    children, parents = (np.searchsorted(ids, rows[end]).astype(np.int32) for end in ("c1", "c2"))
    kinds, statuses, flags = (rows[code].astype(np.uint8) for code in ("c3", "c4", "c5"))
    bonds = _Bonds(rows["c0"].copy(), children, parents, kinds, statuses, flags)
    numbers = np.searchsorted(bonds.ids, _ids(list(times)))
    return Adjacency(
        snapshot,
        ids,
        assets["c1"].astype(np.uint8),
        len(ids),
        bonds,
        len(bonds.ids),
        _Ends(bonds.children, len(ids)),
        _Ends(bonds.parents, len(ids)),
        dict(zip(map(int, numbers), times.values(), strict=True)),
    )


async def _followed(
    connection: AsyncConnection, kept: Adjacency, edges: Sequence[UUID], releases: Sequence[UUID]
) -> Adjacency:
    """What was kept, with the edges and the contents of releases that were written since."""
    written = [*(await connection.execute(_WRITTEN, {"ids": edges})).all()]
    held = [*(await connection.execute(_HELD, {"ids": releases})).all()]
    ended = [bond for row in written for bond in _known(kept, row.child_id, row.id)]
    ended += [bond for release in releases for bond in _known(kept, release, None)]
    flags = kept.bonds.flags.copy()
    flags[ended] |= _ENDED
    rows = [row for row in written if row.stands] + held
    numbers = {
        id_: number for row in rows for id_ in (row.child_id, row.parent_id) if (number := kept.number(id_)) is not None
    }
    met = {
        id_: kind
        for row in rows
        for id_, kind in ((row.child_id, row.child_kind), (row.parent_id, row.parent_kind))
        if id_ not in numbers
    }
    numbers |= {id_: number for number, id_ in enumerate(met, len(kept.assets))}
    first = len(kept.bonds.ids)
    late = _Bonds(
        _ids([row.id for row in rows]),
        np.array([numbers[row.child_id] for row in rows], np.int32),
        np.array([numbers[row.parent_id] for row in rows], np.int32),
        *(np.array([getattr(row, name) for row in rows], np.uint8) for name in ("kind", "status", "flags")),
    )
    return replace(
        kept,
        assets=np.concatenate([kept.assets, _ids(list(met))]),
        kinds=np.concatenate([kept.kinds, np.array(list(met.values()), np.uint8)]),
        bonds=replace(kept.bonds, flags=flags).joined(late),
        times={**kept.times, **{first + n: (row.since, row.until) for n, row in enumerate(rows) if row.flags & _TIMED}},
    )


def _known(kept: Adjacency, child: UUID, bond: UUID | None) -> list[int]:
    """The numbers of a bond of an asset, or of all items of a release."""
    number = kept.number(child)
    if number is None:
        return []
    found = kept.at(np.array([number], np.int64), upwards=True)
    bonds = kept.bonds
    wanted = bonds.statuses[found] == _ITEM_STATUS if bond is None else bonds.ids[found] == _key(bond)
    return found[wanted].tolist()


def _ids(ids: Sequence[UUID]) -> _Ids:
    return np.array([id_.bytes for id_ in ids], _UUID)


def _key(id_: UUID) -> bytes:
    """An id as NumPy has it: zeros at the end are padding."""
    return id_.bytes.rstrip(b"\0")


def _uuids(ids: _Ids) -> list[UUID]:
    return [_uuid(id_.ljust(16, b"\0")) for id_ in ids.tolist()]


def _coded(value: Any, words: Sequence[str]) -> Any:
    """A word as its place among its kind."""
    return (func.array_position(literal(list(words), ARRAY(Text)), value) - 1).cast(SmallInteger)


def _number(value: int) -> Any:
    return literal(value).cast(SmallInteger)


def _edges(edge: Any) -> Any:
    """(id, child, parent, kind, status, flags) of edges."""
    closed = case((edge_stands(edge), 0), else_=_CLOSED)
    timed = case((and_(func.upper_inf(edge.c.valid), func.lower(edge.c.valid) <= func.now()), 0), else_=_TIMED)
    return select(
        edge.c.id,
        edge.c.child_id,
        edge.c.parent_id,
        _coded(edge.c.kind, _STEP_KINDS).label("kind"),
        _coded(edge.c.status, _EDGE_STATUSES).label("status"),
        (closed + timed).cast(SmallInteger).label("flags"),
    )


def _stands(edge: Any) -> Any:
    """It holds now, or may come to hold."""
    return and_(func.upper_inf(edge.c.known), func.coalesce(func.upper(edge.c.valid) > func.now(), true()))


def _items() -> Any:
    """The same of what releases hold."""
    item = contained()
    kind = _number(_STEP_KINDS.index(StepKind.CONTAINS)).label("kind")
    standing = _number(_ITEM_STATUS).label("status"), _number(0).label("flags")
    return item, select(
        item.c.id, item.c.release_id.label("child_id"), item.c.asset_id.label("parent_id"), kind, *standing
    )


_IDS = bindparam("ids", type_=ARRAY(Uuid), required=True)
_EDGE, (_ITEM, _ALL_ITEMS) = tables.lineage_edge.alias(), _items()
_CHILD, _PARENT = tables.asset.alias(), tables.asset.alias()
_END_KINDS = [
    _coded(end.c.kind, _ASSET_KINDS).label(name) for end, name in ((_CHILD, "child_kind"), (_PARENT, "parent_kind"))
]
_SINCE_WHEN = func.lower(_EDGE.c.valid).label("since"), func.upper(_EDGE.c.valid).label("until")
_ASSETS = statement_text(
    select(tables.asset.c.id, _coded(tables.asset.c.kind, _ASSET_KINDS)).order_by(tables.asset.c.id)
)[0]
_EDGES = statement_text(_edges(_EDGE).where(_stands(_EDGE)))[0]
_ITEMS = statement_text(_ALL_ITEMS)[0]
_TIMES = statement_text(
    select(_EDGE.c.id, *_SINCE_WHEN).where(
        _stands(_EDGE), or_(~func.upper_inf(_EDGE.c.valid), func.lower(_EDGE.c.valid) > func.now())
    )
)[0]
_WRITTEN = (
    _edges(_EDGE)
    .add_columns(_stands(_EDGE).label("stands"), *_SINCE_WHEN, *_END_KINDS)
    .join_from(_EDGE, _CHILD, _CHILD.c.id == _EDGE.c.child_id)
    .join(_PARENT, _PARENT.c.id == _EDGE.c.parent_id)
    .where(_EDGE.c.id == any_(_IDS))
)
_HELD = (
    _ALL_ITEMS.add_columns(*_END_KINDS)
    .join_from(_ITEM, _CHILD, _CHILD.c.id == _ITEM.c.release_id)
    .join(_PARENT, _PARENT.c.id == _ITEM.c.asset_id)
    .where(_ITEM.c.release_id == any_(_IDS))
)
