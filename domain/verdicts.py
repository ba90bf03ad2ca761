"""May I use this for X? Answered for each use and layer over all an asset is made of, with everything in the way.

Information, not legal advice. Facts come from `domain.facts`, what each asset says from `domain.levels`; nothing here
reads or writes. Answers without their reasons, for many assets at once, are in `domain.outcomes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from domain.blockers import Blocker, Case, Conflict
from domain.facts import Facts, Question
from domain.levels import BITS, Reason
from domain.remedies import Asking, Clearing, Remedies
from domain.rights import Layer, Outcome, Use
from domain.sharing import CLOSED_BY_CONFLICT

RULES = "casset-rights/1"
"""The version of the rules, which a receipt names."""


class RouteKind(StrEnum):
    """What to do next."""

    NONE = "NONE"
    LICENSE = "LICENSE"
    CONTACT = "CONTACT"


class Route(NamedTuple):
    """What to do next.

    Attributes:
        kind: NONE where nothing is to be done, or nothing can be.
        price_minor: what the licenses cost together; None where one has no price, or another currency.
        currency: of the price, ISO 4217.
    """

    kind: RouteKind
    price_minor: int | None = None
    currency: str | None = None


class Verdict:
    """What holds of one use in one layer. What explains it is worked out when it is asked for."""

    def __init__(self, case: Case, remedies: Remedies, use: Use, layer: Layer) -> None:
        """Of a case, walked once for all of its verdicts."""
        self.use, self.layer = use, layer
        self._case, self._remedies = case, remedies
        self.outcome, self._deciding = ruled(case, use, layer)

    @cached_property
    def blockers(self) -> tuple[Blocker, ...]:
        """Every one, nearest first."""
        return tuple([blocker for _, blocker in self._case.blocking[BITS[self.use, self.layer]]])

    @cached_property
    def ask_at_least(self) -> tuple[Asking, ...] | Reason:
        """Whose consent opens the verdict, nobody to spare; UNREAD where a blocker could not be read."""
        return self._remedies.ask_at_least(self.use, self.layer)

    @cached_property
    def clear_by(self) -> tuple[Clearing, ...] | Reason:
        """Which bonds to drop for it, none to spare.

        OWN_POLICY where the asset's owner is in the way, UNREAD where the asset could not be read.
        """
        return self._remedies.clear_by(self.use, self.layer)

    @cached_property
    def conflicts(self) -> tuple[Conflict, ...]:
        """One example for each pair of share-alike licenses that exclude each other, where they close the use."""
        return self._case.conflicts[self.layer] if self.use in CLOSED_BY_CONFLICT else ()

    @cached_property
    def route(self) -> Route:
        """What to do next."""
        return _route(self.outcome, self.blockers)

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Which level spoke for the asset itself, then why the outcome is no more open."""
        own = self._case.voice(self._case.start).words[BITS[self.use, self.layer]].reason
        why = {blocker.reason for blocker in self._deciding}
        if self.conflicts and self.outcome is Outcome.CONTACT_OWNER:
            why.add(Reason.CONFLICT)
        return (own, *[reason for reason in Reason if reason in why and reason is not own])

    def __eq__(self, other: object) -> bool:
        """Whether both say the same in everything."""
        return isinstance(other, Verdict) and self._whole() == other._whole()

    def __hash__(self) -> int:
        """By what is answered."""
        return hash((self.use, self.layer, self.outcome))

    def _whole(self) -> tuple[object, ...]:
        told = self.use, self.layer, self.outcome, self.blockers, self.ask_at_least, self.clear_by
        return *told, self.conflicts, self.route, self.reasons


def decide(facts: Facts, question: Question) -> tuple[Verdict, ...]:
    """Answer a question: one verdict for each use asked and each layer, in the order of the vocabularies."""
    case = Case(facts.naming([question.asset]), question)
    remedies = Remedies(case)
    return tuple([Verdict(case, remedies, use, layer) for use in Use if use in question.uses for layer in Layer])


def ruled(case: Case, use: Use, layer: Layer) -> tuple[Outcome, list[Blocker]]:
    """What is answered of a use in a layer, and the blockers that decide it: none where only a conflict does."""
    blockers = [blocker for _, blocker in case.blocking[BITS[use, layer]]]
    is_disputed = use in CLOSED_BY_CONFLICT and bool(case.conflicts[layer])
    outcome = Outcome.CONTACT_OWNER if is_disputed else Outcome.ALLOWED
    for said in {blocker.outcome for blocker in blockers}:
        outcome = outcome.stricter(said)
    return outcome, [blocker for blocker in blockers if blocker.outcome is outcome]


def _route(outcome: Outcome, blockers: Sequence[Blocker]) -> Route:
    """A silent artist is asked, and never quoted as refusing."""
    match outcome:
        case Outcome.ALLOWED | Outcome.UNKNOWN:
            return Route(RouteKind.NONE)
        case Outcome.LICENSE_REQUIRED:
            terms = [blocker.term for blocker in blockers]
            prices = [term.price_minor for term in terms if term is not None and term.price_minor is not None]
            currencies = {term.currency for term in terms if term is not None}
            if len(prices) == len(terms) and len(currencies) == 1:
                return Route(RouteKind.LICENSE, sum(prices), currencies.pop())
            return Route(RouteKind.LICENSE)
        case Outcome.CONTACT_OWNER:
            return Route(RouteKind.CONTACT)
        case Outcome.DENIED:
            refusals = [blocker for blocker in blockers if blocker.outcome is Outcome.DENIED]
            is_silent = all(blocker.reason is Reason.NOT_STATED for blocker in refusals)
            return Route(RouteKind.CONTACT if is_silent else RouteKind.NONE)
