"""The SDL of rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.rooms import RoomVisibility
from graph.fields import Node, described, stored

if TYPE_CHECKING:
    from graph.artists import World
    from graph.hooks import Hook
    from graph.releases import Release

described(
    RoomVisibility,
    PUBLIC="Everyone.",
    MEMBERS="The artist's members.",
    SUPPORTERS="Supporters and members.",
)


@strawberry.type(description="People inside the weather of a song.")
class Room(Node):
    """A room."""

    title: str | None = stored("Its title.")
    visibility: RoomVisibility = stored("Who may enter.")
    world: Annotated["World", strawberry.lazy("graph.artists")] = stored("The world it belongs to.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored("The hook it gathers around.")
    release: Annotated["Release", strawberry.lazy("graph.releases")] | None = stored("The release it gathers around.")
