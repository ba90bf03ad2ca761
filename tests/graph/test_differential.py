"""The plan and the reference mean the same: random documents, asked by every kind of viewer, answer alike both ways.

`pytest tests/graph/test_differential.py -n0 -s --documents 10000 --seed 1 --viewers anonymous,owner,stranger`
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter

import pytest

from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.errors import TooCostly
from domain.ids import Kind
from graph.answers import Answer
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from tests.graph.documents import Author, Document, Pool, minimised, ordered
from tests.graph.scene import Scene

DOCUMENTS = 300
SEED = 1
PLANNED = 0.95
"""The least share of answered documents that must have been answered by a plan."""


@dataclass
class Trial:
    """Both executions, one beside the other, and what has been seen of them."""

    plan: Reader
    reference: Reader
    statements: list[str]
    seen: Counter[str] = field(default_factory=Counter)

    async def ask(self, reader: Reader, document: Document, viewer: Viewer) -> tuple[Answer, list[str]]:
        """The answer, and the statements it took."""
        await asyncio.sleep(0)  # the log of statements is written one turn of the loop later
        before = len(self.statements)
        answer = await reader.answer(document.text, document.name, document.variables, viewer)
        await asyncio.sleep(0)
        return answer, self.statements[before:]

    async def differ(self, document: Document, viewer: Viewer) -> str | None:
        """How the executions differ for a document, or None."""
        planned, filled = self._planned(), self._filled()
        first, statements = await self.ask(self.plan, document, viewer)
        with_holes = self._filled() > filled
        again, _ = await self.ask(self.plan, document, viewer)
        self.seen["asked"] += 1
        try:
            reference, _ = await self.ask(self.reference, document, viewer)
        except TooCostly:
            # Field by field, what is big takes seconds, and longer where the machine does other things.
            self.seen["too slow"] += 1
            return None
        if first.refused:
            self.seen["refused"] += 1
            return None if first == again == reference else "only one refused, or otherwise"
        by_plan = self._planned() == planned + 2
        self.seen["planned" if by_plan else "not planned"] += 1
        if b'"INTERNAL"' in reference.body:
            return f"the reference failed: {reference.body.decode()}"
        self.seen["filled"] += by_plan and with_holes
        if by_plan and not with_holes and len(statements) != 1:
            return f"a plan took {len(statements)} statements: {statements}"
        if first.body != again.body:
            return f"the same plan answered otherwise:\n{first.body.decode()}\n{again.body.decode()}"
        if ordered(first.body) != ordered(reference.body):
            return f"plan:      {first.body.decode()}\nreference: {reference.body.decode()}"
        return None

    def _planned(self) -> float:
        return self.plan.metrics.planned._value.get()

    def _filled(self) -> float:
        return self.plan.metrics.filled._value.get()


@pytest.fixture
def trial(readers: dict[Execution, Reader], scene_statements: list[str]) -> Trial:
    return Trial(readers[Execution.PLAN], readers[Execution.REFERENCE], scene_statements)


async def test_random_documents_are_answered_alike_by_both_executions(
    scene: Scene, trial: Trial, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    count = pytestconfig.getoption("documents", None) or DOCUMENTS
    seed = pytestconfig.getoption("seed", None) or SEED
    named = pytestconfig.getoption("viewers", None)
    # One viewer for each document, by turns; or, where some are named, all of those for each.
    turns = cycle([named.split(",")] if named else [[name] for name in scene.viewers])
    pool, schema, started = Pool.of(scene.rows), executable(), perf_counter()
    for number, names in zip(range(seed, seed + count), turns, strict=False):
        document = Author(schema, pool, random.Random(number)).document()
        for name in names:
            viewer = scene.viewers[name]
            difference = await trial.differ(document, viewer)
            if difference is not None:
                await _fail(trial, document, viewer, f"document {number} of {seed}…, as {name}", difference)
        answer, _ = await trial.ask(trial.plan, document, scene.viewers[names[0]])
        pool.harvest(json.loads(answer.body))
    taken = perf_counter() - started
    with capsys.disabled():
        print(f"\nseeds {seed}…{seed + count - 1}, {dict(trial.seen)}, {taken:.0f} s")  # noqa: T201  # the note wants it
    answered = trial.seen["asked"] - trial.seen["refused"]
    assert trial.seen["planned"] >= PLANNED * answered, trial.seen
    assert trial.seen["too slow"] <= 0.001 * trial.seen["asked"], trial.seen
    assert answered >= 0.8 * trial.seen["asked"], trial.seen


async def _fail(trial: Trial, document: Document, viewer: Viewer, where: str, difference: str) -> None:
    async def fails(smaller: Document) -> bool:
        return await trial.differ(smaller, viewer) is not None

    small = await minimised(executable(), document, fails)
    said = await trial.differ(small, viewer)
    pytest.fail(f"{where}:\n{document}\n\nas small as\n{small}\n\n{said or difference}", pytrace=False)


@pytest.mark.parametrize("viewer", ["anonymous", "owner"])
async def test_nodes_take_one_statement_as_a_plan_and_at_most_one_for_each_kind_as_the_reference(
    scene: Scene, trial: Trial, viewer: str
) -> None:
    chance = random.Random(3)
    ids = Pool.of(scene.rows).ids
    some = [chance.choice(ids[kind]) for kind in Kind for _ in range(5)]
    document = Document("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", {"ids": chance.sample(some, 90)})
    planned, by_plan = await trial.ask(trial.plan, document, scene.viewers[viewer])
    hopped, by_hops = await trial.ask(trial.reference, document, scene.viewers[viewer])
    assert planned.body == hopped.body
    assert len(by_plan) == 1
    read = [statement for statement in by_hops if "unnest" in statement]
    assert 1 < len(read) <= len(Kind)
    assert {statement for statement in by_hops if "unnest" not in statement} <= {
        "BEGIN;",
        "BEGIN ISOLATION LEVEL READ COMMITTED;",
        ";",
        "ROLLBACK;",
    }


def test_the_parameters_of_the_viewer_never_form_a_plan(scene: Scene, trial: Trial) -> None:
    """Plans are kept by shape, never by user: preparing takes no viewer at all, and each gives the same parameters."""
    names = {frozenset(viewer_values(viewer)) for viewer in scene.viewers.values()}
    assert len(names) == 1
