"""What answers at the addresses of worlds: pages that tell what anybody may read, previews, and cards drawn from it."""

from __future__ import annotations

import html
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image
from sqlalchemy import insert, update

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.ids import Kind
from domain.media import Format
from domain.resolution import Match, recognise
from graph.fields import write_moment
from graph.reading import Reader
from graph.schema import executable
from graph.server.addresses import FILES
from graph.server.app import Application, create_app
from graph.server.cards import CARDS_A_MINUTE
from graph.server.house import close
from graph.server.previews import Previews
from graph.server.settings import Environment, Settings
from resolvers.context import now, uuid7
from tests.graph.company import Company, company
from tests.graph.server.test_covers import picture

ORIGIN = "https://casset.example"
HOSTILE = """"><script>alert(1)</script><img src=x onerror='alert(2)'>{title}%s&amp;\u202e"""
PLACES = {"hook": "hooks", "release": "releases", "ritual": "rituals", "room": "rooms"}


class Street:
    """The company, and whoever comes by."""

    def __init__(self, here: Company, app: Application) -> None:
        self.here, self.app = here, app

    async def get(self, path: str, network: str = "192.0.2.7", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(network, 4000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def address(self, name: str) -> str:
        return "/nova" if name == "nova" else f"/nova/{PLACES[name]}/{self.here.ids[name]}"

    async def all(self, name: str) -> list[httpx.Response]:
        """The page, what oEmbed tells, and the card."""
        address = self.address(name)
        paths = (address, f"/oembed?url={quote(ORIGIN + address)}", f"/cards/{self.here.ids[name]}.png")
        return [await self.get(path) for path in paths]


@pytest.fixture
async def street(database: Database, tmp_path: Path) -> AsyncIterator[Street]:
    async with company(database, tmp_path) as here:
        hook, room = here._name("hook", Kind.HOOK), here._name("room", Kind.ROOM)
        async with database.write() as connection:
            row: dict[str, Any] = {"track_id": here.keys["track"], "start_ms": 0, "end_ms": 30_000, "caption": "Oh"}
            await connection.execute(insert(tables.hook).values(id=hook, **row))
            await connection.execute(insert(tables.room).values(id=room, artist_id=here.keys["nova"], hook_id=hook))
        begins, hour = now() + timedelta(hours=1), timedelta(hours=1)
        moments = {"opensAt": begins, "releasesAt": begins + hour, "endsAt": begins + 2 * hour}
        times = {name: write_moment(at) for name, at in moments.items()}
        told = await here.do(
            "ada", "announceRitual", "ritual { id }", subject=here.ids["hook"], title="Midnight", **times
        )
        here.ids["ritual"] = told["ritual"]["id"]
        app = create_app(Settings(data=tmp_path), database)
        yield Street(here, app)
        await close(app._house)
        app.studio.blobs.close()


def told_in(page: str) -> dict[str, str]:
    """The metadata of a page, as a browser reads them."""
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


def said(answer: httpx.Response) -> dict[str, Any]:
    """A problem, but for the id of its request."""
    return {name: value for name, value in answer.json().items() if name != "requestId"}


async def test_every_address_tells_what_is_there(street: Street) -> None:
    titles = {
        "nova": "nova",
        "hook": "Oh · nova",
        "release": "release · nova",
        "ritual": "Midnight · nova",
        "room": "nova",
    }
    for name, title in titles.items():
        page, oembed, card = await street.all(name)
        assert [answer.status_code for answer in (page, oembed, card)] == [200] * 3, name
        told = told_in(page.text)
        address = ORIGIN + street.address(name)
        picture = f"{ORIGIN}/cards/{street.here.ids[name]}.png"
        assert (told["og:title"], told["og:url"], told["og:image"]) == (title, address, picture)
        assert f'<link rel="canonical" href="{address}">' in page.text
        assert f'href="{ORIGIN}/oembed?url={quote(address, safe="")}&amp;format=json"' in page.text
        assert oembed.json()["thumbnail_url"] == picture
        assert (oembed.json()["title"], oembed.json()["author_url"]) == (title.partition(" · ")[0], f"{ORIGIN}/nova")
        assert Image.open(io.BytesIO(card.content)).size == (1200, 630)


async def test_the_graph_and_the_house_mean_the_same_address(street: Street, tmp_path: Path) -> None:
    document = "query ($id: ID!) { node(id: $id) { ... on Hook { at: url } ... on Ritual { at: url } ... on Release { url } } }"
    for name in ("hook", "release", "ritual"):
        told, _ = await street.here.ask(None, document, id=street.here.ids[name])
        assert next(iter(told.values())) == street.address(name)
    assert (await street.here.ask(None, '{ world(handle: "nova") { url } }'))[0]["url"] == "/nova"
    # Where the house knows its origin, addresses begin with it.
    known = Database(street.here.database._target, origin=Settings(origins=(ORIGIN, "https://other.example")).origin)
    await known.open()
    answer = await Reader(executable(), known).answer('{ world(handle: "nova") { url } }', None, {}, ANONYMOUS)
    await known.close()
    assert answer.body.decode() == f'{{"data":{{"world":{{"url":"{ORIGIN}/nova"}}}}}}'


async def test_an_address_is_a_reference_too(street: Street) -> None:
    for name in ("hook", "release", "ritual", "room"):
        for text in (street.address(name), ORIGIN + street.address(name) + "?via=2222222"):
            told, _ = await street.here.ask(
                None, "query ($r: String!) { resolve(ref: $r) { matched node { id } } }", r=text
            )
            assert told == {"matched": "ADDRESS", "node": {"id": street.here.ids[name]}}
    assert recognise("/nova") is not None
    for text in (
        f"/nova/rooms/{street.here.ids['hook']}",
        "/nova/hooks/x",
        f"/nova/artists/{street.here.ids['nova']}",
        "//",
    ):
        found = recognise(text)
        assert found is None or found.match is not Match.ADDRESS, text


async def test_what_is_not_for_everybody_is_not_there(street: Street) -> None:
    here, asset = street.here, tables.asset
    nowhere = dict(here.ids)
    here.ids |= {name: f"{name}_01jd0000000000000000000000" for name in ("hook", "release")}
    gone = [await street.all(name) for name in ("hook", "release")]
    here.ids = nowhere
    for state in ("PRIVATE", "WITHDRAWN"):
        await here.alter(asset, {"state": state}, asset.c.id.in_([here.keys["track"], here.keys["release"]]))
        for name, missing in zip(("hook", "release"), gone, strict=True):
            for answer, other in zip(await street.all(name), missing, strict=True):
                assert (answer.status_code, said(answer)) == (404, said(other)), (state, name)
        # A ritual around what nobody may see is for nobody either.
        assert {answer.status_code for answer in await street.all("ritual")} == {404}
    await here.alter(asset, {"state": "UNLISTED"}, asset.c.id == here.keys["track"])
    assert {answer.status_code for answer in await street.all("hook")} == {200}, "by its address it is there"
    await here.alter(tables.room, {"visibility": "MEMBERS"})
    assert {answer.status_code for answer in await street.all("room")} == {404}
    assert (await street.get("/nova", cookie="casset_session=x")).status_code == 200, "nobody is asked who they are"


async def test_a_title_is_text_whatever_it_says(street: Street) -> None:
    here = street.here
    async with here.database.write() as connection:
        await connection.execute(update(tables.hook).values(caption=HOSTILE))
    await here.alter(tables.artist, {"name": HOSTILE, "tagline": HOSTILE})
    await here.alter(tables.ritual, {"title": HOSTILE})
    for name in ("nova", "hook", "ritual"):
        page, oembed, card = await street.all(name)
        assert HOSTILE in told_in(page.text)["og:title"]
        assert not re.search(
            r"<script(?! defer src=\"/pages/(?:house|ritual)\.js\")|<img(?! src=\"/cards/)|<style|\sstyle=", page.text
        )
        assert oembed.json()["title"] == HOSTILE
        assert (oembed.headers["content-type"], card.headers["content-type"]) == ("application/json", "image/png")
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'; script-src 'self'" in policy


async def test_another_address_of_a_thing_leads_to_the_one_it_has(street: Street) -> None:
    hook = street.here.ids["hook"]
    for path, leads in (
        ("/Nova", "/nova"),
        (f"/far/hooks/{hook}", f"/nova/hooks/{hook}"),
        (f"/nobody/hooks/{hook}?via=2222222", f"/nova/hooks/{hook}?via=2222222"),
        ("/NOVA?via=https://elsewhere.example", "/nova"),
    ):
        answer = await street.get(path)
        assert (answer.status_code, answer.headers.get("location")) == (302, leads), path
    for path in (
        f"/nova/rituals/{hook}",
        f"/nova/hooks/{street.here.ids['nova']}",
        "/nobody",
        "/x.y",
        "/%00",
        "/nova/",
    ):
        assert (await street.get(path)).status_code == 404, path


async def test_whoever_came_by_a_link_goes_on_with_it(street: Street) -> None:
    page = (await street.get("/nova?via=2222222")).text
    assert f'href="{street.address("ritual")}?via=2222222"' in page
    assert "via" not in (await street.get("/nova?via=%22%3E%3Cscript%3E")).text


async def test_oembed_speaks_of_this_house_only_and_of_no_larger_picture_than_fits(street: Street) -> None:
    async def ask(**asked: str) -> httpx.Response:
        return await street.get(f"/oembed?{'&'.join(f'{name}={quote(value)}' for name, value in asked.items())}")

    address = ORIGIN + street.address("hook")
    for url in (
        "https://casset.example.evil.example/nova",
        "https://evil.example/nova",
        "http://casset.example/nova",
        "https://casset.example@evil.example/nova",
        "//casset.example/nova",
        "/nova",
        f"{ORIGIN}/nobody",
        f"{ORIGIN}/graphql",
        f"{ORIGIN}/s/2222222",
        "https://[/nova",
        "",
    ):
        assert (await ask(url=url)).status_code == 404, url
    assert (await ask(url=address, format="xml")).status_code == 501
    assert (await ask()).status_code == 400
    for wrong in ("0", "-1", "x", "1e3", "9999999", "٣"):
        assert (await ask(url=address, maxwidth=wrong)).status_code == 400, wrong
    fits, small = (
        (await ask(url=address, maxwidth="1200", maxheight="630")).json(),
        (await ask(url=address, maxwidth="1199")).json(),
    )
    assert (fits["thumbnail_width"], fits["thumbnail_height"]) == (1200, 630)
    assert not [name for name in small if name.startswith("thumbnail")]


async def test_a_card_is_the_same_bytes_until_what_it_shows_is_other(street: Street, tmp_path: Path) -> None:
    path = f"/cards/{street.here.ids['hook']}.png"
    first = await street.get(path)
    # As another process, which has drawn none yet, draws it.
    fresh = create_app(Settings(data=tmp_path), street.here.database)
    drawn = await Street(street.here, fresh).get(path)
    await close(fresh._house)
    fresh.studio.blobs.close()
    assert (drawn.content, drawn.headers["etag"]) == (first.content, first.headers["etag"])
    assert (await street.get(path, if_none_match=first.headers["etag"])).status_code == 304
    async with street.here.database.write() as connection:
        await connection.execute(update(tables.hook).values(caption="Something else"))
    other = await street.get(path, if_none_match=first.headers["etag"])
    assert (other.status_code, other.content != first.content) == (200, True)


async def test_a_card_shows_the_cover_that_everybody_may_see(street: Street) -> None:
    here, blobs = street.here, street.app.studio.blobs
    async with blobs.receive() as incoming:
        await incoming.write(picture(Format.PNG))
        kept = await incoming.keep()
    async with here.database.write() as connection:
        media: dict[str, Any] = {"id": uuid7(), "asset_id": here.keys["track"], "role": "COVER", "sha256": kept.sha256}
        await connection.execute(insert(tables.media).values(**media, mime_type="image/png"))
        content = {"media_id": media["id"], "format": "PNG", "state": "READY", "shown_sha256": kept.sha256}
        await connection.execute(insert(tables.media_content).values(content))
        worn = {"id": uuid7(), "owner_id": here.keys["nova"], "hook_id": here.keys["hook"], "source_id": media["id"]}
        await connection.execute(insert(tables.visual_world).values(worn))
    card = Image.open(io.BytesIO((await street.get(f"/cards/{here.ids['hook']}.png")).content)).convert("RGB")
    assert card.getpixel((100, 300)) == (255, 0, 0), "its left half is red"
    # A ritual around it shows it too; bytes that are away are waited for.
    about = await street.get(f"/cards/{here.ids['ritual']}.png")
    assert Image.open(io.BytesIO(about.content)).convert("RGB").getpixel((100, 300)) == (255, 0, 0)
    await blobs.remove(kept.sha256)
    async with here.database.write() as connection:
        await connection.execute(update(tables.hook).values(caption="Other"))
    away = await street.get(f"/cards/{here.ids['hook']}.png")
    assert (away.status_code, away.json()["code"]) == (503, "UNAVAILABLE")


async def test_who_has_cards_drawn_has_an_allowance_and_what_is_drawn_costs_nothing(street: Street) -> None:
    path = f"/cards/{street.here.ids['hook']}.png"
    assert (await street.get(path)).status_code == 200
    drawings = next(each for each in street.app._allowances if each.what == "card")
    await drawings.buckets.take("card:address:192.0.2.7", CARDS_A_MINUTE - 1)
    assert (await street.get(path)).status_code == 200
    refused = await street.get(f"/cards/{street.here.ids['release']}.png")
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMIT")
    assert (await street.get(f"/cards/{street.here.ids['release']}.png", "192.0.2.8")).status_code == 200


async def test_a_preview_is_one_statement(street: Street) -> None:
    statements: list[str] = []
    watched = Database(street.here.database._target, watch=statements.append)
    await watched.open()
    statements.clear()
    for name in ("nova", "hook", "release", "ritual", "room"):
        await Previews(Reader(executable(), watched)).of(street.here.ids[name])
    await watched.close()
    assert len(statements) == 5


FOLDER = Path(__file__).parents[3] / "graph" / "server" / "pages"
SOURCES = {name: (FOLDER / name).read_text() for name in ("ritual.html", *FILES)}


async def test_the_page_of_a_ritual_is_served_everywhere_and_its_files_name_no_other_host(
    street: Street, tmp_path: Path
) -> None:
    production = Application(
        Settings(data=tmp_path, environment=Environment.PRODUCTION), street.here.database, executable()
    )
    for app in (street.app, production):
        for path in (street.address("ritual"), *(f"/pages/{name}" for name in FILES)):
            assert (await Street(street.here, app).get(path)).status_code == 200, path
    for name, source in SOURCES.items():
        assert not re.search(r"(?:https?|wss?):(?!\$)//|[\"'(]//\w", source), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", source), (
            name
        )


def test_every_field_of_it_has_a_name_that_is_read_aloud() -> None:
    page = SOURCES["ritual.html"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
    for id_ in re.findall(r'<input id="(\w+)"', page):
        assert f'<label for="{id_}">' in page
    for section in re.findall(r'aria-labelledby="([\w-]+)"', page):
        assert f'id="{section}"' in page
    for role in ("alert", "status", "log", "timer"):
        assert f'role="{role}"' in page
    assert "prefers-reduced-motion" in SOURCES["house.css"]
