"""What was published is looked after: checked on asking and round by round, and signed late where nobody signed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, text

from db import tables
from db.engine import Database
from db.integrity import Noted, noted
from domain.ids import parse_ref
from domain.manifests import CheckKind
from domain.signatures import Signer, verified
from resolvers import integrity
from resolvers.context import uuid7
from resolvers.integrity import Inspector, failures
from resolvers.jobs import Workshop
from resolvers.log import write_on
from tests.graph.albums import KEYS, SIGNER, album, draft, made, publish, rows, version_of
from tests.graph.company import Company, company
from tests.graph.test_manifests import forged

ASKED = """query ($id: ID!) { release(id: $id) { integrity { version { id } state reproduced signatureState
  checks { what state since found } drift { what asset { id } } } } }"""
OTHER = Signer("did:web:casset.test#other", Ed25519PrivateKey.generate())


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        each.house.signer, each.house.keys = SIGNER, lambda: KEYS
        yield each


async def asked(here: Company, release: str, who: str | None = "ada") -> Any:
    return (await here.ask(who, ASKED, id=release))[0]["integrity"]


def states(told: Any) -> dict[str, str]:
    return {check["what"]: check["state"] for check in told["checks"]}


async def worked(here: Company, signer: Signer | None = SIGNER) -> None:
    """Do what is due, as a worker with that key."""
    await Workshop(here.database, Inspector(here.database, lambda: KEYS, signer).doings()).drain()


async def count_of(here: Company, kind: str) -> int:
    return int((await rows(here, "SELECT count(*) FROM job WHERE kind = :kind", kind=kind))[0][0])


async def test_what_is_out_is_checked_on_asking_and_since_when_it_is_so_is_told(here: Company) -> None:
    release, version, _ = await album(here)
    told = await asked(here, release)
    assert (told["version"], told["state"]) == ({"id": version}, "PENDING"), "the log waits for some seconds"
    assert (told["reproduced"], told["signatureState"], told["drift"]) == (True, "VERIFIED", [])
    assert told["checks"][0]["what"] == "INCLUSION", "what is wrong comes first"
    assert {check["since"] for check in told["checks"]} == {None}, "nothing was noted yet"
    await write_on(here.database, SIGNER)
    await worked(here)
    told = await asked(here, release)
    assert told["state"] == "PASSED"
    assert list(states(told)) == ["REGENERATION", "SIGNATURE", "LINEAGE", "INCLUSION", "SNAPSHOT"]
    assert set(states(told).values()) == {"PASSED"}
    assert {check["what"] for check in told["checks"] if check["since"] is None} == {"INCLUSION"}
    version_told = (
        "query ($id: ID!) { node(id: $id) { ... on ReleaseVersion { integrity { state checks { what } } } } }"
    )
    by_version, _ = await here.ask("ada", version_told, id=version)
    assert by_version["integrity"]["state"] == "PASSED"
    assert await failures(here.database) == {}


async def test_only_who_may_change_a_release_has_it_checked(here: Company) -> None:
    release, _, _ = await album(here, 1)
    await here.joined("cy", "CONTRIBUTOR")
    await here.joined("dee", "EDITOR")
    seen = [await asked(here, release, who) is not None for who in (None, "bo", "cy", "dee", "ada")]
    assert seen == [False, False, False, True, True]
    assert await asked(here, here.ids["release"]) is None, "nothing of it is out"


async def test_what_is_wrong_comes_first_and_each_failure_says_what_it_is(here: Company) -> None:
    release, _, told = await album(here)
    first = told["version"]["items"]["nodes"][0]["asset"]["id"]
    given = {"id": first, "title": "Another", "expectedVersion": await version_of(here, first)}
    await here.do("ada", "updateAsset", "asset { id }", **given)
    await forged(here, "UPDATE release_version SET upstream = ARRAY(SELECT id FROM release_item) WHERE number = 1")
    await write_on(here.database, OTHER)
    found = await asked(here, release)
    assert found["state"] == "FAILED"
    assert [(check["what"], check["state"]) for check in found["checks"]] == [
        ("REGENERATION", "FAILED"),
        ("LINEAGE", "FAILED"),
        ("INCLUSION", "FAILED"),
        ("SNAPSHOT", "CHANGED"),
        ("SIGNATURE", "PASSED"),
    ]
    said = {check["what"]: check["found"] for check in found["checks"]}
    assert told["version"]["manifest"]["hash"] in said["REGENERATION"]
    assert said["LINEAGE"].startswith("The manifest says 0 edges")
    assert f"TITLE {first}" in said["SNAPSHOT"]
    assert [(each["what"], each["asset"]["id"]) for each in found["drift"]][-1] == ("TITLE", first)
    await worked(here)
    assert await failures(here.database) == {CheckKind.REGENERATION: 1, CheckKind.LINEAGE: 1}, "drift is no failure"
    since = {check["what"]: check["since"] for check in (await asked(here, release))["checks"]}
    assert since["REGENERATION"] is not None


async def test_without_a_key_at_hand_what_was_found_of_a_signature_is_told(here: Company) -> None:
    release, _, _ = await album(here, 1)
    here.house.keys = dict
    told = await asked(here, release)
    assert (states(told)["SIGNATURE"], states(told)["INCLUSION"]) == ("PENDING", "PENDING")
    assert told["signatureState"] == "SIGNED"
    await worked(here)
    assert states(await asked(here, release))["SIGNATURE"] == "PASSED"


async def test_since_is_when_the_same_was_found_first_and_every_time_from_then_on(here: Company) -> None:
    _, version, _ = await album(here, 1)
    id_, begin = parse_ref(version).id, datetime(2026, 3, 1, tzinfo=UTC)

    async def found(*outcomes: str | None) -> Noted:
        # Only ever added: each story is of a kind of its own.
        kind = kinds.pop()
        for day, outcome in enumerate(outcomes):
            row = {"id": uuid7(), "manifest_id": id_, "kind": kind.value, "created_at": begin + timedelta(days=day)}
            async with here.database.write() as connection:
                values = insert(tables.manifest_check).values(**row, passed=outcome is None, found=outcome)
                await connection.execute(values)
        async with here.database.read() as connection:
            return (await noted(connection, [id_]))[id_, kind]

    kinds = list(CheckKind)
    assert await found(None) == (True, None, begin)
    assert await found(None, None, None) == (True, None, begin)
    assert await found(None, "x", "x") == (False, "x", begin + timedelta(days=1))
    assert await found("x", "x", "y") == (False, "y", begin + timedelta(days=2))
    assert await found(None, "x", None, None) == (True, None, begin + timedelta(days=2))


async def signed(here: Company, version: str) -> Any:
    told = (
        "query ($id: ID!) { node(id: $id) { ... on ReleaseVersion { manifest { hash body proof signatureState } } } }"
    )
    return (await here.ask(None, told, id=version))[0]["manifest"]


async def events(here: Company) -> list[str]:
    query = (
        "SELECT kind FROM provenance_event WHERE kind LIKE '%MANIFEST%' OR kind = 'RELEASE_PUBLISHED' ORDER BY sequence"
    )
    return [row.kind for row in await rows(here, query)]


async def test_what_was_published_unsigned_is_signed_once_when_there_is_a_key(here: Company) -> None:
    here.house.signer = None
    release, version, before = await album(here, 1)
    assert before["version"]["manifest"]["signatureState"] == "UNSIGNED"
    told = await asked(here, release)
    assert (states(told)["SIGNATURE"], told["signatureState"]) == ("PENDING", "UNSIGNED")
    await Inspector(here.database, lambda: KEYS).begin()
    await worked(here, None)
    assert await count_of(here, "SIGN_MANIFEST") == 0, "this house has no key yet"
    async with here.database.write() as connection:
        await connection.execute(text("UPDATE job SET run_after = now() WHERE state = 'READY'"))
    await asyncio.gather(worked(here), worked(here))
    after = await signed(here, version)
    assert after["signatureState"] == "VERIFIED"
    assert (after["hash"], after["body"]) == (
        before["version"]["manifest"]["hash"],
        before["version"]["manifest"]["body"],
    )
    assert verified({**json.loads(after["body"]), "proof": json.loads(after["proof"])}, KEYS) == SIGNER.method
    assert await events(here) == ["MANIFEST_GENERATED", "RELEASE_PUBLISHED", "MANIFEST_SIGNED"]
    # Once more, and by another key: what is signed stays as it is.
    async with here.database.write() as connection:
        job = "INSERT INTO job (id, kind, subject_id) VALUES (gen_random_uuid(), 'SIGN_MANIFEST', :version)"
        await connection.execute(text(job), {"version": parse_ref(version).id})
    await worked(here, OTHER)
    assert await signed(here, version) == after
    assert (await events(here)).count("MANIFEST_SIGNED") == 1
    for change in ("proof = '{}'", "proof = NULL", "body = body || ' '"):
        with pytest.raises(Exception, match=r"never changes|permission denied"):
            async with here.database.write() as connection:
                await connection.execute(text(f"UPDATE manifest SET {change}"))
    assert await signed(here, version) == after


async def test_what_was_forged_is_not_signed_late(here: Company) -> None:
    here.house.signer = None
    _, version, _ = await album(here, 1)
    await forged(here, "UPDATE release_item SET title = 'Forged' WHERE title = 'Song 0'")
    await Inspector(here.database, lambda: KEYS).begin()
    await worked(here)
    assert (await signed(here, version))["signatureState"] == "UNSIGNED"
    assert "MANIFEST_SIGNED" not in await events(here)
    async with here.database.write() as connection:
        await connection.execute(text("UPDATE job SET run_after = now() WHERE state = 'READY'"))
    await worked(here)
    assert await count_of(here, "SIGN_MANIFEST") <= 1, "nobody asks again to sign what is known to be forged"


async def test_manifests_are_checked_again_after_a_while_and_what_waits_is_not_asked_for_twice(
    here: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, version, _ = await album(here, 1)
    inspector = Inspector(here.database, lambda: KEYS, SIGNER)
    for _ in range(2):
        await inspector.begin()
    assert await count_of(here, "CHECK_MANIFESTS") == 1, "one waits"
    await worked(here)
    assert await count_of(here, "REGENERATE_MANIFEST") == 1, "publishing asked for it already"
    waits = "SELECT run_after > now() + interval '59 minutes' AS later FROM job WHERE kind = 'CHECK_MANIFESTS' AND state = 'READY'"
    assert [row.later for row in await rows(here, waits)] == [True], "it comes round"

    async def come() -> None:
        async with here.database.write() as connection:
            await connection.execute(text("UPDATE job SET run_after = now() WHERE state = 'READY'"))
        await worked(here)

    await come()
    assert await count_of(here, "REGENERATE_MANIFEST") == 1, "it was checked a moment ago"
    monkeypatch.setattr(integrity, "CHECK_AFTER", timedelta())
    first = await checked(here, version)
    await come()
    kinds = ("REGENERATE_MANIFEST", "VERIFY_LINEAGE", "VERIFY_SNAPSHOT", "VERIFY_SIGNATURE")
    assert [await count_of(here, kind) for kind in kinds] == [2, 2, 2, 2]
    assert await checked(here, version) == first + 4
    second, _ = await draft(here, await made(here, "Next"), release=release)
    given = {"release": second, "expectedVersion": await version_of(here, second)}
    told = await here.do("ada", "createVersion", "version { id }", **given)
    await publish(here, release, told["version"]["id"])
    await come()
    found = await rows(here, "SELECT DISTINCT kind FROM job WHERE subject_id = :id", id=parse_ref(version).id)
    assert {row.kind for row in found} == set(kinds), "a version that another took the place of stays signed"


async def checked(here: Company, version: str) -> int:
    id_: UUID = parse_ref(version).id
    return int((await rows(here, "SELECT count(*) FROM manifest_check WHERE manifest_id = :id", id=id_))[0][0])
