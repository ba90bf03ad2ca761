"""Where batches of manifests live, which share a root: how they are made, and how they move on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from domain.anchors import CONTRACT, NETWORK, UNDER_WAY, AnchorState, Rooted, Stamp

_ONE_AT_A_TIME = 0x616E6368
_UNDER_WAY = [state.value for state in UNDER_WAY]


@dataclass(frozen=True, slots=True)
class Batch:
    """Manifests that share a root.

    Attributes:
        id: a UUIDv7.
        root: over them, as the chain has it.
        size: how many there are.
        state: where it stands.
        stamp: where the chain holds the root; None where it does not.
        note: what it waits for, or what is wrong.
        checked_at: when it was looked up after it was confirmed.
    """

    id: UUID
    root: str
    size: int
    state: AnchorState
    stamp: Stamp | None = None
    note: str | None = None
    checked_at: datetime | None = None


async def take_turn(connection: AsyncConnection) -> None:
    """Be the only one who asks, gathers, numbers and moves on, up to the end of the transaction."""
    await connection.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))


async def add_batch(connection: AsyncConnection, id_: UUID, versions: Sequence[UUID], tree: Rooted) -> None:
    """Let some manifests be the leaves of a batch, in their order."""
    row = {"id": id_, "network": NETWORK, "contract": CONTRACT, "root": tree.root, "size": len(versions)}
    await connection.execute(insert(tables.anchor_batch).values(row))
    anchor = tables.anchor
    for index, (version, path) in enumerate(zip(versions, tree.paths, strict=True)):
        place = {"batch_id": id_, "leaf_index": index, "hashes": path}
        await connection.execute(update(anchor).where(anchor.c.id == version).values(place))


async def under_way(connection: AsyncConnection) -> list[Batch]:
    """The batches that are not settled, the oldest first."""
    batch = tables.anchor_batch
    query = select(batch).where(batch.c.state.in_(_UNDER_WAY)).order_by(batch.c.created_at, batch.c.id)
    return [as_batch(row) for row in await connection.execute(query)]


async def anything_left(connection: AsyncConnection) -> bool:
    """Whether a batch is under way, or something waits for one."""
    anchor, batch = tables.anchor, tables.anchor_batch
    waits = exists().where(anchor.c.batch_id.is_(None))
    moves = exists().where(batch.c.state.in_(_UNDER_WAY))
    return bool((await connection.execute(select(waits | moves))).scalar())


async def batch_of(connection: AsyncConnection, id_: UUID) -> Batch:
    """A batch as it stands."""
    return as_batch(
        (await connection.execute(select(tables.anchor_batch).where(tables.anchor_batch.c.id == id_))).one()
    )


async def confirmed(connection: AsyncConnection, most: int, unchecked_for: timedelta) -> list[Batch]:
    """The batches whose proof is out and was not looked up for so long, those longest ago first."""
    batch = tables.anchor_batch
    since = func.coalesce(batch.c.checked_at, batch.c.changed_at)
    out = [AnchorState.CONFIRMED.value, AnchorState.MISMATCH.value]
    query = select(batch).where(batch.c.state.in_(out), since <= func.now() - literal(unchecked_for))
    return [as_batch(row) for row in await connection.execute(query.order_by(since, batch.c.id).limit(most))]


def as_batch(row: Any) -> Batch:
    """A row of the table, as it is told."""
    stamp = None
    if row.transaction is not None:
        stamp = Stamp(row.transaction, row.block_number, row.block_hash, int(row.timestamped_at.timestamp()))
    return Batch(row.id, row.root, row.size, AnchorState(row.state), stamp, row.note, row.checked_at)


async def move(
    connection: AsyncConnection, before: Batch, state: AnchorState, stamp: Stamp | None = None, note: str | None = None
) -> bool:
    """Let a batch be in another state, or be held elsewhere; False where it is not as it was read any more."""
    batch = tables.anchor_batch
    was_mined, is_mined = before.state is AnchorState.MINED, state in {AnchorState.MINED, AnchorState.CONFIRMED}
    values: dict[str, Any] = {"state": state.value, "note": note, "changed_at": func.now(), **_columns(stamp)}
    if was_mined and not (is_mined and stamp == before.stamp):
        values["reorganised"] = batch.c.reorganised + 1
    held = before.stamp and before.stamp.block_hash
    same = batch.c.block_hash.is_not_distinct_from(held)
    query = update(batch).where(batch.c.id == before.id, batch.c.state == before.state.value, same)
    return (await connection.execute(query.values(values).returning(batch.c.id))).first() is not None


def _columns(stamp: Stamp | None) -> dict[str, Any]:
    if stamp is None:
        return dict.fromkeys(("transaction", "block_number", "block_hash", "timestamped_at"))
    return {
        "transaction": stamp.transaction,
        "block_number": stamp.block,
        "block_hash": stamp.block_hash,
        "timestamped_at": datetime.fromtimestamp(stamp.at, UTC),
    }


async def note(connection: AsyncConnection, batches: Sequence[UUID], said: str | None) -> None:
    """Say what some batches wait for."""
    batch = tables.anchor_batch
    await connection.execute(
        update(batch).where(batch.c.id.in_(batches), batch.c.note.is_distinct_from(said)).values(note=said)
    )


async def note_checked(connection: AsyncConnection, before: Batch, state: AnchorState, found: str | None) -> bool:
    """Note what looking a batch up found; False where it is not as it was read any more."""
    batch = tables.anchor_batch
    query = update(batch).where(batch.c.id == before.id, batch.c.state == before.state.value)
    values = {"state": state.value, "note": found, "checked_at": func.now()}
    return (await connection.execute(query.values(values).returning(batch.c.id))).first() is not None
