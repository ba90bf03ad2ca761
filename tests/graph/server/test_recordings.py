"""A folder of recordings comes in as drafts: every file is there or named, none twice, whoever is killed when."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import av
import mutagen
import pytest
from mutagen import flac, id3, mp4
from rich.console import Console
from sqlalchemy import func, select

from db import tables
from db.engine import Database
from domain.errors import BadInput, NotFound
from domain.media import LARGEST_UPLOAD, Format
from graph.server.recordings import run_import
from tests.graph.server.recordings import ARTIST, CLOSED, PCM, Listening, listening, wav, with_chunk
from tests.graph.server.test_covers import picture

ROOT = Path(__file__).parents[3]
PATIENCE = 60
HTML = b"<html><script>alert(1)</script></html>"
CONTAINERS = {
    ".mp3": ("mp3", "libmp3lame"),
    ".flac": ("flac", "flac"),
    ".m4a": ("mp4", "aac"),
    ".ogg": ("ogg", "libopus"),
}


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path / "data") as house:
        yield house


@cache
def coded(ending: str, seed: int = 1) -> bytes:
    """A second of noise in another container; each seed is another recording."""
    container, codec = CONTAINERS[ending]
    frame = av.AudioFrame(format="s16", layout="stereo", samples=PCM.rate * 2)
    frame.planes[0].update(wav(2, seed)[44:])
    frame.rate = PCM.rate
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=PCM.rate, layout="stereo")
        context = stream.codec_context
        resampler = av.AudioResampler(context.format.name, "stereo", PCM.rate, context.frame_size or 4096)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()


def front() -> bytes:
    return picture(Format.PNG)


FRAMES = {
    "title": id3.TIT2,
    "album": id3.TALB,
    "artist": id3.TPE1,
    "albumartist": id3.TPE2,
    "tracknumber": id3.TRCK,
    "discnumber": id3.TPOS,
    "composer": id3.TCOM,
    "date": id3.TDRC,
    "isrc": id3.TSRC,
}
ATOMS = {"title": "\xa9nam", "album": "\xa9alb", "artist": "\xa9ART", "albumartist": "aART"}


def tagged(path: Path, seed: int = 1, *, cover: bool = False, **tags: str) -> Path:
    """A recording with tags, spelled as its container spells them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav(2, seed) if path.suffix == ".wav" else coded(path.suffix, seed))
    file: Any = mutagen.File(path)
    if path.suffix in {".mp3", ".wav"}:
        if file.tags is None:
            file.add_tags()
        for name, value in tags.items():
            file.tags.add(FRAMES[name](encoding=3, text=[value]))
        if cover:
            file.tags.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=front()))
    elif path.suffix == ".m4a":
        file.update({ATOMS[name]: [value] for name, value in tags.items() if name in ATOMS})
        file["trkn"] = [(int(tags["tracknumber"]), 0)]
        if cover:
            file["covr"] = [mp4.MP4Cover(front(), mp4.MP4Cover.FORMAT_PNG)]
    else:
        file.update({name: [value] for name, value in tags.items()})
        if cover:
            drawn = flac.Picture()
            drawn.data, drawn.type, drawn.mime = front(), 3, "image/png"
            file["metadata_block_picture"] = [base64.b64encode(drawn.write()).decode()]
    file.save()
    return path


async def brought(here: Listening, folder: Path, handle: str = "ada") -> str:
    """Import, and what was said."""
    out = io.StringIO()
    await run_import(here.app.studio, folder, handle, Console(file=out, width=200))
    return out.getvalue()


async def counts(here: Listening) -> dict[str, int]:
    async with here.database.read() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in tables.metadata.sorted_tables
        }


async def drafts(here: Listening, kind: str) -> dict[str, Any]:
    """What came in, by title; without what the house was furnished with."""
    return {row.title: row for row in await here.rows(tables.asset) if row.kind == kind and row.id.version == 7}


async def test_recordings_come_in_as_private_drafts_with_all_that_their_tags_say(
    here: Listening, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    album = {"album": "Low Water", "albumartist": "Ada", "artist": "ADA"}
    tagged(
        folder / "b.flac", 2, title="Second", tracknumber="2/4", composer="Zoë Zapp", isrc="gb-a1b-23-00001", **album
    )
    tagged(folder / "a.mp3", 3, title="Third", tracknumber="03", **{**album, "album": "LOW WATER"})
    tagged(folder / "deeper" / "c.m4a", 4, title="First", tracknumber="1", cover=True, **album)
    tagged(folder / "d.ogg", 5, cover=True, title="On disc two", tracknumber="1", discnumber="2", **album)
    tagged(folder / "alone.wav", 6, title="Alone", artist="Somebody Else", date="2020-02-03", cover=True)
    (folder / "No tags at all.wav").write_bytes(wav(1, 7))
    (folder / "notes.txt").write_text("nothing to hear")
    said = await brought(here, folder)
    assert "6 new tracks and 1 new releases are drafts of ada; 0 files were there, 0 were refused." in said, said

    tracks, releases = await drafts(here, "TRACK"), await drafts(here, "RELEASE")
    assert set(tracks) == {"First", "Second", "Third", "On disc two", "Alone", "No tags at all"}
    assert {(row.state, row.owner_id, tuple(row.badges)) for row in [*tracks.values(), *releases.values()]} == {
        ("PRIVATE", ARTIST, ())
    }
    (release,) = releases.values()
    items = await here.rows(tables.release_item, tables.release_item.c.position)
    assert [item.asset_id for item in items] == [
        tracks[name].id for name in ("First", "Second", "Third", "On disc two")
    ]
    assert release.title in {"Low Water", "LOW WATER"}
    assert str(tracks["Alone"].made_on) == "2020-02-03"
    details = {row.id: row for row in await here.rows(tables.track)}
    assert details[tracks["Second"].id].isrc == "GBA1B2300001"

    contributors = {row.id: row for row in await here.rows(tables.contributor)}
    credited = {
        (row.asset_id, contributors[row.contributor_id].name, row.role, row.acceptance)
        for row in await here.rows(tables.credit)
    }
    second, alone = tracks["Second"].id, tracks["Alone"].id
    assert {each[1:] for each in credited if each[0] == second} == {
        ("ada", "MAIN_ARTIST", "ACCEPTED"),
        ("Zoë Zapp", "COMPOSER", "PROPOSED"),
    }
    assert {each[1:] for each in credited if each[0] == alone} == {("Somebody Else", "MAIN_ARTIST", "PROPOSED")}

    media = await here.rows(tables.media)
    covers = {row.asset_id for row in media if row.role == "COVER"}
    assert covers == {release.id, alone}
    on_disk = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.suffix in {*CONTAINERS, ".wav"}
    }
    assert {row.sha256 for row in media if row.role == "MASTER"} == on_disk
    await here.work()
    contents = await here.rows(tables.media_content)
    assert {row.state for row in contents} == {"READY"}
    assert all(len(row.peaks) == 500 for row in contents if row.format in {"WAV", "MP3", "FLAC", "M4A", "OGG"})
    assert all(
        row.duration_ms for row in await here.rows(tables.track) if row.id in {each.id for each in tracks.values()}
    )


async def test_a_second_run_adds_nothing_and_a_new_file_adds_itself(here: Listening, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number in (1, 2):
        tagged(folder / f"{number}.mp3", number, title=f"Song {number}", album="Record", tracknumber=str(number))
    await brought(here, folder)
    before = await counts(here)
    said = await brought(here, folder)
    assert "0 new tracks and 0 new releases" in said
    assert await counts(here) == before
    # The same bytes under another name are the same track; a new one does not change what somebody may have changed.
    (folder / "copy.mp3").write_bytes((folder / "1.mp3").read_bytes())
    assert "0 new tracks" in await brought(here, folder)
    tagged(folder / "3.mp3", 3, title="Song 3", album="Record", tracknumber="3")
    said = await brought(here, folder)
    assert "1 new tracks and 0 new releases" in said
    assert "3.mp3: brought in: Its album is a release already" in said
    assert len(await here.rows(tables.release_item)) == 2


def hostile(folder: Path, outside: Path) -> dict[str, str]:
    """Files that are not what they want to be, and a word of what is said of each."""
    folder.mkdir()
    (outside / "secret.wav").write_bytes(wav(1, 90))
    (folder / "empty.wav").touch()
    (folder / "page.wav").write_bytes(HTML)
    (folder / "cut.wav").write_bytes(wav(2, 91)[:-500])
    (folder / "broken.mp3").write_bytes(b"ID3\x04\0\0\0\0\0\0" + b"\xff\xfb\x90\x00" + os.urandom(5000))
    (folder / "tags.mp3").write_bytes(b"ID3\x04\0\0" + bytes((0x32, 0, 0, 0)) + bytes(2000))
    (folder / "cut.flac").write_bytes(coded(".flac", 92)[: len(coded(".flac", 92)) // 2])
    (folder / "zip.ogg").write_bytes(b"PK\x03\x04" + bytes(500))
    (folder / "picture.mp3").write_bytes(front())
    with (folder / "huge.wav").open("wb") as file:
        file.write(wav(1)[:44])
        file.truncate(LARGEST_UPLOAD + 1)
    (folder / "folder.wav").mkdir()
    (folder / "link.wav").symlink_to(outside / "secret.wav")
    (folder / "everything").symlink_to(outside)
    os.mkfifo(folder / "pipe.mp3")
    return {
        "empty.wav": "empty",
        "page.wav": "A master is",
        "cut.wav": "cut off",
        "broken.mp3": "",
        "tags.mp3": "tag",
        "cut.flac": "",
        "zip.ogg": "A master is",
        "picture.mp3": "A master is",
        "huge.wav": str(LARGEST_UPLOAD),
        "folder.wav": "It is a folder",
        "link.wav": "It is a link",
        "everything": "It is a link",
        "pipe.mp3": "It is no file",
    }


async def test_each_hostile_file_is_named_and_nothing_else_is_lost(here: Listening, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    named = hostile(folder, tmp_path)
    (folder / "folder.wav" / "inside.dat").write_bytes(wav(1, 93))
    (folder / "flac called.wav").write_bytes(coded(".flac", 94))
    (folder / "page inside.wav").write_bytes(with_chunk(wav(1, 95), b"LIST", b"INFO" + HTML))
    odd = [
        b"line\nbreak.wav",
        b"\xff\xfe not text.wav",
        "\u202eright to left \U0001f3b5.wav".encode(),
        b"." * 200 + b".wav",
    ]
    for number, name in enumerate(odd):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(wav(1, 96 + number))
    said = await brought(here, folder)
    lines = {
        line.split(": refused: ")[0]: line.split(": refused: ")[1]
        for line in said.splitlines()
        if ": refused: " in line
    }
    assert lines.keys() == named.keys(), said
    assert [name for name, word in named.items() if word not in lines[name]] == [], lines
    assert f"7 new tracks and 0 new releases are drafts of ada; 0 files were there, {len(named)} were refused." in said
    assert {"inside", "flac called", "page inside", "line break"} <= set(await drafts(here, "TRACK"))
    await here.work()
    assert {row.state for row in await here.rows(tables.media_content)} == {"READY"}
    assert len(here.blobs()) == 7


def with_tags(frames: bytes) -> bytes:
    """An MP3 with these bytes as its tag."""
    return b"ID3\x04\0\0" + synchsafe(len(frames)) + frames + coded(".mp3", 40)


def synchsafe(length: int) -> bytes:
    return bytes(length >> bits & 0x7F for bits in (21, 14, 7, 0))


def text_frame(name: bytes, text: bytes) -> bytes:
    return name + synchsafe(len(text) + 1) + b"\0\0\x03" + text


TAGS = {
    "ten megabytes of title": text_frame(b"TIT2", b"x" * 10_000_000),
    "a thousand people": text_frame(b"TPE1", b"\0".join(b"Person %d" % number for number in range(1000))),
    "controls": text_frame(b"TIT2", b"a\x1b[2Jb\r\nc\x00") + text_frame(b"TALB", b"\x07" * 30),
    "halves of pairs": b"TIT2\0\0\0\x05\0\0\x01\xff\xfe\x00\xd8",
    "a length past its end": b"TIT2\x7f\x7f\x7f\x7f\0\0\x03x",
    "no ISRC": text_frame(b"TSRC", b"'; DROP TABLE track") + text_frame(b"TIT2", b"ISRC"),
    "a picture that is a page": b"APIC" + bytes((0, 0, 0, len(HTML) + 14)) + b"\0\0\0image/png\0\x03\0" + HTML + b"\0",
    "noise": bytes(range(256)) * 40,
}


@pytest.mark.parametrize("name", TAGS)
async def test_whatever_its_tags_are_a_recording_comes_in(here: Listening, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "song.mp3").write_bytes(with_tags(TAGS[name]))
    said = await brought(here, folder)
    assert "1 new tracks" in said, said
    (track,) = (await drafts(here, "TRACK")).values()
    assert len(track.title) <= 300
    assert re.search(r"[\x00-\x1f]", said.replace("\n", "")) is None
    assert {row.role for row in await here.rows(tables.media)} == {"MASTER"}


async def test_only_an_artist_whom_somebody_holds_gets_recordings(here: Listening, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    tagged(folder / "a.mp3")
    before = await counts(here)
    for handle in ("nobody", "cy"):  # cy signs in, and is no artist
        with pytest.raises(NotFound):
            await brought(here, folder, handle)
    with pytest.raises(BadInput):
        await brought(here, tmp_path / "elsewhere")
    assert await counts(here) == before


async def test_what_was_uploaded_by_hand_is_known(here: Listening, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.wav").write_bytes(await here.has(CLOSED))
    before = await counts(here)
    assert "0 new tracks and 0 new releases are drafts of ada; 1 files were there" in await brought(here, folder)
    assert await counts(here) == before


async def test_an_import_killed_in_the_middle_is_finished_by_the_next(here: Listening, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number in range(6):
        tagged(
            folder / f"{number}.flac", 50 + number, title=f"Song {number}", album="Record", tracknumber=str(6 - number)
        )
    target = here.database._target
    url = f"postgresql://{target['user']}@/{target['database']}?host={target['host']}&port={target['port']}"
    command = [sys.executable, "-m", "graph.server.cli", "import-audio", str(folder), "--artist", "ada"]
    command += ["--data", str(tmp_path / "data")]
    environment = os.environ | {"DATABASE_URL": url}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as running:
        async with asyncio.timeout(PATIENCE):
            while not await drafts(here, "TRACK"):
                assert running.poll() is None, "it was to be killed in the middle"
                await asyncio.sleep(0.01)
        os.kill(running.pid, signal.SIGKILL)
    assert 1 <= len(await drafts(here, "TRACK")) < 6
    assert await drafts(here, "RELEASE") == {}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE
    )
    assert "1 new releases" in done.stdout
    assert set(await drafts(here, "TRACK")) == {f"Song {number}" for number in range(6)}
    items = await here.rows(tables.release_item, tables.release_item.c.position)
    titles = {row.id: row.title for row in (await drafts(here, "TRACK")).values()}
    assert [titles[item.asset_id] for item in items] == [f"Song {number}" for number in reversed(range(6))]
    before = await counts(here)
    await brought(here, folder)
    assert await counts(here) == before
