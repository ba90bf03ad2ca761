"""Atmospheres and themes: pictures and loops of worlds, who made them, what may be done with them."""

from alembic import op

revision = "0010"
down_revision = "0009"

_BADGES = """CHECK (badges <@ ARRAY['HUMAN_MADE', 'NO_AI_USED', 'AI_ASSISTED', 'GENERATED', 'GENERATED_VISUAL_WORLD',
    'REMIX', 'CO_CREATED', 'DERIVATIVE'])"""
_AGREEING = """CHECK (NOT (badges @> '{NO_AI_USED}' AND badges && '{AI_ASSISTED,GENERATED,GENERATED_VISUAL_WORLD}')
    AND NOT badges @> '{HUMAN_MADE,GENERATED}')"""
_TEXTURES = "'NONE', 'PAPER', 'FILM_GRAIN', 'HALFTONE', 'DENIM', 'TAPE', 'LINEN', 'STATIC', 'VINYL', 'CHROME'"
_FORMATS = "'WAV', 'MP3', 'FLAC', 'AAC', 'M4A', 'OGG', 'PNG', 'JPEG', 'WEBP'"
_LEVELS = "'AGENT_RULE', 'VERSION', 'ASSET', 'ARTIST', 'PLATFORM'"

_STATEMENTS = (
    """
    ALTER TABLE media
        ALTER COLUMN asset_id DROP NOT NULL,
        ADD COLUMN artist_id uuid CONSTRAINT media_artist_id_fkey REFERENCES artist (id),
        ADD CONSTRAINT media_owner_check CHECK (num_nonnulls(asset_id, artist_id) = 1),
        ADD CONSTRAINT media_of_artist_check CHECK (artist_id IS NULL OR role IN ('COVER', 'LOOP'))
    """,
    "CREATE INDEX media_artist ON media (artist_id, created_at, id) WHERE artist_id IS NOT NULL",
    f"""
    ALTER TABLE media_content
        DROP CONSTRAINT media_content_format_check,
        ADD CONSTRAINT media_content_format_check CHECK (format IN ({_FORMATS}, 'MP4', 'WEBM', 'OTHER')),
        ADD COLUMN seed_hue integer,
        ADD COLUMN seed_saturation integer,
        ADD COLUMN seed_lightness integer,
        ADD CONSTRAINT media_content_seed_check CHECK (
            num_nonnulls(seed_hue, seed_saturation, seed_lightness) IN (0, 3) AND seed_hue BETWEEN 0 AND 359
            AND seed_saturation BETWEEN 0 AND 100 AND seed_lightness BETWEEN 0 AND 100)
    """,
    f"""
    ALTER TABLE visual_world
        ADD COLUMN source_id uuid CONSTRAINT visual_world_source_id_fkey REFERENCES media (id),
        ADD COLUMN version integer NOT NULL DEFAULT 1,
        ADD CONSTRAINT visual_world_texture_check CHECK (texture IN ({_TEXTURES}))
    """,
    "CREATE INDEX visual_world_source ON visual_world (source_id) WHERE source_id IS NOT NULL",
    f"""
    ALTER TABLE theme
        ADD COLUMN glow_strength double precision
            CONSTRAINT theme_glow_strength_check CHECK (glow_strength BETWEEN 0 AND 1),
        ADD COLUMN grain double precision CONSTRAINT theme_grain_check CHECK (grain BETWEEN 0 AND 1),
        ADD COLUMN badges text[] NOT NULL DEFAULT '{{}}',
        ADD CONSTRAINT theme_badges_check {_BADGES},
        ADD CONSTRAINT theme_badges_agree_check {_AGREEING}
    """,
    """
    ALTER TABLE credit
        ALTER COLUMN asset_id DROP NOT NULL,
        ADD COLUMN visual_id uuid CONSTRAINT credit_visual_id_fkey REFERENCES visual_world (id),
        ADD CONSTRAINT credit_subject_check CHECK (num_nonnulls(asset_id, visual_id) = 1),
        DROP CONSTRAINT credit_asset_id_contributor_id_role_instrument_key,
        ADD CONSTRAINT credit_asset_id_visual_id_contributor_id_role_instrument_key
            UNIQUE NULLS NOT DISTINCT (asset_id, visual_id, contributor_id, role, instrument)
    """,
    "CREATE INDEX credit_visual ON credit (visual_id, position, id) WHERE visual_id IS NOT NULL",
    f"""
    ALTER TABLE policy
        DROP CONSTRAINT policy_level_check,
        ADD CONSTRAINT policy_level_check CHECK (level IN ({_LEVELS}, 'VISUAL'))
    """,
)


def upgrade() -> None:
    """Make room for them; the serving role has its rights in these tables already."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget whose pictures and loops they were, and what was said of visual worlds."""
    op.execute("DELETE FROM policy WHERE level = 'VISUAL'")
    op.execute(f"""
        ALTER TABLE policy DROP CONSTRAINT policy_level_check,
            ADD CONSTRAINT policy_level_check CHECK (level IN ({_LEVELS}))""")
    op.execute("DELETE FROM credit WHERE visual_id IS NOT NULL")
    op.execute("""
        ALTER TABLE credit DROP CONSTRAINT credit_asset_id_visual_id_contributor_id_role_instrument_key,
            ADD CONSTRAINT credit_asset_id_contributor_id_role_instrument_key
                UNIQUE NULLS NOT DISTINCT (asset_id, contributor_id, role, instrument),
            DROP COLUMN visual_id, ALTER COLUMN asset_id SET NOT NULL""")
    op.execute("ALTER TABLE theme DROP COLUMN glow_strength, DROP COLUMN grain, DROP COLUMN badges")
    op.execute("""
        ALTER TABLE visual_world DROP COLUMN source_id, DROP COLUMN version,
            DROP CONSTRAINT visual_world_texture_check""")
    op.execute("DELETE FROM preview WHERE media_id IN (SELECT id FROM media WHERE artist_id IS NOT NULL)")
    op.execute("""
        DELETE FROM media_content WHERE format IN ('MP4', 'WEBM')
            OR media_id IN (SELECT id FROM media WHERE artist_id IS NOT NULL)""")
    op.execute("DELETE FROM media WHERE artist_id IS NOT NULL")
    op.execute(f"""
        ALTER TABLE media_content DROP COLUMN seed_hue, DROP COLUMN seed_saturation, DROP COLUMN seed_lightness,
            DROP CONSTRAINT media_content_format_check,
            ADD CONSTRAINT media_content_format_check CHECK (format IN ({_FORMATS}, 'OTHER'))""")
    op.execute("ALTER TABLE media DROP COLUMN artist_id, ALTER COLUMN asset_id SET NOT NULL")
