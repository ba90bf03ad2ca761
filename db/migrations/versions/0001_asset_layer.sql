-- The spelling of a reference, which the tables store. (Extensions are made by `db.migrate`, with the rights they need.)


-- TypeID 0.3: `<kind>_` and the 128 bits of the UUID as 26 letters of Crockford's base32.
CREATE FUNCTION typeid(kind text, id uuid) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  letters CONSTANT text := '0123456789abcdefghjkmnpqrstvwxyz';
  digits CONSTANT text := replace(id::text, '-', '');
  high CONSTANT bigint := ('x' || left(digits, 16))::bit(64)::bigint;
  low CONSTANT bigint := ('x' || right(digits, 16))::bit(64)::bigint;
BEGIN
  RETURN kind || '_'
    || substr(letters, ((high >> 61) & 7)::int + 1, 1)
    || substr(letters, ((high >> 56) & 31)::int + 1, 1)
    || substr(letters, ((high >> 51) & 31)::int + 1, 1)
    || substr(letters, ((high >> 46) & 31)::int + 1, 1)
    || substr(letters, ((high >> 41) & 31)::int + 1, 1)
    || substr(letters, ((high >> 36) & 31)::int + 1, 1)
    || substr(letters, ((high >> 31) & 31)::int + 1, 1)
    || substr(letters, ((high >> 26) & 31)::int + 1, 1)
    || substr(letters, ((high >> 21) & 31)::int + 1, 1)
    || substr(letters, ((high >> 16) & 31)::int + 1, 1)
    || substr(letters, ((high >> 11) & 31)::int + 1, 1)
    || substr(letters, ((high >> 6) & 31)::int + 1, 1)
    || substr(letters, ((high >> 1) & 31)::int + 1, 1)
    || substr(letters, ((((high & 1) << 4) | ((low >> 60) & 15)))::int + 1, 1)
    || substr(letters, ((low >> 55) & 31)::int + 1, 1)
    || substr(letters, ((low >> 50) & 31)::int + 1, 1)
    || substr(letters, ((low >> 45) & 31)::int + 1, 1)
    || substr(letters, ((low >> 40) & 31)::int + 1, 1)
    || substr(letters, ((low >> 35) & 31)::int + 1, 1)
    || substr(letters, ((low >> 30) & 31)::int + 1, 1)
    || substr(letters, ((low >> 25) & 31)::int + 1, 1)
    || substr(letters, ((low >> 20) & 31)::int + 1, 1)
    || substr(letters, ((low >> 15) & 31)::int + 1, 1)
    || substr(letters, ((low >> 10) & 31)::int + 1, 1)
    || substr(letters, ((low >> 5) & 31)::int + 1, 1)
    || substr(letters, ((low >> 0) & 31)::int + 1, 1);
END $$;

CREATE TABLE account (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('account', id)) STORED NOT NULL,
  handle TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT account_pkey PRIMARY KEY (id),
  CONSTRAINT account_handle_key UNIQUE (handle)
);

CREATE TABLE artist (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('artist', id)) STORED NOT NULL,
  handle TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT COLLATE "C" GENERATED ALWAYS AS (left(lower(name), 200)) STORED NOT NULL,
  kind TEXT NOT NULL,
  claimed BOOLEAN NOT NULL,
  tagline TEXT,
  theme_id UUID,
  visual_id UUID,
  lead_hook_id UUID,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT artist_pkey PRIMARY KEY (id),
  CONSTRAINT artist_kind_check CHECK (kind IN ('CREATOR', 'FAN', 'DUO', 'GROUP', 'LABEL', 'ESTATE', 'SCENE')),
  CONSTRAINT artist_name_check CHECK (char_length(name) <= 300),
  CONSTRAINT artist_handle_key UNIQUE (handle)
);

CREATE INDEX artist_name ON artist (name_key, id);

CREATE INDEX artist_newest ON artist (created_at, id);

CREATE INDEX artist_theme ON artist (theme_id);

CREATE INDEX artist_visual ON artist (visual_id);

CREATE TABLE change (
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  subject_id UUID NOT NULL,
  kind TEXT NOT NULL,
  ids UUID[] DEFAULT '{}' NOT NULL,
  at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT change_pkey PRIMARY KEY (xid, id)
);

CREATE TABLE job (
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  subject_id UUID,
  payload JSONB DEFAULT '{}' NOT NULL,
  state TEXT DEFAULT 'READY' NOT NULL,
  run_after TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  lease_until TIMESTAMP WITH TIME ZONE,
  fence BIGINT DEFAULT 0 NOT NULL,
  error TEXT,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT job_pkey PRIMARY KEY (id),
  CONSTRAINT job_state_check CHECK (state IN ('READY', 'RUNNING', 'DONE', 'DEAD'))
);

CREATE INDEX job_due ON job (run_after, id) WHERE state IN ('READY', 'RUNNING');

CREATE TABLE merge (
  id UUID NOT NULL,
  old_id UUID NOT NULL,
  new_id UUID NOT NULL,
  valid TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  known TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  CONSTRAINT merge_pkey PRIMARY KEY (id),
  CONSTRAINT merge_valid_check CHECK (NOT isempty(valid)),
  CONSTRAINT merge_known_check CHECK (NOT isempty(known)),
  CONSTRAINT merge_moves_check CHECK (old_id <> new_id),
  CONSTRAINT merge_one_open_row EXCLUDE USING gist (uuid_send(old_id) WITH =, valid WITH &&) WHERE (upper_inf(known))
);

CREATE INDEX merge_open ON merge (old_id) INCLUDE (new_id) WHERE upper_inf(known);

CREATE TABLE origin (
  source TEXT NOT NULL,
  source_ref TEXT NOT NULL,
  asset_id UUID NOT NULL,
  CONSTRAINT origin_pkey PRIMARY KEY (source, source_ref)
);

CREATE INDEX origin_asset ON origin (asset_id);

CREATE TABLE outbox (
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  topic TEXT NOT NULL,
  payload JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT outbox_pkey PRIMARY KEY (xid, id)
);

CREATE TABLE search_entry (
  node_id UUID NOT NULL,
  kind TEXT NOT NULL,
  names TEXT[] NOT NULL,
  sort_key TEXT COLLATE "C" NOT NULL,
  words TSVECTOR NOT NULL,
  CONSTRAINT search_entry_pkey PRIMARY KEY (node_id),
  CONSTRAINT search_entry_kind_check CHECK (kind IN ('ARTIST', 'TRACK', 'SAMPLE', 'INSTRUMENT', 'RELEASE', 'CONTRIBUTOR'))
);

CREATE INDEX search_entry_words ON search_entry USING gin (words);

CREATE TABLE search_word (
  word TEXT COLLATE "C" NOT NULL,
  CONSTRAINT search_word_pkey PRIMARY KEY (word)
);

CREATE INDEX search_word_trigrams ON search_word USING gin (word gin_trgm_ops);

CREATE TABLE term_set (
  id UUID NOT NULL,
  digest TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT term_set_pkey PRIMARY KEY (id),
  CONSTRAINT term_set_digest_key UNIQUE (digest)
);

CREATE TABLE asset (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid(lower(kind), id)) STORED NOT NULL,
  kind TEXT NOT NULL,
  owner_id UUID NOT NULL,
  title TEXT NOT NULL,
  title_key TEXT COLLATE "C" GENERATED ALWAYS AS (left(lower(title), 200)) STORED NOT NULL,
  state TEXT DEFAULT 'PRIVATE' NOT NULL,
  teased BOOLEAN DEFAULT false NOT NULL,
  badges TEXT[] DEFAULT '{}' NOT NULL,
  made_on DATE,
  derived_count INTEGER DEFAULT 0 NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT asset_pkey PRIMARY KEY (id),
  CONSTRAINT asset_kind_check CHECK (kind IN ('TRACK', 'SAMPLE', 'INSTRUMENT', 'RELEASE')),
  CONSTRAINT asset_state_check CHECK (state IN ('PRIVATE', 'UNLISTED', 'PUBLIC', 'ARCHIVED', 'WITHDRAWN')),
  CONSTRAINT asset_badges_check CHECK (badges <@ ARRAY['HUMAN_MADE', 'NO_AI_USED', 'AI_ASSISTED', 'GENERATED', 'GENERATED_VISUAL_WORLD', 'REMIX', 'CO_CREATED', 'DERIVATIVE']),
  CONSTRAINT asset_badges_agree_check CHECK (NOT (badges @> '{NO_AI_USED}' AND badges && '{AI_ASSISTED,GENERATED,GENERATED_VISUAL_WORLD}') AND NOT badges @> '{HUMAN_MADE,GENERATED}'),
  CONSTRAINT asset_title_check CHECK (char_length(title) <= 300),
  CONSTRAINT asset_made_on_check CHECK (made_on BETWEEN '0001-01-01' AND '9999-12-31'),
  CONSTRAINT asset_derived_count_check CHECK (derived_count >= 0),
  CONSTRAINT asset_teased_check CHECK (NOT teased OR (kind = 'RELEASE' AND state = 'PRIVATE')),
  CONSTRAINT asset_owner_id_fkey FOREIGN KEY(owner_id) REFERENCES artist (id)
);

CREATE INDEX asset_kind_newest ON asset (kind, created_at, id) WHERE state = 'PUBLIC';

CREATE INDEX asset_most_derived ON asset (derived_count, id) WHERE state = 'PUBLIC';

CREATE INDEX asset_newest ON asset (created_at, id) WHERE state = 'PUBLIC';

CREATE INDEX asset_owner_newest ON asset (owner_id, created_at, id);

CREATE INDEX asset_title ON asset (title_key, id) WHERE state = 'PUBLIC';

CREATE TABLE contributor (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('contributor', id)) STORED NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT COLLATE "C" GENERATED ALWAYS AS (left(lower(name), 200)) STORED NOT NULL,
  artist_id UUID,
  account_id UUID,
  ipi TEXT,
  isni TEXT,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT contributor_pkey PRIMARY KEY (id),
  CONSTRAINT contributor_name_check CHECK (char_length(name) BETWEEN 1 AND 300),
  CONSTRAINT contributor_artist_id_fkey FOREIGN KEY(artist_id) REFERENCES artist (id),
  CONSTRAINT contributor_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX contributor_artist ON contributor (artist_id);

CREATE TABLE idempotency (
  account_id UUID NOT NULL,
  key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  outcome JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT idempotency_pkey PRIMARY KEY (account_id, key),
  CONSTRAINT idempotency_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE membership (
  id UUID NOT NULL,
  account_id UUID NOT NULL,
  artist_id UUID NOT NULL,
  role TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT membership_pkey PRIMARY KEY (id),
  CONSTRAINT membership_role_check CHECK (role IN ('OWNER', 'EDITOR', 'CONTRIBUTOR', 'MEMBER')),
  CONSTRAINT membership_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT membership_artist_id_fkey FOREIGN KEY(artist_id) REFERENCES artist (id)
);

CREATE INDEX membership_artist ON membership (artist_id) WHERE ended_at IS NULL;

CREATE UNIQUE INDEX membership_current ON membership (account_id, artist_id) WHERE ended_at IS NULL;

CREATE TABLE policy (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('policy', id)) STORED NOT NULL,
  level TEXT NOT NULL,
  subject_id UUID,
  term_set_id UUID NOT NULL,
  license_family TEXT NOT NULL,
  license TEXT,
  stated_as TEXT,
  stated_by_id UUID,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  valid TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  known TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  CONSTRAINT policy_pkey PRIMARY KEY (id),
  CONSTRAINT policy_level_check CHECK (level IN ('AGENT_RULE', 'VERSION', 'ASSET', 'ARTIST', 'PLATFORM')),
  CONSTRAINT policy_license_family_check CHECK (license_family IN ('CC0', 'CC_BY', 'CC_BY_SA', 'CC_BY_NC', 'CC_BY_ND', 'CC_BY_NC_SA', 'CC_BY_NC_ND', 'GPL', 'ALL_RIGHTS_RESERVED', 'OPEN_TO_REMIX', 'CUSTOM')),
  CONSTRAINT policy_valid_check CHECK (NOT isempty(valid)),
  CONSTRAINT policy_known_check CHECK (NOT isempty(known)),
  CONSTRAINT policy_subject_check CHECK ((level = 'PLATFORM') = (subject_id IS NULL)),
  CONSTRAINT policy_one_open_row EXCLUDE USING gist (level WITH =, uuid_send(subject_id) WITH =, valid WITH &&) WHERE (upper_inf(known)),
  CONSTRAINT policy_term_set_id_fkey FOREIGN KEY(term_set_id) REFERENCES term_set (id),
  CONSTRAINT policy_stated_by_id_fkey FOREIGN KEY(stated_by_id) REFERENCES account (id)
);

CREATE INDEX policy_family ON policy (license_family, subject_id) WHERE upper_inf(known);

CREATE INDEX policy_subject ON policy (subject_id, level) WHERE upper_inf(known);

CREATE INDEX policy_terms ON policy (term_set_id, subject_id) WHERE upper_inf(known);

CREATE TABLE provenance_event (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('event', id)) STORED NOT NULL,
  subject_id UUID NOT NULL,
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id UUID,
  body TEXT NOT NULL,
  prev TEXT,
  hash TEXT NOT NULL,
  CONSTRAINT provenance_event_pkey PRIMARY KEY (id),
  CONSTRAINT provenance_event_kind_check CHECK (kind IN ('ASSET_CREATED', 'ASSET_UPDATED', 'MEDIA_ATTACHED', 'HOOK_CHANGED', 'LINEAGE_CHANGED', 'ASSET_MERGED', 'RELEASE_CREATED', 'VERSION_CREATED', 'MANIFEST_GENERATED', 'MANIFEST_SIGNED', 'MANIFEST_ANCHORED', 'RELEASE_PUBLISHED', 'RELEASE_WITHDRAWN', 'CONTRIBUTORS_UPDATED', 'PERMISSIONS_CHANGED', 'DERIVATIVE_REGISTERED', 'LICENSE_GRANTED', 'ACCESS_GRANTED', 'ANCHOR_VERIFIED')),
  CONSTRAINT provenance_event_subject_id_sequence_key UNIQUE (subject_id, sequence),
  CONSTRAINT provenance_event_chain_check CHECK (sequence >= 1 AND (sequence = 1) = (prev IS NULL)),
  CONSTRAINT provenance_event_actor_id_fkey FOREIGN KEY(actor_id) REFERENCES account (id)
);

CREATE TABLE session (
  id UUID NOT NULL,
  account_id UUID NOT NULL,
  secret_hash BYTEA NOT NULL,
  loopback_only BOOLEAN NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT session_pkey PRIMARY KEY (id),
  CONSTRAINT session_secret_hash_key UNIQUE (secret_hash),
  CONSTRAINT session_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE term (
  id UUID NOT NULL,
  term_set_id UUID NOT NULL,
  position INTEGER NOT NULL,
  use TEXT NOT NULL,
  layer TEXT,
  decision TEXT NOT NULL,
  attribution BOOLEAN DEFAULT false NOT NULL,
  share_alike TEXT,
  territories TEXT[],
  starts_on DATE,
  ends_on DATE,
  purpose TEXT,
  price_minor INTEGER,
  currency TEXT,
  exception TEXT,
  reaches_outputs BOOLEAN DEFAULT false NOT NULL,
  sublicense BOOLEAN DEFAULT false NOT NULL,
  royalty_bp INTEGER,
  route TEXT,
  CONSTRAINT term_pkey PRIMARY KEY (id),
  CONSTRAINT term_use_check CHECK (use IN ('REMIX', 'STEMS', 'SYNC', 'VISUAL_REUSE', 'AI_TRAINING', 'AI_GENERATION', 'DERIVATIVE_REGISTRATION', 'COMMERCIAL_USE')),
  CONSTRAINT term_layer_check CHECK (layer IN ('MASTER', 'COMPOSITION')),
  CONSTRAINT term_decision_check CHECK (decision IN ('ALLOWED', 'LICENSE_REQUIRED', 'CONTACT_OWNER', 'DENIED')),
  CONSTRAINT term_period_check CHECK (ends_on > starts_on),
  CONSTRAINT term_price_check CHECK ((price_minor IS NULL) = (currency IS NULL)),
  CONSTRAINT term_term_set_id_position_key UNIQUE (term_set_id, position),
  CONSTRAINT term_term_set_id_fkey FOREIGN KEY(term_set_id) REFERENCES term_set (id)
);

CREATE INDEX term_decision ON term (use, decision, term_set_id);

CREATE TABLE theme (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('theme', id)) STORED NOT NULL,
  artist_id UUID NOT NULL,
  seed_source TEXT NOT NULL,
  seed_hue INTEGER NOT NULL,
  seed_saturation INTEGER NOT NULL,
  seed_lightness INTEGER NOT NULL,
  base TEXT NOT NULL,
  surface TEXT NOT NULL,
  accent TEXT NOT NULL,
  glow TEXT NOT NULL,
  gradient_end TEXT NOT NULL,
  footer_start TEXT NOT NULL,
  footer_end TEXT NOT NULL,
  is_extracted BOOLEAN DEFAULT false NOT NULL,
  pattern TEXT,
  texture TEXT DEFAULT 'NONE' NOT NULL,
  texture_opacity FLOAT DEFAULT 0 NOT NULL,
  typography TEXT,
  motion TEXT,
  release_posture TEXT,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT theme_pkey PRIMARY KEY (id),
  CONSTRAINT theme_seed_source_check CHECK (seed_source IN ('COVER', 'CURATED', 'CUSTOM')),
  CONSTRAINT theme_base_check CHECK (base ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT theme_surface_check CHECK (surface ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT theme_accent_check CHECK (accent ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT theme_glow_check CHECK (glow ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT theme_gradient_end_check CHECK (gradient_end ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT theme_footer_start_check CHECK (footer_start ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT theme_footer_end_check CHECK (footer_end ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT theme_texture_check CHECK (texture IN ('NONE', 'PAPER', 'FILM_GRAIN', 'HALFTONE', 'DENIM', 'TAPE', 'LINEN', 'STATIC', 'VINYL', 'CHROME')),
  CONSTRAINT theme_seed_hue_check CHECK (seed_hue BETWEEN 0 AND 359),
  CONSTRAINT theme_seed_saturation_check CHECK (seed_saturation BETWEEN 0 AND 100),
  CONSTRAINT theme_seed_lightness_check CHECK (seed_lightness BETWEEN 0 AND 100),
  CONSTRAINT theme_texture_opacity_check CHECK (texture_opacity BETWEEN 0 AND 1),
  CONSTRAINT theme_artist_id_fkey FOREIGN KEY(artist_id) REFERENCES artist (id)
);

CREATE INDEX theme_artist ON theme (artist_id);

CREATE TABLE asset_standing (
  id UUID NOT NULL,
  asset_id UUID NOT NULL,
  owner_id UUID NOT NULL,
  state TEXT NOT NULL,
  valid TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  known TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  CONSTRAINT asset_standing_pkey PRIMARY KEY (id),
  CONSTRAINT asset_standing_state_check CHECK (state IN ('PRIVATE', 'UNLISTED', 'PUBLIC', 'ARCHIVED', 'WITHDRAWN')),
  CONSTRAINT asset_standing_valid_check CHECK (NOT isempty(valid)),
  CONSTRAINT asset_standing_known_check CHECK (NOT isempty(known)),
  CONSTRAINT asset_standing_one_open_row EXCLUDE USING gist (uuid_send(asset_id) WITH =, valid WITH &&) WHERE (upper_inf(known)),
  CONSTRAINT asset_standing_asset_id_fkey FOREIGN KEY(asset_id) REFERENCES asset (id),
  CONSTRAINT asset_standing_owner_id_fkey FOREIGN KEY(owner_id) REFERENCES artist (id)
);

CREATE TABLE credit (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('credit', id)) STORED NOT NULL,
  asset_id UUID NOT NULL,
  contributor_id UUID NOT NULL,
  role TEXT NOT NULL,
  instrument TEXT,
  acceptance TEXT DEFAULT 'PROPOSED' NOT NULL,
  position INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT credit_pkey PRIMARY KEY (id),
  CONSTRAINT credit_role_check CHECK (role IN ('MAIN_ARTIST', 'FEATURED_ARTIST', 'COMPOSER', 'LYRICIST', 'ARRANGER', 'PRODUCER', 'MIXING_ENGINEER', 'MASTERING_ENGINEER', 'REMIXER', 'INSTRUMENTALIST', 'VOCALIST', 'VISUAL_ARTIST')),
  CONSTRAINT credit_acceptance_check CHECK (acceptance IN ('PROPOSED', 'ACCEPTED', 'DECLINED')),
  CONSTRAINT credit_asset_id_contributor_id_role_instrument_key UNIQUE NULLS NOT DISTINCT (asset_id, contributor_id, role, instrument),
  CONSTRAINT credit_asset_id_fkey FOREIGN KEY(asset_id) REFERENCES asset (id),
  CONSTRAINT credit_contributor_id_fkey FOREIGN KEY(contributor_id) REFERENCES contributor (id)
);

CREATE INDEX credit_asset ON credit (asset_id, position, id);

CREATE INDEX credit_contributor ON credit (contributor_id, created_at, id);

CREATE TABLE instrument (
  id UUID NOT NULL,
  family TEXT,
  format TEXT,
  CONSTRAINT instrument_pkey PRIMARY KEY (id),
  CONSTRAINT instrument_id_fkey FOREIGN KEY(id) REFERENCES asset (id)
);

CREATE TABLE lineage_edge (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('edge', id)) STORED NOT NULL,
  child_id UUID NOT NULL,
  parent_id UUID NOT NULL,
  kind TEXT NOT NULL,
  child_start_ms INTEGER,
  child_end_ms INTEGER,
  parent_start_ms INTEGER,
  parent_end_ms INTEGER,
  child_window INT4RANGE GENERATED ALWAYS AS (int4range(child_start_ms, child_end_ms)) STORED NOT NULL,
  note TEXT,
  status TEXT NOT NULL,
  registration TEXT NOT NULL,
  binding BOOLEAN NOT NULL,
  child_is_older BOOLEAN NOT NULL,
  evidence_source TEXT NOT NULL,
  evidence_method TEXT,
  evidence_score NUMERIC(4, 3),
  asserted_by_id UUID,
  asserted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  valid TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  known TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  CONSTRAINT lineage_edge_pkey PRIMARY KEY (id),
  CONSTRAINT lineage_edge_kind_check CHECK (kind IN ('SAMPLES', 'REMIX_OF', 'MASHUP_OF', 'EDIT_OF', 'DJ_MIX_OF', 'COMPILATION_OF', 'KARAOKE_OF', 'STEM_OF', 'ALTERNATE_OF', 'VERSION_OF', 'DERIVED_FROM', 'COVER_OF', 'INTERPOLATES', 'GENERATED_FROM', 'USES_INSTRUMENT', 'INSPIRED_BY')),
  CONSTRAINT lineage_edge_status_check CHECK (status IN ('CLAIMED', 'CONFIRMED', 'REJECTED', 'DISPUTED')),
  CONSTRAINT lineage_edge_registration_check CHECK (registration IN ('REGISTERED', 'PENDING', 'REFUSED')),
  CONSTRAINT lineage_edge_evidence_source_check CHECK (evidence_source IN ('IMPORT', 'CHILD_OWNER', 'PARENT_OWNER', 'THIRD_PARTY', 'DETECTION')),
  CONSTRAINT lineage_edge_valid_check CHECK (NOT isempty(valid)),
  CONSTRAINT lineage_edge_known_check CHECK (NOT isempty(known)),
  CONSTRAINT lineage_edge_no_self_check CHECK (child_id <> parent_id),
  CONSTRAINT lineage_edge_starts_check CHECK (child_start_ms >= 0 AND parent_start_ms >= 0),
  CONSTRAINT lineage_edge_child_window_check CHECK (child_end_ms > coalesce(child_start_ms, 0)),
  CONSTRAINT lineage_edge_parent_window_check CHECK (parent_end_ms > coalesce(parent_start_ms, 0)),
  CONSTRAINT lineage_edge_evidence_score_check CHECK (evidence_score BETWEEN 0 AND 1),
  CONSTRAINT lineage_edge_one_open_row EXCLUDE USING gist (uuid_send(child_id) WITH =, uuid_send(parent_id) WITH =, kind WITH =, child_window WITH =, valid WITH &&) WHERE (upper_inf(known)),
  CONSTRAINT lineage_edge_child_id_fkey FOREIGN KEY(child_id) REFERENCES asset (id),
  CONSTRAINT lineage_edge_parent_id_fkey FOREIGN KEY(parent_id) REFERENCES asset (id),
  CONSTRAINT lineage_edge_asserted_by_id_fkey FOREIGN KEY(asserted_by_id) REFERENCES artist (id)
);

CREATE INDEX lineage_edge_children ON lineage_edge (parent_id, created_at, id) WHERE upper_inf(known);

CREATE INDEX lineage_edge_parents ON lineage_edge (child_id, created_at, id) WHERE upper_inf(known);

CREATE TABLE media (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('media', id)) STORED NOT NULL,
  asset_id UUID NOT NULL,
  role TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  mime_type TEXT,
  byte_size INTEGER,
  duration_ms INTEGER,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT media_pkey PRIMARY KEY (id),
  CONSTRAINT media_role_check CHECK (role IN ('MASTER', 'PREVIEW', 'COVER', 'LOOP', 'SOURCE')),
  CONSTRAINT media_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT media_byte_size_check CHECK (byte_size >= 0),
  CONSTRAINT media_asset_id_fkey FOREIGN KEY(asset_id) REFERENCES asset (id)
);

CREATE INDEX media_asset ON media (asset_id, created_at, id);

CREATE INDEX media_sha256 ON media (sha256);

CREATE TABLE sample (
  id UUID NOT NULL,
  subkind TEXT,
  duration_ms INTEGER,
  bpm NUMERIC(7, 3),
  musical_key TEXT,
  CONSTRAINT sample_pkey PRIMARY KEY (id),
  CONSTRAINT sample_subkind_check CHECK (subkind IN ('LOOP', 'ONE_SHOT', 'VOICE_MEMO', 'JAM', 'STEM')),
  CONSTRAINT sample_duration_ms_check CHECK (duration_ms > 0),
  CONSTRAINT sample_bpm_check CHECK (bpm > 0),
  CONSTRAINT sample_id_fkey FOREIGN KEY(id) REFERENCES asset (id)
);

CREATE TABLE split (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('split', id)) STORED NOT NULL,
  asset_id UUID NOT NULL,
  contributor_id UUID NOT NULL,
  pool TEXT NOT NULL,
  basis_points INTEGER NOT NULL,
  acceptance TEXT DEFAULT 'PROPOSED' NOT NULL,
  position INTEGER NOT NULL,
  valid TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  known TSTZRANGE DEFAULT tstzrange(now(), NULL) NOT NULL,
  CONSTRAINT split_pkey PRIMARY KEY (id),
  CONSTRAINT split_pool_check CHECK (pool IN ('MASTER', 'PUBLISHING')),
  CONSTRAINT split_acceptance_check CHECK (acceptance IN ('PROPOSED', 'ACCEPTED', 'DECLINED')),
  CONSTRAINT split_valid_check CHECK (NOT isempty(valid)),
  CONSTRAINT split_known_check CHECK (NOT isempty(known)),
  CONSTRAINT split_basis_points_check CHECK (basis_points BETWEEN 1 AND 10000),
  CONSTRAINT split_one_open_row EXCLUDE USING gist (uuid_send(asset_id) WITH =, pool WITH =, uuid_send(contributor_id) WITH =, valid WITH &&) WHERE (upper_inf(known)),
  CONSTRAINT split_asset_id_fkey FOREIGN KEY(asset_id) REFERENCES asset (id),
  CONSTRAINT split_contributor_id_fkey FOREIGN KEY(contributor_id) REFERENCES contributor (id)
);

CREATE INDEX split_asset ON split (asset_id, position, id) WHERE upper_inf(known);

CREATE TABLE track (
  id UUID NOT NULL,
  duration_ms INTEGER,
  bpm NUMERIC(7, 3),
  musical_key TEXT,
  isrc TEXT,
  CONSTRAINT track_pkey PRIMARY KEY (id),
  CONSTRAINT track_duration_ms_check CHECK (duration_ms > 0),
  CONSTRAINT track_bpm_check CHECK (bpm > 0),
  CONSTRAINT track_id_fkey FOREIGN KEY(id) REFERENCES asset (id)
);

CREATE INDEX track_isrc ON track (isrc) WHERE isrc IS NOT NULL;

CREATE TABLE hook (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('hook', id)) STORED NOT NULL,
  track_id UUID NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  caption TEXT,
  theme_id UUID,
  badges TEXT[] DEFAULT '{}' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT hook_pkey PRIMARY KEY (id),
  CONSTRAINT hook_badges_check CHECK (badges <@ ARRAY['HUMAN_MADE', 'NO_AI_USED', 'AI_ASSISTED', 'GENERATED', 'GENERATED_VISUAL_WORLD', 'REMIX', 'CO_CREATED', 'DERIVATIVE']),
  CONSTRAINT hook_badges_agree_check CHECK (NOT (badges @> '{NO_AI_USED}' AND badges && '{AI_ASSISTED,GENERATED,GENERATED_VISUAL_WORLD}') AND NOT badges @> '{HUMAN_MADE,GENERATED}'),
  CONSTRAINT hook_window_check CHECK (start_ms >= 0 AND end_ms > start_ms AND end_ms - start_ms <= 30000),
  CONSTRAINT hook_track_id_fkey FOREIGN KEY(track_id) REFERENCES track (id),
  CONSTRAINT hook_theme_id_fkey FOREIGN KEY(theme_id) REFERENCES theme (id)
);

CREATE INDEX hook_newest ON hook (created_at, id);

CREATE INDEX hook_theme ON hook (theme_id);

CREATE UNIQUE INDEX hook_track ON hook (track_id);

CREATE TABLE visual_world (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('visual', id)) STORED NOT NULL,
  owner_id UUID NOT NULL,
  hook_id UUID,
  state TEXT DEFAULT 'ACTIVE' NOT NULL,
  title TEXT,
  texture TEXT,
  colour TEXT,
  lyric_behaviour TEXT,
  motion TEXT,
  badges TEXT[] DEFAULT '{}' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT visual_world_pkey PRIMARY KEY (id),
  CONSTRAINT visual_world_state_check CHECK (state IN ('ACTIVE', 'RETIRED')),
  CONSTRAINT visual_world_badges_check CHECK (badges <@ ARRAY['HUMAN_MADE', 'NO_AI_USED', 'AI_ASSISTED', 'GENERATED', 'GENERATED_VISUAL_WORLD', 'REMIX', 'CO_CREATED', 'DERIVATIVE']),
  CONSTRAINT visual_world_badges_agree_check CHECK (NOT (badges @> '{NO_AI_USED}' AND badges && '{AI_ASSISTED,GENERATED,GENERATED_VISUAL_WORLD}') AND NOT badges @> '{HUMAN_MADE,GENERATED}'),
  CONSTRAINT visual_world_colour_check CHECK (colour ~ '^#[0-9a-f]{6}$'),
  CONSTRAINT visual_world_owner_id_fkey FOREIGN KEY(owner_id) REFERENCES artist (id),
  CONSTRAINT visual_world_hook_id_fkey FOREIGN KEY(hook_id) REFERENCES hook (id)
);

CREATE UNIQUE INDEX visual_world_hook ON visual_world (hook_id) WHERE state = 'ACTIVE' AND hook_id IS NOT NULL;

CREATE INDEX visual_world_owner ON visual_world (owner_id, created_at, id);

CREATE TABLE release (
  id UUID NOT NULL,
  release_kind TEXT,
  status TEXT DEFAULT 'DRAFT' NOT NULL,
  current_version_id UUID,
  lead_hook_id UUID,
  cover_id UUID,
  scheduled_for TIMESTAMP WITH TIME ZONE,
  published_at TIMESTAMP WITH TIME ZONE,
  upc TEXT,
  label TEXT,
  CONSTRAINT release_pkey PRIMARY KEY (id),
  CONSTRAINT release_release_kind_check CHECK (release_kind IN ('SINGLE', 'EP', 'ALBUM', 'MIXTAPE', 'DEMO')),
  CONSTRAINT release_status_check CHECK (status IN ('DRAFT', 'SCHEDULED', 'PUBLISHED', 'ARCHIVED', 'WITHDRAWN')),
  CONSTRAINT release_id_fkey FOREIGN KEY(id) REFERENCES asset (id),
  CONSTRAINT release_lead_hook_id_fkey FOREIGN KEY(lead_hook_id) REFERENCES hook (id),
  CONSTRAINT release_cover_id_fkey FOREIGN KEY(cover_id) REFERENCES visual_world (id)
);

CREATE INDEX release_cover ON release (cover_id);

CREATE INDEX release_lead_hook ON release (lead_hook_id);

CREATE INDEX release_upc ON release (upc) WHERE upc IS NOT NULL;

CREATE TABLE release_version (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('version', id)) STORED NOT NULL,
  release_id UUID NOT NULL,
  number INTEGER NOT NULL,
  state TEXT DEFAULT 'DRAFT' NOT NULL,
  title TEXT,
  manifest_hash TEXT,
  is_compatibility BOOLEAN DEFAULT false NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT release_version_pkey PRIMARY KEY (id),
  CONSTRAINT release_version_state_check CHECK (state IN ('DRAFT', 'PUBLISHED', 'SUPERSEDED', 'WITHDRAWN')),
  CONSTRAINT release_version_release_id_number_key UNIQUE (release_id, number),
  CONSTRAINT release_version_number_check CHECK (number >= 1),
  CONSTRAINT release_version_release_id_fkey FOREIGN KEY(release_id) REFERENCES release (id)
);

CREATE TABLE room (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('room', id)) STORED NOT NULL,
  artist_id UUID NOT NULL,
  hook_id UUID,
  release_id UUID,
  title TEXT,
  visibility TEXT DEFAULT 'PUBLIC' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT room_pkey PRIMARY KEY (id),
  CONSTRAINT room_visibility_check CHECK (visibility IN ('PUBLIC', 'MEMBERS', 'SUPPORTERS')),
  CONSTRAINT room_subject_check CHECK (num_nonnulls(hook_id, release_id) <= 1),
  CONSTRAINT room_artist_id_fkey FOREIGN KEY(artist_id) REFERENCES artist (id),
  CONSTRAINT room_hook_id_fkey FOREIGN KEY(hook_id) REFERENCES hook (id),
  CONSTRAINT room_release_id_fkey FOREIGN KEY(release_id) REFERENCES release (id)
);

CREATE UNIQUE INDEX room_hook ON room (hook_id) WHERE hook_id IS NOT NULL;

CREATE UNIQUE INDEX room_release ON room (release_id) WHERE release_id IS NOT NULL;

CREATE UNIQUE INDEX room_world ON room (artist_id) WHERE hook_id IS NULL AND release_id IS NULL;

CREATE TABLE release_item (
  id UUID NOT NULL,
  ref TEXT GENERATED ALWAYS AS (typeid('item', id)) STORED NOT NULL,
  version_id UUID NOT NULL,
  asset_id UUID NOT NULL,
  position INTEGER NOT NULL,
  title TEXT,
  badges TEXT[],
  media_sha256 TEXT,
  hook_start_ms INTEGER,
  hook_end_ms INTEGER,
  CONSTRAINT release_item_pkey PRIMARY KEY (id),
  CONSTRAINT release_item_version_id_position_key UNIQUE (version_id, position),
  CONSTRAINT release_item_position_check CHECK (position >= 1),
  CONSTRAINT release_item_version_id_fkey FOREIGN KEY(version_id) REFERENCES release_version (id),
  CONSTRAINT release_item_asset_id_fkey FOREIGN KEY(asset_id) REFERENCES asset (id)
);

CREATE INDEX release_item_asset ON release_item (asset_id, id);

-- CONTAINS: which assets a version of a release holds. A view over the items, never stored as an edge.
CREATE VIEW contains AS
SELECT version.release_id, item.version_id, item.asset_id AS item_id, item.position,
       release.current_version_id = item.version_id AS is_current
FROM release_item AS item
JOIN release_version AS version ON version.id = item.version_id
JOIN release ON release.id = version.release_id;

-- How many assets are made from an asset, kept exact in the transaction that writes the edges.
CREATE FUNCTION count_derived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE asset SET derived_count = counted.children
  FROM (
    SELECT touched.parent_id, count(DISTINCT edge.child_id)::int AS children
    FROM (SELECT DISTINCT parent_id FROM touched_edge) AS touched
    LEFT JOIN lineage_edge AS edge
      ON edge.parent_id = touched.parent_id AND edge.binding AND upper_inf(edge.known) AND edge.valid @> now()
    GROUP BY touched.parent_id
  ) AS counted
  WHERE asset.id = counted.parent_id AND asset.derived_count <> counted.children;
  RETURN NULL;
END $$;
CREATE TRIGGER count_derived_added AFTER INSERT ON lineage_edge
REFERENCING NEW TABLE AS touched_edge FOR EACH STATEMENT EXECUTE FUNCTION count_derived();
CREATE TRIGGER count_derived_closed AFTER UPDATE ON lineage_edge
REFERENCING NEW TABLE AS touched_edge FOR EACH STATEMENT EXECUTE FUNCTION count_derived();

-- A row with history changes in one way only: what we held to be so is closed, once. (Checked after the update: before
-- it, generated columns are not there yet to be compared.)
CREATE FUNCTION close_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT upper_inf(OLD.known) OR lower(NEW.known) IS DISTINCT FROM lower(OLD.known)
     OR to_jsonb(NEW) - 'known' IS DISTINCT FROM to_jsonb(OLD) - 'known' THEN
    RAISE EXCEPTION '% rows are only ever closed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- Events are appended, and nothing else.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON provenance_event
FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER close_only AFTER UPDATE ON asset_standing
FOR EACH ROW EXECUTE FUNCTION close_only();
CREATE TRIGGER close_only AFTER UPDATE ON lineage_edge
FOR EACH ROW EXECUTE FUNCTION close_only();
CREATE TRIGGER close_only AFTER UPDATE ON merge
FOR EACH ROW EXECUTE FUNCTION close_only();
CREATE TRIGGER close_only AFTER UPDATE ON policy
FOR EACH ROW EXECUTE FUNCTION close_only();
CREATE TRIGGER close_only AFTER UPDATE ON split
FOR EACH ROW EXECUTE FUNCTION close_only();

-- What the serving role may do. No row is ever deleted; history is closed, never rewritten; events are only added.
GRANT USAGE ON SCHEMA public TO casset_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO casset_app;
GRANT UPDATE ON
  account,
  artist,
  asset,
  contributor,
  credit,
  hook,
  instrument,
  job,
  media,
  membership,
  origin,
  outbox,
  release,
  release_item,
  release_version,
  room,
  sample,
  search_entry,
  session,
  theme,
  track,
  visual_world
TO casset_app;
GRANT UPDATE (known) ON asset_standing TO casset_app;
GRANT UPDATE (known) ON lineage_edge TO casset_app;
GRANT UPDATE (known) ON merge TO casset_app;
GRANT UPDATE (known) ON policy TO casset_app;
GRANT UPDATE (known) ON split TO casset_app;
