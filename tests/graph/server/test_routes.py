"""Who gets what by which route beside the graph: a table, and no route is without a row.

The routes generated from operations answer as the graph does, whose table is `tests/graph/test_authority.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, update

from db import tables
from db.engine import Database
from domain.ids import Kind, Ref, parse_ref
from domain.keys import KeyMode, KeyScope, spelled
from domain.media import Format
from graph.agents.building import checked_in
from tests.graph.server.recordings import ADA, ARTIST, BO, CLOSED, OPEN, STRANGE, Listening, listening, track, wav
from tests.graph.server.test_covers import picture

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOWHERE = UUID(int=99)
SHOWN, HIDDEN = ["PUBLIC", "UNLISTED", "ARCHIVED"], "PRIVATE"
KEYS: Mapping[str, tuple[UUID, UUID | None, list[KeyScope], dict[str, datetime]]] = {
    "a reading key": (ADA, None, [KeyScope.READ], {}),
    "a writing key": (ADA, ARTIST, [KeyScope.ASSETS_WRITE, KeyScope.LINEAGE_WRITE], {}),
    "a key of others": (BO, STRANGE, [KeyScope.READ, KeyScope.ASSETS_WRITE], {}),
    "a revoked key": (ADA, ARTIST, [KeyScope.READ, KeyScope.ASSETS_WRITE], {"revoked_at": LONG_AGO}),
    "an expired key": (ADA, ARTIST, [KeyScope.READ, KeyScope.ASSETS_WRITE], {"expires_at": LONG_AGO}),
}
GONE = ("a revoked key", "an expired key", "a session that ended")
WHO = ("nobody", "ada", "cy", "bo", "an ex-member", *KEYS, "a session that ended")
"""Ada owns the artist, Cy is a member, Bo is somebody else."""


def refusing(told: Mapping[str, int], others: int) -> dict[str, int]:
    """What everybody gets: those who are named, the others, and who shows what is good no more."""
    return {who: 401 if who in GONE else told.get(who, others) for who in WHO}


MEMBERS_HEAR = refusing({"ada": 200, "cy": 200}, 404)
"""A key hears what anybody hears."""
MEMBERS_SEE = MEMBERS_HEAR | {"a writing key": 200}
"""Who writes for an artist sees what they have."""
ALL_SEE = refusing({}, 200)
WRITES = refusing({"ada": 201, "a writing key": 201, "nobody": 401, "a reading key": 403}, 404)
UNASKED = dict.fromkeys(WHO, 200)
"""Nobody is asked who they are."""


def of_states(shown: Mapping[str, int], private: Mapping[str, int], withdrawn: Mapping[str, int]) -> Any:
    return {**dict.fromkeys(SHOWN, shown), HIDDEN: private, "WITHDRAWN": withdrawn}


async def upload(here: Listening, who: Mapping[str, str], id_: UUID) -> httpx.Response:
    address = f"/api/upload/media?asset={track(id_)}&role=SOURCE"
    return await here.client.post(address, content=b"notes", headers=who)


async def token(here: Listening, who: Mapping[str, str], id_: UUID) -> httpx.Response:
    return await here.client.post("/api/audio/token", json={"trackId": track(id_), "mode": "PREVIEW"}, headers=who)


async def waveform(here: Listening, who: Mapping[str, str], id_: UUID) -> httpx.Response:
    return await here.client.get(f"/api/audio/waveform/{track(id_)}", headers=who)


async def cover(here: Listening, who: Mapping[str, str], id_: UUID) -> httpx.Response:
    return await here.client.get(f"/api/media/{Ref(Kind.MEDIA, COVERS.get(id_, id_))}", headers=who)


Asking = Callable[[Listening, Mapping[str, str], UUID], Any]
BY_STATE: Mapping[str, tuple[Asking, Mapping[str, Mapping[str, int]]]] = {
    "POST /api/upload/media": (upload, of_states(WRITES, WRITES, WRITES)),
    "POST /api/audio/token": (token, of_states(ALL_SEE, MEMBERS_HEAR, MEMBERS_HEAR)),
    "GET /api/audio/waveform/{id}": (waveform, of_states(ALL_SEE, MEMBERS_SEE, MEMBERS_SEE)),
    "GET /api/media/{id}": (cover, of_states(ALL_SEE, MEMBERS_SEE, MEMBERS_SEE)),
}
"""What is asked about a track, whose state and viewer say what is answered."""
COVERS: dict[UUID, UUID] = {}

ELSEWHERE = {
    "GET /api/audio/{id}": "opened by its token alone: tests/graph/server/test_audio.py",
    "GET /manifests/{address}": "tests/graph/server/test_manifests.py",
    "GET /manifests/{address}/signed": "tests/graph/server/test_manifests.py",
    "GET /manifests/{address}/attestation": "tests/graph/server/test_manifests.py",
    "GET /manifests/{address}/anchor": "tests/graph/server/test_anchoring.py",
    "GET /log/inclusion/{hash}": "tests/graph/test_log.py",
    "GET /log/tile/{path:path}": "tests/graph/test_log.py",
    "GET /s/{code}": "tests/graph/server/test_links.py",
    **{
        f"GET {path}": "tests/graph/server/test_addresses.py"
        for path in (
            *("/{handle}", "/oembed", "/cards/{ref}.png"),
            *(f"/{{handle}}/{places}/{{ref}}" for places in ("hooks", "releases", "rituals", "rooms")),
        )
    },
    "GET /api/rooms/{id}/events": "tests/graph/server/test_events.py",
    "GET /api/casset/{handle}/events": "tests/graph/server/test_events.py",
    "GET /graphql": "the explorer: tests/graph/server/test_explorer.py; all else tests/graph/test_authority.py",
    "GET /rooms/{handle}": "tests/graph/server/test_listening.py",
    "POST /api/agents/releases/{id}/license": "tests/graph/server/test_payments.py",
    "POST /api/agents/assets/{id}/license": "tests/graph/server/test_payments.py",
    **{
        f"GET /api/agents/{kind}/{{id}}/{file}": "tests/graph/server/test_permissions_told.py"
        for kind in ("releases", "assets")
        for file in ("license.xml", "policy.jsonld", "cawg.json")
    },
    "GET /api/auth/{provider}": "tests/graph/server/test_identities.py",
    "GET /api/auth/{provider}/callback": "tests/graph/server/test_identities.py",
    "POST /api/auth/{provider}/callback": "tests/graph/server/test_identities.py",
}
"""What has a table of its own."""
FOR_EVERYBODY = {
    "/schema.graphql",
    "/metrics",
    "/livez",
    "/readyz",
    "/api/auth",
    "/.well-known/did.json",
    "/.well-known/jwks.json",
    "/.well-known/tdmrep.json",
    "/robots.txt",
    "/license.xml",
    "/log/checkpoint",
    "/schemas/casset-manifest-1.json",
    "/.well-known/api-catalog",
    "/api/agents",
    "/openapi.json",
    "/llms.txt",
    "/docs",
    "/favicon.svg",
    "/graphiql",
    "/pages/house.css",
    "/pages/house.js",
    "/pages/world.css",
    "/pages/ritual.css",
    "/pages/ritual.js",
    "/pages/room.css",
    "/pages/room.js",
}
"""What is the same for everybody, whatever they show."""
FILES = {"GET /graphiql/{file}"}
"""What pages are made of."""


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        await let_in(house)
        yield house


async def let_in(here: Listening) -> None:
    """The keys, somebody who was a member, and a session that ended."""
    async with here.database.write() as connection:
        for number, (account, artist, scopes, lasts) in enumerate(KEYS.values(), 61):
            row = {"id": UUID(int=number), "account_id": account, "artist_id": artist, "name": "k", "mode": "LIVE"}
            row |= {"scopes": [scope.value for scope in scopes], "secret_hash": hashlib.sha256(key(number)).digest()}
            row |= {"expires_at": datetime(2999, 1, 1, tzinfo=UTC), **lasts}
            await connection.execute(insert(tables.agent_key).values(row))
        for id_, handle, ended in ((UUID(int=71), "eve", None), (UUID(int=72), "old", LONG_AGO)):
            await connection.execute(insert(tables.account).values(id=id_, handle=handle))
            row = {"id": id_, "account_id": id_, "secret_hash": hashlib.sha256(handle.encode()).digest()}
            row |= {"loopback_only": False, "expires_at": ended or datetime(2999, 1, 1, tzinfo=UTC)}
            await connection.execute(insert(tables.session).values(row))
        began = datetime.now(UTC) - timedelta(days=2)
        row = {"id": UUID(int=71), "account_id": UUID(int=71), "artist_id": ARTIST, "role": "EDITOR"}
        await connection.execute(insert(tables.membership).values(**row, created_at=began))
        left = update(tables.membership).where(tables.membership.c.id == UUID(int=71))
        await connection.execute(left.values(ended_at=datetime.now(UTC)))


def key(number: int) -> bytes:
    return spelled(KeyMode.LIVE, f"{number:032d}").encode()


def shown_by(who: str) -> dict[str, str]:
    """What somebody sends along to say who they are."""
    if who in KEYS:
        return {"authorization": f"Bearer {key(61 + list(KEYS).index(who)).decode()}"}
    secret = {"an ex-member": "eve", "a session that ended": "old"}.get(who, f"session of {who}")
    return {} if who == "nobody" else {"authorization": f"Bearer {secret}"}


async def test_every_route_answers_everybody_as_its_row_says(here: Listening) -> None:
    for id_ in (OPEN, CLOSED):
        await here.has(id_, wav(3, seed=id_.int))
        COVERS[id_] = await drawn(here, id_)
    wrong = []
    for state in (*SHOWN, HIDDEN, "WITHDRAWN"):
        await here.set_state(CLOSED, state)
        for route, (ask, states) in BY_STATE.items():
            for who in WHO:
                answer = await ask(here, shown_by(who), CLOSED)
                if answer.status_code != states[state][who]:
                    wrong.append(f"{route} of what is {state}, {who}: {answer.status_code}, not {states[state][who]}")
                if answer.status_code == 404:
                    nowhere = await ask(here, shown_by(who), NOWHERE)
                    wrong += [] if said(answer) == said(nowhere) else [f"{route} tells {who} that {state} is there"]
    assert not wrong, "\n".join(wrong)


async def drawn(here: Listening, id_: UUID) -> UUID:
    """The cover of a track, ready to be shown."""
    sent = await here.upload(picture(Format.PNG), id_=id_, role="COVER")
    await here.work()
    return parse_ref(sent.json()["id"]).id


def said(answer: httpx.Response) -> dict[str, Any]:
    """A refusal, without the number of the request."""
    return {name: value for name, value in answer.json().items() if name != "requestId"}


async def test_what_is_for_everybody_asks_nobody_who_they_are(here: Listening) -> None:
    for path in sorted(FOR_EVERYBODY):
        answers = [await here.client.get(path, headers=shown_by(who)) for who in ("nobody", "ada", "a revoked key")]
        assert len({answer.status_code for answer in answers}) == 1, path
        assert answers[0].status_code in {200, 404}, path


def test_no_route_is_without_a_row(here: Listening) -> None:
    operations = json.loads(checked_in("contract.lock.json"))["operations"].values()
    generated = {f"{each['method']} {each['path']}" for each in operations if "path" in each}
    known = {*BY_STATE, *ELSEWHERE, *FILES, *generated, *(f"GET {path}" for path in FOR_EVERYBODY)}
    there = {
        f"{method} {route.path}"
        for route in here.app._rest.routes
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert sorted(there - known) == []
    assert sorted({*BY_STATE, *ELSEWHERE} - there) == []
