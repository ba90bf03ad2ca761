"""The SDL of manifests: what publishing froze, whether it is still so, and what is missing before it can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.integrity import CheckState
from domain.manifests import CheckKind, DriftKind, SignatureState
from domain.publishing import LackKind
from graph.anchors import ReleaseAnchor
from graph.fields import DateTime, described, stored

if TYPE_CHECKING:
    from graph.assets import Asset
    from graph.releases import ReleaseVersion

described(
    SignatureState,
    UNSIGNED="This house had no key when it was published.",
    SIGNED="Signed; the signature was not checked yet.",
    VERIFIED="Signed, and the signature was found good.",
    INVALID="Signed, and the signature does not fit.",
)
described(
    LackKind,
    ITEMS="It holds nothing.",
    ITEM_CLOSED="An item is withdrawn, or is shown to nobody by whom it belongs to.",
    RELEASE_NOT_OUT="An item is a release that is not out.",
    MEDIA="A track or sample has no sound.",
    MEDIA_UNREAD="The sound of a track or sample is still being read.",
    SPLITS="The shares of a pool are not 10,000 basis points in all.",
)
described(
    CheckKind,
    REGENERATION="Its manifest, made again from what was frozen: the same byte for byte.",
    SIGNATURE="The signature, by the keys this house publishes.",
    LINEAGE="What it says of lineage, by the edges that were frozen.",
    INCLUSION="The event that published it: its place in the log over all events.",
    SNAPSHOT="The works as they are now: as they were frozen.",
)
described(
    CheckState,
    FAILED="It is not what was published.",
    CHANGED="Works are others by now; what was published stays.",
    PENDING="It is not there yet, or was not checked yet.",
    PASSED="All is well.",
)
described(
    DriftKind,
    TITLE="Its title.",
    OWNER="Whose it is, or their name.",
    BADGES="How it was made.",
    MEDIA="Its sound.",
    HOOK="The window of its hook.",
    FILES="Its images and loops.",
    CREDITS="Who is credited, and whether they agreed.",
    SPLITS="How its pools are divided.",
    POLICY="What is stated about its uses.",
    IDENTIFIERS="Its ISRC, UPC, label or form.",
    LINEAGE="What it is made of, all the way up.",
)


@strawberry.type(
    description="Everything a version froze when it was published, as canonical bytes. Their SHA-256 is its address: "
    "`GET /manifests/sha256:…`."
)
class ReleaseManifest:
    """A manifest."""

    hash: str = stored("`sha256:` and 64 hexadecimal digits: its id and its address.")
    body: str = stored(
        "The bytes that are hashed, as text: canonical JSON (RFC 8785) of the schema at "
        "`/schemas/casset-manifest-1.json`."
    )
    proof: str | None = stored(
        "Its signature as JSON: put under `proof` in the body, it is W3C Data Integrity, `eddsa-jcs-2022`. Null where "
        "nobody signed."
    )
    signature_state: SignatureState = stored("Whether it is signed, and whether that was found good.")
    anchor: ReleaseAnchor | None = stored("Its anchored proof; null where nobody asked for one.")
    created_at: DateTime = stored("When it was made.")


@strawberry.type(description="Where a work is another now than when it was published. What is published stays.")
class ReleaseDrift:
    """A difference between copy and live row."""

    what: DriftKind = stored("What differs.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "Of which work: the release, or an item; null where you may not see it."
    )


@strawberry.type(description="Something that was checked.")
class IntegrityCheck:
    """What a check found."""

    what: CheckKind = stored("What was looked at.")
    state: CheckState = stored("How it stands with it.")
    since: DateTime | None = stored("Since when it is known to be so; null where it was only found now.")
    found: str | None = stored("What is wrong first, or is missing; null where all is well.")


@strawberry.type(description="Whether what a version froze is still what was hashed.")
class VersionIntegrity:
    """The outcome of looking."""

    version: Annotated["ReleaseVersion", strawberry.lazy("graph.releases")] | None = stored("Of which version.")
    state: CheckState = stored("The worst of what was found.")
    checks: list[IntegrityCheck] = stored("Everything that was checked now, what is wrong first.")
    reproduced: bool = stored("Its manifest, made again from what was frozen, is the same byte for byte.")
    signature_state: SignatureState = stored("Whether it is signed, and whether that was found good.")
    drift: list[ReleaseDrift] = stored("Where the works it holds are others by now.")


@strawberry.type(description="One thing that is missing before a version can be published.")
class ReleaseLack:
    """A lack."""

    what: LackKind = stored("What is missing.")
    message: str = stored("A sentence for the person who asked.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "Of which work; null where it is about none, or you may not see it."
    )


@strawberry.type(description="What would be published now. Nothing was written.")
class ManifestPreview:
    """A preview."""

    body: str = stored("The manifest as it would be now, as canonical JSON; when it is published, its moment differs.")
    lacks: list[ReleaseLack] = stored("All that is missing before it can be published; empty where nothing is.")
