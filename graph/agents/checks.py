"""What an operation has to be before it is offered; what is wrong is said, all of it, and nothing is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    get_nullable_type,
    validate,
    visit,
)
from graphql.language import Visitor

from graph.agents.operations import AgentOperation, Variable
from graph.agents.schemas import Json, output_schema
from graph.caching import max_age
from graph.limits import KNOWN, measure

READING, WRITING = frozenset({"GET"}), frozenset({"POST", "PUT", "PATCH", "DELETE"})


def problems(operations: Sequence[AgentOperation], schema: GraphQLSchema) -> list[str]:
    """All that is wrong with some operations, each alone and together."""
    found = [f"{each.name}: {wrong}" for each in operations for wrong in _alone(each, schema)]
    return found + list(_together(operations))


def definition_of(operation: AgentOperation) -> OperationDefinitionNode:
    """The operation in its clean document."""
    return next(node for node in operation.document.definitions if isinstance(node, OperationDefinitionNode))


def cost_of(operation: AgentOperation, schema: GraphQLSchema) -> int:
    """The objects it may read at most, whatever its variables."""
    cost = measure(schema, operation.document).costs[operation.name]
    most = {each.name: _most(each) for each in operation.variables.values()}
    return cost.of({name: value for name, value in most.items() if value is not None})


def _most(variable: Variable) -> Any:
    """The most that a variable may stand for, where it is a size; a size without a bound counts as the largest."""
    if isinstance(get_nullable_type(variable.type), GraphQLList):
        return [None] * (variable.bounds.items or KNOWN.objects)
    return (variable.bounds.max or KNOWN.objects) if get_named_type(variable.type).name == "Int" else None


def _alone(operation: AgentOperation, schema: GraphQLSchema) -> Iterator[str]:
    errors = validate(schema, operation.document)
    if errors:
        yield from [error.message for error in errors]
        return
    if operation.route is None and operation.tool is None:
        yield "it is neither asked over HTTP nor a tool."
    if not operation.description:
        yield "it has no description."
    yield from [f"${each.name} has no description." for each in operation.variables.values() if not each.description]
    yield from _method(operation)
    yield from [wrong for each in operation.variables.values() for wrong in _variable(each)]
    cost = cost_of(operation, schema)
    if cost > KNOWN.objects:
        yield f"it may read {cost} objects, more than {KNOWN.objects}."
    yield from _paging(operation)
    yield from _caching(operation, schema)
    if definition_of(operation).operation is OperationType.MUTATION:
        yield from _writing(operation)
    yield from _telling(output_schema(operation, schema), operation.root)


def _method(operation: AgentOperation) -> Iterator[str]:
    if operation.route is None:
        return
    is_mutation = definition_of(operation).operation is OperationType.MUTATION
    # A question too long for an address is asked in a body; it writes nothing all the same.
    long = any(each.place == "body" and not _is_leaf(each.type) for each in operation.variables.values())
    allowed = WRITING if is_mutation else READING | ({"POST"} if long else set())
    if operation.route.method not in allowed:
        yield f"it is asked with {' or '.join(sorted(allowed))}."
    if operation.route.status not in {200, 201, 202}:
        yield "it succeeds with 200, 201 or 202."


def _variable(variable: Variable) -> Iterator[str]:
    if variable.place == "path" and (not isinstance(variable.type, GraphQLNonNull) or not _is_leaf(variable.type)):
        yield f"${variable.name} stands in the path, and is no leaf that is always there."
    if variable.place in {"query", "header"} and isinstance(get_named_type(variable.type), GraphQLInputObjectType):
        yield f"${variable.name} is an object, and travels in no text."
    if variable.place == "header" and isinstance(get_nullable_type(variable.type), GraphQLList):
        yield f"${variable.name} is a list, and travels in no header."


def _is_leaf(type_: Any) -> bool:
    is_list = isinstance(get_nullable_type(type_), GraphQLList)
    return not is_list and not isinstance(get_named_type(type_), GraphQLInputObjectType)


def _paging(operation: AgentOperation) -> Iterator[str]:
    asked = [
        node
        for node in _fields(operation)
        if node.selection_set is not None and "endCursor" in _names(node) and node.alias is None
    ]
    if ("after" in operation.variables) != (operation.page is not None):
        yield "$after goes on from somewhere, and is of one field."
    elif operation.page is None and asked:
        yield "it tells an endCursor from which nothing goes on."
    elif operation.page is not None and len(asked) != 1:
        yield "it tells one endCursor, that of the page that $after goes on from."
    elif operation.page == "connection" and _names(asked[0]) != ["hasNextPage", "endCursor"]:
        yield "the page that goes on asks for pageInfo { hasNextPage endCursor }."


def _fields(operation: AgentOperation) -> list[FieldNode]:
    found: list[FieldNode] = []

    class Fields(Visitor):
        """Finds them all."""

        def enter_field(self, node: FieldNode, *_: Any) -> None:
            """Keep it."""
            found.append(node)

    visit(operation.document, Fields())
    return found


def _names(node: FieldNode) -> list[str]:
    selections = node.selection_set.selections if node.selection_set else ()
    return [each.name.value for each in selections if isinstance(each, FieldNode)]


def _caching(operation: AgentOperation, schema: GraphQLSchema) -> Iterator[str]:
    if operation.max_age is None:
        return
    if operation.route is None or operation.route.method != "GET":
        yield "only what is asked with GET is kept."
    allowed = max_age(schema, [operation.root])
    if operation.max_age > allowed:
        yield f"its root field may be kept for {allowed} s, not for {operation.max_age}."


def _writing(operation: AgentOperation) -> Iterator[str]:
    """A mutation tells which outcome it is first, and every refusal; and happens once for a key."""
    if operation.outcome is None:
        yield "its outcome is no union of success and refusals."
        return
    root = definition_of(operation).selection_set.selections[0]
    parts = root.selection_set.selections if isinstance(root, FieldNode) and root.selection_set else ()
    first = parts[0] if parts else None
    if not isinstance(first, FieldNode) or first.name.value != "__typename" or first.alias or first.directives:
        yield "its outcome begins with __typename."
    inline = {
        part.type_condition.name.value: part
        for part in parts
        if isinstance(part, InlineFragmentNode) and part.type_condition
    }
    refusal = inline.get("UserError")
    told = (
        [each.name.value for each in refusal.selection_set.selections if isinstance(each, FieldNode)] if refusal else []
    )
    if told != ["code", "message", "path"]:
        yield "it tells ... on UserError { code message path }."
    if operation.outcome not in inline:
        yield f"it tells nothing of {operation.outcome}."
    if operation.route is not None and (operation.key is None or operation.key.place != "header"):
        yield "a variable travels in the header Idempotency-Key."
    elif (
        operation.route is not None
        and operation.route.method == "POST"
        and operation.key
        and not operation.key.required
    ):
        yield "with POST, the Idempotency-Key is required."


def _telling(schema: Json, path: str) -> Iterator[str]:
    """What may be several things says which it is."""
    for branch in schema.get("oneOf", ()):
        if "properties" in branch and "__typename" not in branch.get("required", ()):
            yield f"{path} may be several things, and does not tell its __typename."
            break
    for branch in schema.get("oneOf", (schema,)):
        for name, inner in branch.get("properties", {}).items():
            yield from _telling(inner, f"{path}.{name}")
        if "items" in branch:
            yield from _telling(branch["items"], path)


def _together(operations: Sequence[AgentOperation]) -> Iterator[str]:
    for one, other in combinations(operations, 2):
        if one.tool and other.tool and one.tool.name == other.tool.name:
            yield f"{one.name} and {other.name} are one tool."
        if one.route and other.route and _collide(one, other):
            yield f"{one.name} and {other.name}: both may be meant by {other.route.method} {other.route.path}."


def _collide(one: AgentOperation, other: AgentOperation) -> bool:
    """Whether an address may mean both, and neither says more of it; or one place has two names."""
    if one.route is None or other.route is None:
        return False
    pairs = list(zip(one.route.parts, other.route.parts, strict=False))
    if len(one.route.parts) != len(other.route.parts) or any(a and b and a != b for a, b in pairs):
        return False
    narrower, wider = any(a and not b for a, b in pairs), any(b and not a for a, b in pairs)
    if narrower != wider:
        return False
    return one.route.method == other.route.method or one.route.path != other.route.path
