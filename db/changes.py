"""The change log and the outbox: what every write leaves behind, and how it is followed without missing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, bindparam, column, func, insert, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.engine import Database
from domain.errors import KeyReused


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the log: which transaction, its running number, what was changed and how."""

    xid: int
    id: int
    subject_id: UUID
    kind: str
    ids: tuple[UUID, ...]
    at: datetime


BEGINNING = (0, 0)


async def record_changes(connection: AsyncConnection, changes: Sequence[tuple[UUID, str, Sequence[UUID]]]) -> None:
    """Log (subject, kind, ids) of a write, in its own transaction."""
    rows = [{"subject_id": subject, "kind": kind, "ids": list(ids)} for subject, kind, ids in changes]
    await connection.execute(insert(tables.change), rows)


async def changes_after(connection: AsyncConnection, after: tuple[int, int], first: int) -> list[Change]:
    """The next changes in (xid, id) order, of transactions older than every open one.

    A transaction that began earlier may commit later. Reading only below the oldest transaction still open means that
    nothing can appear behind a place already passed.
    """
    log = tables.change
    settled = func.pg_snapshot_xmin(func.pg_current_snapshot())
    place = tuple_(literal_column(f"'{after[0]}'::xid8"), after[1])
    query = (
        select(
            log.c.xid.cast(Text).cast(BigInteger).label("xid"),
            log.c.id,
            log.c.subject_id,
            log.c.kind,
            log.c.ids,
            log.c.at,
        )
        .where(log.c.xid < settled, tuple_(log.c.xid, log.c.id) > place)
        .order_by(log.c.xid, log.c.id)
        .limit(first)
    )
    return [
        Change(row.xid, row.id, row.subject_id, row.kind, tuple(row.ids), row.at)
        for row in await connection.execute(query)
    ]


_SEEN = "SELECT convert_to(pg_current_snapshot()::text, 'UTF8')"


async def seen_now(database: Database) -> bytes:
    """A name for what is committed: where it is the same at two times, nothing was written in between."""
    return await database.fetch(_SEEN, (), keep=True)


async def announce(connection: AsyncConnection, topic: str, payload: Mapping[str, Any]) -> None:
    """Put an event into the outbox, to be told after the transaction has committed."""
    await connection.execute(insert(tables.outbox).values(topic=topic, payload=dict(payload)))


async def announce_all(connection: AsyncConnection, announced: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Put many events into the outbox, by topic and payload."""
    rows = [{"topic": topic, "payload": dict(payload)} for topic, payload in announced]
    if rows:
        await connection.execute(insert(tables.outbox), rows)


# Built once: every request with a key asks for both.
_RECALL = select(
    func.recall_outcome(bindparam("account", type_=Uuid), bindparam("key", type_=Text)).table_valued(
        "request_digest", column("outcome", JSONB)
    )
)
_RECORD = insert(tables.idempotency)


async def recall_outcome(connection: AsyncConnection, account_id: UUID, key: str, request_digest: str) -> Any | None:
    """The outcome recorded under an idempotency key, None the first time; the key stays locked until commit.

    Raises:
        KeyReused: the key was used for another request.
    """
    row = (await connection.execute(_RECALL, {"account": account_id, "key": key})).first()
    if row is None:
        return None
    if row.request_digest != request_digest:
        raise KeyReused("This idempotency key was used for another request.", path=("idempotencyKey",))
    return row.outcome


async def record_outcome(
    connection: AsyncConnection, account_id: UUID, key: str, request_digest: str, outcome: Any
) -> None:
    """Record what a request led to, so that its repetition answers the same and writes nothing."""
    row = {"account_id": account_id, "key": key, "request_digest": request_digest, "outcome": outcome}
    await connection.execute(_RECORD, row)
