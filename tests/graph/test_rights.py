"""May I use this for X? Asked over GraphQL, answered over everything an asset is made of, for the asker's eyes."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Table, insert, text
from sqlalchemy.dialects.postgresql import Range

from db import tables
from db.engine import Database
from db.following import index_of
from domain.accounts import ANONYMOUS, Viewer
from domain.errors import TooCostly
from domain.ids import Kind, Ref
from domain.rights import Decision, Term, Use, preset, read_license
from graph.execution import Execution
from tests.graph.readers import reader_of

ADA, BEN, CLEO = (UUID(int=number) for number in (1, 2, 3))
CLEOS = Viewer(account=UUID(int=99), holds=(CLEO,))
HANDLES = {ADA: "ada", BEN: "ben", CLEO: "cleo"}
# The remix of Ada's is made of Ben's song, which samples Cleo's loop and her secret one.
REMIX, SONG, LOOP, SECRET, PAD = (UUID(int=number) for number in (11, 12, 13, 14, 15))
KINDS = {REMIX: "TRACK", SONG: "TRACK", LOOP: "SAMPLE", SECRET: "SAMPLE", PAD: "SAMPLE"}
OWNERS = {REMIX: ADA, SONG: BEN, LOOP: CLEO, SECRET: CLEO, PAD: BEN}
SINCE_JANUARY = Range(datetime(2026, 1, 1, tzinfo=UTC), None)
OF_REMIX, OF_LOOP, OF_SECRET = (UUID(int=number) for number in (21, 22, 23))

Ask = Callable[..., Coroutine[Any, Any, Any]]


def ref(id_: UUID) -> str:
    return str(Ref(Kind(KINDS[id_].lower()), id_))


def state(connection: Connection, subject: UUID, license_: str, number: int) -> None:
    """Let the owner of an asset put it under a license."""
    read = read_license(license_)
    state_terms(connection, subject, preset(read), number, read.family.value, read.id)


def state_terms(
    connection: Connection,
    subject: UUID,
    stated: Sequence[Term],
    number: int,
    family: str = "CUSTOM",
    license_: str | None = None,
    level: str = "ASSET",
) -> None:
    """Let the owner of an asset state terms, or an artist for all of theirs."""
    terms = UUID(int=100 + number)
    connection.execute(insert(tables.term_set).values(id=terms, digest=f"{license_} {number}"))
    for position, term in enumerate(stated):
        values = {
            **term._asdict(),
            "id": UUID(int=1000 * number + position),
            "term_set_id": terms,
            "position": position,
        }
        connection.execute(insert(tables.term).values(values))
    policy = {"id": UUID(int=200 + number), "level": level, "subject_id": subject, "term_set_id": terms}
    said = {"license_family": family, "license": license_, "valid": SINCE_JANUARY, "known": SINCE_JANUARY}
    connection.execute(insert(tables.policy).values(**policy, **said))


def bind(
    connection: Connection, id_: UUID, child: UUID, parent: UUID, kind: str, window: tuple[Any, Any], **values: Any
) -> None:
    said = {
        "child_start_ms": window[0],
        "child_end_ms": window[1],
        "status": "CONFIRMED",
        "registration": "REGISTERED",
        "binding": True,
        "child_is_older": False,
        "evidence_source": "CHILD_OWNER",
        "valid": SINCE_JANUARY,
        "known": SINCE_JANUARY,
        **values,
    }
    ends = {"child_id": child, "parent_id": parent}
    connection.execute(insert(tables.lineage_edge).values(id=id_, **ends, kind=kind, **said))


def close(connection: Connection, table: Table, *ids: UUID) -> None:
    """Let rows no longer be known."""
    known = text(f"UPDATE {table.name} SET known = tstzrange(lower(known), now()) WHERE id = :id")
    for id_ in ids:
        connection.execute(known, {"id": id_})


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
    reader = reader_of(made, request.param)

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


async def test_q2_may_i_use_it_for_x_there_on_that_day_and_what_does_it_cost(ask: Ask, made: Database) -> None:
    license_ = Term(Use.SYNC, None, Decision.LICENSE_REQUIRED, price_minor=50_000, currency="EUR")
    until_2027 = license_._replace(territories=("DE",), ends_on=date(2027, 1, 1))

    def furnish(connection: Connection) -> None:
        close(connection, tables.policy, UUID(int=204), UUID(int=205))
        state_terms(connection, PAD, [until_2027], 6)
        state_terms(connection, SECRET, [license_._replace(price_minor=700)], 7)

    async with made.write() as connection:
        await connection.run_sync(furnish)
    question = """query($ids: [ID!]!, $territory: String, $asOf: DateTime) {
      permissionCheck(ids: $ids, uses: [SYNC], territory: $territory, asOf: $asOf) { decision verdicts {
        layer decision reasons route { kind price { amountMinor currency } } blockers { clause owner { handle } } } } }"""

    async def asked(territory: str, day: str, viewer: Viewer = ANONYMOUS) -> Any:
        asking = {"ids": [ref(PAD)], "territory": territory, "asOf": f"{day}T12:00:00Z"}
        (answer,) = (await ask(question, viewer, **asking))["permissionCheck"]
        return answer["verdicts"][0]

    there = await asked("DE", "2026-12-31")
    assert (there["decision"], there["reasons"]) == ("LICENSE_REQUIRED", ["ASSET"])
    assert there["route"] == {"kind": "LICENSE", "price": {"amountMinor": 50_000, "currency": "EUR"}}
    assert there["blockers"] == [
        {"clause": "The owner's terms: setting it to moving images needs a license.", "owner": {"handle": "ben"}}
    ]
    for silent in (await asked("JP", "2026-12-31"), await asked("DE", "2027-01-01")):
        assert (silent["route"], silent["reasons"]) == ({"kind": "LICENSE", "price": None}, ["NOT_STATED"])
    async with made.write() as connection:
        await connection.run_sync(lambda raw: bind(raw, UUID(int=24), PAD, SECRET, "SAMPLES", (None, None)))
    both = await asked("DE", "2026-12-31", CLEOS)
    assert both["route"]["price"] == {"amountMinor": 50_700, "currency": "EUR"}
    # The price of what may not be seen is not told, nor what it comes to together with others.
    assert (await asked("DE", "2026-12-31"))["route"] == {"kind": "LICENSE", "price": None}


async def test_what_the_asker_may_not_see_counts_and_is_not_named(ask: Ask) -> None:
    verdict = await master(ask, "REMIX")
    assert verdict["decision"] == "CONTACT_OWNER"
    hidden = [blocker for blocker in verdict["blockers"] if blocker["asset"] is None]
    assert hidden == [
        {
            "layer": "MASTER",
            "decision": "CONTACT_OWNER",
            "reason": "HIDDEN",
            "clause": None,
            "asset": None,
            "owner": None,
            "policy": None,
            "path": [],
        }
    ]
    assert verdict["askAtLeast"] == [{"owner": None, "assets": []}]
    assert verdict["reasons"] == ["ASSET", "HIDDEN"]


async def test_its_owner_is_told_the_name_and_the_decision_is_the_same(ask: Ask) -> None:
    mine = await master(ask, "REMIX", CLEOS)
    theirs = await master(ask, "REMIX")
    assert mine["decision"] == theirs["decision"]
    assert [blocker["asset"] for blocker in mine["blockers"]] == [{"id": ref(SECRET)}]
    assert mine["askAtLeast"] == [{"owner": {"handle": "cleo"}, "assets": [{"id": ref(SECRET)}]}]


async def test_q3_the_fewest_owners_to_ask(ask: Ask) -> None:
    verdict = await master(ask, "COMMERCIAL_USE", CLEOS)
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


DRIFT = """
query($owner: ID, $first: Int, $after: String, $uses: [Use!]) {
  licenseDrift(owner: $owner, first: $first, after: $after, uses: $uses) { complete endCursor drifts {
    asset { id } declared verdict { use layer decision blockers { clause asset { id } } } } } }"""


async def test_q11_what_is_declared_wider_than_its_sources_allow_and_the_clause_that_was_lost(ask: Ask) -> None:
    drift = (await ask(DRIFT, uses=["COMMERCIAL_USE"]))["licenseDrift"]
    assert drift["complete"]
    assert {(found["asset"]["id"], found["declared"]) for found in drift["drifts"]} == {
        (ref(REMIX), "ALLOWED"),
        (ref(SONG), "ALLOWED"),
    }
    for found in drift["drifts"]:
        assert found["verdict"]["decision"] == "LICENSE_REQUIRED"
        assert {"clause": "CC-BY-NC-4.0: commercial use needs a license.", "asset": {"id": ref(LOOP)}} in (
            found["verdict"]["blockers"]
        )


async def test_drift_is_told_page_by_page_and_of_one_owner(ask: Ask) -> None:
    whole = (await ask(DRIFT))["licenseDrift"]["drifts"]
    found, after, complete = [], None, False
    while not complete:
        page = (await ask(DRIFT, first=1, after=after))["licenseDrift"]
        assert len({drift["asset"]["id"] for drift in page["drifts"]}) <= 1
        found, after, complete = found + page["drifts"], page["endCursor"] or after, page["complete"]
    assert found == whole
    assert whole
    bens = (await ask(DRIFT, owner=str(Ref(Kind.ARTIST, BEN))))["licenseDrift"]
    assert {drift["asset"]["id"] for drift in bens["drifts"]} == {ref(SONG)}
    nobodys = (await ask(DRIFT, owner=str(Ref(Kind.ARTIST, UUID(int=88)))))["licenseDrift"]
    assert nobodys == {"complete": True, "endCursor": None, "drifts": []}


async def test_who_states_nothing_has_not_drifted(ask: Ask, made: Database) -> None:
    async with made.write() as connection:
        await connection.run_sync(lambda raw: close(raw, tables.policy, UUID(int=201)))
    drift = (await ask(DRIFT))["licenseDrift"]
    assert ref(REMIX) not in {found["asset"]["id"] for found in drift["drifts"]}


async def test_q16_what_most_is_made_from_though_its_owner_has_stated_nothing(ask: Ask, made: Database) -> None:
    query = """query($filter: AssetFilter) { assets(order: MOST_DERIVED, filter: $filter) {
      nodes { id derivedCount owner { handle } } } }"""
    async with made.write() as connection:
        for id_, count in ((SONG, 1), (LOOP, 7)):
            counted = text("UPDATE asset SET derived_count = :count WHERE id = :id")
            await connection.execute(counted, {"count": count, "id": id_})
        await connection.run_sync(lambda raw: close(raw, tables.policy, UUID(int=202), UUID(int=203)))
    silent = (await ask(query, filter={"hasPolicy": False}))["assets"]["nodes"]
    assert [(asset["id"], asset["derivedCount"]) for asset in silent] == [(ref(LOOP), 7), (ref(SONG), 1)]
    stated = (await ask(query, filter={"hasPolicy": True}))["assets"]["nodes"]
    assert {asset["id"] for asset in stated} == {ref(REMIX), ref(PAD)}
    # Who states something for all of theirs is silent about none of them.
    async with made.write() as connection:
        await connection.run_sync(lambda raw: state_terms(raw, CLEO, [], 6, level="ARTIST"))
    silent = (await ask(query, filter={"hasPolicy": False}))["assets"]["nodes"]
    assert [asset["id"] for asset in silent] == [ref(SONG)]


async def test_q19_why_an_edge_is_believed(ask: Ask, made: Database) -> None:
    january, february, march = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
    edge = UUID(int=33)

    def furnish(connection: Connection) -> None:
        close(connection, tables.lineage_edge, OF_LOOP)
        row = (SONG, LOOP, "SAMPLES", (0, 40_000))
        bind(connection, UUID(int=31), *row, status="CLAIMED", valid=Range(january, february))
        bind(connection, UUID(int=32), *row, status="REJECTED", valid=Range(february, march))
        detected = {"evidence_source": "DETECTION", "evidence_method": "fingerprint", "evidence_score": 0.925}
        bind(connection, edge, *row, status="DISPUTED", valid=Range(march, None), **detected, asserted_by_id=BEN)

    async with made.write() as connection:
        await connection.run_sync(furnish)
    query = """query($id: ID!) { node(id: $id) { ... on LineageEdge {
      status evidence { source method score } assertedBy { handle }
      history { status since until evidence { source method score } assertedBy { handle } } } } }"""
    detected = {"source": "DETECTION", "method": "fingerprint", "score": 0.925}
    said = {"source": "CHILD_OWNER", "method": None, "score": None}
    moments = [f"2026-0{month}-01T00:00:00.000000Z" for month in (1, 2, 3)]
    claimed, rejected, disputed = (
        {"status": status, "since": since, "until": until, "evidence": evidence, "assertedBy": by}
        for status, since, until, evidence, by in (
            ("CLAIMED", moments[0], moments[1], said, None),
            ("REJECTED", moments[1], moments[2], said, None),
            ("DISPUTED", moments[2], None, detected, {"handle": "ben"}),
        )
    )
    now = {"status": "DISPUTED", "evidence": detected, "assertedBy": {"handle": "ben"}}
    told = (await ask(query, CLEOS, id=str(Ref(Kind.EDGE, edge))))["node"]
    assert told == {**now, "history": [claimed, rejected, disputed]}
    # That it was rejected for a while stays between its owners.
    told = (await ask(query, id=str(Ref(Kind.EDGE, edge))))["node"]
    assert told == {**now, "history": [claimed, disputed]}
    hidden = (await ask(query, id=str(Ref(Kind.EDGE, OF_SECRET))))["node"]
    assert hidden == {"status": "CONFIRMED", "evidence": None, "assertedBy": None, "history": None}


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
    found = [(found["distance"], found["asset"]) for found in walk["assets"]]
    assert found[0] == (1, {"id": ref(SONG)})
    assert len(found) == 3
    assert (2, {"id": ref(LOOP)}) in found
    assert (2, None) in found


async def test_q8_a_walk_in_memory_reads_how_things_look_only_where_its_steps_are_told(
    made: Database, statements: list[str]
) -> None:
    index = index_of(made)
    index.wanted(made)
    await index.ready()
    reader, counts, told = reader_of(made), [], []
    for query in (WALK.replace("through { kind } ", ""), WALK):
        await reader.answer(query, None, {"id": ref(REMIX)}, ANONYMOUS)
        statements.clear()
        answer = json.loads((await reader.answer(query, None, {"id": ref(REMIX)}, ANONYMOUS)).body)
        counts.append(len(statements))
        told.append([it["asset"] for it in answer["data"]["asset"]["ancestors"]["assets"]])
    assert counts[1] == counts[0] + 1
    assert told[0] == told[1]
    assert len(told[0]) == 3


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


WINDOWED = """
query($id: ID!, $window: WindowInput) { asset(id: $id) {
  ancestors(window: $window) { complete assets { distance asset { id } } }
  descendants(window: $window) { complete assets { distance asset { id } } } } }"""


async def test_a_walk_of_a_stretch_takes_the_steps_that_touch_it(ask: Ask, made: Database) -> None:
    async def walked(id_: UUID, way: str, start: int, end: int | None, viewer: Viewer = CLEOS) -> set[str | None]:
        data = await ask(WINDOWED, viewer, id=ref(id_), window={"startMs": start, "endMs": end})
        assert data["asset"][way]["complete"]
        return {found["asset"] and found["asset"]["id"] for found in data["asset"][way]["assets"]}

    assert await walked(SONG, "ancestors", 5_000, 6_000) == {ref(LOOP), ref(SECRET)}
    assert await walked(SONG, "ancestors", 10_000, 39_000) == {ref(LOOP)}
    assert await walked(SONG, "ancestors", 40_000, None) == set()

    # The remix plays the song from 30 to 50 s in its first 20: that reaches the loop, and nothing else does.
    def furnish(connection: Connection) -> None:
        close(connection, tables.lineage_edge, OF_REMIX)
        played = {"parent_start_ms": 30_000, "parent_end_ms": 50_000}
        bind(connection, UUID(int=41), REMIX, SONG, "REMIX_OF", (0, 20_000), **played)

    async with made.write() as connection:
        await connection.run_sync(furnish)
    assert await walked(REMIX, "ancestors", 0, 1) == {ref(SONG), ref(LOOP)}
    assert await walked(REMIX, "ancestors", 20_000, None) == set()
    # Downwards, what touches the loop is the song's beginning, of which the remix plays a part.
    assert await walked(LOOP, "descendants", 0, 1) == {ref(SONG), ref(REMIX)}
    assert await walked(SECRET, "descendants", 0, 1) == {ref(SONG)}
    assert await walked(SONG, "descendants", 0, 30_000) == set()
    assert await walked(SONG, "descendants", 49_999, 50_000) == {ref(REMIX)}


async def test_windows_at_one_asset_are_united_also_where_the_longer_way_brings_the_wider_one(
    ask: Ask, made: Database
) -> None:
    """The remix reaches the song twice: at once, by its end, and by way of the pad, by its beginning."""

    def furnish(connection: Connection) -> None:
        close(connection, tables.lineage_edge, OF_REMIX)
        bind(connection, UUID(int=43), REMIX, SONG, "REMIX_OF", (None, None), parent_start_ms=90_000)
        bind(connection, UUID(int=41), REMIX, PAD, "SAMPLES", (None, None))
        bind(connection, UUID(int=42), PAD, SONG, "DERIVED_FROM", (None, None))

    async def distances() -> dict[str, int]:
        data = await ask(WINDOWED, CLEOS, id=ref(REMIX), window={"startMs": 0, "endMs": 1})
        return {found["asset"]["id"]: found["distance"] for found in data["asset"]["ancestors"]["assets"]}

    async with made.write() as connection:
        await connection.run_sync(furnish)
    assert await distances() == {ref(SONG): 1, ref(PAD): 1, ref(LOOP): 3, ref(SECRET): 3}
    async with made.write() as connection:
        await connection.run_sync(lambda raw: close(raw, tables.lineage_edge, UUID(int=42)))
    assert await distances() == {ref(SONG): 1, ref(PAD): 1}


async def test_the_window_of_a_step_with_a_hidden_end_cannot_be_asked_out(ask: Ask) -> None:
    answers = [
        (await ask(WINDOWED, id=ref(SONG), window={"startMs": start, "endMs": start + 1}))["asset"]["ancestors"]
        for start in (0, 9_999, 10_000, 90_000)
    ]
    assert [None in [found["asset"] for found in answer["assets"]] for answer in answers] == [True] * 4
    assert [{"id": ref(LOOP)} in [found["asset"] for found in answer["assets"]] for answer in answers] == [
        True,
        True,
        True,
        False,
    ]


async def test_a_hidden_asset_is_not_found_by_what_it_is(ask: Ask, made: Database) -> None:
    def furnish(connection: Connection) -> None:
        person = UUID(int=51)
        connection.execute(insert(tables.contributor).values(id=person, name="Dee"))
        for number, id_ in ((61, LOOP), (62, SECRET)):
            connection.execute(
                insert(tables.credit).values(
                    id=UUID(int=number), asset_id=id_, contributor_id=person, role="PRODUCER", position=1
                )
            )

    async with made.write() as connection:
        await connection.run_sync(furnish)
    query = """query($id: ID!, $kinds: [AssetKind!], $person: ID) { asset(id: $id) {
      ancestors(assetKinds: $kinds, contributor: $person) { complete assets { asset { id } } } } }"""
    person = str(Ref(Kind.CONTRIBUTOR, UUID(int=51)))
    for given in ({"kinds": ["SAMPLE"]}, {"person": person}, {"kinds": ["SAMPLE"], "person": person}):
        walk = (await ask(query, id=ref(REMIX), **given))["asset"]["ancestors"]
        assert (walk["complete"], [found["asset"] for found in walk["assets"]]) == (True, [{"id": ref(LOOP)}])
        hers = (await ask(query, CLEOS, id=ref(REMIX), **given))["asset"]["ancestors"]
        assert {found["asset"]["id"] for found in hers["assets"]} == {ref(LOOP), ref(SECRET)}
    tracks = (await ask(query, id=ref(REMIX), kinds=["TRACK"]))["asset"]["ancestors"]
    assert [found["asset"] for found in tracks["assets"]] == [{"id": ref(SONG)}]


async def test_what_its_owners_keep_to_themselves_binds_and_names_nothing(ask: Ask, made: Database) -> None:
    """The loop's owner refused to register the song: it stays made of it, and only the two of them hear of it."""
    before = await master(ask, "COMMERCIAL_USE", CLEOS)

    def refuse(connection: Connection) -> None:
        close(connection, tables.lineage_edge, OF_LOOP)
        refused = {"status": "CLAIMED", "registration": "REFUSED"}
        bind(connection, UUID(int=70), SONG, LOOP, "SAMPLES", (0, 40_000), **refused)

    async with made.write() as connection:
        await connection.run_sync(refuse)
    hers = await master(ask, "COMMERCIAL_USE", CLEOS)
    assert {blocker["asset"]["id"] for blocker in hers["blockers"]} == {ref(LOOP), ref(SECRET)}
    theirs = await master(ask, "COMMERCIAL_USE")
    assert theirs["decision"] == before["decision"]
    assert len(theirs["blockers"]) == len(before["blockers"])
    assert {blocker["asset"] and blocker["asset"]["id"] for blocker in theirs["blockers"]} == {None}
    assert theirs["askAtLeast"] == [{"owner": None, "assets": []}]
    query = "query($id: ID!) { asset(id: $id) { attribution { asset { id } license distance } } }"
    named = (await ask(query, id=ref(REMIX)))["asset"]["attribution"]
    assert named[-1] == {"asset": None, "license": None, "distance": 2}
    # Where it is reached otherwise too, it may be named, but not by that way.
    async with made.write() as connection:
        await connection.run_sync(lambda raw: bind(raw, UUID(int=71), SONG, PAD, "SAMPLES", (None, None)))
        await connection.run_sync(lambda raw: bind(raw, UUID(int=72), PAD, LOOP, "SAMPLES", (None, None)))
    named_again = await master(ask, "COMMERCIAL_USE")
    loop = next(blocker for blocker in named_again["blockers"] if blocker["asset"])
    assert (loop["asset"], loop["path"]) == ({"id": ref(LOOP)}, [])


async def test_what_was_known_then_is_asked_in_one_way_of_walks_and_of_rights(ask: Ask, made: Database) -> None:
    """It is known since February that from June on the pad is made of the loop."""
    since = {month: Range(datetime(2026, month, 1, tzinfo=UTC), None) for month in (2, 6)}
    async with made.write() as connection:
        await connection.run_sync(
            lambda raw: bind(raw, UUID(int=81), PAD, LOOP, "SAMPLES", (None, None), valid=since[6], known=since[2])
        )
    query = """query($id: ID!, $asOf: DateTime, $knownAt: DateTime) { asset(id: $id) {
      ancestors(asOf: $asOf, knownAt: $knownAt) { assets { distance } }
      rights(uses: [COMMERCIAL_USE], asOf: $asOf, knownAt: $knownAt) { decision } } }"""
    january, february, july = (f"2026-{month:02}-15T00:00:00Z" for month in (1, 2, 7))
    for moments, is_made in (
        ({}, True),
        # Where nothing else is said, what held now is asked about, as it was known then.
        ({"knownAt": february}, True),
        ({"knownAt": january}, False),
        ({"asOf": february}, False),
        ({"asOf": july}, True),
        ({"asOf": july, "knownAt": february}, True),
        ({"asOf": july, "knownAt": january}, False),
    ):
        asset = (await ask(query, id=ref(PAD), **moments))["asset"]
        assert (moments, len(asset["ancestors"]["assets"])) == (moments, int(is_made))
        decisions = {verdict["decision"] for verdict in asset["rights"]}
        assert (moments, decisions) == (moments, {"LICENSE_REQUIRED" if is_made else "ALLOWED"})


@pytest.mark.parametrize(
    "query",
    [
        "query($a: ID!, $b: ID!) { lineagePath(from: $a, to: $b) { length } }",
        "query($a: ID!, $b: ID!) { commonAncestors(ids: [$a, $b]) { distances } }",
        "query($a: ID!) { lineageRoots(id: $a) { id } }",
    ],
)
async def test_who_asks_how_too_much_is_related_is_told_so(
    made: Database, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr("resolvers.kinship.MOST_WALKED", 1)
    given = {"a": ref(REMIX), "b": ref(LOOP)}
    variables = {name: id_ for name, id_ in given.items() if f"${name}:" in query}
    for execution in Execution:
        with pytest.raises(TooCostly, match="more than 1 assets"):
            await reader_of(made, execution).answer(query, None, variables, ANONYMOUS)


async def test_a_walk_past_its_budget_says_so(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.lineage.MOST_WALKED", 1)
    walk = (await ask(WALK, id=ref(REMIX)))["asset"]["ancestors"]
    assert (walk["complete"], walk["reason"], len(walk["assets"])) == (False, "BUDGET", 1)


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
        '{ asset(id: "%s") { ancestors(first: 3001) { complete } } }',
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
    reader = reader_of(made)
    statements.clear()
    answer = await reader.answer(query % ref(REMIX), None, None, ANONYMOUS)
    assert answer.refused
    assert json.loads(answer.body)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert statements == []


async def test_501_ids_are_refused(made: Database) -> None:
    answer = await reader_of(made).answer(
        "query($ids: [ID!]!) { permissionCheck(ids: $ids) { id } }", None, {"ids": [ref(REMIX)] * 501}, ANONYMOUS
    )
    assert json.loads(answer.body)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_rights_take_one_more_statement_however_many_assets_they_are_asked_of(
    made: Database, statements: list[str]
) -> None:
    reader = reader_of(made)
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
    answer = await reader_of(made).answer(
        f"query($ids: [ID!]!) {{ {asked} }}", None, {"ids": [ref(REMIX)] * 500}, ANONYMOUS
    )
    assert json.loads(answer.body)["errors"][0]["extensions"]["code"] == "TOO_COSTLY"
