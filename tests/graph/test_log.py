"""The log over all events: nothing is left out, nothing is forked, everything in it is proved and nothing can change."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.engine import Database
from db.provenance import append_events
from domain.checkpoints import Checkpoint, checkpoint_of
from domain.ids import Kind, Ref
from domain.log import Tile, origin_of, spelled, tile_of
from domain.merkle import is_consistent, is_included, leaf_hash, root_hash
from domain.provenance import Event, EventKind
from domain.signatures import Signer, multikey
from resolvers.context import uuid7
from resolvers.log import tile, write_on
from tests.graph.company import Company, company

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(f"did:web:casset.example#{multikey(KEY.public_key())}", KEY)
INCLUSION = "inclusion { state leafIndex treeSize hashes checkpoint }"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def subjects(number: int) -> list[Ref]:
    return [Ref(Kind.TRACK, uuid7()) for _ in range(number)]


async def happen(connection: AsyncConnection, *subjects: Ref) -> None:
    events = [
        Event(uuid7(), subject, EventKind.ASSET_UPDATED, NOW, None, {"fields": ["title"]}) for subject in subjects
    ]
    await append_events(connection, events)


async def events(database: Database, *subjects: Ref) -> None:
    async with database.write() as connection:
        await happen(connection, *subjects)


async def logged(database: Database) -> list[Any]:
    """The events in the order of the log."""
    leaf, event = tables.log_leaf, tables.provenance_event
    query = select(leaf.c.number, leaf.c.hash.label("leaf"), event).join(event, event.c.id == leaf.c.event_id)
    async with database.read() as connection:
        return list(await connection.execute(query.order_by(leaf.c.number)))


async def checkpoints(database: Database) -> list[Checkpoint]:
    table = tables.log_checkpoint
    async with database.read() as connection:
        notes = (await connection.execute(select(table.c.note).order_by(table.c.size))).scalars()
        return [checkpoint_of(note, [KEY.public_key()]) for note in notes]


async def test_every_event_becomes_a_leaf_once_and_every_checkpoint_fits(database: Database) -> None:
    one, other = subjects(2)
    for each in ([one], [one, other], [other] * 300, [one] * 260):
        await events(database, *each)
        assert await write_on(database, SIGNER) == len(each)
    assert await write_on(database, SIGNER) == 0
    rows = await logged(database)
    assert [row.number for row in rows] == list(range(563))
    leaves = [leaf_hash(bytes.fromhex(row.hash)) for row in rows]
    assert [row.leaf for row in rows] == leaves
    assert await checkpoints(database) == [
        Checkpoint("casset.example/log", size, root_hash(leaves[:size])) for size in (1, 3, 303, 563)
    ]


async def test_a_small_batch_is_gone_on_with(database: Database) -> None:
    await events(database, *subjects(1) * 25)
    assert [await write_on(database, SIGNER, most=10) for _ in range(4)] == [10, 10, 5, 0]
    assert [row.sequence for row in await logged(database)] == list(range(1, 26))


async def test_nothing_is_left_out_whatever_the_order_of_commits(database: Database) -> None:
    rng, chains, writing = random.Random(6), subjects(5), True
    locks = {subject: asyncio.Lock() for subject in chains}
    numbers = iter(range(400))

    async def write() -> None:
        for _ in numbers:
            subject = rng.choice(chains)
            async with database.write() as connection:
                # The transaction is older than the lock it waits for, as it is where rows are locked.
                await connection.execute(text("SELECT pg_current_xact_id()"))
                async with locks[subject]:
                    await happen(connection, subject)
                    await asyncio.sleep(rng.choice((0, 0.001, 0.01)))
                    await connection.commit()

    async def write_all() -> None:
        nonlocal writing
        await asyncio.gather(*[write() for _ in range(5)])
        writing = False

    async def follow() -> None:
        while writing:
            await asyncio.gather(write_on(database, SIGNER, most=20), write_on(database, SIGNER, most=20))

    await asyncio.gather(write_all(), follow())
    while await write_on(database, SIGNER):
        pass
    rows = await logged(database)
    assert len(rows) == 400
    for subject in chains:
        assert [row.sequence for row in rows if row.subject_id == subject.id] == list(
            range(1, 1 + sum(row.subject_id == subject.id for row in rows))
        ), "an event was logged before the one it follows"
    leaves = [row.leaf for row in rows]
    for checkpoint in await checkpoints(database):
        assert checkpoint.root == root_hash(leaves[: checkpoint.size])


async def test_an_open_transaction_holds_nobody_up(database: Database) -> None:
    early, late = subjects(2)
    async with database.write() as connection:
        await happen(connection, early)
        await events(database, late)
        assert await write_on(database, SIGNER) == 1
    assert await write_on(database, SIGNER) == 1
    assert [row.subject_id for row in await logged(database)] == [late.id, early.id]


async def test_who_comes_while_another_one_writes_finds_nothing_to_do(database: Database) -> None:
    await events(database, *subjects(1))
    async with database.write() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x6C6F67})
        assert await write_on(database, SIGNER) == 0
    assert await write_on(database, SIGNER) == 1


async def test_a_database_in_another_cluster_goes_on_with_its_log(database: Database) -> None:
    await events(database, *subjects(1))
    assert await write_on(database, SIGNER) == 1
    owner = await asyncpg.connect(**database._target)
    await owner.execute("ALTER TABLE log_checkpoint DISABLE TRIGGER append_only")
    await owner.execute("UPDATE log_checkpoint SET settled = '900000000'")
    await owner.execute("ALTER TABLE log_checkpoint ENABLE ALWAYS TRIGGER append_only")
    await owner.close()
    await events(database, *subjects(1))
    assert await write_on(database, SIGNER) == 1


async def test_a_log_keeps_its_name_when_the_house_moves(database: Database) -> None:
    moved = Ed25519PrivateKey.generate()
    for signer in (SIGNER, Signer(f"did:web:elsewhere.example%3A8443#{multikey(moved.public_key())}", moved)):
        await events(database, *subjects(1))
        await write_on(database, signer)
    async with database.read() as connection:
        notes = list((await connection.execute(select(tables.log_checkpoint.c.note))).scalars())
    keys = [KEY.public_key(), moved.public_key()]
    assert {checkpoint_of(note, keys).origin for note in notes} == {"casset.example/log"}
    assert origin_of(signer.method) == "elsewhere.example:8443/log"


# Each verb that could rewrite history, on each table of the log and of what is logged.
VERBS = (
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
    "MERGE INTO {table} AS old USING (SELECT 1) AS x ON true WHEN MATCHED THEN DELETE",
    "MERGE INTO {table} AS old USING (SELECT 1) AS x ON true WHEN MATCHED THEN UPDATE SET {column} = old.{column}",
    "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}",
)
TABLES = {
    "provenance_event": ("id", "kind"),
    "log_leaf": ("number", "entry"),
    "log_node": ("level, number", "hash"),
    "log_checkpoint": ("size", "note"),
}


@pytest.mark.parametrize("role", ["casset_app", "casset_owner", "postgres"])
async def test_nobody_rewrites_what_was_logged(database: Database, role: str) -> None:
    await events(database, *subjects(1) * 300)
    await write_on(database, SIGNER)
    connection = await asyncpg.connect(**{**database._target, "user": "postgres"})
    before = {table: await connection.fetch(f"SELECT * FROM {table}") for table in TABLES}
    await connection.execute(f"SET ROLE {role}")
    if role == "postgres":
        # Only who may do everything may play replica, whose rows go past triggers.
        await connection.execute("SET session_replication_role = replica")
    for table, (key, column) in TABLES.items():
        for verb in VERBS:
            statement = verb.format(table=table, key=key, column=column)
            if "ON CONFLICT" in verb:
                made = {"ref"} | ({"hash"} if table == "log_leaf" else set())
                columns = ", ".join(name for name, _ in before[table][0].items() if name not in made)
                statement = statement.replace(f"{table} SELECT * FROM", f"{table} ({columns}) SELECT {columns} FROM")
            with pytest.raises(asyncpg.PostgresError, match=r"permission denied|only ever added|must be owner"):
                await connection.execute(statement)
    await connection.execute("RESET ROLE")
    assert before == {table: await connection.fetch(f"SELECT * FROM {table}") for table in TABLES}
    await connection.close()


async def test_an_event_that_does_not_follow_is_not_written(database: Database) -> None:
    (subject,) = subjects(1)
    await events(database, subject, subject)
    row = "(gen_random_uuid(), '{subject}', {sequence}, 'ASSET_UPDATED', now(), {body}, {prev}, {hash})"
    body = "'{}'"
    good = hashlib.sha256(b"{}").hexdigest()
    async with database.read() as connection:
        heads = (await connection.execute(select(tables.provenance_event.c.hash))).scalars().all()
    for sequence, prev, hash_ in (
        (4, f"'{heads[1]}'", good),  # one is left out
        (3, f"'{heads[0]}'", good),  # a fork
        (3, "NULL", good),
        (3, f"'{good}'", good),
        (2, f"'{heads[0]}'", good),  # in the place of another
        (3, f"'{heads[1]}'", heads[1]),  # hashed as something else
    ):
        values = row.format(subject=subject.id, sequence=sequence, body=body, prev=prev, hash=f"'{hash_}'")
        with pytest.raises(Exception, match=r"does not follow|provenance_event_chain|unique"):
            async with database.write() as connection:
                await connection.execute(
                    text(
                        f"INSERT INTO provenance_event (id, subject_id, sequence, kind, at, body, prev, hash) VALUES {values}"
                    )
                )
    async with database.read() as connection:
        assert len((await connection.execute(select(tables.provenance_event.c.id))).all()) == 2


async def test_leaves_have_no_gaps_and_are_of_their_events(database: Database) -> None:
    await events(database, *subjects(1) * 4)
    await write_on(database, SIGNER, most=1)
    of_events = "SELECT {number}, id, {entry} FROM provenance_event WHERE sequence = 2"
    for number, entry in (("2", "decode(hash, 'hex')"), ("1", "decode(prev, 'hex')"), ("0", "decode(hash, 'hex')")):
        with pytest.raises(Exception, match=r"without gaps|unique"):
            async with database.write() as connection:
                await connection.execute(
                    text(
                        f"INSERT INTO log_leaf (number, event_id, entry) {of_events.format(number=number, entry=entry)}"
                    )
                )
    assert len(await logged(database)) == 1


async def test_tiles_are_those_of_the_tree(database: Database) -> None:
    await events(database, *subjects(1) * 520)
    await write_on(database, SIGNER)
    rows = await logged(database)
    leaves = [row.leaf for row in rows]
    assert await tile(database, Tile(0, 1, 256)) == b"".join(leaves[256:512])
    assert await tile(database, Tile(0, 2, 8)) == b"".join(leaves[512:])
    assert await tile(database, Tile(0, 2, 3)) == b"".join(leaves[512:515])
    assert await tile(database, Tile(1, 0, 2)) == root_hash(leaves[:256]) + root_hash(leaves[256:512])
    assert await tile(database, Tile(None, 2, 2)) == b"".join(
        b"\x00\x20" + bytes.fromhex(row.hash) for row in rows[512:514]
    )
    for missing in (Tile(0, 2, 9), Tile(1, 0, 3), Tile(2, 0, 1), Tile(None, 2, 256), Tile(0, 10**15 - 1, 256)):
        assert await tile(database, missing) is None


def test_a_path_names_a_tile_in_one_way() -> None:
    assert tile_of("0/x001/x234/067") == Tile(0, 1234067, 256)
    assert tile_of("63/000.p/255") == Tile(63, 0, 255)
    assert tile_of("entries/x001/000.p/1") == Tile(None, 1000, 1)
    for number in (0, 1, 999, 1000, 1234067, 10**12):
        assert tile_of(f"5/{spelled(number)}") == Tile(5, number, 256)
    for path in (
        *("", "0", "0/", "0/0", "0/00", "0/0000", "0/x000/001", "0/001/002", "0/x1/000", "00/000", "64/000", "-1/000"),
        *("0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/1000", "0/000.p/", "0/000.p", "0/000/", "/0/000"),
        *("0/٠٠٠", "entries", "0/" + "x999/" * 6 + "999", "0/../000", "entries/000\n", "data/000"),
    ):
        assert tile_of(path) is None, path


@pytest.fixture
async def people(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as made:
        yield made


async def rename(people: Company, version: int) -> None:
    track, title = people.ids["track"], f"Take {version}"
    told = await people.do("ada", "updateAsset", "asset { id }", id=track, title=title, expectedVersion=version)
    assert told["__typename"] == "UpdateAssetSuccess", told


async def test_an_event_is_pending_then_proved(people: Company) -> None:
    asked = f'{{ asset(id: "{people.ids["track"]}") {{ provenance {{ nodes {{ hash {INCLUSION} }} }} }} }}'
    for version in (1, 2, 3):
        await rename(people, version)
    told, _ = await people.ask(None, asked)
    waiting = {"state": "PENDING", "leafIndex": None, "treeSize": None, "hashes": None, "checkpoint": None}
    assert [node["inclusion"] for node in told["provenance"]["nodes"]] == [waiting] * 3
    await write_on(people.database, SIGNER)
    await rename(people, 4)
    told, _ = await people.ask(None, asked)
    states = [node["inclusion"]["state"] for node in told["provenance"]["nodes"]]
    assert sorted(states) == ["LOGGED", "LOGGED", "LOGGED", "PENDING"]
    await write_on(people.database, SIGNER)
    told, _ = await people.ask(None, asked)
    for node in told["provenance"]["nodes"]:
        assert proved(node["hash"], node["inclusion"])
        by_hash, _ = await people.ask(None, f'{{ logInclusion(hash: "{node["hash"]}") {{ {INCLUSION[12:-2]} }} }}')
        assert by_hash == node["inclusion"]


def proved(hash_: str, inclusion: Any) -> bool:
    checkpoint = checkpoint_of(inclusion["checkpoint"], [KEY.public_key()])
    path = [base64.b64decode(text) for text in inclusion["hashes"]]
    assert checkpoint.size == inclusion["treeSize"]
    return is_included(leaf_hash(bytes.fromhex(hash_)), inclusion["leafIndex"], checkpoint.size, path, checkpoint.root)


async def test_what_is_not_in_the_log_is_pending(people: Company) -> None:
    asked = f'{{ logInclusion(hash: "{"0" * 64}") {{ state }} }}'
    assert (await people.ask(None, asked))[0] == {"state": "PENDING"}
    await events(people.database, *subjects(1))
    await write_on(people.database, SIGNER)
    assert (await people.ask(None, asked))[0] == {"state": "PENDING"}


async def test_the_log_is_shown_to_have_grown(people: Company) -> None:
    roots: dict[int, bytes] = {}
    for batch in (1, 6, 300):
        await events(people.database, *subjects(1) * batch)
        await write_on(people.database, SIGNER)
    roots = {checkpoint.size: checkpoint.root for checkpoint in await checkpoints(people.database)}
    asked = "{ logConsistency(first: %s) { first second hashes checkpoint } }"
    for first in roots:
        told, _ = await people.ask(None, asked % f"{first}, second: 307")
        path = [base64.b64decode(text) for text in told["hashes"]]
        assert is_consistent(first, 307, (roots[first], roots[307]), path)
        assert (await people.ask(None, asked % first))[0] == told
        assert checkpoint_of(told["checkpoint"], [KEY.public_key()]).size == 307
    told, _ = await people.ask(None, asked % "1, second: 7")
    assert is_consistent(1, 7, (roots[1], roots[7]), [base64.b64decode(text) for text in told["hashes"]])
    assert told["checkpoint"] is None
    for sizes in ("308", "7, second: 308", "2147483647"):
        assert (await people.ask(None, asked % sizes))[0] is None
