"""Quotes, what was paid for them, the licenses that followed, and what programs asked about somebody's work."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.tables.columns import belongs_to, created_at, key, metadata, moment, ref, word
from domain.licensing import UseKind
from domain.payments import PaymentMethod, PaymentState
from domain.rights import Outcome

license_quote = Table(
    "license_quote",
    metadata,
    key(),
    ref("quote"),
    belongs_to("account_id", "account"),
    belongs_to("key_id", "agent_key", nullable=True),
    belongs_to("asset_id", "asset"),
    # Who is paid: the owner of the asset.
    belongs_to("owner_id", "artist"),
    belongs_to("grantee_id", "artist"),
    Column("uses", ARRAY(Text), nullable=False),
    Column("territory", Text),
    Column("purpose", Text),
    # The hash of the manifest, or the asset and its version.
    Column("bound_to", Text, nullable=False),
    Column("price_minor", Integer),
    Column("currency", Text),
    # In the units of the asset that settles it; NULL where it cannot be paid.
    Column("amount", Text),
    # Of what was offered: another offer by now is another quote.
    Column("offer_digest", Text, nullable=False),
    # What is granted for it: the asset, the set of terms, and who stated them.
    Column("grants", JSONB, nullable=False),
    # The canonical JSON (RFC 8785) that was signed, byte for byte, and its proof; NULL where nothing is signed.
    Column("body", Text, nullable=False),
    Column("proof", Text),
    created_at(),
    moment("expires_at"),
    CheckConstraint("(price_minor IS NULL) = (currency IS NULL)", name="price"),
    Index("license_quote_account", "account_id", "created_at", "id"),
)

machine_payment = Table(
    "machine_payment",
    metadata,
    key(),
    belongs_to("quote_id", "license_quote"),
    belongs_to("account_id", "account"),
    *word("method", PaymentMethod),
    *word("state", PaymentState),
    Column("network", Text),
    Column("payer", Text),
    Column("amount", Text, nullable=False),
    # The transaction, or what stands for it.
    Column("reference", Text, nullable=False),
    created_at(),
    Column("settled_at", DateTime(timezone=True)),
    CheckConstraint("(state = 'SETTLED') = (settled_at IS NOT NULL)", name="settled"),
    UniqueConstraint("method", "reference"),
    # A quote is paid once.
    Index("machine_payment_quote", "quote_id", unique=True, postgresql_where=text("state <> 'FAILED'")),
)

license_ = Table(
    "license",
    metadata,
    key(),
    ref("license"),
    Column("quote_id", Uuid, ForeignKey("license_quote.id"), nullable=False, unique=True),
    belongs_to("payment_id", "machine_payment"),
    belongs_to("account_id", "account"),
    belongs_to("asset_id", "asset"),
    belongs_to("owner_id", "artist"),
    belongs_to("grantee_id", "artist"),
    Column("body", Text, nullable=False),
    Column("proof", Text),
    created_at(),
    Index("license_owner", "owner_id", "created_at", "id"),
    Index("license_grantee", "grantee_id", "created_at", "id"),
)

license_grant = Table(
    "license_grant",
    metadata,
    Column("license_id", Uuid, ForeignKey("license.id"), primary_key=True),
    Column("grant_id", Uuid, ForeignKey("permission_grant.id"), primary_key=True),
)

access_grant = Table(
    "access_grant",
    metadata,
    key(),
    belongs_to("license_id", "license"),
    belongs_to("account_id", "account"),
    belongs_to("track_id", "asset"),
    created_at(),
    moment("expires_at"),
    Index("access_grant_open", "account_id", "track_id", "expires_at"),
)

agent_use = Table(
    "agent_use",
    metadata,
    key(),
    ref("use"),
    # Whose work it was.
    belongs_to("artist_id", "artist"),
    belongs_to("asset_id", "asset"),
    belongs_to("account_id", "account"),
    belongs_to("key_id", "agent_key", nullable=True),
    *word("kind", UseKind),
    Column("uses", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    *word("decision", Outcome, nullable=True),
    created_at(),
    Index("agent_use_artist", "artist_id", "created_at", "id"),
)

payment_claim = Table(
    "payment_claim",
    metadata,
    # What may be used once, such as an authorisation to pay.
    Column("key", Text, primary_key=True),
    # NULL: it was let go of, as nothing was paid.
    Column("value", JSONB),
    created_at(),
)

request_claim = Table(
    "request_claim",
    metadata,
    belongs_to("account_id", "account"),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    # Until when whoever works on it is waited for.
    moment("lease_until"),
    # What was answered; NULL until then.
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", Text),
    created_at(),
    PrimaryKeyConstraint("account_id", "key"),
    CheckConstraint("(status IS NULL) = (body IS NULL) AND (status IS NULL) = (headers IS NULL)", name="answered"),
)
