"""What an import promises of the rows it meets: each is stored or named, none twice, and nobody's own is touched."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import imports, tables
from db.catalogues import staging
from db.changes import BEGINNING, changes_after
from db.engine import Database
from db.imports import LINEAGE_LOCK, Merge
from db.search import index_names
from domain.canonical import digest
from domain.catalogues import CatalogueUnreadable, EdgeRow
from domain.cells import WHOLE
from domain.cycles import closing_edges
from domain.errors import BadInput, Unavailable
from domain.imports import ImportDisturbed, ImportRunning, Outcome, Report
from domain.rights import preset, read_license, terms_digest
from domain.search import FoundKind
from resolvers.catalogues import import_catalogue
from resolvers.context import now, uuid7

ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT.parent / "shared" / "data" / "catalogues"
HEADERS = {
    "artists.csv": "handle,name,kind",
    "assets.csv": "ref,kind,title,owner,subkind,created,license,media_sha256,bpm",
    "edges.csv": "child,parent,kind,child_start_ms,child_end_ms,parent_start_ms,parent_end_ms,note",
    "credits.csv": "asset,name,role",
    "policies.csv": "asset,use,decision",
}
ONE, TWO = "1" * 64, "2" * 64
Files = dict[str, str]
Ask = Callable[..., Any]


def catalogue(**rows: str) -> Files:
    """Files by name, from their rows."""
    return {f"{name}.csv": f"{HEADERS[f'{name}.csv']}\n{text}" for name, text in rows.items()}


async def bring(database: Database, files: Files, source: str = "test", **how: Any) -> Report:
    def open_file(name: str) -> io.BytesIO | None:
        return io.BytesIO(files[name].encode()) if name in files else None

    how = {"progress": lambda *_: None, "now": now, "new_id": uuid7} | how
    report = await import_catalogue(database, open_file, source, **how)
    for name, count in report.counts.items():
        assert count.read == count.new + count.updated + count.unchanged + count.skipped
        assert count.skipped == sum(each.skipped for each in report.problems if each.file == name)
    return report


def fates(report: Report, file: str) -> tuple[int, int, int, int]:
    count = report.counts[f"{file}.csv"]
    return count.new, count.updated, count.unchanged, count.skipped


def problems(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


def asking(database: Database) -> Ask:
    """Asks a database for rows."""

    async def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        async with database.plan_connection(sql) as connection:
            return [tuple(row) for row in await connection.fetch(sql, *values)]

    return rows


@pytest.fixture
def ask(database: Database) -> Ask:
    """Asks the database of the test."""
    return asking(database)


@pytest.fixture
async def undisturbed(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Database]:
    """A second database, to compare with."""
    opened = Database(new_target())
    await opened.open()
    yield opened
    await opened.close()


async def everything(ask: Ask) -> dict[str, list[Any]]:
    """Every row of every table, as text."""
    return {name: sorted(map(str, await ask(f"SELECT * FROM {name}"))) for name in tables.metadata.tables}


SMALL = catalogue(
    artists="ada,Ada,creator\nduo,The Two,duo\n",
    assets=(
        f"t1,track,Rain,ada,,2003-04-05,CC-BY-SA-3.0-US,{ONE},93.5\n"
        "s1,sample,Clap,duo,one-shot,2004-01-01,,,\n"
        "i1,instrument,Kit,duo,,,GPL-2.0-only,,\n"
        f"r1,release,Record,ada,,,,{TWO},\n"
        "t2,track,,ada,,,Beerware,,\n"
    ),
    edges=(
        "t1,s1,SAMPLES,0,500,100,600,the chorus\n"
        "t1,s1,SAMPLES,600,900,,,\n"
        "t2,t1,INSPIRED_BY,,,,,\n"
        "r1,t2,CONTAINS,,,,,\n"
        "r1,t1,CONTAINS,,,,,\n"
    ),
    credits="t1,Ada,MainArtist\nt1,Zoë Zapp,Producer\nt2,zoe zapp,Producer\n",
)


async def test_a_catalogue_is_stored_as_it_says(database: Database, ask: Ask) -> None:
    report = await bring(database, SMALL)
    assert report.outcome is Outcome.IMPORTED
    assert problems(report) == ["assets.csv:6: license 'Beerware' cannot be read; taken for all rights reserved"]
    assert await ask("SELECT handle, name, kind, claimed FROM artist ORDER BY handle") == [
        ("ada", "Ada", "CREATOR", False),
        ("duo", "The Two", "DUO", False),
    ]
    assert await ask(
        """
        SELECT source_ref, asset.kind, title, handle, state, made_on::text, sample.subkind,
               coalesce(track.bpm, sample.bpm)::text, sha256, status
        FROM origin JOIN asset ON asset.id = asset_id JOIN artist ON artist.id = owner_id
        LEFT JOIN track ON track.id = asset.id LEFT JOIN sample ON sample.id = asset.id
        LEFT JOIN release ON release.id = asset.id LEFT JOIN media ON media.asset_id = asset.id
        WHERE source = 'test' ORDER BY source_ref"""
    ) == [
        ("i1", "INSTRUMENT", "Kit", "duo", "PUBLIC", None, None, None, None, None),
        ("r1", "RELEASE", "Record", "ada", "PUBLIC", None, None, None, TWO, "PUBLISHED"),
        ("s1", "SAMPLE", "Clap", "duo", "PUBLIC", "2004-01-01", "ONE_SHOT", None, None, None),
        ("t1", "TRACK", "Rain", "ada", "PUBLIC", "2003-04-05", None, "93.500", ONE, None),
        ("t2", "TRACK", "", "ada", "PUBLIC", None, None, None, None, None),
    ]
    assert await ask(
        """
        SELECT asset.title, level, license_family, license, stated_as, digest, stated_by_id
        FROM policy JOIN asset ON asset.id = subject_id JOIN term_set ON term_set.id = term_set_id ORDER BY 1"""
    ) == [
        ("", "ASSET", "ALL_RIGHTS_RESERVED", "LicenseRef-all-rights-reserved", "Beerware", terms("Beerware"), None),
        ("Kit", "ASSET", "GPL", "GPL-2.0-only", None, terms("GPL-2.0-only"), None),
        ("Rain", "ASSET", "CC_BY_SA", "CC-BY-SA-3.0-US", None, terms("CC-BY-SA-3.0"), None),
    ]


def terms(license_: str) -> str:
    return terms_digest(preset(read_license(license_)))


async def test_a_term_set_holds_its_preset(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    for license_ in ("CC-BY-SA-3.0", "GPL-2.0-only", "Beerware"):
        stored = await ask(
            """
            SELECT use, layer, decision, attribution, share_alike, exception
            FROM term JOIN term_set ON term_set.id = term_set_id WHERE digest = $1 ORDER BY position""",
            terms(license_),
        )
        assert stored == [tuple(term)[:6] for term in preset(read_license(license_))]


async def test_edges_are_confirmed_bind_and_say_who_says_so(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    assert await ask(
        """
        SELECT kind, child_start_ms, child_end_ms, parent_start_ms, parent_end_ms, note, status, registration,
               binding, child_is_older, evidence_source, evidence_method, asserted_by_id
        FROM lineage_edge ORDER BY kind, child_start_ms"""
    ) == [
        ("INSPIRED_BY", *[None] * 5, "CONFIRMED", "REGISTERED", False, False, "IMPORT", "test", None),
        (
            *("SAMPLES", 0, 500, 100, 600, "the chorus"),
            *("CONFIRMED", "REGISTERED", True, True, "IMPORT", "test", None),
        ),
        ("SAMPLES", 600, 900, None, None, None, "CONFIRMED", "REGISTERED", True, True, "IMPORT", "test", None),
    ]
    assert await ask("SELECT title, derived_count FROM asset WHERE derived_count > 0") == [("Clap", 1)]


async def test_a_release_holds_its_items_in_the_order_of_the_file(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    assert await ask(
        """
        SELECT number, version.state, is_compatibility, version.title, manifest_hash, item.position, item.title,
               item.media_sha256, contains.is_current
        FROM release_version AS version JOIN release_item AS item ON item.version_id = version.id
        JOIN contains ON contains.version_id = version.id AND contains.item_id = item.asset_id ORDER BY item.position"""
    ) == [
        (1, "PUBLISHED", True, "Record", None, 1, "", None, True),
        (1, "PUBLISHED", True, "Record", None, 2, "Rain", ONE, True),
    ]


async def test_names_that_fold_alike_are_one_contributor_and_artists_are_recognised(
    database: Database, ask: Ask
) -> None:
    await bring(database, SMALL)
    assert await ask(
        """
        SELECT contributor.name, handle, asset.title, role, acceptance, position
        FROM credit JOIN contributor ON contributor.id = contributor_id JOIN asset ON asset.id = credit.asset_id
        LEFT JOIN artist ON artist.id = artist_id ORDER BY asset.title DESC, position"""
    ) == [
        ("Ada", "ada", "Rain", "MAIN_ARTIST", "PROPOSED", 1),
        ("Zoë Zapp", None, "Rain", "PRODUCER", "PROPOSED", 2),
        ("Zoë Zapp", None, "", "PRODUCER", "PROPOSED", 1),
    ]


async def test_policies_overrule_the_license_use_by_use(database: Database, ask: Ask) -> None:
    report = await bring(
        database,
        catalogue(
            artists="ada,Ada,creator\n",
            assets="t1,track,A,ada,,,CC-BY-SA-4.0,,\nt2,track,B,ada,,,,,\nt3,track,C,nobody,,,,,\n",
            policies="t1,remix,denied\nt2,SYNC,ALLOWED\nt1,REMIX,ALLOWED\nt3,SYNC,ALLOWED\nt9,SYNC,ALLOWED\n",
        ),
    )
    assert fates(report, "policies") == (2, 0, 0, 3)
    stored = await ask(
        """
        SELECT asset.title, license_family, license, use, decision, share_alike FROM policy
        JOIN asset ON asset.id = subject_id JOIN term ON term.term_set_id = policy.term_set_id
        ORDER BY asset.title, position"""
    )
    assert len(stored) == 9
    assert stored[0] == ("A", "CUSTOM", "CC-BY-SA-4.0", "REMIX", "DENIED", "CC-BY-SA-4.0")
    assert stored[1] == ("A", "CUSTOM", "CC-BY-SA-4.0", "STEMS", "ALLOWED", "CC-BY-SA-4.0")
    assert stored[-1] == ("B", "CUSTOM", None, "SYNC", "ALLOWED", None)


async def test_the_same_catalogue_again_writes_nothing(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    before = await everything(ask)
    report = await bring(database, SMALL)
    assert [fates(report, name) for name in ("artists", "assets", "edges", "credits")] == [
        (0, 0, 2, 0),
        (0, 0, 5, 0),
        (0, 0, 5, 0),
        (0, 0, 3, 0),
    ]
    assert await everything(ask) == before


CHANGED = catalogue(
    artists="ada,Ada B,group\nduo,The Two,duo\n",
    assets=(
        f"t1,track,Rain,ada,,2003-04-06,CC-BY-4.0,{TWO},94\n"
        "s1,sample,Clap!,duo,loop,2004-01-01,,,100\n"
        "i1,instrument,Kit,duo,,,,,\n"
        f"r1,release,Record,ada,,,,{TWO},\n"
        "t2,track,,ada,,,Beerware,,\n"
        "t3,track,New,ada,,,,,\n"
    ),
    edges=("t1,s1,SAMPLES,0,500,,,the verse\nt1,s1,SAMPLES,600,900,,,\nr1,t1,CONTAINS,,,,,\nr1,t3,CONTAINS,,,,,\n"),
)


async def test_what_changed_is_updated_with_version_and_history(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    report = await bring(database, CHANGED)
    assert [fates(report, name) for name in ("artists", "assets", "edges")] == [
        (0, 1, 1, 0),
        (1, 3, 2, 0),
        (1, 2, 1, 0),
    ]
    assert await ask("SELECT name, kind, version FROM artist WHERE handle = 'ada'") == [("Ada B", "GROUP", 2)]
    assert await ask("SELECT title, version FROM asset ORDER BY version DESC, title") == [
        ("Clap!", 2),
        ("Kit", 2),
        ("Rain", 2),
        ("", 1),
        ("New", 1),
        ("Record", 1),
    ]
    assert await ask("SELECT made_on::text, bpm::text FROM asset JOIN track USING (id) WHERE title = 'Rain'") == [
        ("2003-04-06", "94.000")
    ]
    assert await ask("SELECT subkind, bpm::text FROM sample") == [("LOOP", "100.000")]
    assert await ask("SELECT sha256 FROM media JOIN asset ON asset.id = asset_id WHERE title = 'Rain'") == [(TWO,)]
    # Three rows speak of the license of Rain: what was thought to hold for ever, what held, and what holds.
    assert await ask(
        """
        SELECT license, upper_inf(known), upper_inf(valid) FROM policy JOIN asset ON asset.id = subject_id
        WHERE title = 'Rain' ORDER BY 2, 3"""
    ) == [
        ("CC-BY-SA-3.0-US", False, True),
        ("CC-BY-SA-3.0-US", True, False),
        ("CC-BY-4.0", True, True),
    ]
    assert await ask(
        "SELECT count(*) FROM policy JOIN asset ON asset.id = subject_id"
        " WHERE title = 'Kit' AND upper_inf(known) AND valid @> now()"
    ) == [(0,)]
    assert await ask(
        "SELECT note, parent_start_ms, upper_inf(known) FROM lineage_edge WHERE note <> '' ORDER BY 3"
    ) == [
        ("the chorus", 100, False),
        ("the verse", None, True),
    ]
    assert await ask(
        """
        SELECT number, version.state, array_agg(item.title ORDER BY item.position), is_current
        FROM release_version AS version JOIN release_item AS item ON item.version_id = version.id
        JOIN contains ON contains.version_id = version.id AND contains.item_id = item.asset_id
        GROUP BY number, version.state, is_current ORDER BY number"""
    ) == [(1, "SUPERSEDED", ["", "Rain"], False), (2, "PUBLISHED", ["Rain", "New"], True)]
    before = await everything(ask)
    assert fates(await bring(database, CHANGED), "assets") == (0, 0, 6, 0)
    assert await everything(ask) == before


async def test_provenance_is_chained_and_says_what_was_done_to_whom(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    await bring(database, CHANGED)
    told = await ask(
        """
        SELECT source_ref, sequence, event.kind, prev, hash, body FROM provenance_event AS event
        JOIN origin ON asset_id = subject_id ORDER BY source_ref, sequence"""
    )
    chains: dict[str, list[str]] = {}
    heads: dict[str, str] = {}
    for ref, sequence, kind, prev, hash_, body in told:
        chains.setdefault(ref, []).append(kind)
        assert (sequence, prev, hash_) == (len(chains[ref]), heads.get(ref), digest(body.encode()))
        heads[ref] = hash_
        assert not {"Rain", "Clap", "Zoë", "Ada", "chorus"} & set(body.replace('"', " ").split())
    assert chains == {
        "i1": ["ASSET_CREATED", "ASSET_UPDATED"],
        "r1": ["ASSET_CREATED", "LINEAGE_CHANGED", "VERSION_CREATED"],
        "s1": ["ASSET_CREATED", "ASSET_UPDATED"],
        "t1": ["ASSET_CREATED", "CONTRIBUTORS_UPDATED", "LINEAGE_CHANGED", "ASSET_UPDATED", "LINEAGE_CHANGED"],
        "t2": ["ASSET_CREATED", "CONTRIBUTORS_UPDATED", "LINEAGE_CHANGED"],
        "t3": ["ASSET_CREATED"],
    }


async def test_every_write_is_in_the_change_log(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    written = await ask("SELECT count(*) FROM change")
    async with asyncio.timeout(10):
        # The log is read below the oldest open transaction of the cluster, which may be another worker's.
        while True:
            async with database.read() as connection:
                changes = await changes_after(connection, BEGINNING, 1000)
            if [(len(changes),)] == written:
                break
            await asyncio.sleep(0.02)
    logged = {(change.subject_id, change.kind) for change in changes}
    assert len(logged) == len(changes)
    nodes = await ask("SELECT id, upper(split_part(ref, '_', 1)) FROM artist UNION SELECT id, 'ASSET' FROM asset")
    assert logged >= {(id_, f"{kind}_CREATED") for id_, kind in nodes}
    edges = await ask("SELECT DISTINCT child_id FROM lineage_edge UNION SELECT release_id FROM contains")
    assert {id_ for id_, kind in logged if kind == "LINEAGE_CHANGED"} == {id_ for (id_,) in edges}


async def test_the_index_holds_what_the_index_would_hold(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    await bring(database, CHANGED)
    before = (
        await ask("SELECT * FROM search_entry ORDER BY node_id"),
        await ask("SELECT * FROM search_word ORDER BY 1"),
    )
    names = await ask(
        """
        SELECT id, 'ARTIST', ARRAY[name, handle] FROM artist UNION ALL SELECT id, kind, ARRAY[title] FROM asset
        UNION ALL SELECT id, 'CONTRIBUTOR', ARRAY[name] FROM contributor"""
    )
    async with database.write() as connection:
        await index_names(connection, [(id_, FoundKind(kind), spelled) for id_, kind, spelled in names])
    assert len(before[0]) == len(names)
    assert (
        await ask("SELECT * FROM search_entry ORDER BY node_id"),
        await ask("SELECT * FROM search_word ORDER BY 1"),
    ) == before


async def test_no_import_touches_a_claimed_artist(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE artist SET claimed = true WHERE handle = 'ada'")
    before = await everything(ask)
    report = await bring(
        database,
        catalogue(
            artists="ada,Ada B,group\n",
            assets=CHANGED["assets.csv"].split("\n", 1)[1].replace("Clap!", "Clap").replace("loop", "one-shot"),
            edges="s1,t1,SAMPLES,,,,,\nt1,i1,USES_INSTRUMENT,,,,,\nr1,s1,CONTAINS,,,,,\n",
            credits="t1,Somebody,Vocalist\n",
        ),
    )
    assert await everything(ask) != before, "the sample is nobody's and gets its bpm"
    skipped = {(problem.file, problem.line) for problem in report.problems if problem.skipped}
    assert skipped == {
        ("artists.csv", 2),
        *(("assets.csv", line) for line in (2, 5, 6, 7)),
        *(("edges.csv", line) for line in (2, 3, 4)),
        ("credits.csv", 2),
    }
    (ada,) = [id_ for (id_,) in await ask("SELECT id::text FROM artist WHERE claimed")]
    hers = [ada] + [id_ for (id_,) in await ask("SELECT id::text FROM asset WHERE owner_id::text = $1", ada)]

    def of_hers(rows: dict[str, list[Any]]) -> list[str]:
        return [row for name in rows for row in rows[name] if any(id_ in row for id_ in hers)]

    assert of_hers(await everything(ask)) == of_hers(before)


async def test_a_handle_from_elsewhere_keeps_its_name_and_gets_the_assets(database: Database, ask: Ask) -> None:
    await bring(database, catalogue(artists="ada,Ada,creator\n"), "one")
    report = await bring(database, catalogue(artists="Ada,Somebody,duo\n", assets="1,track,x,ADA,,,,,\n"), "two")
    assert problems(report) == ["artists.csv:2: handle 'ada' is an artist from elsewhere, whose name and kind are kept"]
    assert await ask("SELECT name, version FROM artist") == [("Ada", 1)]
    assert await ask("SELECT handle FROM asset JOIN artist ON artist.id = owner_id") == [("ada",)]


async def test_a_source_remembers_its_artists_and_assets(database: Database, ask: Ask) -> None:
    await bring(database, catalogue(artists="ada,Ada,creator\n", assets="1,track,x,ada,,,,,\n"))
    later = catalogue(
        assets="2,track,y,ada,,,,,\n", edges="2,1,REMIX_OF,,,,,\n", credits="1,Ada,Producer\n1,Ada,Producer\n"
    )
    assert problems(await bring(database, later)) == ["credits.csv:3: the credit is already in line 2"]
    assert problems(await bring(database, later, "another")) == [
        "assets.csv:2: owner 'ada' is unknown",
        "credits.csv:2: there is no asset '1'",
        "credits.csv:3: there is no asset '1'",
        "edges.csv:2: there is no asset '2' and no asset '1'",
    ]
    assert await ask("SELECT count(*) FROM asset") == [(2,)]


async def test_a_cycle_over_what_is_stored_is_named_by_its_path(database: Database, ask: Ask) -> None:
    works = catalogue(
        artists="ada,Ada,creator\n",
        assets="".join(f"{ref},track,{ref},ada,,,,,\n" for ref in "abc") + "r,release,r,ada,,,,,\n",
    )
    await bring(database, works | catalogue(edges="b,a,REMIX_OF,,,,,\nc,b,SAMPLES,,,,,\nr,c,CONTAINS,,,,,\n"))
    before = await everything(ask)
    report = await bring(database, works | catalogue(edges="a,c,COVER_OF,,,,,\na,r,SAMPLES,,,,,\na,b,SAMPLES,,,,,\n"))
    assert problems(report) == [
        "edges.csv:2: closes a cycle: a → c → b → a",
        "edges.csv:3: closes a cycle: a → r → c → b → a",
        "edges.csv:4: closes a cycle: a → b → a",
    ]
    assert await everything(ask) == before


async def test_edges_that_others_state_are_kept(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE lineage_edge SET known = tstzrange(lower(known), now())")
        await connection.exec_driver_sql(
            """
            INSERT INTO lineage_edge (id, child_id, parent_id, kind, child_start_ms, child_end_ms, note, status,
                                      registration, binding, child_is_older, evidence_source)
            SELECT gen_random_uuid(), child_id, parent_id, kind, child_start_ms, child_end_ms, 'not so', 'REJECTED',
                   registration, false, false, 'PARENT_OWNER' FROM lineage_edge"""
        )
    before = await everything(ask)
    report = await bring(database, SMALL)
    assert [problem.line for problem in report.problems if problem.file == "edges.csv"] == [2, 3, 4]
    assert await everything(ask) == before


@pytest.mark.parametrize("how", [{"strict": True}, {"dry_run": True}, {"strict": True, "dry_run": True}])
async def test_strict_and_dry_runs_write_nothing_and_report_the_same(
    database: Database, ask: Ask, how: dict[str, bool]
) -> None:
    before = await everything(ask)
    tried = await bring(database, SMALL, **how)
    assert tried.outcome is (Outcome.REFUSED if "strict" in how else Outcome.CHECKED)
    assert await everything(ask) == before
    done = await bring(database, SMALL)
    assert (done.counts, done.problems) == (tried.counts, tried.problems)


@pytest.mark.parametrize(
    "files",
    [{}, {"LICENSE": "MIT"}, {"artists.csv": ""}, {"artists.csv": "handle,name\n"}, {"edges.csv": "child,mood\n"}],
)
async def test_what_is_no_catalogue_is_refused_and_nothing_written(database: Database, ask: Ask, files: Files) -> None:
    before = await everything(ask)
    with pytest.raises(CatalogueUnreadable):
        await bring(database, SMALL | files if files.keys() & SMALL.keys() else files)
    with pytest.raises(BadInput):
        await bring(database, SMALL, "a/b")
    assert await everything(ask) == before


async def test_there_is_one_import_at_a_time(database: Database) -> None:
    async with staging(database, "one", uuid7):
        with pytest.raises(ImportRunning):
            await bring(database, SMALL)
    assert (await bring(database, SMALL)).outcome is Outcome.IMPORTED


async def staged(database: Database, *edges: tuple[str, str]) -> Any:
    """An import of edges that stands between its check and its merge."""
    held = staging(database, "test", uuid7)
    stage = await held.__aenter__()
    rows = [EdgeRow(line, *ends, "USES_INSTRUMENT", WHOLE, WHOLE, None) for line, ends in enumerate(edges, 2)]
    await stage.stage_edges(rows)
    assert await stage.check() == []
    return held, Merge(stage, now)


async def test_a_claim_between_check_and_merge_stops_the_batch(database: Database, ask: Ask) -> None:
    await bring(database, SMALL)
    held, merge = await staged(database, ("t1", "i1"))
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE artist SET claimed = true WHERE handle = 'ada'")
    before = await everything(ask)
    (batch,) = await merge.batches("edges")
    with pytest.raises(ImportDisturbed):
        await merge.write("edges", batch)
    await held.__aexit__(None, None, None)
    assert await everything(ask) == before


ADD_EDGE = """
    INSERT INTO lineage_edge (id, child_id, parent_id, kind, status, registration, binding, child_is_older,
                              evidence_source)
    SELECT gen_random_uuid(), child.asset_id, parent.asset_id, 'SAMPLES', 'CONFIRMED', 'REGISTERED', true, false,
           'CHILD_OWNER' FROM origin AS child, origin AS parent
    WHERE child.source_ref = '{child}' AND parent.source_ref = '{parent}'"""
LOG_IT = "INSERT INTO change (subject_id, kind) SELECT asset_id, 'LINEAGE_CHANGED' FROM origin LIMIT 1"


@pytest.mark.parametrize(("child", "closes"), [("i1", True), ("t2", False)], ids=["closes", "does not"])
async def test_an_edge_written_since_the_check_is_met_before_it_closes_a_cycle(
    database: Database, ask: Ask, child: str, closes: bool
) -> None:
    await bring(database, SMALL)
    held, merge = await staged(database, ("t1", "i1"))
    (batch,) = await merge.batches("edges")
    async with database.write() as connection:
        # A writer that began before the batch and holds the lock until it has committed.
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LINEAGE_LOCK})")
        writing = asyncio.create_task(merge.write("edges", batch))
        await asyncio.sleep(0.2)
        assert not writing.done()
        await connection.exec_driver_sql(ADD_EDGE.format(child=child, parent="t1"))
        await connection.exec_driver_sql(LOG_IT)
    if closes:
        with pytest.raises(ImportDisturbed):
            await writing
    else:
        await writing
    await held.__aexit__(None, None, None)
    assert await ask("SELECT count(*) FROM lineage_edge WHERE kind = 'USES_INSTRUMENT'") == [(0 if closes else 1,)]


async def test_every_later_batch_meets_what_was_written_since_the_check(
    database: Database, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 1)
    await bring(database, SMALL)
    held, merge = await staged(database, ("t2", "i1"), ("t1", "i1"))
    async with database.write() as connection:
        await connection.exec_driver_sql(ADD_EDGE.format(child="i1", parent="t1"))
        await connection.exec_driver_sql(LOG_IT)
    first, second = await merge.batches("edges")
    await merge.write("edges", first)
    with pytest.raises(ImportDisturbed):
        await merge.write("edges", second)
    await held.__aexit__(None, None, None)
    assert await ask("SELECT count(*) FROM lineage_edge WHERE kind = 'USES_INSTRUMENT'") == [(1,)]


async def test_a_session_that_is_ended_is_told_as_such(
    database: Database, ask: Ask, undisturbed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 2)
    await bring(undisturbed, SMALL)
    owner = await asyncpg.connect(**database._target)  # casset_app may end nobody
    ending: list[asyncio.Task[Any]] = []

    def end(step: str, done: int, _: int) -> None:
        if step == "assets" and done and not ending:
            ending.append(asyncio.create_task(owner.execute(END_IMPORT)))

    with pytest.raises(Unavailable, match="Import again"):
        await bring(database, SMALL, progress=end)
    await asyncio.gather(*ending)
    await owner.close()
    assert 0 < (await ask("SELECT count(*) FROM asset"))[0][0] < 5
    await bring(database, SMALL)
    assert await content(ask) == await content(asking(undisturbed))


END_IMPORT = """
    SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND objid = x'696d706f'::int AND datname = current_database()"""


async def test_an_import_cut_short_anywhere_is_finished_by_the_next(
    database: Database, ask: Ask, undisturbed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 2)
    await bring(undisturbed, SMALL)
    attempts = 0
    while attempts < 100:
        attempts += 1
        with suppress(Unavailable):
            await bring(database, SMALL, progress=cut_after_a_batch)
            break
    assert 5 < attempts < 100
    assert await content(ask) == await content(asking(undisturbed))


def cut_after_a_batch(_: str, done: int, __: int) -> None:
    """Loses the session as soon as a batch is written."""
    if done:
        raise ConnectionResetError


IMPORT = """
import asyncio, json, sys
from pathlib import Path
from db import imports
from db.engine import Database
from resolvers.catalogues import import_catalogue
from resolvers.context import now, uuid7

async def run(target, folder):
    imports.BATCH = 20
    database = Database(target)
    await database.open()
    tell = lambda step, done, total: print(step, done, flush=True)
    opener = lambda name: (folder / name).open("rb") if (folder / name).exists() else None
    await import_catalogue(database, opener, "test", progress=tell, now=now, new_id=uuid7)

asyncio.run(run(json.loads(sys.argv[1]), Path(sys.argv[2])))
"""


@pytest.mark.parametrize("step", ["assets", "edges"])
async def test_an_import_killed_midway_is_finished_by_the_next(
    new_target: Callable[[], dict[str, Any]], undisturbed: Database, tmp_path: Path, step: str
) -> None:
    files = catalogue(
        artists="ada,Ada,creator\n",
        assets="".join(f"{n},{'release' if n % 50 == 0 else 'track'},x{n},ada,,,CC0-1.0,,\n" for n in range(1, 500)),
        edges="".join(
            f"{n},{n // 2},{'SAMPLES' if n % 50 else 'CONTAINS'},,,,,\n" for n in range(2, 500) if n // 2 % 50
        ),
        credits="".join(f"{n},Somebody {n % 7},Producer\n" for n in range(1, 500, 3)),
    )
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    await bring(undisturbed, files)
    target = new_target()
    command = [sys.executable, "-c", IMPORT, json.dumps(target), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        for line in running.stdout:
            if line.split()[0] == step and int(line.split()[1]) >= 100:
                running.kill()
                break
    database = Database(target)
    await database.open()
    ((assets, edges),) = await asking(database)(
        "SELECT (SELECT count(*) FROM asset), (SELECT count(*) FROM lineage_edge)"
    )
    assert 0 < (assets if step == "assets" else edges) < 480, "it was to be killed in the middle"
    await bring(database, files)
    assert await content(asking(database)) == await content(asking(undisturbed))
    await database.close()


CONTENT = (
    "SELECT handle, name, kind, claimed, version FROM artist",
    "SELECT source, source_ref, kind, title, state, made_on, derived_count, version FROM asset JOIN origin ON asset_id = id",
    "SELECT source_ref, bpm FROM track JOIN origin ON asset_id = id",
    "SELECT source_ref, bpm, subkind FROM sample JOIN origin ON asset_id = id",
    "SELECT source_ref, sha256, role FROM media JOIN origin USING (asset_id)",
    "SELECT source_ref, state FROM asset_standing JOIN origin USING (asset_id) WHERE upper_inf(known)",
    (
        "SELECT source_ref, license, digest FROM policy JOIN term_set ON term_set.id = term_set_id"
        " JOIN origin ON asset_id = subject_id WHERE upper_inf(known)"
    ),
    (
        "SELECT child.source_ref, parent.source_ref, kind, child_start_ms, note, binding FROM lineage_edge"
        " JOIN origin AS child ON child.asset_id = child_id JOIN origin AS parent ON parent.asset_id = parent_id"
        " WHERE upper_inf(known)"
    ),
    (
        "SELECT o.source_ref, i.source_ref, position, is_current FROM contains"
        " JOIN origin AS o ON o.asset_id = release_id JOIN origin AS i ON i.asset_id = item_id"
    ),
    (
        "SELECT source_ref, name, role, position FROM credit JOIN contributor ON contributor.id = contributor_id"
        " JOIN origin USING (asset_id)"
    ),
    "SELECT names, kind FROM search_entry",
    "SELECT word FROM search_word",
)


async def content(ask: Ask) -> list[list[str]]:
    """What is stored, without ids and times."""
    return [sorted(map(str, await ask(query))) for query in CONTENT]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ccmixter", {"artists": (270, 0), "assets": (1500, 33), "edges": (1344, 0)}),
        (
            "studio-packs",
            {"artists": (67, 0), "assets": (1225, 0), "edges": (1082, 0), "credits": (162, 0)},
        ),
    ],
)
async def test_a_real_catalogue_comes_in_and_its_report_is_known(
    database: Database, ask: Ask, name: str, expected: dict[str, tuple[int, int]]
) -> None:
    folder = CATALOGUES / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: the real catalogues lie beside the checkout")
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")}
    for new in (True, False):
        report = await bring(database, files, name)
        told = {file: (fates(report, file), report.counts[f"{file}.csv"].dropped) for file in expected}
        assert told == {
            file: ((rows, 0, 0, 0) if new else (0, 0, rows, 0), dropped) for file, (rows, dropped) in expected.items()
        }
    assert await ask("SELECT count(*) FROM policy WHERE license_family = 'CC_BY_SA'") == [
        (files["assets.csv"].count("CC-BY-SA-3.0-US"),)
    ]


# Cells that are clean often enough for rows to meet, and dirty often enough for every rule to be needed.
REFS = st.sampled_from(["1", "2", "3", "4", " 5 ", "6", "R", "Q", "9", "", "a\x00b"])
HANDLES = st.sampled_from(["ada", "Bo", "@cy", "nobody", "two words", ""])
TITLES = st.one_of(st.sampled_from(["", "Rain", "x" * 301, "a\nb"]), st.text(st.characters(codec="utf-8"), max_size=9))
NUMBERS = st.sampled_from(["", "", "0", "1", "2", "-1", "x"])
ROWS = {
    "artists": st.tuples(HANDLES, TITLES, st.sampled_from(["creator", "Duo", "", "castle"])),
    "assets": st.tuples(
        REFS,
        st.sampled_from(["track", "Sample", "instrument", "RELEASE", "song"]),
        TITLES,
        HANDLES,
        st.sampled_from(["", "loop", "riff"]),
        st.sampled_from(["", "2003-04-05", "2003", "0000-01-01"]),
        st.sampled_from(["", "CC0-1.0", "CC-BY-3.0-AT", "Beerware", "\x00"]),
        st.sampled_from(["", ONE, "xyz"]),
        st.sampled_from(["", "93.5", "0", "1e3", "99.00005"]),
    ),
    "edges": st.tuples(
        REFS,
        REFS,
        st.sampled_from(["SAMPLES", "remix of", "Contains", "CONTAINS", "WOVEN_FROM"]),
        NUMBERS,
        NUMBERS,
        NUMBERS,
        NUMBERS,
        st.sampled_from(["", "note", "\x07"]),
    ),
    "credits": st.tuples(REFS, TITLES, st.sampled_from(["Producer", "main artist", "Juggler"])),
    "policies": st.tuples(
        REFS, st.sampled_from(["REMIX", "sync", "fun"]), st.sampled_from(["ALLOWED", "denied", "maybe"])
    ),
}
DIRTY = st.fixed_dictionaries({name: st.lists(rows, max_size=14) for name, rows in ROWS.items()})


def spelled(name: str, rows: list[tuple[str, ...]]) -> tuple[str, dict[int, tuple[str, ...]]]:
    """A file, and the lines its rows begin at."""
    file, lines = io.StringIO(newline=""), {}
    file.write(HEADERS[f"{name}.csv"] + "\n")
    for row in rows:
        lines[file.getvalue().count("\n") + 1] = row
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(row)
    return file.getvalue(), lines


STORED = {
    "artists": "SELECT handle FROM artist WHERE $1 <> ''",
    "assets": """
        SELECT source_ref, asset.kind, handle FROM origin JOIN asset ON asset.id = asset_id
        JOIN artist ON artist.id = owner_id WHERE source = $1""",
    "edges": """
        SELECT child.source_ref, parent.source_ref, edge.kind
        FROM (SELECT child_id, parent_id, kind FROM lineage_edge
              UNION ALL SELECT release_id, item_id, 'CONTAINS' FROM contains) AS edge
        JOIN origin AS child ON child.asset_id = child_id JOIN origin AS parent ON parent.asset_id = parent_id
        WHERE child.source = $1 AND parent.source = $1""",
    "credits": """
        SELECT source_ref, role FROM credit JOIN origin USING (asset_id) WHERE source = $1""",
    "policies": """
        SELECT source_ref, use, decision FROM policy JOIN term USING (term_set_id)
        JOIN origin ON asset_id = subject_id WHERE source = $1""",
}


def wanted(name: str, row: tuple[str, ...]) -> tuple[str, ...]:
    """What a row that came in has left in the database."""
    ref = row[0].strip()
    match name:
        case "artists":
            return (row[0].casefold().lstrip("@"),)
        case "assets":
            return ref, row[1].upper(), row[3].casefold().lstrip("@")
        case "edges":
            return ref, row[1].strip(), row[2].upper().replace(" ", "_")
        case "credits":
            return ref, row[2].upper().replace(" ", "_")
    return ref, row[1].upper(), row[2].upper()


@given(files=DIRTY)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_row_of_a_dirty_catalogue_is_stored_or_named(
    database: Database, ask: Ask, files: dict[str, list[tuple[str, ...]]]
) -> None:
    source = str(uuid7())
    written = {name: spelled(name, rows) for name, rows in files.items()}
    texts = {f"{name}.csv": text for name, (text, _) in written.items()}
    report = await bring(database, texts, source)
    skipped = {(problem.file, problem.line) for problem in report.problems if problem.skipped}
    for name, (_, lines) in written.items():
        stored = set(await ask(STORED[name], source))
        assert report.counts[f"{name}.csv"].read == len(lines)
        for line, row in lines.items():
            assert (f"{name}.csv", line) in skipped or wanted(name, row) in stored, (name, line, row)
    edges = [(child, parent) for child, parent, _ in await ask(STORED["edges"], source)]
    assert closing_edges([], edges) == {}
    again = await bring(database, texts, source)
    assert [str(problem) for problem in again.problems if problem.skipped] == [
        str(problem) for problem in report.problems if problem.skipped
    ]
    assert all((count.new, count.updated) == (0, 0) for count in again.counts.values())
