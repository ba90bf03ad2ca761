"""Who was new and came by somebody's link counts for whoever made it: once, never for oneself, never in a circle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from db import tables
from db.engine import Database
from domain.ids import Kind, Ref, parse_ref
from domain.links import LINKS_A_DAY
from domain.measures import WEIGHTS, SignalKind
from graph.fields import write_moment
from resolvers.context import now, uuid7
from tests.graph.company import PEOPLE, Company, add_asset, company

HOUR = timedelta(hours=1)
FOLLOWED = "artist { id }"


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        hook = each._name("hook", Kind.HOOK)
        async with database.write() as connection:
            row: dict[str, Any] = {"track_id": each.keys["track"], "start_ms": 0, "end_ms": 30_000}
            await connection.execute(insert(tables.hook).values(id=hook, **row))
            room = {"id": each._name("room", Kind.ROOM), "artist_id": each.keys["nova"]}
            await connection.execute(insert(tables.room).values(room))
        yield each


async def link(here: Company, who: str, subject: str) -> tuple[str, int]:
    """(code, how many it brought) of somebody's link."""
    told = await here.do(who, "createShareLink", "link { code referralCount }", subject=here.ids[subject])
    return told["link"]["code"], told["link"]["referralCount"]


async def follow(here: Company, who: str, artist: str, via: str | None) -> None:
    told = await here.do(who, "followArtist", FOLLOWED, artist=here.ids[artist], via=via)
    assert told["__typename"] == "FollowSuccess", told


async def people(here: Company, count: int) -> list[str]:
    """More people: `p0`, `p1` …"""
    names = [f"p{number}" for number in range(count)]
    async with here.database.write() as connection:
        for name in names:
            here.keys[name] = uuid7()
            await connection.execute(insert(tables.account).values(id=here.keys[name], handle=name))
    return names


async def brought(here: Company) -> set[tuple[str, str, str]]:
    """(who, into whose world, by whom)."""
    names = {id_: name for name, id_ in here.keys.items()}
    referral = tables.referral
    query = select(referral.c.account_id, referral.c.artist_id, referral.c.bringer_id)
    async with here.database.read() as connection:
        return {tuple(names[id_] for id_ in row) for row in await connection.execute(query)}  # type: ignore[misc]  # a row has three


async def test_each_way_to_come_counts_for_whoever_made_the_link(here: Company) -> None:
    begins = now() + HOUR
    moments = {"opensAt": begins, "releasesAt": begins + HOUR, "endsAt": begins + 2 * HOUR}
    times = {name: write_moment(at) for name, at in moments.items()}
    announced = await here.do("ada", "announceRitual", "ritual { id }", subject=here.ids["hook"], title="M", **times)
    here.ids["ritual"] = announced["ritual"]["id"]
    by_hook, by_ritual, by_room = [(await link(here, "bo", name))[0] for name in ("hook", "ritual", "room")]
    cy, dee, eve, fay = "cy", "dee", *(await people(here, 2))
    await follow(here, cy, "nova", by_hook)
    told = await here.do(dee, "presave", "ritual { id }", ritual=here.ids["ritual"], via=by_ritual)
    assert told["__typename"] == "RitualSuccess", told
    told = await here.do(eve, "joinRoom", "room { id }", room=here.ids["room"], via=by_room)
    assert told["__typename"] == "RoomSuccess", told
    given = {"handle": "gus", "email": "gus@example.com", "password": "nine-slow-tambourines", "via": by_ritual}
    told = await here.do(None, "signUp", "account { id }", **given)
    here.keys["gus"] = parse_ref(told["account"]["id"]).id
    assert await brought(here) == {(who, "nova", "bo") for who in (cy, dee, eve, "gus")}
    assert [await link(here, "bo", name) for name in ("hook", "ritual", "room")] == [
        (by_hook, 1),
        (by_ritual, 2),
        (by_room, 1),
    ]
    signal, bo = tables.signal, here.keys["bo"]
    of_bo = signal.c.account_id == bo, signal.c.kind == "REFERRAL", ~signal.c.own
    assert await here.count(signal, *of_bo, signal.c.hook_id == here.keys["hook"]) == 3, "a ritual is around its hook"
    assert await here.count(signal, *of_bo, signal.c.room_id == here.keys["room"]) == 1
    # Who is there already, and comes by a link for something else, was brought once.
    await here.do(cy, "joinRoom", "room { id }", room=here.ids["room"], via=by_room)
    await follow(here, fay, "nova", None)
    await here.do(fay, "presave", "ritual { id }", ritual=here.ids["ritual"], via=by_ritual)
    assert len(await brought(here)) == 4


async def test_nobody_brings_themselves_or_whoever_is_there_already(here: Company) -> None:
    by_cy, _ = await link(here, "cy", "nova")
    into_far, _ = await link(here, "cy", "far")
    await follow(here, "cy", "nova", by_cy)
    await follow(here, "ada", "nova", by_cy)
    assert await brought(here) == set(), "her own link, and her own world"
    codes = ("2222222", "", "zzzzzzz", "\x00" * 7, "1" * 5_000)
    for who, code in zip(await people(here, len(codes)), codes, strict=True):
        await follow(here, who, "nova", code)
    dee = "dee"
    await follow(here, dee, "nova", into_far)
    assert await brought(here) == set(), "it leads into another world"
    await follow(here, dee, "far", by_cy)
    assert await brought(here) == set()
    assert await here.count(tables.signal, tables.signal.c.kind == "REFERRAL") == 0, "they follow, and that is all"


async def test_whoever_comes_from_where_a_link_was_made_is_not_new(here: Company) -> None:
    code, _ = await link(here, "cy", "nova")
    document = f'mutation {{ signUp(input: {{handle: "cytwo", email: "cy@example.com", password: "nine-slow-tambourines", via: "{code}"}}) {{ __typename }} }}'
    told, _ = await here.ask("cy", document)
    assert told["__typename"] == "SignUpSuccess", "they are let in"
    assert await brought(here) == set()


async def test_two_who_bring_each_other_count_once_also_at_the_same_moment(here: Company) -> None:
    one, _ = await link(here, "cy", "nova")
    other, _ = await link(here, "dee", "far")
    await asyncio.gather(follow(here, "dee", "nova", one), follow(here, "cy", "far", other))
    assert len(await brought(here)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_people_do_with_links_nobody_is_brought_twice_or_in_a_circle(here: Company, seed: int) -> None:
    chance = random.Random(seed)
    crowd = [*PEOPLE, *await people(here, 6)]
    codes: list[tuple[str, str]] = []
    for _ in range(90):
        who, artist = chance.choice(crowd), chance.choice(("nova", "far"))
        if chance.random() < 0.35 or not codes:
            codes.append(((await link(here, who, artist))[0], artist))
        else:
            code, artist = chance.choice(codes)
            await follow(here, who, artist, code)
    rows = await brought(here)
    assert rows, "some were"
    assert len({(who, artist) for who, artist, _ in rows}) == len(rows)
    assert not {(by, who) for who, _, by in rows} & {(who, by) for who, _, by in rows}
    for artist in ("nova", "far"):
        by = {who: bringer for who, into, bringer in rows if into == artist}
        for who in by:
            seen = set()
            at: str | None = who
            while at is not None:
                assert at not in seen, f"{seed}: {who} came in a circle"
                seen.add(at)
                at = by.get(at)
    assert not {who for who, artist, _ in rows if (who, artist) in {("ada", "nova"), ("bo", "far")}}


async def test_who_brings_a_crowd_in_a_day_counts_up_to_the_cap(here: Company) -> None:
    code, _ = await link(here, "bo", "nova")
    crowd = await people(here, WEIGHTS[SignalKind.REFERRAL].a_day + 3)
    for who in crowd:
        await follow(here, who, "nova", code)
    assert (await link(here, "bo", "nova"))[1] == len(crowd), "who came is known"
    signal = tables.signal
    capped = await here.count(signal, signal.c.kind == "REFERRAL")
    assert capped == WEIGHTS[SignalKind.REFERRAL].a_day, "what adds to a measure has an end"


async def test_whoever_brings_people_to_their_own_world_moves_no_measure(here: Company) -> None:
    code, _ = await link(here, "ada", "nova")
    await follow(here, "dee", "nova", code)
    signal = tables.signal
    assert await brought(here) == {("dee", "nova", "ada")}
    assert await here.count(signal, signal.c.kind == "REFERRAL", ~signal.c.own) == 0


async def test_ten_thousand_shares_of_one_actor_are_two_hundred_links_and_one_days_worth_of_signals(
    here: Company,
) -> None:
    hooks = [uuid7() for _ in range(LINKS_A_DAY + 1)]
    async with here.database.write() as connection:
        for number, hook in enumerate(hooks):
            track = uuid7()
            await add_asset(connection, track, here.keys["nova"], title=f"{number}", duration_ms=60_000)
            row: dict[str, Any] = {"id": hook, "track_id": track, "start_ms": 0, "end_ms": 30_000}
            await connection.execute(insert(tables.hook).values(row))
        codes = [f"2{number:03d}222".replace("0", "z") for number in range(1, LINKS_A_DAY)]
        rows = [
            {"id": uuid7(), "code": code, "account_id": here.keys["cy"], "hook_id": hook}
            for code, hook in zip(codes, hooks, strict=False)
        ]
        await connection.execute(insert(tables.share_link), rows)
    last, over = [str(Ref(Kind.HOOK, hook)) for hook in hooks[-2:]]
    told = [await here.do("cy", "createShareLink", "link { id }", subject=last) for _ in range(4)]
    assert len({each["link"]["id"] for each in told}) == 1, "who shares it again has the same link"
    refused = await here.do("cy", "createShareLink", "link { id }", subject=over)
    assert (refused["code"], refused["path"]) == ("VALIDATION", ["subject"])
    assert await here.count(tables.share_link) == LINKS_A_DAY
    assert await here.count(tables.signal, tables.signal.c.kind == "SHARE") == 1
