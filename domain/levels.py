"""What one asset says itself: the most specific level that speaks for a use wins, in each layer on its own.

Uses and layers are bits, so that one walk and one memory serve all of them: bit 2·use + layer, 16 in all, twice. The
lower 16 stand for an asset that is reached outright, the upper 16 for one that is reached through a track, whose
composition an exception may have freed (`COMPOSITION_EXCEPTION`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from domain.facts import Facts, Question, Statement
from domain.rights import COMPOSITION_EXCEPTION, PLATFORM_DEFAULT, Decision, Layer, Level, Outcome, Term, Use, strictest

WIDTH = 16
"""How many bits uses and layers take."""
OUTRIGHT = (1 << WIDTH) - 1
"""The bits of what is reached outright."""
EVERY = (1 << 2 * WIDTH) - 1
"""All bits."""
BITS = {(use, layer): 2 * row + column for row, use in enumerate(Use) for column, layer in enumerate(Layer)}
"""The bit of a use in a layer, outright."""
_USE_BITS = {
    (use, layer): sum(1 << bit for (of, at), bit in BITS.items() if of is use and layer in {None, at})
    for use in Use
    for layer in (None, *Layer)
}


class Reason(StrEnum):
    """Why an answer is what it is: which level spoke, or what stands in the way of one.

    HIDDEN is what those are told who may not see why; nothing is decided by it.
    """

    GRANT = "GRANT"
    AGENT_RULE = "AGENT_RULE"
    VERSION = "VERSION"
    ASSET = "ASSET"
    ARTIST = "ARTIST"
    NOT_STATED = "NOT_STATED"
    WITHDRAWN = "WITHDRAWN"
    UNREAD = "UNREAD"
    CONFLICT = "CONFLICT"
    OWN_POLICY = "OWN_POLICY"
    HIDDEN = "HIDDEN"


class Word(NamedTuple):
    """What is said for one bit.

    Attributes:
        outcome: what is answered.
        reason: which level spoke, GRANT, NOT_STATED, WITHDRAWN or UNREAD.
        place: the statement's place among those heard; None where none spoke.
        term: the term that decides, None where nothing could be read.
    """

    outcome: Outcome
    reason: Reason
    place: int | None
    term: Term | None

    def holds_over(self, other: Word) -> bool:
        """Whether it is the stricter; where both are as strict, the first statement's, whatever the order of terms."""
        if self.outcome is not other.outcome:
            return self.outcome.rank > other.outcome.rank
        if self.place != other.place:
            return other.place is None or (self.place is not None and self.place < other.place)
        return self.term != other.term and repr(self.term) < repr(other.term)


class Voice(NamedTuple):
    """What one asset says for every bit.

    Attributes:
        words: by bit.
        closed: for each rank from 1, the bits whose outcome is that closed or more, one above the other.
        shares: licenses that what is made must carry, with the bits they are asked for.
        credited: places of statements that ask for attribution, with their bits; None for grants.
        reaches: the bits in which what is played on the instrument is bound too.
        freed: bits of which the outright and the other half differ, in the lower half.
    """

    words: tuple[Word, ...]
    closed: int
    shares: tuple[tuple[str, int], ...]
    credited: tuple[tuple[int | None, int], ...]
    reaches: int
    freed: int


def voice(facts: Facts, question: Question, number: int) -> tuple[Voice, tuple[Statement, ...]]:
    """What an asset (by its number) says to a question, and the statements that its places point into."""
    graph = facts.graph
    part = graph.parts[number]
    if part is None:
        return UNREAD, ()
    heard = graph.stated[number]
    if graph.nodes[number] == question.asset:
        heard = (*facts.of_version(question.asset), *heard)
    spoken = tuple([(statement.level, statement.terms) for statement in heard])
    granted = tuple(_granted(facts, question, number)) if number in graph.granted else ()
    said = _voice(spoken, granted, question.on, question.territory, question.purpose)
    return (_withdrawn(said) if part.is_withdrawn else said), heard


@lru_cache(maxsize=1024)
def _withdrawn(said: Voice) -> Voice:
    """Denied for everything; what is credited, shared and reached stays as it was stated."""
    words = [Word(Outcome.DENIED, Reason.WITHDRAWN, None, None)] * 2 * WIDTH
    return _made(words, said.shares, said.credited, said.reaches)


def _granted(facts: Facts, question: Question, number: int) -> Iterator[Term]:
    """What is allowed whoever asks, and on the way by which the asset is reached."""
    licensee = facts.graph.licensees.get(number)
    for grant in facts.graph.granted[number]:
        for term in grant.terms:
            is_heard = grant.grantee in question.grantees or (term.sublicense and grant.grantee == licensee)
            if is_heard and term.decision is Decision.ALLOWED:
                yield term


Spoken = tuple[tuple[Level, tuple[Term, ...]], ...]


def said_of(spoken: Spoken, use: Use, on: date) -> Outcome:
    """What some levels say of a use, the more specific first: everywhere, for whatever purpose, in both layers."""
    words = _voice(spoken, (), on, None, None).words
    return strictest(words[BITS[use, layer]].outcome for layer in Layer)


@lru_cache(maxsize=4096)
def _voice(spoken: Spoken, granted: tuple[Term, ...], on: date, territory: str | None, purpose: str | None) -> Voice:
    """What is said on a day; where the territory or the purpose is open, the strictest of all of them holds."""
    terms = [*granted, *[term for _, given in spoken for term in given]]
    territories = {name for term in terms for name in term.territories or ()} if territory is None else set()
    purposes = {term.purpose for term in terms if term.purpose} if purpose is None else set()
    # "" is a territory and a purpose that no term names.
    answers = [
        _Answer(spoken, granted, on, where, what_for)
        for where, what_for in product(
            sorted(territories | {territory or ""}),
            sorted(purposes | {purpose or ""}),
        )
    ]
    words = answers[0].words
    for answer in answers[1:]:
        words = [one if one.holds_over(other) else other for one, other in zip(answer.words, words, strict=True)]
    licenses = sorted({license_ for answer in answers for license_ in answer.shares})
    places = sorted(
        {place for answer in answers for place in answer.credited}, key=lambda place: (place is None, place)
    )
    return _made(
        words,
        tuple([(name, _any(answer.shares.get(name, 0) for answer in answers)) for name in licenses]),
        tuple([(place, _any(answer.credited.get(place, 0) for answer in answers)) for place in places]),
        _any(answer.reaches for answer in answers),
    )


class _Answer:
    """What is said in one territory for one purpose."""

    def __init__(self, spoken: Spoken, granted: tuple[Term, ...], on: date, territory: str, purpose: str) -> None:
        self._on, self._territory, self._purpose = on, territory, purpose
        self.words = list(_SILENCE)
        self.shares: dict[str, int] = {}
        self.credited: dict[int | None, int] = {}
        self.reaches = 0
        free, level = OUTRIGHT, None
        heard = 0
        for place, (speaks, terms) in enumerate(spoken):
            if speaks is not level:
                free, heard, level = free & ~heard, 0, speaks
            for term in terms:
                bits = _USE_BITS[term.use, term.layer] & free
                if bits and self._holds(term):
                    self._hear(place, speaks, term, bits, is_first=bits & ~heard)
                    heard |= bits
        if granted:
            self._grant([term for term in granted if self._holds(term)])

    def _holds(self, term: Term) -> bool:
        return (
            (not term.territories or self._territory in term.territories)
            and (term.starts_on is None or term.starts_on <= self._on)
            and (term.ends_on is None or self._on < term.ends_on)
            and (not term.purpose or term.purpose == self._purpose)
        )

    def _hear(self, place: int, level: Level, term: Term, bits: int, *, is_first: int) -> None:
        """Take a term for some bits; the strictest of those that speak on one level holds."""
        word = Word(Outcome(term.decision), Reason(level), place, term)
        freed = word._replace(outcome=Outcome.ALLOWED)
        is_composition = term.exception == COMPOSITION_EXCEPTION
        is_freed = bool(term.exception) and not is_composition and term.exception == self._purpose
        for bit in each(bits):
            for at, said in (
                (bit, freed if is_freed else word),
                (bit + WIDTH, freed if is_freed or is_composition else word),
            ):
                if is_first >> bit & 1 or said.holds_over(self.words[at]):
                    self.words[at] = said
        if not is_freed:
            bound = bits if is_composition else bits | bits << WIDTH
            if term.share_alike:
                self.shares[term.share_alike] = self.shares.get(term.share_alike, 0) | bound
            if term.attribution:
                self.credited[place] = self.credited.get(place, 0) | bound
        if term.reaches_outputs:
            self.reaches |= bits | bits << WIDTH

    def _grant(self, granted: Sequence[Term]) -> None:
        """Let grants take the place of what the owner said.

        Of several, whatever one of them does not ask for is not asked. None of them asks for a license that the owner
        does not ask for, and what the asset reaches is not theirs to say: it would open what others closed.
        """
        opened = unsigned = 0
        for term in granted:
            bits = _USE_BITS[term.use, term.layer]
            bits |= bits << WIDTH
            word = Word(Outcome.ALLOWED, Reason.GRANT, None, term)
            for at in each(bits):
                if self.words[at].reason is not Reason.GRANT or word.holds_over(self.words[at]):
                    self.words[at] = word
            for license_ in self.shares.keys() - {term.share_alike}:
                self.shares[license_] &= ~bits
            opened |= bits
            unsigned |= 0 if term.attribution else bits
        for place in self.credited:
            self.credited[place] &= ~opened
        self.credited[None] = opened & ~unsigned


@lru_cache(maxsize=4096)
def each(bits: int) -> tuple[int, ...]:
    """The places of the bits that are set."""
    return tuple([place for place in range(bits.bit_length()) if bits >> place & 1])


def _any(masks: Iterator[int]) -> int:
    together = 0
    for mask in masks:
        together |= mask
    return together


def _made(
    words: Sequence[Word],
    shares: tuple[tuple[str, int], ...],
    credited: tuple[tuple[int | None, int], ...],
    reaches: int,
) -> Voice:
    closed = 0
    for bit, word in enumerate(words):
        for rank in range(word.outcome.rank):
            closed |= 1 << (bit + 2 * WIDTH * rank)
    halves = [any(words[bit][at] != words[bit + WIDTH][at] for at in (0, 1)) for bit in range(WIDTH)]
    freed = sum(1 << bit for bit, differs in enumerate(halves) if differs)
    return Voice(tuple(words), closed, shares, credited, reaches, freed)


def _silence() -> Iterator[Word]:
    terms = {term.use: term for term in PLATFORM_DEFAULT}
    for use, _ in [*BITS, *BITS]:
        yield Word(Outcome(terms[use].decision), Reason.NOT_STATED, None, terms[use])


_SILENCE = tuple(_silence())
UNREAD = _made([Word(Outcome.UNKNOWN, Reason.UNREAD, None, None)] * 2 * WIDTH, (), (), EVERY)
"""What is said by an asset that could not be read: nothing is known, not even what it reaches."""
