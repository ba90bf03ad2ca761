"""Manifests sign one meaning: equal facts make equal bytes, and whatever differs makes another hash."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.assets import Badge, MediaRole
from domain.canonical import canonical
from domain.contributors import Acceptance, CreditRole, Pool
from domain.facts import CONTAINS
from domain.ids import Kind, Ref
from domain.lineage import EdgeKind, EdgeStatus
from domain.manifests import DriftKind, drift, manifest
from domain.releases import ReleaseKind
from domain.rights import Decision, Layer, Level, Term, Use
from domain.snapshots import FrozenCredit, FrozenFile, FrozenPolicy, FrozenShare, Snapshot, Strand, Work
from domain.windows import Window

SCHEMA = json.loads(resources.files("domain").joinpath("manifests.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
HEX = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
# Letters that have several forms, and line ends that JSON leaves alone.
TEXT = st.text(st.sampled_from('aé\u0301ñAÅ가\u2028\u2029\u200d\u0307\u0323ﬁ"\\/\U0001f3b5'), min_size=1, max_size=8)
AGREED = st.sampled_from((Acceptance.PROPOSED, Acceptance.ACCEPTED))


def ref(*kinds: Kind) -> st.SearchStrategy[Ref]:
    return st.builds(Ref, st.sampled_from(kinds), st.uuids())


def window() -> st.SearchStrategy[Window]:
    return st.integers(0, 10**6).map(lambda start: Window(start, start + 30_000))


def maybe(drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | drawn


TERMS = st.builds(
    Term,
    st.sampled_from(Use),
    maybe(st.sampled_from(Layer)),
    st.sampled_from(Decision),
    attribution=st.booleans(),
    share_alike=maybe(st.sampled_from(("CC-BY-SA-4.0", "GPL-3.0-only"))),
    territories=maybe(st.lists(st.sampled_from(("DE", "FR", "US")), min_size=1).map(tuple)),
    ends_on=maybe(st.dates(date(2020, 1, 1), date(2040, 1, 1))),
    purpose=maybe(st.sampled_from(("film", "study"))),
    price_minor=st.just(1200),
    currency=st.just("EUR"),
    royalty_bp=maybe(st.integers(0, 10_000)),
)
POLICIES = st.builds(
    FrozenPolicy,
    ref(Kind.POLICY),
    st.sampled_from((Level.AGENT_RULE, Level.VERSION, Level.ASSET, Level.ARTIST)),
    st.lists(TERMS, min_size=1, max_size=4).map(tuple),
    maybe(st.just("CC-BY-4.0")),
)
CREDITS = st.builds(
    FrozenCredit,
    ref(Kind.CONTRIBUTOR),
    TEXT,
    st.sampled_from(CreditRole),
    AGREED,
    st.integers(1, 4),
    maybe(TEXT),
    maybe(st.just("00014107338")),
)
SHARES = st.builds(
    FrozenShare,
    ref(Kind.CONTRIBUTOR),
    TEXT,
    st.sampled_from(Pool),
    st.integers(1, 10_000),
    AGREED,
    st.integers(1, 4),
)
FILES = st.builds(FrozenFile, st.sampled_from((MediaRole.COVER, MediaRole.LOOP)), HEX, maybe(st.just("image/png")))


def works(*kinds: Kind) -> st.SearchStrategy[Work]:
    return st.builds(
        Work,
        ref(*kinds),
        TEXT,
        ref(Kind.ARTIST),
        TEXT,
        st.frozensets(st.sampled_from(Badge)),
        st.lists(CREDITS, max_size=3),
        st.lists(SHARES, max_size=3),
        st.lists(POLICIES, max_size=2),
        st.lists(FILES, max_size=2),
        maybe(HEX),
        maybe(window()),
        maybe(st.just("GBA1B2300001")),
    )


STRANDS = st.builds(
    Strand,
    ref(Kind.EDGE),
    ref(Kind.TRACK),
    ref(Kind.SAMPLE),
    st.sampled_from((*EdgeKind, CONTAINS)),
    maybe(st.sampled_from(EdgeStatus)),
    maybe(window()),
    maybe(window()),
)
ITEMS = st.lists(works(Kind.TRACK, Kind.SAMPLE, Kind.INSTRUMENT, Kind.RELEASE), min_size=1, max_size=3).map(
    lambda drawn: list(enumerate(drawn, 1))
)
SNAPSHOTS = st.builds(
    Snapshot,
    ref(Kind.VERSION),
    st.integers(1, 100),
    st.integers(0, 4 * 10**15).map(lambda moment: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)),
    works(Kind.RELEASE),
    ITEMS,
    st.lists(STRANDS, max_size=3, unique_by=lambda strand: strand.id),
    maybe(st.sampled_from(ReleaseKind)),
    maybe(st.just("036000291452")),
    maybe(TEXT),
    maybe(HEX.map("sha256:".__add__)),
)
EASY = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def otherwise(draw: Any, value: Any, form: str) -> Any:
    """The same facts in another order, another Unicode form and another time zone."""
    if isinstance(value, str):
        return unicodedata.normalize(form, value)
    if isinstance(value, datetime):
        return value.astimezone(timezone(timedelta(hours=draw(st.integers(-12, 14)))))
    if isinstance(value, Work):
        listed = {name: getattr(value, name) for name in ("credits", "shares", "policies", "files")}
        shuffled = {
            name: [otherwise(draw, row, form) for row in draw(st.permutations(listed[name]))] for name in listed
        }
        named = {"title": otherwise(draw, value.title, form), "owner_name": otherwise(draw, value.owner_name, form)}
        return replace(value, **shuffled, **named)
    if isinstance(value, FrozenPolicy):
        return value._replace(terms=tuple(draw(st.permutations(value.terms))))
    if isinstance(value, (FrozenCredit, FrozenShare)):
        return type(value)(*[otherwise(draw, each, form) if type(each) is str else each for each in value])
    return value


@EASY
@given(st.data(), SNAPSHOTS, st.sampled_from(("NFC", "NFD")))
def test_equal_facts_make_equal_bytes_in_whatever_order_and_form_they_come(
    data: st.DataObject, snapshot: Snapshot, form: str
) -> None:
    same = replace(
        snapshot,
        published_at=otherwise(data.draw, snapshot.published_at, form),
        release=otherwise(data.draw, snapshot.release, form),
        items=[(place, otherwise(data.draw, work, form)) for place, work in data.draw(st.permutations(snapshot.items))],
        lineage=data.draw(st.permutations(snapshot.lineage)),
        label=snapshot.label and unicodedata.normalize(form, snapshot.label),
    )
    assert manifest(same) == manifest(snapshot)


@EASY
@given(SNAPSHOTS)
def test_every_manifest_is_canonical_hashes_to_its_address_and_keeps_the_schema(snapshot: Snapshot) -> None:
    made = manifest(snapshot)
    assert made.hash == f"sha256:{hashlib.sha256(made.body).hexdigest()}"
    assert rfc8785.dumps(made.told) == made.body
    assert b":null" not in made.body
    assert not [error.message for error in VALIDATOR.iter_errors(made.told)]


ID = UUID(int=2**127)
CHANGES: dict[str, Any] = {
    "version": lambda it: replace(it, version=Ref(Kind.VERSION, ID)),
    "number": lambda it: replace(it, number=it.number + 1),
    "published_at": lambda it: replace(it, published_at=it.published_at + timedelta(microseconds=1)),
    "kind": lambda it: replace(it, kind=ReleaseKind.EP if it.kind is not ReleaseKind.EP else None),
    "upc": lambda it: replace(it, upc=None if it.upc else "4006381333931"),
    "label": lambda it: replace(it, label=f"{it.label}x"),
    "previous": lambda it: replace(it, previous=None if it.previous else "sha256:" + "0" * 64),
    "one item more": lambda it: replace(it, items=[*it.items, (len(it.items) + 1, work(it))]),
    "one edge more": lambda it: replace(it, lineage=[*it.lineage, strand()]),
}
WORK_CHANGES: dict[str, Any] = {
    "ref": lambda it: replace(it, ref=Ref(it.ref.kind, ID)),
    "title": lambda it: replace(it, title=f"{it.title}x"),
    "owner": lambda it: replace(it, owner=Ref(Kind.ARTIST, ID)),
    "owner_name": lambda it: replace(it, owner_name=f"{it.owner_name}x"),
    "badges": lambda it: replace(it, badges=it.badges ^ {Badge.REMIX}),
    "master": lambda it: replace(it, master=None if it.master else "0" * 64),
    "hook": lambda it: replace(it, hook=None if it.hook else Window(0, 30_000)),
    "isrc": lambda it: replace(it, isrc=None if it.isrc else "GBA1B2300002"),
    "a credit": lambda it: replace(it, credits=[*it.credits, credit()]),
    "a share": lambda it: replace(it, shares=[*it.shares, share()]),
    "a policy": lambda it: replace(it, policies=[*it.policies, stated()]),
    "a file": lambda it: replace(it, files=[*it.files, FrozenFile(MediaRole.COVER, "f" * 64, "image/x")]),
}


def work(snapshot: Snapshot) -> Work:
    return replace(snapshot.release, ref=Ref(Kind.SAMPLE, ID))


def strand() -> Strand:
    return Strand(Ref(Kind.EDGE, ID), Ref(Kind.TRACK, ID), Ref(Kind.SAMPLE, ID), EdgeKind.SAMPLES)


def credit(acceptance: Acceptance = Acceptance.PROPOSED) -> FrozenCredit:
    return FrozenCredit(Ref(Kind.CONTRIBUTOR, ID), "x", CreditRole.PRODUCER, acceptance, 9)


def share() -> FrozenShare:
    return FrozenShare(Ref(Kind.CONTRIBUTOR, ID), "x", Pool.MASTER, 1, Acceptance.ACCEPTED, 9)


def stated() -> FrozenPolicy:
    """What speaks before everything that could hide it."""
    return FrozenPolicy(Ref(Kind.POLICY, ID), Level.AGENT_RULE, (Term(Use.SYNC, None, Decision.DENIED),))


@EASY
@given(SNAPSHOTS, st.sampled_from(list(CHANGES)))
def test_whatever_differs_in_a_version_makes_another_hash(snapshot: Snapshot, change: str) -> None:
    assert manifest(CHANGES[change](snapshot)).hash != manifest(snapshot).hash


@EASY
@given(st.data(), SNAPSHOTS, st.sampled_from(list(WORK_CHANGES)))
def test_whatever_differs_in_a_work_makes_another_hash(data: st.DataObject, snapshot: Snapshot, change: str) -> None:
    if data.draw(st.booleans()):
        other = replace(snapshot, release=WORK_CHANGES[change](snapshot.release))
    else:
        place, held = data.draw(st.sampled_from(snapshot.items))
        rest = [item for item in snapshot.items if item[0] != place]
        other = replace(snapshot, items=[*rest, (place, WORK_CHANGES[change](held))])
    assert manifest(other).hash != manifest(snapshot).hash


PLAIN = Snapshot(
    Ref(Kind.VERSION, UUID(int=1)),
    1,
    datetime(2026, 1, 31, 12, tzinfo=UTC),
    Work(Ref(Kind.RELEASE, UUID(int=2)), "Nightlight", Ref(Kind.ARTIST, UUID(int=3)), "Nova"),
    [(1, Work(Ref(Kind.TRACK, UUID(int=4)), "Lantern", Ref(Kind.ARTIST, UUID(int=3)), "Nova", master="ab" * 32))],
)


def test_the_bytes_of_a_known_release_are_the_same_for_ever() -> None:
    assert manifest(PLAIN).hash == "sha256:cb8072947ef03becdca5540e432ffd038596d76affcb6abd371631e7b476ae1a"


def heard(*policies: FrozenPolicy, use: Use = Use.SYNC) -> Any:
    told = manifest(replace(PLAIN, release=replace(PLAIN.release, policies=policies))).told
    return [
        (each.get("layer"), [(term["level"], term["decision"]) for term in each["terms"]])
        for each in told["release"]["policy"]
        if each["use"] == use
    ]


def says(level: Level, *terms: Term) -> FrozenPolicy:
    return FrozenPolicy(Ref(Kind.POLICY, UUID(int=9)), level, terms)


def test_the_level_that_spoke_is_told_and_nothing_below_it() -> None:
    artist = says(Level.ARTIST, Term(Use.SYNC, None, Decision.DENIED))
    asset = says(Level.ASSET, Term(Use.SYNC, None, Decision.ALLOWED))
    assert heard() == [(None, [("PLATFORM", "LICENSE_REQUIRED")])]
    assert heard(artist) == [(None, [("ARTIST", "DENIED")])]
    assert heard(artist, asset) == [(None, [("ASSET", "ALLOWED")])]


def test_a_term_for_one_place_leaves_the_rest_to_the_levels_below() -> None:
    here = says(Level.ASSET, Term(Use.SYNC, None, Decision.ALLOWED, territories=("DE",)))
    assert heard(here) == [(None, [("ASSET", "ALLOWED"), ("PLATFORM", "LICENSE_REQUIRED")])]


def test_layers_are_told_apart_where_they_differ() -> None:
    master = says(Level.ASSET, Term(Use.SYNC, Layer.MASTER, Decision.ALLOWED))
    assert heard(master) == [
        ("MASTER", [("ASSET", "ALLOWED")]),
        ("COMPOSITION", [("PLATFORM", "LICENSE_REQUIRED")]),
    ]


def test_a_pool_that_was_never_divided_is_the_owners() -> None:
    splits = manifest(PLAIN).told["items"][0]["splits"]
    whole = {"holder": str(PLAIN.release.owner), "name": "Nova", "basisPoints": 10_000, "acceptance": "ACCEPTED"}
    assert splits == {"master": [whole], "publishing": [whole]}


def test_money_is_a_string_and_no_number_is_too_large_for_a_reader() -> None:
    dear = says(Level.ASSET, Term(Use.SYNC, None, Decision.LICENSE_REQUIRED, price_minor=2**60, currency="EUR"))
    told = manifest(replace(PLAIN, release=replace(PLAIN.release, policies=[dear]))).told
    prices = [term["price"] for use in told["release"]["policy"] for term in use["terms"] if "price" in term]
    assert prices == [{"amountMinor": str(2**60), "currency": "EUR"}]
    with pytest.raises(ValueError, match="9007199254740992"):
        manifest(replace(PLAIN, number=2**53))


def test_half_a_surrogate_pair_has_no_manifest() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        manifest(replace(PLAIN, label="\ud800"))


def test_a_line_separator_stays_what_it_is() -> None:
    body = manifest(replace(PLAIN, label="a\u2028b")).body
    assert "a\u2028b".encode() in body
    assert canonical(json.loads(body)) == body


@EASY
@given(SNAPSHOTS)
def test_what_is_as_it_was_does_not_drift(snapshot: Snapshot) -> None:
    assert drift(manifest(snapshot), manifest(snapshot)) == []


def test_drift_names_the_work_and_what_of_it_differs() -> None:
    (place, song), *_ = PLAIN.items
    agreed = replace(song, title="Lamp", credits=[credit(Acceptance.ACCEPTED)])
    live = replace(PLAIN, items=[(place, agreed)], upc="036000291452", lineage=[strand()])
    assert drift(manifest(PLAIN), manifest(live)) == [
        (DriftKind.LINEAGE, PLAIN.release.ref),
        (DriftKind.IDENTIFIERS, PLAIN.release.ref),
        (DriftKind.TITLE, song.ref),
        (DriftKind.CREDITS, song.ref),
    ]
