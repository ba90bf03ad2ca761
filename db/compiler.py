"""The read engine's SQL half: a selection and the declared places become one statement that answers JSON.

Every access to a table carries the predicate of (table, action); compiling fails where there is none. What the caller
gave travels as parameters, what the schema fixes is written into the statement, so that plans are as good as by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.access import Exposure
from db.arguments import Bound
from db.json_text import Part, constant, joined, leaf, object_text
from db.pages import PageText, closed_page
from db.places import (
    Computed,
    Each,
    Inline,
    Many,
    NotStored,
    Page,
    Place,
    Resolved,
    Stored,
    Switch,
    ToOne,
    Type,
    Types,
    base_of,
    names_of,
    permitted,
    place_of,
    rows_of,
)
from db.selection import Field, Selection, names_within
from db.statements import statement_text

LARGEST_STATEMENT = 64 * 1024


HOLE = "\x01"
"""No JSON text holds this character: inside of strings it is escaped (RFC 8259 section 7)."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A computed field.

    Attributes:
        owner: the type it is of.
        field: what is asked of it.
        parts: the names of all that is asked of its value, at any depth.
    """

    owner: str
    field: Field
    parts: frozenset[str]


class Refused(Exception):
    """The selection cannot be one statement; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled selection.

    Attributes:
        sql: one SELECT answering one `bytea`: the JSON of the data.
        parameters: where each `$n` comes from: (slot, name) of the request's values; slot -1 is the viewer.
        holes: the computed fields. Where the n-th one stands, the JSON has HOLE, n, a colon, the row's key and HOLE.
    """

    sql: str
    parameters: tuple[tuple[int, str], ...]
    holes: tuple[Hole, ...] = ()


def compile_selection(types: Types, selection: Selection) -> Statement:
    """Compile a selection into one statement.

    Raises:
        Refused: a field has no stored place, or the statement would be too long.
    """
    compiler = _Compiler(types)
    try:
        body = compiler.object(types[selection.root], None, selection.fields, (selection.root,))
    except NotStored as computed:
        raise Refused(str(computed)) from None
    sql, names = statement_text(select(func.convert_to(body, constant("UTF8"))))
    if len(sql) > LARGEST_STATEMENT:
        raise Refused(f"the statement is longer than {LARGEST_STATEMENT} bytes")
    return Statement(sql, tuple(_origin(name) for name in names), tuple(compiler.holes))


def _origin(name: str) -> tuple[int, str]:
    """`s3_size` is `size` of slot 3; everything else is of the viewer."""
    slot, _, rest = name.partition("_")
    return (int(slot[1:]), rest) if slot[:1] == "s" and slot[1:].isdigit() else (-1, name)


class _Compiler:
    """Walks a selection with its rows; every method answers parts of JSON text."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.holes: list[Hole] = []

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
            parts += [lead, *self._value(place, here, field, concrete.name)]
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

    def _value(self, place: Place, row: Any, field: Field, owner: str) -> list[Part]:
        match place:
            case Stored():
                return leaf(place, row)
            case Inline():
                return [self._inline(place, row, field)]
            case ToOne() | Switch():
                return [self._chosen(place, row, field)]
            case Resolved():
                return [self._resolved(place, field)]
            case Each():
                return [self._each(place, field)]
            case Many():
                return [self._many(place, row, field)]
            case Page():
                return [PageText(self.types, place, row, field, self.object).text()]
            case Computed():
                return self._hole(row, Hole(owner, field, frozenset(names_within(field))))

    def _hole(self, row: Any, hole: Hole) -> list[Part]:
        """Where a computed field stands: its number, and the key of its row; a root has none."""
        self.holes.append(hole)
        return [f"{HOLE}{len(self.holes) - 1}:", *([] if row is None else [row.c.id]), HOLE]

    def _chosen(self, place: ToOne | Switch, row: Any, field: Field) -> ColumnElement[str]:
        chosen = place if isinstance(place, ToOne) else place.choose(field.shape)
        if chosen is None:
            return constant("null")
        bound = place.arguments.bind(field.shape, f"s{field.slot}") if place.arguments else {}
        return self._or_null(self._to_one(chosen, row, field.fields, bound))

    @staticmethod
    def _or_null(text: ColumnElement[str]) -> ColumnElement[str]:
        return func.coalesce(text, constant("null"))

    def _inline(self, place: Inline, row: Any, field: Field) -> ColumnElement[str]:
        text = object_text(
            (inner.key, [f'"{place.type}"'] if inner.name == "__typename" else leaf(place.places[inner.name], row))
            for inner in field.fields
        )
        return text if place.present is None else case((place.present(row), text), else_=constant("null"))

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
        text = self.object(type_, target, fields, names or names_of(type_))
        return (
            select(text)
            .select_from(target)
            .where(place.on(row, target, bound), *conditions, permitted(table, place, row, target))
            .correlate_except(target)
            .scalar_subquery()
        )

    def _resolved(self, place: Resolved, field: Field) -> ColumnElement[str]:
        bound = place.arguments.bind(field.shape, f"s{field.slot}")
        forms = [self._form(match, chosen, field, bound) for match, chosen in place.choose(field.shape).items()]
        return func.coalesce(*forms, constant("null"))

    def _form(self, match: str, chosen: ToOne, field: Field, bound: Bound) -> ColumnElement[Any]:
        """What a reference leads to where it is of one form; NULL where that leads nowhere."""
        typename = Field("__typename", "__typename", frozenset(names_of(self.types[chosen.type])))
        # One column for each node asked for, numbered: a response key may be longer than a name in SQL.
        asked = [part.fields for part in field.fields if part.name == "node"] or [(typename,)]
        texts = [self._to_one(chosen, None, fields, bound).label(f"node{n}") for n, fields in enumerate(asked)]
        found = select(*texts).subquery("found")
        nodes = iter(found.c)

        def value(part: Field) -> list[Part]:
            if part.name == "node":
                return [next(nodes)]
            return [f'"{match if part.name == "matched" else "Resolution"}"']

        text = object_text((part.key, value(part)) for part in field.fields)
        there = select(text).select_from(found).where(found.c.node0.is_not(None))
        return there.correlate_except(found).scalar_subquery()

    def _many(self, place: Many, row: Any, field: Field) -> ColumnElement[str]:
        type_ = self.types[place.type]
        target, table, conditions = rows_of(self.types, type_)
        text = self.object(type_, target, field.fields, names_of(type_))
        listed = func.string_agg(text, aggregate_order_by(constant(","), target.c[place.by], target.c.id), type_=Text)
        query = (
            select(joined(["[", listed, "]"]))
            .select_from(target)
            .where(place.on(row, target, {}), *conditions, permitted(table, place, row, target))
        )
        return query.correlate_except(target).scalar_subquery()

    def _each(self, place: Each, field: Field) -> ColumnElement[str]:
        bound = place.arguments.bind(field.shape, f"s{field.slot}")
        kinds = func.string_to_array(bound["kinds"], constant(","))
        asked = func.unnest(bound["ids"], kinds).table_valued("id", "kind", with_ordinality="n", name="asked")
        asked = asked.render_derived()
        branches = []
        for kind in sorted(field.shape):
            text = self._to_one(place.choose(kind), None, field.fields, {"id": asked.c.id})
            branches.append((asked.c.kind == str(kind), text))
        node = case(*branches) if branches else constant("null")
        listed = func.string_agg(self._or_null(node), aggregate_order_by(constant(","), asked.c.n), type_=Text)
        return select(joined(["[", listed, "]"])).select_from(asked).correlate_except(asked).scalar_subquery()


def closed_value(place: Place, field: Field) -> str:
    """What a field answers where its row is not shown that far: null, nothing in a list, or an empty page."""
    match place:
        case Page():
            return closed_page(field)
        case Many() | Each():
            return "[]"
        case Stored():
            return place.closed
        case _:
            return "null"
