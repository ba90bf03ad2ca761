"""Drift: what an asset's owner states is more open than what it is made of allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.facts import Facts, Question
from domain.levels import BITS, Reason, voice
from domain.outcomes import Outcomes, outcomes
from domain.rights import Outcome
from domain.verdicts import Verdict, decide


class Drift(NamedTuple):
    """What is declared of one use in one layer, and the verdict, which is more closed."""

    declared: Outcome
    verdict: Verdict


def drifts(facts: Facts, questions: Sequence[Question]) -> Iterator[tuple[Drift, ...]]:
    """Of each question in turn, what is declared wider than it is: none where the owner has stated nothing."""
    for question, found in zip(questions, outcomes(facts, questions), strict=True):
        yield _drifts(facts, question, found)


def _drifts(facts: Facts, question: Question, found: Outcomes) -> tuple[Drift, ...]:
    facts = facts.naming([question.asset])
    words = voice(facts, question, facts.graph.numbers[question.asset])[0].words
    declared = {
        key: words[BITS[key]].outcome
        for key, outcome in found.items()
        if words[BITS[key]].reason is not Reason.NOT_STATED and words[BITS[key]].outcome.rank < outcome.rank
    }
    if not declared:
        return ()
    verdicts = decide(facts, question._replace(uses=frozenset(use for use, _ in declared)))
    return tuple(
        [
            Drift(declared[verdict.use, verdict.layer], verdict)
            for verdict in verdicts
            if (verdict.use, verdict.layer) in declared
        ]
    )
