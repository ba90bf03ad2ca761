"""The same house over S3: a real server of its protocol, and what happens while it is away."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from db.engine import Database
from graph.server.stores import StoreBlobs
from tests.graph.server.recordings import OPEN, Listening, listening, samples, wav

BUCKET = "s3://casset/media"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "ENDPOINT": address,
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "y",
        "REGION": "us-east-1",
        "ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    httpx.post(f"{address}/moto-api/reset").raise_for_status()
    httpx.put(f"{address}/casset").raise_for_status()
    yield address
    server.stop()


@pytest.fixture
async def here(s3: str, database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path, blobs_url=BUCKET) as house:
        yield house


async def test_a_recording_is_uploaded_read_and_heard_over_s3(here: Listening) -> None:
    file = await here.has(OPEN)
    assert here.blobs() == [], "nothing stays in the data folder"
    asked = (await here.token(OPEN)).json()
    heard = await here.client.get(asked["url"])
    assert len(samples(heard.content)) == 30 * 8_000 * 4
    assert samples(heard.content) in file
    part = await here.client.get(asked["url"], headers={"range": "bytes=300000-600000"})
    assert (part.status_code, part.content) == (206, heard.content[300_000:600_001])
    everything = await here.client.get((await here.token(OPEN, "ada")).json()["url"])
    assert everything.content == file


async def test_what_is_not_there_is_not_found_and_names_are_hashes(s3: str) -> None:
    store = StoreBlobs(BUCKET)
    for name in ("a" * 64, "../x", "", "A" * 64):
        with pytest.raises(FileNotFoundError):
            await store.size(name)
        with pytest.raises(FileNotFoundError):
            await store.open(name)


async def test_a_refused_upload_stores_nothing(here: Listening, s3: str) -> None:
    assert (await here.upload(b"<html>")).status_code == 415
    assert (await here.upload(wav(2)[:-9])).status_code == 415
    assert "<Contents>" not in httpx.get(f"{s3}/casset").text
