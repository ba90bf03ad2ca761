"""What can be done with rooms: open them, come and go, say how it goes there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import hosting
from db.access import Action
from db.accounts import viewer_of_account
from db.changes import record_changes
from db.entitlements import account_by_handle
from db.rooms import add_room_event
from domain.accounts import person_of
from domain.errors import Invalid, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.messages import checked_mute
from domain.rooms import RoomEventKind, RoomVisibility, checked_slowness, checked_title
from resolvers.context import Acting
from resolvers.links import brought
from resolvers.presence import show_out
from resolvers.writing import Outcome, done_once


async def open_room(
    acting: Acting, subject: Ref, title: str | None, visibility: RoomVisibility, idempotency_key: str | None
) -> Ref:
    """Open the room of an artist's world, a hook or a release; where there is one, it stays as it is.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing, or it is not the viewer's to change.
        Invalid: the title breaks a rule.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)
    named = checked_title(title)

    async def work(connection: Any) -> Outcome:
        about = await hosting.subject_of(connection, acting.viewer, subject)
        if about is None:
            raise NotFound("There is no such thing to open a room for.", path=("subject",))
        opened = await hosting.add_room(connection, acting.new_id(), about, named, visibility)
        if opened is None:
            return {"room": str(Ref(Kind.ROOM, await hosting.room_of(connection, about)))}
        await record_changes(connection, [(opened, "ROOM_OPENED", [subject.id])])
        return {"room": str(Ref(Kind.ROOM, opened))}

    request = {"subject": str(subject), "title": named, "visibility": visibility.value}
    return parse_ref((await done_once(acting, "openRoom", request, idempotency_key, work))["room"])


async def set_room(acting: Acting, room: Ref, values: Mapping[str, Any], idempotency_key: str | None) -> Ref:
    """Change a room's title, who may enter, or how fast people speak; what is not in `values` stays as it is.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or the viewer is no host of it.
        Invalid: a value breaks a rule.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)
    asked = dict(values)
    if "title" in asked:
        asked["title"] = checked_title(asked["title"])
    if "slow_mode_seconds" in asked:
        asked["slow_mode_seconds"] = checked_slowness(asked["slow_mode_seconds"])

    async def work(connection: Any) -> Outcome:
        held = await hold_hosted(connection, acting, room)
        changed = {name: value for name, value in asked.items() if value != held.values[name]}
        if changed:
            await hosting.update_room(connection, held, changed)
            await record_changes(connection, [(held.id, "ROOM_CHANGED", [])])
        return {"room": str(room)}

    await done_once(acting, "setRoom", {"room": str(room), **asked}, idempotency_key, work)
    return room


async def join_room(acting: Acting, room: Ref, idempotency_key: str | None, via: str | None = None) -> Ref:
    """Become a member of a room one may enter, come by the link with the code `via`; joining again changes nothing.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or it is not for the viewer.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await hold_entered(connection, acting, room)
        if await hosting.join(connection, acting.new_id(), held, account):
            await record_changes(connection, [(held.id, "ROOM_JOINED", [account])])
            await add_room_event(connection, held.id, RoomEventKind.PRESENCE, account, {"joined": True})
            await brought(connection, acting, acting.viewer, via, held.artist)
        return {"room": str(room)}

    request = {"room": str(room)} | ({} if via is None else {"via": via})
    await done_once(acting, "joinRoom", request, idempotency_key, work)
    return room


async def leave_room(acting: Acting, room: Ref, idempotency_key: str | None) -> Ref:
    """Be a member of a room no longer; who is none is outside already.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or it is not for the viewer.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await hold_entered(connection, acting, room)
        if await hosting.leave(connection, held.id, account):
            await record_changes(connection, [(held.id, "ROOM_LEFT", [account])])
            await add_room_event(connection, held.id, RoomEventKind.PRESENCE, account, {"joined": False})
        return {"room": str(room)}

    await done_once(acting, "leaveRoom", {"room": str(room)}, idempotency_key, work)
    return room


async def mute_in_room(
    acting: Acting, room: Ref, handle: str, minutes: int, idempotency_key: str | None
) -> datetime | None:
    """Let nobody hear somebody in a room for a while, or let them be heard again; until when.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or the viewer is no host of it; or nobody goes by that handle.
        Invalid: it is a host, or too long.
        KeyReused: the idempotency key belongs to another request.
    """
    lasts = checked_mute(minutes)

    async def work(connection: Any) -> Outcome:
        held = await hold_hosted(connection, acting, room)
        account = await _guest(connection, held, handle)
        until = acting.now() + lasts if lasts > timedelta(0) else None
        await hosting.mute(connection, acting.new_id(), held, account, until)
        await record_changes(connection, [(held.id, "ROOM_MUTED", [account])])
        return {"room": str(room), "until": None if until is None else until.isoformat()}

    request = {"room": str(room), "handle": handle, "minutes": minutes}
    until = (await done_once(acting, "muteInRoom", request, idempotency_key, work))["until"]
    return None if until is None else datetime.fromisoformat(until)


async def ban_from_room(acting: Acting, room: Ref, handle: str, idempotency_key: str | None) -> None:
    """Send somebody out of a room: to them, it is not there any more.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or the viewer is no host of it; or nobody goes by that handle.
        Invalid: it is a host.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        held = await hold_hosted(connection, acting, room)
        account = await _guest(connection, held, handle)
        if await hosting.ban(connection, acting.new_id(), held, account):
            await record_changes(connection, [(held.id, "ROOM_BANNED", [account])])
            banned.append(account)
        return {"room": str(room)}

    banned: list[UUID] = []
    await done_once(acting, "banFromRoom", {"room": str(room), "handle": handle}, idempotency_key, work)
    for account in banned:
        await show_out(acting, room, account)


async def unban_from_room(acting: Acting, room: Ref, handle: str, idempotency_key: str | None) -> None:
    """Let somebody come again who was sent out.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or the viewer is no host of it; or nobody goes by that handle.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        held = await hold_hosted(connection, acting, room)
        account = await _named(connection, handle)
        if await hosting.unban(connection, held.id, account):
            await record_changes(connection, [(held.id, "ROOM_UNBANNED", [account])])
        return {"room": str(room)}

    await done_once(acting, "unbanFromRoom", {"room": str(room), "handle": handle}, idempotency_key, work)


async def tell_rooms_of_release(connection: Any, acting: Acting, release: Ref, artist: UUID, title: str) -> None:
    """Say in the room of a release and in its world's that it is out, as the last thing of a transaction."""
    said = {"release": str(release), "title": title}
    for room in await hosting.rooms_of_release(connection, release.id, artist):
        await add_room_event(connection, room, RoomEventKind.RELEASE_PUBLISHED, acting.viewer.account, said)


async def hold_entered(connection: Any, acting: Acting, room: Ref) -> hosting.HeldRoom:
    """Lock a room the viewer may enter.

    Raises:
        NotFound: there is none, or not for them.
    """
    held = await hosting.hold_room(connection, acting.viewer, room.id, Action.READ)
    if held is None:
        raise NotFound("There is no such room.", path=("room",))
    return held


async def hold_hosted(connection: Any, acting: Acting, room: Ref) -> hosting.HeldRoom:
    """Lock a room of which the viewer is a host.

    Raises:
        NotFound: there is none, or it is not theirs.
    """
    held = await hosting.hold_room(connection, acting.viewer, room.id, Action.WRITE)
    if held is None:
        raise NotFound("There is no such room that you host.", path=("room",))
    return held


async def _named(connection: Any, handle: str) -> UUID:
    account = await account_by_handle(connection, handle.strip().removeprefix("@").lower())
    if account is None:
        raise NotFound("Nobody goes by this handle.", path=("handle",))
    return account


async def _guest(connection: Any, held: hosting.HeldRoom, handle: str) -> UUID:
    """Somebody by their handle, who is no host."""
    account = await _named(connection, handle)
    guest = await viewer_of_account(connection, account)
    if await hosting.is_host(connection, guest, held):
        raise Invalid("They host this room like you.", path=("handle",))
    return account
