"""The contract: what was promised of each operation, and what would break it.

A route or a tool that somebody uses stays as it is: what it took it goes on taking, what it told it goes on telling.
What has to be otherwise comes beside it, under `/v2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from graphql import GraphQLSchema

from graph.agents.checks import cost_of
from graph.agents.operations import AgentOperation
from graph.agents.schemas import Json, input_schema, output_schema

LOCK = "contract.lock.json"
_BOUNDS = (("minimum", 1), ("maximum", -1), ("maxLength", -1), ("maxItems", -1), ("minLength", 1))


def written(document: Any) -> bytes:
    """A document as it is checked in."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def lock_of(operations: Sequence[AgentOperation], schema: GraphQLSchema) -> Json:
    """What is promised."""
    return {"version": 1, "operations": {each.name: _promise(each, schema) for each in operations}}


def _promise(operation: AgentOperation, schema: GraphQLSchema) -> Json:
    route = operation.route
    promise: Json = {"sha256": operation.sha256}
    if route is not None:
        promise |= {"method": route.method, "path": route.path, "status": route.status}
    if operation.tool is not None:
        promise["tool"] = operation.tool.name
    return promise | {
        "open": operation.access.open,
        "scopes": sorted(operation.access.scopes),
        "cost": cost_of(operation, schema),
        "wire": {name: f"{each.place}:{each.wire}" for name, each in operation.variables.items()},
        "request": _bare(input_schema(operation.variables)),
        "response": _bare(output_schema(operation, schema)),
    }


def _bare(schema: Any) -> Any:
    """A schema without what is only said to people."""
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _bare(value) for key, value in schema.items() if key != "properties" and not _is_said(key, value)}
    if "properties" in schema:
        told["properties"] = {name: _bare(inner) for name, inner in schema["properties"].items()}
    return told


def _is_said(key: str, value: Any) -> bool:
    return key == "description" and isinstance(value, str)


def broken(old: Json, new: Json) -> list[str]:
    """What of an old contract a new one does not keep."""
    found = []
    for name, before, after in _pairs(old["operations"], new["operations"]):
        if after is None:
            found.append(f"{name} is gone.")
        else:
            found += [f"{name}: {wrong}" for wrong in _kept(before, after)]
    return found


def _pairs(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[tuple[str, Json, Json | None]]:
    """What was promised at an address, or of a tool, beside what is now."""
    for of in (_address, _tool):
        now = {of(promise): promise for promise in new.values() if of(promise)}
        for promise in old.values():
            if of(promise):
                yield of(promise), promise, now.get(of(promise))


def _address(promise: Json) -> str:
    return f"{promise['method']} {promise['path']}" if "path" in promise else ""


def _tool(promise: Json) -> str:
    return f"tool {promise['tool']}" if "tool" in promise else ""


def _kept(before: Json, after: Json) -> Iterator[str]:
    if before.get("status") != after.get("status"):
        yield "it succeeds with another status."
    if before["open"] and not after["open"]:
        yield "it needs a key by now."
    if set(before["scopes"]) - set(after["scopes"]):
        yield "a key that was enough is not any more."
    moved = [name for name, wire in before["wire"].items() if after["wire"].get(name, wire) != wire]
    yield from [f"{name} travels elsewhere." for name in moved]
    yield from _taken(before["request"], after["request"], "request")
    yield from _told(before["response"], after["response"], "response")


def _types(schema: Json) -> set[str]:
    said = schema.get("type", [])
    return {said} if isinstance(said, str) else set(said)


def _taken(before: Json, after: Json, path: str) -> Iterator[str]:
    """What was taken and is not any more."""
    if _types(before) - _types(after):
        yield f"{path} takes no {', '.join(sorted(_types(before) - _types(after)))} any more."
    missing = [value for value in before.get("enum", ()) if value not in after.get("enum", (value,))]
    if missing or ("enum" in after and "enum" not in before):
        yield f"{path} takes fewer values."
    for bound, sign in _BOUNDS:
        if bound in after and (bound not in before or (after[bound] - before[bound]) * sign > 0):
            yield f"{path} has a narrower {bound}."
    if after.get("pattern", before.get("pattern")) != before.get("pattern"):
        yield f"{path} has another pattern."
    if "items" in before and "items" in after:
        yield from _taken(before["items"], after["items"], f"{path}[]")
    theirs, ours = before.get("properties", {}), after.get("properties", {})
    yield from [f"{path}.{name} is not taken any more." for name in theirs if name not in ours]
    needed = [name for name in after.get("required", ()) if name not in before.get("required", ())]
    yield from [f"{path}.{name} is required by now." for name in needed]
    for name in theirs.keys() & ours.keys():
        yield from _taken(theirs[name], ours[name], f"{path}.{name}")


def _told(before: Json, after: Json, path: str) -> Iterator[str]:
    """What was told and is not any more; new words of an enumeration break nothing."""
    if ("oneOf" in before) != ("oneOf" in after):
        yield f"{path} is told otherwise."
        return
    if "oneOf" in before:
        now = {branch.get("title"): branch for branch in after["oneOf"]}
        for branch in before["oneOf"]:
            title = branch.get("title")
            if title not in now:
                yield f"{path} is never {title or 'null'} any more."
            else:
                yield from _told(branch, now[title], path)
        return
    if _types(after) - _types(before):
        yield f"{path} may be {', '.join(sorted(_types(after) - _types(before)))} by now."
    if "items" in before and "items" in after:
        yield from _told(before["items"], after["items"], f"{path}[]")
    theirs, ours = before.get("properties", {}), after.get("properties", {})
    for name in theirs:
        if name not in ours:
            yield f"{path}.{name} is not told any more."
        else:
            yield from _told(theirs[name], ours[name], f"{path}.{name}")
    unsure = set(before.get("required", ())) & theirs.keys() & ours.keys() - set(after.get("required", ()))
    yield from [f"{path}.{name} may be missing by now." for name in sorted(unsure)]
