"""The SDL of artists and their worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.artists import ArtistKind, ArtistOrder
from domain.assets import AssetOrder, Badge
from graph.assets import Asset, AssetFilter
from graph.fields import PAGE, Connection, DateTime, Node, argument, described, stored
from graph.hooks import Hook
from graph.provenance import ProvenanceEvent
from graph.releases import Release
from graph.rights import PermissionPolicy
from graph.rooms import Room
from graph.social import Comment, ParticipationSnapshot
from graph.themes import Theme
from graph.visuals import VisualWorld

if TYPE_CHECKING:
    from graph.licensing import AgentUse
    from graph.memberships import Invite, Membership
    from graph.rituals import Ritual

described(
    ArtistKind,
    CREATOR="One person who makes things.",
    FAN="Somebody who listens and gathers.",
    DUO="Two people.",
    GROUP="A band or an ensemble.",
    LABEL="A label.",
    ESTATE="The estate of an artist.",
    SCENE="A scene: many artists around one place or sound.",
)
described(ArtistOrder, NAME="Name, letter case aside.", NEWEST="Newest first.")


@strawberry.type(description="The holder of a world and the owner of assets.")
class Artist(Node):
    """An artist."""

    handle: str = stored("The address of the world, in lower case.")
    name: str = stored("The name.")
    kind: ArtistKind = stored("What the artist is.")
    claimed: bool = stored("Somebody signs in for the artist. An imported artist waits to be claimed.")
    version: int = stored("The optimistic version: an update names the one it was made from.")
    created_at: DateTime = stored("When the row was written.")
    world: Annotated["World", strawberry.lazy("graph.artists")] = stored("The world to enter.")
    policy: PermissionPolicy | None = stored("What the artist states for all of their assets.")
    members: Connection[Annotated["Membership", strawberry.lazy("graph.memberships")]] = stored(
        "Who holds the artist, for those who do; empty for everybody else.", *PAGE
    )
    invites: Connection[Annotated["Invite", strawberry.lazy("graph.memberships")]] = stored(
        "The invites that somebody may still follow, for owners; empty for everybody else.", *PAGE
    )
    assets: Connection[Asset] = stored(
        "The assets the viewer may list.",
        *PAGE,
        argument("filter", AssetFilter | None, "Only assets for which all of this holds."),
        argument("order", AssetOrder | None, "The order; NEWEST where none is given."),
    )
    provenance: Connection[ProvenanceEvent] = stored("What happened to the artist, oldest first.", *PAGE)
    usage: Connection[Annotated["AgentUse", strawberry.lazy("graph.licensing")]] = stored(
        "What programs asked about the artist's work, newest first, for members; empty for everybody else.",
        *PAGE,
    )


@strawberry.type(description="The public face of an artist: what they sound like, where it lives, what to remember.")
class World:
    """The projection of an artist that people enter."""

    handle: str = stored("Its address.")
    name: str = stored("Its name.")
    tagline: str | None = stored("One line about it.")
    bio: str | None = stored("What the artist tells about themselves.")
    url: str = stored(
        "Where people find it. It begins with the origin of the house, where that is known; else it is on this host."
    )
    artist: Artist = stored("Who holds it.")
    theme: Theme | None = stored("How it looks.")
    badges: list[Badge] = stored("How it was made, as its theme shows it.")
    visual_world: VisualWorld | None = stored("The atmosphere the songs live in.")
    lead_hook: Hook | None = stored("The hook to remember.")
    hooks: Connection[Hook] = stored("What the artist sounds like, newest first.", *PAGE)
    releases: Connection[Release] = stored("The releases, newest first.", *PAGE)
    room: Room | None = stored("Where people gather.")
    current_ritual: Annotated["Ritual", strawberry.lazy("graph.rituals")] | None = stored(
        "What is happening now, or else comes next."
    )
    follower_count: int = stored("How many follow the artist.")
    comment_count: int = stored("How many comments there are.")
    share_count: int = stored("How many share it.")
    viewer_follows: bool = stored("You follow the artist.")
    comments: Connection[Comment] = stored("What people say about it, newest first.", *PAGE)
    participation: ParticipationSnapshot | None = stored(
        "How people gather around it, measured every hour; null where nothing was."
    )
