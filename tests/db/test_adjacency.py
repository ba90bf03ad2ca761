"""Lineage in memory: the same steps are found there as in the rows, whoever walks and whatever was written since."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text, update

from db import tables
from db.engine import Database
from db.following import MOST_FOLLOWED, LineageIndex, index_of
from db.hops import Ground, ReadGround, Steps, distinct
from db.viewers import viewer_values
from db.walks import walking
from domain.accounts import ANONYMOUS, Viewer
from domain.assets import AssetKind
from domain.lineage import EdgeKind, EdgeStatus, Registration, StepKind

ADA, BO = UUID(int=21), UUID(int=22)
VIEWERS = (ANONYMOUS, Viewer(UUID(int=31), (ADA,), (ADA,)), Viewer(UUID(int=32), (BO,), ()))
ASSETS, RELEASES, ROUNDS = 30, 4, 40
# Ids that end in zero bytes, and whose parts repeat, are ids like any other.
ASSET_IDS = [UUID(int=(number // 5 + 1) << 64 | (number % 5) << 32) for number in range(ASSETS)]
RELEASE_IDS, VERSION_IDS = ([UUID(int=base + number) for number in range(RELEASES)] for base in (1000, 2000))


class Scene:
    """Assets of two artists, releases, and a hand that writes lineage at random."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database, self.random = database, Random(seed)
        self.open: list[UUID] = []
        self.held: dict[int, list[UUID]] = {number: [] for number in range(RELEASES)}
        self.count = 0

    async def settle(self) -> None:
        async with self.database.write() as connection:
            for artist, account, handle in ((ADA, 31, "ada"), (BO, 32, "bo")):
                await connection.execute(insert(tables.account).values(id=UUID(int=account), handle=handle))
                row = {"id": artist, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
                await connection.execute(insert(tables.artist).values(row))
        for id_ in ASSET_IDS:
            await self.asset(id_, "TRACK")
        for number, (release, version) in enumerate(zip(RELEASE_IDS, VERSION_IDS, strict=True)):
            await self.asset(release, "RELEASE")
            async with self.database.write() as connection:
                await connection.execute(insert(tables.release).values(id=release))
                row = {"id": version, "release_id": release, "number": 1}
                await connection.execute(insert(tables.release_version).values(row))
                if number % 2:
                    await connection.execute(
                        update(tables.release).values(current_version_id=version).where(tables.release.c.id == release)
                    )

    async def asset(self, id_: UUID, kind: str) -> None:
        row = {"id": id_, "kind": kind, "title": "", "state": "PUBLIC", "owner_id": self.random.choice((ADA, BO))}
        async with self.database.write() as connection:
            await connection.execute(insert(tables.asset).values(row))

    def new_id(self) -> UUID:
        """Not in the order in which they are made."""
        self.count += 1
        return UUID(int=self.random.getrandbits(64) << 64 | self.count << 8)

    async def write(self) -> None:
        """Something of what happens to lineage."""
        random, edge = self.random, tables.lineage_edge
        async with self.database.write() as connection:
            match random.randrange(6):
                case 0 if self.open:
                    ended = self.open.pop(random.randrange(len(self.open)))
                    closed = text(
                        "UPDATE lineage_edge SET known = tstzrange(lower(known), clock_timestamp()) WHERE id = :id"
                    )
                    await connection.execute(closed, {"id": ended})
                case 1:
                    number = random.randrange(RELEASES)
                    version = VERSION_IDS[number]
                    current = None if random.random() < 0.3 else version
                    turned = update(tables.release).where(tables.release.c.id == RELEASE_IDS[number])
                    await connection.execute(turned.values(current_version_id=current))
                case 2:
                    number = random.randrange(RELEASES)
                    item = tables.release_item
                    asset = random.choice(ASSET_IDS)
                    if asset not in self.held[number]:
                        self.held[number].append(asset)
                        row = {"id": self.new_id(), "version_id": VERSION_IDS[number], "asset_id": asset}
                        await connection.execute(insert(item).values(**row, position=len(self.held[number])))
                case _:
                    await connection.execute(insert(edge).values([self._edge() for _ in range(random.randrange(1, 6))]))
        if random.random() < 0.2:
            late = UUID(int=3000 + self.count)
            await self.asset(late, "SAMPLE")
            async with self.database.write() as connection:
                await connection.execute(insert(edge).values(self._edge(child=late)))

    def _edge(self, child: UUID | None = None) -> dict[str, Any]:
        random, id_ = self.random, self.new_id()
        first, second = random.sample(ASSET_IDS, 2)
        now = datetime.now(UTC)
        since = now - timedelta(days=1) if random.random() < 0.9 else now + timedelta(days=1)
        until = None if random.random() < 0.9 else now + timedelta(days=random.choice((-1, 2)) / 2)
        if until is not None and until <= since:
            until = None
        self.open.append(id_)
        return {
            "id": id_,
            "child_id": child or first,
            "parent_id": second,
            "kind": random.choice(list(EdgeKind)).value,
            # Several edges between one pair and of one kind differ in their windows.
            "child_start_ms": self.count,
            "child_end_ms": self.count + 1,
            "status": random.choice(list(EdgeStatus)).value,
            "registration": random.choice(list(Registration)).value,
            "binding": True,
            "child_is_older": False,
            "evidence_source": "CHILD_OWNER",
            "valid": text(f"tstzrange('{since.isoformat()}', {'NULL' if until is None else repr(until.isoformat())})"),
        }


async def steps_found(ground: Ground, here: list[UUID], steps: Steps) -> list[tuple[Any, ...]]:
    hops = await ground.hops(np.array([ground.number(id_) for id_ in here], np.int64), steps)
    ends = ground.assets(hops.near), ground.assets(hops.far)
    assert ground.keys(hops.far) == [id_.bytes for id_ in ends[1]]
    return sorted(
        (id_, kind, near, far) for (id_, kind), near, far in zip(ground.bonds(hops.bonds), *ends, strict=True)
    )


async def in_memory(database: Database) -> LineageIndex:
    index = index_of(database)
    index.wanted(database)
    await index.ready()
    return index


@given(st.lists(st.integers(0, 40)))
def test_what_is_distinct_is_there_once_in_order(numbers: list[int]) -> None:
    assert distinct(np.array(numbers, np.int64)).tolist() == sorted(set(numbers))


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_found_in_memory_is_what_the_rows_say(database: Database, seed: int) -> None:
    scene = Scene(database, seed)
    await scene.settle()
    for _ in range(5):
        await scene.write()
    await in_memory(database)
    for _ in range(ROUNDS):
        await scene.write()
        here = scene.random.sample([*ASSET_IDS, *RELEASE_IDS], 12)
        for viewer in VIEWERS:
            kinds = scene.random.sample(list(StepKind), scene.random.randrange(1, len(StepKind)))
            statuses = scene.random.sample(list(EdgeStatus), scene.random.randrange(1, len(EdgeStatus)))
            upwards = scene.random.random() < 0.5
            for steps in (Steps(upwards, kinds, statuses), Steps(upwards, tuple(StepKind), tuple(EdgeStatus))):
                async with walking(database, viewer) as reader, database.read() as connection:
                    assert type(reader.ground).__name__ == "IndexGround"
                    read = ReadGround(connection, viewer_values(viewer))
                    assert await steps_found(reader.ground, here, steps) == await steps_found(read, here, steps)


async def test_a_walk_sees_what_was_committed_before_it_and_nothing_later(database: Database) -> None:
    scene = Scene(database, 7)
    await scene.settle()
    await in_memory(database)
    everything = Steps(True, tuple(StepKind), tuple(EdgeStatus))
    row = {
        **scene._edge(),
        "valid": text("tstzrange('2020-01-01', NULL)"),
        "status": "CONFIRMED",
        "registration": "PENDING",
    }
    async with database.write() as connection:
        await connection.execute(insert(tables.lineage_edge).values(row))
        async with walking(database, ANONYMOUS) as before:
            assert await steps_found(before.ground, ASSET_IDS, everything) == []
    async with walking(database, ANONYMOUS) as after:
        assert [id_ for id_, *_ in await steps_found(after.ground, ASSET_IDS, everything)] == [row["id"]]
        assert await steps_found(before.ground, ASSET_IDS, everything) == [], "a walk that began is not disturbed"


async def test_assets_without_bonds_and_assets_of_later_are_walked_from_like_any_other(database: Database) -> None:
    scene = Scene(database, 8)
    await scene.settle()
    await in_memory(database)
    late = [UUID(int=5000), UUID(int=5001)]
    for id_ in late:
        await scene.asset(id_, "TRACK")
    async with walking(database, ANONYMOUS) as reader:
        numbers = [reader.ground.number(id_) for id_ in (*late, ASSET_IDS[0])]
        assert len(set(numbers)) == 3
        assert max(numbers) < reader.ground.size
        assert reader.ground.assets(np.array(numbers, np.int64)) == [*late, ASSET_IDS[0]]
        for some in (numbers, numbers[2:]):
            ids = reader.ground.assets(np.array(some, np.int64))
            assert reader.ground.keys(np.array(some, np.int64)) == [id_.bytes for id_ in ids]
        # What is in no bond is not kept, and neither is its kind.
        assert reader.ground.kinds(np.array(numbers, np.int64)) is None
        known = np.array([reader.ground.number(id_) for id_ in (*RELEASE_IDS, ASSET_IDS[0])], np.int64)
        assert reader.ground.kinds(known) == [AssetKind.RELEASE] * RELEASES + [AssetKind.TRACK]
        assert await steps_found(reader.ground, late, Steps(True, tuple(StepKind), tuple(EdgeStatus))) == []
        tracks = reader.ground.may_be(np.array(numbers[2:], np.int64), [AssetKind.TRACK])
        assert len(tracks) == 1


async def test_too_much_written_since_makes_it_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(database, 9)
    await scene.settle()
    index = await in_memory(database)
    assert MOST_FOLLOWED > 3
    monkeypatch.setattr("db.following.MOST_FOLLOWED", 3)
    async with database.write() as connection:
        await connection.execute(insert(tables.lineage_edge).values([scene._edge() for _ in range(5)]))
    async with walking(database, ANONYMOUS) as reader:
        assert isinstance(reader.ground, ReadGround)
    await in_memory(database)
    async with database.read(snapshot=True) as connection:
        assert await index.at(connection) is not None


async def test_those_who_wait_while_it_is_given_up_walk_over_the_rows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(database, 10)
    await scene.settle()
    await in_memory(database)
    monkeypatch.setattr("db.following.MOST_FOLLOWED", 3)
    async with database.write() as connection:
        await connection.execute(insert(tables.lineage_edge).values([scene._edge() for _ in range(5)]))

    async def walked_on() -> Ground:
        async with walking(database, ANONYMOUS) as reader:
            return reader.ground

    assert {type(ground) for ground in await asyncio.gather(*[walked_on() for _ in range(3)])} == {ReadGround}
