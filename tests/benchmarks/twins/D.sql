-- D by hand. $1 the id; $2 the artists the viewer holds; $3 whether the viewer is an agent.
SELECT convert_to('{"data":' || row_to_json(data)::text || '}', 'UTF8')
FROM (SELECT (
  SELECT top FROM (
    SELECT
      (SELECT x FROM (SELECT
        asset.ref AS id,
        asset.title,
        asset.state,
        CASE WHEN shown THEN to_char(asset.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "createdAt",
        CASE WHEN shown THEN asset.made_on END AS "madeOn",
        CASE WHEN shown THEN asset.badges ELSE '{}' END AS badges,
        CASE WHEN shown THEN release.release_kind END AS "releaseKind",
        CASE WHEN shown THEN release.status END AS status,
        CASE WHEN shown THEN to_char(release.published_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "publishedAt",
        CASE WHEN shown THEN release.upc END AS upc,
        CASE WHEN shown THEN release.label END AS label,
        CASE WHEN shown THEN asset.derived_count END AS "derivedCount",
        (SELECT x FROM (SELECT artist.ref AS id, artist.handle, artist.name FROM artist WHERE artist.id = asset.owner_id) AS x) AS owner,
        CASE WHEN asset.state <> 'WITHDRAWN' OR held THEN (SELECT x FROM (
          SELECT hook.ref AS id, hook.start_ms AS "startMs", hook.end_ms AS "endMs", hook.caption,
                 (SELECT y FROM (
                   SELECT track.ref AS id, track.title FROM asset AS track
                   WHERE track.id = hook.track_id AND track.kind = 'TRACK'
                     AND (track.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR track.owner_id = ANY ($2::uuid[]))
                 ) AS y) AS track
          FROM hook WHERE hook.id = release.lead_hook_id
            AND (EXISTS (SELECT FROM asset AS track WHERE track.id = hook.track_id AND (track.state NOT IN ('PRIVATE', 'WITHDRAWN') OR track.owner_id = ANY ($2::uuid[])))
                 OR EXISTS (SELECT FROM release AS led JOIN asset AS coming ON coming.id = led.id JOIN asset AS track ON track.id = hook.track_id
                            WHERE led.lead_hook_id = hook.id AND coming.teased AND NOT $3::boolean AND coming.owner_id = track.owner_id))
        ) AS x) END AS hook,
        (SELECT x FROM (
          SELECT coalesce(json_agg(y ORDER BY y.position), '[]') AS nodes FROM (
            SELECT item.position, item.title, (
              SELECT z FROM (
                SELECT member.ref AS id, member.title FROM asset AS member
                WHERE member.id = item.asset_id
                  AND (member.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR member.owner_id = ANY ($2::uuid[]) OR member.teased AND NOT $3::boolean)
              ) AS z
            ) AS asset
            FROM release_item AS item WHERE item.version_id = release.current_version_id AND shown
            ORDER BY item.position LIMIT 10
          ) AS y
        ) AS x) AS items
      ) AS x) AS release,
      (SELECT x FROM (
        SELECT version.ref AS id, version.number, version.state, version.title, to_char(version.published_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "publishedAt"
        FROM release_version AS version
        WHERE version.id = release.current_version_id AND shown AND (version.state <> 'DRAFT' OR held)
      ) AS x) AS version,
      (SELECT x FROM (
        SELECT coalesce(json_agg(node), '[]') AS nodes FROM (
          SELECT (SELECT y FROM (
            SELECT version.ref AS id, version.number, version.state, to_char(version.published_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "publishedAt"
          ) AS y) AS node
          FROM release_version AS version
          WHERE version.release_id = asset.id AND shown AND (version.state <> 'DRAFT' OR held)
          ORDER BY version.number DESC LIMIT 5
        ) AS listed
      ) AS x) AS versions,
      (SELECT x FROM (
        SELECT manifest.hash,
               CASE WHEN manifest.proof IS NULL THEN 'UNSIGNED' ELSE coalesce((
                 SELECT CASE WHEN found.passed THEN 'VERIFIED' ELSE 'INVALID' END FROM manifest_check AS found
                 WHERE found.manifest_id = manifest.id AND found.kind = 'SIGNATURE'
                 ORDER BY found.created_at DESC, found.id DESC LIMIT 1
               ), 'SIGNED') END AS "signatureState",
               to_char(manifest.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt"
        FROM manifest WHERE manifest.id = release.current_version_id AND shown
      ) AS x) AS manifest,
      (SELECT x FROM (
        SELECT coalesce(json_agg(node), '[]') AS nodes FROM (
          SELECT (SELECT y FROM (SELECT credit.role, credit.instrument, credit.acceptance, (
            SELECT z FROM (SELECT contributor.ref AS id, contributor.name FROM contributor WHERE contributor.id = credit.contributor_id) AS z
          ) AS contributor, (
            SELECT z FROM (
              SELECT of.ref AS id FROM asset AS of
              WHERE of.id = credit.asset_id
                AND (of.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR of.owner_id = ANY ($2::uuid[]) OR of.teased AND NOT $3::boolean)
            ) AS z
          ) AS asset) AS y) AS node
          FROM credit
          WHERE credit.asset_id = ANY (works) AND shown AND credit.ended_at IS NULL
            AND (credit.acceptance <> 'DECLINED' OR EXISTS (SELECT FROM asset AS of WHERE of.id = credit.asset_id AND of.owner_id = ANY ($2::uuid[])))
          ORDER BY credit.position, credit.id LIMIT 10
        ) AS listed
      ) AS x) AS credits,
      (SELECT x FROM (
        SELECT coalesce(json_agg(node), '[]') AS nodes FROM (
          SELECT (SELECT y FROM (SELECT split.pool, split.basis_points AS "basisPoints", split.acceptance, (
            SELECT z FROM (SELECT contributor.ref AS id, contributor.name FROM contributor WHERE contributor.id = split.contributor_id) AS z
          ) AS contributor, (
            SELECT z FROM (
              SELECT of.ref AS id FROM asset AS of
              WHERE of.id = split.asset_id
                AND (of.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR of.owner_id = ANY ($2::uuid[]) OR of.teased AND NOT $3::boolean)
            ) AS z
          ) AS asset) AS y) AS node
          FROM split
          WHERE split.asset_id = ANY (works) AND shown AND upper_inf(split.known) AND split.valid @> now()
            AND (split.acceptance <> 'DECLINED' OR EXISTS (SELECT FROM asset AS of WHERE of.id = split.asset_id AND of.owner_id = ANY ($2::uuid[])))
          ORDER BY split.position, split.id LIMIT 10
        ) AS listed
      ) AS x) AS splits,
      (SELECT x FROM (
        SELECT policy.ref AS id, policy.level, policy.license_family AS "licenseFamily", policy.license,
               to_char(lower(policy.valid), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "validFrom",
               (SELECT coalesce(json_agg(node ORDER BY position), '[]') FROM (
                 SELECT position, (SELECT y FROM (SELECT term.use, term.decision, term.attribution) AS y) AS node
                 FROM term WHERE term.term_set_id = policy.term_set_id
               ) AS listed) AS terms
        FROM policy
        WHERE policy.subject_id = asset.id AND policy.level = 'ASSET' AND shown AND upper_inf(policy.known) AND policy.valid @> now()
      ) AS x) AS policy,
      (SELECT x FROM (
        SELECT coalesce(json_agg(node), '[]') AS nodes FROM (
          SELECT (SELECT y FROM (SELECT edge.kind, edge.status, (
            SELECT z FROM (
              SELECT child.ref AS id FROM asset AS child
              WHERE child.id = edge.child_id
                AND (child.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR child.owner_id = ANY ($2::uuid[]) OR child.teased AND NOT $3::boolean)
            ) AS z
          ) AS child, (
            SELECT z FROM (
              SELECT parent.ref AS id, parent.title, (SELECT w FROM (SELECT artist.handle FROM artist WHERE artist.id = parent.owner_id) AS w) AS owner
              FROM asset AS parent
              WHERE parent.id = edge.parent_id
                AND (parent.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR parent.owner_id = ANY ($2::uuid[]) OR parent.teased AND NOT $3::boolean)
            ) AS z
          ) AS parent) AS y) AS node
          FROM lineage_edge AS edge
          WHERE edge.child_id = ANY (works) AND shown AND upper_inf(edge.known) AND edge.valid @> now()
            AND (edge.status <> 'REJECTED' AND edge.registration <> 'REFUSED'
                 OR EXISTS (SELECT FROM asset AS of WHERE of.id IN (edge.child_id, edge.parent_id) AND of.owner_id = ANY ($2::uuid[])))
          ORDER BY edge.created_at, edge.id LIMIT 5
        ) AS listed
      ) AS x) AS parents,
      (SELECT x FROM (
        SELECT coalesce(json_agg(node), '[]') AS nodes FROM (
          SELECT (SELECT y FROM (SELECT edge.kind, edge.status, (
            SELECT z FROM (
              SELECT parent.ref AS id FROM asset AS parent
              WHERE parent.id = edge.parent_id
                AND (parent.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR parent.owner_id = ANY ($2::uuid[]) OR parent.teased AND NOT $3::boolean)
            ) AS z
          ) AS parent, (
            SELECT z FROM (
              SELECT child.ref AS id, child.title, (SELECT w FROM (SELECT artist.handle FROM artist WHERE artist.id = child.owner_id) AS w) AS owner
              FROM asset AS child
              WHERE child.id = edge.child_id
                AND (child.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR child.owner_id = ANY ($2::uuid[]) OR child.teased AND NOT $3::boolean)
            ) AS z
          ) AS child) AS y) AS node
          FROM lineage_edge AS edge
          WHERE edge.parent_id = ANY (works) AND shown AND upper_inf(edge.known) AND edge.valid @> now()
            AND (edge.status <> 'REJECTED' AND edge.registration <> 'REFUSED'
                 OR EXISTS (SELECT FROM asset AS of WHERE of.id IN (edge.child_id, edge.parent_id) AND of.owner_id = ANY ($2::uuid[])))
          ORDER BY edge.created_at, edge.id LIMIT 5
        ) AS listed
      ) AS x) AS children,
      (SELECT x FROM (
        SELECT coalesce(json_agg(y ORDER BY y.sequence), '[]') AS nodes FROM (
          SELECT event.sequence, event.kind, to_char(event.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, event.hash
          FROM provenance_event AS event WHERE event.subject_id = asset.id AND shown ORDER BY event.sequence LIMIT 8
        ) AS y
      ) AS x) AS provenance
    FROM asset JOIN release ON release.id = asset.id,
         LATERAL (SELECT asset.owner_id = ANY ($2::uuid[]) AS held) AS ours,
         LATERAL (SELECT asset.state NOT IN ('PRIVATE', 'WITHDRAWN') OR held AS shown) AS told,
         LATERAL (SELECT asset.id || ARRAY(
           SELECT member.id FROM release_item AS item JOIN asset AS member ON member.id = item.asset_id
           WHERE item.version_id = release.current_version_id
             AND (member.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR member.owner_id = ANY ($2::uuid[]) OR member.teased AND NOT $3::boolean)
             AND (member.state NOT IN ('PRIVATE', 'WITHDRAWN') OR member.owner_id = ANY ($2::uuid[]))
           OFFSET 0
         ) AS works) AS held_works
    WHERE asset.id = coalesce((SELECT new_id FROM merge WHERE old_id = $1::uuid AND upper_inf(known) AND upper_inf(valid)), $1)
      AND asset.kind = 'RELEASE'
      AND (asset.state <> 'PRIVATE' OR held OR asset.teased AND NOT $3::boolean)
  ) AS top
) AS dossier) AS data
