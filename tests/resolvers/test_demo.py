"""The demo scene: it shows everything, keeps every rule, and is the same when loaded again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from importlib import resources
from typing import Any

import orjson
import pytest
from stdnum import ean, isni, isrc

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.assets import AssetState, SampleSubkind
from domain.canonical import canonical, digest
from domain.contributors import Acceptance, CreditRole
from domain.ids import parse_ref
from domain.lineage import EdgeKind, EdgeStatus
from domain.provenance import Event, EventKind, chain
from domain.releases import ReleaseStatus, VersionState
from domain.rights import LicenseFamily, preset, read_license, terms_digest
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from resolvers.context import Acting, now, uuid7
from resolvers.demo import is_empty, load_demo
from tests.architecture.test_words import refused

Ask = Callable[..., Any]


async def load(database: Database) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    await load_demo(Acting(database, ANONYMOUS, now, uuid7), lambda done, total: told.append((done, total)))
    return told


async def counts(database: Database) -> dict[str, int]:
    async with database.plan_connection("SELECT count(*)") as connection:
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables.metadata.tables}


@pytest.fixture(scope="module")
async def demo(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Database]:
    """A database with the demo scene, which nobody changes."""
    database = Database(new_target())
    await database.open()
    await load(database)
    yield database
    await database.close()


@pytest.fixture
def ask(demo: Database) -> Ask:
    """Asks the demo's database for rows."""

    async def rows(sql: str, *values: Any) -> list[Any]:
        async with demo.plan_connection(sql) as connection:
            return list(await connection.fetch(sql, *values))

    return rows


@pytest.fixture
def read(demo: Database) -> Ask:
    """Reads an operation on the demo as anonymous, in both executions, which agree and find no error."""
    readers = [Reader(executable(), demo, execution) for execution in Execution]

    async def answer(text: str, **variables: Any) -> Any:
        answers = [await reader.answer(text, None, variables, ANONYMOUS) for reader in readers]
        told = [orjson.loads(answer.body) for answer in answers]
        assert all(set(body) == {"data"} for body in told), told
        assert told[0] == told[1]
        return told[0]["data"]

    return answer


async def test_an_empty_database_gets_the_scene_once(database: Database) -> None:
    assert await is_empty(database)
    told = await load(database)
    assert not await is_empty(database)
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    before = await counts(database)
    assert await load(database) == []
    assert await counts(database) == before


async def test_a_database_where_a_handle_is_taken_is_left_alone(database: Database) -> None:
    async with database.plan_connection("INSERT INTO account") as connection:
        await connection.execute("INSERT INTO account (id, handle) VALUES ($1, 'oda')", uuid7())
    before = await counts(database)
    assert await load(database) == []
    assert await counts(database) == before


async def test_the_scene_is_large_and_varied(ask: Ask) -> None:
    artists = await ask("SELECT kind, claimed FROM artist")
    assert len(artists) >= 12
    assert {row["kind"] for row in artists} >= {"CREATOR", "DUO", "GROUP", "LABEL", "ESTATE", "FAN", "SCENE"}
    assert {row["claimed"] for row in artists} == {True, False}
    kinds = await ask("SELECT kind, count(*) FROM asset GROUP BY kind")
    assert {row["kind"] for row in kinds} == {"TRACK", "SAMPLE", "INSTRUMENT", "RELEASE"}
    assert sum(row["count"] for row in kinds) >= 80


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT DISTINCT kind FROM lineage_edge", EdgeKind),
        ("SELECT DISTINCT status FROM lineage_edge", EdgeStatus),
        ("SELECT DISTINCT state FROM asset", AssetState),
        ("SELECT DISTINCT subkind FROM sample", SampleSubkind),
        ("SELECT DISTINCT role FROM credit", CreditRole),
        ("SELECT DISTINCT acceptance FROM credit", Acceptance),
        ("SELECT DISTINCT license_family FROM policy", LicenseFamily),
        ("SELECT DISTINCT status FROM release", ReleaseStatus),
        ("SELECT DISTINCT state FROM release_version", VersionState),
        ("SELECT DISTINCT role FROM membership", ("OWNER", "EDITOR", "CONTRIBUTOR", "MEMBER")),
    ],
)
async def test_every_word_is_shown_at_least_once(ask: Ask, sql: str, words: Any) -> None:
    assert {row[0] for row in await ask(sql)} == {str(word) for word in words}


async def test_an_artist_is_claimed_when_somebody_holds_it(ask: Ask) -> None:
    held = "EXISTS (SELECT FROM membership WHERE artist_id = artist.id AND role = 'OWNER')"
    assert not await ask(f"SELECT handle FROM artist WHERE claimed <> {held}")


async def test_every_asset_has_all_that_a_write_leaves_behind(ask: Ask) -> None:
    details = " UNION ALL ".join(f"SELECT id FROM {name}" for name in ("track", "sample", "instrument", "release"))
    begun = "SELECT subject_id FROM {} WHERE kind = 'ASSET_CREATED'"
    named = "SELECT id FROM asset UNION SELECT id FROM artist UNION SELECT id FROM contributor"
    for wanted, there in (
        ("SELECT id FROM asset", f"SELECT id FROM ({details})"),
        ("SELECT id, owner_id, state FROM asset", "SELECT asset_id, owner_id, state FROM asset_standing"),
        ("SELECT id FROM asset", begun.format("provenance_event")),
        ("SELECT id FROM asset", begun.format("change")),
        (f"SELECT id FROM ({named})", "SELECT node_id FROM search_entry"),
    ):
        assert not await ask(f"{wanted} EXCEPT {there}")


async def test_the_longest_chain_has_ten_hops_and_ends_in_the_mix(ask: Ask) -> None:
    chains = """
        WITH RECURSIVE hops AS (
          SELECT child_id, parent_id, 1 AS hops FROM lineage_edge
          UNION
          SELECT hops.child_id, edge.parent_id, hops + 1
          FROM hops JOIN lineage_edge AS edge ON edge.child_id = hops.parent_id
        )
        SELECT child.title AS child, parent.title AS parent, hops FROM hops
        JOIN asset AS child ON child.id = child_id JOIN asset AS parent ON parent.id = parent_id
        ORDER BY hops DESC LIMIT 2
    """
    longest, next_ = await ask(chains)
    assert tuple(longest) == ("Last Ferry (New Year's Eve, both decks)", "Kettle at six", 10)
    assert next_["hops"] < 10


async def test_the_mix_has_forty_parents_with_windows_on_both_sides(ask: Ask) -> None:
    counted = """
        SELECT count(DISTINCT parent_id), count(*) FILTER (WHERE parent_end_ms IS NULL OR child_end_ms IS NULL) AS whole
        FROM lineage_edge JOIN asset ON asset.id = child_id WHERE title LIKE 'Last Ferry (%'
    """
    assert [tuple(row) for row in await ask(counted)] == [(40, 0)]


async def test_a_window_lies_inside_what_it_is_a_window_of(ask: Ask) -> None:
    heard = "(SELECT id, duration_ms FROM track UNION ALL SELECT id, duration_ms FROM sample) AS heard"
    for end in ("child", "parent"):
        beyond = f"SELECT FROM lineage_edge JOIN {heard} ON heard.id = {end}_id WHERE {end}_end_ms > duration_ms"
        assert not await ask(beyond)
    assert not await ask("SELECT hook.id FROM hook JOIN track ON track.id = track_id WHERE end_ms > duration_ms")
    assert not await ask("SELECT id FROM hook WHERE end_ms - start_ms <> 30000")


async def test_lineage_has_diamonds_repeated_edges_and_a_refusal(ask: Ask) -> None:
    diamonds = """
        SELECT count(*) FROM lineage_edge AS direct JOIN lineage_edge AS first ON first.child_id = direct.child_id
        JOIN lineage_edge AS second ON second.child_id = first.parent_id AND second.parent_id = direct.parent_id
    """
    assert (await ask(diamonds))[0][0] >= 3
    thrice = "SELECT child_id FROM lineage_edge WHERE kind = 'SAMPLES' GROUP BY child_id, parent_id HAVING count(*) = 3"
    assert len(await ask(thrice)) >= 1
    refusals = await ask("SELECT status, binding FROM lineage_edge WHERE registration = 'REFUSED' ORDER BY status")
    assert [tuple(row) for row in refusals] == [("CLAIMED", True), ("REJECTED", False)]
    assert len(await ask("SELECT id FROM lineage_edge WHERE child_is_older")) == 1


async def test_the_splits_of_a_pool_sum_to_ten_thousand(ask: Ask) -> None:
    pools = await ask("SELECT sum(basis_points) FROM split GROUP BY asset_id, pool")
    assert len(pools) >= 10
    assert {row["sum"] for row in pools} == {10_000}


async def test_every_chain_of_provenance_verifies(ask: Ask) -> None:
    heads: dict[Any, tuple[int, str]] = {}
    for row in await ask("SELECT * FROM provenance_event ORDER BY subject_id, sequence"):
        body = orjson.loads(row["body"])
        event = Event(
            row["id"],
            parse_ref(body["subject"]),
            EventKind(row["kind"]),
            row["at"],
            row["actor_id"],
            body["payload"],
        )
        chained = chain(event, heads.get(row["subject_id"]))
        assert (chained.sequence, chained.prev, chained.hash) == (row["sequence"], row["prev"], row["hash"])
        assert digest(canonical(body)) == row["hash"]
        heads[row["subject_id"]] = chained.sequence, chained.hash
    backwards = "SELECT at < lag(at) OVER (PARTITION BY subject_id ORDER BY sequence) AS back FROM provenance_event"
    assert not await ask(f"SELECT FROM ({backwards}) WHERE back")
    assert not await ask("SELECT id FROM provenance_event WHERE at > now()")


async def test_terms_are_shared_by_digest(ask: Ask) -> None:
    shared = await ask("SELECT digest, count(*) FROM term_set JOIN policy ON term_set.id = term_set_id GROUP BY digest")
    used = {row["digest"]: row["count"] for row in shared}
    for license_ in ("CC0-1.0", "CC-BY-SA-4.0", "GPL-2.0-or-later", "LicenseRef-all-rights-reserved"):
        assert used[terms_digest(preset(read_license(license_)))] > 1


async def test_identifiers_have_the_form_of_real_ones_and_are_nobodys(ask: Ask) -> None:
    isrcs = [row[0] for row in await ask("SELECT isrc FROM track WHERE isrc IS NOT NULL")]
    upcs = [row[0] for row in await ask("SELECT upc FROM release WHERE upc IS NOT NULL")]
    assert len(isrcs) == len(set(isrcs)) >= 10
    assert all(isrc.is_valid(code) and code.startswith("ZZCAS") for code in isrcs)
    assert len(upcs) == len(set(upcs)) >= 1
    # GS1 gives numbers that begin with 4 to nobody: they are for use inside one shop.
    assert all(len(code) == 12 and ean.is_valid(f"0{code}") and code.startswith("4") for code in upcs)
    assert all(isni.is_valid(row[0]) for row in await ask("SELECT isni FROM contributor WHERE isni IS NOT NULL"))


async def test_the_scene_says_no_refused_word() -> None:
    for file in resources.files("resolvers").joinpath("scene").iterdir():
        assert not refused(file.read_text("utf-8")), file.name


async def test_the_example_query_shows_the_scene(read: Ask) -> None:
    example = resources.files("graph.server").joinpath("graphiql", "example.graphql").read_text("utf-8")
    world = (await read(example))["world"]
    assert world["theme"]["tokens"]["accent"]
    assert world["visualWorld"]["title"]
    assert world["room"]["title"]
    assert world["releases"]["nodes"]
    assert world["leadHook"]["durationMs"] == 30_000
    parents = [edge["parent"] for edge in world["leadHook"]["track"]["parents"]["nodes"]]
    assert any(parent["policy"]["terms"] for parent in parents)
    grandparents = [edge["parent"] for parent in parents for edge in parent["parents"]["nodes"]]
    assert any(grandparent["policy"]["licenseFamily"] for grandparent in grandparents)


async def test_every_world_has_its_hook_its_atmosphere_and_its_theme(read: Ask) -> None:
    asked = """{ artists(first: 100) { nodes { world {
      tagline theme { id } visualWorld { id } leadHook { track { title } }
    } } } }"""
    worlds = [artist["world"] for artist in (await read(asked))["artists"]["nodes"]]
    assert len(worlds) >= 12
    assert all(world["tagline"] and world["theme"] and world["visualWorld"] for world in worlds)
    assert all(world["leadHook"]["track"]["title"] for world in worlds)


async def test_a_stranger_finds_nothing_private(ask: Ask, read: Ask) -> None:
    (teased,) = [row["ref"] for row in await ask("SELECT ref FROM asset WHERE teased")]
    listed = await everything(read)
    assert {asset["state"] for asset in listed if asset["id"] != teased} == {"PUBLIC"}
    private = await ask("SELECT ref, title FROM asset WHERE state = 'PRIVATE' AND NOT teased")
    assert len(private) >= 4
    asked = """query ($id: ID!, $title: String!) {
      asset(id: $id) { title }
      search(query: $title, first: 100) { nodes { ... on Node { id } } }
    }"""
    for row in private:
        answer = await read(asked, id=row["ref"], title=row["title"])
        assert answer["asset"] is None
        assert row["ref"] not in [node["id"] for node in answer["search"]["nodes"]]
    hooks = await ask("SELECT hook.ref FROM hook JOIN asset ON asset.id = track_id WHERE state = 'PRIVATE'")
    shown = await read("{ hooks(first: 100) { nodes { id } } }")
    assert hooks
    assert not {row["ref"] for row in hooks} & {hook["id"] for hook in shown["hooks"]["nodes"]}


async def everything(read: Ask) -> list[Any]:
    """All that a stranger finds in the list of assets, page by page."""
    asked = """query ($after: String) {
      assets(first: 50, after: $after) { nodes { id state } pageInfo { hasNextPage endCursor } }
    }"""
    found, page = [], {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        assets = (await read(asked, after=page["endCursor"]))["assets"]
        found += assets["nodes"]
        page = assets["pageInfo"]
    return found


async def test_a_private_parent_of_the_mix_is_counted_and_not_named(ask: Ask, read: Ask) -> None:
    mix = (await ask("SELECT ref FROM asset WHERE title LIKE 'Last Ferry (%'"))[0]["ref"]
    asked = """query ($id: ID!) {
      asset(id: $id) { parents(first: 100) { totalCount nodes { kind note parent { title } } } }
    }"""
    parents = (await read(asked, id=mix))["asset"]["parents"]
    assert parents["totalCount"] == len(parents["nodes"]) == 40
    unseen = [edge for edge in parents["nodes"] if edge["parent"] is None]
    assert unseen == [{"kind": "DJ_MIX_OF", "note": None, "parent": None}]


async def test_a_scheduled_release_shows_its_teaser_only(ask: Ask, read: Ask) -> None:
    release = (await ask("SELECT ref FROM asset WHERE teased"))[0]["ref"]
    asked = """query ($id: ID!) { release(id: $id) {
      title cover { title } hook { caption track { title } } room { title } status versions { totalCount }
    } }"""
    told = (await read(asked, id=release))["release"]
    assert all((told["title"], told["cover"]["title"], told["hook"]["caption"], told["room"]["title"]))
    assert (told["status"], told["hook"]["track"], told["versions"]["totalCount"]) == (None, None, 0)


async def test_the_old_id_of_a_merged_work_leads_to_the_other(ask: Ask, read: Ask) -> None:
    titles = "SELECT old.ref AS old, new.ref AS new, new.title FROM merge"
    ((old, new, title),) = await ask(
        f"{titles} JOIN asset AS old ON old.id = old_id JOIN asset AS new ON new.id = new_id"
    )
    answer = await read("query ($id: ID!) { asset(id: $id) { id title } }", id=old)
    assert answer["asset"] == {"id": new, "title": title}


async def test_the_rooms_of_the_worlds_hear_what_leads_them_and_people_talk(ask: Ask, read: Ask) -> None:
    asked = """{ world(handle: "oda-verrill") { leadHook { id } room { lastEvent now { hook { id } visualWorld { title } }
      messages { nodes { handle text } totalCount } members { nodes { handle } } } } }"""
    world = (await read(asked))["world"]
    assert world["room"]["now"]["hook"] == world["leadHook"]
    assert world["room"]["now"]["visualWorld"]["title"]
    said = world["room"]["messages"]
    assert said["totalCount"] == len(said["nodes"]) >= 3
    assert {each["handle"] for each in said["nodes"]} == {each["handle"] for each in world["room"]["members"]["nodes"]}
    numbered = "SELECT room.last_event_id, count(event.id) FROM room LEFT JOIN room_event AS event ON room_id = room.id"
    assert all(row[0] == row[1] for row in await ask(f"{numbered} GROUP BY room.id"))
    in_order = "SELECT at < lag(at) OVER (PARTITION BY room_id ORDER BY id) AS back FROM room_event"
    assert not await ask(f"SELECT FROM ({in_order}) WHERE back")
