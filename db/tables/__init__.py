"""The tables, by noun. Checks, keys and indexes live here; functions, triggers, views and rights in migrations."""

from db.tables.accounts import account, former_handle, mailed_code, membership, password, session
from db.tables.anchors import anchor, anchor_batch, anchor_transaction
from db.tables.artists import artist, theme
from db.tables.assets import asset, asset_standing, instrument, media, merge, sample, track
from db.tables.catalogues import origin
from db.tables.changes import change, idempotency, job, outbox
from db.tables.claims import artist_claim
from db.tables.clips import clip
from db.tables.columns import metadata
from db.tables.contents import media_content, playback_key, preview
from db.tables.contributors import contributor, credit, split
from db.tables.documents import trusted_document
from db.tables.entitlements import entitlement, entitlement_standing
from db.tables.hooks import hook, visual_world
from db.tables.identities import identity, sign_in_flow
from db.tables.keys import agent_key
from db.tables.ledger import ledger_entry
from db.tables.licensing import (
    access_grant,
    agent_use,
    license_,
    license_grant,
    license_quote,
    machine_payment,
    payment_claim,
    request_claim,
)
from db.tables.lineage import lineage_edge
from db.tables.log import log_checkpoint, log_leaf, log_node
from db.tables.manifests import (
    manifest,
    manifest_check,
    version_credit,
    version_media,
    version_policy,
    version_split,
)
from db.tables.memberships import membership_invite
from db.tables.provenance import provenance_event
from db.tables.receipts import permission_receipt
from db.tables.releases import release, release_item, release_version
from db.tables.rights import permission_grant, policy, term, term_set
from db.tables.rituals import ritual, ritual_presave
from db.tables.rooms import room, room_event, room_message, room_person, room_queue
from db.tables.search import search_entry, search_word
from db.tables.social import (
    activity,
    comment,
    participation,
    referral,
    share_link,
    share_visitor,
    signal,
    tally,
    tie,
    visitor_key,
    warmth,
)
from db.tables.texts import lyrics, music_analysis, suggestion
from db.tables.uploads import orphan_blob, staged_upload

__all__ = [
    "access_grant",
    "account",
    "activity",
    "agent_key",
    "agent_use",
    "anchor",
    "anchor_batch",
    "anchor_transaction",
    "artist",
    "artist_claim",
    "asset",
    "asset_standing",
    "change",
    "clip",
    "comment",
    "contributor",
    "credit",
    "entitlement",
    "entitlement_standing",
    "former_handle",
    "hook",
    "idempotency",
    "identity",
    "instrument",
    "job",
    "ledger_entry",
    "license_",
    "license_grant",
    "license_quote",
    "lineage_edge",
    "log_checkpoint",
    "log_leaf",
    "log_node",
    "lyrics",
    "machine_payment",
    "mailed_code",
    "manifest",
    "manifest_check",
    "media",
    "media_content",
    "membership",
    "membership_invite",
    "merge",
    "metadata",
    "music_analysis",
    "origin",
    "orphan_blob",
    "outbox",
    "participation",
    "password",
    "payment_claim",
    "permission_grant",
    "permission_receipt",
    "playback_key",
    "policy",
    "preview",
    "provenance_event",
    "referral",
    "release",
    "release_item",
    "release_version",
    "request_claim",
    "ritual",
    "ritual_presave",
    "room",
    "room_event",
    "room_message",
    "room_person",
    "room_queue",
    "sample",
    "search_entry",
    "search_word",
    "session",
    "share_link",
    "share_visitor",
    "sign_in_flow",
    "signal",
    "split",
    "staged_upload",
    "suggestion",
    "tally",
    "term",
    "term_set",
    "theme",
    "tie",
    "track",
    "trusted_document",
    "version_credit",
    "version_media",
    "version_policy",
    "version_split",
    "visitor_key",
    "visual_world",
    "warmth",
]
