"""From an upload to what is heard in it, what is seen of it, and what is suggested for its hook."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.audio import Pcm, wav_head
from domain.ids import Kind, Ref
from graph.execution import Execution
from tests.graph.readers import reader_of
from tests.graph.server.recordings import (
    ADA,
    ARTIST,
    BARE,
    BO,
    CLOSED,
    HOOK,
    OPEN,
    STRANGE,
    Listening,
    listening,
    track,
    wav,
)

PCM = Pcm(8_000, 1, 16, is_float=False)
ADAS, BOS = Viewer(ADA, (ARTIST,), (ARTIST,)), Viewer(BO, (STRANGE,), (STRANGE,))
SEEN = """query ($id: ID!) { asset(id: $id) { ... on Track { bpm musicalKey waveform
  analysis { timing { durationMs sampleRate channels soundStartMs soundEndMs }
    musical { bpm otherBpm key energy provider version confidence error } }
  suggestions { nodes { id kind state window { startMs endMs } caption lines { text } provider version confidence } } } } }"""


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


def pulse(seconds: int, loud_from: int, seed: int = 1) -> bytes:
    """A click twice a second, with half a minute of noise around it."""
    sound = np.zeros(seconds * PCM.rate)
    for beat in range(seconds * 2 - 1):
        place = beat * PCM.rate // 2
        sound[place : place + 80] += 0.5 * np.exp(-np.arange(80) / 20)
    noise = np.random.default_rng(seed).normal(0, 0.1, 30 * PCM.rate)
    sound[loud_from * PCM.rate : (loud_from + 30) * PCM.rate] += noise
    data = (np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes()
    return wav_head(PCM, len(data)) + data


async def ask(
    here: Listening, document: str, viewer: Viewer = ADAS, execution: Execution = Execution.PLAN, **given: Any
) -> Any:
    reader = reader_of(here.database, execution)
    told = json.loads((await reader.answer(document, None, given, viewer)).body)
    assert "errors" not in told, told
    return next(iter(told["data"].values()))


async def seen(here: Listening, id_: UUID, viewer: Viewer = ADAS, execution: Execution = Execution.PLAN) -> Any:
    return await ask(here, SEEN, viewer, execution, id=track(id_))


async def test_an_upload_is_listened_to_and_its_hook_suggested(here: Listening) -> None:
    await here.has(BARE, pulse(70, 30))
    told = await seen(here, BARE)
    assert told["analysis"]["timing"] == {
        "durationMs": 70_000,
        "sampleRate": 8_000,
        "channels": 1,
        "soundStartMs": 0,
        "soundEndMs": 69_010,
    }
    musical = told["analysis"]["musical"]
    assert (musical["bpm"], musical["otherBpm"]) == (pytest.approx(120, rel=0.002), pytest.approx(60, rel=0.002))
    assert (musical["key"], musical["error"], musical["provider"], musical["version"]) == (None, None, "casset", "1")
    assert (told["bpm"], told["musicalKey"]) == (None, None)  # the artist has not spoken
    (suggestion,) = told["suggestions"]["nodes"]
    start = suggestion["window"]["startMs"]
    assert abs(start - 30_000) <= 25
    assert suggestion["window"]["endMs"] == start + 30_000
    assert (suggestion["kind"], suggestion["state"], suggestion["provider"]) == ("HOOK_WINDOW", "OPEN", "casset")
    assert 0 < suggestion["confidence"] <= 1
    assert told == await seen(here, BARE, execution=Execution.REFERENCE)
    jobs = {(job.kind, job.state) for job in await here.rows(tables.job)}
    assert ("ANALYZE_MUSIC", "DONE") in jobs


@pytest.mark.parametrize("execution", Execution)
async def test_what_is_heard_is_shown_as_its_track_is_and_what_is_suggested_to_its_people(
    here: Listening, execution: Execution
) -> None:
    for id_ in (BARE, CLOSED):
        await here.has(id_, pulse(70, 30))
        assert len((await seen(here, id_, execution=execution))["suggestions"]["nodes"]) == 1
    for viewer in (ANONYMOUS, BOS):
        told = await seen(here, BARE, viewer, execution)
        assert told["suggestions"]["nodes"] == []
        assert len(told["waveform"]) == 500
        assert told["analysis"] is not None
        assert await seen(here, CLOSED, viewer, execution) is None


async def test_a_waveform_is_the_one_that_the_rest_route_tells(here: Listening) -> None:
    assert (await seen(here, OPEN))["waveform"] is None
    await here.has(OPEN, wav(90))
    rest = (await here.client.get(f"/api/audio/waveform/{track(OPEN)}")).json()["peaks"]
    peaks = (await seen(here, OPEN))["waveform"]
    assert (len(peaks), peaks) == (500, rest)
    assert all(0 <= peak <= 1 and round(peak, 4) == peak for peak in peaks)
    document = "query ($id: ID!) { asset(id: $id) { ... on Track { hook { waveform startMs } } } }"
    hook = (await ask(here, document, ANONYMOUS, id=track(OPEN)))["hook"]
    # 12.5 s to 42.5 s of 90 s, where each peak is 180 ms.
    assert hook["waveform"] == peaks[69:237]


async def test_what_is_no_sound_has_no_analysis(here: Listening) -> None:
    await here.upload(b"RIFF\x24\x00\x00\x00WAVEfmt ", id_=BARE)
    await here.upload(b"fLaC" + bytes(200), id_=BARE)
    await here.work()
    told = await seen(here, BARE)
    assert (told["analysis"], told["waveform"], told["suggestions"]["nodes"]) == (None, None, [])


async def test_silence_and_short_sounds_suggest_nothing_and_say_why(here: Listening) -> None:
    data = bytes(60 * PCM.rate * PCM.frame)
    await here.has(BARE, wav_head(PCM, len(data)) + data)
    told = await seen(here, BARE)
    assert told["analysis"]["timing"]["soundStartMs"] is None
    assert told["analysis"]["musical"]["error"] == "There is nothing to hear in it."
    assert (told["suggestions"]["nodes"], set(told["waveform"])) == ([], {0.0})
    await here.has(BARE, wav(0.001))
    told = await seen(here, BARE)
    assert told["analysis"]["timing"]["durationMs"] == 1
    assert told["analysis"]["musical"]["error"] == "Neither a steady pulse nor a key is heard in it."


async def test_another_master_is_listened_to_and_takes_the_place_of_what_was_suggested(here: Listening) -> None:
    await here.has(BARE, pulse(70, 30))
    await here.has(BARE, pulse(80, 10))
    told = await seen(here, BARE)
    assert told["analysis"]["timing"]["durationMs"] == 80_000
    newest, before = told["suggestions"]["nodes"]
    assert (newest["state"], before["state"]) == ("OPEN", "REPLACED")
    assert abs(newest["window"]["startMs"] - 10_000) <= 25


async def test_a_hook_that_stands_where_it_would_be_suggested_is_not_suggested(here: Listening) -> None:
    await here.has(BARE, pulse(70, 30))
    (suggestion,) = (await seen(here, BARE))["suggestions"]["nodes"]
    apply = "mutation ($input: ApplySuggestionInput!) { applySuggestion(input: $input) { __typename } }"
    assert await ask(here, apply, input={"id": suggestion["id"]}) == {"__typename": "SuggestionSuccess"}
    await here.has(BARE, pulse(70, 30, seed=2))
    states = [node["state"] for node in (await seen(here, BARE))["suggestions"]["nodes"]]
    assert states == ["APPLIED"]


async def test_a_hook_named_by_its_id_shows_the_peaks_inside_of_it(here: Listening) -> None:
    document = "query ($id: ID!) { node(id: $id) { ... on Hook { waveform } } }"
    id_ = str(Ref(Kind.HOOK, HOOK))
    assert (await ask(here, document, ANONYMOUS, id=id_))["waveform"] is None
    await here.has(OPEN, wav(30))  # the window goes on after the end
    assert len((await ask(here, document, ANONYMOUS, id=id_))["waveform"]) == 500 - 12_500 * 500 // 30_000
