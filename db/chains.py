"""Where the transactions live that were signed for a chain: written down before anybody is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from domain.anchors import AnchorState, Bid


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction as it was signed.

    Attributes:
        hash: of it.
        sender: whose account pays.
        nonce: its number in that account.
        gas: how much it may use.
        bid: for each unit of that.
        raw: its bytes.
        created_at: when it was written down; None before.
        is_sent: a node took it.
    """

    hash: str
    sender: str
    nonce: int
    gas: int
    bid: Bid
    raw: bytes
    created_at: datetime | None = None
    is_sent: bool = False


async def signed_for(connection: AsyncConnection, batch_id: UUID) -> list[Signed]:
    """The transactions of a batch that may still come to something, the last one last."""
    sent = tables.anchor_transaction
    query = select(sent).where(sent.c.batch_id == batch_id, sent.c.dropped_at.is_(None))
    return [_signed(row) for row in await connection.execute(query.order_by(sent.c.created_at, sent.c.per_gas))]


async def signed_from(connection: AsyncConnection, sender: str, nonce: int, most: int) -> list[Signed]:
    """What an account signed last with each of its numbers, from one on."""
    sent = tables.anchor_transaction
    query = (
        select(sent)
        .ext(distinct_on(sent.c.nonce))
        .where(sent.c.sender == sender, sent.c.nonce >= nonce)
        .order_by(sent.c.nonce, sent.c.created_at.desc())
        .limit(most)
    )
    return [_signed(row) for row in await connection.execute(query)]


def _signed(row: Any) -> Signed:
    is_sent, offer = row.sent_at is not None, Bid(row.per_gas, row.tip)
    return Signed(row.hash, row.sender, row.nonce, row.gas, offer, row.raw, row.created_at, is_sent)


async def one_is_out(connection: AsyncConnection, sender: str) -> bool:
    """Whether a transaction of an account is signed that no block is known to hold: the next one waits for it."""
    sent, batch = tables.anchor_transaction, tables.anchor_batch
    waits = [AnchorState.PREPARED.value, AnchorState.SUBMITTED.value]
    query = (
        select(sent.c.hash)
        .join_from(sent, batch, batch.c.id == sent.c.batch_id)
        .where(sent.c.sender == sender, sent.c.dropped_at.is_(None), batch.c.state.in_(waits))
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def next_nonce(connection: AsyncConnection, sender: str) -> int:
    """The number after the last one that was signed with, of an account."""
    sent = tables.anchor_transaction
    last = select(func.coalesce(func.max(sent.c.nonce), -1)).where(sent.c.sender == sender)
    return int((await connection.execute(last)).scalar_one()) + 1


async def add_transaction(connection: AsyncConnection, batch_id: UUID, signed: Signed) -> None:
    """Write down what was signed, before anybody is told of it."""
    row = {"hash": signed.hash, "batch_id": batch_id, "sender": signed.sender, "nonce": signed.nonce}
    row |= {"gas": signed.gas, "per_gas": signed.bid.per_gas, "tip": signed.bid.tip, "raw": signed.raw}
    await connection.execute(insert(tables.anchor_transaction).values(row))


async def note_sent(connection: AsyncConnection, hash_: str) -> None:
    """A node took a transaction."""
    sent = tables.anchor_transaction
    query = update(sent).where(sent.c.hash == hash_, sent.c.sent_at.is_(None))
    await connection.execute(query.values(sent_at=func.now()))


async def drop(connection: AsyncConnection, batch_id: UUID) -> None:
    """The transactions of a batch never come to anything."""
    sent = tables.anchor_transaction
    query = update(sent).where(sent.c.batch_id == batch_id, sent.c.dropped_at.is_(None))
    await connection.execute(query.values(dropped_at=func.now()))
