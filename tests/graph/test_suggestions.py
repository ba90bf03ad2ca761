"""Programs suggest, people decide: nothing changes before somebody applies it, and then as if it was done by hand."""

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
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.readers import reader_of

ADA, BO = UUID(int=21), UUID(int=22)
ADAS = Viewer(UUID(int=31), (ADA,), (ADA,))
BOS = Viewer(UUID(int=32), (BO,), (BO,))
MEMBER = Viewer(UUID(int=31), (ADA,), ())
KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset(KeyScope))
TRACK = UUID(int=101)
TRACK_REF, NOBODYS = str(Ref(Kind.TRACK, TRACK)), str(Ref(Kind.SUGGESTION, UUID(int=999)))
LEFT_BEHIND = (tables.hook, tables.lyrics, tables.provenance_event, tables.change, tables.outbox)
TOLD = "id kind state caption language provider version confidence answeredAt window { startMs endMs } colour { hue saturation lightness } lines { startMs text }"
DID = (
    f"__typename ... on UserError {{ code path }} ... on SuggestionSuccess {{ suggestion {{ {TOLD} track {{ id }} }} }}"
)
SUGGESTED = f"query ($id: ID!, $in: [SuggestionState!]) {{ asset(id: $id) {{ ... on Track {{ suggestions(states: $in) {{ nodes {{ {TOLD} }} totalCount }} }} }} }}"
NOW = "query ($id: ID!) { asset(id: $id) { ... on Track { hook { startMs caption version } lyrics { language version lines { text } } } } }"
CONTENTS: dict[str, Any] = {
    "HOOK_WINDOW": {"hookStartMs": 40_000},
    "CAPTION": {"caption": " Come in "},
    "TIMING": {"timing": {"lyrics": {"lrc": "[00:01]Oh\n[00:02]"}, "language": "en"}},
}
APPLIED = {
    "HOOK_WINDOW": {"hook": {"startMs": 40_000, "caption": None, "version": 1}, "lyrics": None},
    "CAPTION": {"hook": {"startMs": 35_000, "caption": "Come in", "version": 1}, "lyrics": None},
    "TIMING": {"hook": None, "lyrics": {"language": "en", "version": 1, "lines": [{"text": "Oh"}]}},
}
KINDS = pytest.mark.parametrize("kind", CONTENTS)


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        for artist, viewer, handle in ((ADA, ADAS, "ada"), (BO, BOS, "bo")):
            await connection.execute(insert(tables.account).values(id=viewer.account, handle=handle))
            row = {"id": artist, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
            await connection.execute(insert(tables.artist).values(row))
        row = {"id": TRACK, "kind": "TRACK", "owner_id": ADA, "title": "x", "state": "PUBLIC"}
        await connection.execute(insert(tables.asset).values(row))
        await connection.execute(insert(tables.track).values(id=TRACK, duration_ms=180_000))
    return reader_of(database)


async def ask(reader: Reader, document: str, viewer: Viewer = ADAS, **variables: Any) -> Any:
    told = json.loads((await reader.answer(document, None, variables, viewer)).body)
    return next(iter(told["data"].values())) if told.get("data") else told


async def do(reader: Reader, mutation: str, viewer: Viewer = ADAS, **given: Any) -> Any:
    input_ = mutation[0].upper() + mutation[1:] + "Input!"
    return await ask(
        reader, f"mutation ($input: {input_}) {{ {mutation}(input: $input) {{ {DID} }} }}", viewer, input=given
    )


async def suggest(reader: Reader, content: Any, viewer: Viewer = KEY, **given: Any) -> Any:
    opinion = {"track": TRACK_REF, "provider": "Listener", "version": "2.1", "confidence": 0.75}
    return await do(reader, "suggest", viewer, content=content, **{**opinion, **given})


async def suggested(reader: Reader, content: Any, **given: Any) -> str:
    return str((await suggest(reader, content, **given))["suggestion"]["id"])


async def stands(reader: Reader) -> Any:
    return await ask(reader, NOW, ANONYMOUS, id=TRACK_REF)


async def left_behind(database: Database) -> list[int]:
    async with database.read() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in LEFT_BEHIND
        ]


@KINDS
async def test_a_suggestion_changes_nothing_before_a_person_applies_it(
    reader: Reader, database: Database, kind: str
) -> None:
    answer = (await suggest(reader, CONTENTS[kind]))["suggestion"]
    assert (answer["kind"], answer["state"], answer["confidence"], answer["answeredAt"]) == (kind, "OPEN", 0.75, None)
    assert (answer["provider"], answer["version"], answer["track"]) == ("Listener", "2.1", {"id": TRACK_REF})
    assert [name for name in ("window", "caption", "lines") if answer[name] is not None] == [
        {"HOOK_WINDOW": "window", "CAPTION": "caption", "TIMING": "lines"}[kind]
    ]
    assert await stands(reader) == {"hook": None, "lyrics": None}
    assert await left_behind(database) == [0, 0, 0, 1, 1]


@KINDS
async def test_what_is_applied_is_as_if_done_by_hand_and_names_the_suggestion(
    reader: Reader, database: Database, kind: str
) -> None:
    id_ = await suggested(reader, CONTENTS[kind])
    answer = (await do(reader, "applySuggestion", id=id_))["suggestion"]
    assert (answer["state"], answer["answeredAt"] is None) == ("APPLIED", False)
    assert await stands(reader) == APPLIED[kind]
    async with database.read() as connection:
        (event,) = (await connection.execute(select(tables.provenance_event))).all()
        (row,) = (await connection.execute(select(tables.suggestion))).all()
    assert (event.subject_id, event.actor_id, row.answered_by_id) == (TRACK, ADAS.account, ADAS.account)
    assert json.loads(event.body)["payload"]["suggestion"] == id_
    assert "Come in" not in event.body


@KINDS
async def test_what_is_dismissed_changes_nothing(reader: Reader, kind: str) -> None:
    id_ = await suggested(reader, CONTENTS[kind])
    assert (await do(reader, "dismissSuggestion", id=id_))["suggestion"]["state"] == "DISMISSED"
    assert await stands(reader) == {"hook": None, "lyrics": None}


@pytest.mark.parametrize("first", ["applySuggestion", "dismissSuggestion"])
@pytest.mark.parametrize("then", ["applySuggestion", "dismissSuggestion"])
async def test_a_suggestion_is_answered_once(reader: Reader, database: Database, first: str, then: str) -> None:
    id_ = await suggested(reader, CONTENTS["HOOK_WINDOW"])
    assert (await do(reader, first, id=id_))["__typename"] == "SuggestionSuccess"
    before = await left_behind(database)
    again = await do(reader, then, id=id_)
    assert (again["code"], again["path"]) == ("CONFLICT", ["id"])
    assert await left_behind(database) == before


async def test_of_many_who_answer_at_once_one_is_heard(reader: Reader, database: Database) -> None:
    id_ = await suggested(reader, CONTENTS["HOOK_WINDOW"])
    answers = await asyncio.gather(*[do(reader, "applySuggestion", id=id_) for _ in range(4)])
    assert sorted(answer["__typename"] for answer in answers) == ["ConflictError"] * 3 + ["SuggestionSuccess"]
    assert (await left_behind(database))[:3] == [1, 0, 1]


async def test_what_stands_is_not_lost_to_a_suggestion(reader: Reader) -> None:
    first = await suggested(reader, CONTENTS["HOOK_WINDOW"])
    await do(reader, "applySuggestion", id=first)
    second = await suggested(reader, CONTENTS["CAPTION"])
    refused = await do(reader, "applySuggestion", id=second)
    assert (refused["code"], refused["path"]) == ("CONFLICT", ["expectedVersion"])
    assert (await stands(reader))["hook"] == {"startMs": 40_000, "caption": None, "version": 1}
    assert (await do(reader, "applySuggestion", id=second, expectedVersion=1))["suggestion"]["state"] == "APPLIED"
    assert (await stands(reader))["hook"] == {"startMs": 40_000, "caption": "Come in", "version": 2}


async def test_what_does_not_fit_any_more_is_not_applied(reader: Reader, database: Database) -> None:
    id_ = await suggested(reader, CONTENTS["HOOK_WINDOW"])
    async with database.write() as connection:
        await connection.execute(tables.track.update().values(duration_ms=50_000))
    refused = await do(reader, "applySuggestion", id=id_)
    assert (refused["code"], refused["path"]) == ("VALIDATION", ["startMs"])
    assert await stands(reader) == {"hook": None, "lyrics": None}


async def test_a_provider_has_one_opinion_of_a_kind_at_a_time(reader: Reader) -> None:
    for start in (1_000, 2_000, 3_000):
        await suggested(reader, {"hookStartMs": start})
    await suggested(reader, CONTENTS["CAPTION"])
    await suggested(reader, {"hookStartMs": 9_000}, provider="Another")
    for execution in Execution:
        here = reader_of(reader._database, execution)
        every = (await ask(here, SUGGESTED, id=TRACK_REF))["suggestions"]["nodes"]
        assert [each["state"] for each in every] == ["OPEN", "OPEN", "OPEN", "REPLACED", "REPLACED"]
        still = (await ask(here, SUGGESTED, id=TRACK_REF, **{"in": ["OPEN"]}))["suggestions"]
        assert still["totalCount"] == 3


@pytest.mark.parametrize("execution", Execution)
async def test_suggestions_are_read_by_the_people_of_the_track_only(reader: Reader, execution: Execution) -> None:
    id_ = await suggested(reader, CONTENTS["TIMING"])
    here = reader_of(reader._database, execution)
    for viewer, count in ((ADAS, 1), (MEMBER, 1), (BOS, 0), (ANONYMOUS, 0)):
        assert (await ask(here, SUGGESTED, viewer, id=TRACK_REF))["suggestions"]["totalCount"] == count
        node = await ask(here, "query ($id: ID!) { node(id: $id) { id } }", viewer, id=id_)
        assert node == ({"id": id_} if count else None)


@pytest.mark.parametrize("mutation", ["applySuggestion", "dismissSuggestion"])
async def test_only_a_person_who_may_change_the_track_answers(
    reader: Reader, database: Database, mutation: str
) -> None:
    id_ = await suggested(reader, CONTENTS["CAPTION"])
    before = await left_behind(database)
    for viewer, code in ((KEY, "FORBIDDEN"), (ANONYMOUS, "UNAUTHENTICATED"), (MEMBER, "NOT_FOUND"), (BOS, "NOT_FOUND")):
        refused = await do(reader, mutation, viewer, id=id_)
        assert refused["code"] == code
        assert refused == await do(reader, mutation, viewer, id=NOBODYS)
    assert await left_behind(database) == before


@pytest.mark.parametrize(
    ("content", "given", "path"),
    [
        ({"hookStartMs": -1}, {}, ["startMs"]),
        ({"hookStartMs": 150_001}, {}, ["startMs"]),
        ({"caption": "x" * 301}, {}, ["caption"]),
        ({"caption": " "}, {}, ["content", "caption"]),
        ({"caption": "\ud800"}, {}, ["caption"]),
        ({"timing": {"lyrics": {"lrc": "[03:01]late"}}}, {}, ["lrc"]),
        ({"caption": "x"}, {"confidence": 1.01}, ["confidence"]),
        ({"caption": "x"}, {"confidence": -0.1}, ["confidence"]),
        ({"caption": "x"}, {"provider": " Casset"}, ["provider"]),
        ({"caption": "x"}, {"provider": "\0"}, ["provider"]),
        ({"caption": "x"}, {"version": ""}, ["version"]),
    ],
)
async def test_what_could_not_be_applied_is_not_suggested(
    reader: Reader, database: Database, content: Any, given: dict[str, Any], path: list[str]
) -> None:
    answer = await suggest(reader, content, **given)
    assert (answer["__typename"], answer["path"]) == ("InvalidError", path)
    assert await left_behind(database) == [0, 0, 0, 0, 0]


async def test_an_idempotency_key_suggests_and_applies_once(reader: Reader, database: Database) -> None:
    answers = [await suggest(reader, CONTENTS["CAPTION"], idempotencyKey="k") for _ in range(2)]
    assert answers[0] == answers[1]
    id_ = answers[0]["suggestion"]["id"]
    applied = [await do(reader, "applySuggestion", id=id_, idempotencyKey="l") for _ in range(2)]
    assert applied[0] == applied[1]
    assert await left_behind(database) == [1, 0, 1, 3, 3]
    assert (await suggest(reader, CONTENTS["TIMING"], idempotencyKey="k"))["code"] == "IDEMPOTENCY_MISMATCH"


# -- colours -------------------------------------------------------------------------------------------------------

COLOUR = {"hue": 210, "saturation": 60, "lightness": 40}
LOOK = """query ($id: ID!) { asset(id: $id) { ... on Track { hook { id theme { id texture badges details { motion }
  seed { source hue saturation lightness } tokens { base accent } } } } } }"""


async def look(reader: Reader) -> Any:
    return (await ask(reader, LOOK, ANONYMOUS, id=TRACK_REF))["hook"]


async def test_a_hook_looks_as_suggested_once_a_person_says_so(reader: Reader, database: Database) -> None:
    id_ = await suggested(reader, {"colour": COLOUR})
    refused = await do(reader, "applySuggestion", id=id_)
    assert (refused["code"], refused["path"]) == ("VALIDATION", ["id"])  # there is no hook
    await do(reader, "applySuggestion", id=await suggested(reader, CONTENTS["HOOK_WINDOW"]))
    assert (await look(reader))["theme"] is None
    assert (await do(reader, "applySuggestion", id=id_))["suggestion"]["state"] == "APPLIED"
    theme = (await look(reader))["theme"]
    assert theme["seed"] == {"source": "CUSTOM", **COLOUR}
    async with database.read() as connection:
        events = (await connection.execute(select(tables.provenance_event.c.body))).scalars().all()
    assert json.loads(events[-1])["payload"]["suggestion"] == id_


async def test_a_suggested_colour_leaves_the_rest_of_a_theme_and_loses_none(reader: Reader) -> None:
    await do(reader, "applySuggestion", id=await suggested(reader, CONTENTS["HOOK_WINDOW"]))
    hook = (await look(reader))["id"]
    theme = {"seed": {"source": "CURATED", "hue": 1, "saturation": 2, "lightness": 3}, "texture": "DENIM"}
    theme |= {"tokens": {"base": "#123456"}, "badges": ["REMIX"], "details": {"motion": "slow"}}
    asked = "mutation ($input: SetThemeInput!) { setTheme(input: $input) { ... on SetThemeSuccess { theme { id } } } }"
    worn = (await ask(reader, asked, input={"subject": hook, "theme": theme}))["theme"]["id"]
    id_ = await suggested(reader, {"colour": COLOUR})
    refused = await do(reader, "applySuggestion", id=id_)
    assert (refused["code"], refused["path"]) == ("CONFLICT", ["expectedTheme"])
    await do(reader, "applySuggestion", id=id_, expectedTheme=worn)
    now = (await look(reader))["theme"]
    assert (now["texture"], now["badges"], now["details"]) == ("DENIM", ["REMIX"], {"motion": "slow"})
    assert (now["seed"]["hue"], now["tokens"]["base"] == "#123456", now["id"] == worn) == (210, False, False)


@pytest.mark.parametrize(("name", "value"), [("hue", 360), ("hue", -1), ("saturation", 101), ("lightness", -1)])
async def test_a_colour_that_is_none_is_not_suggested(
    reader: Reader, database: Database, name: str, value: int
) -> None:
    answer = await suggest(reader, {"colour": {**COLOUR, name: value}})
    assert (answer["__typename"], answer["path"]) == ("InvalidError", ["content", "colour", name])
    assert await left_behind(database) == [0, 0, 0, 0, 0]
