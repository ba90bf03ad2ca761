"""Giving a track its hook: thirty seconds that fit, two editors at once, and what is left behind."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.company import ADA, ADAS, BOS, add_asset, add_owners, ask, left_behind
from tests.graph.readers import reader_of

MEMBER = Viewer(UUID(int=31), (ADA,), ())
KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset(KeyScope))
TRACKS = {"long": (UUID(int=101), 180_000), "short": (UUID(int=102), 20_000), "unknown": (UUID(int=103), None)}
LEFT_BEHIND = (tables.hook, tables.provenance_event, tables.change, tables.outbox)
SET = """mutation ($input: SetHookInput!) { setHook(input: $input) { __typename ... on UserError { code message path }
  ... on SetHookSuccess { hook { id startMs endMs durationMs caption badges version track { id } } } } }"""


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        await add_owners(connection)
        for id_, duration in TRACKS.values():
            await add_asset(connection, id_, ADA, "PRIVATE", duration_ms=duration)
    return reader_of(database)


async def set_hook(reader: Reader, viewer: Viewer = ADAS, track: str = "long", **given: Any) -> dict[str, Any]:
    asked = {"track": str(Ref(Kind.TRACK, TRACKS[track][0])), **given}
    return dict(await ask(reader, viewer, SET, input=asked))


def window(answer: dict[str, Any]) -> tuple[int, int]:
    return answer["hook"]["startMs"], answer["hook"]["endMs"]


@pytest.mark.parametrize(
    ("track", "start", "expected"),
    [
        ("long", None, (35_000, 65_000)),
        ("long", 0, (0, 30_000)),
        ("long", 150_000, (150_000, 180_000)),
        ("short", None, (0, 20_000)),
        ("short", 0, (0, 20_000)),
        ("unknown", None, (35_000, 65_000)),
        ("unknown", 500_000, (500_000, 530_000)),
    ],
)
async def test_a_hook_is_thirty_seconds_or_the_whole_of_a_shorter_track(
    reader: Reader, track: str, start: int | None, expected: tuple[int, int]
) -> None:
    answer = await set_hook(reader, track=track, startMs=start)
    assert window(answer) == expected
    assert answer["hook"]["version"] == 1


@pytest.mark.parametrize(
    ("track", "start"), [("long", -1), ("long", 150_001), ("long", 2**31 - 1), ("short", 1), ("unknown", 2**31 - 1)]
)
async def test_a_window_that_does_not_fit_is_refused(
    reader: Reader, database: Database, track: str, start: int
) -> None:
    answer = await set_hook(reader, track=track, startMs=start)
    assert (answer["code"], answer["path"]) == ("VALIDATION", ["startMs"])
    assert await left_behind(database, LEFT_BEHIND) == [0, 0, 0, 0]


async def test_what_is_left_out_stays_and_what_changes_nothing_writes_nothing(
    reader: Reader, database: Database
) -> None:
    first = await set_hook(reader, startMs=10_000, caption=" Here it is ", badges=["REMIX"])
    second = await set_hook(reader, caption="There", expectedVersion=1)
    assert window(second) == (10_000, 40_000)
    assert second["hook"] == {**first["hook"], "caption": "There", "version": 2}
    assert await set_hook(reader, startMs=10_000, badges=["REMIX"], expectedVersion=2) == second
    assert await left_behind(database, LEFT_BEHIND) == [1, 2, 2, 2]
    third = await set_hook(reader, startMs=None, caption=None, badges=[], expectedVersion=2)
    assert (window(third), third["hook"]["caption"], third["hook"]["badges"]) == ((35_000, 65_000), None, [])


async def test_the_hook_is_told_on_the_chain_of_its_track_without_its_words(reader: Reader, database: Database) -> None:
    answer = await set_hook(reader, caption="Secret words")
    async with database.read() as connection:
        (event,) = (await connection.execute(select(tables.provenance_event))).all()
    assert (event.subject_id, event.kind) == (TRACKS["long"][0], "HOOK_CHANGED")
    assert answer["hook"]["id"] in event.body
    assert "Secret" not in event.body


async def test_two_editors_who_save_at_once_are_told_apart(reader: Reader, database: Database) -> None:
    for version in (None, 1):
        answers = await asyncio.gather(
            *[set_hook(reader, startMs=n * 1000 + (version or 0), expectedVersion=version) for n in range(5)]
        )
        assert sorted(answer["__typename"] for answer in answers) == ["ConflictError"] * 4 + ["SetHookSuccess"]
    assert await left_behind(database, LEFT_BEHIND) == [1, 2, 2, 2]


@pytest.mark.parametrize("viewer", [BOS, MEMBER])
async def test_a_track_that_is_not_yours_and_none_answer_alike(
    reader: Reader, database: Database, viewer: Viewer
) -> None:
    not_yours = await set_hook(reader, viewer)
    assert not_yours == await set_hook(reader, viewer, **{"track": "long"} | {"startMs": 1})
    nobodys = str(Ref(Kind.TRACK, UUID(int=999)))
    assert await ask(reader, viewer, SET, input={"track": nobodys}) == not_yours
    assert not_yours["code"] == "NOT_FOUND"
    assert await left_behind(database, LEFT_BEHIND) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("viewer", "given", "typename", "path"),
    [
        (ANONYMOUS, {}, "SignInNeededError", []),
        (KEY, {}, "ForbiddenError", []),
        (ADAS, {"caption": "x" * 301}, "InvalidError", ["caption"]),
        (ADAS, {"caption": "a\u0007"}, "InvalidError", ["caption"]),
        (ADAS, {"badges": ["NO_AI_USED", "GENERATED"]}, "InvalidError", ["badges"]),
        (ADAS, {"expectedVersion": 1}, "ConflictError", ["expectedVersion"]),
    ],
)
async def test_a_refusal_is_typed_and_writes_nothing(
    reader: Reader, database: Database, viewer: Viewer, given: dict[str, Any], typename: str, path: list[str]
) -> None:
    answer = await set_hook(reader, viewer, **given)
    assert (answer["__typename"], answer["path"]) == (typename, path)
    assert await left_behind(database, LEFT_BEHIND) == [0, 0, 0, 0]


async def test_an_idempotency_key_sets_a_hook_once(reader: Reader, database: Database) -> None:
    answers = await asyncio.gather(*[set_hook(reader, startMs=5, idempotencyKey="k") for _ in range(4)])
    assert all(answer == answers[0] for answer in answers)
    assert await left_behind(database, LEFT_BEHIND) == [1, 1, 1, 1]
    assert (await set_hook(reader, startMs=6, idempotencyKey="k"))["code"] == "IDEMPOTENCY_MISMATCH"


async def test_both_executions_set_hooks_alike(reader: Reader, database: Database) -> None:
    reference = reader_of(database, Execution.REFERENCE)
    first = await set_hook(reader, startMs=5)
    assert await set_hook(reference, startMs=5, expectedVersion=1) == first
    assert await set_hook(reference, startMs=-1, expectedVersion=1) == await set_hook(
        reader, startMs=-1, expectedVersion=1
    )


async def test_a_hook_is_set_in_six_statements_at_most(reader: Reader, statements: list[str]) -> None:
    await set_hook(reader, track="short")  # the driver looks types up once
    for version in (None, 1):
        statements.clear()
        assert (await set_hook(reader, startMs=1 + (version or 0), expectedVersion=version)).get("hook")
        inside = [sql for sql in statements if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", ";"))]
        assert len(inside) <= 6 + 1, inside  # and the one that reads the payload
