"""Where hashed passwords live, and the hashes of codes that were sent by mail."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from domain.accounts import CODE_LASTS, CodePurpose


async def set_password(connection: AsyncConnection, account_id: UUID, encoded: str) -> None:
    """Give an account a password, or another one."""
    row = upsert(tables.password).values(account_id=account_id, encoded=encoded, set_at=func.now())
    replaced = {name: row.excluded[name] for name in ("encoded", "set_at")}
    await connection.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=replaced))


class Code(NamedTuple):
    """What a code was sent for."""

    account_id: UUID
    email_key: str


async def add_code(
    connection: AsyncConnection, id_: UUID, code: Code, purpose: CodePurpose, secret_hash: bytes
) -> None:
    """Keep the hash of a code; those sent before for the same end are good no longer."""
    await void_codes(connection, code.account_id, purpose)
    row = {"id": id_, "purpose": purpose.value, "secret_hash": secret_hash, **code._asdict()}
    await connection.execute(insert(tables.mailed_code).values(**row, expires_at=func.now() + CODE_LASTS[purpose]))


async def void_codes(connection: AsyncConnection, account_id: UUID, purpose: CodePurpose) -> None:
    """Make all codes of an account for one end good no longer."""
    table = tables.mailed_code
    which = table.c.account_id == account_id, table.c.purpose == purpose.value, table.c.used_at.is_(None)
    await connection.execute(update(table).where(*which).values(used_at=func.now()))


async def look_up_code(connection: AsyncConnection, secret_hash: bytes, purpose: CodePurpose) -> Code | None:
    """What a code that is still good was sent for; it is not used up."""
    table = tables.mailed_code
    query = select(table.c.account_id, table.c.email_key).where(
        table.c.secret_hash == secret_hash,
        table.c.purpose == purpose.value,
        table.c.used_at.is_(None),
        table.c.expires_at > func.now(),
    )
    row = (await connection.execute(query)).first()
    return Code(*row) if row else None


async def use_code(connection: AsyncConnection, secret_hash: bytes, purpose: CodePurpose) -> Code | None:
    """Use a code up; None where it is not good, or another request was first."""
    table = tables.mailed_code
    query = (
        update(table)
        .where(
            table.c.secret_hash == secret_hash,
            table.c.purpose == purpose.value,
            table.c.used_at.is_(None),
            table.c.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(table.c.account_id, table.c.email_key)
    )
    row = (await connection.execute(query)).first()
    return Code(*row) if row else None
