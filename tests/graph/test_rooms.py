"""Rooms: who enters, what is said and heard there, in which order it happened, and who says how it goes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, update

from db import tables
from db.access import Action
from db.engine import Database
from db.hosting import hold_room
from db.rooms import events_after, last_events
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind
from domain.keys import KeyScope
from domain.rooms import Mark, RoomEventKind, mark_of
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from resolvers.context import uuid7
from resolvers.jobs import Workshop
from resolvers.playing import Player
from tests.graph.albums import SIGNER, draft, made, publish
from tests.graph.company import PATIENCE, Company, company

NOBODYS = str(Ref(Kind.ROOM, UUID(int=0x7777)))
SAID = "said { id text handle createdAt deletedAt room { id } }"
WRITTEN = (tables.room_event, tables.room_message, tables.room_person, tables.room_queue, tables.change, tables.outbox)


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    """Ada hosts the rooms of Nova: of her world and her hook, and of her release, which is out."""
    async with company(database, tmp_path) as each:
        await furnish(each)
        yield each


async def furnish(each: Company) -> None:
    async with each.database.write() as connection:
        for name, track in (("hook", "track"), ("far hook", "other")):
            each.keys[name] = uuid7()
            each.ids[name] = str(Ref(Kind.HOOK, each.keys[name]))
            row = {"track_id": each.keys[track], "start_ms": 0, "end_ms": 30_000}
            await connection.execute(insert(tables.hook).values(id=each.keys[name], **row))
    for name, subject in (("room", "nova"), ("hook room", "hook"), ("release room", "release")):
        await opened(each, name, subject)


async def opened(here: Company, name: str, subject: str, who: str = "ada", **given: Any) -> str:
    told = await here.do(who, "openRoom", "room { id }", subject=here.ids[subject], **given)
    here.ids[name] = told["room"]["id"]
    here.keys[name] = parse_ref(here.ids[name]).id
    return here.ids[name]


async def say(here: Company, who: str | None, text: str, room: str = "room", **given: Any) -> Any:
    return await here.do(who, "sendMessage", SAID, room=here.ids[room], text=text, **given)


async def said(here: Company, who: str, text: str, room: str = "room") -> str:
    told = await say(here, who, text, room)
    assert told["__typename"] == "MessageSuccess", told
    return str(told["said"]["id"])


async def read(here: Company, who: str | None, asked: str, room: str = "room") -> Any:
    return (await here.ask(who, f'{{ room(id: "{here.ids[room]}") {{ {asked} }} }}'))[0]


async def happened(here: Company, room: str = "room") -> list[tuple[str, str | None, dict[str, Any]]]:
    """What happened in a room, in order; the numbers have no gap, and time goes on."""
    async with here.database.read() as connection:
        events = await events_after(connection, here.keys[room], 0, 1000)
        epoch, last = (await last_events(connection, [here.keys[room]]))[here.keys[room]]
    assert [event.id for event in events] == list(range(1, last + 1))
    assert all(one.at <= two.at for one, two in pairwise(events))
    assert {event.epoch for event in events} <= {epoch}
    return [(event.kind.value, event.handle, dict(event.payload)) for event in events]


async def written(here: Company) -> list[int]:
    return [await here.count(table) for table in WRITTEN]


async def by_eights(deeds: list[Any]) -> list[Any]:
    """What some deeds answer that are done at once, as many as there are connections."""
    told = [await asyncio.gather(*deeds[start : start + 8]) for start in range(0, len(deeds), 8)]
    return [each for some in told for each in some]


def refusal(told: Any) -> tuple[str, list[str]]:
    return told["code"], told["path"]


# -- opening and entering ------------------------------------------------------------------------------------------


async def test_what_is_yours_has_one_room(here: Company) -> None:
    before = await written(here), await here.count(tables.room)
    assert await opened(here, "again", "nova", title="Another", visibility="MEMBERS") == here.ids["room"]
    assert (await read(here, None, "title visibility"))["visibility"] == "PUBLIC"
    for who, subject, code in (
        ("bo", "nova", "NOT_FOUND"),
        ("cy", "hook", "NOT_FOUND"),
        (None, "nova", "UNAUTHENTICATED"),
    ):
        told = await here.do(who, "openRoom", "room { id }", subject=here.ids[subject])
        assert told["code"] == code
    told = await here.do("ada", "openRoom", "room { id }", subject=here.ids["nova"], title="x" * 201)
    assert refusal(told) == ("VALIDATION", ["title"])
    assert (await written(here), await here.count(tables.room)) == before
    shown = "id hook { id } release { id } world { handle } now { since } lastEvent"
    assert (await read(here, None, shown, "hook room"))["hook"] == {"id": here.ids["hook"]}
    assert (await read(here, None, shown, "release room"))["release"] == {"id": here.ids["release"]}
    room = await read(here, None, shown)
    assert (room["hook"], room["release"], room["now"], room["world"]) == (None, None, None, {"handle": "nova"})
    async with here.database.read() as connection:
        ((key, (epoch, last)),) = (await last_events(connection, [here.keys["room"]])).items()
    assert room["lastEvent"] == mark_of(Mark(key, epoch, last))


async def test_who_may_enter_is_asked_at_every_door(here: Company) -> None:
    await here.joined("dee", "MEMBER")
    everybody = (None, "ada", "bo", "cy", "dee")
    first = await said(here, "cy", "hello")

    async def inside(*, at_every_door: bool = False) -> set[str | None]:
        """Who reads the room and what is said there; and whoever does not, finds nothing anywhere."""
        found = {who for who in everybody if await read(here, who, "id")}
        for who in everybody:
            node = (await here.ask(who, f'{{ node(id: "{first}") {{ id }} }}'))[0]
            assert (node is not None) is (who in found)
            if who in found or not at_every_door:
                continue
            for deed, given in (
                ("joinRoom", {}),
                ("leaveRoom", {}),
                ("sendMessage", {"text": "x"}),
                ("react", {"reaction": "HEART"}),
            ):
                asked = SAID if deed == "sendMessage" else "room { id }"
                told = await here.do(who, deed, asked, room=here.ids["room"], **given)
                nothing = await here.do(who, deed, asked, room=NOBODYS, **given)
                assert told == nothing
                assert told["code"] == ("NOT_FOUND" if who else "UNAUTHENTICATED")
        return found

    async def close_to(visibility: str) -> None:
        told = await here.do("ada", "setRoom", "room { visibility }", room=here.ids["room"], visibility=visibility)
        assert told["room"]["visibility"] == visibility

    assert await inside() == set(everybody)
    await close_to("MEMBERS")
    assert await inside(at_every_door=True) == {"ada", "dee"}
    await close_to("SUPPORTERS")
    assert await inside() == {"ada", "dee"}
    await here.do("cy", "joinWorld", artist=here.ids["nova"])
    assert await inside() == {"ada", "cy", "dee"}
    entitlement = tables.entitlement
    await here.alter(entitlement, {"state": "SUSPENDED"}, entitlement.c.account_id == here.keys["cy"])
    assert await inside() == {"ada", "dee"}
    told = await here.do("ada", "grantEntitlement", subject=here.ids["release"], handle="bo")
    assert await inside() == {"ada", "dee"}, "the release opens its own room and no other"
    await here.do("ada", "setRoom", "room { id }", room=here.ids["release room"], visibility="SUPPORTERS")
    assert await read(here, "bo", "id", "release room")
    await here.do("ada", "revokeEntitlement", id=told["entitlement"]["id"])
    assert not await read(here, "bo", "id", "release room")
    asset = tables.asset
    await here.alter(asset, {"state": "PRIVATE"}, asset.c.id == here.keys["track"])
    assert not await read(here, "cy", "id", "hook room"), "a room is no way around what it gathers around"
    assert (await say(here, "cy", "x", "hook room"))["code"] == "NOT_FOUND"


async def test_a_key_reads_and_is_not_heard(here: Company) -> None:
    key = Viewer(here.keys["cy"], is_agent=True, scopes=frozenset(KeyScope))
    reader = Reader(executable(), here.database)
    document = "query ($id: ID!) { room(id: $id) { id standing { isHost } } }"
    told = json.loads((await reader.answer(document, None, {"id": here.ids["room"]}, key)).body)
    assert told["data"]["room"] == {"id": here.ids["room"], "standing": None}
    document = "mutation ($room: ID!) { react(input: { room: $room, reaction: FIRE }) { ... on UserError { code } } }"
    told = json.loads((await reader.answer(document, None, {"room": here.ids["room"]}, key)).body)
    assert told["data"]["react"] == {"code": "FORBIDDEN"}
    await here.do("ada", "banFromRoom", "room { id }", room=here.ids["room"], handle="cy")
    document = "query ($id: ID!) { room(id: $id) { id } }"
    told = json.loads((await reader.answer(document, None, {"id": here.ids["room"]}, key)).body)
    assert told["data"]["room"] is None, "a key goes where its account goes"


@pytest.mark.parametrize("execution", Execution)
async def test_joining_is_once_and_shown(here: Company, execution: Execution) -> None:
    here.execution = execution
    asked = "members { nodes { handle joinedAt } totalCount } standing { isHost joinedAt mutedUntil } heldBack { nodes { handle } }"
    for who in ("cy", "cy", "bo"):
        told = await here.do(who, "joinRoom", "room { standing { joinedAt } }", room=here.ids["room"])
        assert told["room"]["standing"]["joinedAt"]
    room = await read(here, "cy", asked)
    assert [member["handle"] for member in room["members"]["nodes"]] == ["bo", "cy"]
    assert room["standing"] == {
        "isHost": False,
        "joinedAt": room["members"]["nodes"][1]["joinedAt"],
        "mutedUntil": None,
    }
    assert (await read(here, None, asked))["standing"] is None
    assert (await read(here, "ada", asked))["standing"] == {"isHost": True, "joinedAt": None, "mutedUntil": None}
    before = await written(here)
    for _ in range(2):
        await here.do("cy", "leaveRoom", "room { id }", room=here.ids["room"])
    assert (await written(here))[4] == before[4] + 1
    assert await happened(here) == [
        ("PRESENCE", "cy", {"joined": True}),
        ("PRESENCE", "bo", {"joined": True}),
        ("PRESENCE", "cy", {"joined": False}),
    ]
    assert (await read(here, "cy", "members { totalCount }"))["members"] == {"totalCount": 1}


# -- saying --------------------------------------------------------------------------------------------------------


async def test_what_is_no_message_is_refused_and_leaves_nothing(here: Company) -> None:
    before = await written(here)
    for text in ("", " \n ", "\u200b", "x" * 1001, "x" * 65_536, "a\0b", "a\u202eb", "\u2066a"):
        assert refusal(await say(here, "cy", text)) == ("VALIDATION", ["text"]), text
    reader = Reader(executable(), here.database)
    viewer = Viewer(here.keys["cy"])
    for document in (
        f'mutation {{ react(input: {{ room: "{here.ids["room"]}", reaction: SHRUG }}) {{ __typename }} }}',
        f'mutation {{ react(input: {{ room: "{here.ids["nova"]}", reaction: FIRE }}) {{ __typename }} }}',
        'mutation { sendMessage(input: { room: "x", text: "hi" }) { __typename } }',
        f'{{ room(id: "{here.ids["hook"]}") {{ id }} }}',
    ):
        answer = await reader.answer(document, None, {}, viewer)
        assert answer.refused
        assert json.loads(answer.body)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert await written(here) == before
    assert (await say(here, "cy", "x" * 1000))["said"]["text"] == "x" * 1000


@pytest.mark.parametrize("execution", Execution)
async def test_history_is_newest_first_and_what_is_taken_back_keeps_its_place(
    here: Company, execution: Execution
) -> None:
    here.execution = execution
    ids = [await said(here, who, f"{who} {number}") for number in range(3) for who in ("cy", "bo")]
    for who, message, code in (
        ("bo", ids[0], "NOT_FOUND"),
        (None, ids[0], "UNAUTHENTICATED"),
        ("dee", ids[1], "NOT_FOUND"),
    ):
        told = await here.do(who, "deleteMessage", SAID, message=message)
        assert told["code"] == code
    gone = await here.do("cy", "deleteMessage", SAID, message=ids[0])
    assert (gone["said"]["id"], gone["said"]["text"]) == (ids[0], None)
    assert gone["said"]["deletedAt"]
    assert (await here.do("ada", "deleteMessage", SAID, message=ids[3]))["said"]["text"] is None
    again = await here.do("ada", "deleteMessage", SAID, message=ids[3])
    assert again["code"] == "NOT_FOUND"
    told, after = [], "null"
    for _ in range(3):
        page = f"messages(first: 2, after: {after}) {{ nodes {{ id text handle }} pageInfo {{ endCursor hasNextPage }} totalCount }}"
        messages = (await read(here, None, page))["messages"]
        told += messages["nodes"]
        after = json.dumps(messages["pageInfo"]["endCursor"])
        assert messages["totalCount"] == 6
    assert not messages["pageInfo"]["hasNextPage"]
    assert [each["id"] for each in told] == ids[::-1]
    words = [f"{who} {number}" for number in range(3) for who in ("cy", "bo")]
    words[0] = words[3] = None  # type: ignore[call-overload]  # they lost their words
    assert [each["text"] for each in told] == words[::-1]
    events = await happened(here)
    assert Counter(kind for kind, _, _ in events) == {"MESSAGE": 6, "MESSAGE_DELETED": 2}
    # Who comes back and reads what it missed reads no words that were taken back, and not who took them.
    assert events[0] == ("MESSAGE", "cy", {"message": ids[0], "text": None})
    assert events[1] == ("MESSAGE", "bo", {"message": ids[1], "text": "bo 0"})
    assert events[-2:] == [
        ("MESSAGE_DELETED", None, {"message": ids[0]}),
        ("MESSAGE_DELETED", None, {"message": ids[3]}),
    ]
    assert await here.count(tables.room_message, tables.room_message.c.text.is_(None)) == 2


async def test_what_happens_at_once_is_numbered_without_gaps_in_the_order_of_history(here: Company) -> None:
    people = ("ada", "bo", "cy", "dee")
    deeds = [say(here, who, f"{who} {number}") for number in range(6) for who in people]
    deeds += [here.do(who, "react", "room { id }", room=here.ids["room"], reaction="SPARK") for who in people]
    deeds += [say(here, who, "\0") for who in people]
    told = await by_eights(deeds)
    assert Counter(each["__typename"] for each in told) == {"MessageSuccess": 24, "ReactSuccess": 4, "InvalidError": 4}
    events = await happened(here)
    spoken = [payload["text"] for kind, _, payload in events if kind == "MESSAGE"]
    history = (await read(here, None, "messages(first: 100) { nodes { text } }"))["messages"]["nodes"]
    assert [each["text"] for each in history] == spoken[::-1]
    assert len(events) == 28
    assert {(handle, payload["reaction"]) for kind, handle, payload in events if kind == "REACTION"} == {
        (who, "SPARK") for who in people
    }


async def test_a_message_is_said_once_under_its_key_and_heard_again_by_who_may(here: Company) -> None:
    first = await say(here, "cy", "once", idempotencyKey="k")
    assert await say(here, "cy", "once", idempotencyKey="k") == first
    assert (await say(here, "cy", "twice", idempotencyKey="k"))["code"] == "IDEMPOTENCY_MISMATCH"
    assert len(await happened(here)) == 1
    await here.do("ada", "banFromRoom", "room { id }", room=here.ids["room"], handle="cy")
    assert (await say(here, "cy", "once", idempotencyKey="k"))["code"] == "NOT_FOUND"


async def test_nobody_is_heard_more_than_twenty_times_a_minute_wherever_they_are(here: Company) -> None:
    rooms = ("room", "hook room")
    told = await by_eights([say(here, "cy", str(number), rooms[number % 2]) for number in range(26)])
    assert Counter(each["__typename"] for each in told) == {"MessageSuccess": 20, "TooSoonError": 6}
    assert {each["code"] for each in told if "code" in each} == {"RATE_LIMIT"}
    assert sum([len(await happened(here, room)) for room in rooms]) == 20
    assert (await say(here, "bo", "still there"))["__typename"] == "MessageSuccess"
    asked = (
        "mutation ($input: ReactInput!) { react(input: $input) { __typename ... on TooSoonError { seconds message } } }"
    )
    wave = {"room": here.ids["room"], "reaction": "WAVE"}
    told = [told for told, _ in await by_eights([here.ask("cy", asked, input=wave) for _ in range(63)])]
    assert Counter(each["__typename"] for each in told) == {"ReactSuccess": 60, "TooSoonError": 3}
    assert all(0 < each["seconds"] <= 60 for each in told if "seconds" in each)
    # A minute later they may again.
    event = tables.room_event
    await here.alter(
        event, {"at": event.c.at - func.make_interval(0, 0, 0, 0, 0, 1)}, event.c.account_id == here.keys["cy"]
    )
    assert (await say(here, "cy", "back"))["__typename"] == "MessageSuccess"


# -- hosts ---------------------------------------------------------------------------------------------------------


async def test_a_slow_room_lets_everybody_but_hosts_wait(here: Company) -> None:
    room = here.ids["room"]
    for seconds in (-1, 21_601):
        told = await here.do("ada", "setRoom", "room { id }", room=room, slowModeSeconds=seconds)
        assert refusal(told) == ("VALIDATION", ["slowModeSeconds"])
    told = await here.do(
        "ada", "setRoom", "room { slowModeSeconds title }", room=room, slowModeSeconds=3600, title=" Ferry "
    )
    assert told["room"] == {"slowModeSeconds": 3600, "title": "Ferry"}
    for who, outcome in (
        ("cy", "MessageSuccess"),
        ("cy", "TooSoonError"),
        ("bo", "MessageSuccess"),
        *(2 * [("ada", "MessageSuccess")]),
    ):
        assert (await say(here, who, "word"))["__typename"] == outcome
    assert (await say(here, "cy", "elsewhere", "hook room"))["__typename"] == "MessageSuccess"
    assert (await here.do("cy", "react", "room { id }", room=room, reaction="CLAP"))["__typename"] == "ReactSuccess"
    before = await written(here)
    assert (await here.do("ada", "setRoom", "room { id }", room=room, slowModeSeconds=3600))[
        "__typename"
    ] == "RoomSuccess"
    assert await written(here) == before, "what changes nothing writes nothing"


async def test_who_is_muted_is_not_heard_and_who_is_sent_out_finds_no_room(here: Company) -> None:
    held, room, held_back = "room { id }", here.ids["room"], "heldBack { nodes { handle mutedUntil bannedAt } }"
    message = await said(here, "cy", "hello")
    await here.do("cy", "joinRoom", "room { id }", room=room)
    told = await here.do("ada", "muteInRoom", "mutedUntil room { id }", room=room, handle="@Cy", minutes=5)
    assert told["mutedUntil"] == (await read(here, "cy", "standing { mutedUntil }"))["standing"]["mutedUntil"]
    assert (await say(here, "cy", "hello?"))["code"] == "FORBIDDEN"
    assert (await here.do("cy", "react", "room { id }", room=room, reaction="TEARS"))["code"] == "FORBIDDEN"
    assert (await read(here, "cy", held_back))["heldBack"]["nodes"] == []
    assert [each["handle"] for each in (await read(here, "ada", held_back))["heldBack"]["nodes"]] == ["cy"]
    told = await here.do("ada", "muteInRoom", "mutedUntil room { id }", room=room, handle="cy", minutes=0)
    assert told["mutedUntil"] is None
    await said(here, "cy", "again")
    for _ in range(2):
        told = await here.do("ada", "banFromRoom", held, room=room, handle="cy")
        assert told["__typename"] == "RoomSuccess"
    assert await read(here, "cy", "id") is None
    assert (await read(here, None, "members { totalCount }"))["members"] == {"totalCount": 0}
    assert (await here.do("cy", "deleteMessage", SAID, message=message))["code"] == "NOT_FOUND"
    for deed, given in (("joinRoom", {}), ("react", {"reaction": "FIRE"})):
        assert (await here.do("cy", deed, held, room=room, **given))["code"] == "NOT_FOUND"
    assert (await say(here, "cy", "?"))["code"] == "NOT_FOUND"
    assert (await say(here, "cy", "elsewhere", "hook room"))["__typename"] == "MessageSuccess"
    await here.do("ada", "unbanFromRoom", held, room=room, handle="cy")
    assert (await read(here, "cy", "standing { joinedAt }"))["standing"] == {"joinedAt": None}
    for deed, given in (("muteInRoom", {"minutes": 1}), ("banFromRoom", {}), ("unbanFromRoom", {})):
        for who, handle, code in (
            ("bo", "cy", "NOT_FOUND"),
            ("cy", "bo", "NOT_FOUND"),
            (None, "cy", "UNAUTHENTICATED"),
            ("ada", "nobody-here", "NOT_FOUND"),
            ("ada", "ada", "NOT_FOUND" if deed == "unbanFromRoom" else "VALIDATION"),
        ):
            told = await here.do(who, deed, held, room=room, handle=handle, **given)
            if (who, handle, deed) != ("ada", "ada", "unbanFromRoom"):
                assert told["code"] == code, (deed, who, handle)
    assert refusal(await here.do("ada", "muteInRoom", held, room=room, handle="cy", minutes=10_081)) == (
        "VALIDATION",
        ["minutes"],
    )


async def test_nobody_is_heard_after_they_were_sent_out_however_close(here: Company) -> None:
    host = Viewer(here.keys["ada"], (here.keys["nova"],), (here.keys["nova"],))
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('tuple', 'transactionid')"
    async with here.database.write() as connection:
        held = await hold_room(connection, host, here.keys["room"], Action.WRITE)
        assert held is not None
        spoken = asyncio.ensure_future(say(here, "cy", "wait, I"))
        async with asyncio.timeout(PATIENCE):
            while not (await connection.exec_driver_sql(waiting)).scalar_one():
                await asyncio.wait([spoken], timeout=0.01)
        row = {"room_id": here.keys["room"], "account_id": here.keys["cy"], "banned_at": func.now()}
        await connection.execute(insert(tables.room_person).values(id=uuid7(), **row))
    assert (await spoken)["code"] == "NOT_FOUND"
    assert await happened(here) == []


# -- what is heard -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("execution", Execution)
async def test_hosts_queue_what_everybody_may_hear_and_the_room_hears_it(here: Company, execution: Execution) -> None:
    here.execution = execution
    room, items = here.ids["room"], []
    async with here.database.write() as connection:
        asset = tables.asset
        hidden = uuid7()
        row = {"kind": "TRACK", "owner_id": here.keys["nova"], "title": "hidden", "state": "PRIVATE"}
        await connection.execute(insert(asset).values(id=hidden, **row))
        await connection.execute(insert(tables.track).values(id=hidden))
        visual = {"id": uuid7(), "owner_id": here.keys["nova"], "hook_id": here.keys["hook"], "title": "Fog"}
        await connection.execute(insert(tables.visual_world).values(visual))
    for piece in ("hook", "other", "far hook"):
        told = await here.do("ada", "queueInRoom", "item { id position handle }", room=room, piece=here.ids[piece])
        items.append(told["item"]["id"])
    for who, piece in (("ada", str(Ref(Kind.TRACK, hidden))), ("bo", here.ids["hook"]), ("cy", here.ids["hook"])):
        told = await here.do(who, "queueInRoom", "item { id }", room=room, piece=piece)
        assert told["code"] == "NOT_FOUND"
    queue = "queue { nodes { id position handle track { title } hook { id } } totalCount }"
    waits = (await read(here, None, queue))["queue"]["nodes"]
    assert [each["id"] for each in waits] == items
    assert [each["track"]["title"] for each in waits] == ["track", "other", "other"]
    assert [each["hook"] for each in waits] == [{"id": here.ids["hook"]}, None, {"id": here.ids["far hook"]}]
    now = "now { since track { title } hook { id } visualWorld { title } } queue { totalCount }"
    told = await here.do("ada", "playNow", f"room {{ {now} }}", room=room)
    heard = told["room"]["now"]
    assert (heard["track"], heard["hook"]) == ({"title": "track"}, {"id": here.ids["hook"]})
    assert heard["visualWorld"] == {"title": "Fog"}
    assert told["room"]["queue"] == {"totalCount": 2}
    told = await here.do("ada", "playNow", f"room {{ {now} }}", room=room, piece=items[2])
    assert (told["room"]["now"]["hook"], told["room"]["queue"]) == ({"id": here.ids["far hook"]}, {"totalCount": 1})
    for piece in (items[0], items[2], str(Ref(Kind.TRACK, hidden))):
        assert (await here.do("ada", "playNow", "room { id }", room=room, piece=piece))["code"] == "NOT_FOUND"
    for who in ("bo", "cy"):
        assert (await here.do(who, "removeFromQueue", "room { id }", item=items[1]))["code"] == "NOT_FOUND"
        assert (await here.do(who, "playNow", "room { id }", room=room, piece=None))["code"] == "NOT_FOUND"
    assert (await here.do("ada", "removeFromQueue", "room { id }", item=items[1]))["__typename"] == "QueueSuccess"
    assert (await here.do("ada", "removeFromQueue", "room { id }", item=items[1]))["code"] == "NOT_FOUND"
    assert (await here.do("ada", "playNow", "room { id }", room=room))["code"] == "NOT_FOUND"
    told = await here.do("ada", "playNow", "room { now { since } }", room=room, piece=None)
    assert told["room"] == {"now": None}
    events = await happened(here)
    assert [(kind, handle) for kind, handle, _ in events] == 3 * [("NOW_CHANGED", "ada")]
    since = {"since": events[0][2]["since"]}
    assert events[0][2] == {
        "track": here.ids["track"],
        "hook": here.ids["hook"],
        "title": "track",
        "durationMs": 30_000,
        **since,
    }
    assert events[2][2] == {}


@pytest.mark.parametrize("execution", Execution)
async def test_a_room_wears_what_may_be_seen_still_of_what_it_hears(here: Company, execution: Execution) -> None:
    here.execution = execution
    nova, visual, artist, asset = here.keys["nova"], tables.visual_world, tables.artist, tables.asset
    fog, dusk = uuid7(), uuid7()
    async with here.database.write() as connection:
        for id_, title, hook in ((fog, "Fog", here.keys["hook"]), (dusk, "Dusk", None)):
            await connection.execute(insert(visual).values(id=id_, owner_id=nova, hook_id=hook, title=title))
    await here.alter(artist, {"visual_id": dusk}, artist.c.id == nova)
    await here.do("ada", "playNow", "room { id }", room=here.ids["room"], piece=here.ids["hook"])
    worn = "now { track { title } hook { id } visualWorld { title } }"
    told = {"track": {"title": "track"}, "hook": {"id": here.ids["hook"]}, "visualWorld": {"title": "Fog"}}
    assert (await read(here, None, worn))["now"] == told
    await here.alter(asset, {"state": "PRIVATE"}, asset.c.id == here.keys["track"])
    closed = {"track": None, "hook": None, "visualWorld": {"title": "Dusk"}}
    assert (await read(here, None, worn))["now"] == closed
    assert (await read(here, "ada", worn))["now"] == told


async def test_what_waits_is_played_when_what_is_heard_is_over(here: Company) -> None:
    room, job, asset = here.ids["room"], tables.job, tables.asset

    async def over() -> Any:
        """What is heard when what was heard is over."""
        await here.alter(job, {"run_after": func.now()}, job.c.kind == JobKind.PLAY_NEXT, job.c.state == "READY")
        await Workshop(here.database, Player(here.database).doings()).drain()
        return await read(here, None, "now { since hook { id } track { title } } queue { totalCount }")

    await here.do("ada", "playNow", "room { id }", room=room, piece=here.ids["hook"])
    first = await over()
    assert (first["now"]["hook"], await over()) == ({"id": here.ids["hook"]}, first), "it goes on where nothing waits"
    await here.do("ada", "playNow", "room { id }", room=room, piece=here.ids["far hook"])
    await here.do("ada", "playNow", "room { id }", room=room, piece=here.ids["hook"])
    for piece in ("track", "far hook", "other"):
        await here.do("ada", "queueInRoom", "item { id }", room=room, piece=here.ids[piece])
    await here.alter(asset, {"state": "PRIVATE"}, asset.c.id == here.keys["track"])
    next_ = await over()
    assert (next_["now"]["hook"], next_["queue"]) == ({"id": here.ids["far hook"]}, {"totalCount": 1})
    last = await over()
    assert (last["now"]["track"], last["now"]["hook"], last["queue"]) == ({"title": "other"}, None, {"totalCount": 0})
    assert await over() == last
    told = [(handle, payload["hook"] or payload["track"]) for _, handle, payload in await happened(here)]
    by_ada = [("ada", here.ids[piece]) for piece in ("hook", "far hook", "hook")]
    assert told == [*by_ada, (None, here.ids["far hook"]), (None, here.ids["other"])]
    assert await here.count(job, job.c.kind == JobKind.PLAY_NEXT, job.c.state != "DONE") == 0


async def test_a_release_that_comes_out_is_told_in_its_room_and_in_its_worlds(here: Company) -> None:
    here.house.signer = SIGNER
    release, version = await draft(here, await made(here, "Song"), title="Nightlight")
    here.ids["new"] = release
    await opened(here, "new room", "new")
    refused = await here.do("ada", "publishVersion", "version { id }", version=version, expectedVersion=99)
    assert refused["code"] == "CONFLICT"
    assert (await happened(here), await happened(here, "new room")) == ([], [])
    assert (await publish(here, release, version))["__typename"] == "PublishVersionSuccess"
    told = [("RELEASE_PUBLISHED", "ada", {"release": release, "title": "Nightlight"})]
    assert (await happened(here), await happened(here, "new room")) == (told, told)
    assert await happened(here, "release room") == []
    assert (await publish(here, release, version))["__typename"] == "PublishVersionSuccess"
    assert await happened(here) == told, "once"


async def test_hosts_read_whether_a_piece_may_be_played_there(here: Company) -> None:
    room = here.ids["room"]
    for piece in ("hook", "other"):
        await here.do("ada", "queueInRoom", "item { id }", room=room, piece=here.ids[piece])
    asked = """queue { nodes { decision recorded: decision(recorded: true)
        rights(recorded: true) { use layer decision blockers { asset { title } } } } }
      firstBlocked { track { title } } recordedBlocked: firstBlocked(recorded: true) { track { title } }"""
    told = await read(here, "ada", asked)
    assert [(each["decision"], each["recorded"]) for each in told["queue"]["nodes"]] == [
        ("ALLOWED", "ALLOWED"),
        ("ALLOWED", "LICENSE_REQUIRED"),
    ]
    assert (told["firstBlocked"], told["recordedBlocked"]) == (None, {"track": {"title": "other"}})
    rights = told["queue"]["nodes"][1]["rights"]
    assert {(each["use"], each["layer"]) for each in rights} == {("SYNC", "MASTER"), ("SYNC", "COMPOSITION")}
    assert [blocker["asset"] for each in rights for blocker in each["blockers"]] == 2 * [{"title": "other"}]
    for who in (None, "bo", "cy"):
        told = await read(here, who, "queue { nodes { decision rights { use } } } firstBlocked { id }")
        assert told == {"queue": {"nodes": 2 * [{"decision": None, "rights": None}]}, "firstBlocked": None}
    await here.do("ada", "setRoom", "room { id }", room=room, visibility="SUPPORTERS")
    told = await read(here, "ada", "queue { nodes { decision rights { use } } } firstBlocked { track { title } }")
    assert [each["decision"] for each in told["queue"]["nodes"]] == ["ALLOWED", "LICENSE_REQUIRED"]
    assert told["firstBlocked"] == {"track": {"title": "other"}}
    assert {each["use"] for each in told["queue"]["nodes"][1]["rights"]} == {"COMMERCIAL_USE"}
    # What closed since it was queued may not be played, and is not.
    asset = tables.asset
    await here.alter(asset, {"state": "PRIVATE"}, asset.c.id == here.keys["track"])
    told = await read(here, "ada", "queue { nodes { decision } } firstBlocked { hook { id } }")
    assert told["queue"]["nodes"][0] == {"decision": "DENIED"}
    assert told["firstBlocked"] == {"hook": {"id": here.ids["hook"]}}
    assert (await here.do("ada", "playNow", "room { id }", room=room))["code"] == "NOT_FOUND"
    assert (await read(here, "ada", "queue { totalCount }"))["queue"] == {"totalCount": 2}, "and stays where it was"
    told = await Reader(executable(), here.database).answer(
        f'{{ room(id: "{room}") {{ firstBlocked(territory: "Germany") {{ id }} }} }}', None, {}, ANONYMOUS
    )
    assert told.refused


async def test_a_hook_that_leads_what_is_to_come_is_heard_before_its_track_is_shown(here: Company) -> None:
    async with here.database.write() as connection:
        asset, release = tables.asset, tables.release
        await connection.execute(update(asset).where(asset.c.id == here.keys["track"]).values(state="PRIVATE"))
        soon = update(asset).where(asset.c.id == here.keys["release"]).values(state="PRIVATE", teased=True)
        await connection.execute(soon)
        led = update(release).where(release.c.id == here.keys["release"]).values(lead_hook_id=here.keys["hook"])
        await connection.execute(led)
    told = await here.do("ada", "playNow", "room { id }", room=here.ids["room"], piece=here.ids["hook"])
    assert told["__typename"] == "QueueSuccess"
    room = await read(here, "cy", "now { track { title } hook { id } }")
    assert room["now"] == {"track": None, "hook": {"id": here.ids["hook"]}}
    ((kind, _, payload),) = await happened(here)
    assert (kind, payload["track"], payload["title"]) == (RoomEventKind.NOW_CHANGED, None, None)
