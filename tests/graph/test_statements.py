"""How many statements an operation takes, how plans are shared, and what is refused before any statement runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.ids import Kind, Ref
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable

OPERATIONS = sorted((Path(__file__).parents[1] / "benchmarks" / "operations").glob("*.graphql"))
SOME = UUID(int=2**127)
VARIABLES = {
    "handle": "nobody",
    "id": str(Ref(Kind.TRACK, SOME)),
    "release": str(Ref(Kind.RELEASE, SOME)),
}


@pytest.fixture
def reader(database: Database) -> Reader:
    return Reader(executable(), database)


def variables_of(operation: str, text: str) -> dict[str, Any]:
    given = {name: value for name, value in VARIABLES.items() if f"${name}" in text}
    if operation == "D":
        given["id"] = VARIABLES["release"]
    return given


@pytest.mark.parametrize(("path", "text"), [(path, path.read_text()) for path in OPERATIONS])
async def test_an_operation_of_the_benchmark_is_exactly_one_statement(
    reader: Reader, statements: list[str], path: Path, text: str
) -> None:
    for _ in range(3):
        statements.clear()
        answer = await reader.answer(text, None, variables_of(path.stem, text), ANONYMOUS)
        assert "errors" not in json.loads(answer.body)
        assert len(statements) == 1


async def test_nodes_are_at_most_one_statement_for_each_kind(database: Database, statements: list[str]) -> None:
    kinds = [kind for kind in Kind for _ in range(5)]
    ids = [str(Ref(kind, UUID(int=number + 1))) for number, kind in enumerate(kinds)][:100]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Asset { title } ... on Artist { name } } }"
    plan, reference = (Reader(executable(), database, execution) for execution in Execution)
    await plan.answer(query, None, {"ids": ids}, ANONYMOUS)
    assert len(statements) == 1
    statements.clear()
    await reference.answer(query, None, {"ids": ids}, ANONYMOUS)
    reads = [text for text in statements if text.lstrip().startswith("SELECT") and "FROM" in text]
    assert len(reads) <= len(set(kinds))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{ artist(handle: "a") { name } }', '{ artist(handle: "b") { name } }'),
        ("{ assets(first: 3) { nodes { id } } }", "query Again($n: Int) { assets(first: $n) { nodes { id } } }"),
        ('{ search(query: "drum") { totalCount } }', '{ search(query: "snare roll") { totalCount } }'),
    ],
)
def test_operations_that_ask_for_the_same_share_a_plan(reader: Reader, one: str, other: str) -> None:
    assert reader.prepare(one, None, None).plan is reader.prepare(other, None, None).plan


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "{ assets(order: TITLE) { totalCount nodes { id } } }",
            "{ assets(order: NEWEST) { totalCount nodes { id } } }",
        ),
        ("{ assets(first: 3) { nodes { id } } }", "{ assets(last: 3) { nodes { id } } }"),
        ("{ assets { nodes { id } } }", "{ assets(filter: {badge: REMIX}) { nodes { id } } }"),
    ],
)
def test_operations_of_another_shape_have_plans_of_their_own(reader: Reader, one: str, other: str) -> None:
    first, second = (reader.prepare(text, None, None).plan for text in (one, other))
    assert first is not None
    assert second is not None
    assert first.statement is not None
    assert second.statement is not None
    assert first.statement.sql != second.statement.sql


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("{ __schema { queryType { name } } }", "Query.__schema is not stored"),
        ('{ __type(name: "Track") { name } artists { totalCount } }', "Query.__type is not stored"),
    ],
)
def test_a_plan_is_refused_with_its_reason(reader: Reader, query: str, reason: str) -> None:
    plan = reader.prepare(query, None, None).plan
    assert plan is not None
    assert (plan.statement, plan.refusal) == (None, reason)


@pytest.mark.parametrize("execution", Execution)
async def test_what_may_read_too_much_is_refused_before_anything_is_read(
    database: Database, statements: list[str], execution: Execution
) -> None:
    inner = "parents(first: 100) { nodes { parent { id } } }"
    query = f"{{ assets(first: 100) {{ nodes {{ parents(first: 100) {{ nodes {{ parent {{ {inner} }} }} }} }} }} }}"
    answer = json.loads((await Reader(executable(), database, execution).answer(query, None, None, ANONYMOUS)).body)
    assert answer["errors"][0]["extensions"] == {"code": "TOO_COSTLY"}
    assert statements == []


async def test_a_fragment_bomb_is_refused_quickly(reader: Reader) -> None:
    bomb = "".join(
        f"fragment F{n} on Asset {{ a: parents {{ nodes {{ parent {{ ...F{n + 1} }} }} }} "
        f"b: children {{ nodes {{ child {{ ...F{n + 1} }} }} }} }} "
        for n in range(12)
    )
    query = f'{{ asset(id: "{VARIABLES["id"]}") {{ ...F0 }} }} {bomb} fragment F12 on Asset {{ id }}'
    answer = json.loads((await reader.answer(query, None, None, ANONYMOUS)).body)
    assert answer["errors"][0]["extensions"] == {"code": "TOO_COSTLY"}


async def test_a_statement_is_named_from_its_second_use_on(database: Database) -> None:
    reader = Reader(executable(), database)
    query = "{ artists(first: 2) { totalCount } }"
    named = []
    for _ in range(3):
        await reader.answer(query, None, None, ANONYMOUS)
        async with database.plan_connection("SELECT count(*)") as connection:
            named.append(
                await connection.fetchval(
                    "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT convert_to%'"
                )
            )
    assert named[0] == 0
    assert named[-1] == 1
