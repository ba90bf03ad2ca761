-- The data the benchmarks run on, step by step: `-- == title` opens a step, which `preparing.py` runs and shows.
-- Everything follows from numbers and hashes: the same rows in every database. Runs as superuser, triggers off.
-- Rows satisfy every constraint; the last steps put back the indexes and prove the foreign keys.

-- == the tools
CREATE SCHEMA bench;

-- A number in [0, 1) that depends on `n` and `salt` alone.
CREATE FUNCTION bench.share(n bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((hashint8extended(n, salt) >> 11) & 9007199254740991) / 9007199254740992.0::float8;

-- A UUIDv7 of that moment whose random bits depend on `kind` and `n` alone.
CREATE FUNCTION bench.key(kind text, n bigint, at timestamptz) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN overlay(overlay(overlay(
  md5(kind || n)
  PLACING lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') FROM 1)
  PLACING '7' FROM 13) PLACING 'a' FROM 17)::uuid;

CREATE FUNCTION bench.pick(words text[], n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN words[1 + floor(bench.share(n, salt) * cardinality(words))::int];

CREATE FUNCTION bench.title(n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN bench.pick('{Amber,Blue,Café,Distant,Electric,Fading,Golden,Hollow,Inner,Jagged,Kind,Low,Midnight,Näive,Open,Paper,Quiet,Rusty,Silver,Tidal,Ultra,Velvet,Wild,Zenith,Broken,Crystal,Dusty,Empty,First,Gentle,Hidden,Last}', n, salt)
  || ' ' || bench.pick('{Anthem,Bridge,City,"Dance \"98\"",Echo,Field,Ghost,Harbor,Island,July,Kite,Lantern,Mirror,Night,Ocean,Piano,Quarry,River,Signal,Train,Umbra,Valley,Winter,Yard,Ночь,夜,Bloom,Circuit,Drum,Engine,Flute,Glass}', n, salt + 1)
  || CASE WHEN bench.share(n, salt + 2) < 0.7 THEN ' ' || 1 + n % 999 ELSE '' END;

-- The form of `domain.search.fold`, as far as these titles need it.
CREATE FUNCTION bench.fold(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trim(regexp_replace(regexp_replace(normalize(lower(name), NFKD), '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+', ' ', 'g'));

CREATE FUNCTION bench.since(at timestamptz) RETURNS tstzrange LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN tstzrange(at, NULL);

-- A large table is filled faster without its indexes: they are noted, dropped, and made again as they were.
CREATE TABLE bench.aside (position int GENERATED ALWAYS AS IDENTITY, of_table text, statement text);
CREATE PROCEDURE bench.set_aside(name text) LANGUAGE plpgsql AS $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT conrelid::regclass AS child, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE (conrelid = name::regclass AND contype IN ('p', 'u', 'x')) OR (confrelid = name::regclass AND contype = 'f')
    ORDER BY contype, conname
  LOOP
    INSERT INTO bench.aside (of_table, statement)
    VALUES (name, format('ALTER TABLE %s ADD CONSTRAINT %I %s', found.child, found.conname, found.definition));
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.child, found.conname);
  END LOOP;
  FOR found IN
    SELECT indexrelid::regclass AS index, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index WHERE indrelid = name::regclass ORDER BY 1
  LOOP
    INSERT INTO bench.aside (of_table, statement) VALUES (name, found.definition);
    EXECUTE format('DROP INDEX %s', found.index);
  END LOOP;
END $$;
CREATE PROCEDURE bench.put_back(name text) LANGUAGE plpgsql AS $$
DECLARE
  noted text;
BEGIN
  -- What refers to a key comes after it.
  FOR noted IN
    SELECT statement FROM bench.aside WHERE of_table = name ORDER BY statement LIKE '%FOREIGN KEY%', position
  LOOP
    EXECUTE noted;
  END LOOP;
END $$;

-- == who: artists, themes, accounts, contributors
-- 20,000 artists. The first 2,000 are *full*: 14 releases and 20 tracks with hooks each, spread over the years.
CREATE UNLOGGED TABLE bench.artist AS
SELECT n, bench.key('artist', n, at) AS id, at
FROM generate_series(0, 19999) AS n, LATERAL (SELECT timestamptz '2018-01-01 00:00Z' + n * interval '26 min') AS made(at);

INSERT INTO artist (id, handle, name, kind, claimed, tagline, theme_id, created_at)
SELECT id, 'artist' || n, bench.title(n, 100),
       bench.pick('{CREATOR,CREATOR,CREATOR,CREATOR,GROUP,GROUP,DUO,FAN,LABEL,SCENE}', n, 110), n % 3 = 0,
       CASE WHEN n < 2000 OR n % 2 = 0 THEN 'Songs about the ' || lower(bench.title(n, 120)) END,
       CASE WHEN n < 2000 OR n % 4 <> 0 THEN bench.key('theme', n, at) END, at
FROM bench.artist;

INSERT INTO theme (id, artist_id, seed_source, seed_hue, seed_saturation, seed_lightness,
                   base, surface, accent, glow, gradient_end, footer_start, footer_end,
                   is_extracted, pattern, texture, texture_opacity, typography, motion, release_posture, created_at)
SELECT bench.key('theme', n, at), id, bench.pick('{COVER,CURATED,CUSTOM}', n, 130), n * 7 % 360, n * 11 % 101, n * 13 % 101,
       '#' || substr(h, 1, 6), '#' || substr(h, 4, 6), '#' || substr(h, 7, 6), '#' || substr(h, 10, 6),
       '#' || substr(h, 13, 6), '#' || substr(h, 16, 6), '#' || substr(h, 19, 6),
       n % 2 = 0, CASE WHEN n % 3 = 0 THEN 'waves' END,
       bench.pick('{NONE,PAPER,FILM_GRAIN,HALFTONE,TAPE,VINYL}', n, 131), round(bench.share(n, 132)::numeric, 2),
       CASE WHEN n % 4 = 0 THEN 'serif' END, CASE WHEN n % 5 = 0 THEN 'slow drift' END, CASE WHEN n % 7 = 0 THEN 'centred' END, at
FROM bench.artist, LATERAL (SELECT md5('theme' || n)) AS hashed(h);

INSERT INTO account (id, handle, created_at)
SELECT bench.key('account', n, at), 'account' || n, at
FROM generate_series(0, 4999) AS n, LATERAL (SELECT timestamptz '2018-01-01 00:00Z' + n * interval '100 min') AS made(at);

-- Every third artist is claimed, by one or two accounts.
INSERT INTO membership (id, account_id, artist_id, role, created_at)
SELECT bench.key('membership', n * 2 + extra, artist.at), account.id, artist.id, CASE extra WHEN 0 THEN 'OWNER' ELSE 'EDITOR' END, artist.at
FROM bench.artist, generate_series(0, 1) AS extra, account
WHERE n % 3 = 0 AND (extra = 0 OR n % 5 = 0) AND account.handle = 'account' || (n / 3 + extra * 17) % 5000;

CREATE UNLOGGED TABLE bench.contributor AS
SELECT n, bench.key('contributor', n, at) AS id, at
FROM generate_series(0, 29999) AS n, LATERAL (SELECT timestamptz '2018-01-01 00:00Z' + n * interval '17 min') AS made(at);
ALTER TABLE bench.contributor ADD PRIMARY KEY (n);

INSERT INTO contributor (id, name, artist_id, ipi, created_at)
SELECT contributor.id, bench.title(n, 140), artist.id, CASE WHEN n % 4 = 0 THEN lpad((n * 7919)::text, 11, '0') END, contributor.at
FROM bench.contributor LEFT JOIN bench.artist USING (n);

-- == what: 200,000 assets and 1,000,000 edges are drawn
-- Ten layers of 20,000; in each 60 % tracks, 25 % releases, 12 % samples, 3 % instruments.
CREATE UNLOGGED TABLE bench.asset AS
WITH drawn AS (
  SELECT n, kind, row_number() OVER (PARTITION BY kind ORDER BY n) - 1 AS k,
         timestamptz '2019-01-01 00:00Z' + n * interval '15 min' + floor(bench.share(n, 1) * 1e6) * interval '1 us' AS at,
         bench.share(n, 2) AS fate
  FROM generate_series(0, 199999) AS n,
       LATERAL (SELECT CASE WHEN n % 4 = 0 THEN 'RELEASE' WHEN n % 20 NOT IN (3, 11, 17) THEN 'TRACK'
                            WHEN n / 20 % 5 = 0 THEN 'INSTRUMENT' ELSE 'SAMPLE' END) AS one(kind)
)
SELECT n, kind, k, at, bench.key('asset', n, at) AS id, owner_n, bench.key('artist', owner_n, timestamptz '2018-01-01 00:00Z' + owner_n * interval '26 min') AS owner_id,
       CASE WHEN fate < 0.90 THEN 'PUBLIC' WHEN fate < 0.93 THEN 'UNLISTED' WHEN fate < 0.97 THEN 'PRIVATE'
            WHEN fate < 0.99 THEN 'ARCHIVED' ELSE 'WITHDRAWN' END AS state,
       CASE WHEN bench.share(n, 3) < 0.7 THEN at::date - (bench.share(n, 4) * 900)::int END AS made_on
FROM drawn, LATERAL (
  SELECT CASE WHEN kind = 'RELEASE' AND (k / 2000 + k) % 25 < 14 OR kind = 'TRACK' AND (k / 2000 + k) % 60 < 20 THEN k % 2000
              WHEN kind IN ('RELEASE', 'TRACK') THEN 2000 + floor(bench.share(n, 5) * 18000)
              ELSE floor(bench.share(n, 5) * 20000) END::int
) AS owned(owner_n);
ALTER TABLE bench.asset ADD PRIMARY KEY (n);
CREATE INDEX ON bench.asset (owner_n, kind, k);
ANALYZE bench.asset;

-- Parents stand in an earlier layer, three of four in the one before: no cycle, chains of ten. Few are parents of very many.
CREATE UNLOGGED TABLE bench.edge AS
SELECT row_number() OVER (ORDER BY child_n, parent_n) AS n, child_n, parent_n
FROM (
  SELECT DISTINCT child_n, parent_n FROM (
    SELECT child.n AS child_n, target * 20000 + (floor(20000 * power(bench.share(draw, 12), 2.5))::int * 7919 + target * 31) % 20000 AS parent_n
    FROM bench.asset AS child,
         LATERAL (SELECT bench.share(n, 10) AS width, bench.share(n, 11) AS exact) AS shaped,
         LATERAL (SELECT CASE WHEN width < 0.9 THEN 2 + floor(exact * 7) WHEN width < 0.995 THEN 8 + floor(exact * 8)
                              ELSE 40 + floor(power(exact, 6) * 300) END::int AS parents) AS counted,
         generate_series(1, parents) AS place,
         LATERAL (SELECT n::bigint * 1000 + place AS draw) AS drawn,
         LATERAL (SELECT CASE WHEN bench.share(draw, 13) < 0.75 THEN n / 20000 - 1 ELSE floor(bench.share(draw, 14) * (n / 20000)) END::int AS target) AS aimed
    WHERE n >= 20000
  ) AS several
  ORDER BY child_n, parent_n
) AS pairs
WHERE bench.share(child_n::bigint * 200000 + parent_n, 15) < 0.97;
DELETE FROM bench.edge WHERE n > 1000000;

CREATE UNLOGGED TABLE bench.bound AS
SELECT edge.n, child_n, parent_n, said.kind, place,
       CASE WHEN place < 0.93 THEN 'CONFIRMED' WHEN place < 0.97 THEN 'CLAIMED' WHEN place < 0.99 THEN 'DISPUTED' ELSE 'REJECTED' END AS status,
       said.kind <> 'INSPIRED_BY' AND place < 0.99 AS binding
FROM bench.edge
JOIN bench.asset AS child ON child.n = child_n
JOIN bench.asset AS parent ON parent.n = parent_n,
LATERAL (
  SELECT CASE WHEN parent.kind = 'INSTRUMENT' THEN 'USES_INSTRUMENT' WHEN parent.kind = 'SAMPLE' THEN 'SAMPLES'
              WHEN child.kind = 'RELEASE' THEN bench.pick('{COMPILATION_OF,DERIVED_FROM,VERSION_OF}', edge.n, 16)
              ELSE bench.pick('{SAMPLES,SAMPLES,REMIX_OF,REMIX_OF,COVER_OF,EDIT_OF,INTERPOLATES,DERIVED_FROM,INSPIRED_BY}', edge.n, 16) END AS kind,
         bench.share(edge.n, 17) AS place
) AS said;
DROP TABLE bench.edge;

-- == assets
INSERT INTO asset (id, kind, owner_id, title, state, teased, badges, made_on, derived_count, created_at, version)
SELECT id, kind, owner_id, CASE WHEN n % 997 = 0 THEN '' ELSE bench.title(n, 20) END, state, kind = 'RELEASE' AND state = 'PRIVATE' AND k % 2 = 0,
       CASE n % 8 WHEN 0 THEN '{HUMAN_MADE}' WHEN 1 THEN '{HUMAN_MADE,NO_AI_USED}' WHEN 2 THEN '{REMIX,DERIVATIVE}'
                  WHEN 3 THEN '{AI_ASSISTED}' WHEN 4 THEN '{CO_CREATED}' ELSE '{}' END::text[],
       made_on, coalesce(children, 0), at, 1 + n % 3
FROM bench.asset
LEFT JOIN (SELECT parent_n, count(DISTINCT child_n) AS children FROM bench.bound WHERE binding GROUP BY parent_n) AS counted ON parent_n = n
ORDER BY n;

INSERT INTO track (id, duration_ms, bpm, musical_key, isrc)
SELECT id, 60000 + floor(bench.share(n, 30) * 400000), CASE WHEN n % 4 <> 1 THEN round((60 + bench.share(n, 31) * 120)::numeric, n % 4) END,
       CASE WHEN n % 3 = 0 THEN bench.pick('{A min,C maj,F♯ min,E♭ maj}', n, 32) END, CASE WHEN n % 5 = 0 THEN 'QZAAA' || lpad(n::text, 7, '0') END
FROM bench.asset WHERE kind = 'TRACK' ORDER BY n;

INSERT INTO sample (id, subkind, duration_ms, bpm, musical_key)
SELECT id, bench.pick('{LOOP,ONE_SHOT,VOICE_MEMO,JAM,STEM}', n, 33), 100 + floor(bench.share(n, 30) * 30000),
       CASE WHEN n % 2 = 0 THEN round((60 + bench.share(n, 31) * 120)::numeric, 1) END, CASE WHEN n % 3 = 0 THEN 'C maj' END
FROM bench.asset WHERE kind = 'SAMPLE' ORDER BY n;

INSERT INTO instrument (id, family, format)
SELECT id, bench.pick('{drums,strings,synthesizer,keys}', n, 34), bench.pick('{sfz,sf2,patch}', n, 35)
FROM bench.asset WHERE kind = 'INSTRUMENT' ORDER BY n;

-- == hooks and visual worlds
INSERT INTO hook (id, track_id, start_ms, end_ms, caption, theme_id, badges, created_at)
SELECT bench.key('hook', n, at), id, 5000 + n % 30000, 35000 + n % 30000, CASE WHEN n % 3 <> 0 THEN 'Where the ' || lower(bench.title(n, 40)) || ' begins' END,
       CASE WHEN n % 3 = 0 THEN bench.key('theme', owner_n, timestamptz '2018-01-01 00:00Z' + owner_n * interval '26 min') END,
       CASE WHEN n % 4 = 0 THEN '{HUMAN_MADE}' ELSE '{}' END::text[], at
FROM bench.asset WHERE kind = 'TRACK' AND (owner_n < 2000 OR n % 4 <> 1) ORDER BY n;

-- One for three hooks of four, one for every full artist, one cover for every other release.
INSERT INTO visual_world (id, owner_id, hook_id, state, title, texture, colour, lyric_behaviour, motion, badges, created_at)
SELECT bench.key('visual', n, at), owner_id, CASE kind WHEN 'TRACK' THEN bench.key('hook', n, at) END, 'ACTIVE', bench.title(n, 41),
       CASE WHEN n % 3 = 0 THEN 'FILM_GRAIN' END, '#' || substr(md5('colour' || n), 1, 6), CASE WHEN n % 5 = 0 THEN 'one word at a time' END,
       CASE WHEN n % 2 = 0 THEN 'slow' END, CASE WHEN n % 6 = 0 THEN '{GENERATED_VISUAL_WORLD}' ELSE '{}' END::text[], at
FROM bench.asset
WHERE kind = 'TRACK' AND (owner_n < 2000 OR n % 4 <> 1) AND n % 3 = 0 OR kind = 'RELEASE' AND k % 2 = 0
UNION ALL
SELECT bench.key('world', n, at), id, NULL, 'ACTIVE', bench.title(n, 42), 'PAPER', '#a0b0c0', NULL, 'still', '{}', at FROM bench.artist WHERE n < 2000
ORDER BY 1;

UPDATE artist SET visual_id = bench.key('world', full_.n, full_.at), lead_hook_id = hook.id
FROM bench.artist AS full_
JOIN bench.asset AS track ON track.owner_n = full_.n AND track.kind = 'TRACK'
JOIN hook ON hook.track_id = track.id
WHERE artist.id = full_.id AND full_.n < 2000
  AND track.k = (SELECT max(k) FROM bench.asset AS last WHERE last.owner_n = full_.n AND last.kind = 'TRACK' AND last.state = 'PUBLIC');

-- == releases, versions, items
CREATE UNLOGGED TABLE bench.owned AS
SELECT owner_n, row_number() OVER (PARTITION BY owner_n ORDER BY k) - 1 AS place, count(*) OVER (PARTITION BY owner_n) AS tracks, n, id
FROM bench.asset WHERE kind = 'TRACK';
ALTER TABLE bench.owned ADD PRIMARY KEY (owner_n, place);
ANALYZE bench.owned;

INSERT INTO release (id, release_kind, status, current_version_id, lead_hook_id, cover_id, scheduled_for, published_at, upc, label)
SELECT one.id, bench.pick('{SINGLE,EP,EP,ALBUM,ALBUM,MIXTAPE,DEMO}', one.n, 50),
       CASE one.state WHEN 'PRIVATE' THEN CASE WHEN k % 2 = 0 THEN 'SCHEDULED' ELSE 'DRAFT' END WHEN 'ARCHIVED' THEN 'ARCHIVED' WHEN 'WITHDRAWN' THEN 'WITHDRAWN' ELSE 'PUBLISHED' END,
       CASE WHEN one.state <> 'PRIVATE' THEN bench.key('version', one.n * 2 + (k % 5 = 0)::int, at) END,
       hook.id, CASE WHEN k % 2 = 0 THEN bench.key('visual', one.n, at) END,
       CASE WHEN one.state = 'PRIVATE' AND k % 2 = 0 THEN timestamptz '2030-01-01 00:00Z' END,
       CASE WHEN one.state <> 'PRIVATE' THEN at + interval '1 day' END,
       CASE WHEN k % 3 = 0 THEN lpad((one.n * 97)::text, 12, '0') END, CASE WHEN k % 4 = 0 THEN bench.title(one.n, 51) || ' Records' END
FROM bench.asset AS one
LEFT JOIN bench.owned ON owned.owner_n = one.owner_n AND owned.place = one.n % owned.tracks
LEFT JOIN hook ON hook.track_id = owned.id
WHERE kind = 'RELEASE' ORDER BY one.n;

-- Every fifth release has a version before the one that is out.
INSERT INTO release_version (id, release_id, number, state, title, manifest_hash, is_compatibility, published_at, created_at)
SELECT bench.key('version', n * 2 + number - 1, at), id, number,
       CASE WHEN state = 'PRIVATE' THEN 'DRAFT' WHEN number = 1 AND k % 5 = 0 THEN 'SUPERSEDED' WHEN state = 'WITHDRAWN' THEN 'WITHDRAWN' ELSE 'PUBLISHED' END,
       CASE WHEN state <> 'PRIVATE' THEN bench.title(n, 20) END, NULL, k % 10 = 0, CASE WHEN state <> 'PRIVATE' THEN at + number * interval '1 day' END, at + number * interval '1 hour'
FROM bench.asset, generate_series(1, CASE WHEN k % 5 = 0 THEN 2 ELSE 1 END) AS number
WHERE kind = 'RELEASE' ORDER BY n, number;

-- What came out here, and was not imported, has a manifest; two of three are signed, and most of those were checked.
INSERT INTO manifest (id, hash, body, proof, created_at)
SELECT version.id, 'sha256:' || encode(sha256(convert_to(body, 'UTF8')), 'hex'), body,
       CASE WHEN k % 3 > 0 THEN '{"benchmark":true}' END, version.published_at
FROM release_version AS version JOIN bench.asset ON asset.id = version.release_id,
     LATERAL (SELECT '{"benchmark":"' || version.ref || '"}') AS made (body)
WHERE version.state <> 'DRAFT' AND NOT version.is_compatibility ORDER BY version.id;
INSERT INTO manifest_check (id, manifest_id, kind, passed, created_at)
SELECT bench.key('check', n, at), manifest.id, 'SIGNATURE', true, manifest.created_at + interval '1 minute'
FROM manifest JOIN release_version AS version USING (id) JOIN bench.asset ON asset.id = version.release_id
WHERE proof IS NOT NULL AND k % 7 > 0 AND version.number = 1 ORDER BY n;
UPDATE release_version AS version SET manifest_hash = manifest.hash FROM manifest WHERE manifest.id = version.id;

CALL bench.set_aside('release_item');
INSERT INTO release_item (id, version_id, asset_id, position, title)
SELECT bench.key('item', (one.n * 2 + (k % 5 = 0)::int) * 20 + position, at), bench.key('version', one.n * 2 + (k % 5 = 0)::int, at), owned.id, position,
       CASE WHEN one.state <> 'PRIVATE' THEN bench.title(owned.n, 20) END
FROM bench.asset AS one, generate_series(1, 6 + one.n % 3) AS position,
     LATERAL (SELECT tracks FROM bench.owned WHERE owned.owner_n = one.owner_n LIMIT 1) AS counted
JOIN bench.owned ON true
WHERE kind = 'RELEASE' AND owned.owner_n = one.owner_n AND owned.place = (one.n + position - 1) % counted.tracks AND position <= counted.tracks
ORDER BY one.n, position;
CALL bench.put_back('release_item');

INSERT INTO room (id, artist_id, hook_id, release_id, title, visibility, created_at)
SELECT bench.key('room', n, at), id, NULL::uuid, NULL::uuid, NULL, CASE WHEN n % 5 = 0 THEN 'MEMBERS' ELSE 'PUBLIC' END, at FROM bench.artist WHERE n < 2000
UNION ALL
SELECT bench.key('room of', n, at), owner_id, NULL, id, bench.title(n, 52), 'PUBLIC', at FROM bench.asset WHERE kind = 'RELEASE' AND k % 10 = 0;

-- == credits
CALL bench.set_aside('credit');
INSERT INTO credit (id, asset_id, contributor_id, role, instrument, acceptance, position, created_at)
SELECT bench.key('credit', one.n::bigint * 20 + position, one.at), one.id, contributor.id,
       CASE position WHEN 1 THEN 'MAIN_ARTIST' ELSE bench.pick('{FEATURED_ARTIST,COMPOSER,LYRICIST,PRODUCER,MIXING_ENGINEER,MASTERING_ENGINEER,INSTRUMENTALIST,VOCALIST}', draw, 60) END,
       CASE WHEN position = 3 THEN 'guitar' END, CASE WHEN bench.share(draw, 61) < 0.03 THEN 'DECLINED' WHEN bench.share(draw, 61) < 0.2 THEN 'PROPOSED' ELSE 'ACCEPTED' END,
       position, one.at + position * interval '1 s'
FROM bench.asset AS one,
     generate_series(1, CASE kind WHEN 'RELEASE' THEN 4 + k % 3 WHEN 'TRACK' THEN 2 + k % 2 ELSE 1 + (k % 3 > 0)::int END) AS position,
     LATERAL (SELECT one.n::bigint * 20 + position AS draw) AS drawn
JOIN bench.contributor ON true
WHERE contributor.n = CASE WHEN position = 1 THEN one.owner_n ELSE (floor(power(bench.share(one.n, 62), 2) * 30000)::int + position * 101) % 30000 END
ORDER BY one.n, position;

-- == indexes of credits
CALL bench.put_back('credit');

-- == policies and splits
INSERT INTO term_set (id, digest, created_at)
SELECT bench.key('terms', n, '2018-01-01Z'), encode(sha256(('terms' || n)::bytea), 'hex'), '2018-01-01Z' FROM generate_series(0, 10) AS n;

INSERT INTO term (id, term_set_id, position, use, decision, attribution, share_alike, price_minor, currency)
SELECT bench.key('term', n * 10 + position, '2018-01-01Z'), bench.key('terms', n, '2018-01-01Z'), position,
       ('{REMIX,STEMS,SYNC,VISUAL_REUSE,AI_TRAINING,AI_GENERATION,DERIVATIVE_REGISTRATION,COMMERCIAL_USE}'::text[])[position],
       bench.pick('{ALLOWED,ALLOWED,LICENSE_REQUIRED,CONTACT_OWNER,DENIED}', n * 10 + position, 70), n BETWEEN 1 AND 6,
       CASE WHEN n IN (2, 5) THEN 'CC-BY-SA-4.0' END, CASE WHEN position = 3 AND n % 2 = 0 THEN 5000 END, CASE WHEN position = 3 AND n % 2 = 0 THEN 'EUR' END
FROM generate_series(0, 10) AS n, generate_series(1, 8) AS position;

CALL bench.set_aside('policy');
WITH family AS (
  SELECT *, bench.key('terms', place - 1, '2018-01-01Z') AS terms
  FROM unnest('{CC0,CC_BY,CC_BY_SA,CC_BY_NC,CC_BY_ND,CC_BY_NC_SA,CC_BY_NC_ND,GPL,ALL_RIGHTS_RESERVED,OPEN_TO_REMIX,CUSTOM}'::text[],
              '{CC0-1.0,CC-BY-4.0,CC-BY-SA-4.0,CC-BY-NC-4.0,CC-BY-ND-4.0,CC-BY-NC-SA-4.0,CC-BY-NC-ND-4.0,GPL-3.0-only,NULL,NULL,NULL}'::text[]) WITH ORDINALITY AS listed(family, license, place)
)
INSERT INTO policy (id, level, subject_id, term_set_id, license_family, license, stated_as, created_at, valid, known)
-- Four assets of five have one (all releases of full artists do); one in ten replaced an earlier one.
SELECT bench.key('policy', n * 2 + round, at), 'ASSET', one.id, terms, family, license, CASE WHEN family = 'CUSTOM' THEN 'ask me first' END, at, bench.since(at),
       CASE WHEN round = 0 AND n % 10 = 3 THEN tstzrange(at, at + interval '30 days') WHEN round = 1 THEN bench.since(at + interval '30 days') ELSE bench.since(at) END
FROM bench.asset AS one, generate_series(0, (n % 10 = 3)::int) AS round, LATERAL (SELECT 1 + floor(bench.share(n * 2 + round, 71) * 11) AS chosen) AS drawn, family
WHERE (n % 5 <> 1 OR kind = 'RELEASE') AND place = chosen
UNION ALL
SELECT bench.key('stated', n, at), 'ARTIST', artist.id, terms, family, license, NULL, at, bench.since(at), bench.since(at) FROM bench.artist, family WHERE n % 2 = 0 AND place = 9
UNION ALL
SELECT bench.key('platform', 0, '2018-01-01Z'), 'PLATFORM', NULL, terms, family, NULL, NULL, '2018-01-01Z', bench.since('2018-01-01Z'), bench.since('2018-01-01Z') FROM family WHERE place = 9;
CALL bench.put_back('policy');

CALL bench.set_aside('split');
INSERT INTO split (id, asset_id, contributor_id, pool, basis_points, acceptance, position, valid, known)
SELECT bench.key('split', one.n * 4 + position, one.at), one.id, contributor.id, CASE WHEN position <= 2 THEN 'MASTER' ELSE 'PUBLISHING' END,
       CASE position WHEN 1 THEN 7000 WHEN 2 THEN 3000 ELSE 10000 END, CASE WHEN (one.n + position) % 20 = 0 THEN 'PROPOSED' ELSE 'ACCEPTED' END, position, bench.since(one.at), bench.since(one.at)
FROM bench.asset AS one, generate_series(1, CASE WHEN kind = 'RELEASE' THEN 3 ELSE 2 END) AS position
JOIN bench.contributor ON true
WHERE (kind = 'RELEASE' OR kind = 'TRACK' AND k % 4 = 0) AND contributor.n = CASE WHEN position = 1 THEN one.owner_n ELSE (one.owner_n + position * 7) % 30000 END;
CALL bench.put_back('split');

-- == media and standing
CALL bench.set_aside('media');
INSERT INTO media (id, asset_id, role, sha256, mime_type, byte_size, duration_ms, created_at)
SELECT bench.key('media', n * 3 + place, at), id, role, encode(sha256((n * 3 + place)::text::bytea), 'hex'), CASE role WHEN 'COVER' THEN 'image/webp' ELSE 'audio/flac' END,
       1000000 + n, CASE role WHEN 'COVER' THEN NULL ELSE 30000 END, at + place * interval '1 s'
FROM bench.asset, LATERAL unnest(CASE kind WHEN 'RELEASE' THEN '{COVER}' WHEN 'TRACK' THEN CASE WHEN k % 10 = 0 THEN '{MASTER,PREVIEW,SOURCE}' ELSE '{MASTER,PREVIEW}' END ELSE '{MASTER}' END::text[]) WITH ORDINALITY AS kept(role, place)
ORDER BY n, place;
CALL bench.put_back('media');

CALL bench.set_aside('asset_standing');
INSERT INTO asset_standing (id, asset_id, owner_id, state, valid, known)
SELECT bench.key('standing', n, at), id, owner_id, state, bench.since(at), bench.since(at) FROM bench.asset;
CALL bench.put_back('asset_standing');

INSERT INTO origin (source, source_ref, asset_id) SELECT 'bench', n::text, id FROM bench.asset WHERE n % 2 = 0;

-- 5,000 ids that were given up for another.
INSERT INTO merge (id, old_id, new_id, valid, known)
SELECT bench.key('merge', n, at), bench.key('given up', n, at), id, bench.since(at), bench.since(at) FROM bench.asset WHERE n % 40 = 2 ;

-- == provenance
-- These events have hashes of nothing.
ALTER TABLE provenance_event DISABLE TRIGGER chained;
CALL bench.set_aside('provenance_event');
INSERT INTO provenance_event (id, subject_id, sequence, kind, at, body, prev, hash)
SELECT bench.key('event', n * 10 + sequence, at), id, sequence,
       CASE sequence WHEN 1 THEN CASE kind WHEN 'RELEASE' THEN 'RELEASE_CREATED' ELSE 'ASSET_CREATED' END ELSE bench.pick('{ASSET_UPDATED,MEDIA_ATTACHED,LINEAGE_CHANGED,CONTRIBUTORS_UPDATED,PERMISSIONS_CHANGED}', n * 10 + sequence, 80) END,
       at + sequence * interval '1 min', '{"payload":{"benchmark":true},"sequence":' || sequence || '}',
       CASE WHEN sequence > 1 THEN encode(sha256((n * 10 + sequence - 1)::text::bytea), 'hex') END, encode(sha256((n * 10 + sequence)::text::bytea), 'hex')
FROM bench.asset, generate_series(1, CASE kind WHEN 'RELEASE' THEN 8 ELSE 4 END) AS sequence
ORDER BY n, sequence;

-- == indexes of provenance
CALL bench.put_back('provenance_event');
ALTER TABLE provenance_event ENABLE ALWAYS TRIGGER chained;

-- == edges
CALL bench.set_aside('lineage_edge');
INSERT INTO lineage_edge (id, child_id, parent_id, kind, child_start_ms, child_end_ms, parent_start_ms, parent_end_ms, note, status, registration, binding,
                          child_is_older, evidence_source, evidence_method, evidence_score, asserted_by_id, asserted_at, created_at, valid, known)
SELECT bench.key('edge', bound.n, moment), child.id, parent.id, bound.kind,
       CASE WHEN windowed THEN bound.n % 100 * 1000 END, CASE WHEN windowed THEN bound.n % 100 * 1000 + 8000 END,
       CASE WHEN windowed THEN bound.n % 70 * 1000 END, CASE WHEN windowed THEN bound.n % 70 * 1000 + 8000 END,
       CASE WHEN bound.n % 20 = 0 THEN 'found by ear' END, status, CASE WHEN status = 'CLAIMED' THEN CASE WHEN bound.n % 2 = 0 THEN 'PENDING' ELSE 'REFUSED' END ELSE 'REGISTERED' END,
       binding, coalesce(child.made_on < parent.made_on, false), CASE WHEN bound.n % 3 = 0 THEN 'IMPORT' ELSE 'CHILD_OWNER' END, NULL, NULL,
       child.owner_id, moment, moment, bench.since(moment), bench.since(moment)
FROM bench.bound JOIN bench.asset AS child ON child.n = child_n JOIN bench.asset AS parent ON parent.n = parent_n,
     LATERAL (SELECT child.at + (bound.n % 60) * interval '1 s' AS moment, bound.kind = 'SAMPLES' AND bound.n % 3 = 0 AS windowed) AS told
ORDER BY child_n, parent_n;

-- == indexes of edges
CALL bench.put_back('lineage_edge');

-- == search
CALL bench.set_aside('search_entry');
INSERT INTO search_entry (node_id, kind, names, sort_key, words)
SELECT node_id, kind, names, left(names[1], 200), array_to_tsvector(array_remove(string_to_array(array_to_string(names, ' '), ' '), ''))
FROM (
  SELECT id AS node_id, kind, ARRAY[bench.fold(title)] AS names FROM asset
  UNION ALL SELECT id, 'ARTIST', ARRAY[bench.fold(name), handle] FROM artist
  UNION ALL SELECT id, 'CONTRIBUTOR', ARRAY[bench.fold(name)] FROM contributor
) AS named;
CALL bench.put_back('search_entry');
INSERT INTO search_word (word) SELECT DISTINCT lexeme FROM search_entry, unnest(words) WHERE char_length(lexeme) <= 60;

-- == vacuum and statistics
VACUUM (FREEZE, ANALYZE);

-- == proof: every foreign key holds, every derived count is exact
DO $$
DECLARE
  link record;
  broken bigint;
BEGIN
  FOR link IN
    SELECT conrelid::regclass AS child, confrelid::regclass AS parent, a.attname AS child_column, b.attname AS parent_column
    FROM pg_constraint JOIN pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = conkey[1] JOIN pg_attribute AS b ON b.attrelid = confrelid AND b.attnum = confkey[1]
    WHERE contype = 'f'
  LOOP
    EXECUTE format('SELECT count(*) FROM %s AS child WHERE child.%I IS NOT NULL AND NOT EXISTS (SELECT FROM %s AS parent WHERE parent.%I = child.%I)',
                   link.child, link.child_column, link.parent, link.parent_column, link.child_column) INTO broken;
    IF broken > 0 THEN
      RAISE EXCEPTION '% rows of %.% lead nowhere', broken, link.child, link.child_column;
    END IF;
  END LOOP;
  SELECT count(*) INTO broken
  FROM asset LEFT JOIN (
    SELECT parent_id, count(DISTINCT child_id) AS children FROM lineage_edge WHERE binding AND upper_inf(known) AND valid @> now() GROUP BY parent_id
  ) AS counted ON parent_id = asset.id
  WHERE derived_count <> coalesce(children, 0);
  IF broken > 0 THEN
    RAISE EXCEPTION '% derived counts are wrong', broken;
  END IF;
END $$;

-- == tidying
DROP SCHEMA bench CASCADE;
