"""The SDL of visual worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.assets import Badge
from domain.hooks import VisualState
from domain.rights import Outcome
from graph.contributors import Credit
from graph.fields import PAGE, Connection, DateTime, Node, described, stored
from graph.rights import PermissionPolicy

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.assets import Media

described(VisualState, ACTIVE="Worn now.", RETIRED="Put away; its owner still sees it.")


@strawberry.type(description="The atmosphere of a hook or a world, and the cover of a release.")
class VisualWorld(Node):
    """A visual world."""

    state: VisualState = stored("Whether it is worn now.")
    title: str | None = stored("Its title.")
    source: Annotated["Media", strawberry.lazy("graph.assets")] | None = stored(
        "The image or the loop it shows, at `/api/media/{id}`; null where it is words and a colour."
    )
    texture: str | None = stored("What it feels like: a word of `Texture`.")
    colour: str | None = stored("Its colour, `#rrggbb`.")
    lyric_behaviour: str | None = stored("How words appear in it.")
    motion: str | None = stored("How it moves.")
    badges: list[Badge] = stored("How it was made.")
    credits: Connection[Credit] = stored("Who made it, in the owner's order.", *PAGE)
    policy: PermissionPolicy | None = stored(
        "What is stated of its reuse; null where what its artist states, or the default, holds."
    )
    reuse: Outcome | None = stored(
        "Whether it may be used elsewhere (`VISUAL_REUSE`), wherever that is and whatever it is for: as its own policy "
        "says, else its artist's, else the default of the house. Information, not legal advice."
    )
    owner: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("Who owns it.")
    version: int = stored("Grows with every write around what wears it; send it back as `expectedVersion`.")
    created_at: DateTime = stored("When the row was written.")
