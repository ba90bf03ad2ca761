"""Loops, and pictures of worlds: what is handed out was drawn again, is short and silent, and is seen where it is worn."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from db import tables
from db.engine import Database
from domain.ids import Kind, Ref
from domain.media import Format
from graph.server.pictures import _KINDS
from tests.graph.server.recordings import ARTIST, CLOSED, CLOSED_HOOK, HOOK, OPEN, Listening, listening
from tests.graph.server.test_covers import HTML, picture

SECRET = b"GPS 52.5200 13.4050"
ALICE = str(Ref(Kind.ARTIST, ARTIST))
SET = """mutation ($input: SetVisualWorldInput!) { setVisualWorld(input: $input) { __typename
  ... on UserError { code message path }
  ... on SetVisualWorldSuccess { visualWorld { id version source { id shownSha256 durationMs } } } } }"""


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


def film(
    seconds: float = 1, rate: int = 10, side: int = 64, *, kind: str = "mp4", codec: str = "libx264", **said: str
) -> bytes:
    """A grey field that becomes lighter, with a title and a tone of its own."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as file:
        file.metadata.update({"title": SECRET.decode(), **said})
        stream: Any = file.add_stream(codec, rate=rate)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        for number in range(int(seconds * rate)):
            frame = av.VideoFrame(side, side, "gray")
            frame.planes[0].update(bytes([number % 256]) * frame.planes[0].buffer_size)
            file.mux(stream.encode(frame.reformat(format="yuv420p")))
        file.mux(stream.encode(None))
    return out.getvalue()


def sound() -> bytes:
    """A container that may hold a film, and holds a tone."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream: Any = file.add_stream("aac", rate=8_000, layout="mono")
        for _ in range(4):
            frame = av.AudioFrame("fltp", "mono", 1024)
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            frame.sample_rate = 8_000
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


async def upload(
    here: Listening, file: bytes, role: str = "LOOP", who: str | None = "ada", of: str | None = None
) -> Any:
    query = f"artist={of or ALICE}&role={role}"
    return await here.client.post(f"/api/upload/media?{query}", content=file, headers=here.by(who))


async def read(here: Listening, file: bytes, role: str = "LOOP") -> str:
    """The id of an upload for the artist that was read."""
    told = await upload(here, file, role)
    assert told.status_code == 201, told.text
    await here.work()
    return str(told.json()["id"])


async def shown(here: Listening, media: str, who: str | None = None) -> httpx.Response:
    return await here.client.get(f"/api/media/{media}", headers=here.by(who))


async def asked(here: Listening, document: str, variables: dict[str, Any], who: str | None = "ada") -> Any:
    said = {**here.by(who), "content-type": "application/json"}
    answer = await here.client.post("/graphql", json={"query": document, "variables": variables}, headers=said)
    told = answer.json()
    assert "errors" not in told, told
    return next(iter(told["data"].values()))


async def worn(here: Listening, subject: Ref, media: str, **given: Any) -> Any:
    return await asked(here, SET, {"input": {"subject": str(subject), "source": media, **given}})


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("webm", "libvpx-vp9")])
async def test_a_loop_is_drawn_again_and_nothing_else_is_left_of_it(here: Listening, kind: str, codec: str) -> None:
    sent = film(kind=kind, codec=codec) + HTML
    told = (await upload(here, sent)).json()
    assert (told["mimeType"], told["artist"], "asset" in told) == ("video/mp4", ALICE, False)
    assert (await shown(here, told["id"], "ada")).status_code == 404, "not before it was drawn"
    await here.work()
    answer = await shown(here, told["id"], "ada")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert HTML not in answer.content
    assert SECRET not in answer.content
    with av.open(io.BytesIO(answer.content)) as file:
        (stream,) = file.streams
        assert (stream.type, stream.frames, stream.codec_context.name) == ("video", 10, "h264")
    (media,) = await here.rows(tables.media)
    assert (media.duration_ms, media.asset_id, media.artist_id) == (1000, None, ARTIST)


async def test_a_large_loop_is_made_smaller_and_keeps_its_shape(here: Listening) -> None:
    media = await read(here, film(0.2, side=1600))
    with av.open(io.BytesIO((await shown(here, media, "ada")).content)) as file:
        context = file.streams.video[0].codec_context
        assert (context.width, context.height) == (1280, 1280)


async def test_thirty_seconds_are_a_loop(here: Listening) -> None:
    await read(here, film(30))
    (media,), (content,) = await here.rows(tables.media), await here.rows(tables.media_content)
    assert (content.state, media.duration_ms) == ("READY", 30_000)


def playlist() -> bytes:
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (lambda: film(31), "30 seconds"),
        (lambda: film(29, rate=360, side=16), "pictures"),
        (lambda: film(1)[:900], ""),
        (lambda: film(1)[:40] + b"x" * 4000, ""),
        (lambda: film(1, kind="webm", codec="libvpx")[:60], ""),
        (sound, "no picture"),
        (lambda: film(0.2, kind="matroska", codec="ffv1"), "coded"),
        (lambda: film(0.2, side=3000), "pixels"),
    ],
    ids=[
        "31 seconds",
        "ten thousand pictures",
        "cut off",
        "nonsense",
        "its beginning",
        "sound",
        "another codec",
        "huge",
    ],
)
async def test_what_is_no_loop_is_never_shown(here: Listening, sent: Any, said: str) -> None:
    media = await read(here, sent())
    (content,) = await here.rows(tables.media_content)
    assert (content.state, content.shown_sha256) == ("REFUSED", None), content
    assert said in content.fault
    assert (await shown(here, media, "ada")).status_code == 404
    refused = await worn(here, Ref(Kind.ARTIST, ARTIST), media)
    assert (refused["code"], refused["path"]) == ("VALIDATION", ["source"])


@pytest.mark.parametrize(
    "sent",
    [b"GIF89a" + bytes(99), b'<svg xmlns="http://www.w3.org/2000/svg"/>', HTML, playlist(), picture(Format.PNG)],
    ids=["a GIF", "an SVG", "HTML", "a playlist", "an image"],
)
async def test_no_other_file_is_a_loop(here: Listening, sent: bytes) -> None:
    assert (await upload(here, sent)).status_code == 415
    assert await here.rows(tables.media) == []


def moving_webp(pictures: int) -> bytes:
    """A WebP of many pictures."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    still = picture(Format.WEBP, 16, 16)[12:]
    frame = struct.pack("<I", 0)[:3] * 2 + struct.pack("<I", 15)[:3] * 2 + struct.pack("<I", 40)[:3] + b"\0" + still
    body = chunk(b"VP8X", b"\x02\0\0\0" + struct.pack("<I", 15)[:3] * 2) + chunk(b"ANIM", bytes(6))
    whole = b"WEBP" + body + chunk(b"ANMF", frame) * pictures
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


async def test_of_ten_thousand_pictures_in_one_image_at_most_the_first_is_shown(here: Listening) -> None:
    media = await read(here, moving_webp(10_000), "COVER")
    (content,) = await here.rows(tables.media_content)
    answer = await shown(here, media, "ada")
    assert (content.state, answer.status_code) in {("READY", 200), ("REFUSED", 404)}
    assert b"ANMF" not in answer.content


async def test_a_picture_that_was_taken_upright_is_shown_upright(here: Listening) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", 6, 0, 0)
    flat = picture(Format.JPEG, 48, 32)
    told = await read(here, flat[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + flat[2:], "COVER")
    answer = await shown(here, told, "ada")
    assert b"Exif" not in answer.content
    with av.open(io.BytesIO(answer.content), mode="r", format=_KINDS[Format.JPEG].demuxer) as file:
        frame = next(file.decode(file.streams.video[0]))
        assert (frame.width, frame.height) == (32, 48)


@pytest.mark.parametrize("role", ["MASTER", "SOURCE", "PREVIEW"])
async def test_a_world_has_pictures_and_loops_only(here: Listening, role: str) -> None:
    answer = await upload(here, film(), role)
    assert answer.status_code == 422
    assert await here.rows(tables.media) == []


async def test_an_artist_who_is_not_yours_and_none_are_told_alike(here: Listening) -> None:
    nobody = str(Ref(Kind.ARTIST, CLOSED))
    for who in ("bo", "cy"):
        theirs, nobodys = [await upload(here, film(), who=who, of=of) for of in (ALICE, nobody)]
        assert theirs.status_code == 404
        assert theirs.json()["detail"] == nobodys.json()["detail"]
    assert (await upload(here, film(), who=None)).status_code == 401
    assert await here.rows(tables.media) == []
    assert await here.rows(tables.provenance_event) == []


async def test_an_upload_for_a_world_is_told_on_the_chain_of_its_artist_and_happens_once(here: Listening) -> None:
    sent = film()
    first, again = [(await upload(here, sent)).json()["id"] for _ in range(2)]
    assert first == again
    (event,) = await here.rows(tables.provenance_event)
    assert (event.subject_id, event.kind) == (ARTIST, "MEDIA_ATTACHED")
    assert len(await here.rows(tables.job)) == 1


async def test_a_picture_is_seen_by_those_who_see_what_wears_it(here: Listening) -> None:
    media = await read(here, picture(Format.PNG), "COVER")

    async def seen() -> list[int]:
        return [(await shown(here, media, who)).status_code for who in (None, "bo", "cy")]

    assert await seen() == [404, 404, 200], "an upload is the artist's own"
    told = await worn(here, Ref(Kind.HOOK, CLOSED_HOOK), media)
    assert told["__typename"] == "SetVisualWorldSuccess", told
    assert await seen() == [404, 404, 200], "and so is a private hook"
    await worn(here, Ref(Kind.HOOK, HOOK), media)
    assert await seen() == [200, 200, 200]
    await here.set_state(OPEN, "PRIVATE")
    assert await seen() == [404, 404, 200]
    await worn(here, Ref(Kind.ARTIST, ARTIST), media)
    assert await seen() == [200, 200, 200]
    assert (await shown(here, media)).headers["cache-control"].startswith("public")


async def test_a_picture_of_a_private_track_shows_where_it_is_worn_and_the_track_does_not(here: Listening) -> None:
    told = (await here.upload(picture(Format.PNG), id_=CLOSED, role="COVER")).json()
    await here.work()
    assert (await shown(here, told["id"])).status_code == 404
    await worn(here, Ref(Kind.ARTIST, ARTIST), told["id"])
    assert (await shown(here, told["id"])).status_code == 200
    document = "query ($id: ID!) { node(id: $id) { ... on Media { role asset { id } } } }"
    assert await asked(here, document, {"id": told["id"]}, None) == {"role": "COVER", "asset": None}


async def test_a_picture_is_worn_once_it_was_read(here: Listening) -> None:
    told = (await upload(here, picture(Format.PNG), "COVER")).json()
    refused = await worn(here, Ref(Kind.HOOK, HOOK), told["id"])
    assert (refused["code"], refused["path"]) == ("CONFLICT", ["source"])
    assert await here.rows(tables.visual_world) == []
    await here.work()
    done = await worn(here, Ref(Kind.HOOK, HOOK), told["id"])
    (content,) = await here.rows(tables.media_content)
    assert done["visualWorld"]["source"]["shownSha256"] == content.shown_sha256


async def test_the_colour_of_a_cover_is_read_once_and_a_theme_grows_from_it(here: Listening) -> None:
    media = await read(here, picture(Format.PNG), "COVER")
    (content,) = await here.rows(tables.media_content)
    assert (content.seed_hue, content.seed_saturation, content.seed_lightness) == (0, 100, 50)
    document = """mutation ($input: SetThemeInput!) { setTheme(input: $input) { __typename
      ... on UserError { code message path } ... on SetThemeSuccess {
        theme { seed { source hue saturation lightness } isExtracted tokens { accent } } } } }"""
    given = {"subject": ALICE, "theme": {"seed": {"source": "COVER", "cover": media}}}
    told = await asked(here, document, {"input": given})
    seed = {"source": "COVER", "hue": 0, "saturation": 100, "lightness": 50}
    assert (told["theme"]["seed"], told["theme"]["isExtracted"]) == (seed, True)
    loop = await read(here, film())
    given["theme"] = {"seed": {"source": "COVER", "cover": loop}}
    theme = (await here.rows(tables.theme))[0].ref
    refused = await asked(here, document, {"input": {**given, "expectedTheme": theme}})
    assert (refused["code"], refused["path"]) == ("VALIDATION", ["theme", "seed", "cover"])
