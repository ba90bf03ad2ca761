"""The read engine's SQL half: a selection and the declared places become one statement that answers JSON.

Every access to a table carries the predicate of (table, action); compiling fails where there is none. What the caller
gave travels as parameters, what the schema fixes is written into the statement, so that plans are as good as by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.access import Exposure, allowed
from db.json_text import Part, boolean, constant, joined, leaf
from db.places import (
    Each,
    Inline,
    Many,
    Page,
    Place,
    Resolved,
    Stored,
    Switch,
    ToOne,
    Type,
    Types,
    base_of,
    rows_of,
)
from db.selection import Field, Selection
from db.statements import statement_text

LARGEST_STATEMENT = 64 * 1024

Weights = tuple[tuple[tuple[int, ...], int], ...]
"""For each product of page sizes (slots), how many kinds of object are read that many times."""


class Refused(Exception):
    """The selection cannot be one statement; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled selection.

    Attributes:
        sql: one SELECT answering one `bytea`: the JSON of the data.
        parameters: where each `$n` comes from: (slot, name) of the request's values; slot -1 is the viewer.
    """

    sql: str
    parameters: tuple[tuple[int, str], ...]


def compile_selection(types: Types, selection: Selection) -> Statement:
    """Compile a selection into one statement.

    Raises:
        Refused: a field has no stored place, or the statement would be too long.
    """
    body = _Compiler(types).object(types[selection.root], None, selection.fields, (selection.root,))
    sql, names = statement_text(select(func.convert_to(body, constant("UTF8"))))
    if len(sql) > LARGEST_STATEMENT:
        raise Refused(f"the statement is longer than {LARGEST_STATEMENT} bytes")
    return Statement(sql, tuple(_origin(name) for name in names))


def _origin(name: str) -> tuple[int, str]:
    """`s3_size` is `size` of slot 3; everything else is of the viewer."""
    slot, _, rest = name.partition("_")
    return (int(slot[1:]), rest) if slot[:1] == "s" and slot[1:].isdigit() else (-1, name)


def place_of(types: Types, type_: Type, name: str) -> tuple[Place, bool]:
    """Where a field lives, and whether in the type's own detail row rather than its base row.

    Raises:
        Refused: nowhere: it is computed.
    """
    if name in type_.places:
        return type_.places[name], type_.base is not None
    if type_.base is not None and name in types[type_.base].places:
        return types[type_.base].places[name], False
    raise Refused(f"{type_.name}.{name} is not stored")


def targets(types: Types, place: Place, field: Field) -> tuple[Type, ...]:
    """The types a place leads to for a field of that shape."""
    if isinstance(place, (Switch, Resolved)):
        chosen = place.choose(field.shape)
        return () if chosen is None else (types[chosen.type],)
    if isinstance(place, Each):
        return tuple(types[place.choose(kind).type] for kind in sorted(field.shape))
    if isinstance(place, (ToOne, Many, Page)):
        return (types[place.type],)
    return ()


def weigh(types: Types, selection: Selection) -> Weights:
    """How many objects a selection may read, in terms of its page sizes; what is not stored weighs nothing."""
    weights: Counter[tuple[int, ...]] = Counter()
    _weigh(types, types[selection.root], selection.fields, (), weights)
    return tuple(weights.items())


def _weigh(
    types: Types,
    type_: Type,
    fields: Sequence[Field],
    path: tuple[int, ...],
    weights: Counter[tuple[int, ...]],
) -> None:
    for field in fields:
        if not field.fields:
            continue
        owner = types.get(next(iter(field.kinds)), type_) if type_.kinds else type_
        try:
            place, _ = place_of(types, owner, field.name)
        except Refused:
            continue
        inner = field.fields
        below = path
        if isinstance(place, (Page, Each)):
            below = (*path, field.slot)
            if isinstance(place, Page):
                inner = tuple(node for part in field.fields for node in _nodes(part))
        elif isinstance(place, Resolved):
            inner = tuple(node for part in field.fields if part.name == "node" for node in part.fields)
        weights[below] += 1
        for target in targets(types, place, field):
            _weigh(types, target, inner, below, weights)


def _nodes(part: Field) -> tuple[Field, ...]:
    """The fields asked of each node of a page, through `nodes` or through `edges`."""
    if part.name == "nodes":
        return part.fields
    return tuple(
        field for inner in part.fields if part.name == "edges" and inner.name == "node" for field in inner.fields
    )


class _Compiler:
    """Walks a selection with its rows; every method answers parts of JSON text."""

    def __init__(self, types: Types) -> None:
        self.types = types

    # -- objects ------------------------------------------------------------------------------------------------

    def object(self, type_: Type, row: Any, fields: Sequence[Field], names: tuple[str, ...]) -> ColumnElement[str]:
        """The JSON object of one row that may be any of the concrete types `names`."""
        seen = frozenset(names)
        mine = [field for field in fields if field.kinds & seen]
        if type_.kinds and type_.kinds[0].follow is not None:
            return self._followed(type_, row, mine)

        def form(field: Field) -> tuple[frozenset[str], str | None, Exposure]:
            kinds = field.kinds & seen
            if field.name == "__typename":
                return kinds, None, Exposure.STUB
            concrete = self.types[next(iter(kinds))]
            place, own = place_of(self.types, concrete if kinds != seen or len(seen) == 1 else type_, field.name)
            return kinds, concrete.name if own else None, place.exposure

        runs = [(key, list(run)) for key, run in groupby(mine, form)]
        optional_first = bool(runs) and runs[0][0][0] != seen
        parts: list[Part] = []
        for number, ((kinds, own, exposure), run) in enumerate(runs):
            opening = not optional_first and number == 0
            part = self._run(type_, row, run, kinds, own, exposure, opening=opening, names=names)
            if kinds == seen:
                parts += part
            else:
                words = [word for kind in type_.kinds if kind.type in kinds for word in kind.words]
                parts.append(case((row.c.kind.in_(words), joined(part)), else_=constant("")))
        if optional_first:
            parts = [func.substr(joined([*parts, constant("")]), literal_column("2"))]
        return joined(["{", *parts, "}"])

    def _run(
        self,
        type_: Type,
        row: Any,
        run: Sequence[Field],
        kinds: frozenset[str],
        own: str | None,
        exposure: Exposure,
        *,
        opening: bool,
        names: tuple[str, ...],
    ) -> list[Part]:
        """Fields side by side that live in the same row and are shown together."""
        owner = type_ if own is None else self.types[own]
        here = row if own is None else owner.rows.alias()
        parts: list[Part] = []
        closed: list[str] = []
        for number, field in enumerate(run):
            lead = f'{"" if opening and number == 0 else ","}"{field.key}":'
            if field.name == "__typename":
                parts += [lead, *self._typename(type_, row, kinds, names)]
                continue
            concrete = self.types[next(iter(kinds))] if type_.kinds else type_
            place, _ = place_of(self.types, concrete, field.name)
            parts += [lead, *self._value(place, here, field)]
            closed.append(lead + closed_value(place, field))
        if own is not None:
            parts = [select(joined(parts)).where(here.c.id == row.c.id).correlate_except(here).scalar_subquery()]
        shown = base_of(self.types, type_).shown
        if shown is not None and exposure is not Exposure.STUB:
            parts = [case((shown(row, exposure), joined(parts)), else_=constant("".join(closed)))]
        return parts

    def _typename(self, type_: Type, row: Any, kinds: frozenset[str], names: tuple[str, ...]) -> list[Part]:
        if len(kinds) == 1 or not type_.kinds:
            return [f'"{next(iter(kinds))}"']
        named = [(row.c.kind.in_(kind.words), constant(kind.type)) for kind in type_.kinds if kind.type in names]
        return ['"', case(*named), '"']

    def _followed(self, type_: Type, row: Any, fields: Sequence[Field]) -> ColumnElement[str]:
        """A union whose members live in tables of their own: one sub-select per table."""
        branches = []
        for target, kinds in groupby(type_.kinds, lambda kind: self.types[kind.type].base or kind.type):
            kinds_ = list(kinds)
            follow = kinds_[0].follow
            place = ToOne(target, follow)  # type: ignore[arg-type]  # every kind of such a union is followed
            text = self._to_one(place, row, fields, {}, tuple(kind.type for kind in kinds_))
            words = [word for kind in kinds_ for word in kind.words]
            branches.append((row.c.kind.in_(words), text))
        return case(*branches)

    # -- values -------------------------------------------------------------------------------------------------

    def _value(self, place: Place, row: Any, field: Field) -> list[Part]:
        match place:
            case Stored():
                return leaf(place, row)
            case Inline():
                return [self._inline(place, row, field)]
            case ToOne():
                bound = place.arguments.bind(field.shape, f"s{field.slot}") if place.arguments else {}
                return [self._or_null(self._to_one(place, row, field.fields, bound))]
            case Switch():
                chosen = place.choose(field.shape)
                if chosen is None:
                    return ["null"]
                bound = place.arguments.bind(field.shape, f"s{field.slot}")
                return [self._or_null(self._to_one(chosen, row, field.fields, bound))]
            case Resolved():
                return [self._resolved(place, field)]
            case Each():
                return [self._each(place, field)]
            case Many():
                return [self._many(place, row, field)]
            case Page():
                return [self._page(place, row, field)]

    @staticmethod
    def _or_null(text: ColumnElement[str]) -> ColumnElement[str]:
        return func.coalesce(text, constant("null"))

    def _inline(self, place: Inline, row: Any, field: Field) -> ColumnElement[str]:
        parts: list[Part] = ["{"]
        for number, inner in enumerate(field.fields):
            parts.append(f'{"," if number else ""}"{inner.key}":')
            parts += [f'"{place.type}"'] if inner.name == "__typename" else leaf(place.places[inner.name], row)
        text = joined([*parts, "}"])
        return text if place.present is None else case((place.present(row), text), else_=constant("null"))

    def names_of(self, type_: Type) -> tuple[str, ...]:
        """The concrete types a row of the type may be."""
        return tuple(kind.type for kind in type_.kinds) or (type_.name,)

    def _to_one(
        self,
        place: ToOne,
        row: Any,
        fields: Sequence[Field],
        bound: Mapping[str, ColumnElement[Any]],
        names: tuple[str, ...] | None = None,
    ) -> ColumnElement[str]:
        type_ = self.types[place.type]
        target, table, conditions = rows_of(self.types, type_)
        text = self.object(type_, target, fields, names or self.names_of(type_))
        return (
            select(text)
            .select_from(target)
            .where(place.on(row, target, bound), *conditions, allowed(table, place.action, target))
            .correlate_except(target)
            .scalar_subquery()
        )

    def _resolved(self, place: Resolved, field: Field) -> ColumnElement[str]:
        chosen = place.choose(field.shape)
        if chosen is None:
            return constant("null")
        bound = place.arguments.bind(field.shape, f"s{field.slot}")
        texts: dict[str, ColumnElement[str]] = {}
        parts: list[Part] = ["{"]
        for number, part in enumerate(field.fields):
            parts.append(f'{"," if number else ""}"{part.key}":')
            if part.name == "node":
                label = f"node{number}"
                texts[label] = self._to_one(chosen, None, part.fields, bound)
                parts.append(literal_column(f"found.{label}", Text))
            else:
                parts.append(f'"{field.shape[0] if part.name == "matched" else "Resolution"}"')
        if not texts:
            typename = Field("__typename", "__typename", frozenset(self.names_of(self.types[chosen.type])))
            texts["there"] = self._to_one(chosen, None, (typename,), bound)
        found = select(*[text.label(label) for label, text in texts.items()]).subquery("found")
        there = select(joined([*parts, "}"])).select_from(found).where(found.c[next(iter(texts))].is_not(None))
        return self._or_null(there.correlate_except(found).scalar_subquery())

    def _many(self, place: Many, row: Any, field: Field) -> ColumnElement[str]:
        type_ = self.types[place.type]
        target, table, conditions = rows_of(self.types, type_)
        text = self.object(type_, target, field.fields, self.names_of(type_))
        listed = func.string_agg(text, aggregate_order_by(constant(","), target.c[place.by], target.c.id), type_=Text)
        query = (
            select(joined(["[", listed, "]"]))
            .select_from(target)
            .where(place.on(row, target, {}), *conditions, allowed(table, place.action, target))
        )
        return query.correlate_except(target).scalar_subquery()

    def _each(self, place: Each, field: Field) -> ColumnElement[str]:
        bound = place.arguments.bind(field.shape, f"s{field.slot}")
        asked = func.unnest(bound["ids"], bound["kinds"]).table_valued("id", "kind", with_ordinality="n", name="asked")
        asked = asked.render_derived()
        branches = []
        for kind in sorted(field.shape):
            text = self._to_one(place.choose(kind), None, field.fields, {"id": asked.c.id})
            branches.append((asked.c.kind == str(kind), text))
        node = case(*branches) if branches else constant("null")
        listed = func.string_agg(self._or_null(node), aggregate_order_by(constant(","), asked.c.n), type_=Text)
        return select(joined(["[", listed, "]"])).select_from(asked).correlate_except(asked).scalar_subquery()

    # -- pages --------------------------------------------------------------------------------------------------

    def _page(self, place: Page, row: Any, field: Field) -> ColumnElement[str]:
        order, backward, cursors, filters = field.shape
        bound = place.arguments.bind(field.shape, f"s{field.slot}")
        type_ = self.types[place.type]

        def rows() -> tuple[Any, list[ColumnElement[bool]]]:
            target, table, conditions = rows_of(self.types, type_)
            if place.source is not None:
                target = place.source(bound, lambda inner: allowed(table, place.action, inner))
            else:
                conditions.append(allowed(table, place.action, target))
            conditions.append(place.on(row, target, bound))
            conditions += [place.arguments.filters[name].on(target, bound[name]) for name in filters]
            return target, conditions

        def total() -> ColumnElement[int]:
            target, conditions = rows()
            counted = select(func.count()).select_from(target).where(*conditions).correlate_except(target)
            return counted.scalar_subquery()

        page = None
        if any(part.name not in ("totalCount", "__typename") for part in field.fields):
            target, conditions = rows()
            for name in cursors:
                place_ = bound[f"{name}_key"], bound[f"{name}_id"]
                conditions.append(order.past(target, *place_, after=name == "after"))
            ordering = order.columns(target, backward=backward)
            number = func.row_number().over(order_by=ordering).label("rn")
            inner = select(*target.c, number).where(*conditions).order_by(*ordering).limit(bound["fetched"])
            page = inner.correlate_except(target).subquery()
            if any(leaf_.name.endswith("Cursor") for part in field.fields for leaf_ in part.fields):
                page = select(*page.c, func.count().over().label("found")).subquery()
        parts: list[Part] = ["{"]
        for number_, part in enumerate(field.fields):
            parts.append(f'{"," if number_ else ""}"{part.key}":')
            if part.name == "__typename":
                parts.append(f'"{next(iter(part.kinds))}"')
            elif part.name == "totalCount":
                parts.append(total())
            else:
                parts += self._page_part(type_, page, part, order, bound, backward=backward, cursors=cursors)
        text = joined([*parts, "}"])
        if page is None:
            return text
        # HAVING makes it one row even where only constants are asked for, as of `pageInfo { hasPreviousPage }`.
        whole = select(text).select_from(page).having(literal_column("true"))
        return whole.correlate_except(page).scalar_subquery()

    def _page_part(
        self,
        type_: Type,
        page: Any,
        part: Field,
        order: Any,
        bound: Any,
        *,
        backward: bool,
        cursors: tuple[str, ...],
    ) -> list[Part]:
        size = bound["size"]
        if part.name == "pageInfo":
            return [self._page_info(page, part, order, size, backward=backward, cursors=cursors)]
        names = self.names_of(type_)
        if part.name == "nodes":
            text = self.object(type_, page, part.fields, names)
        else:
            pieces: list[Part] = ["{"]
            for number, inner in enumerate(part.fields):
                pieces.append(f'{"," if number else ""}"{inner.key}":')
                if inner.name == "__typename":
                    pieces.append(f'"{next(iter(inner.kinds))}"')
                elif inner.name == "cursor":
                    pieces += ['"', order.cursor(page), '"']
                else:
                    pieces.append(self.object(type_, page, inner.fields, names))
            text = joined([*pieces, "}"])
        by = page.c.rn.desc() if backward else page.c.rn
        listed = func.string_agg(text, aggregate_order_by(constant(","), by), type_=Text).filter(page.c.rn <= size)
        return ["[", listed, "]"]

    @staticmethod
    def _page_info(
        page: Any, part: Field, order: Any, size: Any, *, backward: bool, cursors: tuple[str, ...]
    ) -> ColumnElement[str]:
        more = boolean(func.count() > size)
        parts: list[Part] = ["{"]
        for number, inner in enumerate(part.fields):
            parts.append(f'{"," if number else ""}"{inner.key}":')
            if inner.name == "__typename":
                parts.append('"PageInfo"')
            elif inner.name == "hasNextPage":
                parts.append(("true" if "before" in cursors else "false") if backward else more)
            elif inner.name == "hasPreviousPage":
                parts.append(more if backward else "true" if "after" in cursors else "false")
            else:
                nearest = (inner.name == "startCursor") != backward
                edge = page.c.rn == (literal_column("1") if nearest else func.least(size, page.c.found))
                cursor = func.string_agg(order.cursor(page), constant(""), type_=Text).filter(edge)
                quoted = constant('"').concat(cursor).concat(constant('"'))
                parts.append(func.coalesce(quoted, constant("null")))
        return joined([*parts, "}"])


def closed_value(place: Place, field: Field) -> str:
    """What a field answers where its row is not shown that far: null, nothing in a list, or an empty page."""
    if isinstance(place, (Many, Each)):
        return "[]"
    if not isinstance(place, Page):
        return place.closed if isinstance(place, Stored) else "null"
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
