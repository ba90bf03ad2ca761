"""Keys of programs: what each allows, for whom, and until when. Only their hashes are kept."""

from sqlalchemy import ARRAY, CheckConstraint, Column, DateTime, Index, LargeBinary, Table, Text, UniqueConstraint

from db.tables.columns import belongs_to, created_at, key, metadata, moment, ref, word
from domain.keys import KeyMode, KeyScope

agent_key = Table(
    "agent_key",
    metadata,
    key(),
    ref("key"),
    belongs_to("account_id", "account"),
    belongs_to("artist_id", "artist", nullable=True),
    Column("name", Text, nullable=False),
    *word("mode", KeyMode),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    created_at(),
    moment("expires_at"),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    # The key that took its place.
    belongs_to("replaced_by_id", "agent_key", nullable=True),
    UniqueConstraint("secret_hash"),
    CheckConstraint(
        "scopes <> '{}' AND scopes <@ ARRAY[" + ", ".join(f"'{scope}'" for scope in KeyScope) + "]", name="scopes"
    ),
    CheckConstraint(
        "artist_id IS NOT NULL OR NOT scopes && ARRAY['ASSETS_WRITE', 'LINEAGE_WRITE']", name="written_for_an_artist"
    ),
    Index("agent_key_account", "account_id", "created_at", "id"),
    Index("agent_key_artist", "artist_id", "created_at", "id"),
)
