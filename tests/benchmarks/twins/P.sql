-- P by hand. $1 the id; $2 the kind it names; $3 the artists the viewer holds; $4 whether the viewer is an agent.
SELECT convert_to('{"data":' || row_to_json(data)::text || '}', 'UTF8')
FROM (SELECT (
  SELECT asset FROM (
    SELECT
      asset.ref AS id,
      (SELECT x FROM (
        SELECT
          policy.ref AS id,
          policy.level,
          policy.license_family AS "licenseFamily",
          policy.license,
          to_char(lower(policy.valid), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "validFrom",
          (SELECT coalesce(json_agg(y ORDER BY place), '[]') FROM (
            SELECT term.position AS place, (SELECT z FROM (
              SELECT term.use, term.layer, term.decision, term.attribution, term.share_alike AS "shareAlike",
                     CASE WHEN term.price_minor IS NOT NULL
                       THEN (SELECT p FROM (SELECT term.price_minor AS "amountMinor", term.currency) AS p) END AS price
            ) AS z) AS y
            FROM term WHERE term.term_set_id = policy.term_set_id
          ) AS listed) AS terms
        FROM policy
        WHERE policy.subject_id = asset.id AND policy.level = 'ASSET' AND upper_inf(policy.known) AND policy.valid @> now()
          AND (asset.state NOT IN ('PRIVATE', 'WITHDRAWN') OR asset.owner_id = ANY ($3::uuid[]))
      ) AS x) AS policy
    FROM asset
    WHERE asset.id = coalesce((SELECT new_id FROM merge WHERE old_id = $1::uuid AND upper_inf(known) AND upper_inf(valid)), $1)
      AND asset.kind = $2::text
      AND (asset.state <> 'PRIVATE' OR asset.owner_id = ANY ($3::uuid[]) OR asset.teased AND NOT $4::boolean)
  ) AS asset
) AS asset) AS data
