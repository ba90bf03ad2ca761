-- A shortest way from $1 up to $2, as the ids of its edges; no way is null. Rows come level by level: the first is enough.
WITH RECURSIVE walk (id, path) AS (
  SELECT $1::uuid, '{}'::text[]
  UNION ALL
  SELECT step.*
  FROM (
    SELECT DISTINCT ON (parent_id) parent_id, path || edge.ref
    FROM walk JOIN lineage_edge AS edge ON child_id = walk.id
    WHERE upper_inf(known) AND valid @> now() AND status <> 'REJECTED' AND registration <> 'REFUSED' AND walk.id <> $2
    ORDER BY parent_id
  ) AS step
)
SELECT convert_to(coalesce((SELECT to_json(path)::text FROM walk WHERE id = $2 LIMIT 1), 'null'), 'UTF8')
