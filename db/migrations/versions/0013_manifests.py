"""Manifests, and everything publishing copies: written while a version is a draft, and never changed after that."""

from alembic import op

revision = "0013"
down_revision = "0012"

_ROLES = (
    "'MAIN_ARTIST', 'FEATURED_ARTIST', 'COMPOSER', 'LYRICIST', 'ARRANGER', 'PRODUCER', 'MIXING_ENGINEER', "
    "'MASTERING_ENGINEER', 'REMIXER', 'INSTRUMENTALIST', 'VOCALIST', 'VISUAL_ARTIST'"
)
_COPIES = ("version_credit", "version_split", "version_policy", "version_media")
_STATEMENTS = (
    """
    ALTER TABLE release_version
        ADD COLUMN owner_id uuid CONSTRAINT release_version_owner_id_fkey REFERENCES artist (id),
        ADD COLUMN owner_name text,
        ADD COLUMN release_kind text CONSTRAINT release_version_release_kind_check
            CHECK (release_kind IN ('SINGLE', 'EP', 'ALBUM', 'MIXTAPE', 'DEMO')),
        ADD COLUMN upc text,
        ADD COLUMN label text,
        ADD COLUMN badges text[],
        ADD COLUMN upstream uuid[],
        ADD COLUMN previous_hash text,
        ADD COLUMN published_by_id uuid CONSTRAINT release_version_published_by_id_fkey REFERENCES account (id)
    """,
    """
    ALTER TABLE release_item
        ADD COLUMN owner_id uuid CONSTRAINT release_item_owner_id_fkey REFERENCES artist (id),
        ADD COLUMN owner_name text,
        ADD COLUMN isrc text
    """,
    """
    CREATE TABLE manifest (
        id uuid NOT NULL CONSTRAINT manifest_pkey PRIMARY KEY
            CONSTRAINT manifest_id_fkey REFERENCES release_version (id),
        hash text NOT NULL CONSTRAINT manifest_hash_key UNIQUE,
        body text NOT NULL,
        proof text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT manifest_hash_check
            CHECK (hash = 'sha256:' || encode(sha256(convert_to(body, 'UTF8')), 'hex'))
    )
    """,
    """
    ALTER TABLE release_version ADD CONSTRAINT release_version_manifest_hash_fkey
        FOREIGN KEY (manifest_hash) REFERENCES manifest (hash)
    """,
    """
    CREATE TABLE manifest_check (
        id uuid NOT NULL CONSTRAINT manifest_check_pkey PRIMARY KEY,
        manifest_id uuid NOT NULL CONSTRAINT manifest_check_manifest_id_fkey REFERENCES manifest (id),
        kind text NOT NULL CONSTRAINT manifest_check_kind_check
            CHECK (kind IN ('REGENERATION', 'SNAPSHOT', 'SIGNATURE')),
        passed boolean NOT NULL,
        found text,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX manifest_check_newest ON manifest_check (manifest_id, kind, created_at, id)",
    f"""
    CREATE TABLE version_credit (
        version_id uuid NOT NULL CONSTRAINT version_credit_version_id_fkey REFERENCES release_version (id),
        credit_id uuid NOT NULL CONSTRAINT version_credit_credit_id_fkey REFERENCES credit (id),
        asset_id uuid NOT NULL CONSTRAINT version_credit_asset_id_fkey REFERENCES asset (id),
        contributor_id uuid NOT NULL
            CONSTRAINT version_credit_contributor_id_fkey REFERENCES contributor (id),
        name text NOT NULL,
        ipi text,
        isni text,
        role text NOT NULL CONSTRAINT version_credit_role_check CHECK (role IN ({_ROLES})),
        instrument text,
        acceptance text NOT NULL CONSTRAINT version_credit_acceptance_check
            CHECK (acceptance IN ('PROPOSED', 'ACCEPTED', 'DECLINED')),
        position integer NOT NULL,
        CONSTRAINT version_credit_pkey PRIMARY KEY (version_id, credit_id)
    )
    """,
    """
    CREATE TABLE version_split (
        version_id uuid NOT NULL CONSTRAINT version_split_version_id_fkey REFERENCES release_version (id),
        split_id uuid NOT NULL CONSTRAINT version_split_split_id_fkey REFERENCES split (id),
        asset_id uuid NOT NULL CONSTRAINT version_split_asset_id_fkey REFERENCES asset (id),
        contributor_id uuid NOT NULL
            CONSTRAINT version_split_contributor_id_fkey REFERENCES contributor (id),
        name text NOT NULL,
        pool text NOT NULL CONSTRAINT version_split_pool_check CHECK (pool IN ('MASTER', 'PUBLISHING')),
        basis_points integer NOT NULL,
        acceptance text NOT NULL CONSTRAINT version_split_acceptance_check
            CHECK (acceptance IN ('PROPOSED', 'ACCEPTED', 'DECLINED')),
        position integer NOT NULL,
        CONSTRAINT version_split_pkey PRIMARY KEY (version_id, split_id),
        CONSTRAINT version_split_basis_points_check CHECK (basis_points BETWEEN 1 AND 10000)
    )
    """,
    """
    CREATE TABLE version_policy (
        version_id uuid NOT NULL CONSTRAINT version_policy_version_id_fkey REFERENCES release_version (id),
        asset_id uuid NOT NULL CONSTRAINT version_policy_asset_id_fkey REFERENCES asset (id),
        policy_id uuid NOT NULL CONSTRAINT version_policy_policy_id_fkey REFERENCES policy (id),
        level text NOT NULL CONSTRAINT version_policy_level_check
            CHECK (level IN ('AGENT_RULE', 'VERSION', 'ASSET', 'ARTIST', 'PLATFORM')),
        term_set_id uuid NOT NULL CONSTRAINT version_policy_term_set_id_fkey REFERENCES term_set (id),
        license text,
        CONSTRAINT version_policy_pkey PRIMARY KEY (version_id, asset_id, policy_id)
    )
    """,
    """
    CREATE TABLE version_media (
        version_id uuid NOT NULL CONSTRAINT version_media_version_id_fkey REFERENCES release_version (id),
        asset_id uuid NOT NULL CONSTRAINT version_media_asset_id_fkey REFERENCES asset (id),
        media_id uuid NOT NULL CONSTRAINT version_media_media_id_fkey REFERENCES media (id),
        role text NOT NULL CONSTRAINT version_media_role_check
            CHECK (role IN ('MASTER', 'PREVIEW', 'COVER', 'LOOP', 'SOURCE')),
        sha256 text NOT NULL CONSTRAINT version_media_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        mime_type text,
        CONSTRAINT version_media_pkey PRIMARY KEY (version_id, asset_id, media_id)
    )
    """,
    # Who writes into a draft waits for whoever publishes it, and then sees that it is one no more.
    """
    CREATE FUNCTION refuse_unless_draft(version uuid) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM release_version WHERE id = version AND state = 'DRAFT' FOR SHARE;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
      END IF;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION drafts_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' THEN
        PERFORM refuse_unless_draft(OLD.version_id);
      END IF;
      IF TG_OP <> 'DELETE' AND (TG_OP = 'INSERT' OR NEW.version_id <> OLD.version_id) THEN
        PERFORM refuse_unless_draft(NEW.version_id);
      END IF;
      RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$
    """,
    # An import brings a version that is out with its items, or fills one that has none: in one transaction, no later.
    """
    CREATE FUNCTION drafts_are_filled() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (
        SELECT FROM (SELECT DISTINCT version_id FROM added) AS touched
        JOIN release_version AS version ON version.id = touched.version_id AND version.state <> 'DRAFT'
        WHERE version.manifest_hash IS NOT NULL
           OR (version.xmin <> pg_current_xact_id()::xid AND NOT version.is_compatibility)
           OR EXISTS (
             SELECT FROM release_item AS item
             WHERE item.version_id = version.id AND item.xmin <> pg_current_xact_id()::xid
           )
      ) THEN
        RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER drafts_are_filled AFTER INSERT ON release_item
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION drafts_are_filled()
    """,
    # Out of a draft a version comes with its manifest, or says that it has none; then only its state moves on.
    """
    CREATE FUNCTION published_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.state = 'DRAFT' THEN
        IF NEW.state <> 'DRAFT' AND NEW.manifest_hash IS NULL AND NOT NEW.is_compatibility THEN
          RAISE EXCEPTION 'a version is published with a manifest' USING ERRCODE = 'restrict_violation';
        END IF;
      ELSIF to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state'
         OR (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
              ('PUBLISHED', 'SUPERSEDED'), ('PUBLISHED', 'WITHDRAWN'))) THEN
        RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    # After the row is there: before it, generated columns are not there yet to be compared.
    """
    CREATE TRIGGER published_once AFTER UPDATE ON release_version
    FOR EACH ROW EXECUTE FUNCTION published_once()
    """,
    """
    CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON release_version
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE TRIGGER never_deleted BEFORE TRUNCATE ON release_item
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON manifest
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON manifest_check
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    *[
        f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION append_only()
        """
        for table in _COPIES
    ],
    *[
        f"CREATE TRIGGER drafts_only BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION drafts_only()"
        for table in _COPIES
    ],
    "GRANT SELECT, INSERT ON manifest TO casset_app",
    "GRANT SELECT, INSERT ON manifest_check TO casset_app",
    *[f"GRANT SELECT, INSERT ON {table} TO casset_app" for table in _COPIES],
)


def upgrade() -> None:
    """Make them; the serving role adds to them, and changes nothing."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget what publishing copied; which versions are out stays."""
    op.execute("ALTER TABLE release_version DROP CONSTRAINT release_version_manifest_hash_fkey")
    op.execute("DROP TABLE manifest_check, manifest, version_credit, version_split, version_policy, version_media")
    op.execute("DROP TRIGGER published_once ON release_version")
    for table in ("release_version", "release_item"):
        op.execute(f"DROP TRIGGER never_deleted ON {table}")
    op.execute("DROP TRIGGER drafts_are_filled ON release_item")
    op.execute(
        """
        CREATE OR REPLACE FUNCTION drafts_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT FROM release_version WHERE id = OLD.version_id AND state <> 'DRAFT') THEN
            RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
          END IF;
          RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute("DROP FUNCTION published_once, drafts_are_filled, refuse_unless_draft")
    op.execute("ALTER TABLE release_item DROP COLUMN owner_id, DROP COLUMN owner_name, DROP COLUMN isrc")
    op.execute(
        "ALTER TABLE release_version DROP COLUMN owner_id, DROP COLUMN owner_name, DROP COLUMN release_kind,"
        " DROP COLUMN upc, DROP COLUMN label, DROP COLUMN badges, DROP COLUMN upstream, DROP COLUMN previous_hash,"
        " DROP COLUMN published_by_id"
    )
