"""What people do around a song: what they follow, like and save, say and share, and what others are told of it."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from db.tables.columns import belongs_to, clocked, created_at, key, metadata, moment, ref, word
from domain.measures import SignalKind
from domain.social import ActivityKind, TieKind

COUNTED = ("followers", "likes", "saves", "comments", "shares")


def _at_subject() -> tuple[Column[Any], ...]:
    """Where something was done: the artist whose it is, and where that is one of their hooks, releases or rooms."""
    return (
        belongs_to("artist_id", "artist"),
        belongs_to("hook_id", "hook", nullable=True),
        belongs_to("release_id", "release", nullable=True),
    )


tie = Table(
    "tie",
    metadata,
    key(),
    belongs_to("account_id", "account"),
    *word("kind", TieKind),
    belongs_to("artist_id", "artist", nullable=True),
    belongs_to("hook_id", "hook", nullable=True),
    created_at(),
    # Since when it does not bind any more; who ties it again clears it.
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint(
        "num_nonnulls(artist_id, hook_id) = 1 AND (kind = 'FOLLOW') = (artist_id IS NOT NULL)", name="subject"
    ),
    Index("tie_once", "account_id", "kind", text("coalesce(artist_id, hook_id)"), unique=True),
    Index("tie_followers", "artist_id", "id", postgresql_where=text("artist_id IS NOT NULL AND ended_at IS NULL")),
)

comment = Table(
    "comment",
    metadata,
    key(),
    ref("comment"),
    belongs_to("artist_id", "artist", nullable=True),
    belongs_to("hook_id", "hook", nullable=True),
    belongs_to("ritual_id", "ritual", nullable=True),
    belongs_to("account_id", "account"),
    Column("text", Text),
    # In the track of the hook: a window that moves leaves it where it was said.
    Column("position_ms", Integer),
    clocked("created_at"),
    Column("deleted_at", DateTime(timezone=True)),
    Column("deleted_by_id", Uuid, ForeignKey("account.id")),
    CheckConstraint("num_nonnulls(artist_id, hook_id, ritual_id) = 1", name="subject"),
    CheckConstraint("position_ms IS NULL OR position_ms >= 0 AND hook_id IS NOT NULL", name="position_ms"),
    CheckConstraint("(text IS NULL) = (deleted_at IS NOT NULL) AND char_length(text) <= 1000", name="text"),
    Index(
        "comment_of_hook",
        "hook_id",
        "created_at",
        "id",
        postgresql_where=text("hook_id IS NOT NULL AND deleted_at IS NULL"),
    ),
    Index(
        "comment_of_world",
        "artist_id",
        "created_at",
        "id",
        postgresql_where=text("artist_id IS NOT NULL AND deleted_at IS NULL"),
    ),
    Index(
        "comment_of_ritual",
        "ritual_id",
        "created_at",
        "id",
        postgresql_where=text("ritual_id IS NOT NULL AND deleted_at IS NULL"),
    ),
    Index("comment_pace", "account_id", "created_at"),
)

_SHARED = text("coalesce(artist_id, hook_id, release_id, room_id, ritual_id)")
share_link = Table(
    "share_link",
    metadata,
    key(),
    ref("share"),
    Column("code", Text, nullable=False),
    belongs_to("account_id", "account"),
    belongs_to("artist_id", "artist", nullable=True),
    belongs_to("hook_id", "hook", nullable=True),
    belongs_to("release_id", "release", nullable=True),
    belongs_to("room_id", "room", nullable=True),
    belongs_to("ritual_id", "ritual", nullable=True),
    created_at(),
    Column("visits", BigInteger, nullable=False, server_default=text("0")),
    Column("visitors", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("code"),
    CheckConstraint("code ~ '^[1-9A-HJ-NP-Za-km-z]{7}$'", name="code"),
    CheckConstraint("num_nonnulls(artist_id, hook_id, release_id, room_id, ritual_id) = 1", name="subject"),
    CheckConstraint("visits >= visitors AND visitors >= 0", name="visits"),
    Index("share_link_once", "account_id", _SHARED, unique=True),
    Index("share_link_newest", "account_id", "created_at", "id"),
    Index("share_link_subject", _SHARED),
)

share_visitor = Table(
    "share_visitor",
    metadata,
    belongs_to("link_id", "share_link"),
    # What is kept of where a visitor came from: it leads back to nobody once the key is another.
    Column("visitor", LargeBinary, nullable=False),
    # Whoever made the link comes from there.
    Column("own", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("link_id", "visitor"),
    CheckConstraint("octet_length(visitor) = 16", name="visitor"),
)

# Who was new to an artist's world and came by a link of somebody's: once for each world.
referral = Table(
    "referral",
    metadata,
    belongs_to("account_id", "account"),
    belongs_to("artist_id", "artist"),
    belongs_to("bringer_id", "account"),
    belongs_to("link_id", "share_link"),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("account_id", "artist_id"),
    CheckConstraint("bringer_id <> account_id", name="bringer_id"),
    Index("referral_of_link", "link_id"),
)

visitor_key = Table(
    "visitor_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("id = 1", name="id"),
    CheckConstraint("octet_length(secret) >= 32", name="secret"),
)

# Written by triggers on ties, comments and share links.
tally = Table(
    "tally",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    *[Column(name, Integer, nullable=False, server_default=text("0")) for name in COUNTED],
    CheckConstraint(f"least({', '.join(COUNTED)}) >= 0", name="counted"),
)

activity = Table(
    "activity",
    metadata,
    key(),
    ref("activity"),
    belongs_to("account_id", "account"),
    *word("kind", ActivityKind),
    *_at_subject(),
    belongs_to("comment_id", "comment", nullable=True),
    # The last one who did it, and how often it was done.
    belongs_to("actor_id", "account", nullable=True),
    Column("times", Integer, nullable=False, server_default=text("1")),
    clocked("at"),
    Column("read_at", DateTime(timezone=True)),
    CheckConstraint("times >= 1", name="times"),
    Index("activity_latest", "account_id", "at", "id"),
    # What nobody has looked at yet gathers in one line: the next like of the same hook is told there.
    Index(
        "activity_unread",
        "account_id",
        "kind",
        text("coalesce(comment_id, release_id, hook_id, artist_id)"),
        unique=True,
        postgresql_where=text("read_at IS NULL"),
    ),
)

signal = Table(
    "signal",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    *word("kind", SignalKind),
    belongs_to("account_id", "account"),
    # Whoever did it held the artist then: it never counts.
    Column("own", Boolean, nullable=False),
    *_at_subject(),
    belongs_to("room_id", "room", nullable=True),
    clocked("at"),
    Index("signal_of_artist", "artist_id", "at"),
    Index("signal_of_hook", "hook_id", "at", postgresql_where=text("hook_id IS NOT NULL")),
    Index("signal_of_release", "release_id", "at", postgresql_where=text("release_id IS NOT NULL")),
    Index("signal_of_room", "room_id", "at", postgresql_where=text("room_id IS NOT NULL")),
    Index("signal_pace", "account_id", "kind", "at"),
)

# The weight of all that counts in a room, cooled down to a moment: it cools by one law, so nothing else has to be kept.
warmth = Table(
    "warmth",
    metadata,
    Column("room_id", Uuid, ForeignKey("room.id"), primary_key=True),
    Column("weight", Float, nullable=False),
    moment("at"),
    # The tenth of the way to 100 that the room was last told to stand at.
    Column("told", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("told BETWEEN 0 AND 10", name="told"),
)

participation = Table(
    "participation",
    metadata,
    key(),
    # A release, a hook, or an artist for their world.
    Column("subject_id", Uuid, nullable=False),
    moment("taken_at"),
    Column("formula", Text, nullable=False),
    Column("energy", Float, nullable=False),
    Column("early_motion", Integer, nullable=False),
    Column("trusted_circulation", Integer, nullable=False),
    Column("participants", Integer, nullable=False),
    Column("rise", Float, nullable=False),
    UniqueConstraint("subject_id", "taken_at"),
    CheckConstraint("energy BETWEEN 0 AND 100", name="energy"),
    CheckConstraint("rise BETWEEN 0 AND 100", name="rise"),
    Index("participation_rising", "taken_at", "rise", "subject_id"),
)
