"""What crawlers and agents are told may be done: of the house nothing, of each work what was decided, as files and headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from db import tables
from db.engine import Database
from domain.permissions_told import ODRL, RSL
from graph.server.app import create_app
from graph.server.house import close
from graph.server.settings import Settings
from tests.graph.buyers import key_of
from tests.graph.company import Company, company

BASE = "https://casset.example"
OPEN = [
    {"use": "AI_TRAINING", "decision": "LICENSE_REQUIRED"},
    {"use": "AI_GENERATION", "decision": "ALLOWED"},
    {"use": "REMIX", "decision": "CONTACT_OWNER"},
    {"use": "COMMERCIAL_USE", "decision": "DENIED"},
]


@asynccontextmanager
async def telling(
    database: Database, tmp_path: Path, **settings: Any
) -> AsyncIterator[tuple[Company, httpx.AsyncClient]]:
    async with company(database, tmp_path) as each:
        app = create_app(Settings(data=tmp_path, **settings), database)
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            yield each, client
            await app.usage.close()
        await close(app._house)
        app.studio.blobs.close()


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Company, httpx.AsyncClient]]:
    async with telling(database, tmp_path) as each:
        yield each


def usages(document: bytes, verb: str) -> set[str]:
    found = ET.fromstring(document).iter(f"{{{RSL}}}{verb}")
    return {token for each in found for token in (each.text or "").split() if each.get("type") == "usage"}


async def test_of_the_house_nothing_is_open(here: Any) -> None:
    _, client = here
    robots = (await client.get("/robots.txt")).text.splitlines()
    assert "Content-Signal: ai-input=no, ai-train=no" in robots
    assert "Content-Usage: ai-use=n, train-ai=n" in robots
    assert f"License: {BASE}/license.xml" in robots
    answer = await client.get("/license.xml")
    assert answer.headers["content-type"] == "application/rsl+xml"
    assert usages(answer.content, "permits") == set()
    assert {"ai-train", "ai-input"} <= usages(answer.content, "prohibits")
    assert (await client.get("/.well-known/tdmrep.json")).json() == [{"location": "/", "tdm-reservation": 1}]


async def test_a_work_is_told_as_it_was_decided_and_what_is_private_is_not_there(here: Any) -> None:
    house, client = here
    track = house.ids["track"]
    told = await house.do("ada", "setPolicy", "policy { id }", subject=track, terms=OPEN)
    assert told["__typename"] == "SetPolicySuccess", told
    work = f"/api/agents/assets/{track}"
    read = await client.get(work)
    assert read.status_code == 200, read.text
    assert read.headers["content-usage"] == "ai-use=y, train-ai=n"
    assert read.headers["tdm-reservation"] == "1"
    assert read.headers["tdm-policy"] == f"{BASE}{work}/policy.jsonld"
    assert f'<{BASE}{work}/license.xml>; rel="license"; type="application/rsl+xml"' in read.headers.get_list("link")
    document = (await client.get(f"{work}/license.xml")).content
    assert usages(document, "permits") >= {"ai-train", "ai-input", "casset:remix"}
    assert f"{BASE}{work}/license/quote".encode() in document
    offer = (await client.get(f"{work}/policy.jsonld")).json()
    duties = {str(rule["action"]): rule.get("duty", []) for rule in offer["permission"]}
    assert [duty["action"] for duty in duties["http://www.w3.org/ns/tdmrep#mine"]] == [f"{ODRL}compensate"]
    assert f"{ODRL}commercialize" in str(offer["prohibition"])
    assertion = (await client.get(f"{work}/cawg.json")).json()["data"]["entries"]
    assert assertion["cawg.ai_training"] == {"use": "constrained", "constraint_info": f"{BASE}{work}/license/quote"}
    assert assertion["cawg.ai_inference"] == {"use": "allowed"}
    # What was kept is not told once it is closed.
    shut = [{"use": "AI_GENERATION", "decision": "DENIED"}]
    assert (await house.do("ada", "setPolicy", "policy { id }", subject=track, terms=shut))["policy"]
    assert (await client.get(work)).headers["content-usage"] == "ai-use=n, train-ai=n"
    assert (await client.get(f"{work}/cawg.json")).json()["data"]["entries"]["cawg.ai_inference"] == {
        "use": "notAllowed"
    }
    release = await client.get(f"/api/agents/releases/{track}/license.xml")
    assert release.status_code == 404
    hidden = await house.do(
        "ada", "createAsset", "asset { id }", owner=house.ids["nova"], title="x", details={"track": {}}
    )
    for name in ("license.xml", "policy.jsonld", "cawg.json"):
        assert (await client.get(f"/api/agents/assets/{hidden['asset']['id']}/{name}")).status_code == 404


async def test_who_asks_about_works_without_end_is_told_to_wait(database: Database, tmp_path: Path) -> None:
    async with telling(database, tmp_path, points=250, points_per_second=1) as (house, client):
        works = [f"/api/agents/assets/{house.ids['track']}/{name}" for name in ("license.xml", "policy.jsonld")] * 2
        answers = [await client.get(work) for work in works]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_what_a_key_reads_and_asks_is_told_to_whose_work_it_is_once_and_after_a_while(here: Any) -> None:
    house, client = here
    track = house.ids["track"]
    headers = {"authorization": f"Bearer {await key_of(house, 'bo')}", "idempotency-key": "k"}
    for _ in range(3):
        assert (await client.get(f"/api/agents/assets/{track}", headers=headers)).status_code == 200
        assert (await client.get(f"/api/agents/assets/{track}")).status_code == 200
    asked = await client.post(f"/api/agents/assets/{track}/permission-check", json={"uses": ["SYNC"]}, headers=headers)
    assert asked.status_code == 200, asked.text
    assert await house.count(tables.agent_use) == 1
    await client._transport.app.usage.write()
    told, _ = await house.ask(
        "ada", '{ artist(handle: "nova") { usage(first: 9) { nodes { kind agent uses decision } } } }'
    )
    assert sorted(told["usage"]["nodes"], key=str) == [
        {"kind": "CHECK", "agent": "bo's crawler", "uses": ["SYNC"], "decision": "LICENSE_REQUIRED"},
        {"kind": "READ", "agent": "bo's crawler", "uses": [], "decision": None},
    ]
