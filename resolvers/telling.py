"""Telling verdicts to somebody who may not see everything they were decided from.

What the asker may not see counts like everything else, and is not named: a hidden blocker gives its decision only, and
all hidden owners count as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from db.facts import Read
from domain.assets import asset_ref
from domain.blockers import Blocker, Conflict
from domain.clearances import Credit
from domain.facts import CONTAINS, Bond
from domain.ids import Kind, Ref
from domain.levels import Reason
from domain.outcomes import HYPOTHETICAL
from domain.remedies import Asking, Clearing
from domain.rights import Decision, Outcome, Use
from domain.verdicts import Route, RouteKind, Verdict
from domain.wording import DOING
from resolvers.context import Told


class Later(Told):
    """A value of which some parts are worked out when they are asked for, and only then."""

    def __init__(self, told: Told, later: Mapping[str, Callable[[], Any]]) -> None:
        """What is told at once, and how the rest is made."""
        super().__init__(told)
        self._later = later

    def __missing__(self, name: str) -> Any:
        """Work a part out, once."""
        value = self[name] = self._later[name]()
        return value

    def whole(self) -> Told:
        """Everything."""
        return {**{name: self[name] for name in self._later}, **self}


class Telling:
    """Tells verdicts to somebody who may see some of the parts, and hear of some of the bonds."""

    def __init__(self, read: Read) -> None:
        """Tell what was decided from these facts to whoever read them."""
        self._read = read
        self._bonds = {bond.id: bond for bond in read.facts.bonds}
        self._statements = {statement.id: statement for statement in read.facts.statements}

    def verdicts(self, asked: UUID, verdicts: Sequence[Verdict]) -> list[Told]:
        """The verdicts on an asset."""
        shown = self.shown(asked)
        return [self._verdict(verdict, asked, shown) for verdict in verdicts]

    def credits(self, asked: UUID, credits_: Sequence[Credit]) -> list[Told]:
        """Whom an asset has to name."""
        shown = self.shown(asked)
        return [self._credit(credit, credit.asset in shown) for credit in credits_]

    def shown(self, asked: UUID) -> frozenset[UUID]:
        """The parts that are named: those the asker may see, and meets over bonds they may hear of."""
        if not self._read.untold:
            return self._read.seen | {asked}
        above: dict[UUID, list[UUID]] = {}
        for bond in self._read.facts.bonds:
            if bond.id not in self._read.untold:
                above.setdefault(bond.child, []).append(bond.parent)
        met, waiting = {asked}, [asked]
        while waiting:
            parents = set(above.get(waiting.pop(), ())) - met
            met |= parents
            waiting += parents
        return (self._read.seen & met) | {asked}

    def _credit(self, credit: Credit, is_shown: bool) -> Told:
        return {
            "__typename": "AttributionCredit",
            "asset": self._asset(credit.asset) if is_shown else None,
            "author": Ref(Kind.ARTIST, credit.owner) if is_shown else None,
            "license": credit.license if is_shown else None,
            "distance": credit.distance,
        }

    def _verdict(self, verdict: Verdict, asked: UUID, shown: frozenset[UUID]) -> Told:
        def clear_by() -> Any:
            cleared = self._clear_by(verdict, asked, shown)
            return None if isinstance(cleared, Reason) else [self._clearing(step, shown) for step in cleared]

        def clear_by_reason() -> Any:
            cleared = self._clear_by(verdict, asked, shown)
            return cleared.value if isinstance(cleared, Reason) else None

        return Later(
            {
                "__typename": "Verdict",
                "use": verdict.use.value,
                "layer": verdict.layer.value,
                "decision": verdict.outcome.value,
            },
            {
                "reasons": lambda: [reason.value for reason in self._reasons(verdict, shown)],
                "blockers": lambda: [self._blocker(blocker, verdict.use, shown) for blocker in verdict.blockers],
                "askAtLeast": lambda: self._askings(verdict.ask_at_least, shown),
                "clearBy": clear_by,
                "clearByReason": clear_by_reason,
                "conflicts": lambda: self._conflicts(verdict.conflicts, shown),
                "route": lambda: self._route(verdict, shown),
            },
        )

    def _asset(self, id_: UUID) -> Ref | None:
        part = self._read.facts.parts.get(id_)
        return None if part is None else asset_ref(part.kind, id_)

    def _reasons(self, verdict: Verdict, shown: frozenset[UUID]) -> list[Reason]:
        """The asset's own, then those of what decides; what is hidden has none but that."""
        own, *why = verdict.reasons
        deciding = [blocker for blocker in verdict.blockers if blocker.outcome is verdict.outcome]
        told = {blocker.reason for blocker in deciding if blocker.asset in shown} | {Reason.CONFLICT}
        hides = any(blocker.asset not in shown for blocker in deciding)
        return [own, *[reason for reason in why if reason in told], *([Reason.HIDDEN] if hides else [])]

    def _blocker(self, blocker: Blocker, use: Use, shown: frozenset[UUID]) -> Told:
        told: Told = {
            "__typename": "Blocker",
            "layer": blocker.layer.value,
            "decision": blocker.outcome.value,
            "reason": Reason.HIDDEN.value,
            "asset": None,
            "owner": None,
            "clause": None,
            "policy": None,
            "path": [],
        }
        if blocker.asset in shown:
            told["reason"] = blocker.reason.value
            told["asset"] = self._asset(blocker.asset)
            told["owner"] = blocker.owner and Ref(Kind.ARTIST, blocker.owner)
            told["clause"] = self._clause(blocker, use)
            told["policy"] = blocker.statement and Ref(Kind.POLICY, blocker.statement)
            if self._read.untold.isdisjoint(blocker.path):
                told["path"] = [self._step(self._bonds[id_], shown) for id_ in blocker.path]
        return told

    def _clause(self, blocker: Blocker, use: Use) -> str | None:
        """What was said, in one sentence."""
        if blocker.term is None:
            return None
        said = _DECIDED[blocker.term.decision].format(use=DOING[use])
        statement = self._statements.get(blocker.statement) if blocker.statement else None
        if statement is None:
            return f"Nobody has stated anything; by default {said}."
        spoken = statement.license or "The owner's terms"
        return f"{spoken}: {said}."

    def _step(self, bond: Bond, shown: frozenset[UUID]) -> Told:
        """A bond: the item only of a release that is shown, the edge only with an end that is."""
        is_item = bond.kind is CONTAINS
        is_edge = not is_item and bond.child != HYPOTHETICAL and (bond.child in shown or bond.parent in shown)
        return {
            "__typename": "LineageStep",
            "kind": bond.kind.value,
            "edge": Ref(Kind.EDGE, bond.id) if is_edge else None,
            "item": Ref(Kind.ITEM, bond.id) if is_item and bond.child in shown else None,
            "parent": self._asset(bond.parent) if bond.parent in shown else None,
        }

    def _askings(self, askings: Sequence[Asking] | Reason, shown: frozenset[UUID]) -> list[Told] | None:
        if isinstance(askings, Reason):
            return None
        named, hidden = [], False
        for asking in askings:
            assets = [asset for id_ in asking.assets if id_ in shown and (asset := self._asset(id_)) is not None]
            if assets:
                named.append({"__typename": "Asking", "owner": Ref(Kind.ARTIST, asking.owner), "assets": assets})
            hidden = hidden or len(assets) < len(asking.assets)
        return [*named, {"__typename": "Asking", "owner": None, "assets": []}] if hidden else named

    def _clear_by(self, verdict: Verdict, asked: UUID, shown: frozenset[UUID]) -> Sequence[Clearing] | Reason:
        """What to drop; nothing that would say whose a hidden thing is, or that there is a bond that is not told."""
        cleared = verdict.clear_by
        if not isinstance(cleared, Reason):
            bonds = [self._bonds[clearing.bond] for clearing in cleared]
            is_told = all(bond.child in shown and bond.id not in self._read.untold for bond in bonds)
        else:
            part = self._read.facts.parts.get(asked)
            owners = {blocker.owner for blocker in verdict.blockers if blocker.asset in shown}
            is_told = cleared is not Reason.OWN_POLICY or not self._hides(verdict, shown)
            is_told |= part is not None and part.owner in owners
        return cleared if is_told else Reason.HIDDEN

    def _clearing(self, clearing: Clearing, shown: frozenset[UUID]) -> Told:
        step = self._step(self._bonds[clearing.bond], shown)
        return {"__typename": "Clearing", "step": step, "reRecordable": clearing.is_re_recordable}

    def _conflicts(self, conflicts: Sequence[Conflict], shown: frozenset[UUID]) -> list[Told]:
        """The conflicts, each as far as it may be told; those of which the same is told are one."""
        told = {tuple([carrier for carrier in conflict if carrier.asset in shown]): None for conflict in conflicts}
        return [
            {
                "__typename": "Conflict",
                "licenses": [carrier.license for carrier in carriers],
                "assets": [self._asset(carrier.asset) for carrier in carriers],
            }
            for carriers in told
        ]

    def _route(self, verdict: Verdict, shown: frozenset[UUID]) -> Told:
        """The way on. What hides has no price, and is asked rather than quoted as refusing."""
        route = verdict.route
        if self._hides(verdict, shown):
            refusals = [it for it in verdict.blockers if it.outcome is Outcome.DENIED and it.asset in shown]
            is_asked = verdict.outcome is Outcome.DENIED and all(it.reason is Reason.NOT_STATED for it in refusals)
            route = Route(RouteKind.CONTACT if is_asked else route.kind)
        return _route(route)

    def _hides(self, verdict: Verdict, shown: frozenset[UUID]) -> bool:
        carriers = [carrier.asset for conflict in verdict.conflicts for carrier in conflict]
        return not shown.issuperset([*[blocker.asset for blocker in verdict.blockers], *carriers])


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
