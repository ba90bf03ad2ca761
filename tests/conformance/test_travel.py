"""Outside of the house: what an outside parser reads beside a link, and the page of a ritual in a real browser."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.embedded import EmbeddedPostgres
from db.migrate import OWNER_ROLE
from domain.ids import Kind
from domain.links import kind_of
from graph.fields import write_moment
from tests.conformance.conftest import HANDLE, PATIENCE, Served
from tests.conformance.node import Node

WORLD = """query ($handle: String!) { world(handle: $handle) {
  name url leadHook { url caption playback { url } } releases(first: 1) { nodes { url title } } currentRitual { url title } room { id } } }"""


def ask(served: Served, query: str, variables: dict[str, Any], session: str | None = None) -> Any:
    headers = {
        "content-type": "application/json",
        **({} if session is None else {"authorization": f"Bearer {session}"}),
    }
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urllib.request.urlopen(urllib.request.Request(served.url, body, headers)) as answer:
        told = json.load(answer)
    assert "errors" not in told, told
    return next(iter(told["data"].values()))


def test_an_outside_parser_reads_what_is_shown_beside_a_link(node: Node, served: Served) -> None:
    origin = served.url.removesuffix("/graphql")
    world = ask(served, WORLD, {"handle": HANDLE})
    release, ritual, hook = world["releases"]["nodes"][0], world["currentRitual"], world["leadHook"]
    link = ask(
        served,
        "mutation ($input: CreateShareLinkInput!) { createShareLink(input: $input) { ... on CreateShareLinkSuccess { link { path } } } }",
        {"input": {"subject": ritual["url"].rsplit("/", 1)[1]}},
        served.session(),
    )["link"]["path"]
    wanted = {
        world["url"]: (world["name"], "profile"),
        hook["url"]: (f"{hook['caption']} · {world['name']}", "music.song"),
        release["url"]: (f"{release['title']} · {world['name']}", "music.album"),
        ritual["url"]: (f"{ritual['title']} · {world['name']}", "website"),
        # A link leads there, and is read as what it leads to.
        link: (f"{ritual['title']} · {world['name']}", "website"),
    }
    told = node.outcome("clients/previews.mjs", *[origin + path for path in wanted])
    for path, (title, type_) in wanted.items():
        found, oembed, picture = (told[origin + path][part] for part in ("found", "oembed", "picture"))
        address = origin + (ritual["url"] if path == link else path)
        assert (found["ogTitle"], found["ogType"], found["ogUrl"]) == (title, type_, address)
        assert found["ogDescription"] == found["twitterDescription"] != ""
        assert found["twitterCard"] == "summary_large_image"
        (image,) = found["ogImage"]
        assert (image["width"], image["height"], image["type"]) == ("1200", "630", "image/png")
        assert (picture["type"], picture["width"], picture["height"]) == ("image/png", 1200, 630)
        assert picture["size"] < 600_000, "messengers show no larger ones"
        assert (oembed["type"], oembed["version"], oembed["author_name"]) == ("link", "1.0", world["name"])
        assert oembed["thumbnail_url"] == image["url"]


async def announced(served: Served) -> str:
    """The address of a ritual that opens in a moment."""
    session, world = served.session(), ask(served, WORLD, {"handle": HANDLE})
    begins = datetime.now(UTC) + timedelta(seconds=15)
    times = {"opensAt": begins, "releasesAt": begins + timedelta(hours=1), "endsAt": begins + timedelta(hours=2)}
    told = ask(
        served,
        """mutation ($input: AnnounceRitualInput!) { announceRitual(input: $input) {
          ... on UserError { message } ... on RitualSuccess { ritual { url } } } }""",
        {
            "input": {
                "subject": world["leadHook"]["url"].rsplit("/", 1)[1],
                "title": "The kettle, one more time",
                **{name: write_moment(at) for name, at in times.items()},
            }
        },
        session,
    )
    return str(told["ritual"]["url"])


async def let_pass(served: Served, ritual: str) -> None:
    """Let three hours go by, and wait until the house has remembered."""
    server = EmbeddedPostgres(served.data)
    connection = await asyncpg.connect(**server.dsn(user=OWNER_ROLE))
    try:
        past = "interval '3 hours'"
        moved = f"opens_at = opens_at - {past}, releases_at = releases_at - {past}, ends_at = ends_at - {past}"
        await connection.execute(f"UPDATE ritual SET {moved} WHERE ref = $1", ritual)
        due = "UPDATE job SET run_after = '2000-01-01' WHERE kind = 'MOVE_RITUAL' AND subject_id = (SELECT id FROM ritual WHERE ref = $1)"
        await connection.execute(due, ritual)
        deadline = time.monotonic() + PATIENCE
        while await connection.fetchval("SELECT state FROM ritual WHERE ref = $1", ritual) != "MEMORY":
            assert time.monotonic() < deadline, "it is not remembered"
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def test_a_ritual_is_met_in_a_browser_before_it_is_out_and_after_it_is_over(
    node: Node, served: Served, chromium: str, pytestconfig: pytest.Config
) -> None:
    pictures: Path | None = pytestconfig.getoption("pictures")
    words = [] if pictures is None else [str(pictures)]
    sounds = ask(served, WORLD, {"handle": HANDLE})["leadHook"]["playback"] is not None
    path, session = await announced(served), served.session()
    told = await asyncio.to_thread(node.outcome, "clients/ritual.mjs", served.url, path, chromium, session, *words)
    assert told["complaints"] == []
    assert told["announced"].startswith("The room opens ")
    assert (told["title"], told["world"]) == ("The kettle, one more time", "Oda Verrill")
    # Somebody comes by the link that was shared, and goes on with it.
    code = told["led"].removeprefix(f"{path}?via=")
    assert (kind_of(code), told["goesOn"]) == (Kind.RITUAL, f"/{HANDLE}?via={code}")
    assert told["head"] == "The kettle, one more time · Oda Verrill"
    assert told["clock"].startswith("0 days 00 hours 59 minutes"), "the house's clock, and no other"
    assert told["asked"] == "Sign in or sign up first: then you are in the order of arrival."
    assert told["supporters"] == [told["name"]]
    assert told["mayNotSpeak"] is True
    assert told["plays"] >= sounds
    assert told["worn"] == "#e0a458", "the page wears its world"
    await let_pass(served, path.rsplit("/", 1)[1])
    told = await asyncio.to_thread(node.outcome, "clients/ritual.mjs", served.url, path, chromium, "after", *words)
    assert told["complaints"] == []
    assert told["numbers"] == {"people": "1", "there first": "1", "said": "1", "reactions": "0", "clips": "0"}
    assert told["isAwaited"] is False
