"""The root of reading."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.artists import ArtistOrder
from domain.assets import AssetOrder
from domain.contributors import Pool
from domain.hooks import HookOrder
from domain.lineage import EdgeKind
from domain.resolution import Match
from domain.rituals import RitualOrder
from domain.search import FoundKind
from graph.accounts import Viewer
from graph.artists import Artist, World
from graph.assets import Asset, AssetFilter, Instrument, Sample, Track
from graph.caching import PUBLIC
from graph.changes import CHANGES_AFTER, ChangeFeed
from graph.clips import Clip, ClipFilter
from graph.contributors import Contributor, ShareInput, SplitPreview
from graph.discovery import FEED_KIND, FeedConnection
from graph.dossiers import Dossier, ReleaseDna, Rolodex
from graph.drift import DRIFT, LicenseDrift
from graph.fields import PAGE, Connection, DateTime, Node, argument, described, stored
from graph.hooks import Hook
from graph.jobs import Job
from graph.log import LogConsistency, LogInclusion
from graph.manifests import ManifestPreview
from graph.receipts import Replay
from graph.releases import Release
from graph.rituals import Ritual
from graph.rooms import Room
from graph.simulations import CHANGES_PAGE, VerdictChanges
from graph.stating import SAID
from graph.verdicts import QUESTION, PermissionAnswer, Verdict, WindowInput
from graph.walks import CommonAncestor, LineagePath

described(
    Match,
    ID="The id of a thing on Casset.",
    ADDRESS="The public address of a world, or of what is in one.",
    SHARE_LINK="A share link.",
    HANDLE="The handle of an artist.",
    ISRC="An ISRC.",
    UPC="A UPC or EAN.",
    MBID="A MusicBrainz id.",
    MEDIA_SHA256="SHA-256 of a file.",
    MANIFEST_SHA256="SHA-256 of a manifest: where it leads is the version it is of.",
)
described(
    FoundKind,
    ARTIST="Artists, by name and handle.",
    TRACK="Tracks, by title and by what is sung in them.",
    SAMPLE="Samples, by title.",
    INSTRUMENT="Instruments, by title.",
    RELEASE="Releases, by title.",
    CONTRIBUTOR="People who are credited, by name.",
)
SearchResult = Annotated[
    Track | Sample | Instrument | Release | Artist | Contributor,
    strawberry.union("SearchResult", description="Something a search found."),
]


@strawberry.type(description="What a reference led to.")
class Resolution:
    """The outcome of `resolve`."""

    matched: Match = stored("What the reference was recognised as.")
    node: Node = stored("Where it leads.")


@strawberry.type(
    description="Reading. Ids of the wrong kind, foreign cursors and pages out of bounds are refused before anything "
    "is read; what does not exist and what is not yours both answer null."
)
class Query:
    """The query root."""

    viewer: Viewer | None = stored("Who is asking; null to anonymous.")
    node: Node | None = stored(
        "The thing with this id.", argument("id", strawberry.ID, "The id of anything."), hints=[PUBLIC]
    )
    nodes: list[Node | None] = stored(
        "The things with these ids, in their order; null for each that is not there.",
        argument("ids", list[strawberry.ID], "At most 100 ids of any kinds."),
        hints=[PUBLIC],
    )
    resolve: Resolution | None = stored(
        "Where a reference of any form leads, and what it was recognised as.",
        argument(
            "ref",
            str,
            "An id, a public address, a share link, a handle, an ISRC, a UPC, a MusicBrainz id or the SHA-256 of a "
            "file or manifest.",
        ),
        hints=[PUBLIC],
    )
    asset: Asset | None = stored(
        "An asset of any kind.",
        argument("id", strawberry.ID, "`track_…`, `sample_…`, `instrument_…` or `release_…`."),
        hints=[PUBLIC],
    )
    assets: Connection[Asset] = stored(
        "The assets the viewer may list. What most is made from though its owner has stated nothing: `assets(order: "
        "MOST_DERIVED, filter: { hasPolicy: false }) { nodes { title derivedCount owner { handle } } }`.",
        argument("filter", AssetFilter | None, "Only assets for which all of this holds."),
        argument("order", AssetOrder | None, "The order; NEWEST where none is given."),
        *PAGE,
        hints=[PUBLIC],
    )
    release: Release | None = stored("A release.", argument("id", strawberry.ID, "`release_…`"), hints=[PUBLIC])
    artist: Artist | None = stored(
        "The artist with this handle.", argument("handle", str, "The handle, in any case."), hints=[PUBLIC]
    )
    artists: Connection[Artist] = stored(
        "Artists.", argument("order", ArtistOrder | None, "The order; NAME where none is given."), *PAGE, hints=[PUBLIC]
    )
    world: World | None = stored(
        "The world at this address.", argument("handle", str, "The handle, in any case."), hints=[PUBLIC]
    )
    hooks: Connection[Hook] = stored(
        "Hooks to wander through.",
        argument("order", HookOrder | None, "The order; NEWEST where none is given."),
        *PAGE,
        hints=[PUBLIC],
    )
    room: Room | None = stored("A room, as it is now.", argument("id", strawberry.ID, "`room_…`"))
    ritual: Ritual | None = stored("A ritual.", argument("id", strawberry.ID, "`ritual_…`"), hints=[PUBLIC])
    rituals: Connection[Ritual] = stored(
        "Rituals that were not called off.",
        argument("order", RitualOrder | None, "The order; SOONEST where none is given."),
        *PAGE,
        hints=[PUBLIC],
    )
    feed: FeedConnection = stored(
        "What to go and see, and why: rituals under way, hooks that rise, what is new; first of all in the worlds you "
        "follow. No badge and nothing that was spent stands in its order: `feed(first: 10) { edges { why inWords node "
        "{ ... on Ritual { title world { handle } } ... on Hook { caption world { handle } } } } }`.",
        FEED_KIND,
        *PAGE,
        hints=[PUBLIC],
    )
    clips: Connection[Clip] = stored(
        "Clips that were approved, newest first; of those that were not, yours and those sent in to you. What waits "
        'for you: `clips(filter: { artist: "artist_…", states: [PENDING] }) { nodes { id sample { title } } }`.',
        argument("filter", ClipFilter | None, "Only clips for which all of this holds."),
        *PAGE,
    )
    jobs: Connection[Job] = stored("What is done for the artists you are a member of, newest first.", *PAGE)
    contributor: Contributor | None = stored(
        "A contributor.", argument("id", strawberry.ID, "`contributor_…`"), hints=[PUBLIC]
    )
    search: Connection[SearchResult] = stored(
        "Titles, people and handles by the beginnings of their words, forgiving a typo; after them tracks by the "
        "beginnings of words in their lyrics. Best first, at most 1,000.",
        argument("query", str, "What to look for: at most 200 characters and 12 words."),
        argument("kinds", list[FoundKind] | None, "Only things of these kinds."),
        *PAGE,
        hints=[PUBLIC],
    )
    dossier: Dossier | None = stored(
        "Everything known of a release on one page, as far as you may see it.",
        argument("releaseId", strawberry.ID, "`release_…`"),
        hints=[PUBLIC],
    )
    dna: ReleaseDna | None = stored(
        "What a release is made of, joined for its own people; to a key as much of it as anybody may read. Null for "
        "everybody else.",
        argument("releaseId", strawberry.ID, "`release_…`"),
    )
    rolodex: Rolodex | None = stored(
        "The work of an artist you are a member of, over time; null for everybody else, and for keys.",
        argument("handle", str, "The handle, in any case."),
    )
    permission_check: list[PermissionAnswer] = stored(
        "May these assets be used for X? Up to 500 at once, all answered on one state of the graph, in their order: "
        '`permissionCheck(ids: [...], uses: [SYNC], territory: "DE", asOf: "2026-12-31T12:00:00Z") { id decision '
        "verdicts { route { kind price { amountMinor currency } } blockers { clause } } }`.",
        argument("ids", list[strawberry.ID], "At most 500 ids of assets."),
        *QUESTION,
    )
    hypothetical_rights: list[Verdict] | None = stored(
        "What could be done with something made of these assets, before it is made; null where one of them is not "
        "there for you.",
        argument("parents", list[strawberry.ID], "What it would be made of."),
        argument("kind", EdgeKind | None, "How; in a manner not known where none is given."),
        *QUESTION,
    )
    license_drift: LicenseDrift | None = stored(
        "Works made of others whose stated policy is wider than those allow, among all you may list: "
        "`licenseDrift(uses: [SYNC]) { drifts { asset { title } declared verdict { decision blockers { clause asset { "
        "title } } } } complete endCursor }`.",
        *DRIFT,
    )
    simulate_policy: VerdictChanges | None = stored(
        "Before you state a policy: the verdicts it would flip, yours and those of others. Where nothing is given: "
        'what stating nothing any more would flip. `simulatePolicy(subject: "track_…", preset: ALL_RIGHTS_RESERVED) { '
        "count owners changes { asset { title } use before after } }`. Null where it is not yours to change.",
        argument("subject", strawberry.ID, "The asset, the artist, the visual world, or the version."),
        *SAID,
        *CHANGES_PAGE,
    )
    simulate_edge: VerdictChanges | None = stored(
        "Before you declare an edge: the verdicts it would flip; none yet where the child is not yours, whose side has "
        "to agree first. Null where an end is not there for you, or neither is yours to change.",
        argument("child", strawberry.ID, "What is made."),
        argument("parent", strawberry.ID, "What it is made from."),
        argument("kind", EdgeKind, "How."),
        argument("childWindow", WindowInput | None, "Where in the child; the whole where none is given."),
        argument("parentWindow", WindowInput | None, "Which part of the parent; the whole where none is given."),
        *CHANGES_PAGE,
    )
    simulate_takedown: VerdictChanges | None = stored(
        "Before you withdraw an asset: the verdicts it would flip. Null where it is not yours to change.",
        argument("id", strawberry.ID, "The asset."),
        *CHANGES_PAGE,
    )
    preview_manifest: ManifestPreview | None = stored(
        "Before you publish a draft: what its manifest would be now, and all that is missing. Null where it is no "
        "draft, or not yours to publish.",
        argument("versionId", strawberry.ID, "`version_…`"),
    )
    preview_splits: list[SplitPreview] | None = stored(
        "Before you divide a pool: who would be asked, and what each would get of an amount. Null where the asset is "
        "not yours to change, or somebody is not there for you.",
        argument("asset", strawberry.ID, "The asset."),
        argument("pool", Pool, "Which income is divided."),
        argument("shares", list[ShareInput], "All shares: 10,000 basis points in all."),
        argument("amountMinor", int | None, "An amount to divide, in minor units."),
    )
    rights_changes: VerdictChanges | None = stored(
        "Which verdicts on assets of yours are others now than they were then, whatever upstream changed them. Null "
        "for who holds no artist.",
        argument("since", DateTime, "The moment to compare with."),
        *CHANGES_PAGE,
    )
    changes: ChangeFeed | None = stored(
        "What was changed since you last asked, for programs that keep a copy: nothing is skipped, and the same places "
        "lead to the same changes.",
        *CHANGES_AFTER,
    )
    replay: Replay | None = stored(
        "Answers the question of one of your receipts again, from what it was decided from: `replay(receiptId: "
        '"receipt_…") { reproduced }`. Null where it is not yours.',
        argument("receiptId", strawberry.ID, "The receipt."),
    )
    lineage_path: list[LineagePath] = stored(
        "How two assets are related: the shortest ways from the one up to the other, whichever is made of which; empty "
        "where neither is. What you may not see on the way is a step without a name. `commonAncestors` tells what both "
        "are made of.",
        argument("from", strawberry.ID, "One of the two."),
        argument("to", strawberry.ID, "The other one."),
        argument("k", int | None, "How many ways, 1 to 10; the shortest where none is given."),
    )
    common_ancestors: list[CommonAncestor] = stored(
        "What all of some assets are made of, the nearest first; what you may not see is counted without a name.",
        argument("ids", list[strawberry.ID], "1 to 20 assets."),
        argument("first", int | None, "How many to tell, 1 to 100; 20 where none is given."),
    )
    lineage_roots: list[Asset | None] = stored(
        "What an asset is made of that is made of nothing itself, nearest first; null for each you may not see.",
        argument("id", strawberry.ID, "The asset."),
        argument("first", int | None, "How many to tell, 1 to 100; 20 where none is given."),
    )
    log_inclusion: LogInclusion | None = stored(
        "Where the event with a hash is in the log over all events, and the proof of it. PENDING where no such event "
        "is logged.",
        argument("hash", str, "The hash of an event: 64 hexadecimal digits."),
    )
    log_consistency: LogConsistency | None = stored(
        "The proof that the log with so many leaves is the beginning of a later one; null where it has fewer.",
        argument("first", int, "The number of leaves of the earlier one, from 1."),
        argument("second", int | None, "The number of leaves of the later one; all of the newest where none is given."),
    )
