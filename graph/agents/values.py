"""The values of a request: read out of text or JSON, and held against their types, strictly.

GraphQL is generous (one item stands for a list, 1.0 for an Int, an unknown property is told apart by nobody). What is
written down in the contract is what is taken, and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)
from graphql.pyutils import Undefined

from domain.errors import BadInput
from domain.ids import Kind, parse_ref_of

SMALLEST_INT, LARGEST_INT = -(2**31), 2**31 - 1
LONGEST_TEXT = 10_000
"""Characters, where nothing else is said."""
MOST_ITEMS = 500
_INT = re.compile(r"-?\d{1,10}", re.ASCII)
_FLOAT = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
_TEXTS = frozenset({"String", "ID", "DateTime", "Date"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a value keeps to beyond its type.

    Attributes:
        min: of a number.
        max: of a number.
        length: the characters of a text, at most.
        pattern: what all of a text matches.
        items: of a list, at most.
        kinds: of the things whose ids it takes; empty for any.
    """

    min: int | None = None
    max: int | None = None
    length: int | None = None
    pattern: str | None = None
    items: int | None = None
    kinds: frozenset[Kind] = frozenset()


ANY = Bounds()


def from_text(name: str, given: Sequence[str], type_: GraphQLInputType) -> Any:
    """The JSON value that some text of an address, or of a header, means.

    Args:
        name: what it is called where it came from.
        given: once for each time it was given; a list may come so, or with commas.
        type_: of the variable: a leaf, or a list of leaves.

    Raises:
        BadInput: it has no such form.
    """
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(bare, GraphQLList):
        return [_leaf(name, part, bare.of_type) for text in given for part in text.split(",")]
    if len(given) != 1:
        raise BadInput(f"{name} is given more than once.", path=(name,))
    return _leaf(name, given[0], bare)


def _leaf(name: str, text: str, type_: Any) -> Any:
    named = get_named_type(type_).name
    if named == "Int" and _INT.fullmatch(text):
        return int(text)
    if named == "Float" and _FLOAT.fullmatch(text):
        return float(text)
    if named == "Boolean" and text in {"true", "false"}:
        return text == "true"
    if named in {"Int", "Float", "Boolean"}:
        raise BadInput(f"{name} is no {named}.", path=(name,))
    return text


def check(value: Any, type_: GraphQLInputType, bounds: Bounds, path: tuple[str, ...]) -> None:
    """Hold a JSON value against its type and bounds.

    Raises:
        BadInput: it is another one; `path` says where.
    """
    if value is None:
        if isinstance(type_, GraphQLNonNull):
            raise _wrong(path, "must not be null")
        return
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(bare, GraphQLList):
        _check_list(value, bare, bounds, path)
    elif isinstance(bare, GraphQLInputObjectType):
        _check_object(value, bare, path)
    elif isinstance(bare, GraphQLEnumType):
        if not isinstance(value, str) or value not in bare.values:
            raise _wrong(path, f"is one of {', '.join(bare.values)}")
    else:
        _check_scalar(value, bare.name, bounds, path)


def _check_list(value: Any, type_: GraphQLList[Any], bounds: Bounds, path: tuple[str, ...]) -> None:
    if not isinstance(value, list):
        raise _wrong(path, "is a list")
    most = bounds.items or MOST_ITEMS
    if len(value) > most:
        raise _wrong(path, f"has at most {most} items")
    for nth, item in enumerate(value):
        check(item, type_.of_type, bounds, (*path, str(nth)))


def _check_object(value: Any, type_: GraphQLInputObjectType, path: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise _wrong(path, "is an object")
    unknown = sorted(value.keys() - type_.fields.keys())
    if unknown:
        raise _wrong((*path, unknown[0]), "is not known")
    for name, field in type_.fields.items():
        if name in value:
            check(value[name], field.type, ANY, (*path, name))
        elif isinstance(field.type, GraphQLNonNull) and field.default_value is Undefined:
            raise _wrong((*path, name), "is missing")
    if type_.is_one_of and (len(value) != 1 or None in value.values()):
        raise _wrong(path, "has exactly one of its fields")


def _check_scalar(value: Any, name: str, bounds: Bounds, path: tuple[str, ...]) -> None:
    if name in _TEXTS:
        _check_text(value, name, bounds, path)
    elif name == "Boolean":
        if not isinstance(value, bool):
            raise _wrong(path, "is true or false")
    else:
        whole = name == "Int"
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not math.isfinite(value):
            raise _wrong(path, "is a whole number" if whole else "is a number")
        least = SMALLEST_INT if bounds.min is None else bounds.min
        most = LARGEST_INT if bounds.max is None else bounds.max
        if whole and not least <= value <= most:
            raise _wrong(path, f"is from {least} to {most}")


def _check_text(value: Any, name: str, bounds: Bounds, path: tuple[str, ...]) -> None:
    if not isinstance(value, str):
        raise _wrong(path, "is a text")
    most = bounds.length or LONGEST_TEXT
    if len(value) > most:
        raise _wrong(path, f"has at most {most} characters")
    if name == "ID" and not value:
        raise _wrong(path, "is an id")
    if bounds.pattern is not None and not re.fullmatch(bounds.pattern, value, re.ASCII):
        raise _wrong(path, f"matches {bounds.pattern}")
    if bounds.kinds:
        try:
            parse_ref_of(value, bounds.kinds)
        except BadInput as error:
            raise BadInput(error.message, path=path) from None


def _wrong(path: tuple[str, ...], what: str) -> BadInput:
    shown = ".".join(path)
    return BadInput(f"{shown if len(shown) <= 100 else shown[:100] + '…'} {what}.", path=path)
