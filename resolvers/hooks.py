"""What can be done with hooks."""

from __future__ import annotations

from typing import Any

from db.assets import hold_asset
from db.hooks import HeldHook, add_hook, hook_of, update_hook
from domain.assets import checked_badges
from domain.canonical import canonical, digest
from domain.errors import Moved, NotFound
from domain.hooks import HookWish, checked_caption, hook_window
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import hook_changed


async def set_hook(acting: Acting, wish: HookWish, idempotency_key: str | None) -> Ref:
    """Give a track its hook, or change the one it has.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such track, or it is not the viewer's to change.
        Moved: another hook stands than the one that was read.
        Invalid: the window does not fit the media, or a value breaks a rule.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        asset = await hold_asset(connection, acting.viewer, wish.track.id)
        held = None if asset is None else await hook_of(connection, asset.ref.id)
        if asset is None or held is None:
            raise NotFound("There is no such track.", path=("track",))
        if held.version != wish.expected_version:
            stands = "There is no hook yet." if held.version is None else f"The hook is at version {held.version}."
            raise Moved(f"{stands} Read it again.", path=("expectedVersion",))
        values = _new_values(held, wish)
        hook = Ref(Kind.HOOK, held.id or acting.new_id())
        if values:
            if held.id is None:
                await add_hook(connection, hook.id, asset.ref.id, values)
            else:
                await update_hook(connection, held, values)
            said = {"digest": digest(canonical(values)), "version": (held.version or 0) + 1}
            payload = {"hook": str(hook), "changed": sorted(values), **said}
            events = [happened(acting, asset.ref, EventKind.HOOK_CHANGED, payload)]
            await follow(connection, events, [hook_changed(hook, asset.ref)], touched=[hook.id])
        return {"hook": str(hook)}

    badges = wish.values.get("badges")
    values = {**wish.values, "badges": None if badges is None else sorted(badges)}
    request = {"track": str(wish.track), "expectedVersion": wish.expected_version, **values}
    outcome = await done_once(acting, "setHook", request, idempotency_key, work)
    return parse_ref(outcome["hook"])


def _new_values(held: HeldHook, wish: HookWish) -> dict[str, Any]:
    """The columns that really change; all of a new hook."""
    asked = wish.values
    wanted: dict[str, Any] = {}
    if held.id is None or "start_ms" in asked:
        wanted["start_ms"], wanted["end_ms"] = hook_window(asked.get("start_ms"), held.duration_ms)
    if "caption" in asked:
        wanted["caption"] = checked_caption(asked["caption"])
    if "badges" in asked:
        wanted["badges"] = [badge.value for badge in checked_badges(asked["badges"])]
    return {name: value for name, value in wanted.items() if name not in held.values or value != held.values[name]}
