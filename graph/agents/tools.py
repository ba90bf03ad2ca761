"""The tools of MCP: the same operations, with what a model has to know to choose among them, and nothing more.

An input schema is always a plain object (clients drop a tool with anything else at its root), and every property has a
type. What people wrote is named in `_meta`, so that nobody takes a title for an instruction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLSchema, OperationType

from graph.agents.checks import definition_of
from graph.agents.operations import AgentOperation
from graph.agents.schemas import Json, input_schema, output_schema

FROM_PEOPLE = "casset/fromPeople"
_FORMED = """
__typename amount asset boundTo checkpoint childId clause code contract currency edgeId endCursor handle hash hashes
id ipi isni isrc license message mimeType network previousHash proof reference root sha256 startCursor territory
transaction upc
"""
OURS = frozenset(_FORMED.split())
"""Texts that this house writes, or that have a form; all other text is taken to be written by people."""


def tools_of(operations: Sequence[AgentOperation], schema: GraphQLSchema) -> list[Json]:
    """Every tool."""
    return [_tool(operation, schema) for operation in operations if operation.tool is not None]


def _tool(operation: AgentOperation, schema: GraphQLSchema) -> Json:
    if operation.tool is None:
        raise TypeError(operation.name)
    reads = definition_of(operation).operation is OperationType.QUERY
    told = output_schema(operation, schema)
    return {
        "name": operation.tool.name,
        "title": operation.tool.title,
        "description": operation.description,
        "inputSchema": input_schema(operation.variables),
        "outputSchema": _with_definitions(as_object(_without_words(told))),
        "annotations": {
            "title": operation.tool.title,
            "readOnlyHint": reads,
            "destructiveHint": False,
            "idempotentHint": reads or operation.key is not None,
            "openWorldHint": False,
        },
        "_meta": {
            "casset/open": operation.access.open,
            "casset/scopes": sorted(operation.access.scopes),
            FROM_PEOPLE: sorted(set(from_people(as_object(told)))),
        },
    }


def _with_definitions(schema: Json) -> Json:
    """A schema in which what stands more than once stands once."""
    seen: dict[str, int] = {}
    for inner in _objects(schema):
        seen[repr(inner)] = seen.get(repr(inner), 0) + 1
    repeated = [text for text, number in seen.items() if number > 1]
    numbers = {text: str(number) for number, text in enumerate(repeated)}
    definitions: Json = {}
    whole = {key: _referring(each, numbers, definitions) for key, each in schema.items()}
    return whole | ({"$defs": definitions} if definitions else {})


def _objects(schema: Any) -> Iterator[Json]:
    """Every object in a schema that has properties."""
    if isinstance(schema, dict) and "properties" in schema:
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _objects(inner)


def _referring(schema: Any, numbers: Mapping[str, str], definitions: Json) -> Any:
    """A schema in which what has a number is referred to; its definitions are written down on the way."""
    if isinstance(schema, list):
        return [_referring(each, numbers, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _referring(each, numbers, definitions) for key, each in schema.items()}
    number = numbers.get(repr(schema)) if "properties" in schema else None
    if number is None:
        return told
    definitions[number] = told
    return {"$ref": f"#/$defs/{number}"}


def as_object(schema: Json) -> Json:
    """A schema whose root is an object, as tools answer: a list, or one of several things, is under `result`."""
    if schema.get("type") == "object":
        return schema
    return {"type": "object", "properties": {"result": schema}, "required": ["result"]}


def from_people(schema: Json, path: str = "") -> Iterator[str]:
    """Where in an answer stands what people wrote: names with points between, `[]` for each of a list."""
    for branch in schema.get("oneOf", ()):
        yield from from_people(branch, path)
    if "items" in schema:
        yield from from_people(schema["items"], f"{path}[]")
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        if name not in OURS and _is_free_text(inner):
            yield here
        yield from from_people(inner, here)


def _is_free_text(schema: Json) -> bool:
    said = schema.get("type", [])
    texts = "string" in ([said] if isinstance(said, str) else said)
    return texts and not schema.keys() & {"enum", "const", "format"}


def _without_words(schema: Any) -> Any:
    """A schema without descriptions: a model reads the answer, and pays for every word."""
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    bare = {
        key: _without_words(value)
        for key, value in schema.items()
        if key not in {"properties", "title"} and not (key == "description" and isinstance(value, str))
    }
    if "properties" in schema:
        bare["properties"] = {name: _without_words(inner) for name, inner in schema["properties"].items()}
    return bare
