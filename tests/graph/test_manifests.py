"""Manifests before they are made and after: previews write nothing, what differs is told and never written over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from db import tables
from db.engine import Database
from domain.ids import parse_ref
from graph.execution import Execution
from resolvers.integrity import Inspector
from resolvers.jobs import Workshop
from tests.domain.test_manifests import VALIDATOR
from tests.graph.albums import KEYS, SIGNER, album, draft, made, publish, rows, version_of
from tests.graph.company import Company, company

PREVIEW = "query ($id: ID!) { previewManifest(versionId: $id) { body lacks { what asset { id } } } }"
INTEGRITY = """query ($id: ID!) { node(id: $id) { ... on ReleaseVersion { integrity {
  reproduced drift { what asset { id } } } manifest { hash signatureState } } } }"""
EVERYTHING = (
    *(tables.asset, tables.release_version, tables.release_item, tables.manifest, tables.version_credit),
    *(tables.provenance_event, tables.change, tables.outbox, tables.job, tables.asset_standing),
)


@pytest.fixture(params=Execution, ids=lambda execution: execution.name)
async def here(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path, request.param) as each:
        each.house.signer = SIGNER
        yield each


async def integrity(here: Company, version: str, who: str | None = "ada") -> Any:
    return (await here.ask(who, INTEGRITY, id=version))[0]


async def inspected(here: Company, keys: Any = None) -> dict[str, tuple[bool, str | None]]:
    """What the checks found: by kind, whether all is well, and what was found instead."""
    await Workshop(here.database, Inspector(here.database, lambda: keys or KEYS).doings()).drain()
    found = await rows(here, "SELECT kind, passed, found FROM manifest_check ORDER BY created_at, id")
    return {row.kind: (row.passed, row.found) for row in found}


async def forged(here: Company, statement: str, **values: Any) -> None:
    """Change what cannot be changed, as one does who owns the machine."""
    target = {**here.database._target, "user": "postgres"}
    connection = await asyncpg.connect(**target)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement, *values.values())
    finally:
        await connection.close()


async def test_a_preview_is_what_is_published_but_for_its_moment_and_writes_nothing(here: Company) -> None:
    song = await made(here, "Ne\u0301w\u2028song")
    await here.do("ada", "setHook", "hook { id }", track=song, startMs=0)
    release, version = await draft(here, song, here.ids["other"])
    before = [await here.count(table) for table in EVERYTHING]
    preview, _ = await here.ask("ada", PREVIEW, id=version)
    assert [await here.count(table) for table in EVERYTHING] == before
    assert preview["lacks"] == [{"what": "MEDIA", "asset": {"id": here.ids["other"]}}]
    release, version = await draft(here, song, release=release)
    preview, _ = await here.ask("ada", PREVIEW, id=version)
    assert preview["lacks"] == []
    told = await publish(here, release, version)
    shown, out = json.loads(preview["body"]), json.loads(told["version"]["manifest"]["body"])
    assert shown["release"].pop("publishedAt") != out["release"].pop("publishedAt")
    assert shown == out
    assert (await here.ask("ada", PREVIEW, id=version))[0] is None, "it is no draft any more"


async def test_a_preview_is_for_those_who_may_publish(here: Company) -> None:
    await here.joined("cy", "CONTRIBUTOR")
    await here.joined("dee", "EDITOR")
    _, version = await draft(here, await made(here, "Song"))
    seen = [(await here.ask(who, PREVIEW, id=version))[0] is not None for who in (None, "bo", "cy", "dee", "ada")]
    assert seen == [False, False, False, True, True]


async def test_a_real_manifest_keeps_the_schema(here: Company) -> None:
    song = await made(here, "Song", isrc="GB-A1B-23-00001")
    await here.do("ada", "setPolicy", "policy { id }", subject=song, license="CC-BY-SA-4.0")
    await here.do("ada", "setHook", "hook { id }", track=song)
    edge = {"child": song, "parent": here.ids["other"], "kind": "SAMPLES"}
    await here.do("ada", "declareEdge", "edge { id }", **edge)
    release, version = await draft(here, song, await made(here, "Drum", "instrument"))
    manifest = json.loads((await publish(here, release, version))["version"]["manifest"]["body"])
    assert manifest["lineage"]["edges"] == 1
    jsonschema.validate(manifest, VALIDATOR.schema, jsonschema.Draft202012Validator)


async def test_what_was_published_is_checked_and_the_signature_found_good(here: Company) -> None:
    _, version, _ = await album(here)
    kinds = ("REGENERATION", "LINEAGE", "SIGNATURE", "SNAPSHOT")
    assert await inspected(here) == dict.fromkeys(kinds, (True, None))
    looked = await integrity(here, version)
    assert looked["integrity"] == {"reproduced": True, "drift": []}
    assert looked["manifest"]["signatureState"] == "VERIFIED"


async def test_works_live_on_without_changing_what_was_published_and_their_owner_reads_the_difference(
    here: Company,
) -> None:
    release, version, told = await album(here)
    first, second = [item["asset"]["id"] for item in told["version"]["items"]["nodes"]]
    body = told["version"]["manifest"]["body"]
    given = {"id": first, "title": "Another", "expectedVersion": await version_of(here, first)}
    await here.do("ada", "updateAsset", "asset { id }", **given)
    await here.do("ada", "setPolicy", "policy { id }", subject=release, license="CC0-1.0")
    edge = {"child": second, "parent": here.ids["other"], "kind": "REMIX_OF"}
    await here.do("ada", "declareEdge", "edge { id }", **edge)
    looked = (await integrity(here, version))["integrity"]
    assert looked["reproduced"] is True
    assert [(each["what"], each["asset"]["id"]) for each in looked["drift"]] == [
        ("LINEAGE", release),
        ("POLICY", release),
        ("TITLE", first),
    ]
    assert (await integrity(here, version, "bo"))["integrity"] is None
    found = await inspected(here)
    assert found["REGENERATION"] == (True, None)
    assert found["SNAPSHOT"] == (False, f"LINEAGE {release}, POLICY {release}, TITLE {first}")
    kept = "SELECT body FROM manifest WHERE hash = :hash"
    assert (await rows(here, kept, hash=told["version"]["manifest"]["hash"]))[0].body == body
    asked = "query ($id: ID!) { node(id: $id) { ... on ReleaseVersion { title items { nodes { title } } } } }"
    copies, _ = await here.ask(None, asked, id=version)
    assert [item["title"] for item in copies["items"]["nodes"]] == ["Song 0", "Song 1"]


async def test_a_copy_that_was_forged_is_found_and_nothing_is_written_over(here: Company) -> None:
    _, version, told = await album(here)
    await forged(here, "UPDATE release_item SET title = 'Forged' WHERE title = 'Song 1'")
    found = await inspected(here)
    passed, said = found["REGENERATION"]
    assert not passed
    assert told["version"]["manifest"]["hash"] in str(said)
    assert (await integrity(here, version))["integrity"]["reproduced"] is False
    dead = await rows(here, "SELECT error FROM job WHERE kind = 'REGENERATE_MANIFEST' AND state = 'DEAD'")
    assert "Made again from what was frozen" in dead[0].error
    body = (await rows(here, "SELECT body FROM manifest"))[0].body
    assert body == told["version"]["manifest"]["body"]


async def test_a_manifest_that_was_forged_with_its_hash_does_not_fit_its_signature(here: Company) -> None:
    _, version, _ = await album(here, 1)
    swap = "UPDATE manifest SET body = replace(body, 'Song', 'Sung')"
    with pytest.raises(Exception, match="manifest_hash_check"):
        await forged(here, swap)
    new = "replace(body, 'Song', 'Sung')"
    await forged(
        here,
        f"UPDATE manifest SET body = {new}, hash = 'sha256:' || encode(sha256(convert_to({new}, 'UTF8')), 'hex')",
    )
    assert not (await inspected(here))["SIGNATURE"][0]
    assert (await integrity(here, version))["manifest"]["signatureState"] == "INVALID"


async def test_a_signature_of_a_key_that_is_not_published_is_not_trusted(here: Company) -> None:
    await album(here, 1)
    found = await inspected(here, {SIGNER.method: Ed25519PrivateKey.generate().public_key()})
    assert not found["SIGNATURE"][0]


async def test_an_import_has_no_manifest_and_nothing_to_check(here: Company) -> None:
    row = "INSERT INTO release_version (id, release_id, number, state, is_compatibility) VALUES (gen_random_uuid(), :id, 1, 'PUBLISHED', true) RETURNING ref"
    async with here.database.write() as connection:
        version = (await connection.execute(text(row), {"id": parse_ref(here.ids["release"]).id})).scalar_one()
    assert await integrity(here, version) == {"integrity": None, "manifest": None}
