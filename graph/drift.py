"""The SDL of drift: works whose stated policy is wider than what they are made of allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.rights import Outcome
from graph.fields import argument, stored
from graph.verdicts import QUESTION, Verdict

if TYPE_CHECKING:
    from graph.assets import Asset


@strawberry.type(description="A use that a work's owner declares more open than what it is made of allows.")
class Drift:
    """What is declared, and what holds."""

    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("The work.")
    declared: Outcome = stored("What its owner has stated.")
    verdict: Verdict = stored("What holds: its nearest blocker of the same decision says which clause was lost.")


@strawberry.type(
    description="A page of drift. It is complete, or says how to go on: it may hold less than was asked for."
)
class LicenseDrift:
    """A page."""

    drifts: list[Drift] = stored("Work by work, the newest first: one for each use and layer.")
    complete: bool = stored("Nothing is missing after this page.")
    end_cursor: str | None = stored("Where to go on; null where nothing was looked at.")


DRIFT = (
    argument("owner", strawberry.ID | None, "Only works of this artist (`artist_…`)."),
    *QUESTION,
    argument("first", int | None, "How many works to tell at most, 1 to 100; 20 where none is given."),
    argument("after", str | None, "Continue after this cursor."),
)
