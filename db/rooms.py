"""Where rooms live."""

from __future__ import annotations

from db import tables
from db.access import Action
from db.places import ToOne, Type, columns, refer

ROOM = Type(
    "Room",
    tables.room,
    {
        **columns(tables.room, "title", "visibility", id="ref"),
        "world": ToOne("World", refer("artist_id"), always=True),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "release": ToOne("Release", refer("release_id")),
    },
)
