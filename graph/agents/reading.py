"""Reading the operation documents of this folder.

One named operation and one root field a file; no alias at the root. What is wrong with one is an error, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLDirective,
    GraphQLError,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    build_ast_schema,
    get_directive_values,
    get_named_type,
    parse,
    print_ast,
    type_from_ast,
    value_from_ast,
    visit,
)
from graphql.language import Visitor

from domain.ids import Kind
from domain.keys import KeyScope
from graph.agents.operations import Access, AgentOperation, Faulty, Place, Route, Tool, Variable
from graph.agents.values import Bounds
from graph.mutation import scope_of

VOCABULARY, FRAGMENTS = "_directives.graphql", "_fragments.graphql"
_SHARED = {VOCABULARY, FRAGMENTS}
_PART = re.compile(r"\{(\w+)\}|[a-z0-9-]+", re.ASCII)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def operations_of(schema: GraphQLSchema) -> list[AgentOperation]:
    """All of them, in the order of their names.

    Raises:
        Faulty: one of them is not taken.
    """
    return [read(name, text, schema) for name, text in files()]


def files() -> Iterator[tuple[str, str]]:
    """(name, text) of every document."""
    folder = resources.files("graph.agents")
    found = [file for file in folder.iterdir() if file.name.endswith(".graphql") and file.name not in _SHARED]
    for file in sorted(found, key=lambda file: file.name):
        yield file.name.removesuffix(".graphql"), file.read_text(encoding="utf-8")


def _shared(name: str) -> str:
    return resources.files("graph.agents").joinpath(name).read_text(encoding="utf-8")


@cache
def _fragments() -> Mapping[str, FragmentDefinitionNode]:
    """What several documents select alike, by name."""
    known = parse(_shared(FRAGMENTS)).definitions
    return {node.name.value: node for node in known if isinstance(node, FragmentDefinitionNode)}


@cache
def _vocabulary() -> Mapping[str, GraphQLDirective]:
    text = _shared(VOCABULARY)
    known = build_ast_schema(parse(text), assume_valid=True).directives
    return {directive.name: directive for directive in known if directive.name in set(re.findall(r"@(\w+)\(", text))}


def read(name: str, text: str, schema: GraphQLSchema) -> AgentOperation:
    """Read a document that is valid, or nearly: `graph.agents.checks` says what else it has to be.

    Raises:
        Faulty: it is not one named operation of one root field, or its directives are not as they are declared.
    """
    try:
        return _read(name, parse(text), schema)
    except GraphQLError as error:
        raise Faulty(f"{name}: {error.message}") from None


def _read(name: str, document: DocumentNode, schema: GraphQLSchema) -> AgentOperation:
    definitions = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(definitions) != 1 or definitions[0].name is None or definitions[0].name.value != name:
        raise Faulty(f"{name}: a file holds one operation, named as the file is.")
    definition = definitions[0]
    root, field = _root(name, definition, schema)
    said = {directive: _said(name, definition, directive) for directive in ("rest", "mcp", "cache", "access", "status")}
    clean = visit(visit(document, _Stripper()), _Spreader(name))
    union = get_named_type(field.type)
    is_mutation = definition.operation is OperationType.MUTATION
    return AgentOperation(
        name,
        _words(definition),
        print_ast(clean) + "\n",
        clean,
        root,
        union.types[0].name if is_mutation and isinstance(union, GraphQLUnionType) else None,
        _variables(name, definition, schema, said["rest"]),
        _route(name, said["rest"], said["status"]),
        _tool(name, said["mcp"], is_mutation=is_mutation),
        said["cache"]["maxAge"] if said["cache"] else None,
        _access(root, said["access"], is_mutation=is_mutation),
        _page(clean),
    )


def _words(node: Any) -> str:
    """The description of a node, on one line."""
    return " ".join(node.description.value.split()) if node.description else ""


def _root(name: str, definition: OperationDefinitionNode, schema: GraphQLSchema) -> tuple[str, Any]:
    root = schema.get_root_type(definition.operation)
    selections = definition.selection_set.selections
    field = selections[0] if len(selections) == 1 else None
    if definition.operation is OperationType.SUBSCRIPTION or root is None:
        raise Faulty(f"{name}: only queries and mutations are offered.")
    if not isinstance(field, FieldNode) or field.alias is not None or field.directives:
        raise Faulty(f"{name}: there is one field at the root, without an alias or a condition.")
    if field.name.value not in root.fields:
        raise Faulty(f"{name}: there is no root field {field.name.value}.")
    return field.name.value, root.fields[field.name.value]


def _said(name: str, node: Any, directive: str) -> dict[str, Any] | None:
    """What one of our directives says on a node; None where it is not there."""
    location = node.operation.name if isinstance(node, OperationDefinitionNode) else "VARIABLE_DEFINITION"
    known = _vocabulary()[directive]
    there = [each for each in node.directives or () if each.name.value == directive]
    if len(there) > 1 or (there and location not in {each.name for each in known.locations}):
        raise Faulty(f"{name}: @{directive} does not stand there, or twice.")
    return get_directive_values(known, node) if there else None


def _route(name: str, rest: Mapping[str, Any] | None, status: Mapping[str, Any] | None) -> Route | None:
    if rest is None:
        return None
    parts = str(rest["path"]).removeprefix("/").split("/")
    if not rest["path"].startswith("/") or not all(_PART.fullmatch(part) for part in parts):
        raise Faulty(f"{name}: {rest['path']} is no path of words and {{variables}}.")
    made = (status["code"], status.get("location")) if status else ()
    return Route(rest["method"], rest["path"], *made)


def _tool(name: str, mcp: Mapping[str, Any] | None, *, is_mutation: bool) -> Tool | None:
    if mcp is None:
        return None
    if is_mutation and not mcp["allow"]:
        raise Faulty(f"{name}: a mutation is a tool only where @mcp allows it.")
    return Tool(_HUMP.sub("_", name).lower(), mcp["title"])


def _access(root: str, said: Mapping[str, Any] | None, *, is_mutation: bool) -> Access:
    if is_mutation:
        scope = scope_of(root)
        return Access(frozenset() if scope is None else frozenset({scope}), open=False)
    if said is None:
        return Access(frozenset({KeyScope.READ}), open=True)
    return Access(frozenset(KeyScope(scope) for scope in said["scopes"]), open=said["open"])


def _variables(
    name: str, definition: OperationDefinitionNode, schema: GraphQLSchema, rest: Mapping[str, Any] | None
) -> dict[str, Variable]:
    in_path = set(re.findall(r"\{(\w+)\}", rest["path"])) if rest else set()
    usual = "query" if rest and rest["method"] in {"GET", "DELETE"} else "body"
    nodes = definition.variable_definitions or ()
    variables = [_variable(name, node, schema, in_path, usual) for node in nodes]
    missing = in_path - {each.name for each in variables}
    if missing:
        raise Faulty(f"{name}: nothing is put into {{{min(missing)}}}.")
    return {each.name: each for each in variables}


def _variable(
    name: str, node: VariableDefinitionNode, schema: GraphQLSchema, in_path: set[str], usual: Place
) -> Variable:
    called = node.variable.name.value
    type_: Any = type_from_ast(schema, node.type)
    if type_ is None:
        raise Faulty(f"{name}: ${called} has no type that is known.")
    place, wire = ("path", called) if called in in_path else (usual, called)
    moved = {place: wire for place, wire in (_said(name, node, "in") or {}).items() if wire is not None}
    if moved and (len(moved) != 1 or called in in_path):
        raise Faulty(f"{name}: ${called} travels in one place.")
    place, wire = next(iter(moved.items()), (place, wire))
    return Variable(
        called,
        wire,
        place,
        type_,
        str(type_).endswith("!") and node.default_value is None,
        _words(node),
        value_from_ast(node.default_value, type_) if node.default_value else None,
        _bounds(name, called, _said(name, node, "bounds"), _said(name, node, "id")),
    )


def _bounds(name: str, called: str, said: Mapping[str, Any] | None, id_: Mapping[str, Any] | None) -> Bounds:
    kinds = set(id_["of"] if id_ else ())
    if kinds - {kind.value for kind in Kind}:
        raise Faulty(f"{name}: ${called} is no id of any kind there is.")
    return Bounds(**(said or {}), kinds=frozenset(Kind(kind) for kind in kinds))


class _Stripper(Visitor):
    """Takes off what is not GraphQL's own: our directives, and descriptions, which not every parser reads."""

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        """Remove one of ours."""
        return self.REMOVE if node.name.value in _vocabulary() else None

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> Any:
        """Leave its description out."""
        return _undescribed(node)

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> Any:
        """Leave its description out."""
        return _undescribed(node)


class _Spreader(Visitor):
    """Puts what documents share where they name it: what is promised does not depend on how it is written."""

    def __init__(self, name: str) -> None:
        """Begin with a document of that name."""
        super().__init__()
        self._name = name

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        """Take the selections of each shared fragment in its place."""
        return SelectionSetNode(selections=tuple(self._spread(node.selections)))

    def _spread(self, selections: Iterable[SelectionNode]) -> Iterator[SelectionNode]:
        for each in selections:
            if not isinstance(each, FragmentSpreadNode):
                yield each
            elif each.name.value not in _fragments():
                raise Faulty(f"{self._name}: there is no shared fragment {each.name.value}.")
            else:
                yield from visit(_fragments()[each.name.value], self).selection_set.selections


def _undescribed(node: Any) -> Any:
    if node.description is None:
        return None
    return type(node)(**{key: getattr(node, key) for key in node.keys} | {"description": None})


def _page(document: DocumentNode) -> str | None:
    """What names the next page: it belongs to the field that goes on `after: $after`."""
    found: list[str] = []

    class Pages(Visitor):
        """Finds it."""

        def enter_field(self, node: FieldNode, *_: Any) -> None:
            """Look at what is asked beside the nodes."""
            goes_on = any(
                argument.name.value == "after" and print_ast(argument.value) == "$after"
                for argument in node.arguments or ()
            )
            if goes_on and node.selection_set is not None:
                names = [each.name.value for each in node.selection_set.selections if isinstance(each, FieldNode)]
                found.append("walk" if "complete" in names else "connection")

    visit(document, Pages())
    return found[0] if found else None
