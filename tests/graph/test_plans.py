"""Plans are kept by what they weigh, whoever asks for them, and never mistaken for one another."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from db.engine import Database
from graph import plans
from graph.documents import Documents
from graph.operation import Operation
from graph.reading import Reader
from graph.schema import executable

NOWHERE = {"host": "127.0.0.1", "port": 1, "user": "casset", "database": "casset"}
ASKING = "query ($by: AssetFilter) { assets(first: 2, filter: $by) { nodes { id title } } }"
FILTERS = {"hasPolicy": False, "createdFrom": "2026-01-31T00:00:00Z", "kinds": ["TRACK"]}
SHAPES: list[dict[str, Any]] = [
    {name: FILTERS[name] for name in names}
    for count in range(len(FILTERS) + 1)
    for names in combinations(FILTERS, count)
]


def reader() -> Reader:
    return Reader(executable(), Database(NOWHERE))


def test_one_operation_in_many_shapes_keeps_no_more_than_all_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "KEPT_PLANS", 20_000)
    asked = reader()
    for shape in SHAPES:
        asked.prepare(ASKING, None, {"by": shape})
        statement = asked.prepare(ASKING, None, {"by": shape}, quick=True).plan
        assert statement is not None
    kept = asked.plans._shapes
    assert 1 <= len(kept) < len(SHAPES)
    assert kept._weight <= plans.KEPT_PLANS


def test_each_shape_has_a_plan_of_its_own() -> None:
    asked = reader()
    made = [asked.prepare(ASKING, None, {"by": shape}).plan for shape in SHAPES]
    again = [asked.prepare(ASKING, None, {"by": shape}, quick=True).plan for shape in SHAPES]
    assert [id(plan) for plan in made] == [id(plan) for plan in again]
    assert len({plan.statement.sql for plan in made if plan and plan.statement}) == len(SHAPES)


def test_an_operation_that_is_made_again_is_another_one() -> None:
    documents = (Documents(executable()) for _ in range(2))
    first, second = (each.operation(ASKING, None) for each in documents)
    assert isinstance(first, Operation)
    assert isinstance(second, Operation)
    assert first.number != second.number
