-- Assets of every kind: half by their id, half by an id that was given up for it.
(SELECT json_build_object('id', ref)::text FROM asset WHERE state <> 'PRIVATE' AND md5(ref) < '1' ORDER BY md5(ref) LIMIT 250)
UNION ALL
(SELECT json_build_object('id', typeid(lower(kind), old_id))::text FROM merge JOIN asset ON asset.id = new_id WHERE state <> 'PRIVATE' ORDER BY md5(ref) LIMIT 250)
