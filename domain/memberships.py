"""Co-cassets: several people hold one artist; how they come, what they may be, and that somebody always owns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from domain.accounts import Role
from domain.errors import Invalid, Moved

INVITE_LASTS = timedelta(days=7)
MOST_MEMBERS = 100
"""Of an artist, those who are invited among them."""
LONGEST_CODE = 100


class Step(StrEnum):
    """What happened to a membership."""

    INVITED = "INVITED"
    WITHDRAWN = "WITHDRAWN"
    JOINED = "JOINED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who holds an artist; `decided` says that whoever acts may decide about them."""

    account: UUID
    role: Role
    decided: bool


def check_owned_still(members: Mapping[UUID, Member], changed: UUID, role: Role | None) -> None:
    """Let somebody have another role, or none.

    Args:
        members: all who hold the artist.
        changed: whose role it is, one of them.
        role: what they are from now on; None: a member no more.

    Raises:
        Moved: nobody would own the artist.
    """
    others = any(member.role is Role.OWNER for id_, member in members.items() if id_ != changed)
    if members[changed].role is Role.OWNER and role is not Role.OWNER and not others:
        raise Moved("Somebody has to own the artist. Make somebody else an owner first.")


def check_room(members: int, invited: int) -> None:
    """Let one more be invited.

    Raises:
        Invalid: these are enough.
    """
    if members + invited >= MOST_MEMBERS:
        raise Invalid(f"An artist has at most {MOST_MEMBERS} members, those who are invited among them.")
