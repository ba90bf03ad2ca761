"""The demo scene as it is told in `scene/*.toml`: who is credited, and each world with everything in it.

A file is a world, its name the handle; `people.toml` holds the credited people. Works are tables `[kind.key]`, so
that a song stands in one place with its credits, its hook and what it was made from. The keys of the files are the
fields here, and any other key is refused. Lengths and positions are seconds; words in capitals are the domain's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import Any

from domain.assets import AssetKind, AssetState
from domain.hooks import VisualState
from domain.lineage import EdgeStatus, EvidenceSource, Registration
from domain.releases import ReleaseStatus
from domain.rooms import RoomVisibility

Window = tuple[int, int]

_STATES = {
    ReleaseStatus.DRAFT: AssetState.PRIVATE,
    ReleaseStatus.SCHEDULED: AssetState.PRIVATE,
    ReleaseStatus.PUBLISHED: AssetState.PUBLIC,
    ReleaseStatus.ARCHIVED: AssetState.ARCHIVED,
    ReleaseStatus.WITHDRAWN: AssetState.WITHDRAWN,
}
_REGISTRATIONS = {
    EdgeStatus.CONFIRMED: Registration.REGISTERED,
    EdgeStatus.CLAIMED: Registration.PENDING,
    EdgeStatus.DISPUTED: Registration.PENDING,
    EdgeStatus.REJECTED: Registration.REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A credited party: `account` is the handle they sign in with, `artist` the world they stand for."""

    key: str
    name: str
    account: str | None = None
    artist: str | None = None
    ipi: str | None = None
    isni: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A theme; `seed` is hue, saturation and lightness."""

    source: str
    seed: tuple[int, int, int]
    tokens: Mapping[str, str]
    texture: str
    opacity: float
    typography: str
    motion: str
    posture: str
    pattern: str | None = None
    extracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Visual:
    """A visual world."""

    title: str
    texture: str
    colour: str
    motion: str
    lyrics: str | None = None
    state: str = VisualState.ACTIVE
    badges: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HookWindow:
    """The hook of a track: where it starts, and everything around it."""

    at: int
    caption: str
    room: str | None = None
    theme: Look | None = None
    visuals: Sequence[Visual] = ()
    badges: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a work was made from: how, where in the work (`at`), where in the source (`of`), and who says so (`by`)."""

    asset: str
    how: str
    at: Window | None = None
    of: Window | None = None
    status: str = EdgeStatus.CONFIRMED
    registration: str | None = None
    by: str = EvidenceSource.CHILD_OWNER
    teller: str | None = None
    method: str | None = None
    score: Decimal | None = None
    note: str | None = None

    @property
    def registered(self) -> str:
        """Where its registration stands."""
        return self.registration or _REGISTRATIONS[EdgeStatus(self.status)]

    @property
    def binding(self) -> bool:
        """What the child's side says binds until the parent's owner denies it; what others say, once confirmed."""
        if self.by in {EvidenceSource.CHILD_OWNER, EvidenceSource.IMPORT}:
            return self.status != EdgeStatus.REJECTED
        return self.status in {EdgeStatus.CONFIRMED, EdgeStatus.DISPUTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a release: the keys of its items in order, and a license where this version has its own."""

    state: str
    items: Sequence[str]
    license: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An asset of any kind.

    Attributes:
        license: an SPDX identifier, `open-to-remix`, or `custom` with `terms`; None where the owner has not spoken.
        credits: roles by person; `INSTRUMENTALIST: cello` names the instrument.
        asked: the credited who have not answered; `declined` those who said no; all others who can be asked accepted.
        splits: basis points by pool and person.
        also: roles of media besides the master.
        merged_into: the work this one turned out to be.
        tone: the musical key.
        form: the kind of a release.
        lead: the track whose hook leads a release.
    """

    key: str
    kind: AssetKind
    title: str
    made: date | None = None
    state: str | None = None
    badges: Sequence[str] = ()
    license: str | None = None
    stated_as: str | None = None
    terms: Sequence[Mapping[str, Any]] = ()
    credits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    asked: Sequence[str] = ()
    declined: Sequence[str] = ()
    splits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    also: Sequence[str] = ()
    made_from: Sequence[Source] = ()
    merged_into: str | None = None
    seconds: int | None = None
    bpm: int | None = None
    tone: str | None = None
    isrc: str | None = None
    hook: HookWindow | None = None
    subkind: str | None = None
    family: str | None = None
    format: str | None = None
    form: str | None = None
    status: str = ReleaseStatus.PUBLISHED
    opens_in_days: int | None = None
    upc: str | None = None
    label: str | None = None
    lead: str | None = None
    cover: Visual | None = None
    room: str | None = None
    room_for: str = RoomVisibility.PUBLIC
    ritual: str | None = None
    versions: Sequence[Version] = ()

    @property
    def standing(self) -> str:
        """Its state: as told, or as its release's status or its merge have it."""
        if self.merged_into is not None:
            return AssetState.ARCHIVED
        return self.state or _STATES[ReleaseStatus(self.status)]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An artist: the world, its members (role by account; none where nobody has claimed it) and its works.

    `lead` is the track whose hook leads, and what its room hears; `talk` is who said what there lately; `license` as in
    `Work`, for everything of theirs that says nothing itself.
    """

    handle: str
    name: str
    kind: str
    tagline: str
    lead: str
    theme: Look
    visual: Visual
    works: Sequence[Work]
    members: Mapping[str, str] = field(default_factory=dict)
    room: str | None = None
    talk: Sequence[tuple[str, str]] = ()
    license: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Everybody and everything."""

    people: Sequence[Person]
    worlds: Sequence[World]

    @property
    def handles(self) -> list[str]:
        """The handles of all worlds and accounts."""
        return [world.handle for world in self.worlds] + [person.account for person in self.people if person.account]


def read_scene() -> Scene:
    """Read the scene that comes with Casset."""
    folder = resources.files("resolvers").joinpath("scene")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    told = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8"), parse_float=Decimal) for file in files
    }
    people = [Person(key=key, **row) for key, row in told.pop("people").items()]
    return Scene(people, [_world(handle, row) for handle, row in told.items()])


def _world(handle: str, told: dict[str, Any]) -> World:
    works = [_work(kind, key, row) for kind in AssetKind for key, row in told.pop(kind.lower(), {}).items()]
    theme, visual = Look(**told.pop("theme")), Visual(**told.pop("visual"))
    return World(handle=handle, theme=theme, visual=visual, works=works, **told)


def _work(kind: AssetKind, key: str, told: dict[str, Any]) -> Work:
    made_from = [Source(**row) for row in told.pop("made_from", ())]
    versions = [Version(**row) for row in told.pop("versions", ())]
    hook = _hook(told.pop("hook")) if "hook" in told else None
    cover = Visual(**told.pop("cover")) if "cover" in told else None
    return Work(key=key, kind=kind, made_from=made_from, versions=versions, hook=hook, cover=cover, **told)


def _hook(told: dict[str, Any]) -> HookWindow:
    visuals = [Visual(**row) for row in told.pop("visuals", ())]
    theme = Look(**told.pop("theme")) if "theme" in told else None
    return HookWindow(visuals=visuals, theme=theme, **told)
