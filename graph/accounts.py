"""The SDL of accounts and of who is asking. The session's secret is in no field: it travels in a cookie."""

from __future__ import annotations

import strawberry

from graph.artists import Artist
from graph.claims import ArtistClaim
from graph.contributors import Credit, Split
from graph.entitlements import Entitlement
from graph.fields import PAGE, Connection, DateTime, Node, argument, stored
from graph.hooks import Hook
from graph.identities import Identity
from graph.keys import AgentKey
from graph.memberships import Membership
from graph.social import Activity, ShareLink
from graph.upkeep import Upkeep


@strawberry.type(description="Somebody who signs in. Only they see it.")
class Account(Node):
    """The viewer's own account."""

    handle: str = stored("The name they sign in with.")
    email: str | None = stored("The address their letters go to.")
    email_verified: bool = stored("They have shown the address to be theirs.")
    identities: Connection[Identity] = stored(
        "The sign-ins with other houses that are linked to it, oldest first.", *PAGE
    )
    created_at: DateTime = stored("When they joined.")


@strawberry.type(description="Who is asking.")
class Viewer:
    """The signed-in person."""

    account: Account = stored("Their account.")
    artists: Connection[Artist] = stored("The artists they hold.", *PAGE)
    keys: Connection[AgentKey] = stored("The keys they issued, and those of artists they own, newest first.", *PAGE)
    memberships: Connection[Membership] = stored("As what they hold each of them, newest first.", *PAGE)
    entitlements: Connection[Entitlement] = stored("What is open to them, newest first.", *PAGE)
    claims: Connection[ArtistClaim] = stored("The artists they claim to be, newest first.", *PAGE)
    proposed_credits: Connection[Credit] = stored(
        "The credits that name them, or an artist they edit, and wait for `answerCredit`; newest first.", *PAGE
    )
    proposed_splits: Connection[Split] = stored(
        "The shares that name them, or an artist they edit, and wait for `answerSplit`.", *PAGE
    )
    following: Connection[Artist] = stored("The artists they follow, by name.", *PAGE)
    saved_hooks: Connection[Hook] = stored("The hooks they keep, newest hook first.", *PAGE)
    share_links: Connection[ShareLink] = stored("The links they made, newest first.", *PAGE)
    activity: Connection[Activity] = stored(
        "What others did around what is theirs, and whom they follow; latest first.",
        *PAGE,
        argument("unreadOnly", bool | None, "Only what they have not read yet."),
    )
    unread_activity_count: int = stored("How many lines of `activity` they have not read yet.")
    upkeep: Upkeep = stored("How it goes with what is done and kept for the artists they hold.")
