"""Uses, layers, decisions, presets and the licenses Casset can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from domain.canonical import canonical, digest
from domain.errors import Invalid


class Use(StrEnum):
    """What somebody may want to do with an asset."""

    REMIX = "REMIX"
    STEMS = "STEMS"
    SYNC = "SYNC"
    VISUAL_REUSE = "VISUAL_REUSE"
    AI_TRAINING = "AI_TRAINING"
    AI_GENERATION = "AI_GENERATION"
    DERIVATIVE_REGISTRATION = "DERIVATIVE_REGISTRATION"
    COMMERCIAL_USE = "COMMERCIAL_USE"


class Layer(StrEnum):
    """The recording or the work it records."""

    MASTER = "MASTER"
    COMPOSITION = "COMPOSITION"


class Decision(StrEnum):
    """What a policy says of a use, from open to closed."""

    ALLOWED = "ALLOWED"
    LICENSE_REQUIRED = "LICENSE_REQUIRED"
    CONTACT_OWNER = "CONTACT_OWNER"
    DENIED = "DENIED"


class Outcome(StrEnum):
    """What is answered of a use, from open to closed: the four decisions, and what cannot be told."""

    ALLOWED = "ALLOWED"
    LICENSE_REQUIRED = "LICENSE_REQUIRED"
    CONTACT_OWNER = "CONTACT_OWNER"
    UNKNOWN = "UNKNOWN"
    DENIED = "DENIED"

    @property
    def rank(self) -> int:
        """How closed it is: 0 for allowed, 4 for denied."""
        return _RANKS[self]

    def stricter(self, other: Outcome) -> Outcome:
        """The more closed of two outcomes."""
        return max(self, other, key=_RANKS.__getitem__)


_RANKS = {outcome: rank for rank, outcome in enumerate(Outcome)}


def strictest(outcomes: Iterable[Outcome]) -> Outcome:
    """The most closed of some outcomes; where there are none, nothing is closed."""
    return max(outcomes, key=_RANKS.__getitem__, default=Outcome.ALLOWED)


class Level(StrEnum):
    """Which level of the house spoke, from specific to general."""

    AGENT_RULE = "AGENT_RULE"
    VERSION = "VERSION"
    ASSET = "ASSET"
    VISUAL = "VISUAL"
    ARTIST = "ARTIST"
    PLATFORM = "PLATFORM"


class LicenseFamily(StrEnum):
    """The family a license belongs to."""

    CC0 = "CC0"
    CC_BY = "CC_BY"
    CC_BY_SA = "CC_BY_SA"
    CC_BY_NC = "CC_BY_NC"
    CC_BY_ND = "CC_BY_ND"
    CC_BY_NC_SA = "CC_BY_NC_SA"
    CC_BY_NC_ND = "CC_BY_NC_ND"
    GPL = "GPL"
    ALL_RIGHTS_RESERVED = "ALL_RIGHTS_RESERVED"
    OPEN_TO_REMIX = "OPEN_TO_REMIX"
    CUSTOM = "CUSTOM"


class Term(NamedTuple):
    """What is decided of one use.

    Attributes:
        use: the use.
        layer: the layer it speaks for; None for both.
        decision: what is decided.
        attribution: the author must be named.
        share_alike: what is made must carry this license (SPDX, unported).
        exception: what is taken out of it: the purpose it does not bind, or COMPOSITION_EXCEPTION.
        territories: where it holds, as ISO 3166 codes; None or empty for everywhere.
        starts_on: the first day it holds.
        ends_on: the first day it no longer holds.
        purpose: it holds for this purpose only.
        price_minor: what a license costs, in minor units.
        currency: of the price, ISO 4217.
        reaches_outputs: what is played on the instrument is bound too.
        sublicense: the right passes on to derivatives, where it is granted to one artist.
        royalty_bp: a royalty in basis points.
        route: how to ask.
    """

    use: Use
    layer: Layer | None
    decision: Decision
    attribution: bool = False
    share_alike: str | None = None
    exception: str | None = None
    territories: tuple[str, ...] | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    purpose: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    reaches_outputs: bool = False
    sublicense: bool = False
    royalty_bp: int | None = None
    route: str | None = None


class License(NamedTuple):
    """A license as it was read.

    Attributes:
        family: the family, which decides the preset.
        id: its SPDX identifier, or a LicenseRef of ours.
        share_alike: the license derivatives must carry, without the jurisdiction.
        exception: what the license takes out of itself.
        stated_as: the text that could not be read; None where it could.
    """

    family: LicenseFamily
    id: str
    share_alike: str | None = None
    exception: str | None = None
    stated_as: str | None = None


MOST_TERMS = 16
"""Of one policy or grant: one for each use and layer."""
_TERRITORY, _CURRENCY = re.compile("[A-Z]{2}"), re.compile("[A-Z]{3}")
_WHOLE_BP = 10_000

COMPOSITION_EXCEPTION = "composition"
"""Compositions made with the samples are not bound by the license of the samples."""

_ALL_RIGHTS_RESERVED = License(LicenseFamily.ALL_RIGHTS_RESERVED, "LicenseRef-all-rights-reserved")
_PUBLIC_DOMAIN = ("CC0-1.0", "CC-PDDC", "CC-PDM-1.0", "LicenseRef-public-domain")
_GPL = ("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later")
_SPELLED_OUT = {
    license_.id.lower(): license_
    for license_ in (
        _ALL_RIGHTS_RESERVED,
        *(License(LicenseFamily.CC0, id_) for id_ in _PUBLIC_DOMAIN),
        *(License(LicenseFamily.GPL, id_, id_) for id_ in _GPL),
        License(
            LicenseFamily.GPL,
            "LicenseRef-GPL-2.0-or-later-with-composition-exception",
            "GPL-2.0-or-later",
            COMPOSITION_EXCEPTION,
        ),
    )
}
_CREATIVE_COMMONS = re.compile(
    r"CC-(?P<elements>BY(-NC)?(-SA|-ND)?)-(?P<version>1\.0|2\.0|2\.1|2\.5|3\.0|4\.0)(-[A-Z]{2,3})?",
    re.ASCII | re.IGNORECASE,
)


@lru_cache(maxsize=256)
def read_license(text: str) -> License:
    """Read an SPDX identifier, in any case (SPDX 3.0, annex B: identifiers are matched without it).

    Ports of Creative Commons licenses to a jurisdiction count as their family. What cannot be read is taken
    for all rights reserved, and `stated_as` keeps the text.
    """
    wanted = text.strip()
    if known := _SPELLED_OUT.get(wanted.lower()):
        return known
    if found := _CREATIVE_COMMONS.fullmatch(wanted):
        elements = found["elements"].upper()
        unported = f"CC-{elements}-{found['version']}"
        shares = unported if elements.endswith("-SA") else None
        return License(LicenseFamily(f"CC_{elements.replace('-', '_')}"), wanted.upper(), shares)
    return _ALL_RIGHTS_RESERVED._replace(stated_as=text)


_OPENNESS = tuple(Decision)
_MAKING = (Use.REMIX, Use.STEMS, Use.DERIVATIVE_REGISTRATION)
_LEARNING = (Use.AI_TRAINING, Use.AI_GENERATION)
_SELLING = (Use.SYNC, Use.COMMERCIAL_USE)
_DEFAULT: Mapping[Use, Decision] = {
    Use.REMIX: Decision.CONTACT_OWNER,
    Use.STEMS: Decision.CONTACT_OWNER,
    Use.SYNC: Decision.LICENSE_REQUIRED,
    Use.VISUAL_REUSE: Decision.CONTACT_OWNER,
    Use.AI_TRAINING: Decision.DENIED,
    Use.AI_GENERATION: Decision.DENIED,
    Use.DERIVATIVE_REGISTRATION: Decision.CONTACT_OWNER,
    Use.COMMERCIAL_USE: Decision.LICENSE_REQUIRED,
}
# What each element of a license's name closes, of what would be open without it.
_CLOSES: Mapping[str, Mapping[Use, Decision]] = {
    "BY": dict.fromkeys(_LEARNING, Decision.CONTACT_OWNER),
    "GPL": dict.fromkeys(_LEARNING, Decision.CONTACT_OWNER),
    "NC": dict.fromkeys(_SELLING, Decision.LICENSE_REQUIRED),
    "ND": dict.fromkeys((*_MAKING, Use.SYNC), Decision.CONTACT_OWNER),
}
PLATFORM_DEFAULT = tuple(Term(use, None, decision) for use, decision in _DEFAULT.items())
"""What holds where no artist has spoken."""


def stricter(one: Decision, other: Decision) -> Decision:
    """The more closed of two decisions."""
    return max(one, other, key=_OPENNESS.index)


@lru_cache(maxsize=1024)
def preset(license_: License) -> tuple[Term, ...]:
    """The terms a license stands for: one for each use, in the order of `Use`, for both layers.

    Raises:
        ValueError: the family is CUSTOM, which has terms of its own and no preset.
    """
    family = license_.family
    if family is LicenseFamily.CUSTOM:
        raise ValueError("Custom terms have no preset.")
    attribution = family not in {
        LicenseFamily.CC0,
        LicenseFamily.ALL_RIGHTS_RESERVED,
        LicenseFamily.OPEN_TO_REMIX,
    }
    decisions = _decisions(family)
    return tuple(Term(use, None, decisions[use], attribution, license_.share_alike, license_.exception) for use in Use)


def _decisions(family: LicenseFamily) -> Mapping[Use, Decision]:
    """The table of presets; where elements of a license meet, the stricter holds."""
    if family is LicenseFamily.ALL_RIGHTS_RESERVED:
        return _DEFAULT
    if family is LicenseFamily.OPEN_TO_REMIX:
        return {**_DEFAULT, **dict.fromkeys(_MAKING, Decision.ALLOWED)}
    decisions = dict.fromkeys(Use, Decision.ALLOWED)
    for element in family.split("_"):
        for use, decision in _CLOSES.get(element, {}).items():
            decisions[use] = stricter(decisions[use], decision)
    return decisions


def checked_terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Terms that may be stated or granted.

    Raises:
        Invalid: there are none or too many, or one of them breaks a rule.
    """
    if not 1 <= len(terms) <= MOST_TERMS:
        raise Invalid(f"There are 1 to {MOST_TERMS} terms, not {len(terms)}.", path=("terms",))
    for number, term in enumerate(terms):
        for name, sentence in _faults(term):
            raise Invalid(sentence, path=("terms", str(number), name))
    return tuple(terms)


def checked_grant(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Terms that may be granted to one artist: they allow, and nothing in them speaks for others.

    Raises:
        Invalid: there are none or too many, or one of them breaks a rule.
    """
    for number, term in enumerate(terms):
        if term.decision is not Decision.ALLOWED:
            raise Invalid("A grant allows; it decides nothing else.", path=("terms", str(number), "decision"))
        if term.exception or term.reaches_outputs or term.route:
            said = "A grant has no exceptions and no route, and cannot say what is bound beside its asset."
            raise Invalid(said, path=("terms", str(number)))
    return checked_terms(terms)


def _faults(term: Term) -> Iterator[tuple[str, str]]:
    """The rules a term breaks: which of its fields, and a sentence."""
    if term.starts_on and term.ends_on and term.ends_on <= term.starts_on:
        yield "endsOn", "A term ends after it starts."
    if not all(_TERRITORY.fullmatch(territory) for territory in term.territories or ()):
        yield "territories", "A territory is an ISO 3166-1 code of two capital letters, such as DE."
    if (term.price_minor is None) != (term.currency is None) or (term.price_minor or 0) < 0:
        yield "price", "A price is 0 or more, in a currency."
    if term.currency is not None and not _CURRENCY.fullmatch(term.currency):
        yield "price", "A currency is an ISO 4217 code of three capital letters, such as EUR."
    if not 0 <= (term.royalty_bp or 0) <= _WHOLE_BP:
        yield "royaltyBp", f"A royalty is 0 to {_WHOLE_BP} basis points."


def overruled(terms: Iterable[Term], decisions: Mapping[Use, Decision]) -> tuple[Term, ...]:
    """Terms with other decisions for some uses, conditions kept; a use not yet spoken of is added."""
    kept = [term._replace(decision=decisions.get(term.use, term.decision)) for term in terms]
    spoken = {term.use for term in kept}
    kept += [Term(use, None, decision) for use, decision in decisions.items() if use not in spoken]
    return tuple(sorted(kept, key=_rank))


@lru_cache(maxsize=4096)
def terms_digest(terms: tuple[Term, ...]) -> str:
    """SHA-256 over the canonical terms, whatever their order: equal digests, equal terms."""
    return digest(canonical([_told(term) for term in sorted(terms, key=_rank)]))


def _rank(term: Term) -> tuple[int, str]:
    return (tuple(Use).index(term.use), term.layer or "")


def _told(term: Term) -> dict[str, Any]:
    """Absent means absent, so that a condition added to `Term` later leaves the digests of today alone."""
    told = {name: value for name, value in term._asdict().items() if value}
    return told | {name: told[name].isoformat() for name in ("starts_on", "ends_on") if name in told}
