"""How people gather, as it is measured every hour; and that followers are told, once, of what is out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from db import tables
from db.engine import Database
from db.jobs import enqueue
from domain.ids import Kind, parse_ref
from domain.jobs import JobKind, NewJob
from domain.measures import FORMULA
from graph.execution import Execution
from resolvers.followers import Herald
from resolvers.jobs import Workshop
from resolvers.participation import Gauge
from tests.graph.albums import album, rows
from tests.graph.company import Company, company

SNAPSHOT = "participation { energy earlyMotion trustedCirculation participants formula takenAt }"
OUTBOX = "SELECT payload->>'account' FROM outbox WHERE topic = 'activity.added' AND payload->>'account' <> :owner"


async def measured(here: Company) -> None:
    """Let an hour pass for those who measure."""
    gauge = Gauge(here.database)
    await gauge.begin()
    async with here.database.write() as connection:
        await connection.execute(
            text("UPDATE job SET run_after = now() WHERE kind = 'TAKE_MEASURES' AND state = 'READY'")
        )
    # One round, and not the next one.
    workshop = Workshop(here.database, gauge.doings())
    await workshop.turn()
    await workshop.settled()


async def snapshot(here: Company, named: str, who: str | None = None) -> Any:
    """What is measured of a release, a hook, or the world of an artist."""
    kind = parse_ref(named).kind
    of = (
        f"... on Artist {{ world {{ {SNAPSHOT} }} }}"
        if kind is Kind.ARTIST
        else f"... on {kind.value.title()} {{ {SNAPSHOT} }}"
    )
    told, _ = await here.ask(who, f'{{ node(id: "{named}") {{ {of} }} }}')
    return (told["world"] if kind is Kind.ARTIST else told)["participation"]


async def test_what_people_do_is_measured_hour_by_hour_and_the_owner_s_own_never(
    database: Database, tmp_path: Path
) -> None:
    async with company(database, tmp_path) as here:
        release, _, out = await album(here, 1)
        track = out["version"]["items"]["nodes"][0]["asset"]["id"]
        told = await here.do("ada", "setHook", "hook { id }", track=track)
        subjects = (release, told["hook"]["id"], here.ids["nova"])
        hook = subjects[1]
        for who in ("ada", "bo", "cy"):
            await here.do(who, "likeHook", "hook { id }", hook=hook)
            await here.do(who, "recordPlay", "hook { id }", hook=hook, heardMs=10_000)
        await here.do("dee", "followArtist", "artist { id }", artist=here.ids["nova"])
        shared = (await here.do("cy", "createShareLink", "link { id }", subject=hook))["link"]["id"]
        visitor = {"link_id": parse_ref(shared).id, "visitor": bytes(16), "own": False}
        async with database.write() as connection:
            await connection.execute(insert(tables.share_visitor).values(visitor))
        assert [await snapshot(here, each) for each in subjects] == [None] * 3
        await here.alter(
            tables.account, {"created_at": text("now() - interval '8 days'")}, tables.account.c.handle == "cy"
        )
        for _ in range(2):
            await measured(here)
        of_release, of_hook, of_world = [await snapshot(here, each) for each in subjects]
        # Two likes, two plays and a share are 10; who follows is somewhere in the world, and so with its releases: 14.
        assert (of_hook["energy"], of_hook["participants"], of_hook["earlyMotion"]) == (4.9, 2, 2)
        assert (of_release["energy"], of_release["participants"], of_release["earlyMotion"]) == (6.8, 3, 3)
        assert (of_world["energy"], of_world["participants"]) == (6.8, 3)
        assert [each["trustedCirculation"] for each in (of_release, of_hook, of_world)] == [1, 1, 1]
        assert of_hook["formula"] == FORMULA
        assert [row.n for row in await rows(here, "SELECT count(*) AS n FROM participation")] == [3]
        here.execution = Execution.REFERENCE
        assert [await snapshot(here, each) for each in subjects] == [of_release, of_hook, of_world]


async def test_followers_are_told_once_that_a_release_is_out(database: Database, tmp_path: Path) -> None:
    async with company(database, tmp_path) as here:
        _, quiet, _ = await album(here, 1)
        assert await rows(here, "SELECT id FROM job WHERE kind = 'TELL_FOLLOWERS'") == []
        for who in ("ada", "bo", "cy"):
            await here.do(who, "followArtist", "artist { id }", artist=here.ids["nova"])
        await here.do("cy", "unfollowArtist", "artist { id }", artist=here.ids["nova"])
        release, version, _ = await album(here, 1)
        herald = Workshop(database, Herald(database).doings())
        await herald.drain()
        inbox = "viewer { activity { nodes { kind handle times release { id } artist { handle } } } }"
        line = {"kind": "RELEASE_PUBLISHED", "handle": None, "times": 1, "release": {"id": release}}
        told, _ = await here.ask("bo", f"{{ {inbox} }}")
        assert told["activity"]["nodes"] == [{**line, "artist": {"handle": "nova"}}]
        # Who published it knows, and who follows no more is not told.
        for who in ("ada", "cy", "dee"):
            told, _ = await here.ask(who, f"{{ {inbox} }}")
            assert "RELEASE_PUBLISHED" not in {each["kind"] for each in told["activity"]["nodes"]}
        owner = str(parse_ref(here.ids["nova"]))
        announced = await rows(here, OUTBOX, owner=owner)
        again = NewJob(parse_ref(quiet).id, JobKind.TELL_FOLLOWERS, parse_ref(version).id)
        async with database.write() as connection:
            await enqueue(connection, [again])
        await herald.drain()
        told, _ = await here.ask("bo", "{ viewer { activity { totalCount } unreadActivityCount } }")
        assert told == {"activity": {"totalCount": 1}, "unreadActivityCount": 1}
        assert await rows(here, OUTBOX, owner=owner) == announced
