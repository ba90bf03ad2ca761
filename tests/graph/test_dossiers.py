"""Dossiers, DNA and rolodexes: all of a release on one page, each reader told what is theirs to know."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from db import tables
from db.accounts import viewer_of_account
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import parse_ref
from domain.keys import KeyScope
from graph.execution import Execution
from graph.fields import write_moment
from resolvers.context import now, uuid7
from tests.graph.albums import KEYS, SIGNER, draft, made, publish, sound, version_of
from tests.graph.company import Company, company
from tests.graph.readers import reader_of

LINES = """
  release { id title } version { id number state } manifest { hash signatureState } policy { license }
  credits { totalCount nodes { role acceptance contributor { name } asset { id } } }
  splits(pool: MASTER) { nodes { basisPoints asset { id } } }
  parents { nodes { kind child { id } parent { id } } } children(kinds: [SAMPLES]) { nodes { child { id } } }
  provenance(last: 1) { nodes { kind sequence } }
"""
DOSSIER = f"""query ($id: ID!) {{ dossier(releaseId: $id) {{ {LINES}
  versions {{ nodes {{ id state }} }} participation {{ openTo }}
  verdicts(uses: [REMIX]) {{ layer decision }} ancestors {{ assets {{ asset {{ id }} distance }} complete }}
  descendants {{ assets {{ asset {{ id }} }} }} integrity {{ state }} }} }}"""
DNA = f"""query ($id: ID!) {{ dna(releaseId: $id) {{ {LINES}
  items {{ nodes {{ position asset {{ id }} }} }} draft {{ id }} sources {{ nodes {{ sha256 asset {{ id }} }} }}
  grants {{ nodes {{ grantee {{ handle }} }} }} jobs {{ nodes {{ kind state }} }}
  verdicts(uses: [REMIX]) {{ layer decision }} ancestors {{ assets {{ distance }} }} integrity {{ state }} }} }}"""
ROLODEX = """query ($handle: String!) { rolodex(handle: $handle) { artist { handle }
  chronology(first: 10) { nodes { title madeOn } pageInfo { hasNextPage endCursor } totalCount }
  sources { nodes { sha256 asset { title } } } contributions { nodes { role asset { title } } }
  releasePosture policyInWords parents { nodes { kind child { title } parent { title } } }
  children { nodes { child { title } } } } }"""


@pytest.fixture(params=Execution, ids=lambda execution: execution.name)
async def here(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path, request.param) as each:
        each.house.signer, each.house.keys = SIGNER, lambda: KEYS
        yield each


async def source_of(here: Company, asset: str, digit: str) -> str:
    """Keep a private file with an asset."""
    row = {"id": uuid7(), "asset_id": parse_ref(asset).id, "role": "SOURCE", "sha256": digit * 64}
    async with here.database.write() as connection:
        await connection.execute(insert(tables.media).values(row))
    return digit * 64


async def as_key(here: Company, document: str, *artists: str, **variables: Any) -> Any:
    """What a key with every scope is answered that holds some artists."""
    held = tuple(here.keys[name] for name in artists)
    viewer = Viewer(here.keys["ada"], held, held, is_agent=True, scopes=frozenset(KeyScope))
    reader = reader_of(here.database, here.execution)
    told = json.loads((await reader.answer(document, None, variables, viewer)).body)
    assert "errors" not in told, told
    return next(iter(told["data"].values()))


async def release_of(here: Company) -> dict[str, str]:
    """An album of Nova's that is out: a song with everything, a song of Far's, and a remix of the first by Far."""
    song, draft_of = await made(here, "Song"), await made(here, "Sketch")
    party = {"party": {"artist": here.ids["nova"]}, "role": "MAIN_ARTIST"}
    outsider = {"party": {"name": "José"}, "role": "PRODUCER"}
    given = {"asset": song, "credits": [party, outsider], "expectedVersion": 1}
    await here.do("ada", "setCredits", "asset { id }", **given)
    contributor = (await here.ask("ada", CONTRIBUTORS, id=song))[0]["credits"]["nodes"][0]["contributor"]["id"]
    shares = {"asset": song, "pool": "MASTER", "shares": [{"contributor": contributor, "basisPoints": 10_000}]}
    await here.do("ada", "setSplits", "asset { id }", **shares, expectedVersion=await version_of(here, song))
    for child, parent, who in ((song, here.ids["track"], "ada"), (here.ids["other"], here.ids["track"], "bo")):
        edge = {"child": child, "parent": parent, "kind": "SAMPLES"}
        assert (await here.do(who, "declareEdge", "edge { id }", **edge))["__typename"] == "DeclareEdgeSuccess"
    await sound(here, here.ids["other"], None)
    release, version = await draft(here, song, here.ids["other"])
    await here.do("ada", "setPolicy", "policy { id }", subject=release, license="CC-BY-4.0")
    terms = [{"use": "SYNC", "decision": "ALLOWED", "territories": ["DE"]}]
    grant = {"asset": song, "grantee": here.ids["far"], "terms": terms}
    assert (await here.do("ada", "grantUse", "grant { id }", **grant))["__typename"] == "GrantUseSuccess"
    told = await publish(here, release, version)
    assert told["__typename"] == "PublishVersionSuccess", told
    made_of_it = {"child": draft_of, "parent": song, "kind": "SAMPLES"}
    await here.do("ada", "declareEdge", "edge { id }", **made_of_it)
    hash_ = told["version"]["manifest"]["hash"]
    return {"release": release, "version": version, "song": song, "sketch": draft_of, "hash": hash_}


CONTRIBUTORS = "query ($id: ID!) { asset(id: $id) { credits { nodes { contributor { id } } } } }"


async def test_a_dossier_is_a_release_and_everything_around_it_on_one_page(here: Company) -> None:
    ids = await release_of(here)
    await here.do("bo", "joinWorld", "entitlement { id }", artist=here.ids["nova"])
    given = {"subject": ids["release"], "handle": "cy"}
    assert (await here.do("ada", "grantEntitlement", "entitlement { id }", **given))["__typename"] != "NotFoundError"
    told, _ = await here.ask("ada", DOSSIER, id=ids["release"])
    assert told["release"] == {"id": ids["release"], "title": "Album"}
    assert told["version"] == {"id": ids["version"], "number": 1, "state": "PUBLISHED"}
    assert told["manifest"] == {"hash": ids["hash"], "signatureState": "SIGNED"}
    assert told["policy"] == {"license": "CC-BY-4.0"}
    named = [(each["role"], each["acceptance"], each["contributor"]["name"]) for each in told["credits"]["nodes"]]
    assert named == [("MAIN_ARTIST", "ACCEPTED", "nova"), ("PRODUCER", "PROPOSED", "José")]
    assert {each["asset"]["id"] for each in told["credits"]["nodes"]} == {ids["song"]}
    assert told["splits"]["nodes"] == [{"basisPoints": 10_000, "asset": {"id": ids["song"]}}]
    up = {(edge["child"]["id"], edge["parent"]["id"]) for edge in told["parents"]["nodes"]}
    assert up == {(ids["song"], here.ids["track"]), (here.ids["other"], here.ids["track"])}
    assert [edge["child"]["id"] for edge in told["children"]["nodes"]] == [ids["sketch"]]
    assert told["provenance"]["nodes"][0]["kind"] == "RELEASE_PUBLISHED"
    assert told["versions"]["nodes"] == [{"id": ids["version"], "state": "PUBLISHED"}]
    assert {verdict["decision"] for verdict in told["verdicts"]} == {"CONTACT_OWNER"}
    assert {each["asset"]["id"]: each["distance"] for each in told["ancestors"]["assets"]} == {
        ids["song"]: 1,
        here.ids["other"]: 1,
        here.ids["track"]: 2,
    }
    assert told["descendants"]["assets"] == []
    assert told["participation"] == {"openTo": 2}
    assert told["integrity"] == {"state": "PENDING"}


async def test_a_dossier_tells_each_reader_what_they_may_see(here: Company) -> None:
    ids = await release_of(here)
    given = {"release": ids["release"], "expectedVersion": await version_of(here, ids["release"])}
    begun = await here.do("ada", "createVersion", "version { id }", **given)
    whole, _ = await here.ask("ada", DOSSIER, id=ids["release"])
    assert [each["id"] for each in whole["versions"]["nodes"]] == [begun["version"]["id"], ids["version"]]
    for who in (None, "bo"):
        told, body = await here.ask(who, DOSSIER, id=ids["release"])
        assert (told["participation"], told["integrity"]) == (None, None)
        assert [each["id"] for each in told["versions"]["nodes"]] == [ids["version"]]
        # The sketch is private: that something was made stays, and not what.
        assert told["children"]["nodes"] == [{"child": None}]
        assert ids["sketch"] not in body
        assert told["manifest"]["hash"] == ids["hash"]
        same = ("release", "version", "policy", "credits", "splits", "parents", "provenance", "verdicts")
        assert {name: told[name] for name in same} == {name: whole[name] for name in same}
    # What is closed later takes its credits and edges along.
    await here.do(
        "ada",
        "setAssetState",
        "asset { id }",
        id=ids["song"],
        state="PRIVATE",
        expectedVersion=await version_of(here, ids["song"]),
    )
    told, body = await here.ask(None, DOSSIER, id=ids["release"])
    assert (told["credits"], told["splits"]["nodes"]) == ({"totalCount": 0, "nodes": []}, [])
    assert [edge["child"]["id"] for edge in told["parents"]["nodes"]] == [here.ids["other"]]
    assert ids["song"] not in body
    assert (await here.ask("ada", DOSSIER, id=ids["release"]))[0]["credits"]["totalCount"] == 2


async def test_of_a_release_that_waits_people_see_a_teaser_and_of_a_withdrawn_one_a_stub(here: Company) -> None:
    release, _ = await draft(here, await made(here, "Song"))
    assert (await here.ask(None, DOSSIER, id=release))[0] is None
    given = {"release": release, "at": write_moment(now() + timedelta(days=3))}
    await here.do("ada", "scheduleRelease", "release { id }", **given, expectedVersion=await version_of(here, release))
    teased, _ = await here.ask(None, DOSSIER, id=release)
    assert teased["release"] == {"id": release, "title": "Album"}
    shown = {
        name for name, value in teased.items() if value not in (None, [], {"nodes": []}, {"totalCount": 0, "nodes": []})
    }
    assert shown == {"release"}
    assert await as_key(here, DOSSIER, id=release) is None
    ids = await release_of(here)
    gone = {"release": ids["release"], "expectedVersion": await version_of(here, ids["release"])}
    await here.do("ada", "withdrawRelease", "release { id }", **gone)
    stub, _ = await here.ask(None, DOSSIER, id=ids["release"])
    assert stub["release"]["title"] == "Album"
    assert {verdict["decision"] for verdict in stub["verdicts"]} == {"DENIED"}
    left = {
        name for name, value in stub.items() if value not in (None, [], {"nodes": []}, {"totalCount": 0, "nodes": []})
    }
    assert left == {"release", "verdicts"}
    assert (await here.ask("ada", DOSSIER, id=ids["release"]))[0]["manifest"]["hash"] == ids["hash"]


async def test_a_dna_is_whole_for_its_people_a_part_for_programs_and_nothing_for_others(here: Company) -> None:
    ids = await release_of(here)
    await here.joined("cy", "MEMBER")
    file = await source_of(here, ids["song"], "5")
    await source_of(here, here.ids["track"], "6")
    given = {"release": ids["release"], "expectedVersion": await version_of(here, ids["release"])}
    begun = await here.do("ada", "createVersion", "version { id }", **given)
    whole, _ = await here.ask("ada", DNA, id=ids["release"])
    assert whole["draft"] == begun["version"]
    assert whole["sources"]["nodes"] == [{"sha256": file, "asset": {"id": ids["song"]}}]
    assert whole["grants"]["nodes"] == [{"grantee": {"handle": "far"}}]
    assert {job["kind"] for job in whole["jobs"]["nodes"]} >= {"REGENERATE_MANIFEST", "VERIFY_SIGNATURE"}
    assert [item["asset"]["id"] for item in whole["items"]["nodes"]] == [ids["song"], here.ids["other"]]
    assert whole["integrity"] == {"state": "PENDING"}
    member, _ = await here.ask("cy", DNA, id=ids["release"])
    assert member == {**whole, "integrity": None}, "who may not change it has nothing checked"
    assert [(await here.ask(who, DNA, id=ids["release"]))[0] for who in (None, "bo")] == [None, None]
    redacted = {
        "draft": None,
        "sources": {"nodes": []},
        "grants": {"nodes": []},
        "jobs": {"nodes": []},
        "integrity": None,
    }
    for artists in ((), ("nova",)):
        told = await as_key(here, DNA, *artists, id=ids["release"])
        # What is private stays with those who hold it.
        children = told["children"] if artists else whole["children"]
        assert {**told, "children": children} == {**whole, **redacted}
    unseen, _ = await draft(here, await made(here, "Next"), title="Next")
    assert await as_key(here, DNA, id=unseen) is None
    assert (await as_key(here, DNA, "nova", id=unseen))["release"]["title"] == "Next"


async def test_a_rolodex_tells_its_people_what_was_made_when_with_what_and_with_whom(here: Company) -> None:
    ids = await release_of(here)
    file = await source_of(here, ids["sketch"], "7")
    for title, day in (("Old", "1999-12-31"), ("Older", "1998-01-31")):
        given = {"owner": here.ids["nova"], "title": title, "madeOn": day, "details": {"track": {}}}
        assert (await here.do("ada", "createAsset", "asset { id }", **given))["__typename"] == "CreateAssetSuccess"
    theme = {"seed": {"source": "CUSTOM", "hue": 1, "saturation": 2, "lightness": 3}, "releasePosture": "leaning"}
    await here.do("ada", "setTheme", "theme { id }", subject=here.ids["nova"], theme=theme)
    await here.joined("cy", "MEMBER")
    told, _ = await here.ask("ada", ROLODEX, handle="NOVA")
    titles = [node["title"] for node in told["chronology"]["nodes"]]
    assert titles[-2:] == ["Old", "Older"]
    assert set(titles[:-2]) == {"track", "release", "Song", "Sketch", "Album"}
    assert told["chronology"]["totalCount"] == 7
    assert told["sources"]["nodes"] == [{"sha256": file, "asset": {"title": "Sketch"}}]
    assert told["contributions"]["nodes"] == [{"role": "MAIN_ARTIST", "asset": {"title": "Song"}}]
    assert told["releasePosture"] == "leaning"
    assert "you may not train a model on it" not in told["policyInWords"], "a silent artist is never quoted as refusing"
    up = {(edge["child"]["title"], edge["parent"]["title"]) for edge in told["parents"]["nodes"]}
    assert up == {("Song", "track"), ("Sketch", "Song")}
    assert {edge["child"]["title"] for edge in told["children"]["nodes"]} == {"Song", "Sketch", "other"}
    await here.do("ada", "setPolicy", "policy { id }", subject=here.ids["nova"], license="CC-BY-4.0")
    stated, _ = await here.ask("cy", ROLODEX, handle="nova")
    assert stated["policyInWords"].startswith("You may remix it")
    assert {**stated, "policyInWords": ""} == {**told, "policyInWords": ""}
    assert [(await here.ask(who, ROLODEX, handle="nova"))[0] for who in (None, "bo")] == [None, None]
    assert await as_key(here, ROLODEX, "nova", handle="nova") is None


async def test_a_chronology_is_read_page_by_page_both_ways(here: Company) -> None:
    days = [None, "2001-05-05", "2001-05-05", "2003-01-01", None, "1950-01-01", "9998-12-31"]
    for number, day in enumerate(days):
        given = {"owner": here.ids["nova"], "title": f"{number}", "madeOn": day, "details": {"sample": {}}}
        await here.do("ada", "createAsset", "asset { id }", **given)
    page = """query ($a: Int, $c: String, $b: Int, $d: String) { rolodex(handle: "nova") {
      chronology(kinds: [SAMPLE], first: $a, after: $c, last: $b, before: $d) {
        nodes { title } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } } }"""
    forward: list[str] = []
    cursor = None
    while True:
        told, _ = await here.ask("ada", page, a=2, c=cursor)
        forward += [node["title"] for node in told["chronology"]["nodes"]]
        cursor = told["chronology"]["pageInfo"]["endCursor"]
        if not told["chronology"]["pageInfo"]["hasNextPage"]:
            break
    assert sorted(forward) == [str(number) for number in range(len(days))]
    # What says no day of its own is of the day it was written down; of one day, the later id is first.
    assert forward == ["6", "4", "0", "3", "2", "1", "5"]
    backward: list[str] = []
    cursor = None
    while True:
        told, _ = await here.ask("ada", page, b=3, d=cursor)
        backward = [node["title"] for node in told["chronology"]["nodes"]] + backward
        cursor = told["chronology"]["pageInfo"]["startCursor"]
        if not told["chronology"]["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == forward


@pytest.mark.parametrize("root", ["dossier", "dna", "rolodex"])
async def test_all_that_is_stored_of_it_is_one_statement(
    database: Database, statements: list[str], tmp_path: Path, root: str
) -> None:
    async with company(database, tmp_path) as here:
        ids = await release_of(here)
        async with database.read() as connection:
            ada = await viewer_of_account(connection, here.keys["ada"], now())
        of_itself = "draft { id } sources { nodes { id } } grants { nodes { id } } jobs { nodes { id } }"
        asked = {
            "dossier": f"dossier(releaseId: $id) {{ {LINES} versions {{ nodes {{ id }} }} participation {{ openTo }} }}",
            "dna": f"dna(releaseId: $id) {{ {LINES} items {{ nodes {{ id }} }} {of_itself} }}",
            "rolodex": ROLODEX.partition("{ ")[2].rpartition("}")[0].replace("policyInWords", ""),
        }[root]
        document = f"query (${'handle: String!' if root == 'rolodex' else 'id: ID!'}) {{ {asked} }}"
        variables = {"handle": "nova"} if root == "rolodex" else {"id": ids["release"]}
        reader = reader_of(database)
        for viewer in (ada, ANONYMOUS):
            statements.clear()
            told = json.loads((await reader.answer(document, None, variables, viewer)).body)
            assert "errors" not in told
            assert (told["data"][root] is None) == (viewer is ANONYMOUS and root != "dossier")
            assert len(statements) == 1
        assert reader.metrics.referred._value.get() == 0


async def test_a_track_has_no_dossier(here: Company) -> None:
    disguised = here.ids["track"].replace("track_", "release_")
    assert (await here.ask("ada", DOSSIER, id=disguised))[0] is None
    assert (await here.ask("ada", DNA, id=disguised))[0] is None
