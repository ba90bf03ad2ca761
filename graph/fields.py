"""How stored fields, pages and vocabularies are written down in the SDL.

A stored field is only declared here: its type, its arguments and what it says to a reader. Where it lives is
declared in `db`, under the same name; the schema joins the two when it is assembled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Generic, NewType, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.scalar import ScalarDefinition

Item = TypeVar("Item")


def write_moment(moment: datetime) -> str:
    """Write a moment as `DateTime` has it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _read_moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # or it falls out of the years that there are
    raise GraphQLError("A DateTime is written like 2026-01-31T12:00:00Z, with its offset.")


def _read_day(text: object) -> date:
    try:
        if isinstance(text, str):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise GraphQLError("A Date is written like 2026-01-31.")


DateTime = NewType("DateTime", datetime)
Date = NewType("Date", date)
SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC with microseconds, as in RFC 3339: `2026-01-31T12:00:00.000000Z`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=write_moment,
        parse_value=_read_moment,
    ),
    Date: strawberry.scalar(
        name="Date",
        description="A calendar day, as in RFC 3339: `2026-01-31`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=date.isoformat,
        parse_value=_read_day,
    ),
}


def argument(name: str, type_: Any, description: str) -> StrawberryArgument:
    """An argument of a stored field; it may always be left out unless its type says otherwise."""
    return StrawberryArgument(name, None, StrawberryAnnotation(type_), description=description)


def stored(description: str, *arguments: StrawberryArgument, hints: Sequence[object] = ()) -> Any:
    """A field that lives in the database; `hints` are directives on it."""
    field = strawberry.field(description=description, directives=hints)
    field.arguments = list(arguments)
    return field


def deprecated(description: str, reason: str) -> Any:
    """A stored field that will go; the reason begins with the day from which on it may."""
    return strawberry.field(description=description, deprecation_reason=reason)


def optional(description: str) -> Any:
    """A field of an input that may be left out."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def described(vocabulary: type[Enum], **meanings: str) -> None:
    """Publish a vocabulary of the domain as an enum, saying what each word means."""
    strawberry.enum(vocabulary, description=(vocabulary.__doc__ or "").partition("\n")[0])
    for value in vocabulary.__strawberry_definition__.values:  # type: ignore[attr-defined]  # put there by strawberry
        value.description = meanings[value.name]


PAGE = (
    argument(
        "first",
        int | None,
        "How many to read from the start, 1 to 100; 20 where neither first nor last is given.",
    ),
    argument("after", str | None, "Continue after this cursor."),
    argument("last", int | None, "How many to read from the end, 1 to 100."),
    argument("before", str | None, "Continue before this cursor."),
)


@strawberry.interface(description="Anything with an id of its own; `node(id:)` finds it again.")
class Node:
    """Relay's object identification."""

    id: strawberry.ID = stored("The TypeID: the kind, an underscore and 26 letters. It never changes.")


@strawberry.type(description="Where a page stands in its list (Relay connections).")
class PageInfo:
    """Relay's page info."""

    has_next_page: bool = stored("There is more after this page.")
    has_previous_page: bool = stored("There is more before this page.")
    start_cursor: str | None = stored("The cursor of the first node; null on an empty page.")
    end_cursor: str | None = stored("The cursor of the last node; null on an empty page.")


@strawberry.type(description="One place in a list.")
class Edge(Generic[Item]):
    """Relay's edge."""

    node: Item = stored("What stands at this place.")
    cursor: str = stored("The name of this place, bound to the order of the list.")


@strawberry.type(description="A page of a list. Ask `nodes` for the things, `edges` for their cursors too.")
class Connection(Generic[Item]):
    """Relay's connection."""

    edges: list[Edge[Item]] = stored("The places of this page, in the order of the list.")
    nodes: list[Item] = stored("The things of this page, in the order of the list.")
    page_info: PageInfo = stored("Where this page stands.")
    total_count: int = stored("How many there are in the whole list, for this viewer. Counted only when asked for.")
