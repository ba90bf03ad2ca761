"""The SDL of memberships: who holds an artist, as what, and who may come to."""

from __future__ import annotations

import strawberry

from domain.accounts import Role
from graph.artists import Artist
from graph.fields import DateTime, Node, described, stored

described(
    Role,
    OWNER="Decides: who else is a member, keys, the address.",
    EDITOR="Changes what the artist has and says.",
    CONTRIBUTOR="Takes part in the making, and sees what is not public yet.",
    MEMBER="Sees what is not public yet.",
)


@strawberry.type(description="Somebody holds an artist, alone or with others. Only those who do see it.")
class Membership(Node):
    """A membership."""

    handle: str = stored("The handle of the account.")
    role: Role = stored("What they may do.")
    artist: Artist = stored("Whom they hold.")
    created_at: DateTime = stored("Since when.")


@strawberry.type(
    description="An invite that somebody may still follow. Only owners of the artist see it, and never its code."
)
class Invite(Node):
    """An open invite."""

    role: Role = stored("What whoever comes will be.")
    artist: Artist = stored("Whom they will hold.")
    sender: str = stored("The handle of the owner who sent it.")
    created_at: DateTime = stored("Since when.")
    expires_at: DateTime = stored("Until when the code is good.")
