"""Themes: all that is said, grown from one colour, and refused where they break a rule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db import tables
from db.engine import Database
from domain.ids import parse_ref
from graph.execution import Execution
from tests.graph.wardrobe import COLOURS, CUSTOM, THEME, Studio, studio


@pytest.fixture(params=list(Execution))
async def here(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Studio]:
    async with studio(database, tmp_path, request.param) as house:
        yield house


async def test_a_theme_is_all_that_is_said_and_the_rest_is_as_the_house_has_it(here: Studio) -> None:
    theme: dict[str, Any] = {
        "seed": CUSTOM,
        "tokens": {"accent": "#FF0080"},
        "pattern": "graph-paper",
        "texture": "VINYL",
        "textureOpacity": 0.25,
        "badges": ["REMIX", "HUMAN_MADE"],
        "details": {"typography": "stamp", "motion": "thirty-three a minute", "glow": 0.5, "grain": 1},
        "releasePosture": "one a month",
    }
    told = await here.look("nova", theme)
    whole = told["theme"]
    assert set(whole["tokens"]) == COLOURS
    assert {name: whole[name] for name in theme if name not in {"tokens", "seed"}} == {
        **{name: value for name, value in theme.items() if name not in {"tokens", "seed"}},
        "badges": ["HUMAN_MADE", "REMIX"],
        "details": {**theme["details"], "grain": 1.0},
    }
    assert (whole["seed"], whole["tokens"]["accent"], whole["isExtracted"]) == (CUSTOM, "#ff0080", False)
    seen, _ = await here.ask(None, f'{{ world(handle: "nova") {{ badges theme {{ {THEME} }} }} }}')
    assert seen == {"badges": ["HUMAN_MADE", "REMIX"], "theme": whole}
    bare = (await here.look("nova", {"seed": CUSTOM}, expectedTheme=whole["id"]))["theme"]
    assert bare["id"] != whole["id"]
    assert (bare["texture"], bare["textureOpacity"], bare["badges"], bare["pattern"]) == ("NONE", 0, [], None)
    assert bare["details"] == dict.fromkeys(("typography", "motion", "glow", "grain"))


async def test_the_same_theme_again_writes_nothing_and_another_is_refused_where_it_was_not_read(here: Studio) -> None:
    first = await here.look("hook", {"seed": CUSTOM, "textureOpacity": 0.1})
    before = await here.written()
    read = {"expectedTheme": first["theme"]["id"]}
    assert await here.look("hook", {"seed": CUSTOM, "textureOpacity": 0.1}, **read) == first
    refused = await here.look("hook", {"seed": CUSTOM})
    assert (refused["code"], refused["path"]) == ("CONFLICT", ["expectedTheme"])
    assert await here.written() == before
    off = await here.look("hook", None, **read)
    assert off == {"__typename": "SetThemeSuccess", "theme": None, "artist": {"id": here.ids["nova"]}}
    seen, _ = await here.ask(
        None, "query ($id: ID!) { node(id: $id) { ... on Hook { theme { id } } } }", id=here.ids["hook"]
    )
    assert seen == {"theme": None}


async def test_a_theme_grown_from_a_cover_says_so_and_one_with_colours_of_its_own_does_not(here: Studio) -> None:
    seed = {"source": "COVER", "cover": here.ids["photo"]}
    told = (await here.look("nova", {"seed": seed}))["theme"]
    assert told["seed"] == {"source": "COVER", "hue": 200, "saturation": 50, "lightness": 40}
    assert told["isExtracted"] is True
    own = {"seed": seed, "tokens": {"base": "#000000"}}
    assert (await here.look("nova", own, expectedTheme=told["id"]))["theme"]["isExtracted"] is False
    assert any(here.ids["photo"] in body for body in await here.bodies()), "the cover is named"


@pytest.mark.parametrize(
    ("theme", "code", "path"),
    [
        ({"seed": {**CUSTOM, "hue": 360}}, "VALIDATION", ["theme", "seed", "hue"]),
        ({"seed": {**CUSTOM, "lightness": -1}}, "VALIDATION", ["theme", "seed", "lightness"]),
        ({"seed": {"source": "COVER"}}, "VALIDATION", ["theme", "seed", "cover"]),
        ({"seed": {"source": "COVER", "cover": "far photo"}}, "NOT_FOUND", ["theme", "seed", "cover"]),
        ({"seed": {"source": "COVER", "cover": "other photo"}}, "VALIDATION", ["theme", "seed", "cover"]),
        ({"seed": {"source": "COVER", "cover": "loop"}}, "VALIDATION", ["theme", "seed", "cover"]),
        ({"seed": CUSTOM, "textureOpacity": 1.5}, "VALIDATION", ["theme", "textureOpacity"]),
        ({"seed": CUSTOM, "tokens": {"footerEnd": "red"}}, "VALIDATION", ["theme", "tokens", "footerEnd"]),
        ({"seed": CUSTOM, "details": {"grain": 2}}, "VALIDATION", ["theme", "details", "grain"]),
        ({"seed": CUSTOM, "badges": ["NO_AI_USED", "AI_ASSISTED"]}, "VALIDATION", ["theme", "badges"]),
    ],
)
async def test_a_theme_that_breaks_a_rule_is_refused_where_it_does(
    here: Studio, theme: dict[str, Any], code: str, path: list[str]
) -> None:
    before = await here.written()
    if "cover" in theme["seed"]:
        theme = {**theme, "seed": {**theme["seed"], "cover": here.ids[theme["seed"]["cover"]]}}
    refused = await here.look("nova", theme)
    assert (refused["code"], refused["path"]) == (code, path)
    assert await here.written() == before


@pytest.mark.parametrize(
    ("theme", "path"),
    [
        ({"seed": CUSTOM, "mood": "x"}, "theme.mood"),
        ({"seed": {**CUSTOM, "alpha": 1}}, "theme.seed.alpha"),
        ({"seed": CUSTOM, "tokens": {"Base": "#000000"}}, "theme.tokens.Base"),
        ({"seed": CUSTOM, "details": {"spin": 1}}, "theme.details.spin"),
        ({"seed": {**CUSTOM, "hue": 1.5}}, "theme.seed.hue"),
        ({"seed": CUSTOM, "textureOpacity": "NaN"}, "theme.textureOpacity"),
        ({"seed": CUSTOM, "texture": "VELVET"}, "theme.texture"),
        ({}, "theme"),
    ],
)
async def test_a_key_that_a_theme_has_not_is_refused_and_named(here: Studio, theme: dict[str, Any], path: str) -> None:
    before = await here.written()
    document = "mutation ($input: SetThemeInput!) { setTheme(input: $input) { __typename } }"
    with pytest.raises(AssertionError, match="BAD_USER_INPUT") as refused:
        await here.ask("ada", document, input={"subject": here.ids["nova"], "theme": theme})
    *_, field = path.split(".")
    assert field in str(refused.value)
    assert await here.written() == before


async def test_a_theme_that_two_wear_changes_for_the_one_that_was_asked_for(here: Studio) -> None:
    theme = (await here.look("nova", {"seed": CUSTOM}))["theme"]["id"]
    await here.alter(tables.hook, {"theme_id": parse_ref(theme).id}, tables.hook.c.id == here.keys["hook"])
    told = await here.look("hook", {"seed": CUSTOM, "texture": "TAPE"}, expectedTheme=theme)
    assert told["theme"]["id"] != theme
    seen, _ = await here.ask(None, '{ world(handle: "nova") { theme { id texture } } }')
    assert seen["theme"] == {"id": theme, "texture": "NONE"}
    before, _ = await here.ask("ada", f'{{ node(id: "{theme}") {{ ... on Theme {{ texture }} }} }}')
    assert before == {"texture": "NONE"}, "the old one goes on to tell how it was"
