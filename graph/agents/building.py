"""What is made of the operation documents and checked in: the lock, OpenAPI and the tools."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import orjson
from graphql import GraphQLSchema

from graph.agents.checks import problems
from graph.agents.contract import LOCK, broken, lock_of, written
from graph.agents.openapi import openapi_of
from graph.agents.operations import Faulty
from graph.agents.reading import operations_of
from graph.agents.tools import tools_of

OTHERWISE = (
    f"What has to be otherwise comes beside it, under /v2. What was promised to nobody yet (it was never committed) is "
    f"forgotten by removing graph/agents/{LOCK} before building."
)
OPENAPI, TOOLS = "openapi.json", "mcp-tools.json"
FOLDER = Path(__file__).parent


class NotOffered(Exception):
    """The documents are not taken; `problems` says why, line by line."""

    def __init__(self, problems: list[str]) -> None:
        """Keep what is wrong."""
        super().__init__("; ".join(problems))
        self.problems = problems


def built(schema: GraphQLSchema) -> Mapping[str, bytes]:
    """Every file that is made, by its name.

    Raises:
        NotOffered: a document is wrong, or the contract that is checked in would be broken.
    """
    try:
        operations = operations_of(schema)
    except Faulty as fault:
        raise NotOffered([str(fault)]) from None
    wrong = problems(operations, schema)
    if wrong:
        raise NotOffered(wrong)
    lock = lock_of(operations, schema)
    old = FOLDER / LOCK
    if old.exists():
        wrong = broken(orjson.loads(old.read_bytes()), orjson.loads(written(lock)))
        if wrong:
            raise NotOffered([*wrong, OTHERWISE])
    return {
        LOCK: written(lock),
        OPENAPI: written(openapi_of(operations, schema)),
        TOOLS: written(tools_of(operations, schema)),
    }


def stale(files: Mapping[str, bytes]) -> list[str]:
    """The names of the files that are not checked in as they would be made now."""
    return [name for name, data in files.items() if not _is(FOLDER / name, data)]


def _is(path: Path, data: bytes) -> bool:
    return path.exists() and path.read_bytes() == data


def checked_in(name: str) -> bytes:
    """A file that was made and checked in."""
    return resources.files("graph.agents").joinpath(name).read_bytes()
