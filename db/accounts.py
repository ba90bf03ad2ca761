"""Where accounts, the viewer and sessions live."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    LargeBinary,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action
from db.arguments import Paging
from db.contributors import PROPOSED_CREDITS, PROPOSED_SPLITS
from db.engine import Database
from db.orders import NAME, NEWEST, OLDEST
from db.places import Page, Stored, ToOne, Type, belong, columns
from db.social import FOLLOWING, INBOX, SAVED_HOOKS, SHARE_LINKS, UNREAD
from db.statements import statement_text
from db.upkeep import UPKEEP
from domain.accounts import EDITING_ROLES, SESSION_LASTS, Role, Viewer, email_key


def handle_of(row: Any, column: str = "account_id") -> ColumnElement[str]:
    """The handle of the account whose id the row keeps in a column."""
    account = tables.account.alias()
    named = select(account.c.handle).where(account.c.id == row.c[column])
    return named.correlate_except(account).scalar_subquery()


ACCOUNT = Type(
    "Account",
    tables.account,
    {
        **columns(tables.account, "handle", "email", "created_at", id="ref"),
        "emailVerified": Stored(lambda account: account.c.email_verified_at.is_not(None)),
        "identities": Page("Identity", belong("account_id"), Paging({"OLDEST": OLDEST}, "OLDEST"), action=Action.LIST),
    },
)

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
        "keys": Page("AgentKey", lambda *_: true(), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
        "memberships": Page(
            "Membership", belong("account_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST
        ),
        "entitlements": Page(
            "Entitlement", belong("account_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST
        ),
        "claims": Page("ArtistClaim", belong("account_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
        "proposedCredits": PROPOSED_CREDITS,
        "proposedSplits": PROPOSED_SPLITS,
        "following": FOLLOWING,
        "savedHooks": SAVED_HOOKS,
        "shareLinks": SHARE_LINKS,
        "activity": INBOX,
        "unreadActivityCount": UNREAD,
        "upkeep": UPKEEP,
    },
)


async def viewer_of_session(database: Database, secret_hash: bytes, *, from_loopback: bool) -> Viewer | None:
    """Who a session's secret stands for; None where the session is unknown, over, or not meant for this place."""
    values = {"secret_hash": secret_hash, "from_loopback": from_loopback}
    async with database.plan_connection(_SESSION_SQL) as connection:
        row = await connection.fetchrow(_SESSION_SQL, *[values[name] for name in _SESSION_PARAMETERS])
    if row is None:
        return None
    if row["slides"]:
        async with database.write() as connection:
            await _slide(connection, secret_hash)
    return Viewer(row["account_id"], tuple(row["holds"]), tuple(row["edits"]), signed_in_at=row["signed_in_at"])


async def _slide(connection: AsyncConnection, secret_hash: bytes) -> None:
    """Move a session's end on, once a day at most: a read that writes each time would be no read."""
    session = tables.session
    open_still = session.c.secret_hash == secret_hash, session.c.revoked_at.is_(None), session.c.expires_at > func.now()
    await connection.execute(update(session).where(*open_still).values(expires_at=func.now() + SESSION_LASTS))


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
        tables.session.c.signed_in_at,
        (tables.session.c.expires_at < func.now() + (SESSION_LASTS - timedelta(days=1))).label("slides"),
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


async def viewer_of_account(
    connection: AsyncConnection, account_id: UUID, signed_in_at: datetime | None = None
) -> Viewer:
    """Whom an account stands for, with all it may see and change."""
    membership = tables.membership
    query = select(membership.c.artist_id, membership.c.role).where(
        membership.c.account_id == account_id, membership.c.ended_at.is_(None)
    )
    held = (await connection.execute(query)).all()
    return Viewer(
        account_id,
        tuple(row.artist_id for row in held),
        tuple(row.artist_id for row in held if row.role in EDITING_ROLES),
        signed_in_at=signed_in_at,
    )


async def add_session(
    connection: AsyncConnection,
    session_id: UUID,
    account_id: UUID,
    secret_hash: bytes,
    lasting: timedelta = SESSION_LASTS,
    *,
    loopback_only: bool = True,
) -> None:
    """Open a session of somebody who has just signed in."""
    row = {"id": session_id, "account_id": account_id, "secret_hash": secret_hash, "loopback_only": loopback_only}
    await connection.execute(insert(tables.session).values(**row, expires_at=func.now() + lasting))


async def revoke_session(connection: AsyncConnection, secret_hash: bytes) -> int:
    """End a session; how many ended."""
    return await _revoke(connection, tables.session.c.secret_hash == secret_hash)


async def revoke_sessions(connection: AsyncConnection, account_id: UUID) -> int:
    """End all sessions of an account; how many ended."""
    return await _revoke(connection, tables.session.c.account_id == account_id)


async def _revoke(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    session = tables.session
    query = (
        update(session)
        .where(which, session.c.revoked_at.is_(None), session.c.expires_at > func.now())
        .values(revoked_at=func.now())
        .returning(session.c.id)
    )
    return len((await connection.execute(query)).all())


async def add_account(connection: AsyncConnection, account_id: UUID, handle: str, email: str | None) -> None:
    """Open an account. Its address, where it has one, is not shown to be theirs yet."""
    row = {"id": account_id, "handle": handle, "email": email, "email_key": email and email_key(email)}
    await connection.execute(insert(tables.account).values(row))


async def add_membership(connection: AsyncConnection, id_: UUID, account_id: UUID, artist_id: UUID, role: Role) -> None:
    """Let an account hold an artist."""
    row = {"id": id_, "account_id": account_id, "artist_id": artist_id, "role": role.value}
    await connection.execute(insert(tables.membership).values(row))


class Named(NamedTuple):
    """An account with what it goes by; `encoded` is its hashed password, where it has one."""

    id: UUID
    handle: str
    email: str | None
    encoded: str | None


async def account_named(connection: AsyncConnection, name: str) -> Named | None:
    """The account that signs in by a handle or an address.

    An address is that of the account that has shown it to be theirs. Where none has, it is that of the only one that
    says so: who registers somebody else's address first gains nothing by it.
    """
    if "@" not in name.strip().removeprefix("@"):
        found = await _named(connection, tables.account.c.handle == name.strip().removeprefix("@").lower())
        return found[0] if found else None
    key = tables.account.c.email_key == email_key(name)
    proven = await _named(connection, and_(key, tables.account.c.email_verified_at.is_not(None)))
    said = proven or await _named(connection, key)
    return said[0] if len(said) == 1 else None


async def account_of(connection: AsyncConnection, account_id: UUID) -> Named:
    """An account by its id."""
    return (await _named(connection, tables.account.c.id == account_id))[0]


async def _named(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Named]:
    account, password = tables.account, tables.password
    query = (
        select(account.c.id, account.c.handle, account.c.email, password.c.encoded)
        .join_from(account, password, password.c.account_id == account.c.id, isouter=True)
        .where(which)
        .limit(2)
    )
    return [Named(*row) for row in await connection.execute(query)]


async def rename_account(connection: AsyncConnection, account_id: UUID, handle: str) -> None:
    """Give an account another handle."""
    await connection.execute(update(tables.account).where(tables.account.c.id == account_id).values(handle=handle))


async def set_email(connection: AsyncConnection, account_id: UUID, email: str) -> None:
    """Give an account an address; another one than it had is not shown to be theirs yet."""
    account, key = tables.account, email_key(email)
    verified_at = case((account.c.email_key == key, account.c.email_verified_at))
    values = {"email": email, "email_key": key, "email_verified_at": verified_at}
    await connection.execute(update(account).where(account.c.id == account_id).values(values))


async def verify_email(connection: AsyncConnection, account_id: UUID, key: str) -> bool:
    """Note that an account's address is theirs; False where it is another's, or no longer the one shown."""
    account = tables.account
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"email/{key}", 0))))
    other = exists().where(
        account.c.email_key == key, account.c.email_verified_at.is_not(None), account.c.id != account_id
    )
    if (await connection.execute(select(other))).scalar():
        return False
    query = (
        update(account)
        .where(account.c.id == account_id, account.c.email_key == key)
        .values(email_verified_at=func.coalesce(account.c.email_verified_at, func.now()))
        .returning(account.c.id)
    )
    return (await connection.execute(query)).first() is not None
