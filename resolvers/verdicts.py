"""Answering "may I use this for X?": facts are read, the domain decides, and the asker is told what they may see.

What the asker may not see counts like everything else, and is not named: a hidden blocker gives its decision only, and
all hidden owners count as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from db.facts import Read, facts_of
from domain.blockers import Blocker, Carrier, Conflict
from domain.clearances import Credit, attribution, clear_windows
from domain.facts import CONTAINS, Bond, Question
from domain.ids import Kind, Ref
from domain.levels import Reason
from domain.lineage import EdgeKind
from domain.outcomes import HYPOTHETICAL, hypothetical
from domain.remedies import Asking, Clearing
from domain.rights import Decision, Use
from domain.verdicts import Route, Verdict, decide
from domain.windows import Window
from resolvers.context import Acting

Told = dict[str, Any]
"""A value by SDL names; what is stored is a reference."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of every asset alike.

    Attributes:
        uses: for what.
        territory: where, as an ISO 3166 code; None for everywhere.
        purpose: for which purpose.
        window: which stretch; None for the whole.
        valid_at: what held at that moment; None for now.
        known_at: as it was known at that one.
    """

    uses: frozenset[Use]
    territory: str | None = None
    purpose: str | None = None
    window: Window | None = None
    valid_at: datetime | None = None
    known_at: datetime | None = None

    def moment(self, now: datetime) -> tuple[datetime, datetime] | None:
        """(valid at, known at); None for now."""
        if self.valid_at is None and self.known_at is None:
            return None
        valid_at = self.valid_at or now
        return valid_at, self.known_at or valid_at


async def rights_of(acting: Acting, assets: Sequence[UUID], terms: Terms) -> Mapping[UUID, list[Told]]:
    """The verdicts on some assets, all decided on one state of the graph."""
    read = await _facts(acting, assets, terms)
    telling = _Telling(read)
    return {
        id_: telling.verdicts(decide(read.facts, _question(acting, id_, terms)))
        for id_ in assets
        if id_ in read.facts.parts
    }


async def permissions_of(acting: Acting, assets: Sequence[Ref], terms: Terms) -> list[Told]:
    """One answer for each asset asked about, in their order: the strictest of its verdicts, and all of them.

    What does not exist and what the asker may not see answer alike, without verdicts.
    """
    read = await _facts(acting, [asset.id for asset in assets], terms)
    telling = _Telling(read)
    answers = []
    for asset in assets:
        decided = decide(read.facts, _question(acting, asset.id, terms)) if asset.id in read.named else ()
        strictest = max((verdict.outcome for verdict in decided), key=lambda outcome: outcome.rank, default=None)
        answers.append(
            {
                "__typename": "PermissionAnswer",
                "id": str(asset),
                "asset": asset,
                "decision": strictest and strictest.value,
                "verdicts": telling.verdicts(decided) if decided else None,
            }
        )
    return answers


async def hypothetical_rights(
    acting: Acting, parents: Sequence[UUID], kind: EdgeKind, terms: Terms
) -> list[Told] | None:
    """The verdicts on something that might be made of some assets; None where one of them is not the asker's to see."""
    read = await _facts(acting, parents, terms)
    if not all(parent in read.named for parent in parents):
        return None
    facts = hypothetical(read.facts, parents, kind)
    return _Telling(replace(read, facts=facts)).verdicts(decide(facts, _question(acting, HYPOTHETICAL, terms)))


async def clear_windows_of(acting: Acting, assets: Sequence[UUID], length_ms: int, terms: Terms) -> Mapping[UUID, Any]:
    """The stretches of some assets in which every window of a length is allowed."""
    read = await _facts(acting, assets, terms)
    return {
        id_: [
            {"__typename": "TimeWindow", "startMs": window.start_ms, "endMs": window.end_ms}
            for window in clear_windows(read.facts, _question(acting, id_, terms), length_ms)
        ]
        for id_ in assets
        if id_ in read.facts.parts
    }


async def attributions_of(acting: Acting, assets: Sequence[UUID], terms: Terms) -> Mapping[UUID, list[Told]]:
    """Whom some assets have to name: once each, the nearest first."""
    read = await _facts(acting, assets, terms)
    telling = _Telling(read)
    return {
        id_: [telling.credit(credit) for credit in attribution(read.facts, _question(acting, id_, terms))]
        for id_ in assets
        if id_ in read.facts.parts
    }


async def _facts(acting: Acting, assets: Sequence[UUID], terms: Terms) -> Read:
    return await facts_of(acting.database, acting.viewer, assets, terms.moment(acting.now()))


def _question(acting: Acting, asset: UUID, terms: Terms) -> Question:
    moment = terms.moment(acting.now())
    on = (moment[0] if moment else acting.now()).date()
    return Question(asset, terms.uses, on, terms.territory, terms.purpose, terms.window)


class _Telling:
    """Tells verdicts to somebody who may see some of the parts."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._bonds = {bond.id: bond for bond in read.facts.bonds}
        self._statements = {statement.id: statement for statement in read.facts.statements}

    def verdicts(self, verdicts: Sequence[Verdict]) -> list[Told]:
        return [self.verdict(verdict) for verdict in verdicts]

    def credit(self, credit: Credit) -> Told:
        asset = self._asset(credit.asset)
        return {
            "__typename": "AttributionCredit",
            "asset": asset,
            "author": asset and Ref(Kind.ARTIST, credit.owner),
            "license": credit.license,
            "distance": credit.distance,
        }

    def verdict(self, verdict: Verdict) -> Told:
        asked, cleared = verdict.ask_at_least, verdict.clear_by
        return {
            "__typename": "Verdict",
            "use": verdict.use.value,
            "layer": verdict.layer.value,
            "decision": verdict.outcome.value,
            "reasons": [reason.value for reason in verdict.reasons],
            "blockers": [self._blocker(blocker, verdict.use) for blocker in verdict.blockers],
            "askAtLeast": None if isinstance(asked, Reason) else self._askings(asked),
            "clearBy": None if isinstance(cleared, Reason) else [self._clearing(clearing) for clearing in cleared],
            "clearByReason": cleared.value if isinstance(cleared, Reason) else None,
            "conflicts": [self._conflict(conflict) for conflict in verdict.conflicts],
            "route": _route(verdict.route),
        }

    def _asset(self, id_: UUID) -> Ref | None:
        part = self._read.facts.parts.get(id_)
        return Ref(Kind(part.kind.value.lower()), id_) if part is not None and id_ in self._read.seen else None

    def _blocker(self, blocker: Blocker, use: Use) -> Told:
        asset = self._asset(blocker.asset)
        told: Told = {
            "__typename": "Blocker",
            "layer": blocker.layer.value,
            "decision": blocker.outcome.value,
            "reason": blocker.reason.value,
            "asset": asset,
            "owner": None,
            "clause": None,
            "policy": None,
            "path": [],
        }
        if asset is not None:
            told["owner"] = blocker.owner and Ref(Kind.ARTIST, blocker.owner)
            told["clause"] = self._clause(blocker, use)
            told["policy"] = blocker.statement and Ref(Kind.POLICY, blocker.statement)
            told["path"] = [self._step(self._bonds[id_]) for id_ in blocker.path]
        return told

    def _clause(self, blocker: Blocker, use: Use) -> str | None:
        """What was said, in one sentence."""
        if blocker.term is None:
            return None
        said = _DECIDED[blocker.term.decision].format(use=_USED[use])
        statement = self._statements.get(blocker.statement) if blocker.statement else None
        if statement is None:
            return f"Nobody has stated anything; by default {said}."
        spoken = statement.license or "The owner's terms"
        return f"{spoken}: {said}."

    def _step(self, bond: Bond) -> Told:
        contains = bond.kind == CONTAINS
        stored = not contains and bond.child != HYPOTHETICAL
        return {
            "__typename": "LineageStep",
            "kind": str(bond.kind),
            "edge": Ref(Kind.EDGE, bond.id) if stored else None,
            "item": Ref(Kind.ITEM, bond.id) if contains else None,
            "parent": self._asset(bond.parent),
        }

    def _askings(self, askings: Sequence[Asking]) -> list[Told]:
        named, hidden = [], False
        for asking in askings:
            assets = [asset for id_ in asking.assets if (asset := self._asset(id_)) is not None]
            if assets:
                named.append({"__typename": "Asking", "owner": Ref(Kind.ARTIST, asking.owner), "assets": assets})
            hidden = hidden or len(assets) < len(asking.assets)
        return [*named, {"__typename": "Asking", "owner": None, "assets": []}] if hidden else named

    def _clearing(self, clearing: Clearing) -> Told:
        step = self._step(self._bonds[clearing.bond])
        return {"__typename": "Clearing", "step": step, "reRecordable": clearing.is_re_recordable}

    def _conflict(self, conflict: Conflict) -> Told:
        return {
            "__typename": "Conflict",
            "licenses": [conflict.one.license, conflict.other.license],
            "assets": [asset for asset in map(self._carrier, (conflict.one, conflict.other)) if asset is not None],
        }

    def _carrier(self, carrier: Carrier) -> Ref | None:
        return self._asset(carrier.asset)


def _route(route: Route) -> Told:
    price = None
    if route.price_minor is not None:
        price = {"__typename": "Price", "amountMinor": route.price_minor, "currency": route.currency}
    return {"__typename": "Route", "kind": route.kind.value, "price": price}


_DECIDED = {
    Decision.ALLOWED: "{use} is allowed",
    Decision.LICENSE_REQUIRED: "{use} needs a license",
    Decision.CONTACT_OWNER: "ask the owner about {use}",
    Decision.DENIED: "{use} is not allowed",
}
_USED = {
    Use.REMIX: "remixing",
    Use.STEMS: "working with stems",
    Use.SYNC: "setting it to moving images",
    Use.VISUAL_REUSE: "reusing its visuals",
    Use.AI_TRAINING: "training a model",
    Use.AI_GENERATION: "generating from it",
    Use.DERIVATIVE_REGISTRATION: "registering a derivative",
    Use.COMMERCIAL_USE: "commercial use",
}
