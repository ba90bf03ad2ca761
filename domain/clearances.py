"""Which stretches of an asset are clear, and whom its use must credit."""

from __future__ import annotations

from itertools import combinations, product
from typing import NamedTuple
from uuid import UUID

from domain.blockers import Case
from domain.facts import Facts, Question
from domain.outcomes import Summary
from domain.rights import Layer, Outcome
from domain.sharing import CLOSED_BY_CONFLICT, conflicting
from domain.windows import Window, common, gaps


class Credit(NamedTuple):
    """Who must be named: the asset and its owner, under which license, and how far up the asset was found."""

    asset: UUID
    owner: UUID
    license: str | None
    distance: int


def clear_windows(facts: Facts, question: Question, length_ms: int) -> tuple[Window, ...]:
    """The stretches in which every window of a length is allowed, for all uses asked and both layers.

    A stretch begins with its first such window and ends with its last; stretches are as long as can be, in order, and
    may overlap where only what lies between two windows is closed. The question's window limits the search. Media
    shorter than the length is one window; where the length of the media is not known there is none.
    """
    facts = facts.naming([question.asset])
    part = facts.parts.get(question.asset)
    if part is None or not part.duration_ms:
        return ()
    summary = Summary(facts, question, [question.asset])
    start = question.window.start_ms if question.window else 0
    limit = question.window.end_ms if question.window else None
    end = part.duration_ms if limit is None else min(limit, part.duration_ms)
    length = min(length_ms, end - start)
    if length <= 0:
        return ()
    starts = gaps(_closed_starts(facts, summary, question, length), start, end - length + 1)
    return tuple([Window(first, after - 1 + length) for first, after in starts if after is not None])


def _closed_starts(facts: Facts, summary: Summary, question: Question, length: int) -> list[Window]:
    """Where windows start that meet a bond, or two, which close a use that was asked."""
    everywhere = Window(0, None)
    graph = facts.graph
    node = graph.numbers[question.asset]
    alone = summary.sums.alone(node)
    if not _is_clear(summary, question, alone):
        return [everywhere]
    closed: list[Window] = []
    carried: dict[tuple[Layer, frozenset[str]], list[Window]] = {}
    for bond in graph.above[node]:
        window = graph.bonds[bond].child_window
        starts = everywhere if window is None else Window(window.start_ms - length + 1, window.end_ms)
        total = summary.sums.by(bond)
        if not _is_clear(summary, question, total):
            closed.append(starts)
        elif question.uses.intersection(CLOSED_BY_CONFLICT):
            for layer in Layer:
                licenses = summary.licenses(total, layer)
                carried.setdefault((layer, licenses), []).append(starts)
    for ((layer, one), first), ((at, other), second) in combinations(carried.items(), 2):
        if layer is at and conflicting(one | other):
            closed += [shared for pair in product(first, second) if (shared := common(*pair))]
    return closed


def _is_clear(summary: Summary, question: Question, total: int) -> bool:
    return all(summary.outcome(total, use, layer) is Outcome.ALLOWED for use in question.uses for layer in Layer)


def attribution(facts: Facts, question: Question) -> tuple[Credit, ...]:
    """Whom the uses asked must credit: the asset itself where it asks for it, then its ancestors, nearest first.

    An asset stands once for each license.
    """
    facts = facts.naming([question.asset])
    case = Case(facts, question)
    found: dict[tuple[UUID, str | None], Credit] = {}
    for node, fresh, path in case.ascent.arrivals:
        voice, heard = case.heard(node)
        part = case.graph.parts[node]
        for place, bits in voice.credited:
            if part is not None and bits & fresh & case.wanted:
                license_ = None if place is None else heard[place].license
                found.setdefault((part.id, license_), Credit(part.id, part.owner, license_, len(path)))
    return tuple(found.values())
