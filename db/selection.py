"""What an operation asks for, as plain values: no GraphQL, no SQL, no literal of the caller.

Two documents that ask for the same shape give equal selections, so they share one compiled statement;
what differs between two requests (ids, texts, page sizes, cursors) travels apart, as values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One response key.

    Attributes:
        key: the response key (alias or name).
        name: the SDL name of the field; `__typename` included.
        kinds: the concrete types the key appears for; every possible type of the parent, or fewer.
        slot: the position of the field's arguments among the values of the request; -1 without arguments.
        shape: what of the arguments decides the form of the statement (order, direction, which filters).
        fields: the selected fields of the value; empty for a leaf.
    """

    key: str
    name: str
    kinds: frozenset[str]
    slot: int = -1
    shape: Any = None
    fields: tuple[Field, ...] = ()


def names_within(field: Field) -> Iterator[str]:
    """The names of all fields within one."""
    for inner in field.fields:
        yield inner.name
        yield from names_within(inner)


@dataclass(frozen=True, slots=True)
class Selection:
    """An operation, or the payload of a mutation: the root type and the fields asked of it."""

    root: str
    fields: tuple[Field, ...]
