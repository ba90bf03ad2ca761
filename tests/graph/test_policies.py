"""Stating what may be done: presets, terms of one's own, every version kept, and whose verdicts flip."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from graph.reading import Reader
from resolvers.context import now
from tests.graph.company import ADA, ADAS, BO, BOS, add_artist, add_asset, add_edge, add_owners, ask, left_behind
from tests.graph.readers import reader_of

CLEO = UUID(int=23)
AGENT = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True)
LOOP, REMIX, MEDLEY, SECRET = UUID(int=101), UUID(int=102), UUID(int=103), UUID(int=104)
LEFT_BEHIND = (tables.policy, tables.provenance_event, tables.change, tables.outbox)

CHANGES = "count owners complete endCursor changes { asset { id } owner { handle } hook { id } use layer before after }"
SET = f"""mutation ($input: SetPolicyInput!) {{ setPolicy(input: $input) {{ __typename
  ... on UserError {{ code message path }}
  ... on SetPolicySuccess {{ policy {{ id license licenseFamily level terms {{ use decision attribution shareAlike }} }}
    flipped {{ {CHANGES} }} }} }} }}"""
SIMULATE = f"""query ($subject: ID!, $preset: PolicyPreset, $license: String, $after: String, $first: Int) {{
  simulatePolicy(subject: $subject, preset: $preset, license: $license, after: $after, first: $first)
  {{ {CHANGES} }} }}"""


def ref(id_: UUID, kind: Kind = Kind.TRACK) -> str:
    return str(Ref(kind, id_))


@pytest.fixture
async def reader(database: Database) -> Reader:
    """Bo's remix of Ada's loop, Cleo's medley of the remix, and a secret of Bo's made of the loop."""
    async with database.write() as connection:
        await add_owners(connection)
        await add_artist(connection, CLEO, "cleo")
        for id_, owner, shown in (
            (LOOP, ADA, "PUBLIC"),
            (REMIX, BO, "PUBLIC"),
            (MEDLEY, CLEO, "PUBLIC"),
            (SECRET, BO, "PRIVATE"),
        ):
            await add_asset(connection, id_, owner, shown, duration_ms=60_000)
        for child, parent in ((REMIX, LOOP), (MEDLEY, REMIX), (SECRET, LOOP)):
            await add_edge(connection, child, parent, "REMIX_OF")
    reader = reader_of(database)
    open_to_all = {"license": "CC0-1.0"}
    for viewer, asset in ((BOS, REMIX), (BOS, SECRET), (ADAS, LOOP)):
        await state(reader, viewer, asset, **open_to_all)
    return reader


async def state(reader: Reader, viewer: Viewer, subject: UUID, kind: Kind = Kind.TRACK, **given: Any) -> Any:
    return await ask(reader, viewer, SET, input={"subject": ref(subject, kind), **given})


async def decision(reader: Reader, asset: UUID, use: str, **when: Any) -> str:
    document = """query ($id: ID!, $uses: [Use!], $asOf: DateTime, $knownAt: DateTime) {
      asset(id: $id) { rights(uses: $uses, asOf: $asOf, knownAt: $knownAt) { decision } } }"""
    found = await ask(reader, ANONYMOUS, document, id=ref(asset), uses=[use], **when)
    return max(
        (verdict["decision"] for verdict in found["rights"]),
        key=["ALLOWED", "LICENSE_REQUIRED", "CONTACT_OWNER", "UNKNOWN", "DENIED"].index,
    )


async def test_a_license_is_stated_use_by_use_and_leaves_its_traces(reader: Reader, database: Database) -> None:
    before = await left_behind(database, LEFT_BEHIND)
    answer = await state(reader, ADAS, LOOP, license="CC-BY-SA-4.0")
    assert (answer["policy"]["licenseFamily"], answer["policy"]["level"]) == ("CC_BY_SA", "ASSET")
    assert {term["shareAlike"] for term in answer["policy"]["terms"]} == {"CC-BY-SA-4.0"}
    # The row that ended is closed and told with its end; each owner whose verdict flips is told.
    owners = answer["flipped"]["owners"]
    assert await left_behind(database, LEFT_BEHIND) == [
        count + more for count, more in zip(before, (2, 1, 1, 1 + owners), strict=True)
    ]


async def test_what_is_simulated_is_what_saving_flips_and_only_that(reader: Reader) -> None:
    foreseen = await ask(reader, ADAS, SIMULATE, subject=ref(LOOP), preset="ALL_RIGHTS_RESERVED")
    before = {asset: await decision(reader, asset, "SYNC") for asset in (LOOP, REMIX, MEDLEY)}
    saved = (await state(reader, ADAS, LOOP, preset="ALL_RIGHTS_RESERVED"))["flipped"]
    assert saved == foreseen
    told = {
        (change["asset"]["id"], change["before"], change["after"])
        for change in saved["changes"]
        if change["asset"] and change["use"] == "SYNC"
    }
    expected = {
        (ref(asset), old, new) for asset, old in before.items() if (new := await decision(reader, asset, "SYNC")) != old
    }
    assert told == expected
    assert {(ref(LOOP), "ALLOWED", "LICENSE_REQUIRED"), (ref(REMIX), "ALLOWED", "LICENSE_REQUIRED")} == expected


async def test_what_the_owner_may_not_see_counts_and_is_not_named(reader: Reader) -> None:
    foreseen = await ask(reader, ADAS, SIMULATE, subject=ref(LOOP), preset="ALL_RIGHTS_RESERVED", first=1000)
    hidden = [change for change in foreseen["changes"] if change["asset"] is None]
    assert hidden
    assert all(change["owner"] is None for change in hidden)
    assert foreseen["count"] == len(foreseen["changes"])
    assert ref(SECRET) not in json.dumps(foreseen)


async def test_pages_of_a_simulation_make_the_whole(reader: Reader) -> None:
    whole = await ask(reader, ADAS, SIMULATE, subject=ref(LOOP), preset="ALL_RIGHTS_RESERVED", first=1000)
    found: list[Any] = []
    after = None
    while True:
        page = await ask(reader, ADAS, SIMULATE, subject=ref(LOOP), preset="ALL_RIGHTS_RESERVED", first=7, after=after)
        found += page["changes"]
        if page["complete"]:
            break
        after = page["endCursor"]
    assert found == whole["changes"]


async def test_every_version_is_kept_and_answers_for_its_time(reader: Reader) -> None:
    open_until = now()
    await state(reader, ADAS, LOOP, preset="ALL_RIGHTS_RESERVED")
    assert await decision(reader, REMIX, "SYNC") == "LICENSE_REQUIRED"
    assert await decision(reader, REMIX, "SYNC", asOf=open_until.isoformat()) == "ALLOWED"
    known_now = (now() + timedelta(seconds=1)).isoformat()
    assert await decision(reader, REMIX, "SYNC", asOf=open_until.isoformat(), knownAt=known_now) == "ALLOWED"


async def test_an_artists_policy_speaks_for_what_says_nothing_itself(reader: Reader) -> None:
    quiet = await ask(reader, BOS, SIMULATE, subject=ref(BO, Kind.ARTIST), preset="OPEN_TO_REMIX")
    assert quiet["count"] == 0, "both of Bo's tracks speak for themselves"
    withdraw = """mutation ($input: WithdrawPolicyInput!) { withdrawPolicy(input: $input) { __typename
      ... on WithdrawPolicySuccess { flipped { count } } } }"""
    assert (await ask(reader, BOS, withdraw, input={"subject": ref(REMIX)}))["flipped"]["count"] > 0
    assert await decision(reader, REMIX, "REMIX") == "CONTACT_OWNER"
    assert (await state(reader, BOS, BO, Kind.ARTIST, preset="OPEN_TO_REMIX"))["policy"]["level"] == "ARTIST"
    assert await decision(reader, REMIX, "REMIX") == "ALLOWED"


async def test_rights_changes_tell_what_upstream_changed_since(reader: Reader) -> None:
    since = now().isoformat()
    document = f"query ($since: DateTime!) {{ rightsChanges(since: $since, first: 1000) {{ {CHANGES} }} }}"
    assert (await ask(reader, BOS, document, since=since))["count"] == 0
    await state(reader, ADAS, LOOP, preset="ALL_RIGHTS_RESERVED")
    told = await ask(reader, BOS, document, since=since)
    assert {change["asset"]["id"] for change in told["changes"]} == {ref(REMIX), ref(SECRET)}
    assert {change["owner"]["handle"] for change in told["changes"]} == {"bo"}
    assert await ask(reader, ANONYMOUS, document, since=since) is None


@pytest.mark.parametrize(
    ("viewer", "subject", "given", "code", "path"),
    [
        (ANONYMOUS, LOOP, {"license": "CC0-1.0"}, "UNAUTHENTICATED", []),
        (AGENT, LOOP, {"license": "CC0-1.0"}, "FORBIDDEN", []),
        (BOS, LOOP, {"license": "CC0-1.0"}, "NOT_FOUND", ["subject"]),
        (ADAS, SECRET, {"license": "CC0-1.0"}, "NOT_FOUND", ["subject"]),
        (ADAS, UUID(int=999), {"license": "CC0-1.0"}, "NOT_FOUND", ["subject"]),
        (ADAS, LOOP, {}, "VALIDATION", ["license"]),
        (ADAS, LOOP, {"license": "MIT-ish"}, "VALIDATION", ["license"]),
        (ADAS, LOOP, {"license": "CC0-1.0", "preset": "OPEN_TO_REMIX"}, "VALIDATION", ["preset"]),
        (
            ADAS,
            LOOP,
            {"terms": [{"use": "SYNC", "decision": "ALLOWED", "startsOn": "2026-02-01", "endsOn": "2026-01-01"}]},
            "VALIDATION",
            ["terms", "0", "endsOn"],
        ),
        (
            ADAS,
            LOOP,
            {"terms": [{"use": "SYNC", "decision": "ALLOWED"}, {"use": "SYNC", "decision": "DENIED"}]},
            "VALIDATION",
            ["terms", "1"],
        ),
        (
            ADAS,
            LOOP,
            {"license": "CC0-1.0", "expectedPolicy": ref(UUID(int=5), Kind.POLICY)},
            "CONFLICT",
            ["expectedPolicy"],
        ),
    ],
)
async def test_a_refusal_is_typed_and_writes_nothing(
    reader: Reader, database: Database, viewer: Viewer, subject: UUID, given: dict[str, Any], code: str, path: list[str]
) -> None:
    before = await left_behind(database, LEFT_BEHIND)
    answer = await state(reader, viewer, subject, **given)
    assert (answer["code"], answer["path"]) == (code, path)
    assert await left_behind(database, LEFT_BEHIND) == before


async def test_what_is_not_yours_to_change_is_not_simulated(reader: Reader) -> None:
    for subject in (ref(LOOP), ref(UUID(int=999)), ref(SECRET)):
        assert await ask(reader, ANONYMOUS, SIMULATE, subject=subject, preset="OPEN_TO_REMIX") is None
    assert await ask(reader, BOS, SIMULATE, subject=ref(LOOP), preset="OPEN_TO_REMIX") is None


async def test_an_edge_is_foreseen_as_it_comes_about(reader: Reader) -> None:
    await state(reader, ADAS, LOOP, preset="ALL_RIGHTS_RESERVED")
    free = UUID(int=105)
    document = f"""query ($child: ID!, $parent: ID!) {{ simulateEdge(child: $child, parent: $parent, kind: SAMPLES)
      {{ {CHANGES} }} }}"""
    foreseen = await ask(reader, BOS, document, child=ref(SECRET), parent=ref(MEDLEY))
    assert {change["asset"]["id"] for change in foreseen["changes"]} <= {ref(SECRET)}
    assert await ask(reader, ADAS, document, child=ref(SECRET), parent=ref(LOOP)) is None
    assert await ask(reader, BOS, document, child=ref(free), parent=ref(LOOP)) is None


async def test_what_the_parents_side_would_say_flips_nothing_yet(reader: Reader) -> None:
    await state(reader, ADAS, LOOP, preset="ALL_RIGHTS_RESERVED")
    document = """query ($child: ID!, $parent: ID!) { simulateEdge(child: $child, parent: $parent, kind: SAMPLES)
      { count complete } }"""
    told = await ask(reader, ADAS, document, child=ref(REMIX), parent=ref(LOOP))
    assert told == {"count": 0, "complete": True}


async def test_a_takedown_is_foreseen_as_it_comes_about(reader: Reader, database: Database) -> None:
    document = f"query ($id: ID!) {{ simulateTakedown(id: $id, first: 1000) {{ {CHANGES} }} }}"
    foreseen = await ask(reader, ADAS, document, id=ref(LOOP))
    uses = ["REMIX", "SYNC", "AI_TRAINING"]
    before = {(asset, use): await decision(reader, asset, use) for asset in (REMIX, MEDLEY) for use in uses}
    async with database.write() as connection:
        await connection.execute(update(tables.asset).where(tables.asset.c.id == LOOP).values(state="WITHDRAWN"))
    after = {(asset, use): await decision(reader, asset, use) for asset, use in before}
    told = {
        (change["asset"]["id"], change["use"], change["before"], change["after"])
        for change in foreseen["changes"]
        if change["asset"] and change["asset"]["id"] != ref(LOOP) and change["use"] in uses
    }
    assert told == {
        (ref(asset), use, old, after[asset, use]) for (asset, use), old in before.items() if old != after[asset, use]
    }
    assert set(after.values()) == {"DENIED"}
    assert await decision(reader, LOOP, "REMIX") == "DENIED", "of what is withdrawn, this is told by id"
    assert await ask(reader, BOS, document, id=ref(LOOP)) is None
