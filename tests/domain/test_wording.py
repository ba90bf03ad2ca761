"""The one sentence of what may be done: whole, plain, and never more open than the verdicts."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.assets import AssetKind
from domain.facts import Bond, Facts, Part, Question, Statement
from domain.lineage import EdgeKind
from domain.rights import Decision, Level, LicenseFamily, Outcome, Term, Use, preset, read_license
from domain.verdicts import decide
from domain.wording import DO, DOING, Conditions, Standing, sentence, terms_in_words
from tests.domain import facts_drawn

DAY = date(2026, 5, 1)
SONG, LOOP = UUID(int=1), UUID(int=2)
LICENSES = st.lists(st.sampled_from(["CC-BY-SA-3.0", "CC-BY-SA-4.0", "GPL-2.0-only"]), unique=True, max_size=3)
DRAWN = st.fixed_dictionaries({use: st.sampled_from(Standing) for use in Use})


def clause_of(said: str, use: Use) -> str:
    """The clause that names a use; there is exactly one, and it names the use once."""
    names = (DO[use], DOING[use])
    assert sum(len(re.findall(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said)) for name in names) == 1, (use, said)
    return next(clause for clause in said.split("; ") if any(name in clause for name in names))


@given(DRAWN, st.booleans(), LICENSES, LICENSES)
@example(dict.fromkeys(Use, Standing.MAY), True, ["CC-BY-SA-4.0"], [])
def test_each_use_is_named_once_where_it_belongs_in_one_sentence(standings, credit, carried, disputed):
    said = sentence(standings, Conditions(credit, carried), disputed)
    assert said[0].isupper()
    assert re.findall(r"[.!?](?=\s|$)", said) == ["."]
    assert said == sentence(dict(reversed(standings.items())), Conditions(credit, carried), disputed)
    clauses = {use: clause_of(said, use).removesuffix(".").lower() for use in Use}
    for one in Use:
        for other in Use:
            assert (clauses[one] == clauses[other]) == (standings[one] is standings[other])
    for use, clause in clauses.items():
        standing = standings[use]
        assert ("with credit" in clause) == (credit and standing is Standing.MAY)
        assert all((license_.lower() in clause) >= (standing is Standing.MAY) for license_ in carried)
        assert ("not" in clause) == (standing in {Standing.MAY_NOT, Standing.NOT_STATED, Standing.UNKNOWN})


OUTCOMES = {
    "you may not": {Outcome.DENIED},
    "you may": {Outcome.ALLOWED},
    "you need a license": {Outcome.LICENSE_REQUIRED},
    "ask the owners": {Outcome.CONTACT_OWNER, Outcome.DENIED},  # who is hidden is asked, not quoted as refusing
    "for": {Outcome.CONTACT_OWNER},
    "whether": {Outcome.UNKNOWN},
    "its artists have not all said": {Outcome.LICENSE_REQUIRED, Outcome.CONTACT_OWNER, Outcome.DENIED},
}


@given(facts_drawn.facts(with_cycles=True), facts_drawn.questions, st.booleans())
def test_the_sentence_says_what_the_stricter_verdict_says(facts, question, sees_all):
    said = terms_in_words(facts, question, facts.parts if sees_all else {question.asset})
    for use in question.uses:
        outcomes = [verdict.outcome for verdict in decide(facts, question) if verdict.use is use]
        clause = clause_of(said, use).lower()
        meant = next(meant for beginning, meant in OUTCOMES.items() if clause.startswith(beginning))
        assert max(outcomes, key=lambda outcome: outcome.rank) in meant


def stated(subject: UUID, *terms: Term) -> Statement:
    return Statement(UUID(int=100 + subject.int), subject, Level.ASSET, terms, LicenseFamily.CUSTOM)


def told(song: str | None, loop: str | None, uses=frozenset(Use), shown=frozenset({SONG, LOOP})) -> str:
    parts = {id_: Part(id_, UUID(int=10 + id_.int), AssetKind.TRACK) for id_ in (SONG, LOOP)}
    bonds = [Bond(UUID(int=50), SONG, LOOP, EdgeKind.SAMPLES)]
    spoken = [
        stated(id_, *preset(read_license(license_))) for id_, license_ in ((SONG, song), (LOOP, loop)) if license_
    ]
    return terms_in_words(Facts(parts, bonds, spoken), Question(SONG, uses, DAY), shown)


@pytest.mark.parametrize(
    ("song", "loop", "said"),
    [
        (
            "CC0-1.0",
            "CC0-1.0",
            (
                "You may remix it, work with its stems, set it to moving images, reuse its visuals, train a model on it, "
                "generate from it, register a derivative of it and use it commercially."
            ),
        ),
        (
            "CC0-1.0",
            "CC-BY-NC-4.0",
            (
                "You may remix it, work with its stems, reuse its visuals and register a derivative of it with credit; "
                "you need a license for setting it to moving images and commercial use; ask the owners before training a "
                "model or generating from it."
            ),
        ),
        (
            None,
            "CC0-1.0",
            (
                "Its artists have not all said whether you may remix it, work with its stems, set it to moving images, "
                "reuse its visuals, train a model on it, generate from it, register a derivative of it or use it "
                "commercially, so ask first."
            ),
        ),
        (
            "CC-BY-SA-4.0",
            "GPL-2.0-only",
            (
                "You may set it to moving images and reuse its visuals with credit and sharing alike under CC-BY-SA-4.0 "
                "and GPL-2.0-only; ask the owners before training a model or generating from it; for remixing, working "
                "with stems, registering a derivative and commercial use ask the owners, as its licenses CC-BY-SA-4.0 and "
                "GPL-2.0-only exclude each other."
            ),
        ),
    ],
)
def test_what_is_said_of_a_song_that_samples_a_loop(song, loop, said):
    assert told(song, loop) == said


def test_a_silent_artist_is_not_quoted_as_refusing_and_one_who_refuses_is():
    training = frozenset({Use.AI_TRAINING})
    assert told("CC0-1.0", None, training) == (
        "Its artists have not all said whether you may train a model on it, so ask first."
    )
    assert told("CC0-1.0", "LicenseRef-all-rights-reserved", training) == "You may not train a model on it."
    assert told(None, "LicenseRef-all-rights-reserved", training) == "You may not train a model on it."


def test_credit_is_asked_for_only_where_a_use_that_is_allowed_asks_for_it():
    terms = [Term(Use.REMIX, None, Decision.ALLOWED), Term(Use.SYNC, None, Decision.DENIED, attribution=True)]
    parts = {SONG: Part(SONG, UUID(int=9), AssetKind.TRACK)}
    question = Question(SONG, frozenset({Use.REMIX, Use.SYNC}), DAY)
    assert terms_in_words(Facts(parts, [], [stated(SONG, *terms)]), question, {SONG}) == (
        "You may remix it; you may not set it to moving images."
    )


@pytest.mark.parametrize("song", ["CC0-1.0", "CC-BY-SA-4.0", "LicenseRef-all-rights-reserved", None])
def test_of_what_is_hidden_the_sentence_tells_no_more_than_what_it_comes_to(song):
    """Two hidden loops that decide alike, one by silence and one by word; two that ask for licenses of another name."""
    mine = frozenset({SONG})
    assert told(song, None, shown=mine) == told(song, "LicenseRef-all-rights-reserved", shown=mine)
    assert told(song, "CC-BY-SA-4.0", shown=mine) == told(song, "CC-BY-SA-3.0", shown=mine)
    for license_ in ("GPL-2.0-only", "CC-BY-SA-3.0"):
        assert license_ not in told(song, license_, shown=mine)
    assert "not train" not in told("CC0-1.0", None, shown=mine)
