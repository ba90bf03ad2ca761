"""The people and the worlds of the demo scene, told into a ledger."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.hooks import HOOK_MS
from domain.ids import Kind, Ref
from domain.jobs import JobKind
from domain.provenance import EventKind
from domain.rights import Level
from domain.rituals import RitualTimes
from domain.rooms import RoomEventKind, RoomVisibility
from domain.search import FoundKind
from resolvers.demo_ledger import STEP, Ledger
from resolvers.demo_scene import Look, Person, Visual, World

BETWEEN_WORDS = timedelta(minutes=3)
WAITING, REMEMBERED = timedelta(hours=3), timedelta(days=1)
"""Before a release is out, and after it."""


def tell_person(ledger: Ledger, person: Person) -> None:
    """Somebody who is credited, with the account they sign in with."""
    account = ledger.accounts[person.account] if person.account else None
    if account is not None:
        ledger.add("account", id=account, handle=person.account, created_at=ledger.opened)
    contributor = ledger.add(
        "contributor",
        id=ledger.contributors[person.key],
        name=person.name,
        artist_id=ledger.artists[person.artist] if person.artist else None,
        account_id=account,
        ipi=person.ipi,
        isni=person.isni,
        created_at=ledger.opened,
    )
    ledger.names.append((contributor, FoundKind.CONTRIBUTOR, [person.name]))


def tell_world(ledger: Ledger, world: World) -> None:
    """An artist with members, world, policy and works; they came an hour before their first work."""
    artist = ledger.artists[world.handle]
    at = min(ledger.came[work.key] for work in world.works) - timedelta(hours=1)
    ledger.add(
        "artist",
        id=artist,
        handle=world.handle,
        name=world.name,
        kind=world.kind,
        claimed=bool(world.members),
        tagline=world.tagline,
        theme_id=add_look(ledger, artist, world.theme, at),
        visual_id=add_visual(ledger, artist, world.visual, at),
        lead_hook_id=ledger.hooks[world.lead],
        created_at=at,
    )
    ledger.names.append((artist, FoundKind.ARTIST, [world.name, world.handle]))
    for number, (handle, role) in enumerate(world.members.items()):
        member = {"account_id": ledger.accounts[handle], "artist_id": artist, "role": role}
        ledger.add("membership", **member, created_at=at + number * STEP)
    actor = ledger.owner_account(world)
    room = add_room(ledger, artist, world.room, at)
    if room is not None and actor is not None:
        _gather(ledger, room, world, actor)
    if world.license is not None:
        policy, terms = ledger.state(Level.ARTIST, artist, world.license, at, actor)
        ref = Ref(Kind.ARTIST, artist)
        told = {"policy": str(Ref(Kind.POLICY, policy)), "of": str(ref), "terms": terms}
        ledger.happen(ref, EventKind.PERMISSIONS_CHANGED, at, actor, policy, **told)


def add_look(ledger: Ledger, artist: UUID, look: Look, at: datetime) -> UUID:
    """A theme."""
    hue, saturation, lightness = look.seed
    return ledger.add(
        "theme",
        artist_id=artist,
        seed_source=look.source,
        seed_hue=hue,
        seed_saturation=saturation,
        seed_lightness=lightness,
        **look.tokens,
        is_extracted=look.extracted,
        pattern=look.pattern,
        texture=look.texture,
        texture_opacity=float(look.opacity),
        typography=look.typography,
        motion=look.motion,
        release_posture=look.posture,
        created_at=at,
    )


def add_visual(ledger: Ledger, owner: UUID, visual: Visual, at: datetime, *, hook: UUID | None = None) -> UUID:
    """A visual world, around a hook or none."""
    return ledger.add(
        "visual_world",
        owner_id=owner,
        hook_id=hook,
        state=visual.state,
        title=visual.title,
        texture=visual.texture,
        colour=visual.colour,
        lyric_behaviour=visual.lyrics,
        motion=visual.motion,
        badges=list(visual.badges),
        created_at=at,
    )


def add_room(
    ledger: Ledger,
    artist: UUID,
    title: str | None,
    at: datetime,
    *,
    hook: UUID | None = None,
    release: UUID | None = None,
    visibility: str = RoomVisibility.PUBLIC,
) -> dict[str, Any] | None:
    """The room of a hook, of a release, or else of the world; a room without a title is none."""
    if title is None:
        return None
    about = {"artist_id": artist, "hook_id": hook, "release_id": release}
    quiet = {"last_event_id": 0, "now_track_id": None, "now_hook_id": None, "now_since": None}
    ledger.add("room", **about, title=title, visibility=visibility, created_at=at, **quiet)
    return ledger.rows["room"][-1]


def add_ritual(ledger: Ledger, room: dict[str, Any], title: str, out: datetime, announcer: UUID) -> None:
    """The ritual around a release that comes out: people come some hours before, and it is remembered the day after."""
    times = RitualTimes(out - WAITING, out, out + REMEMBERED)
    about = {"artist_id": room["artist_id"], "release_id": room["release_id"], "room_id": room["id"]}
    named = {"title": title, "announced_by_id": announcer, "created_at": room["created_at"]}
    ritual = ledger.add("ritual", **about, **named, **asdict(times))
    for moment in (times.opens_at, times.releases_at, times.ends_at):
        ledger.ask(JobKind.MOVE_RITUAL, ritual, room["artist_id"], {}, moment)
    ledger.changes.append((ritual, "RITUAL_ANNOUNCED", [room["artist_id"]]))


def _gather(ledger: Ledger, room: dict[str, Any], world: World, host: UUID) -> None:
    """What was said in the room of a world lately, a few minutes apart; it hears the hook that leads the world."""

    def happen(kind: RoomEventKind, account: UUID, at: datetime, **payload: Any) -> int:
        room["last_event_id"] += 1
        said = {"room_id": room["id"], "id": room["last_event_id"], "kind": kind, "account_id": account}
        ledger.add("room_event", **said, payload=payload, at=at)
        return int(room["last_event_id"])

    for number, (handle, words) in enumerate(world.talk):
        account, at = ledger.accounts[handle], ledger.now - (len(world.talk) - number) * BETWEEN_WORDS
        message = Ref(Kind.MESSAGE, ledger.add("room_message", room_id=room["id"], account_id=account, text=words))
        event = happen(RoomEventKind.MESSAGE, account, at, message=str(message))
        ledger.rows["room_message"][-1].update(event_id=event, created_at=at)
        ledger.changes.append((room["id"], "ROOM_MESSAGE", [message.id]))
    for account in {ledger.accounts[handle] for handle, _ in world.talk}:
        ledger.add("room_person", room_id=room["id"], account_id=account, joined_at=room["created_at"])
    track, hook = ledger.ref(world.lead), Ref(Kind.HOOK, ledger.hooks[world.lead])
    room.update(now_track_id=track.id, now_hook_id=hook.id, now_since=ledger.now)
    heard = {"track": str(track), "hook": str(hook), "title": ledger.works[world.lead].title, "durationMs": HOOK_MS}
    happen(RoomEventKind.NOW_CHANGED, host, ledger.now, **heard, since=ledger.now.isoformat())
