"""An operation of a document that was seen before: its arguments read on every request, and what it asks for."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.execution.values import VariableValues, get_argument_values

from db.arguments import Arguments
from domain.errors import BadInput
from graph.collecting import Asked, Collector
from graph.kept import Kept
from graph.limits import Cost

KEPT_CHOICES = 8
"""Of one operation: choices of its conditions; there are 2^k."""

Reading = tuple[Hashable, dict[str, Any]]
_NUMBERS = count()


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
    number: int = field(default_factory=_NUMBERS.__next__)
    """Tells it from every other one that was, or will be."""

    @property
    def name(self) -> str | None:
        """Its name."""
        return self.definition.name.value if self.definition.name else None

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


def _walk(fields: Sequence[Asked]) -> Iterator[Asked]:
    for asked in fields:
        yield asked
        yield from _walk(asked.fields)
