"""Small graphs made by chance in which every asset has words of its own, so that whoever reads one of them is caught.

Titles, handles, licenses, notes, methods, people, versions: each is a word that stands nowhere else. `told_to` says
which of them a viewer may read, and `secrets_of` which they may not, from a table written by hand.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from db import tables
from domain.accounts import Viewer
from domain.assets import AssetKind, AssetState, SampleSubkind
from domain.contributors import Acceptance, CreditRole
from domain.lineage import EdgeKind, EdgeStatus, Registration
from domain.releases import ReleaseKind, ReleaseStatus, VersionState
from domain.rights import Decision, LicenseFamily, Use
from tests.graph.scene import FOREVER, Rows

STATES = (*[AssetState.PUBLIC] * 4, AssetState.ARCHIVED, AssetState.PRIVATE, AssetState.UNLISTED, AssetState.WITHDRAWN)
SHOWN = (AssetState.PUBLIC, AssetState.ARCHIVED)
STATED = (*Decision, Decision.ALLOWED, Decision.ALLOWED)


@dataclass
class Hidable:
    """An asset, what it is made of, and the words that only those read who may see it."""

    name: str
    owner: str
    state: AssetState
    kind: AssetKind
    named: list[str]
    told: list[str]


@dataclass
class Bond:
    """An edge: told to both owners only, where it was refused."""

    name: str
    child: str
    parent: str
    words: list[str]
    is_refused: bool


@dataclass
class Secrets:
    """The graphs.

    Attributes:
        rows: the rows and their names.
        assets: by name; of one graph after the other.
        bonds: between them.
    """

    rows: Rows
    assets: dict[str, Hidable] = field(default_factory=dict)
    bonds: list[Bond] = field(default_factory=list)

    def is_shown(self, name: str, viewer: Viewer) -> bool:
        """Whether the viewer meets an asset through others, and sees all of it."""
        asset = self.assets[name]
        return asset.state in SHOWN or self.rows.keys[asset.owner] in viewer.holds

    def secrets_of(self, viewer: Viewer, asked: Collection[str]) -> set[str]:
        """The words that must not stand in an answer to that viewer, who asks about some assets by their ids."""
        secret: set[str] = set()
        for name, asset in self.assets.items():
            if not self.is_shown(name, viewer) and name not in asked:
                secret.update(asset.told)
                if asset.state is not AssetState.WITHDRAWN:
                    secret.update(asset.named)
        for bond in self.bonds:
            ends = [self.is_shown(name, viewer) for name in (bond.child, bond.parent)]
            theirs = any(self.rows.keys[self.assets[name].owner] in viewer.holds for name in (bond.child, bond.parent))
            if not all(ends) or (bond.is_refused and not theirs):
                secret.update(bond.words)
            if (bond.is_refused and not theirs) or not (any(ends) or {bond.child, bond.parent} & {*asked}):
                secret.add(self.rows[bond.name])
        return secret

    def hidden_keys(self, viewer: Viewer, asked: Collection[str]) -> list[UUID]:
        """The keys of assets that must not stand in a cursor either."""
        return [
            self.rows.keys[name]
            for name, asset in self.assets.items()
            if not self.is_shown(name, viewer) and name not in asked and asset.state is not AssetState.WITHDRAWN
        ]


def draw(seed: int, graphs: int, size: int) -> Secrets:
    """Draw some graphs; in every other one, edges whose registration was refused are among the others."""
    rows = Rows(random.Random(seed))
    drawn = Secrets(rows)
    for graph in range(graphs):
        names: list[str] = []
        for number in range(size):
            names.append(_asset(drawn, f"{graph}x{number}", names))
        for place, child in enumerate(names):
            for parent in rows.chance.sample(names[:place], min(place, rows.chance.choice((0, 1, 1, 2, 3)))):
                _bond(drawn, child, parent, may_be_refused=graph % 2 == 1)
    return drawn


def _asset(drawn: Secrets, mark: str, below: list[str]) -> str:
    rows, chance = drawn.rows, drawn.rows.chance
    kind = chance.choice((*[AssetKind.TRACK] * 3, AssetKind.SAMPLE, AssetKind.INSTRUMENT, AssetKind.RELEASE))
    name, state = f"asset{mark}q", chance.choice(STATES)
    owner = rows.artist(f"handle{mark}q", f"name{mark}q")
    details = {
        AssetKind.TRACK: {"duration_ms": 120_000},
        AssetKind.SAMPLE: {"duration_ms": 9000, "subkind": SampleSubkind.LOOP},
        AssetKind.INSTRUMENT: {},
        AssetKind.RELEASE: {"status": ReleaseStatus.PUBLISHED, "release_kind": ReleaseKind.EP},
    }[kind]
    rows.asset(name, kind, owner, f"title{mark}q", state, **details)
    told = [f"license{mark}q", f"share{mark}q", f"person{mark}q", f"purpose{mark}q", f"version{mark}q", f"item{mark}q"]
    terms = [
        {
            "use": use,
            "decision": chance.choice(STATED),
            "attribution": chance.random() < 0.5,
            "share_alike": f"share{mark}q" if chance.random() < 0.3 else None,
            "purpose": f"purpose{mark}q" if chance.random() < 0.1 else None,
            "territories": None,
            "price_minor": chance.randrange(10**6, 10**9),
            "currency": "EUR",
        }
        for use in Use
        if chance.random() < 0.8
    ]
    policy = rows.add(
        f"policy{mark}q",
        tables.policy,
        level="ASSET",
        subject_id=rows.keys[name],
        term_set_id=rows.term_set(*terms),
        license_family=LicenseFamily.CUSTOM,
        license=f"license{mark}q",
        valid=FOREVER,
    )
    told += [rows[policy], *[str(term["price_minor"]) for term in terms]]
    person = rows.contributor(f"person{mark}q", f"person{mark}q")
    rows.put(
        tables.credit,
        id=rows.new_key(),
        asset_id=rows.keys[name],
        contributor_id=rows.keys[person],
        role=CreditRole.PRODUCER,
        acceptance=Acceptance.ACCEPTED,
        position=1,
    )
    if kind is AssetKind.RELEASE:
        told += _hold(rows, name, mark, chance.sample(below, min(len(below), 2)))
    drawn.assets[name] = Hidable(name, owner, state, kind, [rows[name], f"title{mark}q", f"handle{mark}q"], told)
    return name


def _hold(rows: Rows, name: str, mark: str, items: list[str]) -> list[str]:
    """Let a release hold some assets; the references of what tells so."""
    version = rows.add(
        f"version{mark}q",
        tables.release_version,
        release_id=rows.keys[name],
        number=1,
        state=VersionState.PUBLISHED,
        title=f"version{mark}q",
    )
    rows.complete(tables.release, name, current_version_id=rows.keys[version])
    held = [
        rows.add(
            f"item{mark}q{place}",
            tables.release_item,
            version_id=rows.keys[version],
            asset_id=rows.keys[item],
            position=place,
            title=f"item{mark}q",
        )
        for place, item in enumerate(items, 1)
    ]
    return [rows[version], *[rows[item] for item in held]]


def _bond(drawn: Secrets, child: str, parent: str, *, may_be_refused: bool) -> None:
    rows, chance = drawn.rows, drawn.rows.chance
    mark = f"{child.removeprefix('asset')}{parent.removeprefix('asset')}"
    is_refused = may_be_refused and chance.random() < 0.3
    start = chance.choice((None, 0, 30_000))
    refused = {"status": EdgeStatus.CLAIMED, "registration": Registration.REFUSED} if is_refused else {}
    rows.edge(
        f"edge{mark}",
        child,
        parent,
        chance.choice([kind for kind in EdgeKind if kind is not EdgeKind.INSPIRED_BY]),
        note=f"note{mark}",
        evidence_method=f"method{mark}",
        child_start_ms=start,
        child_end_ms=None if start is None else start + 20_000,
        parent_start_ms=chance.choice((None, 1000)),
        **refused,
    )
    drawn.bonds.append(Bond(f"edge{mark}", child, parent, [f"note{mark}", f"method{mark}"], is_refused))
