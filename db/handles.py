"""Which handles are taken: by accounts, by artists, and by those who let them go."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Uuid, and_, exists, func, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.viewers import owned
from domain.handles import skeleton
from domain.ids import Kind, Ref


async def hold_handle(connection: AsyncConnection, handle: str, account_id: UUID, holder: Ref) -> bool:
    """Whether an account or an artist may take a handle; nobody else asks for one like it before this transaction ends.

    Nobody takes what may be confused with a name of somebody else, of now or of before. What only resembles a name of
    the same person is theirs to take.

    Args:
        connection: a transaction.
        handle: a checked one.
        account_id: who asks.
        holder: what shall go by it: their account, or an artist of theirs.
    """
    account, artist, former = (table.alias() for table in (tables.account, tables.artist, tables.former_handle))
    like = skeleton(handle)
    me = literal(account_id, Uuid)
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"handle/{like}", 0))))
    same = account if holder.kind is Kind.ACCOUNT else artist
    taken = or_(
        exists().where(func.handle_skeleton(account.c.handle) == like, account.c.id != me),
        exists().where(func.handle_skeleton(artist.c.handle) == like, not_(owned(artist.c.id, me))),
        exists().where(
            func.handle_skeleton(former.c.handle) == like,
            func.coalesce(former.c.account_id != me, not_(owned(former.c.artist_id, me))),
        ),
        exists().where(and_(same.c.handle == handle, same.c.id != holder.id)),
    )
    return not (await connection.execute(select(taken))).scalar_one()


async def release_handle(connection: AsyncConnection, handle: str, holder: Ref) -> None:
    """Keep a handle that is let go for who had it."""
    column = "account_id" if holder.kind is Kind.ACCOUNT else "artist_id"
    row = insert(tables.former_handle).values({"handle": handle, column: holder.id})
    await connection.execute(row.on_conflict_do_nothing())
