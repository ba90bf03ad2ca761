"""Where permission policies, grants and their terms live, and how grants are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.arguments import Bound
from db.assets import HeldAsset, current_id, hold_asset
from db.history import end_row, held_until, holds_at, moment_under_locks, since
from db.places import Inline, Many, Stored, ToOne, Type, columns, refer
from domain.accounts import Viewer
from domain.errors import Moved
from domain.rights import Term, terms_digest


def _terms_of(row: Any, term: Any, _: Bound) -> ColumnElement[bool]:
    return term.c.term_set_id == row.c.term_set_id


PERMISSION_POLICY = Type(
    "PermissionPolicy",
    tables.policy,
    {
        **columns(tables.policy, "level", "license_family", "license", "stated_as", id="ref"),
        "validFrom": Stored(lambda row: func.lower(row.c.valid, type_=tables.policy.c.created_at.type), nullable=True),
        "heldUntil": Stored(held_until, nullable=True),
        "agent": ToOne("Artist", refer("agent_id")),
        "terms": Many("PermissionTerm", _terms_of, "position", cap=16),
    },
)

PERMISSION_GRANT = Type(
    "PermissionGrant",
    tables.permission_grant,
    {
        **columns(tables.permission_grant, "created_at", id="ref"),
        "asset": ToOne("Asset", refer("asset_id")),
        "grantee": ToOne("Artist", refer("grantee_id"), always=True),
        "terms": Many("PermissionTerm", _terms_of, "position", cap=16),
    },
)

PERMISSION_TERM = Type(
    "PermissionTerm",
    tables.term,
    {
        **columns(tables.term, "use", "layer", "decision", "attribution", "share_alike", "territories", "starts_on"),
        **columns(
            tables.term,
            "ends_on",
            "purpose",
            "exception",
            "reaches_outputs",
            "sublicense",
            "royalty_bp",
            "route",
        ),
        "price": Inline(
            "Price",
            columns(tables.term, amountMinor="price_minor", currency="currency"),
            present=lambda row: row.c.price_minor.is_not(None),
        ),
    },
)


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant under the lock of its asset, and the moment from which on it ends."""

    asset: HeldAsset
    grantee: UUID
    at: datetime


async def keep_terms(connection: AsyncConnection, terms: Sequence[Term], new_id: Callable[[], UUID]) -> UUID:
    """The set of these terms, written where there is none yet."""
    table = tables.term_set
    said = terms_digest(tuple(terms))
    made = insert_or(table).values(id=new_id(), digest=said).on_conflict_do_nothing().returning(table.c.id)
    set_id: UUID | None = (await connection.execute(made)).scalar()
    if set_id is None:
        return (await connection.execute(select(table.c.id).where(table.c.digest == said))).scalar_one()
    rows = [
        {"id": new_id(), "term_set_id": set_id, "position": position, **term._asdict()}
        for position, term in enumerate(terms, 1)
    ]
    await connection.execute(insert(tables.term), rows)
    return set_id


async def grantee_of(connection: AsyncConnection, artist_id: UUID) -> UUID | None:
    """The artist an id names now, merges followed; None where there is none."""
    artist = tables.artist
    return (
        await connection.execute(select(artist.c.id).where(artist.c.id == current_id(literal(artist_id, Uuid))))
    ).scalar()


async def grant_held(
    connection: AsyncConnection, asset: UUID, grantee: UUID, term_set: UUID, at: datetime
) -> UUID | None:
    """The grant of exactly these terms that holds."""
    grant = tables.permission_grant
    query = select(grant.c.id).where(
        grant.c.asset_id == asset, grant.c.grantee_id == grantee, grant.c.term_set_id == term_set, holds_at(grant, at)
    )
    return (await connection.execute(query)).scalar()


async def add_grant(
    connection: AsyncConnection, id_: UUID, asset: UUID, grantee: UUID, term_set: UUID, account: UUID, at: datetime
) -> None:
    """Write a grant that holds from a moment on."""
    row = {"id": id_, "asset_id": asset, "grantee_id": grantee, "term_set_id": term_set, "granted_by_id": account}
    await connection.execute(insert(tables.permission_grant).values({**row, "created_at": at, **since(at)}))


async def hold_grant(connection: AsyncConnection, viewer: Viewer, grant_id: UUID) -> HeldGrant | None:
    """Lock the asset of a grant; None where there is no such grant, or the asset is not the viewer's to change.

    Raises:
        Moved: the grant has ended.
    """
    grant = tables.permission_grant
    row = (await connection.execute(select(grant).where(grant.c.id == grant_id))).first()
    asset = None if row is None else await hold_asset(connection, viewer, row.asset_id)
    if row is None or asset is None:
        return None
    at = await moment_under_locks(connection)
    still = select(grant.c.id).where(grant.c.id == grant_id, holds_at(grant, at))
    if (await connection.execute(still)).first() is None:
        raise Moved("The grant has ended.", path=("id",))
    return HeldGrant(asset, row.grantee_id, at)


async def end_grant(connection: AsyncConnection, grant_id: UUID, at: datetime, new_id: Callable[[], UUID]) -> None:
    """Let a grant no longer hold from a moment on; that it did is kept."""
    await end_row(connection, tables.permission_grant, grant_id, at, new_id)
