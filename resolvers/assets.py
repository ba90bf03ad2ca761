"""What can be done with assets."""

from __future__ import annotations

from typing import Any

from db.assets import HeldAsset, hold_asset
from db.assets import update_asset as write_asset
from db.changes import announce, record_changes
from db.provenance import append_events
from db.search import index_names
from domain.assets import AssetUpdate, checked_badges, checked_title
from domain.canonical import canonical, digest
from domain.errors import Moved, NotFound
from domain.ids import Ref, parse_ref
from domain.provenance import Event, EventKind
from domain.search import FoundKind
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once
from subscriptions.events import asset_updated


async def update_asset(acting: Acting, change: AssetUpdate, idempotency_key: str | None) -> Ref:
    """Change the title, the badges or the date of an asset, in one transaction with everything that follows from it.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such asset, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one.
        Invalid: a value breaks a rule.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        held = await hold_asset(connection, acting.viewer, change.asset.id)
        if held is None:
            raise NotFound("There is no such asset.", path=("id",))
        if held.version != change.expected_version:
            said = f"The asset is at version {held.version}, not {change.expected_version}. Read it again."
            raise Moved(said, path=("expectedVersion",))
        values = _new_values(held, change)
        if values:
            await write_asset(connection, held, values)
            await _follow(connection, acting, held, values)
        return {"asset": str(held.ref)}

    outcome = await done_once(acting, "updateAsset", _request(change), idempotency_key, work)
    return parse_ref(outcome["asset"])


def _request(change: AssetUpdate) -> dict[str, Any]:
    return {
        "asset": str(change.asset),
        "expectedVersion": change.expected_version,
        "title": change.title,
        "badges": None if change.badges is None else sorted(change.badges),
        "madeOn": None if change.made_on is None else change.made_on.isoformat(),
        "clearsMadeOn": change.clears_made_on,
    }


def _new_values(held: HeldAsset, change: AssetUpdate) -> dict[str, Any]:
    """The columns that really change."""
    wanted: dict[str, Any] = {}
    if change.title is not None:
        wanted["title"] = checked_title(change.title)
    if change.badges is not None:
        wanted["badges"] = [badge.value for badge in checked_badges(change.badges)]
    if change.made_on is not None or change.clears_made_on:
        wanted["made_on"] = change.made_on
    current = {"title": held.title, "badges": list(held.badges), "made_on": held.made_on}
    return {name: value for name, value in wanted.items() if value != current[name]}


async def _follow(connection: Any, acting: Acting, held: HeldAsset, values: dict[str, Any]) -> None:
    """What an update leaves behind: its name in the index, provenance, the change log and an announcement."""
    version = held.version + 1
    if "title" in values:
        await index_names(connection, [(held.ref.id, FoundKind(held.ref.kind.upper()), [values["title"]])])
    said = {name: value.isoformat() if name == "made_on" and value else value for name, value in values.items()}
    payload = {"changed": sorted(values), "digest": digest(canonical(said)), "version": version}
    event = Event(acting.new_id(), held.ref, EventKind.ASSET_UPDATED, acting.now(), acting.viewer.account, payload)
    await append_events(connection, [event])
    await record_changes(connection, [(held.ref.id, EventKind.ASSET_UPDATED.value, [])])
    announcement = asset_updated(held.ref, version)
    await announce(connection, announcement.topic, announcement.payload)
