"""What is uploaded is what it is, all of it or nothing, and leaves behind what every write leaves behind."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import re
import stat
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from db import tables
from db.engine import Database
from db.keys import add_key
from domain.audio import Pcm
from domain.canonical import digest
from domain.keys import ALPHABET, KeyMode, spelled
from domain.media import LARGEST_UPLOAD
from graph.server import blobs as blob_module
from graph.server.blobs import FolderBlobs
from tests.graph.server.recordings import (
    ADA,
    ARTIST,
    CLOSED,
    OPEN,
    Listening,
    form,
    listening,
    samples,
    track,
    wav,
    with_chunk,
)

HTML = b"<html><script>alert(1)</script></html>"
LEFT = (tables.media, tables.media_content, tables.job, tables.provenance_event, tables.change, tables.outbox)


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


async def left_behind(here: Listening) -> list[int]:
    return [len(await here.rows(table)) for table in LEFT]


async def test_an_upload_is_attached_and_leaves_what_every_write_leaves(here: Listening) -> None:
    file = wav(2)
    answer = await here.upload(file)
    assert answer.status_code == 201
    told = answer.json()
    sha256 = hashlib.sha256(file).hexdigest()
    assert (told["sha256"], told["byteSize"], told["mimeType"]) == (sha256, len(file), "audio/wav")
    assert (told["asset"], told["role"], told["id"][:6]) == (track(OPEN), "MASTER", "media_")
    assert here.blobs() == [sha256]
    assert await left_behind(here) == [1, 1, 3, 1, 1, 1]
    (event,) = await here.rows(tables.provenance_event)
    assert (event.kind, digest(event.body.encode())) == ("MEDIA_ATTACHED", event.hash)
    assert sha256 in event.body
    assert {job.kind for job in await here.rows(tables.job)} == {"HASH_MEDIA", "COMPUTE_WAVEFORM", "ANALYZE_MUSIC"}
    await here.work()
    (media,), (content,) = await here.rows(tables.media), await here.rows(tables.media_content)
    assert (media.duration_ms, content.state, content.sample_rate, content.channels) == (2000, "READY", 8000, 2)
    assert content.pcm_sha256 == hashlib.sha256(samples(file)).hexdigest()
    (length,) = [row.duration_ms for row in await here.rows(tables.track) if row.id == OPEN]
    assert length == 2000
    assert {job.state for job in await here.rows(tables.job)} == {"DONE"}


async def test_a_form_is_an_upload_too_and_what_it_says_of_the_file_means_nothing(here: Listening) -> None:
    file = wav(2)
    for boundary, name in (("mark", "../../etc/passwd"), ("x" * 70, "a\0b" * 1400)):
        body, headers = form(file, boundary, name, asset=track(OPEN), role="MASTER")
        answer = await here.client.post("/api/upload/media", content=body, headers=headers | here.by("ada"))
        assert answer.status_code == 201, answer.text
        assert answer.json()["sha256"] == hashlib.sha256(file).hexdigest()
    assert here.blobs() == [hashlib.sha256(file).hexdigest()]
    assert len(await here.rows(tables.media)) == 1, "the same bytes are the same media"


async def test_a_form_may_come_in_any_pieces(here: Listening) -> None:
    pcm = struct.pack("<4h", 0x0A0D, 0x2D2D, 0x616D, 0x7872) * 40
    file = wav(1)[:44] + pcm + wav(1)[44 + len(pcm) :]
    body, headers = form(file, asset=track(OPEN), role="MASTER")
    chance = random.Random(2)
    for most in (9, 40, 5000):

        async def pieces(most: int = most) -> AsyncIterator[bytes]:
            at = 0
            while at < len(body):
                size = chance.randint(1, most)
                yield body[at : at + size]
                at += size

        answer = await here.client.post("/api/upload/media", content=pieces(), headers=headers | here.by("ada"))
        assert (answer.status_code, answer.json()["sha256"]) == (201, hashlib.sha256(file).hexdigest())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--mark",
        b"--mark--",
        b"--mark\r\n\r\nx\r\n--mark--",
        b'--mark\r\nContent-Disposition: form-data; name="file"\r\n\r\nRIFF',
        b'--mark\r\nContent-Disposition: form-data; name="asset"\r\n\r\n' + b"x" * 5000,
        b"--mark\r\n" + b"x" * 20_000,
        b'--mark\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 40,
    ],
)
async def test_a_form_that_is_none_is_refused(here: Listening, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=mark", **here.by("ada")}
    answer = await here.client.post(f"/api/upload/media?asset={track(OPEN)}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")
    assert here.blobs() == []


def cases() -> dict[str, bytes]:
    good = wav(1)
    return {
        "nothing": b"",
        "a byte": b"R",
        "HTML": HTML * 10,
        "HTML that begins as a WAV": good[:12] + HTML * 10,
        "HTML instead of the layout": good[:20] + HTML,
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        "cut off": good[:-100],
        "cut off in its head": good[:30],
        "no samples": good[:40] + struct.pack("<I", 0),
        "samples before their layout": good[:12] + good[36:] + good[12:36],
        "no channels": good[:22] + b"\0\0" + good[24:],
        "a rate of 0": good[:24] + b"\0\0\0\0" + good[28:],
        "a codec": good[:20] + b"\x55\0" + good[22:],
        "17 bits": good[:34] + b"\x11\0" + good[36:],
        "a length past its end": good[:40] + b"\xff\xff\xff\x7f" + good[44:],
        "ten thousand parts": good[:12] + (b"junk" + bytes(4)) * 10_000 + good[12:],
        "an MP3 of 100 MB of tags": b"ID3\x04\0\0" + bytes((0x32, 0, 0, 0)) + bytes(2000),
        "a WebP": b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(200),
        "a zip": b"PK\x03\x04" + bytes(200),
    }


@pytest.mark.parametrize("name", cases())
async def test_what_is_no_recording_is_refused_whatever_it_is_called(here: Listening, name: str) -> None:
    answer = await here.upload(cases()[name], content_type="audio/wav")
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert here.blobs() == []
    assert await left_behind(here) == [0] * len(LEFT)


async def test_html_inside_of_a_recording_is_never_heard_and_never_a_page(here: Listening) -> None:
    file = with_chunk(wav(60), b"LIST", HTML)
    await here.has(OPEN, file)
    for who in (None, "ada"):
        heard = await here.client.get((await here.token(OPEN, who)).json()["url"])
        assert heard.headers["content-type"] == "audio/wav"
        assert heard.headers["x-content-type-options"] == "nosniff"
        assert heard.headers["content-disposition"] == "attachment"
        assert "default-src 'none'" in heard.headers["content-security-policy"]
        assert (HTML in heard.content) == (who == "ada"), "a preview has the samples of its window and nothing else"


async def test_what_cannot_be_read_to_its_end_is_never_heard(here: Listening) -> None:
    pcm = Pcm(8000, 1, 32, is_float=True)
    bad = wav(1, pcm=pcm)[:44] + struct.pack("<f", float("nan")) * 8000
    assert (await here.upload(bad)).status_code == 201
    await here.work()
    (content,) = await here.rows(tables.media_content)
    assert (content.state, content.fault) == ("REFUSED", "A sample is no number.")
    jobs = await here.rows(tables.job)
    assert {(job.state, job.error, job.attempts) for job in jobs} == {("DEAD", "A sample is no number.", 1)}
    assert (await here.token(OPEN, "ada")).status_code == 404


@pytest.mark.parametrize("bits", [8, 16, 24, 32, -32, -64])
async def test_samples_of_every_width_are_read(here: Listening, bits: int) -> None:
    pcm = Pcm(11_025, 3, abs(bits), is_float=bits < 0)
    full = {8: b"\0", 16: b"\0\x80", 24: b"\0\0\x80", 32: b"\0\0\0\x80"}
    one = full[bits] if bits > 0 else struct.pack("<f" if bits == -32 else "<d", -1.0)
    zero = b"\x80" if bits == 8 else bytes(abs(bits) // 8)
    data = (zero * 3) * 11_025 + (zero * 2 + one) * 11_025
    file = wav(2, pcm=pcm)
    await here.has(OPEN, file[:44] + data + b"\0" * (len(file) - 44 - len(data)))
    (content,) = await here.rows(tables.media_content)
    assert (content.peaks[:250], content.peaks[250:]) == ([0] * 250, [10_000] * 250)


async def test_the_largest_upload_is_taken_and_one_byte_more_is_not(here: Listening) -> None:
    async def zeros(count: int) -> AsyncIterator[bytes]:
        piece = bytes(1 << 20)
        while count:
            yield piece[:count]
            count -= min(count, len(piece))

    answer = await here.upload(zeros(LARGEST_UPLOAD), role="SOURCE")
    assert (answer.status_code, answer.json()["byteSize"]) == (201, LARGEST_UPLOAD)
    before = here.blobs()
    for content, headers in (
        (zeros(LARGEST_UPLOAD + 1), {}),
        (b"", {"content_length": str(LARGEST_UPLOAD * 2)}),
    ):
        refused = await here.upload(content, role="SOURCE", **headers)
        assert (refused.status_code, refused.json()["code"]) == (413, "TOO_LARGE")
    assert here.blobs() == before


async def test_a_client_that_leaves_at_99_percent_leaves_nothing(here: Listening) -> None:
    file = wav(60)
    messages = [
        {"type": "http.request", "body": file[: len(file) * 99 // 100], "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []
    headers = [(b"host", b"casset.example"), (b"authorization", b"Bearer session of ada")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/upload/media",
        "query_string": f"asset={track(OPEN)}".encode(),
        "headers": headers,
        "client": ("192.0.2.7", 1),
        "scheme": "https",
    }

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await here.app(scope, receive, send)
    assert here.blobs() == []
    assert await left_behind(here) == [0] * len(LEFT)


async def test_a_full_disk_leaves_nothing(here: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(blob_module.os, "fsync", full)
    answer = await here.upload(wav(2))
    assert (answer.status_code, answer.headers["content-type"]) == (507, "application/problem+json")
    assert here.blobs() == []
    assert await left_behind(here) == [0] * len(LEFT)


async def test_only_those_who_may_change_an_asset_upload_to_it(here: Listening) -> None:
    refused = await here.upload(wav(1), None)
    assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHENTICATED")
    answers = [await here.upload(wav(1), who, id_) for who, id_ in (("bo", OPEN), ("cy", OPEN), ("ada", UUID(int=99)))]
    assert {(answer.status_code, re.sub('"requestId":"[^"]*"', "", answer.text)) for answer in answers} == {
        (404, re.sub('"requestId":"[^"]*"', "", answers[0].text))
    }
    assert here.blobs() == []


async def test_a_cookie_alone_uploads_nothing(here: Listening) -> None:
    headers = {"cookie": "__Host-casset_session=session of ada"}
    address = f"/api/upload/media?asset={track(OPEN)}"
    refused = await here.client.post(address, content=wav(1), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    taken = await here.client.post(address, content=wav(1), headers=headers | {"x-requested-with": "x"})
    assert taken.status_code == 201


async def test_a_key_uploads_for_its_artist_where_its_scope_says_so(here: Listening) -> None:
    for number, scopes, status in ((1, ["READ"], 403), (2, ["ASSETS_WRITE"], 201)):
        secret = spelled(KeyMode.LIVE, [ALPHABET[number]] * 32)
        row = {
            "id": UUID(int=number),
            "account_id": ADA,
            "artist_id": ARTIST,
            "name": "press",
            "mode": "LIVE",
            "scopes": scopes,
            "secret_hash": hashlib.sha256(secret.encode()).digest(),
            "expires_at": (await here.rows(tables.session))[0].expires_at,
        }
        async with here.database.write() as connection:
            await add_key(connection, row)
        headers = {"authorization": f"Bearer {secret}"}
        answer = await here.client.post(f"/api/upload/media?asset={track(CLOSED)}", content=wav(1), headers=headers)
        assert answer.status_code == status, answer.text
    await here.work()
    # A key hears what anybody hears: of a private track nothing, though it writes it.
    asked = await here.client.post("/api/audio/token", json={"trackId": track(CLOSED)}, headers=headers)
    assert asked.status_code == 404


async def test_an_idempotency_key_makes_an_upload_happen_once(here: Listening) -> None:
    first = await here.upload(wav(1), idempotency_key="k")
    again = await here.upload(wav(1), idempotency_key="k")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = await here.upload(wav(1, seed=2), idempotency_key="k")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_MISMATCH")
    assert len(await here.rows(tables.media)) == 1
    assert (await here.upload(wav(1), idempotency_key="x" * 256)).status_code == 400


async def test_the_same_bytes_are_stored_once_and_belong_to_each_asset(here: Listening) -> None:
    first, again, elsewhere = [await here.upload(wav(1), id_=id_) for id_ in (OPEN, OPEN, CLOSED)]
    assert first.json()["id"] == again.json()["id"] != elsewhere.json()["id"]
    assert len(here.blobs()) == 1
    assert len(await here.rows(tables.job)) == 6


@pytest.mark.parametrize(
    ("role", "status"),
    [("COVER", 201), ("LOOP", 415), ("PREVIEW", 422), ("SOURCE", 201), ("source", 201), ("ALL", 400)],
)
async def test_what_a_file_may_be(here: Listening, role: str, status: int) -> None:
    assert (await here.upload(b"\x89PNG\r\n\x1a\n" + bytes(100), role=role)).status_code == status


async def test_a_source_file_is_handed_to_its_owners_and_to_nobody_else(here: Listening) -> None:
    told = (await here.upload(HTML, role="SOURCE")).json()
    assert told["mimeType"] == "application/octet-stream"
    address = f"/api/media/{told['id']}"
    theirs = await here.client.get(address, headers=here.by("cy"))
    assert (theirs.content, theirs.headers["content-type"]) == (HTML, "application/octet-stream")
    assert theirs.headers["content-disposition"] == "attachment"
    assert theirs.headers["cache-control"] == "no-store"
    shown = await here.client.get(address, headers={"cookie": "__Host-casset_session=session of ada"})
    assert shown.status_code == 200, "an image in a page comes with a cookie and no header"
    for who in (None, "bo"):
        hidden = await here.client.get(address, headers=here.by(who))
        nothing = await here.client.get(address[:-4] + "0000", headers=here.by(who))
        assert hidden.status_code == nothing.status_code == 404
        assert hidden.json()["detail"] == nothing.json()["detail"]
    master = (await here.upload(wav(1))).json()["id"]
    await here.work()
    assert (await here.client.get(f"/api/media/{master}", headers=here.by("ada"))).status_code == 404


async def test_an_image_of_what_is_public_may_be_kept(here: Listening) -> None:
    told = (await here.upload(b"\x89PNG\r\n\x1a\n" + bytes(100), role="SOURCE")).json()
    async with here.database.write() as connection:
        row = {"id": UUID(int=5), "asset_id": OPEN, "role": "COVER", "sha256": told["sha256"], "mime_type": "image/png"}
        await connection.execute(insert(tables.media).values(row))
        content = {"media_id": UUID(int=5), "format": "PNG", "state": "READY"}
        await connection.execute(insert(tables.media_content).values(content))
    address = "/api/media/media_00000000000000000000000005"
    shown = await here.client.get(address)
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "public, max-age=30")
    await here.set_state(OPEN, "PRIVATE")
    assert (await here.client.get(address)).status_code == 404


NAMES = [
    "../secret",
    "..%2fsecret",
    "/etc/passwd",
    "a" * 64 + "/../x",
    "a" * 63 + "\0",
    "A" * 64,
    "a" * 65,
    "",
    ".",
    "..",
    "%2e%2e/" * 20,
    "\u0660" * 64,
    "a" * 64 + "\n",
    "incoming-1",
    "a" * 4096,
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_blob_is_named_by_its_hash_and_by_nothing_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "incoming-1").write_bytes(b"half")
    with pytest.raises(FileNotFoundError):
        await FolderBlobs(tmp_path / "blobs").open(name)


async def test_no_link_among_the_blobs_leads_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    store = FolderBlobs(tmp_path / "blobs")
    async with store.receive() as incoming:
        await incoming.write(b"x")
        kept = await incoming.keep()
    (tmp_path / "blobs" / ("a" * 64)).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic"):
        await store.open("a" * 64)
    mode = stat.S_IMODE
    assert mode((tmp_path / "blobs").stat().st_mode) == 0o700
    assert mode((tmp_path / "blobs" / kept.sha256).stat().st_mode) == 0o600
    store.close()


async def test_what_a_dead_process_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / "incoming-old").write_bytes(b"half")
    (tmp_path / "incoming-new").write_bytes(b"half")
    os.utime(tmp_path / "incoming-old", (0, 0))
    store = FolderBlobs(tmp_path)
    async with store.receive():
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["incoming-new"]
    store.close()


async def test_uploads_are_counted(here: Listening) -> None:
    statuses = [(await here.upload(b"x")).status_code for _ in range(11)]
    assert statuses == [415] * 10 + [429]
