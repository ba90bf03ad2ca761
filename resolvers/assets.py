"""What can be done with assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db import custody
from db.assets import HeldAsset, hold_asset
from db.assets import update_asset as write_asset
from db.search import index_names
from domain.assets import (
    AssetDraft,
    AssetKind,
    AssetState,
    AssetUpdate,
    Badge,
    Details,
    asset_ref,
    checked_badges,
    checked_day,
    checked_details,
    checked_state,
    checked_title,
)
from domain.canonical import canonical, digest
from domain.errors import Forbidden, Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from domain.search import FoundKind
from resolvers.context import Acting
from resolvers.simulations import NOTHING_FLIPS, Foreseen, foreseen_takedown
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import asset_created, asset_updated, rights_changed


async def create_asset(acting: Acting, draft: AssetDraft, idempotency_key: str | None) -> Ref:
    """Make an asset that only its artist's members see, with a first draft where it is a release.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: a key gives badges.
        NotFound: there is no such artist, or it is not the viewer's to make something for.
        Invalid: a value breaks a rule.
        KeyReused: the idempotency key belongs to another request.
    """
    _refuse_badges_of_keys(acting, draft.badges or None)
    values, details = _checked(draft)

    async def work(connection: Any) -> Outcome:
        return {"asset": str(await make_asset(connection, acting, draft))}

    request = {"kind": draft.details.kind.value, "values": _plain(values), "details": _plain(details)}
    outcome = await done_once(acting, "createAsset", request, idempotency_key, work)
    return parse_ref(outcome["asset"])


async def make_asset(connection: Any, acting: Acting, draft: AssetDraft) -> Ref:
    """Make an asset as `create_asset` does, in a transaction that goes on.

    Raises:
        NotFound: there is no such artist, or it is not the viewer's to make something for.
        Invalid: a value breaks a rule.
    """
    values, details = _checked(draft)
    if not await custody.hold_owner(connection, acting.viewer, draft.owner.id):
        raise NotFound("There is no such artist.", path=("owner",))
    asset = asset_ref(draft.details.kind, acting.new_id())
    is_release = asset.kind is Kind.RELEASE
    version = acting.new_id() if is_release else None
    await custody.add_asset(connection, custody.NewAsset(asset, values, details, acting.new_id(), version))
    await index_names(connection, [(asset.id, FoundKind(draft.details.kind), [values["title"]])])
    payload = {"owner": str(draft.owner), "digest": _digest({**values, **details}), "version": 1}
    kind = EventKind.RELEASE_CREATED if is_release else EventKind.ASSET_CREATED
    await follow(connection, [happened(acting, asset, kind, payload)], [asset_created(asset)], begins=True)
    return asset


def _checked(draft: AssetDraft) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of a new asset, and those of its details."""
    values: dict[str, Any] = {
        "owner_id": draft.owner.id,
        "title": checked_title(draft.title),
        "badges": [badge.value for badge in checked_badges(draft.badges)],
        "made_on": checked_day(draft.made_on),
        "state": AssetState.PRIVATE.value,
    }
    return values, checked_details(draft.details)


async def update_asset(acting: Acting, change: AssetUpdate, idempotency_key: str | None) -> Ref:
    """Change an asset, in one transaction with everything that follows from it.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: a key gives badges, or takes them off.
        NotFound: there is no such asset, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one.
        Invalid: a value breaks a rule, or the details are those of another kind.
        KeyReused: the idempotency key belongs to another request.
    """
    _refuse_badges_of_keys(acting, change.badges)

    async def work(connection: Any) -> Outcome:
        held = await held_asset(connection, acting, change.asset, change.expected_version)
        values = _new_values(held, change)
        details = await _new_details(connection, held, change.details)
        if values or details:
            await write_asset(connection, held, values)
            if details:
                await custody.write_details(connection, held.ref, details)
            await _follow(connection, acting, held, {**values, **details})
        return {"asset": str(held.ref)}

    outcome = await done_once(acting, "updateAsset", _request(change), idempotency_key, work)
    return parse_ref(outcome["asset"])


async def set_asset_state(
    acting: Acting, asset: Ref, state: AssetState, expected_version: int, idempotency_key: str | None
) -> tuple[Ref, Foreseen]:
    """Say who may see an asset; the asset, and the verdicts that its withdrawal, or the end of it, flips.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such asset, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one.
        Invalid: a release is not published or withdrawn here.
        KeyReused: the idempotency key belongs to another request.
    """
    foreseen = await _foreseen(acting, asset, state)

    async def work(connection: Any) -> Outcome:
        held = await held_asset(connection, acting, asset, expected_version)
        if state is not held.state:
            checked_state(AssetKind(held.ref.kind.value.upper()))
            await custody.change_state(connection, held, state, acting.new_id)
            await write_asset(connection, held, {"state": state.value})
            payload = {"changed": ["state"], "state": state.value, "version": held.version + 1}
            events = [happened(acting, held.ref, EventKind.ASSET_UPDATED, payload)]
            flipped = rights_changed(held.ref, foreseen.flipped)
            await follow(connection, events, [asset_updated(held.ref, held.version + 1), *flipped])
        return {"asset": str(held.ref)}

    request = {"asset": str(asset), "state": state.value, "expectedVersion": expected_version}
    outcome = await done_once(acting, "setAssetState", request, idempotency_key, work)
    return parse_ref(outcome["asset"]), foreseen


async def held_asset(
    connection: Any, acting: Acting, asset: Ref, expected_version: int, field: str = "id"
) -> HeldAsset:
    """An asset the viewer may change, under the writer's lock, at the version they read.

    Raises:
        NotFound: there is no such asset, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one.
    """
    held = await hold_asset(connection, acting.viewer, asset.id)
    if held is None:
        raise NotFound("There is no such asset.", path=(field,))
    if held.version != expected_version:
        said = f"The asset is at version {held.version}, not {expected_version}. Read it again."
        raise Moved(said, path=("expectedVersion",))
    return held


def _refuse_badges_of_keys(acting: Acting, badges: frozenset[Badge] | None) -> None:
    """Badges are a word of a person, and so is taking all of them off; None leaves them as they are."""
    if badges is not None and acting.viewer.is_agent:
        raise Forbidden("Only a signed-in person gives badges, or takes them off.", path=("badges",))


async def _foreseen(acting: Acting, asset: Ref, state: AssetState) -> Foreseen:
    """What another state flips: verdicts hear of withdrawals only."""
    standing = await custody.standing_of(acting.database, acting.viewer, asset.id)
    if standing is not None:
        id_, before = standing
        was_withdrawn, is_withdrawn = (each is AssetState.WITHDRAWN for each in (before, state))
        if was_withdrawn is not is_withdrawn:
            return await foreseen_takedown(acting, id_, is_withdrawn=is_withdrawn)
    return NOTHING_FLIPS


def _request(change: AssetUpdate) -> dict[str, Any]:
    details = change.details
    return {
        "asset": str(change.asset),
        "expectedVersion": change.expected_version,
        "title": change.title,
        "badges": None if change.badges is None else sorted(change.badges),
        "madeOn": None if change.made_on is None else change.made_on.isoformat(),
        "clearsMadeOn": change.clears_made_on,
        "details": None if details is None else {"kind": details.kind.value, **_plain(details.values)},
    }


def _new_values(held: HeldAsset, change: AssetUpdate) -> dict[str, Any]:
    """The columns that really change."""
    wanted: dict[str, Any] = {}
    if change.title is not None:
        wanted["title"] = checked_title(change.title)
    if change.badges is not None:
        wanted["badges"] = [badge.value for badge in checked_badges(change.badges)]
    if change.made_on is not None or change.clears_made_on:
        wanted["made_on"] = checked_day(change.made_on)
    current = {"title": held.title, "badges": list(held.badges), "made_on": held.made_on}
    return {name: value for name, value in wanted.items() if value != current[name]}


async def _new_details(connection: Any, held: HeldAsset, details: Details | None) -> dict[str, Any]:
    """The columns of the detail row that really change."""
    if details is None:
        return {}
    if details.kind.value.lower() != held.ref.kind:
        raise Invalid(f"These are details of another kind: it is a {held.ref.kind}.", path=("details",))
    wanted, current = checked_details(details), await custody.details_of(connection, held.ref)
    return {name: value for name, value in wanted.items() if value != current.get(name)}


async def _follow(connection: Any, acting: Acting, held: HeldAsset, values: dict[str, Any]) -> None:
    """What an update leaves behind: its name in the index, provenance, the change log and an announcement."""
    version = held.version + 1
    if "title" in values:
        await index_names(connection, [(held.ref.id, FoundKind(held.ref.kind.upper()), [values["title"]])])
    payload = {"changed": sorted(values), "digest": _digest(values), "version": version}
    events = [happened(acting, held.ref, EventKind.ASSET_UPDATED, payload)]
    await follow(connection, events, [asset_updated(held.ref, version)])


def _digest(values: Mapping[str, Any]) -> str:
    return digest(canonical(_plain(values)))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as canonical JSON can hold them: dates and tempos are spelled out."""
    return {name: value if value is None or isinstance(value, list) else str(value) for name, value in values.items()}
