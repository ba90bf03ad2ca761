"""What if: the facts as they would be after a change that nobody has made yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from domain.facts import Bond, Facts, Statement
from domain.policies import Stated
from domain.rights import Level, Use

NOT_WRITTEN = UUID(int=0)
"""The id of a row that is not there yet."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which flips are asked for.

    Attributes:
        uses: of these uses.
        first: how many at most.
        after: the number of the last one told before; None from the start.
    """

    uses: frozenset[Use] = frozenset(Use)
    first: int = 100
    after: int | None = None


Change = Callable[[Facts], Facts]
"""Makes of the facts those after a change."""


def policy_change(level: Level, subject: UUID, stated: Stated | None) -> Change:
    """Another policy of an asset, an artist or a version; nothing stated any more, where it is None."""
    said = None
    if stated is not None:
        license_ = stated.license
        said = Statement(NOT_WRITTEN, subject, level, stated.terms, license_.family, license_.id)
    return lambda facts: facts.restated(level, subject, said)


def edge_change(bond: Bond) -> Change:
    """An edge more."""
    return lambda facts: replace(facts, bonds=[*facts.bonds, bond])


def takedown(asset: UUID, *, is_withdrawn: bool = True) -> Change:
    """An asset is withdrawn, or no longer."""

    def apply(facts: Facts) -> Facts:
        withdrawn = facts.parts[asset]._replace(is_withdrawn=is_withdrawn)
        return replace(facts, parts={**facts.parts, asset: withdrawn})

    return apply


def merging(keep: UUID, retire: UUID) -> Change:
    """One asset takes the place of another; its own policy stands where it has one, and its bond of two alike."""

    def kept(id_: UUID) -> UUID:
        return keep if id_ == retire else id_

    def apply(facts: Facts) -> Facts:
        bonds: dict[tuple[object, ...], Bond] = {}
        for bond in sorted(facts.bonds, key=lambda bond: retire in (bond.child, bond.parent)):
            moved = bond._replace(child=kept(bond.child), parent=kept(bond.parent))
            if moved.child != moved.parent:
                bonds.setdefault((moved.child, moved.parent, moved.kind, moved.child_window), moved)
        speaks = any((said.level, said.subject) == (Level.ASSET, keep) for said in facts.statements)
        theirs = [said for said in facts.statements if said.subject == retire]
        stated = [said for said in facts.statements if said.subject != retire]
        stated += [] if speaks else [said._replace(subject=keep) for said in theirs]
        grants = [grant._replace(asset=kept(grant.asset)) for grant in facts.grants]
        return replace(facts, bonds=list(bonds.values()), statements=stated, grants=grants)

    return apply
