"""Whether sessions and keys that were good once still are, asked of many at once."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Uuid, any_, bindparam, func, or_, select

from db import tables
from db.engine import Database
from db.statements import statement_text
from db.viewers import owned

_SESSION, _KEY = tables.session, tables.agent_key
_SESSIONS_SQL, _ = statement_text(
    select(_SESSION.c.secret_hash).where(
        _SESSION.c.secret_hash == any_(bindparam("hashes", type_=ARRAY(LargeBinary), required=True)),
        _SESSION.c.revoked_at.is_(None),
        _SESSION.c.expires_at > func.now(),
    )
)
_KEYS_SQL, _ = statement_text(
    select(_KEY.c.id).where(
        _KEY.c.id == any_(bindparam("keys", type_=ARRAY(Uuid), required=True)),
        _KEY.c.revoked_at.is_(None),
        _KEY.c.expires_at > func.now(),
        or_(_KEY.c.artist_id.is_(None), owned(_KEY.c.artist_id, _KEY.c.account_id)),
    )
)


async def good_sessions(database: Database, hashes: Collection[bytes]) -> set[bytes]:
    """Those of some sessions that are open, by the hashes of their secrets."""
    async with database.plan_connection(_SESSIONS_SQL) as connection:
        return {bytes(row[0]) for row in await connection.fetch(_SESSIONS_SQL, [*hashes])}


async def good_keys(database: Database, keys: Collection[UUID]) -> set[UUID]:
    """Those of some keys that are good."""
    async with database.plan_connection(_KEYS_SQL) as connection:
        return {UUID(str(row[0])) for row in await connection.fetch(_KEYS_SQL, [*keys])}
