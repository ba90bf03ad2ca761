"""`casset bench --lineage`: lineage and rights on two big graphs, each operation beside one statement written by hand.

Operations are asked of the product's engine in this process, as anybody; the statements run on the same connections.
They are asked in turns about the same subjects. What a statement answers is less than what the product does where the
table says so: a recursive statement decides no verdict over windows and layers, and knows no remedy.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median_low as median
from typing import Any
from uuid import UUID

import orjson
import uvloop
from preparing import cluster
from psutil import Process
from rich.console import Console
from rich.table import Table
from storing import store
from subjects import Drawn, Ends, drawn
from workload import twins

from db.embedded import EmbeddedPostgres
from db.engine import Database
from db.following import index_of
from db.registration import way_up
from domain.accounts import ANONYMOUS
from domain.errors import TooCostly
from domain.ids import Kind, Ref
from domain.policies import PolicyPreset, stated
from graph.reading import Reader
from graph.schema import executable
from graph.server.tidying import keep_what_is_made
from resolvers.context import Acting, now, uuid7
from resolvers.simulations import foreseen_policy

ROUNDS, WARM = 3, 8
REFUSED = float("inf")
"""Milliseconds, of an operation that did not come to an end in time."""
WALK = "assets { distance asset { id } } complete endCursor"
CLOSURE = (
    "query ($id: ID!, $after: String) { asset(id: $id) { walk: %s(first: 3000, after: $after) { " + WALK + " } } }"
)
RARE = (
    "query ($id: ID!) { asset(id: $id) { ancestors(assetKinds: [INSTRUMENT]) { complete assets { asset { id } } } } }"
)
PATH = "query ($from: ID!, $to: ID!) { lineagePath(from: $from, to: $to) { length steps { kind edge { id } } } }"
EXPLAINED = (
    "blockers { clause owner { handle } asset { id title } path { kind parent { id } } }"
    " askAtLeast { owner { handle } assets { id } } clearBy { step { kind parent { id } } reRecordable }"
)
RIGHTS = (
    "query ($id: ID!, $uses: [Use!]) { asset(id: $id) { rights(uses: $uses) { use layer decision " + EXPLAINED + "} } }"
)
BATCH = "query ($ids: [ID!]!) { permissionCheck(ids: $ids, uses: [REMIX]) { id decision } }"

Run = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is measured.

    Attributes:
        name: what it is.
        target: milliseconds, of the 95th percentile; None where there is none.
        subjects: what it is asked about.
        ours: the product's answer to a subject; None where the statement is all there is.
        twin: the statement's answer.
        same: whether two answers agree, as far as they can be compared.
    """

    name: str
    target: float | None
    subjects: Sequence[Any]
    ours: Run | None
    twin: Run
    same: Callable[[Any, Any], bool]


class Refused(Exception):
    """The product did not answer."""


class Asker:
    """Asks one database in both ways."""

    def __init__(self, database: Database) -> None:
        """Ask anonymously."""
        self._database = database
        self._reader = Reader(executable(), database)
        self._twins = twins()

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data of an operation.

        Raises:
            Refused: it took too long.
        """
        try:
            answer = orjson.loads((await self._reader.answer(document, None, variables, ANONYMOUS)).body)
        except TooCostly as error:
            raise Refused from error
        if "errors" in answer:
            raise RuntimeError(answer["errors"])
        return answer["data"]

    async def by_hand(self, name: str, *values: Any) -> Any:
        """What a statement answers."""
        try:
            return orjson.loads(await self._database.fetch(self._twins[name], values, keep=True))
        except TooCostly as error:
            raise Refused from error

    async def closure(self, way: str, id_: str) -> list[Any]:
        """All pages of a walk."""
        found: list[Any] = []
        after, complete = None, False
        while not complete:
            walk = (await self.ask(CLOSURE % way, id=id_, after=after))["asset"]["walk"]
            found += [[step["asset"] and step["asset"]["id"], step["distance"]] for step in walk["assets"]]
            after, complete = walk["endCursor"], walk["complete"]
        return found

    async def flips(self, id_: UUID) -> int:
        """How many verdicts flip if the owner of an asset closes it, as `simulatePolicy` finds them."""
        acting = Acting(self._database, ANONYMOUS, now, uuid7)
        closed = stated(None, PolicyPreset.ALL_RIGHTS_RESERVED, ())
        return (await foreseen_policy(acting, Ref(Kind.TRACK, id_), closed)).count

    async def cycle(self, child: UUID, parent: UUID) -> list[UUID]:
        """Whether an edge would close a cycle, as its writer asks under the lock."""
        async with self._database.read() as connection:
            return await way_up(connection, [parent], child)


def alike(ours: list[Any], theirs: list[Any]) -> bool:
    """The same, in any order."""
    return sorted(map(str, ours)) == sorted(map(str, theirs))


def equal(ours: Any, theirs: Any) -> bool:
    """The same."""
    return bool(ours == theirs)


def any_(_: Any, __: Any) -> bool:
    """What the statement answers is too little to be compared."""
    return True


class Cases:
    """What is measured on a graph."""

    def __init__(self, asker: Asker, about: Drawn) -> None:
        """Ask about these."""
        self._asker, self._about = asker, about

    def everywhere(self) -> list[Case]:
        """What is measured on every graph."""
        about = self._about
        return [
            Case("shortest path", 10, about.paths, self._path, self._path_by_hand, equal),
            Case("no path", None, about.strangers, self._path, self._path_by_hand, equal),
            Case("cycle check", 5, about.strangers, self._cycle, self._cycle_by_hand, any_),
        ]

    def of_music(self) -> list[Case]:
        """Closures and rights."""
        about, asker = self._about, self._asker
        by_hand = self._verdicts_by_hand
        return [
            *[
                Case(name, 20, refs, partial(asker.closure, way), partial(self._by_hand, way), alike)
                for name, refs, way in (
                    ("closure downwards", about.parents, "descendants"),
                    ("closure upwards", about.children, "ancestors"),
                    ("closure of the hub: 2,591", about.hub, "descendants"),
                )
            ],
            Case("verdict over 50, one use", 10, about.fifties, partial(self._rights, uses=["REMIX"]), by_hand, any_),
            Case("verdict over 50, all uses", None, about.fifties, self._rights, by_hand, any_),
            Case("500 verdicts", 150, about.batches, partial(self._batch, BATCH), by_hand, any_),
            Case("flips of the hub", 100, about.hub, self._flips, partial(self._by_hand, "reach"), any_),
        ]

    def of_scale(self) -> list[Case]:
        """Walks over very much."""
        return [
            Case(
                "closure of 40,000",
                250,
                self._about.deep,
                self._rare,
                partial(self._by_hand, "instruments"),
                alike,
            )
        ]

    def _by_hand(self, name: str, *refs: str) -> Awaitable[Any]:
        return self._asker.by_hand(name, *[self._about.ids[ref] for ref in refs])

    async def _path(self, ends: Ends) -> int:
        found = (await self._asker.ask(PATH, **dict(zip(("from", "to"), ends, strict=True))))["lineagePath"]
        return found[0]["length"] if found else 0

    async def _path_by_hand(self, ends: Ends) -> int:
        return len(await self._by_hand("path", *ends) or ())

    def _cycle(self, ends: Ends) -> Awaitable[Any]:
        return self._asker.cycle(*[self._about.ids[ref] for ref in ends])

    def _cycle_by_hand(self, ends: Ends) -> Awaitable[Any]:
        return self._by_hand("cycle", *ends)

    async def _rights(self, ref: str, uses: Sequence[str] | None = None) -> Any:
        return (await self._asker.ask(RIGHTS, id=ref, uses=uses))["asset"]["rights"]

    async def _verdicts_by_hand(self, refs: str | Sequence[str]) -> Any:
        asked = [refs] if isinstance(refs, str) else refs
        return await self._asker.by_hand("verdict", [self._about.ids[ref] for ref in asked], "REMIX")

    async def _batch(self, document: str, refs: Sequence[str]) -> Any:
        return (await self._asker.ask(document, ids=refs))["permissionCheck"]

    def _flips(self, ref: str) -> Awaitable[Any]:
        return self._asker.flips(self._about.ids[ref])

    async def _rare(self, ref: str) -> Any:
        walk = (await self._asker.ask(RARE, id=ref))["asset"]["ancestors"]
        if not walk["complete"]:
            raise RuntimeError("a closure of 40,000 is not complete")
        return [step["asset"]["id"] for step in walk["assets"]]


async def measured(case: Case) -> tuple[list[float], list[float]]:
    """Milliseconds of ours and of the statement, in turns, after one that only warms up and compares."""
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(ROUNDS + 1):
        for subject in case.subjects[: None if turn else WARM]:
            answers = []
            for run, took in ((case.ours, ours), (case.twin, theirs)):
                if run is not None:
                    began = time.perf_counter()
                    lasted = REFUSED
                    with suppress(Refused):
                        answers.append(await run(subject))
                        lasted = (time.perf_counter() - began) * 1e3
                    if turn:
                        took.append(lasted)
            if not turn and len(answers) == 2 and not case.same(*answers):
                raise RuntimeError(f"{case.name}: {subject} is answered as {answers[0]} and as {answers[1]}"[:2000])
    return ours, theirs


def main(data: Path) -> None:
    """Store the graphs unless they are there, and measure."""
    console = Console()
    with cluster(data) as server:
        names = asyncio.run(store(server, console))
        uvloop.run(_measure(server, names, console))


async def _measure(server: EmbeddedPostgres, names: Sequence[str], console: Console) -> None:
    for name in names:
        database = Database(server.dsn(user="casset_owner", database=name))
        about = await drawn(server, name)
        await database.open()
        # As the server does.
        keep_what_is_made()
        await _keep_lineage(database, name, console)
        table = Table("", "asked", "p50 ms", "p95 ms", "worst", "by hand p50", "p95", "wanted", "", title=name)
        before = os.getloadavg()
        try:
            made = Cases(Asker(database), about)
            for case in made.everywhere() + (made.of_music() if name == "music" else made.of_scale()):
                table.add_row(*_row(case, *await measured(case)))
        finally:
            await database.close()
        console.print(table)
        loads = " → ".join(" ".join(f"{load:.2f}" for load in each) for each in (before, os.getloadavg()))
        console.print(f"load average {loads}")


async def _keep_lineage(database: Database, name: str, console: Console) -> None:
    """Have lineage in memory, as it is after the first long walk."""
    resident = Process().memory_info
    began, before = time.perf_counter(), resident().rss
    index = index_of(database)
    index.wanted(database)
    await index.ready()
    took, grown = time.perf_counter() - began, (resident().rss - before) / 2**20
    console.print(f"Lineage of {name} is in memory after {took:.1f} s, in {grown:.0f} MiB.")


def _row(case: Case, ours: Sequence[float], theirs: Sequence[float]) -> list[str]:
    judged = _p95(ours or theirs)
    told = [_told(figure) for figure in (median(ours), _p95(ours), max(ours))] if ours else ["–"] * 3
    met = "" if case.target is None else "met" if judged < case.target else "[bold]missed[/bold]"
    wanted = "–" if case.target is None else f"< {case.target:g}"
    return [case.name, str(len(case.subjects)), *told, _told(median(theirs)), _told(_p95(theirs)), wanted, met]


def _told(milliseconds: float) -> str:
    return "refused" if milliseconds == REFUSED else f"{milliseconds:,.1f}"


def _p95(took: Sequence[float]) -> float:
    return sorted(took)[len(took) * 95 // 100]


if __name__ == "__main__":
    main(Path(".casset-bench-lineage"))
