"""What is told in other standards' words is never more open than what was decided."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from domain.permissions_told import (
    NOTHING,
    ODRL,
    RSL,
    WORDS,
    Permissions,
    cawg,
    content_signal,
    content_usage,
    odrl,
    reservation,
    rsl,
)
from domain.rights import Outcome, Use

PERMISSIONS = st.builds(Permissions, st.dictionaries(st.sampled_from(Use), st.sampled_from(Outcome)), st.booleans())
OPEN = Outcome.ALLOWED


def fields(text: str) -> dict[str, str]:
    return dict(part.split("=") for part in text.split(", "))


def licenses(told: Permissions) -> list[ET.Element]:
    root = ET.fromstring(rsl(told, "https://x.test/a", "https://x.test/quote", "https://x.test/ask"))
    assert root.tag == f"{{{RSL}}}rsl"
    return root.findall(f".//{{{RSL}}}license")


def of(license_: ET.Element, tag: str, kind: str) -> list[str]:
    found = [each for each in license_.findall(f"{{{RSL}}}{tag}") if each.get("type") == kind]
    assert len(found) <= 1  # RSL 1.0: one of a kind in a license.
    return (found[0].text or "").split(" ") if found else []


@given(PERMISSIONS)
def test_no_standard_is_told_more_than_was_decided(told: Permissions) -> None:
    usage, signal = fields(content_usage(told)), fields(content_signal(told))
    for use, words in WORDS.items():
        allowed = told.outcomes.get(use) is OPEN
        if words.aipref:
            assert usage[words.aipref] == ("y" if allowed else "n")
        if words.signal:
            assert signal[words.signal] == ("yes" if allowed else "no")
    headers = reservation(told, "https://x.test/policy")
    training = told.outcomes.get(Use.AI_TRAINING)
    assert (headers["tdm-reservation"] == "0") == (training is OPEN)
    agreeable = training in {Outcome.LICENSE_REQUIRED, Outcome.CONTACT_OWNER}
    assert ("tdm-policy" in headers) == agreeable


@given(PERMISSIONS)
def test_rsl_says_every_token_once_and_gives_nothing_away(told: Permissions) -> None:
    seen: list[str] = []
    for license_ in licenses(told):
        permitted, prohibited = of(license_, "permits", "usage"), of(license_, "prohibits", "usage")
        seen += permitted + prohibited
        payment = license_.find(f"{{{RSL}}}payment")
        assert (payment is None) == bool(prohibited or of(license_, "prohibits", "user"))
        is_free = payment is not None and payment.get("type") in {"free", "attribution"}
        for use, words in WORDS.items():
            if words.rsl in permitted:
                assert is_free == (told.of(use) is OPEN)
            if words.rsl in prohibited:
                assert told.of(use) is Outcome.DENIED
        if is_free:
            assert payment is not None
            assert (payment.get("type") == "attribution") == told.attributed
            # What is free is free for commerce only where that is.
            users = of(license_, "permits", "user")
            assert users == ([] if told.of(Use.COMMERCIAL_USE) is OPEN else ["non-commercial"])
        else:
            assert payment is None or payment.find(f"{{{RSL}}}custom") is not None
        for verb in ("permits", "prohibits"):
            if "commercial" in of(license_, verb, "user"):
                assert not is_free
                assert (verb == "prohibits") == (told.of(Use.COMMERCIAL_USE) is Outcome.DENIED)
    assert sorted(seen) == sorted(words.rsl for words in WORDS.values() if words.rsl)


@given(PERMISSIONS)
def test_odrl_owes_a_duty_for_what_is_not_allowed_outright(told: Permissions) -> None:
    offer = odrl(told, "urn:p", "urn:a", "urn:o")
    said = {}
    for rule in offer.get("permission", []):
        said[str(rule["action"])] = {duty["action"] for duty in rule.get("duty", [])}
    refused = {str(rule["action"]) for rule in offer.get("prohibition", [])}
    for use, words in WORDS.items():
        action = str(words.odrl[0] if words.odrl[1] is None else {"@id": words.odrl[0], "includedIn": words.odrl[1]})
        match told.of(use):
            case Outcome.ALLOWED:
                assert said[action] == ({f"{ODRL}attribute"} if told.attributed else set())
            case Outcome.LICENSE_REQUIRED:
                assert said[action] == {f"{ODRL}compensate"}
            case Outcome.CONTACT_OWNER:
                assert said[action] == {f"{ODRL}obtainConsent"}
            case _:
                assert action in refused
                assert action not in said
    assert len(said) + len(refused) == len(Use)


@given(PERMISSIONS)
def test_cawg_constrains_by_the_way_on_whatever_is_not_allowed_outright(told: Permissions) -> None:
    assertion = cawg(told, "https://x.test/quote", "https://x.test/ask")
    assert assertion["label"] == "cawg.training-mining"
    entries = assertion["data"]["entries"]
    assert set(entries) == {label for words in WORDS.values() for label in words.cawg}
    ways = {Outcome.LICENSE_REQUIRED: "https://x.test/quote", Outcome.CONTACT_OWNER: "https://x.test/ask"}
    for use, words in WORDS.items():
        for label in words.cawg:
            entry = entries[label]
            assert (entry["use"] == "allowed") == (told.outcomes.get(use) is OPEN)
            assert entry.get("constraint_info") == ways.get(told.of(use))
            assert ("constraint_info" in entry) == (entry["use"] == "constrained")


def test_of_the_whole_house_nothing_is_open() -> None:
    assert content_usage(NOTHING) == "ai-use=n, train-ai=n"
    assert content_signal(NOTHING) == "ai-input=no, ai-train=no"
    assert reservation(NOTHING, "") == {"tdm-reservation": "1"}
    assert {
        tag for each in licenses(NOTHING) for tag in ("permits",) if each.find(f"{{{RSL}}}{tag}") is not None
    } == set()
