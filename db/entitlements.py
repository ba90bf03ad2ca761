"""Where entitlements live, and what they open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, exists, func, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.accounts import handle_of
from db.assets import current_id
from db.history import change_row, holds_at, moment_under_locks
from db.places import Stored, ToOne, Type, columns, refer
from db.viewers import VIEWER_ACCOUNT, viewer_values
from domain.accounts import Viewer
from domain.entitlements import SCOPES, EntitlementScope, EntitlementSource, EntitlementState
from domain.ids import Kind, Ref

ENTITLEMENT = Type(
    "Entitlement",
    tables.entitlement,
    {
        **columns(tables.entitlement, "scope", "source", "state", "created_at", id="ref"),
        "handle": Stored(handle_of),
        "artist": ToOne("Artist", refer("artist_id")),
        # What is unlisted is shown to those for whom it is open.
        "asset": ToOne("Asset", lambda row, asset, _: asset.c.id == current_id(row.c.asset_id), action=Action.READ),
    },
)

_SOLD = ("PUBLISHED", "SUPERSEDED")
"""The versions of a release that were given to the world, and not taken back."""


def opened(asset: Any) -> ColumnElement[bool]:
    """Something the viewer is entitled to opens a track they may see the whole of.

    A release opens the tracks of its own owner: who puts somebody else's in theirs gives nothing of it away.
    """
    entitlement, release = tables.entitlement.alias(), tables.asset.alias()
    version, item = tables.release_version.alias(), tables.release_item.alias()
    contained = (
        exists()
        .where(
            release.c.id == current_id(entitlement.c.asset_id),
            release.c.owner_id == asset.c.owner_id,
            version.c.release_id == release.c.id,
            version.c.state.in_(_SOLD),
            item.c.version_id == version.c.id,
            item.c.asset_id == asset.c.id,
        )
        .correlate_except(release, version, item)
    )
    scope = entitlement.c.scope
    reaches = or_(
        and_(scope == EntitlementScope.CASSET.value, current_id(entitlement.c.artist_id) == asset.c.owner_id),
        and_(scope == EntitlementScope.TRACK.value, current_id(entitlement.c.asset_id) == asset.c.id),
        and_(scope == EntitlementScope.RELEASE.value, contained),
    )
    has = exists().where(
        entitlement.c.account_id == VIEWER_ACCOUNT,
        entitlement.c.state == EntitlementState.ACTIVE.value,
        reaches,
    )
    seen = allowed(tables.asset, Action.READ, asset), asset_shown(asset, Exposure.FULL)
    return and_(*seen, has.correlate_except(entitlement))


async def account_by_handle(connection: AsyncConnection, handle: str) -> UUID | None:
    """The account that goes by a handle."""
    account = tables.account
    return (await connection.execute(select(account.c.id).where(account.c.handle == handle))).scalar()


async def is_claimed(connection: AsyncConnection, artist_id: UUID) -> bool | None:
    """Whether somebody signs in for an artist; None where there is no such artist."""
    artist = tables.artist
    return (await connection.execute(select(artist.c.claimed).where(artist.c.id == artist_id))).scalar()


class Owned(NamedTuple):
    """What its owner may open to somebody, and whose it is."""

    id: UUID
    artist: UUID


async def owned_subject(connection: AsyncConnection, viewer: Viewer, subject: Ref) -> Owned | None:
    """The artist or the asset that a reference names now; None where there is none, or the viewer does not own it."""
    table = tables.artist if subject.kind is Kind.ARTIST else tables.asset
    row = table.alias()
    named = row.c.id == current_id(literal(subject.id, Uuid))
    artist = row.c.id if subject.kind is Kind.ARTIST else row.c.owner_id
    query = select(row.c.id, artist).where(named, allowed(table, Action.OWN, row))
    found = (await connection.execute(query, viewer_values(viewer))).first()
    return None if found is None else Owned(*found)


def _of(subject: UUID) -> ColumnElement[bool]:
    return func.coalesce(tables.entitlement.c.artist_id, tables.entitlement.c.asset_id) == subject


async def open_entitlement(
    connection: AsyncConnection, account_id: UUID, subject: UUID, source: EntitlementSource
) -> UUID | None:
    """What an account has of that, from that source, and nobody revoked; it gets none before this transaction ends."""
    account, entitlement = tables.account, tables.entitlement
    lock = select(account.c.id).where(account.c.id == account_id).with_for_update(key_share=True)
    await connection.execute(lock)
    query = select(entitlement.c.id).where(
        entitlement.c.account_id == account_id,
        _of(subject),
        entitlement.c.source == source.value,
        entitlement.c.state != EntitlementState.REVOKED.value,
    )
    return (await connection.execute(query)).scalar()


async def add_entitlement(
    connection: AsyncConnection,
    entitlement: Ref,
    account_id: UUID,
    scope: EntitlementScope,
    subject: UUID,
    source: EntitlementSource,
    new_id: Callable[[], UUID],
) -> None:
    """Open something to an account."""
    column = "artist_id" if scope is EntitlementScope.CASSET else "asset_id"
    row = {"account_id": account_id, "scope": scope.value, column: subject, "source": source.value}
    await connection.execute(insert(tables.entitlement).values(id=entitlement.id, **row))
    said = {"entitlement_id": entitlement.id, "state": EntitlementState.ACTIVE.value}
    await connection.execute(insert(tables.entitlement_standing).values(id=new_id(), **said))


_REWARD = text("""
    WITH given AS (
      INSERT INTO entitlement (id, account_id, scope, artist_id, asset_id, source)
      SELECT each.id, each.account, :scope, :artist, :asset, 'REWARD'
      FROM unnest(CAST(:ids AS uuid[]), CAST(:accounts AS uuid[])) AS each (id, account) ORDER BY each.account
      ON CONFLICT DO NOTHING
      RETURNING id, account_id
    ), stood AS (
      INSERT INTO entitlement_standing (id, entitlement_id, state)
      SELECT each.id, given.id, 'ACTIVE'
      FROM unnest(CAST(:standings AS uuid[]), CAST(:accounts AS uuid[])) AS each (id, account)
      JOIN given ON given.account_id = each.account
    )
    SELECT id, account_id FROM given
""").bindparams(bindparam("artist", type_=Uuid), bindparam("asset", type_=Uuid))


async def add_rewards(
    connection: AsyncConnection, accounts: Sequence[UUID], subject: Ref, new_id: Callable[[], UUID]
) -> dict[UUID, UUID]:
    """Open something to many accounts at once that earned it; the new entitlements of those who had it not, by account.

    Given in the order of accounts: two that open things to the same people do not wait for each other in a circle.
    """
    scope, of_world = SCOPES[subject.kind], subject.kind is Kind.ARTIST
    values = {
        "scope": scope.value,
        "artist": subject.id if of_world else None,
        "asset": None if of_world else subject.id,
        "ids": [new_id() for _ in accounts],
        "standings": [new_id() for _ in accounts],
        "accounts": list(accounts),
    }
    return {row.account_id: row.id for row in await connection.execute(_REWARD, values)}


async def hold_granted(connection: AsyncConnection, viewer: Viewer, entitlement_id: UUID) -> bool:
    """Lock what an owner gave; False where there is no such thing, or it is not the viewer's to take back."""
    table, row = tables.entitlement, tables.entitlement.alias()
    query = select(row.c.id).where(row.c.id == entitlement_id, allowed(table, Action.OWN, row)).with_for_update()
    return (await connection.execute(query, viewer_values(viewer))).first() is not None


async def set_state(
    connection: AsyncConnection, entitlement_id: UUID, state: EntitlementState, new_id: Callable[[], UUID]
) -> bool:
    """Let an entitlement stand otherwise from now on; False where it does already, or was revoked for good."""
    entitlement, standing = tables.entitlement, tables.entitlement_standing
    settled = {state.value, EntitlementState.REVOKED.value}
    moved = update(entitlement).where(entitlement.c.id == entitlement_id, entitlement.c.state.not_in(settled))
    if (await connection.execute(moved.values(state=state.value).returning(entitlement.c.id))).first() is None:
        return False
    moment = await moment_under_locks(connection)
    query = select(standing.c.id).where(standing.c.entitlement_id == entitlement_id, holds_at(standing, moment))
    row = (await connection.execute(query)).scalar_one()
    await change_row(connection, standing, row, {"state": state.value}, moment, new_id)
    return True
