"""Merging assets that are one: the kept one takes everything over, and the id of the other leads to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db.assets import HeldAsset, update_asset
from db.custody import change_state, standing_of
from db.redirects import TakeOver, is_out
from db.registration import hold_lineage, way_up
from domain.assets import AssetState
from domain.errors import Invalid
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from resolvers.assets import held_asset
from resolvers.context import Acting
from resolvers.cycles import cycle_closed
from resolvers.simulations import NOTHING_FLIPS, Foreseen, foreseen_merge
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import asset_updated, rights_changed


@dataclass(frozen=True, slots=True)
class Merge:
    """Two assets that are one.

    Attributes:
        keep: the one that stays.
        retire: the other one.
        keep_version: of the one that stays, as it was read.
        retire_version: of the other one.
    """

    keep: Ref
    retire: Ref
    keep_version: int
    retire_version: int


async def merge_assets(acting: Acting, merge: Merge, idempotency_key: str | None) -> tuple[Ref, Foreseen]:
    """Let one asset take the place of another; it, and the verdicts that this flips.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: one of them is not there, or not the viewer's to change.
        Moved: one of them is at another version.
        Invalid: they are no two assets of one kind and owner, or the other one is part of what is out.
        CycleClosed: one is made from the other.
        KeyReused: the idempotency key belongs to another request.
    """
    foreseen = await _foreseen(acting, merge)

    async def work(connection: Any) -> Outcome:
        at = await hold_lineage(connection)
        keep = await held_asset(connection, acting, merge.keep, merge.keep_version, "keep")
        retire = await held_asset(connection, acting, merge.retire, merge.retire_version, "retire")
        await _refuse_others(connection, acting, keep, retire)
        await TakeOver(connection, keep.ref, retire.ref, at, acting.new_id).run()
        if retire.state is not AssetState.WITHDRAWN:
            await change_state(connection, retire, AssetState.WITHDRAWN, acting.new_id)
        await update_asset(connection, retire, {"state": AssetState.WITHDRAWN.value})
        await update_asset(connection, keep, {})
        said = {"kept": str(keep.ref), "retired": str(retire.ref)}
        events = [
            happened(acting, held.ref, EventKind.ASSET_MERGED, {**said, "version": held.version + 1})
            for held in (keep, retire)
        ]
        told = [asset_updated(held.ref, held.version + 1) for held in (keep, retire)]
        flipped = rights_changed(keep.ref, foreseen.flipped)
        await follow(connection, events, [*told, *flipped], touched=[keep.ref.id, retire.ref.id])
        return {"asset": str(keep.ref)}

    versions = [merge.keep_version, merge.retire_version]
    request = {"keep": str(merge.keep), "retire": str(merge.retire), "versions": versions}
    done = await done_once(acting, "mergeAssets", request, idempotency_key, work)
    return parse_ref(done["asset"]), foreseen


async def _foreseen(acting: Acting, merge: Merge) -> Foreseen:
    standing = [await standing_of(acting.database, acting.viewer, ref.id) for ref in (merge.keep, merge.retire)]
    ids = [each[0] for each in standing if each is not None]
    if len(set(ids)) < 2:
        return NOTHING_FLIPS
    return await foreseen_merge(acting, *ids)


async def _refuse_others(connection: Any, acting: Acting, keep: HeldAsset, retire: HeldAsset) -> None:
    at = ("retire",)
    if keep.ref == retire.ref:
        raise Invalid("They are one asset already.", path=at)
    if keep.ref.kind is not retire.ref.kind or keep.owner != retire.owner:
        raise Invalid("Only assets of one kind and one owner are merged.", path=at)
    if keep.ref.kind is Kind.RELEASE:
        raise Invalid("A release is not merged: what was published stays what it is.", path=at)
    if await is_out(connection, retire.ref.id):
        raise Invalid("It is part of a release that is out, which never changes: keep this one.", path=at)
    for child, parent in ((keep.ref, retire.ref), (retire.ref, keep.ref)):
        way = await way_up(connection, [child.id], parent.id)
        if way:
            around = [*way[1:], child.id]
            raise await cycle_closed(connection, acting, "One is made from the other", child, around, at)
