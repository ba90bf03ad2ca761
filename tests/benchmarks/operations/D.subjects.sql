-- Releases that may be read, with parents and children.
SELECT json_build_object('id', ref)::text
FROM asset
WHERE kind = 'RELEASE' AND state IN ('PUBLIC', 'UNLISTED', 'ARCHIVED')
  AND (SELECT count(*) FROM lineage_edge WHERE child_id = asset.id AND upper_inf(known)) >= 4
  AND (SELECT count(*) FROM lineage_edge WHERE parent_id = asset.id AND upper_inf(known)) >= 3
ORDER BY md5(ref) LIMIT 500
