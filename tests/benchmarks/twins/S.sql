-- S by hand. $1 the id; $2 the kind it names; $3 the artists the viewer holds; $4 whether the viewer is an agent.
SELECT convert_to('{"data":' || row_to_json(data)::text || '}', 'UTF8')
FROM (SELECT (
  SELECT asset FROM (
    SELECT
      initcap(asset.kind) AS __typename,
      asset.ref AS id,
      asset.title,
      asset.state,
      CASE WHEN shown THEN to_char(asset.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "createdAt",
      CASE WHEN shown THEN asset.made_on END AS "madeOn",
      CASE WHEN shown THEN asset.badges ELSE '{}' END AS badges,
      (SELECT x FROM (SELECT artist.ref AS id, artist.handle, artist.name FROM artist WHERE artist.id = asset.owner_id) AS x) AS owner
    FROM asset,
         LATERAL (SELECT asset.state NOT IN ('PRIVATE', 'WITHDRAWN') OR asset.owner_id = ANY ($3::uuid[]) AS shown) AS told
    WHERE asset.id = coalesce((SELECT new_id FROM merge WHERE old_id = $1::uuid AND upper_inf(known) AND upper_inf(valid)), $1)
      AND asset.kind = $2::text
      AND (asset.state <> 'PRIVATE' OR asset.owner_id = ANY ($3::uuid[]) OR asset.teased AND NOT $4::boolean)
  ) AS asset
) AS asset) AS data
