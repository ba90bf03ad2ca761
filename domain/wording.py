"""What may be done, in one plain sentence: it names each use once, and quotes nobody who has not spoken."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from domain.blockers import Case
from domain.facts import Facts, Question
from domain.levels import BITS, WIDTH, Reason
from domain.rights import Layer, Outcome, Use, strictest
from domain.sharing import CLOSED_BY_CONFLICT
from domain.verdicts import ruled

DOING: Mapping[Use, str] = {
    Use.REMIX: "remixing",
    Use.STEMS: "working with stems",
    Use.SYNC: "setting it to moving images",
    Use.VISUAL_REUSE: "reusing its visuals",
    Use.AI_TRAINING: "training a model",
    Use.AI_GENERATION: "generating from it",
    Use.DERIVATIVE_REGISTRATION: "registering a derivative",
    Use.COMMERCIAL_USE: "commercial use",
}
"""Each use, as something that is done."""
DO: Mapping[Use, str] = {
    Use.REMIX: "remix it",
    Use.STEMS: "work with its stems",
    Use.SYNC: "set it to moving images",
    Use.VISUAL_REUSE: "reuse its visuals",
    Use.AI_TRAINING: "train a model on it",
    Use.AI_GENERATION: "generate from it",
    Use.DERIVATIVE_REGISTRATION: "register a derivative of it",
    Use.COMMERCIAL_USE: "use it commercially",
}
"""Each use, as something one may do."""


class Standing(Enum):
    """How it stands with a use: the clause that says so, the words for the use, and what joins several of them."""

    MAY = ("you may {uses}{conditions}", DO, "and")
    NOT_STATED = ("its artists have not all said whether you may {uses}, so ask first", DO, "or")
    LICENSE = ("you need a license for {uses}", DOING, "and")
    ASK = ("ask the owners before {uses}", DOING, "or")
    CONFLICT = ("for {uses} ask the owners, as its licenses{disputed} exclude each other", DOING, "and")
    UNKNOWN = ("whether you may {uses} could not be read", DO, "or")
    MAY_NOT = ("you may not {uses}", DO, "or")


_OF_OUTCOME = {
    Outcome.ALLOWED: Standing.MAY,
    Outcome.LICENSE_REQUIRED: Standing.LICENSE,
    Outcome.CONTACT_OWNER: Standing.ASK,
    Outcome.UNKNOWN: Standing.UNKNOWN,
    Outcome.DENIED: Standing.MAY_NOT,
}


class Conditions(NamedTuple):
    """What is asked in return for what is allowed: credit, and licenses (SPDX) that what is made must carry."""

    credit: bool = False
    share_alike: Sequence[str] = ()


def terms_in_words(facts: Facts, question: Question, shown: Container[UUID]) -> str:
    """What a question's verdicts say, both layers together, as one sentence.

    Args:
        facts: what is decided from.
        question: what is asked.
        shown: the assets whose word is told; of the others only what it comes to is.
    """
    case = Case(facts.naming([question.asset]), question)
    standings = {use: _standing(case, use, shown) for use in Use if use in question.uses}
    allowed = [use for use, standing in standings.items() if standing is Standing.MAY]
    carriers = {carrier for conflicts in case.conflicts.values() for conflict in conflicts for carrier in conflict}
    disputed = {carrier.license for carrier in carriers if carrier.asset in shown}
    return sentence(standings, _conditions(case, allowed, shown), sorted(disputed))


def sentence(standings: Mapping[Use, Standing], conditions: Conditions, disputed: Sequence[str]) -> str:
    """One sentence: the uses by how it stands with them, from open to closed."""
    exclusive = f" {_listed(disputed)}" if len(disputed) > 1 else ""
    clauses = []
    for standing in Standing:
        clause, words, joint = standing.value
        uses = [words[use] for use in Use if standings.get(use) is standing]
        if uses:
            said = clause.format(uses=_listed(uses, joint), conditions=_asked(conditions), disputed=exclusive)
            clauses.append(said)
    whole = "; ".join(clauses)
    return f"{whole[:1].upper()}{whole[1:]}."


def _standing(case: Case, use: Use, shown: Container[UUID]) -> Standing:
    """The stricter of both layers. Who is silent, or hidden, is asked, and never quoted as refusing."""
    rulings = [ruled(case, use, layer) for layer in Layer]
    outcome = strictest(outcome for outcome, _ in rulings)
    deciding = [blocker for said, blockers in rulings if said is outcome for blocker in blockers]
    if outcome is Outcome.CONTACT_OWNER and use in CLOSED_BY_CONFLICT and any(case.conflicts.values()):
        return Standing.CONFLICT
    why = {blocker.reason for blocker in deciding if blocker.asset in shown}
    if why == {Reason.NOT_STATED}:
        return Standing.NOT_STATED
    return Standing.ASK if outcome is Outcome.DENIED and not why else _OF_OUTCOME[outcome]


def _conditions(case: Case, allowed: Iterable[Use], shown: Container[UUID]) -> Conditions:
    """What anything the asset is made of asks for, for the uses that are allowed."""
    outright = sum(1 << BITS[use, layer] for use in allowed for layer in Layer)
    wanted = outright | outright << WIDTH
    credit, named, hidden = False, set(), []
    for node, fresh, _ in case.ascent.arrivals:
        voice, part = case.voice(node), case.graph.parts[node]
        credit = credit or any(bits & fresh & wanted for _, bits in voice.credited)
        licenses = {license_ for license_, bits in voice.shares if bits & fresh & wanted}
        if part is not None and part.id in shown:
            named |= licenses
        elif licenses:
            hidden = ["a license you may not see"]
    return Conditions(credit, [*sorted(named), *hidden])


def _asked(conditions: Conditions) -> str:
    sharing = f"sharing alike under {_listed(conditions.share_alike)}" if conditions.share_alike else ""
    asked = ["with credit"] * conditions.credit + [sharing] * bool(sharing)
    return f" {' and '.join(asked)}" if asked else ""


def _listed(words: Sequence[str], joint: str = "and") -> str:
    """`a, b and c`."""
    *others, last = words
    return f"{', '.join(others)} {joint} {last}" if others else last
