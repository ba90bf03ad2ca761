"""Following what changed: nothing is skipped or told twice, and nobody hears of what they may not see."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text, update

from db import tables
from db.changes import record_changes
from db.engine import Database
from db.feeds import CHANGES, NEWS
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from tests.graph.company import ADA, ADAS, BO, BOS, add_asset, add_owners, ask

STATES = ("PRIVATE", "UNLISTED", "PUBLIC", "ARCHIVED", "WITHDRAWN")
TRACKS = {state: UUID(int=200 + number) for number, state in enumerate(STATES)}
CHANGED = """query ($after: String, $first: Int) { changes(after: $after, first: $first) { complete endCursor
  changes { kind at cursor subject { id } } } }"""


@pytest.fixture
async def database_of_changes(database: Database) -> Database:
    """Ada's tracks in every state, of each of which a policy, a credit and the house's own work were written."""
    async with database.write() as connection:
        await add_owners(connection)
        for state, id_ in TRACKS.items():
            await add_asset(connection, id_, ADA, state)
            for kind in ("ASSET_UPDATED", "PERMISSIONS_CHANGED", "MEDIA_READ"):
                await record_changes(connection, [(id_, kind, [])])
        await record_changes(connection, [(BO, "ARTIST_UPDATED", [])])
    await settled(database)
    return database


async def settled(database: Database) -> None:
    """Wait until all that was written is told: whatever is open holds it up, in the databases of other tests as well."""
    open_still = text("SELECT EXISTS (SELECT FROM change WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))")
    while True:
        async with database.read() as connection:
            if not (await connection.execute(open_still)).scalar_one():
                return
        await asyncio.sleep(0.01)


def at(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


async def followed(reader: Reader, viewer: Viewer, first: int | None = None, after: str | None = None) -> list[Any]:
    """(subject, kind) of everything somebody hears, a page at a time."""
    told = []
    await settled(reader._database)
    while True:
        page = await ask(reader, viewer, CHANGED, first=first, after=after)
        told += [(change["subject"]["id"], change["kind"]) for change in page["changes"]]
        assert len(page["changes"]) <= (first or 20)
        assert not page["changes"] or at(page["changes"][-1]["cursor"]) <= at(page["endCursor"])
        if page["complete"]:
            return told
        assert page["endCursor"] != after
        after = page["endCursor"]


def of(state: str, *kinds: str) -> list[tuple[str, str]]:
    return [(str(Ref(Kind.TRACK, TRACKS[state])), kind) for kind in kinds]


BOTH = "ASSET_UPDATED", "PERMISSIONS_CHANGED"
OF_BO = [(str(Ref(Kind.ARTIST, BO)), "ARTIST_UPDATED")]
# An unlisted asset is met by nobody who has not its id, and of a withdrawn one only the stub is told.
PUBLICLY = [*of("PUBLIC", *BOTH), *of("ARCHIVED", *BOTH), *of("WITHDRAWN", "ASSET_UPDATED"), *OF_BO]


@pytest.mark.parametrize("first", [1, 2, None])
async def test_everybody_hears_what_they_may_see_in_one_order(database_of_changes: Database, first: int | None) -> None:
    for execution in Execution:
        reader = Reader(executable(), database_of_changes, execution)
        for viewer in (ANONYMOUS, BOS):
            assert await followed(reader, viewer, first) == PUBLICLY
        assert await followed(reader, ADAS, first) == [line for state in STATES for line in of(state, *BOTH)] + OF_BO


async def test_who_comes_back_hears_what_came_since_and_a_place_leads_to_the_same_always(
    database_of_changes: Database,
) -> None:
    reader = Reader(executable(), database_of_changes)
    page = await ask(reader, ANONYMOUS, CHANGED, first=2)
    rest = await followed(reader, ANONYMOUS, after=page["endCursor"])
    assert rest == PUBLICLY[2:]
    end = (await ask(reader, ANONYMOUS, CHANGED))["endCursor"]
    assert await followed(reader, ANONYMOUS, after=end) == []
    assert (await ask(reader, ANONYMOUS, CHANGED, after=end))["endCursor"] == end
    async with database_of_changes.write() as connection:
        track = tables.asset
        await connection.execute(update(track).where(track.c.id == TRACKS["PRIVATE"]).values(state="PUBLIC"))
        await record_changes(connection, [(TRACKS["PRIVATE"], "ASSET_UPDATED", [])])
    assert await followed(reader, ANONYMOUS, after=end) == of("PRIVATE", "ASSET_UPDATED")
    assert await followed(reader, ANONYMOUS, after=page["endCursor"]) == rest + of("PRIVATE", "ASSET_UPDATED")


async def test_what_is_met_through_something_else_is_told_of_to_nobody_by_itself(database_of_changes: Database) -> None:
    hidden = UUID(int=801)
    async with database_of_changes.write() as connection:
        await connection.execute(insert(tables.visual_world).values(id=hidden, owner_id=ADA))
        await record_changes(connection, [(hidden, "HOOK_CHANGED", [])])
    assert await followed(Reader(executable(), database_of_changes), ANONYMOUS) == PUBLICLY


async def test_what_nobody_may_hear_does_not_end_the_list(database_of_changes: Database) -> None:
    async with database_of_changes.write() as connection:
        hidden = [(TRACKS["PRIVATE"], "ASSET_UPDATED", [])] * 2_300
        await record_changes(connection, hidden)
        await record_changes(connection, [(TRACKS["PUBLIC"], "HOOK_CHANGED", [])])
    assert (await followed(Reader(executable(), database_of_changes), BOS))[-1:] == of("PUBLIC", "HOOK_CHANGED")


@pytest.mark.parametrize("after", ["", "x", "Y2g", CHANGES.write((1, 2)) + "=", NEWS.write((1, 2)), "ä", "a" * 500])
async def test_what_is_no_place_in_the_changes_is_refused(scene_database: Database, after: str) -> None:
    reader = Reader(executable(), scene_database)
    told = json.loads((await reader.answer(CHANGED, None, {"after": after}, ANONYMOUS)).body)
    assert told["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in told
