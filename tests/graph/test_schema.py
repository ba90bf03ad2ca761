"""The schema is a contract: fresh, described, never broken without a deprecation, and every field of it is at home."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    is_list_type,
    is_specified_scalar_type,
)
from graphql.utilities import find_schema_changes

from db.access import Exposure
from db.map import TYPES
from db.places import Inline, Many, NotStored, Page, Place, Stored, ToOne, place_of
from graph.schema import executable, sdl

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "schema.graphql"


def own_types() -> list[object]:
    return [
        type_
        for type_ in executable().type_map.values()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    ]


def test_the_committed_schema_is_the_schema() -> None:
    assert COMMITTED.read_text() == sdl(), "run: ./dev casset schema > schema.graphql"


def test_every_element_is_described() -> None:
    silent = []
    for type_ in own_types():
        name = type_.name  # type: ignore[attr-defined]  # a named type
        if not type_.description:  # type: ignore[attr-defined]  # a named type
            silent.append(name)
        if isinstance(type_, GraphQLEnumType):
            silent += [f"{name}.{value}" for value, definition in type_.values.items() if not definition.description]
        elif isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
            for field_name, field in type_.fields.items():
                if not field.description:
                    silent.append(f"{name}.{field_name}")
                arguments = getattr(field, "args", {})
                silent += [f"{name}.{field_name}({a}:)" for a, given in arguments.items() if not given.description]
    assert silent == []


def history(path: str) -> list[str]:
    """The last two committed states of a file, newest first."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no earlier schema to compare with")
    log = subprocess.run(
        ["git", "log", "-2", "--format=%H", "--", path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    shown = [
        subprocess.run(["git", "show", f"{commit}:{path}"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for commit in log.stdout.split()
    ]
    if not shown:
        pytest.skip("the schema was never committed: there is no earlier one to compare with")
    return shown


def breaking(old: str, new: str) -> list[str]:
    """What a client of the old schema could miss in the new one, deprecated things aside."""
    before = build_schema(old)
    return [
        change.description
        for change in find_schema_changes(before, build_schema(new))
        if type(change).__name__ == "BreakingChange" and not was_deprecated(before, change.description)
    ]


def was_deprecated(schema: object, description: str) -> bool:
    named = description.replace("`", "").replace("'", "").split()
    for word in named:
        type_name, _, field_name = word.rstrip(".").partition(".")
        fields = getattr(schema.type_map.get(type_name), "fields", {})  # type: ignore[attr-defined]  # it is a GraphQLSchema
        if field_name in fields and fields[field_name].deprecation_reason:
            return True
    return False


def test_nothing_breaks_that_was_not_deprecated_first() -> None:
    states = [*reversed(history("schema.graphql")), sdl()]
    for old, new in pairwise(states):
        assert breaking(old, new) == []


def test_a_breaking_change_would_be_found() -> None:
    old = 'type Query { a: Int b: Int @deprecated(reason: "2026-12-01: use a") }'
    assert breaking(old, "type Query { a: Int }") == []
    assert breaking(old, 'type Query { b: Int @deprecated(reason: "x") }') != []
    assert breaking(old, 'type Query { a: String b: Int @deprecated(reason: "x") }') != []


def stored_fields() -> list[tuple[str, str, object, Place]]:
    found = []
    for name, type_ in TYPES.items():
        if name == "Things":
            continue  # no type of the SDL
        definition = executable().type_map[name]
        for field_name, field in getattr(definition, "fields", {}).items():
            try:
                place, _ = place_of(TYPES, type_, field_name)
            except NotStored:
                continue
            found.append((name, field_name, field.type, place))
    return found


def test_every_field_has_a_place_or_a_resolver_of_its_own() -> None:
    homeless = []
    for type_ in own_types():
        if not isinstance(type_, GraphQLObjectType):
            continue
        for field_name, field in type_.fields.items():
            resolver = getattr(field.resolve, "__module__", "")
            if resolver != "graph.reference":
                homeless.append(f"{type_.name}.{field_name}")
    assert homeless == []


def test_every_place_has_its_field() -> None:
    known = {(name, field_name) for name, field_name, _, _ in stored_fields()}
    declared = {(name, field_name) for name, type_ in TYPES.items() for field_name in type_.places}
    assert declared - known == {("Things", "nodes")}  # what computed values lead to: asked by the read engine alone


def test_a_field_that_may_be_null_says_so_and_no_other_promises_more_than_its_place() -> None:
    wrong = []
    for name, field_name, type_, place in stored_fields():
        gated = TYPES[TYPES[name].base or name].shown is not None and place.exposure is not Exposure.STUB
        if isinstance(place, (Page, Many)) or is_list_type(getattr(type_, "of_type", None)):
            promises = True
        elif isinstance(place, ToOne):
            promises = place.always and not gated
        elif isinstance(place, Inline):
            promises = place.present is None and not gated
        elif isinstance(place, Stored):
            promises = not place.nullable and not gated
        else:
            promises = False
        if isinstance(type_, GraphQLNonNull) and not promises:
            wrong.append(f"{name}.{field_name} is promised, but its place may hold nothing")
    assert wrong == []
