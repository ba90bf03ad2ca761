"""The tables, by noun. Checks, keys and indexes live here; functions, triggers, views and rights in migrations."""

from db.tables.accounts import account, membership, session
from db.tables.artists import artist, theme
from db.tables.assets import asset, asset_standing, instrument, media, merge, sample, track
from db.tables.catalogues import origin
from db.tables.changes import change, idempotency, job, outbox
from db.tables.columns import metadata
from db.tables.contributors import contributor, credit, split
from db.tables.documents import trusted_document
from db.tables.hooks import hook, visual_world
from db.tables.lineage import lineage_edge
from db.tables.provenance import provenance_event
from db.tables.releases import release, release_item, release_version
from db.tables.rights import policy, term, term_set
from db.tables.rooms import room
from db.tables.search import search_entry, search_word

__all__ = [
    "account",
    "artist",
    "asset",
    "asset_standing",
    "change",
    "contributor",
    "credit",
    "hook",
    "idempotency",
    "instrument",
    "job",
    "lineage_edge",
    "media",
    "membership",
    "merge",
    "metadata",
    "origin",
    "outbox",
    "policy",
    "provenance_event",
    "release",
    "release_item",
    "release_version",
    "room",
    "sample",
    "search_entry",
    "search_word",
    "session",
    "split",
    "term",
    "term_set",
    "theme",
    "track",
    "trusted_document",
    "visual_world",
]
