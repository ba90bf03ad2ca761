"""Credits and splits: proposed by an owner, answered by whom they name; pools whole to the basis point; history kept."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.readers import reader_of

ADA, BO, CLEO = UUID(int=21), UUID(int=22), UUID(int=23)
ADAS = Viewer(UUID(int=31), (ADA,), (ADA,))
BOS = Viewer(UUID(int=32), (BO,), (BO,))
BOS_MEMBER = Viewer(UUID(int=33), (BO,), ())
KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset(KeyScope))
BOS_KEY = Viewer(UUID(int=32), (BO,), (BO,), is_agent=True, scopes=frozenset(KeyScope))
TRACK, HIDDEN = UUID(int=101), UUID(int=102)
OUTSIDER, BOS_HIDDEN = UUID(int=201), UUID(int=202)
LEFT_BEHIND = (tables.credit, tables.contributor, tables.split, tables.provenance_event, tables.change, tables.outbox)

ERROR = "... on UserError { code message path }"
CREDITS = """credits { nodes { id role instrument acceptance position contributor { id name artist { handle } } } }
  splits { nodes { id pool basisPoints acceptance contributor { id } } }"""
DOCUMENTS = {
    name: f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ __typename {ERROR}
      ... on {name[0].upper()}{name[1:]}Success {{ {payload} }} }} }}"""
    for name, payload in {
        "setCredits": f"asset {{ version {CREDITS} }}",
        "setSplits": f"asset {{ version {CREDITS} }}",
        "answerCredit": "credit { id acceptance asset { id } }",
        "answerSplit": "split { id acceptance basisPoints asset { id } }",
    }.items()
}


def ref(kind: Kind, id_: UUID) -> str:
    return str(Ref(kind, id_))


ARTISTS = {name: {"artist": ref(Kind.ARTIST, id_)} for name, id_ in (("ada", ADA), ("bo", BO), ("cleo", CLEO))}


@pytest.fixture
async def reader(database: Database) -> Reader:
    """Ada's private track; somebody outside on a public track of Bo's, and somebody on a private one."""
    async with database.write() as connection:
        for artist, viewer, handle in ((ADA, ADAS, "ada"), (BO, BOS, "bo"), (CLEO, BOS_MEMBER, "cleo")):
            await connection.execute(insert(tables.account).values(id=viewer.account, handle=handle))
            await connection.execute(
                insert(tables.artist).values(id=artist, handle=handle, name=handle, kind="CREATOR", claimed=True)
            )
        for id_, owner, shown, contributor in (
            (TRACK, ADA, "PRIVATE", None),
            (HIDDEN, BO, "PRIVATE", BOS_HIDDEN),
            (UUID(int=103), BO, "PUBLIC", OUTSIDER),
        ):
            row = {"id": id_, "kind": "TRACK", "owner_id": owner, "title": "x", "state": shown}
            await connection.execute(insert(tables.asset).values(row))
            await connection.execute(insert(tables.track).values(id=id_))
            if contributor is not None:
                person = {"id": contributor, "name": f"person {contributor.int}"}
                await connection.execute(insert(tables.contributor).values(person))
                credit = {"id": contributor, "asset_id": id_, "contributor_id": contributor, "role": "COMPOSER"}
                await connection.execute(insert(tables.credit).values({**credit, "position": 1}))
    return reader_of(database)


async def ask(reader: Reader, viewer: Viewer, name: str, **given: Any) -> dict[str, Any]:
    answer = json.loads((await reader.answer(DOCUMENTS[name], None, {"input": given}, viewer)).body)
    return dict(answer["data"][name]) if answer.get("data") else dict(answer)


async def credit(reader: Reader, *credits_: Any, viewer: Viewer = ADAS, version: int = 1, **given: Any) -> Any:
    listed = [{"party": party, "role": role, **dict(*more)} for party, role, *more in credits_]
    asked = {"asset": ref(Kind.TRACK, TRACK), "credits": listed, "expectedVersion": version, **given}
    return await ask(reader, viewer, "setCredits", **asked)


async def divide(reader: Reader, *shares: Any, viewer: Viewer = ADAS, version: int = 1, **given: Any) -> Any:
    listed = [{"contributor": contributor, "basisPoints": points} for contributor, points in shares]
    asked = {"asset": ref(Kind.TRACK, TRACK), "pool": "MASTER", "shares": listed, "expectedVersion": version, **given}
    return await ask(reader, viewer, "setSplits", **asked)


async def people(reader: Reader) -> dict[str, str]:
    """Ada, Bo and Cleo as contributors of the track, which is at version 2 then."""
    answer = await credit(reader, *[(ARTISTS[name], "MAIN_ARTIST") for name in ("ada", "bo", "cleo")])
    return {row["contributor"]["name"]: row["contributor"]["id"] for row in answer["asset"]["credits"]["nodes"]}


def told(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    nodes = answer["asset"]["credits"]["nodes"]
    return [(row["contributor"]["name"], row["role"], row["acceptance"]) for row in nodes]


def held(answer: dict[str, Any]) -> list[tuple[str, int, str]]:
    nodes = answer["asset"]["splits"]["nodes"]
    return [(row["contributor"]["id"], row["basisPoints"], row["acceptance"]) for row in nodes]


async def left_behind(database: Database) -> list[int]:
    async with database.read() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar() or 0 for table in LEFT_BEHIND
        ]


BEFORE = [2, 2, 0, 0, 0, 0]


async def test_ones_own_people_agree_at_once_and_others_are_asked(reader: Reader, database: Database) -> None:
    answer = await credit(
        reader,
        (ARTISTS["bo"], "PRODUCER"),
        (ARTISTS["ada"], "MAIN_ARTIST"),
        ({"name": " Dee "}, "INSTRUMENTALIST", {"instrument": "oud"}),
        ({"contributor": ref(Kind.CONTRIBUTOR, OUTSIDER)}, "COMPOSER"),
    )
    assert told(answer) == [
        ("bo", "PRODUCER", "PROPOSED"),
        ("ada", "MAIN_ARTIST", "ACCEPTED"),
        ("Dee", "INSTRUMENTALIST", "PROPOSED"),
        ("person 201", "COMPOSER", "PROPOSED"),
    ]
    assert [row["position"] for row in answer["asset"]["credits"]["nodes"]] == [1, 2, 3, 4]
    assert answer["asset"]["credits"]["nodes"][0]["contributor"]["artist"] == {"handle": "bo"}
    assert answer["asset"]["version"] == 2
    assert await left_behind(database) == [6, 5, 0, 1, 4, 4]  # three people more in the log, three asked


async def test_what_is_named_again_is_the_same_and_what_is_not_is_taken_back(
    reader: Reader, database: Database
) -> None:
    first = await credit(reader, ({"name": "Dee"}, "VOCALIST"), (ARTISTS["bo"], "PRODUCER"))
    ids = [row["id"] for row in first["asset"]["credits"]["nodes"]]
    before = await left_behind(database)
    same = await credit(reader, ({"name": "Dee"}, "VOCALIST"), (ARTISTS["bo"], "PRODUCER"), version=2)
    assert same == first
    assert await left_behind(database) == before
    less = await credit(reader, (ARTISTS["bo"], "PRODUCER"), version=2)
    assert told(less) == [("bo", "PRODUCER", "PROPOSED")]
    gone = f'{{ node(id: "{ids[0]}") {{ id }} }}'
    assert json.loads((await reader.answer(gone, None, None, ADAS)).body) == {"data": {"node": None}}
    again = await credit(reader, (ARTISTS["bo"], "PRODUCER"), ({"name": "Dee"}, "VOCALIST"), version=3)
    assert [row["id"] for row in again["asset"]["credits"]["nodes"]] == ids[::-1]
    assert (await left_behind(database))[:2] == before[:2], "nobody is made twice, and no credit"
    assert told(await credit(reader, version=4)) == []


async def test_somebody_outside_is_one_person_on_an_asset_and_another_on_the_next(
    reader: Reader, database: Database
) -> None:
    await credit(reader, ({"name": "person 201"}, "VOCALIST"), ({"name": "person 201"}, "LYRICIST"))
    assert (await left_behind(database))[:2] == [4, 3]


@pytest.mark.parametrize(
    ("credits_", "typename", "path"),
    [
        ([({"name": " "}, "VOCALIST")], "InvalidError", ["credits", "0", "party", "name"]),
        ([({"name": "x" * 301}, "VOCALIST")], "InvalidError", ["credits", "0", "party", "name"]),
        ([({"name": "a\u0000"}, "VOCALIST")], "InvalidError", ["credits", "0", "party", "name"]),
        ([({"name": "Dee"}, "VOCALIST", {"instrument": "oud"})], "InvalidError", ["credits", "0", "instrument"]),
        ([({"name": "Dee"}, "VOCALIST"), ({"name": "Dee "}, "VOCALIST")], "InvalidError", ["credits", "1"]),
        ([({"name": f"{n}"}, "VOCALIST") for n in range(101)], "InvalidError", ["credits"]),
        ([({"artist": ref(Kind.ARTIST, UUID(int=999))}, "PRODUCER")], "NotFoundError", ["credits", "0", "party"]),
    ],
)
async def test_a_refused_credit_writes_nothing_at_all(
    reader: Reader, database: Database, credits_: list[Any], typename: str, path: list[str]
) -> None:
    answer = await credit(reader, *credits_)
    assert (answer["__typename"], answer["path"]) == (typename, path)
    assert await left_behind(database) == BEFORE


async def test_a_person_credited_on_what_one_may_not_see_is_nobody(reader: Reader, database: Database) -> None:
    hidden, nobody = [
        await credit(reader, ({"contributor": ref(Kind.CONTRIBUTOR, id_)}, "PRODUCER"))
        for id_ in (BOS_HIDDEN, UUID(int=999))
    ]
    assert hidden == nobody
    assert hidden["code"] == "NOT_FOUND"
    assert await left_behind(database) == BEFORE


@pytest.mark.parametrize("viewer", [BOS, BOS_MEMBER])
async def test_not_yours_and_not_found_answer_alike(reader: Reader, database: Database, viewer: Viewer) -> None:
    nobodys = ref(Kind.TRACK, UUID(int=999))
    for write in (credit, divide):
        not_yours = await write(reader, viewer=viewer)
        assert not_yours == await write(reader, viewer=viewer, asset=nobodys)
        assert (not_yours["code"], not_yours["path"]) == ("NOT_FOUND", ["asset"])
    assert await left_behind(database) == BEFORE


async def test_a_key_credits_and_divides_nothing(reader: Reader) -> None:
    assert told(await credit(reader, (ARTISTS["ada"], "MAIN_ARTIST"), viewer=KEY)) == [
        ("ada", "MAIN_ARTIST", "ACCEPTED")
    ]
    assert (await divide(reader, viewer=KEY))["code"] == "FORBIDDEN"
    assert (await credit(reader, viewer=ANONYMOUS))["code"] == "UNAUTHENTICATED"


async def test_two_editors_who_save_at_once_are_told_apart(reader: Reader, database: Database) -> None:
    people_ = await people(reader)
    answers = await asyncio.gather(
        *[credit(reader, ({"name": f"{n}"}, "VOCALIST"), version=2) for n in range(3)],
        *[divide(reader, (people_["ada"], 10_000), version=2) for _ in range(3)],
    )
    assert [answer["__typename"] for answer in answers].count("ConflictError") == 5
    assert (await left_behind(database))[3] == 2


async def test_an_artist_is_one_contributor_however_many_credit_them_at_once(
    reader: Reader, database: Database
) -> None:
    async with database.write() as connection:
        for number in range(4):
            row = {"id": UUID(int=500 + number), "kind": "SAMPLE", "owner_id": ADA, "title": "x"}
            await connection.execute(insert(tables.asset).values(row))
    await asyncio.gather(
        *[
            credit(reader, (ARTISTS["cleo"], "REMIXER"), asset=ref(Kind.SAMPLE, UUID(int=500 + number)))
            for number in range(4)
        ]
    )
    async with database.read() as connection:
        count = select(func.count()).where(tables.contributor.c.artist_id == CLEO)
        assert (await connection.execute(count)).scalar() == 1


async def test_who_is_credited_answers_and_who_declined_is_not_asked_again(reader: Reader, database: Database) -> None:
    answer = await credit(reader, (ARTISTS["bo"], "PRODUCER"))
    id_ = answer["asset"]["credits"]["nodes"][0]["id"]
    for other in (ADAS, BOS_MEMBER):
        refused = await ask(reader, other, "answerCredit", id=id_, accept=True)
        assert refused == await ask(reader, other, "answerCredit", id=ref(Kind.CREDIT, UUID(int=999)), accept=True)
        assert refused["code"] == "NOT_FOUND"
    assert (await ask(reader, BOS_KEY, "answerCredit", id=id_, accept=True))["code"] == "FORBIDDEN"
    before = await left_behind(database)
    accepted = await ask(reader, BOS, "answerCredit", id=id_, accept=True)
    assert accepted["credit"] == {"id": id_, "acceptance": "ACCEPTED", "asset": None}, "the track is private"
    assert await ask(reader, BOS, "answerCredit", id=id_, accept=True) == accepted
    assert [now - then for now, then in zip(await left_behind(database), before, strict=True)] == [0, 0, 0, 1, 1, 1]
    declined = await ask(reader, BOS, "answerCredit", id=id_, accept=False)
    assert declined["credit"]["acceptance"] == "DECLINED"
    assert told(await credit(reader, version=2)) == []
    assert (await ask(reader, BOS, "answerCredit", id=id_, accept=True))["code"] == "NOT_FOUND"
    again = await credit(reader, (ARTISTS["bo"], "PRODUCER"), version=3)
    assert told(again) == [("bo", "PRODUCER", "DECLINED")], "the owner still sees it"


async def test_a_pool_is_whole_to_the_basis_point_and_its_history_is_kept(reader: Reader, database: Database) -> None:
    people_ = await people(reader)
    ada, bo, cleo = (people_[name] for name in ("ada", "bo", "cleo"))
    first = await divide(reader, (ada, 6_000), (bo, 4_000), version=2)
    assert held(first) == [(ada, 6_000, "ACCEPTED"), (bo, 4_000, "PROPOSED")]
    share = first["asset"]["splits"]["nodes"][1]["id"]
    agreed = await ask(reader, BOS, "answerSplit", id=share, accept=True)
    assert (agreed["split"]["acceptance"], agreed["split"]["basisPoints"]) == ("ACCEPTED", 4_000)
    assert (await ask(reader, BOS, "answerSplit", id=share, accept=False))["code"] == "CONFLICT"
    moved = await divide(reader, (bo, 4_000), (ada, 5_999), (cleo, 1), version=3)
    assert held(moved) == [(bo, 4_000, "ACCEPTED"), (ada, 5_999, "ACCEPTED"), (cleo, 1, "PROPOSED")]
    less = await divide(reader, (ada, 6_001), (bo, 3_999), version=4)
    assert held(less) == [(ada, 6_001, "ACCEPTED"), (bo, 3_999, "PROPOSED")], "another share is another question"
    async with database.read() as connection:
        rows = await connection.execute(
            text("""SELECT contributor_id, acceptance, sum(basis_points) FROM split
                    WHERE upper_inf(known) AND valid @> (SELECT lower(valid) FROM split WHERE basis_points = 1 LIMIT 1)
                    GROUP BY ROLLUP ((contributor_id, acceptance))""")
        )
        then = {str(row[0]): (row[1], row[2]) for row in rows}
    assert then.pop("None")[1] == 10_000
    assert sorted(then.values()) == [("ACCEPTED", 4_000), ("ACCEPTED", 5_999), ("PROPOSED", 1)]
    assert held(await divide(reader, version=5)) == []


@pytest.mark.parametrize(
    ("shares", "path"),
    [
        ([("ada", 9_999)], ["shares"]),
        ([("ada", 6_000), ("bo", 3_999)], ["shares"]),
        ([("ada", 6_000), ("bo", 4_001)], ["shares"]),
        ([("ada", 10_001)], ["shares", "0", "basisPoints"]),
        ([("ada", 10_000), ("bo", 0)], ["shares", "1", "basisPoints"]),
        ([("ada", 11_000), ("bo", -1_000)], ["shares", "0", "basisPoints"]),
        ([("ada", 5_000), ("ada", 5_000)], ["shares", "1", "contributor"]),
    ],
)
async def test_a_pool_that_is_not_whole_is_refused(
    reader: Reader, database: Database, shares: list[tuple[str, int]], path: list[str]
) -> None:
    people_ = await people(reader)
    before = await left_behind(database)
    answer = await divide(reader, *[(people_[name], points) for name, points in shares], version=2)
    assert (answer["code"], answer["path"]) == ("VALIDATION", path)
    assert await left_behind(database) == before


async def test_a_share_is_answered_by_whom_it_names_only(reader: Reader) -> None:
    people_ = await people(reader)
    answer = await divide(reader, (people_["bo"], 10_000), version=2)
    (share,) = answer["asset"]["splits"]["nodes"]
    for other in (ADAS, BOS_MEMBER):
        assert (await ask(reader, other, "answerSplit", id=share["id"], accept=True))["code"] == "NOT_FOUND"
    declined = await ask(reader, BOS, "answerSplit", id=share["id"], accept=False)
    assert declined["split"]["acceptance"] == "DECLINED"
    assert held(await divide(reader, (people_["bo"], 10_000), version=3)) == [(people_["bo"], 10_000, "DECLINED")]


async def test_an_idempotency_key_writes_once_and_is_good_for_no_other_request(
    reader: Reader, database: Database
) -> None:
    answers = await asyncio.gather(
        *[credit(reader, ({"name": "Dee"}, "VOCALIST"), idempotencyKey="k") for _ in range(4)]
    )
    assert all(answer == answers[0] for answer in answers)
    assert (await left_behind(database))[:2] == [3, 3]
    for other in (credit(reader, idempotencyKey="k"), divide(reader, idempotencyKey="k")):
        assert (await other)["code"] == "IDEMPOTENCY_MISMATCH"


async def test_both_executions_write_alike(reader: Reader, database: Database) -> None:
    reference = reader_of(database, Execution.REFERENCE)
    first = await credit(reader, (ARTISTS["bo"], "PRODUCER"))
    assert await credit(reference, (ARTISTS["bo"], "PRODUCER"), version=2) == first
    id_ = first["asset"]["credits"]["nodes"][0]["id"]
    one = await ask(reader, BOS, "answerCredit", id=id_, accept=True)
    assert await ask(reference, BOS, "answerCredit", id=id_, accept=True) == one


async def test_people_who_are_new_are_found_by_those_who_see_what_they_did(reader: Reader) -> None:
    await credit(reader, ({"name": "Delphine Zora"}, "VOCALIST"))
    found = '{ search(query: "delphine", kinds: [CONTRIBUTOR]) { nodes { ... on Contributor { name } } } }'
    for viewer, expected in ((ADAS, [{"name": "Delphine Zora"}]), (BOS, [])):
        answer = json.loads((await reader.answer(found, None, None, viewer)).body)
        assert answer["data"]["search"]["nodes"] == expected


PREVIEW = """query ($asset: ID!, $shares: [ShareInput!]!, $amount: Int) {
  previewSplits(asset: $asset, pool: MASTER, shares: $shares, amountMinor: $amount) {
    contributor { name } basisPoints basisPointsBefore acceptance amountMinor } }"""


async def test_a_division_is_seen_before_it_is_saved_and_writes_nothing(reader: Reader, database: Database) -> None:
    people_ = await people(reader)
    await divide(reader, (people_["ada"], 5_000), (people_["bo"], 5_000), version=2)
    before = await left_behind(database)

    async def preview(viewer: Viewer, amount: int | None, *shares: tuple[str, int], track: UUID = TRACK) -> Any:
        listed = [{"contributor": contributor, "basisPoints": points} for contributor, points in shares]
        given = {"asset": ref(Kind.TRACK, track), "shares": listed, "amount": amount}
        return json.loads((await reader.answer(PREVIEW, None, given, viewer)).body)

    thirds = [(people_["ada"], 3_334), (people_["cleo"], 3_333), (people_["bo"], 3_333)]
    answer = await preview(ADAS, 100, *thirds)
    assert [tuple(share.values()) for share in answer["data"]["previewSplits"]] == [
        ({"name": "ada"}, 3_334, 5_000, "ACCEPTED", 34),
        ({"name": "cleo"}, 3_333, None, "PROPOSED", 33),
        ({"name": "bo"}, 3_333, 5_000, "PROPOSED", 33),
    ]
    nobody = ref(Kind.CONTRIBUTOR, UUID(int=999))
    for viewer, track, shares in (
        (BOS, TRACK, thirds),
        (ADAS, UUID(int=999), thirds),
        (ADAS, TRACK, [(nobody, 10_000)]),
    ):
        assert await preview(viewer, 100, *shares, track=track) == {"data": {"previewSplits": None}}
    for amount, shares in ((100, thirds[1:]), (-1, thirds), (100, [(people_["ada"], 10_001)])):
        refused = await preview(ADAS, amount, *shares)
        assert refused["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert await left_behind(database) == before


async def test_what_waits_for_an_answer_is_listed_for_whom_it_names_until_they_answer(reader: Reader) -> None:
    people_ = await people(reader)
    await divide(reader, (people_["ada"], 5_000), (people_["bo"], 5_000), version=2)
    waiting = "{ viewer { proposedCredits { nodes { id role } } proposedSplits { nodes { id basisPoints } } } }"

    async def listed(viewer: Viewer) -> tuple[list[Any], list[Any]]:
        told_ = json.loads((await reader.answer(waiting, None, None, viewer)).body)["data"]["viewer"]
        return told_["proposedCredits"]["nodes"], told_["proposedSplits"]["nodes"]

    (credit_,), (share,) = await listed(BOS)
    assert (credit_["role"], share["basisPoints"]) == ("MAIN_ARTIST", 5_000)
    for other in (ADAS, BOS_MEMBER):
        assert await listed(other) == ([], [])
    await ask(reader, BOS, "answerCredit", id=credit_["id"], accept=True)
    await ask(reader, BOS, "answerSplit", id=share["id"], accept=False)
    assert await listed(BOS) == ([], [])
