-- Assets of every kind with some fifty ancestors in two steps.
WITH edge AS (SELECT child_id, parent_id FROM lineage_edge WHERE upper_inf(known)),
     counted AS (SELECT child_id, count(*) AS parents FROM edge GROUP BY child_id),
     reached AS (SELECT edge.child_id, sum(1 + least(7, parents)) AS nodes, count(*) AS near FROM edge JOIN counted ON counted.child_id = edge.parent_id GROUP BY edge.child_id)
SELECT json_build_object('id', ref)::text
FROM reached JOIN asset ON asset.id = reached.child_id
WHERE state = 'PUBLIC' AND near = 7 AND nodes BETWEEN 46 AND 56
ORDER BY md5(ref) LIMIT 500
