"""May I use this for X? Answered for each use and layer over all an asset is made of, with everything in the way.

Information, not legal advice. Facts come from `domain.facts`, what each asset says from `domain.levels`; nothing here
reads or writes. Answers without their reasons, for many assets at once, are in `domain.outcomes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
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


class Verdict(NamedTuple):
    """What holds of one use in one layer.

    Attributes:
        use: the use.
        layer: the layer.
        outcome: what is answered.
        blockers: every one, nearest first.
        ask_at_least: whose consent opens the verdict, nobody to spare; UNREAD where a blocker could not be read.
        clear_by: which bonds to drop for it, none to spare; OWN_POLICY where the asset's owner is in the way, UNREAD
            where the asset could not be read.
        conflicts: one example for each pair of share-alike licenses that exclude each other, where they close the use.
        route: what to do next.
        reasons: which level spoke for the asset itself, then why the outcome is no more open.
    """

    use: Use
    layer: Layer
    outcome: Outcome
    blockers: tuple[Blocker, ...]
    ask_at_least: tuple[Asking, ...] | Reason
    clear_by: tuple[Clearing, ...] | Reason
    conflicts: tuple[Conflict, ...]
    route: Route
    reasons: tuple[Reason, ...]


def decide(facts: Facts, question: Question) -> tuple[Verdict, ...]:
    """Answer a question: one verdict for each use asked and each layer, in the order of the vocabularies."""
    case = Case(facts.naming([question.asset]), question)
    remedies = Remedies(case)
    return tuple([_verdict(case, remedies, use, layer) for use in Use if use in question.uses for layer in Layer])


def _verdict(case: Case, remedies: Remedies, use: Use, layer: Layer) -> Verdict:
    blockers = [blocker for _, blocker in case.blocking[BITS[use, layer]]]
    conflicts = case.conflicts[layer] if use in CLOSED_BY_CONFLICT else ()
    outcome = Outcome.CONTACT_OWNER if conflicts else Outcome.ALLOWED
    for said in {blocker.outcome for blocker in blockers}:
        outcome = outcome.stricter(said)
    own = case.voice(case.start).words[BITS[use, layer]].reason
    why = {blocker.reason for blocker in blockers if blocker.outcome is outcome}
    if conflicts and outcome is Outcome.CONTACT_OWNER:
        why.add(Reason.CONFLICT)
    return Verdict(
        use,
        layer,
        outcome,
        tuple(blockers),
        remedies.ask_at_least(use, layer),
        remedies.clear_by(use, layer),
        conflicts,
        _route(outcome, blockers),
        (own, *[reason for reason in Reason if reason in why and reason is not own]),
    )


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
