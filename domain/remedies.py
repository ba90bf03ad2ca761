"""What would open a verdict: whom to ask, or which bonds to drop. Both are enough, and no part of either is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from domain.blockers import LAYER_BITS, Case
from domain.closures import Ascent, Sums, ascend
from domain.facts import Graph
from domain.levels import BITS, EVERY, WIDTH, Reason
from domain.lineage import EdgeKind
from domain.rights import Layer, Use
from domain.sharing import CLOSED_BY_CONFLICT, conflicting, left_out


class Asking(NamedTuple):
    """Whom to ask, and about which of their assets."""

    owner: UUID
    assets: tuple[UUID, ...]


class Clearing(NamedTuple):
    """A bond to drop; `is_re_recordable` where an interpolation in its place would do."""

    bond: UUID
    is_re_recordable: bool


class _Exit(NamedTuple):
    """A bond from the owner's assets to others'.

    Attributes:
        own: the bits in which the owner's assets alone lead to it.
        crossed: those in which it is crossed however it was reached, of the same uses and layers.
        closed: of these, the bits in which a blocker lies behind it, without another exit on the way.
        licenses: likewise for each license that excludes another.
    """

    own: int
    crossed: int
    closed: int
    licenses: dict[str, int]


class Remedies:
    """The ways out of one case."""

    def __init__(self, case: Case) -> None:
        """Remember the case; nothing is looked for before it is asked for."""
        self._case = case
        self._asked: dict[tuple[tuple[int, ...], Layer | None], tuple[Asking, ...] | Reason] = {}

    def ask_at_least(self, use: Use, layer: Layer) -> tuple[Asking, ...] | Reason:
        """The owners of all blockers, and as many owners of licenses in conflict as it takes to end the conflicts.

        Whoever is asked is asked to allow the use of the assets named, and to ask for no license in return.
        """
        nodes = tuple([node for node, _ in self._case.blocking[BITS[use, layer]]])
        key = nodes, layer if use in CLOSED_BY_CONFLICT and self._case.conflicts[layer] else None
        known = self._asked.get(key)
        if known is None:
            known = self._asked[key] = self._ask(*key)
        return known

    def _ask(self, blocking: tuple[int, ...], conflicted: Layer | None) -> tuple[Asking, ...] | Reason:
        """Whom to ask about some assets, and about the conflicts of a layer."""
        graph = self._case.graph
        assets: dict[int, set[int]] = {}
        for node in blocking:
            owner = graph.owners[node]
            if owner is None:
                return Reason.UNREAD
            assets.setdefault(owner, set()).add(node)
        if conflicted:
            disputed = self._case.disputed(conflicted)
            carriers = [
                (owner, node, carrier.license)
                for node, carrier in self._case.carriers[conflicted]
                if carrier.license in disputed and (owner := graph.owners[node]) is not None
            ]
            licenses: dict[int, set[str]] = {}
            for owner, _, license_ in carriers:
                if owner not in assets:
                    licenses.setdefault(owner, set()).add(license_)
            asked = {*assets, *left_out((), [(owner, frozenset(licenses[owner])) for owner in sorted(licenses)])}
            for owner, node, _ in carriers:
                if owner in asked:
                    assets.setdefault(owner, set()).add(node)
        return tuple([_asking(graph, sorted(assets[owner])) for owner in sorted(assets)])

    def clear_by(self, use: Use, layer: Layer) -> tuple[Clearing, ...] | Reason:
        """The bonds from the owner's assets to others' that lead to a blocker, or to a license in conflict.

        Of several such bonds on one path, the last decides. An interpolation keeps the composition, so that
        it takes the place of sampling in MASTER only.
        """
        case = self._case
        if case.owner is None:
            return Reason.UNREAD
        blocking = case.blocking[BITS[use, layer]]
        if any(case.is_own(node) for node, _ in blocking):
            return Reason.OWN_POLICY
        disputed = case.disputed(layer) if use in CLOSED_BY_CONFLICT else frozenset[str]()
        if not blocking and not disputed:
            return ()
        own_reached = [(node, met) for node, met in self._own.reached.items() if case.is_own(node)]
        own = self._licenses(own_reached, layer) & disputed
        if conflicting(own):
            return Reason.OWN_POLICY
        bits = (1 << BITS[use, layer]) * (1 + (1 << WIDTH))
        needed = {bond for bond, exit_ in self._exits.items() if exit_.closed & exit_.own & bits}
        dropped = {bond for bond, exit_ in self._exits.items() if exit_.closed & bits}
        others = [
            (bond, frozenset(name for name, asked in exit_.licenses.items() if asked & LAYER_BITS[layer]) & disputed)
            for bond, exit_ in self._exits.items()
            if bond not in dropped
        ]
        dropped.update(left_out(own, others))
        if any(exit_.crossed != exit_.own for exit_ in self._exits.values()):
            for bond in sorted(dropped - needed):
                if self._is_open(dropped - {bond}, bits, layer, disputed):
                    dropped.remove(bond)
        bonds = [case.graph.bonds[bond] for bond in sorted(dropped)]
        return tuple([Clearing(bond.id, bond.kind is EdgeKind.SAMPLES and layer is Layer.MASTER) for bond in bonds])

    def _is_open(self, dropped: set[int], bits: int, layer: Layer, disputed: frozenset[str]) -> bool:
        """Whether nothing is in the way once some bonds are dropped."""
        case = self._case
        left = ascend(case.graph, case.start, case.window, lambda bond: 0 if bond in dropped else case.carried(bond))
        reached = left.reached.items()
        is_blocked = any(case.voice(node).closed & met & bits for node, met in reached)
        return not is_blocked and not conflicting(self._licenses(reached, layer) & disputed)

    @cached_property
    def _own(self) -> Ascent:
        """The walk over the owner's assets, up to the first of others."""
        case = self._case
        return ascend(case.graph, case.start, case.window, case.carried, case.is_own)

    def _licenses(self, reached: Iterable[tuple[int, int]], layer: Layer) -> frozenset[str]:
        return frozenset(
            license_
            for node, bits in reached
            for license_, asked in self._case.voice(node).shares
            if asked & bits & LAYER_BITS[layer]
        )

    @cached_property
    def _exits(self) -> dict[int, _Exit]:
        """The bonds that lead from the owner's assets to others', by number and in order."""
        case = self._case
        crossed = case.ascent.crossed
        own = {bond: bits for bond, bits in self._own.crossed.items() if not case.is_own(case.graph.parents[bond])}
        # Whoever drops a bond drops it outright and through a track.
        dropped = {bond: (bits | bits << WIDTH | bits >> WIDTH) & EVERY for bond, bits in own.items()}
        names = sorted(case.disputed(Layer.MASTER) | case.disputed(Layer.COMPOSITION))
        planes = {name: 2 * WIDTH * plane for plane, name in enumerate(names, 1)}

        def said(node: int) -> int:
            voice = case.voice(node)
            total = voice.closed & EVERY
            for license_, bits in voice.shares:
                if license_ in planes:
                    total |= bits << planes[license_]
            return total

        sums = Sums(
            case.graph,
            [case.start],
            1 + len(names),
            said,
            lambda bond: case.carried(bond) & ~dropped.get(bond, 0),
        )
        exits = {}
        for bond in sorted(own):
            met = crossed[bond] & dropped[bond]
            total = sums.beyond(bond) & sums.spread(met)
            licenses = {name: total >> planes[name] & EVERY for name in names}
            exits[bond] = _Exit(own[bond], met, total & EVERY, licenses)
        return exits


def _asking(graph: Graph, nodes: Sequence[int]) -> Asking:
    """To ask about some assets of one owner."""
    assets = [part for node in nodes if (part := graph.parts[node]) is not None]
    return Asking(assets[0].owner, tuple([part.id for part in assets]))
