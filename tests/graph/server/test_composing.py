"""The demo scene is heard: its sound is composed by code, the same on every run, and taken in as any upload is."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import AsyncIterator
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from sqlalchemy import func, select, update

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.assets import AssetKind
from graph.server.app import create_app
from graph.server.composing import RATE, compose
from graph.server.house import close
from graph.server.settings import Settings
from graph.server.signers import keys_of
from graph.server.worker import workshop_of
from resolvers.context import Acting, now, uuid7
from resolvers.demo import load_demo
from resolvers.demo_scene import read_scene
from resolvers.demo_sound import heard_of, piece_of

SCENE = read_scene()
WORKS = {work.key: work for world in SCENE.worlds for work in world.works}
HEARD = {key: WORKS[key] for key in heard_of(SCENE)}
PLAIN = {"name": "a", "seconds": 40, "bpm": 96, "tone": "D minor", "subkind": None, "hook": 8}
BYTES_A_SECOND = 4_000


def composed(piece: dict[str, Any]) -> bytes:
    into = io.BytesIO()
    compose(into, piece)
    return into.getvalue()


def samples(data: bytes) -> Any:
    with av.open(io.BytesIO(data), format="flac") as file:
        return np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])


def test_what_has_a_hook_or_is_in_a_release_is_heard() -> None:
    held = [WORKS[key] for work in WORKS.values() for version in work.versions for key in version.items]
    sounding = {work.key for work in held if work.kind in {AssetKind.TRACK, AssetKind.SAMPLE}}
    assert {work.key for work in WORKS.values() if work.hook} | sounding <= set(HEARD)
    assert {work.subkind for work in HEARD.values()} >= {"ONE_SHOT", "LOOP", "STEM", "VOICE_MEMO"}


def test_a_piece_is_the_same_on_every_run_and_exactly_as_long_as_it_says() -> None:
    for seconds in (1, 8, 41):
        piece = PLAIN | {"seconds": seconds}
        assert composed(piece) == composed(piece)
        assert len(samples(composed(piece))) == seconds * RATE


@pytest.mark.parametrize(
    "other", [{"name": "b"}, {"bpm": 97}, {"tone": "D major"}, {"subkind": "LOOP"}, {"hook": None}]
)
def test_another_work_sounds_otherwise(other: dict[str, Any]) -> None:
    assert composed(PLAIN) != composed(PLAIN | other)


def test_no_two_works_of_the_scene_sound_alike_and_all_are_small() -> None:
    short = {key: piece_of(work) | {"seconds": min(work.seconds or 1, 12)} for key, work in HEARD.items()}
    sounds = {key: composed(piece) for key, piece in short.items()}
    for one, two in combinations(sounds, 2):
        assert sounds[one] != sounds[two], (one, two)
    for key, data in sounds.items():
        assert len(data) < 10_000 + BYTES_A_SECOND * short[key]["seconds"], key
        assert np.abs(samples(data)).max() > 3_000, f"{key} is silent"


def test_a_hook_is_louder_than_what_is_around_it() -> None:
    heard = samples(composed(PLAIN | {"seconds": 90, "hook": 40, "bpm": 120})).astype(float)
    loud = [np.sqrt(np.mean(heard[at * RATE : (at + 10) * RATE] ** 2)) for at in (0, 45, 78)]
    assert loud[1] > 1.2 * max(loud[0], loud[2])


FEW = ("salt-arithmetic", "kettle-loop", "drawer-snare")


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The house with the demo, of which three works have been composed."""
    await load_demo(Acting(database, ANONYMOUS, now, uuid7), lambda *_: None)
    settings = Settings(data=tmp_path)
    app = create_app(settings, database)
    async with database.write() as connection:
        job = tables.job
        asked = (await connection.execute(select(job.c.id, job.c.payload).where(job.c.kind == "COMPOSE_DEMO"))).all()
        assert {row.payload["name"] for row in asked} == set(HEARD)
        others = [row.id for row in asked if row.payload["name"] not in FEW]
        await connection.execute(update(job).where(job.c.id.in_(others)).values(state="DONE"))
        await connection.execute(update(job).where(job.c.kind != "COMPOSE_DEMO").values(state="DONE"))
        await connection.execute(update(job).values(run_after=func.now()))
    await workshop_of(app.studio, keys_of(settings)).drain()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://casset.example") as asking:
        yield asking
    await close(app._house)
    app.studio.blobs.close()


async def test_a_hook_of_the_demo_is_played_and_drawn(client: httpx.AsyncClient, database: Database) -> None:
    async with database.read() as connection:
        media, content, job = tables.media, tables.media_content, tables.job
        rows = (await connection.execute(select(media, content).join(content, content.c.media_id == media.c.id))).all()
        failed = (await connection.execute(select(job.c.kind, job.c.error).where(job.c.state != "DONE"))).all()
    assert failed == []
    assert [(row.state, row.format, row.role) for row in rows] == [("READY", "FLAC", "MASTER")] * len(FEW)
    assert all(len(set(row.peaks)) > 10 for row in rows)
    lengths = sorted((HEARD[key].seconds or 0) * 1000 for key in FEW)
    assert sorted(row.duration_ms for row in rows) == lengths
    asked = "{ hooks(first: 100) { nodes { track { id durationMs } playback { url startMs durationMs } } } }"
    hooks = json.loads((await client.post("/graphql", json={"query": asked})).content)["data"]["hooks"]["nodes"]
    (hook,) = [hook for hook in hooks if hook["playback"]]
    sound = await client.get(hook["playback"]["url"])
    assert sound.status_code == 200
    assert hook["playback"]["durationMs"] == 30_000
    assert len(sound.content) == 44 + 30 * RATE * 2
    drawn = await client.get(f"/api/audio/waveform/{hook['track']['id']}")
    assert len(drawn.json()["peaks"]) == 500


async def test_what_is_composed_is_stored_by_its_hash(client: httpx.AsyncClient, tmp_path: Path) -> None:
    stored = {path.name: path.read_bytes() for path in (tmp_path / "blobs").iterdir()}
    assert len(stored) == len(FEW)
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in stored.items())
    assert composed(piece_of(HEARD["drawer-snare"])) in stored.values()
