"""Bytes that nothing names are reported, and removed a week later; what somebody names, or is about to, never is."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import insert, text, update

from db import tables
from db.blobs import NAMING, hold_bytes_alone
from db.engine import Database
from domain.errors import Unavailable
from domain.media import Format
from domain.uploads import GRACE, YOUNG
from graph.server.sweeping import show_sweep
from graph.server.worker import sweeper_of
from resolvers.blobs import hold_blob
from resolvers.context import now, uuid7
from tests.graph.server.recordings import CLOSED, OPEN, Listening, listening, wav
from tests.graph.server.test_covers import picture
from tests.graph.server.test_stores import BUCKET, s3

__all__ = ["s3"]


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


async def stored(here: Listening, data: bytes) -> str:
    """Bytes in the store that nothing names."""
    async with here.app.studio.blobs.receive() as incoming:
        await incoming.write(data)
        return (await incoming.keep()).sha256


def age(here: Listening) -> None:
    """All that is stored came long ago."""
    for name in here.blobs():
        os.utime(here.data / "blobs" / name, (0, 0))


async def pass_time(here: Listening) -> None:
    """What was found was found a week ago."""
    table = tables.orphan_blob
    async with here.database.write() as connection:
        await connection.execute(update(table).values(found_at=table.c.found_at - GRACE))


async def swept(here: Listening, *, dry_run: bool = False) -> Any:
    return await sweeper_of(here.app.studio).sweep(dry_run=dry_run)


async def test_an_orphan_is_reported_first_and_removed_a_week_later(here: Listening) -> None:
    kept = await here.has(OPEN)
    orphan = await stored(here, b"nobody's")
    age(here)
    found = await swept(here)
    assert (found.stored, found.orphans, found.bytes, found.removed) == (2, 1, 8, 0)
    assert (await swept(here)).removed == 0
    await pass_time(here)
    assert (await swept(here, dry_run=True)).removed == 0
    assert orphan in here.blobs()
    assert (await swept(here)).removed == 1
    assert here.blobs() == [hashlib.sha256(kept).hexdigest()]
    (row,) = await here.rows(tables.orphan_blob)
    assert (row.sha256, row.removed, row.settled_at is None) == (orphan, True, False)
    assert (await swept(here)).orphans == 0


async def test_everything_that_names_bytes_keeps_them(here: Listening) -> None:
    """Masters, previews, covers as they came and as they are shown, source files, and copies in releases."""
    await here.has(OPEN)
    await here.client.get((await here.token(OPEN)).json()["url"])  # cuts the preview
    for role, file in (("COVER", picture(Format.PNG) + b"and more"), ("SOURCE", b"a project")):
        assert (await here.upload(file, role=role)).status_code == 201
    await here.work()
    version, copied = uuid7(), await stored(here, b"copied")
    async with here.database.write() as connection:
        release = {
            "id": version,
            "kind": "RELEASE",
            "owner_id": (await here.rows(tables.asset))[0].owner_id,
            "title": "x",
        }
        await connection.execute(insert(tables.asset).values(release))
        await connection.execute(insert(tables.release).values(id=version))
        await connection.execute(insert(tables.release_version).values(id=version, release_id=version, number=1))
        item = {"id": uuid7(), "version_id": version, "asset_id": CLOSED, "position": 1, "media_sha256": copied}
        await connection.execute(insert(tables.release_item).values(item))
    before = here.blobs()
    assert len(before) == 6
    age(here)
    for _ in range(2):
        assert (await swept(here)).orphans == 0
        await pass_time(here)
    assert here.blobs() == before


def test_every_column_of_a_hash_of_bytes_is_looked_at() -> None:
    """Whoever adds a column that names stored bytes calls it so."""
    named = {str(column) for column in NAMING}
    assert named >= {"media.sha256", "media_content.shown_sha256", "preview.sha256", "release_item.media_sha256"}
    hashes = {
        str(column) for table in tables.metadata.sorted_tables for column in table.columns if "sha256" in column.name
    }
    nobodys = {"media_content.pcm_sha256", "orphan_blob.sha256", "staged_upload.sha256", "trusted_document.sha256"}
    assert hashes == named | nobodys


async def test_what_came_today_is_not_looked_at(here: Listening) -> None:
    await stored(here, b"just came")
    assert (await swept(here)).orphans == 0
    age(here)
    await swept(here)
    await pass_time(here)
    await stored(here, b"just came")  # the same bytes again: their upload is about to name them
    assert (await swept(here)).removed == 0
    assert len(here.blobs()) == 1


async def test_an_orphan_that_is_named_in_time_stays(here: Listening) -> None:
    file = wav(2)
    await stored(here, file)
    age(here)
    await swept(here)
    await pass_time(here)
    await here.has(OPEN, file)
    age(here)
    assert (await swept(here)).removed == 0
    (row,) = await here.rows(tables.orphan_blob)
    assert (row.removed, row.settled_at is None) == (False, False)


async def test_an_upload_and_a_sweep_of_the_same_bytes_meet_and_one_of_them_gives_way(here: Listening) -> None:
    """Whichever is first: a row never names bytes that are not there."""
    sha256 = await stored(here, b"contested")
    age(here)
    await swept(here)
    await pass_time(here)
    blobs = here.app.studio.blobs
    row = {"id": uuid7(), "asset_id": OPEN, "role": "SOURCE", "sha256": sha256}
    # The upload is first: the sweep waits for it, and sees it.
    async with here.database.write() as connection:
        await hold_blob(connection, blobs, sha256)
        sweeping = asyncio.create_task(swept(here))
        await waits(connection, sweeping)
        await connection.execute(insert(tables.media).values(row))
    assert (await sweeping).removed == 0
    assert here.blobs() == [sha256]
    # The sweep is first: the upload waits for it, and is told to send its bytes again.
    async with here.database.write() as connection:
        await hold_bytes_alone(connection, sha256)

        async def naming() -> None:
            async with here.database.write() as other:
                await hold_blob(other, blobs, sha256)
                raise AssertionError("it named what was gone")

        naming_ = asyncio.create_task(naming())
        await waits(connection, naming_)
        await blobs.remove(sha256)
    with pytest.raises(Unavailable, match="Send it again"):
        await naming_


async def waits(connection: Any, task: asyncio.Task[Any]) -> None:
    """Until a task waits for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with asyncio.timeout(60):
        while not (await connection.exec_driver_sql(waiting)).scalar_one():
            await asyncio.wait([task], timeout=0.01)


MOVES = st.lists(st.sampled_from(["keep", "name", "name", "age", "wait", "sweep", "sweep"]), min_size=4, max_size=14)


@given(moves=MOVES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_whatever_happens_in_whatever_order_what_is_named_is_there(here: Listening, moves: list[str]) -> None:
    """Uploads come in two steps, as they do; sweeps come in between."""
    blobs, data = here.app.studio.blobs, uuid7().bytes
    sha256, named = hashlib.sha256(data).hexdigest(), False
    for move in moves:
        match move:
            case "keep":
                await stored(here, data)
            case "name" if not named:
                with contextlib.suppress(Unavailable):
                    async with here.database.write() as connection:
                        await hold_blob(connection, blobs, sha256)
                        row = {"id": uuid7(), "asset_id": OPEN, "role": "SOURCE", "sha256": sha256}
                        await connection.execute(insert(tables.media).values(row))
                    named = True
            case "age":
                age(here)
            case "wait":
                await pass_time(here)
            case "sweep":
                await swept(here)
        assert not named or await blobs.since(sha256) is not None


async def test_the_sweep_comes_round_and_is_done_by_a_worker(here: Listening) -> None:
    sweeper = sweeper_of(here.app.studio)
    for _ in range(3):
        await sweeper.begin()
    await stored(here, b"nobody's")
    age(here)
    for number in range(1, 4):
        (waiting,) = [job for job in await here.rows(tables.job) if job.state == "READY"]
        assert (waiting.kind, waiting.owner_id) == ("SWEEP_BLOBS", None)
        await here.work()
        assert len(await here.rows(tables.job)) == number, "it is not due yet"
        async with here.database.write() as connection:
            await connection.execute(update(tables.job).values(run_after=text("now()")))
        await pass_time(here)
        await here.work()
    assert here.blobs() == []
    assert {job.state for job in await here.rows(tables.job)} == {"DONE", "READY"}


async def test_a_sweep_that_is_interrupted_is_finished_by_the_next(
    here: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [await stored(here, bytes([number])) for number in range(5)]
    age(here)
    await swept(here)
    await pass_time(here)
    blobs, removed = here.app.studio.blobs, list[str]()
    remove = type(blobs).remove

    async def dies(store: Any, sha256: str) -> None:
        await remove(store, sha256)
        removed.append(sha256)
        if len(removed) == 3:
            raise Unavailable("gone, after it was removed and before that was written down")

    monkeypatch.setattr(type(blobs), "remove", dies)
    with pytest.raises(Unavailable):
        await swept(here)
    monkeypatch.undo()
    assert len(here.blobs()) == 2
    await swept(here)
    assert here.blobs() == []
    assert {row.sha256 for row in await here.rows(tables.orphan_blob) if row.settled_at} == set(names)


async def test_what_is_found_is_shown(here: Listening) -> None:
    sha256 = await stored(here, b"nobody's")
    age(here)
    out = io.StringIO()
    await show_sweep(sweeper_of(here.app.studio), Console(file=out, width=200), dry_run=True)
    assert sha256 in out.getvalue()
    assert "nothing names 1 of them, 8 bytes" in out.getvalue()
    assert "Nothing was removed" in out.getvalue()


async def test_a_store_elsewhere_is_swept_too(s3: str, database: Database, tmp_path: Path) -> None:
    async with listening(database, tmp_path, blobs_url=BUCKET) as house:
        kept = await house.has(OPEN)
        orphan = await stored(house, b"nobody's")
        later = replace(sweeper_of(house.app.studio), now=lambda: now() + 2 * YOUNG)
        assert (await later.sweep(dry_run=False)).orphans == 1
        await pass_time(house)
        assert (await later.sweep(dry_run=False)).removed == 1
        there = [blob.sha256 async for some in house.app.studio.blobs.stored() for blob in some]
        assert there == [hashlib.sha256(kept).hexdigest()]
        assert orphan not in there
