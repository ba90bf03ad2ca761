"""The schema: every type assembled once, and joined with the places where its fields live."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from graph.accounts import Account
from graph.assets import Media
from graph.contributors import Split
from graph.fields import SCALARS
from graph.happenings import Subscription
from graph.mutation import Mutation
from graph.query import Query
from graph.reference import attach
from graph.releases import ReleaseItem, ReleaseVersion
from graph.rooms import Room
from graph.themes import Theme

_REACHED_BY_ID_ONLY = (Account, Media, ReleaseItem, ReleaseVersion, Room, Split, Theme)


@cache
def assembled() -> strawberry.Schema:
    """The Strawberry schema, as the SDL shows it."""
    schema = strawberry.Schema(
        Query, Mutation, Subscription, types=_REACHED_BY_ID_ONLY, config=StrawberryConfig(scalar_map=SCALARS)
    )
    core = schema._schema  # noqa: SLF001  # the only door to the graphql-core schema
    attach(core)
    for type_ in core.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            # Strawberry says it to introspection only; with this, graphql-core knows it when it reads values.
            type_.is_one_of = _is_one_of(type_)
    return schema


def _is_one_of(type_: GraphQLInputObjectType) -> bool:
    """Whether exactly one field of an input is given."""
    definition = (type_.extensions or {}).get("strawberry-definition")
    return bool(getattr(definition, "is_one_of", False))


def executable() -> GraphQLSchema:
    """The graphql-core schema, ready to execute."""
    return assembled()._schema  # noqa: SLF001  # the only door to the graphql-core schema


def sdl() -> str:
    """The schema in the schema definition language, as it is committed."""
    # Strawberry writes this directive down without a word about it.
    told = '"""Exactly one of its fields is given."""\ndirective @oneOf'
    return assembled().as_str().replace("directive @oneOf", told) + "\n"
