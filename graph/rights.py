"""The SDL of permission policies and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.rights import Decision, Layer, Level, LicenseFamily, Use
from graph.fields import Date, DateTime, Node, described, stored

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.assets import Asset

described(
    Use,
    REMIX="Remix it.",
    STEMS="Work with its stems.",
    SYNC="Set it to moving images.",
    VISUAL_REUSE="Use its visual world.",
    AI_TRAINING="Train a model on it.",
    AI_GENERATION="Generate from it.",
    DERIVATIVE_REGISTRATION="Register something made from it.",
    COMMERCIAL_USE="Use it commercially.",
)
described(Layer, MASTER="The recording.", COMPOSITION="The work it records.")
described(
    Decision,
    ALLOWED="Allowed, under the terms stated.",
    LICENSE_REQUIRED="Allowed with a license.",
    CONTACT_OWNER="Ask the owner.",
    DENIED="Not allowed.",
)
described(
    Level,
    AGENT_RULE="A version of a release, to the programs of one artist alone.",
    VERSION="A version of a release.",
    ASSET="The asset itself.",
    VISUAL="A visual world itself.",
    ARTIST="The artist, for all of their assets.",
    PLATFORM="The default of the house.",
)
described(
    LicenseFamily,
    CC0="CC0 and the public domain.",
    CC_BY="Attribution.",
    CC_BY_SA="Attribution, share alike.",
    CC_BY_NC="Attribution, non-commercial.",
    CC_BY_ND="Attribution, no derivatives.",
    CC_BY_NC_SA="Attribution, non-commercial, share alike.",
    CC_BY_NC_ND="Attribution, non-commercial, no derivatives.",
    GPL="The GNU General Public License, found on samples.",
    ALL_RIGHTS_RESERVED="All rights reserved, stated.",
    OPEN_TO_REMIX="Open to remix.",
    CUSTOM="Terms of the owner's own.",
)


@strawberry.type(description="An amount of money in minor units.")
class Price:
    """Money without floats."""

    amount_minor: int = stored("The amount in minor units.")
    currency: str = stored("ISO 4217 code.")


@strawberry.type(description="What a policy says of one use.")
class PermissionTerm:
    """A term."""

    use: Use = stored("The use.")
    layer: Layer | None = stored("The layer it speaks for; null: both.")
    decision: Decision = stored("What is decided.")
    attribution: bool = stored("The author must be named.")
    share_alike: str | None = stored("What is made must carry this license (SPDX).")
    territories: list[str] | None = stored("Where it holds, as ISO 3166 codes; null: everywhere.")
    starts_on: Date | None = stored("From this day.")
    ends_on: Date | None = stored("Up to but not including this day.")
    purpose: str | None = stored("For this purpose only.")
    price: Price | None = stored("What a license costs.")
    exception: str | None = stored("What is taken out of it.")
    reaches_outputs: bool = stored("What is played on the instrument is bound too.")
    sublicense: bool = stored("The right passes on to derivatives.")
    royalty_bp: int | None = stored("A royalty in basis points.")
    route: str | None = stored("How to ask.")


@strawberry.type(
    description="What an owner has stated about the uses of an asset, of one version of a release, or an artist about "
    "all of theirs."
)
class PermissionPolicy(Node):
    """A permission policy."""

    level: Level = stored("Which level speaks.")
    license_family: LicenseFamily = stored("The family of the license it states.")
    license: str | None = stored("The license as an SPDX identifier.")
    stated_as: str | None = stored("What was written, where it could not be read as a license.")
    valid_from: DateTime | None = stored("Since when it holds.")
    held_until: DateTime | None = stored("Until when it held, or was taken to hold; null: it holds.")
    agent: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored(
        "The artist whose programs alone it speaks to, where they ask with a key; null where it speaks to everybody."
    )
    terms: list[PermissionTerm] = stored("What it says, use by use.")


@strawberry.type(
    description="What the owner of an asset allows one artist, beside what the policy says to everybody. Only the "
    "owner and the artist see it."
)
class PermissionGrant(Node):
    """A grant."""

    created_at: DateTime = stored("When it was given.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "What it is on; null where it is not yours to see."
    )
    grantee: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("Whom it is given to.")
    terms: list[PermissionTerm] = stored(
        "What it allows, use by use. Where a term passes on to derivatives, it holds for whatever is made from works "
        "of that artist, too."
    )
