"""The SDL of releases, their versions and items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.releases import ReleaseKind, ReleaseStatus, VersionState
from graph.assets import Asset
from graph.fields import PAGE, Connection, DateTime, Node, described, stored
from graph.hooks import Hook
from graph.rights import PermissionPolicy
from graph.social import ParticipationSnapshot
from graph.visuals import VisualWorld

if TYPE_CHECKING:
    from graph.circulation import CirculationSummary
    from graph.discovery import DiscoverySummary
    from graph.manifests import ReleaseManifest, VersionIntegrity
    from graph.rooms import Room

described(
    ReleaseKind,
    SINGLE="A single.",
    EP="An EP.",
    ALBUM="An album.",
    MIXTAPE="A mixtape.",
    DEMO="A demo.",
)
described(
    ReleaseStatus,
    DRAFT="Being made.",
    SCHEDULED="Comes out at its time; people see its teaser.",
    PUBLISHED="Out.",
    ARCHIVED="No longer shown.",
    WITHDRAWN="Taken back.",
)
described(
    VersionState,
    DRAFT="Being made; only its owner sees it.",
    PUBLISHED="Published and never changed again.",
    SUPERSEDED="A later version took its place.",
    WITHDRAWN="Taken back.",
)


@strawberry.type(description="The canonical published artefact: projected out of the assets it holds.")
class Release(Asset):
    """A release."""

    release_kind: ReleaseKind | None = stored("Its form.")
    status: ReleaseStatus | None = stored("Where it stands in its life.")
    published_at: DateTime | None = stored("When it came out.")
    url: str | None = stored(
        "Where people find it, in its owner's world: an address like `World.url`. Null where it was taken back."
    )
    upc: str | None = stored("Its UPC or EAN.")
    label: str | None = stored("The label it names.")
    terms_in_words: str | None = stored(
        "What may be done with it, over everything it holds, in one plain sentence that names every use once. "
        "Information, not legal advice."
    )
    integrity: Annotated["VersionIntegrity", strawberry.lazy("graph.manifests")] | None = stored(
        "Whether the version that is out is still what was published: `integrity { state checks { what state since "
        "found } }`, what is wrong first. Null where it has no manifest, or is not yours to change."
    )
    participation: ParticipationSnapshot | None = stored(
        "How people gather around it and its hooks, measured every hour; null where nothing was."
    )
    circulation: Annotated["CirculationSummary", strawberry.lazy("graph.circulation")] | None = stored(
        "How it is passed on; null for all but its own people."
    )
    discovery: Annotated["DiscoverySummary", strawberry.lazy("graph.discovery")] | None = stored(
        "How people come upon it; null for all but its own people."
    )
    cover: VisualWorld | None = stored("Its cover.")
    hook: Hook | None = stored("The hook it leads with.")
    room: Annotated["Room", strawberry.lazy("graph.rooms")] | None = stored("Where people gather around it.")
    current_version: Annotated["ReleaseVersion", strawberry.lazy("graph.releases")] | None = stored(
        "The version that is out."
    )
    versions: Connection[Annotated["ReleaseVersion", strawberry.lazy("graph.releases")]] = stored(
        "Its versions, latest first.", *PAGE
    )
    items: Connection[Annotated["ReleaseItem", strawberry.lazy("graph.releases")]] = stored(
        "What the current version holds, in order.", *PAGE
    )


@strawberry.type(description="One version of a release: a draft, or frozen for ever.")
class ReleaseVersion(Node):
    """A version."""

    number: int = stored("Its number, from 1.")
    state: VersionState = stored("Where it stands in its life.")
    title: str | None = stored("The title as it was published; null in a draft.")
    is_compatibility: bool = stored("Made by an import or a backfill, without a manifest of its own.")
    published_at: DateTime | None = stored("When it was published.")
    created_at: DateTime = stored("When the row was written.")
    release: Release | None = stored("Of which release.")
    items: Connection[Annotated["ReleaseItem", strawberry.lazy("graph.releases")]] = stored(
        "What it holds, in order.", *PAGE
    )
    policy: PermissionPolicy | None = stored(
        "What was stated of it, which takes the place of what its release states while it is out; null where nothing "
        "is."
    )
    agent_rules: Connection[PermissionPolicy] = stored(
        "What its owner states to the programs of one artist alone, oldest first. For the owner all of them, for "
        "others those for the artists they ask for.",
        *PAGE,
    )
    manifest: Annotated["ReleaseManifest", strawberry.lazy("graph.manifests")] | None = stored(
        "Everything it froze when it was published; null in a draft, and where an import made it."
    )
    integrity: Annotated["VersionIntegrity", strawberry.lazy("graph.manifests")] | None = stored(
        "Whether what it froze is still what was hashed, and where its works are others by now; null where it has no "
        "manifest, or is not yours to change."
    )


@strawberry.type(description="One place in a version of a release.")
class ReleaseItem(Node):
    """An item."""

    position: int = stored("Its place, from 1.")
    title: str | None = stored("The title as it was published; null in a draft.")
    asset: Asset | None = stored("The asset at this place; null while the viewer may not see it.")
    version: ReleaseVersion | None = stored("Of which version.")
