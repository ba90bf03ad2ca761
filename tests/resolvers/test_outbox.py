"""The relay: a crowd that comes back asks the database as one, and a gap is read where it is true."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from db import tables
from db.engine import Database
from db.rooms import add_room_event
from domain.accounts import ANONYMOUS
from domain.ids import Kind, Ref
from domain.rooms import Mark, RoomEventKind
from resolvers.context import Acting, now, uuid7
from resolvers.happenings import RoomNews, room_events
from resolvers.outbox import Relay
from subscriptions.memory import MemoryBroker

PATIENCE = 60
CROWD = 500


async def a_room(database: Database, happened: int) -> tuple[Ref, UUID]:
    """A room in which so much has happened, and its epoch."""
    artist, room = uuid7(), Ref(Kind.ROOM, uuid7())
    async with database.write() as connection:
        named = {"handle": "w", "name": "w", "kind": "CREATOR", "claimed": True}
        await connection.execute(insert(tables.artist).values(id=artist, **named))
        made = insert(tables.room).values(id=room.id, artist_id=artist).returning(tables.room.c.epoch)
        epoch = (await connection.execute(made)).scalar_one()
        for _ in range(happened):
            await add_room_event(connection, room.id, RoomEventKind.FOLLOWED, None, {})
    return room, epoch


async def heard(acting: Acting, room: Ref, after: Mark | None, count: int) -> list[RoomNews]:
    """The first so many events, and the place they begin at."""
    news = []
    async with asyncio.timeout(PATIENCE), aclosing(room_events(acting, room, after)) as events:
        async for event in events:
            news.append(event)
            if len(news) > count:
                break
    return news


def acting(database: Database, relay: Relay) -> Acting:
    return Acting(database, ANONYMOUS, now, uuid7, relay=relay)


async def test_a_crowd_that_comes_back_asks_as_one_and_shares_what_it_is_told(
    database: Database, statements: list[str]
) -> None:
    room, epoch = await a_room(database, 20)
    relay = Relay(database, MemoryBroker())
    statements.clear()
    stories = await asyncio.gather(
        *(heard(acting(database, relay), room, Mark(room.id, epoch, 5), 15) for _ in range(CROWD))
    )
    asked = [sql for sql in statements if "room" in sql]
    assert len(asked) <= CROWD / 50
    for place in range(1, 16):
        assert len({id(story[place].made) for story in stories}) == 1


async def test_what_the_broker_does_not_know_is_read(database: Database) -> None:
    room, epoch = await a_room(database, 4)
    broker: Any = MemoryBroker()
    relay = Relay(database, broker)
    async with relay.following(room.id) as (followed, _):
        marks = [event.mark for event in (await heard(acting(database, relay), room, Mark(room.id, epoch, 0), 4))[1:]]
        # The broker forgets, and is told of the seventh before anybody told of the fifth.
        broker._topics[followed.topic]._whole_from = 5
        told = asyncio.create_task(heard(acting(database, relay), room, Mark(room.id, epoch, 2), 5))
        for _ in range(1000):
            if len(followed.hearings) == 2:
                break
            await asyncio.sleep(0.01)
        async with database.write() as connection:
            for _ in range(3):
                await add_room_event(connection, room.id, RoomEventKind.FOLLOWED, None, {})
        body = (await relay.since(followed, 6, 8))[0]
        await broker.publish(followed.topic, 7, body)
        numbers = [event.mark for event in (await told)[1:]]
    assert numbers[:2] == marks[2:]
    assert len(set(numbers)) == 5
