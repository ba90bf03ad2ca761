"""What publishing copies out of the asset graph: plain facts, which the manifest of a version is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.assets import Badge, MediaRole
from domain.contributors import Acceptance, CreditRole, Pool
from domain.facts import BondKind
from domain.ids import Ref
from domain.lineage import EdgeStatus
from domain.releases import ReleaseKind
from domain.rights import Level, Term
from domain.windows import Window


class FrozenCredit(NamedTuple):
    """Who did what, and whether they agreed; `position` is their place among the credits of the asset."""

    contributor: Ref
    name: str
    role: CreditRole
    acceptance: Acceptance
    position: int
    instrument: str | None = None
    ipi: str | None = None
    isni: str | None = None


class FrozenShare(NamedTuple):
    """Who holds which part of a pool, in basis points."""

    contributor: Ref
    name: str
    pool: Pool
    basis_points: int
    acceptance: Acceptance
    position: int


class FrozenPolicy(NamedTuple):
    """What was stated at one level: the policy, the license it names where it names one, and its terms."""

    policy: Ref
    level: Level
    terms: tuple[Term, ...]
    license: str | None = None


class FrozenFile(NamedTuple):
    """An image or a loop, by SHA-256 in hexadecimal digits."""

    role: MediaRole
    sha256: str
    mime_type: str | None = None


class Strand(NamedTuple):
    """A binding edge upstream, or a release and its item under the item's id; a window that is None is the whole."""

    id: Ref
    child: Ref
    parent: Ref
    kind: BondKind
    status: EdgeStatus | None = None
    child_window: Window | None = None
    parent_window: Window | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """An asset as it was frozen: the release itself, or an item of it.

    Attributes:
        ref: its reference.
        title: as it was published.
        owner: the artist it belongs to.
        owner_name: of that artist.
        badges: how it was made.
        credits: who stands by it; without those who declined.
        shares: of both pools; none of a pool that was never divided: then it is the owner's, whole.
        policies: what was stated for it, at every level that speaks; none where nobody spoke.
        files: its images and loops.
        master: SHA-256 of the sound, in hexadecimal digits; None where it has none of its own.
        hook: the window people remember.
        isrc: of a track.
    """

    ref: Ref
    title: str
    owner: Ref
    owner_name: str
    badges: frozenset[Badge] = frozenset()
    credits: Sequence[FrozenCredit] = ()
    shares: Sequence[FrozenShare] = ()
    policies: Sequence[FrozenPolicy] = ()
    files: Sequence[FrozenFile] = ()
    master: str | None = None
    hook: Window | None = None
    isrc: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a version freezes.

    Attributes:
        version: its reference.
        number: from 1.
        published_at: when.
        release: the release itself.
        items: (place, work) of what it holds; places are distinct, from 1.
        lineage: what its items and it are made of, all the way up, over binding edges.
        kind: its form.
        upc: its UPC or EAN.
        label: the label it names.
        previous: the hash of the manifest before this one.
    """

    version: Ref
    number: int
    published_at: datetime
    release: Work
    items: Sequence[tuple[int, Work]]
    lineage: Sequence[Strand] = ()
    kind: ReleaseKind | None = None
    upc: str | None = None
    label: str | None = None
    previous: str | None = None
