"""Sign-ins with other houses: who somebody is there, and the flows that lead there and back.

Of a flow's secret only the hash is kept; what a provider hands out (codes, tokens) is not kept at all.
"""

from sqlalchemy import Column, DateTime, Index, LargeBinary, Table, Text, UniqueConstraint, text

from db.tables.columns import belongs_to, created_at, key, metadata, moment, ref

identity = Table(
    "identity",
    metadata,
    key(),
    ref("identity"),
    belongs_to("account_id", "account"),
    # The word in addresses when it was linked; who it is, is said by issuer and subject.
    Column("provider", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("email", Text),
    created_at(),
    Column("ended_at", DateTime(timezone=True)),
    Index("identity_linked", "issuer", "subject", unique=True, postgresql_where=text("ended_at IS NULL")),
    Index("identity_account", "account_id", "created_at", "id", postgresql_where=text("ended_at IS NULL")),
)

sign_in_flow = Table(
    "sign_in_flow",
    metadata,
    key(),
    Column("provider", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    # Who was signed in when it began, and wants to link what comes back.
    belongs_to("account_id", "account", nullable=True),
    Column("place", Text, nullable=False),
    created_at(),
    moment("expires_at"),
    Column("used_at", DateTime(timezone=True)),
    UniqueConstraint("secret_hash"),
)
