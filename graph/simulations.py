"""The SDL of simulations: which verdicts a change flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.rights import Layer, Outcome, Use
from graph.fields import argument, described, stored
from resolvers.simulations import Cut

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.assets import Asset
    from graph.hooks import Hook

described(
    Cut,
    PAGE="There is more: go on after `endCursor`.",
    BUDGET="More is made of it than one answer looks at.",
)


@strawberry.type(description="A verdict that a change flips. What you may not see counts, and is not named.")
class VerdictChange:
    """A flip."""

    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "Whose verdict it is, a release among them; null where you may not see it."
    )
    owner: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored("Whose it is.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored(
        "The hook, where it is the verdict of a hook of the asset."
    )
    is_of_hook: bool = stored("It is the verdict of a hook, not of the whole.")
    use: Use = stored("Of which use.")
    layer: Layer = stored("In which layer.")
    before: Outcome = stored("The decision before.")
    after: Outcome = stored("The decision after.")


@strawberry.type(description="Which verdicts a change flips, as anybody would be answered. Not all it reaches.")
class VerdictChanges:
    """Flips."""

    count: int = stored("How many verdicts flip.")
    owners: int = stored("How many owners they belong to.")
    changes: list[VerdictChange] = stored("A page of them, by asset.")
    complete: bool = stored("All of them were told.")
    reason: Cut | None = stored("Why not; null where all were.")
    end_cursor: str | None = stored("Where to go on.")


CHANGES_PAGE = (
    argument("uses", list[Use] | None, "For which uses; all of them where none is named."),
    argument("first", int | None, "How many to tell, 1 to 1,000; 100 where nothing is said."),
    argument("after", str | None, "Continue after this cursor."),
)
