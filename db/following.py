"""Keeping lineage in memory: it is made of the rows, and of what the change log names as written since.

It is never older than the transaction it is asked in: what was written since the snapshot it was made of is read again
before each walk. What follows is in the log by triggers, whoever writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, SmallInteger, Text, Uuid, and_, any_, bindparam, case, func, literal, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import edge_stands
from db.adjacency import (
    ASSET_KINDS,
    CLOSED,
    EDGE_STATUSES,
    ENDED,
    ITEM_STATUS,
    STEP_KINDS,
    TIMED,
    UUID_BYTES,
    Adjacency,
    Bonds,
    arranged,
    packed,
)
from db.containment import contained
from db.engine import Database
from db.statements import statement_text
from domain.errors import CassetError
from domain.lineage import StepKind

MOST_FOLLOWED = 20_000
"""Bonds that changed since it was made; beyond, it is made anew."""
_PATIENCE = "60s"


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
        async with self._following:
            kept = self._adjacency
            if kept is None:
                return None
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
    return await asyncio.to_thread(arranged, snapshot, assets, np.concatenate([edges, items]), times)


async def _copied(connection: Any, query: str, columns: str) -> NDArray[Any]:
    """What a query answers, as PostgreSQL's binary COPY has it: `u` is a UUID, `c` a code of two bytes."""
    data = bytearray()

    async def take(chunk: bytes) -> None:
        data.extend(chunk)

    await connection.copy_from_query(query, output=take, format="binary")
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        fields += [(f"length{number}", ">i4"), (f"c{number}", UUID_BYTES if column == "u" else ">i2")]
    return np.frombuffer(
        data,
        np.dtype(fields),
        count=(len(data) - _COPY_HEAD - _COPY_END) // np.dtype(fields).itemsize,
        offset=_COPY_HEAD,
    )


_COPY_HEAD, _COPY_END = 19, 2
"""Bytes before the first row and after the last."""


async def _followed(
    connection: AsyncConnection, kept: Adjacency, edges: Sequence[UUID], releases: Sequence[UUID]
) -> Adjacency:
    """What was kept, with the edges and the contents of releases that were written since."""
    written = [*(await connection.execute(_WRITTEN, {"ids": edges})).all()]
    held = [*(await connection.execute(_HELD, {"ids": releases})).all()]
    ended = [bond for row in written for bond in kept.bond_of(row.child_id, row.id)]
    ended += [bond for release in releases for bond in kept.items_of(release)]
    flags = kept.bonds.flags.copy()
    flags[ended] |= ENDED
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
    late = Bonds(
        packed([row.id for row in rows]),
        np.array([numbers[row.child_id] for row in rows], np.int32),
        np.array([numbers[row.parent_id] for row in rows], np.int32),
        *(np.array([getattr(row, name) for row in rows], np.uint8) for name in ("kind", "status", "flags")),
    )
    return replace(
        kept,
        assets=np.concatenate([kept.assets, packed(list(met))]),
        kinds=np.concatenate([kept.kinds, np.array(list(met.values()), np.uint8)]),
        bonds=replace(kept.bonds, flags=flags).joined(late),
        times={**kept.times, **{first + n: (row.since, row.until) for n, row in enumerate(rows) if row.flags & TIMED}},
    )


def _coded(value: Any, words: Sequence[str]) -> Any:
    """A word as its place among its kind."""
    return (func.array_position(literal(list(words), ARRAY(Text)), value) - 1).cast(SmallInteger)


def _number(value: int) -> Any:
    return literal(value).cast(SmallInteger)


def _edges(edge: Any) -> Any:
    """(id, child, parent, kind, status, flags) of edges."""
    closed = case((edge_stands(edge), 0), else_=CLOSED)
    timed = case((_always(edge), 0), else_=TIMED)
    return select(
        edge.c.id,
        edge.c.child_id,
        edge.c.parent_id,
        _coded(edge.c.kind, STEP_KINDS).label("kind"),
        _coded(edge.c.status, EDGE_STATUSES).label("status"),
        (closed + timed).cast(SmallInteger).label("flags"),
    )


def _always(edge: Any) -> Any:
    """It has begun to hold, and nobody said until when."""
    return and_(func.upper_inf(edge.c.valid), func.lower(edge.c.valid) <= func.now())


def _stands(edge: Any) -> Any:
    """It holds now, or may come to hold."""
    return and_(func.upper_inf(edge.c.known), func.coalesce(func.upper(edge.c.valid) > func.now(), true()))


def _items() -> Any:
    """The same of what releases hold."""
    item = contained()
    kind = _number(STEP_KINDS.index(StepKind.CONTAINS)).label("kind")
    standing = _number(ITEM_STATUS).label("status"), _number(0).label("flags")
    return item, select(
        item.c.id, item.c.release_id.label("child_id"), item.c.asset_id.label("parent_id"), kind, *standing
    )


_IDS = bindparam("ids", type_=ARRAY(Uuid), required=True)
_EDGE, (_ITEM, _ALL_ITEMS) = tables.lineage_edge.alias(), _items()
_CHILD, _PARENT = tables.asset.alias(), tables.asset.alias()
_END_KINDS = [
    _coded(end.c.kind, ASSET_KINDS).label(name) for end, name in ((_CHILD, "child_kind"), (_PARENT, "parent_kind"))
]
_SINCE_WHEN = func.lower(_EDGE.c.valid).label("since"), func.upper(_EDGE.c.valid).label("until")
_ASSETS = statement_text(
    select(tables.asset.c.id, _coded(tables.asset.c.kind, ASSET_KINDS)).order_by(tables.asset.c.id)
)[0]
_EDGES = statement_text(_edges(_EDGE).where(_stands(_EDGE)))[0]
_ITEMS = statement_text(_ALL_ITEMS)[0]
_TIMES = statement_text(select(_EDGE.c.id, *_SINCE_WHEN).where(_stands(_EDGE), ~_always(_EDGE)))[0]
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
