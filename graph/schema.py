"""The schema: every type assembled once, and joined with the places where its fields live."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from graph.artists import Account, Theme
from graph.assets import Media
from graph.contributors import Split
from graph.fields import SCALARS
from graph.mutation import Mutation
from graph.query import Query
from graph.reference import attach
from graph.releases import ReleaseItem, ReleaseVersion
from graph.rooms import Room

_REACHED_BY_ID_ONLY = (Account, Media, ReleaseItem, ReleaseVersion, Room, Split, Theme)


@cache
def assembled() -> strawberry.Schema:
    """The Strawberry schema, as the SDL shows it."""
    schema = strawberry.Schema(Query, Mutation, types=_REACHED_BY_ID_ONLY, config=StrawberryConfig(scalar_map=SCALARS))
    attach(schema._schema)  # noqa: SLF001  # the only door to the graphql-core schema
    return schema


def executable() -> GraphQLSchema:
    """The graphql-core schema, ready to execute."""
    return assembled()._schema  # noqa: SLF001  # the only door to the graphql-core schema


def sdl() -> str:
    """The schema in the schema definition language, as it is committed."""
    return assembled().as_str() + "\n"
