"""How a lineage edge stands: whether it binds, what its owners say of it, and whether the derivative is registered.

Silence or refusal of a parent never opens a child: what the child's side declares binds at once, and the parent's
permission decides the registration only. What others declare binds when the child's side confirms it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.errors import Forbidden, Moved
from domain.facts import CARRIES
from domain.ids import Ref
from domain.lineage import EdgeKind, EdgeStatus, EvidenceSource, Registration
from domain.rights import Layer, Outcome, strictest
from domain.windows import Window


class Side(StrEnum):
    """Which end of an edge somebody stands for."""

    CHILD = "CHILD"
    PARENT = "PARENT"


@dataclass(frozen=True, slots=True)
class EdgeDraft:
    """An edge somebody declares.

    Attributes:
        child: what is made.
        parent: what it is made from.
        kind: how.
        child_window: where in the child; None for the whole.
        parent_window: which part of the parent; None for the whole.
        note: in their words.
        method: how they know.
    """

    child: Ref
    parent: Ref
    kind: EdgeKind
    child_window: Window | None = None
    parent_window: Window | None = None
    note: str | None = None
    method: str | None = None


class Standing(NamedTuple):
    """How an edge stands.

    Attributes:
        status: what the owners say of it.
        registration: of the child as a derivative of the parent.
        binding: whether it carries rights.
        declared_by: who said it first.
    """

    status: EdgeStatus
    registration: Registration
    binding: bool
    declared_by: EvidenceSource


def declared(sides: frozenset[Side], kind: EdgeKind, permission: Mapping[Layer, Outcome]) -> Standing:
    """How an edge begins.

    Args:
        sides: what the one who declares it stands for; both ends where both are theirs.
        kind: of the edge.
        permission: the parent's verdict on registering derivatives, by layer, as it answers the child's owner.
    """
    binding = bool(CARRIES[kind])
    agreed = Standing(EdgeStatus.CONFIRMED, Registration.REGISTERED, binding, EvidenceSource.CHILD_OWNER)
    if len(sides) == len(Side):
        return agreed
    if Side.CHILD not in sides:
        return Standing(
            EdgeStatus.CLAIMED, Registration.PENDING, binding=False, declared_by=EvidenceSource.PARENT_OWNER
        )
    answer = strictest(permission[layer] for layer in CARRIES[kind])
    if answer is Outcome.ALLOWED:
        return agreed
    refused = answer is Outcome.DENIED
    registration = Registration.REFUSED if refused else Registration.PENDING
    return Standing(EdgeStatus.CLAIMED, registration, binding, EvidenceSource.CHILD_OWNER)


def confirmed(standing: Standing, sides: frozenset[Side]) -> Standing:
    """The side that did not declare it agrees; whoever disputed it may come round.

    Raises:
        Moved: it is confirmed already.
        Forbidden: it is for the other side to confirm.
    """
    _refuse(standing, sides, EdgeStatus.CONFIRMED, "confirm")
    return standing._replace(status=EdgeStatus.CONFIRMED, registration=Registration.REGISTERED, binding=True)


def rejected(standing: Standing, sides: frozenset[Side]) -> Standing:
    """The side that did not declare it says: not so. It stops binding.

    Raises:
        Moved: it is rejected already.
        Forbidden: it is for the other side to reject.
    """
    _refuse(standing, sides, EdgeStatus.REJECTED, "reject")
    return standing._replace(status=EdgeStatus.REJECTED, registration=Registration.REFUSED, binding=False)


def _refuse(standing: Standing, sides: frozenset[Side], wanted: EdgeStatus, verb: str) -> None:
    if standing.status is wanted:
        raise Moved(f"The edge is {verb}ed already.", path=("id",))
    if answering(standing) not in sides:
        raise Forbidden(f"It is for the other side to {verb} this edge.", path=("id",))


def disputed(standing: Standing) -> Standing:
    """Either side disagrees with how it stands. It binds until they agree.

    Raises:
        Moved: it is disputed already.
    """
    if standing.status is EdgeStatus.DISPUTED:
        raise Moved("The edge is disputed already.", path=("id",))
    return standing._replace(status=EdgeStatus.DISPUTED, binding=True)


def retractable(standing: Standing, sides: frozenset[Side]) -> None:
    """Who declared it may take it back, as long as the other side has not answered.

    Raises:
        Forbidden: it was declared by others.
        Moved: the other side has answered.
    """
    if len(sides) == len(Side):
        return
    if answering(standing) in sides:
        raise Forbidden("Others declared this edge: confirm, reject or dispute it.", path=("id",))
    if standing.status is not EdgeStatus.CLAIMED:
        raise Moved("The other side has answered: the edge stands as they agreed, or is disputed.", path=("id",))


def answering(standing: Standing) -> Side:
    """The side whose answer is waited for."""
    return Side.PARENT if standing.declared_by is EvidenceSource.CHILD_OWNER else Side.CHILD
