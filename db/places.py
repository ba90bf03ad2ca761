"""The vocabulary in which each stored field of the graph says where it lives.

`db/<noun>.py` declares types in these words, once; the compiler and the reference both read them. A place speaks of
*rows*: an alias of the type's table (or a subquery over it) whose `.c` holds the columns. It never speaks of a viewer:
the predicate of (table, action) is injected at every access.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table

from db.access import Action, Exposure, Met, allowed
from db.arguments import Arguments, Bound, ByIds, Paging

Row = Any
On = Callable[[Row, Row, Bound], ColumnElement[bool]]
"""How a target belongs to a row: (row, target, bound arguments) -> condition. At a root there is no row."""
Permitted = Callable[[Table, Row], ColumnElement[bool]]
"""The predicate of a table, over a row of it, for whatever met it so."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A leaf: one expression over the row.

    Attributes:
        value: the expression.
        nullable: whether it may be NULL.
        plain: its text never needs JSON escaping (ids, words of a vocabulary, digests).
        exposure: how much of the row must be shown for it.
        closed: the JSON it answers where the row is not shown that far.
    """

    value: Callable[[Row], ColumnElement[Any]]
    nullable: bool = False
    plain: bool = False
    exposure: Exposure = Exposure.FULL
    closed: str = "null"


@dataclass(frozen=True, slots=True)
class Inline:
    """An object kept in columns of the row itself; null where `present` is false."""

    type: str
    places: Mapping[str, Stored]
    present: Callable[[Row], ColumnElement[bool]] | None = None
    exposure: Exposure = Exposure.FULL


@dataclass(frozen=True, slots=True)
class ToOne:
    """At most one row of another type; null where it does not exist or may not be seen, unless `always` there."""

    type: str
    on: On
    action: Action = Action.REACH
    always: bool = False
    arguments: Arguments | None = None
    exposure: Exposure = Exposure.FULL


@dataclass(frozen=True, slots=True)
class Many:
    """A short list in a fixed order, bounded by the rule that writes it."""

    type: str
    on: On
    by: str
    cap: int
    action: Action = Action.REACH
    exposure: Exposure = Exposure.FULL


@dataclass(frozen=True, slots=True)
class Page:
    """A connection: a page of rows in a total order, with filters.

    `source` stands in for the type's table where the rows themselves depend on arguments (a search), or come from
    several tables (a feed); it is given the predicates to inject, so that a row that may not be seen takes no place in
    it. `edge` is what an edge says beside its node and its cursor: columns of such rows.
    """

    type: str
    on: On
    arguments: Paging
    action: Action = Action.REACH
    source: Callable[[Bound, Permitted], Any] | None = None
    exposure: Exposure = Exposure.FULL
    edge: Mapping[str, Stored] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Switch:
    """A to-one whose type is decided by the shape of its arguments; None: nothing can be there."""

    choose: Callable[[Any], ToOne | None]
    arguments: Arguments
    exposure: Exposure = Exposure.FULL


@dataclass(frozen=True, slots=True)
class Each:
    """A list of nodes in the order their references were given; null for each that is not there."""

    choose: Callable[[Any], ToOne]
    arguments: ByIds = field(default_factory=ByIds)
    exposure: Exposure = Exposure.FULL


@dataclass(frozen=True, slots=True)
class Resolved:
    """A reference of any form resolved: what matched, and the node; null where nothing did.

    `choose` answers what a reference of its form may be, by what is then said to have matched: the first that is there.
    """

    choose: Callable[[Any], Mapping[str, ToOne]]
    arguments: Arguments
    exposure: Exposure = Exposure.FULL


@dataclass(frozen=True, slots=True)
class Computed:
    """A value made outside the database, for all rows at once: the statement leaves a hole with the row's id in it.

    Its arguments never form the statement. At a root there is no row, and one value.
    """

    arguments: Arguments | None = None
    exposure: Exposure = Exposure.FULL


Place = Stored | Inline | ToOne | Many | Page | Switch | Each | Resolved | Computed


@dataclass(frozen=True, slots=True)
class Kind:
    """One concrete type of an abstract one: the words of the row's `kind` column, and where its row is."""

    words: tuple[str, ...]
    type: str
    follow: On | None = None


@dataclass(frozen=True, slots=True)
class Type:
    """Where a type of the SDL lives.

    Attributes:
        name: the SDL name.
        table: the table of its rows; None for a root.
        places: where each field lives, by SDL name.
        base: the abstract type whose row and places it shares; its own places then live in `table`, by the same key.
        kinds: the concrete types of an abstract one, by the `kind` column of its row.
        shown: whether a field of some exposure is shown of a row; None: always.
    """

    name: str
    table: Table | None
    places: Mapping[str, Place]
    base: str | None = None
    kinds: tuple[Kind, ...] = ()
    shown: Callable[[Row, Exposure], ColumnElement[bool]] | None = None

    @property
    def rows(self) -> Table:
        """The table of its rows.

        Raises:
            TypeError: it is a root, which has none.
        """
        if self.table is None:
            raise TypeError(f"{self.name} has no rows")
        return self.table


Types = Mapping[str, Type]


def base_of(types: Types, type_: Type) -> Type:
    """The type whose table holds the rows: the abstract one of an asset's kind, else itself."""
    return types[type_.base] if type_.base else type_


def names_of(type_: Type) -> tuple[str, ...]:
    """The concrete types a row of the type may be."""
    return tuple(kind.type for kind in type_.kinds) or (type_.name,)


def rows_of(types: Types, type_: Type) -> tuple[Row, Table, list[ColumnElement[bool]]]:
    """A fresh alias of the table where a type's rows are, that table, and what makes a row one of the type."""
    base = base_of(types, type_)
    row = base.rows.alias()
    words = [word for kind in base.kinds if kind.type == type_.name for word in kind.words]
    return row, base.rows, [row.c.kind.in_(words)] if type_.base else []


class NotStored(Exception):
    """A field lives nowhere: it is computed, or part of introspection."""


def place_of(types: Types, type_: Type, name: str) -> tuple[Place, bool]:
    """Where a field lives, and whether in the type's own detail row rather than its base row.

    Raises:
        NotStored: nowhere.
    """
    if name in type_.places:
        return type_.places[name], type_.base is not None
    if type_.base is not None and name in types[type_.base].places:
        return types[type_.base].places[name], False
    raise NotStored(f"{type_.name}.{name} is not stored")


def column(table: Table, name: str, *, plain: bool = False, exposure: Exposure = Exposure.FULL) -> Stored:
    """A leaf kept in one column; whether it may be NULL is read off the table."""
    return Stored(lambda row: row.c[name], bool(table.c[name].nullable), plain, exposure)


def columns(table: Table, *names: str, **renamed: str) -> dict[str, Stored]:
    """Leaves kept in columns, under their SDL names: the column's own in camel case, or another."""
    named = {_camel(name): name for name in names} | renamed
    return {field_: column(table, name, plain=_is_word(table, name)) for field_, name in named.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _is_word(table: Table, name: str) -> bool:
    """Whether the column holds a word of a closed vocabulary, or a TypeID: text that needs no escaping."""
    return name == "ref" or any(
        getattr(check, "name", None) == f"{table.name}_{name}_check" and " IN (" in str(getattr(check, "sqltext", ""))
        for check in table.constraints
    )


def refer(field_name: str) -> On:
    """The target whose id the row keeps in a column."""
    return lambda row, target, _: target.c.id == row.c[field_name]


def belong(field_name: str) -> On:
    """The targets that keep the row's id in a column."""
    return lambda row, target, _: target.c[field_name] == row.c.id


@dataclass(frozen=True, slots=True)
class OfAsset:
    """The targets that keep the id of an asset, which is the row, in a column."""

    column: str

    def __call__(self, asset: Row, target: Row, _: Bound) -> ColumnElement[bool]:
        """How a target belongs to the asset."""
        return target.c[self.column] == asset.c.id


def permitted(table: Table, place: ToOne | Many | Page, parent: Row, target: Row) -> ColumnElement[bool]:
    """The predicate of a place over a target; what belongs to an asset is judged by the asset's row at hand."""
    return allowed(
        table, place.action, Met(target, place.on.column, parent) if isinstance(place.on, OfAsset) else target
    )
