"""Making assets and saying who sees them: typed refusals, history, verdicts that flip, and what is left behind."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref, parse_ref
from domain.keys import KeyScope
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.company import ADA, ADAS, BO, BOS, add_owners, ask, left_behind
from tests.graph.readers import reader_of

MEMBER = Viewer(UUID(int=33), (ADA,), ())
KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset({KeyScope.ASSETS_WRITE}))
NARROW = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset({KeyScope.READ}))
LEFT_BEHIND = (tables.asset, tables.asset_standing, tables.provenance_event, tables.change, tables.outbox)
NOTHING = [0] * len(LEFT_BEHIND)

ERROR = "... on UserError { code message path }"
DETAILS = """... on Track { bpm musicalKey isrc } ... on Sample { subkind bpm } ... on Instrument { family format }
  ... on Release { releaseKind status upc label currentVersion { id } versions { nodes { number state } } }"""
ASSET = f"id __typename title state version badges madeOn owner {{ handle }} {DETAILS}"
DOCUMENTS = {
    "createAsset": f"""mutation ($input: CreateAssetInput!) {{ createAsset(input: $input) {{ __typename {ERROR}
      ... on CreateAssetSuccess {{ asset {{ {ASSET} provenance {{ nodes {{ kind }} }} }} }} }} }}""",
    "updateAsset": f"""mutation ($input: UpdateAssetInput!) {{ updateAsset(input: $input) {{ __typename {ERROR}
      ... on UpdateAssetSuccess {{ asset {{ {ASSET} }} }} }} }}""",
    "setAssetState": f"""mutation ($input: SetAssetStateInput!) {{ setAssetState(input: $input) {{ __typename {ERROR}
      ... on SetAssetStateSuccess {{ asset {{ {ASSET} }}
        flipped {{ count changes {{ asset {{ id }} owner {{ handle }} use before after }} }} }} }} }}""",
}
TRACK = {"track": {"bpm": 120.5, "musicalKey": "F♯ minor", "isrc": "us-rc1-76-07839"}}


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        await add_owners(connection)
        await connection.execute(insert(tables.account).values(id=MEMBER.account, handle="member"))
    return reader_of(database)


async def do(reader: Reader, viewer: Viewer, name: str, **given: Any) -> dict[str, Any]:
    return dict(await ask(reader, viewer, DOCUMENTS[name], input=given))


async def create(reader: Reader, viewer: Viewer = ADAS, **given: Any) -> dict[str, Any]:
    wanted = {"owner": str(Ref(Kind.ARTIST, ADA)), "title": "Rain", "details": TRACK, **given}
    return await do(reader, viewer, "createAsset", **wanted)


async def made(reader: Reader, **given: Any) -> str:
    return str((await create(reader, **given))["asset"]["id"])


@pytest.mark.parametrize(
    ("details", "kind", "told"),
    [
        (TRACK, "Track", {"bpm": 120.5, "musicalKey": "F♯ minor", "isrc": "USRC17607839"}),
        ({"sample": {"subkind": "VOICE_MEMO", "bpm": 92.1234}}, "Sample", {"subkind": "VOICE_MEMO", "bpm": 92.123}),
        ({"instrument": {"family": " drums ", "format": ""}}, "Instrument", {"family": "drums", "format": None}),
        (
            {"release": {"releaseKind": "EP", "upc": "0 75678 16412 5", "label": "Own"}},
            "Release",
            {
                "releaseKind": "EP",
                "upc": "075678164125",
                "label": "Own",
                "status": "DRAFT",
                "currentVersion": None,
                "versions": {"nodes": [{"number": 1, "state": "DRAFT"}]},
            },
        ),
    ],
)
async def test_an_asset_of_each_kind_begins_private_with_its_details_and_its_traces(
    reader: Reader, database: Database, details: Any, kind: str, told: dict[str, Any]
) -> None:
    answer = await create(reader, details=details, badges=["REMIX", "HUMAN_MADE"], madeOn="2024-02-29")
    asset = answer["asset"]
    events = asset.pop("provenance")["nodes"]
    assert events == [{"kind": "RELEASE_CREATED" if kind == "Release" else "ASSET_CREATED"}]
    assert parse_ref(asset.pop("id")).kind == kind.lower()
    assert asset == {
        "__typename": kind,
        "title": "Rain",
        "state": "PRIVATE",
        "version": 1,
        "badges": ["HUMAN_MADE", "REMIX"],
        "madeOn": "2024-02-29",
        "owner": {"handle": "ada"},
        **told,
    }
    assert await left_behind(database, LEFT_BEHIND) == [1, 1, 1, 1, 1]


async def test_what_is_new_is_found_by_its_members_only(reader: Reader) -> None:
    id_ = await made(reader, title="Thunderclap")
    found = '{ search(query: "thunderclap") { nodes { ... on Track { id } } } }'
    for viewer, expected in ((ADAS, [{"id": id_}]), (BOS, []), (ANONYMOUS, [])):
        answer = json.loads((await reader.answer(found, None, None, viewer)).body)
        assert answer["data"]["search"]["nodes"] == expected


@pytest.mark.parametrize("viewer", [BOS, MEMBER])
async def test_an_artist_that_is_not_yours_and_none_answer_alike(
    reader: Reader, database: Database, viewer: Viewer
) -> None:
    not_yours = await create(reader, viewer)
    not_found = await create(reader, viewer, owner=str(Ref(Kind.ARTIST, UUID(int=99))))
    assert not_yours == not_found
    assert (not_yours["code"], not_yours["path"]) == ("NOT_FOUND", ["owner"])
    assert await left_behind(database, LEFT_BEHIND) == NOTHING


@pytest.mark.parametrize(
    ("viewer", "given", "typename", "path"),
    [
        (ANONYMOUS, {}, "SignInNeededError", []),
        (NARROW, {}, "ForbiddenError", []),
        (KEY, {"badges": ["REMIX"]}, "ForbiddenError", ["badges"]),
        (ADAS, {"title": "x" * 301}, "InvalidError", ["title"]),
        (ADAS, {"title": "a\u0000b"}, "InvalidError", ["title"]),
        (ADAS, {"badges": ["HUMAN_MADE", "GENERATED"]}, "InvalidError", ["badges"]),
        (ADAS, {"madeOn": "0001-01-01"}, "InvalidError", ["madeOn"]),
        (ADAS, {"madeOn": "9999-12-31"}, "InvalidError", ["madeOn"]),
        (ADAS, {"details": {"track": {"isrc": "US-RC1-76-0783"}}}, "InvalidError", ["details", "track", "isrc"]),
        (ADAS, {"details": {"track": {"isrc": "U1-RC1-76-07839"}}}, "InvalidError", ["details", "track", "isrc"]),
        (ADAS, {"details": {"track": {"bpm": 0.9}}}, "InvalidError", ["details", "track", "bpm"]),
        (ADAS, {"details": {"track": {"bpm": 1e300}}}, "InvalidError", ["details", "track", "bpm"]),
        (ADAS, {"details": {"sample": {"musicalKey": "x" * 41}}}, "InvalidError", ["details", "sample", "musicalKey"]),
        (ADAS, {"details": {"instrument": {"family": "a\u0007"}}}, "InvalidError", ["details", "instrument", "family"]),
        (ADAS, {"details": {"release": {"upc": "075678164124"}}}, "InvalidError", ["details", "release", "upc"]),
    ],
)
async def test_what_cannot_be_made_is_refused_and_nothing_is_written(
    reader: Reader, database: Database, viewer: Viewer, given: dict[str, Any], typename: str, path: list[str]
) -> None:
    answer = await create(reader, viewer, **given)
    assert (answer.get("__typename"), answer.get("path")) == (typename, path), answer
    assert await left_behind(database, LEFT_BEHIND) == NOTHING


@pytest.mark.parametrize(
    "given",
    [
        {"details": {}},
        {"details": {"track": {}, "sample": {}}},
        {"details": {"track": None}},
        {"details": {"sample": {"subkind": "SCREAM"}}},
        {"owner": "track_01jd0000000000000000000000"},
        {"madeOn": "2024-02-30"},
        {"idempotencyKey": "k" * 101},
    ],
)
async def test_what_is_malformed_is_refused_before_anything_runs(
    reader: Reader, statements: list[str], given: dict[str, Any]
) -> None:
    statements.clear()
    answer = await create(reader, **given)
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert statements == []


async def test_an_idempotency_key_makes_one_asset_and_is_good_for_no_other(reader: Reader, database: Database) -> None:
    answers = await asyncio.gather(*[create(reader, idempotencyKey="k") for _ in range(4)])
    assert len({answer["asset"]["id"] for answer in answers}) == 1
    assert (await left_behind(database, LEFT_BEHIND))[0] == 1
    for other in ({"title": "Else"}, {"details": {"track": {}}}, {"details": {"sample": {}}}):
        assert (await create(reader, idempotencyKey="k", **other))["code"] == "IDEMPOTENCY_MISMATCH"


async def test_both_executions_make_and_change_alike(reader: Reader, database: Database) -> None:
    reference = reader_of(database, Execution.REFERENCE)
    told = []
    for each in (reader, reference):
        asset = (await create(each))["asset"]
        id_ = asset.pop("id")
        changed = await do(each, ADAS, "setAssetState", id=id_, state="WITHDRAWN", expectedVersion=1)
        changed["asset"].pop("id")
        told.append((asset, changed["asset"], changed["flipped"]["count"], await create(each, title="x" * 301)))
    assert told[0] == told[1]


async def test_details_change_with_the_asset_and_only_where_they_differ(reader: Reader, database: Database) -> None:
    id_ = await made(reader)
    answer = await do(reader, KEY, "updateAsset", id=id_, expectedVersion=1, details={"track": {"bpm": 90}})
    assert [answer["asset"][name] for name in ("bpm", "isrc", "version")] == [90, "USRC17607839", 2]
    same = await do(reader, ADAS, "updateAsset", id=id_, expectedVersion=2, details={"track": {"bpm": 90.0001}})
    assert same["asset"]["version"] == 2
    cleared = await do(reader, ADAS, "updateAsset", id=id_, expectedVersion=2, details={"track": {"isrc": None}})
    assert (cleared["asset"]["isrc"], cleared["asset"]["version"]) == (None, 3)
    other = await do(reader, ADAS, "updateAsset", id=id_, expectedVersion=3, details={"sample": {"bpm": 90}})
    assert (other["code"], other["path"]) == ("VALIDATION", ["details"])
    assert await left_behind(database, LEFT_BEHIND) == [1, 1, 3, 3, 3]


async def test_badges_of_an_asset_are_a_word_of_a_person(reader: Reader) -> None:
    id_ = await made(reader)
    for badges in (["HUMAN_MADE"], []):
        refused = await do(reader, KEY, "updateAsset", id=id_, expectedVersion=1, badges=badges)
        assert (refused["code"], refused["path"]) == ("FORBIDDEN", ["badges"])
    assert (await do(reader, ADAS, "updateAsset", id=id_, expectedVersion=1, badges=["HUMAN_MADE"]))["asset"]


async def test_two_editors_who_save_at_once_are_told_apart(reader: Reader, database: Database) -> None:
    id_ = await made(reader)
    answers = await asyncio.gather(
        do(reader, ADAS, "updateAsset", id=id_, expectedVersion=1, details={"track": {"bpm": 90}}),
        do(reader, ADAS, "updateAsset", id=id_, expectedVersion=1, title="Snow"),
        do(reader, ADAS, "setAssetState", id=id_, state="PUBLIC", expectedVersion=1),
    )
    assert sum(answer["__typename"] == "ConflictError" for answer in answers) == 2
    assert (await left_behind(database, LEFT_BEHIND))[2:] == [2, 2, 2]


async def test_who_sees_an_asset_is_said_by_a_person_and_how_it_stood_stays_known(
    reader: Reader, database: Database
) -> None:
    id_ = await made(reader)
    seen = f'{{ asset(id: "{id_}") {{ title state bpm: createdAt }} assets {{ nodes {{ id }} }} }}'

    async def shown(viewer: Viewer) -> tuple[bool, bool]:
        data = json.loads((await reader.answer(seen, None, None, viewer)).body)["data"]
        return data["asset"] is not None, bool(data["assets"]["nodes"])

    expected = {
        "UNLISTED": (True, False),
        "PUBLIC": (True, True),
        "ARCHIVED": (True, False),
        "WITHDRAWN": (True, False),
        "PRIVATE": (False, False),
    }
    for version, (state, visible) in enumerate(expected.items(), 1):
        answer = await do(reader, ADAS, "setAssetState", id=id_, state=state, expectedVersion=version)
        assert (answer["asset"]["state"], answer["asset"]["version"]) == (state, version + 1)
        assert await shown(ANONYMOUS) == visible
    async with database.read() as connection:
        held = await connection.execute(
            text("SELECT state FROM asset_standing WHERE upper_inf(known) ORDER BY lower(valid)")
        )
        assert list(held.scalars()) == ["PRIVATE", *expected]
        gaps = "SELECT count(*) FROM asset_standing WHERE upper_inf(known) AND upper_inf(valid)"
        assert (await connection.execute(text(gaps))).scalar() == 1


async def test_a_state_an_asset_has_already_writes_nothing(reader: Reader, database: Database) -> None:
    id_ = await made(reader)
    before = await left_behind(database, LEFT_BEHIND)
    answer = await do(reader, ADAS, "setAssetState", id=id_, state="PRIVATE", expectedVersion=1)
    assert (answer["asset"]["version"], answer["flipped"]["count"]) == (1, 0)
    assert await left_behind(database, LEFT_BEHIND) == before


async def test_no_key_shows_an_asset(reader: Reader) -> None:
    id_ = await made(reader)
    refused = await do(reader, KEY, "setAssetState", id=id_, state="PUBLIC", expectedVersion=1)
    assert refused["code"] == "FORBIDDEN"


async def test_a_release_is_not_published_by_a_state(reader: Reader, database: Database) -> None:
    id_ = await made(reader, details={"release": {}})
    for state in ("PUBLIC", "UNLISTED", "WITHDRAWN", "ARCHIVED"):
        refused = await do(reader, ADAS, "setAssetState", id=id_, state=state, expectedVersion=1)
        assert (refused["code"], refused["path"]) == ("VALIDATION", ["state"])
        assert "publishing" in refused["message"]
    async with database.write() as connection:
        await connection.execute(text("UPDATE asset SET state = 'PUBLIC'"))
        await connection.execute(text("UPDATE release SET status = 'PUBLISHED'"))
    refused = await do(reader, ADAS, "setAssetState", id=id_, state="ARCHIVED", expectedVersion=1)
    assert refused["code"] == "VALIDATION", "archiveRelease does that"


async def test_a_withdrawal_tells_everybody_whose_verdict_it_flips_and_so_does_its_end(
    reader: Reader, database: Database
) -> None:
    loop = await made(reader, title="Loop")
    await do(reader, ADAS, "setAssetState", id=loop, state="PUBLIC", expectedVersion=1)
    remix = await create(reader, BOS, owner=str(Ref(Kind.ARTIST, BO)), title="Remix")
    declare = """mutation ($input: DeclareEdgeInput!) { declareEdge(input: $input) { __typename } }"""
    edge = {"child": remix["asset"]["id"], "parent": loop, "kind": "REMIX_OF"}
    assert b"DeclareEdgeSuccess" in (await reader.answer(declare, None, {"input": edge}, BOS)).body
    withdrawn = await do(reader, ADAS, "setAssetState", id=loop, state="WITHDRAWN", expectedVersion=2)
    back = await do(reader, ADAS, "setAssetState", id=loop, state="PUBLIC", expectedVersion=3)
    assert withdrawn["flipped"]["count"] == back["flipped"]["count"] > 0
    assert {change["after"] for change in withdrawn["flipped"]["changes"]} == {"DENIED"}
    assert {change["before"] for change in back["flipped"]["changes"]} == {"DENIED"}
    hidden = [change for change in withdrawn["flipped"]["changes"] if change["asset"] is None]
    assert hidden, "Bo's private remix counts, and is not named"
    async with database.read() as connection:
        told = await connection.execute(
            text("SELECT payload->>'owner', count(*) FROM outbox WHERE topic = 'rights.changed' GROUP BY 1")
        )
        owners = {row[0]: row[1] for row in told}
    assert owners == {str(Ref(Kind.ARTIST, ADA)): 2, str(Ref(Kind.ARTIST, BO)): 2}


async def test_an_asset_is_made_and_changed_in_six_statements_at_most(reader: Reader, statements: list[str]) -> None:
    id_ = await made(reader)
    for name, given in (
        ("createAsset", {"owner": str(Ref(Kind.ARTIST, ADA)), "title": "Sun", "details": TRACK, "idempotencyKey": "k"}),
        ("updateAsset", {"id": id_, "expectedVersion": 1, "title": "Sun"}),
        ("updateAsset", {"id": id_, "expectedVersion": 2, "details": {"track": {"bpm": 7}}}),
    ):
        statements.clear()
        assert (await do(reader, ADAS, name, **given)).get("asset")
        inside = [sql for sql in statements if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", ";"))]
        assert len(inside) <= 6 + 1, inside  # and the one that reads the payload
