"""What stands in the way: what the asset and all it is made of say, and licenses that exclude each other."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from domain.closures import ascend, carries
from domain.facts import Facts, Question, Statement
from domain.levels import BITS, EVERY, OUTRIGHT, WIDTH, Reason, Voice, each, voice
from domain.rights import Layer, Outcome, Term
from domain.sharing import conflicting

LAYER_BITS = {
    layer: sum((1 << bit) | (1 << bit + WIDTH) for (_, at), bit in BITS.items() if at is layer) for layer in Layer
}
"""The bits of a layer, in both halves."""
_LAYERS = [layer for _, layer in BITS]
_PLANES = sum(1 << 2 * WIDTH * plane for plane in range(len(Outcome) - 1))


class Blocker(NamedTuple):
    """Something in the way: the asset itself or an ancestor, in one layer.

    Attributes:
        asset: whose policy is in the way.
        owner: who owns it; None where it could not be read.
        layer: in which layer.
        outcome: what it says.
        reason: which level spoke; NOT_STATED where no artist has, UNREAD where it could not be read.
        statement: the policy; None where none spoke.
        term: what of it decides: the platform's default where none spoke, None where nothing could be read.
        path: the bonds from the asked asset up to it, the shortest; of those as short, the first by ids.
    """

    asset: UUID
    owner: UUID | None
    layer: Layer
    outcome: Outcome
    reason: Reason
    statement: UUID | None
    term: Term | None
    path: tuple[UUID, ...]


class Carrier(NamedTuple):
    """An asset whose license (SPDX) must be carried by what is made of it, with the shortest path to it."""

    asset: UUID
    owner: UUID
    license: str
    path: tuple[UUID, ...]


class Conflict(NamedTuple):
    """Two licenses that exclude each other, each with the nearest asset that asks for it."""

    one: Carrier
    other: Carrier


class Case:
    """One question, walked once for all of its uses and layers."""

    def __init__(self, facts: Facts, question: Question) -> None:
        """Walk.

        Raises:
            KeyError: the facts do not name the asset.
        """
        self.graph = facts.graph
        self.start = self.graph.numbers[question.asset]
        self.owner = self.graph.owners[self.start]
        self._facts, self._question = facts, question
        self._voices: dict[int, tuple[Voice, tuple[Statement, ...]]] = {}
        self.carried = carries(self.graph, lambda node: self.voice(node).reaches)
        self.window = question.window
        self.wanted = sum((1 << bit) | (1 << bit + WIDTH) for (use, _), bit in BITS.items() if use in question.uses)
        self.ascent = ascend(self.graph, self.start, self.window, self.carried)

    def voice(self, node: int) -> Voice:
        """What an asset says, by its number."""
        return self.heard(node)[0]

    def heard(self, node: int) -> tuple[Voice, tuple[Statement, ...]]:
        """What an asset says, and the statements."""
        known = self._voices.get(node)
        if known is None:
            known = self._voices[node] = voice(self._facts, self._question, node)
        return known

    def is_own(self, node: int) -> bool:
        """Whether the owner of the asked asset owns this one too."""
        return self.owner is not None and self.graph.owners[node] == self.owner

    @cached_property
    def blocking(self) -> list[list[tuple[int, Blocker]]]:
        """What is in the way of the uses asked, with the asset's number: by bit, nearest first."""
        found: list[list[tuple[int, Blocker]]] = [[] for _ in BITS]
        told: dict[int, int] = {}
        for node, fresh, path in self.ascent.arrivals:
            spoken, heard = self.heard(node)
            closed = spoken.closed & fresh & self.wanted
            if closed and (spoken.freed or node in self.graph.twins):
                closed &= ~self._outdone(node)
            if not closed:
                continue
            part, asset = self.graph.parts[node], self.graph.nodes[node]
            owner = None if part is None else part.owner
            number = self.graph.asset(node)
            said = told.get(number, 0)
            for place in each(closed):
                bit = place % WIDTH
                if said >> bit & 1:
                    continue
                said |= 1 << bit
                outcome, reason, which, term = spoken.words[place]
                statement = None if which is None else heard[which].id
                blocker = Blocker(asset, owner, _LAYERS[bit], outcome, reason, statement, term, path)
                found[bit].append((number, blocker))
            told[number] = said
        return found

    def _outdone(self, node: int) -> int:
        """The bits in which the asset is closed more where it is reached otherwise: outright, or without a grant."""
        met = 0
        for twin in self.graph.twins.get(node, (node,)):
            met |= self.voice(twin).closed & self.ascent.reached.get(twin, 0) * _PLANES
        met |= (met >> WIDTH & OUTRIGHT * _PLANES) | (met & OUTRIGHT * _PLANES) << WIDTH
        more = met & ~self.voice(node).closed
        outdone = 0
        while more:
            outdone |= more & EVERY
            more >>= 2 * WIDTH
        return outdone

    @cached_property
    def carriers(self) -> dict[Layer, list[tuple[int, Carrier]]]:
        """The assets whose licenses what is made must carry, where they may exclude each other.

        By layer, nearest first, with the asset's number; an asset stands once for each license.
        """
        found: dict[Layer, dict[tuple[int, str], Carrier]] = {layer: {} for layer in Layer}
        disputed = self._facts.disputed
        for node, fresh, path in self.ascent.arrivals if disputed else ():
            part = self.graph.parts[node]
            for license_, bits in self.voice(node).shares if part else ():
                if part and license_ in disputed:
                    key = self.graph.asset(node), license_
                    for layer, of_layer in LAYER_BITS.items():
                        if bits & fresh & of_layer:
                            found[layer].setdefault(key, Carrier(part.id, part.owner, license_, path))
        return {layer: [(node, it) for (node, _), it in carriers.items()] for layer, carriers in found.items()}

    @cached_property
    def conflicts(self) -> dict[Layer, tuple[Conflict, ...]]:
        """One example for each pair of licenses that exclude each other, by layer."""
        found = {}
        for layer, carriers in self.carriers.items():
            nearest: dict[str, Carrier] = {}
            for _, carrier in carriers:
                nearest.setdefault(carrier.license, carrier)
            found[layer] = tuple([Conflict(nearest[one], nearest[other]) for one, other in conflicting(nearest)])
        return found

    def disputed(self, layer: Layer) -> frozenset[str]:
        """The licenses of a layer that exclude another."""
        return frozenset(side.license for conflict in self.conflicts[layer] for side in conflict)
