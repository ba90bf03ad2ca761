"""The SDL of walks: everything something is made of, or everything made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.assets import AssetKind
from domain.lineage import EdgeStatus, StepKind
from graph.fields import argument, described, stored
from graph.verdicts import AS_OF, KNOWN_AT, LineageStep, WindowInput
from resolvers.lineage import WalkEnd

if TYPE_CHECKING:
    from graph.assets import Asset

described(
    WalkEnd,
    PAGE="There is more: go on with `after: endCursor`.",
    DEPTH="There is more beyond the depth that was asked for.",
    BUDGET="The walk came by more than a walk may: ask for fewer kinds, or a smaller depth.",
)


@strawberry.type(description="An asset a walk came by.")
class WalkedAsset:
    """A step's end."""

    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "The asset; null where you may not see it."
    )
    distance: int = stored("How many steps away it is, by the shortest way.")
    through: list[LineageStep] = stored("The last steps of the shortest ways there.")


@strawberry.type(
    description="A walk along lineage, nearest first. It is complete, or says that it is not, why, and how to go on."
)
class LineageWalk:
    """A page of a walk."""

    assets: list[WalkedAsset] = stored("The assets of this page.")
    complete: bool = stored("Nothing is missing after this page.")
    reason: WalkEnd | None = stored("Why it is not complete.")
    end_cursor: str | None = stored("Where to go on; null on an empty page.")


@strawberry.type(description="A way from what is made up to what it is made of.")
class LineagePath:
    """A path."""

    length: int = stored("How many steps it takes.")
    steps: list[LineageStep] = stored("The steps, from what is made upwards.")


@strawberry.type(description="Something that several assets are made of.")
class CommonAncestor:
    """A common ancestor."""

    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "What they have in common; null where you may not see it."
    )
    distances: list[int] = stored("How many steps away it is from each of them, in their order.")


WALK = (
    argument("kinds", list[StepKind] | None, "Only along steps of these kinds."),
    argument("statuses", list[EdgeStatus] | None, "Only along edges of these statuses."),
    argument(
        "assetKinds",
        list[AssetKind] | None,
        "Tell only assets of these kinds; others are walked over, and so is all that you may not see.",
    ),
    argument(
        "contributor",
        strawberry.ID | None,
        "Tell only assets on which this contributor is credited; others are walked over, and so is all that you may "
        "not see.",
    ),
    argument(
        "window",
        WindowInput | None,
        "Only what that stretch of it touches: a step is taken where the stretch overlaps its window on this side, and "
        "goes on with its window on the other side. A step with an end you may not see counts as one of the whole.",
    ),
    argument("depth", int | None, "At most so many steps away."),
    AS_OF,
    KNOWN_AT,
    argument("first", int | None, "How many assets to tell, 1 to 3,000; 100 where none is given."),
    argument("after", str | None, "Continue after this cursor."),
)
