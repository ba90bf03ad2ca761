"""The product with one subscription more, a clock, so that every transport has something to carry.

`python -m tests.conformance.clock_server DATA` serves it on a free port, over the data folder of a server that is open.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvloop
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
)

from graph.schema import executable
from graph.server.app import create_app
from graph.server.databases import begin, database_of
from graph.server.serving import server_of
from graph.server.settings import from_environment


async def ticks(_: None, __: GraphQLResolveInfo[Any], *, every: int, until: int | None = None) -> AsyncIterator[Any]:
    """Counts from 1 on, a number every so many milliseconds, up to a last one where it is given."""
    for number in itertools.count(1):
        if until is not None and number > until:
            return
        await asyncio.sleep(every / 1000)
        yield {"clock": {"number": number}}


TICK = GraphQLObjectType(
    "Tick", {"number": GraphQLField(GraphQLNonNull(GraphQLInt), description="Which tick it is, from 1 on.")}
)
CLOCK = GraphQLField(
    TICK,
    args={
        "every": GraphQLArgument(GraphQLNonNull(GraphQLInt), description="Milliseconds between two ticks."),
        "until": GraphQLArgument(GraphQLInt, description="The last tick; it never ends where none is given."),
    },
    subscribe=ticks,
    description="Ticks.",
)


def with_clock(schema: GraphQLSchema) -> GraphQLSchema:
    """A schema of the same types, and the clock."""
    own, kept = schema.subscription_type, {**schema.to_kwargs()}
    types = [type_ for type_ in kept["types"] if type_ is not own]
    subscription = GraphQLObjectType("Subscription", {**own.fields, "clock": CLOCK}, description=own.description)
    return GraphQLSchema(**{**kept, "types": types, "subscription": subscription})


async def serve(data: Path) -> None:
    """Serve until told to stop, with the product's protocols."""
    settings = from_environment(data)
    app = create_app(settings, await database_of(settings, begin(settings)), schema=with_clock(executable()))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/graphql", flush=True)  # noqa: T201  # conftest.py reads it
    await server_of(app).serve(sockets=[listening])


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
