"""Rooms: people inside the weather of a song; what happens there, what is said, who came, what is heard."""

from sqlalchemy import (
    BigInteger,
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

from db.tables.columns import belongs_to, clocked, created_at, key, metadata, ref, word
from domain.queues import QueueState
from domain.rooms import STORED_EVENTS, RoomVisibility

room = Table(
    "room",
    metadata,
    key(),
    ref("room"),
    belongs_to("artist_id", "artist"),
    belongs_to("hook_id", "hook", nullable=True),
    belongs_to("release_id", "release", nullable=True),
    Column("title", Text),
    *word("visibility", RoomVisibility, default="PUBLIC"),
    created_at(),
    # The numbers of its events belong to an epoch: a room that was restored from an older copy begins another.
    Column("epoch", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("last_event_id", BigInteger, nullable=False, server_default=text("0")),
    Column("slow_mode_seconds", Integer, nullable=False, server_default=text("0")),
    # What is heard: a track, or its hook alone, and since when.
    belongs_to("now_track_id", "track", nullable=True),
    belongs_to("now_hook_id", "hook", nullable=True),
    Column("now_since", DateTime(timezone=True)),
    CheckConstraint("num_nonnulls(hook_id, release_id) <= 1", name="subject"),
    CheckConstraint("last_event_id >= 0", name="last_event_id"),
    CheckConstraint("slow_mode_seconds BETWEEN 0 AND 21600", name="slow_mode_seconds"),
    CheckConstraint(
        "(now_track_id IS NULL) = (now_since IS NULL) AND (now_hook_id IS NULL OR now_track_id IS NOT NULL)", name="now"
    ),
    Index("room_world", "artist_id", unique=True, postgresql_where="hook_id IS NULL AND release_id IS NULL"),
    Index("room_hook", "hook_id", unique=True, postgresql_where="hook_id IS NOT NULL"),
    Index("room_release", "release_id", unique=True, postgresql_where="release_id IS NOT NULL"),
)

room_event = Table(
    "room_event",
    metadata,
    belongs_to("room_id", "room"),
    Column("id", BigInteger, nullable=False),
    *word("kind", STORED_EVENTS),
    belongs_to("account_id", "account", nullable=True),
    Column("payload", JSONB, nullable=False, server_default=text("'{}'")),
    clocked("at"),
    PrimaryKeyConstraint("room_id", "id"),
    Index("room_event_pace", "account_id", "kind", "at", postgresql_where=text("account_id IS NOT NULL")),
    Index("room_event_age", "at"),
)

room_message = Table(
    "room_message",
    metadata,
    key(),
    ref("message"),
    belongs_to("room_id", "room"),
    # Of the event that told of it.
    Column("event_id", BigInteger, nullable=False),
    belongs_to("account_id", "account"),
    Column("text", Text),
    clocked("created_at"),
    Column("deleted_at", DateTime(timezone=True)),
    Column("deleted_by_id", Uuid, ForeignKey("account.id")),
    CheckConstraint("(text IS NULL) = (deleted_at IS NOT NULL)", name="text"),
    UniqueConstraint("room_id", "event_id"),
    Index("room_message_newest", "room_id", "created_at", "id"),
)

room_person = Table(
    "room_person",
    metadata,
    key(),
    ref("guest"),
    belongs_to("room_id", "room"),
    belongs_to("account_id", "account"),
    created_at(),
    # Since when somebody is a member; none where they left, or never joined.
    Column("joined_at", DateTime(timezone=True)),
    Column("muted_until", DateTime(timezone=True)),
    Column("banned_at", DateTime(timezone=True)),
    UniqueConstraint("account_id", "room_id"),
    Index("room_person_member", "room_id", "joined_at", "id", postgresql_where=text("joined_at IS NOT NULL")),
    Index(
        "room_person_held_back",
        "room_id",
        "created_at",
        "id",
        postgresql_where=text("banned_at IS NOT NULL OR muted_until IS NOT NULL"),
    ),
)

room_queue = Table(
    "room_queue",
    metadata,
    key(),
    ref("queued"),
    belongs_to("room_id", "room"),
    Column("position", Integer, nullable=False),
    belongs_to("track_id", "track"),
    belongs_to("hook_id", "hook", nullable=True),
    belongs_to("account_id", "account"),
    *word("state", QueueState, default="QUEUED"),
    created_at(),
    Index("room_queue_waiting", "room_id", "position", "id", unique=True, postgresql_where=text("state = 'QUEUED'")),
)
