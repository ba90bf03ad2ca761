"""What is heard, and that nobody hears more of it, whatever they ask with."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import struct
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from db import tables
from db.engine import Database
from domain.audio import AudioToken, Mode, sealed
from tests.graph.server.recordings import (
    BARE,
    BO,
    CLOSED,
    CY,
    END_MS,
    OPEN,
    PCM,
    START_MS,
    Listening,
    listening,
    samples,
    track,
    wav,
)

PATIENT = 8
"""Questions that one address asks: those for tokens are counted."""


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


def window(file: bytes, start_ms: int = START_MS, end_ms: int = END_MS) -> bytes:
    return samples(file)[PCM.frames_at(start_ms) * PCM.frame : PCM.frames_at(end_ms) * PCM.frame]


async def preview_token(here: Listening, id_: UUID = OPEN, who: str | None = None) -> str:
    answer = await here.token(id_, who, "PREVIEW")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


async def test_anybody_hears_the_window_of_the_hook_and_nothing_else(here: Listening) -> None:
    file = await here.has(OPEN)
    asked = (await here.token(OPEN)).json()
    assert (asked["mode"], asked["startMs"], asked["durationMs"]) == ("PREVIEW", START_MS, 30_000)
    heard = await here.client.get(asked["url"])
    assert heard.status_code == 200
    assert samples(heard.content) == window(file)
    assert heard.headers["x-preview-duration"] == "30"
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.headers["x-content-type-options"] == "nosniff"
    assert heard.headers["accept-ranges"] == "bytes"
    assert str(len(file)) not in json.dumps(dict(heard.headers)), "the size of the master is nobody's business"


async def test_without_a_hook_the_usual_window_is_heard_pulled_back_where_the_track_is_short(here: Listening) -> None:
    long = await here.has(BARE)
    heard = await here.hear(BARE, await preview_token(here, BARE))
    assert samples(heard.content) == window(long, 35_000, 65_000)
    short = await here.has(BARE, wav(40, seed=9))
    heard = await here.hear(BARE, await preview_token(here, BARE))
    assert samples(heard.content) == window(short, 10_000, 40_000)
    shortest = await here.has(BARE, wav(4, seed=10))
    heard = await here.hear(BARE, await preview_token(here, BARE))
    assert (samples(heard.content), heard.headers["x-preview-duration"]) == (samples(shortest), "4")


async def test_members_hear_all_of_it(here: Listening) -> None:
    file = await here.has(OPEN)
    for who in ("ada", "cy"):
        asked = (await here.token(OPEN, who)).json()
        assert (asked["mode"], asked["startMs"], asked["durationMs"]) == ("FULL", 0, 90_000)
        heard = await here.client.get(asked["url"])
        assert heard.content == file
        assert "x-preview-duration" not in heard.headers
    assert (await here.token(OPEN, None, "FULL")).status_code == 401
    refused = await here.token(OPEN, "bo", "FULL")
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")


async def test_nothing_that_is_asked_with_whatever_token_meets_a_byte_outside_the_window(
    here: Listening, pytestconfig: pytest.Config
) -> None:
    file = await here.has(OPEN)
    await here.has(CLOSED)
    good = [await preview_token(here)]
    whole = (await here.hear(OPEN, good[0])).content
    assert samples(whole) == window(file)
    chance, counted = random.Random(3), Counter[tuple[str, int]]()
    for number in range(pytestconfig.getoption("asks")):
        if number % PATIENT == 0:
            here.client = client_from(here, number // PATIENT)
        track, who = chance.choice((OPEN, OPEN, CLOSED, UUID(int=99))), chance.choice((None, "bo"))
        if chance.random() < 0.2:
            told = await here.token(track, who, chance.choice((None, "PREVIEW", "FULL", "full", "ALL")))
            counted["token", told.status_code] += 1
            if told.status_code == 200:
                assert (track, told.json()["mode"]) == (OPEN, "PREVIEW")
                good.append(told.json()["token"])
            continue
        token, header = chance.choice(good), chance.choice((None, drawn(chance, len(whole))))
        forged = mangled(chance, token) if chance.random() < 0.3 else token
        said = {} if header is None else {"range": header.encode("latin-1")}
        heard = await here.hear(track, forged, chance.choice(("GET", "GET", "HEAD")), **said)
        counted["range" if track == OPEN and forged == token else "forgery", heard.status_code] += 1
        asked = (header, forged)
        if track != OPEN or forged != token:
            assert heard.status_code == 401, asked
        elif heard.status_code == 200:
            assert (heard.content or whole) == whole, asked
        elif heard.status_code == 206:
            said_of = heard.headers["content-range"].removeprefix("bytes ").replace("/", "-")
            begin, end, size = map(int, said_of.split("-"))
            stretch = whole[begin : end + 1]
            assert ((heard.content or stretch), size, len(stretch)) == (stretch, len(whole), end + 1 - begin), asked
        else:
            assert (heard.status_code, heard.headers["content-range"]) == (416, f"bytes */{len(whole)}"), asked
            assert heard.request.method == "HEAD" or heard.json()["code"] == "RANGE"
    print(dict(counted))  # noqa: T201  # for the note
    assert {status for of, status in counted if of == "range"} == {200, 206, 416}
    assert {status for of, status in counted if of == "token"} >= {200, 400, 401, 403, 404}


def client_from(here: Listening, number: int) -> httpx.AsyncClient:
    """Somebody at another address, who has asked nothing yet."""
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    transport = httpx.ASGITransport(here.app, client=(address, 4000))
    return httpx.AsyncClient(transport=transport, base_url=here.client.base_url)


def mangled(chance: random.Random, token: str) -> str:
    """A token of somebody who would like to hear more."""
    at, letter = chance.randrange(len(token)), chance.choice("AZaz09-_")
    changed = token[:at] + chance.choice(["", letter, letter + token[at], token[at].swapcase()]) + token[at + 1 :]
    return changed if changed != token else token[::-1]


def drawn(chance: random.Random, size: int) -> str:
    """What a client may send as Range."""
    number = lambda: chance.choice((0, 1, 43, 44, size - 1, size, size + 1, 10**9, 10**17, chance.randrange(size)))  # noqa: E731  # shorter than its name
    return chance.choice(
        (
            f"bytes={number()}-{number()}",
            f"bytes={number()}-",
            f"bytes=-{number()}",
            f"bytes={number()}-{number()},{number()}-{number()}",
            "bytes=" + ",".join(f"{n}-{n}" for n in range(100)),
            f"bytes=+{number()}-1_0",
            f"bytes={number()}--{number()}",
            "bytes=-0",
            "bytes=",
            "bytes",
            f"frames={number()}-",
            f"BYTES={number()}-{number()}",
            f"bytes=٣-{number()}".encode().decode("latin-1"),
        )
    )


async def test_a_range_is_one_stretch_and_says_where_it_lies(here: Listening) -> None:
    await here.has(OPEN)
    token = await preview_token(here)
    whole = (await here.hear(OPEN, token)).content
    part = await here.hear(OPEN, token, range="bytes=100-199")
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert (part.headers["content-range"], part.headers["content-length"]) == (f"bytes 100-199/{len(whole)}", "100")
    assert (await here.hear(OPEN, token, range="bytes=-10")).content == whole[-10:]
    assert (await here.hear(OPEN, token, range=f"bytes={len(whole) - 5}-")).content == whole[-5:]
    head = await here.hear(OPEN, token, "HEAD", range="bytes=100-199")
    assert (head.status_code, head.content, head.headers["content-length"]) == (206, b"", "100")
    tag = part.headers["etag"]
    assert (await here.hear(OPEN, token, range="bytes=0-0", if_range=tag)).status_code == 206
    changed = await here.hear(OPEN, token, range="bytes=0-0", if_range='"another"')
    assert (changed.status_code, changed.content) == (200, whole)


def forgeries(good: str, secret: bytes, now: datetime) -> dict[str, str]:
    data = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))

    def altered(at: int) -> str:
        bad = bytearray(data)
        bad[at] ^= 1
        return base64.urlsafe_b64encode(bytes(bad)).decode().rstrip("=")

    later = now + timedelta(minutes=4)
    other = sealed(AudioToken(OPEN, Mode.PREVIEW, None, later), bytes(32))
    return {
        "nothing": "",
        "garbage": "x" * len(good),
        "cut": good[:-1],
        "longer": good + "A",
        "padded": good + "=",
        "not base64": "!" + good[1:],
        "not ascii": "é" + good[1:],
        "other mode": altered(0),
        "longer life": altered(8),
        "other track's bytes": altered(20),
        "other subject": altered(36),
        "other seal": altered(-1),
        "no seal": base64.urlsafe_b64encode(data[:-32]).decode().rstrip("="),
        "empty key": sealed(AudioToken(OPEN, Mode.PREVIEW, None, later), b""),
        "another key": other,
        "another track's": sealed(AudioToken(BARE, Mode.PREVIEW, None, later), secret),
        "twice": good + "&token=" + good[:-2],
        "a session": "session of ada",
    }


async def test_no_forged_token_opens_anything(here: Listening) -> None:
    await here.has(OPEN)
    good = await preview_token(here)
    (key,) = await here.rows(tables.playback_key)
    now = datetime.now(UTC)
    for name, text in forgeries(good, key.secret, now).items():
        refused = await here.hear(OPEN, text)
        assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHENTICATED"), name
    missing = await here.client.get(f"/api/audio/{track(OPEN)}")
    assert missing.status_code == 401
    expired = await here.hear(OPEN, sealed(AudioToken(OPEN, Mode.PREVIEW, None, now), key.secret))
    assert (expired.status_code, expired.json()["code"]) == (401, "TOKEN_EXPIRED")


async def test_a_token_lasts_five_minutes_at_most(here: Listening) -> None:
    await here.has(OPEN)
    before = datetime.now(UTC)
    ends = datetime.fromisoformat((await here.token(OPEN)).json()["expiresAt"])
    assert before + timedelta(minutes=3, seconds=59) < ends <= datetime.now(UTC) + timedelta(minutes=5)


async def test_the_key_before_the_newest_still_opens_and_the_one_before_that_does_not(here: Listening) -> None:
    await here.has(OPEN)
    first = await preview_token(here)
    for number, status in ((1, 200), (2, 401)):
        row = {
            "id": UUID(int=number),
            "secret": bytes([number]) * 32,
            "created_at": datetime(2999, 1, number, tzinfo=UTC),
        }
        await insert_key(here, row)
        assert (await here.hear(OPEN, first)).status_code == status
        assert (await here.hear(OPEN, await preview_token(here))).status_code == 200


async def insert_key(here: Listening, row: dict[str, Any]) -> None:
    """As the owner of the tables would; the serving role may not."""
    import asyncpg  # noqa: PLC0415  # only here

    connection = await asyncpg.connect(**here.database._target)
    await connection.execute(
        "INSERT INTO playback_key (id, secret, created_at) VALUES ($1, $2, $3)",
        row["id"],
        row["secret"],
        row["created_at"],
    )
    await connection.close()


async def test_whether_somebody_is_entitled_is_asked_at_every_request(here: Listening) -> None:
    await here.has(OPEN)
    await here.has(CLOSED)
    everything = (await here.token(OPEN, "cy")).json()["url"]
    closed = (await here.token(CLOSED, "cy", "PREVIEW")).json()["url"]
    assert [(await here.client.get(url)).status_code for url in (everything, closed)] == [200, 200]
    async with here.database.write() as connection:
        membership = tables.membership
        left = update(membership).where(membership.c.account_id == CY).values(ended_at=datetime.now(UTC))
        await connection.execute(left)
    assert [(await here.client.get(url)).status_code for url in (everything, closed)] == [403, 404]


async def test_what_is_not_there_and_what_is_not_yours_answer_alike(here: Listening) -> None:
    await here.has(CLOSED)
    nowhere = UUID(int=99)
    for who in (None, "bo"):
        for mode in (None, "PREVIEW", "FULL"):
            answers = [await here.token(id_, who, mode) for id_ in (CLOSED, nowhere, BARE)]
            assert {told(answer) for answer in answers} == {told(answers[0])}
            assert answers[0].status_code == 404
        waves = [
            await here.client.get(f"/api/audio/waveform/{track(id_)}", headers=here.by(who))
            for id_ in (CLOSED, nowhere)
        ]
        assert told(waves[0]) == told(waves[1])
    (key,) = await here.rows(tables.playback_key)
    ends = datetime.now(UTC) + timedelta(minutes=4)
    for subject, mode in ((None, Mode.PREVIEW), (None, Mode.FULL), (BO, Mode.FULL)):
        heard = [
            await here.hear(id_, sealed(AudioToken(id_, mode, subject, ends), key.secret)) for id_ in (CLOSED, nowhere)
        ]
        assert [each.status_code for each in heard] == [404, 404]
        assert told(heard[0]) == told(heard[1])


def told(answer: Any) -> tuple[Any, ...]:
    body = {name: value for name, value in answer.json().items() if name != "requestId"}
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "content-length"}}
    return answer.status_code, json.dumps(body), json.dumps(headers)


@pytest.mark.parametrize(
    ("state", "anybody", "member"),
    [("UNLISTED", 200, 200), ("ARCHIVED", 200, 200), ("PRIVATE", 404, 200), ("WITHDRAWN", 404, 200)],
)
async def test_a_track_is_heard_by_those_who_may_read_it(
    here: Listening, state: str, anybody: int, member: int
) -> None:
    await here.has(OPEN)
    link = (await here.token(OPEN)).json()["url"]
    await here.set_state(OPEN, state)
    assert (await here.token(OPEN)).status_code == anybody
    assert (await here.client.get(link)).status_code == anybody
    assert (await here.token(OPEN, "ada")).status_code == member


async def test_nothing_is_heard_before_it_was_read_to_its_end(here: Listening) -> None:
    await here.upload(wav())
    assert (await here.token(OPEN, "ada")).status_code == 404
    await here.work()
    assert (await here.token(OPEN, "ada")).status_code == 200


async def test_the_preview_follows_the_hook(here: Listening) -> None:
    file = await here.has(OPEN)
    link = (await here.token(OPEN)).json()["url"]
    old = await here.client.get(link)
    async with here.database.write() as connection:
        await connection.execute(
            update(tables.hook).where(tables.hook.c.track_id == OPEN).values(start_ms=0, end_ms=10_000)
        )
    new = await here.client.get(link, headers={"range": "bytes=0-99", "if-range": old.headers["etag"]})
    assert (new.status_code, samples(new.content)) == (200, window(file, 0, 10_000))


async def test_a_preview_is_cut_once_for_all_who_come_at_the_same_time(here: Listening) -> None:
    file = await here.has(OPEN)
    (key,) = await here.rows(tables.playback_key)
    token = sealed(AudioToken(OPEN, Mode.PREVIEW, None, datetime.now(UTC) + timedelta(minutes=4)), key.secret)
    heard = await asyncio.gather(*[here.hear(OPEN, token) for _ in range(12)])
    assert {samples(each.content) for each in heard} == {window(file)}
    assert len(await here.rows(tables.preview)) == 1


async def test_the_waveform_has_five_hundred_peaks(here: Listening) -> None:
    quiet, loud = struct.pack("<h", 3277), struct.pack("<h", -32768)
    data = quiet * 2 * 4000 + loud * 2 * 4000
    await here.has(OPEN, wav(1)[:44] + data)
    answer = await here.client.get(f"/api/audio/waveform/{track(OPEN)}")
    peaks = answer.json()["peaks"]
    assert (len(peaks), set(peaks[:250]), set(peaks[250:])) == (500, {0.1}, {1.0})
    again = {"if-none-match": answer.headers["etag"]}
    assert (await here.client.get(f"/api/audio/waveform/{track(OPEN)}", headers=again)).status_code == 304


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"trackId": 7}', b"\xff", b'{"trackId": "track_x"}', b'{"trackId": "T", "mode": "ALL"}'],
)
async def test_a_question_that_is_none_is_refused(here: Listening, body: bytes) -> None:
    body = body.replace(b'"T"', json.dumps(track(OPEN)).encode())
    answer = await here.client.post("/api/audio/token", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")
    long = await here.client.post("/api/audio/token", content=b" " * 5000)
    assert long.status_code == 413


async def test_tokens_are_counted(here: Listening) -> None:
    statuses = [(await here.token(OPEN)).status_code for _ in range(21)]
    assert statuses == [404] * 20 + [429]


PLAYBACK = (
    "query ($id: ID!) { asset(id: $id) { ... on Track { hook { playback { url expiresAt startMs durationMs } } } } }"
)
JOBS = "{ jobs(first: 10) { nodes { id kind state progress attempts error finishedAt } totalCount } }"


async def ask(here: Listening, query: str, who: str | None, **variables: Any) -> Any:
    headers = here.by(who)
    answer = await here.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


async def test_a_hook_says_where_it_is_heard(here: Listening) -> None:
    assert (await ask(here, PLAYBACK, None, id=track(OPEN)))["asset"]["hook"]["playback"] is None
    file, closed = await here.has(OPEN), await here.has(CLOSED)
    for who in (None, "bo", "ada"):
        told = (await ask(here, PLAYBACK, who, id=track(OPEN)))["asset"]["hook"]["playback"]
        assert (told["startMs"], told["durationMs"]) == (START_MS, 30_000)
        assert datetime.fromisoformat(told["expiresAt"]) > datetime.now(UTC)
        assert samples((await here.client.get(told["url"])).content) == window(file), (
            "a hook is its window, for members too"
        )
    assert (await ask(here, PLAYBACK, "bo", id=track(CLOSED)))["asset"] is None
    told = (await ask(here, PLAYBACK, "cy", id=track(CLOSED)))["asset"]["hook"]["playback"]
    assert samples((await here.client.get(told["url"])).content) == window(closed)


async def test_members_watch_the_jobs_of_their_artists_and_nobody_else_does(here: Listening) -> None:
    await here.upload(wav(2))
    waiting = (await ask(here, JOBS, "cy"))["jobs"]
    assert [(job["state"], job["progress"], job["attempts"]) for job in waiting["nodes"]] == [("READY", None, 0)] * 3
    await here.work()
    jobs = (await ask(here, JOBS, "ada"))["jobs"]["nodes"]
    assert {job["kind"] for job in jobs} == {"HASH_MEDIA", "COMPUTE_WAVEFORM", "ANALYZE_MUSIC"}
    assert {(job["state"], job["progress"], job["error"]) for job in jobs} == {("DONE", 100, None)}
    assert all(job["finishedAt"] for job in jobs)
    node = "query ($id: ID!) { node(id: $id) { ... on Job { state } } }"
    assert (await ask(here, node, "ada", id=jobs[0]["id"]))["node"] == {"state": "DONE"}
    for who in (None, "bo"):
        assert (await ask(here, JOBS, who))["jobs"] == {"nodes": [], "totalCount": 0}
        assert (await ask(here, node, who, id=jobs[0]["id"]))["node"] is None
