"""The presets of domain.md, written down again by hand, and the spellings in which licenses are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rights import Decision, LicenseFamily, Use, preset, read_license

LETTERS = {"A": Decision.ALLOWED, "L": Decision.LICENSE_REQUIRED, "C": Decision.CONTACT_OWNER, "D": Decision.DENIED}
COLUMNS = (Use.REMIX, Use.SYNC, Use.VISUAL_REUSE, Use.COMMERCIAL_USE, Use.AI_TRAINING)
SAME_AS_REMIX = (Use.STEMS, Use.DERIVATIVE_REGISTRATION)


@pytest.mark.parametrize(
    ("license_", "family", "row", "attribution", "share_alike"),
    [
        ("CC0-1.0", LicenseFamily.CC0, "AAAAA", False, None),
        ("CC-BY-3.0", LicenseFamily.CC_BY, "AAAAC", True, None),
        ("CC-BY-4.0", LicenseFamily.CC_BY, "AAAAC", True, None),
        ("CC-BY-SA-3.0-US", LicenseFamily.CC_BY_SA, "AAAAC", True, "CC-BY-SA-3.0"),
        ("CC-BY-SA-4.0", LicenseFamily.CC_BY_SA, "AAAAC", True, "CC-BY-SA-4.0"),
        ("CC-BY-NC-3.0", LicenseFamily.CC_BY_NC, "ALALC", True, None),
        ("CC-BY-ND-4.0", LicenseFamily.CC_BY_ND, "CCAAC", True, None),
        ("CC-BY-NC-SA-4.0", LicenseFamily.CC_BY_NC_SA, "ALALC", True, "CC-BY-NC-SA-4.0"),
        ("CC-BY-NC-ND-4.0", LicenseFamily.CC_BY_NC_ND, "CCALC", True, None),
        ("GPL-2.0-only", LicenseFamily.GPL, "AAAAC", True, "GPL-2.0-only"),
        ("GPL-2.0-or-later", LicenseFamily.GPL, "AAAAC", True, "GPL-2.0-or-later"),
        ("LicenseRef-all-rights-reserved", LicenseFamily.ALL_RIGHTS_RESERVED, "CLCLD", False, None),
    ],
)
def test_a_preset_says_what_its_license_says(
    license_: str, family: LicenseFamily, row: str, attribution: bool, share_alike: str | None
) -> None:
    read = read_license(license_)
    assert read.family is family
    terms = {term.use: term for term in preset(read)}
    assert set(terms) == set(Use)
    for use, letter in zip(COLUMNS, row, strict=True):
        assert (use, terms[use].decision) == (use, LETTERS[letter])
    for use in SAME_AS_REMIX:
        assert terms[use].decision is terms[Use.REMIX].decision
    assert terms[Use.AI_GENERATION].decision is terms[Use.AI_TRAINING].decision
    assert terms[Use.REMIX].attribution is attribution
    assert (terms[Use.REMIX].share_alike or "").startswith((share_alike or "")[:11])
    assert (terms[Use.REMIX].share_alike is None) is (share_alike is None)


@pytest.mark.parametrize("text", ["Beerware", "CC-BY-NC-SA-ND-9.0", "see website", "GPL", "CC-BY"])
def test_what_cannot_be_read_is_all_rights_reserved_and_kept_as_stated(text: str) -> None:
    read = read_license(text)
    assert read.family is LicenseFamily.ALL_RIGHTS_RESERVED
    assert read.stated_as == text


@given(st.text(max_size=60))
def test_reading_a_license_never_fails_and_never_opens_what_it_cannot_read(text: str) -> None:
    read = read_license(text)
    if read.stated_as is not None:
        assert all(term.decision is not Decision.ALLOWED for term in preset(read))
