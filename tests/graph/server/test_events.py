"""What happens in rooms, told to those who hear them: once, in order, from where they were, and to nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket as sockets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import insert, update

from db import tables
from db.accounts import add_session
from db.engine import POOL_WAIT, Database
from db.rooms import add_room_event
from domain.ids import Kind, Ref
from domain.rooms import RESUMABLE_EVENTS, Mark, RoomEventKind, mark_of, read_mark
from graph.execution import Execution
from graph.reading import Reader
from graph.server import watch
from graph.server.settings import Settings
from graph.server.sockets import SocketLimits
from graph.server.watch import LOOK_EVERY as CREDENTIALS_EVERY
from resolvers import admissions, outbox
from resolvers.admissions import ASKED_EVERY, TOLD_FOR
from resolvers.context import now, uuid7
from tests.graph.server.serving_clock import PATIENCE, Client, Served, served, until

ALL = """id kind at person { handle } joined message { id text } reaction comment { id hook positionMs }
    now { track hook title durationMs since } subject title heat"""
HEARING = "subscription ($room: ID!, $after: String) { roomEvents(roomId: $room, after: $after) { %s } }"
SHORT, WHOLE = HEARING % "id kind reaction", HEARING % ALL
ADA, BO = UUID(int=41), UUID(int=42)


class House:
    """Some rooms, and a server beside them; what happens is written by the test's own hand."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def settle(self) -> None:
        async with self.database.write() as connection:
            for account, name in ((ADA, "ada"), (BO, "bo")):
                await connection.execute(insert(tables.account).values(id=account, handle=name))

    async def session(self, account: UUID) -> dict[str, str]:
        """A new session of somebody, as `connection_init` takes it."""
        secret = uuid7().hex
        async with self.database.write() as connection:
            await add_session(connection, uuid7(), account, hashlib.sha256(secret.encode()).digest(), timedelta(days=1))
        return {"authorization": f"Bearer {secret}"}

    async def room(self, **given: Any) -> UUID:
        """A new world with a room."""
        artist, room = uuid7(), uuid7()
        async with self.database.write() as connection:
            named = {"handle": f"w{artist.hex[-12:]}", "name": "w", "kind": "CREATOR", "claimed": True}
            await connection.execute(insert(tables.artist).values(id=artist, **named))
            await connection.execute(insert(tables.room).values(id=room, artist_id=artist, **given))
        return room

    async def happen(self, room: UUID, *reactions: str) -> list[str]:
        """Reactions, each in a transaction of its own; their marks."""
        marks = []
        for reaction in reactions:
            async with self.database.write() as connection:
                id_ = await add_room_event(connection, room, RoomEventKind.REACTION, ADA, {"reaction": reaction})
            marks.append(await self.mark(room, id_))
        return marks

    async def mark(self, room: UUID, number: int) -> str:
        return mark_of(Mark(room, await self.epoch(room), number))

    async def epoch(self, room: UUID) -> UUID:
        return await self.one("SELECT epoch FROM room WHERE id = $1", room)

    async def one(self, sql: str, *values: Any) -> Any:
        connection = await asyncpg.connect(**self.database._target)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def house(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[House]:
    opened = Database(new_target())
    await opened.open()
    made = House(opened)
    await made.settle()
    yield made
    await opened.close()


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Look soon; how long it takes outside of tests is the first law here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "LOOK_EVERY", 0.3)
        patch.setattr(watch, "LOOK_EVERY", 0.3)
        patch.setattr(admissions, "ASKED_EVERY", 0.3)
        yield


@pytest.fixture(scope="module", params=["memory", "redis"])
def server(request: pytest.FixtureRequest, house: House, redis_url: str) -> Iterator[Served]:
    """A server that tells in its own process, and one that tells over Redis."""
    settings = Settings(redis_url=redis_url) if request.param == "redis" else Settings()
    with served(house.database._target, settings) as running:
        yield running


def ref(room: UUID) -> str:
    return str(Ref(Kind.ROOM, room))


async def hear(client: Client, room: UUID, after: str | None = None, id: str = "1", query: str = SHORT) -> None:
    """Hear a room, and wait until it is heard."""
    await client.subscribe(id, query, variables={"room": ref(room), "after": after})


def events(heard: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    assert all(message.get("type") == "next" for message in heard), heard
    return [message["payload"]["data"]["roomEvents"] for message in heard]


async def told(client: Client, count: int) -> list[Mapping[str, Any]]:
    """The next so many events."""
    return events([await client.hear() for _ in range(count)])


async def followed(server: Served, room: UUID, listeners: int = 1) -> None:
    """Wait until a room is heard by so many."""
    rooms = server.app._relay._rooms

    def is_heard() -> bool:
        return room in rooms and len(rooms[room].hearings) >= listeners

    await until(is_heard)


def test_whoever_lost_what_let_them_in_is_gone_within_five_seconds() -> None:
    # The wait for the next look, and a statement or two.
    assert max(ASKED_EVERY, CREDENTIALS_EVERY) + POOL_WAIT <= 5
    assert ASKED_EVERY <= 2 < TOLD_FOR <= 5


# Once, and in order


async def test_what_happens_is_told_once_in_order_and_with_all_there_is(house: House, server: Served) -> None:
    room = await house.room()
    async with server.socket() as client:
        await hear(client, room, query=WHOLE)
        await followed(server, room)
        message, hook = str(Ref(Kind.MESSAGE, uuid7())), str(Ref(Kind.HOOK, uuid7()))
        track, since = str(Ref(Kind.TRACK, uuid7())), "2026-01-31T12:00:00Z"
        now = {"track": track, "hook": None, "title": "Wind", "durationMs": 1000, "since": since}
        happened: list[tuple[RoomEventKind, dict[str, Any]]] = [
            (RoomEventKind.MESSAGE, {"message": message, "text": "Hello"}),
            (RoomEventKind.REACTION, {"reaction": "FIRE"}),
            (RoomEventKind.NOW_CHANGED, now),
            (RoomEventKind.NOW_CHANGED, {}),
            (RoomEventKind.COMMENT, {"comment": message, "hook": hook, "positionMs": 7}),
            (RoomEventKind.RELEASE_PUBLISHED, {"release": track, "title": "Out"}),
            (RoomEventKind.HEAT_CHANGED, {"heat": 1.5}),
            (RoomEventKind.PRESENCE, {"joined": False}),
        ]
        async with house.database.write() as connection:
            for kind, payload in happened:
                await add_room_event(connection, room, kind, ADA, payload)
        heard = await told(client, len(happened))
    assert [event["kind"] for event in heard] == [kind.value for kind, _ in happened]
    assert [read_mark(event["id"], room).id for event in heard] == [*range(1, 9)]
    assert {event["person"]["handle"] for event in heard} == {"ada"}
    assert heard[0]["message"] == {"id": message, "text": "Hello"}
    assert heard[1]["reaction"] == "FIRE"
    assert heard[2]["now"] == {**now, "since": "2026-01-31T12:00:00.000000Z"}
    assert heard[3]["now"] is None
    assert heard[4]["comment"] == {"id": message, "hook": hook, "positionMs": 7}
    assert (heard[5]["subject"], heard[5]["title"], heard[6]["heat"]) == (track, "Out", 1.5)
    assert [event["joined"] for event in heard] == [None] * 7 + [False]


async def test_what_was_rolled_back_was_never_told(house: House, server: Served) -> None:
    room = await house.room()
    async with server.socket() as client:
        await hear(client, room)
        await followed(server, room)
        async with house.database.write() as connection:
            await add_room_event(connection, room, RoomEventKind.REACTION, ADA, {"reaction": "FIRE"})
            await connection.rollback()
        (mark,) = await house.happen(room, "WAVE")
        assert (await told(client, 1))[0] == {"id": mark, "kind": "REACTION", "reaction": "WAVE"}


async def test_an_old_open_transaction_delays_nobody(house: House, server: Served) -> None:
    room, other = await house.room(), await house.room()
    async with server.socket() as client, house.database.write() as connection:
        await hear(client, room)
        await followed(server, room)
        await add_room_event(connection, other, RoomEventKind.REACTION, ADA, {"reaction": "FIRE"})
        marks = await house.happen(room, "WAVE")
        assert [event["id"] for event in await told(client, 1)] == marks


async def test_what_no_notification_told_is_found(house: House, server: Served) -> None:
    room = await house.room()
    async with server.socket() as client:
        await hear(client, room)
        await followed(server, room)
        await house.one("ALTER TABLE room_event DISABLE TRIGGER room_event_told")
        try:
            marks = await house.happen(room, "WAVE")
            assert [event["id"] for event in await told(client, 1)] == marks
        finally:
            await house.one("ALTER TABLE room_event ENABLE TRIGGER room_event_told")


async def test_the_relay_comes_back_to_a_database_that_cut_it_off(house: House, server: Served) -> None:
    room = await house.room()
    async with server.socket() as client:
        await hear(client, room)
        await followed(server, room)
        listening = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        connection = await asyncpg.connect(**{**house.database._target, "user": "postgres"})
        assert await connection.fetchval(listening) >= 1
        await connection.close()
        marks = await house.happen(room, "WAVE", "FIRE")
        assert [event["id"] for event in await told(client, 2)] == marks


async def test_no_stream_holds_a_connection_of_the_database(house: House, server: Served) -> None:
    room = await house.room()
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.socket()) for _ in range(30)]
        for client in clients:
            await hear(client, room)
        await followed(server, room, 30)
        await house.happen(room, "WAVE")
        for client in clients:
            await client.hear()
        idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
        # Somebody looks now and then who may still be there; nobody stays.
        assert min([await house.one(idle) for _ in range(20)]) == 0


async def test_one_answer_is_made_for_all_who_ask_the_same(house: House, server: Served) -> None:
    room = await house.room()
    made = server.app.reader.metrics.made
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.socket()) for _ in range(20)]
        for number, client in enumerate(clients):
            await hear(client, room, query=WHOLE if number % 2 else SHORT)
        await followed(server, room, 20)
        before = made._value.get()
        await house.happen(room, "WAVE", "FIRE")
        for client in clients:
            await told(client, 2)
        assert made._value.get() - before == 2 * 2


# Coming back


async def test_who_comes_back_goes_on_where_they_were(house: House, server: Served) -> None:
    room = await house.room()
    marks = await house.happen(room, *["WAVE"] * 5)
    for away in range(6):
        after = await house.mark(room, away)
        async with server.socket() as client:
            await hear(client, room, after)
            assert [event["id"] for event in await told(client, 5 - away)] == marks[away:]
            await followed(server, room)
            more = await house.happen(room, "FIRE")
            assert [event["id"] for event in await told(client, 1)] == more
        marks = marks[:5]
        async with house.database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            await connection.exec_driver_sql(f"DELETE FROM room_event WHERE room_id = '{room}' AND id > 5")
            await connection.execute(update(tables.room).where(tables.room.c.id == room).values(last_event_id=5))
        await until(lambda: room not in server.app._relay._rooms)


async def test_who_is_cut_off_again_and_again_is_told_everything_once(house: House, server: Served) -> None:
    room, count = await house.room(), 150

    async def listener(seed: int) -> list[int]:
        seen: list[int] = []
        after = await house.mark(room, 0)
        while len(seen) < count:
            async with server.socket() as client:
                await hear(client, room, after)
                for _ in range(min(7 + 13 * seed, count - len(seen))):
                    (event,) = await told(client, 1)
                    assert event["kind"] == "REACTION"
                    seen.append(read_mark(event["id"], room).id)
                    after = event["id"]
                client.socket.transport.abort()
        return seen

    async def speaker() -> None:
        for _ in range(count):
            async with house.database.write() as connection:
                await add_room_event(connection, room, RoomEventKind.REACTION, ADA, {"reaction": "WAVE"})

    async with asyncio.timeout(6 * PATIENCE):
        *logs, _ = await asyncio.gather(*(listener(seed) for seed in range(8)), speaker())
    assert logs == [[*range(1, count + 1)]] * 8


@pytest.mark.parametrize("place", ["another epoch", "the future", "too far back", "too long ago", "forgotten"])
async def test_whose_place_is_void_is_told_to_start_afresh_and_goes_on(
    house: House, server: Served, place: str
) -> None:
    room = await house.room()
    await house.happen(room, "WAVE")
    after = await house.mark(room, 0)
    if place == "another epoch":
        after = mark_of(Mark(room, UUID(int=7), 1))
    elif place == "the future":
        after = await house.mark(room, 100)
    elif place == "too far back":
        await house.one(
            "INSERT INTO room_event (room_id, id, kind) SELECT $1, n, 'FOLLOWED' FROM generate_series(2, $2) n",
            room,
            RESUMABLE_EVENTS + 1,
        )
        await house.one("UPDATE room SET last_event_id = $2 WHERE id = $1", room, RESUMABLE_EVENTS + 1)
    elif place == "forgotten":
        # Of three events the first is kept no more: who has seen none of them would miss it without a word.
        await house.happen(room, "WAVE", "WAVE")
        await house.one("DELETE FROM room_event WHERE room_id = $1 AND id = 1", room)
    else:
        await house.one("UPDATE room_event SET at = at - interval '11 minutes' WHERE room_id = $1", room)
    async with server.socket() as client:
        await hear(client, room, after)
        (reset,) = await told(client, 1)
        assert reset["kind"] == "RESET"
        (mark,) = await house.happen(room, "FIRE")
        assert [event["id"] for event in await told(client, 1)] == [mark]
        # From the place that came with it one goes on, too.
    async with server.socket() as client:
        await hear(client, room, reset["id"])
        assert [event["id"] for event in await told(client, 1)] == [mark]


async def test_a_room_of_which_all_is_forgotten_goes_on_from_its_last_number(house: House, server: Served) -> None:
    room = await house.room()
    _, last = await house.happen(room, "WAVE", "WAVE")
    await house.one("DELETE FROM room_event WHERE room_id = $1", room)
    marks: list[str] = []
    for after in (None, last):
        async with server.socket() as client:
            await hear(client, room, after)
            await followed(server, room)
            marks += await house.happen(room, "FIRE")
            assert [event["id"] for event in await told(client, len(marks))] == marks


async def test_a_room_that_was_restored_begins_again_for_who_hears_it(house: House, server: Served) -> None:
    room = await house.room()
    async with server.socket() as client:
        await hear(client, room)
        await followed(server, room)
        before = await house.happen(room, "WAVE")
        assert [event["id"] for event in await told(client, 1)] == before
        await house.one("UPDATE room SET epoch = gen_random_uuid() WHERE id = $1", room)
        assert (await told(client, 1))[0]["kind"] == "RESET"
        after = await house.happen(room, "FIRE")
        assert [event["id"] for event in await told(client, 1)] == after


async def test_words_that_were_taken_back_are_not_told_to_who_comes_back(house: House, server: Served) -> None:
    room, message = await house.room(), str(Ref(Kind.MESSAGE, uuid7()))
    async with server.socket() as first, server.socket() as second:
        await hear(first, room, query=WHOLE)
        await followed(server, room)
        async with house.database.write() as connection:
            await add_room_event(connection, room, RoomEventKind.MESSAGE, ADA, {"message": message, "text": "Oh no"})
            await add_room_event(connection, room, RoomEventKind.MESSAGE_DELETED, None, {"message": message})
        assert [event["message"]["text"] for event in await told(first, 2)] == ["Oh no", None]
        await hear(second, room, await house.mark(room, 0), query=WHOLE)
        assert [event["message"]["text"] for event in await told(second, 2)] == [None, None]


# Bad input, and who is let in


@pytest.mark.parametrize("after", ["", "x", "\x00", "=" * 56, "A" * 56, "-1", "elsewhere"])
async def test_a_place_that_is_none_is_refused_before_anything_runs(house: House, server: Served, after: str) -> None:
    room = await house.room()
    if after == "elsewhere":
        after = await house.mark(await house.room(), 0)
    async with server.socket() as client:
        await hear(client, room, after)
        refused = await client.hear()
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_room_that_is_not_ones_own_is_not_there(house: House, server: Served) -> None:
    hidden, nowhere = await house.room(visibility="MEMBERS"), uuid7()
    answers = []
    async with server.socket() as client:
        for room in (hidden, nowhere):
            await hear(client, room)
            answers.append(await client.hear())
    assert answers[0] == answers[1]
    assert answers[0]["payload"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_who_is_sent_out_hears_nothing_more(house: House, server: Served) -> None:
    room = await house.room()
    async with server.socket(await house.session(BO)) as sent_out, server.socket(await house.session(ADA)) as stays:
        for client in (sent_out, stays):
            await hear(client, room)
        await followed(server, room, 2)
        async with house.database.write() as connection:
            person = {"room_id": room, "account_id": BO, "banned_at": now()}
            await connection.execute(insert(tables.room_person).values(id=uuid7(), **person))
        assert await sent_out.hear() == {"id": "1", "type": "complete"}
        marks = await house.happen(room, "WAVE")
        assert [event["id"] for event in await told(stays, 1)] == marks
        await hear(sent_out, room)
        assert (await sent_out.hear())["payload"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_room_that_closed_is_heard_by_its_members_only(house: House, server: Served) -> None:
    room = await house.room()
    async with server.socket() as client:
        await hear(client, room)
        await followed(server, room)
        async with house.database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            closed = update(tables.room).where(tables.room.c.id == room).values(visibility="MEMBERS")
            await connection.execute(closed)
        assert await client.hear() == {"id": "1", "type": "complete"}


async def test_a_session_that_ended_ends_its_sockets_and_streams(house: House, server: Served) -> None:
    room, session = await house.room(), await house.session(BO)
    address = f"{server.http.address}/api/rooms/{ref(room)}/events"
    async with (
        server.socket(session) as client,
        httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as web,
        web.stream("GET", address, headers=session) as stream,
    ):
        await hear(client, room)
        await followed(server, room, 2)
        hashed = hashlib.sha256(session["authorization"].removeprefix("Bearer ").encode()).digest()
        async with house.database.write() as connection:
            ended = update(tables.session).where(tables.session.c.secret_hash == hashed)
            await connection.execute(ended.values(revoked_at=now()))
        assert await client.closed() == 4403
        async for _ in stream.aiter_raw():
            pass


# Over plain HTTP


@contextlib.asynccontextmanager
async def streamed(server: Served, path: str, **headers: str) -> AsyncIterator[Any]:
    async with (
        httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
        client.stream("GET", server.http.address + path, headers=headers) as response,
    ):
        yield response


async def parts(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """The events of a stream, as EventSource reads them; comments are none."""
    part: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            part[name] = value.strip()
        elif part.keys() - {""}:
            yield part
            part = {}


async def test_a_stream_of_events_is_resumed_by_its_last_id(house: House, server: Served) -> None:
    room = await house.room()
    path = f"/api/rooms/{ref(room)}/events"
    async with streamed(server, path) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        reading = parts(response)
        assert 1_000 <= int((await anext(reading))["retry"]) <= 5_000
        begins = await anext(reading)
        assert begins == {"id": await house.mark(room, 0)}
        marks = await house.happen(room, "WAVE", "FIRE")
        heard = [await anext(reading) for _ in range(2)]
        assert [event["id"] for event in heard] == marks
        first = json.loads(heard[0]["data"])
        assert (first["id"], first["reaction"], first["person"]) == (marks[0], "WAVE", {"handle": "ada"})
        await reading.aclose()
    for last in (begins["id"], marks[0]):
        async with streamed(server, path, **{"last-event-id": last}) as response:
            reading = parts(response)
            missed = [await anext(reading) for _ in range(2)][1]
            while "data" not in missed:
                missed = await anext(reading)
            assert missed["id"] == (marks[0] if last == begins["id"] else marks[1])
            await reading.aclose()


async def test_a_world_has_the_stream_of_its_room(house: House, server: Served) -> None:
    room = await house.room()
    handle = await house.one("SELECT handle FROM artist JOIN room ON artist_id = artist.id WHERE room.id = $1", room)
    async with streamed(server, f"/api/casset/{handle}/events") as response:
        reading = parts(response)
        await anext(reading)
        assert await anext(reading) == {"id": await house.mark(room, 0)}
        await reading.aclose()


async def test_what_cannot_be_streamed_is_said_as_a_problem(house: House, server: Served) -> None:
    room, hidden = await house.room(), await house.room(visibility="MEMBERS")
    elsewhere = await house.mark(hidden, 0)
    asked = [
        (f"/api/rooms/{ref(hidden)}/events", {}, 404),
        (f"/api/rooms/{ref(uuid7())}/events", {}, 404),
        ("/api/rooms/room_nonsense/events", {}, 404),
        ("/api/casset/nobody-here/events", {}, 404),
        (f"/api/rooms/{ref(room)}/events", {"last-event-id": "nonsense"}, 400),
        (f"/api/rooms/{ref(room)}/events", {"last-event-id": elsewhere}, 400),
        (f"/api/rooms/{ref(room)}/events", {"authorization": "Bearer nobody"}, 401),
    ]
    for path, headers, status in asked:
        async with streamed(server, path, **headers) as response:
            assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        assert (await client.head(f"{server.http.address}/api/rooms/{ref(room)}/events")).status_code == 200


# Slow readers, and the end of the process


async def test_who_does_not_read_is_closed_where_they_can_go_on_and_hurts_nobody(house: House) -> None:
    room = await house.room()
    with served(house.database._target, sockets=SocketLimits(unsent=20, unsent_seconds=0.2)) as strict:
        small = sockets.socket()
        small.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        small.connect(("127.0.0.1", strict.http.port))
        async with strict.socket(sock=small, max_queue=1) as deaf, strict.socket() as other:
            for client in (deaf, other):
                await hear(client, room, query=WHOLE)
            await followed(strict, room, 2)
            count = 0
            while room in strict.app._relay._rooms and len(strict.app._relay._rooms[room].hearings) == 2:
                await house.one(
                    "INSERT INTO room_event (room_id, id, kind, payload) SELECT $1, n, 'RELEASE_PUBLISHED', "
                    "jsonb_build_object('title', repeat('x', 10000)) FROM generate_series($2::int + 1, $2 + 50) n",
                    room,
                    count,
                )
                numbers = [read_mark(event["id"], room).id for event in await told(other, 50)]
                assert numbers == [*range(count + 1, count + 51)]
                count += 50
            heard = await deaf.rest()
    seen = [read_mark(event["id"], room).id for event in events(heard[:-1])]
    assert seen == [*range(1, len(seen) + 1)]
    assert len(seen) < count
    assert heard[-1] == {"code": 1013, "reason": f"resume after {await house.mark(room, len(seen))}"}


async def test_the_end_of_the_process_says_where_to_go_on_even_where_nothing_happened(house: House) -> None:
    room = await house.room()
    with served(house.database._target) as leaving:
        async with leaving.socket() as client:
            await hear(client, room)
            await followed(leaving, room)
            leaving.leave()
            mark = await house.mark(room, 0)
            assert (await client.rest())[-1] == {"code": 1012, "reason": f"resume after {mark}"}


async def test_plan_and_reference_tell_the_same(house: House, server: Served) -> None:
    room = await house.room()
    await house.happen(room, "WAVE", "FIRE")
    reader: Reader = server.app.reader
    after = await house.mark(room, 0)
    bodies = []
    async with server.socket() as client:
        for execution in Execution:
            reader._execution = execution
            await hear(client, room, after, id=execution.value, query=HEARING % f"again: {'kind'} {ALL}")
            bodies.append([(await client.hear())["payload"] for _ in range(2)])
    reader._execution = Execution.PLAN
    assert bodies[0] == bodies[1]


async def test_processes_on_one_redis_tell_as_one(house: House, redis_url: str) -> None:
    room, settings = await house.room(), Settings(redis_url=redis_url)
    with served(house.database._target, settings) as here, served(house.database._target, settings) as there:
        async with here.socket() as first, there.socket() as second:
            for served_, client in ((here, first), (there, second)):
                await hear(client, room)
                await followed(served_, room)
            marks = await house.happen(room, *["WAVE"] * 50)
            for client in (first, second):
                assert [event["id"] for event in await told(client, 50)] == marks
        async with there.socket() as client:
            await hear(client, room, marks[10])
            assert [event["id"] for event in await told(client, 39)] == marks[11:]
