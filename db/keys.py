"""Where the keys of programs live, and whom a key stands for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import LargeBinary, bindparam, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.engine import Database
from db.places import Stored, ToOne, Type, columns, refer
from db.statements import statement_text
from db.viewers import owned, viewer_values
from domain.accounts import EDITING_ROLES, Viewer
from domain.keys import WRITING, KeyMode, KeyScope

_COARSELY = timedelta(minutes=1)
"""How exactly it is known when a key was last used."""

AGENT_KEY = Type(
    "AgentKey",
    tables.agent_key,
    {
        **columns(tables.agent_key, "name", "mode", "created_at", "expires_at", "revoked_at", "last_used_at", id="ref"),
        "scopes": Stored(lambda key: key.c.scopes),
        "artist": ToOne("Artist", refer("artist_id")),
        "replacedBy": ToOne("AgentKey", refer("replaced_by_id")),
    },
)


class KeyHolder(NamedTuple):
    """Whom a key stands for, and which key it is."""

    viewer: Viewer
    id: UUID


async def viewer_of_key(database: Database, secret_hash: bytes) -> KeyHolder | None:
    """Whom a key stands for; None where it is unknown or over, or its issuer owns the artist no longer."""
    async with database.plan_connection(_KEY_SQL) as connection:
        row = await connection.fetchrow(_KEY_SQL, secret_hash)
    if row is None:
        return None
    if row["stale"]:
        async with database.write() as connection:
            await _note_use(connection, row["id"])
    scopes = frozenset(KeyScope(scope) for scope in row["scopes"])
    artists = (row["artist_id"],) if scopes & WRITING else ()
    viewer = Viewer(
        row["account_id"],
        artists,
        artists,
        is_agent=True,
        scopes=scopes,
        acts_for=tuple([artist for artist in row["acts_for"] if artist not in artists]),
        key=row["id"],
        only_tries=row["mode"] == KeyMode.TEST.value,
    )
    return KeyHolder(viewer, row["id"])


def _lately_used(key: Any) -> Any:
    return key.c.last_used_at > func.now() - _COARSELY


def _acted_for(key: Any) -> Any:
    """The artist that issued a key, or else those that its account owns or edits."""
    membership = tables.membership.alias()
    theirs = select(membership.c.artist_id).where(
        membership.c.account_id == key.c.account_id,
        membership.c.role.in_([role.value for role in EDITING_ROLES]),
        membership.c.ended_at.is_(None),
        func.coalesce(key.c.artist_id, membership.c.artist_id) == membership.c.artist_id,
    )
    return func.array(theirs.correlate_except(membership).scalar_subquery())


_KEY_SQL, _ = statement_text(
    select(
        tables.agent_key.c.id,
        tables.agent_key.c.account_id,
        tables.agent_key.c.artist_id,
        tables.agent_key.c.scopes,
        tables.agent_key.c.mode,
        case((_lately_used(tables.agent_key), False), else_=True).label("stale"),
        _acted_for(tables.agent_key).label("acts_for"),
    ).where(
        tables.agent_key.c.secret_hash == bindparam("secret_hash", type_=LargeBinary, required=True),
        tables.agent_key.c.revoked_at.is_(None),
        tables.agent_key.c.expires_at > func.now(),
        or_(
            tables.agent_key.c.artist_id.is_(None),
            owned(tables.agent_key.c.artist_id, tables.agent_key.c.account_id),
        ),
    )
)


async def _note_use(connection: AsyncConnection, key_id: UUID) -> None:
    key = tables.agent_key
    stale = key.c.id == key_id, or_(key.c.last_used_at.is_(None), ~_lately_used(key))
    await connection.execute(update(key).where(*stale).values(last_used_at=func.now()))


async def count_keys(connection: AsyncConnection, account_id: UUID) -> int:
    """How many live keys an account has; it gets no more before this transaction ends."""
    await connection.execute(select(tables.account.c.id).where(tables.account.c.id == account_id).with_for_update())
    key = tables.agent_key
    live = key.c.account_id == account_id, key.c.revoked_at.is_(None), key.c.expires_at > func.now()
    return (await connection.execute(select(func.count()).where(*live))).scalar_one()


async def add_key(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Keep a key, by its columns."""
    await connection.execute(insert(tables.agent_key).values(values))


async def hold_key(connection: AsyncConnection, viewer: Viewer, key_id: UUID) -> Any | None:
    """Lock a key of the viewer's; its row, or None where there is no such key, or it is not theirs."""
    key = tables.agent_key.alias()
    query = select(key).where(key.c.id == key_id, allowed(tables.agent_key, Action.WRITE, key)).with_for_update()
    return (await connection.execute(query, viewer_values(viewer))).first()


async def replace_key(connection: AsyncConnection, key_id: UUID, replaced_by: UUID, ends: datetime) -> None:
    """Note which key takes another's place, and when the other ends at last."""
    key = tables.agent_key
    values = {"replaced_by_id": replaced_by, "expires_at": func.least(key.c.expires_at, ends)}
    await connection.execute(update(key).where(key.c.id == key_id).values(values))


async def revoke_key(connection: AsyncConnection, key_id: UUID) -> None:
    """End a key at once, if it has not ended."""
    key = tables.agent_key
    which = key.c.id == key_id, key.c.revoked_at.is_(None)
    await connection.execute(update(key).where(*which).values(revoked_at=func.now()))
