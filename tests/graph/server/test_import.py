"""A catalogue comes in whole, or what does not is named; nothing is seen before all of it was checked."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rich.console import Console
from sqlalchemy import func, select, text

from db import tables
from db.embedded import EmbeddedPostgres, PostgresDidNotStart
from db.engine import Database
from domain.catalogues import CatalogueUnreadable
from graph.server.importing import run_import

ROOT = Path(__file__).parents[3]
CATALOGUES = ROOT.parent / "shared" / "data" / "catalogues"
PATIENCE = 60
AWAY = "The database went away. Import again: it goes on from here."
COUNTED = (tables.artist, tables.asset, tables.lineage_edge, tables.credit, tables.provenance_event, tables.change)

DIRTY = {
    "artists.csv": "handle,name,kind\nada,Ada,creator\nADA,Ada again,creator\n,Nobody,creator\nbo,Bo,castle\n",
    "assets.csv": (
        "ref,kind,title,owner,subkind,created,license,media_sha256,bpm\n"
        "t1,track,Rain,ada,,2020-02-30,CC-BY-4.0,,120.5\n"
        "t2,track,,ada,,2020-02-29,Beerware,xyz,0\n"
        "t2,track,Again,ada,,,,,\n"
        "t3,castle,Kind,ada,,,,,\n"
        "t4,track,Owner,zoe,,,,,\n"
        "s1,sample,Clap,ada,ONE_SHOT,2021-01-01,CC-BY-SA-3.0-US,,\n"
        ",track,No ref,ada,,,,,\n"
    ),
    "edges.csv": (
        "child,parent,kind,child_start_ms,child_end_ms,parent_start_ms,parent_end_ms,note\n"
        "t1,s1,SAMPLES,0,500,,,\n"
        "t1,s1,SAMPLES,0,500,,,\n"
        "t1,s1,SAMPLES,600,900,,,second clap\n"
        "t1,t1,REMIX_OF,,,,,\n"
        "t1,t9,REMIX_OF,,,,,\n"
        "t2,t1,REMIX_OF,,,,,\n"
        "t1,t2,REMIX_OF,,,,,\n"
        "t1,s1,WOVEN_FROM,,,,,\n"
    ),
    "credits.csv": "asset,name,role\nt1,Cy,Producer\nt9,Cy,Producer\nt1,Cy,Juggler\n",
}


def written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


async def brought(database: Database, folder: Path, report: Path | None = None, **how: Any) -> tuple[bool, str]:
    """Import, and what was said."""
    console = Console(file=(folder.parent / "said").open("w+"), width=200)
    with console.file:
        done = await run_import(database, folder, None, console, report=report, **how)
        console.file.seek(0)
        return done, console.file.read()


async def counts(database: Database) -> list[int]:
    async with database.read() as connection:
        return [(await connection.execute(select(func.count()).select_from(table))).scalar() or 0 for table in COUNTED]


async def column(database: Database, query: str) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(text(query))).scalars())


@pytest.mark.parametrize("name", ["ccmixter", "studio-packs"])
async def test_every_row_of_a_real_catalogue_is_there_or_named(database: Database, tmp_path: Path, name: str) -> None:
    folder = CATALOGUES / name
    if not folder.is_dir():
        pytest.skip(f"the catalogue {name} is not on this machine")
    report = tmp_path / "report.csv"
    done, _ = await run_and_say(database, folder, report, tmp_path)
    assert done
    with report.open() as file:
        skipped = {(row["file"], int(row["line"])) for row in csv.DictReader(file) if row["row"] == "skipped"}
    there = set(await column(database, "SELECT source_ref FROM origin"))
    handles = set(await column(database, "SELECT handle FROM artist"))
    edges = set(
        await column(
            database,
            """
            SELECT c.source_ref || '>' || p.source_ref || '>' || kind FROM lineage_edge
            JOIN origin AS c ON c.asset_id = child_id JOIN origin AS p ON p.asset_id = parent_id
            UNION ALL
            SELECT c.source_ref || '>' || p.source_ref || '>CONTAINS' FROM contains
            JOIN origin AS c ON c.asset_id = release_id JOIN origin AS p ON p.asset_id = item_id
            """,
        )
    )
    missing = []
    for file_name, known, spell in (
        ("artists.csv", handles, "{handle}"),
        ("assets.csv", there, "{ref}"),
        ("edges.csv", edges, "{child}>{parent}>{kind}"),
    ):
        with (folder / file_name).open() as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                if spell.format(**row) not in known and (file_name, line) not in skipped:
                    missing.append((file_name, line))
    assert missing == []


async def run_and_say(database: Database, folder: Path, report: Path, tmp_path: Path) -> tuple[bool, str]:
    with (tmp_path / "said").open("w") as file:
        return await run_import(database, folder, None, Console(file=file), report=report), ""


async def test_what_is_dirty_is_named_with_its_line_and_the_rest_comes_in(database: Database, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    done, said = await brought(database, written(tmp_path / "dirty", DIRTY), report)
    assert done
    with report.open() as file:
        named = {(row["file"], int(row["line"]), row["row"]) for row in csv.DictReader(file)}
    assert named >= {
        ("artists.csv", 3, "skipped"),
        ("artists.csv", 4, "skipped"),
        ("assets.csv", 2, "kept"),
        ("assets.csv", 3, "kept"),
        ("assets.csv", 4, "skipped"),
        ("assets.csv", 5, "skipped"),
        ("assets.csv", 6, "skipped"),
        ("assets.csv", 8, "skipped"),
        ("edges.csv", 3, "skipped"),
        ("edges.csv", 5, "skipped"),
        ("edges.csv", 6, "skipped"),
        ("edges.csv", 9, "skipped"),
        ("credits.csv", 3, "skipped"),
    }
    # Of the two edges that close a cycle one stays out, and the cycle is spelled.
    assert len({("edges.csv", 7, "skipped"), ("edges.csv", 8, "skipped")} & named) == 1
    assert {"t1", "t2"} <= set(re.findall(r"\bt[12]\b", said))
    came = await column(database, "SELECT source_ref FROM origin JOIN asset ON id = asset_id")
    assert sorted(came) == ["s1", "t1", "t2"]
    assert await column(database, "SELECT title FROM asset JOIN origin ON asset_id = id WHERE source_ref = 't2'") == [
        ""
    ]
    assert await column(database, "SELECT stated_as FROM policy WHERE license_family = 'ALL_RIGHTS_RESERVED'") == [
        "Beerware"
    ]


@pytest.mark.parametrize("how", [{"strict": True}, {"dry_run": True}])
async def test_strict_and_dry_runs_write_nothing(database: Database, tmp_path: Path, how: dict[str, bool]) -> None:
    before = await counts(database)
    done, said = await brought(database, written(tmp_path / "dirty", DIRTY), **how)
    assert done is ("dry_run" in how)
    assert "assets.csv:4" in said
    assert await counts(database) == before


async def test_importing_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    folder = written(tmp_path / "dirty", DIRTY)
    await brought(database, folder)
    before = await counts(database)
    await brought(database, folder)
    assert await counts(database) == before


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"assets.csv": "ref,kind\nt1,track\n"},
        {"assets.csv": DIRTY["assets.csv"].replace("bpm", "mood", 1)},
        {"artists.csv": ""},
    ],
    ids=["empty folder", "missing columns", "unknown column", "empty file"],
)
async def test_what_is_no_catalogue_is_refused_whole(database: Database, tmp_path: Path, files: dict[str, str]) -> None:
    before = await counts(database)
    with pytest.raises(CatalogueUnreadable):
        await brought(database, written(tmp_path / "folder", files))
    assert await counts(database) == before


async def test_broken_utf8_is_refused_with_file_and_line(database: Database, tmp_path: Path) -> None:
    folder = written(tmp_path / "folder", DIRTY)
    (folder / "assets.csv").write_bytes(DIRTY["assets.csv"].encode() + b"t9,track,\xff\xfe,ada,,,,,\n")
    with pytest.raises(CatalogueUnreadable, match=r"assets\.csv"):
        await brought(database, folder)
    assert (await counts(database))[1] == 0


def big_catalogue(folder: Path, assets: int) -> Path:
    lines = ["ref,kind,title,owner,subkind,created,license,media_sha256,bpm"]
    lines += [f"t{n},track,Track {n},ada,,,CC-BY-4.0,,{90 + n % 60}" for n in range(assets)]
    edges = ["child,parent,kind,child_start_ms,child_end_ms,parent_start_ms,parent_end_ms,note"]
    edges += [f"t{n},t{n // 2},SAMPLES,,,,," for n in range(1, assets)]
    files = {
        "artists.csv": "handle,name,kind\nada,Ada,creator\n",
        "assets.csv": "\n".join(lines),
        "edges.csv": "\n".join(edges),
    }
    return written(folder, files)


MOMENTS = {
    "staging": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = x'696d706f'::int",
    "writing": "SELECT count(*) FROM asset",
}
UNDISTURBED: list[Counter[asyncpg.Record]] = []
CONTENT = """
    SELECT 'asset', source_ref, title, asset.kind, version, derived_count, bpm, license, names::text, state
    FROM asset JOIN origin ON asset_id = id LEFT JOIN track USING (id)
    LEFT JOIN policy ON subject_id = asset.id LEFT JOIN search_entry ON node_id = asset.id
    UNION ALL SELECT 'standing', source_ref, state, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM asset_standing JOIN origin USING (asset_id)
    UNION ALL SELECT 'edge', child.source_ref, parent.source_ref, kind, NULL, NULL, NULL, NULL, NULL, NULL
    FROM lineage_edge JOIN origin AS child ON child.asset_id = child_id JOIN origin AS parent ON parent.asset_id = parent_id
    UNION ALL SELECT 'event', source_ref, kind, NULL, sequence, NULL, NULL, NULL, NULL, NULL
    FROM provenance_event JOIN origin ON asset_id = subject_id
    UNION ALL SELECT 'change', source_ref, kind, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM change JOIN origin ON asset_id = subject_id"""


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("victim", ["import", "postgres"])
async def test_an_import_killed_midway_is_finished_by_the_next(
    database: Database, tmp_path: Path, victim: str, moment: str
) -> None:
    """Whoever is killed: what was seen is kept, and the next import ends where an undisturbed one does."""
    assets = 4000
    folder, data = big_catalogue(tmp_path / "big", assets), tmp_path / "data"
    command = [sys.executable, "-m", "graph.server.cli", "import", str(folder), "--data", str(data)]
    server = EmbeddedPostgres(data)
    server.start()
    server.stop()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + PATIENCE
        while not (seen := await told(server, MOMENTS[moment])):
            assert running.poll() is None, "it was to be killed in the middle"
            assert time.monotonic() < deadline
        victims = {
            "import": running.pid,
            "postgres": int((data / "postgres" / "postmaster.pid").read_text().split()[0]),
        }
        os.kill(victims[victim], signal.SIGKILL)
        _, said = running.communicate(timeout=PATIENCE)
    expected = (-signal.SIGKILL, "") if victim == "import" else (1, f"{AWAY}\n")
    assert (running.returncode, said) == expected
    server.start()
    try:
        kept = await told(server, MOMENTS["writing"])
        assert (0 if moment == "staging" else seen) <= kept < assets
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
        assert await content(server.dsn(user="casset_owner")) == await undisturbed(database, folder)
    finally:
        server.stop()


async def undisturbed(database: Database, folder: Path) -> Counter[asyncpg.Record]:
    """What nobody interrupted leads to: read once, the catalogue being the same."""
    if not UNDISTURBED:
        await brought(database, folder)
        UNDISTURBED.append(await content(database._target))
    return UNDISTURBED[0]


async def told(server: EmbeddedPostgres, query: str) -> int:
    """The answer of a server that comes and goes, with tables or without; 0 where there is none."""
    with suppress(PostgresDidNotStart, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection = await asyncpg.connect(**server.dsn(user="casset_owner"))
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()
    return 0


async def content(target: Mapping[str, Any]) -> Counter[asyncpg.Record]:
    """What is stored, without ids and times."""
    connection = await asyncpg.connect(**target)
    try:
        return Counter(await connection.fetch(CONTENT))
    finally:
        await connection.close()
