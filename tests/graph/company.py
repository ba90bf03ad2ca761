"""Some people with accounts, and two artists of the first of them; everything is asked as a browser asks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.accounts import viewer_of_account
from db.custody import DETAILS
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from graph.server.buckets import MemoryBuckets
from graph.server.mail import Folder
from resolvers.callers import Caller, House
from resolvers.context import now, uuid7
from resolvers.passwords import Passwords
from tests.graph.readers import reader_of

# For tests that ask as a viewer, without signing in: Ada and Bo, each with an artist of that name.
ADA, BO = UUID(int=21), UUID(int=22)
ADAS = Viewer(UUID(int=31), (ADA,), (ADA,))
BOS = Viewer(UUID(int=32), (BO,), (BO,))

PEOPLE = ("ada", "bo", "cy", "dee")
ARTISTS = ("nova", "far")
ASSETS = {"track": "TRACK", "other": "TRACK", "release": "RELEASE"}

PATIENCE = 60
"""Seconds after which a test gives up; no law here is about how long something takes."""


@dataclass
class Company:
    """A database with some people in it; `ids` are references by name."""

    database: Database
    house: House
    execution: Execution = Execution.PLAN
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, UUID] = field(default_factory=dict)

    async def settle(self) -> None:
        """Write everybody down: Ada owns Nova, with a track and a release, and Bo owns Far, with another track."""
        async with self.database.write() as connection:
            for name in PEOPLE:
                self.keys[name] = uuid7()
                await connection.execute(insert(tables.account).values(id=self.keys[name], handle=name))
            for handle, owner in zip(ARTISTS, PEOPLE, strict=False):
                id_ = self._name(handle, Kind.ARTIST)
                row = {"id": id_, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
                await connection.execute(insert(tables.artist).values(row))
                row = {"id": self._name(f"{handle}'s", Kind.MEMBER), "artist_id": id_, "role": "OWNER"}
                await connection.execute(insert(tables.membership).values(account_id=self.keys[owner], **row))
            await self._furnish(connection)

    async def _furnish(self, connection: Any) -> None:
        for name, kind in ASSETS.items():
            id_ = self._name(name, Kind(kind.lower()))
            row = {"owner_id": self.keys["far" if name == "other" else "nova"], "title": name, "state": "PUBLIC"}
            await connection.execute(insert(tables.asset).values(id=id_, kind=kind, **row))
            await connection.execute(insert(tables.metadata.tables[kind.lower()]).values(id=id_))

    def _name(self, name: str, kind: Kind) -> UUID:
        self.keys[name] = uuid7()
        self.ids[name] = str(Ref(kind, self.keys[name]))
        return self.keys[name]

    async def ask(self, who: str | None, document: str, **variables: Any) -> tuple[Any, str]:
        """(the first field's answer, the whole body), asked as whoever that is by now."""
        reader = reader_of(self.database, self.execution)
        async with self.database.read() as connection:
            viewer = ANONYMOUS if who is None else await viewer_of_account(connection, self.keys[who], now())
        body = (await reader.answer(document, None, variables, viewer, Caller(self.house, who or "x"))).body.decode()
        told = json.loads(body)
        assert "errors" not in told, told
        return next(iter(told["data"].values())), body

    async def do(self, who: str | None, mutation: str, asked: str = "", **given: Any) -> Any:
        """What a mutation answers: the fields asked for of its success, or its refusal."""
        root = executable().mutation_type
        assert root is not None
        success = root.fields[mutation].type.of_type.types[0]
        first = "artist { id }" if "artist" in success.fields else "entitlement { id state }"
        input_ = root.fields[mutation].args["input"].type
        told, _ = await self.ask(
            who,
            f"mutation ($input: {input_}) {{ {mutation}(input: $input) {{ __typename "
            f"... on UserError {{ code message path }} ... on {success} {{ {asked or first} }} }} }}",
            input=given,
        )
        return told

    async def invited(self, role: str, who: str = "ada") -> str:
        """A code that invites to Nova."""
        told = await self.do(who, "inviteMember", "inviteCode", artist=self.ids["nova"], role=role)
        return str(told["inviteCode"])

    async def joined(self, who: str, role: str) -> str:
        """Let somebody hold Nova, too; their membership."""
        told = await self.do(who, "acceptInvite", code=await self.invited(role))
        assert told["__typename"] == "MembersSuccess", told
        return (await self.members("ada"))[who][1]

    async def members(self, who: str | None) -> dict[str, tuple[str, str]]:
        """(role, membership) by handle, of Nova, as somebody sees it."""
        told, _ = await self.ask(who, '{ artist(handle: "nova") { members { nodes { id handle role } totalCount } } }')
        nodes = told["members"]["nodes"]
        assert told["members"]["totalCount"] == len(nodes)
        return {node["handle"]: (node["role"], node["id"]) for node in nodes}

    async def count(self, table: Any, *where: Any) -> int:
        """How many rows there are."""
        async with self.database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(table).where(*where))).scalar_one()

    async def at_once(self, lock: str, *deeds: Awaitable[Any]) -> list[Any]:
        """What some deeds answer that all have begun, and wait for one lock, before any of them goes on."""
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted "
            "AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )
        async with self.database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            await connection.exec_driver_sql(lock)
            tasks = [asyncio.ensure_future(deed) for deed in deeds]
            async with asyncio.timeout(PATIENCE):
                while (await connection.exec_driver_sql(waiting)).scalar_one() < len(tasks):
                    await asyncio.wait(tasks, timeout=0.01)
                    # Who is connected is looked at once in a transaction, and some connect only now.
                    await connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        return await asyncio.gather(*tasks)

    async def alter(self, table: Any, values: Any, *where: Any) -> None:
        """Let something be otherwise, as its owner may whom no right binds."""
        async with self.database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            await connection.execute(update(table).where(*where).values(values))


@asynccontextmanager
async def company(database: Database, folder: Path, execution: Execution = Execution.PLAN) -> AsyncIterator[Company]:
    """Everybody, until the end of a test."""
    ample = MemoryBuckets(1000, 1)
    house = House(Passwords(patience=30), Folder(folder, "casset@example.com"), ample, ample, ample)
    here = Company(database, house, execution)
    await here.settle()
    yield here
    house.passwords.close()


async def add_owners(connection: AsyncConnection) -> None:
    """Ada and Bo, each with an account and an artist."""
    for viewer, handle in ((ADAS, "ada"), (BOS, "bo")):
        await connection.execute(insert(tables.account).values(id=viewer.account, handle=handle))
        await add_artist(connection, viewer.holds[0], handle)


async def add_artist(connection: AsyncConnection, artist: UUID, handle: str) -> None:
    """An artist somebody signs in for."""
    row = {"id": artist, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
    await connection.execute(insert(tables.artist).values(row))


async def add_asset(
    connection: AsyncConnection,
    asset: UUID,
    owner: UUID,
    state: str = "PUBLIC",
    kind: Kind = Kind.TRACK,
    title: str = "x",
    **details: Any,
) -> None:
    """An asset, with what its kind has of its own."""
    row = {"id": asset, "kind": kind.value.upper(), "owner_id": owner, "title": title, "state": state}
    await connection.execute(insert(tables.asset).values(row))
    await connection.execute(insert(DETAILS[kind]).values(id=asset, **details))


async def add_edge(connection: AsyncConnection, child: UUID, parent: UUID, kind: str, **said: Any) -> None:
    """An edge that an import confirmed."""
    row = {"id": uuid7(), "child_id": child, "parent_id": parent, "kind": kind, "evidence_source": "IMPORT"}
    standing = {"status": "CONFIRMED", "registration": "REGISTERED", "binding": True, "child_is_older": False}
    await connection.execute(insert(tables.lineage_edge).values({**row, **standing, **said}))


async def publish(connection: AsyncConnection, release: UUID, item: UUID) -> None:
    """Let the next version of a release be out, which holds one thing, as an import brings it."""
    version, id_ = tables.release_version, uuid7()
    of_release = version.c.release_id == release
    number = (await connection.execute(select(func.count()).where(of_release))).scalar_one() + 1
    was_out = of_release, version.c.state == "PUBLISHED"
    await connection.execute(update(version).where(*was_out).values(state="SUPERSEDED"))
    row = {"id": id_, "release_id": release, "number": number, "state": "PUBLISHED", "is_compatibility": True}
    await connection.execute(insert(version).values(**row, published_at=func.now()))
    await connection.execute(insert(tables.release_item).values(id=uuid7(), version_id=id_, asset_id=item, position=1))
    current = update(tables.release).where(tables.release.c.id == release)
    await connection.execute(current.values(current_version_id=id_))


async def ask(reader: Reader, viewer: Viewer, document: str, **variables: Any) -> Any:
    """The answer of the first field; the whole of it where it was refused."""
    answer = json.loads((await reader.answer(document, None, variables, viewer)).body)
    if not answer.get("data"):
        return answer
    assert "errors" not in answer, answer
    return next(iter(answer["data"].values()))


async def left_behind(database: Database, listed: Sequence[Table]) -> list[int]:
    """How many rows there are in some tables."""
    async with database.read() as connection:
        return [(await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in listed]
