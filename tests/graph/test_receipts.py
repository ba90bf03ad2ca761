"""Receipts: what was answered is kept, chained, and reproduced byte for byte whatever is written since."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.canonical import canonical, digest
from domain.ids import Kind, Ref
from graph.reading import Reader
from tests.graph.company import ADA, ADAS, BO, BOS, add_asset, add_edge, add_owners, ask, publish
from tests.graph.readers import reader_of

LOOP, REMIX, SECRET = UUID(int=101), UUID(int=102), UUID(int=103)

RECORD = """mutation ($input: RecordPermissionCheckInput!) { recordPermissionCheck(input: $input) { __typename
  ... on UserError { code path }
  ... on RecordPermissionCheckSuccess { receipt { id sequence body hash previousHash asset { id } } } } }"""
REPLAY = "query ($id: ID!) { replay(receiptId: $id) { reproduced body hash receipt { id body } } }"
SET = "mutation ($input: SetPolicyInput!) { setPolicy(input: $input) { __typename } }"


def ref(id_: UUID, kind: Kind = Kind.TRACK) -> str:
    return str(Ref(kind, id_))


@pytest.fixture
async def reader(database: Database) -> Reader:
    """Bo's remix of Ada's loop and of a secret of Ada's, for a stretch of it."""
    async with database.write() as connection:
        await add_owners(connection)
        for id_, owner, shown in ((LOOP, ADA, "PUBLIC"), (REMIX, BO, "PUBLIC"), (SECRET, ADA, "PRIVATE")):
            await add_asset(connection, id_, owner, shown, duration_ms=60_000)
        for parent, start in ((LOOP, 0), (SECRET, 30_000)):
            window = {"child_start_ms": start, "child_end_ms": start + 10_000}
            await add_edge(connection, REMIX, parent, "SAMPLES", **window)
    reader = reader_of(database)
    await ask(reader, BOS, SET, input={"subject": ref(REMIX), "license": "CC-BY-4.0"})
    await ask(reader, ADAS, SET, input={"subject": ref(LOOP), "license": "CC-BY-SA-4.0"})
    return reader


async def record(reader: Reader, viewer: Viewer = BOS, **given: Any) -> Mapping[str, Any]:
    answer = await ask(reader, viewer, RECORD, input={"id": ref(REMIX), **given})
    return dict(answer.get("receipt") or answer)


async def change_everything(reader: Reader, database: Database) -> None:
    """Policies, an edge, the length, the owner's word and the state of what was asked about."""
    await ask(reader, ADAS, SET, input={"subject": ref(LOOP), "preset": "ALL_RIGHTS_RESERVED"})
    await ask(reader, BOS, SET, input={"subject": ref(REMIX), "license": "CC0-1.0"})
    await ask(reader, BOS, SET, input={"subject": ref(BO, Kind.ARTIST), "preset": "OPEN_TO_REMIX"})
    async with database.write() as connection:
        await connection.execute(text("UPDATE lineage_edge SET known = tstzrange(lower(known), now())"))
        await connection.execute(text("UPDATE track SET duration_ms = 1000"))
        await connection.execute(text("UPDATE asset SET state = 'WITHDRAWN'"))


async def test_a_receipt_is_canonical_and_holds_question_and_answer(reader: Reader) -> None:
    receipt = await record(reader, uses=["REMIX"], territory="DE", window={"startMs": 0, "endMs": 5000})
    body = json.loads(receipt["body"])
    assert receipt["body"].encode() == canonical(body)
    assert receipt["hash"] == digest(receipt["body"].encode())
    assert body["rules"] == "casset-rights/1"
    assert body["question"]["uses"] == ["REMIX"]
    assert body["question"]["window"] == {"endMs": 5000, "startMs": 0}
    asked = 'query ($id: ID!, $w: WindowInput) { asset(id: $id) { rights(uses: [REMIX], territory: "DE", window: $w) { %s } } }'
    fields = "use layer decision reasons blockers { layer decision clause asset { id } }"
    live = await ask(reader, BOS, asked % fields, id=ref(REMIX), w={"startMs": 0, "endMs": 5000})
    told = [
        {
            "use": verdict["use"],
            "layer": verdict["layer"],
            "decision": verdict["decision"],
            "reasons": verdict["reasons"],
            "blockers": [
                {
                    **{name: it[name] for name in ("layer", "decision", "clause")},
                    "asset": it["asset"] and {"id": it["asset"]},
                }
                for it in verdict["blockers"]
            ],
        }
        for verdict in body["answer"]["verdicts"]
    ]
    assert told == live["rights"]


async def test_a_receipt_is_reproduced_byte_for_byte_whatever_is_written_since(
    reader: Reader, database: Database
) -> None:
    receipts = [await record(reader), await record(reader, uses=["SYNC"], window={"startMs": 0, "endMs": 9000})]
    await change_everything(reader, database)
    for receipt in receipts:
        again = await ask(reader, BOS, REPLAY, id=receipt["id"])
        assert again["reproduced"]
        assert again["body"] == receipt["body"]
    later = await record(reader)
    assert json.loads(later["body"])["answer"]["decision"] == "DENIED"


async def test_as_of_replay_equals_what_was_answered_then(reader: Reader, database: Database) -> None:
    then = await record(reader, uses=["REMIX", "SYNC"])
    moment = json.loads(then["body"])["at"]
    await ask(reader, ADAS, SET, input={"subject": ref(LOOP), "preset": "ALL_RIGHTS_RESERVED"})
    now = await record(reader, uses=["REMIX", "SYNC"])
    as_of = await record(reader, uses=["REMIX", "SYNC"], asOf=moment)
    answers = [json.loads(receipt["body"])["answer"] for receipt in (then, as_of, now)]
    assert answers[0] == answers[1] != answers[2]


async def test_as_of_then_a_release_holds_what_it_held_then(reader: Reader, database: Database) -> None:
    album = UUID(int=201)
    async with database.write() as connection:
        await add_asset(connection, album, ADA, kind=Kind.RELEASE, status="PUBLISHED")
        await publish(connection, album, LOOP)
    then = await record(reader, id=ref(album, Kind.RELEASE))
    async with database.write() as connection:
        await publish(connection, album, SECRET)
    moment = json.loads(then["body"])["at"]
    as_of, now = [await record(reader, id=ref(album, Kind.RELEASE), asOf=at) for at in (moment, None)]
    answers = [json.loads(receipt["body"])["answer"] for receipt in (then, as_of, now)]
    assert answers[0] == answers[1] != answers[2]


async def test_receipts_of_an_account_are_chained_however_many_ask_at_once(reader: Reader, database: Database) -> None:
    await asyncio.gather(*[record(reader, uses=["REMIX"]) for _ in range(12)])
    await record(reader, ADAS)
    table = tables.permission_receipt
    async with database.read() as connection:
        rows = (
            await connection.execute(select(table).where(table.c.account_id == BOS.account).order_by(table.c.sequence))
        ).all()
    assert [row.sequence for row in rows] == list(range(1, 13))
    assert [row.prev for row in rows] == [None, *[row.hash for row in rows[:-1]]]
    assert [json.loads(row.body).get("prev") for row in rows] == [row.prev for row in rows]


async def test_what_the_asker_may_not_see_is_in_no_receipt(reader: Reader) -> None:
    theirs, owners = await record(reader), await record(reader, ADAS)
    for secret in (ref(SECRET), str(SECRET), SECRET.hex):
        assert secret not in theirs["body"]
    assert ref(SECRET) in owners["body"]
    decisions = [
        [
            (verdict["use"], verdict["layer"], verdict["decision"])
            for verdict in json.loads(it["body"])["answer"]["verdicts"]
        ]
        for it in (theirs, owners)
    ]
    assert decisions[0] == decisions[1]


async def test_a_receipt_is_for_who_asked(reader: Reader) -> None:
    receipt = await record(reader)
    for viewer in (ADAS, ANONYMOUS):
        assert await ask(reader, viewer, REPLAY, id=receipt["id"]) is None
        assert await ask(reader, viewer, "query ($id: ID!) { node(id: $id) { id } }", id=receipt["id"]) is None
    assert await ask(reader, BOS, REPLAY, id=ref(UUID(int=9), Kind.RECEIPT)) is None


async def test_a_query_never_writes_and_a_key_writes_once(reader: Reader, database: Database) -> None:
    first = await record(reader, idempotencyKey="k")
    assert await record(reader, idempotencyKey="k") == first
    assert (await record(reader, idempotencyKey="k", uses=["SYNC"]))["code"] == "IDEMPOTENCY_MISMATCH"
    await ask(reader, BOS, REPLAY, id=first["id"])
    async with database.read() as connection:
        counted = (await connection.execute(select(func.count()).select_from(tables.permission_receipt))).scalar()
    assert counted == 1
    assert (await record(reader, ANONYMOUS))["code"] == "UNAUTHENTICATED"
    assert (await record(reader, id=ref(SECRET)))["code"] == "NOT_FOUND"
    assert (await record(reader, id=ref(UUID(int=77))))["code"] == "NOT_FOUND"


async def test_no_use_named_is_every_use(reader: Reader) -> None:
    answers = [json.loads((await record(reader, **given))["body"])["answer"] for given in ({}, {"uses": []})]
    assert answers[0] == answers[1]
    asked = "query ($id: ID!, $uses: [Use!]) { permissionCheck(ids: [$id], uses: $uses) { decision verdicts { use } } }"
    first, second = [await ask(reader, BOS, asked, id=ref(REMIX), uses=uses) for uses in (None, [])]
    assert first == second


async def test_a_receipt_is_never_changed(reader: Reader, database: Database) -> None:
    await record(reader)
    for statement in ("UPDATE permission_receipt SET body = ''", "DELETE FROM permission_receipt"):
        with pytest.raises(Exception, match="permission denied"):
            async with database.write() as connection:
                await connection.execute(text(statement))
