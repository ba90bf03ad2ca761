"""What is quoted: policy first, each price once, and what is granted lies within what was asked and stated."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets import AssetKind
from domain.facts import Bond, Facts, Part, Question, Statement
from domain.ids import Kind, Ref
from domain.licensing import Asked, Offer, PolicyDenied, Unpayable, granted_terms, offered, quote_told
from domain.lineage import EdgeKind
from domain.payments import fingerprint, settled_amount
from domain.rights import Decision, Layer, Level, LicenseFamily, Outcome, Term, Use
from domain.verdicts import RouteKind, decide

SONG, SAMPLE = UUID(int=1), UUID(int=2)
ADA, BO = UUID(int=11), UUID(int=12)
TODAY = date(2026, 1, 1)


def facts(*said: tuple[UUID, Term]) -> Facts:
    """Ada's song, made of Bo's sample, and what each of them says."""
    parts = {SONG: Part(SONG, ADA, AssetKind.TRACK), SAMPLE: Part(SAMPLE, BO, AssetKind.SAMPLE)}
    bond = Bond(UUID(int=21), SONG, SAMPLE, EdgeKind.SAMPLES)
    spoken: dict[UUID, list[Term]] = {}
    for subject, term in said:
        spoken.setdefault(subject, []).append(term)
    statements = [
        Statement(UUID(int=31 + n), subject, Level.ASSET, tuple(terms), LicenseFamily.CUSTOM)
        for n, (subject, terms) in enumerate(spoken.items())
    ]
    return Facts(parts, [bond], statements)


def offer(*said: tuple[UUID, Term], uses: frozenset[Use] = frozenset({Use.SYNC}), hidden: UUID | None = None) -> Offer:
    verdicts = decide(facts(*said), Question(SONG, uses, TODAY))
    return offered(verdicts, ADA, {SONG, SAMPLE} - {hidden})


def term(decision: Decision, layer: Layer | None = None, price: int | None = 5, **more: object) -> Term:
    money = {"price_minor": price, "currency": None if price is None else "USD"}
    return Term(Use.SYNC, layer, decision, **{**money, **more})  # type: ignore[arg-type]  # what a test changes is of any type


LICENSED = term(Decision.LICENSE_REQUIRED)


@given(st.sampled_from(Decision), st.sampled_from(Decision))
def test_policy_decides_before_any_price(own: Decision, other: Decision) -> None:
    said = (SONG, term(own)), (SAMPLE, term(other))
    closed = own in {Decision.DENIED, Decision.CONTACT_OWNER} or other is Decision.DENIED
    if closed:
        with pytest.raises(PolicyDenied) as refused:
            offer(*said)
        asked = Decision.DENIED not in {own, other}
        assert refused.value.route is (RouteKind.CONTACT if asked else RouteKind.NONE)
        return
    told = offer(*said)
    assert {need.owner for need in told.clears} == ({ADA} if own is Decision.LICENSE_REQUIRED else set())
    assert {need.owner for need in told.still_needed} == ({BO} if other is not Decision.ALLOWED else set())
    assert told.price == ((5, "USD") if told.clears else Unpayable.NOTHING_TO_CLEAR)


def test_a_term_for_both_layers_is_paid_once_and_one_for_each_is_paid_each() -> None:
    open_ = (SAMPLE, term(Decision.ALLOWED))
    assert offer((SONG, LICENSED), open_).price == (5, "USD")
    apart = [(SONG, term(Decision.LICENSE_REQUIRED, layer, price)) for layer, price in zip(Layer, (5, 7), strict=True)]
    assert offer(*apart, open_).price == (12, "USD")


def test_what_has_no_price_or_several_currencies_is_told_and_not_paid() -> None:
    open_ = (SAMPLE, term(Decision.ALLOWED))
    assert offer((SONG, term(Decision.LICENSE_REQUIRED, price=None)), open_).price is Unpayable.NO_PRICE
    # Nobody has spoken: the default of the house asks for a license, and names no price.
    assert offer(open_).price is Unpayable.NOBODY_SPOKE
    mixed = [
        (SONG, term(Decision.LICENSE_REQUIRED, Layer.MASTER, 5)),
        (SONG, term(Decision.LICENSE_REQUIRED, Layer.COMPOSITION, currency="EUR")),
    ]
    assert offer(*mixed, open_).price is Unpayable.OTHER_CURRENCY


def test_what_the_asker_may_not_see_is_needed_and_not_named() -> None:
    told = offer((SONG, LICENSED), (SAMPLE, LICENSED), hidden=SAMPLE)
    (need,) = told.still_needed
    assert (need.asset, need.owner, need.policy, need.term) == (None, None, None, None)
    assert (need.outcome, need.layers) == (Outcome.LICENSE_REQUIRED, tuple(Layer))


@given(st.sampled_from([None, "DE"]), st.sampled_from([None, "film"]), st.sampled_from([None, ("DE", "FR")]))
def test_what_is_granted_lies_within_what_was_asked_and_what_was_stated(
    territory: str | None, purpose: str | None, stated: tuple[str, ...] | None
) -> None:
    said = term(
        Decision.LICENSE_REQUIRED, territories=stated, ends_on=date(2027, 1, 1), route="x", reaches_outputs=True
    )
    (granted,) = granted_terms(offer((SONG, said), (SAMPLE, term(Decision.ALLOWED))).clears, territory, purpose)[SONG]
    assert granted.decision is Decision.ALLOWED
    assert granted.layer is None
    assert granted.territories == (stated if territory is None else (territory,))
    assert granted.purpose == purpose
    assert granted.ends_on == said.ends_on
    assert (granted.price_minor, granted.route, granted.reaches_outputs, granted.exception) == (None, None, False, None)


def test_only_dollars_are_changed_and_exactly() -> None:
    assert settled_amount(1, "USD") == "10000"
    assert settled_amount(123_456_789, "USD") == "1234567890000"
    assert settled_amount(100, "EUR") is None
    assert settled_amount(0, "USD") == "0"


def test_a_quote_names_what_it_is_bound_to_and_absent_means_absent() -> None:
    asked = Asked(Ref(Kind.TRACK, SONG), "sha256:x", Ref(Kind.ARTIST, BO), (Use.SYNC,), None, None)
    told = quote_told(
        Ref(Kind.QUOTE, UUID(int=9)),
        asked,
        offer((SONG, LICENSED), (SAMPLE, LICENSED)),
        {},
        datetime(2026, 1, 1, tzinfo=UTC),
        None,
    )
    assert told["boundTo"] == "sha256:x"
    assert told["unpayable"] == "OTHER_CURRENCY"
    assert "territory" not in told
    assert told["expiresAt"] - told["issuedAt"] == told["expiresAt"] - datetime(2026, 1, 1, tzinfo=UTC)
    assert None not in told.values()


@given(st.lists(st.text(max_size=5), min_size=3, max_size=3), st.binary(max_size=5))
def test_a_request_is_known_by_all_it_is_made_of(parts: list[str], body: bytes) -> None:
    method, path, principal = parts
    one = fingerprint(method, path, body, principal)
    assert one == fingerprint(method, path, body, principal)
    assert one != fingerprint(method, path, body + b"x", principal)
    assert one != fingerprint(method, path + "/", body, principal)
    assert one != fingerprint(method, path, body, principal + "x")
