"""What a catalogue can say of rights: of several policies with their terms, one license and decisions by use.

A catalogue knows fewer words than a policy. Where they do not suffice, what is written is more closed than what was
meant, and never more open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.rights import (
    PLATFORM_DEFAULT,
    Decision,
    LicenseFamily,
    Term,
    Use,
    overruled,
    preset,
    read_license,
    stricter,
    terms_digest,
)

_DEFAULT = {term.use: term.decision for term in PLATFORM_DEFAULT}


class Spoken(NamedTuple):
    """A policy that speaks for an asset, as it is stored."""

    family: str
    license: str | None
    stated_as: str | None
    terms: tuple[Term, ...]


class Told(NamedTuple):
    """What a catalogue says of an asset's rights.

    Attributes:
        license: the cell; None where none is stated.
        decisions: what is decided otherwise than the license does, by use.
        whole: an import of it comes to the very same terms.
    """

    license: str | None
    decisions: Mapping[Use, Decision]
    whole: bool


def told_rights(policies: Sequence[Spoken]) -> Told:
    """What the policies that speak for an asset, the most specific first, come to in a catalogue."""
    terms = _effective(policies)
    if not terms:
        return Told(None, {}, whole=True)
    for license_ in (*[_cell(policy) for policy in policies], None):
        base = preset(read_license(license_)) if license_ else ()
        decisions = {term.use: term.decision for term in terms if (term.use, term.decision) not in _decided(base)}
        if terms_digest(overruled(base, decisions)) == terms_digest(terms):
            return Told(license_, decisions, whole=True)
    spoken = [term for policy in policies for term in policy.terms]
    return Told(
        None, {use: _closed(use, spoken) for use in Use if any(term.use is use for term in spoken)}, whole=False
    )


def _effective(policies: Sequence[Spoken]) -> tuple[Term, ...]:
    """The terms that hold: for each use those of the most specific policy that speaks for it."""
    found: dict[Use, tuple[Term, ...]] = {}
    for policy in policies:
        for use in {term.use for term in policy.terms} - found.keys():
            found[use] = tuple(term for term in policy.terms if term.use is use)
    return tuple(term for use in Use for term in found.get(use, ()))


def _cell(policy: Spoken) -> str | None:
    """What stood in the cell, where a license that could not be read was taken for all rights reserved."""
    if policy.stated_as is not None and policy.family == LicenseFamily.ALL_RIGHTS_RESERVED:
        return policy.stated_as
    return policy.license


def _decided(terms: Sequence[Term]) -> set[tuple[Use, Decision]]:
    return {(term.use, term.decision) for term in terms}


def _closed(use: Use, terms: Sequence[Term]) -> Decision:
    """A decision that is as closed as any of the terms for a use: what has conditions is asked for."""
    said = [term for term in terms if term.use is use]
    decision = said[0].decision
    for term in said:
        decision = stricter(decision, term.decision)
        if term != Term(use, None, term.decision):
            decision = stricter(stricter(decision, Decision.CONTACT_OWNER), _DEFAULT[use])
    return decision
