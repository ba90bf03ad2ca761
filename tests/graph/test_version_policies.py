"""Policies of versions, which speak while the version is out and its release is asked, and rules for one agent alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from domain.accounts import ANONYMOUS, PROGRAM, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from resolvers.context import now
from tests.graph.albums import SIGNER, album, draft, made, publish, rows
from tests.graph.buyers import PRICED as PRICED_SYNC
from tests.graph.buyers import key_of, quote, viewer_of
from tests.graph.company import Company, company
from tests.graph.readers import reader_of

RIGHTS = "id rights(uses: [REMIX], asOf: $asOf) { layer decision reasons blockers { asset { id } policy { id agent { id } } } }"
RULES = "version: node(id: $id) { ... on ReleaseVersion { policy { id } agentRules { totalCount nodes { id agent { id } } } } }"
DENIED = [{"use": "REMIX", "decision": "DENIED"}]
PRICED = [{"use": "REMIX", "decision": "LICENSE_REQUIRED"}]


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        each.house.signer = SIGNER
        yield each


def agent(here: Company, *artists: str, who: str = "bo") -> Viewer:
    """A program with a key of somebody's, which takes licenses for some artists."""
    acts_for = tuple(here.keys[artist] for artist in artists)
    return Viewer(here.keys[who], is_agent=True, acts_for=acts_for, scopes=frozenset(KeyScope))


async def asked(here: Company, viewer: Viewer, document: str, **variables: Any) -> Any:
    body = json.loads((await reader_of(here.database).answer(document, None, variables, viewer)).body)
    assert "errors" not in body, body
    return next(iter(body["data"].values()))


async def heard(here: Company, asset: str, viewer: Viewer = ANONYMOUS, **when: Any) -> tuple[str, str]:
    """(decision, the level that spoke) of a remix of an asset."""
    document = f"query ($id: ID!, $asOf: DateTime) {{ asset(id: $id) {{ {RIGHTS} }} }}"
    verdicts = (await asked(here, viewer, document, id=asset, **when))["rights"]
    assert len({(verdict["decision"], verdict["reasons"][0]) for verdict in verdicts}) == 1
    return verdicts[0]["decision"], verdicts[0]["reasons"][0]


async def states(here: Company, subject: str, *, who: str = "ada", **given: Any) -> Any:
    flipped = "flipped { count changes { asset { id } before after } }"
    return await here.do(who, "setPolicy", f"policy {{ id level agent {{ id }} }} {flipped}", subject=subject, **given)


async def test_a_versions_policy_speaks_while_it_is_out_and_its_release_is_asked(here: Company) -> None:
    song = await made(here, "Song")
    await states(here, song, license="CC0-1.0")
    release, version = await draft(here, song)
    await states(here, release, license="CC0-1.0")
    stated = await states(here, version, terms=DENIED)
    assert (stated["policy"]["level"], stated["flipped"]["count"]) == ("VERSION", 0), "a draft is not asked"
    published = await publish(here, release, version)
    manifest = json.loads(published["version"]["manifest"]["body"])
    terms = {use["use"]: use["terms"] for use in manifest["release"]["policy"]}["REMIX"]
    assert ("VERSION", "DENIED") in {(term["level"], term["decision"]) for term in terms}
    was_out = now()
    assert await heard(here, release) == ("DENIED", "VERSION")
    assert await heard(here, song) == ("ALLOWED", "ASSET")

    made_of_it = await made(here, "Medley")
    await states(here, made_of_it, license="CC0-1.0")
    await here.do("ada", "declareEdge", "edge { id }", child=made_of_it, parent=release, kind="SAMPLES")
    await here.do("ada", "setAssetState", "asset { id }", id=made_of_it, state="PUBLIC", expectedVersion=1)
    assert await heard(here, made_of_it) == ("ALLOWED", "ASSET"), "of what is made of it its release speaks"

    opened = await states(here, version, terms=PRICED)
    assert {(it["asset"]["id"], it["before"], it["after"]) for it in opened["flipped"]["changes"]} == {
        (release, "DENIED", "LICENSE_REQUIRED")
    }
    _, second = await draft(here, song, release=release)
    await publish(here, release, second)
    assert await heard(here, release) == ("ALLOWED", "ASSET"), "the next version says nothing of its own"
    assert await heard(here, release, asOf=was_out.isoformat()) == ("DENIED", "VERSION")
    late = await states(here, version, license="CC0-1.0")
    assert (late["code"], late["path"]) == ("CONFLICT", ["subject"])


async def test_a_rule_is_heard_by_the_agent_it_is_for_and_by_nobody_else(here: Company) -> None:
    release, version, _ = await album(here)
    await states(here, release, license="CC0-1.0")
    for item in await rows(here, "SELECT asset_id FROM release_item"):
        await states(here, str(Ref(Kind.TRACK, item.asset_id)), license="CC0-1.0")
    stated = await states(here, version, agent=here.ids["far"], terms=DENIED)
    assert (stated["policy"]["level"], stated["policy"]["agent"]["id"]) == ("AGENT_RULE", here.ids["far"])
    assert stated["flipped"]["count"] == 0, "for everybody else nothing changes"
    await states(here, version, agent=here.ids["nova"], terms=PRICED)
    person = Viewer(here.keys["bo"], (here.keys["far"],), (here.keys["far"],))
    told = {
        "its own": await heard(here, release, agent(here, "far")),
        "the other's": await heard(here, release, agent(here, "nova")),
        "of both": await heard(here, release, agent(here, "far", "nova")),
        "a program of nobody": await heard(here, release, agent(here)),
        "a program without a key": await heard(here, release, PROGRAM),
        "the person": await heard(here, release, person),
        "anybody": await heard(here, release),
    }
    assert told == {
        "its own": ("DENIED", "AGENT_RULE"),
        "the other's": ("LICENSE_REQUIRED", "AGENT_RULE"),
        "of both": ("DENIED", "AGENT_RULE"),
        **dict.fromkeys(
            ("a program of nobody", "a program without a key", "the person", "anybody"), ("ALLOWED", "ASSET")
        ),
    }


async def test_a_rule_is_seen_by_the_owner_and_by_the_agent_it_is_for(here: Company) -> None:
    release, version, _ = await album(here)
    rule = (await states(here, version, agent=here.ids["far"], terms=DENIED))["policy"]["id"]
    await states(here, version, agent=here.ids["nova"], terms=PRICED)
    document = f"query ($id: ID!) {{ {RULES} }}"
    owner = Viewer(here.keys["ada"], (here.keys["nova"],), (here.keys["nova"],))
    stranger = Viewer(here.keys["cy"])
    for viewer, count in ((owner, 2), (agent(here, "far"), 1), (stranger, 0), (ANONYMOUS, 0), (agent(here), 0)):
        shown = await asked(here, viewer, document, id=version)
        assert (shown["agentRules"]["totalCount"], shown["policy"]) == (count, None)
        by_id = await asked(here, viewer, "query ($id: ID!) { node(id: $id) { id } }", id=rule)
        assert (by_id is not None) == (count > 0)
    told = await asked(here, agent(here, "far"), document, id=version)
    assert [node["id"] for node in told["agentRules"]["nodes"]] == [rule]
    _, second = await draft(here, await made(here, "Another"), release=release)
    await states(here, second, agent=here.ids["far"], terms=DENIED)
    out = await publish(here, release, second)
    assert "AGENT_RULE" not in out["version"]["manifest"]["body"], "what is between two is not published"


async def test_a_rule_ends_and_what_was_told_by_it_is_told_again(here: Company) -> None:
    release, version, _ = await album(here)
    await states(here, version, agent=here.ids["far"], terms=DENIED)
    record = """mutation ($input: RecordPermissionCheckInput!) { recordPermissionCheck(input: $input) {
      ... on RecordPermissionCheckSuccess { receipt { id body } } } }"""
    program = agent(here, "far")
    receipt = (await asked(here, program, record, input={"id": release, "uses": ["REMIX"]}))["receipt"]
    answer = json.loads(receipt["body"])["answer"]
    assert (answer["decision"], answer["verdicts"][0]["reasons"][0]) == ("DENIED", "AGENT_RULE")
    ended = await here.do("ada", "withdrawPolicy", "flipped { count }", subject=version, agent=here.ids["far"])
    assert ended["flipped"]["count"] == 0
    assert await heard(here, release, program) == await heard(here, release)
    _, second = await draft(here, await made(here, "Another"), release=release)
    assert (await publish(here, release, second))["version"]["state"] == "PUBLISHED"
    again = await asked(
        here, program, "query ($id: ID!) { replay(receiptId: $id) { reproduced body } }", id=receipt["id"]
    )
    assert again == {"reproduced": True, "body": receipt["body"]}


async def test_a_rule_has_a_price_of_its_own(here: Company) -> None:
    await states(here, here.ids["nova"], terms=[PRICED_SYNC])
    release, version, _ = await album(here, count=1)
    program = await viewer_of(here, await key_of(here, "bo"))
    prices = [(await quote(here, program, release, "SYNC"))["price"]["amountMinor"]]
    cheaper = {**PRICED_SYNC, "price": {"amountMinor": 120, "currency": "USD"}}
    await states(here, version, agent=here.ids["far"], terms=[cheaper])
    prices.append((await quote(here, program, release, "SYNC"))["price"]["amountMinor"])
    assert prices == [1000, 620], "the release and its track"


async def test_a_refusal_is_typed_and_leaves_no_policy(here: Company) -> None:
    _, version, _ = await album(here)
    unknown = "artist_01h455vb4pex5vsknk084sn02q"
    strangers = await states(here, version, who="bo", terms=DENIED)
    assert (strangers["code"], strangers["path"]) == ("NOT_FOUND", ["subject"])
    nobody = await states(here, version, agent=unknown, terms=DENIED)
    assert (nobody["code"], nobody["path"]) == ("NOT_FOUND", ["agent"])
    nothing = await here.do("ada", "withdrawPolicy", subject=version, agent=here.ids["far"], asked="__typename")
    assert nothing["code"] == "CONFLICT"
    assert await rows(here, "SELECT id FROM policy WHERE level IN ('VERSION', 'AGENT_RULE')") == []
    body = {"input": {"subject": here.ids["track"], "agent": here.ids["far"], "license": "CC0-1.0"}}
    document = "mutation ($input: SetPolicyInput!) { setPolicy(input: $input) { __typename } }"
    owner = Viewer(here.keys["ada"], (here.keys["nova"],), (here.keys["nova"],))
    refused = json.loads((await reader_of(here.database).answer(document, None, body, owner)).body)
    assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
