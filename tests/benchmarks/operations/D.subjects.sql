-- Releases that may be read, with parents and children.
SELECT json_build_object('id', ref)::text
FROM asset JOIN (SELECT child_id, count(*) AS parents FROM lineage_edge GROUP BY child_id) AS counted ON child_id = asset.id
WHERE kind = 'RELEASE' AND state IN ('PUBLIC', 'UNLISTED', 'ARCHIVED') AND parents >= 4 AND derived_count >= 3
ORDER BY md5(ref) LIMIT 500
