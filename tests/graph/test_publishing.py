"""Publishing: all at once or not at all, by a person, and never again; what is missing is told in one go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db import tables
from db.accounts import viewer_of_account
from db.engine import Database
from domain.accounts import Viewer
from domain.ids import parse_ref
from domain.keys import KeyScope
from domain.signatures import verified
from graph.execution import Execution
from resolvers.callers import Caller
from resolvers.context import now
from tests.graph.albums import KEYS, LACKING, SIGNER, album, draft, made, publish, rows, sound, version_of
from tests.graph.company import Company, company
from tests.graph.readers import reader_of

LEFT_BEHIND = (
    *(tables.release_version, tables.release_item, tables.manifest, tables.version_credit, tables.version_policy),
    *(tables.provenance_event, tables.change, tables.outbox, tables.job, tables.asset_standing),
)
PUBLISH = """mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { __typename
  ... on UserError { code message path } ... on PublishVersionSuccess { version { id } } } }"""


@pytest.fixture(params=Execution, ids=lambda execution: execution.name)
async def here(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path, request.param) as each:
        each.house.signer = SIGNER
        yield each


async def left_behind(here: Company) -> list[int]:
    return [await here.count(table) for table in LEFT_BEHIND]


async def as_viewer(here: Company, viewer: Viewer, **given: Any) -> Any:
    reader = reader_of(here.database)
    body = (await reader.answer(PUBLISH, None, {"input": given}, viewer, Caller(here.house, "x"))).body
    return json.loads(body)["data"]["publishVersion"]


async def test_a_draft_comes_out_with_its_manifest_and_what_is_its_owners_is_shown(here: Company) -> None:
    song = await made(here, "Nightlight")
    release, version = await draft(here, song, here.ids["other"])
    await sound(here, here.ids["other"], None)
    told = await publish(here, release, version)
    assert told["__typename"] == "PublishVersionSuccess", told
    assert (told["release"]["status"], told["release"]["state"]) == ("PUBLISHED", "PUBLIC")
    assert told["release"]["currentVersion"] == {"id": version}
    out = told["version"]
    assert (out["state"], out["title"], out["number"]) == ("PUBLISHED", "Album", 1)
    assert [(item["title"], item["asset"]["state"]) for item in out["items"]["nodes"]] == [
        ("Nightlight", "PUBLIC"),
        ("other", "PUBLIC"),
    ]
    manifest = json.loads(out["manifest"]["body"])
    assert manifest["release"]["publishedAt"] == out["publishedAt"]
    assert (manifest["release"]["label"], manifest["release"]["upc"]) == ("Nightlight", "036000291452")
    assert [item["id"] for item in manifest["items"]] == [song, here.ids["other"]]
    assert out["manifest"]["signatureState"] == "SIGNED"
    assert verified({**manifest, "proof": json.loads(out["manifest"]["proof"])}, KEYS) == SIGNER.method


async def test_silence_is_filled_by_the_rules_and_no_form_is_asked_for(here: Company) -> None:
    _, _, told = await album(here, 1)
    item = json.loads(told["version"]["manifest"]["body"])["items"][0]
    whole = {"holder": here.ids["nova"], "name": "nova", "basisPoints": 10_000, "acceptance": "ACCEPTED"}
    assert item["splits"] == {"master": [whole], "publishing": [whole]}
    assert {use["use"]: use["terms"] for use in item["policy"]}["SYNC"] == [
        {"level": "PLATFORM", "decision": "LICENSE_REQUIRED"}
    ]


async def test_what_was_said_is_frozen_with_who_agreed_and_which_level_spoke(here: Company) -> None:
    song = await made(here, "Song", isrc="GB-A1B-23-00001")
    party = {"party": {"artist": here.ids["nova"]}, "role": "MAIN_ARTIST"}
    outsider = {"party": {"name": "José"}, "role": "PRODUCER"}
    credits_ = {"asset": song, "credits": [party, outsider], "expectedVersion": 1}
    await here.do("ada", "setCredits", "asset { id }", **credits_)
    await here.do("ada", "setPolicy", "policy { id }", subject=song, license="CC-BY-4.0")
    await here.do("ada", "setHook", "hook { id }", track=song, startMs=0)
    release, version = await draft(here, song)
    told = await publish(here, release, version)
    item = json.loads(told["version"]["manifest"]["body"])["items"][0]
    assert (item["isrc"], item["hook"]) == ("GBA1B2300001", {"startMs": 0, "endMs": 30_000})
    assert [(credit["name"], credit["acceptance"]) for credit in item["credits"]] == [
        ("nova", "ACCEPTED"),
        ("José", "PROPOSED"),
    ]
    terms = {use["use"]: use["terms"] for use in item["policy"]}["REMIX"]
    assert [(term["level"], term["decision"], term["license"]) for term in terms] == [("ASSET", "ALLOWED", "CC-BY-4.0")]


async def test_publishing_twice_changes_nothing(here: Company) -> None:
    release, version, first = await album(here)
    before = await left_behind(here)
    again = await publish(here, release, version)
    stale = await here.do("ada", "publishVersion", "version { id }", version=version, expectedVersion=1)
    assert again == first
    assert stale["version"] == {"id": version}
    assert await left_behind(here) == before


async def test_two_who_publish_at_once_publish_once(here: Company) -> None:
    release, version = await draft(here, await made(here, "Song"))
    lock = "SELECT pg_advisory_xact_lock(0x6C696E65)"
    answers = await here.at_once(lock, publish(here, release, version), publish(here, release, version))
    assert answers[0] == answers[1]
    assert await here.count(tables.manifest) == 1
    kinds = "SELECT count(*) FROM provenance_event WHERE kind = 'RELEASE_PUBLISHED'"
    assert [row[0] for row in await rows(here, kinds)] == [1]


async def test_all_that_is_missing_is_told_at_once_and_nothing_is_written(here: Company) -> None:
    mute, unread, refused = [
        (
            await here.do(
                "ada", "createAsset", "asset { id }", owner=here.ids["nova"], title=name, details={"track": {}}
            )
        )["asset"]["id"]
        for name in ("mute", "unread", "refused")
    ]
    await sound(here, unread, "READY")
    await sound(here, unread, "RECEIVED")
    await sound(here, refused, "REFUSED")
    inner, _ = await draft(here, await made(here, "Inside"), title="Inner")
    divided = await made(here, "Divided")
    release, version = await draft(here, mute, unread, refused, inner, here.ids["other"], divided)
    await here.alter(tables.asset, {"state": "WITHDRAWN"}, tables.asset.c.id == here.keys["other"])
    async with here.database.write() as connection:
        await connection.execute(text("INSERT INTO contributor (id, name) VALUES (gen_random_uuid(), 'x')"))
        half = "INSERT INTO split (id, asset_id, contributor_id, pool, basis_points, position) "
        half += "SELECT gen_random_uuid(), :asset, id, 'MASTER', 4000, 1 FROM contributor WHERE name = 'x'"
        await connection.execute(text(half), {"asset": parse_ref(divided).id})
    before = await left_behind(here)
    told = await publish(here, release, version, asked=f"version {{ id }} }} {LACKING} ... on UserError {{ code")
    assert (told["__typename"], told["code"], told["path"]) == ("NotReadyError", "VALIDATION", ["version"])
    assert [(lack["what"], (lack["asset"] or {}).get("id")) for lack in told["lacks"]] == [
        ("MEDIA", mute),
        ("MEDIA_UNREAD", unread),
        ("MEDIA", refused),
        ("RELEASE_NOT_OUT", inner),
        ("ITEM_CLOSED", here.ids["other"]),
        ("SPLITS", divided),
    ]
    assert await left_behind(here) == before


async def test_a_release_without_items_is_not_published(here: Company) -> None:
    release = await made(here, "Empty", "release")
    version = (await rows(here, "SELECT ref FROM release_version ORDER BY created_at DESC, id DESC"))[0][0]
    before = await left_behind(here)
    told = await publish(here, release, version, asked=f"version {{ id }} }} {LACKING} ... on UserError {{ code")
    assert [lack["what"] for lack in told["lacks"]] == ["ITEMS"]
    assert await left_behind(here) == before


async def test_no_key_publishes_nor_who_signed_in_long_ago_nor_a_stranger(here: Company) -> None:
    release, version = await draft(here, await made(here, "Song"))
    async with here.database.read() as connection:
        ada = await viewer_of_account(connection, here.keys["ada"], now())
        late = await viewer_of_account(connection, here.keys["ada"], now() - timedelta(hours=12, seconds=1))
        bo = await viewer_of_account(connection, here.keys["bo"], now())
    key = Viewer(ada.account, ada.holds, ada.edits, is_agent=True, scopes=frozenset(KeyScope))
    before = await left_behind(here)
    given = {"version": version, "expectedVersion": await version_of(here, release)}
    heard = [(await as_viewer(here, viewer, **given))["code"] for viewer in (key, late, bo)]
    assert heard == ["FORBIDDEN", "UNAUTHENTICATED", "NOT_FOUND"]
    assert await left_behind(here) == before


async def test_an_item_made_from_the_release_is_found_when_it_is_published(here: Company) -> None:
    song = await made(here, "Song")
    release, version = await draft(here, song)
    await here.alter(tables.asset, {"state": "PUBLIC"}, tables.asset.c.id == parse_ref(release).id)
    edge = {"child": song, "parent": release, "kind": "SAMPLES"}
    told = await here.do("ada", "declareEdge", "edge { id }", **edge)
    assert told["__typename"] == "DeclareEdgeSuccess", "a draft is in no circle yet"
    before = await left_behind(here)
    refused = await publish(here, release, version)
    assert (refused["__typename"], refused["path"]) == ("LineageCycleError", ["version"])
    assert await left_behind(here) == before


async def test_the_next_version_begins_as_the_last_one_and_takes_its_place(here: Company) -> None:
    release, version, first = await album(here)
    asked = {"release": release, "expectedVersion": await version_of(here, release)}
    told = await here.do(
        "ada", "createVersion", "version { id number state items { nodes { asset { id } } } }", **asked
    )
    nodes = [item["asset"]["id"] for item in first["version"]["items"]["nodes"]]
    assert [item["asset"]["id"] for item in told["version"]["items"]["nodes"]] == nodes
    assert (told["version"]["number"], told["version"]["state"]) == (2, "DRAFT")
    before = await left_behind(here)
    asked["expectedVersion"] = await version_of(here, release)
    again = await here.do("ada", "createVersion", "version { id }", **asked)
    assert again["version"]["id"] == told["version"]["id"]
    assert await left_behind(here) == before
    second = await publish(here, release, told["version"]["id"])
    assert second["version"]["state"] == "PUBLISHED", second
    manifest = json.loads(second["version"]["manifest"]["body"])
    assert manifest["previous"] == first["version"]["manifest"]["hash"]
    states = await rows(here, "SELECT ref, state FROM release_version WHERE ref = ANY(:refs)", refs=[version])
    assert [row.state for row in states] == ["SUPERSEDED"]
    assert second["release"]["publishedAt"] == first["release"]["publishedAt"]
    late = await publish(here, release, version)
    assert late["__typename"] == "ConflictError"


@pytest.mark.parametrize(("deed", "status"), [("archiveRelease", "ARCHIVED"), ("withdrawRelease", "WITHDRAWN")])
async def test_a_release_that_is_out_is_put_away_once(here: Company, deed: str, status: str) -> None:
    release, version, _ = await album(here, 1)
    given = {"release": release, "expectedVersion": await version_of(here, release)}
    told = await here.do("ada", deed, "release { status state version }", **given)
    assert (told["release"]["status"], told["release"]["state"]) == (status, status)
    before = await left_behind(here)
    assert (await here.do("ada", deed, "release { status state version }", **given))["release"] == told["release"]
    assert await left_behind(here) == before
    out = (await rows(here, "SELECT state FROM release_version WHERE ref = :ref", ref=version))[0].state
    assert out == ("WITHDRAWN" if status == "WITHDRAWN" else "PUBLISHED")
    other = {"release": release, "expectedVersion": await version_of(here, release)}
    begun = await here.do("ada", "createVersion", "version { id }", **other)
    assert begun["__typename"] == "ConflictError"


async def test_a_draft_is_neither_archived_nor_withdrawn(here: Company) -> None:
    release, _ = await draft(here)
    before = await left_behind(here)
    for deed in ("archiveRelease", "withdrawRelease"):
        given = {"release": release, "expectedVersion": await version_of(here, release)}
        assert (await here.do("ada", deed, "release { id }", **given))["code"] == "CONFLICT"
    assert await left_behind(here) == before


async def test_what_happened_stands_on_the_chains_of_those_it_happened_to(here: Company) -> None:
    release, version, told = await album(here, 1)
    song = told["version"]["items"]["nodes"][0]["asset"]["id"]
    chain = "SELECT kind, body FROM provenance_event WHERE subject_id = :id ORDER BY sequence"
    events = await rows(here, chain, id=parse_ref(release).id)
    assert [row.kind for row in events][-3:] == ["MANIFEST_GENERATED", "MANIFEST_SIGNED", "RELEASE_PUBLISHED"]
    payload = json.loads(events[-1].body)["payload"]
    assert payload == {"version": version, "number": 1, "manifest": told["version"]["manifest"]["hash"]}
    shown = json.loads((await rows(here, chain, id=parse_ref(song).id))[-1].body)["payload"]
    assert shown == {"changed": ["state"], "state": "PUBLIC", "version": 2}
    jobs = await rows(here, "SELECT kind FROM job WHERE subject_id = :id ORDER BY kind", id=parse_ref(version).id)
    assert [row.kind for row in jobs] == [
        "REGENERATE_MANIFEST",
        "VERIFY_LINEAGE",
        "VERIFY_SIGNATURE",
        "VERIFY_SNAPSHOT",
    ]


async def test_who_published_first_keeps_an_editor_from_dividing_a_pool_meanwhile(here: Company) -> None:
    song = await made(here, "Song")
    release, version = await draft(here, song)
    deeds = [
        publish(here, release, version),
        here.do("ada", "updateAsset", "asset { title }", id=song, title="Other", expectedVersion=1),
    ]
    answers = await here.at_once("SELECT id FROM asset FOR UPDATE", *deeds)
    titles = json.loads(answers[0]["version"]["manifest"]["body"])["items"][0]["title"]
    assert titles == ("Other" if answers[1]["__typename"] == "UpdateAssetSuccess" else "Song")


async def test_without_a_key_of_the_house_a_release_is_published_unsigned(here: Company) -> None:
    here.house.signer = None
    _, _, told = await album(here, 1)
    assert (told["version"]["manifest"]["proof"], told["version"]["manifest"]["signatureState"]) == (None, "UNSIGNED")


async def test_a_request_repeated_under_its_key_answers_what_it_led_to(here: Company) -> None:
    release, version = await draft(here, await made(here, "Song"))
    given = {"version": version, "expectedVersion": await version_of(here, release), "idempotencyKey": "k"}
    answers = [await here.do("ada", "publishVersion", "version { id }", **given) for _ in range(2)]
    assert answers[0] == answers[1]
    reused = await here.do("ada", "publishVersion", "version { id }", **{**given, "expectedVersion": 99})
    assert reused["__typename"] == "IdempotencyError"


async def test_publishing_is_refused_to_who_read_another_version(here: Company) -> None:
    _, version = await draft(here, await made(here, "Song"))
    told = await here.do("ada", "publishVersion", "version { id }", version=version, expectedVersion=1)
    assert (told["__typename"], told["path"]) == ("ConflictError", ["expectedVersion"])
    assert await asyncio.gather(here.count(tables.manifest)) == [0]


async def test_what_somebody_declined_is_no_part_of_it_and_their_share_is_to_be_divided(here: Company) -> None:
    song = await made(here, "Song")
    parties = [{"party": {"artist": here.ids[name]}, "role": "PRODUCER"} for name in ("nova", "far")]
    credits_ = {"asset": song, "credits": parties, "expectedVersion": 1}
    asked = "asset { credits { nodes { id contributor { id name } } } }"
    told = await here.do("ada", "setCredits", asked, **credits_)
    credited = {node["contributor"]["name"]: node for node in told["asset"]["credits"]["nodes"]}
    halves = [{"contributor": node["contributor"]["id"], "basisPoints": 5_000} for node in credited.values()]
    given = {"asset": song, "pool": "MASTER", "shares": halves, "expectedVersion": 2}
    split = (await here.do("ada", "setSplits", "asset { splits { nodes { id contributor { name } } } }", **given))[
        "asset"
    ]
    await here.do("bo", "answerCredit", "credit { id }", id=credited["far"]["id"], accept=False)
    share = next(node["id"] for node in split["splits"]["nodes"] if node["contributor"]["name"] == "far")
    await here.do("bo", "answerSplit", "split { id }", id=share, accept=False)
    release, version = await draft(here, song)
    told = await publish(here, release, version, asked=f"version {{ id }} }} {LACKING} ... on UserError {{ code")
    assert [(lack["what"], lack["message"][:50]) for lack in told["lacks"]] == [
        ("SPLITS", "The master pool of item 1 comes to 5000 of 10000 b")
    ]
    whole = [{"contributor": credited["nova"]["contributor"]["id"], "basisPoints": 10_000}]
    given = {"asset": song, "pool": "MASTER", "shares": whole, "expectedVersion": await version_of(here, song)}
    await here.do("ada", "setSplits", "asset { id }", **given)
    item = json.loads((await publish(here, release, version))["version"]["manifest"]["body"])["items"][0]
    assert [credit["name"] for credit in item["credits"]] == ["nova"]
    assert [(share["name"], share["basisPoints"]) for share in item["splits"]["master"]] == [("nova", 10_000)]


@pytest.mark.parametrize("state", ["PRIVATE", "UNLISTED", "ARCHIVED"])
async def test_what_is_its_owners_is_shown_however_it_stood_and_that_it_did_stays_known(
    here: Company, state: str
) -> None:
    song = await made(here, "Song")
    await here.do("ada", "setAssetState", "asset { id }", id=song, state=state, expectedVersion=1)
    release, version = await draft(here, song)
    told = await publish(here, release, version)
    assert told["version"]["items"]["nodes"][0]["asset"]["state"] == "PUBLIC"
    stood = "SELECT state FROM asset_standing WHERE asset_id = :id AND upper_inf(known) ORDER BY lower(valid)"
    states = [row.state for row in await rows(here, stood, id=parse_ref(song).id)]
    assert states == list(dict.fromkeys(["PRIVATE", state, "PUBLIC"]))
