"""The root of listening: what is told as it happens, over WebSocket and as a stream of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.utils.str_converters import to_camel_case

from db.feeds import NEWS, Position
from domain.ids import Kind, parse_ref_of
from domain.rooms import RoomEventKind, read_mark
from graph.feeds import ActivityUpdate, JobUpdate, RightsUpdate
from graph.fields import DateTime, argument, described, stored
from graph.presence import PresenceChange, RoomPerson
from resolvers.context import Acting
from resolvers.feeds import activity_updates, job_updates, rights_updates
from resolvers.happenings import room_events
from resolvers.presence import presence_in

if TYPE_CHECKING:
    from domain.rooms import Reaction

described(
    RoomEventKind,
    PRESENCE="Somebody joined, or left. Who is here is told by `presence`.",
    NOW_CHANGED="Something else is heard now, or nothing.",
    MESSAGE="Somebody said something.",
    MESSAGE_DELETED="Something that was said was taken back.",
    REACTION="Somebody said something without a word.",
    COMMENT="Somebody commented on what the room gathers around.",
    FOLLOWED="Somebody follows the artist from now on.",
    COLLECTED="Somebody keeps something from now on.",
    SUPPORTED="Somebody supports the artist.",
    CLIP_APPROVED="A clip of a fan is shown.",
    RELEASE_PUBLISHED="A release is out.",
    HEAT_CHANGED="The room is warmer, or cooler.",
    RESET="You were away for too long to be told what you missed: read the room afresh. What follows is new.",
)

Listen = Callable[[Acting], AsyncGenerator[Any]]
"""Hears what happens: values by SDL names, or events that have them under `value`, with a `mark` to resume from."""


@strawberry.type(description="A message, as it is told of.")
class RoomEventMessage:
    """The message of an event."""

    id: strawberry.ID = stored("Its id.")
    text: str | None = stored("What is said; null where it was taken back.")


@strawberry.type(description="A comment, as it is told of.")
class RoomEventComment:
    """The comment of an event."""

    id: strawberry.ID = stored("Its id.")
    hook: strawberry.ID | None = stored("The hook it is about; null for the world.")
    position_ms: int | None = stored("Where in the track, in milliseconds; null where it is about all of it.")


@strawberry.type(description="What is heard in a room from now on.")
class RoomEventNow:
    """What an event says is heard."""

    track: strawberry.ID = stored("The track.")
    hook: strawberry.ID | None = stored("Its hook, where only that is heard.")
    title: str | None = stored("Its title.")
    duration_ms: int | None = stored("How long it is, in milliseconds.")
    since: DateTime = stored("When it began, by the clock of the house.")


@strawberry.type(
    description="Something that happened in a room: told once, in order, and alike to everybody who may read the room."
)
class RoomEvent:
    """An event."""

    id: strawberry.ID = stored("Its place: resume after it with `after`, or as `Last-Event-ID`.")
    kind: RoomEventKind = stored("What happened.")
    at: DateTime = stored("When.")
    person: RoomPerson | None = stored("Who did it; null where nobody did, or nobody is named.")
    joined: bool | None = stored("Of PRESENCE: whether they are a member from now on, or no longer.")
    message: RoomEventMessage | None = stored("Of MESSAGE and MESSAGE_DELETED: the message.")
    reaction: Annotated["Reaction", strawberry.lazy("graph.rooms")] | None = stored("Of REACTION: the reaction.")
    comment: RoomEventComment | None = stored("Of COMMENT: the comment.")
    now: RoomEventNow | None = stored("Of NOW_CHANGED: what is heard; null where nothing is.")
    subject: strawberry.ID | None = stored("What it is about, where that has an id.")
    title: str | None = stored("The title of what it is about.")
    heat: float | None = stored("Of HEAT_CHANGED: how warm the room is.")


@dataclass(frozen=True, slots=True)
class Source:
    """A field of `Subscription`.

    Attributes:
        name: in snake case.
        description: what is heard, for readers of the SDL.
        type: of what is told each time.
        arguments: of the field.
        read: reads them, refusing (BadInput) what is malformed before anything runs.
    """

    name: str
    description: str
    type: Any
    arguments: tuple[StrawberryArgument, ...]
    read: Callable[[Mapping[str, Any]], Listen]


def _room_events(given: Mapping[str, Any]) -> Listen:
    room, after = parse_ref_of(given["roomId"], frozenset({Kind.ROOM})), given.get("after")
    mark = None if after is None else read_mark(after, room.id)
    return lambda acting: room_events(acting, room, mark)


def _presence(given: Mapping[str, Any]) -> Listen:
    room = parse_ref_of(given["roomId"], frozenset({Kind.ROOM}))
    return lambda acting: presence_in(acting, room)


def _fed(listen: Callable[[Acting, Position | None], AsyncGenerator[Any]]) -> Callable[[Mapping[str, Any]], Listen]:
    def read(given: Mapping[str, Any]) -> Listen:
        after = None if given.get("after") is None else NEWS.read(given["after"])
        return lambda acting: listen(acting, after)

    return read


AFTER = argument("after", str | None, "The `cursor` of the last event you saw; from now on where none is given.")
_SOURCES = (
    Source(
        "room_events",
        'What happens in a room, from now on or after a place: `subscription { roomEvents(roomId: "room_…") { id kind '
        "person { handle } message { text } } }`. Who comes back with the last `id` they saw is told what they missed, "
        "each event once and in order, or RESET. It ends where you may not be in the room any more.",
        RoomEvent,
        (
            argument("roomId", strawberry.ID, "`room_…`"),
            argument("after", str | None, "The `id` of the last event you saw, or `Room.lastEvent`."),
        ),
        _room_events,
    ),
    Source(
        "presence",
        "Who is in a room: first all who are, then who comes and leaves. It ends where you may not be there any more.",
        PresenceChange,
        (argument("roomId", strawberry.ID, "`room_…`"),),
        _presence,
    ),
    Source(
        "job_updates",
        "How what is done for the artists you are a member of goes on.",
        JobUpdate,
        (AFTER,),
        _fed(job_updates),
    ),
    Source(
        "rights_changes",
        "What changed verdicts on works of the artists you are a member of, whoever changed what they are made of.",
        RightsUpdate,
        (AFTER,),
        _fed(rights_updates),
    ),
    Source(
        "activity",
        "What comes into your inbox.",
        ActivityUpdate,
        (AFTER,),
        _fed(activity_updates),
    ),
)
_BY_NAME: Mapping[str, Source] = {to_camel_case(source.name): source for source in _SOURCES}

Subscription = strawberry.type(
    type(
        "Subscription",
        (),
        {source.name: stored(source.description, *source.arguments) for source in _SOURCES}
        | {"__annotations__": {source.name: source.type for source in _SOURCES}},
    ),
    description="Listening. Each field tells what happened once it is written, and never what was rolled back.",
)


def read_subscription(name: str, given: Mapping[str, Any]) -> Listen | None:
    """Make a subscription ready, by its SDL name; None for one that is none of these.

    Raises:
        BadInput: an argument is malformed.
    """
    source = _BY_NAME.get(name)
    return None if source is None else source.read(given)
