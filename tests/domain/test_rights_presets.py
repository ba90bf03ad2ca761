"""What a license means here, against the table of the ruling written out a second time."""

import itertools

import pytest

from domain.rights import (
    COMPOSITION_EXCEPTION,
    PLATFORM_DEFAULT,
    Decision,
    License,
    LicenseFamily,
    Term,
    Use,
    overruled,
    preset,
    read_license,
    stricter,
    terms_digest,
)

LETTERS = {
    "A": Decision.ALLOWED,
    "L": Decision.LICENSE_REQUIRED,
    "C": Decision.CONTACT_OWNER,
    "D": Decision.DENIED,
}
COLUMNS = (
    (Use.REMIX, Use.STEMS, Use.DERIVATIVE_REGISTRATION),
    (Use.SYNC,),
    (Use.VISUAL_REUSE,),
    (Use.COMMERCIAL_USE,),
    (Use.AI_TRAINING, Use.AI_GENERATION),
)
PLATFORM = "CLCLD"
TABLE = {
    "CC0-1.0": ("CC0", "AAAAA"),
    "CC-PDDC": ("CC0", "AAAAA"),
    "CC-PDM-1.0": ("CC0", "AAAAA"),
    "CC-BY-4.0": ("CC_BY", "AAAAC"),
    "CC-BY-SA-4.0": ("CC_BY_SA", "AAAAC"),
    "CC-BY-NC-4.0": ("CC_BY_NC", "ALALC"),
    "CC-BY-ND-4.0": ("CC_BY_ND", "CCAAC"),
    "CC-BY-NC-SA-4.0": ("CC_BY_NC_SA", "ALALC"),
    "CC-BY-NC-ND-4.0": ("CC_BY_NC_ND", "CCALC"),
    "GPL-2.0-only": ("GPL", "AAAAC"),
    "GPL-3.0-or-later": ("GPL", "AAAAC"),
    "LicenseRef-all-rights-reserved": ("ALL_RIGHTS_RESERVED", PLATFORM),
}


def decisions(terms: tuple[Term, ...]) -> str:
    by_use = {term.use: term.decision for term in terms}
    words = {decision: letter for letter, decision in LETTERS.items()}
    assert set(by_use) == set(Use)
    for column in COLUMNS:
        assert len({by_use[use] for use in column}) == 1
    return "".join(words[by_use[column[0]]] for column in COLUMNS)


@pytest.mark.parametrize("spelling", TABLE)
def test_a_license_stands_for_the_terms_of_the_ruling(spelling):
    family, letters = TABLE[spelling]
    license_ = read_license(spelling)
    assert (license_.family, license_.id, license_.stated_as) == (family, spelling, None)
    assert decisions(preset(license_)) == letters


def test_open_to_remix_opens_the_first_three_and_leaves_the_platform_default():
    assert decisions(preset(License(LicenseFamily.OPEN_TO_REMIX, "LicenseRef-open-to-remix"))) == "ALCLD"
    assert decisions(PLATFORM_DEFAULT) == PLATFORM


def test_custom_terms_have_no_preset():
    with pytest.raises(ValueError, match="no preset"):
        preset(License(LicenseFamily.CUSTOM, ""))


@pytest.mark.parametrize(
    ("spelling", "attribution", "share_alike", "exception"),
    [
        ("CC0-1.0", False, None, None),
        ("CC-BY-3.0", True, None, None),
        ("CC-BY-NC-ND-2.5", True, None, None),
        ("CC-BY-SA-3.0", True, "CC-BY-SA-3.0", None),
        ("CC-BY-SA-3.0-US", True, "CC-BY-SA-3.0", None),
        ("CC-BY-NC-SA-2.0-FR", True, "CC-BY-NC-SA-2.0", None),
        ("GPL-2.0-or-later", True, "GPL-2.0-or-later", None),
        (
            "LicenseRef-GPL-2.0-or-later-with-composition-exception",
            True,
            "GPL-2.0-or-later",
            COMPOSITION_EXCEPTION,
        ),
        ("LicenseRef-all-rights-reserved", False, None, None),
    ],
)
def test_conditions_stand_in_every_term(spelling, attribution, share_alike, exception):
    for term in preset(read_license(spelling)):
        assert (term.layer, term.attribution, term.share_alike, term.exception) == (
            None,
            attribution,
            share_alike,
            exception,
        )


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1", "2.5", "3.0", "4.0"])
@pytest.mark.parametrize("port", ["", "-US", "-IGO", "-AT"])
@pytest.mark.parametrize("elements", ["BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND"])
def test_a_port_counts_as_its_family(elements, version, port):
    ported = read_license(f"CC-{elements}-{version}{port}")
    assert ported.id == f"CC-{elements}-{version}{port}"
    assert ported.family == "CC_" + elements.replace("-", "_")
    assert preset(ported) == preset(read_license(f"CC-{elements}-{version}"))


@pytest.mark.parametrize("spelling", ["cc-by-sa-3.0-us", " CC-BY-SA-3.0-US ", "Cc-By-Sa-3.0-Us"])
def test_identifiers_are_read_in_any_case(spelling):
    assert read_license(spelling).id == "CC-BY-SA-3.0-US"
    assert read_license("gpl-2.0-ONLY").id == "GPL-2.0-only"


@pytest.mark.parametrize(
    "text",
    [
        "WTFPL",
        "CC-BY",
        "CC-BY-5.0",
        "CC-BY-SA-ND-4.0",
        "CC-BY-3.0-EVERYWHERE",
        "CC BY 3.0",
        "GPL-2.0",
        "MIT",
        "?",
        "ſ",
        "LicenseRef-mine",
        "cc-by-4.0; cc0-1.0",
    ],
)
def test_what_cannot_be_read_is_all_rights_reserved_and_keeps_its_words(text):
    license_ = read_license(text)
    assert (license_.family, license_.stated_as) == (LicenseFamily.ALL_RIGHTS_RESERVED, text)
    assert preset(license_) == preset(read_license("LicenseRef-all-rights-reserved"))


def test_where_elements_meet_the_stricter_holds():
    both = {term.use: term.decision for term in preset(read_license("CC-BY-NC-ND-4.0"))}
    for element in ("NC", "ND"):
        for term in preset(read_license(f"CC-BY-{element}-4.0")):
            assert stricter(both[term.use], term.decision) == both[term.use]


def test_stricter_is_the_order_of_the_ruling():
    order = [LETTERS[letter] for letter in "ALCD"]
    for one, other in itertools.product(order, order):
        assert stricter(one, other) == order[max(order.index(one), order.index(other))]


def test_equal_terms_have_equal_digests_in_any_order():
    terms = preset(read_license("CC-BY-SA-3.0"))
    assert terms_digest(terms) == terms_digest(tuple(reversed(terms)))
    assert terms_digest(terms) == terms_digest(preset(read_license("CC-BY-SA-3.0-US")))
    others = [terms_digest(preset(read_license(text))) for text in ("CC-BY-3.0", "CC-BY-SA-4.0", "GPL-2.0-only")]
    assert len({terms_digest(terms), *others}) == 4


def test_a_digest_does_not_move():
    assert terms_digest(PLATFORM_DEFAULT) == "2ec1c47254a35285d9fafabbbc43ff950e4187909f654750c0c0ce76d7f4d1ed"


def test_overruling_changes_decisions_and_keeps_conditions():
    terms = overruled(preset(read_license("CC-BY-SA-4.0")), {Use.REMIX: Decision.DENIED})
    assert terms[0] == Term(Use.REMIX, None, Decision.DENIED, attribution=True, share_alike="CC-BY-SA-4.0")
    assert terms[1:] == preset(read_license("CC-BY-SA-4.0"))[1:]
    assert overruled((), {Use.SYNC: Decision.ALLOWED}) == (Term(Use.SYNC, None, Decision.ALLOWED),)
