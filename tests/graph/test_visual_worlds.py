"""The atmosphere of hooks and worlds and the covers of releases: one at a time, kept apart, and told without words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from db import tables
from db.engine import Database
from domain.ids import Kind, Ref
from graph.execution import Execution
from tests.graph.wardrobe import CUSTOM, PHOTO, Studio, studio


@pytest.fixture(params=list(Execution))
async def here(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Studio]:
    async with studio(database, tmp_path, request.param) as house:
        yield house


SUBJECTS = pytest.mark.parametrize(
    ("subject", "read"),
    [
        ("hook", "node(id: $id) { ... on Hook { %s } }"),
        ("nova", "node(id: $id) { ... on Artist { world { %s } } }"),
        ("release", "node(id: $id) { ... on Release { cover { %s } } }"),
    ],
)


async def worn_by(here: Studio, subject: str, read: str, asked: str = "id version") -> Any:
    """The visual world that somebody else sees there."""
    inner = asked if "cover" in read else f"visualWorld {{ {asked} }}"
    told, _ = await here.ask(None, f"query ($id: ID!) {{ {read % inner} }}", id=here.ids[subject])
    told = told.get("world", told)
    return told["cover"] if "cover" in told else told["visualWorld"]


@SUBJECTS
async def test_what_wears_an_atmosphere_wears_one_and_the_one_before_is_put_away(
    here: Studio, subject: str, read: str
) -> None:
    first = (await here.wear(subject, title="Rain", texture="PAPER", badges=["HUMAN_MADE"], source="photo"))[
        "visualWorld"
    ]
    assert (first["version"], first["state"], first["source"]["id"]) == (1, "ACTIVE", here.ids["photo"])
    assert await worn_by(here, subject, read) == {"id": first["id"], "version": 1}
    told = await here.wear(subject, source="loop", expectedVersion=1, motion="slow")
    second = told["visualWorld"]
    assert second["id"] != first["id"]
    assert await worn_by(here, subject, read) == {"id": second["id"], "version": 2}
    assert (second["texture"], second["motion"]) == ("PAPER", "slow"), "how it looks goes on"
    assert (second["title"], second["badges"]) == (None, []), "what is said of a picture stays with it"
    before, _ = await here.ask("ada", f'{{ node(id: "{first["id"]}") {{ ... on VisualWorld {{ state title }} }} }}')
    assert before == {"state": "RETIRED", "title": "Rain"}
    assert (await here.ask("bo", f'{{ node(id: "{first["id"]}") {{ id }} }}'))[0] is None


@SUBJECTS
async def test_a_change_of_words_touches_no_media(here: Studio, statements: list[str], subject: str, read: str) -> None:
    await here.wear(subject, title="Rain", source="photo")
    kept = {"source": here.ids["photo"], "colour": "#AABBCC"}
    for version, given in enumerate(({"title": "Snow"}, {"motion": "still", "texture": "TAPE"}, kept), 1):
        statements.clear()
        asked = {"subject": here.ids[subject], "expectedVersion": version, **given}
        told = await here.do("ada", "setVisualWorld", "visualWorld { title colour version }", **asked)
        assert told["visualWorld"]["version"] == version + 1
        assert not [sql for sql in statements if "media" in sql], given
    seen = await worn_by(here, subject, read, "title colour source { sha256 }")
    assert seen == {"title": "Snow", "colour": "#aabbcc", "source": {"sha256": "0" * 64}}


async def test_what_is_left_out_stays_and_what_changes_nothing_writes_nothing(here: Studio) -> None:
    given: dict[str, Any] = {
        "title": " Rain ",
        "texture": "PAPER",
        "colour": "#0a0b0c",
        "source": "photo",
        "credits": PHOTO,
    }
    first = await here.wear("hook", lyricBehaviour="fog", **given)
    before = await here.written()
    assert await here.wear("hook", expectedVersion=1, **given) == first
    assert await here.wear("hook", expectedVersion=1) == first
    assert await here.written() == before
    second = await here.wear("hook", expectedVersion=1, colour=None, lyricBehaviour=None)
    fields = {"colour": None, "lyricBehaviour": None, "version": 2}
    assert second["visualWorld"] == {**first["visualWorld"], **fields}


async def test_a_picture_that_is_taken_away_is_put_away_with_all_that_is_said_of_it(here: Studio) -> None:
    first = (await here.wear("nova", source="photo", title="Rain", credits=PHOTO))["visualWorld"]
    second = (await here.wear("nova", source=None, expectedVersion=1))["visualWorld"]
    assert (second["id"] != first["id"], second["source"], second["credits"]["nodes"]) == (True, None, [])
    third = (await here.wear("nova", source="loop", expectedVersion=2, title="Fog"))["visualWorld"]
    assert (third["id"], third["title"]) == (second["id"], "Fog"), "words that had no picture get one"


async def test_who_made_a_picture_is_asked_and_answers_and_reads_it_where_they_may_not_see_it(here: Studio) -> None:
    asked = [
        {"party": {"artist": here.ids["far"]}, "role": "VISUAL_ARTIST"},
        {"party": {"artist": here.ids["nova"]}, "role": "PRODUCER"},
    ]
    told = (await here.wear("hook", source="photo", credits=asked))["visualWorld"]
    credits_ = told["credits"]["nodes"]
    assert [(credit["role"], credit["acceptance"]) for credit in credits_] == [
        ("VISUAL_ARTIST", "PROPOSED"),
        ("PRODUCER", "ACCEPTED"),
    ]
    assert [(credit["asset"], credit["visualWorld"]["id"]) for credit in credits_] == [(None, told["id"])] * 2
    await here.alter(tables.asset, {"state": "PRIVATE"}, tables.asset.c.id == here.keys["track"])
    waiting, _ = await here.ask("bo", "{ viewer { proposedCredits { nodes { id visualWorld { id } } } } }")
    assert [credit["id"] for credit in waiting["proposedCredits"]["nodes"]] == [credits_[0]["id"]]
    document = f'{{ node(id: "{credits_[0]["id"]}") {{ id }} }}'
    assert [(await here.ask(who, document))[0] is not None for who in ("ada", "bo", "cy", None)] == [
        True,
        True,
        False,
        False,
    ]
    refused = await here.do("cy", "answerCredit", "credit { id }", id=credits_[0]["id"], accept=True)
    assert refused["code"] == "NOT_FOUND"
    declined = await here.do("bo", "answerCredit", "credit { acceptance }", id=credits_[0]["id"], accept=False)
    assert declined["credit"] == {"acceptance": "DECLINED"}
    await here.alter(tables.asset, {"state": "PUBLIC"}, tables.asset.c.id == here.keys["track"])
    names = f'{{ node(id: "{told["id"]}") {{ ... on VisualWorld {{ credits {{ nodes {{ role }} }} }} }} }}'
    seen = {who: (await here.ask(who, names))[0]["credits"]["nodes"] for who in ("ada", "bo", None)}
    assert [len(nodes) for nodes in seen.values()] == [2, 2, 1], "who declined is between them and the owner"
    async with here.database.read() as connection:
        event = tables.provenance_event
        kinds = (
            await connection.execute(select(event.c.kind).where(event.c.subject_id == here.keys["nova"]))
        ).scalars()
        assert list(kinds) == ["CONTRIBUTORS_UPDATED"], "on the chain of the artist whose it is"


async def test_credits_of_a_picture_move_its_version_and_are_ended_never_deleted(here: Studio) -> None:
    await here.wear("hook", source="photo", credits=PHOTO)
    told = (await here.wear("hook", credits=[], expectedVersion=1))["visualWorld"]
    assert (told["version"], told["credits"]["nodes"]) == (2, [])
    assert await here.count(tables.credit) == 1
    twice = await here.wear("hook", credits=[*PHOTO, *PHOTO], expectedVersion=2)
    assert (twice["code"], twice["path"]) == ("VALIDATION", ["credits", "1"])


async def test_its_reuse_is_stated_of_a_picture_itself_and_of_nothing_else(here: Studio) -> None:
    visual = (await here.wear("hook", source="photo"))["visualWorld"]["id"]
    asked = "policy { id level license terms { use layer decision attribution } } flipped { count }"
    told = await here.do("ada", "setPolicy", asked, subject=visual, license="CC-BY-4.0")
    term = {"use": "VISUAL_REUSE", "layer": None, "decision": "ALLOWED", "attribution": True}
    policy = told["policy"]
    assert (policy["level"], policy["terms"], told["flipped"]) == ("VISUAL", [term], {"count": 0})
    seen, _ = await here.ask(None, f'{{ node(id: "{visual}") {{ ... on VisualWorld {{ policy {{ id }} }} }} }}')
    assert seen == {"policy": {"id": policy["id"]}}
    assert (await here.ask(None, f'{{ node(id: "{policy["id"]}") {{ id }} }}'))[0] is not None
    for terms, path in (
        ([{"use": "SYNC", "decision": "ALLOWED"}], ["terms", "0", "use"]),
        ([{"use": "VISUAL_REUSE", "decision": "DENIED", "layer": "MASTER"}], ["terms", "0", "layer"]),
    ):
        refused = await here.do("ada", "setPolicy", asked, subject=visual, terms=terms)
        assert (refused["code"], refused["path"]) == ("VALIDATION", path)
    denied = [{"use": "VISUAL_REUSE", "decision": "DENIED"}]
    stale = {"subject": visual, "terms": denied, "expectedPolicy": here.ids["track"].replace("track", "policy")}
    assert (await here.do("ada", "setPolicy", asked, **stale))["code"] == "CONFLICT"
    assert (await here.do("bo", "setPolicy", asked, subject=visual, terms=denied))["code"] == "NOT_FOUND"
    assert (await here.do("ada", "withdrawPolicy", "flipped { count }", subject=visual))["flipped"] == {"count": 0}
    told, _ = await here.ask(None, f'{{ node(id: "{visual}") {{ ... on VisualWorld {{ policy {{ id }} }} }} }}')
    assert told == {"policy": None}
    other = (await here.wear("hook", source="loop", expectedVersion=1))["visualWorld"]
    assert other["policy"] is None


async def test_whether_it_may_be_used_elsewhere_is_told_of_a_picture_itself(here: Studio) -> None:
    visual = (await here.wear("hook", source="photo"))["visualWorld"]["id"]
    cover = (await here.wear("release", source="photo"))["visualWorld"]["id"]

    async def reuse(of: str = visual) -> str:
        told, _ = await here.ask(None, f'{{ node(id: "{of}") {{ ... on VisualWorld {{ reuse }} }} }}')
        return str(told["reuse"])

    async def state(subject: str, *terms: Any) -> None:
        told = await here.do("ada", "setPolicy", "policy { id }", subject=subject, terms=list(terms))
        assert told["__typename"] == "SetPolicySuccess", told

    term = {"use": "VISUAL_REUSE", "decision": "ALLOWED"}
    assert await reuse() == "CONTACT_OWNER", "nobody has said anything"
    await state(here.ids["nova"], {**term, "decision": "DENIED", "layer": "MASTER"})
    assert await reuse() == "DENIED", "what is closed in one layer is closed"
    await state(visual, term)
    assert (await reuse(), await reuse(cover)) == ("ALLOWED", "DENIED")
    await state(visual, {**term, "territories": ["DE"]})
    assert await reuse() == "DENIED", "it is asked for everywhere"
    await here.do("ada", "withdrawPolicy", "flipped { count }", subject=visual)
    await here.do("ada", "withdrawPolicy", "flipped { count }", subject=here.ids["nova"])
    assert await reuse() == "CONTACT_OWNER"


@SUBJECTS
async def test_two_editors_who_save_at_once_are_told_apart(here: Studio, subject: str, read: str) -> None:
    for version in (None, 1):
        expected: dict[str, Any] = {} if version is None else {"expectedVersion": version}
        source = "photo" if version is None else "loop"
        answers = await asyncio.gather(*[here.wear(subject, source=source, title=f"{n}", **expected) for n in range(4)])
        assert sorted(answer["__typename"] for answer in answers) == ["ConflictError"] * 3 + ["SetVisualWorldSuccess"]
    assert await here.count(tables.visual_world) == 2
    assert await here.count(tables.visual_world, tables.visual_world.c.state == "ACTIVE") == 1
    stale = await here.wear(subject, title="x", expectedVersion=1)
    assert (stale["code"], stale["path"]) == ("CONFLICT", ["expectedVersion"]), "another one goes on counting"


@pytest.mark.parametrize("subject", ["hook", "nova", "release"])
@pytest.mark.parametrize("who", ["bo", "cy"])
async def test_what_is_not_yours_and_what_is_not_there_answer_alike(here: Studio, subject: str, who: str) -> None:
    before = await here.written()
    kind = Ref(Kind(here.ids[subject].partition("_")[0]), UUID(int=9))
    here.ids["nothing"] = str(kind)
    given = {"source": "photo", "title": "x"}
    assert await here.wear(subject, who, **given) == await here.wear("nothing", who, **given)
    if subject != "release":
        theme = {"seed": CUSTOM}
        assert await here.look(subject, theme, who) == await here.look("nothing", theme, who)
    assert await here.written() == before


@pytest.mark.parametrize(
    ("who", "given", "code", "path"),
    [
        (None, {}, "UNAUTHENTICATED", []),
        ("ada", {"source": "far photo"}, "NOT_FOUND", ["source"]),
        ("ada", {"title": "x" * 301}, "VALIDATION", ["title"]),
        ("ada", {"motion": "a\u0007"}, "VALIDATION", ["motion"]),
        ("ada", {"lyricBehaviour": "x" * 201}, "VALIDATION", ["lyricBehaviour"]),
        ("ada", {"colour": "red"}, "VALIDATION", ["colour"]),
        ("ada", {"colour": "#12345g"}, "VALIDATION", ["colour"]),
        ("ada", {"badges": ["NO_AI_USED", "GENERATED_VISUAL_WORLD"]}, "VALIDATION", ["badges"]),
        ("ada", {"badges": ["HUMAN_MADE", "GENERATED"]}, "VALIDATION", ["badges"]),
        ("ada", {"expectedVersion": 1}, "CONFLICT", ["expectedVersion"]),
        (
            "ada",
            {"credits": [{"party": {"name": " "}, "role": "PRODUCER"}]},
            "VALIDATION",
            ["credits", "0", "party", "name"],
        ),
    ],
)
async def test_a_refusal_is_typed_and_writes_nothing(
    here: Studio, who: str | None, given: dict[str, Any], code: str, path: list[str]
) -> None:
    before = await here.written()
    refused = await here.wear("hook", who, **given)
    assert (refused["code"], refused["path"]) == (code, path)
    assert await here.written() == before


async def test_provenance_holds_ids_and_digests_and_no_words(here: Studio) -> None:
    words = {"title": "Secret rain", "lyricBehaviour": "secret fog", "motion": "secretly"}
    for subject in ("hook", "nova", "release"):
        told = await here.wear(
            subject, source="photo", credits=[{"party": {"name": "Secret N."}, "role": "PRODUCER"}], **words
        )
        assert told["visualWorld"]
    await here.look("nova", {"seed": CUSTOM, "details": {"typography": "secret serif"}, "releasePosture": "secret"})
    bodies = await here.bodies()
    assert not [body for body in bodies if "ecret" in body]
    async with here.database.read() as connection:
        event = tables.provenance_event
        rows = (await connection.execute(select(event.c.subject_id, event.c.kind).order_by(event.c.at))).all()
    assert [tuple(row) for row in rows] == [
        (here.keys["track"], "HOOK_CHANGED"),
        (here.keys["nova"], "ARTIST_UPDATED"),
        (here.keys["release"], "ASSET_UPDATED"),
        (here.keys["nova"], "ARTIST_UPDATED"),
    ]


async def test_an_idempotency_key_makes_one_atmosphere(here: Studio) -> None:
    answers = await asyncio.gather(*[here.wear("nova", source="photo", idempotencyKey="k") for _ in range(3)])
    assert all(answer == answers[0] for answer in answers)
    assert await here.count(tables.visual_world) == 1
    assert (await here.wear("nova", source="loop", idempotencyKey="k"))["code"] == "IDEMPOTENCY_MISMATCH"


async def test_an_atmosphere_is_set_in_six_statements_at_most(here: Studio, statements: list[str]) -> None:
    await here.wear("strange", "bo", source="far photo")  # the driver looks types up once
    for given in ({"title": "x", "source": "photo"}, {"title": "y", "expectedVersion": 1}):
        for subject in ("hook", "nova", "release"):
            statements.clear()
            source = {"source": here.ids["photo"]} if "source" in given else {}
            asked = {"subject": here.ids[subject], **given, **source}
            told = await here.do("ada", "setVisualWorld", "visualWorld { id }", **asked)
            assert told.get("visualWorld"), told
            inside = [sql for sql in statements if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", ";"))]
            writing = [sql for sql in inside if "membership" not in sql]  # who asks is looked up by the test itself
            assert len(writing) <= 6 + 1, writing  # and the one that reads the payload
