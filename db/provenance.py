"""Where provenance events live, and how events are appended to their chains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.places import Computed, Type, column, columns
from domain.provenance import Event, chain

PROVENANCE_EVENT = Type(
    "ProvenanceEvent",
    tables.provenance_event,
    {
        **columns(tables.provenance_event, "sequence", "kind", "at", id="ref"),
        "hash": column(tables.provenance_event, "hash", plain=True),
        "previousHash": column(tables.provenance_event, "prev", plain=True),
        "inclusion": Computed(),
    },
)


async def append_events(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Append events, in order, each to the chain of its subject.

    Two writers of one subject cannot fork its chain: (subject, sequence) is unique, so the later one fails. Writers
    hold a lock on the subject's row anyway.
    """
    if events:
        await connection.execute(insert(tables.provenance_event), await chained_rows(connection, events))


async def chained_rows(
    connection: AsyncConnection, events: Sequence[Event], *, begins: bool = False
) -> list[dict[str, Any]]:
    """The rows of some events, each after the last one of its subject, or where its chain begins."""
    heads: dict[UUID, tuple[int, str]] = {}
    if not begins:
        table = tables.provenance_event
        ranked = (
            select(table.c.subject_id, table.c.sequence, table.c.hash)
            .ext(distinct_on(table.c.subject_id))
            .where(table.c.subject_id.in_(list({event.subject.id for event in events})))
            .order_by(table.c.subject_id, table.c.sequence.desc())
        )
        heads = {row.subject_id: (row.sequence, row.hash) for row in await connection.execute(ranked)}
    rows = []
    for event in events:
        chained = chain(event, heads.get(event.subject.id))
        heads[event.subject.id] = (chained.sequence, chained.hash)
        rows.append(
            {
                "id": event.id,
                "subject_id": event.subject.id,
                "sequence": chained.sequence,
                "kind": event.kind.value,
                "at": event.at,
                "actor_id": event.actor,
                "body": chained.body,
                "prev": chained.prev,
                "hash": chained.hash,
            }
        )
    return rows
