"""What can be done with releases while they are drafts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.assets import update_asset
from db.registration import hold_lineage, way_up
from db.releases import draft_of, items_shown, write_items
from domain.errors import Invalid, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from domain.releases import checked_items
from resolvers.assets import held_asset
from resolvers.context import Acting
from resolvers.cycles import cycle_closed
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import asset_updated


async def set_release_items(
    acting: Acting, release: Ref, items: Sequence[Ref], expected_version: int, idempotency_key: str | None
) -> tuple[Ref, Ref]:
    """Say what the draft of a release holds, in order; where the last version is out, another draft begins.

    Returns:
        The release, and its draft.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such release, or it is not the viewer's to change; or an item is not there for them.
        Moved: `expected_version` is no longer the current one.
        Invalid: an item is the release itself, or stands twice.
        CycleClosed: an item is made from the release.
        KeyReused: the idempotency key belongs to another request.
    """
    checked_items(items)

    async def work(connection: Any) -> Outcome:
        await hold_lineage(connection)
        held = await held_asset(connection, acting, release, expected_version, "release")
        shown = await items_shown(connection, acting.viewer, items)
        for number, item in enumerate(items):
            if item not in shown:
                raise NotFound("There is no such asset.", path=("items", str(number)))
            if shown[item] == held.ref:
                raise Invalid("A release does not hold itself.", path=("items", str(number)))
        wanted = [shown[item] for item in items]
        checked_items(wanted)  # two references may lead to one asset by now
        await _refuse_cycle(connection, acting, held.ref, wanted)
        draft = await draft_of(connection, held.ref.id)
        version = draft.ref or Ref(Kind.VERSION, acting.new_id())
        if draft.ref is None or [item.id for item in wanted] != list(draft.items):
            placed = [(draft.items.get(item.id) or acting.new_id(), item.id) for item in wanted]
            await write_items(connection, held.ref.id, draft, version.id, placed)
            await update_asset(connection, held, {})
            kind = EventKind.VERSION_CREATED if draft.ref is None else EventKind.ASSET_UPDATED
            said = {"draft": str(version), "number": draft.number, "items": [str(item) for item in wanted]}
            events = [happened(acting, held.ref, kind, {**said, "version": held.version + 1})]
            touched = [version.id, *[item.id for item in wanted]]
            await follow(connection, events, [asset_updated(held.ref, held.version + 1)], touched=touched)
        return {"release": str(held.ref), "version": str(version)}

    request = {"release": str(release), "items": [str(item) for item in items], "expectedVersion": expected_version}
    done = await done_once(acting, "setReleaseItems", request, idempotency_key, work)
    return parse_ref(done["release"]), parse_ref(done["version"])


async def _refuse_cycle(connection: Any, acting: Acting, release: Ref, items: Sequence[Ref]) -> None:
    """Nothing that is made from a release stands in it; the way is named as far as the viewer may see it."""
    way = await way_up(connection, [item.id for item in items], release.id)
    if way:
        number = next(number for number, item in enumerate(items) if item.id == way[0])
        path = ("items", str(number))
        raise await cycle_closed(connection, acting, "An item is made from the release", release, way, path)
