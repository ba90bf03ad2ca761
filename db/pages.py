"""Pages: which rows a page reads, and the JSON of a connection.

One sub-select reads a row more than the page, numbered in its order; the aggregates above it write the nodes, and know
from the extra row whether there is more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.access import allowed
from db.arguments import Bound
from db.json_text import Part, boolean, constant, joined, leaf, object_text
from db.places import Page, Type, Types, names_of, permitted, rows_of
from db.selection import Field

WriteObject = Callable[[Type, Any, Sequence[Field], tuple[str, ...]], ColumnElement[str]]


def listed_rows(
    types: Types, place: Page, parent: Any, shape: Any, bound: Bound
) -> tuple[Any, list[ColumnElement[bool]]]:
    """The rows of the whole list of a parent: what to select from, and the conditions, the predicate among them."""
    _order, _backward, _cursors, filters = shape
    conditions: list[ColumnElement[bool]] = []
    if place.source is not None:
        row = place.source(bound, lambda table, inner: allowed(table, place.action, inner))
    else:
        row, table, conditions = rows_of(types, types[place.type])
        conditions.append(permitted(table, place, parent, row))
    conditions.append(place.on(parent, row, bound))
    return row, conditions + [place.arguments.filters[name].on(row, bound[name]) for name in filters]


def within_cursors(shape: Any, row: Any, bound: Bound) -> list[ColumnElement[bool]]:
    """The conditions of `after` and `before`."""
    order, _backward, cursors, _filters = shape
    return [order.past(row, bound[f"{name}_key"], bound[f"{name}_id"], after=name == "after") for name in cursors]


class PageText:
    """Writes the JSON of one connection field of one parent row."""

    def __init__(self, types: Types, place: Page, parent: Any, field: Field, write: WriteObject) -> None:
        """Read the shape of the page."""
        self._types, self._place, self._parent, self._field, self._write = types, place, parent, field, write
        self._type = types[place.type]
        self._order, self._backward, self._cursors, _ = field.shape
        self._bound = place.arguments.bind(field.shape, f"s{field.slot}")
        # An aggregate takes rows in the order its one sub-select gives them: numbers are for what needs more than that.
        self._numbered = self._backward or any(part.name == "pageInfo" for part in field.fields)

    def text(self) -> ColumnElement[str]:
        """The connection."""
        reads = any(part.name not in ("totalCount", "__typename") for part in self._field.fields)
        page = self._page() if reads else None
        text = object_text((part.key, self._part(page, part)) for part in self._field.fields)
        if page is None:
            return text
        # HAVING makes it one row even where only constants are asked for, as of `pageInfo { hasPreviousPage }`.
        whole = select(text).select_from(page).having(literal_column("true"))
        return whole.correlate_except(page).scalar_subquery()

    def _rows(self) -> tuple[Any, list[ColumnElement[bool]]]:
        return listed_rows(self._types, self._place, self._parent, self._field.shape, self._bound)

    def _total(self) -> ColumnElement[int]:
        row, conditions = self._rows()
        counted = select(func.count()).select_from(row).where(*conditions)
        return counted.correlate_except(row).scalar_subquery()

    def _page(self) -> Any:
        row, conditions = self._rows()
        conditions += within_cursors(self._field.shape, row, self._bound)
        ordering = self._order.columns(row, backward=self._backward)
        inner = select(*row.c).where(*conditions).order_by(*ordering).correlate_except(row)
        if not self._numbered:
            return inner.limit(self._bound["size"]).subquery()
        number = func.row_number().over(order_by=ordering).label("rn")
        page = inner.add_columns(number).limit(self._bound["fetched"]).subquery()
        if any(inner.name.endswith("Cursor") for part in self._field.fields for inner in part.fields):
            page = select(*page.c, func.count().over().label("found")).subquery()
        return page

    def _part(self, page: Any, part: Field) -> list[Part]:
        if part.name == "__typename":
            return [f'"{next(iter(part.kinds))}"']
        if part.name == "totalCount":
            return [self._total()]
        if part.name == "pageInfo":
            return [object_text((inner.key, self._page_info(page, inner)) for inner in part.fields)]
        if part.name == "nodes":
            text = self._node(page, part)
        else:
            text = object_text((inner.key, self._edge(page, inner)) for inner in part.fields)
        if not self._numbered:
            return ["[", func.string_agg(text, constant(","), type_=Text), "]"]
        by = page.c.rn.desc() if self._backward else page.c.rn
        listed = func.string_agg(text, aggregate_order_by(constant(","), by), type_=Text)
        return ["[", listed.filter(page.c.rn <= self._bound["size"]), "]"]

    def _node(self, page: Any, part: Field) -> ColumnElement[str]:
        return self._write(self._type, page, part.fields, names_of(self._type))

    def _edge(self, page: Any, inner: Field) -> list[Part]:
        if inner.name == "__typename":
            return [f'"{next(iter(inner.kinds))}"']
        if inner.name == "cursor":
            return ['"', self._order.cursor(page), '"']
        if inner.name in self._place.edge:
            return leaf(self._place.edge[inner.name], page)
        return [self._node(page, inner)]

    def _page_info(self, page: Any, inner: Field) -> list[Part]:
        more = boolean(func.count() > self._bound["size"])
        match inner.name:
            case "__typename":
                return ['"PageInfo"']
            case "hasNextPage":
                return [("true" if "before" in self._cursors else "false") if self._backward else more]
            case "hasPreviousPage":
                return [more if self._backward else "true" if "after" in self._cursors else "false"]
            case name:
                return [self._end_cursor(page, nearest=(name == "startCursor") != self._backward)]

    def _end_cursor(self, page: Any, *, nearest: bool) -> ColumnElement[str]:
        """The cursor of the first row as read, or of the last one shown."""
        place = page.c.rn == (literal_column("1") if nearest else func.least(self._bound["size"], page.c.found))
        cursor = func.string_agg(self._order.cursor(page), constant(""), type_=Text).filter(place)
        return func.coalesce(joined([constant('"').concat(cursor).concat(constant('"'))]), constant("null"))


def closed_page(field: Field) -> str:
    """An empty page, as a row answers that is not shown so far."""
    return "{" + ",".join(f'"{part.key}":{_closed_part(part)}' for part in field.fields) + "}"


def _closed_part(part: Field) -> str:
    if part.name == "__typename":
        return f'"{next(iter(part.kinds))}"'
    if part.name == "totalCount":
        return "0"
    if part.name != "pageInfo":
        return "[]"
    empty = {"hasNextPage": "false", "hasPreviousPage": "false", "__typename": '"PageInfo"'}
    return "{" + ",".join(f'"{inner.key}":{empty.get(inner.name, "null")}' for inner in part.fields) + "}"
