"""Receipts: what was asked, what was answered, and by which rules, so that it can be answered again, byte for byte.

A receipt's body is canonical JSON (RFC 8785) and holds the hash of the one before it, per asking account. What the
answer was decided from is kept beside it, for us alone: it may speak of what the asker may not see. The body holds its
digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.canonical import canonical, digest, moment
from domain.facts import Question
from domain.ids import Kind, Ref, parse_ref
from domain.rights import Use
from domain.verdicts import RULES
from domain.windows import Window


@dataclass(frozen=True, slots=True)
class Place:
    """Where a receipt stands.

    Attributes:
        id: of the receipt.
        account: who asked.
        sequence: its place in the chain of the account, from 1.
        prev: the hash of the one before; None for the first.
        at: when it was answered.
    """

    id: Ref
    account: Ref
    sequence: int
    prev: str | None
    at: datetime


def place_of(body: Mapping[str, Any]) -> Place:
    """Where the receipt of a body stands."""
    at = datetime.fromisoformat(body["at"])
    return Place(parse_ref(body["id"]), parse_ref(body["account"]), body["sequence"], body.get("prev"), at)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt in its place: the canonical body, and its hash."""

    body: str
    hash: str


def receipt(place: Place, asked: Mapping[str, Any], facts: str, answer: Mapping[str, Any]) -> Receipt:
    """Write a receipt.

    Args:
        place: where it stands.
        asked: the question, as JSON.
        facts: what it was decided from, as canonical JSON.
        answer: what was told, as JSON.
    """
    body: dict[str, Any] = {
        "id": str(place.id),
        "account": str(place.account),
        "sequence": place.sequence,
        "at": moment(place.at),
        "rules": RULES,
        "question": asked,
        "facts": digest(facts.encode()),
        "answer": answer,
    }
    if place.prev is not None:
        body["prev"] = place.prev
    data = canonical(body)
    return Receipt(data.decode(), digest(data))


def asked_of(asset: Ref, question: Question, as_of: tuple[datetime, datetime]) -> dict[str, Any]:
    """A question as JSON; absent means absent."""
    asked: dict[str, Any] = {
        "asset": str(asset),
        "uses": [use.value for use in Use if use in question.uses],
        "on": question.on.isoformat(),
        "validAt": moment(as_of[0]),
        "knownAt": moment(as_of[1]),
        "askers": sorted(str(Ref(Kind.ARTIST, artist)) for artist in question.grantees),
    }
    if question.territory is not None:
        asked["territory"] = question.territory
    if question.purpose is not None:
        asked["purpose"] = question.purpose
    if question.window is not None:
        start_ms, end_ms = question.window
        asked["window"] = {"startMs": start_ms, **({} if end_ms is None else {"endMs": end_ms})}
    return asked


def question_asked(asked: Mapping[str, Any]) -> Question:
    """The question of a receipt."""
    window = asked.get("window")
    return Question(
        parse_ref(asked["asset"]).id,
        frozenset(map(Use, asked["uses"])),
        date.fromisoformat(asked["on"]),
        asked.get("territory"),
        asked.get("purpose"),
        None if window is None else Window(window["startMs"], window.get("endMs")),
        grantees=frozenset(parse_ref(artist).id for artist in asked["askers"]),
    )
