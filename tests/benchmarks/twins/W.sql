-- W by hand. $1 the handle; $2 the artists the viewer holds; $3 whether the viewer is an agent.
SELECT convert_to('{"data":' || row_to_json(data)::text || '}', 'UTF8')
FROM (SELECT (
  SELECT world FROM (
    SELECT
      artist.handle,
      artist.name,
      artist.tagline,
      (SELECT x FROM (SELECT artist.ref AS id, artist.kind, artist.claimed,
                             to_char(artist.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt") AS x) AS artist,
      (SELECT x FROM (
        SELECT
          theme.ref AS id,
          (SELECT y FROM (SELECT theme.seed_source AS source, theme.seed_hue AS hue,
                                 theme.seed_saturation AS saturation, theme.seed_lightness AS lightness) AS y) AS seed,
          (SELECT y FROM (SELECT theme.base, theme.surface, theme.accent, theme.glow, theme.gradient_end AS "gradientEnd",
                                 theme.footer_start AS "footerStart", theme.footer_end AS "footerEnd") AS y) AS tokens,
          theme.texture, theme.texture_opacity AS "textureOpacity", theme.typography, theme.motion
        FROM theme WHERE theme.id = artist.theme_id
      ) AS x) AS theme,
      (SELECT x FROM (
        SELECT visual.ref AS id, visual.title, visual.texture, visual.colour, visual.motion
        FROM visual_world AS visual
        WHERE visual.id = artist.visual_id AND (visual.state = 'ACTIVE' OR visual.owner_id = ANY ($2::uuid[]))
      ) AS x) AS "visualWorld",
      (SELECT x FROM (
        SELECT hook.ref AS id, hook.start_ms AS "startMs", hook.end_ms AS "endMs", hook.caption,
               (SELECT y FROM (SELECT track.ref AS id, track.title) AS y) AS track
        FROM hook JOIN asset AS track ON track.id = hook.track_id
        WHERE hook.id = artist.lead_hook_id
          AND (track.state = 'PUBLIC' OR track.owner_id = ANY ($2::uuid[]))
      ) AS x) AS "leadHook",
      (SELECT x FROM (
        SELECT
          (SELECT y FROM (SELECT count(rn) > 12 AS "hasNextPage", min(cursor) FILTER (WHERE rn = least(12, found)) AS "endCursor") AS y) AS "pageInfo",
          coalesce(json_agg(edge ORDER BY rn) FILTER (WHERE rn <= 12), '[]') AS edges
        FROM (
          SELECT rn, found, cursor, (SELECT y FROM (SELECT cursor, node) AS y) AS edge
          FROM (
            SELECT page.*, row_number() OVER (ORDER BY created_at DESC, id DESC) AS rn, count(*) OVER () AS found
            FROM (
              SELECT * FROM asset
              WHERE owner_id = artist.id AND kind = 'RELEASE'
                AND (state = 'PUBLIC' OR owner_id = ANY ($2::uuid[]) OR teased AND NOT $3::boolean)
              ORDER BY created_at DESC, id DESC LIMIT 13
            ) AS page
          ) AS asset
          JOIN release ON release.id = asset.id,
          LATERAL (
            SELECT translate(encode('\x6e65'::bytea || timestamptz_send(created_at) || uuid_send(asset.id), 'base64'), E'+/=\n', '-_') AS cursor,
                   asset.state <> 'PRIVATE' AND asset.state <> 'WITHDRAWN' OR asset.owner_id = ANY ($2::uuid[]) AS shown,
                   asset.state <> 'WITHDRAWN' OR asset.owner_id = ANY ($2::uuid[]) AS teaser
          ) AS told,
          LATERAL (
            SELECT asset.ref AS id, asset.title, asset.state,
              CASE WHEN shown THEN to_char(asset.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "createdAt",
              CASE WHEN shown THEN asset.badges ELSE '{}' END AS badges,
              CASE WHEN shown THEN release.release_kind END AS "releaseKind",
              CASE WHEN shown THEN to_char(release.published_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "publishedAt",
              CASE WHEN teaser THEN (
                SELECT y FROM (
                  SELECT hook.ref AS id, hook.start_ms AS "startMs", hook.end_ms AS "endMs", hook.end_ms - hook.start_ms AS "durationMs", hook.caption, hook.badges
                  FROM hook JOIN asset AS track ON track.id = hook.track_id
                  WHERE hook.id = release.lead_hook_id
                    AND (track.state NOT IN ('PRIVATE', 'WITHDRAWN') OR track.owner_id = ANY ($2::uuid[])
                         OR EXISTS (SELECT FROM release AS led JOIN asset AS coming ON coming.id = led.id
                                    WHERE led.lead_hook_id = hook.id AND coming.teased AND NOT $3::boolean AND coming.owner_id = track.owner_id))
                ) AS y
              ) END AS hook,
              (SELECT y FROM (
                SELECT (SELECT z FROM (SELECT count(rn) > 4 AS "hasNextPage") AS z) AS "pageInfo",
                       coalesce(json_agg(node ORDER BY rn) FILTER (WHERE rn <= 4), '[]') AS nodes
                FROM (
                  SELECT rn, (SELECT z FROM (
                    SELECT role, acceptance, (SELECT c FROM (SELECT contributor.ref AS id, contributor.name FROM contributor WHERE contributor.id = credit.contributor_id) AS c) AS contributor
                  ) AS z) AS node
                  FROM (
                    SELECT role, acceptance, contributor_id, row_number() OVER (ORDER BY position, id) AS rn
                    FROM credit
                    WHERE credit.asset_id = asset.id AND shown AND (acceptance <> 'DECLINED' OR asset.owner_id = ANY ($2::uuid[]))
                    ORDER BY position, id LIMIT 5
                  ) AS credit
                ) AS listed
              ) AS y) AS credits,
              CASE WHEN shown THEN (
                SELECT y FROM (
                  SELECT policy.ref AS id, policy.level, policy.license_family AS "licenseFamily", policy.license,
                         to_char(lower(policy.valid), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "validFrom"
                  FROM policy
                  WHERE policy.subject_id = asset.id AND policy.level = 'ASSET' AND upper_inf(policy.known) AND policy.valid @> now()
                ) AS y
              ) END AS policy
          ) AS node
        ) AS edges
      ) AS x) AS releases
    FROM artist WHERE artist.handle = $1::text
  ) AS world
) AS world) AS data
