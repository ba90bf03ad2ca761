"""The releases of the demo scene come out for real once they are heard, in their owners' names; others stay as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from db.engine import Database
from domain.accounts import ANONYMOUS
from graph.reading import Reader
from graph.schema import executable
from resolvers.context import Acting, now, uuid7
from resolvers.demo import load_demo
from resolvers.demo_publishing import Opening
from resolvers.jobs import Workshop
from resolvers.scheduling import Scheduler
from tests.graph.albums import SIGNER

RELEASES = """{ assets(filter: { kinds: [RELEASE] }, first: 100) { nodes { ... on Release {
  title owner { claimed } status currentVersion { state number isCompatibility manifest { signatureState } } } } } }"""


@pytest.fixture
async def demo(database: Database) -> Database:
    await load_demo(Acting(database, ANONYMOUS, now, uuid7), lambda *_: None)
    return database


async def heard(demo: Database) -> None:
    """Give everything a master that was read, as composing does."""
    async with demo.write() as connection:
        await connection.execute(
            text(
                "INSERT INTO media (id, asset_id, role, sha256) SELECT gen_random_uuid(), id, 'MASTER', "
                "encode(sha256(uuid_send(id)), 'hex') FROM asset WHERE kind IN ('TRACK', 'SAMPLE')"
            )
        )


async def open_all(demo: Database) -> list[tuple[str, str]]:
    """Do what is due of publishing; (kind, state) of all jobs of it."""
    async with demo.write() as connection:
        await connection.execute(text("UPDATE job SET run_after = now() WHERE kind LIKE 'PUBLISH_%'"))
    doings = {**Opening(demo, SIGNER).doings(), **Scheduler(demo, SIGNER).doings()}
    await Workshop(demo, doings).drain()
    async with demo.read() as connection:
        query = "SELECT kind, state FROM job WHERE kind LIKE 'PUBLISH_%'"
        return [tuple(row) for row in await connection.execute(text(query))]


async def releases(demo: Database) -> list[Any]:
    body = (await Reader(executable(), demo).answer(RELEASES, None, None, ANONYMOUS)).body
    return list(json.loads(body)["data"]["assets"]["nodes"])


async def test_what_is_not_heard_yet_waits_and_what_is_scheduled_is_not_out(demo: Database) -> None:
    out = [each["currentVersion"] for each in await releases(demo) if each["currentVersion"]]
    states = {state for kind, state in await open_all(demo) if kind == "PUBLISH_DEMO"}
    assert states == {"DONE", "READY"}
    assert all(version["isCompatibility"] for version in out)


async def test_what_is_heard_has_a_signed_manifest_and_what_nobody_signs_in_for_is_compatible(demo: Database) -> None:
    await heard(demo)
    jobs = await open_all(demo)
    assert {state for _, state in jobs} == {"DONE"}, jobs
    for release in await releases(demo):
        version = release["currentVersion"]
        is_real = release["owner"]["claimed"] and release["title"] != "Kitchen Hours"  # which has a draft
        assert version["isCompatibility"] is not is_real, release
        assert (version["manifest"] or {}).get("signatureState") == ("SIGNED" if is_real else None)
    async with demo.read() as connection:
        scheduled = "SELECT count(*) FROM release WHERE status = 'SCHEDULED'"
        assert (await connection.execute(text(scheduled))).scalar_one() == 0
    assert {state for _, state in await open_all(demo)} == {"DONE"}, "and once"
