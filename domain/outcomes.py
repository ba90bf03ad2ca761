"""Outcomes alone, of many questions at once over the same facts, and what changes between two states of the facts.

The answers are those of `domain.verdicts`, without their reasons: each asset above the asked ones is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from domain.assets import AssetKind
from domain.blockers import LAYER_BITS
from domain.closures import Sums, carries
from domain.facts import Bond, Facts, Part, Question, Statement
from domain.levels import BITS, OUTRIGHT, WIDTH, Voice, voice
from domain.lineage import EdgeKind
from domain.rights import Decision, Layer, Level, LicenseFamily, Outcome, Term, Use
from domain.sharing import CLOSED_BY_CONFLICT, conflicting

Outcomes = Mapping[tuple[Use, Layer], Outcome]

HYPOTHETICAL = UUID(int=0)
"""The id of a child that does not exist yet, and of its owner."""
_OUTCOMES = tuple(Outcome)
_RANKS = len(Outcome) - 1
_PLANE = 2 * WIDTH
_CLOSED = sum(1 << _PLANE * plane for plane in range(_RANKS))
"""One bit in each of the planes that say how closed it is."""


class Flip(NamedTuple):
    """A verdict that changes."""

    use: Use
    layer: Layer
    before: Outcome
    after: Outcome


class Flipped(NamedTuple):
    """A question of which verdicts change; `owner` of the asset after the change, or before it if there is none after.

    Few changes are told of many questions: those that are alike share theirs.
    """

    question: Question
    owner: UUID | None
    flips: tuple[Flip, ...]


def outcomes(facts: Facts, questions: Sequence[Question]) -> tuple[Outcomes, ...]:
    """The outcome of each question, by use and layer."""
    facts = facts.naming(question.asset for question in questions)
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, asked in enumerate(questions):
        # What is stated of a version is heard where its release is asked about only: such questions share nothing.
        alone = asked.asset if facts.of_version(asked.asset) else None
        shared = asked.on, asked.territory, asked.purpose, asked.grantees, alone
        groups.setdefault(shared, []).append(place)
    answers: dict[int, Outcomes] = {}
    for places in groups.values():
        summed = Summary(facts, questions[places[0]], [questions[place].asset for place in places])
        for place in places:
            answers[place] = summed.outcomes(questions[place])
    return tuple([answers[place] for place in range(len(questions))])


def flips(
    before: Facts, after: Facts, questions: Sequence[Question], moved: Mapping[UUID, UUID] = MappingProxyType({})
) -> tuple[Flipped, ...]:
    """The questions of which a change of the facts changes verdicts, in their order.

    Args:
        before: the facts before the change.
        after: those after it.
        questions: as they are asked before.
        moved: the assets that take the place of others in the questions after; it is told of them.
    """
    asked = [
        question._replace(asset=moved[question.asset]) if question.asset in moved else question
        for question in questions
    ]
    was, becomes = outcomes(before, questions), outcomes(after, asked)
    # Both answer the same uses, in the same order; what changes between two answers is looked for once.
    changes: dict[tuple[int, int], tuple[Flip, ...]] = {}
    found: list[Flipped] = []
    for question, old, new in zip(asked, was, becomes, strict=True):
        changed = changes.get((id(old), id(new)))
        if changed is None:
            changed = changes[id(old), id(new)] = tuple(
                [
                    Flip(use, layer, outcome, other)
                    for ((use, layer), outcome), other in zip(old.items(), new.values(), strict=True)
                    if outcome is not other
                ]
            )
        if changed:
            part = after.parts.get(question.asset) or before.parts.get(question.asset)
            found.append(Flipped(question, None if part is None else part.owner, changed))
    return tuple(found)


def hypothetical(facts: Facts, parents: Sequence[UUID], kind: EdgeKind, made: AssetKind = AssetKind.TRACK) -> Facts:
    """The facts with a child (`HYPOTHETICAL`) of some parents, whose owner allows everything."""
    anything = tuple([Term(use, None, Decision.ALLOWED) for use in Use])
    bonds = [
        Bond(UUID(int=number), HYPOTHETICAL, parent, kind) for number, parent in enumerate(dict.fromkeys(parents), 1)
    ]
    spoken = Statement(HYPOTHETICAL, HYPOTHETICAL, Level.ASSET, anything, LicenseFamily.CUSTOM)
    return Facts(
        {**facts.parts, HYPOTHETICAL: Part(HYPOTHETICAL, HYPOTHETICAL, made)},
        [*facts.bonds, *bonds],
        [*facts.statements, spoken],
        facts.unread,
        facts.grants,
    )


class Summary:
    """How closed everything above some assets is, and which licenses it asks what is made to carry."""

    def __init__(self, facts: Facts, question: Question, assets: Iterable[UUID]) -> None:
        """Sum up, for questions about these assets that differ from this one in asset, uses and window only.

        Raises:
            KeyError: the facts do not name an asset.
        """
        graph = self._graph = facts.graph
        self._planes = {license_: _PLANE * plane for plane, license_ in enumerate(facts.disputed, _RANKS)}
        # Most assets come to one of few sums.
        self._told: dict[tuple[int, frozenset[Use]], Outcomes] = {}
        voices: dict[int, Voice] = {}

        def said(node: int) -> Voice:
            known = voices.get(node)
            if known is None:
                known = voices[node] = voice(facts, question, node)[0]
            return known

        def own(node: int) -> int:
            spoken = said(node)
            total = spoken.closed
            for license_, bits in spoken.shares:
                if license_ in self._planes:
                    total |= bits << self._planes[license_]
            return total

        self.sums = Sums(
            graph,
            [graph.numbers[asset] for asset in assets],
            _RANKS + len(self._planes),
            own,
            carries(graph, lambda node: said(node).reaches),
        )

    def outcomes(self, question: Question) -> Outcomes:
        """The outcome for each use and layer of one of the questions."""
        total = self.sums.at(self._graph.numbers[question.asset], question.window)
        known = self._told.get((total, question.uses))
        if known is None:
            uses = [use for use in Use if use in question.uses]
            known = {(use, layer): self.outcome(total, use, layer) for use in uses for layer in Layer}
            self._told[total, question.uses] = known
        return known

    def outcome(self, total: int, use: Use, layer: Layer) -> Outcome:
        """What a sum comes to."""
        rank = (total >> BITS[use, layer] & _CLOSED).bit_count()
        if (
            rank < Outcome.CONTACT_OWNER.rank
            and use in CLOSED_BY_CONFLICT
            and _is_conflict(self.licenses(total, layer))
        ):
            return Outcome.CONTACT_OWNER
        return _OUTCOMES[rank]

    def licenses(self, total: int, layer: Layer) -> frozenset[str]:
        """The licenses in a sum that may exclude each other."""
        asked = LAYER_BITS[layer] & OUTRIGHT
        return frozenset(name for name, plane in self._planes.items() if total >> plane & asked)


@lru_cache(maxsize=1024)
def _is_conflict(licenses: frozenset[str]) -> bool:
    return bool(conflicting(licenses))
