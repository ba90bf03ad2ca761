"""What an owner states about uses: a license that everybody knows, terms of their own, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from domain.errors import Invalid
from domain.rights import License, LicenseFamily, Term, Use, checked_terms, preset, read_license


class PolicyPreset(StrEnum):
    """What can be stated without a license."""

    ALL_RIGHTS_RESERVED = "ALL_RIGHTS_RESERVED"
    OPEN_TO_REMIX = "OPEN_TO_REMIX"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a policy says.

    Attributes:
        license: the license or preset it begins with; of the family CUSTOM where there is none.
        terms: all it says, terms of the owner's own in place of those the license has for the same use.
    """

    license: License
    terms: tuple[Term, ...]


_OPEN_TO_REMIX = License(LicenseFamily.OPEN_TO_REMIX, "LicenseRef-open-to-remix")
_CUSTOM = License(LicenseFamily.CUSTOM, "LicenseRef-custom")


def stated(
    license_: str | None, chosen: PolicyPreset | None, own: Sequence[Term], *, of_visual: bool = False
) -> Stated:
    """What an owner states.

    Args:
        license_: an SPDX identifier.
        chosen: a preset instead of it.
        own: terms of their own, use by use.
        of_visual: it is about a visual world, of which only its reuse is asked.

    Raises:
        Invalid: nothing is stated, or both a license and a preset; the license cannot be read; a term breaks a rule;
            or two terms speak for the same use, layer, place, time and purpose.
    """
    if of_visual:
        _refuse_other_uses(own)
    if license_ is not None and chosen is not None:
        raise Invalid("State a license or a preset, not both.", path=("preset",))
    if license_ is not None:
        begun = read_license(license_)
        if begun.stated_as is not None:
            raise Invalid("This is no license Casset can read. State it as terms.", path=("license",))
    elif chosen is not None:
        begun = (
            _OPEN_TO_REMIX if chosen is PolicyPreset.OPEN_TO_REMIX else read_license("LicenseRef-all-rights-reserved")
        )
    elif own:
        begun = _CUSTOM
    else:
        raise Invalid("State a license, a preset or terms.", path=("license",))
    spoken = {term.use for term in own}
    asked = {Use.VISUAL_REUSE} if of_visual else set(Use)
    kept = () if begun is _CUSTOM else tuple([term for term in preset(begun) if term.use in asked - spoken])
    _refuse_contradictions(own)
    return Stated(begun, checked_terms((*kept, *own)))


def _refuse_other_uses(terms: Sequence[Term]) -> None:
    for number, term in enumerate(terms):
        if term.use is not Use.VISUAL_REUSE:
            raise Invalid("Of a visual world VISUAL_REUSE is stated only.", path=("terms", str(number), "use"))
        if term.layer is not None:
            raise Invalid("A visual world has no layers.", path=("terms", str(number), "layer"))


def _refuse_contradictions(terms: Sequence[Term]) -> None:
    for (_, one), (number, other) in combinations(enumerate(terms), 2):
        same_scope = one[:2] == other[:2] and _scope(one) == _scope(other)
        if same_scope and one != other:
            said = f"Two terms speak for {other.use.value} in the same layer, place, time and purpose."
            raise Invalid(said, path=("terms", str(number)))


def _scope(term: Term) -> tuple[object, ...]:
    return frozenset(term.territories or ()), term.starts_on, term.ends_on, term.purpose
