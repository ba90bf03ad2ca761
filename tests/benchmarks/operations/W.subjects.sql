-- Artists with twelve releases to list.
SELECT json_build_object('handle', handle)::text
FROM artist
WHERE (SELECT count(*) FROM asset WHERE owner_id = artist.id AND kind = 'RELEASE' AND (state = 'PUBLIC' OR teased)) >= 12
ORDER BY md5(handle) LIMIT 500
