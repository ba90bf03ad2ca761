"""The book the demo scene is told into before it is written: ids, times, rows, and what follows from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.accounts import Role
from domain.assets import asset_ref
from domain.canonical import canonical, digest
from domain.ids import Ref
from domain.jobs import JobKind, NewJob
from domain.provenance import Event, EventKind
from domain.rights import Level, License, LicenseFamily, Term, Use, preset, read_license, terms_digest
from domain.search import FoundKind
from resolvers.context import Acting
from resolvers.demo_scene import Scene, Work, World
from resolvers.demo_sound import heard_of

LIVED = timedelta(days=400)
"""How long ago the first work came in."""
LATEST = timedelta(minutes=40)
"""How long ago the last one did."""
STEP = timedelta(seconds=1)
"""Between one thing that happened and the next."""

_OWN_WORDS = {
    "open-to-remix": License(LicenseFamily.OPEN_TO_REMIX, ""),
    "custom": License(LicenseFamily.CUSTOM, ""),
}
_NO_CONDITIONS: Mapping[str, Any] = {"layer": None, **Term._field_defaults}


class Ledger:
    """Rows by table, events in order, changes and names.

    Attributes:
        rows: rows by table name; those of one table name the same columns.
        events: what happened, to each subject in order.
        changes: the lines of the change log.
        names: what is found by which names.
        jobs: what is to be done afterwards.
        artists: the ids of the worlds' artists by handle.
        hooks: the ids of the hooks by the key of their track.
        accounts: the ids of the accounts by handle.
        contributors: the ids of the credited people by key.
        reached: the keys of those who can answer, in person or through the world they stand for.
        works: the works by key.
        heard: the keys of those that have sound.
        owners: the ids of their artists by key.
        came: when each came in, by key.
        now: when the story is told.
        opened: when the first people came.
    """

    def __init__(self, scene: Scene, acting: Acting, term_sets: Mapping[str, UUID]) -> None:
        """Give everybody and everything an id and a time.

        Args:
            scene: who is there and what they made.
            acting: gives the time and the ids.
            term_sets: the sets of terms that are in the database already, by digest.
        """
        self.rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.events: list[Event] = []
        self.changes: list[tuple[UUID, str, Sequence[UUID]]] = []
        self.names: list[tuple[UUID, FoundKind, Sequence[str]]] = []
        self.jobs: list[NewJob] = []
        self._new_id = acting.new_id
        self._term_sets = dict(term_sets)
        self.now = acting.now()
        works = {work.key: (work, world.handle) for world in scene.worlds for work in world.works}
        self.works = {key: work for key, (work, _) in works.items()}
        self.heard = heard_of(scene)
        self.came = arrivals(list(self.works.values()), self.now)
        self.opened = self.now - LATEST - LIVED - timedelta(days=1)
        self.artists = {world.handle: self._new_id() for world in scene.worlds}
        self.owners = {key: self.artists[handle] for key, (_, handle) in works.items()}
        self.hooks = {key: self._new_id() for key, work in self.works.items() if work.hook}
        self.accounts = {person.account: self._new_id() for person in scene.people if person.account}
        self.contributors = {person.key: self._new_id() for person in scene.people}
        claimed = {world.handle for world in scene.worlds if world.members}
        self.reached = {person.key for person in scene.people if person.account or person.artist in claimed}
        self._refs = {key: asset_ref(work.kind, self._new_id()) for key, work in self.works.items()}

    def ref(self, key: str) -> Ref:
        """The reference of a work."""
        return self._refs[key]

    def owner_account(self, world: World) -> UUID | None:
        """The account of a world's first owner; None where nobody has claimed it."""
        return next((self.accounts[handle] for handle, role in world.members.items() if role == Role.OWNER), None)

    def add(self, table: str, **values: Any) -> UUID:
        """Add a row; it gets an id where it has none."""
        id_: UUID = values.setdefault("id", self._new_id())
        self.rows[table].append(values)
        return id_

    def ask(
        self,
        kind: JobKind,
        subject: UUID,
        owner: UUID,
        payload: Mapping[str, Any],
        run_after: datetime | None = None,
    ) -> None:
        """Ask for something to be done when all is written, or later."""
        self.jobs.append(NewJob(self._new_id(), kind, subject, owner, payload, run_after))

    def happen(
        self, subject: Ref, kind: EventKind, at: datetime, actor: UUID | None, *ids: UUID, **payload: Any
    ) -> None:
        """Note what happened to a subject, and the rows it brought."""
        self.events.append(Event(self._new_id(), subject, kind, at, actor, payload))
        self.changes.append((subject.id, kind.value, ids))

    def state(
        self,
        level: Level,
        subject: UUID,
        license_: str,
        at: datetime,
        actor: UUID | None,
        *,
        custom: Sequence[Mapping[str, Any]] = (),
        words: str | None = None,
    ) -> tuple[UUID, str]:
        """Add a policy; answer its id and the digest of its terms, a set of which is written once.

        Args:
            level: who speaks.
            subject: the asset, artist or version spoken for.
            license_: an SPDX identifier, `open-to-remix`, or `custom`.
            at: since when.
            actor: the person who states it.
            custom: the terms of a custom policy.
            words: the policy in the owner's own words.
        """
        known = _OWN_WORDS.get(license_) or read_license(license_)
        said, terms = _custom(custom) if known.family is LicenseFamily.CUSTOM else _preset(known)
        if said not in self._term_sets:
            self._term_sets[said] = self.add("term_set", digest=said, created_at=at)
            for position, term in enumerate(terms):
                self.add("term", term_set_id=self._term_sets[said], position=position, **{**_NO_CONDITIONS, **term})
        policy = self.add(
            "policy",
            level=level,
            subject_id=subject,
            term_set_id=self._term_sets[said],
            license_family=known.family,
            license=known.id or None,
            stated_as=words,
            stated_by_id=actor,
            created_at=at,
            valid=at,
            known=at,
        )
        return policy, said


def arrivals(works: Sequence[Work], now: datetime) -> dict[str, datetime]:
    """When each work came in, by key: in the order they were made, undated finds last, ever closer together."""
    ordered = sorted(works, key=lambda work: work.made or date.max)
    last = len(ordered) - 1
    return {work.key: now - LATEST - LIVED * (1 - rank / last) ** 2 for rank, work in enumerate(ordered)}


def _preset(license_: License) -> tuple[str, Sequence[Mapping[str, Any]]]:
    terms = preset(license_)
    return terms_digest(terms), [term._asdict() for term in terms]


def _custom(terms: Sequence[Mapping[str, Any]]) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """Terms of one's own, in the order and under the digest of `domain.rights.terms_digest`: absent means absent."""
    ordered = sorted(terms, key=lambda term: (list(Use).index(Use(term["use"])), term.get("layer") or ""))
    return digest(canonical([{name: value for name, value in term.items() if value} for term in ordered])), ordered
