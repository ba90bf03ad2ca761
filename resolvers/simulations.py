"""Before saving, and after: which verdicts a change flips, and whose. Only those are told, not all that is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from uuid import UUID

from db.custody import writable
from db.facts import facts_of
from db.orders import FLIPPED
from db.policies import subject_level
from db.redirects import hook_taken_over
from db.simulations import Reach, assets_of, reach_of, release_of
from db.walks import walking
from domain.assets import AssetKind, asset_ref
from domain.facts import Bond, Facts, Question
from domain.ids import Kind, Ref
from domain.outcomes import Flip, Flipped, flips
from domain.policies import Stated
from domain.registration import EdgeDraft
from domain.rights import Use
from domain.simulations import NOT_WRITTEN, Change, Paging, edge_change, merging, policy_change, takedown
from resolvers.context import Acting, Told


class Cut(StrEnum):
    """Why not all flips are told."""

    PAGE = "PAGE"
    BUDGET = "BUDGET"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change flips.

    Attributes:
        flipped: by asset; its own verdicts before those of its hooks.
        hooks: the hook of each question that asks about one.
        kinds: of the assets.
        seen: those that the asker may see.
        is_whole: everything that the change may reach was looked at.
    """

    flipped: Sequence[Flipped]
    hooks: Mapping[Question, UUID]
    kinds: Mapping[UUID, AssetKind]
    seen: frozenset[UUID]
    is_whole: bool

    @property
    def count(self) -> int:
        """How many verdicts flip."""
        return sum([len(it.flips) for it in self.flipped])

    def told(self, paging: Paging) -> Told:
        """A page of it, as far as the asker may see it: what is hidden counts, and is not named."""
        start, count = 0 if paging.after is None else paging.after + 1, self.count
        page = list(islice(self._each(), start, start + paging.first))
        has_more = start + len(page) < count
        last = page[-1][0].question.asset if page else None
        return {
            "__typename": "VerdictChanges",
            "count": count,
            "owners": len({it.owner for it in self.flipped}),
            "changes": [self._change(*each) for each in page],
            "complete": self.is_whole and not has_more,
            "reason": Cut.PAGE.value if has_more else None if self.is_whole else Cut.BUDGET.value,
            "endCursor": None if last is None else FLIPPED.write(start + len(page) - 1, last),
        }

    def _each(self) -> Iterator[tuple[Flipped, Flip]]:
        return ((flipped, flip) for flipped in self.flipped for flip in flipped.flips)

    def _change(self, flipped: Flipped, flip: Flip) -> Told:
        asset, hook = flipped.question.asset, self.hooks.get(flipped.question)
        shown = asset in self.seen
        return {
            "__typename": "VerdictChange",
            "asset": asset_ref(self.kinds[asset], asset) if shown else None,
            "owner": Ref(Kind.ARTIST, flipped.owner) if shown and flipped.owner else None,
            "hook": Ref(Kind.HOOK, hook) if shown and hook else None,
            "isOfHook": hook is not None,
            "use": flip.use.value,
            "layer": flip.layer.value,
            "before": flip.before.value,
            "after": flip.after.value,
        }


NOTHING_FLIPS = Foreseen([], {}, {}, frozenset(), is_whole=True)


async def simulate_policy(acting: Acting, subject: Ref, stated: Stated | None, paging: Paging) -> Told | None:
    """What another policy of an asset or an artist flips; None where it is not the asker's to change."""
    found = await writable(acting.database, acting.viewer, subject)
    return found and (await foreseen_policy(acting, found, stated, paging.uses)).told(paging)


async def simulate_edge(acting: Acting, draft: EdgeDraft, paging: Paging) -> Told | None:
    """What another edge flips; None where an end is not there for the asker, or neither is theirs to change."""
    # Of what others withdrew nothing is told, not even how much is made of it.
    async with walking(acting.database, acting.viewer) as reader:
        ends = await reader.readable([draft.child.id, draft.parent.id])
    if not ends:
        return None
    if await writable(acting.database, acting.viewer, draft.child) is None:
        # What the parent's side says binds nothing before the child's side agrees.
        is_theirs = await writable(acting.database, acting.viewer, draft.parent) is not None
        return NOTHING_FLIPS.told(paging) if is_theirs else None
    child, parent = ends
    bond = Bond(NOT_WRITTEN, child, parent, draft.kind, draft.child_window, draft.parent_window)
    reach = await reach_of(acting.database, [child])
    return (await _foreseen(acting, reach, edge_change(bond), paging.uses, [parent])).told(paging)


async def simulate_takedown(acting: Acting, asset: Ref, paging: Paging) -> Told | None:
    """What the withdrawal of an asset flips; None where it is not the asker's to change."""
    found = await writable(acting.database, acting.viewer, asset)
    return found and (await foreseen_takedown(acting, found.id, paging.uses)).told(paging)


async def rights_changes(acting: Acting, since: datetime, paging: Paging) -> Told | None:
    """Which verdicts on the asker's own assets are others now than they were then; None for who holds nothing."""
    if not acting.viewer.holds:
        return None
    assets = await assets_of(acting.database, acting.viewer.holds, made_before=since)
    reach = await reach_of(acting.database, assets, downwards=False)
    then = await facts_of(acting.database, acting.viewer, reach.assets, (since, since))
    now = await facts_of(acting.database, acting.viewer, reach.assets)
    return _flipped(acting, reach, then.facts, now.facts, now.seen, paging.uses).told(paging)


async def foreseen_policy(
    acting: Acting, subject: Ref, stated: Stated | None, uses: frozenset[Use] = frozenset(Use)
) -> Foreseen:
    """What another policy of an asset, or of an artist for all of theirs, flips; that of a visual world is its own.

    That of a version flips verdicts on its release alone, and none while it is not out.
    """
    if subject.kind is Kind.VISUAL:
        return NOTHING_FLIPS
    if subject.kind is Kind.VERSION:
        starts = await release_of(acting.database, subject.id)
    else:
        starts = await assets_of(acting.database, [subject.id]) if subject.kind is Kind.ARTIST else [subject.id]
    reach = await reach_of(acting.database, starts, downwards=subject.kind is not Kind.VERSION)
    return await _foreseen(acting, reach, policy_change(subject_level(subject), subject.id, stated), uses)


async def foreseen_takedown(
    acting: Acting, asset: UUID, uses: frozenset[Use] = frozenset(Use), *, is_withdrawn: bool = True
) -> Foreseen:
    """What the withdrawal of an asset flips, or the end of it."""
    reach = await reach_of(acting.database, [asset])
    return await _foreseen(acting, reach, takedown(asset, is_withdrawn=is_withdrawn), uses)


async def foreseen_merge(acting: Acting, keep: UUID, retire: UUID) -> Foreseen:
    """What it flips that one asset takes the place of another, for everything but that other one."""
    reach = await reach_of(acting.database, [keep, retire])
    taken_over = await hook_taken_over(acting.database, keep, retire)
    assets = [asset for asset in reach.assets if asset != retire]
    hooks = {hook: it for hook, it in reach.hooks.items() if it[0] != retire or hook == taken_over}
    read = await facts_of(acting.database, acting.viewer, [*assets, retire])
    after, rest = merging(keep, retire)(read.facts), Reach(assets, hooks, reach.is_whole)
    return _flipped(acting, rest, read.facts, after, read.seen, frozenset(Use), {retire: keep})


async def _foreseen(
    acting: Acting, reach: Reach, change: Change, uses: frozenset[Use], others: Sequence[UUID] = ()
) -> Foreseen:
    read = await facts_of(acting.database, acting.viewer, [*reach.assets, *others])
    return _flipped(acting, reach, read.facts, change(read.facts), read.seen, uses)


def _flipped(
    acting: Acting,
    reach: Reach,
    before: Facts,
    after: Facts,
    seen: frozenset[UUID],
    uses: frozenset[Use],
    moved: Mapping[UUID, UUID] = MappingProxyType({}),
) -> Foreseen:
    """What differs for anybody who asks: grants to single artists are not heard, unless they are passed on.

    What is asked about an asset that moved is told of the one it moved to.
    """
    on = acting.now().date()
    asked: list[tuple[UUID, UUID | None, Question]]
    asked = [(asset, None, Question(asset, uses, on)) for asset in reach.assets]
    asked += [(track, hook, Question(track, uses, on, window=window)) for hook, (track, window) in reach.hooks.items()]
    asked.sort(key=lambda it: (moved.get(it[0], it[0]), it[1] is not None, it[1] or NOT_WRITTEN))
    found = flips(before, after, [question for _, _, question in asked], moved)
    return Foreseen(
        found,
        {it._replace(asset=moved.get(track, track)): hook for track, hook, it in asked if hook is not None},
        {id_: part.kind for id_, part in after.parts.items()},
        seen,
        reach.is_whole,
    )
