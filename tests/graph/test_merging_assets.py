"""Two assets that are one: everything leads to the one that stays, once, and what it means for others is told."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from domain.rights import Use
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.company import ADA, ADAS, BO, BOS, add_asset, add_edge, add_owners, ask, left_behind
from tests.graph.readers import reader_of

MEMBER = Viewer(UUID(int=31), (ADA,), ())
BOTH = Viewer(UUID(int=31), (ADA, BO), (ADA, BO))
KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset(KeyScope))
KINDS = {"voice": Kind.SAMPLE, "album": Kind.RELEASE, "single": Kind.RELEASE}
NUMBERS = {
    name: number
    for number, name in enumerate(
        ("keep", "retire", "third", "parent", "child", "bos", "voice", "album", "single", "nobodys"), 101
    )
}
REFS = {name: str(Ref(KINDS.get(name, Kind.TRACK), UUID(int=number))) for name, number in NUMBERS.items()}
PERSON, OTHER = UUID(int=301), UUID(int=302)
LEFT_BEHIND = (tables.merge, tables.provenance_event, tables.change, tables.outbox)

MERGE = """mutation ($input: MergeAssetsInput!) { mergeAssets(input: $input) { __typename
  ... on UserError { code message path } ... on LineageCycleError { cycle { id } }
  ... on MergeAssetsSuccess { asset { id version title } flipped { count changes { asset { id } before after } } } } }"""
WHOLE = """query ($id: ID!) { node(id: $id) { ... on Asset { id title version
  parents { nodes { kind status parent { id } } } children { nodes { kind child { id } } }
  credits { nodes { role acceptance contributor { id } position } } splits { nodes { pool basisPoints } }
  policy { license } media { nodes { role } } provenance { nodes { kind } }
  ... on Track { bpm isrc hook { startMs } } } } }"""


def uid(name: str) -> UUID:
    return UUID(int=NUMBERS[name])


@pytest.fixture
async def reader(database: Database) -> Reader:
    async with database.write() as connection:
        await add_owners(connection)
        for name, number in NUMBERS.items():
            if name != "nobodys":
                owner = BO if name in {"bos", "child"} else ADA
                await add_asset(connection, UUID(int=number), owner, kind=KINDS.get(name, Kind.TRACK), title=name)
        for id_, name in ((PERSON, "Dee"), (OTHER, "Eve")):
            await connection.execute(insert(tables.contributor).values(id=id_, name=name))
    return reader_of(database)


async def do(reader: Reader, name: str, viewer: Viewer = ADAS, **given: Any) -> None:
    document = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ __typename
      ... on UserError {{ message }} }} }}"""
    answer = await ask(reader, viewer, document, input=given)
    assert answer["__typename"].endswith("Success"), answer


async def merge(
    reader: Reader, keep: str, retire: str, versions: tuple[int, int] = (1, 1), viewer: Viewer = ADAS, **more: Any
) -> Any:
    given = {"keep": REFS[keep], "retire": REFS[retire]}
    expected = {"expectedVersion": versions[0], "expectedRetiredVersion": versions[1]}
    return await ask(reader, viewer, MERGE, input={**given, **expected, **more})


async def edge(reader: Reader, child: str, parent: str, viewer: Viewer = ADAS, kind: str = "SAMPLES") -> None:
    await do(reader, "declareEdge", viewer, child=REFS[child], parent=REFS[parent], kind=kind)


async def test_the_one_that_stays_takes_over_what_it_lacks_and_nothing_stands_twice(
    reader: Reader, database: Database
) -> None:
    for child, parent, viewer in (
        ("retire", "parent", ADAS),
        ("keep", "parent", ADAS),
        ("retire", "third", ADAS),
        ("child", "retire", BOS),
    ):
        await edge(reader, child, parent, viewer)
    dee, eve = ({"contributor": str(Ref(Kind.CONTRIBUTOR, id_))} for id_ in (PERSON, OTHER))
    async with database.write() as connection:
        for number, (asset, person) in enumerate((("keep", PERSON), ("retire", PERSON), ("retire", OTHER)), 1):
            row = {"id": UUID(int=400 + number), "asset_id": uid(asset), "contributor_id": person, "role": "PRODUCER"}
            await connection.execute(insert(tables.credit).values({**row, "position": 1}))
        for number, (asset, role) in enumerate((("keep", "COVER"), ("retire", "COVER"), ("retire", "MASTER")), 1):
            row = {"id": UUID(int=500 + number), "asset_id": uid(asset), "role": role, "sha256": "0" * 64}
            await connection.execute(insert(tables.media).values(row))
        await connection.execute(
            text("UPDATE track SET bpm = 90, isrc = 'USRC17607839' WHERE id = :id"), {"id": uid("retire")}
        )
        await connection.execute(text("UPDATE track SET bpm = 120 WHERE id = :id"), {"id": uid("keep")})
    await do(reader, "setHook", track=REFS["retire"], startMs=7)
    shares = [{**dee, "basisPoints": 6_000}, {**eve, "basisPoints": 4_000}]
    await do(reader, "setSplits", asset=REFS["retire"], pool="MASTER", shares=shares, expectedVersion=1)
    whole = [{**dee, "basisPoints": 10_000}]
    for name, version in (("retire", 2), ("keep", 1)):
        await do(reader, "setSplits", asset=REFS[name], pool="PUBLISHING", shares=whole, expectedVersion=version)
    await do(reader, "setPolicy", subject=REFS["retire"], license="CC-BY-4.0")
    await do(reader, "setReleaseItems", release=REFS["album"], items=[REFS["retire"], REFS["voice"]], expectedVersion=1)
    both = [REFS["voice"], REFS["keep"], REFS["retire"]]
    await do(reader, "setReleaseItems", release=REFS["single"], items=both, expectedVersion=1)

    answer = await merge(reader, "keep", "retire", (2, 3))
    assert answer["asset"] == {"id": REFS["keep"], "version": 3, "title": "keep"}
    told = await ask(reader, ADAS, WHOLE, id=REFS["keep"])
    assert told == await ask(reader, ADAS, WHOLE, id=REFS["retire"]), "the old id leads to it"
    assert sorted(node["parent"]["id"] for node in told["parents"]["nodes"]) == sorted([REFS["parent"], REFS["third"]])
    assert [node["child"]["id"] for node in told["children"]["nodes"]] == [REFS["child"]]
    assert [(node["contributor"]["id"], node["position"]) for node in told["credits"]["nodes"]] == [
        (dee["contributor"], 1),
        (eve["contributor"], 2),
    ]
    held = sorted((node["pool"], node["basisPoints"]) for node in told["splits"]["nodes"])
    assert held == [("MASTER", 4_000), ("MASTER", 6_000), ("PUBLISHING", 10_000)]
    assert told["policy"] == {"license": "CC-BY-4.0"}
    assert sorted(node["role"] for node in told["media"]["nodes"]) == ["COVER", "MASTER"]
    assert (told["bpm"], told["isrc"], told["hook"]) == (120, "USRC17607839", {"startMs": 7})
    assert told["provenance"]["nodes"][-1] == {"kind": "ASSET_MERGED"}
    async with database.read() as connection:
        items = "SELECT count(*) FILTER (WHERE asset_id = :keep), count(*) FILTER (WHERE asset_id = :retire) FROM release_item"
        counted = await connection.execute(text(items), {"keep": uid("keep"), "retire": uid("retire")})
        assert tuple(counted.one()) == (2, 0)
        counts = "SELECT derived_count, state FROM asset WHERE id = :id"
        assert tuple((await connection.execute(text(counts), {"id": uid("keep")})).one()) == (1, "PUBLIC")
        assert tuple((await connection.execute(text(counts), {"id": uid("retire")})).one()) == (0, "WITHDRAWN")
        last = "SELECT kind FROM provenance_event WHERE subject_id = :id ORDER BY sequence DESC LIMIT 1"
        assert (await connection.execute(text(last), {"id": uid("retire")})).scalar() == "ASSET_MERGED"


async def test_chains_of_merges_are_flat_and_every_old_id_is_good_for_writing_too(
    reader: Reader, database: Database
) -> None:
    assert (await merge(reader, "retire", "third"))["asset"]["id"] == REFS["retire"]
    assert (await merge(reader, "keep", "retire", (1, 2)))["asset"]["id"] == REFS["keep"]
    for name in ("third", "retire"):
        assert (await ask(reader, ADAS, WHOLE, id=REFS[name]))["id"] == REFS["keep"]
    await do(reader, "updateAsset", id=REFS["third"], title="One", expectedVersion=2)
    assert (await ask(reader, ADAS, WHOLE, id=REFS["retire"]))["title"] == "One"
    async with database.read() as connection:
        open_ = "SELECT old_id, new_id FROM merge WHERE upper_inf(known) AND upper_inf(valid) ORDER BY old_id"
        rows = [tuple(row) for row in await connection.execute(text(open_))]
    assert rows == [(uid("retire"), uid("keep")), (uid("third"), uid("keep"))]
    again = await merge(reader, "keep", "third", (3, 3))
    assert (again["code"], again["message"]) == ("VALIDATION", "They are one asset already.")


ANSWERS = {
    "permissionCheck": (
        "($id: [ID!]!)",
        "(ids: $id, uses: [REMIX])",
        "{ asset { id } decision verdicts { decision } }",
    ),
    "hypotheticalRights": ("($id: [ID!]!)", "(parents: $id, kind: SAMPLES)", "{ use layer decision }"),
    "lineageRoots": ("($id: ID!)", "(id: $id)", "{ asset { id } }"),
    "lineagePath": (
        "($id: ID!, $other: ID!)",
        "(from: $id, to: $other)",
        "{ length steps { kind parent { id } } }",
    ),
    "commonAncestors": ("($id: ID!, $other: ID!)", "(ids: [$id, $other])", "{ asset { id } distances }"),
    "simulateTakedown": ("($id: ID!)", "(id: $id)", "{ count changes { asset { id } before after } }"),
    "simulatePolicy": ("($id: ID!)", "(subject: $id, preset: OPEN_TO_REMIX)", "{ count changes { asset { id } } }"),
    "simulateEdge": ("($id: ID!, $other: ID!)", "(child: $other, parent: $id, kind: SAMPLES)", "{ count }"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_every_answer_about_an_old_id_is_the_one_about_the_new(reader: Reader, name: str) -> None:
    await edge(reader, "keep", "parent")
    await edge(reader, "third", "keep")
    await edge(reader, "retire", "bos")
    await do(reader, "setPolicy", subject=REFS["keep"], license="CC-BY-4.0")
    assert "asset" in await merge(reader, "keep", "retire")
    variables, given, wanted = ANSWERS[name]
    if name == "lineageRoots":
        wanted = "{ id }"

    async def about(asset: str) -> Any:
        values = {"id": REFS[asset], **({"other": REFS["third"]} if "$other" in variables else {})}
        return await ask(reader, ADAS, f"query {variables} {{ {name}{given} {wanted} }}", **values)

    assert await about("retire") == await about("keep")
    assert await about("keep"), "there is an answer"


async def test_what_is_made_from_an_old_id_is_registered_as_from_the_new(reader: Reader) -> None:
    await do(reader, "setPolicy", subject=REFS["keep"], license="CC-BY-4.0")
    await merge(reader, "keep", "retire")
    told = await ask(
        reader,
        BOS,
        """mutation ($input: DeclareEdgeInput!) { declareEdge(input: $input) {
          ... on DeclareEdgeSuccess { edge { status registration parent { id } } } } }""",
        input={"child": REFS["bos"], "parent": REFS["retire"], "kind": "SAMPLES"},
    )
    assert told["edge"] == {"status": "CONFIRMED", "registration": "REGISTERED", "parent": {"id": REFS["keep"]}}


async def test_a_receipt_about_an_old_id_is_about_the_new_and_can_be_replayed(reader: Reader) -> None:
    await merge(reader, "keep", "retire")
    told = await ask(
        reader,
        ADAS,
        """mutation ($input: RecordPermissionCheckInput!) { recordPermissionCheck(input: $input) {
          ... on RecordPermissionCheckSuccess { receipt { id body } } } }""",
        input={"id": REFS["retire"], "uses": ["REMIX"]},
    )
    assert json.loads(told["receipt"]["body"])["question"]["asset"] == REFS["keep"]
    again = "query ($id: ID!) { replay(receiptId: $id) { reproduced } }"
    assert (await ask(reader, ADAS, again, id=told["receipt"]["id"])) == {"reproduced": True}


async def test_everybody_whose_verdict_flips_is_told(reader: Reader, database: Database) -> None:
    await edge(reader, "child", "retire", BOS, "REMIX_OF")
    await do(reader, "setPolicy", BOS, subject=REFS["child"], license="CC0-1.0")
    await do(reader, "setPolicy", subject=REFS["retire"], license="CC0-1.0")
    await do(reader, "setPolicy", subject=REFS["keep"], license="CC-BY-NC-ND-4.0")
    answer = await merge(reader, "keep", "retire")
    assert answer["flipped"]["count"] > 0
    assert {change["asset"]["id"] for change in answer["flipped"]["changes"]} == {REFS["child"]}
    rights = "query ($id: ID!) { asset(id: $id) { rights(uses: [COMMERCIAL_USE]) { decision } } }"
    (first, _) = (await ask(reader, ADAS, rights, id=REFS["child"]))["rights"]
    assert first["decision"] == "LICENSE_REQUIRED"
    async with database.read() as connection:
        owners = text("SELECT payload->>'owner' FROM outbox WHERE topic = 'rights.changed' ORDER BY id DESC LIMIT 1")
        assert (await connection.execute(owners)).scalar() == str(Ref(Kind.ARTIST, BO))


async def test_of_two_edges_that_become_one_the_binding_one_stands(reader: Reader, database: Database) -> None:
    async with database.write() as connection:
        await add_edge(connection, uid("retire"), uid("bos"), "SAMPLES")
        await add_edge(connection, uid("keep"), uid("bos"), "SAMPLES", status="REJECTED", binding=False)
    await merge(reader, "keep", "retire")
    told = await ask(reader, ADAS, WHOLE, id=REFS["keep"])
    assert told["parents"]["nodes"] == [{"kind": "SAMPLES", "status": "CONFIRMED", "parent": {"id": REFS["bos"]}}]


async def test_a_hook_that_goes_over_is_told_where_its_verdict_flips(reader: Reader) -> None:
    await do(reader, "setHook", track=REFS["retire"], startMs=7)
    await do(reader, "setPolicy", subject=REFS["retire"], license="CC0-1.0")
    await do(reader, "setPolicy", subject=REFS["keep"], preset="ALL_RIGHTS_RESERVED")
    flipped = (await merge(reader, "keep", "retire"))["flipped"]
    assert flipped["count"] == 2 * len(Use)
    assert {change["asset"]["id"] for change in flipped["changes"]} == {REFS["keep"]}


@pytest.mark.parametrize(
    ("keep", "retire", "viewer", "typename", "path"),
    [
        ("keep", "keep", ADAS, "InvalidError", ["retire"]),
        ("keep", "voice", ADAS, "InvalidError", ["retire"]),
        ("album", "single", ADAS, "InvalidError", ["retire"]),
        ("keep", "bos", BOTH, "InvalidError", ["retire"]),
        ("keep", "bos", ADAS, "NotFoundError", ["retire"]),
        ("keep", "nobodys", ADAS, "NotFoundError", ["retire"]),
        ("bos", "keep", ADAS, "NotFoundError", ["keep"]),
        ("keep", "retire", MEMBER, "NotFoundError", ["keep"]),
        ("keep", "retire", KEY, "ForbiddenError", []),
        ("keep", "retire", ANONYMOUS, "SignInNeededError", []),
    ],
)
async def test_what_cannot_be_one_is_refused_and_nothing_is_written(
    reader: Reader, database: Database, keep: str, retire: str, viewer: Viewer, typename: str, path: list[str]
) -> None:
    answer = await merge(reader, keep, retire, viewer=viewer)
    assert (answer["__typename"], answer["path"]) == (typename, path)
    assert await left_behind(database, LEFT_BEHIND) == [0, 0, 0, 0]


@pytest.mark.parametrize("edges", [[("keep", "retire")], [("retire", "parent"), ("parent", "keep")]])
async def test_what_is_made_from_the_other_is_not_the_same(reader: Reader, edges: list[tuple[str, str]]) -> None:
    for child, parent in edges:
        await edge(reader, child, parent)
    answer = await merge(reader, "keep", "retire")
    assert (answer["__typename"], answer["path"]) == ("LineageCycleError", ["retire"])
    assert len(answer["cycle"]) == len(edges) + 2


async def test_what_is_part_of_a_release_that_is_out_stays(reader: Reader, database: Database) -> None:
    await do(reader, "setReleaseItems", release=REFS["album"], items=[REFS["retire"]], expectedVersion=1)
    async with database.write() as connection:
        await connection.execute(text("UPDATE release_version SET state = 'PUBLISHED', is_compatibility = true"))
    refused = await merge(reader, "keep", "retire")
    assert (refused["code"], refused["path"]) == ("VALIDATION", ["retire"])
    assert (await merge(reader, "retire", "keep"))["asset"]["id"] == REFS["retire"]


async def test_two_who_merge_at_once_either_way_make_one_merge(reader: Reader, database: Database) -> None:
    answers = await asyncio.gather(
        *[merge(reader, *pair) for pair in (("keep", "retire"), ("retire", "keep")) for _ in range(3)]
    )
    assert [answer["__typename"] for answer in answers].count("MergeAssetsSuccess") == 1
    assert await left_behind(database, LEFT_BEHIND) == [1, 2, 2, 2]
    stale = await merge(reader, "third", "keep")
    assert stale["code"] == "CONFLICT"


async def test_an_idempotency_key_merges_once(reader: Reader, database: Database) -> None:
    answers = [await merge(reader, "keep", "retire", idempotencyKey="k") for _ in range(2)]
    assert answers[0]["asset"] == answers[1]["asset"]
    assert (await left_behind(database, LEFT_BEHIND))[0] == 1
    assert (await merge(reader, "keep", "third", idempotencyKey="k"))["code"] == "IDEMPOTENCY_MISMATCH"


async def test_both_executions_merge_alike(reader: Reader, database: Database) -> None:
    reference = reader_of(database, Execution.REFERENCE)
    assert await merge(reference, "keep", "voice") == await merge(reader, "keep", "voice")
    assert (await merge(reference, "keep", "retire"))["asset"]["version"] == 2
    assert (await merge(reader, "keep", "third", (2, 1)))["asset"]["version"] == 3
