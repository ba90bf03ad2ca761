"""The SDL of entitlements: what is open to whom."""

from __future__ import annotations

import strawberry

from domain.entitlements import EntitlementScope, EntitlementSource, EntitlementState
from graph.artists import Artist
from graph.assets import Asset
from graph.fields import DateTime, Node, described, stored

described(
    EntitlementScope,
    CASSET="A whole world: everything of the artist that is not private.",
    RELEASE="A release, with the tracks of its artist in it.",
    TRACK="A track.",
)
described(
    EntitlementSource,
    PURCHASE="It was paid for.",
    FREE_JOIN="They joined a world that asks nothing for it.",
    REWARD="It was earned.",
    GRANT="An owner gave it.",
)
described(
    EntitlementState,
    ACTIVE="It opens what it is to.",
    SUSPENDED="It opens nothing for the time being.",
    REVOKED="It is over for good.",
)


@strawberry.type(
    description="Something is open to somebody: they hear the whole of it. Only they see it, and of what an owner gave "
    "the owners, too."
)
class Entitlement(Node):
    """An entitlement."""

    handle: str = stored("The handle of the account it is open to.")
    scope: EntitlementScope = stored("How much it opens.")
    artist: Artist | None = stored("Whose world it opens; null where it is to something in it.")
    asset: Asset | None = stored("The release or the track; null for a whole world, and where it may not be seen.")
    source: EntitlementSource = stored("Where it came from.")
    state: EntitlementState = stored("Whether it opens anything.")
    created_at: DateTime = stored("Since when.")
