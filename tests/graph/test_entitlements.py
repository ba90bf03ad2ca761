"""What is open to whom: it opens what it says and nothing more, is had once, and ends when it is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from db import tables
from db.accounts import viewer_of_account
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.audio import Mode
from domain.entitlements import EntitlementState
from domain.errors import Forbidden, NotFound
from domain.ids import parse_ref
from domain.keys import KeyScope
from graph.execution import Execution
from resolvers.audio import ask_to_hear, come_to_hear
from resolvers.context import Acting, now, uuid7
from resolvers.entitlements import let_stand
from tests.graph.company import Company, company

NOBODYS = "artist_01jd0000000000000000000000"


@pytest.fixture(params=Execution, ids=lambda execution: execution.name)
async def here(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path, request.param) as each:
        yield each


@pytest.fixture
async def sounding(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    """The company, whose tracks have masters; the release holds both of them, and is out."""
    async with company(database, tmp_path) as each:
        async with database.write() as connection:
            version = uuid7()
            row = {"id": version, "release_id": each.keys["release"], "number": 1}
            await connection.execute(insert(tables.release_version).values(**row, state="PUBLISHED"))
            for position, name in enumerate(("track", "other"), 1):
                media = {"id": uuid7(), "asset_id": each.keys[name], "role": "MASTER", "mime_type": "audio/wav"}
                sound = {"sha256": uuid7().hex * 2, "byte_size": 1, "duration_ms": 90_000}
                await connection.execute(insert(tables.media).values(**media, **sound))
                content = {"media_id": media["id"], "format": "WAV", "state": "READY"}
                await connection.execute(insert(tables.media_content).values(content))
                item = {"id": uuid7(), "version_id": version, "asset_id": each.keys[name], "position": position}
                await connection.execute(insert(tables.release_item).values(item))
        yield each


async def acting(here: Company, who: str | None) -> Acting:
    async with here.database.read() as connection:
        viewer = ANONYMOUS if who is None else await viewer_of_account(connection, here.keys[who], now())
    return Acting(here.database, viewer, now, uuid7)


async def hears(here: Company, who: str | None, track: str) -> str:
    """How much of a track somebody gets a token for."""
    try:
        ticket, _ = await ask_to_hear(await acting(here, who), parse_ref(here.ids[track]), None)
    except NotFound:
        return "nothing"
    return "all" if ticket.mode is Mode.FULL else "the window"


async def grant(here: Company, subject: str, handle: str = "cy", who: str = "ada") -> str:
    told = await here.do(who, "grantEntitlement", subject=here.ids[subject], handle=handle)
    assert told["__typename"] == "EntitlementSuccess", told
    return str(told["entitlement"]["id"])


# -- joining -------------------------------------------------------------------------------------------------------


async def test_a_world_is_joined_once_and_left(here: Company) -> None:
    asked = "entitlement { handle scope source state artist { handle } asset { id } }"
    told = await here.do("cy", "joinWorld", asked, artist=here.ids["nova"])
    about = {"handle": "cy", "scope": "CASSET", "source": "FREE_JOIN", "artist": {"handle": "nova"}, "asset": None}
    assert told["entitlement"] == {**about, "state": "ACTIVE"}
    again = [await here.do("cy", "joinWorld", artist=here.ids["nova"]) for _ in range(2)]
    assert len({each["entitlement"]["id"] for each in again}) == await here.count(tables.entitlement) == 1
    for _ in range(2):
        left = await here.do("cy", "leaveWorld", artist=here.ids["nova"])
        assert left["artist"] == {"id": here.ids["nova"]}
    mine, _ = await here.ask("cy", "{ viewer { entitlements { nodes { state } totalCount } } }")
    assert mine["entitlements"] == {"nodes": [{"state": "REVOKED"}], "totalCount": 1}
    back = await here.do("cy", "joinWorld", artist=here.ids["nova"])
    assert back["entitlement"]["id"] != again[0]["entitlement"]["id"]
    mine, _ = await here.ask("cy", "{ viewer { entitlements { nodes { state } } } }")
    assert mine["entitlements"]["nodes"] == [{"state": "ACTIVE"}, {"state": "REVOKED"}]


async def test_who_joins_several_times_at_once_joins_once(here: Company) -> None:
    joins = [here.do("cy", "joinWorld", artist=here.ids["nova"]) for _ in range(4)]
    told = await here.at_once("LOCK TABLE entitlement IN SHARE MODE", *joins)
    assert len({each["entitlement"]["id"] for each in told}) == await here.count(tables.entitlement) == 1


async def test_a_key_of_idempotency_writes_once(here: Company) -> None:
    asked = {"artist": here.ids["nova"], "idempotencyKey": "one"}
    first = await here.do("cy", "joinWorld", "entitlement { id }", **asked)
    await here.do("cy", "leaveWorld", artist=here.ids["nova"])
    assert await here.do("cy", "joinWorld", "entitlement { id }", **asked) == first
    assert await here.count(tables.entitlement, tables.entitlement.c.state == "ACTIVE") == 0
    other = await here.do("cy", "joinWorld", artist=here.ids["far"], idempotencyKey="one")
    assert other["code"] == "IDEMPOTENCY_MISMATCH"


async def test_nobody_is_let_into_a_world_that_nobody_signs_in_for(here: Company) -> None:
    await here.alter(tables.artist, {"claimed": False}, tables.artist.c.id == here.keys["far"])
    assert (await here.do("cy", "joinWorld", artist=here.ids["far"]))["code"] == "CONFLICT"
    for mutation in ("joinWorld", "leaveWorld"):
        assert (await here.do("cy", mutation, artist=NOBODYS))["code"] == "NOT_FOUND"
        assert (await here.do(None, mutation, artist=here.ids["nova"]))["code"] == "UNAUTHENTICATED"
    assert await here.count(tables.entitlement) == 0


# -- giving --------------------------------------------------------------------------------------------------------


async def test_what_an_owner_gives_they_and_its_holder_see_and_nobody_else(here: Company) -> None:
    given = await grant(here, "track", " @Cy ")
    assert given == await grant(here, "track")
    document = "query ($id: ID!) { node(id: $id) { ... on Entitlement { handle scope source asset { title } } } }"
    seen = {"handle": "cy", "scope": "TRACK", "source": "GRANT", "asset": {"title": "track"}}
    for who in ("ada", "cy"):
        assert (await here.ask(who, document, id=given))[0] == seen
    nobodys = "entitlement_01jd0000000000000000000000"
    for who in ("bo", None):
        assert (await here.ask(who, document, id=given))[1] == (await here.ask(who, document, id=nobodys))[1]
    joined = (await here.do("dee", "joinWorld", artist=here.ids["nova"]))["entitlement"]["id"]
    assert (await here.ask("ada", document, id=joined))[0] is None, "who comes freely is not told to the owner"


async def test_what_is_not_theirs_to_give_answers_as_what_is_not_there(here: Company) -> None:
    editor = await here.joined("dee", "EDITOR")
    nothing = {"nova": NOBODYS, **{name: f"{name}_01jd0000000000000000000000" for name in ("track", "release")}}
    given = await grant(here, "track")
    for who in ("bo", "dee"):
        for subject, unknown in nothing.items():
            told = await here.do(who, "grantEntitlement", subject=here.ids[subject], handle="cy")
            assert told == await here.do(who, "grantEntitlement", subject=unknown, handle="cy")
            assert told["code"] == "NOT_FOUND"
    for who in ("bo", "dee", "cy"):
        told = await here.do(who, "revokeEntitlement", id=given)
        unknown = "entitlement_01jd0000000000000000000000"
        assert told == await here.do(who, "revokeEntitlement", id=unknown)
        assert told["code"] == "NOT_FOUND"
    await here.do("ada", "setMemberRole", id=editor, role="OWNER")
    assert (await here.do("dee", "revokeEntitlement", id=given))["entitlement"]["state"] == "REVOKED"
    assert (await here.do("ada", "grantEntitlement", subject=here.ids["track"], handle="nobody"))["path"] == ["handle"]


@pytest.mark.parametrize("source", ["PURCHASE", "REWARD", "FREE_JOIN"])
async def test_an_owner_takes_back_only_what_was_given(here: Company, source: str) -> None:
    given = await grant(here, "nova")
    await here.alter(tables.entitlement, {"source": source}, tables.entitlement.c.id == parse_ref(given).id)
    assert (await here.do("ada", "revokeEntitlement", id=given))["code"] == "NOT_FOUND"
    left = await here.do("cy", "leaveWorld", artist=here.ids["nova"])
    assert left["__typename"] == "LeaveWorldSuccess"
    states = tables.entitlement.c.state == "ACTIVE"
    assert await here.count(tables.entitlement, states) == (0 if source == "FREE_JOIN" else 1)


async def test_how_it_stood_is_kept_with_its_chain_the_log_and_the_outbox(here: Company) -> None:
    given = await grant(here, "nova")
    for _ in range(2):
        await here.do("ada", "revokeEntitlement", id=given)
    standing, event = tables.entitlement_standing, tables.provenance_event
    async with here.database.read() as connection:
        query = select(standing.c.state).where(standing.c.known.op("@>")(now())).order_by(standing.c.valid)
        assert list((await connection.execute(query)).scalars()) == ["ACTIVE", "REVOKED"]
        told = (await connection.execute(select(event.c.kind, event.c.sequence).order_by(event.c.sequence))).all()
        assert [tuple(each) for each in told] == [("ACCESS_GRANTED", 1), ("PERMISSIONS_CHANGED", 2)]
        said = (await connection.execute(select(tables.outbox.c.payload))).scalars()
        assert [each["state"] for each in said] == ["ACTIVE", "REVOKED"]
    assert await here.count(tables.change) == 2
    nobodys, _ = await here.ask(None, '{ artist(handle: "nova") { provenance { totalCount } } }')
    assert nobodys["provenance"] == {"totalCount": 0}, "who comes and goes is not told to everybody"


# -- what it opens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["nova", "release", "track"])
async def test_it_opens_the_tracks_of_its_artist_and_of_nobody_else(sounding: Company, subject: str) -> None:
    assert [await hears(sounding, "cy", name) for name in ("track", "other")] == ["the window"] * 2
    given = await grant(sounding, subject)
    assert [await hears(sounding, "cy", name) for name in ("track", "other")] == ["all", "the window"]
    assert [await hears(sounding, who, "track") for who in ("dee", None)] == ["the window"] * 2
    await sounding.do("ada", "revokeEntitlement", id=given)
    assert await hears(sounding, "cy", "track") == "the window"


async def test_joining_opens_a_world_and_leaving_closes_it_for_tokens_that_are_out(sounding: Company) -> None:
    track = parse_ref(sounding.ids["track"])
    await sounding.do("cy", "joinWorld", artist=sounding.ids["nova"])
    ticket, _ = await ask_to_hear(await acting(sounding, "cy"), track, Mode.FULL)
    assert (await come_to_hear(await acting(sounding, None), track, ticket.token)).mode is Mode.FULL
    await sounding.do("cy", "leaveWorld", artist=sounding.ids["nova"])
    with pytest.raises(Forbidden):
        await come_to_hear(await acting(sounding, None), track, ticket.token)
    with pytest.raises(Forbidden):
        await ask_to_hear(await acting(sounding, "cy"), track, Mode.FULL)


async def test_a_member_who_goes_hears_the_window_again(sounding: Company) -> None:
    track, member = parse_ref(sounding.ids["track"]), await sounding.joined("cy", "MEMBER")
    ticket, _ = await ask_to_hear(await acting(sounding, "cy"), track, Mode.FULL)
    await sounding.do("ada", "removeMember", id=member)
    with pytest.raises(Forbidden):
        await come_to_hear(await acting(sounding, None), track, ticket.token)
    assert await hears(sounding, "cy", "track") == "the window"


@pytest.mark.parametrize("state", ["SUSPENDED", "REVOKED"])
async def test_only_what_is_active_opens_anything(sounding: Company, state: str) -> None:
    await grant(sounding, "nova")
    await sounding.alter(tables.entitlement, {"state": state}, tables.entitlement.c.account_id == sounding.keys["cy"])
    assert await hears(sounding, "cy", "track") == "the window"


async def test_what_is_suspended_opens_again_and_what_is_revoked_never(sounding: Company) -> None:
    given, who = parse_ref(await grant(sounding, "nova")), await acting(sounding, "ada")
    steps = ("SUSPENDED", "SUSPENDED", "ACTIVE", "SUSPENDED", "REVOKED", "ACTIVE", "SUSPENDED", "REVOKED")
    heard = []
    for state in steps:
        async with sounding.database.write() as connection:
            await let_stand(connection, who, given, EntitlementState(state))
        heard.append(await hears(sounding, "cy", "track"))
    assert heard == ["all" if step == 2 else "the window" for step in range(len(steps))]
    standing = tables.entitlement_standing
    async with sounding.database.read() as connection:
        query = select(standing.c.state).where(standing.c.known.op("@>")(now())).order_by(standing.c.valid)
        kept = list((await connection.execute(query)).scalars())
        said = (await connection.execute(select(tables.outbox.c.payload))).scalars()
        told = [each["state"] for each in said]
    assert kept == told == ["ACTIVE", "SUSPENDED", "ACTIVE", "SUSPENDED", "REVOKED"]


@pytest.mark.parametrize("subject", ["nova", "release", "track"])
async def test_it_shows_nothing_that_may_not_be_seen(sounding: Company, subject: str) -> None:
    await grant(sounding, subject)
    asset = tables.asset
    for state, heard in (("PRIVATE", "nothing"), ("WITHDRAWN", "nothing"), ("ARCHIVED", "all"), ("UNLISTED", "all")):
        await sounding.alter(asset, {"state": state}, asset.c.id == sounding.keys["track"])
        assert await hears(sounding, "cy", "track") == heard, state


async def test_a_scheduled_release_keeps_all_but_its_hook_to_itself(sounding: Company) -> None:
    await grant(sounding, "nova")
    hook = uuid7()
    async with sounding.database.write() as connection:
        row = {"id": hook, "track_id": sounding.keys["track"], "start_ms": 0, "end_ms": 30_000}
        await connection.execute(insert(tables.hook).values(row))
    asset, release = tables.asset, tables.release
    await sounding.alter(release, {"lead_hook_id": hook}, release.c.id == sounding.keys["release"])
    await sounding.alter(asset, {"state": "PRIVATE"}, asset.c.id == sounding.keys["track"])
    await sounding.alter(asset, {"state": "PRIVATE", "teased": True}, asset.c.id == sounding.keys["release"])
    assert await hears(sounding, "cy", "track") == "the window"


async def test_a_version_that_is_not_out_opens_nothing(sounding: Company) -> None:
    await grant(sounding, "release")
    await sounding.alter(tables.release_version, {"state": "WITHDRAWN"}, tables.release_version.c.number == 1)
    async with sounding.database.write() as connection:
        version = uuid7()
        row = {"id": version, "release_id": sounding.keys["release"], "number": 2}
        await connection.execute(insert(tables.release_version).values(row))
        item = {"id": uuid7(), "version_id": version, "asset_id": sounding.keys["track"], "position": 1}
        await connection.execute(insert(tables.release_item).values(item))
    assert await hears(sounding, "cy", "track") == "the window"


async def test_a_key_hears_no_more_than_anybody(sounding: Company) -> None:
    await grant(sounding, "nova")
    agent = Viewer(sounding.keys["cy"], is_agent=True, scopes=frozenset(KeyScope))
    by_key = Acting(sounding.database, agent, now, uuid7)
    ticket, _ = await ask_to_hear(by_key, parse_ref(sounding.ids["track"]), None)
    assert ticket.mode is Mode.PREVIEW
