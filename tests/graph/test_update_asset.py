"""The one mutation, which is the pattern for all: one transaction, refusals as data, the payload read by a plan."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.canonical import digest
from domain.ids import Kind, Ref
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.readers import reader_of

ARTIST, STRANGER, ACCOUNT, TRACK = UUID(int=11), UUID(int=12), UUID(int=13), UUID(int=14)
OWNER = Viewer(ACCOUNT, (ARTIST,), (ARTIST,))
MEMBER = Viewer(ACCOUNT, (ARTIST,), ())
OTHER = Viewer(ACCOUNT, (STRANGER,), (STRANGER,))
TRACK_REF = str(Ref(Kind.TRACK, TRACK))

UPDATE = """
mutation ($input: UpdateAssetInput!) {
  updateAsset(input: $input) {
    __typename
    ... on UserError { code message path }
    ... on UpdateAssetSuccess { asset { id title version badges madeOn owner { handle } ... on Track { bpm } } }
  }
}
"""
LEFT_BEHIND = (tables.provenance_event, tables.change, tables.outbox, tables.idempotency)


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        await connection.execute(insert(tables.account).values(id=ACCOUNT, handle="ada"))
        for id_, handle in ((ARTIST, "ada"), (STRANGER, "bo")):
            await connection.execute(
                insert(tables.artist).values(id=id_, handle=handle, name=handle, kind="CREATOR", claimed=True)
            )
        await connection.execute(
            insert(tables.asset).values(id=TRACK, kind="TRACK", owner_id=ARTIST, title="Rain", state="PUBLIC")
        )
        await connection.execute(insert(tables.track).values(id=TRACK, bpm=120))
    return reader_of(database)


async def update(reader: Reader, viewer: Viewer, **given: Any) -> dict[str, Any]:
    variables = {"input": {"id": TRACK_REF, "expectedVersion": 1, **given}}
    answer = json.loads((await reader.answer(UPDATE, None, variables, viewer)).body)
    return dict(answer["data"]["updateAsset"]) if answer.get("data") else dict(answer)


async def left_behind(database: Database) -> list[int]:
    async with database.read() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar() or 0 for table in LEFT_BEHIND
        ]


async def test_an_update_is_answered_with_the_asset_as_it_is_now(reader: Reader) -> None:
    answer = await update(reader, OWNER, title="Rain, again", badges=["REMIX", "HUMAN_MADE"], madeOn="2024-02-29")
    assert answer == {
        "__typename": "UpdateAssetSuccess",
        "asset": {
            "id": TRACK_REF,
            "title": "Rain, again",
            "version": 2,
            "badges": ["HUMAN_MADE", "REMIX"],
            "madeOn": "2024-02-29",
            "owner": {"handle": "ada"},
            "bpm": 120,
        },
    }


async def test_both_executions_answer_an_update_alike(reader: Reader, database: Database) -> None:
    reference = reader_of(database, Execution.REFERENCE)
    first = await update(reader, OWNER, title="One")
    second = await update(reference, OWNER, title="One", expectedVersion=2)
    assert first == second
    for asked in ({"expectedVersion": 7}, {"title": "x" * 301, "expectedVersion": 2}):
        assert await update(reader, OWNER, **asked) == await update(reference, OWNER, **asked)


async def test_a_write_leaves_provenance_a_change_and_an_announcement(reader: Reader, database: Database) -> None:
    await update(reader, OWNER, title="One", idempotencyKey="k")
    await update(reader, OWNER, title="Two", expectedVersion=2)
    assert await left_behind(database) == [2, 2, 2, 1]
    async with database.read() as connection:
        table = tables.provenance_event
        events = (await connection.execute(select(table).order_by(table.c.sequence))).all()
    assert [digest(event.body.encode()) for event in events] == [event.hash for event in events]
    assert [event.prev for event in events] == [None, events[0].hash]
    assert "One" not in events[0].body, "payloads hold digests, never free text"


@pytest.mark.parametrize("viewer", [OTHER, MEMBER])
async def test_not_yours_and_not_found_look_the_same_and_write_nothing(
    reader: Reader, database: Database, viewer: Viewer
) -> None:
    not_yours = await update(reader, viewer, title="Mine")
    not_found = await update(reader, viewer, title="Mine", id=str(Ref(Kind.TRACK, UUID(int=99))))
    assert not_yours == not_found
    assert not_yours["code"] == "NOT_FOUND"
    assert await left_behind(database) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("viewer", "given", "typename", "path"),
    [
        (ANONYMOUS, {"title": "x"}, "SignInNeededError", []),
        (OWNER, {"title": "x" * 301}, "InvalidError", ["title"]),
        (OWNER, {"title": "a\u0007b"}, "InvalidError", ["title"]),
        (OWNER, {"badges": ["NO_AI_USED", "GENERATED"]}, "InvalidError", ["badges"]),
        (OWNER, {"title": "x", "expectedVersion": 2}, "ConflictError", ["expectedVersion"]),
    ],
)
async def test_a_refusal_is_typed_and_writes_nothing(
    reader: Reader, database: Database, viewer: Viewer, given: dict[str, Any], typename: str, path: list[str]
) -> None:
    answer = await update(reader, viewer, **given)
    assert (answer["__typename"], answer["path"]) == (typename, path)
    assert await left_behind(database) == [0, 0, 0, 0]


async def test_bad_ids_are_refused_before_execution(reader: Reader) -> None:
    answer = await update(reader, OWNER, id=str(Ref(Kind.ARTIST, ARTIST)))
    assert list(answer) == ["errors"]
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "path" not in answer["errors"][0]


async def test_of_two_writers_with_one_expected_version_one_wins(reader: Reader, database: Database) -> None:
    answers = await asyncio.gather(*[update(reader, OWNER, title=f"Version {n}") for n in range(6)])
    assert sorted(answer["__typename"] for answer in answers) == ["ConflictError"] * 5 + ["UpdateAssetSuccess"]
    assert (await left_behind(database))[:3] == [1, 1, 1]


async def test_an_idempotency_key_makes_a_request_happen_once(reader: Reader, database: Database) -> None:
    answers = await asyncio.gather(*[update(reader, OWNER, title="Once", idempotencyKey="k") for _ in range(4)])
    assert all(answer["__typename"] == "UpdateAssetSuccess" for answer in answers)
    assert await left_behind(database) == [1, 1, 1, 1]
    other = await update(reader, OWNER, title="Another", idempotencyKey="k")
    assert other["code"] == "IDEMPOTENCY_MISMATCH"


async def test_an_update_that_changes_nothing_writes_nothing(reader: Reader, database: Database) -> None:
    answer = await update(reader, OWNER, title="Rain")
    assert answer["asset"]["version"] == 1
    assert await left_behind(database) == [0, 0, 0, 0]


async def test_a_payload_is_read_by_one_statement_after_the_commit(reader: Reader, statements: list[str]) -> None:
    await update(reader, OWNER, title="Plan")
    assert statements[-1].startswith("SELECT convert_to(")
    assert statements[-2].startswith("COMMIT")
