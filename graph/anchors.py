"""The SDL of anchored proof."""

from __future__ import annotations

import strawberry

from domain.anchors import AnchorState
from graph.fields import DateTime, described, stored

described(
    AnchorState,
    PREPARED="Asked for: it goes with others, or waits for the chain.",
    SUBMITTED="Its transaction is signed and on its way.",
    MINED="A block holds its root; it may still be taken back.",
    CONFIRMED="Its root is there to stay.",
    FAILED="The chain refused its root; it may be asked for again.",
    MISMATCH="It was there, and is not any more as it was; it may be asked for again.",
)


@strawberry.type(
    description="The anchored proof of a manifest: a public chain has timestamped a root over it and others. The leaf "
    "is SHA-256 over a zero byte and the 32 bytes the manifest's address names; what lies above is hashed as in the "
    "log (RFC 6962). `GET /manifests/sha256:…/anchor` answers all of it for `casset verify`."
)
class ReleaseAnchor:
    """An anchor."""

    state: AnchorState = stored("Where it stands.")
    network: str | None = stored("The chain (CAIP-2); null while it waits for others.")
    contract: str | None = stored("The contract that timestamps roots; its `getTimestamp` answers for each.")
    root: str | None = stored("The root it shares with others, `0x…`.")
    leaf_index: int | None = stored("The number of its leaf, from 0.")
    tree_size: int | None = stored("How many leaves there are.")
    hashes: list[str] | None = stored("The hashes beside the way from the leaf to the root, from below, in base64.")
    transaction: str | None = stored("The hash of the transaction that brought the root; null while no block has it.")
    block_number: int | None = stored("The number of the block that holds it.")
    block_hash: str | None = stored("The hash of that block.")
    timestamped_at: DateTime | None = stored("When the chain has had it since.")
    reorganised: int | None = stored("How often a block that held it was taken back.")
    note: str | None = stored("What it waits for, or what is wrong; null where nothing is.")
    asked_at: DateTime = stored("When it was asked for, last.")
    checked_at: DateTime | None = stored("When it was looked up again after it was confirmed, last.")
