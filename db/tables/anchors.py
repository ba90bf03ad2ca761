"""Anchored proof: what was asked for, the batches it goes in, and the transactions that were signed for those."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from db.tables.columns import belongs_to, created_at, key, metadata, word
from domain.anchors import AnchorState

_HASH = "~ '^0x[0-9a-f]{64}$'"

anchor_batch = Table(
    "anchor_batch",
    metadata,
    key(),
    Column("network", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("size", Integer, nullable=False),
    *word("state", AnchorState, default="PREPARED"),
    # Where the chain holds the root: all of it, or nothing.
    Column("transaction", Text),
    Column("block_number", BigInteger),
    Column("block_hash", Text),
    Column("timestamped_at", DateTime(timezone=True)),
    # How often a block that held it was taken back.
    Column("reorganised", Integer, nullable=False, server_default=text("0")),
    # What it waits for, or what is wrong, for the person who asked.
    Column("note", Text),
    created_at(),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("checked_at", DateTime(timezone=True)),
    CheckConstraint(f"root {_HASH}", name="root"),
    CheckConstraint("size >= 1", name="size"),
    CheckConstraint(
        "num_nulls(transaction, block_number, block_hash, timestamped_at) = "
        "CASE WHEN state IN ('MINED', 'CONFIRMED', 'MISMATCH') THEN 0 ELSE 4 END",
        name="stamp",
    ),
    Index(
        "anchor_batch_under_way",
        "created_at",
        "id",
        postgresql_where=text("state IN ('PREPARED', 'SUBMITTED', 'MINED')"),
    ),
)

anchor = Table(
    "anchor",
    metadata,
    # The key of the manifest, hence of its version.
    Column("id", Uuid, ForeignKey("manifest.id"), primary_key=True),
    # Who asked for it, last.
    belongs_to("account_id", "account"),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The batch it goes in; NULL while it waits for others.
    belongs_to("batch_id", "anchor_batch", nullable=True),
    Column("leaf_index", Integer),
    # The path to the root, in base64.
    Column("hashes", ARRAY(Text)),
    CheckConstraint("num_nulls(batch_id, leaf_index, hashes) IN (0, 3)", name="place"),
    Index("anchor_waiting", "asked_at", "id", postgresql_where=text("batch_id IS NULL")),
    Index("anchor_batch_leaf", "batch_id", "leaf_index", unique=True),
)

anchor_transaction = Table(
    "anchor_transaction",
    metadata,
    Column("hash", Text, primary_key=True),
    belongs_to("batch_id", "anchor_batch"),
    Column("sender", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("per_gas", BigInteger, nullable=False),
    Column("tip", BigInteger, nullable=False),
    # As it was signed, before anybody was told of it: to send it again is to send the same.
    Column("raw", LargeBinary, nullable=False),
    created_at(),
    # When a node took it first.
    Column("sent_at", DateTime(timezone=True)),
    # Its number was used up by something else: it never comes to anything.
    Column("dropped_at", DateTime(timezone=True)),
    CheckConstraint(f"hash {_HASH}", name="hash"),
    # A number of an account is one batch's, however often more is bid for it.
    ExcludeConstraint(
        ("sender", "="), ("nonce", "="), ("batch_id", "<>"), using="gist", name="anchor_transaction_one_batch"
    ),
    Index("anchor_transaction_batch", "batch_id", "created_at"),
)
