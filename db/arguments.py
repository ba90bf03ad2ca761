"""The arguments of stored fields: read from a request, split into what forms a statement and what it is given.

`read` is called before anything is executed, on every request: it refuses bad ids, cursors, page sizes and texts, and
answers a *shape* (what decides the form of the statement) and *values*. `bind` answers, for a shape, the parameters
under which the statement speaks of those values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import ARRAY, ColumnElement, Integer, Text, Uuid, bindparam
from sqlalchemy import types as sql

from db.orders import Order
from domain.errors import BadInput
from domain.ids import Kind, Ref, parse_ref, parse_ref_of

Given = Mapping[str, Any]
Bound = Mapping[str, ColumnElement[Any]]
Reading = tuple[Hashable, dict[str, Any]]

DEFAULT_PAGE, LARGEST_PAGE = 20, 100
LONGEST_TEXT = 200


class Arguments(Protocol):
    """How one field takes its arguments."""

    def read(self, given: Given) -> Reading:
        """Split coerced arguments into shape and values, or refuse them with BadInput."""

    def bind(self, shape: Hashable, prefix: str) -> Bound:
        """Name the parameters that a statement of that shape takes."""


def clean_text(name: str, text: str, *, longest: int = LONGEST_TEXT) -> str:
    """Answer a text PostgreSQL can hold.

    Raises:
        BadInput: longer than `longest` characters, with a NUL, or with half a surrogate pair.
    """
    if len(text) > longest:
        raise BadInput(f"{name} is longer than {longest} characters.")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput(f"{name} holds a character that is no text (NUL or half a surrogate pair).")
    return text


def parameter(prefix: str, name: str, type_: sql.TypeEngine[Any]) -> ColumnElement[Any]:
    """A parameter of a statement, named after the field's slot."""
    return bindparam(f"{prefix}_{name}", type_=type_, required=True)


@dataclass(frozen=True, slots=True)
class ById:
    """`id:` of one of some kinds; the shape is the kind, so that the statement reads one table."""

    kinds: frozenset[Kind]
    name: str = "id"

    def read(self, given: Given) -> Reading:
        """Parse the TypeID; refuse another kind."""
        ref = parse_ref_of(given[self.name], self.kinds)
        return ref.kind, {"id": ref.id}

    def bind(self, shape: Hashable, prefix: str) -> Bound:
        """One UUID."""
        return {"id": parameter(prefix, "id", Uuid())}


@dataclass(frozen=True, slots=True)
class ByIds:
    """`ids:`, at most a page of them, of any kind; the shape is the set of kinds that occur."""

    name: str = "ids"

    def read(self, given: Given) -> Reading:
        """Parse every TypeID, keeping the order asked for."""
        ids = given[self.name]
        if len(ids) > LARGEST_PAGE:
            raise BadInput(f"{self.name} takes at most {LARGEST_PAGE} ids, not {len(ids)}.")
        return reading_of([parse_ref(id_) for id_ in ids])

    def bind(self, shape: Hashable, prefix: str) -> Bound:
        """The keys, and the words of their kinds with commas between them."""
        return {"ids": parameter(prefix, "ids", ARRAY(Uuid())), "kinds": parameter(prefix, "kinds", Text())}


def reading_of(refs: Collection[Ref]) -> Reading:
    """What `ByIds` reads of some references; their kinds are one text, which is sent far faster than an array."""
    values = {"ids": [ref.id for ref in refs], "kinds": ",".join([ref.kind.value for ref in refs])}
    return frozenset([ref.kind for ref in refs]), values


@dataclass(frozen=True, slots=True)
class ByText:
    """One text argument, folded by `fold`."""

    name: str
    fold: Callable[[str], str] = str

    def read(self, given: Given) -> Reading:
        """Refuse what is no text."""
        return None, {self.name: self.fold(clean_text(self.name, given[self.name]))}

    def bind(self, shape: Hashable, prefix: str) -> Bound:
        """One text."""
        return {self.name: parameter(prefix, self.name, Text())}


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition a caller may add to a list.

    Attributes:
        on: the condition, over the target row and the parameter.
        type: the SQL type of the parameter.
        read: turns the coerced argument into the parameter's value, or refuses it.
    """

    on: Callable[[Any, ColumnElement[Any]], ColumnElement[bool]]
    type: sql.TypeEngine[Any]
    read: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, slots=True)
class Paging:
    """`first after last before`, the choice of an order, and filters: top-level arguments or fields of `filter:`.

    The shape is (order, backward, which cursors are given, which filters are given).
    """

    orders: Mapping[str, Order]
    default: str
    filters: Mapping[str, Filter] = field(default_factory=dict)

    def read(self, given: Given) -> Reading:
        """Refuse page arguments out of bounds, foreign cursors and bad filter values."""
        order = self.orders[given.get("order") or self.default]
        first, last = given.get("first"), given.get("last")
        if first is not None and last is not None:
            raise BadInput("Ask for first or for last, not for both.")
        size: int = next((asked for asked in (first, last) if asked is not None), DEFAULT_PAGE)
        if not 1 <= size <= LARGEST_PAGE:
            raise BadInput(f"{'first' if last is None else 'last'} must be from 1 to {LARGEST_PAGE}, not {size}.")
        values: dict[str, Any] = {"size": size, "fetched": size + 1}
        cursors = []
        for name in ("after", "before"):
            cursor = given.get(name)
            if cursor is not None:
                values[f"{name}_key"], values[f"{name}_id"] = order.read(cursor)
                cursors.append(name)
        asked = {**given, **(given.get("filter") or {})}
        filters = tuple(name for name in self.filters if asked.get(name) is not None)
        for name in filters:
            values[name] = self.filters[name].read(asked[name])
        return (order, last is not None, tuple(cursors), filters), values

    def bind(self, shape: Any, prefix: str) -> Bound:
        """The page size, the size plus one, the cursors' places and the filters' values."""
        order, _, cursors, filters = shape
        bound = {name: parameter(prefix, name, Integer()) for name in ("size", "fetched")}
        for name in cursors:
            bound[f"{name}_key"] = parameter(prefix, f"{name}_key", order.form.type)
            bound[f"{name}_id"] = parameter(prefix, f"{name}_id", Uuid())
        for name in filters:
            bound[name] = parameter(prefix, name, self.filters[name].type)
        return bound
