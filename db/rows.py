"""Reading from the same declarations one hop at a time: the plain way, in batches, for the reference execution.

Nothing here writes JSON or joins hops: each function answers rows, and GraphQL's own algorithm puts them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, RowMapping, Uuid, any_, bindparam, cast, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from db.access import Exposure, allowed
from db.pages import listed_rows, within_cursors
from db.places import Inline, Kind, Many, Page, Stored, ToOne, Type, Types, base_of, rows_of
from db.viewers import viewer_values
from domain.accounts import Viewer

ROOT = UUID(int=0)
"""The key under which a root's page stands: it has no parent."""

_EDGE = "@edge."
_KEYS = bindparam("parent_keys", type_=ARRAY(Uuid()), required=True)


@dataclass(frozen=True, slots=True)
class Found:
    """A row that may be seen.

    Attributes:
        type: its concrete type.
        id: its key.
        values: its stored values by SDL name, those of an object in the row as `name.inner`.
        shown: whether fields of an exposure are shown of it.
        order_key: the key it stands at in the page it was read in.
        edge: what that page says of its place, by SDL name.
    """

    type: str
    id: UUID
    values: Mapping[str, Any]
    shown: Mapping[Exposure, bool]
    order_key: Any = None
    edge: Mapping[str, Any] = field(default_factory=dict)


class RowReader:
    """Reads rows for one viewer on one connection."""

    def __init__(self, types: Types, connection: AsyncConnection, viewer: Viewer) -> None:
        """Remember who asks."""
        self._types = types
        self._connection = connection
        self._viewer = viewer_values(viewer)

    async def _run(self, statement: Any, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        rows = await self._connection.execute(statement, {**self._viewer, **values})
        return rows.mappings().all()

    def _columns(self, type_: Type, row: Any) -> list[Any]:
        base = base_of(self._types, type_)
        listed = [row.c.id.label("@id")]
        if base.kinds:
            listed.append(row.c.kind.label("@kind"))
        if base.shown is not None:
            listed += [base.shown(row, exposure).label(f"@{exposure.name}") for exposure in Exposure]
        return [*listed, *_leaves(base, row)]

    def _found(self, type_: Type, row: RowMapping) -> Found:
        base = base_of(self._types, type_)
        name = type_.name
        if base.kinds:
            name = next(kind.type for kind in base.kinds if row["@kind"] in kind.words)
        shown = {exposure: base.shown is None or row[f"@{exposure.name}"] for exposure in Exposure}
        edge = {key.removeprefix(_EDGE): value for key, value in row.items() if key.startswith(_EDGE)}
        return Found(name, row["@id"], _values(row), shown, row.get("@key"), edge)

    async def own(self, type_: Type, keys: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        """The detail rows of assets of one kind, by key."""
        row = type_.rows.alias()
        statement = select(row.c.id.label("@id"), *_leaves(type_, row)).where(row.c.id == any_(_KEYS))
        return {found["@id"]: _values(found) for found in await self._run(statement, {"parent_keys": list(keys)})}

    async def root(self, place: ToOne, bound: Any, values: Mapping[str, Any]) -> Found | None:
        """The one row a root field names."""
        type_ = self._types[place.type]
        row, table, conditions = rows_of(self._types, type_)
        statement = (
            select(*self._columns(type_, row))
            .select_from(row)
            .where(place.on(None, row, bound), *conditions, allowed(table, place.action, row))
        )
        rows = await self._run(statement, values)
        return self._found(type_, rows[0]) if rows else None

    async def named(self, place: ToOne, keys: Sequence[UUID]) -> Mapping[UUID, Found]:
        """The rows that some ids of one kind name."""
        type_ = self._types[place.type]
        row, table, conditions = rows_of(self._types, type_)
        asked = func.unnest(_KEYS).table_valued("id", name="asked").render_derived()
        permitted = allowed(table, place.action, row)
        statement = (
            select(cast(asked.c.id, Uuid).label("@parent"), *self._columns(type_, row))
            .select_from(asked.join(row, place.on(None, row, {"id": asked.c.id})))
            .where(*conditions, permitted)
        )
        rows = await self._run(statement, {"parent_keys": list(keys)})
        return {found["@parent"]: self._found(type_, found) for found in rows}

    async def followed(self, kind: Kind, keys: Sequence[UUID]) -> Mapping[UUID, Found]:
        """The members of a union whose rows live elsewhere."""
        base = self._types[kind.type].base or kind.type
        follow = kind.follow
        return await self.named(ToOne(base, lambda _, row, bound: follow(_Keyed(bound), row, bound)), keys)  # type: ignore[misc]  # such kinds are followed

    async def to_one(
        self, owner: Type, place: ToOne | Many, keys: Sequence[UUID], *, by: str | None = None
    ) -> Mapping[UUID, list[Found]]:
        """The rows that belong to each of some parents, in the order of a column where one is named."""
        type_ = self._types[place.type]
        row, table, conditions = rows_of(self._types, type_)
        parent = owner.rows.alias()
        permitted = allowed(table, place.action, row)
        statement = (
            select(parent.c.id.label("@parent"), *self._columns(type_, row))
            .select_from(parent.join(row, place.on(parent, row, {})))
            .where(parent.c.id == any_(_KEYS), *conditions, permitted)
            .order_by(*([row.c[by], row.c.id] if by else []))
        )
        listed: dict[UUID, list[Found]] = {}
        for found in await self._run(statement, {"parent_keys": list(keys)}):
            listed.setdefault(found["@parent"], []).append(self._found(type_, found))
        return listed

    async def page(
        self,
        owner: Type | None,
        place: Page,
        keys: Sequence[UUID],
        shape: Any,
        bound: Any,
        values: Mapping[str, Any],
    ) -> Mapping[UUID, list[Found]]:
        """One row more than a page, for each parent (or for the root, under ROOT), in the order of the page."""
        type_ = self._types[place.type]
        order, backward, _, _ = shape
        parent = owner.rows.alias() if owner and owner.table is not None else None
        row, conditions = listed_rows(self._types, place, parent, shape, bound)
        conditions += within_cursors(shape, row, bound)
        listed = (
            self._columns(type_, row) if place.source is None else [row.c.id.label("@id"), row.c.kind.label("@kind")]
        )
        listed += [stored.value(row).label(f"{_EDGE}{name}") for name, stored in place.edge.items()]
        inner = (
            select(*listed, order.value(row).label("@key"))
            .where(*conditions)
            .order_by(*order.columns(row, backward=backward))
            .limit(bound["fetched"])
        )
        if parent is None:
            return {ROOT: [self._found(type_, found) for found in await self._run(inner, values)]}
        lateral = inner.correlate(parent).lateral()
        statement = (
            select(parent.c.id.label("@parent"), lateral)
            .select_from(parent.join(lateral, true()))
            .where(parent.c.id == any_(_KEYS))
        )
        pages: dict[UUID, list[Found]] = {}
        for found in await self._run(statement, {**values, "parent_keys": list(keys)}):
            pages.setdefault(found["@parent"], []).append(self._found(type_, found))
        return pages

    async def count(
        self,
        owner: Type | None,
        place: Page,
        keys: Sequence[UUID],
        shape: Any,
        bound: Any,
        values: Mapping[str, Any],
    ) -> Mapping[UUID, int]:
        """How many rows the whole list of each parent holds."""
        parent = owner.rows.alias() if owner and owner.table is not None else None
        row, conditions = listed_rows(self._types, place, parent, shape, bound)
        counted = select(func.count().label("found")).select_from(row).where(*conditions)
        if parent is None:
            return {ROOT: (await self._run(counted, values))[0]["found"]}
        lateral = counted.correlate(parent).lateral()
        statement = (
            select(parent.c.id.label("@parent"), lateral.c.found)
            .select_from(parent.join(lateral, true()))
            .where(parent.c.id == any_(_KEYS))
        )
        rows = await self._run(statement, {**values, "parent_keys": list(keys)})
        return {found["@parent"]: found["found"] for found in rows}


class _Keyed:
    """A row of which only the key is known."""

    def __init__(self, bound: Mapping[str, Any]) -> None:
        self.c = _Columns(bound["id"])


@dataclass(frozen=True, slots=True)
class _Columns:
    id: Any


def _leaves(type_: Type, row: Any) -> Iterator[Any]:
    for name, place in type_.places.items():
        if isinstance(place, Stored):
            yield place.value(row).label(name)
        elif isinstance(place, Inline):
            yield (literal(value=True) if place.present is None else place.present(row)).label(name)
            for inner, stored in place.places.items():
                yield stored.value(row).label(f"{name}.{inner}")


def _values(row: RowMapping) -> Mapping[str, Any]:
    """Stored values as GraphQL serialises them: a decimal is a Float."""
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in row.items()
        if not name.startswith("@")
    }
