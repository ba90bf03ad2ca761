"""The SDL of rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.rights import Outcome
from domain.rooms import Reaction, RoomVisibility
from graph.fields import PAGE, Connection, DateTime, Node, argument, described, stored
from graph.presence import RoomPresence
from graph.verdicts import Verdict
from graph.visuals import VisualWorld

if TYPE_CHECKING:
    from graph.artists import World
    from graph.assets import Track
    from graph.hooks import Hook
    from graph.releases import Release

described(
    RoomVisibility,
    PUBLIC="Everyone.",
    MEMBERS="The artist's members.",
    SUPPORTERS="Supporters and members.",
)
described(
    Reaction,
    HEART="It is loved.",
    FIRE="It burns.",
    CLAP="Applause.",
    WAVE="Hello, or goodbye.",
    SPARK="A moment of light.",
    TEARS="It moves to tears.",
)
_PLAYING = (
    argument("territory", str | None, "Where, as an ISO 3166-1 code such as DE; everywhere where none is given."),
    argument("recorded", bool | None, "Whether what is heard is recorded, or shown again later."),
)


@strawberry.type(description="What a room hears now.")
class RoomNow:
    """The piece and its moment."""

    since: DateTime = stored("Since when, by our clock: what has gone by since then has been heard.")
    track: Annotated["Track", strawberry.lazy("graph.assets")] | None = stored(
        "The track; null where you may not see it, such as before it is out."
    )
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored(
        "The hook, where only that is heard; null where the whole track is."
    )
    visual_world: VisualWorld | None = stored("The atmosphere the room wears: that of the hook, or else of its world.")


@strawberry.type(description="How you stand in a room.")
class RoomStanding:
    """The viewer's."""

    is_host: bool = stored("You say how it goes here: you may change what is the artist's whose room it is.")
    joined_at: DateTime | None = stored("Since when you are a member; null where you are none.")
    muted_until: DateTime | None = stored("Until when you are not heard here; null where nobody muted you.")


@strawberry.type(
    description="Somebody as a room knows them: who joined, and to its hosts who is muted or was sent out."
)
class RoomGuest(Node):
    """Somebody and a room."""

    handle: str = stored("The handle of the account.")
    joined_at: DateTime | None = stored("Since when they are a member; null where they are none.")
    muted_until: DateTime | None = stored("Until when they are not heard; null where they are, and to who is no host.")
    banned_at: DateTime | None = stored(
        "Since when the room is closed to them; null where it is open, and to who is no host."
    )
    room: Annotated["Room", strawberry.lazy("graph.rooms")] | None = stored("Where.")


@strawberry.type(description="Something somebody said in a room. Taken back, it keeps its place and loses its words.")
class RoomMessage(Node):
    """A message."""

    text: str | None = stored("The words; null where it was taken back.")
    handle: str = stored("The handle of whoever said it.")
    created_at: DateTime = stored("When it was said.")
    deleted_at: DateTime | None = stored("When it was taken back, by whoever said it or a host.")
    room: Annotated["Room", strawberry.lazy("graph.rooms")] | None = stored("Where.")


@strawberry.type(description="Something the hosts of a room mean to play.")
class QueueItem(Node):
    """A place in the queue."""

    position: int = stored("Grows along the queue; there may be gaps.")
    handle: str = stored("The handle of the host who put it there.")
    created_at: DateTime = stored("When.")
    track: Annotated["Track", strawberry.lazy("graph.assets")] | None = stored(
        "The track; null where you may not see it, such as before it is out."
    )
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored(
        "The hook, where only that is played; null where the whole track is."
    )
    room: Annotated["Room", strawberry.lazy("graph.rooms")] | None = stored("In whose queue.")
    decision: Outcome | None = stored(
        "May it be played here, now? The strictest of `rights`; DENIED where it is not open to everybody any more. "
        "Hearing together what everybody may hear takes no permission; people who paid for it, or a recording, do. "
        "Null to who is no host.",
        *_PLAYING,
    )
    rights: list[Verdict] | None = stored(
        "The verdicts on what playing it here is: COMMERCIAL_USE among supporters, SYNC where it is recorded. The "
        "artist whose room it is needs nobody's leave for what is theirs. Null to who is no host.",
        *_PLAYING,
    )


@strawberry.type(description="People inside the weather of a song.")
class Room(Node):
    """A room."""

    title: str | None = stored("Its title.")
    visibility: RoomVisibility = stored("Who may enter.")
    world: Annotated["World", strawberry.lazy("graph.artists")] = stored("The world it belongs to.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored("The hook it gathers around.")
    release: Annotated["Release", strawberry.lazy("graph.releases")] | None = stored("The release it gathers around.")
    slow_mode_seconds: int = stored("How long everybody but hosts waits between two messages; 0 for not at all.")
    last_event: str = stored(
        "The place after the last thing that happened here: a stream that begins `after` it tells everything since."
    )
    now: RoomNow | None = stored("What is heard; null where nothing is.")
    messages: Connection[RoomMessage] = stored("What was said, newest first.", *PAGE)
    members: Connection[RoomGuest] = stored("Who joined, latest first.", *PAGE)
    standing: RoomStanding | None = stored("How you stand here; null to anonymous.")
    held_back: Connection[RoomGuest] = stored("Who is muted or was sent out; empty to who is no host.", *PAGE)
    queue: Connection[QueueItem] = stored("What its hosts mean to play, in that order.", *PAGE)
    first_blocked: QueueItem | None = stored(
        "The first in the queue that may not be played as it is; null where all of it may, and to who is no host.",
        *_PLAYING,
    )
    heat: float = stored(
        "How warm it is now, 0 to 100: of what people do in it, half of which has cooled down in ten minutes."
    )
    present: RoomPresence | None = stored("Who is in it now, by their heartbeats.")
