"""The works of the demo scene, told into a ledger: each with its history, in steps of a second."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.assets import AssetKind, AssetState, MediaRole
from domain.canonical import digest
from domain.contributors import Acceptance
from domain.ids import Kind, Ref
from domain.jobs import JobKind
from domain.lineage import EvidenceSource
from domain.provenance import EventKind
from domain.releases import ReleaseStatus, VersionState
from domain.rights import Level
from domain.search import FoundKind
from resolvers.demo_ledger import STEP, Ledger
from resolvers.demo_scene import HookWindow, Source, Version, Window, Work
from resolvers.demo_sound import piece_of
from resolvers.demo_worlds import add_look, add_ritual, add_room, add_visual

WITHDRAWN_AFTER = timedelta(minutes=30)
HOOK_SECONDS = 30
BYTES_PER_SECOND = 176_400
"""Of WAV: 44,100 Hz, 16 bits, stereo."""

_MIME = {
    MediaRole.PREVIEW: "audio/mpeg",
    MediaRole.COVER: "image/webp",
    MediaRole.LOOP: "video/webm",
    MediaRole.SOURCE: "application/zip",
}
_MASTER_MIME = {
    AssetKind.TRACK: "audio/flac",
    AssetKind.SAMPLE: "audio/wav",
    AssetKind.INSTRUMENT: "application/zip",
}
_NO_COPY = dict.fromkeys(("title", "badges", "media_sha256", "hook_start_ms", "hook_end_ms"))
"""What a draft holds of its items."""


def media_sha256(key: str, role: MediaRole) -> str:
    """The digest of made-up bytes: what is not heard has no files, and the same digests in every database."""
    return digest(f"casset demo {key} {role}".encode())


def tell_work(ledger: Ledger, work: Work, actor: UUID | None) -> None:
    """A work with everything it came with; `actor` is the person who brought it."""
    _Telling(ledger, work, actor).tell()


class _Telling:
    """One work and its history."""

    def __init__(self, ledger: Ledger, work: Work, actor: UUID | None) -> None:
        self._ledger = ledger
        self._work = work
        self._actor = actor
        self._ref = ledger.ref(work.key)
        self._owner = ledger.owners[work.key]
        self._at = ledger.came[work.key]

    def tell(self) -> None:
        """Everything about the work, in the order it happened."""
        self._identity()
        if self._work.merged_into is not None:
            self._merge(self._ledger.ref(self._work.merged_into))
            return
        for role in self._media_roles():
            self._medium(role)
        if self._work.key in self._ledger.heard:
            self._ledger.ask(JobKind.COMPOSE_DEMO, self._ref.id, self._owner, piece_of(self._work))
        self._people()
        if self._work.license is not None:
            self._policy(Level.ASSET, self._ref, self._work.license)
        if self._work.hook is not None:
            self._hook(self._work.hook)
        if self._work.kind is AssetKind.RELEASE:
            self._release()
        if self._work.made_from:
            self._lineage()
        if self._work.standing == AssetState.WITHDRAWN:
            self._withdraw()

    def _happen(self, kind: EventKind, *ids: UUID, **payload: Any) -> None:
        """The next thing that happened to the work, a second after the last."""
        self._ledger.happen(self._ref, kind, self._at, self._actor, *ids, **payload)
        self._at += STEP

    def _identity(self) -> None:
        work, id_ = self._work, self._ref.id
        self._ledger.add(
            "asset",
            id=id_,
            kind=work.kind,
            owner_id=self._owner,
            title=work.title,
            state=work.standing,
            teased=work.status == ReleaseStatus.SCHEDULED,
            badges=list(work.badges),
            made_on=work.made,
            created_at=self._at,
        )
        standing = {"owner_id": self._owner, "state": work.standing, "valid": self._at, "known": self._at}
        self._ledger.add("asset_standing", asset_id=id_, **standing)
        heard = {"duration_ms": _ms(work.seconds), "bpm": work.bpm, "musical_key": work.tone}
        match work.kind:
            case AssetKind.TRACK:
                self._ledger.add("track", id=id_, **heard, isrc=work.isrc)
            case AssetKind.SAMPLE:
                self._ledger.add("sample", id=id_, **heard, subkind=work.subkind)
            case AssetKind.INSTRUMENT:
                self._ledger.add("instrument", id=id_, family=work.family, format=work.format)
            case AssetKind.RELEASE:
                pass  # told with its versions
        self._ledger.names.append((id_, FoundKind(work.kind), [work.title]))
        self._happen(EventKind.ASSET_CREATED, owner=str(Ref(Kind.ARTIST, self._owner)))

    def _merge(self, survivor: Ref) -> None:
        merge = self._ledger.add("merge", old_id=self._ref.id, new_id=survivor.id, valid=self._at, known=self._at)
        self._ledger.happen(survivor, EventKind.ASSET_MERGED, self._at, self._actor, merge, merged=str(self._ref))
        self._happen(EventKind.ASSET_MERGED, merge, into=str(survivor))

    def _media_roles(self) -> list[MediaRole]:
        # What is heard gets its master when it is composed.
        is_elsewhere = self._work.kind is AssetKind.RELEASE or self._work.key in self._ledger.heard
        master = [] if is_elsewhere else [MediaRole.MASTER]
        cover = [MediaRole.COVER] if self._work.cover else []
        return master + [MediaRole(role) for role in self._work.also] + cover

    def _medium(self, role: MediaRole) -> None:
        seconds = HOOK_SECONDS if role in {MediaRole.PREVIEW, MediaRole.LOOP} else self._work.seconds
        lasts = role not in {MediaRole.COVER, MediaRole.SOURCE}
        sha256 = media_sha256(self._work.key, role)
        medium = self._ledger.add(
            "media",
            asset_id=self._ref.id,
            role=role,
            sha256=sha256,
            mime_type=_MIME.get(role) or _MASTER_MIME[self._work.kind],
            byte_size=BYTES_PER_SECOND * (seconds or 1),
            duration_ms=_ms(seconds) if lasts else None,
            created_at=self._at,
        )
        self._happen(EventKind.MEDIA_ATTACHED, medium, media=str(Ref(Kind.MEDIA, medium)), sha256=sha256)

    def _people(self) -> None:
        work = self._work
        credited = [(who, *role.partition(": ")[::2]) for who, roles in work.credits.items() for role in roles]
        shares = [(pool, who, points) for pool, of in work.splits.items() for who, points in of.items()]
        ids = []
        for position, (who, role, instrument) in enumerate(credited, start=1):
            did = {"role": role, "instrument": instrument or None, "created_at": self._at}
            ids.append(self._ledger.add("credit", **self._party(who, position), **did))
        for position, (pool, who, points) in enumerate(shares, start=1):
            share = {"pool": pool, "basis_points": points, "valid": self._at, "known": self._at}
            ids.append(self._ledger.add("split", **self._party(who, position), **share))
        self._happen(EventKind.CONTRIBUTORS_UPDATED, *ids, credits=len(credited), splits=len(shares))

    def _party(self, who: str, position: int) -> dict[str, Any]:
        """Somebody's part in the work, and what they said to it."""
        acceptance = Acceptance.ACCEPTED
        if who in self._work.asked or who not in self._ledger.reached:
            acceptance = Acceptance.PROPOSED
        elif who in self._work.declined:
            acceptance = Acceptance.DECLINED
        party = {"asset_id": self._ref.id, "contributor_id": self._ledger.contributors[who]}
        return party | {"acceptance": acceptance, "position": position}

    def _policy(self, level: Level, subject: Ref, license_: str) -> None:
        """What the owner states, of the work or of a version of it."""
        custom, words = self._work.terms, self._work.stated_as
        policy, terms = self._ledger.state(
            level, subject.id, license_, self._at, self._actor, custom=custom, words=words
        )
        told = {"policy": str(Ref(Kind.POLICY, policy)), "of": str(subject), "terms": terms}
        self._happen(EventKind.PERMISSIONS_CHANGED, policy, **told)

    def _hook(self, window: HookWindow) -> None:
        at, start, end = self._at, *_hook_ms(self._work)
        hook = self._ledger.add(
            "hook",
            id=self._ledger.hooks[self._work.key],
            track_id=self._ref.id,
            start_ms=start,
            end_ms=end,
            caption=window.caption,
            theme_id=add_look(self._ledger, self._owner, window.theme, at) if window.theme else None,
            badges=list(window.badges),
            created_at=at,
        )
        for visual in window.visuals:
            add_visual(self._ledger, self._owner, visual, at, hook=hook)
        add_room(self._ledger, self._owner, window.room, at, hook=hook)
        self._happen(EventKind.HOOK_CHANGED, hook, hook=str(Ref(Kind.HOOK, hook)), startMs=start, endMs=end)

    def _release(self) -> None:
        work, at = self._work, self._at
        versions = [(version, self._version(number, version)) for number, version in enumerate(work.versions, start=1)]
        standing = {VersionState.PUBLISHED, VersionState.WITHDRAWN}
        self._ledger.add(
            "release",
            id=self._ref.id,
            release_kind=work.form,
            status=work.status,
            current_version_id=next((id_ for version, id_ in versions if version.state in standing), None),
            lead_hook_id=self._ledger.hooks[work.lead] if work.lead else None,
            cover_id=add_visual(self._ledger, self._owner, work.cover, at) if work.cover else None,
            scheduled_for=self._ledger.now + timedelta(days=work.opens_in_days) if work.opens_in_days else None,
            published_at=at if any(version.state != VersionState.DRAFT for version in work.versions) else None,
            upc=work.upc,
            label=work.label,
        )
        room = add_room(self._ledger, self._owner, work.room, at, release=self._ref.id, visibility=work.room_for)
        if room is not None and work.ritual is not None and work.opens_in_days and self._actor is not None:
            opens = self._ledger.now + timedelta(days=work.opens_in_days)
            add_ritual(self._ledger, room, work.ritual, opens, self._actor)
        if self._actor is not None:
            self._come_out(self._actor)

    def _come_out(self, actor: UUID) -> None:
        """What is scheduled comes out at its time; what is out gets a version with a manifest, unless one was begun."""
        work, payload = self._work, {"account": str(Ref(Kind.ACCOUNT, actor))}
        if work.opens_in_days:
            opens = self._ledger.now + timedelta(days=work.opens_in_days)
            payload["at"] = opens.isoformat()
            self._ledger.ask(JobKind.PUBLISH_RELEASE, self._ref.id, self._owner, payload, opens)
        elif work.status == ReleaseStatus.PUBLISHED and work.versions[-1].state == VersionState.PUBLISHED:
            self._ledger.ask(JobKind.PUBLISH_DEMO, self._ref.id, self._owner, payload)

    def _version(self, number: int, version: Version) -> UUID:
        """A version and its items; what was published has copies of what the items were, and no manifest."""
        frozen = version.state != VersionState.DRAFT
        id_ = self._ledger.add(
            "release_version",
            release_id=self._ref.id,
            number=number,
            state=version.state,
            title=self._work.title if frozen else None,
            is_compatibility=frozen,
            published_at=self._at if frozen else None,
            created_at=self._at,
        )
        for position, key in enumerate(version.items, start=1):
            copy = _copy(self._ledger.works[key], is_heard=key in self._ledger.heard) if frozen else _NO_COPY
            self._ledger.add(
                "release_item", version_id=id_, asset_id=self._ledger.ref(key).id, position=position, **copy
            )
        ref = Ref(Kind.VERSION, id_)
        self._happen(EventKind.VERSION_CREATED, id_, version=str(ref), number=number)
        if version.license is not None:
            self._policy(Level.VERSION, ref, version.license)
        return id_

    def _lineage(self) -> None:
        sources = self._work.made_from
        self._at = max(self._at, *[self._ledger.came[source.asset] for source in sources])
        edges = [self._edge(source) for source in sources]
        self._happen(EventKind.LINEAGE_CHANGED, *edges, edges=[str(Ref(Kind.EDGE, edge)) for edge in edges])

    def _edge(self, source: Source) -> UUID:
        made, parent_made = self._work.made, self._ledger.works[source.asset].made
        return self._ledger.add(
            "lineage_edge",
            child_id=self._ref.id,
            parent_id=self._ledger.ref(source.asset).id,
            kind=source.how,
            **_window("child", source.at),
            **_window("parent", source.of),
            note=source.note,
            status=source.status,
            registration=source.registered,
            binding=source.binding,
            child_is_older=made is not None and parent_made is not None and made < parent_made,
            evidence_source=source.by,
            evidence_method=source.method,
            evidence_score=source.score,
            asserted_by_id=self._asserter(source),
            asserted_at=self._at,
            created_at=self._at,
            valid=self._at,
            known=self._at,
        )

    def _asserter(self, source: Source) -> UUID | None:
        match EvidenceSource(source.by):
            case EvidenceSource.CHILD_OWNER:
                return self._owner
            case EvidenceSource.PARENT_OWNER:
                return self._ledger.owners[source.asset]
            case EvidenceSource.THIRD_PARTY if source.teller:
                return self._ledger.artists[source.teller]
            case _:
                return None

    def _withdraw(self) -> None:
        self._at += WITHDRAWN_AFTER
        if self._work.kind is AssetKind.RELEASE:
            self._happen(EventKind.RELEASE_WITHDRAWN)
        else:
            self._happen(EventKind.ASSET_UPDATED, changed=["state"], state=self._work.standing)


def _copy(work: Work, *, is_heard: bool) -> dict[str, Any]:
    """What publishing copies of an item."""
    start, end = _hook_ms(work)
    return {
        "title": work.title,
        "badges": list(work.badges),
        "media_sha256": None if is_heard else media_sha256(work.key, MediaRole.MASTER),
        "hook_start_ms": start,
        "hook_end_ms": end,
    }


def _hook_ms(work: Work) -> tuple[int | None, int | None]:
    return (work.hook.at * 1000, (work.hook.at + HOOK_SECONDS) * 1000) if work.hook else (None, None)


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000


def _window(end: str, window: Window | None) -> dict[str, int | None]:
    start, stop = window or (None, None)
    return {f"{end}_start_ms": _ms(start), f"{end}_end_ms": _ms(stop)}
