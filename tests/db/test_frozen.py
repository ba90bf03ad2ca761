"""What was published never changes: not through the application, and not through SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from db.engine import Database
from resolvers.context import uuid7
from tests.graph.albums import SIGNER, draft, made
from tests.graph.company import Company, company

COPIES = ("version_credit", "version_split", "version_policy", "version_media", "manifest_check")
REFUSED = r"never changes|only ever added|permission denied|must be owner"


@pytest.fixture(scope="module")
async def here(
    new_target: Callable[[], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Company]:
    """The company, with a release that is out, and a draft of its next version."""
    database = Database(new_target())
    await database.open()
    async with company(database, tmp_path_factory.mktemp("mail")) as each:
        each.house.signer = SIGNER
        song = await made(each, "Song")
        credits_ = [{"party": {"artist": each.ids["nova"]}, "role": "COMPOSER"}]
        await each.do("ada", "setCredits", "asset { id }", asset=song, credits=credits_, expectedVersion=1)
        await each.do("ada", "setPolicy", "policy { id }", subject=song, license="CC0-1.0")
        release, version = await draft(each, song)
        given = {"version": version, "expectedVersion": 2}
        told = await each.do("ada", "publishVersion", "version { id }", **given)
        assert told["__typename"] == "PublishVersionSuccess", told
        await draft(each, song, await made(each, "Next"), release=release)
        yield each
    await database.close()


async def everything(here: Company) -> list[Any]:
    """The frozen rows, as they are."""
    tables = ("release_version", "release_item", "manifest", *COPIES)
    query = " UNION ALL ".join(f"SELECT to_jsonb(t)::text FROM {table} AS t" for table in tables)
    async with here.database.read() as connection:
        return sorted((await connection.execute(text(query))).scalars())


OUT = "(SELECT id FROM release_version WHERE published_at IS NOT NULL ORDER BY id LIMIT 1)"
DRAFT = "(SELECT id FROM release_version WHERE number = 2)"
AS_APPLICATION = [
    f"UPDATE release_version SET title = 'x' WHERE id = {OUT}",
    f"UPDATE release_version SET state = 'DRAFT' WHERE id = {OUT}",
    f"UPDATE release_version SET published_at = now() WHERE id = {OUT}",
    f"UPDATE release_version SET manifest_hash = NULL WHERE id = {OUT}",
    f"UPDATE release_version SET upstream = ARRAY[gen_random_uuid()] WHERE id = {OUT}",
    f"UPDATE release_version SET number = 7 WHERE id = {OUT}",
    f"DELETE FROM release_version WHERE id = {OUT}",
    "TRUNCATE release_version CASCADE",
    f"UPDATE release_item SET title = 'x' WHERE version_id = {OUT}",
    f"UPDATE release_item SET version_id = {DRAFT}, position = 9 WHERE version_id = {OUT}",
    f"UPDATE release_item SET version_id = {OUT}, position = 9 WHERE version_id = {DRAFT}",
    f"DELETE FROM release_item WHERE version_id = {OUT}",
    f"INSERT INTO release_item (id, version_id, asset_id, position) SELECT gen_random_uuid(), {OUT}, id, 9 FROM asset LIMIT 1",
    f"MERGE INTO release_item USING (SELECT {OUT} AS id) AS it ON version_id = it.id WHEN MATCHED THEN DELETE",
    f"""INSERT INTO release_item (id, version_id, asset_id, position) SELECT id, version_id, asset_id, position FROM release_item
        WHERE version_id = {OUT} ON CONFLICT (id) DO UPDATE SET title = 'x'""",
    "TRUNCATE release_item",
    "UPDATE manifest SET body = body || ' '",
    "UPDATE manifest SET hash = 'sha256:' || repeat('0', 64)",
    "UPDATE manifest SET proof = '{}'",
    "UPDATE manifest SET proof = NULL",
    "DELETE FROM manifest",
    "TRUNCATE manifest CASCADE",
    f"INSERT INTO manifest (id, hash, body) VALUES ({DRAFT}, 'sha256:' || repeat('0', 64), '{{}}')",
    f"UPDATE release_version SET state = 'PUBLISHED' WHERE id = {DRAFT}",
    *[f"UPDATE {table} SET {column} = {column}" for table, column in zip(COPIES, ["name", "name", "license", "sha256", "found"], strict=True)],
    *[f"DELETE FROM {table}" for table in COPIES],
    *[f"TRUNCATE {table}" for table in COPIES],
    f"INSERT INTO version_credit SELECT {OUT}, gen_random_uuid(), asset_id, contributor_id, 'x', NULL, NULL, role, NULL, acceptance, 9 FROM version_credit",
]  # fmt: skip  # a statement a line is read at a glance


@pytest.mark.parametrize("statement", AS_APPLICATION)
async def test_no_statement_changes_what_was_published(here: Company, statement: str) -> None:
    before = await everything(here)
    with pytest.raises(Exception, match=REFUSED + r"|manifest_hash_check|published with a manifest"):
        async with here.database.write() as connection:
            await connection.execute(text(statement))
    assert await everything(here) == before


async def as_owner(here: Company, statement: str) -> None:
    async with here.database.write() as connection:
        await connection.execute(text("SET LOCAL ROLE casset_owner"))
        await connection.execute(text(statement))


async def test_neither_does_the_owner_of_the_tables(here: Company) -> None:
    before = await everything(here)
    for statement in AS_APPLICATION:
        with pytest.raises(Exception, match=REFUSED + r"|manifest_hash_check|published with a manifest"):
            await as_owner(here, statement)
    assert await everything(here) == before


async def test_the_application_cannot_let_the_triggers_rest(here: Company) -> None:
    for statement in (
        "SET session_replication_role = replica",
        "ALTER TABLE manifest DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON manifest",
    ):
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            async with here.database.write() as connection:
                await connection.execute(text(statement))


async def test_who_writes_into_a_draft_while_it_is_published_is_refused_afterwards(here: Company) -> None:
    """The publisher commits while the other one waits, with a look at the draft taken before."""
    one, other = [await asyncpg.connect(**here.database._target) for _ in range(2)]
    try:
        await one.execute("BEGIN")
        await one.execute(f"SELECT FROM release_version WHERE id = {DRAFT} FOR UPDATE")
        await one.execute(f"UPDATE release_version SET state = 'PUBLISHED', is_compatibility = true WHERE id = {DRAFT}")
        await other.execute("SET statement_timeout = '20s'")
        late = asyncio.ensure_future(other.execute(f"UPDATE release_item SET title = 'x' WHERE version_id = {DRAFT}"))
        while not await one.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert not late.done()
        await one.execute("COMMIT")
        with pytest.raises(asyncpg.PostgresError, match="never changes"):
            await late
    finally:
        await one.close()
        await other.close()


async def test_an_import_fills_a_version_that_is_out_and_holds_nothing_and_no_other(here: Company) -> None:
    add = "INSERT INTO release_item (id, version_id, asset_id, position) SELECT :id, :version, id, :place FROM asset LIMIT 1"
    row = "INSERT INTO release_version (id, release_id, number, state, is_compatibility) SELECT :id, id, 70, 'PUBLISHED', true FROM release LIMIT 1"
    version = uuid7()
    async with here.database.write() as connection:
        await connection.execute(text(row), {"id": version})
    async with here.database.write() as connection:
        for place in (1, 2):
            await connection.execute(text(add), {"id": uuid7(), "version": version, "place": place})
    with pytest.raises(Exception, match="never changes"):
        async with here.database.write() as connection:
            await connection.execute(text(add), {"id": uuid7(), "version": version, "place": 3})
