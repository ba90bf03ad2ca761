"""Granting a use: who may, what is left behind, and what it opens for whom, now and as it was then."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text

from db import tables
from db.engine import Database
from db.rights import keep_terms
from domain.accounts import ANONYMOUS, Viewer
from domain.errors import CassetError, Forbidden, Invalid, KeyReused, Moved, NotFound, SignInNeeded
from domain.ids import Kind, Ref
from domain.rights import Decision, LicenseFamily, Term, Use, terms_digest
from resolvers.context import Acting, now, uuid7
from resolvers.rights import end_grant, grant_use
from resolvers.verdicts import Terms, rights_of

ADA, BEN, CLEO = (UUID(int=number) for number in (1, 2, 3))
REMIX, SONG = (Ref(Kind.TRACK, UUID(int=number)) for number in (11, 12))
CLEOS, BENS, ADAS = (Viewer(UUID(int=30 + artist.int), (artist,), (artist,)) for artist in (CLEO, BEN, ADA))
MAY_REMIX = Term(Use.REMIX, None, Decision.ALLOWED)
PASSED_ON = MAY_REMIX._replace(sublicense=True)
LEFT_BEHIND = (tables.permission_grant, tables.provenance_event, tables.change, tables.outbox)
OF_DEEDS = tables.change.c.kind != "EDGES_WRITTEN"
"""Lines of the log that say what was done, and not which rows were written."""


@pytest.fixture
async def made(database: Database) -> Database:
    """Ben's remix, which he allows everything with, of Cleo's song, of which nobody has stated anything."""
    async with database.write() as connection:
        for id_, viewer, handle in ((ADA, ADAS, "ada"), (BEN, BENS, "ben"), (CLEO, CLEOS, "cleo")):
            await connection.execute(insert(tables.account).values(id=viewer.account, handle=handle))
            row = {"id": id_, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
            await connection.execute(insert(tables.artist).values(row))
        for track, owner in ((REMIX, BEN), (SONG, CLEO)):
            row = {"id": track.id, "kind": "TRACK", "owner_id": owner, "title": "Rain", "state": "PUBLIC"}
            await connection.execute(insert(tables.asset).values(row))
            await connection.execute(insert(tables.track).values(id=track.id))
        edge = {"id": uuid7(), "child_id": REMIX.id, "parent_id": SONG.id, "kind": "REMIX_OF", "status": "CONFIRMED"}
        edge |= {
            "registration": "REGISTERED",
            "binding": True,
            "child_is_older": False,
            "evidence_source": "CHILD_OWNER",
        }
        await connection.execute(insert(tables.lineage_edge).values(edge))
        free = await keep_terms(connection, [MAY_REMIX], uuid7)
        policy = {"id": uuid7(), "level": "ASSET", "subject_id": REMIX.id, "term_set_id": free}
        await connection.execute(insert(tables.policy).values(**policy, license_family=LicenseFamily.CUSTOM.value))
    return database


def acting(database: Database, viewer: Viewer) -> Acting:
    return Acting(database, viewer, now, uuid7)


async def grant(database: Database, *terms: Term, by: Viewer = CLEOS, to: UUID = BEN, key: str | None = None) -> Ref:
    return await grant_use(acting(database, by), SONG, Ref(Kind.ARTIST, to), terms or (MAY_REMIX,), key)


async def remixing(database: Database, track: Ref, asker: Viewer, at: datetime | None = None) -> str:
    told = await rights_of(acting(database, asker), [track.id], Terms(frozenset({Use.REMIX}), valid_at=at))
    return next(str(verdict["decision"]) for verdict in told[track.id] if verdict["layer"] == "MASTER")


async def counted(database: Database) -> list[int]:
    async with database.read() as connection:
        rows = {table: select(func.count()).select_from(table) for table in LEFT_BEHIND}
        rows[tables.change] = rows[tables.change].where(OF_DEEDS)
        counts = [await connection.execute(count) for count in rows.values()]
        return [count.scalar_one() for count in counts]


async def moment(database: Database) -> datetime:
    """The database's clock, which history is written by."""
    async with database.read() as connection:
        at: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return at


async def test_a_grant_opens_its_asset_for_the_grantee_and_for_nobody_else(made: Database) -> None:
    await grant(made)
    asked = [(SONG, BENS), (SONG, ADAS), (SONG, ANONYMOUS), (REMIX, BENS), (REMIX, ADAS)]
    assert [await remixing(made, *question) for question in asked] == [
        "ALLOWED",
        "CONTACT_OWNER",
        "CONTACT_OWNER",
        "ALLOWED",
        "CONTACT_OWNER",
    ]


async def test_what_is_passed_on_opens_what_the_grantee_made_of_it_for_everybody(made: Database) -> None:
    await grant(made, PASSED_ON)
    assert await remixing(made, REMIX, ANONYMOUS) == "ALLOWED"
    assert await remixing(made, SONG, ANONYMOUS) == "CONTACT_OWNER"


async def test_a_grant_counts_from_when_it_is_given_until_it_ends(made: Database) -> None:
    before = await moment(made)
    given = await grant(made, PASSED_ON)
    while_it_held = await moment(made)
    assert await end_grant(acting(made, CLEOS), given, None) == SONG
    for asker in (BENS, ANONYMOUS):
        assert await remixing(made, REMIX, asker) == "CONTACT_OWNER"
        assert await remixing(made, REMIX, asker, before) == "CONTACT_OWNER"
        assert await remixing(made, REMIX, asker, while_it_held) == "ALLOWED"
    async with made.read() as connection:
        rows = select(func.upper_inf(tables.permission_grant.c.known)).order_by(tables.permission_grant.c.created_at)
        assert sorted((await connection.execute(rows)).scalars()) == [False, True]


async def test_a_grant_and_its_end_leave_provenance_a_change_and_an_announcement(made: Database) -> None:
    given = await grant(made)
    await end_grant(acting(made, CLEOS), given, None)
    async with made.read() as connection:
        event, change, outbox = tables.provenance_event, tables.change, tables.outbox
        events = (await connection.execute(select(event.c.kind, event.c.body).order_by(event.c.sequence))).all()
        said = select(change.c.subject_id, change.c.kind).where(OF_DEEDS).order_by(change.c.id)
        changes = (await connection.execute(said)).all()
        announced = (await connection.execute(select(outbox.c.topic, outbox.c.payload).order_by(outbox.c.id))).all()
    assert [row.kind for row in events] == ["LICENSE_GRANTED", "PERMISSIONS_CHANGED"]
    assert terms_digest((MAY_REMIX,)) in events[0].body
    assert [tuple(row) for row in changes] == [(SONG.id, "LICENSE_GRANTED"), (SONG.id, "PERMISSIONS_CHANGED")]
    told = {"grant": str(given), "asset": str(SONG), "grantee": str(Ref(Kind.ARTIST, BEN))}
    assert [tuple(row) for row in announced] == [
        ("grant.changed", {**told, "status": "GRANTED"}),
        ("grant.changed", {**told, "status": "ENDED"}),
    ]


async def test_the_same_grant_is_given_once_however_often_and_by_however_many_at_once(made: Database) -> None:
    first = await grant(made, key="once")
    assert await grant(made, key="once") == first
    assert set(await asyncio.gather(*[grant(made) for _ in range(5)])) == {first}
    assert await counted(made) == [1, 1, 1, 1]
    with pytest.raises(KeyReused):
        await grant(made, PASSED_ON, key="once")
    await end_grant(acting(made, CLEOS), first, None)
    assert await grant(made) != first


AGENT = Viewer(CLEOS.account, CLEOS.holds, CLEOS.edits, is_agent=True)
MEMBER = Viewer(CLEOS.account, CLEOS.holds)
REFUSED = [
    ({"by": ANONYMOUS}, (MAY_REMIX,), SignInNeeded),
    ({"by": AGENT}, (MAY_REMIX,), Forbidden),
    ({"by": MEMBER}, (MAY_REMIX,), NotFound),
    ({"by": BENS}, (MAY_REMIX,), NotFound),
    ({"to": UUID(int=99)}, (MAY_REMIX,), NotFound),
    ({}, (MAY_REMIX,) * 17, Invalid),
    ({}, (MAY_REMIX._replace(decision=Decision.DENIED),), Invalid),
    ({}, (MAY_REMIX._replace(exception="accessibility"),), Invalid),
    ({}, (MAY_REMIX._replace(reaches_outputs=True),), Invalid),
    ({}, (MAY_REMIX._replace(starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 1)),), Invalid),
    ({}, (MAY_REMIX._replace(territories=("de",)),), Invalid),
    ({}, (MAY_REMIX._replace(price_minor=100),), Invalid),
    ({}, (MAY_REMIX._replace(price_minor=-1, currency="EUR"),), Invalid),
    ({}, (MAY_REMIX._replace(price_minor=1, currency="euro"),), Invalid),
    ({}, (MAY_REMIX._replace(royalty_bp=10_001),), Invalid),
]


@pytest.mark.parametrize(("how", "terms", "refusal"), REFUSED)
async def test_what_may_not_be_granted_is_refused_and_nothing_is_written(
    made: Database, how: dict[str, Any], terms: tuple[Term, ...], refusal: type[CassetError]
) -> None:
    with pytest.raises(refusal):
        await grant(made, *terms, **how)
    assert await counted(made) == [0, 0, 0, 0]


async def test_an_asset_of_others_answers_as_one_that_is_not_there(made: Database) -> None:
    said = set()
    for asset in (SONG, Ref(Kind.TRACK, UUID(int=98))):
        with pytest.raises(NotFound) as refused:
            await grant_use(acting(made, BENS), asset, Ref(Kind.ARTIST, BEN), [MAY_REMIX], None)
        said.add((refused.value.message, refused.value.path))
    assert len(said) == 1


async def test_a_grant_is_ended_once_and_by_the_owner_of_the_asset_only(made: Database) -> None:
    given = await grant(made)
    said = set()
    for grant_, viewer in ((given, BENS), (given, MEMBER), (Ref(Kind.GRANT, UUID(int=97)), CLEOS)):
        with pytest.raises(NotFound) as refused:
            await end_grant(acting(made, viewer), grant_, None)
        said.add((refused.value.message, refused.value.path))
    assert len(said) == 1
    with pytest.raises(Forbidden):
        await end_grant(acting(made, AGENT), given, None)
    ended = await asyncio.gather(
        *[end_grant(acting(made, CLEOS), given, None) for _ in range(4)], return_exceptions=True
    )
    assert [each for each in ended if each == SONG] == [SONG]
    assert all(isinstance(each, Moved) for each in ended if each != SONG)
