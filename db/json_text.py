"""JSON as PostgreSQL text: the leaves, the objects and the lists a compiled statement is made of.

Fragments are joined by `concat`, which takes at most 100 arguments, drops NULL and prints booleans as t/f: so constants
are merged, long joins are nested, every nullable value is coalesced, and booleans are spelled out here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, func, literal_column, select
from sqlalchemy import types as sql

from db.places import Stored

MOMENT_FORM = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
DAY_FORM = "YYYY-MM-DD"
MOST_ARGUMENTS = 90

Part = str | ColumnElement[Any]


def constant(text: str) -> ColumnElement[str]:
    """A string constant, written into the statement."""
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'", Text)


def joined(parts: Iterable[Part]) -> ColumnElement[str]:
    """One text expression out of constants and expressions that are never NULL."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif not isinstance(part, str) or part:
            merged.append(part)
    arguments = [constant(part) if isinstance(part, str) else part for part in merged]
    while len(arguments) > MOST_ARGUMENTS:
        arguments = [
            func.concat(*arguments[start : start + MOST_ARGUMENTS], type_=Text)
            for start in range(0, len(arguments), MOST_ARGUMENTS)
        ]
    if len(arguments) == 1:
        return arguments[0]
    return func.concat(*arguments, type_=Text)


def object_text(pairs: Iterable[tuple[str, Iterable[Part]]]) -> ColumnElement[str]:
    """A JSON object out of its keys and the parts of their values; there may be none, where all are skipped."""
    parts: list[Part] = ["{"]
    for number, (key, value) in enumerate(pairs):
        parts += [f'{"," if number else ""}"{key}":', *value]
    return joined([*parts, "}"])


def boolean(condition: ColumnElement[bool]) -> ColumnElement[str]:
    """`true` or `false`; NULL gives NULL."""
    return case((condition, constant("true")), (~condition, constant("false")))


def _time(value: ColumnElement[Any]) -> ColumnElement[str]:
    """A moment or a day as the graph spells it."""
    if not isinstance(value.type, sql.DateTime):
        return func.to_char(value, constant(DAY_FORM), type_=Text)
    return func.to_char(func.timezone(constant("UTC"), value), constant(MOMENT_FORM), type_=Text)


def leaf(place: Stored, row: Any) -> list[Part]:
    """The JSON of a stored value."""
    value = place.value(row)
    type_ = value.type
    text: ColumnElement[Any] = value
    quoted = False
    if isinstance(type_, (sql.DateTime, sql.Date)):
        text, quoted = _time(value), True
    elif isinstance(type_, sql.ARRAY) and isinstance(type_.item_type, (sql.DateTime, sql.Date)):
        each: ColumnElement[Any] = func.unnest(value, type_=type_.item_type).column_valued("each")
        listed = select(func.coalesce(func.json_agg(_time(each)), literal_column("'[]'::json"))).scalar_subquery()
        text = case((value.is_not(None), listed))
    elif isinstance(type_, sql.Boolean):
        text = boolean(value)
    elif isinstance(type_, sql.Numeric) and not isinstance(type_, sql.Float):
        text = func.trim_scale(value)
    elif place.plain:
        quoted = True
    elif not isinstance(type_, (sql.Integer, sql.Float)):
        text = func.to_json(value)
    if not place.nullable:
        return ['"', text, '"'] if quoted else [text]
    quote = constant('"')
    written = quote.concat(text).concat(quote) if quoted else cast(text, Text)
    return [func.coalesce(written, constant("null"))]
