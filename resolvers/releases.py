"""What can be done with releases beside publishing them: what a draft holds, another draft, and taking back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.assets import HeldAsset, hold_asset, refs_shown, update_asset
from db.custody import change_state, end_release, writable
from db.manifests import HeldVersion, newest_version
from db.registration import hold_lineage, way_up
from db.releases import Draft, draft_of, held_items, items_shown, write_items
from domain.accounts import person_of
from domain.assets import AssetState
from domain.errors import CycleClosed, Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from domain.releases import ReleaseStatus, checked_items
from resolvers.assets import held_asset
from resolvers.context import Acting
from resolvers.simulations import NOTHING_FLIPS, Foreseen, foreseen_takedown
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import asset_updated, rights_changed


async def create_version(
    acting: Acting, release: Ref, expected_version: int, idempotency_key: str | None
) -> tuple[Ref, Ref]:
    """Begin another draft, which holds what the version before it holds; where one has begun, nothing is written.

    Returns:
        The release, and its draft.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such release, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one, or the release was taken back.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await held_asset(connection, acting, release, expected_version, "release")
        draft = await draft_of(connection, held.ref.id)
        if draft.ref is None:
            before = await newest_version(connection, held)
            if before.status is not ReleaseStatus.PUBLISHED:
                raise Moved("The release was taken back: no other version of it begins.", path=("release",))
            return {"release": str(held.ref), "version": str(await begin_version(connection, acting, before, draft))}
        return {"release": str(held.ref), "version": str(draft.ref)}

    request = {"release": str(release), "expectedVersion": expected_version}
    done = await done_once(acting, "createVersion", request, idempotency_key, work)
    return parse_ref(done["release"]), parse_ref(done["version"])


async def begin_version(connection: Any, acting: Acting, before: HeldVersion, draft: Draft) -> Ref:
    """Let a draft begin that holds what the version before it holds."""
    version = Ref(Kind.VERSION, acting.new_id())
    items = await held_items(connection, before.ref.id)
    await write_items(connection, before.release.ref.id, draft, version.id, [(acting.new_id(), it.id) for it in items])
    await _follow(connection, acting, before.release, version, draft.number, items, EventKind.VERSION_CREATED)
    return version


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
        version = await place_items(connection, acting, held, items)
        return {"release": str(held.ref), "version": str(version)}

    request = {"release": str(release), "items": [str(item) for item in items], "expectedVersion": expected_version}
    done = await done_once(acting, "setReleaseItems", request, idempotency_key, work)
    return parse_ref(done["release"]), parse_ref(done["version"])


async def place_items(connection: Any, acting: Acting, held: HeldAsset, items: Sequence[Ref]) -> Ref:
    """Put items into the draft of a held release as `set_release_items` does, while lineage is held; its draft.

    Raises:
        NotFound: an item is not there for the viewer.
        Invalid: an item is the release itself, stands twice, or there are too many.
        CycleClosed: an item is made from the release.
    """
    shown = await items_shown(connection, acting.viewer, items)
    for number, item in enumerate(items):
        if item not in shown:
            raise NotFound("There is no such asset.", path=("items", str(number)))
        if shown[item] == held.ref:
            raise Invalid("A release does not hold itself.", path=("items", str(number)))
    wanted = [shown[item] for item in items]
    checked_items(wanted)  # two references may lead to one asset by now
    await refuse_cycle(connection, acting, held.ref, wanted)
    draft = await draft_of(connection, held.ref.id)
    version = draft.ref or Ref(Kind.VERSION, acting.new_id())
    if draft.ref is None or [item.id for item in wanted] != list(draft.items):
        placed = [(draft.items.get(item.id) or acting.new_id(), item.id) for item in wanted]
        await write_items(connection, held.ref.id, draft, version.id, placed)
        kind = EventKind.VERSION_CREATED if draft.ref is None else EventKind.ASSET_UPDATED
        await _follow(connection, acting, held, version, draft.number, wanted, kind)
    return version


async def archive_release(acting: Acting, release: Ref, expected_version: int, idempotency_key: str | None) -> Ref:
    """Put a release away: it is in no list, and may be read by its id. Where that is done, nothing is written.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such release, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one, or the release is not out.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)
    wanted = (ReleaseStatus.ARCHIVED, AssetState.ARCHIVED)
    return await _end(acting, "archiveRelease", release, wanted, expected_version, NOTHING_FLIPS, idempotency_key)


async def withdraw_release(
    acting: Acting, release: Ref, expected_version: int, idempotency_key: str | None
) -> tuple[Ref, Foreseen]:
    """Take a release back: others see its title, and that it was withdrawn; the verdicts that flips.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such release, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one, or the release is not out.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)
    found = await writable(acting.database, acting.viewer, release)
    foreseen = NOTHING_FLIPS if found is None else await foreseen_takedown(acting, found.id)
    wanted = (ReleaseStatus.WITHDRAWN, AssetState.WITHDRAWN)
    done = await _end(acting, "withdrawRelease", release, wanted, expected_version, foreseen, idempotency_key)
    return done, foreseen


async def _end(
    acting: Acting,
    name: str,
    release: Ref,
    wanted: tuple[ReleaseStatus, AssetState],
    expected_version: int,
    foreseen: Foreseen,
    idempotency_key: str | None,
) -> Ref:
    """Let a release that is out stand otherwise; who says so again changes nothing."""
    status, state = wanted

    async def work(connection: Any) -> Outcome:
        held = await hold_asset(connection, acting.viewer, release.id)
        if held is None:
            raise NotFound("There is no such release.", path=("release",))
        stands = await newest_version(connection, held)
        if stands.status is not status:
            refuse_moved(held, expected_version)
            if stands.status is not ReleaseStatus.PUBLISHED:
                raise Moved("The release is not out.", path=("release",))
            await end_release(connection, held.ref.id, status)
            await change_state(connection, held, state, acting.new_id)
            await update_asset(connection, held, {"state": state.value})
            kind = EventKind.RELEASE_WITHDRAWN if status is ReleaseStatus.WITHDRAWN else EventKind.ASSET_UPDATED
            said = {"changed": ["state"], "state": state.value, "version": held.version + 1}
            told = [asset_updated(held.ref, held.version + 1), *rights_changed(held.ref, foreseen.flipped)]
            await follow(connection, [happened(acting, held.ref, kind, said)], told)
        return {"release": str(held.ref)}

    request = {"release": str(release), "expectedVersion": expected_version}
    return parse_ref((await done_once(acting, name, request, idempotency_key, work))["release"])


def refuse_moved(held: HeldAsset, expected_version: int) -> None:
    """Somebody else wrote first.

    Raises:
        Moved: the held asset is at another version.
    """
    if held.version != expected_version:
        said = f"The release is at version {held.version}, not {expected_version}. Read it again."
        raise Moved(said, path=("expectedVersion",))


async def refuse_cycle(
    connection: Any, acting: Acting, release: Ref, items: Sequence[Ref], path: tuple[str, ...] | None = None
) -> None:
    """Nothing that is made from a release stands in it; the way is named as far as the viewer may see it.

    Args:
        connection: it holds the lock of lineage.
        acting: who may see what is on the way.
        release: the release.
        items: what it shall hold.
        path: where the refusal points; None for the item.

    Raises:
        CycleClosed: an item is made from the release.
    """
    way = await way_up(connection, [item.id for item in items], release.id)
    if way:
        refs = await refs_shown(connection, acting.viewer, way)
        cycle = [release, *[refs.get(id_) for id_ in way]]
        named = " → ".join("(hidden)" if ref is None else str(ref) for ref in cycle)
        number = next(number for number, item in enumerate(items) if item.id == way[0])
        raise CycleClosed(f"An item is made from the release: {named}.", cycle, path=path or ("items", str(number)))


async def _follow(
    connection: Any, acting: Acting, held: HeldAsset, version: Ref, number: int, items: Sequence[Ref], kind: EventKind
) -> None:
    """What a draft that is another now leaves behind."""
    await update_asset(connection, held, {})
    said = {"draft": str(version), "number": number, "items": [str(item) for item in items]}
    events = [happened(acting, held.ref, kind, {**said, "version": held.version + 1})]
    touched = [version.id, *[item.id for item in items]]
    await follow(connection, events, [asset_updated(held.ref, held.version + 1)], touched=touched)
