"""The statements that turn staged rows into stored ones, by file and in order; all take the first and the last line.

A batch is small beside the tables it looks into: subqueries look by index, where a join would read all of them.
What a batch stores, logs and makes findable is written here, set by set. Provenance is not: its events are chained
by `domain.provenance`.
"""

from __future__ import annotations

_SEARCHED = """
    INSERT INTO search_entry (node_id, kind, names, sort_key, words)
    SELECT {id}, {kind}, names, left(names[1], 200), array_to_tsvector(words)
    FROM {table} WHERE line BETWEEN $1 AND $2 AND {when} ORDER BY line
    ON CONFLICT (node_id) DO UPDATE SET names = excluded.names, sort_key = excluded.sort_key, words = excluded.words"""
# In order, so that two who add the same words wait for each other in one direction only.
_WORDS = """
    INSERT INTO search_word (word)
    SELECT DISTINCT word FROM {table}, unnest(words) AS word
    WHERE line BETWEEN $1 AND $2 AND {when} AND char_length(word) <= 60 ORDER BY word
    ON CONFLICT DO NOTHING"""


def _findable(table: str, kind: str, *, id: str = "id", when: str = "fate <> 'same'") -> tuple[str, str]:
    return (
        _SEARCHED.format(table=table, kind=kind, id=id, when=when),
        _WORDS.format(table=table, when=when),
    )


# Whose rows a batch touches: locked until it is committed, so that nobody claims them in between.
_HOLD = """
    SELECT coalesce(bool_or(claimed), false)
    FROM (SELECT claimed FROM artist WHERE id IN ({owners}) ORDER BY id FOR SHARE) AS held"""
HOLD_ARTISTS = _HOLD.format(owners="SELECT id FROM staged_artist WHERE line BETWEEN $1 AND $2 AND fate = 'changed'")
HOLD_ASSETS = _HOLD.format(
    owners="""
    SELECT CASE fate WHEN 'new' THEN owner_id ELSE (SELECT owner_id FROM asset WHERE asset.id = row.id) END
    FROM staged_asset AS row WHERE line BETWEEN $1 AND $2 AND fate <> 'same'"""
)
HOLD_EDGES = _HOLD.format(
    owners="""
    SELECT (SELECT owner_id FROM asset WHERE id = child_id) FROM staged_edge
    WHERE line BETWEEN $1 AND $2 AND fate <> 'same'
    UNION SELECT (SELECT owner_id FROM asset WHERE id = parent_id) FROM staged_edge
    WHERE line BETWEEN $1 AND $2 AND fate <> 'same'"""
)
HOLD_CREDITS = _HOLD.format(
    owners="""
    SELECT (SELECT owner_id FROM asset WHERE id = asset_id) FROM staged_credit
    WHERE line BETWEEN $1 AND $2 AND fate <> 'same'"""
)
HOLD_ITEMS = _HOLD.format(
    owners="""
    SELECT (SELECT owner_id FROM asset WHERE id = release_id) FROM staged_version WHERE line BETWEEN $1 AND $2
    UNION SELECT (SELECT owner_id FROM asset WHERE id = row.parent_id)
    FROM staged_version AS next JOIN staged_edge AS row ON row.child_id = next.release_id AND row.kind = 'CONTAINS'
    WHERE next.line BETWEEN $1 AND $2"""
)

WRITE_ARTISTS = (
    """
    INSERT INTO artist (id, handle, name, kind, claimed)
    SELECT id, handle, name, kind, false FROM staged_artist
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' ORDER BY line""",
    """
    INSERT INTO origin (source, source_ref, asset_id)
    SELECT current_setting('casset.source') || '/artists', handle, id FROM staged_artist
    WHERE line BETWEEN $1 AND $2 AND fate = 'new'""",
    """
    UPDATE artist SET name = row.name, kind = row.kind, version = artist.version + 1 FROM staged_artist AS row
    WHERE artist.id = row.id AND row.line BETWEEN $1 AND $2 AND row.fate = 'changed'""",
    """
    INSERT INTO change (subject_id, kind)
    SELECT id, CASE fate WHEN 'new' THEN 'ARTIST_CREATED' ELSE 'ARTIST_UPDATED' END FROM staged_artist
    WHERE line BETWEEN $1 AND $2 AND fate <> 'same' ORDER BY line""",
    *_findable("staged_artist", "'ARTIST'"),
)

WRITE_ASSETS = (
    """
    INSERT INTO asset (id, kind, owner_id, title, state, made_on)
    SELECT id, kind, owner_id, title, 'PUBLIC', made_on FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' ORDER BY line""",
    """
    INSERT INTO track (id, bpm) SELECT id, bpm FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' AND kind = 'TRACK' ORDER BY line""",
    """
    INSERT INTO sample (id, bpm, subkind) SELECT id, bpm, subkind FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' AND kind = 'SAMPLE' ORDER BY line""",
    """
    INSERT INTO instrument (id) SELECT id FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' AND kind = 'INSTRUMENT' ORDER BY line""",
    """
    INSERT INTO release (id, status, current_version_id, published_at)
    SELECT id, 'PUBLISHED', version_id, now() FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' AND kind = 'RELEASE' ORDER BY line""",
    """
    INSERT INTO release_version (id, release_id, number, state, title, is_compatibility, published_at)
    SELECT version_id, id, 1, 'PUBLISHED', title, true, now() FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' AND kind = 'RELEASE' ORDER BY line""",
    """
    INSERT INTO asset_standing (id, asset_id, owner_id, state)
    SELECT id, id, owner_id, 'PUBLIC' FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' ORDER BY line""",
    """
    INSERT INTO origin (source, source_ref, asset_id)
    SELECT current_setting('casset.source'), ref, id FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate = 'new'""",
    """
    UPDATE asset SET title = row.title, made_on = row.made_on, version = asset.version + 1
    FROM staged_asset AS row
    WHERE asset.id = row.id AND row.line BETWEEN $1 AND $2 AND row.fate = 'changed'""",
    """
    UPDATE track SET bpm = row.bpm FROM staged_asset AS row
    WHERE track.id = row.id AND row.line BETWEEN $1 AND $2 AND 'bpm' = ANY (row.changes)""",
    """
    UPDATE sample SET bpm = row.bpm, subkind = row.subkind FROM staged_asset AS row
    WHERE sample.id = row.id AND row.line BETWEEN $1 AND $2 AND row.changes && '{bpm,subkind}'""",
    """
    INSERT INTO media (id, asset_id, role, sha256)
    SELECT media_id, id, 'MASTER', sha256 FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND sha256 IS NOT NULL AND (fate = 'new' OR 'media' = ANY (changes)) ORDER BY line
    ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256""",
    """
    UPDATE policy SET known = tstzrange(lower(policy.known), now()) FROM staged_asset AS row
    WHERE policy.id = row.held_policy_id AND row.line BETWEEN $1 AND $2 AND 'policy' = ANY (row.changes)""",
    # What held until now is still known to have held until now.
    """
    INSERT INTO policy (id, level, subject_id, term_set_id, license_family, license, stated_as, valid)
    SELECT row.past_policy_id, past.level, past.subject_id, past.term_set_id, past.license_family, past.license,
           past.stated_as, tstzrange(lower(past.valid), now())
    FROM staged_asset AS row JOIN policy AS past ON past.id = row.held_policy_id
    WHERE row.line BETWEEN $1 AND $2 AND row.past_policy_id IS NOT NULL""",
    """
    INSERT INTO policy (id, level, subject_id, term_set_id, license_family, license, stated_as)
    SELECT row.policy_id, 'ASSET', row.id, term_set.id, row.family, row.license, row.stated_as
    FROM staged_asset AS row JOIN term_set ON term_set.digest = row.terms
    WHERE row.line BETWEEN $1 AND $2 AND (row.fate = 'new' OR 'policy' = ANY (row.changes)) ORDER BY row.line""",
    """
    INSERT INTO change (subject_id, kind)
    SELECT id, CASE fate WHEN 'new' THEN 'ASSET_CREATED' ELSE 'ASSET_UPDATED' END FROM staged_asset
    WHERE line BETWEEN $1 AND $2 AND fate <> 'same' ORDER BY line""",
    *_findable("staged_asset", "kind", when="(fate = 'new' OR 'title' = ANY (changes))"),
)
SUBJECTS_ASSETS = """
    SELECT id, kind, owner_id, title, made_on, bpm, subkind, sha256, terms, changes, fate = 'changed' AS has_past,
           CASE fate WHEN 'changed' THEN (SELECT version + 1 FROM asset WHERE asset.id = row.id) END AS version
    FROM staged_asset AS row WHERE line BETWEEN $1 AND $2 AND fate <> 'same' ORDER BY line"""

WRITE_CREDITS = (
    """
    INSERT INTO contributor (id, name, artist_id)
    SELECT contributor_id, name, artist_id FROM staged_credit
    WHERE line BETWEEN $1 AND $2 AND introduces ORDER BY line""",
    """
    INSERT INTO origin (source, source_ref, asset_id)
    SELECT current_setting('casset.source') || '/contributors', name_key, contributor_id FROM staged_credit
    WHERE line BETWEEN $1 AND $2 AND introduces""",
    """
    INSERT INTO credit (id, asset_id, contributor_id, role, position)
    SELECT row.id, row.asset_id, row.contributor_id, row.role,
           last.position + row_number() OVER (PARTITION BY row.asset_id ORDER BY row.line)
    FROM staged_credit AS row, LATERAL (
      SELECT coalesce(max(position), 0) AS position FROM credit WHERE credit.asset_id = row.asset_id) AS last
    WHERE row.line BETWEEN $1 AND $2 AND row.fate = 'new' ORDER BY row.line""",
    """
    INSERT INTO change (subject_id, kind)
    SELECT contributor_id, 'CONTRIBUTOR_CREATED' FROM staged_credit
    WHERE line BETWEEN $1 AND $2 AND introduces ORDER BY line""",
    """
    INSERT INTO change (subject_id, kind, ids)
    SELECT asset_id, 'CONTRIBUTORS_UPDATED', array_agg(id ORDER BY line) FROM staged_credit
    WHERE line BETWEEN $1 AND $2 AND fate = 'new' GROUP BY asset_id ORDER BY min(line)""",
    *_findable("staged_credit", "'CONTRIBUTOR'", id="contributor_id", when="introduces"),
)
SUBJECTS_CREDITS = """
    SELECT asset_id AS id, (SELECT kind FROM asset WHERE id = asset_id) AS kind, true AS has_past,
           array_agg(id ORDER BY line) AS ids
    FROM staged_credit WHERE line BETWEEN $1 AND $2 AND fate = 'new' GROUP BY asset_id ORDER BY min(line)"""

WRITE_EDGES = (
    """
    UPDATE lineage_edge SET known = tstzrange(lower(lineage_edge.known), now()) FROM staged_edge AS row
    WHERE lineage_edge.id = row.held_id AND row.line BETWEEN $1 AND $2 AND row.fate = 'changed'""",
    # The new word on an edge holds for as long as the edge did.
    """
    INSERT INTO lineage_edge (
      id, child_id, parent_id, kind, child_start_ms, child_end_ms, parent_start_ms, parent_end_ms, note,
      status, registration, binding, child_is_older, evidence_source, evidence_method, valid)
    SELECT row.id, row.child_id, row.parent_id, row.kind, row.child_start_ms, row.child_end_ms,
           row.parent_start_ms, row.parent_end_ms, row.note, 'CONFIRMED', 'REGISTERED', row.kind <> 'INSPIRED_BY',
           coalesce((SELECT made_on FROM asset WHERE id = row.child_id)
                    < (SELECT made_on FROM asset WHERE id = row.parent_id), false),
           'IMPORT', current_setting('casset.source'),
           coalesce((SELECT valid FROM lineage_edge WHERE id = row.held_id), tstzrange(now(), NULL))
    FROM staged_edge AS row
    WHERE row.line BETWEEN $1 AND $2 AND row.fate <> 'same' AND row.kind <> 'CONTAINS' ORDER BY row.line""",
    """
    INSERT INTO change (subject_id, kind, ids)
    SELECT child_id, 'LINEAGE_CHANGED', array_agg(id ORDER BY line) FROM staged_edge
    WHERE line BETWEEN $1 AND $2 AND fate <> 'same' AND kind <> 'CONTAINS' GROUP BY child_id ORDER BY min(line)""",
)
SUBJECTS_EDGES = """
    SELECT child_id AS id, (SELECT kind FROM asset WHERE id = child_id) AS kind, true AS has_past,
           array_agg(id ORDER BY line) AS ids
    FROM staged_edge WHERE line BETWEEN $1 AND $2 AND fate <> 'same' AND kind <> 'CONTAINS'
    GROUP BY child_id ORDER BY min(line)"""

# A version without items, as a release gets it with its row, is filled; one with other items is superseded.
LISTED_RELEASES = """
    SELECT min(row.line) AS line, row.child_id AS release_id, count(*) AS items, version.id AS version_id,
           version.number,
           EXISTS (SELECT FROM release_item WHERE version_id = version.id) AS filled
    FROM staged_edge AS row
    JOIN release ON release.id = row.child_id
    JOIN release_version AS version ON version.id = release.current_version_id
    WHERE row.kind = 'CONTAINS'
    GROUP BY row.child_id, version.id HAVING bool_or(row.fate <> 'same') ORDER BY min(row.line)"""
WRITE_ITEMS = (
    """
    INSERT INTO release_version (id, release_id, number, state, title, is_compatibility, published_at)
    SELECT version_id, release_id, number, 'PUBLISHED', (SELECT title FROM asset WHERE id = release_id), true, now()
    FROM staged_version WHERE line BETWEEN $1 AND $2 AND past_id IS NOT NULL ORDER BY line""",
    """
    UPDATE release_version SET state = 'SUPERSEDED' FROM staged_version AS next
    WHERE release_version.id = next.past_id AND next.line BETWEEN $1 AND $2""",
    """
    UPDATE release SET current_version_id = next.version_id FROM staged_version AS next
    WHERE release.id = next.release_id AND next.line BETWEEN $1 AND $2 AND next.past_id IS NOT NULL""",
    """
    INSERT INTO release_item (id, version_id, asset_id, position, title, badges, media_sha256)
    SELECT row.id, next.version_id, row.parent_id,
           row_number() OVER (PARTITION BY next.version_id ORDER BY row.line),
           (SELECT title FROM asset WHERE id = row.parent_id), (SELECT badges FROM asset WHERE id = row.parent_id),
           (SELECT sha256 FROM media WHERE asset_id = row.parent_id AND role = 'MASTER'
            ORDER BY created_at, id LIMIT 1)
    FROM staged_version AS next
    JOIN staged_edge AS row ON row.child_id = next.release_id AND row.kind = 'CONTAINS'
    WHERE next.line BETWEEN $1 AND $2 ORDER BY row.line""",
    """
    INSERT INTO change (subject_id, kind, ids)
    SELECT release_id, 'LINEAGE_CHANGED', ARRAY[version_id] FROM staged_version
    WHERE line BETWEEN $1 AND $2 ORDER BY line""",
)
SUBJECTS_ITEMS = """
    SELECT next.release_id AS id, 'RELEASE' AS kind, true AS has_past, next.version_id, next.past_id IS NULL AS filled,
           array_agg((SELECT ref FROM asset WHERE id = row.parent_id) ORDER BY row.line) AS items
    FROM staged_version AS next
    JOIN staged_edge AS row ON row.child_id = next.release_id AND row.kind = 'CONTAINS'
    WHERE next.line BETWEEN $1 AND $2 GROUP BY next.line ORDER BY next.line"""
