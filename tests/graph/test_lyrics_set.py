"""Giving a track its lyrics: what is kept of them, who finds a track by them, and what of them a hook shows."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from db import tables
from db.engine import Database
from db.search import index_names
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from domain.search import FoundKind
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.readers import reader_of

ADA, BO = UUID(int=21), UUID(int=22)
ADAS = Viewer(UUID(int=31), (ADA,), (ADA,))
BOS = Viewer(UUID(int=32), (BO,), (BO,))
MEMBER = Viewer(UUID(int=31), (ADA,), ())
KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset({KeyScope.READ, KeyScope.ASSETS_WRITE}))
IDLE = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset({KeyScope.READ}))
OPEN, CLOSED, TITLED = UUID(int=101), UUID(int=102), UUID(int=103)
"""A public track, a private one, and a public one that is called as the others are sung."""
HOOK = UUID(int=201)
LEFT_BEHIND = (tables.lyrics, tables.provenance_event, tables.change, tables.outbox)
SUNG = "language version lines { startMs endMs text words { startMs endMs text } }"
SET = f"""mutation ($input: SetLyricsInput!) {{ setLyrics(input: $input) {{ __typename
  ... on UserError {{ code message path }} ... on SetLyricsSuccess {{ track {{ id lyrics {{ {SUNG} lrc }} }} }} }} }}"""
READ = f"query ($id: ID!) {{ asset(id: $id) {{ ... on Track {{ lyrics {{ {SUNG} }} hook {{ timedText {{ text }} }} }} }} }}"
FIND = "query ($q: String!) { search(query: $q) { nodes { ... on Asset { title } } } }"
WORDS = [{"startMs": 1000, "endMs": 1500, "text": "Quiet"}, {"startMs": 1500, "endMs": 2500, "text": "harbour"}]
LINES = [
    {"startMs": 1000, "endMs": 3000, "text": "Quiet harbour", "words": WORDS},
    {"startMs": 3000, "endMs": 4000, "text": "Oh"},
]


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        for artist, viewer, handle in ((ADA, ADAS, "ada"), (BO, BOS, "bo")):
            await connection.execute(insert(tables.account).values(id=viewer.account, handle=handle))
            row = {"id": artist, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
            await connection.execute(insert(tables.artist).values(row))
        for id_, title, state in (
            (OPEN, "Open", "PUBLIC"),
            (CLOSED, "Closed", "PRIVATE"),
            (TITLED, "Harbour", "PUBLIC"),
        ):
            row = {"id": id_, "kind": "TRACK", "owner_id": ADA, "title": title, "state": state}
            await connection.execute(insert(tables.asset).values(row))
            await connection.execute(insert(tables.track).values(id=id_, duration_ms=60_000))
            await index_names(connection, [(id_, FoundKind.TRACK, [title])])
        row = {"id": HOOK, "track_id": OPEN, "start_ms": 1_500, "end_ms": 31_500}
        await connection.execute(insert(tables.hook).values(row))
    return reader_of(database)


async def ask(reader: Reader, document: str, viewer: Viewer = ADAS, **variables: Any) -> Any:
    told = json.loads((await reader.answer(document, None, variables, viewer)).body)
    return next(iter(told["data"].values())) if told.get("data") else told


async def set_lyrics(reader: Reader, viewer: Viewer = ADAS, track: UUID = OPEN, **given: Any) -> Any:
    return await ask(reader, SET, viewer, input={"track": str(Ref(Kind.TRACK, track)), **given})


async def read(reader: Reader, viewer: Viewer = ANONYMOUS, track: UUID = OPEN) -> Any:
    return await ask(reader, READ, viewer, id=str(Ref(Kind.TRACK, track)))


async def found(reader: Reader, query: str, viewer: Viewer = ANONYMOUS) -> list[str]:
    return [node["title"] for node in (await ask(reader, FIND, viewer, q=query))["nodes"]]


async def left_behind(database: Database) -> list[int]:
    async with database.read() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in LEFT_BEHIND
        ]


async def test_lines_and_words_are_kept_as_they_were_sent(reader: Reader, database: Database) -> None:
    answer = await set_lyrics(reader, lyrics={"lines": LINES}, language="EN-gb")
    lyrics = answer["track"]["lyrics"]
    assert lyrics.pop("lrc") == "[00:01.00]<00:01.00>Quiet <00:01.50>harbour<00:02.50>\n[00:03.00]Oh\n[00:04.00]\n"
    assert lyrics == {"language": "en-GB", "version": 1, "lines": [LINES[0], {**LINES[1], "words": []}]}
    assert (await read(reader))["lyrics"] == lyrics
    assert await left_behind(database) == [1, 1, 1, 1]


async def test_a_file_is_taken_in_and_given_out_the_same(reader: Reader) -> None:
    file = "[00:01.00]<00:01.00>Quiet <00:01.50>harbour<00:02.50>\n[00:03.00]Oh\n[00:04.00]\n"
    first = await set_lyrics(reader, lyrics={"lrc": "\ufeff[ti:x]\r\n" + file.replace("\n", "\r\n")})
    assert first["track"]["lyrics"]["lrc"] == file
    assert first["track"]["lyrics"]["lines"] == [LINES[0], {**LINES[1], "words": []}]


async def test_what_is_left_out_stays_and_what_changes_nothing_writes_nothing(
    reader: Reader, database: Database
) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES}, language="en")
    second = (await set_lyrics(reader, language=None, expectedVersion=1))["track"]["lyrics"]
    assert (second["language"], second["version"], len(second["lines"])) == (None, 2, 2)
    again = await set_lyrics(reader, lyrics={"lrc": second["lrc"]}, expectedVersion=2)
    assert again["track"]["lyrics"] == second
    assert await left_behind(database) == [1, 2, 2, 2]
    third = (await set_lyrics(reader, lyrics={"lines": []}, expectedVersion=2))["track"]["lyrics"]
    assert (third["version"], third["lines"], third["lrc"]) == (3, [], "")


async def test_the_chain_of_the_track_tells_a_digest_and_no_word(reader: Reader, database: Database) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES}, idempotencyKey="k")
    async with database.read() as connection:
        (event,) = (await connection.execute(select(tables.provenance_event))).all()
        others = [(await connection.execute(select(table))).all() for table in (tables.outbox, tables.idempotency)]
    assert (event.subject_id, event.kind, json.loads(event.body)["payload"]["changed"]) == (
        OPEN,
        "ASSET_UPDATED",
        ["lyrics"],
    )
    assert "arbour" not in f"{event.body}{others}"


async def test_a_track_is_found_by_its_lyrics_after_those_found_by_their_names(reader: Reader) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES})
    await set_lyrics(reader, track=CLOSED, lyrics={"lines": LINES})
    assert await found(reader, "harb") == ["Harbour", "Open"]
    assert await found(reader, "oh quiet") == ["Open"]
    assert await found(reader, "quiet sea") == []
    assert await found(reader, "quite") == []  # only names forgive a typo
    assert await found(reader, "quiet", BOS) == ["Open"]
    assert await found(reader, "quiet", ADAS) == ["Closed", "Open"]
    reference = reader_of(reader._database, Execution.REFERENCE)
    assert await found(reference, "harb", ADAS) == ["Harbour", "Closed", "Open"]


@pytest.mark.parametrize("state", ["PRIVATE", "UNLISTED", "ARCHIVED", "WITHDRAWN"])
async def test_lyrics_are_shown_and_found_as_far_as_their_track_is(
    reader: Reader, database: Database, state: str
) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES})
    async with database.write() as connection:
        await connection.execute(update(tables.asset).where(tables.asset.c.id == OPEN).values(state=state))
    for execution in Execution:
        here = reader_of(database, execution)
        seen = await read(here)
        is_shown = state in {"UNLISTED", "ARCHIVED"}
        assert (seen is not None and seen["lyrics"] is not None) is is_shown
        assert await found(here, "quiet") == []
        assert await found(here, "quiet", MEMBER) == ["Open"]
        assert (await read(here, MEMBER))["lyrics"]["lines"][1]["text"] == "Oh"


async def test_a_track_is_found_by_the_lyrics_it_has_now(reader: Reader) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES})
    await set_lyrics(reader, lyrics={"lrc": "[00:01]Another shore\n"}, expectedVersion=1)
    assert (await found(reader, "quiet"), await found(reader, "another shore")) == ([], ["Open"])
    await set_lyrics(reader, lyrics={"lines": []}, expectedVersion=2)
    assert await found(reader, "shore") == []


async def test_a_renamed_track_is_still_found_by_its_lyrics(reader: Reader, database: Database) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES})
    async with database.write() as connection:
        await index_names(connection, [(OPEN, FoundKind.TRACK, ["Renamed"])])
    assert await found(reader, "quiet") == ["Open"]


async def test_words_longer_than_any_are_kept_and_found_by_their_beginning(reader: Reader) -> None:
    text = "ﷺ" * 300 + " 你" + "好" * 150
    await set_lyrics(reader, lyrics={"lines": [{"startMs": 0, "endMs": 9, "text": text}]})
    assert await found(reader, "你好好") == ["Open"]


async def test_a_hook_shows_what_is_sung_inside_of_it(reader: Reader) -> None:
    assert (await read(reader))["hook"]["timedText"] == []
    late = {"startMs": 31_500, "endMs": 32_000, "text": "Too late"}
    await set_lyrics(reader, lyrics={"lines": [*LINES, late]})
    query = "query ($id: ID!) { node(id: $id) { ... on Hook { timedText { startMs endMs text words { startMs endMs text } } } } }"
    expected = [{"startMs": 1500, "endMs": 3000, "text": "harbour", "words": WORDS[1:]}, {**LINES[1], "words": []}]
    for execution in Execution:
        here = reader_of(reader._database, execution)
        assert (await ask(here, query, ANONYMOUS, id=str(Ref(Kind.HOOK, HOOK))))["timedText"] == expected


async def test_two_editors_who_save_at_once_are_told_apart(reader: Reader, database: Database) -> None:
    for version in (None, 1):
        given = {} if version is None else {"expectedVersion": version}
        answers = await asyncio.gather(
            *[set_lyrics(reader, lyrics={"lrc": f"[00:0{n}]v{version}"}, **given) for n in range(5)]
        )
        assert sorted(answer["__typename"] for answer in answers) == ["ConflictError"] * 4 + ["SetLyricsSuccess"]
    assert await left_behind(database) == [1, 2, 2, 2]


@pytest.mark.parametrize("viewer", [BOS, MEMBER])
async def test_a_track_that_is_not_yours_and_none_answer_alike(
    reader: Reader, database: Database, viewer: Viewer
) -> None:
    not_yours = await set_lyrics(reader, viewer, lyrics={"lines": LINES})
    assert not_yours == await set_lyrics(reader, viewer, UUID(int=999), lyrics={"lines": LINES})
    assert not_yours["code"] == "NOT_FOUND"
    assert await left_behind(database) == [0, 0, 0, 0]


async def test_a_key_that_writes_assets_sets_lyrics(reader: Reader, database: Database) -> None:
    assert (await set_lyrics(reader, IDLE, lyrics={"lines": LINES}))["__typename"] == "ForbiddenError"
    assert await left_behind(database) == [0, 0, 0, 0]
    assert (await set_lyrics(reader, KEY, lyrics={"lines": LINES}))["__typename"] == "SetLyricsSuccess"


def line(text: str, **given: Any) -> dict[str, Any]:
    return {"lines": [{"startMs": 0, "endMs": 5, "text": text, **given}]}


@pytest.mark.parametrize(
    ("viewer", "given", "typename", "path"),
    [
        (ANONYMOUS, {"lyrics": {"lines": LINES}}, "SignInNeededError", []),
        (ADAS, {"lyrics": {"lines": LINES}, "expectedVersion": 1}, "ConflictError", ["expectedVersion"]),
        (ADAS, {"lyrics": {"lines": LINES}, "language": "english"}, "InvalidError", ["language"]),
        (ADAS, {"lyrics": {"lines": LINES}, "language": "en\ud800"}, "InvalidError", ["language"]),
        (ADAS, {"lyrics": line("x", endMs=60_001)}, "InvalidError", ["lines", "0", "endMs"]),
        (ADAS, {"lyrics": line("a\0b")}, "InvalidError", ["lines", "0", "text"]),
        (ADAS, {"lyrics": line("\udfff")}, "InvalidError", ["lines", "0", "text"]),
        (ADAS, {"lyrics": line("x", words=WORDS)}, "InvalidError", ["lines", "0", "words", "0", "startMs"]),
        (ADAS, {"lyrics": {"lrc": "[01:00]x"}}, "InvalidError", ["lrc"]),
        (ADAS, {"lyrics": {"lrc": "[00:00]\ud800"}}, "InvalidError", ["lrc"]),
        (ADAS, {"lyrics": {"lrc": "[00:00]a\r\n\0"}}, "InvalidError", ["lrc"]),
        (ADAS, {"lyrics": {"lrc": "x" * 1_000_000}}, "InvalidError", ["lrc"]),
    ],
)
async def test_a_refusal_is_typed_and_writes_nothing(
    reader: Reader, database: Database, viewer: Viewer, given: dict[str, Any], typename: str, path: list[str]
) -> None:
    answer = await set_lyrics(reader, viewer, **given)
    assert (answer["__typename"], answer["path"]) == (typename, path)
    assert await left_behind(database) == [0, 0, 0, 0]


@pytest.mark.parametrize("lyrics", [None, {}, {"lines": LINES, "lrc": "[00:01]x"}, {"lines": None}])
async def test_what_is_malformed_is_refused_before_anything_runs(reader: Reader, lyrics: Any) -> None:
    answer = await set_lyrics(reader, lyrics=lyrics)
    assert answer["errors"][0]["extensions"]["code"] in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}


async def test_an_idempotency_key_sets_lyrics_once(reader: Reader, database: Database) -> None:
    given = {"lyrics": {"lines": LINES}, "idempotencyKey": "k"}
    answers = await asyncio.gather(*[set_lyrics(reader, **given) for _ in range(4)])
    assert all(answer == answers[0] for answer in answers)
    assert await left_behind(database) == [1, 1, 1, 1]
    other = {**given, "lyrics": {"lrc": "[00:01]x"}}
    assert (await set_lyrics(reader, **other))["code"] == "IDEMPOTENCY_MISMATCH"


async def test_lyrics_are_set_in_six_statements_at_most(reader: Reader, statements: list[str]) -> None:
    await set_lyrics(reader, track=CLOSED, lyrics={"lines": LINES})  # the driver looks types up once
    for version in (None, 1):
        statements.clear()
        given = {"lyrics": {"lrc": f"[00:01]{version}"}} | ({} if version is None else {"expectedVersion": version})
        assert (await set_lyrics(reader, **given)).get("track")
        inside = [sql for sql in statements if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", ";"))]
        # And two that read the payload: the track, and what is sung in it.
        assert len(inside) <= 6 + 2, inside


MERGE = """mutation ($input: MergeAssetsInput!) { mergeAssets(input: $input) { __typename
  ... on UserError { code message } } }"""


async def merged(reader: Reader, keep: UUID, retire: UUID) -> None:
    refs = {"keep": str(Ref(Kind.TRACK, keep)), "retire": str(Ref(Kind.TRACK, retire))}
    answer = await ask(reader, MERGE, input={**refs, "expectedVersion": 1, "expectedRetiredVersion": 1})
    assert answer == {"__typename": "MergeAssetsSuccess"}


async def test_a_track_that_takes_the_place_of_another_has_its_lyrics(reader: Reader) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES}, language="en")
    await merged(reader, TITLED, OPEN)
    for id_ in (TITLED, OPEN):
        assert (await read(reader, track=id_))["lyrics"]["lines"] == [LINES[0], {**LINES[1], "words": []}]
    assert await found(reader, "quiet") == ["Harbour"]


async def test_a_track_with_lyrics_keeps_them_when_it_takes_the_place_of_another(reader: Reader) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES})
    await set_lyrics(reader, track=TITLED, lyrics={"lrc": "[00:01]Mine\n[00:02]"})
    await merged(reader, TITLED, OPEN)
    assert [line["text"] for line in (await read(reader, track=OPEN))["lyrics"]["lines"]] == ["Mine"]


async def test_lyrics_that_do_not_fit_stay_behind(reader: Reader, database: Database) -> None:
    await set_lyrics(reader, lyrics={"lines": LINES})
    async with database.write() as connection:
        await connection.execute(update(tables.track).where(tables.track.c.id == TITLED).values(duration_ms=3_999))
    await merged(reader, TITLED, OPEN)
    assert (await read(reader, track=TITLED))["lyrics"] is None
