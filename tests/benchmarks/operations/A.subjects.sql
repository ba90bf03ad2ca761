-- Assets of every kind with some fifty ancestors in two steps.
SELECT json_build_object('id', ref)::text
FROM asset
WHERE state = 'PUBLIC' AND md5(ref) < '2' AND (
  SELECT sum(1 + least(7, (SELECT count(*) FROM lineage_edge AS above WHERE above.child_id = edge.parent_id AND upper_inf(known))))
  FROM (SELECT parent_id FROM lineage_edge WHERE child_id = asset.id AND upper_inf(known) ORDER BY created_at, id LIMIT 7) AS edge
) BETWEEN 46 AND 56
ORDER BY md5(ref) LIMIT 500
