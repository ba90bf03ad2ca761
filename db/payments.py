"""Payments of programs as they are kept: what may be used once, what was asked under which key, and what was paid."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import DateTime, Text, cast, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.engine import Database
from domain.errors import KeyReused
from domain.payments import CLAIM_LASTS, NotSettled, PaymentMethod, PaymentState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Claims:
    """What may be used once, for all processes: the store that `pympp` asks for. What is let go of is kept, as free."""

    def __init__(self, database: Database) -> None:
        """Keep it in a database."""
        self._database = database

    async def get(self, key: str) -> Any | None:
        """What is kept under a key; None where nothing is."""
        claim = tables.payment_claim
        async with self._database.read() as connection:
            return (await connection.execute(select(claim.c.value).where(claim.c.key == key))).scalar()

    async def put(self, key: str, value: Any) -> None:
        """Keep something under a key."""
        claim = tables.payment_claim
        written = upsert(claim).values(key=key, value=value)
        async with self._database.write() as connection:
            await connection.execute(written.on_conflict_do_update(index_elements=["key"], set_={"value": value}))

    async def delete(self, key: str) -> None:
        """Let go of a key."""
        claim = tables.payment_claim
        async with self._database.write() as connection:
            await connection.execute(update(claim).where(claim.c.key == key).values(value=null()))

    async def put_if_absent(self, key: str, value: Any) -> bool:
        """Keep something under a key that nobody holds; whether that is so."""
        claim = tables.payment_claim
        written = upsert(claim).values(key=key, value=value)
        free = written.on_conflict_do_update(
            index_elements=["key"], set_={"value": value}, where=claim.c.value.is_(None)
        )
        async with self._database.write() as connection:
            return (await connection.execute(free.returning(claim.c.key))).first() is not None


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a request, to be told again when it comes again."""

    status: int
    headers: Mapping[str, str]
    body: str


async def claim_request(database: Database, account: UUID, key: str, fingerprint: str) -> Answered | None:
    """Begin to work on a request under its key; what was answered, where that was done already.

    Raises:
        KeyReused: the key belongs to another request.
        NotSettled: somebody works on it.
    """
    claim = tables.request_claim
    lease = func.now() + literal(CLAIM_LASTS)
    row = {"account_id": account, "key": key, "fingerprint": fingerprint, "lease_until": lease}
    over = claim.c.status.is_(None) & (claim.c.lease_until < func.now())
    taken = upsert(claim).values(row)
    taken = taken.on_conflict_do_update(
        index_elements=["account_id", "key"], set_={"fingerprint": fingerprint, "lease_until": lease}, where=over
    )
    async with database.write() as connection:
        if (await connection.execute(taken.returning(claim.c.key))).first() is not None:
            return None
        named = claim.c.account_id == account, claim.c.key == key
        known = (await connection.execute(select(claim).where(*named))).one()
    if known.fingerprint != fingerprint:
        raise KeyReused("This idempotency key was used for another request.", path=("Idempotency-Key",))
    if known.status is None:
        raise NotSettled("The same request is under way. Ask again in a moment.")
    return Answered(known.status, known.headers, known.body)


async def release_request(database: Database, account: UUID, key: str) -> None:
    """Let a request that led to nothing be asked again, or another in its place: a 402 is no answer to keep."""
    claim = tables.request_claim
    unanswered = claim.c.account_id == account, claim.c.key == key, claim.c.status.is_(None)
    over = cast(literal("-infinity", Text), DateTime(timezone=True))
    async with database.write() as connection:
        await connection.execute(update(claim).where(*unanswered).values(lease_until=over))


async def answer_request(connection: AsyncConnection, account: UUID, key: str, answered: Answered) -> None:
    """Keep what was answered, in the transaction that did it."""
    claim = tables.request_claim
    values = {"status": answered.status, "headers": dict(answered.headers), "body": answered.body}
    named = claim.c.account_id == account, claim.c.key == key
    await connection.execute(update(claim).where(*named).values(values))


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment.

    Attributes:
        id: its key.
        method: how it was made.
        state: how it stands.
        reference: the transaction, or what stands for it.
        network: where, as a CAIP-2 id.
        payer: who paid, as an address.
        amount: in the units of what settles it.
    """

    id: UUID
    method: PaymentMethod
    state: PaymentState
    reference: str
    network: str | None
    payer: str | None
    amount: str


async def payment_of(connection: AsyncConnection, quote_id: UUID) -> Paid | None:
    """The payment for a quote that has not failed; None where there is none."""
    payment = tables.machine_payment
    query = select(payment).where(payment.c.quote_id == quote_id, payment.c.state != PaymentState.FAILED.value)
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    told = PaymentMethod(row.method), PaymentState(row.state), row.reference, row.network, row.payer, row.amount
    return Paid(row.id, *told)


async def add_payment(connection: AsyncConnection, quote_id: UUID, account: UUID, paid: Paid) -> bool:
    """Keep a payment for a quote; False where there is one, or this one paid for another."""
    payment = tables.machine_payment
    row = {
        "id": paid.id,
        "quote_id": quote_id,
        "account_id": account,
        "method": paid.method.value,
        "state": paid.state.value,
        "network": paid.network,
        "payer": paid.payer,
        "amount": paid.amount,
        "reference": paid.reference,
        "settled_at": func.now() if paid.state is PaymentState.SETTLED else None,
    }
    written = upsert(payment).values(row).on_conflict_do_nothing().returning(payment.c.id)
    return (await connection.execute(written)).first() is not None


async def end_payment(database: Database, payment_id: UUID, state: PaymentState) -> None:
    """Note how a payment that was on its way has ended."""
    payment = tables.machine_payment
    under_way = payment.c.id == payment_id, payment.c.state == PaymentState.SUBMITTED.value
    settled = func.now() if state is PaymentState.SETTLED else None
    async with database.write() as connection:
        await connection.execute(update(payment).where(*under_way).values(state=state.value, settled_at=settled))


@asynccontextmanager
async def one_sender(database: Database, sender: str) -> AsyncIterator[None]:
    """Send from an address one after the other, in all processes: its transactions are numbered."""
    async with database.write() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sender/{sender}", 0))))
        yield
