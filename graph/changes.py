"""The SDL of the change log, for those who keep a copy of what they may see."""

from __future__ import annotations

import strawberry

from domain.provenance import EventKind
from graph.fields import DateTime, Node, argument, stored


@strawberry.type(description="That something changed; read it to see how it is now.")
class Change:
    """A line."""

    kind: EventKind = stored("What was done.")
    at: DateTime = stored("When it was written down.")
    subject: Node | None = stored("To whom: an asset, an artist, a visual world or a release version.")
    cursor: str = stored("Its place among the changes.")


@strawberry.type(
    description="A page of changes. It may hold less than was asked for, and says whether that was all; what you may "
    "not see is left out."
)
class ChangeFeed:
    """A page."""

    changes: list[Change] = stored("In the order in which they are told to everybody, always.")
    complete: bool = stored("Nothing is there after this page by now. Ask again later, from its end.")
    end_cursor: str | None = stored("Where to go on; null where nothing has ever changed.")


CHANGES_AFTER = (
    argument("after", str | None, "Continue after this place; from the beginning where none is given."),
    argument("first", int | None, "How many to tell at most, 1 to 100; 20 where nothing is said."),
)
