"""How long what the public reads may be kept: `@cacheControl` on root fields, the shortest of an operation's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import GraphQLSchema
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cacheControl",
    description="How long caches may keep what anybody reads here with GET, unless the answer is somebody's own.",
)
class CacheControl:
    """A cache hint, in the words of Apollo's directive of this name."""

    max_age: int = strawberry.directive_field(name="maxAge")


PUBLIC = CacheControl(max_age=30)
"""The hint of a field that answers the public alike: short, since works may be withdrawn."""


def max_age(schema: GraphQLSchema, names: Iterable[str]) -> int:
    """Seconds the answer of some root fields may be kept; 0 where one of them has no hint."""
    ages = [_age(schema, name) for name in names if name != "__typename"]
    return min(ages, default=0)


def _age(schema: GraphQLSchema, name: str) -> int:
    definition = schema.query_type.fields.get(name) if schema.query_type else None
    field: Any = definition.extensions.get("strawberry-definition") if definition else None
    hints = [
        directive.max_age for directive in (field.directives if field else ()) if isinstance(directive, CacheControl)
    ]
    return min(hints, default=0)
