"""What a release holds while it is a draft: seen by its members, never a circle, and frozen once it is out."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.company import ADA, ADAS, BO, BOS, add_asset, add_owners, ask, left_behind
from tests.graph.readers import reader_of

MEMBER = Viewer(UUID(int=31), (ADA,), ())
KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset({KeyScope.ASSETS_WRITE}))
NARROW = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset({KeyScope.LINEAGE_WRITE}))
ASSETS = {
    "own": (Kind.TRACK, 101, ADA, "PRIVATE"),
    "voice": (Kind.SAMPLE, 102, ADA, "PUBLIC"),
    "bos": (Kind.TRACK, 103, BO, "PUBLIC"),
    "secret": (Kind.TRACK, 104, BO, "PRIVATE"),
    "withdrawn": (Kind.TRACK, 105, BO, "WITHDRAWN"),
    "single": (Kind.RELEASE, 106, ADA, "PUBLIC"),
    "nobodys": (Kind.TRACK, 999, None, None),
}
REFS = {name: str(Ref(kind, UUID(int=number))) for name, (kind, number, *_) in ASSETS.items()}
LEFT_BEHIND = (tables.release_item, tables.release_version, tables.provenance_event, tables.change, tables.outbox)

CREATE = """mutation ($input: CreateAssetInput!) { createAsset(input: $input) {
  ... on CreateAssetSuccess { asset { id } } } }"""
SET = """mutation ($input: SetReleaseItemsInput!) { setReleaseItems(input: $input) { __typename
  ... on UserError { code message path } ... on LineageCycleError { cycle { id } }
  ... on SetReleaseItemsSuccess { release { id version items { nodes { id } } }
    version { id number state items { nodes { id position asset { id } } } } } } }"""


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        await add_owners(connection)
        for kind, number, owner, state in ASSETS.values():
            if owner is not None:
                status = {"status": "PUBLISHED"} if kind is Kind.RELEASE else {}
                await add_asset(connection, UUID(int=number), owner, state, kind, **status)
    return reader_of(database)


@pytest.fixture
async def release(reader: Reader) -> str:
    """A draft of Ada's."""
    given = {"owner": str(Ref(Kind.ARTIST, ADA)), "title": "Album", "details": {"release": {"releaseKind": "ALBUM"}}}
    return str((await ask(reader, ADAS, CREATE, input=given))["asset"]["id"])


async def hold(reader: Reader, release: str, *items: str, viewer: Viewer = ADAS, version: int = 1, **more: Any) -> Any:
    listed = [REFS.get(item, item) for item in items]
    given = {"release": release, "items": listed, "expectedVersion": version, **more}
    return await ask(reader, viewer, SET, input=given)


def held(answer: dict[str, Any]) -> list[tuple[int, str]]:
    return [(item["position"], item["asset"]["id"]) for item in answer["version"]["items"]["nodes"]]


BEFORE = [0, 1, 1, 1, 1]


async def test_a_draft_holds_assets_of_any_kind_in_the_order_that_is_said(
    reader: Reader, database: Database, release: str
) -> None:
    first = await hold(reader, release, "own", "voice", "bos", "single")
    assert held(first) == [(n, REFS[name]) for n, name in enumerate(("own", "voice", "bos", "single"), 1)]
    assert (first["version"]["number"], first["version"]["state"]) == (1, "DRAFT")
    assert first["release"] == {"id": release, "version": 2, "items": {"nodes": []}}, "nothing is out yet"
    second = await hold(reader, release, "bos", "own", version=2)
    assert held(second) == [(1, REFS["bos"]), (2, REFS["own"])]
    assert second["version"]["id"] == first["version"]["id"]
    ids = [{item["asset"]["id"]: item["id"] for item in each["version"]["items"]["nodes"]} for each in (first, second)]
    assert all(ids[0][asset] == id_ for asset, id_ in ids[1].items()), "what stays keeps its id"
    assert await hold(reader, release, "bos", "own", version=3) == second
    assert await left_behind(database, LEFT_BEHIND) == [2, 1, 3, 3, 3]
    assert held(await hold(reader, release, version=3)) == []


async def test_strangers_see_nothing_of_a_draft(reader: Reader, release: str) -> None:
    answer = await hold(reader, release, "own")
    ids = [answer["version"]["id"], answer["version"]["items"]["nodes"][0]["id"], release]
    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for viewer, expected in ((BOS, [None] * 3), (ANONYMOUS, [None] * 3), (MEMBER, [{"id": id_} for id_ in ids])):
        told = json.loads((await reader.answer(asked, None, {"ids": ids}, viewer)).body)
        assert told["data"]["nodes"] == expected


async def test_what_is_out_never_changes_and_another_draft_begins(
    reader: Reader, database: Database, release: str
) -> None:
    out = (await hold(reader, release, "own"))["version"]
    async with database.write() as connection:
        await connection.execute(text("UPDATE release_version SET state = 'PUBLISHED', is_compatibility = true"))
        await connection.execute(
            text(
                "UPDATE release SET status = 'PUBLISHED', current_version_id = v.id "
                "FROM release_version AS v WHERE v.release_id = release.id"
            )
        )
    draft = await hold(reader, release, "bos", version=2)
    assert (draft["version"]["number"], held(draft)) == (2, [(1, REFS["bos"])])
    assert [item["id"] for item in draft["release"]["items"]["nodes"]] == [out["items"]["nodes"][0]["id"]]
    assert (await hold(reader, release, "bos", "own", version=3))["version"]["number"] == 2
    async with database.read() as connection:
        kinds = select(tables.provenance_event.c.kind).order_by(tables.provenance_event.c.sequence)
        assert list((await connection.execute(kinds)).scalars()) == [
            "RELEASE_CREATED",
            "ASSET_UPDATED",
            "VERSION_CREATED",
            "ASSET_UPDATED",
        ]
    for statement in ("DELETE FROM release_item", "UPDATE release_item SET title = 'x'"):
        with pytest.raises(Exception, match="a published version never changes"):
            async with database.write() as connection:
                await connection.execute(text(statement))


@pytest.mark.parametrize(
    ("items", "typename", "path"),
    [
        (["own", "secret"], "NotFoundError", ["items", "1"]),
        (["own", "nobodys"], "NotFoundError", ["items", "1"]),
        (["own", "withdrawn"], "NotFoundError", ["items", "1"]),
        (["own", "own"], "InvalidError", ["items", "1"]),
        (["own", "itself"], "InvalidError", ["items", "1"]),
    ],
)
async def test_what_a_release_cannot_hold_is_refused_and_nothing_is_written(
    reader: Reader, database: Database, release: str, items: list[str], typename: str, path: list[str]
) -> None:
    answer = await hold(reader, release, *[release if item == "itself" else item for item in items])
    assert (answer["__typename"], answer["path"]) == (typename, path)
    assert await left_behind(database, LEFT_BEHIND) == BEFORE


async def test_what_may_not_be_seen_and_what_is_not_there_answer_alike(reader: Reader, release: str) -> None:
    assert await hold(reader, release, "secret") == await hold(reader, release, "nobodys")


async def test_an_item_made_from_the_release_would_close_a_circle_which_is_named(
    reader: Reader, database: Database, release: str
) -> None:
    declare = "mutation ($input: DeclareEdgeInput!) { declareEdge(input: $input) { __typename } }"
    edges = [("voice", release), ("own", REFS["voice"])]
    for child, parent in edges:
        edge = {"child": REFS[child], "parent": parent, "kind": "SAMPLES"}
        made = await ask(reader, ADAS, declare, input=edge)
        assert made["__typename"] == "DeclareEdgeSuccess"
    before = await left_behind(database, LEFT_BEHIND)
    answer = await hold(reader, release, "bos", "own")
    assert (answer["__typename"], answer["path"]) == ("LineageCycleError", ["items", "1"])
    assert answer["cycle"] == [{"id": id_} for id_ in (release, REFS["own"], REFS["voice"], release)]
    assert await left_behind(database, LEFT_BEHIND) == before


@pytest.mark.parametrize("viewer", [BOS, MEMBER])
async def test_not_yours_and_not_found_answer_alike(
    reader: Reader, database: Database, release: str, viewer: Viewer
) -> None:
    not_yours = await hold(reader, release, "bos", viewer=viewer)
    assert not_yours == await hold(reader, str(Ref(Kind.RELEASE, UUID(int=999))), "bos", viewer=viewer)
    assert (not_yours["code"], not_yours["path"]) == ("NOT_FOUND", ["release"])
    assert await left_behind(database, LEFT_BEHIND) == BEFORE


async def test_a_key_that_may_write_assets_arranges_a_draft_and_no_other(reader: Reader, release: str) -> None:
    assert held(await hold(reader, release, "own", viewer=KEY)) == [(1, REFS["own"])]
    assert (await hold(reader, release, viewer=NARROW, version=2))["code"] == "FORBIDDEN"
    assert (await hold(reader, release, viewer=ANONYMOUS, version=2))["code"] == "UNAUTHENTICATED"


async def test_two_editors_who_save_at_once_are_told_apart(reader: Reader, database: Database, release: str) -> None:
    answers = await asyncio.gather(*[hold(reader, release, name) for name in ("own", "voice", "bos", "single")])
    assert sorted(answer["__typename"] for answer in answers) == ["ConflictError"] * 3 + ["SetReleaseItemsSuccess"]
    assert await left_behind(database, LEFT_BEHIND) == [1, 1, 2, 2, 2]


async def test_an_idempotency_key_writes_once_and_is_good_for_no_other_request(
    reader: Reader, database: Database, release: str
) -> None:
    answers = await asyncio.gather(*[hold(reader, release, "own", idempotencyKey="k") for _ in range(4)])
    assert all(answer == answers[0] for answer in answers)
    assert await left_behind(database, LEFT_BEHIND) == [1, 1, 2, 2, 2]
    assert (await hold(reader, release, "bos", idempotencyKey="k"))["code"] == "IDEMPOTENCY_MISMATCH"


async def test_both_executions_write_alike(reader: Reader, database: Database, release: str) -> None:
    reference = reader_of(database, Execution.REFERENCE)
    first = await hold(reader, release, "own", "bos")
    assert await hold(reference, release, "own", "bos", version=2) == first
    assert await hold(reader, release, "secret", version=2) == await hold(reference, release, "secret", version=2)
