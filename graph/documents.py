"""Documents read once: bounded, parsed, validated and made ready to be asked again; what is refused is not kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NonNullTypeNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    is_non_null_type,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.language import ast
from graphql.validation.rules import overlapping_fields_can_be_merged

from db.map import TYPES
from db.places import NotStored, place_of
from domain.errors import Code
from graph.collecting import condition_names
from graph.kept import Kept
from graph.limits import KNOWN, Limits, measure
from graph.operation import KEPT_CHOICES, Operation, Slot

MOST_ERRORS = 5
MOST_LINES = 2000
"""Of a stranger's document: where an error points is counted line by line."""
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 10_000
"""Pairs of fields that validation compares, before it gives a document up; the library's own budget takes 100 ms."""
KEPT_DOCUMENTS = 32 << 20
"""Bytes of memory, about."""
TOKEN, CHOICE = 700, 100
"""The bytes that a token of a kept document comes to, measured; and once more for each choice of its conditions."""

_MOST_TOKENS = re.compile(r"more than (\d+) tokens")
_TOO_DEEP = "The document is nested too deeply."
_GIVEN_UP = "The document takes too long to validate."


class Documents:
    """The documents seen lately, by text: parsed and validated once."""

    def __init__(self, schema: GraphQLSchema, *, is_open: bool = True) -> None:
        """Start empty.

        Args:
            schema: what documents are validated against.
            is_open: whether it may be introspected, and a wrong name is answered with those near to it.
        """
        self.schema = schema
        self._hides = not is_open
        self._rules = specified_rules if is_open else [*specified_rules, NoSchemaIntrospectionCustomRule]
        self._kept = Kept(KEPT_DOCUMENTS, _weight)

    def operation(
        self, text: str, name: str | None, limits: Limits | None = KNOWN, *, quick: bool = False
    ) -> Operation | list[GraphQLError]:
        """The operation a request means, or the errors of its document. What is refused is not kept.

        `limits` bound the document before it is validated; None is for one that was registered, and is trusted.

        Raises:
            Unmade: it was not seen lately, and all has to be `quick`.
        """
        try:
            return self._kept.recall((text, name, limits), lambda: self._prepare(text, name, limits), quick=quick)
        except _Wrong as wrong:
            return wrong.errors

    def problems(self, text: str) -> list[GraphQLError]:
        """What is wrong with a document, whatever it may come to."""
        try:
            return validate(self.schema, parse(text), self._rules, max_errors=MOST_ERRORS)
        except GraphQLError as error:
            return [error]

    def _prepare(self, text: str, name: str | None, limits: Limits | None) -> Operation:
        if limits is not None and text.count("\n") + text.count("\r") > MOST_LINES:
            raise _Wrong([_excess(f"The document has more than {MOST_LINES} lines.")])
        try:
            document = parse(text, max_tokens=None if limits is None else limits.tokens)
        except GraphQLError as error:
            raise _Wrong([_told(error)]) from None
        _unchain(document)
        measured = measure(self.schema, document)
        excess = None if limits is None else measured.exceeded(limits)
        if excess is not None:
            raise _Wrong([_excess(excess.message)])
        errors = validate(self.schema, document, self._rules, max_errors=MOST_ERRORS, hide_suggestions=self._hides)
        if errors:
            raise _Wrong([_told(error) for error in errors])
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
        if len(chosen) != 1:
            said = (
                f"Unknown operation named '{name}'."
                if name
                else "Must provide operation name if query contains multiple operations."
            )
            raise _Wrong([GraphQLError(said if operations else "The document holds no operation.")])
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        cost = measured.costs.get(chosen[0].name.value if chosen[0].name else None)
        if cost is None:
            raise _Wrong([_excess(_TOO_DEEP)])
        operation = Operation(self.schema, text, document, chosen[0], fragments, cost, chosen[0].operation.value)
        info = TypeInfo(self.schema)
        finder = _Finder(info, operation)
        for node in (chosen[0], *_reached(chosen[0], fragments)):
            visit(node, TypeInfoVisitor(info, finder))
        operation.conditions = tuple(sorted(condition_names(finder.directives)))
        return operation


def _weight(operation: Operation) -> int:
    """The bytes that an operation comes to, however it is asked for."""
    choices = min(2 ** len(operation.conditions), KEPT_CHOICES)
    return len(operation.text) + (TOKEN + CHOICE * choices) * operation.document.token_count


class _Finder(Visitor):
    """Finds the conditions and the fields that take arguments, in one operation and the fragments it reaches."""

    def __init__(self, info: TypeInfo, operation: Operation) -> None:
        super().__init__()
        self.info = info
        self.operation = operation
        self.directives: list[DirectiveNode] = []
        declared = operation.definition.variable_definitions or ()
        self.nullable = {node.variable.name.value for node in declared if not isinstance(node.type, NonNullTypeNode)}

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """Remember a condition."""
        self.directives.append(node)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Give a field with arguments its slot."""
        parent, definition = self.info.get_parent_type(), self.info.get_field_def()
        type_ = TYPES.get(parent.name) if parent else None
        if type_ is None or definition is None:
            return
        try:
            place, _own = place_of(TYPES, type_, node.name.value)
        except NotStored:
            return
        arguments = getattr(place, "arguments", None)
        if arguments is None or not definition.args:
            return
        given = [(argument.name.value, argument.value) for argument in node.arguments or ()]
        named = tuple((name, value.name.value) for name, value in given if isinstance(value, VariableNode))
        plain = len(named) == len(given) and not any(
            is_non_null_type(definition.args[name].type) and variable in self.nullable for name, variable in named
        )
        names = named if plain else None
        constant = not any(_speaks_of_variables(value) for _, value in given)
        self.operation.slot_of[id(node)] = len(self.operation.slots)
        self.operation.slots.append(Slot(arguments, definition, node, names, constant))


def _speaks_of_variables(value: ast.ValueNode) -> bool:
    if isinstance(value, ast.ListValueNode):
        return any(_speaks_of_variables(item) for item in value.values)
    if isinstance(value, ast.ObjectValueNode):
        return any(_speaks_of_variables(field_.value) for field_ in value.fields)
    return isinstance(value, VariableNode)


class _Wrong(Exception):
    """A document is refused."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


def _told(error: GraphQLError) -> GraphQLError:
    """An error of the library, in our words where it gave a document up."""
    if not error.message.endswith(" aborted."):
        return error
    found = _MOST_TOKENS.search(error.message)
    if found:
        return _excess(f"The document has more than {found[1]} tokens.")
    if "nested too deeply" in error.message:
        return _excess(_TOO_DEEP)
    return _excess(_GIVEN_UP if error.message == "Validation aborted." else "There are more errors than these.")


def _unchain(document: DocumentNode) -> None:
    """Take the tokens apart, each of which holds its neighbours: a document that goes is no garbage then."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token = following


def _excess(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": Code.TOO_COSTLY.value})


def _reached(node: ast.Node, fragments: Mapping[str, FragmentDefinitionNode]) -> list[FragmentDefinitionNode]:
    """The fragments an operation spreads, directly or through others."""
    names: list[str] = []

    class Spreads(Visitor):
        """Follows spreads."""

        def enter_fragment_spread(self, spread: ast.FragmentSpreadNode, *_: Any) -> None:
            """Visit a fragment once."""
            if spread.name.value not in names:
                names.append(spread.name.value)
                visit(fragments[spread.name.value], self)

    visit(node, Spreads())
    return [fragments[name] for name in names]
