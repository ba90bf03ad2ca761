"""Declaring how something is made: what binds at once, what waits, what is refused, and what is left behind."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.errors import Unavailable
from domain.ids import Kind, Ref
from domain.rights import Decision, LicenseFamily, Term, Use, terms_digest
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.company import ADA, ADAS, BO, BOS, add_asset, add_owners, ask, left_behind
from tests.graph.readers import reader_of

TRACKS = {ADA: [UUID(int=100 + n) for n in range(8)], BO: [UUID(int=200 + n) for n in range(8)]}
HIDDEN = UUID(int=299)
LEFT_BEHIND = (tables.lineage_edge, tables.provenance_event, tables.change, tables.outbox)

EDGE = "id status registration binding childIsOlder child { id } parent { id } evidence { source method }"
ERROR = "... on UserError { code message path }"
DECLARE = f"""mutation ($input: DeclareEdgeInput!) {{ declareEdge(input: $input) {{
  __typename {ERROR} ... on LineageCycleError {{ cycle {{ id }} }} ... on DeclareEdgeSuccess {{ edge {{ {EDGE} }} }} }} }}"""
ANSWERED = f"... on AnswerEdgeSuccess {{ edge {{ {EDGE} }} }}"
RETRACTED = "... on RetractEdgeSuccess { child { id } }"


def ref(id_: UUID) -> str:
    return str(Ref(Kind.TRACK, id_))


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        await add_owners(connection)
        for owner, tracks in TRACKS.items():
            for track in tracks:
                await add_asset(connection, track, owner, duration_ms=60_000)
        await add_asset(connection, HIDDEN, BO, "PRIVATE")
    return reader_of(database)


async def allow(database: Database, asset: UUID, decision: Decision) -> None:
    """State what the owner of an asset says about registering derivatives."""
    terms = (Term(Use.DERIVATIVE_REGISTRATION, None, decision),)
    async with database.write() as connection:
        set_id, policy = UUID(int=random.getrandbits(120)), UUID(int=random.getrandbits(120))  # ids of rows
        await connection.execute(insert(tables.term_set).values(id=set_id, digest=terms_digest(terms) + str(set_id)))
        await connection.execute(
            insert(tables.term).values(
                id=UUID(int=random.getrandbits(120)),  # the id of a row
                term_set_id=set_id,
                position=1,
                use=terms[0].use,
                decision=decision.value,
            )
        )
        row = {"id": policy, "level": "ASSET", "subject_id": asset, "term_set_id": set_id}
        await connection.execute(insert(tables.policy).values(**row, license_family=LicenseFamily.CUSTOM.value))


async def declare(
    reader: Reader, viewer: Viewer, child: UUID, parent: UUID, kind: str = "SAMPLES", **given: Any
) -> dict[str, Any]:
    variables = {"input": {"child": ref(child), "parent": ref(parent), "kind": kind, **given}}
    return dict(await ask(reader, viewer, DECLARE, **variables))


async def answer_edge(reader: Reader, viewer: Viewer, name: str, edge: str, **given: Any) -> dict[str, Any]:
    variables = {"input": {"id": edge, **given}}
    success = RETRACTED if name == "retractEdge" else ANSWERED
    document = f"mutation ($input: AnswerEdgeInput!) {{ {name}(input: $input) {{ __typename {ERROR} {success} }} }}"
    return dict(await ask(reader, viewer, document, **variables))


def standing(answer: dict[str, Any]) -> Sequence[Any]:
    edge = answer["edge"]
    return edge["status"], edge["registration"], edge["binding"]


async def test_within_one_owner_an_edge_is_confirmed_and_leaves_its_traces(reader: Reader, database: Database) -> None:
    answer = await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[ADA][1], method="I made both")
    assert standing(answer) == ("CONFIRMED", "REGISTERED", True)
    assert answer["edge"]["evidence"] == {"source": "CHILD_OWNER", "method": "I made both"}
    # Two lines of the log: what was done, and which row of lineage was written.
    assert await left_behind(database, LEFT_BEHIND) == [1, 1, 2, 1]


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (Decision.ALLOWED, ("CONFIRMED", "REGISTERED", True)),
        (Decision.LICENSE_REQUIRED, ("CLAIMED", "PENDING", True)),
        (Decision.CONTACT_OWNER, ("CLAIMED", "PENDING", True)),
        (None, ("CLAIMED", "PENDING", True)),
        (Decision.DENIED, ("CLAIMED", "REFUSED", True)),
    ],
)
async def test_the_parents_permission_decides_the_registration_and_never_whether_it_binds(
    reader: Reader, database: Database, decision: Decision | None, expected: Sequence[Any]
) -> None:
    if decision is not None:
        await allow(database, TRACKS[BO][0], decision)
    assert standing(await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[BO][0])) == expected


async def test_what_the_parents_side_says_binds_once_the_childs_side_confirms(reader: Reader) -> None:
    claimed = await declare(reader, BOS, TRACKS[ADA][0], TRACKS[BO][0])
    assert standing(claimed) == ("CLAIMED", "PENDING", False)
    edge = claimed["edge"]["id"]
    assert (await answer_edge(reader, BOS, "confirmEdge", edge))["code"] == "FORBIDDEN"
    confirmed = await answer_edge(reader, ADAS, "confirmEdge", edge)
    assert standing(confirmed) == ("CONFIRMED", "REGISTERED", True)
    assert confirmed["edge"]["id"] != edge
    assert (await answer_edge(reader, ADAS, "confirmEdge", edge))["code"] == "CONFLICT", "it has changed since"


async def test_not_mine_stops_binding_and_a_dispute_binds(reader: Reader) -> None:
    edge = (await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[BO][0]))["edge"]["id"]
    rejected = await answer_edge(reader, BOS, "rejectEdge", edge)
    assert standing(rejected) == ("REJECTED", "REFUSED", False)
    disputed = await answer_edge(reader, ADAS, "disputeEdge", rejected["edge"]["id"])
    assert (disputed["edge"]["status"], disputed["edge"]["binding"]) == ("DISPUTED", True)
    assert (await answer_edge(reader, ADAS, "retractEdge", disputed["edge"]["id"]))["code"] == "CONFLICT"


async def test_an_edge_is_taken_back_only_before_it_is_answered(reader: Reader, database: Database) -> None:
    edge = (await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[BO][0]))["edge"]["id"]
    assert (await answer_edge(reader, BOS, "retractEdge", edge))["code"] == "FORBIDDEN"
    assert (await answer_edge(reader, ADAS, "retractEdge", edge))["child"] == {"id": ref(TRACKS[ADA][0])}
    assert (await answer_edge(reader, ADAS, "retractEdge", edge))["code"] == "CONFLICT"
    async with database.read() as connection:
        known = (await connection.execute(text("SELECT upper_inf(known), upper_inf(valid) FROM lineage_edge"))).all()
    assert sorted(map(tuple, known)) == [(False, True), (True, False)], "closed, and known to have held"


async def test_a_cycle_is_refused_and_named_as_far_as_the_viewer_sees_it(reader: Reader, database: Database) -> None:
    one, other, third = TRACKS[ADA][0], TRACKS[BO][0], TRACKS[ADA][1]
    await declare(reader, ADAS, one, other)
    await declare(reader, BOS, other, HIDDEN)
    await declare(reader, BOS, HIDDEN, TRACKS[BO][1])
    await declare(reader, BOS, TRACKS[BO][1], third)
    before = await left_behind(database, LEFT_BEHIND)
    told = await declare(reader, ADAS, third, one)
    assert told["code"] == "LINEAGE_CYCLE"
    named = [third, one, other, None, TRACKS[BO][1], third]
    assert told["cycle"] == [id_ and {"id": ref(id_)} for id_ in named]
    assert ref(HIDDEN) not in json.dumps(told)
    assert (await declare(reader, ADAS, one, one))["code"] == "VALIDATION"
    assert await left_behind(database, LEFT_BEHIND) == before


async def test_both_executions_answer_alike(reader: Reader, database: Database) -> None:
    reference = reader_of(database, Execution.REFERENCE)
    await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[ADA][1])
    plan = await declare(reader, ADAS, TRACKS[ADA][1], TRACKS[ADA][0])
    assert plan == await declare(reference, ADAS, TRACKS[ADA][1], TRACKS[ADA][0])
    edge = (await declare(reference, ADAS, TRACKS[ADA][0], TRACKS[BO][1]))["edge"]["id"]
    assert standing(await answer_edge(reference, BOS, "confirmEdge", edge)) == ("CONFIRMED", "REGISTERED", True)


@pytest.mark.parametrize(
    ("viewer", "child", "parent", "given", "code"),
    [
        (ANONYMOUS, TRACKS[ADA][0], TRACKS[BO][0], {}, "UNAUTHENTICATED"),
        (ADAS, TRACKS[ADA][0], UUID(int=999), {}, "NOT_FOUND"),
        (ADAS, TRACKS[ADA][0], HIDDEN, {}, "NOT_FOUND"),
        (ADAS, TRACKS[BO][0], TRACKS[BO][1], {}, "NOT_FOUND"),
        (ADAS, TRACKS[ADA][0], TRACKS[BO][0], {"childWindow": {"startMs": 60_000}}, "VALIDATION"),
    ],
)
async def test_a_refusal_is_typed_and_writes_nothing(
    reader: Reader, database: Database, viewer: Viewer, child: UUID, parent: UUID, given: dict[str, Any], code: str
) -> None:
    answer = await declare(reader, viewer, child, parent, **given)
    assert answer["code"] == code
    assert await left_behind(database, LEFT_BEHIND) == [0, 0, 0, 0]


async def test_the_same_edge_stands_once_and_a_key_makes_it_happen_once(reader: Reader, database: Database) -> None:
    first = await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[BO][0], idempotencyKey="k")
    assert await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[BO][0], idempotencyKey="k") == first
    again = await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[BO][0])
    assert again["code"] == "CONFLICT"
    window = {"startMs": 1000, "endMs": 2000}
    assert "edge" in await declare(reader, ADAS, TRACKS[ADA][0], TRACKS[BO][0], childWindow=window)
    assert (await left_behind(database, LEFT_BEHIND))[0] == 2


async def declare_or_wait(reader: Reader, viewer: Viewer, child: UUID, parent: UUID) -> None:
    with suppress(Unavailable):
        await declare(reader, viewer, child, parent)


async def test_writers_who_race_never_close_a_cycle(
    reader: Reader, database: Database, request: pytest.FixtureRequest
) -> None:
    """Pairs that would close a ring of two, three or four between them, all at once."""
    everything = [*TRACKS[ADA], *TRACKS[BO]]
    draw = random.Random(7)  # the test must be repeatable
    both = Viewer(ADAS.account, (ADA, BO), (ADA, BO))
    for _ in range(request.config.getoption("--pairs") // 5):
        rings = []
        for _ in range(5):
            ring = draw.sample(everything, draw.choice((2, 2, 3, 4)))
            rings += list(zip(ring, ring[1:] + ring[:1], strict=True))
        draw.shuffle(rings)
        # Who is told to come again wrote nothing; the others go on.
        await asyncio.gather(*[declare_or_wait(reader, both, child, parent) for child, parent in rings])
        async with database.read() as connection:
            edge = tables.lineage_edge
            query = select(edge.c.child_id, edge.c.parent_id).where(func.upper_inf(edge.c.known))
            rows = (await connection.execute(query)).all()
        assert is_acyclic([tuple(row) for row in rows])
        async with database.write() as connection:
            await connection.execute(
                text("UPDATE lineage_edge SET known = tstzrange(lower(known), now()) WHERE upper_inf(known)")
            )


def is_acyclic(edges: Sequence[Any]) -> bool:
    """Nodes without parents are taken away again and again; a cycle stays."""
    while edges:
        children = {child for child, _ in edges}
        rest = [(child, parent) for child, parent in edges if parent in children]
        if len(rest) == len(edges):
            return False
        edges = rest
    return True
