"""What the feed tells, to whom and in which order; and how people come upon a release and pass it on."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from db import tables
from db.engine import Database
from domain.accounts import Viewer
from domain.assets import Badge
from domain.discovery import IN_WORDS, PART_OF, FeedKind, FeedReason
from domain.ids import parse_ref
from domain.measures import APART, SPENT
from graph.execution import Execution
from graph.fields import write_moment
from graph.reading import Reader
from resolvers.context import now, uuid7
from tests.graph.albums import album
from tests.graph.company import Company, company
from tests.graph.scene import Scene
from tests.graph.test_participation import measured

HOUR = timedelta(hours=1)
FEED = """query ($kind: FeedKind, $first: Int, $after: String, $last: Int, $before: String) {
  feed(kind: $kind, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor why inWords at node { __typename ... on Ritual { id } ... on Hook { id } ... on Release { id } } } } }"""
LISTED = (
    "{ hooks(first: 100) { nodes { id } } rituals(first: 100) { nodes { id } } assets(first: 100) { nodes { id } } }"
)


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        yield each


async def told(here: Company, who: str | None = None, kind: FeedKind | None = None) -> list[tuple[str, str]]:
    """(why, id) of all that the feed tells somebody, the same by both executions."""
    answers = []
    for execution in Execution:
        here.execution = execution
        answers.append((await here.ask(who, FEED, kind=kind, first=100))[0])
    here.execution = Execution.PLAN
    assert answers[0] == answers[1]
    edges = answers[0]["edges"]
    assert len({edge["node"]["id"] for edge in edges}) == len(edges) == answers[0]["totalCount"]
    assert all(edge["inWords"] == IN_WORDS[FeedReason(edge["why"])] for edge in edges)
    return [(edge["why"], edge["node"]["id"]) for edge in edges]


async def hooked(here: Company, title: str, who: str = "ada", artist: str = "nova") -> str:
    """The hook of another track that everybody sees."""
    given = {"owner": here.ids[artist], "title": title, "details": {"track": {}}}
    track = (await here.do(who, "createAsset", "asset { id }", **given))["asset"]["id"]
    await here.alter(tables.asset, {"state": "PUBLIC"}, tables.asset.c.id == parse_ref(track).id)
    return str((await here.do(who, "setHook", "hook { id }", track=track))["hook"]["id"])


async def announced(here: Company, subject: str, opens: timedelta) -> str:
    begins = now() + opens
    times = {"opensAt": begins, "releasesAt": begins + HOUR, "endsAt": begins + 2 * HOUR}
    moments = {name: write_moment(at) for name, at in times.items()}
    answer = await here.do("ada", "announceRitual", "ritual { id }", subject=subject, title="Midnight", **moments)
    return str(answer["ritual"]["id"])


async def furnished(here: Company) -> dict[str, str]:
    """A bit of everything that a feed tells; what rose is what Cy and Dee played, one of two hooks more often."""
    things = {name: await hooked(here, name) for name in ("quiet", "risen", "rising")}
    for who, hooks in (("cy", ["risen", "rising"]), ("dee", ["rising"])):
        for hook in hooks:
            await here.do(who, "likeHook", "hook { id }", hook=things[hook])
    things["release"], _, _ = await album(here, 1)
    things["now"] = await announced(here, things["quiet"], HOUR)
    await here.do("ada", "openRitual", "ritual { id }", ritual=things["now"])
    things["soon"] = await announced(here, things["quiet"], timedelta(days=6))
    things["sooner"] = await announced(here, things["risen"], timedelta(days=3))
    things["far ahead"] = await announced(here, things["risen"], timedelta(days=8))
    await measured(here)
    return things


async def test_a_feed_tells_what_is_now_what_rises_and_what_is_new_each_thing_once_and_why(here: Company) -> None:
    things = await furnished(here)
    to_all = [
        ("RITUAL_NOW", things["now"]),
        ("RISING_HOOK", things["rising"]),
        ("RISING_HOOK", things["risen"]),
        ("RITUAL_SOON", things["sooner"]),
        ("RITUAL_SOON", things["soon"]),
        ("NEW_RELEASE", things["release"]),
    ]
    assert await told(here) == await told(here, "bo") == to_all
    for kind in FeedKind:
        assert await told(here, None, kind) == [each for each in to_all if PART_OF[FeedReason(each[0])] is kind]
    # Latest first: what opens lies ahead, and of the hooks the first was set first.
    await here.do("bo", "followArtist", "artist { id }", artist=here.ids["nova"])
    theirs = ["soon", "sooner", "now", "release", "rising", "risen", "quiet"]
    in_world = [("FOLLOWED_WORLD", things[name]) for name in theirs]
    assert await told(here, "bo") == await told(here, "bo", FeedKind.WORLDS) == in_world
    assert await told(here, "bo", FeedKind.RITUALS) == [each for each in to_all if each[0].startswith("RITUAL")]
    await here.do("bo", "unfollowArtist", "artist { id }", artist=here.ids["nova"])
    assert await told(here, "bo") == to_all


async def out(here: Company, number: int, age: timedelta, *, is_compatibility: bool) -> None:
    """Let a version of the company's release be out since some time."""
    release, version = tables.release.c.id == here.keys["release"], tables.release_version
    before = version.c.release_id == here.keys["release"], version.c.state == "PUBLISHED"
    row = {"id": uuid7(), "release_id": here.keys["release"], "number": number, "state": "PUBLISHED"}
    row |= {"published_at": now() - age, "is_compatibility": is_compatibility}
    async with here.database.write() as connection:
        await connection.execute(update(version).where(*before).values(state="SUPERSEDED"))
        await connection.execute(insert(version).values(row))
        await connection.execute(update(tables.release).where(release).values(current_version_id=row["id"]))


async def test_what_is_over_no_longer_rises_or_is_no_longer_new_is_not_told(here: Company) -> None:
    things = await furnished(here)
    await here.do("ada", "cancelRitual", "ritual { id }", ritual=things["now"])
    await here.alter(tables.hook, {"created_at": now() - timedelta(days=31)})
    await here.alter(tables.participation, {"taken_at": tables.participation.c.taken_at - APART})
    await here.do("bo", "followArtist", "artist { id }", artist=here.ids["nova"])
    left = [("RITUAL_SOON", things["sooner"]), ("RITUAL_SOON", things["soon"]), ("NEW_RELEASE", things["release"])]
    assert await told(here) == left
    assert {id_ for _, id_ in await told(here, "bo")} == {id_ for _, id_ in left}
    await out(here, 1, timedelta(days=31), is_compatibility=False)
    assert await told(here) == left
    # What an import brought came out elsewhere.
    await out(here, 2, timedelta(), is_compatibility=True)
    assert await told(here) == left
    await out(here, 3, timedelta(), is_compatibility=False)
    assert await told(here, None, FeedKind.RELEASES) == [("NEW_RELEASE", here.ids["release"]), left[-1]]


async def test_no_badge_and_nothing_that_is_spent_moves_anything_in_the_feed(here: Company) -> None:
    things = await furnished(here)
    await here.do("bo", "followArtist", "artist { id }", artist=here.ids["nova"])
    before, chance = {who: await told(here, who) for who in (None, "bo")}, random.Random(5)
    hooks = [parse_ref(things[name]).id for name in ("quiet", "risen", "rising")]
    for _ in range(4):
        badges = [chance.choice([Badge.NO_AI_USED, Badge.GENERATED])]
        for table in (tables.hook, tables.asset):
            await here.alter(table, {"badges": badges})
        async with here.database.write() as connection:
            for _ in range(20):
                row = {"account_id": here.keys[chance.choice(["bo", "cy", "dee"])], "own": False}
                row |= {
                    "artist_id": here.keys["nova"],
                    "hook_id": chance.choice(hooks),
                    "kind": chance.choice([*SPENT]),
                }
                await connection.execute(insert(tables.signal).values(**row))
        for who in ("cy", "dee"):
            given = {"subject": here.ids["nova"], "handle": who}
            await here.do("ada", "grantEntitlement", "entitlement { id }", **given)
        await here.alter(tables.participation, {"taken_at": tables.participation.c.taken_at - HOUR})
        await measured(here)
        assert {who: await told(here, who) for who in before} == before
    latest = "participation { energy rise }"
    energies = [
        (await here.ask(None, f'{{ node(id: "{things[name]}") {{ ... on Hook {{ {latest} }} }} }}'))[0]
        for name in things
        if name in {"quiet", "rising"}
    ]
    assert energies[0]["participation"]["energy"] > 0 == energies[0]["participation"]["rise"], "it did count, elsewhere"


async def test_the_feed_is_one_statement_that_knows_no_badge_and_no_money(
    scene: Scene, readers: dict[Execution, Reader], scene_statements: list[str]
) -> None:
    for viewer in scene.viewers.values():
        for kind in (None, *FeedKind):
            scene_statements.clear()
            await readers[Execution.PLAN].answer(FEED, None, {"kind": kind, "first": 20}, viewer)
            assert len(scene_statements) == 1
            ordered = "{ feed { edges { cursor why at } } }"
            scene_statements.clear()
            await readers[Execution.PLAN].answer(ordered, None, {}, viewer)
            assert not [word for word in ("badge", "entitle", "payment", "energy") if word in scene_statements[0]]


async def answered(reader: Reader, viewer: Viewer, document: str, **given: Any) -> Any:
    answer = json.loads((await reader.answer(document, None, given, viewer)).body)
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.mark.parametrize("name", ["anonymous", "agent", "owner", "editor", "member", "stranger"])
async def test_pages_of_any_size_are_the_whole_feed_and_hold_nothing_that_is_not_listed(
    scene: Scene, readers: dict[Execution, Reader], name: str
) -> None:
    plan, viewer = readers[Execution.PLAN], scene.viewers[name]
    listed = await answered(plan, viewer, LISTED)
    may_see = {node["id"] for list_ in listed.values() for node in list_["nodes"]}
    for kind in (None, *FeedKind):
        whole = (await answered(plan, viewer, FEED, kind=kind, first=100))["feed"]["edges"]
        assert {edge["node"]["id"] for edge in whole} <= may_see
        for size, way in ((2, ("first", "after", "endCursor")), (3, ("last", "before", "startCursor"))):
            count, cursor, end = way
            given: dict[str, Any] = {"kind": kind, count: size}
            pages: list[Any] = []
            while True:
                page = (await answered(plan, viewer, FEED, **given))["feed"]
                assert page == (await answered(readers[Execution.REFERENCE], viewer, FEED, **given))["feed"]
                pages = pages + page["edges"] if count == "first" else page["edges"] + pages
                if not page["pageInfo"]["hasNextPage" if count == "first" else "hasPreviousPage"]:
                    break
                given[cursor] = page["pageInfo"][end]
            assert pages == whole
    assert {edge["why"] for edge in (await answered(plan, viewer, FEED, first=100))["feed"]["edges"]} >= {
        "FOLLOWED_WORLD" if name == "stranger" else "RISING_HOOK"
    }


SUMMARIES = """query ($id: ID!) { release(id: $id) {
    circulation { links sharers visits visitors trusted brought } discovery { people newcomers entered brought } } }"""


async def test_its_own_people_read_how_a_release_is_come_upon_and_passed_on_and_nobody_else(here: Company) -> None:
    release, _, out = await album(here, 1)
    track = out["version"]["items"]["nodes"][0]["asset"]["id"]
    hook = (await here.do("ada", "setHook", "hook { id }", track=track))["hook"]["id"]
    other = await hooked(here, "other")
    await here.do("bo", "likeHook", "hook { id }", hook=other)
    for who in ("ada", "bo", "cy"):
        await here.do(who, "likeHook", "hook { id }", hook=hook)
    of_bo = tables.signal.c.account_id == here.keys["bo"]
    await here.alter(tables.signal, {"at": tables.signal.c.at - timedelta(days=8)}, of_bo)
    for subject, who in ((hook, "cy"), (release, "cy"), (release, "dee"), (other, "dee")):
        link = (await here.do(who, "createShareLink", "link { id }", subject=subject))["link"]["id"]
        came = {"visits": 3, "visitors": 2}
        await here.alter(tables.share_link, came, tables.share_link.c.id == parse_ref(link).id)
    brought = {"account_id": here.keys["bo"], "artist_id": here.keys["nova"], "bringer_id": here.keys["cy"]}
    of_cy = tables.share_link.c.account_id == here.keys["cy"], tables.share_link.c.release_id.is_not(None)
    async with here.database.write() as connection:
        link_id = (await connection.execute(select(tables.share_link.c.id).where(*of_cy))).scalar_one()
        await connection.execute(insert(tables.referral).values(**brought, link_id=link_id))
    for execution in Execution:
        here.execution = execution
        told_ada, _ = await here.ask("ada", SUMMARIES, id=release)
        circulation = {"links": 3, "sharers": 2, "visits": 9, "visitors": 6, "trusted": 0, "brought": 1}
        # Bo liked something else of hers before; Dee came by what she shared.
        discovery = {"people": 3, "newcomers": 2, "entered": 2, "brought": 1}
        assert told_ada == {"circulation": circulation, "discovery": discovery}
        for who in (None, "bo", "cy"):
            assert (await here.ask(who, SUMMARIES, id=release))[0] == {"circulation": None, "discovery": None}
