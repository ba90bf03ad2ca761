"""What is collected for all types at once is, for each of them, what graphql-core collects for that type alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, get_named_type, parse
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_variable_values

from domain.errors import TooCostly
from graph.collecting import MOST_FIELDS, Asked, Collector
from graph.schema import executable
from tests.graph.documents import Author, Pool
from tests.graph.scene import Rows

META = {"__schema": "__Schema", "__type": "__Type"}
DOCUMENTS = 400


class Both:
    """One operation, collected both ways."""

    def __init__(self, schema: GraphQLSchema, text: str, variables: dict[str, Any], name: str | None = None) -> None:
        document = parse(text)
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
        self.operation = next(node for node in operations if name is None or (node.name and node.name.value == name))
        self.schema = schema
        self.fragments = {node.name.value: FragmentDetails(node) for node in fragments}
        values = get_variable_values(schema, self.operation.variable_definitions or (), variables)
        self.values = values if isinstance(values, VariableValues) else None
        conditions = {
            key: value for key, value in (self.values.coerced if self.values else {}).items() if isinstance(value, bool)
        }
        self.collector = Watched(schema, {node.name.value: node for node in fragments}, conditions)

    def collected(self) -> list[Asked]:
        """What our collector finds."""
        return self.collector.collect([self.operation.selection_set], frozenset({"Query"}))

    def agree(self) -> None:
        """Compare, from the root down, for every concrete type that a place may have."""
        assert self.values
        root = self.schema.query_type
        assert root
        theirs = collect_fields(self.schema, self.fragments, self.values, root, self.operation)
        self._agree(self.collected(), "Query", theirs.grouped_field_set)

    def _agree(self, fields: Sequence[Asked], kind: str, groups: dict[str, list[FieldDetails]]) -> None:
        mine = [field for field in fields if kind in field.kinds]
        assert [field.key for field in mine] == list(groups)
        for field in mine:
            details = groups[field.key]
            assert [id(node) for node in field.nodes] == [id(detail.node) for detail in details]
            self._agree_below(field, kind, details)

    def _agree_below(self, field: Asked, kind: str, details: list[FieldDetails]) -> None:
        if not any(node.selection_set for node in field.nodes):
            assert field.fields == []
            return
        named = META.get(field.name) or get_named_type(self.schema.type_map[kind].fields[field.name].type).name
        possible = self.collector.kinds_of(named)
        assert all(inner.kinds <= possible for inner in field.fields)
        for below in possible:
            type_ = self.schema.type_map[below]
            theirs = collect_subfields(self.schema, self.fragments, self.values, self.operation, type_, details)
            self._agree(field.fields, below, theirs.grouped_field_set)


class Watched(Collector):
    """Counts the selection sets it walks through."""

    visits = 0

    def _visit(self, *arguments: Any) -> None:
        self.visits += 1
        super()._visit(*arguments)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return executable()


def test_for_every_type_the_keys_their_order_and_their_nodes_are_those_of_graphql_core(schema: GraphQLSchema) -> None:
    pool = Pool.of(Rows(random.Random(1)))
    compared = 0
    for seed in range(DOCUMENTS):
        document = Author(schema, pool, random.Random(seed)).document()
        both = Both(schema, document.text, document.variables, document.name)
        if both.values and None not in both.values.coerced.values():
            both.agree()
            compared += 1
    assert compared > DOCUMENTS / 2


CASES = [
    "{ node(id: 1) { ... on Asset { title } ... on Track { title: bpm } ... on Node { id } __typename } }",
    "{ node(id: 1) { ... on Track { a: bpm owner { name } } ... on Asset { owner { handle } a: title owner { id } } id } }",
    "{ node(id: 1) { id ...A ... on Sample { ...B } ...B } } fragment A on Track { x: id } fragment B on Asset { x: title ...A }",
    "{ search { nodes { ... on Node { id ... on Asset { id } } ... on Artist { name id } ... on SearchResult { __typename } } } }",
    "{ node(id: 1) { ...A ...A @skip(if: true) ...A } } fragment A on Node { id ... on Hook { caption ...B } } fragment B on Hook { id }",
    "{ node(id: 1) { ...A @skip(if: true) ...A } viewer @include(if: false) { __typename } } fragment A on Node { id }",
    "{ a: __typename ... on Query { __schema { queryType { name ... on __Type { kind name } } } a: __typename } }",
    "{ ... { ... { ... on Query { artist(handle: 1) { name } } } } artist(handle: 1) { ...A } } fragment A on Artist { id name }",
]


@pytest.mark.parametrize("text", CASES)
def test_these_are_collected_as_graphql_core_does_whether_or_not_they_are_valid(
    schema: GraphQLSchema, text: str
) -> None:
    Both(schema, text, {}).agree()


def test_each_key_of_a_type_stands_in_one_place(schema: GraphQLSchema) -> None:
    text = "{ node(id: 1) { ... on Track { id a: id } ... on Asset { id b: id } ... on Node { a: id id } ... on Hook { id } } }"
    (node,) = Both(schema, text, {}).collected()
    for key in ("id", "a", "b"):
        kinds = [kind for field in node.fields if field.key == key for kind in field.kinds]
        assert len(kinds) == len(set(kinds))


def _chain(length: int, fragment: str) -> str:
    """A document of fragments, each of which spreads the next in some way."""
    parts = [f"fragment F{n} on Asset {fragment.replace('NEXT', f'...F{n + 1}')}" for n in range(length)]
    return "\n".join(["{ asset(id: 1) { ...F0 } }", *parts, f"fragment F{length} on Asset {{ id }}"])


HARMLESS = {
    "spread twice": "{ NEXT NEXT title }",
    "spread for some types and for all": "{ ... on Track { NEXT } ... on Sample { NEXT } NEXT ... on Node { NEXT } }",
    "spread in one key asked for twice": "{ owner { assets { nodes { NEXT NEXT } } } owner { assets { nodes { NEXT } } } }",
}


@pytest.mark.parametrize("fragment", HARMLESS.values(), ids=HARMLESS)
def test_a_fragment_bomb_takes_work_in_proportion_to_its_length(schema: GraphQLSchema, fragment: str) -> None:
    visits = {}
    for length in (4, 8, 16):
        both = Both(schema, _chain(length, fragment), {})
        both.collected()
        visits[length] = both.collector.visits
    assert visits[16] - visits[8] == 2 * (visits[8] - visits[4])


def test_a_bomb_of_aliases_is_refused_after_a_bounded_walk(schema: GraphQLSchema) -> None:
    fragment = "{ a: owner { assets { nodes { NEXT } } } b: owner { assets { nodes { NEXT } } } }"
    both = Both(schema, _chain(30, fragment), {})
    with pytest.raises(TooCostly):
        both.collected()
    assert both.collector.visits <= 3 * MOST_FIELDS


@pytest.mark.parametrize(("fields", "refused"), [(MOST_FIELDS, False), (MOST_FIELDS + 1, True)])
def test_a_thousand_fields_are_enough(schema: GraphQLSchema, fields: int, *, refused: bool) -> None:
    both = Both(schema, "{" + " ".join(f"a{n}: __typename" for n in range(fields)) + "}", {})
    if refused:
        with pytest.raises(TooCostly):
            both.collected()
    else:
        assert len(both.collected()) == fields
