"""Covers: what is handed out was drawn again, and nothing but the picture is left of what came."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from db import tables
from db.engine import Database
from graph.server.pictures import _KINDS
from tests.graph.server.recordings import OPEN, Listening, listening

HTML = b"<html><script>alert(1)</script></html>"
ALL = pytest.mark.parametrize("kind", list(_KINDS))


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


def picture(kind: object, width: int = 48, height: int = 32) -> bytes:
    """Its left half is red, its right half is blue."""
    one = _KINDS[kind]  # type: ignore[index]  # the kinds are its keys
    frame = av.VideoFrame(width, height, "rgb24")
    row = (b"\xff\0\0" * (width // 2) + b"\0\0\xff" * (width // 2)).ljust(frame.planes[0].line_size, b"\0")
    frame.planes[0].update(row * height)
    out = io.BytesIO()
    with av.open(out, "w", format="image2pipe") as file:
        stream = file.add_stream(one.codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, one.solid
        file.mux(stream.encode(frame.reformat(format=one.solid)))
        file.mux(stream.encode(None))
    return out.getvalue()


def colours(data: bytes, kind: object) -> tuple[int, int, list[int], list[int]]:
    with av.open(io.BytesIO(data), format=_KINDS[kind].demuxer) as file:  # type: ignore[index]  # the kinds are its keys
        frame = next(file.decode(file.streams.video[0])).reformat(format="rgb24")
    plane = bytes(frame.planes[0])
    return frame.width, frame.height, list(plane[:3]), list(plane[(frame.width - 1) * 3 : frame.width * 3])


@ALL
async def test_a_cover_is_drawn_again_and_shown(here: Listening, kind: object) -> None:
    sent = picture(kind) + HTML
    told = (await here.upload(sent, role="COVER")).json()
    assert (await here.client.get(f"/api/media/{told['id']}")).status_code == 404, "not before it was drawn"
    await here.work()
    shown = await here.client.get(f"/api/media/{told['id']}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, told["mimeType"])
    assert HTML not in shown.content
    width, height, left, right = colours(shown.content, kind)
    assert (width, height) == (48, 32)
    assert (left[0] > 200, left[2] < 60) == (True, True)
    assert (right[2] > 200, right[0] < 60) == (True, True)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is large, with as few bytes as that takes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("name", ["a bomb", "a large one", "cut off", "its beginning", "nonsense"])
async def test_what_is_no_picture_is_never_shown(here: Listening, name: str) -> None:
    good = picture(next(iter(_KINDS)))
    sent = {
        "a bomb": bomb(60_000, 60_000),
        "a large one": bomb(10_000, 5_000),
        "cut off": good[:40],
        "its beginning": good[:8],
        "nonsense": good[:8] + b"x" * 5000,
    }
    told = (await here.upload(sent[name], role="COVER")).json()
    await here.work()
    (content,) = await here.rows(tables.media_content)
    assert (content.state, content.shown_sha256) == ("REFUSED", None), content
    assert (await here.client.get(f"/api/media/{told['id']}", headers=here.by("ada"))).status_code == 404


@pytest.mark.parametrize("sent", [b'<svg xmlns="http://www.w3.org/2000/svg"/>', b"GIF89a" + bytes(99), HTML])
async def test_no_other_file_is_a_cover(here: Listening, sent: bytes) -> None:
    assert (await here.upload(sent, id_=OPEN, role="COVER")).status_code == 415
