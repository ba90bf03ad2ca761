"""The SDL of verdicts: may I use this for X, what is in the way, whom to ask, what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.levels import Reason
from domain.lineage import EdgeKind, StepKind
from domain.rights import Layer, Outcome, Use
from domain.verdicts import RouteKind
from graph.fields import DateTime, argument, described, optional, stored
from graph.rights import PermissionPolicy, Price

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.assets import Asset
    from graph.lineage import LineageEdge
    from graph.releases import ReleaseItem

described(
    Outcome,
    ALLOWED="Allowed, under the terms stated.",
    LICENSE_REQUIRED="Allowed with a license.",
    CONTACT_OWNER="Somebody has to be asked.",
    UNKNOWN="Part of what it is made of could not be read: never taken for allowed.",
    DENIED="Not allowed.",
)
described(
    Reason,
    GRANT="The owner allowed it to whoever asks, or to whoever made what it was reached through.",
    AGENT_RULE="What the version of the release says to your programs alone.",
    VERSION="A version of the release spoke.",
    ASSET="The asset's own policy spoke.",
    ARTIST="The artist's policy for all of their assets spoke.",
    NOT_STATED="Nobody has spoken, and the default of the house holds.",
    WITHDRAWN="It is withdrawn.",
    UNREAD="It could not be read.",
    CONFLICT="Two licenses exclude each other.",
    OWN_POLICY="The owner's own policy is in the way.",
    HIDDEN="You may not see why.",
)
described(
    RouteKind,
    NONE="Nothing is to be done, or nothing can be.",
    LICENSE="Take a license.",
    CONTACT="Ask the owners.",
)
described(
    StepKind,
    CONTAINS="The release holds it.",
    **{kind.name: f"As `EdgeKind.{kind.name}` says." for kind in EdgeKind},
)


@strawberry.type(description="One step on the way from something to what it is made of.")
class LineageStep:
    """A bond on a path."""

    kind: StepKind = stored("How it is made of it.")
    edge: Annotated["LineageEdge", strawberry.lazy("graph.lineage")] | None = stored(
        "The edge, as it stood at the time the answer speaks of; null for an item, and where you may see neither end."
    )
    item: Annotated["ReleaseItem", strawberry.lazy("graph.releases")] | None = stored(
        "The item of a release, where you may see the release."
    )
    parent: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "What it leads to; null where you may not see it."
    )


@strawberry.type(
    description="Something in the way: the asset itself, or one it is made of. Where you may not see it, only its "
    "layer and decision are told."
)
class Blocker:
    """A blocker."""

    layer: Layer = stored("In which layer.")
    decision: Outcome = stored("What it says.")
    reason: Reason = stored("Which level spoke; HIDDEN where you may not see it.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("What is in the way.")
    owner: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored("Whose it is.")
    clause: str | None = stored("What was said, in one sentence.")
    policy: PermissionPolicy | None = stored(
        "The version of the policy that says so, also one that held before; null where nobody has spoken."
    )
    path: list[LineageStep] = stored(
        "The shortest way from the asked asset up to it; empty for itself, and where a step is between its owners only."
    )


@strawberry.type(description="Whom to ask, and about what.")
class Asking:
    """An owner to ask."""

    owner: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored(
        "The owner; null for those you may not see, who are reached by a message we pass on."
    )
    assets: list[Annotated["Asset", strawberry.lazy("graph.assets")] | None] = stored("About which of their assets.")


@strawberry.type(description="A step to drop, so that nothing above it is in the way any more.")
class Clearing:
    """A bond to drop."""

    step: LineageStep = stored("The step.")
    re_recordable: bool = stored("Playing it again instead of sampling it would do: only the composition then counts.")


@strawberry.type(description="Two licenses that exclude each other: what is made of both cannot carry both.")
class Conflict:
    """A conflict of share-alike licenses."""

    licenses: list[str] = stored("The two licenses (SPDX), without that of an asset you may not see.")
    assets: list[Annotated["Asset", strawberry.lazy("graph.assets")] | None] = stored(
        "The nearest asset that asks for each, as far as you may see it, in the same order."
    )


@strawberry.type(description="What to do next.")
class Route:
    """The way on."""

    kind: RouteKind = stored("What kind of step it is.")
    price: Price | None = stored(
        "What the licenses cost together, where you may see all of them and they say so in one currency."
    )


@strawberry.type(
    description="What holds of one use in one layer, over everything the asset is made of. Information, not legal "
    "advice."
)
class Verdict:
    """A verdict."""

    use: Use = stored("The use.")
    layer: Layer = stored("The layer.")
    decision: Outcome = stored("The strictest of all that speak.")
    reasons: list[Reason] = stored(
        "Which level spoke for the asset itself, then why the decision is no more open, as far as you may see."
    )
    blockers: list[Blocker] = stored("Everything that is not allowed, nearest first.")
    ask_at_least: list[Asking] | None = stored(
        "The fewest owners whose consent opens it; null where something could not be read."
    )
    clear_by: list[Clearing] | None = stored(
        "The steps to drop to open it, none of them to spare; null where that would not do, or may not be told."
    )
    clear_by_reason: Reason | None = stored("Why `clearBy` is null.")
    conflicts: list[Conflict] = stored("Licenses that exclude each other, one example for each pair.")
    route: Route = stored("What to do next.")


@strawberry.type(description="What may be done with one of the assets asked about.")
class PermissionAnswer:
    """An answer of `permissionCheck`."""

    id: strawberry.ID = stored("The id that was asked about.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "The asset; null where there is none for you."
    )
    decision: Outcome | None = stored("The strictest of its verdicts; null where there is no such asset for you.")
    verdicts: list[Verdict] | None = stored("All of its verdicts.")


@strawberry.type(description="Somebody to name, with what of theirs is used: title, author, source and license.")
class AttributionCredit:
    """A credit that a license asks for."""

    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "What is used; null where you may not see it."
    )
    author: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored("Whose it is.")
    license: str | None = stored("Under which license (SPDX); null where you may not see it.")
    distance: int = stored("How many steps away it was found; 0 for the asset itself.")


@strawberry.input(description="A stretch of a recording, from `startMs` up to but not including `endMs`.")
class WindowInput:
    """A half-open window."""

    start_ms: int = strawberry.field(description="Where it starts, in milliseconds.")
    end_ms: int | None = optional("Where it ends; the end of the recording where none is given.")


AS_OF = argument("asOf", DateTime | None, "What held at that moment; now where none is given, also beside `knownAt`.")
KNOWN_AT = argument(
    "knownAt", DateTime | None, "As it was known at that moment; at `asOf`, or else now, where none is given."
)
QUESTION = (
    argument("uses", list[Use] | None, "For which uses; all of them where none is named."),
    AS_OF,
    KNOWN_AT,
    argument("territory", str | None, "Where, as an ISO 3166-1 code such as DE; everywhere where none is given."),
    argument("purpose", str | None, "For which purpose."),
    argument("window", WindowInput | None, "Only that stretch; the whole where none is given."),
)
