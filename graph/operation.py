"""An operation made ready: parsed and validated once, its arguments read on every request, its plans kept by shape."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
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
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import ast
from graphql.validation.rules import overlapping_fields_can_be_merged

from db.arguments import Arguments
from db.compiler import Refused, Statement, compile_selection
from db.map import TYPES
from db.places import NotStored, place_of
from db.selection import Field, Selection
from domain.errors import BadInput, Code
from graph.collecting import Asked, Collector, condition_names
from graph.kept import Kept
from graph.limits import KNOWN, Cost, Limits, measure
from graph.workbench import Meter, Workbench

MOST_ERRORS = 5
MOST_LINES = 2000
"""Of a stranger's document: where an error points is counted line by line."""
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 10_000
"""Pairs of fields that validation compares, before it gives a document up; the library's own budget takes 100 ms."""
KEPT_DOCUMENTS, KEPT_PLANS = 32 << 20, 16 << 20
"""Bytes of memory, about."""
TOKEN, PLAN = 800, 2000
"""The bytes that a token of a kept document comes to, measured, and those that a plan has beside its statement."""
# Of one operation: choices of its conditions (there are 2^k), and shapes of its arguments.
KEPT_CHOICES, KEPT_SHAPES = 8, 16

_MOST_TOKENS = re.compile(r"more than (\d+) tokens")
_TOO_DEEP = "The document is nested too deeply."
_GIVEN_UP = "The document takes too long to validate."

Reading = tuple[Hashable, dict[str, Any]]


@dataclass(slots=True)
class Plan:
    """A statement for one shape of an operation, or why there is none.

    `holes` is where computed fields will stand: keys the statement also returns, filled in batches after it.
    """

    selection: Selection | None
    statement: Statement | None
    refusal: str | None = None
    uses: int = 0


@dataclass(slots=True)
class Slot:
    """The arguments of one field node: read afresh on each request where they speak of variables, else once."""

    arguments: Arguments
    definition: GraphQLField
    node: FieldNode
    variables: tuple[tuple[str, str], ...] | None
    """(argument, variable) where every argument is a plain variable, never a forbidden null: the fast way to read."""
    constant: bool
    kept: Reading | None = None

    def read(self, variables: VariableValues) -> Reading:
        """Split into shape and values, or refuse with BadInput or a GraphQLError (a null where none may be)."""
        if self.kept is not None:
            return self.kept
        reading = self._read(variables)
        if self.constant:
            self.kept = reading
        return reading

    def _read(self, variables: VariableValues) -> Reading:
        if self.variables is not None:
            given = variables.coerced
            return self.arguments.read({name: given.get(variable) for name, variable in self.variables})
        return self.arguments.read(get_argument_values(self.definition, self.node, variables))


@dataclass(slots=True)
class Collected:
    """An operation under one choice of its conditions: the keys asked for, and the slots that count."""

    conditions: tuple[bool, ...]
    fields: list[Asked]
    slots: tuple[int, ...]


@dataclass(slots=True)
class Operation:
    """One operation of a valid document."""

    schema: GraphQLSchema
    text: str
    document: DocumentNode
    definition: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    cost: Cost
    kind: str
    """`query`, `mutation` or `subscription`."""
    conditions: tuple[str, ...] = ()
    slots: list[Slot] = field(default_factory=list)
    slot_of: dict[int, int] = field(default_factory=dict)
    collected: Kept = field(default_factory=lambda: Kept(KEPT_CHOICES))
    plans: Kept = field(default_factory=lambda: Kept(KEPT_SHAPES))

    @property
    def name(self) -> str | None:
        """Its name."""
        return _name(self.definition)

    def under(self, variables: Mapping[str, Any], *, quick: bool = False) -> Collected:
        """What is asked for under the conditions' values.

        Raises:
            BadInput: one of them is null, where its default was not taken.
            Unmade: it was never asked for, and all has to be `quick`.
        """
        for name in self.conditions:
            if variables[name] is None:
                raise BadInput(f"${name} decides over @skip or @include and must not be null.")
        key = tuple(bool(variables[name]) for name in self.conditions)
        return self.collected.recall(key, lambda: self._collect(key), quick=quick)

    def _collect(self, key: tuple[bool, ...]) -> Collected:
        collector = Collector(self.schema, self.fragments, dict(zip(self.conditions, key, strict=True)))
        fields = collector.collect([self.definition.selection_set], frozenset({self.kind.capitalize()}))
        slots = {self.slot_of[id(node)] for asked in _walk(fields) for node in asked.nodes if id(node) in self.slot_of}
        return Collected(key, fields, tuple(sorted(slots)))


def _walk(fields: Sequence[Asked]) -> Any:
    for asked in fields:
        yield asked
        yield from _walk(asked.fields)


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
        self._kept = Kept(
            KEPT_DOCUMENTS, lambda operation: len(operation.text) + TOKEN * operation.document.token_count
        )

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
        cost = measured.costs.get(_name(chosen[0]))
        if cost is None:
            raise _Wrong([_excess(_TOO_DEEP)])
        operation = Operation(self.schema, text, document, chosen[0], fragments, cost, chosen[0].operation.value)
        info = TypeInfo(self.schema)
        finder = _Finder(info, operation)
        for node in (chosen[0], *_reached(chosen[0], fragments)):
            visit(node, TypeInfoVisitor(info, finder))
        operation.conditions = tuple(sorted(condition_names(finder.directives)))
        return operation


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


def _name(definition: OperationDefinitionNode) -> str | None:
    return definition.name.value if definition.name else None


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


class Plans:
    """Compiled statements, shared by all operations that ask for the same."""

    def __init__(self, bench: Workbench) -> None:
        """Start empty, with a place to make what is found missing while an operation runs."""
        self._bench = bench
        self._kept = Kept(KEPT_PLANS, lambda plan: PLAN + (2 * len(plan.statement.sql) if plan.statement else 0))

    def plan(
        self, operation: Operation, collected: Collected, readings: Mapping[int, Reading], *, quick: bool = False
    ) -> Plan:
        """The plan of an operation for the shapes of its arguments.

        Raises:
            Unmade: there is none yet, and all has to be `quick`.
        """
        key = collected.conditions, tuple((slot, readings[slot][0]) for slot in collected.slots)
        return operation.plans.recall(
            key, lambda: self._make("Query", collected.fields, operation, readings), quick=quick
        )

    async def things(self, fields: tuple[Field, ...], slot: int, kinds: Hashable, meter: Meter) -> Plan:
        """The plan of stored things that computed values lead to: as those are met that belong to others."""
        nodes = Field("nodes", "nodes", frozenset({"Things"}), slot, kinds, fields)
        selection = Selection("Things", (nodes,))
        return await self._bench.soon(partial(self._kept.recall, selection, partial(self._compile, selection)), meter)

    def _make(self, root: str, fields: Sequence[Asked], operation: Operation, readings: Mapping[int, Reading]) -> Plan:
        selection = Selection(root, tuple(self.field(asked, operation, readings) for asked in fields))
        return self._kept.recall(selection, lambda: self._compile(selection))

    def field(self, asked: Asked, operation: Operation, readings: Mapping[int, Reading]) -> Field:
        """What is asked of one place in an answer, with the shapes of its arguments."""
        slot = operation.slot_of.get(id(asked.nodes[0]), -1)
        return Field(
            asked.key,
            asked.name,
            asked.kinds,
            slot,
            readings[slot][0] if slot in readings else None,
            tuple(self.field(inner, operation, readings) for inner in asked.fields),
        )

    @staticmethod
    def _compile(selection: Selection) -> Plan:
        try:
            return Plan(selection, compile_selection(TYPES, selection))
        except Refused as refusal:
            return Plan(selection, None, str(refusal))
        except RecursionError:
            return Plan(selection, None, "the operation is nested too deeply for one statement")
