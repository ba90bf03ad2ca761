"""What is sent to the store by itself is looked at in a worker, and becomes media exactly as on the direct road."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, text, update

from db import tables
from db.engine import Database
from db.jobs import LeaseLost, claim, complete
from domain.ids import Kind, Ref
from domain.jobs import JobKind
from domain.media import LARGEST_UPLOAD
from domain.uploads import MOST_STAGED
from graph.server.uploads import outline
from graph.server.worker import staging_of, sweeper_of
from resolvers.jobs import Running
from resolvers.uploads import Taking
from tests.graph.server.recordings import ARTIST, CLOSED, OPEN, Listening, listening, track, wav
from tests.graph.server.test_stores import BUCKET, s3

__all__ = ["s3"]
STAGE = """mutation ($input: StageUploadInput!) { stageUpload(input: $input) { __typename
  ... on UserError { code message path } ... on StageUploadSuccess { upload url urlExpiresAt expiresAt } } }"""
FINISH = """mutation ($input: FinishUploadInput!) { finishUpload(input: $input) { __typename
  ... on UserError { code message path } ... on FinishUploadSuccess { job { id kind state error } } } }"""
LEFT = (tables.media, tables.media_content, tables.provenance_event, tables.staged_upload)


@pytest.fixture
async def here(s3: str, database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path, blobs_url=BUCKET) as house:
        yield house


async def ask(here: Listening, document: str, who: str | None = "ada", **given: Any) -> Any:
    answer = await here.client.post(
        "/graphql", json={"query": document, "variables": {"input": given}}, headers=here.by(who)
    )
    told = json.loads(answer.content)
    assert "errors" not in told, told
    return next(iter(told["data"].values()))


def of(file: bytes, id_: UUID = OPEN, **otherwise: Any) -> dict[str, Any]:
    """What somebody says of a file they are about to send."""
    sha256 = hashlib.sha256(file).hexdigest()
    return {"of": track(id_), "role": "MASTER", "sha256": sha256, "byteSize": len(file)} | otherwise


async def sent(here: Listening, file: bytes, said: dict[str, Any] | None = None, who: str = "ada") -> Any:
    """Send a file and say so; the job afterwards."""
    told = await ask(here, STAGE, who, **(said or of(file)))
    assert told["__typename"] == "StageUploadSuccess", told
    httpx.put(told["url"], content=file).raise_for_status()
    finished = await ask(here, FINISH, who, id=told["upload"])
    assert finished["job"]["kind"] == "TAKE_UPLOAD"
    await here.work()
    (job,) = [row for row in await here.rows(tables.job) if row.ref == finished["job"]["id"]]
    return told, job


async def left(here: Listening) -> list[int]:
    return [len(await here.rows(table)) for table in LEFT]


async def test_a_staged_upload_becomes_media_as_a_direct_one_does(here: Listening) -> None:
    file = wav(90)
    told, job = await sent(here, file)
    assert (job.state, job.error) == ("DONE", None)
    (media,), (content,) = await here.rows(tables.media), await here.rows(tables.media_content)
    assert (media.ref, media.sha256, media.byte_size) == (told["upload"], hashlib.sha256(file).hexdigest(), len(file))
    assert (content.state, content.format, len(content.peaks)) == ("READY", "WAV", 500)
    (event,) = await here.rows(tables.provenance_event)
    assert (event.kind, event.subject_id) == ("MEDIA_ATTACHED", OPEN)
    heard = await here.client.get((await here.token(OPEN, "ada")).json()["url"])
    assert heard.content == file
    # The same bytes by the other road are the same media.
    assert (await here.upload(file)).json()["id"] == told["upload"]


async def test_it_is_taken_once_however_often_it_is_said(here: Listening) -> None:
    file = wav(2)
    first = await ask(here, STAGE, **of(file), idempotencyKey="k")
    again = await ask(here, STAGE, **of(file), idempotencyKey="k")
    assert again["__typename"] == "StageUploadSuccess", again
    assert (first["upload"], first["expiresAt"]) == (again["upload"], again["expiresAt"])
    other = await ask(here, STAGE, **of(wav(3)), idempotencyKey="k")
    assert other["code"] == "IDEMPOTENCY_MISMATCH"
    httpx.put(again["url"], content=file).raise_for_status()
    jobs = {(await ask(here, FINISH, id=first["upload"]))["job"]["id"] for _ in range(3)}
    await here.work()
    jobs |= {(await ask(here, FINISH, id=first["upload"]))["job"]["id"]}
    await here.work()
    assert len(jobs) == 1
    assert len(await here.rows(tables.media)) == 1


def lies() -> dict[str, tuple[bytes, dict[str, Any], str]]:
    """What is sent, what was said of it, and a word of the refusal."""
    file, html = wav(2), b"<html><script>alert(1)</script></html>" * 10
    return {
        "other bytes": (wav(2, 2), of(file), "SHA-256"),
        "fewer bytes": (file[:-1], of(file), "bytes were sent"),
        "more bytes": (file + b"x", of(file), "bytes were sent"),
        "a page": (html, of(html), "A master is"),
        "a page in a WAV": (file[:12] + html, of(file[:12] + html), ""),
        "a recording that is cut off": (file[:-9], of(file[:-9]), "cut off"),
        "a recording as a cover": (file, of(file, role="COVER"), "A cover is"),
    }


@pytest.mark.parametrize("name", lies())
async def test_what_is_not_what_was_said_becomes_nothing(here: Listening, s3: str, name: str) -> None:
    file, said, word = lies()[name]
    _, job = await sent(here, file, said)
    assert (job.state, job.attempts) == ("DEAD", 1)
    assert word in job.error
    assert await left(here) == [0, 0, 0, 1]
    assert [blob async for some in here.app.studio.blobs.stored() for blob in some] == []


async def test_nothing_sent_is_no_upload(here: Listening) -> None:
    told = await ask(here, STAGE, **of(wav(2)))
    await ask(here, FINISH, id=told["upload"])
    await here.work()
    (job,) = await here.rows(tables.job)
    assert (job.state, job.error) == ("DEAD", "Nothing was sent to the address.")


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"byteSize": LARGEST_UPLOAD + 1}, ["byteSize"]),
        ({"byteSize": 0}, ["byteSize"]),
        ({"sha256": "A" * 64}, ["sha256"]),
        ({"sha256": "a" * 63}, ["sha256"]),
        ({"role": "PREVIEW"}, ["role"]),
        ({"of": str(Ref(Kind.ARTIST, ARTIST))}, ["role"]),
    ],
)
async def test_what_would_be_refused_gets_no_address(here: Listening, said: dict[str, Any], path: list[str]) -> None:
    told = await ask(here, STAGE, **of(wav(1), **said))
    assert (told["code"], told["path"]) == ("VALIDATION", path)
    assert await left(here) == [0, 0, 0, 0]


async def test_an_address_is_for_one_object_under_a_name_of_ours(here: Listening, s3: str) -> None:
    told = await ask(here, STAGE, **of(wav(1)))
    elsewhere = told["url"].replace("/staged/", "/")
    assert httpx.URL(told["url"]).path.startswith("/casset/media/staged/")
    assert "X-Amz-Signature" in told["url"]
    assert elsewhere != told["url"]
    assert hashlib.sha256(wav(1)).hexdigest() not in told["url"]


async def test_only_who_began_it_and_may_still_change_the_asset_finishes_it(here: Listening) -> None:
    file = wav(2)
    for who, id_ in ((None, OPEN), ("bo", OPEN), ("cy", OPEN)):
        told = await ask(here, STAGE, who, **of(file, id_))
        assert told["code"] == ("UNAUTHENTICATED" if who is None else "NOT_FOUND")
    began = await ask(here, STAGE, **of(file))
    httpx.put(began["url"], content=file).raise_for_status()
    nothing = began["upload"][:-4] + "0000"
    for who in ("bo", "cy"):
        assert await ask(here, FINISH, who, id=began["upload"]) == await ask(here, FINISH, who, id=nothing)
    async with here.database.write() as connection:
        await connection.execute(update(tables.membership).values(role="MEMBER"))
    assert (await ask(here, FINISH, id=began["upload"]))["code"] == "NOT_FOUND"
    assert await here.rows(tables.job) == []


async def test_who_lost_the_asset_meanwhile_attaches_nothing(here: Listening) -> None:
    file = wav(2)
    began = await ask(here, STAGE, **of(file, CLOSED))
    httpx.put(began["url"], content=file).raise_for_status()
    await ask(here, FINISH, id=began["upload"])
    async with here.database.write() as connection:
        await connection.execute(update(tables.membership).values(ended_at=func.now()))
    await here.work()
    (job,) = await here.rows(tables.job)
    assert (job.state, await left(here)) == ("DEAD", [0, 0, 0, 1])


async def test_what_is_not_finished_in_its_time_is_over_and_cleared_away(here: Listening, s3: str) -> None:
    files = {"late": wav(1, 1), "taken": wav(1, 2), "waiting": wav(1, 3), "now": wav(1, 4)}
    began = {}
    for name, file in files.items():
        began[name] = await ask(here, STAGE, **of(file))
        httpx.put(began[name]["url"], content=file).raise_for_status()
    await ask(here, FINISH, id=began["taken"]["upload"])
    await here.work()
    await ask(here, FINISH, id=began["waiting"]["upload"])
    staged = tables.staged_upload
    async with here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        over = update(staged).where(staged.c.sha256 == hashlib.sha256(files["late"]).hexdigest())
        await connection.execute(over.values(expires_at=func.now() - timedelta(seconds=1)))
    assert (await ask(here, FINISH, id=began["late"]["upload"]))["code"] == "NOT_FOUND"
    assert (await sweeper_of(here.app.studio).sweep(dry_run=True)).cleared == 0
    assert (await sweeper_of(here.app.studio).sweep(dry_run=False)).cleared == 2
    listed = httpx.get(f"{s3}/casset").text
    for name, is_there in (("late", False), ("taken", False), ("waiting", True), ("now", True)):
        assert (began[name]["url"].split("?")[0].rpartition("/")[2] in listed) is is_there, name
    await here.work()
    assert {row.sha256 for row in await here.rows(tables.media)} == {
        hashlib.sha256(files[name]).hexdigest() for name in ("taken", "waiting")
    }


async def test_one_account_has_so_many_on_their_way_and_no_more(here: Listening) -> None:
    async with here.database.write() as connection:
        await connection.execute(
            text(
                "INSERT INTO staged_upload (id, asset_id, account_id, role, sha256, byte_size, expires_at) "
                "SELECT gen_random_uuid(), :asset, :account, 'MASTER', repeat('a', 64), 1, now() + interval '1 hour' "
                "FROM generate_series(1, :count)"
            ),
            {"asset": OPEN, "account": UUID(int=11), "count": MOST_STAGED},
        )
    assert (await ask(here, STAGE, **of(wav(1))))["code"] == "VALIDATION"


async def test_a_house_that_keeps_its_files_itself_says_where_to_send_them(database: Database, tmp_path: Path) -> None:
    async with listening(database, tmp_path) as house:
        told = await ask(house, STAGE, **of(wav(1)))
    assert told["code"] == "VALIDATION"
    assert "POST /api/upload/media" in told["message"]


async def test_a_worker_that_was_away_too_long_attaches_nothing_and_the_next_one_once(here: Listening) -> None:
    file = wav(2)
    began = await ask(here, STAGE, **of(file))
    httpx.put(began["url"], content=file).raise_for_status()
    await ask(here, FINISH, id=began["upload"])
    studio, claimed = here.app.studio, []
    taking = Taking(here.database, studio.blobs, staging_of(studio.blobs), outline)
    for _ in range(2):
        async with here.database.write() as connection:
            claimed += await claim(connection, [JobKind.TAKE_UPLOAD], 1)
            await connection.execute(update(tables.job).values(run_after=func.now()))
    effects = [(job, await taking._take(Running(job))) for job in claimed]
    for job, effect in effects:
        with contextlib.suppress(LeaseLost):
            async with here.database.write() as connection:
                await effect(connection)
                await complete(connection, job)
    assert len(claimed) == 2
    assert await left(here) == [1, 1, 1, 1]
