"""Following, liking, saving, saying something, sharing: what is counted, who is told, and what nobody may."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from domain.links import kind_of
from domain.measures import WEIGHTS, Signal, SignalKind
from domain.measures import heat as energy_of_room
from domain.social import COMMENTS_A_MINUTE
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from resolvers.heat import tell_heat
from tests.graph.company import ADA, ADAS, BO, BOS, add_asset, add_owners, ask, left_behind
from tests.graph.readers import reader_of

KEY = Viewer(UUID(int=32), (BO,), (BO,), is_agent=True, scopes=frozenset(KeyScope))
FAN = Viewer(UUID(int=33), (), ())
TRACKS = {"public": "PUBLIC", "unlisted": "UNLISTED", "private": "PRIVATE"}
LEFT_BEHIND = (
    *(tables.tie, tables.comment, tables.share_link, tables.tally, tables.activity, tables.signal),
    *(tables.room_event, tables.change, tables.outbox),
)
DID = "__typename ... on UserError { code message path }"
HOOK = "id likeCount saveCount commentCount shareCount viewerLikes viewerSaves"
WORLD = "followerCount commentCount shareCount viewerFollows"
"""What is read of a hook, and of a world."""


def of(kind: Kind, number: int) -> str:
    return str(Ref(kind, UUID(int=number)))


HOOKS = {state: of(Kind.HOOK, 200 + number) for number, state in enumerate(TRACKS)}
ADAS_WORLD = str(Ref(Kind.ARTIST, ADA))
TIES: dict[str, dict[str, str]] = {
    "followArtist": {"artist": ADAS_WORLD},
    "likeHook": {"hook": HOOKS["public"]},
    "saveHook": {"hook": HOOKS["public"]},
}
ABOUT_HOOKS: dict[str, dict[str, Any]] = {
    **{mutation: {} for mutation in ("likeHook", "unlikeHook", "saveHook", "unsaveHook", "createShareLink")},
    "recordPlay": {"heardMs": 10_000},
    "commentOnHook": {"text": "Oh"},
}


def success(name: str, unread: int) -> dict[str, Any]:
    return {"__typename": f"{name}Success", "unreadCount": unread}


@dataclass
class Scene:
    """Ada's world with a hook in each state, the world's room, and people who come."""

    database: Database
    reader: Reader

    async def settle(self) -> None:
        async with self.database.write() as connection:
            await add_owners(connection)
            await connection.execute(insert(tables.account).values(id=FAN.account, handle="fan"))
            for number, viewer in enumerate((ADAS, BOS)):
                row = {"account_id": viewer.account, "artist_id": viewer.holds[0], "role": "OWNER"}
                await connection.execute(insert(tables.membership).values(id=UUID(int=50 + number), **row))
            for number, state in enumerate(TRACKS.values()):
                await add_asset(connection, UUID(int=100 + number), ADA, state, duration_ms=180_000)
                row = {"track_id": UUID(int=100 + number), "start_ms": 35_000, "end_ms": 65_000}
                await connection.execute(insert(tables.hook).values(id=UUID(int=200 + number), **row))
            await connection.execute(insert(tables.room).values(id=UUID(int=60), artist_id=ADA))

    async def do(self, viewer: Viewer, mutation: str, asked: str = "__typename", **given: Any) -> Any:
        """What a mutation answers."""
        root = executable().mutation_type
        assert root is not None
        success = root.fields[mutation].type.of_type.types[0]
        input_ = root.fields[mutation].args["input"].type
        document = (
            f"mutation ($input: {input_}) {{ {mutation}(input: $input) {{ {DID} ... on {success} {{ {asked} }} }} }}"
        )
        return await ask(self.reader, viewer, document, input=given)

    async def hook(self, viewer: Viewer = FAN, name: str = "public", asked: str = HOOK) -> Any:
        return await ask(self.reader, viewer, f'{{ node(id: "{HOOKS[name]}") {{ ... on Hook {{ {asked} }} }} }}')

    async def world(self, viewer: Viewer = FAN, asked: str = WORLD) -> Any:
        return await ask(self.reader, viewer, f'{{ world(handle: "ada") {{ {asked} }} }}')

    async def viewer(self, viewer: Viewer, asked: str) -> Any:
        return await ask(self.reader, viewer, f"{{ viewer {{ {asked} }} }}")

    async def events(self) -> list[tuple[str, UUID | None, Any]]:
        event = tables.room_event
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(event.c.kind, event.c.account_id, event.c.payload).order_by(event.c.id)
            )
            return [tuple(row) for row in rows]  # type: ignore[misc]  # a row is a tuple

    async def inbox(self, viewer: Viewer) -> list[tuple[str, str, int]]:
        """What somebody is told: kind, handle, and how often."""
        told = await self.viewer(viewer, "activity { nodes { kind handle times } }")
        return [(line["kind"], line["handle"], line["times"]) for line in told["activity"]["nodes"]]

    async def crowd(self, size: int) -> list[Viewer]:
        """More people: `p0`, `p1` …"""
        people = [Viewer(UUID(int=300 + number), (), ()) for number in range(size)]
        async with self.database.write() as connection:
            rows = [{"id": viewer.account, "handle": f"p{number}"} for number, viewer in enumerate(people)]
            await connection.execute(insert(tables.account), rows)
        return people

    async def cool(self, lasting: timedelta) -> None:
        """Let time pass in the room."""
        async with self.database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            for table in (tables.warmth, tables.signal):
                await connection.execute(update(table).values(at=table.c.at - lasting))

    async def left(self) -> list[int]:
        return await left_behind(self.database, LEFT_BEHIND)


@pytest.fixture
async def scene(database: Database) -> Scene:
    here = Scene(database, reader_of(database))
    await here.settle()
    return here


async def test_what_people_do_is_counted_once_and_told_to_who_cares_and_to_the_room(scene: Scene) -> None:
    for _ in range(2):
        told = await scene.do(FAN, "followArtist", f"artist {{ world {{ {WORLD} }} }}", artist=ADAS_WORLD)
        liked = await scene.do(FAN, "likeHook", f"hook {{ {HOOK} }}", hook=HOOKS["public"])
        kept = await scene.do(FAN, "saveHook", f"hook {{ {HOOK} }}", hook=HOOKS["public"])
    world = {"followerCount": 1, "commentCount": 0, "shareCount": 0, "viewerFollows": True}
    assert told["artist"]["world"] == world == await scene.world()
    counts = {"id": HOOKS["public"], "likeCount": 1, "saveCount": 1, "commentCount": 0, "shareCount": 0}
    assert liked["hook"] == kept["hook"] == {**counts, "viewerLikes": True, "viewerSaves": True}
    assert await scene.hook(ANONYMOUS) == {**counts, "viewerLikes": False, "viewerSaves": False}
    assert await scene.inbox(ADAS) == [("SAVED", "fan", 1), ("LIKED", "fan", 1), ("FOLLOWED", "fan", 1)]
    assert await scene.inbox(FAN) == await scene.inbox(BOS) == []
    assert await scene.events() == [
        ("FOLLOWED", FAN.account, {}),
        ("COLLECTED", FAN.account, {"hook": HOOKS["public"]}),
    ]
    theirs = await scene.viewer(FAN, "following { nodes { handle } } savedHooks { nodes { id } }")
    assert theirs == {"following": {"nodes": [{"handle": "ada"}]}, "savedHooks": {"nodes": [{"id": HOOKS["public"]}]}}
    assert await scene.left() == [3, 0, 0, 2, 3, 2, 2, 3, 3]


async def test_what_is_taken_back_counts_no_more_and_taken_up_again_is_no_news(scene: Scene) -> None:
    before = {name: await read(FAN) for name, read in (("hook", scene.hook), ("world", scene.world))}
    for does, subject in TIES.items():
        await scene.do(FAN, does, **subject)
    left, heard = await scene.left(), await scene.events()
    for does, subject in TIES.items():
        for _ in range(2):
            assert "code" not in await scene.do(FAN, f"un{does}", **subject)
    assert {"hook": await scene.hook(), "world": await scene.world()} == before
    theirs = await scene.viewer(FAN, "following { totalCount } savedHooks { totalCount }")
    assert theirs == {"following": {"totalCount": 0}, "savedHooks": {"totalCount": 0}}
    for does, subject in TIES.items():
        await scene.do(FAN, does, **subject)
    assert (await scene.hook())["likeCount"] == 1
    changes = left[-2]
    assert (await scene.left(), await scene.events()) == ([*left[:-2], 3 * changes, left[-1]], heard)


async def test_what_is_not_read_yet_gathers_in_one_line(scene: Scene) -> None:
    people = await scene.crowd(3)
    for viewer in people[:2]:
        await scene.do(viewer, "likeHook", hook=HOOKS["public"])
    assert await scene.inbox(ADAS) == [("LIKED", "p1", 2)]
    await scene.do(people[0], "followArtist", artist=ADAS_WORLD)
    lines = (await scene.viewer(ADAS, "activity { nodes { id kind } }"))["activity"]["nodes"]
    oldest = next(line["id"] for line in lines if line["kind"] == "LIKED")
    assert await scene.do(ADAS, "markActivityRead", "unreadCount", until=oldest) == success("MarkActivityRead", 1)
    await scene.do(people[2], "likeHook", hook=HOOKS["public"])
    assert await scene.inbox(ADAS) == [("LIKED", "p2", 1), ("FOLLOWED", "p0", 1), ("LIKED", "p1", 2)]
    unread = await scene.viewer(
        ADAS, "unreadActivityCount activity(unreadOnly: true, first: 1) { nodes { times } totalCount }"
    )
    assert unread == {"unreadActivityCount": 2, "activity": {"nodes": [{"times": 1}], "totalCount": 2}}
    assert (await scene.do(FAN, "markActivityRead", until=oldest))["code"] == "NOT_FOUND"
    assert await scene.do(ADAS, "markActivityRead", "unreadCount") == success("MarkActivityRead", 0)
    seen = await ask(scene.reader, FAN, "query ($id: ID!) { node(id: $id) { id } }", id=oldest)
    assert seen is None


async def test_a_comment_stands_at_its_place_until_it_is_taken_back(scene: Scene) -> None:
    said = "comment { id text handle positionMs hook { id } world { handle } }"
    there = await scene.do(FAN, "commentOnHook", said, hook=HOOKS["public"], text=" Here.\nYes ", positionMs=64_999)
    whole = await scene.do(BOS, "commentOnHook", said, hook=HOOKS["public"], text="All of it", positionMs=None)
    world = await scene.do(FAN, "commentOnWorld", said, artist=ADAS_WORLD, text="قلب")
    about = {"handle": "fan", "positionMs": 64_999, "hook": {"id": HOOKS["public"]}, "world": None}
    assert there["comment"] == {"id": there["comment"]["id"], "text": "Here.\nYes", **about}
    assert world["comment"]["world"] == {"handle": "ada"}
    listed = "commentCount comments(first: 2) { nodes { id } totalCount }"
    ids = [{"id": each["comment"]["id"]} for each in (whole, there)]
    assert await scene.hook(asked=listed) == {"commentCount": 2, "comments": {"nodes": ids, "totalCount": 2}}
    assert [kind for kind, *_ in await scene.inbox(ADAS)] == ["COMMENTED"] * 3
    hook, comment = HOOKS["public"], there["comment"]["id"]
    assert (await scene.events())[0] == (
        "COMMENT",
        FAN.account,
        {"hook": hook, "comment": comment, "positionMs": 64_999},
    )
    for stranger, code in ((BOS, "NOT_FOUND"), (ANONYMOUS, "UNAUTHENTICATED"), (KEY, "FORBIDDEN")):
        assert (await scene.do(stranger, "deleteComment", id=comment))["code"] == code
    asked = "hook { commentCount } artist { id }"
    gone = await scene.do(FAN, "deleteComment", asked, id=comment)
    assert (gone["hook"], gone["artist"]) == ({"commentCount": 1}, None)
    # Of one's own world, whoever said it.
    assert (await scene.do(ADAS, "deleteComment", asked, id=world["comment"]["id"]))["artist"] == {"id": ADAS_WORLD}
    again = await scene.do(FAN, "deleteComment", asked, id=comment)
    nobodys = await scene.do(FAN, "deleteComment", asked, id=of(Kind.COMMENT, 1))
    assert again == nobodys
    assert await scene.hook(asked=listed) == {"commentCount": 1, "comments": {"nodes": ids[:1], "totalCount": 1}}
    table = tables.comment
    async with scene.database.read() as connection:
        kept = (await connection.execute(select(table.c.text).where(table.c.deleted_at.is_not(None)))).scalars()
        assert list(kept) == [None, None]


async def test_what_is_no_comment_is_refused(scene: Scene) -> None:
    for text in ("", " \u200b\n ", "x" * 1_001, "a\u202eb", "a\u0007b"):
        answer = await scene.do(FAN, "commentOnHook", hook=HOOKS["public"], text=text)
        assert (text, answer["code"], answer["path"]) == (text, "VALIDATION", ["text"])
    for position in (34_999, 65_000, -1):
        answer = await scene.do(FAN, "commentOnHook", hook=HOOKS["public"], text="x", positionMs=position)
        assert (position, answer["code"], answer["path"]) == (position, "VALIDATION", ["positionMs"])
    for text in ("a\u0000b", "x" * 10_001):
        answer = await scene.do(FAN, "commentOnHook", hook=HOOKS["public"], text=text)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert await scene.left() == [0] * len(LEFT_BEHIND)


async def test_nobody_says_more_in_a_minute_however_fast_they_are(scene: Scene) -> None:
    tries = [scene.do(FAN, "commentOnWorld", artist=ADAS_WORLD, text=f"{n}") for n in range(COMMENTS_A_MINUTE + 5)]
    answers = await asyncio.gather(*tries)
    assert [answer["code"] for answer in answers if "code" in answer] == ["RATE_LIMIT"] * 5
    assert (await scene.world())["commentCount"] == COMMENTS_A_MINUTE
    assert "errors" not in await scene.do(BOS, "commentOnWorld", artist=ADAS_WORLD, text="mine")


async def test_what_may_not_be_heard_is_neither_liked_shared_nor_said_anything_about(scene: Scene) -> None:
    hidden, nobodys = HOOKS["private"], of(Kind.HOOK, 999)
    for mutation, given in ABOUT_HOOKS.items():
        named = "subject" if mutation == "createShareLink" else "hook"
        for viewer, code in (
            (FAN, "NOT_FOUND"),
            (BOS, "NOT_FOUND"),
            (ANONYMOUS, "UNAUTHENTICATED"),
            (KEY, "FORBIDDEN"),
        ):
            answer = await scene.do(viewer, mutation, **given, **{named: hidden})
            assert (mutation, answer["code"]) == (mutation, code)
            assert answer == await scene.do(viewer, mutation, **given, **{named: nobodys})
    assert await scene.left() == [0] * len(LEFT_BEHIND)
    for mutation, given in ABOUT_HOOKS.items():
        named = "subject" if mutation == "createShareLink" else "hook"
        assert "code" not in await scene.do(ADAS, mutation, **given, **{named: hidden})
    # What is said about what is hidden is hidden with it, and no room hears of it.
    comment = (await scene.hook(ADAS, "private", "comments { nodes { id } }"))["comments"]["nodes"][0]["id"]
    for viewer, shown in ((ADAS, {"id": comment}), (FAN, None)):
        assert await ask(scene.reader, viewer, f'{{ node(id: "{comment}") {{ id }} }}') == shown
    assert await scene.events() == []
    await scene.do(FAN, "saveHook", hook=HOOKS["unlisted"])
    assert await scene.events() == []


async def test_whom_a_room_does_not_hear_it_hears_nothing_of(scene: Scene) -> None:
    hook, room = HOOKS["public"], of(Kind.ROOM, 60)
    for silences, given in (("muteInRoom", {"minutes": 5}), ("banFromRoom", {})):
        silenced = await scene.do(ADAS, silences, room=room, handle="fan", **given)
        assert "code" not in silenced, silenced
        before = await scene.events()
        for mutation, more in (("saveHook", {}), ("likeHook", {}), ("commentOnHook", {"text": "Oh"})):
            assert "code" not in await scene.do(FAN, mutation, hook=hook, **more)
            await scene.do(FAN, "unsaveHook", hook=hook)
        assert await scene.events() == before
    warm = await left_behind(scene.database, (tables.warmth,))
    assert (warm, (await scene.hook())["commentCount"]) == ([0], 2)
    # A hook with a room of its own is heard of there, and not in the world's.
    async with scene.database.write() as connection:
        own = {"id": UUID(int=61), "artist_id": ADA, "hook_id": UUID(int=200)}
        await connection.execute(insert(tables.room).values(own))
    await scene.do(BOS, "saveHook", hook=hook)
    query = select(tables.room_event.c.kind).where(tables.room_event.c.room_id == UUID(int=61))
    async with scene.database.read() as connection:
        assert list((await connection.execute(query)).scalars()) == ["COLLECTED"]


async def test_counts_are_those_of_the_rows_whoever_writes_at_once(scene: Scene) -> None:
    people = await scene.crowd(6)
    deeds = [
        scene.do(viewer, mutation, hook=HOOKS["public"])
        for viewer in people
        for mutation in ("likeHook", "unlikeHook", "likeHook", "saveHook")
    ]
    await asyncio.gather(*deeds)
    tie = tables.tie
    bound = tie.c.ended_at.is_(None)
    async with scene.database.read() as connection:
        rows = await connection.execute(select(tie.c.kind, func.count()).where(bound).group_by(tie.c.kind))
        stands = dict(tuple(row) for row in rows)
    told = await scene.hook()
    assert (told["likeCount"], told["saveCount"]) == (stands.get("LIKE", 0), stands["SAVE"])
    assert sum(times for _, _, times in await scene.inbox(ADAS)) == 2 * len(people)


async def test_a_link_leads_where_it_was_made_for_as_long_as_that_may_be_read(scene: Scene) -> None:
    asked = "link { code path visitCount visitorCount artist { id } hook { id } room { id } release { id } }"
    resolve = "query ($ref: String!) { resolve(ref: $ref) { matched node { id } } }"
    subjects = {"hook": HOOKS["unlisted"], "artist": ADAS_WORLD, "room": of(Kind.ROOM, 60)}
    for name, subject in subjects.items():
        link = (await scene.do(FAN, "createShareLink", asked, subject=subject))["link"]
        assert link == (await scene.do(FAN, "createShareLink", asked, subject=subject))["link"]
        assert (link[name], kind_of(link["code"])) == ({"id": subject}, Kind(name))
        for ref in (link["path"], f"https://casset.example{link['path']}"):
            found = await ask(scene.reader, ANONYMOUS, resolve, ref=ref)
            assert found == {"matched": "SHARE_LINK", "node": {"id": subject}}
    assert (await scene.hook(name="unlisted"))["shareCount"] == (await scene.world())["shareCount"] == 1
    theirs = "shareLinks { nodes { code } totalCount }"
    assert (await scene.viewer(FAN, theirs))["shareLinks"]["totalCount"] == len(subjects)
    assert (await scene.viewer(BOS, theirs))["shareLinks"]["totalCount"] == 0
    link = (await scene.do(FAN, "createShareLink", asked, subject=HOOKS["unlisted"]))["link"]
    async with scene.database.write() as connection:
        track = tables.asset.c.id == UUID(int=101)
        await connection.execute(update(tables.asset).where(track).values(state="PRIVATE"))
    assert await ask(scene.reader, ANONYMOUS, resolve, ref=link["path"]) is None
    for ref in ("/s/1111111", "/s/0000000", "/s/", "/s/1111111/x"):
        assert await ask(scene.reader, ANONYMOUS, resolve, ref=ref) is None


async def told_heat(scene: Scene) -> list[float]:
    """How warm the room is told to be, once several have told it at once."""
    before = len(await scene.events())
    await asyncio.gather(*[tell_heat(scene.database) for _ in range(3)])
    told = (await scene.events())[before:]
    assert {kind for kind, *_ in told} <= {"HEAT_CHANGED"}
    return [payload["heat"] for _, _, payload in told]


async def test_a_room_is_as_warm_as_the_measure_says_and_its_people_do_not_warm_it(scene: Scene) -> None:
    async def heat() -> float:
        told = await ask(scene.reader, ANONYMOUS, f'{{ node(id: "{of(Kind.ROOM, 60)}") {{ ... on Room {{ heat }} }} }}')
        return float(told["heat"])

    async def measured() -> float:
        row = tables.signal
        query = select(row.c.kind, row.c.account_id, row.c.at, row.c.own, func.now().label("now")).where(
            row.c.room_id == UUID(int=60)
        )
        async with scene.database.read() as connection:
            rows = (await connection.execute(query)).all()
        signals = [Signal(SignalKind(row.kind), row.account_id, row.at, row.own) for row in rows]
        return energy_of_room(signals, rows[0].now)

    assert await heat() == 0
    for _ in range(2):
        await scene.do(ADAS, "followArtist", artist=ADAS_WORLD)
        await scene.do(ADAS, "commentOnHook", hook=HOOKS["public"], text="mine")
    assert await heat() == 0
    for viewer in await scene.crowd(3):
        await scene.do(viewer, "followArtist", artist=ADAS_WORLD)
        await scene.do(viewer, "likeHook", hook=HOOKS["public"])
        for n in range(12):
            await scene.do(viewer, "sendMessage", room=of(Kind.ROOM, 60), text=f"{n}")
            await scene.do(viewer, "react", room=of(Kind.ROOM, 60), reaction="HEART")
    assert await heat() == pytest.approx(await measured(), abs=0.15)
    await scene.cool(timedelta(minutes=15))
    warm = await told_heat(scene)
    cooled = await heat()
    assert 0 < cooled == pytest.approx(await measured(), abs=0.15)
    await scene.do(FAN, "commentOnHook", hook=HOOKS["public"], text="still here")
    assert cooled < await heat() == pytest.approx(await measured(), abs=0.15)
    # Cooled down from tenth to tenth, each is told once, however many tell.
    await scene.cool(timedelta(minutes=30))
    cold = await told_heat(scene)
    assert (len(warm), len(cold), warm[0] > cold[0] > 0) == (1, 1, True)
    assert await told_heat(scene) == []


async def test_a_play_counts_once_it_was_heard_and_again_once_it_could_be_over(scene: Scene) -> None:
    short = await scene.do(FAN, "recordPlay", hook=HOOKS["public"], heardMs=9_999)
    assert (short["code"], short["path"]) == ("VALIDATION", ["heardMs"])
    for _ in range(3):
        assert "code" not in await scene.do(FAN, "recordPlay", hook=HOOKS["public"], heardMs=10_000)
    assert await left_behind(scene.database, (tables.signal,)) == [1]
    for _ in range(12):
        async with scene.database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            # Within one day, however late in it this runs.
            earlier = func.greatest(tables.signal.c.at - timedelta(seconds=31), func.date_trunc("day", func.now()))
            await connection.execute(update(tables.signal).values(at=earlier))
        await scene.do(FAN, "recordPlay", hook=HOOKS["public"], heardMs=30_000)
    assert (await left_behind(scene.database, (tables.signal,)))[0] <= WEIGHTS[SignalKind.HOOK_PLAY].a_day


async def test_a_key_of_idempotency_says_it_once_and_both_executions_alike(scene: Scene) -> None:
    said = {"hook": HOOKS["public"], "text": "Once", "idempotencyKey": "k"}
    answers = await asyncio.gather(*[scene.do(FAN, "commentOnHook", "comment { id }", **said) for _ in range(4)])
    assert all(answer == answers[0] for answer in answers)
    assert (await scene.do(FAN, "commentOnHook", **{**said, "text": "Twice"}))["code"] == "IDEMPOTENCY_MISMATCH"
    assert (await scene.hook())["commentCount"] == 1
    document = f"""{{ hooks {{ nodes {{ {HOOK} comments {{ nodes {{ id text handle positionMs }} totalCount }} }} }}
      viewer {{ unreadActivityCount following {{ nodes {{ id }} }} savedHooks {{ nodes {{ id }} }}
        activity {{ nodes {{ kind handle times at readAt hook {{ id }} comment {{ text }} }} }} }} }}"""
    reference = reader_of(scene.database, Execution.REFERENCE)
    for viewer in (ANONYMOUS, FAN, ADAS):
        plan, other = [
            json.loads((await reader.answer(document, None, {}, viewer)).body) for reader in (scene.reader, reference)
        ]
        assert plan == other
        assert "errors" not in plan


async def test_a_like_and_a_comment_take_few_statements(scene: Scene, statements: list[str]) -> None:
    people = await scene.crowd(2)
    for viewer in people:  # the driver looks types up once
        statements.clear()
        await scene.do(viewer, "likeHook", "hook { likeCount }", hook=HOOKS["public"])
        likes = [sql for sql in statements if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", ";"))]
        statements.clear()
        await scene.do(viewer, "commentOnHook", "comment { id }", hook=HOOKS["public"], text="Oh")
        said = [sql for sql in statements if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", ";"))]
    # The last of each reads the payload.
    assert (len(likes), len(said)) <= (7 + 1, 10 + 1), (likes, said)
