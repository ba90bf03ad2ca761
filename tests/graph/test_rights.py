"""May I use this for X? Asked over GraphQL, answered over everything an asset is made of, for the asker's eyes."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, insert, text

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.rights import preset, read_license
from graph.reading import Execution, Reader
from graph.schema import executable

ADA, BEN, CLEO = (UUID(int=number) for number in (1, 2, 3))
HANDLES = {ADA: "ada", BEN: "ben", CLEO: "cleo"}
# The remix of Ada's is made of Ben's song, which samples Cleo's loop and her secret one.
REMIX, SONG, LOOP, SECRET, PAD = (UUID(int=number) for number in (11, 12, 13, 14, 15))
KINDS = {REMIX: "TRACK", SONG: "TRACK", LOOP: "SAMPLE", SECRET: "SAMPLE", PAD: "SAMPLE"}
OWNERS = {REMIX: ADA, SONG: BEN, LOOP: CLEO, SECRET: CLEO, PAD: BEN}
OF_REMIX, OF_LOOP, OF_SECRET = (UUID(int=number) for number in (21, 22, 23))

Ask = Callable[..., Coroutine[Any, Any, Any]]


def ref(id_: UUID) -> str:
    return str(Ref(Kind(KINDS[id_].lower()), id_))


def state(connection: Connection, subject: UUID, license_: str, number: int) -> None:
    """Let the owner of an asset put it under a license."""
    read = read_license(license_)
    terms, policy = UUID(int=100 + number), UUID(int=200 + number)
    connection.execute(insert(tables.term_set).values(id=terms, digest=f"{license_} {number}"))
    for position, term in enumerate(preset(read)):
        values = {
            **term._asdict(),
            "id": UUID(int=1000 * number + position),
            "term_set_id": terms,
            "position": position,
        }
        connection.execute(insert(tables.term).values(values))
    connection.execute(
        text(
            "INSERT INTO policy (id, level, subject_id, term_set_id, license_family, license, valid, known) VALUES "
            "(:id, 'ASSET', :subject, :terms, :family, :license, tstzrange('2026-01-01Z', NULL),"
            " tstzrange('2026-01-01Z', NULL))"
        ),
        {
            "id": policy,
            "subject": subject,
            "terms": terms,
            "family": read.family.value,
            "license": read.id,
        },
    )


def bind(connection: Connection, id_: UUID, child: UUID, parent: UUID, kind: str, window: tuple[Any, Any]) -> None:
    connection.execute(
        text(
            "INSERT INTO lineage_edge (id, child_id, parent_id, kind, child_start_ms, child_end_ms, status, registration,"
            " binding, child_is_older, evidence_source, valid, known) VALUES (:id, :child, :parent, :kind, :start, :end,"
            " 'CONFIRMED', 'REGISTERED', true, false, 'CHILD_OWNER', tstzrange('2026-01-01Z', NULL),"
            " tstzrange('2026-01-01Z', NULL))"
        ),
        {"id": id_, "child": child, "parent": parent, "kind": kind, "start": window[0], "end": window[1]},
    )


@pytest.fixture
async def made(database: Database) -> Database:
    """The remix and what it is made of: Ben's song and Cleo's loop are open but for money, her secret is closed."""

    def furnish(connection: Connection) -> None:
        for id_, handle in HANDLES.items():
            connection.execute(
                insert(tables.artist).values(id=id_, handle=handle, name=handle, kind="CREATOR", claimed=True)
            )
        for id_, kind in KINDS.items():
            shown = "PRIVATE" if id_ == SECRET else "PUBLIC"
            connection.execute(
                insert(tables.asset).values(
                    id=id_, kind=kind, owner_id=OWNERS[id_], title=f"{kind} {id_.int}", state=shown
                )
            )
            if kind == "TRACK":
                connection.execute(insert(tables.track).values(id=id_, duration_ms=120_000))
            else:
                connection.execute(insert(tables.sample).values(id=id_, subkind="LOOP", duration_ms=10_000))
        bind(connection, OF_REMIX, REMIX, SONG, "REMIX_OF", (None, None))
        bind(connection, OF_LOOP, SONG, LOOP, "SAMPLES", (0, 40_000))
        bind(connection, OF_SECRET, SONG, SECRET, "SAMPLES", (0, 10_000))
        state(connection, REMIX, "CC-BY-4.0", 1)
        state(connection, SONG, "CC-BY-4.0", 2)
        state(connection, LOOP, "CC-BY-NC-4.0", 3)
        state(connection, SECRET, "LicenseRef-all-rights-reserved", 4)
        state(connection, PAD, "CC-BY-SA-4.0", 5)

    async with database.write() as connection:
        await connection.run_sync(furnish)
    return database


@pytest.fixture(params=Execution)
def ask(made: Database, request: pytest.FixtureRequest) -> Ask:
    reader = Reader(executable(), made, request.param)

    async def asked(query: str, viewer: Viewer = ANONYMOUS, **variables: Any) -> Any:
        answer = json.loads((await reader.answer(query, None, variables, viewer)).body)
        assert "errors" not in answer, answer
        return answer["data"]

    return asked


VERDICTS = """
query($id: ID!, $uses: [Use!], $asOf: DateTime, $window: WindowInput) { asset(id: $id) { rights(uses: $uses, asOf: $asOf, window: $window) {
  use layer decision reasons route { kind } clearByReason
  blockers { layer decision reason clause asset { id } owner { handle } policy { license } path { kind edge { id } parent { id } } }
  askAtLeast { owner { handle } assets { id } } clearBy { reRecordable step { kind edge { id } } } conflicts { licenses }
} } }"""


async def master(ask: Ask, use: str, viewer: Viewer = ANONYMOUS, **more: Any) -> Any:
    data = await ask(VERDICTS, viewer, id=ref(REMIX), uses=[use], **more)
    return next(verdict for verdict in data["asset"]["rights"] if verdict["layer"] == "MASTER")


async def test_q1_every_blocker_is_named_with_its_owner_clause_policy_and_path(ask: Ask) -> None:
    verdict = await master(ask, "COMMERCIAL_USE")
    assert verdict["decision"] == "LICENSE_REQUIRED"
    loop = next(blocker for blocker in verdict["blockers"] if blocker["asset"])
    assert loop == {
        "layer": "MASTER",
        "decision": "LICENSE_REQUIRED",
        "reason": "ASSET",
        "clause": "CC-BY-NC-4.0: commercial use needs a license.",
        "asset": {"id": ref(LOOP)},
        "owner": {"handle": "cleo"},
        "policy": {"license": "CC-BY-NC-4.0"},
        "path": [
            {"kind": "REMIX_OF", "edge": {"id": str(Ref(Kind.EDGE, OF_REMIX))}, "parent": {"id": ref(SONG)}},
            {"kind": "SAMPLES", "edge": {"id": str(Ref(Kind.EDGE, OF_LOOP))}, "parent": {"id": ref(LOOP)}},
        ],
    }


async def test_what_the_asker_may_not_see_counts_and_is_not_named(ask: Ask) -> None:
    verdict = await master(ask, "REMIX")
    assert verdict["decision"] == "CONTACT_OWNER"
    hidden = [blocker for blocker in verdict["blockers"] if blocker["asset"] is None]
    assert hidden == [
        {
            "layer": "MASTER",
            "decision": "CONTACT_OWNER",
            "reason": "ASSET",
            "clause": None,
            "asset": None,
            "owner": None,
            "policy": None,
            "path": [],
        }
    ]
    assert verdict["askAtLeast"] == [{"owner": None, "assets": []}]


async def test_its_owner_is_told_the_name_and_the_decision_is_the_same(ask: Ask) -> None:
    mine = await master(ask, "REMIX", Viewer(account=UUID(int=99), holds=(CLEO,)))
    theirs = await master(ask, "REMIX")
    assert mine["decision"] == theirs["decision"]
    assert [blocker["asset"] for blocker in mine["blockers"]] == [{"id": ref(SECRET)}]
    assert mine["askAtLeast"] == [{"owner": {"handle": "cleo"}, "assets": [{"id": ref(SECRET)}]}]


async def test_q3_the_fewest_owners_to_ask(ask: Ask) -> None:
    verdict = await master(ask, "COMMERCIAL_USE", Viewer(account=UUID(int=99), holds=(CLEO,)))
    (asking,) = verdict["askAtLeast"]
    assert asking["owner"] == {"handle": "cleo"}
    assert {asset["id"] for asset in asking["assets"]} == {ref(LOOP), ref(SECRET)}


async def test_q4_the_step_to_drop(ask: Ask) -> None:
    verdict = await master(ask, "COMMERCIAL_USE")
    assert [(step["step"]["kind"], step["reRecordable"]) for step in verdict["clearBy"]] == [("REMIX_OF", False)]


async def test_q7_what_was_allowed_then(ask: Ask, made: Database) -> None:
    before = await master(ask, "COMMERCIAL_USE")
    moment = datetime.now(UTC).isoformat()
    async with made.write() as connection:
        await connection.execute(
            text("UPDATE lineage_edge SET known = tstzrange(lower(known), now()) WHERE id = :id"), {"id": OF_REMIX}
        )
    assert (await master(ask, "COMMERCIAL_USE"))["decision"] == "ALLOWED"
    then = await master(ask, "COMMERCIAL_USE", asOf=moment)
    assert then["decision"] == before["decision"] == "LICENSE_REQUIRED"


async def test_q10_a_window_may_be_clear_although_the_track_is_not(ask: Ask) -> None:
    query = (
        "query($id: ID!) { asset(id: $id) { clearWindows(uses: [COMMERCIAL_USE], lengthMs: 30000) { startMs endMs } } }"
    )
    assert (await ask(query, id=ref(SONG)))["asset"]["clearWindows"] == [{"startMs": 40_000, "endMs": 120_000}]
    late = await ask(VERDICTS, id=ref(SONG), uses=["COMMERCIAL_USE"], window={"startMs": 60_000, "endMs": 90_000})
    assert {verdict["decision"] for verdict in late["asset"]["rights"]} == {"ALLOWED"}


async def test_q14_many_assets_are_answered_in_order_and_what_is_not_there_without_verdicts(ask: Ask) -> None:
    query = "query($ids: [ID!]!) { permissionCheck(ids: $ids, uses: [COMMERCIAL_USE]) { id decision asset { id } } }"
    unknown = str(Ref(Kind.TRACK, UUID(int=77)))
    ids = [ref(PAD), unknown, ref(REMIX), ref(SECRET)]
    answers = (await ask(query, ids=ids))["permissionCheck"]
    assert [answer["id"] for answer in answers] == ids
    assert [answer["decision"] for answer in answers] == ["ALLOWED", None, "LICENSE_REQUIRED", None]
    assert [answer["asset"] for answer in answers] == [{"id": ref(PAD)}, None, {"id": ref(REMIX)}, None]


async def test_q18_whom_to_name(ask: Ask) -> None:
    query = "query($id: ID!) { asset(id: $id) { attribution { asset { id } author { handle } license distance } } }"
    named = (await ask(query, id=ref(REMIX)))["asset"]["attribution"]
    assert [(credit["author"]["handle"], credit["license"], credit["distance"]) for credit in named] == [
        ("ada", "CC-BY-4.0", 0),
        ("ben", "CC-BY-4.0", 1),
        ("cleo", "CC-BY-NC-4.0", 2),
    ]


async def test_q20_what_could_be_done_with_two_things_together(ask: Ask) -> None:
    query = (
        "query($parents: [ID!]!) { hypotheticalRights(parents: $parents, kind: SAMPLES, uses: [COMMERCIAL_USE]) "
        "{ layer decision blockers { asset { id } } } }"
    )
    decided = (await ask(query, parents=[ref(LOOP), ref(PAD)]))["hypotheticalRights"]
    assert {verdict["decision"] for verdict in decided} == {"LICENSE_REQUIRED"}
    assert decided[0]["blockers"] == [{"asset": {"id": ref(LOOP)}}]
    assert (await ask(query, parents=[ref(LOOP), ref(SECRET)]))["hypotheticalRights"] is None


WALK = """
query($id: ID!, $first: Int, $after: String, $kinds: [StepKind!], $depth: Int) { asset(id: $id) {
  ancestors(first: $first, after: $after, kinds: $kinds, depth: $depth) { complete reason endCursor assets { distance asset { id } through { kind } } } } }"""


async def test_q8_a_walk_is_complete_and_keeps_the_count_of_what_is_hidden(ask: Ask) -> None:
    walk = (await ask(WALK, id=ref(REMIX)))["asset"]["ancestors"]
    assert (walk["complete"], walk["reason"]) == (True, None)
    assert [(found["distance"], found["asset"]) for found in walk["assets"]] == [
        (1, {"id": ref(SONG)}),
        (2, {"id": ref(LOOP)}),
        (2, None),
    ]


async def test_q8_how_two_things_are_related_and_what_they_have_in_common(ask: Ask) -> None:
    query = "query($a: ID!, $b: ID!, $k: Int) { lineagePath(from: $a, to: $b, k: $k) { length steps { kind parent { id } } } }"
    up = (await ask(query, a=ref(REMIX), b=ref(LOOP), k=3))["lineagePath"]
    assert up == [
        {
            "length": 2,
            "steps": [
                {"kind": "REMIX_OF", "parent": {"id": ref(SONG)}},
                {"kind": "SAMPLES", "parent": {"id": ref(LOOP)}},
            ],
        }
    ]
    assert (await ask(query, a=ref(LOOP), b=ref(REMIX), k=3))["lineagePath"] == up
    assert (await ask(query, a=ref(PAD), b=ref(REMIX), k=1))["lineagePath"] == []
    shared = "query($ids: [ID!]!) { commonAncestors(ids: $ids) { asset { id } distances } }"
    assert (await ask(shared, ids=[ref(REMIX), ref(SONG)]))["commonAncestors"] == [
        {"asset": {"id": ref(SONG)}, "distances": [1, 0]},
        {"asset": {"id": ref(LOOP)}, "distances": [2, 1]},
        {"asset": None, "distances": [2, 1]},
    ]
    assert (await ask(shared, ids=[ref(SECRET), ref(SONG)]))["commonAncestors"] == []
    assert (await ask(query, a=ref(SECRET), b=ref(REMIX), k=1))["lineagePath"] == []
    roots = "query($id: ID!) { lineageRoots(id: $id) { id } }"
    assert (await ask(roots, id=ref(REMIX)))["lineageRoots"] == [{"id": ref(LOOP)}, None]
    assert (await ask(roots, id=ref(PAD)))["lineageRoots"] == [{"id": ref(PAD)}]
    unknown = str(Ref(Kind.TRACK, UUID(int=77)))
    assert (await ask(roots, id=ref(SECRET))) == (await ask(roots, id=unknown)) == {"lineageRoots": []}


async def test_a_walk_goes_on_where_it_stopped(ask: Ask) -> None:
    whole = (await ask(WALK, id=ref(REMIX)))["asset"]["ancestors"]["assets"]
    found, after = [], None
    for _ in range(3):
        page = (await ask(WALK, id=ref(REMIX), first=1, after=after))["asset"]["ancestors"]
        found += page["assets"]
        after = page["endCursor"]
    assert found == whole
    assert page["complete"]


async def test_a_walk_says_why_it_is_not_complete(ask: Ask) -> None:
    near = (await ask(WALK, id=ref(REMIX), depth=1))["asset"]["ancestors"]
    assert (near["complete"], near["reason"], len(near["assets"])) == (False, "DEPTH", 1)
    page = (await ask(WALK, id=ref(REMIX), first=2))["asset"]["ancestors"]
    assert (page["complete"], page["reason"]) == (False, "PAGE")
    only = (await ask(WALK, id=ref(REMIX), kinds=["SAMPLES"]))["asset"]["ancestors"]
    assert (only["complete"], only["assets"]) == (True, [])


@pytest.mark.parametrize(
    "query",
    [
        '{ asset(id: "%s") { rights(territory: "Germany") { use } } }',
        '{ asset(id: "%s") { rights(window: {startMs: 9, endMs: 3}) { use } } }',
        '{ asset(id: "%s") { ancestors(first: 1001) { complete } } }',
        '{ asset(id: "%s") { ancestors(depth: 0) { complete } } }',
        '{ asset(id: "%s") { ancestors(after: "no cursor") { complete } } }',
        '{ asset(id: "%s") { clearWindows(lengthMs: 0) { startMs } } }',
        '{ permissionCheck(ids: ["artist_00000000000000000000000001"]) { id } } # %s',
        "{ hypotheticalRights(parents: []) { use } } # %s",
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_before_anything_is_read(
    made: Database, statements: list[str], query: str
) -> None:
    reader = Reader(executable(), made)
    statements.clear()
    answer = await reader.answer(query % ref(REMIX), None, None, ANONYMOUS)
    assert answer.refused
    assert json.loads(answer.body)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert statements == []


async def test_501_ids_are_refused(made: Database) -> None:
    answer = await Reader(executable(), made).answer(
        "query($ids: [ID!]!) { permissionCheck(ids: $ids) { id } }", None, {"ids": [ref(REMIX)] * 501}, ANONYMOUS
    )
    assert json.loads(answer.body)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_rights_take_one_more_statement_however_many_assets_they_are_asked_of(
    made: Database, statements: list[str]
) -> None:
    reader = Reader(executable(), made)
    query = "query($n: Int) { assets(first: $n) { nodes { title rights(uses: [REMIX]) { decision } } } }"
    counts = []
    for size in (1, 4, 4):
        statements.clear()
        await reader.answer(query, None, {"n": size}, ANONYMOUS)
        counts.append(
            len([sql for sql in statements if sql.lstrip().startswith(("SELECT convert_to", "WITH RECURSIVE"))])
        )
    assert counts == [3, 2, 2]  # the sets of terms are read once, and kept


async def test_many_questions_about_many_assets_are_too_much_at_once(made: Database) -> None:
    asked = " ".join(f"a{number}: permissionCheck(ids: $ids) {{ decision }}" for number in range(10))
    answer = await Reader(executable(), made).answer(
        f"query($ids: [ID!]!) {{ {asked} }}", None, {"ids": [ref(REMIX)] * 500}, ANONYMOUS
    )
    assert json.loads(answer.body)["errors"][0]["extensions"]["code"] == "TOO_COSTLY"
