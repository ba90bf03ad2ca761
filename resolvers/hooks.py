"""What can be done with hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db.assets import hold_asset
from db.hooks import HeldHook, add_hook, hook_of, lead_of, leading_hook, update_hook
from db.wearers import wear
from domain.assets import checked_badges
from domain.canonical import canonical, digest
from domain.errors import Moved, NotFound
from domain.hooks import HookWish, checked_caption, hook_window
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from resolvers.context import Acting
from resolvers.wearers import changed_wearer, held_wearer, rewritten
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
        return {"hook": str(await write_hook(connection, acting, wish))}

    badges = wish.values.get("badges")
    values = {**wish.values, "badges": None if badges is None else sorted(badges)}
    request = {"track": str(wish.track), "expectedVersion": wish.expected_version, **values}
    outcome = await done_once(acting, "setHook", request, idempotency_key, work)
    return parse_ref(outcome["hook"])


async def write_hook(connection: Any, acting: Acting, wish: HookWish, suggestion: Ref | None = None) -> Ref:
    """Do it, in the transaction of the connection; `suggestion` is what was applied.

    Raises:
        NotFound: there is no such track, or it is not the viewer's to change.
        Moved: another hook stands than the one that was read.
        Invalid: the window does not fit the media, or a value breaks a rule.
    """
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
        payload |= {} if suggestion is None else {"suggestion": str(suggestion)}
        events = [happened(acting, asset.ref, EventKind.HOOK_CHANGED, payload)]
        await follow(connection, events, [hook_changed(hook, asset.ref)], touched=[hook.id])
    return hook


async def set_lead_hook(
    acting: Acting, subject: Ref, hook: Ref | None, expected_version: int, idempotency_key: str | None
) -> Mapping[str, Ref | None]:
    """Say which hook leads a world or a release, or that none does; the `hook`, the `subject`, and its `artist`.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing, or it is not the viewer's to change; or there is no such hook of it.
        Moved: `expected_version` is no longer the current one.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        wearer = await held_wearer(connection, acting, subject)
        if wearer.version != expected_version:
            moved = f"It is at version {wearer.version}, not {expected_version}. Read it again."
            raise Moved(moved, path=("expectedVersion",))
        lead = None if hook is None else await leading_hook(connection, acting.viewer, wearer, hook.id)
        if hook is not None and lead is None:
            raise NotFound("There is no such hook of a track it has.", path=("hook",))
        named = None if lead is None else str(Ref(Kind.HOOK, lead))
        if lead != await lead_of(connection, wearer):
            version = await wear(connection, wearer, "lead_hook_id", lead)
            said = {"changed": ["leadHook"], "leadHook": named, "version": version}
            events = [rewritten(acting, wearer, said)]
            await follow(connection, events, [changed_wearer(wearer, version)], touched=[lead] if lead else [])
        return {"hook": named, "subject": str(wearer.ref), "artist": str(Ref(Kind.ARTIST, wearer.owner))}

    request = {"subject": str(subject), "hook": hook and str(hook), "expectedVersion": expected_version}
    done = await done_once(acting, "setLeadHook", request, idempotency_key, work)
    return {name: None if ref is None else parse_ref(ref) for name, ref in done.items()}


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
