"""Where accounts, the viewer and sessions live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, LargeBinary, bindparam, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action
from db.arguments import Paging
from db.engine import Database
from db.orders import NAME
from db.places import Page, ToOne, Type, columns
from db.statements import statement_text
from domain.accounts import EDITING_ROLES, Role, Viewer

ACCOUNT = Type("Account", tables.account, columns(tables.account, "handle", "created_at", id="ref"))

VIEWER = Type(
    "Viewer",
    tables.account,
    {
        "account": ToOne("Account", lambda row, account, _: account.c.id == row.c.id, always=True),
        "artists": Page(
            "Artist",
            lambda row, artist, _: artist.c.id.in_(
                select(tables.membership.c.artist_id)
                .where(tables.membership.c.account_id == row.c.id, tables.membership.c.ended_at.is_(None))
                .correlate_except(tables.membership)
            ),
            Paging({"NAME": NAME}, "NAME"),
            action=Action.LIST,
        ),
    },
)


async def viewer_of_session(database: Database, secret_hash: bytes, *, from_loopback: bool) -> Viewer | None:
    """Who a session's secret stands for; None where the session is unknown, over, or not meant for this place."""
    values = {"secret_hash": secret_hash, "from_loopback": from_loopback}
    async with database.plan_connection(_SESSION_SQL) as connection:
        row = await connection.fetchrow(_SESSION_SQL, *[values[name] for name in _SESSION_PARAMETERS])
    return Viewer(row["account_id"], tuple(row["holds"]), tuple(row["edits"])) if row else None


def _artists_held(*roles: Role) -> Any:
    membership = tables.membership.alias()
    query = select(membership.c.artist_id).where(
        membership.c.account_id == tables.session.c.account_id, membership.c.ended_at.is_(None)
    )
    if roles:
        query = query.where(membership.c.role.in_([role.value for role in roles]))
    return func.array(query.correlate_except(membership).scalar_subquery())


_SESSION_SQL, _SESSION_PARAMETERS = statement_text(
    select(
        tables.session.c.account_id,
        _artists_held().label("holds"),
        _artists_held(*sorted(EDITING_ROLES)).label("edits"),
    ).where(
        tables.session.c.secret_hash == bindparam("secret_hash", type_=LargeBinary, required=True),
        tables.session.c.revoked_at.is_(None),
        tables.session.c.expires_at > func.now(),
        or_(~tables.session.c.loopback_only, bindparam("from_loopback", type_=Boolean, required=True)),
    )
)


async def account_holding(connection: AsyncConnection, handle: str) -> UUID | None:
    """The account with that handle, or the first owner of the artist with that handle."""
    account, artist, membership = tables.account, tables.artist, tables.membership
    by_name = select(account.c.id).where(account.c.handle == handle)
    by_artist = (
        select(membership.c.account_id)
        .join(artist, artist.c.id == membership.c.artist_id)
        .where(artist.c.handle == handle, membership.c.role == Role.OWNER.value, membership.c.ended_at.is_(None))
        .order_by(membership.c.created_at, membership.c.id)
        .limit(1)
    )
    for query in (by_artist, by_name):
        found = (await connection.execute(query)).scalar()
        if found is not None:
            return UUID(str(found))
    return None


async def add_session(
    connection: AsyncConnection, session_id: UUID, account_id: UUID, secret_hash: bytes, lasting: timedelta
) -> None:
    """Open a session that is good on loopback only."""
    row = {"id": session_id, "account_id": account_id, "secret_hash": secret_hash, "loopback_only": True}
    await connection.execute(insert(tables.session).values(**row, expires_at=func.now() + lasting))
