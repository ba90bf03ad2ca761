"""Recordings that are coded: read to their end, heard in their window, refused where they are cut off or nonsense."""

from __future__ import annotations

import array
import io
import math
import random
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import av
import pytest

from db import tables
from db.engine import Database
from tests.graph.server.recordings import END_MS, OPEN, START_MS, Listening, listening, samples

RATE, SECONDS = 48_000, 60
KINDS = {
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"),
    "flac": ("flac", "flac", "audio/flac"),
    "aac": ("adts", "aac", "audio/aac"),
    "m4a": ("mp4", "aac", "audio/mp4"),
    "ogg": ("ogg", "libopus", "audio/ogg"),
}
ALL = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


@cache
def recording(kind: str) -> bytes:
    """Half a minute of silence, then half a minute of a tone."""
    container, codec, _ = KINDS[kind]
    count = RATE * SECONDS
    tone = (int(12_000 * math.sin(2 * math.pi * 440 * n / RATE)) if n >= count // 2 else 0 for n in range(count))
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        frame.planes[0].update(array.array("h", tone).tobytes())
        frame.rate = RATE
        context = stream.codec_context
        resampler = av.AudioResampler(context.format.name, "mono", RATE, context.frame_size or 4096)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()


@ALL
async def test_a_coded_recording_is_read_and_its_window_heard(here: Listening, kind: str) -> None:
    answer = await here.upload(recording(kind))
    assert (answer.status_code, answer.json()["mimeType"]) == (201, KINDS[kind][2])
    await here.work()
    (content,), (media,) = await here.rows(tables.media_content), await here.rows(tables.media)
    assert content.state == "READY", content.fault
    assert abs(media.duration_ms - SECONDS * 1000) < 100
    assert (max(content.peaks[:240]) < 100, min(content.peaks[260:]) > 3000) == (True, True)
    heard = await here.client.get((await here.token(OPEN)).json()["url"])
    assert heard.headers["content-type"] == "audio/wav"
    preview = array.array("h", samples(heard.content))
    assert len(preview) == RATE * (END_MS - START_MS) // 1000
    silent = RATE * (SECONDS * 500 - START_MS) // 1000
    assert max(preview[: silent - RATE // 10]) < 300
    assert max(preview[silent + RATE // 10 :]) > 3000
    everything = await here.client.get((await here.token(OPEN, "ada")).json()["url"])
    assert everything.content == recording(kind)


@ALL
@pytest.mark.parametrize("fault", ["cut off", "nonsense", "its beginning"])
async def test_what_cannot_be_decoded_is_never_heard(here: Listening, kind: str, fault: str) -> None:
    good = recording(kind)
    broken = {
        "cut off": good[: len(good) * 2 // 3],
        "nonsense": good[:200] + random.Random(1).randbytes(len(good) - 200),
        "its beginning": good[:64],
    }
    assert (await here.upload(broken[fault])).status_code == 201
    await here.work()
    (content,) = await here.rows(tables.media_content)
    jobs = {job.state for job in await here.rows(tables.job)}
    if content.state == "READY":
        # A stream of frames has no end that could be missing: what there is of it is heard.
        assert (kind in {"mp3", "aac", "ogg"}, fault != "nonsense", jobs) == (True, True, {"DONE"})
    else:
        assert (content.state, jobs) == ("REFUSED", {"DEAD"})
        assert (await here.token(OPEN, "ada")).status_code == 404


async def test_a_film_is_no_recording(here: Listening) -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for _ in range(5):
            file.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        file.mux(stream.encode(None))
    assert (await here.upload(out.getvalue())).status_code == 201
    await here.work()
    (content,) = await here.rows(tables.media_content)
    assert (content.state, content.fault) == ("REFUSED", "There is no sound in it.")
