-- What is in the way of the use $2 of each asset in $1: [[asset, the strictest decision, blockers]]. By hand: no layers,
-- no conditions, nobody to ask and nothing to drop; the asset's policy, else its artist's, else the house's.
WITH RECURSIVE walk (asked, id) AS (
  SELECT id, id FROM unnest($1::uuid[]) AS id
  UNION
  SELECT asked, parent_id FROM walk JOIN lineage_edge ON child_id = walk.id WHERE binding AND upper_inf(known) AND valid @> now()
), said AS (
  SELECT asked, walk.id, coalesce(own.decision, artists.decision, 'CONTACT_OWNER') AS decision
  FROM walk JOIN asset ON asset.id = walk.id
  LEFT JOIN LATERAL (
    SELECT decision FROM policy JOIN term USING (term_set_id)
    WHERE subject_id = asset.id AND level = 'ASSET' AND upper_inf(known) AND valid @> now() AND use = $2::text
  ) AS own ON true
  LEFT JOIN LATERAL (
    SELECT decision FROM policy JOIN term USING (term_set_id)
    WHERE subject_id = asset.owner_id AND level = 'ARTIST' AND upper_inf(known) AND valid @> now() AND use = $2::text
      AND own.decision IS NULL
  ) AS artists ON true
)
SELECT convert_to(json_agg(json_build_array(asked, strictest, blockers))::text, 'UTF8')
FROM (
  SELECT asked, max(array_position('{ALLOWED,LICENSE_REQUIRED,CONTACT_OWNER,DENIED}'::text[], decision)) AS strictest,
         json_agg(json_build_array(id, decision)) FILTER (WHERE decision <> 'ALLOWED') AS blockers
  FROM said GROUP BY asked
) AS answered
