"""From a parsed operation to what it asks for: GraphQL's CollectFields, over every type a place in the answer may have.

The specification collects the fields of one object of one type. A compiled statement answers for all possible types at
once, so here each response key carries the set of concrete types it appears for, and stands where it first appears.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)
from graphql.language import DirectiveNode

from domain.errors import TooCostly

MOST_FIELDS = 1000

_META = {"__schema": "__Schema", "__type": "__Type"}

Conditions = Mapping[str, bool]


@dataclass(slots=True)
class Asked:
    """One response key of some concrete types, with the nodes that ask for it and what they ask of its value."""

    key: str
    kinds: frozenset[str]
    nodes: list[FieldNode]
    fields: list[Asked] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The SDL name of the field."""
        return self.nodes[0].name.value


class Collector:
    """Collects one operation under one choice of its `@skip` and `@include` variables."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], conditions: Conditions
    ) -> None:
        """Start with nothing counted."""
        self._schema = schema
        self._fragments = fragments
        self._conditions = conditions
        self._count = 0

    def collect(self, sets: Iterable[SelectionSetNode], kinds: frozenset[str]) -> list[Asked]:
        """The response keys of some selection sets on a value that is of one of `kinds`, with all below them.

        Raises:
            TooCostly: the operation spreads into more than a thousand fields.
        """
        entries: list[Asked] = []
        visited: dict[str, frozenset[str]] = {}
        for selection_set in sets:
            self._visit(selection_set, kinds, entries, visited)
        for entry in entries:
            self._count += 1
            if self._count > MOST_FIELDS:
                raise TooCostly(f"The operation asks for more than {MOST_FIELDS} fields.")
            below = [node.selection_set for node in entry.nodes if node.selection_set]
            if below:
                entry.fields = self.collect(below, self._possible(next(iter(entry.kinds)), entry.name))
        return entries

    def _possible(self, owner: str, name: str) -> frozenset[str]:
        """The concrete types that the value of a field may have."""
        type_ = self._schema.type_map[owner]
        if not isinstance(type_, GraphQLObjectType):
            raise TypeError(owner)
        return self.kinds_of(_META.get(name) or get_named_type(type_.fields[name].type).name)

    def kinds_of(self, name: str) -> frozenset[str]:
        """The concrete types behind a type's name."""
        type_ = self._schema.type_map[name]
        if is_abstract_type(type_):
            return frozenset(possible.name for possible in self._schema.get_possible_types(type_))
        return frozenset({name}) if is_composite_type(type_) else frozenset()

    def _visit(
        self,
        set_: SelectionSetNode,
        kinds: frozenset[str],
        entries: list[Asked],
        visited: dict[str, frozenset[str]],
    ) -> None:
        for node in set_.selections:
            if not self._included(node.directives or ()):
                continue
            if isinstance(node, FieldNode):
                _add(entries, node, kinds)
            elif isinstance(node, InlineFragmentNode):
                narrowed = kinds & self.kinds_of(node.type_condition.name.value) if node.type_condition else kinds
                if narrowed:
                    self._visit(node.selection_set, narrowed, entries, visited)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                narrowed = kinds & self.kinds_of(fragment.type_condition.name.value)
                new = narrowed - visited.get(node.name.value, frozenset())
                if new:
                    visited[node.name.value] = visited.get(node.name.value, frozenset()) | new
                    self._visit(fragment.selection_set, new, entries, visited)

    def _included(self, directives: Iterable[DirectiveNode]) -> bool:
        for directive in directives:
            if directive.name.value not in ("skip", "include"):
                continue
            value = _condition(directive)
            truth = self._conditions[value] if isinstance(value, str) else value
            if truth == (directive.name.value == "skip"):
                return False
        return True


def _add(entries: list[Asked], node: FieldNode, kinds: frozenset[str]) -> None:
    """Merge a field into the keys that are there; where only some of a key's types ask for more, the key is split."""
    key = node.alias.value if node.alias else node.name.value
    for position, entry in enumerate(entries):
        common = entry.kinds & kinds if entry.key == key else frozenset()
        if not common:
            continue
        if common != entry.kinds:
            entries.insert(position + 1, Asked(key, entry.kinds - common, list(entry.nodes)))
            entry.kinds = common
        entry.nodes.append(node)
        kinds -= common
        if not kinds:
            return
    entries.append(Asked(key, kinds, [node]))


def condition_names(nodes: Iterable[DirectiveNode]) -> set[str]:
    """The variables that decide over `@skip` and `@include`."""
    conditions = [_condition(node) for node in nodes if node.name.value in ("skip", "include")]
    return {condition for condition in conditions if isinstance(condition, str)}


def _condition(directive: DirectiveNode) -> str | bool:
    """The variable's name, or the literal, of a validated `@skip` or `@include`."""
    value = (directive.arguments or ())[0].value
    if isinstance(value, VariableNode):
        return value.name.value
    return isinstance(value, BooleanValueNode) and value.value
