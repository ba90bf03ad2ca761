-- What is made of $1, as ids: whose verdicts a change of its policy may flip.
WITH RECURSIVE walk (id) AS (
  SELECT $1::uuid
  UNION
  SELECT child_id FROM walk JOIN lineage_edge ON parent_id = walk.id WHERE binding AND upper_inf(known) AND valid @> now()
)
SELECT convert_to(json_agg(id)::text, 'UTF8') FROM walk
