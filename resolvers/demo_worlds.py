"""The people and the worlds of the demo scene, told into a ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from domain.ids import Kind, Ref
from domain.provenance import EventKind
from domain.rights import Level
from domain.rooms import RoomVisibility
from domain.search import FoundKind
from resolvers.demo_ledger import STEP, Ledger
from resolvers.demo_scene import Look, Person, Visual, World


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
    add_room(ledger, artist, world.room, at)
    actor = ledger.owner_account(world)
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
) -> None:
    """The room of a hook, of a release, or else of the world; a room without a title is none."""
    if title is not None:
        about = {"artist_id": artist, "hook_id": hook, "release_id": release}
        ledger.add("room", **about, title=title, visibility=visibility, created_at=at)
