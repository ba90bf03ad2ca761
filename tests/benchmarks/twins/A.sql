-- A by hand. $1 the id; $2 the kind it names; $3 the artists the viewer holds; $4 whether the viewer is an agent.
SELECT convert_to('{"data":' || row_to_json(data)::text || '}', 'UTF8')
FROM (SELECT (
  SELECT top FROM (
    SELECT
      initcap(asset.kind) AS __typename,
      asset.ref AS id,
      asset.title,
      (SELECT x FROM (SELECT artist.handle, artist.name FROM artist WHERE artist.id = asset.owner_id) AS x) AS owner,
      (SELECT x FROM (
        SELECT
          (SELECT y FROM (SELECT count(rn) > 7 AS "hasNextPage", translate(encode(max(cursor) FILTER (WHERE rn = least(7, found)), 'base64'), E'+/=\n', '-_') AS "endCursor") AS y) AS "pageInfo",
          coalesce(json_agg(node ORDER BY rn) FILTER (WHERE rn <= 7), '[]') AS nodes
        FROM (
          SELECT rn, found, '\x6f6c'::bytea || timestamptz_send(edge.created_at) || uuid_send(edge.id) AS cursor,
                 (SELECT y FROM (SELECT edge.kind, edge.status, near.parent) AS y) AS node
          FROM (
            SELECT page.*, row_number() OVER (ORDER BY created_at, id) AS rn, count(*) OVER () AS found
            FROM (
              SELECT id, created_at, kind, status, parent_id FROM lineage_edge AS edge
              WHERE edge.child_id = asset.id AND upper_inf(known) AND valid @> now()
                AND (asset.state NOT IN ('PRIVATE', 'WITHDRAWN') OR asset.owner_id = ANY ($3::uuid[]))
                AND (status <> 'REJECTED' AND registration <> 'REFUSED' OR asset.owner_id = ANY ($3::uuid[])
                     OR EXISTS (SELECT FROM asset AS parent WHERE parent.id = edge.parent_id AND parent.owner_id = ANY ($3::uuid[])))
              ORDER BY created_at, id LIMIT 8
            ) AS page
          ) AS edge
          LEFT JOIN LATERAL (
            SELECT CASE parent.kind
              WHEN 'TRACK' THEN (SELECT row_to_json(y) FROM (
                SELECT 'Track' AS __typename, parent.ref AS id, parent.title, made AS "createdAt",
                       CASE WHEN shown THEN track.duration_ms END AS "durationMs", CASE WHEN shown THEN trim_scale(track.bpm) END AS bpm, owner, parents
                FROM track WHERE track.id = parent.id) AS y)
              WHEN 'RELEASE' THEN (SELECT row_to_json(y) FROM (
                SELECT 'Release' AS __typename, parent.ref AS id, parent.title, made AS "createdAt",
                       CASE WHEN shown THEN release.release_kind END AS "releaseKind", CASE WHEN shown THEN release.status END AS status, owner, parents
                FROM release WHERE release.id = parent.id) AS y)
              ELSE (SELECT row_to_json(y) FROM (
                SELECT initcap(parent.kind) AS __typename, parent.ref AS id, parent.title, made AS "createdAt", owner, parents) AS y)
            END AS parent
            FROM asset AS parent,
            LATERAL (SELECT parent.state NOT IN ('PRIVATE', 'WITHDRAWN') OR parent.owner_id = ANY ($3::uuid[]) AS shown) AS told,
            LATERAL (SELECT CASE WHEN shown THEN to_char(parent.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS made,
                            (SELECT z FROM (SELECT artist.handle FROM artist WHERE artist.id = parent.owner_id) AS z) AS owner) AS more,
            LATERAL (
              SELECT (SELECT z FROM (SELECT page_info AS "pageInfo", listed AS nodes) AS z) AS parents
              FROM (
                SELECT (SELECT z FROM (SELECT count(rn) > 7 AS "hasNextPage", translate(encode(max(cursor) FILTER (WHERE rn = least(7, found)), 'base64'), E'+/=\n', '-_') AS "endCursor") AS z) AS page_info,
                       coalesce(json_agg(node ORDER BY rn) FILTER (WHERE rn <= 7), '[]') AS listed
                FROM (
                  SELECT rn, found, '\x6f6c'::bytea || timestamptz_send(edge.created_at) || uuid_send(edge.id) AS cursor,
                         (SELECT z FROM (SELECT edge.kind, edge.status, (
                           SELECT CASE ancestor.kind
                             WHEN 'TRACK' THEN (SELECT row_to_json(w) FROM (
                               SELECT 'Track' AS __typename, ancestor.ref AS id, ancestor.title,
                                      CASE WHEN seen THEN track.duration_ms END AS "durationMs", CASE WHEN seen THEN trim_scale(track.bpm) END AS bpm, owner
                               FROM track WHERE track.id = ancestor.id) AS w)
                             WHEN 'RELEASE' THEN (SELECT row_to_json(w) FROM (
                               SELECT 'Release' AS __typename, ancestor.ref AS id, ancestor.title,
                                      CASE WHEN seen THEN release.release_kind END AS "releaseKind", CASE WHEN seen THEN release.status END AS status, owner
                               FROM release WHERE release.id = ancestor.id) AS w)
                             ELSE (SELECT row_to_json(w) FROM (
                               SELECT initcap(ancestor.kind) AS __typename, ancestor.ref AS id, ancestor.title, owner) AS w)
                           END
                           FROM asset AS ancestor,
                           LATERAL (SELECT ancestor.state NOT IN ('PRIVATE', 'WITHDRAWN') OR ancestor.owner_id = ANY ($3::uuid[]) AS seen,
                                           (SELECT w FROM (SELECT artist.handle FROM artist WHERE artist.id = ancestor.owner_id) AS w) AS owner) AS told
                           WHERE ancestor.id = edge.parent_id
                             AND (ancestor.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR ancestor.owner_id = ANY ($3::uuid[]) OR ancestor.teased AND NOT $4::boolean)
                         ) AS parent) AS z) AS node
                  FROM (
                    SELECT page.*, row_number() OVER (ORDER BY created_at, id) AS rn, count(*) OVER () AS found
                    FROM (
                      SELECT id, created_at, kind, status, parent_id FROM lineage_edge AS edge
                      WHERE edge.child_id = parent.id AND shown AND upper_inf(known) AND valid @> now()
                        AND (status <> 'REJECTED' AND registration <> 'REFUSED' OR parent.owner_id = ANY ($3::uuid[])
                             OR EXISTS (SELECT FROM asset AS ancestor WHERE ancestor.id = edge.parent_id AND ancestor.owner_id = ANY ($3::uuid[])))
                      ORDER BY created_at, id LIMIT 8
                    ) AS page
                  ) AS edge
                ) AS nodes
              ) AS paged
            ) AS above
            WHERE parent.id = edge.parent_id
              AND (parent.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR parent.owner_id = ANY ($3::uuid[]) OR parent.teased AND NOT $4::boolean)
          ) AS near ON true
        ) AS nodes
      ) AS x) AS parents
    FROM asset
    WHERE asset.id = coalesce((SELECT new_id FROM merge WHERE old_id = $1::uuid AND upper_inf(known) AND upper_inf(valid)), $1)
      AND asset.kind = $2::text
      AND (asset.state <> 'PRIVATE' OR asset.owner_id = ANY ($3::uuid[]) OR asset.teased AND NOT $4::boolean)
  ) AS top
) AS asset) AS data
