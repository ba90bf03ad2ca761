-- The instruments among everything $1 is made of: a walk over all of it that tells next to nothing.
WITH RECURSIVE walk (id) AS (
  SELECT $1::uuid
  UNION
  SELECT step.id
  FROM walk, LATERAL (
    SELECT parent_id AS id FROM lineage_edge
    WHERE child_id = walk.id AND upper_inf(known) AND valid @> now() AND status <> 'REJECTED' AND registration <> 'REFUSED'
    UNION ALL
    SELECT asset_id FROM release JOIN release_item ON current_version_id = version_id WHERE release.id = walk.id
  ) AS step
)
SELECT convert_to(coalesce(json_agg(ref), '[]')::text, 'UTF8') FROM walk JOIN asset USING (id) WHERE kind = 'INSTRUMENT'
