"""The SDL of artists, their worlds and their themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.artists import ArtistKind, ArtistOrder, SeedSource, Texture
from domain.assets import AssetOrder
from graph.assets import Asset, AssetFilter
from graph.fields import PAGE, Connection, DateTime, Node, argument, described, stored
from graph.hooks import Hook, VisualWorld
from graph.provenance import ProvenanceEvent
from graph.releases import Release
from graph.rights import PermissionPolicy
from graph.rooms import Room

if TYPE_CHECKING:
    from graph.memberships import Membership

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
described(
    Texture,
    NONE="No texture.",
    PAPER="Paper.",
    FILM_GRAIN="Film grain.",
    HALFTONE="Halftone dots.",
    DENIM="Denim.",
    TAPE="Tape.",
    LINEN="Linen.",
    STATIC="Static.",
    VINYL="Vinyl.",
    CHROME="Chrome.",
)
described(
    SeedSource,
    COVER="Taken from a cover.",
    CURATED="Chosen from a curated set.",
    CUSTOM="Chosen freely.",
)


@strawberry.type(description="The colour a theme grows from.")
class ThemeSeed:
    """HSL."""

    source: SeedSource = stored("Where the colour was taken.")
    hue: int = stored("Hue in degrees, 0 to 359.")
    saturation: int = stored("Saturation in percent.")
    lightness: int = stored("Lightness in percent.")


@strawberry.type(description="The colours of a theme, each `#rrggbb`.")
class ThemeTokens:
    """Seven colours."""

    base: str = stored("The ground.")
    surface: str = stored("What lies on the ground.")
    accent: str = stored("What wants to be seen.")
    glow: str = stored("The light around it.")
    gradient_end: str = stored("Where the ground's gradient ends.")
    footer_start: str = stored("Where the footer's gradient begins.")
    footer_end: str = stored("Where the footer's gradient ends.")


@strawberry.type(description="The look of a world or a hook.")
class Theme(Node):
    """Theme, version 1."""

    seed: ThemeSeed = stored("The colour it grows from.")
    tokens: ThemeTokens = stored("Its colours.")
    is_extracted: bool = stored("Its colours were read off a cover.")
    pattern: str | None = stored("The name of its pattern.")
    texture: Texture = stored("The grain over it.")
    texture_opacity: float = stored("How strong the grain is, 0 to 1.")
    typography: str | None = stored("Its typeface.")
    motion: str | None = stored("How it moves.")
    release_posture: str | None = stored("How a release stands in it.")
    artist: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("Whose theme it is.")


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
    assets: Connection[Asset] = stored(
        "The assets the viewer may list.",
        *PAGE,
        argument("filter", AssetFilter | None, "Only assets for which all of this holds."),
        argument("order", AssetOrder | None, "The order; NEWEST where none is given."),
    )
    provenance: Connection[ProvenanceEvent] = stored("What happened to the artist, oldest first.", *PAGE)


@strawberry.type(description="The public face of an artist: what they sound like, where it lives, what to remember.")
class World:
    """The projection of an artist that people enter."""

    handle: str = stored("Its address.")
    name: str = stored("Its name.")
    tagline: str | None = stored("One line about it.")
    bio: str | None = stored("What the artist tells about themselves.")
    artist: Artist = stored("Who holds it.")
    theme: Theme | None = stored("How it looks.")
    visual_world: VisualWorld | None = stored("The atmosphere the songs live in.")
    lead_hook: Hook | None = stored("The hook to remember.")
    hooks: Connection[Hook] = stored("What the artist sounds like, newest first.", *PAGE)
    releases: Connection[Release] = stored("The releases, newest first.", *PAGE)
    room: Room | None = stored("Where people gather.")
