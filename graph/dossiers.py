"""The SDL of dossiers, DNA and rolodexes: all that is known of a release on one page, and an artist's own work."""

from __future__ import annotations

import strawberry

from domain.assets import AssetKind
from domain.contributors import Pool
from graph.artists import Artist
from graph.assets import Asset, Media
from graph.contributors import Credit, Split
from graph.fields import PAGE, Connection, argument, stored
from graph.jobs import Job
from graph.lineage import EDGE_FILTERS, LineageEdge
from graph.manifests import ReleaseManifest, VersionIntegrity
from graph.provenance import ProvenanceEvent
from graph.releases import Release, ReleaseItem, ReleaseVersion
from graph.rights import PermissionGrant, PermissionPolicy
from graph.verdicts import QUESTION, Verdict
from graph.walks import WALK, LineageWalk


@strawberry.type
class Told:
    """What a dossier and a DNA both tell; no type of the SDL."""

    release: Release = stored("The release.")
    version: ReleaseVersion | None = stored("The version that is out.")
    manifest: ReleaseManifest | None = stored(
        "Everything that version froze, with its signature; null where an import made it."
    )
    policy: PermissionPolicy | None = stored("What its owner has stated for it; null where nothing is stated.")
    credits: Connection[Credit] = stored(
        "Who did what for the release and for everything it holds, those named first of each work first.", *PAGE
    )
    splits: Connection[Split] = stored(
        "Who holds which share of the release and of everything it holds.",
        *PAGE,
        argument("pool", Pool | None, "Only this pool."),
    )
    parents: Connection[LineageEdge] = stored(
        "What the release and everything it holds are made from: one edge for each use.", *PAGE, *EDGE_FILTERS
    )
    children: Connection[LineageEdge] = stored(
        "What is made from the release, or from something it holds: one edge for each use.", *PAGE, *EDGE_FILTERS
    )
    provenance: Connection[ProvenanceEvent] = stored(
        "What was done to the release, oldest first, chained by hash.", *PAGE
    )
    verdicts: list[Verdict] | None = stored(
        "May it be used for X? One verdict for each use and layer, over everything it holds and is made of. "
        "Information, not legal advice.",
        *QUESTION,
    )
    ancestors: LineageWalk | None = stored("Everything it is made of, all the way up, nearest first.", *WALK)
    integrity: VersionIntegrity | None = stored(
        "Whether what is out is still what was published; null where it is not yours to change."
    )


@strawberry.type(description="Who takes part in a release, by number; nobody is named. Its own people read it.")
class DossierParticipation:
    """A participation snapshot."""

    open_to: int = stored("How many accounts all of it is open to, by itself or by its world.")


@strawberry.type(
    description='Everything known of a release on one page, as far as you may see it: `dossier(releaseId: "release_…") '
    "{ manifest { hash signatureState } provenance { nodes { kind at } } credits { nodes { role contributor { name } } "
    "} verdicts(uses: [SYNC]) { layer decision } }`."
)
class Dossier(Told):
    """A dossier."""

    versions: Connection[ReleaseVersion] = stored("Its versions, latest first; drafts are its people's.", *PAGE)
    descendants: LineageWalk | None = stored("Everything made of it, nearest first.", *WALK)
    participation: DossierParticipation | None = stored("Who takes part in it; null for all but its own people.")


@strawberry.type(
    description="What a release is made of, joined for its own people. A program reads as much of it as anybody may "
    "read: to keys, drafts, sources, grants and jobs are none, and to people who are not its own there is no DNA."
)
class ReleaseDna(Told):
    """A DNA."""

    items: Connection[ReleaseItem] = stored("What the version that is out holds, in order.", *PAGE)
    draft: ReleaseVersion | None = stored("The next version, while it is being made.")
    sources: Connection[Media] = stored("The private files that it and everything it holds were made with.", *PAGE)
    grants: Connection[PermissionGrant] = stored(
        "What single artists are allowed to do with it, and with what it holds.", *PAGE
    )
    jobs: Connection[Job] = stored("What is done for it and its versions, newest first.", *PAGE)


@strawberry.type(
    description="An artist's work as their own people look it through: what it was made with, when, with whom, and "
    "what came of it."
)
class Rolodex:
    """An owner's timeline."""

    artist: Artist = stored("The artist.")
    sources: Connection[Media] = stored("The private files their works were made with, newest first.", *PAGE)
    chronology: Connection[Asset] = stored(
        "Their works by the day each is of, the latest first: its own date, or else the day it was written down.",
        *PAGE,
        argument("kinds", list[AssetKind] | None, "Only works of these kinds."),
    )
    contributions: Connection[Credit] = stored("What they did for works, their own and others', newest first.", *PAGE)
    release_posture: str | None = stored("How a release stands in their world, by its theme.")
    policy_in_words: str | None = stored(
        "What may be done with a work of theirs that is made of nothing else, in one plain sentence, where it states "
        "nothing of its own. Information, not legal advice."
    )
    parents: Connection[LineageEdge] = stored(
        "What their works are made from: one edge for each use.", *PAGE, *EDGE_FILTERS
    )
    children: Connection[LineageEdge] = stored(
        "What is made from their works: one edge for each use.", *PAGE, *EDGE_FILTERS
    )
