"""Share links at their address: they lead, visits are counted, and nobody's address is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text, update

from db import tables
from db.engine import Database
from domain.accounts import Viewer
from domain.ids import Kind, parse_ref
from graph.server.app import Application, create_app
from graph.server.house import close
from graph.server.links import VISITS_A_MINUTE
from graph.server.settings import Settings
from resolvers.callers import Caller
from resolvers.context import Acting, now, uuid7
from resolvers.links import create_share_link
from tests.graph.company import Company, company

HERE = "192.0.2.7"
COUNTS = "link { path visitCount visitorCount }"


class Square:
    """The company, and people who come by links from elsewhere."""

    def __init__(self, here: Company, app: Application) -> None:
        self.here, self.app = here, app

    async def come(self, path: str, network: str = HERE, method: str = "GET", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(network, 4000))
        async with httpx.AsyncClient(transport=transport, base_url="https://casset.example") as client:
            return await client.request(method, path, headers={n.replace("_", "-"): v for n, v in headers.items()})

    async def counts(self, subject: str, who: str = "cy") -> tuple[str, int, int]:
        """(path, visits, visitors) of somebody's link to something."""
        told = (await self.here.do(who, "createShareLink", COUNTS, subject=subject))["link"]
        return told["path"], told["visitCount"], told["visitorCount"]


@pytest.fixture
async def square(database: Database, tmp_path: Path) -> AsyncIterator[Square]:
    async with company(database, tmp_path) as here:
        hook = here._name("hook", Kind.HOOK)
        async with database.write() as connection:
            row: dict[str, Any] = {"track_id": here.keys["track"], "start_ms": 0, "end_ms": 30_000}
            await connection.execute(insert(tables.hook).values(id=hook, **row))
        app = create_app(Settings(data=tmp_path), database)
        yield Square(here, app)
        await close(app._house)
        app.studio.blobs.close()


def said(answer: httpx.Response) -> dict[str, Any]:
    """A problem, but for the id of its request."""
    return {name: value for name, value in answer.json().items() if name != "requestId"}


async def test_a_link_leads_into_the_world_and_counts_who_comes_by_it(square: Square) -> None:
    ids = square.here.ids
    for name, leads in (
        ("nova", "/nova"),
        ("hook", f"/nova/hooks/{ids['hook']}"),
        ("release", f"/nova/releases/{ids['release']}"),
    ):
        path, *_ = await square.counts(ids[name])
        answer = await square.come(path)
        via = path.removeprefix("/s/")
        assert (answer.status_code, answer.headers["location"]) == (302, f"{leads}?via={via}")
        assert answer.headers["cache-control"] == "no-store"
    path, visits, visitors = await square.counts(ids["hook"])
    assert (visits, visitors) == (1, 1)
    for network in (HERE, "192.0.2.8", "2001:db8::1", "2001:db8::2"):
        assert (await square.come(path, network)).status_code == 302
    # Who only looks, and a browser that asks ahead, is no visitor.
    await square.come(path, method="HEAD")
    await square.come(path, "192.0.2.9", sec_purpose="prefetch;prerender")
    # The two of 2001:db8:: come from one network.
    assert await square.counts(ids["hook"]) == (path, 5, 3)
    kept = "SELECT string_agg(t::text, ' ') FROM (SELECT * FROM share_visitor) AS t"
    async with square.here.database.read() as connection:
        assert "192.0.2" not in (await connection.execute(text(kept))).scalar_one()


async def test_whoever_made_a_link_is_no_visitor_of_theirs(square: Square) -> None:
    caller = Caller(square.here.house, f"address:{HERE}")
    person = Acting(square.here.database, Viewer(square.here.keys["cy"], (), ()), now, uuid7, caller)
    await create_share_link(person, parse_ref(square.here.ids["hook"]), None)
    path, *_ = await square.counts(square.here.ids["hook"])
    await square.come(path)
    assert await square.counts(square.here.ids["hook"]) == (path, 1, 0)
    await square.come(path, "192.0.2.8")
    assert await square.counts(square.here.ids["hook"]) == (path, 2, 1)


async def test_after_its_time_a_visitor_is_somebody_new_and_the_former_key_is_gone(square: Square) -> None:
    path, *_ = await square.counts(square.here.ids["hook"])
    await square.come(path)
    secret = text("SELECT secret FROM visitor_key")
    async with square.here.database.read() as connection:
        former = (await connection.execute(secret)).scalar_one()
    await square.here.alter(tables.visitor_key, {"made_at": text("now() - interval '31 days'")})
    await square.come(path)
    async with square.here.database.read() as connection:
        assert (await connection.execute(secret)).scalar_one() != former
    assert (await square.counts(square.here.ids["hook"]))[1:] == (2, 2)


async def test_a_link_leads_nowhere_once_what_it_is_to_is_not_for_everybody(square: Square) -> None:
    path, *_ = await square.counts(square.here.ids["hook"])
    unknown = await square.come("/s/2222222")
    assert unknown.status_code == 404
    asset = tables.asset
    for state, status in (("UNLISTED", 302), ("PRIVATE", 404), ("WITHDRAWN", 404), ("PUBLIC", 302)):
        async with square.here.database.write() as connection:
            await connection.execute(update(asset).where(asset.c.id == square.here.keys["track"]).values(state=state))
        answer = await square.come(path)
        assert (state, answer.status_code) == (state, status)
        if status == 404:
            assert said(answer) == said(unknown)
    for path in ("/s/", "/s/0000000", "/s/22222222", "/s/2222222%00", "/s/..%2f..%2f"):
        assert (await square.come(path)).status_code == 404


async def test_a_crowd_from_one_network_is_led_on_and_counted_to_a_point(square: Square) -> None:
    path, *_ = await square.counts(square.here.ids["hook"])
    answers = [await square.come(path) for _ in range(VISITS_A_MINUTE + 5)]
    assert {answer.status_code for answer in answers} == {302}
    _, visits, visitors = await square.counts(square.here.ids["hook"])
    assert VISITS_A_MINUTE <= visits < len(answers)
    assert visitors == 1
