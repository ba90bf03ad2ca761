"""Where anchored proof lives: what was asked for, batches, and the transactions that were signed for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.places import Stored, Type, columns
from domain.anchors import CONTRACT, MOST_IN_BATCH, NETWORK, UNDER_WAY, AnchorState, Bid, Rooted, Stamp
from domain.ids import Kind, Ref

_ONE_AT_A_TIME = 0x616E6368
_UNDER_WAY = [state.value for state in UNDER_WAY]


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


async def take_turn(connection: AsyncConnection) -> None:
    """Be the only one who asks, gathers, numbers and moves on, up to the end of the transaction."""
    await connection.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))


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
    return [_batch(row) for row in await connection.execute(query)]


async def anything_left(connection: AsyncConnection) -> bool:
    """Whether a batch is under way, or something waits for one."""
    anchor, batch = tables.anchor, tables.anchor_batch
    waits = exists().where(anchor.c.batch_id.is_(None))
    moves = exists().where(batch.c.state.in_(_UNDER_WAY))
    return bool((await connection.execute(select(waits | moves))).scalar())


async def batch_of(connection: AsyncConnection, id_: UUID) -> Batch:
    """A batch as it stands."""
    return _batch((await connection.execute(select(tables.anchor_batch).where(tables.anchor_batch.c.id == id_))).one())


async def confirmed(connection: AsyncConnection, most: int, unchecked_for: timedelta) -> list[Batch]:
    """The batches whose proof is out and was not looked up for so long, those longest ago first."""
    batch = tables.anchor_batch
    since = func.coalesce(batch.c.checked_at, batch.c.changed_at)
    out = [AnchorState.CONFIRMED.value, AnchorState.MISMATCH.value]
    query = select(batch).where(batch.c.state.in_(out), since <= func.now() - literal(unchecked_for))
    return [_batch(row) for row in await connection.execute(query.order_by(since, batch.c.id).limit(most))]


def _batch(row: Any) -> Batch:
    stamp = None
    if row.transaction is not None:
        stamp = Stamp(row.transaction, row.block_number, row.block_hash, int(row.timestamped_at.timestamp()))
    return Batch(row.id, row.root, row.size, AnchorState(row.state), stamp, row.note, row.checked_at)


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
    return None if row is None else Anchored(row.leaf_index, row.hashes, _batch(row))


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
