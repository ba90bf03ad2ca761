"""What a world answers, one question each, and the hook that leads it or a release."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db import tables
from db.engine import Database
from graph.execution import Execution
from tests.graph.wardrobe import CUSTOM, Studio, studio


@pytest.fixture(params=list(Execution))
async def here(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Studio]:
    async with studio(database, tmp_path, request.param) as house:
        yield house


# -- the hook that leads -------------------------------------------------------------------------------------------


LED = "hook { id } release { id hook { id } } artist { id world { leadHook { id } } }"


async def lead(
    here: Studio, subject: str, hook: str | None, version: int, who: str | None = "ada", **given: Any
) -> Any:
    named = hook and here.ids[hook]
    asked = {"subject": here.ids[subject], "hook": named, "expectedVersion": version, **given}
    return await here.do(who, "setLeadHook", LED, **asked)


async def test_a_world_leads_with_a_hook_of_its_artist(here: Studio) -> None:
    told = await lead(here, "nova", "hook", 1)
    assert told["artist"]["world"] == {"leadHook": {"id": here.ids["hook"]}}
    assert (told["hook"], told["release"]) == ({"id": here.ids["hook"]}, None)
    before = await here.written()
    assert await lead(here, "nova", "hook", 2) == told
    for hook, version, code, path in (
        ("strange", 2, "NOT_FOUND", ["hook"]),
        ("hook", 1, "CONFLICT", ["expectedVersion"]),
    ):
        refused = await lead(here, "nova", hook, version)
        assert (refused["code"], refused["path"]) == (code, path)
    assert (await lead(here, "nova", "hook", 2, "bo"))["code"] == "NOT_FOUND"
    assert await here.written() == before
    assert (await lead(here, "nova", None, 2))["hook"] is None


async def test_a_release_leads_with_a_hook_of_a_track_it_holds(here: Studio) -> None:
    refused = await lead(here, "release", "hook", 1)
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["hook"]), "it holds nothing yet"
    items = {"items": [here.ids["other"]], "expectedVersion": 1}
    await here.do("ada", "setReleaseItems", "release { id }", release=here.ids["release"], **items)
    assert (await lead(here, "release", "hook", 2))["code"] == "NOT_FOUND"
    told = await lead(here, "release", "strange", 2)
    assert told["release"] == {"id": here.ids["release"], "hook": {"id": here.ids["strange"]}}
    assert told["artist"]["id"] == here.ids["nova"]


async def test_a_hook_one_may_not_see_leads_nothing(here: Studio) -> None:
    items = {"items": [here.ids["other"]], "expectedVersion": 1}
    await here.do("ada", "setReleaseItems", "release { id }", release=here.ids["release"], **items)
    assert (await lead(here, "release", "strange", 2))["hook"] == {"id": here.ids["strange"]}
    await here.alter(tables.asset, {"state": "PRIVATE"}, tables.asset.c.id == here.keys["other"])
    document = "query ($id: ID!) { release(id: $id) { hook { id } } }"
    seen = {who: (await here.ask(who, document, id=here.ids["release"]))[0]["hook"] for who in ("ada", "bo", None)}
    assert seen == {"ada": None, "bo": {"id": here.ids["strange"]}, None: None}
    assert (await lead(here, "release", None, 3))["hook"] is None
    assert (await lead(here, "release", "strange", 4))["code"] == "NOT_FOUND"


# -- what a world answers ------------------------------------------------------------------------------------------


async def test_a_scheduled_release_shows_no_hook_that_another_artist_hides(here: Studio) -> None:
    asset, release = tables.asset, tables.release
    await here.alter(asset, {"state": "PRIVATE", "teased": True}, asset.c.id == here.keys["release"])
    for hook, track, seen in (("hook", "track", True), ("strange", "other", False)):
        await here.alter(release, {"lead_hook_id": here.keys[hook]}, release.c.id == here.keys["release"])
        await here.alter(asset, {"state": "PRIVATE"}, asset.c.id == here.keys[track])
        told, _ = await here.ask("cy", "query ($id: ID!) { node(id: $id) { id } }", id=here.ids[hook])
        assert (told is not None) is seen


async def asked_of_world(here: Studio, field: str) -> Any:
    told, _ = await here.ask(None, f'{{ world(handle: "nova") {{ {field} }} }}')
    return told


async def test_a_world_says_what_the_artist_sounds_like(here: Studio) -> None:
    told = await asked_of_world(here, "hooks { nodes { id durationMs } }")
    assert told == {"hooks": {"nodes": [{"id": here.ids["hook"], "durationMs": 30_000}]}}


async def test_a_world_says_what_world_its_songs_live_in(here: Studio) -> None:
    await here.wear("nova", source="photo", texture="LINEN", colour="#123456")
    told = await asked_of_world(here, "visualWorld { texture colour source { id } }")
    assert told["visualWorld"] == {"texture": "LINEN", "colour": "#123456", "source": {"id": here.ids["photo"]}}


async def test_a_world_says_what_to_remember(here: Studio) -> None:
    await lead(here, "nova", "hook", 1)
    assert await asked_of_world(here, "leadHook { id }") == {"leadHook": {"id": here.ids["hook"]}}


async def test_a_world_says_how_it_was_made(here: Studio) -> None:
    assert await asked_of_world(here, "badges") == {"badges": []}
    await here.look("nova", {"seed": CUSTOM, "badges": ["NO_AI_USED", "HUMAN_MADE"]})
    assert await asked_of_world(here, "badges") == {"badges": ["HUMAN_MADE", "NO_AI_USED"]}


async def test_a_release_says_in_one_sentence_what_systems_may_do_with_it(here: Studio) -> None:
    told = await asked_of_world(here, "releases { nodes { termsInWords } }")
    (release,) = told["releases"]["nodes"]
    assert release["termsInWords"].endswith(".")
    assert release["termsInWords"].count(". ") == 0
