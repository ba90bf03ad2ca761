"""How people gather, as it is measured every hour; and that followers are told, once, of what is out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, text
from sqlalchemy.dialects.postgresql import insert as upsert

from db import tables
from db.engine import Database
from db.jobs import enqueue
from domain.ids import Kind, parse_ref
from domain.jobs import JobKind, NewJob
from domain.links import LENGTH, spelled
from domain.measures import (
    EARLY,
    ENERGY_HALVES,
    FORGOTTEN_AFTER,
    FORMULA,
    Share,
    Signal,
    SignalKind,
    Visit,
    early_motion,
    energy,
    rise,
    trusted_circulation,
)
from graph.execution import Execution
from resolvers.context import now, uuid7
from resolvers.followers import Herald
from resolvers.jobs import Workshop
from resolvers.participation import Gauge
from tests.graph.albums import album, rows
from tests.graph.company import Company, company

SNAPSHOT = "participation { energy earlyMotion trustedCirculation participants formula takenAt }"
MONTHS = ENERGY_HALVES * FORGOTTEN_AFTER
DONE_AT = {tables.signal: "at", tables.share_link: "created_at", tables.share_visitor: "at"}
OUTBOX = "SELECT payload->>'account' FROM outbox WHERE topic = 'activity.added' AND payload->>'account' <> :owner"


async def measured(here: Company) -> None:
    """Let an hour pass for those who measure: all that was done was done before it began."""
    hour = func.date_trunc("hour", func.now())
    for table, column in DONE_AT.items():
        await here.alter(table, {column: func.least(table.c[column], hour)})
    await take_measures(here)


async def take_measures(here: Company) -> None:
    """Let those who measure do it once."""
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


async def drawn(here: Company, chance: random.Random, subjects: list[str]) -> None:
    """Signals, links and visits as they may have come in the last months, some of them after the hour began."""
    hook, release = (parse_ref(each).id for each in subjects[:2])
    places: list[dict[str, Any]] = [{"hook_id": hook}, {"release_id": release}, {"hook_id": hook}, {}]
    people = [here.keys[name] for name in ("ada", "bo", "cy", "dee")]

    def at() -> datetime:
        return now() - timedelta(
            minutes=chance.choice([0, 30, 90, 60 * 30, 60 * 24 * 5, 60 * 24 * 80]) * chance.random()
        )

    signals, links, visits = [], [], []
    for _ in range(200):
        row = {"account_id": chance.choice(people), "own": chance.random() < 0.2, "artist_id": here.keys["nova"]}
        kind = chance.choice([*SignalKind])
        signals.append({**row, "hook_id": None, "release_id": None, **chance.choice(places), "kind": kind, "at": at()})
    for number, who in enumerate(people):
        code = spelled(Kind.HOOK, [number] * LENGTH)
        links.append({"id": uuid7(), "code": code, "account_id": who, "hook_id": hook, "created_at": at()})
        for visitor in range(5):
            came = {"visitor": bytes([chance.choice([visitor, 9])] * 16), "own": chance.random() < 0.2}
            visits.append({"link_id": links[-1]["id"], **came, "at": at()})
    async with here.database.write() as connection:
        await connection.execute(insert(tables.signal).values(signals))
        await connection.execute(insert(tables.share_link).values(links))
        await connection.execute(upsert(tables.share_visitor).values(visits).on_conflict_do_nothing())


def again(told: Mapping[str, Sequence[Any]], subject: str, at: datetime, out_at: datetime) -> tuple[Any, ...]:
    """What is measured of something at a moment: the formulas, over all that was done."""
    kind, id_ = parse_ref(subject)
    counts = {
        Kind.HOOK: lambda row: row.hook_id == id_,
        Kind.RELEASE: lambda row: row.hook_id or row.release_id or row.kind == "FOLLOW",
        Kind.ARTIST: lambda _: True,
    }[kind]
    done = [
        Signal(SignalKind(row.kind), row.account_id, row.at, row.own)
        for row in told["signal"]
        if row.at <= at and counts(row)
    ]
    shares = [
        Share(row.id, row.account_id, row.since, row.created_at, row.own)
        for row in told["share_link"]
        if row.created_at <= at
    ]
    visits = [Visit(row.link_id, row.visitor, row.at) for row in told["share_visitor"] if row.at <= at and not row.own]
    people = {each.actor for each in done if not each.own and (each.at > at - MONTHS or each.at <= out_at + EARLY)}
    measures = energy(done, at), rise(done, at), early_motion(done, out_at), trusted_circulation(shares, visits)
    return *measures, len(people)


EVERYTHING = {
    "signal": "SELECT kind, account_id, hook_id, release_id, at, own FROM signal",
    "share_visitor": "SELECT link_id, visitor, at, own FROM share_visitor",
    "share_link": """SELECT share_link.id, account_id, account.created_at AS since, share_link.created_at,
        account.handle = 'ada' AS own FROM share_link JOIN account ON account.id = account_id""",
}
TAKEN = """SELECT taken_at, energy, rise, early_motion, trusted_circulation, participants FROM participation
    WHERE subject_id = :id ORDER BY taken_at DESC LIMIT 1"""


async def is_made_of_signals(here: Company, subjects: Sequence[tuple[str, datetime]]) -> None:
    everything = {name: await rows(here, query) for name, query in EVERYTHING.items()}
    for subject, out_at in subjects:
        at, *taken = (await rows(here, TAKEN, id=parse_ref(subject).id))[0]
        assert tuple(taken) == again(everything, subject, at, out_at), subject


@pytest.mark.parametrize("seed", range(3))
async def test_a_snapshot_is_what_the_formulas_make_of_all_that_was_done_before_its_hour(
    database: Database, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with company(database, tmp_path) as here:
        release, _, out = await album(here, 1)
        track = out["version"]["items"]["nodes"][0]["asset"]["id"]
        hook = (await here.do("ada", "setHook", "hook { id }", track=track))["hook"]["id"]
        long_ago = now() - timedelta(days=60)
        await here.alter(tables.hook, {"created_at": long_ago})
        await here.alter(tables.artist, {"created_at": long_ago})
        await here.alter(tables.membership, {"created_at": now() - timedelta(days=365)})
        await here.alter(tables.account, {"created_at": now() - timedelta(days=365)})
        await drawn(here, chance, [hook, release])
        await take_measures(here)
        published = (await rows(here, "SELECT published_at FROM release_version WHERE published_at IS NOT NULL"))[0][0]
        subjects = ((hook, long_ago), (release, published), (here.ids["nova"], long_ago))
        await is_made_of_signals(here, subjects)
        # Measured again after more was done, it is no other one.
        await here.do("bo", "likeHook", "hook { id }", hook=hook)
        async with database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            await connection.execute(delete(tables.participation))
        await take_measures(here)
        await is_made_of_signals(here, subjects)


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
