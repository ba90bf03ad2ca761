-- Whether $1 would become a part of itself if it were made of $2: whether $2 is made of it already.
WITH RECURSIVE walk (id) AS (
  SELECT $2::uuid
  UNION
  SELECT step.id
  FROM walk, LATERAL (
    SELECT parent_id AS id FROM lineage_edge WHERE child_id = walk.id AND upper_inf(known) AND valid @> now()
    UNION ALL
    SELECT asset_id FROM release JOIN release_item ON current_version_id = version_id WHERE release.id = walk.id
  ) AS step
)
SELECT convert_to(to_json(EXISTS (SELECT FROM walk WHERE id = $1::uuid))::text, 'UTF8')
