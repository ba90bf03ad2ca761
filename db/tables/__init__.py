"""The tables, by noun. Checks, keys and indexes live here; functions, triggers, views and rights in migrations."""

from db.tables.accounts import account, former_handle, mailed_code, membership, password, session
from db.tables.artists import artist, theme
from db.tables.assets import asset, asset_standing, instrument, media, merge, sample, track
from db.tables.catalogues import origin
from db.tables.changes import change, idempotency, job, outbox
from db.tables.claims import artist_claim
from db.tables.columns import metadata
from db.tables.contents import media_content, playback_key, preview
from db.tables.contributors import contributor, credit, split
from db.tables.documents import trusted_document
from db.tables.entitlements import entitlement, entitlement_standing
from db.tables.hooks import hook, visual_world
from db.tables.keys import agent_key
from db.tables.lineage import lineage_edge
from db.tables.memberships import membership_invite
from db.tables.provenance import provenance_event
from db.tables.receipts import permission_receipt
from db.tables.releases import release, release_item, release_version
from db.tables.rights import permission_grant, policy, term, term_set
from db.tables.rooms import room
from db.tables.search import search_entry, search_word

__all__ = [
    "account",
    "agent_key",
    "artist",
    "artist_claim",
    "asset",
    "asset_standing",
    "change",
    "contributor",
    "credit",
    "entitlement",
    "entitlement_standing",
    "former_handle",
    "hook",
    "idempotency",
    "instrument",
    "job",
    "lineage_edge",
    "mailed_code",
    "media",
    "media_content",
    "membership",
    "membership_invite",
    "merge",
    "metadata",
    "origin",
    "outbox",
    "password",
    "permission_grant",
    "permission_receipt",
    "playback_key",
    "policy",
    "preview",
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
