"""What people do around a song: follows, likes, saves, comments, share links, signals, the inbox."""

from alembic import op

revision = "0017"
down_revision = "0016"

_SIGNALS = (
    "'HOOK_PLAY', 'LIKE', 'COMMENT', 'REACTION', 'SHARE', 'PRESAVE', 'FOLLOW', 'CLIP', 'UNLOCK', 'REFERRAL', "
    "'ROOM_MINUTE'"
)
_COUNTED = ("followers", "likes", "saves", "comments", "shares")
_STATEMENTS = (
    """
    CREATE TABLE tie (
        id uuid NOT NULL CONSTRAINT tie_pkey PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT tie_account_id_fkey REFERENCES account (id),
        kind text NOT NULL CONSTRAINT tie_kind_check CHECK (kind IN ('FOLLOW', 'LIKE', 'SAVE')),
        artist_id uuid CONSTRAINT tie_artist_id_fkey REFERENCES artist (id),
        hook_id uuid CONSTRAINT tie_hook_id_fkey REFERENCES hook (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        CONSTRAINT tie_subject_check
            CHECK (num_nonnulls(artist_id, hook_id) = 1 AND (kind = 'FOLLOW') = (artist_id IS NOT NULL))
    )
    """,
    "CREATE UNIQUE INDEX tie_once ON tie (account_id, kind, coalesce(artist_id, hook_id))",
    "CREATE INDEX tie_followers ON tie (artist_id, id) WHERE artist_id IS NOT NULL AND ended_at IS NULL",
    """
    CREATE TABLE comment (
        id uuid NOT NULL CONSTRAINT comment_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('comment', id)) STORED,
        artist_id uuid CONSTRAINT comment_artist_id_fkey REFERENCES artist (id),
        hook_id uuid CONSTRAINT comment_hook_id_fkey REFERENCES hook (id),
        account_id uuid NOT NULL CONSTRAINT comment_account_id_fkey REFERENCES account (id),
        text text,
        position_ms integer,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        deleted_at timestamptz,
        deleted_by_id uuid CONSTRAINT comment_deleted_by_id_fkey REFERENCES account (id),
        CONSTRAINT comment_subject_check CHECK (num_nonnulls(artist_id, hook_id) = 1),
        CONSTRAINT comment_position_ms_check CHECK (position_ms IS NULL OR position_ms >= 0 AND hook_id IS NOT NULL),
        CONSTRAINT comment_text_check CHECK ((text IS NULL) = (deleted_at IS NOT NULL) AND char_length(text) <= 1000)
    )
    """,
    """
    CREATE INDEX comment_of_hook ON comment (hook_id, created_at, id)
    WHERE hook_id IS NOT NULL AND deleted_at IS NULL
    """,
    """
    CREATE INDEX comment_of_world ON comment (artist_id, created_at, id)
    WHERE artist_id IS NOT NULL AND deleted_at IS NULL
    """,
    "CREATE INDEX comment_pace ON comment (account_id, created_at)",
    """
    CREATE TABLE share_link (
        id uuid NOT NULL CONSTRAINT share_link_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('share', id)) STORED,
        code text NOT NULL CONSTRAINT share_link_code_key UNIQUE
            CONSTRAINT share_link_code_check CHECK (code ~ '^[1-9A-HJ-NP-Za-km-z]{7}$'),
        account_id uuid NOT NULL CONSTRAINT share_link_account_id_fkey REFERENCES account (id),
        artist_id uuid CONSTRAINT share_link_artist_id_fkey REFERENCES artist (id),
        hook_id uuid CONSTRAINT share_link_hook_id_fkey REFERENCES hook (id),
        release_id uuid CONSTRAINT share_link_release_id_fkey REFERENCES release (id),
        room_id uuid CONSTRAINT share_link_room_id_fkey REFERENCES room (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        visits bigint NOT NULL DEFAULT 0,
        visitors bigint NOT NULL DEFAULT 0,
        CONSTRAINT share_link_subject_check CHECK (num_nonnulls(artist_id, hook_id, release_id, room_id) = 1),
        CONSTRAINT share_link_visits_check CHECK (visits >= visitors AND visitors >= 0)
    )
    """,
    """
    CREATE UNIQUE INDEX share_link_once ON share_link
        (account_id, coalesce(artist_id, hook_id, release_id, room_id))
    """,
    "CREATE INDEX share_link_newest ON share_link (account_id, created_at, id)",
    "CREATE INDEX share_link_subject ON share_link (coalesce(artist_id, hook_id, release_id, room_id))",
    """
    CREATE TABLE share_visitor (
        link_id uuid NOT NULL CONSTRAINT share_visitor_link_id_fkey REFERENCES share_link (id),
        visitor bytea NOT NULL CONSTRAINT share_visitor_visitor_check CHECK (octet_length(visitor) = 16),
        own boolean NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT share_visitor_pkey PRIMARY KEY (link_id, visitor)
    )
    """,
    """
    CREATE TABLE visitor_key (
        id integer NOT NULL CONSTRAINT visitor_key_pkey PRIMARY KEY CONSTRAINT visitor_key_id_check CHECK (id = 1),
        secret bytea NOT NULL CONSTRAINT visitor_key_secret_check CHECK (octet_length(secret) >= 32),
        made_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    INSERT INTO visitor_key (id, secret)
    VALUES (1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    """,
    f"""
    CREATE TABLE tally (
        subject_id uuid NOT NULL CONSTRAINT tally_pkey PRIMARY KEY,
        {", ".join(f"{name} integer NOT NULL DEFAULT 0" for name in _COUNTED)},
        CONSTRAINT tally_counted_check CHECK (least({", ".join(_COUNTED)}) >= 0)
    )
    """,
    """
    CREATE TABLE activity (
        id uuid NOT NULL CONSTRAINT activity_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('activity', id)) STORED,
        account_id uuid NOT NULL CONSTRAINT activity_account_id_fkey REFERENCES account (id),
        kind text NOT NULL CONSTRAINT activity_kind_check
            CHECK (kind IN ('FOLLOWED', 'LIKED', 'SAVED', 'COMMENTED', 'RELEASE_PUBLISHED')),
        artist_id uuid NOT NULL CONSTRAINT activity_artist_id_fkey REFERENCES artist (id),
        hook_id uuid CONSTRAINT activity_hook_id_fkey REFERENCES hook (id),
        release_id uuid CONSTRAINT activity_release_id_fkey REFERENCES release (id),
        comment_id uuid CONSTRAINT activity_comment_id_fkey REFERENCES comment (id),
        actor_id uuid CONSTRAINT activity_actor_id_fkey REFERENCES account (id),
        times integer NOT NULL DEFAULT 1 CONSTRAINT activity_times_check CHECK (times >= 1),
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        read_at timestamptz
    )
    """,
    "CREATE INDEX activity_latest ON activity (account_id, at, id)",
    # What nobody has looked at yet gathers in one line: the next like of the same hook is told there.
    """
    CREATE UNIQUE INDEX activity_unread ON activity
        (account_id, kind, coalesce(comment_id, release_id, hook_id, artist_id)) WHERE read_at IS NULL
    """,
    f"""
    CREATE TABLE signal (
        id bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT signal_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT signal_kind_check CHECK (kind IN ({_SIGNALS})),
        account_id uuid NOT NULL CONSTRAINT signal_account_id_fkey REFERENCES account (id),
        own boolean NOT NULL,
        artist_id uuid NOT NULL CONSTRAINT signal_artist_id_fkey REFERENCES artist (id),
        hook_id uuid CONSTRAINT signal_hook_id_fkey REFERENCES hook (id),
        release_id uuid CONSTRAINT signal_release_id_fkey REFERENCES release (id),
        room_id uuid CONSTRAINT signal_room_id_fkey REFERENCES room (id),
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX signal_of_artist ON signal (artist_id, at)",
    "CREATE INDEX signal_of_hook ON signal (hook_id, at) WHERE hook_id IS NOT NULL",
    "CREATE INDEX signal_of_release ON signal (release_id, at) WHERE release_id IS NOT NULL",
    "CREATE INDEX signal_of_room ON signal (room_id, at) WHERE room_id IS NOT NULL",
    "CREATE INDEX signal_pace ON signal (account_id, kind, at)",
    """
    CREATE TABLE warmth (
        room_id uuid NOT NULL CONSTRAINT warmth_pkey PRIMARY KEY CONSTRAINT warmth_room_id_fkey REFERENCES room (id),
        weight double precision NOT NULL,
        at timestamptz NOT NULL,
        told integer NOT NULL DEFAULT 0 CONSTRAINT warmth_told_check CHECK (told BETWEEN 0 AND 10)
    )
    """,
    """
    CREATE TABLE participation (
        id uuid NOT NULL CONSTRAINT participation_pkey PRIMARY KEY,
        subject_id uuid NOT NULL,
        taken_at timestamptz NOT NULL,
        formula text NOT NULL,
        energy double precision NOT NULL CONSTRAINT participation_energy_check CHECK (energy BETWEEN 0 AND 100),
        early_motion integer NOT NULL,
        trusted_circulation integer NOT NULL,
        participants integer NOT NULL,
        CONSTRAINT participation_subject_id_taken_at_key UNIQUE (subject_id, taken_at)
    )
    """,
    # Up to one more, down to one less: whoever writes a row, it is counted with it.
    """
    CREATE FUNCTION tally_up(subject uuid, what text, change integer) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      IF change > 0 THEN
        INSERT INTO tally AS known (subject_id, followers, likes, saves, comments, shares)
        VALUES (
          subject, (what = 'followers')::integer, (what = 'likes')::integer, (what = 'saves')::integer,
          (what = 'comments')::integer, (what = 'shares')::integer)
        ON CONFLICT (subject_id) DO UPDATE SET
          followers = known.followers + excluded.followers, likes = known.likes + excluded.likes,
          saves = known.saves + excluded.saves, comments = known.comments + excluded.comments,
          shares = known.shares + excluded.shares;
      ELSIF change < 0 THEN
        UPDATE tally SET
          followers = followers - (what = 'followers')::integer, likes = likes - (what = 'likes')::integer,
          saves = saves - (what = 'saves')::integer, comments = comments - (what = 'comments')::integer
        WHERE subject_id = subject;
      END IF;
    END $$
    """,
    """
    CREATE FUNCTION tie_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM tally_up(
        coalesce(NEW.artist_id, NEW.hook_id),
        CASE NEW.kind WHEN 'FOLLOW' THEN 'followers' WHEN 'LIKE' THEN 'likes' ELSE 'saves' END,
        (NEW.ended_at IS NULL)::integer - coalesce(TG_OP = 'UPDATE' AND OLD.ended_at IS NULL, false)::integer
      );
      RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER tie_counted AFTER INSERT OR UPDATE ON tie FOR EACH ROW EXECUTE FUNCTION tie_counted()",
    """
    CREATE FUNCTION comment_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM tally_up(
        coalesce(NEW.artist_id, NEW.hook_id), 'comments',
        (NEW.deleted_at IS NULL)::integer - coalesce(TG_OP = 'UPDATE' AND OLD.deleted_at IS NULL, false)::integer
      );
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER comment_counted AFTER INSERT OR UPDATE ON comment
    FOR EACH ROW EXECUTE FUNCTION comment_counted()
    """,
    """
    CREATE FUNCTION share_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM tally_up(coalesce(NEW.artist_id, NEW.hook_id, NEW.release_id, NEW.room_id), 'shares', 1);
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER share_counted AFTER INSERT ON share_link FOR EACH ROW EXECUTE FUNCTION share_counted()
    """,
    "GRANT SELECT, INSERT, UPDATE (ended_at) ON tie TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (text, deleted_at, deleted_by_id) ON comment TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (visits, visitors) ON share_link TO casset_app",
    "GRANT SELECT, INSERT ON share_visitor TO casset_app",
    "GRANT SELECT, UPDATE (secret, made_at) ON visitor_key TO casset_app",
    f"GRANT SELECT, INSERT, UPDATE ({', '.join(_COUNTED)}) ON tally TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (actor_id, times, at, read_at) ON activity TO casset_app",
    "GRANT SELECT, INSERT ON signal TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (weight, at, told) ON warmth TO casset_app",
    "GRANT SELECT, INSERT ON participation TO casset_app",
)


def upgrade() -> None:
    """Make them; nothing is deleted, and of a comment only the words may go."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE participation, warmth, signal, activity, tally, visitor_key, share_visitor, share_link")
    op.execute("DROP TABLE comment, tie")
    op.execute("DROP FUNCTION tie_counted(), comment_counted(), share_counted(), tally_up(uuid, text, integer)")
