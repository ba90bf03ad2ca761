"""Accounts and the viewer: who asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a member of an artist may do."""

    OWNER = "OWNER"
    EDITOR = "EDITOR"
    CONTRIBUTOR = "CONTRIBUTOR"
    MEMBER = "MEMBER"


EDITING_ROLES = frozenset({Role.OWNER, Role.EDITOR})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who enters a read or a write.

    Attributes:
        account: the signed-in account; None for anonymous.
        holds: the artists whose private things the viewer may see.
        edits: the artists whose things the viewer may change; a part of `holds`.
        is_agent: a program with a key, not a person.
        scopes: what an agent's key allows.
    """

    account: UUID | None = None
    holds: tuple[UUID, ...] = ()
    edits: tuple[UUID, ...] = ()
    is_agent: bool = False
    scopes: frozenset[str] = frozenset()


ANONYMOUS = Viewer()
