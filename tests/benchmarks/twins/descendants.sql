-- Everything made of $1: [[id, how far away]], nearest first, as the public hears of it.
WITH RECURSIVE walk (id, distance) AS (
  SELECT $1::uuid, 0
  UNION
  SELECT step.id, distance + 1
  FROM walk, LATERAL (
    SELECT child_id AS id FROM lineage_edge
    WHERE parent_id = walk.id AND upper_inf(known) AND valid @> now() AND status <> 'REJECTED' AND registration <> 'REFUSED'
    UNION ALL
    SELECT release.id FROM release_item JOIN release ON current_version_id = version_id WHERE asset_id = walk.id
  ) AS step
), nearest AS (
  SELECT id, min(distance) AS distance FROM walk WHERE id <> $1 GROUP BY id
)
SELECT convert_to(coalesce(json_agg(json_build_array(
  CASE WHEN state IN ('PUBLIC', 'ARCHIVED') THEN ref END, distance) ORDER BY distance, id), '[]')::text, 'UTF8')
FROM nearest JOIN asset USING (id)
