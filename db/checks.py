"""What is wrong with staged rows, set by set: a DELETE takes rows out, whatever else answers rows drops a field.

Every statement that returns, returns (line, reason). They run in order: the first usable row of a name wins, so
rows are refused for themselves before they are compared with each other. `casset.source` is set for the session.
"""

from __future__ import annotations

ARTIST_CHECKS = (
    """
    DELETE FROM staged_artist AS row USING (
      SELECT line, first_value(line) OVER (PARTITION BY handle ORDER BY line) AS first FROM staged_artist) AS seen
    WHERE seen.line = row.line AND seen.first < row.line
    RETURNING row.line, format('handle ''%s'' is already in line %s', row.handle, seen.first)""",
    """
    UPDATE staged_artist AS row SET id = origin.asset_id, fate = 'known' FROM origin
    WHERE origin.source = current_setting('casset.source') || '/artists' AND origin.source_ref = row.handle""",
    """
    UPDATE staged_artist AS row SET id = artist.id, fate = 'found' FROM artist
    WHERE artist.handle = row.handle AND row.fate = 'new'""",
    """
    DELETE FROM staged_artist AS row USING artist WHERE artist.id = row.id AND artist.claimed
    RETURNING row.line, format('artist ''%s'' is claimed; an import does not touch it', row.handle)""",
    """
    SELECT row.line, format('handle ''%s'' is an artist from elsewhere, whose name and kind are kept', row.handle)
    FROM staged_artist AS row JOIN artist ON artist.id = row.id
    WHERE row.fate = 'found' AND (artist.name, artist.kind) <> (row.name, row.kind)""",
    """
    UPDATE staged_artist AS row
    SET fate = CASE WHEN row.fate = 'known' AND (artist.name, artist.kind) <> (row.name, row.kind)
                    THEN 'changed' ELSE 'same' END
    FROM artist WHERE artist.id = row.id AND row.fate <> 'new'""",
)

ASSET_CHECKS = (
    "UPDATE staged_asset AS row SET owner_id = owner.id FROM staged_artist AS owner WHERE owner.handle = row.owner",
    """
    UPDATE staged_asset AS row SET owner_id = origin.asset_id FROM origin
    WHERE row.owner_id IS NULL AND origin.source = current_setting('casset.source') || '/artists'
      AND origin.source_ref = row.owner""",
    """
    UPDATE staged_asset AS row SET owner_id = artist.id FROM artist
    WHERE row.owner_id IS NULL AND artist.handle = row.owner AND artist.claimed""",
    """
    DELETE FROM staged_asset AS row USING artist WHERE artist.id = row.owner_id AND artist.claimed
    RETURNING row.line, format('owner ''%s'' is claimed; an import does not touch it', row.owner)""",
    """
    DELETE FROM staged_asset AS row WHERE owner_id IS NULL
    RETURNING row.line, format('owner ''%s'' is unknown', row.owner)""",
    """
    DELETE FROM staged_asset AS row USING (
      SELECT line, first_value(line) OVER (PARTITION BY ref ORDER BY line) AS first FROM staged_asset) AS seen
    WHERE seen.line = row.line AND seen.first < row.line
    RETURNING row.line, format('ref ''%s'' is already in line %s', row.ref, seen.first)""",
    """
    UPDATE staged_asset AS row SET id = origin.asset_id, fate = 'known' FROM origin
    WHERE origin.source = current_setting('casset.source') AND origin.source_ref = row.ref""",
    """
    DELETE FROM staged_asset AS row USING asset JOIN artist ON artist.id = asset.owner_id
    WHERE asset.id = row.id AND artist.claimed
    RETURNING row.line, format('''%s'' belongs to a claimed artist; an import does not touch it', row.ref)""",
    """
    DELETE FROM staged_asset AS row USING asset WHERE asset.id = row.id AND asset.kind <> row.kind
    RETURNING row.line, format('''%s'' is a %s and cannot become a %s', row.ref, asset.kind, row.kind)""",
    """
    SELECT row.line, format('''%s'' has another owner, who is kept', row.ref)
    FROM staged_asset AS row JOIN asset ON asset.id = row.id WHERE asset.owner_id <> row.owner_id""",
    """
    UPDATE staged_asset AS row
    SET media_id = coalesce(media.id, row.media_id), held_policy_id = held.id, changes = array_remove(ARRAY[
      CASE WHEN asset.title <> row.title THEN 'title' END,
      CASE WHEN asset.made_on IS DISTINCT FROM row.made_on THEN 'madeOn' END,
      CASE WHEN coalesce(track.bpm, sample.bpm) IS DISTINCT FROM row.bpm THEN 'bpm' END,
      CASE WHEN sample.subkind IS DISTINCT FROM row.subkind THEN 'subkind' END,
      CASE WHEN row.sha256 IS NOT NULL AND media.sha256 IS DISTINCT FROM row.sha256 THEN 'media' END,
      CASE WHEN held.stated_by_id IS NULL
             AND (held.license_family, held.license, held.stated_as, held.digest)
                 IS DISTINCT FROM (row.family, row.license, row.stated_as, row.terms)
           THEN 'policy' END], NULL)
    FROM asset
    LEFT JOIN track ON track.id = asset.id
    LEFT JOIN sample ON sample.id = asset.id
    LEFT JOIN LATERAL (
      SELECT id, sha256 FROM media WHERE asset_id = asset.id AND role = 'MASTER' ORDER BY created_at, id LIMIT 1
    ) AS media ON true
    LEFT JOIN LATERAL (
      SELECT policy.*, term_set.digest FROM policy JOIN term_set ON term_set.id = policy.term_set_id
      WHERE policy.subject_id = asset.id AND level = 'ASSET' AND upper_inf(known) AND upper_inf(valid)
    ) AS held ON true
    WHERE asset.id = row.id AND row.fate = 'known'""",
    """
    UPDATE staged_asset SET fate = CASE WHEN changes = '{}' THEN 'same' ELSE 'changed' END WHERE fate = 'known'""",
)

EDGE_CHECKS = (
    """
    UPDATE staged_edge AS row SET child_id = ends.child_id, parent_id = ends.parent_id
    FROM (
      SELECT edge.line, coalesce(child.id, old_child.asset_id) AS child_id,
             coalesce(parent.id, old_parent.asset_id) AS parent_id
      FROM staged_edge AS edge
      LEFT JOIN staged_asset AS child ON child.ref = edge.child
      LEFT JOIN staged_asset AS parent ON parent.ref = edge.parent
      LEFT JOIN origin AS old_child
        ON old_child.source = current_setting('casset.source') AND old_child.source_ref = edge.child
      LEFT JOIN origin AS old_parent
        ON old_parent.source = current_setting('casset.source') AND old_parent.source_ref = edge.parent
    ) AS ends
    WHERE ends.line = row.line""",
    "ANALYZE staged_edge",
    """
    DELETE FROM staged_edge AS row WHERE child_id IS NULL OR parent_id IS NULL
    RETURNING row.line, 'there is no asset ' || concat_ws(' and no asset ',
      CASE WHEN child_id IS NULL THEN '''' || child || '''' END,
      CASE WHEN parent_id IS NULL THEN '''' || parent || '''' END)""",
    """
    DELETE FROM staged_edge AS row
    WHERE kind = 'CONTAINS' AND NOT EXISTS (SELECT FROM release WHERE release.id = row.child_id)
      AND NOT EXISTS (SELECT FROM staged_asset WHERE staged_asset.id = row.child_id AND kind = 'RELEASE')
    RETURNING row.line, format('''%s'' is no release and contains nothing', row.child)""",
    """
    DELETE FROM staged_edge AS row USING (
      SELECT end_.line, end_.ref
      FROM (SELECT line, child AS ref, child_id AS id FROM staged_edge
            UNION ALL SELECT line, parent, parent_id FROM staged_edge) AS end_
      JOIN asset ON asset.id = end_.id JOIN artist ON artist.id = asset.owner_id
      WHERE artist.claimed) AS held
    WHERE held.line = row.line
    RETURNING row.line, format('''%s'' belongs to a claimed artist; an import does not touch it', held.ref)""",
    """
    DELETE FROM staged_edge AS row USING (
      SELECT line, first_value(line) OVER (
        PARTITION BY child_id, parent_id, kind, child_window ORDER BY line) AS first FROM staged_edge) AS seen
    WHERE seen.line = row.line AND seen.first < row.line
    RETURNING row.line, format('the edge is already in line %s', seen.first)""",
    """
    UPDATE staged_edge AS row
    SET held_id = held.id, fate = CASE
      WHEN (held.parent_start_ms, held.parent_end_ms, held.note)
           IS NOT DISTINCT FROM (row.parent_start_ms, row.parent_end_ms, row.note) THEN 'same'
      WHEN held.evidence_source = 'IMPORT' AND held.status = 'CONFIRMED'
           AND held.evidence_method = current_setting('casset.source') THEN 'changed'
      ELSE 'kept' END
    FROM lineage_edge AS held
    WHERE held.child_id = row.child_id AND held.parent_id = row.parent_id AND held.kind = row.kind
      AND held.child_window = row.child_window AND upper_inf(held.known) AND upper_inf(held.valid)""",
    """
    UPDATE staged_edge SET fate = 'same' WHERE fate = 'kept'
    RETURNING line, 'the edge is there as others state it, and is kept so'""",
)

# Asked twice: which items are new decides what may close a cycle, and what closes one is no item.
ITEM_FATES = """
    UPDATE staged_edge AS row
    SET fate = CASE WHEN items.wanted = items.held THEN 'same'
                    WHEN row.parent_id = ANY (items.held) THEN 'changed' ELSE 'new' END
    FROM (
      SELECT listed.child_id, listed.wanted, array_agg(item.asset_id ORDER BY item.position) AS held
      FROM (SELECT child_id, array_agg(parent_id ORDER BY line) AS wanted
            FROM staged_edge WHERE kind = 'CONTAINS' GROUP BY child_id) AS listed
      JOIN release ON release.id = listed.child_id
      JOIN release_item AS item ON item.version_id = release.current_version_id
      GROUP BY listed.child_id, listed.wanted
    ) AS items
    WHERE row.kind = 'CONTAINS' AND row.child_id = items.child_id"""

CREDIT_CHECKS = (
    """
    UPDATE staged_credit AS row SET asset_id = found.id
    FROM (
      SELECT credit.line, coalesce(asset.id, old.asset_id) AS id
      FROM staged_credit AS credit
      LEFT JOIN staged_asset AS asset ON asset.ref = credit.asset
      LEFT JOIN origin AS old ON old.source = current_setting('casset.source') AND old.source_ref = credit.asset
    ) AS found
    WHERE found.line = row.line""",
    "ANALYZE staged_credit",
    """
    DELETE FROM staged_credit AS row WHERE asset_id IS NULL
    RETURNING row.line, format('there is no asset ''%s''', row.asset)""",
    """
    DELETE FROM staged_credit AS row USING asset JOIN artist ON artist.id = asset.owner_id
    WHERE asset.id = row.asset_id AND artist.claimed
    RETURNING row.line, format('''%s'' belongs to a claimed artist; an import does not touch it', row.asset)""",
    """
    UPDATE staged_credit AS row
    SET contributor_id = coalesce(origin.asset_id, who.contributor_id),
        introduces = origin.asset_id IS NULL AND who.first = row.line,
        artist_id = coalesce(namesake.id, artist.id)
    FROM (
      SELECT line, name, name_key, first_value(line) OVER same_name AS first,
             first_value(contributor_id) OVER same_name AS contributor_id
      FROM staged_credit WINDOW same_name AS (PARTITION BY name_key ORDER BY line)
    ) AS who
    LEFT JOIN origin
      ON origin.source = current_setting('casset.source') || '/contributors' AND origin.source_ref = who.name_key
    LEFT JOIN (
      SELECT names[1] AS name, (array_agg(id))[1] AS id FROM staged_artist GROUP BY names[1] HAVING count(*) = 1
    ) AS namesake ON namesake.name = who.name_key
    LEFT JOIN staged_artist AS artist ON artist.handle = lower(who.name)
    WHERE who.line = row.line""",
    "ANALYZE staged_credit",
    """
    DELETE FROM staged_credit AS row USING (
      SELECT line, first_value(line) OVER (
        PARTITION BY asset_id, contributor_id, role ORDER BY line) AS first FROM staged_credit) AS seen
    WHERE seen.line = row.line AND seen.first < row.line
    RETURNING row.line, format('the credit is already in line %s', seen.first)""",
    """
    UPDATE staged_credit AS row SET fate = 'same' FROM credit
    WHERE credit.asset_id = row.asset_id AND credit.contributor_id = row.contributor_id
      AND credit.role = row.role AND credit.instrument IS NULL""",
)

KNOWN_LINEAGE = """
    WITH RECURSIVE above (id) AS (
      SELECT parent_id FROM staged_edge WHERE fate = 'new' AND line BETWEEN $1 AND $2
      UNION
      SELECT up.parent_id FROM above, LATERAL (
        SELECT parent_id FROM lineage_edge WHERE child_id = above.id AND upper_inf(known)
        UNION ALL
        SELECT item.asset_id FROM release JOIN release_item AS item ON item.version_id = release.current_version_id
        WHERE release.id = above.id) AS up
    )
    SELECT above.id AS child_id, up.parent_id FROM above, LATERAL (
      SELECT parent_id FROM lineage_edge WHERE child_id = above.id AND upper_inf(known)
      UNION ALL
      SELECT item.asset_id FROM release JOIN release_item AS item ON item.version_id = release.current_version_id
      WHERE release.id = above.id) AS up"""
