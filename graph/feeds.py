"""The SDL of what somebody is told of what is theirs, as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from graph.fields import Node, stored

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.jobs import Job
    from graph.social import Activity


@strawberry.type(description="That something done for you goes on, or has ended.")
class JobUpdate:
    """A job as it stands."""

    job: Annotated["Job", strawberry.lazy("graph.jobs")] | None = stored("It, as it stands now.")
    cursor: str = stored("The place of this event: go on after it.")


@strawberry.type(description="That something upstream changed what may be done with works of yours.")
class RightsUpdate:
    """Flips of one owner."""

    artist: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored("Whose works.")
    cause: Node | None = stored("What it came from; null where you may not see it.")
    count: int = stored("How many verdicts are others now; `rightsChanges(since:)` tells them.")
    cursor: str = stored("The place of this event: go on after it.")


@strawberry.type(description="That something came into your inbox.")
class ActivityUpdate:
    """A line of the inbox."""

    activity: Annotated["Activity", strawberry.lazy("graph.social")] | None = stored("What came.")
    cursor: str = stored("The place of this event: go on after it.")
