"""The SDL of how a release is passed on."""

from __future__ import annotations

import strawberry

from graph.fields import stored


@strawberry.type(description="How a release is passed on: by links to it, and to the hooks of what it holds.")
class CirculationSummary:
    """Links and those who came by them."""

    links: int = stored("How many links there are, its own people's too.")
    sharers: int = stored("How many made one.")
    visits: int = stored("How often somebody came by one.")
    visitors: int = stored("How many came by each, in all: who came by two counts twice.")
    trusted: int = stored(
        "How many of the links brought somebody new, of accounts that were there for a week; measured every hour."
    )
    brought: int = stored("How many new people took part in its world after they came by one.")
