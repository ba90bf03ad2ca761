"""What a write leaves behind, in one statement: provenance, the change log and the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.provenance import chained_rows
from domain.provenance import Event

_LEAVE = text("""
    WITH told AS (
      INSERT INTO provenance_event (id, subject_id, sequence, kind, at, actor_id, body, prev, hash)
      SELECT * FROM json_to_recordset(CAST(:events AS json)) AS event (
        id uuid, subject_id uuid, sequence int, kind text, at timestamptz, actor_id uuid, body text, prev text,
        hash text)
    ), logged AS (
      INSERT INTO change (subject_id, kind, ids)
      SELECT * FROM json_to_recordset(CAST(:changes AS json)) AS change (subject_id uuid, kind text, ids uuid[])
    )
    INSERT INTO outbox (topic, payload)
    SELECT * FROM json_to_recordset(CAST(:announced AS json)) AS announced (topic text, payload jsonb)""")


async def leave_traces(
    connection: AsyncConnection,
    events: Sequence[Event],
    touched: Sequence[UUID],
    announced: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    begins: bool = False,
) -> None:
    """Append events to the chains of their subjects, log each of them, and put announcements into the outbox.

    Args:
        connection: of the transaction, which holds a lock on every subject.
        events: what happened, in order.
        touched: the ids that the change log names beside the subjects.
        announced: (topic, payload) of what subscribers are told after the commit.
        begins: the subjects are new, and so are their chains.
    """
    changes = [{"subject_id": event.subject.id, "kind": event.kind.value, "ids": touched} for event in events]
    values = {
        "events": await chained_rows(connection, events, begins=begins),
        "changes": changes,
        "announced": [{"topic": topic, "payload": payload} for topic, payload in announced],
    }
    # The driver's own UUIDs are a class of their own.
    written = {name: orjson.dumps(rows, default=str).decode() for name, rows in values.items()}
    await connection.execute(_LEAVE, written)
