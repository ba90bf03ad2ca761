"""Where anchored proof lives: the manifests it was asked for, each with its way to the root of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, func, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.batches import Batch, as_batch
from db.places import Stored, Type, columns
from domain.anchors import MOST_IN_BATCH, UNDER_WAY, AnchorState
from domain.ids import Kind, Ref


def _state(anchor: Any) -> ColumnElement[str]:
    """What waits for its batch stands as one that has not gone out yet."""
    batch = tables.anchor_batch.alias()
    state = select(batch.c.state).where(batch.c.id == anchor.c.batch_id).correlate_except(batch).scalar_subquery()
    return func.coalesce(state, literal(AnchorState.PREPARED.value, Text))


def _of_batch(name: str, *, nullable: bool = True) -> Stored:
    def value(anchor: Any) -> ColumnElement[Any]:
        batch = tables.anchor_batch.alias()
        query = select(batch.c[name]).where(batch.c.id == anchor.c.batch_id)
        return query.correlate_except(batch).scalar_subquery()

    return Stored(value, nullable)


RELEASE_ANCHOR = Type(
    "ReleaseAnchor",
    tables.anchor,
    {
        **columns(tables.anchor, "leaf_index", "hashes", "asked_at"),
        "state": Stored(_state, plain=True),
        "network": _of_batch("network"),
        "contract": _of_batch("contract"),
        "root": _of_batch("root"),
        "treeSize": _of_batch("size"),
        "transaction": _of_batch("transaction"),
        "blockNumber": _of_batch("block_number"),
        "blockHash": _of_batch("block_hash"),
        "timestampedAt": _of_batch("timestamped_at"),
        "reorganised": _of_batch("reorganised"),
        "note": _of_batch("note"),
        "checkedAt": _of_batch("checked_at"),
    },
)


class Leaf(NamedTuple):
    """A manifest of a batch.

    Attributes:
        version: of which version.
        manifest: its address.
        release: the release's asset.
        account: who asked for it.
        hashes: its way to the root.
    """

    version: Ref
    manifest: str
    release: Ref
    account: UUID
    hashes: list[str]


async def is_signed(connection: AsyncConnection, version_id: UUID) -> bool:
    """Whether a held version has a manifest that somebody signed."""
    manifest = tables.manifest
    query = select(manifest.c.id).where(manifest.c.id == version_id, manifest.c.proof.is_not(None))
    return (await connection.execute(query)).first() is not None


async def state_of(connection: AsyncConnection, version_id: UUID) -> AnchorState | None:
    """Where the anchor of a held version stands; None where nobody asked for one."""
    anchor = tables.anchor
    state = (await connection.execute(select(_state(anchor)).where(anchor.c.id == version_id))).scalar()
    return None if state is None else AnchorState(state)


async def ask(connection: AsyncConnection, version_id: UUID, account: UUID) -> None:
    """Let the manifest of a held version go with the next batch."""
    row = {"account_id": account, "asked_at": func.now(), "batch_id": None, "leaf_index": None, "hashes": None}
    query = upsert(tables.anchor).values(id=version_id, **row)
    await connection.execute(query.on_conflict_do_update(index_elements=["id"], set_=row))


async def gather(connection: AsyncConnection) -> list[tuple[UUID, str]]:
    """(version, address) of manifests that wait for a batch, in the order in which they were asked for."""
    anchor, manifest = tables.anchor, tables.manifest
    query = (
        select(anchor.c.id, manifest.c.hash)
        .join_from(anchor, manifest, manifest.c.id == anchor.c.id)
        .where(anchor.c.batch_id.is_(None))
        .order_by(anchor.c.asked_at, anchor.c.id)
        .limit(MOST_IN_BATCH)
    )
    return [(row.id, row.hash) for row in await connection.execute(query)]


async def leaves_of(connection: AsyncConnection, batch_id: UUID) -> list[Leaf]:
    """The manifests of a batch, in their order; without those that were asked for again since."""
    anchor, manifest, version = tables.anchor, tables.manifest, tables.release_version
    query = (
        select(anchor.c.id, manifest.c.hash, version.c.release_id, anchor.c.account_id, anchor.c.hashes)
        .join_from(anchor, manifest, manifest.c.id == anchor.c.id)
        .join(version, version.c.id == anchor.c.id)
        .where(anchor.c.batch_id == batch_id)
        .order_by(anchor.c.leaf_index)
    )
    return [
        Leaf(Ref(Kind.VERSION, row.id), row.hash, Ref(Kind.RELEASE, row.release_id), row.account_id, row.hashes)
        for row in await connection.execute(query)
    ]


async def hold_anchored(connection: AsyncConnection, releases: Sequence[Ref]) -> None:
    """Lock some releases, whose chains go on. It asks nobody who they are."""
    asset = tables.asset
    query = select(asset.c.id).where(asset.c.id.in_([release.id for release in releases]))
    await connection.execute(query.order_by(asset.c.id).with_for_update(key_share=True))


class Anchored(NamedTuple):
    """A manifest in its batch.

    Attributes:
        leaf: the number of its leaf.
        hashes: its way to the root.
        batch: what it shares.
    """

    leaf: int
    hashes: list[str]
    batch: Batch


async def anchored(connection: AsyncConnection, version_id: UUID) -> Anchored | None:
    """The manifest of a version in its batch; None where it has none. It asks nobody who they are."""
    anchor, batch = tables.anchor, tables.anchor_batch
    query = (
        select(batch, anchor.c.leaf_index, anchor.c.hashes)
        .join_from(anchor, batch, batch.c.id == anchor.c.batch_id)
        .where(anchor.c.id == version_id)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else Anchored(row.leaf_index, row.hashes, as_batch(row))


class Standing(NamedTuple):
    """How it goes with anchored proof.

    Attributes:
        states: how many anchors are in each state.
        waiting_since: when the oldest that is not settled was asked for; None where all are.
        notes: what those that are not settled wait for, each once.
        unchecked_since: when the one was looked up that was not for longest; None where none is out.
    """

    states: Mapping[AnchorState, int]
    waiting_since: datetime | None
    notes: list[str]
    unchecked_since: datetime | None


async def standing(connection: AsyncConnection) -> Standing:
    """How it goes with all anchors of this house. It asks nobody who they are."""
    anchor, batch = tables.anchor, tables.anchor_batch
    state = func.coalesce(batch.c.state, literal(AnchorState.PREPARED.value, Text))
    query = (
        select(
            state.label("state"),
            func.count().label("many"),
            func.min(anchor.c.asked_at).label("since"),
            func.array_agg(batch.c.note.distinct()).filter(batch.c.note.is_not(None)).label("notes"),
            func.min(func.coalesce(batch.c.checked_at, batch.c.changed_at)).label("checked"),
        )
        .outerjoin_from(anchor, batch, batch.c.id == anchor.c.batch_id)
        .group_by(state)
    )
    rows = {AnchorState(row.state): row for row in await connection.execute(query)}
    waiting = [row for state, row in rows.items() if state in UNDER_WAY]
    noted = [row for state, row in rows.items() if state is not AnchorState.CONFIRMED]
    out = rows.get(AnchorState.CONFIRMED)
    return Standing(
        {state: rows[state].many if state in rows else 0 for state in AnchorState},
        min((row.since for row in waiting), default=None),
        sorted({said for row in noted for said in row.notes or ()}),
        None if out is None else out.checked,
    )
