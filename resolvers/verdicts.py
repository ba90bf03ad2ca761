"""Answering "may I use this for X?": facts are read, the domain decides, and the asker is told what they may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from db.facts import Read, facts_of
from db.hooks import windows_of
from domain.clearances import attribution, clear_windows
from domain.facts import Question
from domain.ids import Ref
from domain.lineage import EdgeKind
from domain.outcomes import HYPOTHETICAL, Outcomes, hypothetical, outcomes
from domain.rights import Use, strictest
from domain.verdicts import decide
from domain.windows import Window
from resolvers.context import Acting, Told, moment_of, unhurried
from resolvers.telling import Later, Telling

Thing = TypeVar("Thing")
AT_ONCE = 100
"""Questions that are decided in one go, before others have their turn."""


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
        return moment_of(self.valid_at, self.known_at, now)


async def rights_of(acting: Acting, assets: Sequence[UUID], terms: Terms) -> Mapping[UUID, list[Told]]:
    """The verdicts on some assets, all decided on one state of the graph."""
    read = await facts_for(acting, assets, terms)
    telling = Telling(read)
    return {
        id_: telling.verdicts(id_, decide(read.facts, question_of(acting, id_, terms)))
        async for id_ in unhurried(assets)
        if id_ in read.named
    }


async def rights_of_hooks(acting: Acting, hooks: Sequence[UUID], terms: Terms) -> Mapping[UUID, list[Told]]:
    """The verdicts on some hooks, each asked of its track's own window; without tracks the asker may not read."""
    windows = await windows_of(acting.database, hooks)
    read = await facts_for(acting, [track for track, _ in windows.values()], terms)
    telling = Telling(read)
    return {
        id_: telling.verdicts(track, decide(read.facts, question_of(acting, track, replace(terms, window=window))))
        async for id_, (track, window) in unhurried(windows.items())
        if track in read.named
    }


async def permissions_of(acting: Acting, assets: Sequence[Ref], terms: Terms) -> list[Told]:
    """One answer for each asset asked about, in their order: the strictest of its verdicts, and all of them.

    What does not exist and what the asker may not see answer alike, without verdicts.
    """
    read = await facts_for(acting, [asset.id for asset in assets], terms)
    telling = Telling(read)
    current = {asset: asset._replace(id=read.current(asset.id)) for asset in assets}
    questions = {id_: question_of(acting, id_, terms) for id_ in dict.fromkeys(ref.id for ref in current.values())}
    asked = [id_ for id_ in questions if id_ in read.named]
    decided: dict[UUID, Outcomes] = {}
    async for some in unhurried(batched(asked, AT_ONCE)):
        decided |= zip(some, outcomes(read.facts, [questions[id_] for id_ in some]), strict=True)

    def answer(asked: Ref) -> Told:
        asset = current[asked]
        found = decided.get(asset.id)
        told = {"__typename": "PermissionAnswer", "id": str(asked), "asset": asset}
        if found is None:
            return {**told, "decision": None, "verdicts": None}

        def verdicts() -> list[Told]:
            return telling.verdicts(asset.id, decide(read.facts, questions[asset.id]))

        return Later({**told, "decision": strictest(found.values()).value}, {"verdicts": verdicts})

    return [answer(asset) for asset in assets]


def batched(things: Sequence[Thing], size: int) -> Iterator[Sequence[Thing]]:
    """Some things, so many at a time."""
    for start in range(0, len(things), size):
        yield things[start : start + size]


async def hypothetical_rights(
    acting: Acting, parents: Sequence[UUID], kind: EdgeKind, terms: Terms
) -> list[Told] | None:
    """The verdicts on something that might be made of some assets; None where one of them is not the asker's to see."""
    read = await facts_for(acting, parents, terms)
    made_of = [read.current(parent) for parent in parents]
    if not read.named.issuperset(made_of):
        return None
    facts = hypothetical(read.facts, made_of, kind)
    decided = decide(facts, question_of(acting, HYPOTHETICAL, terms))
    return Telling(replace(read, facts=facts)).verdicts(HYPOTHETICAL, decided)


async def clear_windows_of(acting: Acting, assets: Sequence[UUID], length_ms: int, terms: Terms) -> Mapping[UUID, Any]:
    """The stretches of some assets in which every window of a length is allowed."""
    read = await facts_for(acting, assets, terms)
    return {
        id_: [
            {"__typename": "TimeWindow", "startMs": window.start_ms, "endMs": window.end_ms}
            for window in clear_windows(read.facts, question_of(acting, id_, terms), length_ms)
        ]
        for id_ in assets
        if id_ in read.facts.parts
    }


async def attributions_of(acting: Acting, assets: Sequence[UUID], terms: Terms) -> Mapping[UUID, list[Told]]:
    """Whom some assets have to name: once each, the nearest first."""
    read = await facts_for(acting, assets, terms)
    telling = Telling(read)
    return {
        id_: telling.credits(id_, attribution(read.facts, question_of(acting, id_, terms)))
        for id_ in assets
        if id_ in read.facts.parts
    }


async def facts_for(acting: Acting, assets: Sequence[UUID], terms: Terms) -> Read:
    """What a question about some assets is answered from."""
    return await facts_of(acting.database, acting.viewer, assets, terms.moment(acting.now()))


def question_of(acting: Acting, asset: UUID, terms: Terms) -> Question:
    """The question about one of them."""
    moment = terms.moment(acting.now())
    on = (moment[0] if moment else acting.now()).date()
    artists = frozenset(acting.viewer.grantees)
    return Question(asset, terms.uses, on, terms.territory, terms.purpose, terms.window, grantees=artists)
