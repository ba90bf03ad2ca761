-- What is stored of a graph that `graphs.py` drew, step by step, as in `filling.sql`, whose first step comes before these.
-- bench.node (n, level, is_older) and bench.bond (child_n, parent_n) are filled; bench.licensed (place, terms, family,
-- license) names the term sets of the presets, which are stored. Runs as superuser, triggers off.

-- == who
INSERT INTO artist (id, handle, name, kind, claimed, created_at)
SELECT bench.key('artist', n, '2015-01-01Z'), 'artist' || n, bench.title(n, 100), 'CREATOR', n % 3 = 0, '2015-01-01Z'
FROM generate_series(0, 49999) AS n;

-- == what is drawn
ALTER TABLE bench.node ADD PRIMARY KEY (n);
CREATE UNLOGGED TABLE bench.asset AS
SELECT n, CASE WHEN level = 0 AND n > 0 AND bench.share(n, 2) < 0.3 THEN 'SAMPLE' ELSE 'TRACK' END AS kind, at,
       bench.key('asset', n, at) AS id, bench.key('artist', floor(50000 * power(bench.share(n, 5), 2))::int, '2015-01-01Z') AS owner_id,
       CASE WHEN bench.share(n, 6) < 0.95 OR n = 0 THEN 'PUBLIC' WHEN bench.share(n, 6) < 0.97 THEN 'UNLISTED' ELSE 'PRIVATE' END AS state,
       date '1980-01-01' + level * 1000 + floor(bench.share(n, 4) * 900)::int - CASE WHEN is_older THEN 12000 ELSE 0 END AS made_on
FROM bench.node, LATERAL (SELECT timestamptz '2016-01-01 00:00Z' + n * interval '3 min' AS at) AS made;
ALTER TABLE bench.asset ADD PRIMARY KEY (n);
ANALYZE bench.asset;

CREATE UNLOGGED TABLE bench.bound AS
SELECT numbered.n, child_n, parent_n, place, said.kind,
       CASE WHEN place < 0.95 THEN 'CONFIRMED' WHEN place < 0.98 THEN 'CLAIMED' WHEN place < 0.995 THEN 'DISPUTED' ELSE 'REJECTED' END AS status,
       said.kind <> 'INSPIRED_BY' AND place < 0.995 AS binding
FROM (
  SELECT row_number() OVER (ORDER BY child_n, parent_n) AS n, count(*) OVER (PARTITION BY child_n) AS parents, *
  FROM bench.bond
) AS numbered
JOIN bench.asset AS parent ON parent.n = parent_n,
LATERAL (
  SELECT CASE WHEN parents >= 100 THEN 'DJ_MIX_OF' WHEN parent_n = 0 OR parent.kind = 'SAMPLE' THEN 'SAMPLES'
              ELSE bench.pick('{SAMPLES,SAMPLES,SAMPLES,SAMPLES,REMIX_OF,REMIX_OF,EDIT_OF,COVER_OF,INTERPOLATES,DERIVED_FROM,INSPIRED_BY}', numbered.n, 16) END AS kind,
         CASE WHEN parent_n = 0 OR child_n <= 2591 THEN 0 ELSE bench.share(numbered.n, 17) END AS place
) AS said;

-- == assets
INSERT INTO asset (id, kind, owner_id, title, state, made_on, derived_count, created_at)
SELECT id, kind, owner_id, bench.title(n, 20), state, made_on, coalesce(children, 0), at
FROM bench.asset
LEFT JOIN (SELECT parent_n, count(DISTINCT child_n) AS children FROM bench.bound WHERE binding GROUP BY parent_n) AS counted ON parent_n = n
ORDER BY n;
INSERT INTO track (id, duration_ms) SELECT id, 60000 + floor(bench.share(n, 30) * 400000) FROM bench.asset WHERE kind = 'TRACK';
INSERT INTO sample (id, subkind, duration_ms) SELECT id, 'LOOP', 2000 + floor(bench.share(n, 30) * 30000) FROM bench.asset WHERE kind = 'SAMPLE';

-- == edges
CALL bench.set_aside('lineage_edge');
INSERT INTO lineage_edge (id, child_id, parent_id, kind, child_start_ms, child_end_ms, parent_start_ms, parent_end_ms,
                          status, registration, binding, child_is_older, evidence_source, asserted_by_id, asserted_at, created_at, valid, known)
SELECT bench.key('edge', bound.n, child.at), child.id, parent.id, bound.kind,
       CASE WHEN windowed THEN bound.n % 40 * 1000 END, CASE WHEN windowed THEN bound.n % 40 * 1000 + 8000 END,
       CASE WHEN windowed THEN bound.n % 20 * 100 END, CASE WHEN windowed THEN bound.n % 20 * 100 + 8000 END,
       status, CASE WHEN status = 'CLAIMED' THEN 'PENDING' ELSE 'REGISTERED' END,
       binding, child.made_on < parent.made_on, CASE WHEN bound.n % 3 = 0 THEN 'IMPORT' ELSE 'CHILD_OWNER' END,
       child.owner_id, child.at, child.at, bench.since(child.at), bench.since(child.at)
FROM bench.bound JOIN bench.asset AS child ON child.n = child_n JOIN bench.asset AS parent ON parent.n = parent_n,
     LATERAL (SELECT bound.kind = 'SAMPLES' AND bound.n % 3 = 0 AS windowed) AS told
ORDER BY bound.n;

-- == indexes of edges
CALL bench.put_back('lineage_edge');

-- == policies
CALL bench.set_aside('policy');
INSERT INTO policy (id, level, subject_id, term_set_id, license_family, license, created_at, valid, known)
-- Three assets of five, and every other artist for what they say nothing else of.
SELECT bench.key('policy', n, at), 'ASSET', asset.id, terms, family, license, at, bench.since(at), bench.since(at)
FROM bench.asset JOIN bench.licensed ON place = floor(bench.share(n, 71) * (SELECT count(*) FROM bench.licensed))
WHERE bench.share(n, 72) < 0.6
UNION ALL
SELECT bench.key('stated', n, '2015-01-01Z'), 'ARTIST', bench.key('artist', n, '2015-01-01Z'), terms, family, license, '2015-01-01Z',
       bench.since('2015-01-01Z'), bench.since('2015-01-01Z')
FROM generate_series(0, 49999, 2) AS n JOIN bench.licensed ON place = floor(bench.share(n, 73) * (SELECT count(*) FROM bench.licensed));

-- == indexes of policies
CALL bench.put_back('policy');

-- == vacuum and statistics
VACUUM (FREEZE, ANALYZE);

-- == the numbers are kept, to draw what is asked about
CREATE UNIQUE INDEX ON bench.asset (id);
GRANT USAGE ON SCHEMA bench TO casset_app, casset_owner;
GRANT SELECT ON bench.asset, bench.node, bench.bond TO casset_app, casset_owner;
DROP TABLE bench.bound;
