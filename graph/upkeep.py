"""The SDL of upkeep: how it goes with what is done and kept for the artists somebody holds."""

from __future__ import annotations

import strawberry

from graph.fields import DateTime, stored


@strawberry.type(description="How it goes with what is done and kept for the artists you hold; all is well at zero.")
class Upkeep:
    """Counts."""

    jobs_due: int = stored("Jobs that could be done now and are not: `jobs` tells which.")
    oldest_due_at: DateTime | None = stored("When the one became due that waits longest; null where none does.")
    jobs_dead: int = stored("Jobs that failed and are not tried again.")
    manifests_failing: int = stored(
        "Manifests whose last check found them wrong: `ReleaseVersion.integrity` tells how."
    )
    anchors_waiting: int = stored("Anchored proofs that were asked for and are not there to stay yet.")
    anchors_lost: int = stored("Anchored proofs that the chain refused, or has no longer: ask for them again.")
