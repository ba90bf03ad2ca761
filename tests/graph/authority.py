"""A town where everything that authority is about stands once in every state, and everybody who may come to it.

Viewers are made as the doors make them: of memberships and of keys in the database. A `Household` is one set of
things of Nova's in one state, with those of the counterpart beside it; what is done to one is not done to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from db import tables
from db.accounts import viewer_of_account
from db.engine import Database
from db.keys import viewer_of_key
from db.passwords import set_password
from db.rooms import add_room_event
from db.search import index_names
from domain.accounts import ANONYMOUS, CodePurpose, Role, Viewer
from domain.canonical import digest
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from domain.links import LENGTH, spelled
from domain.rooms import RoomEventKind
from domain.search import FoundKind
from graph.fields import write_moment
from graph.reading import Reader
from graph.schema import executable
from graph.server.buckets import MemoryBuckets
from graph.server.mail import Folder
from graph.server.stores import StoreBlobs
from resolvers.callers import Caller, House, secret_hash
from resolvers.context import now, uuid7
from resolvers.passwords import Passwords

PASSWORD = "lantern-over-water-7"  # opens nothing
STATES = ("PRIVATE", "UNLISTED", "PUBLIC", "ARCHIVED", "WITHDRAWN")
MEMBERS = {
    "owner": Role.OWNER,
    "stale": Role.OWNER,
    "editor": Role.EDITOR,
    "contributor": Role.CONTRIBUTOR,
    "member": Role.MEMBER,
    "past": Role.OWNER,
}
"""Who is with Nova, and with a duo: `stale` signed in yesterday, `past` is with them no more."""
SCOPES = {
    "idle": {KeyScope.LICENSE, KeyScope.DERIVE, KeyScope.BUNDLE},
    "reads": {KeyScope.READ, KeyScope.CHECK},
    "assets": {KeyScope.READ, KeyScope.ASSETS_WRITE},
    "lineage": {KeyScope.READ, KeyScope.LINEAGE_WRITE},
    "all": set(KeyScope),
    "foreign": set(KeyScope),
}
"""Keys: the owner issued all for Nova but `foreign`, which the stranger issued for theirs."""
VIEWERS = ("anonymous", *MEMBERS, "stranger", "counterpart", "fan", *SCOPES)
"""The counterpart owns what Nova's things are made from, and where Nova is credited; the stranger owns something else;
the fan was let into Nova's world."""
ARTISTS = {"nova": True, "far": True, "bo": True, "trio": True, "nina": False}
"""Handles, and whether somebody signs in for them."""
EVERYTHING = " UNION ALL ".join(
    f"SELECT '{table.name}', count(*), coalesce(sum(xmin::text::bigint), 0)::bigint FROM \"{table.name}\""
    for table in tables.metadata.sorted_tables
)
"""By table: a row that is added, changed or taken away, and one put in its place, changes the first or the second."""


@dataclass
class Household:
    """References by what they name; other words by their names, such as a handle nobody has."""

    state: str
    named: dict[str, Any]

    def fill(self, given: Any, unknown: str | None = None) -> Any:
        """An input with its `$names` filled in; the one that is `unknown` with a reference to nothing."""
        if isinstance(given, Mapping):
            return {name: self.fill(value, unknown) for name, value in given.items()}
        if isinstance(given, list):
            return [self.fill(value, unknown) for value in given]
        if not isinstance(given, str) or not given.startswith("$"):
            return given
        value = self.named[given[1:]]
        return nothing_like(value) if given[1:] == unknown else value


def nothing_like(ref: str) -> str:
    """A well-formed reference of the same kind to what is not there; always the same. To a word: another one."""
    if "_" not in ref:
        return "q0q0q0q0q0q0"
    return str(Ref(Kind(ref.partition("_")[0]), UUID(int=0x7777)))


def elsewhere() -> StoreBlobs:
    """A store that signs addresses; nothing is ever sent to it."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "y", "REGION": "us-east-1"}.items():
            environment.setenv(f"AWS_{name}", value)
        return StoreBlobs("s3://casset")


@dataclass
class Town:
    """A database, everybody, and a household in each state that nobody shall change."""

    database: Database
    folder: Path
    reader: Reader = field(init=False)
    house: House = field(init=False)
    ids: dict[str, UUID] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=dict)
    still: dict[str, Household] = field(default_factory=dict)
    _slots: Iterator[int] = field(default_factory=lambda: count(1))

    async def settle(self) -> Town:
        """Write everybody down."""
        ample = MemoryBuckets(10_000, 1)
        self.reader = Reader(executable(), self.database)
        self.house = House(Passwords(patience=30), Folder(self.folder, "casset@example.com"), ample, ample, ample)
        self.house.staging, self.house.anchors = elsewhere(), True
        encoded = await self.house.passwords.hashed(PASSWORD)
        people = {**dict.fromkeys(MEMBERS, "nova"), "stranger": "far", "counterpart": "bo"}
        others = ("fan", "gate", "sieve")
        self.ids = {name: uuid7() for name in (*ARTISTS, *people, *others, "claimed", "fellow")}
        async with self.database.write() as connection:
            for handle, claimed in ARTISTS.items():
                row = {"id": self.ids[handle], "handle": handle, "name": handle, "kind": "CREATOR", "claimed": claimed}
                await connection.execute(insert(tables.artist).values(row))
            for name in (*people, *others):
                email = {"email": f"{name}@example.com", "email_key": f"{name}@example.com"}
                row = {"id": self.ids[name], "handle": f"the-{name}", **email}
                await connection.execute(insert(tables.account).values(row))
            for name, artist in people.items():
                id_ = self.ids["fellow"] if name == "editor" else uuid7()
                await self._let_in(connection, id_, name, self.ids[artist])
            claim = {"account_id": self.ids["owner"], "artist_id": self.ids["nina"], "proof_address": "https://x.test/"}
            await connection.execute(insert(tables.artist_claim).values(id=self.ids["claimed"], **claim))
            joined = {"account_id": self.ids["fan"], "scope": "CASSET", "source": "FREE_JOIN"}
            await connection.execute(
                insert(tables.entitlement).values(id=uuid7(), artist_id=self.ids["nova"], **joined)
            )
            await set_password(connection, self.ids["gate"], encoded)
            for name in SCOPES:
                await self._add_key(connection, uuid7(), name, secret_hash(name))
        await self._enter([*people, "fan"])
        self.still = {state: await self.household(state, crowded=True) for state in STATES}
        return self

    async def _let_in(self, connection: Any, id_: UUID, name: str, artist: UUID) -> None:
        row = {"account_id": self.ids[name], "artist_id": artist, "role": MEMBERS.get(name, "OWNER")}
        ended_at = now() if name == "past" else None
        await connection.execute(insert(tables.membership).values(id=id_, ended_at=ended_at, **row))

    async def _add_key(self, connection: Any, id_: UUID, name: str, hash_: bytes, artist: str | None = "nova") -> None:
        issuer, artist = ("stranger", "far") if name == "foreign" else ("owner", artist)
        row = {"account_id": self.ids[issuer], "artist_id": self.ids.get(artist), "scopes": sorted(SCOPES[name])}
        held = {"id": id_, "name": name, "mode": "LIVE", "secret_hash": hash_, "expires_at": now() + timedelta(days=1)}
        await connection.execute(insert(tables.agent_key).values(**row, **held))

    async def _enter(self, people: Iterable[str]) -> None:
        """Make everybody a viewer, as the doors do."""
        self.viewers["anonymous"] = ANONYMOUS
        async with self.database.read() as connection:
            for name in people:
                signed_in_at = now() - timedelta(hours=13 if name == "stale" else 0)
                self.viewers[name] = await viewer_of_account(connection, self.ids[name], signed_in_at)
        for name in SCOPES:
            holder = await viewer_of_key(self.database, secret_hash(name))
            assert holder is not None
            self.viewers[name] = holder.viewer

    async def household(self, state: str, *, crowded: bool = False) -> Household:
        """Another set of things in a state; crowded, also what the owner may not have many of."""
        kinds = {
            Kind.TRACK: ("track", "hooked", "theirs", "root", "heir", "played"),
            Kind.RELEASE: ("release", "coming", "out"),
            Kind.CONTRIBUTOR: ("person", "self"),
            Kind.CREDIT: ("credit",),
            Kind.SPLIT: ("split",),
            Kind.EDGE: ("claim", "mine", "made"),
            Kind.GRANT: ("grant",),
            Kind.QUOTE: ("quote",),
            Kind.LICENSE: ("license",),
            Kind.USE: ("use",),
            Kind.POLICY: ("policy", "wide", "rule"),
            Kind.KEY: ("key", "own_key"),
            Kind.HOOK: ("hook", "their_hook"),
            Kind.VISUAL: ("visual",),
            Kind.JOB: ("job",),
            Kind.MEDIA: ("staged",),
            Kind.SUGGESTION: ("suggestion",),
            Kind.VERSION: ("version", "sounding", "shown"),
            Kind.ARTIST: ("duo",),
            Kind.MEMBER: ("guest",),
            Kind.INVITE: ("invite",),
            Kind.IDENTITY: ("identity",),
            Kind.ENTITLEMENT: ("given",),
            Kind.SAMPLE: ("sound", "sent", "taken"),
            Kind.CLIP: ("clip", "heard"),
            Kind.ROOM: ("room",),
            Kind.RITUAL: ("ritual",),
            Kind.PRESAVE: ("waits",),
            Kind.COMMENT: ("said",),
            Kind.SHARE: ("shared",),
            Kind.ACTIVITY: ("told",),
            Kind.MESSAGE: ("message",),
            Kind.QUEUED: ("queued",),
            Kind.GUEST: ("visitor",),
        }
        ids = {name: uuid7() for names in kinds.values() for name in names}
        named: dict[str, Any] = {name: str(Ref(kind, ids[name])) for kind, names in kinds.items() for name in names}
        named |= {handle: str(Ref(Kind.ARTIST, self.ids[handle])) for handle in ARTISTS}
        for name, kind in (("owner", Kind.ACCOUNT), ("fellow", Kind.MEMBER), ("claimed", Kind.CLAIM)):
            named[name] = str(Ref(kind, self.ids[name]))
        named["hosted"] = named["room"]
        for word in ("handle", "reset", "verify", "code"):
            named[word] = f"{word[0]}{uuid7().hex[-16:]}"
        named |= {"title": f"Q{uuid7().hex[-20:]}", "email": f"{named['handle']}@example.com"}
        async with self.database.write() as connection:
            await self._furnish(connection, state, ids, named)
            await self._releases(connection, ids)
            await self._around(connection, ids, named)
            await self._gather(connection, ids)
            await self._announce(connection, ids, named)
            await self._reply(connection, ids)
            await self._sell(connection, ids)
            await self._talk(connection, ids)
            if crowded:
                await self._crowd(connection, ids, named)
            named |= await self._nova(connection)
        return Household(state, named)

    async def _nova(self, connection: Any) -> dict[str, Any]:
        """What Nova herself is like by now; all households are hers."""
        artist, visual, theme = tables.artist, tables.visual_world, tables.theme
        query = (
            select(artist.c.version, visual.c.version.label("worn"), theme.c.ref)
            .outerjoin_from(artist, visual, visual.c.id == artist.c.visual_id)
            .outerjoin(theme, theme.c.id == artist.c.theme_id)
            .where(artist.c.id == self.ids["nova"])
        )
        row = (await connection.execute(query)).one()
        return {"novaVersion": row.version, "novaWorn": row.worn, "novaTheme": row.ref}

    async def _furnish(self, connection: Any, state: str, ids: dict[str, UUID], named: dict[str, Any]) -> None:
        """Nova's things, and those of the counterpart: `theirs` in the same state, `root` and `heir` for everybody to see."""
        nova, bo = self.ids["nova"], self.ids["bo"]
        for name, owner, shown in (
            ("track", nova, state),
            ("hooked", nova, state),
            ("release", nova, state),
            ("theirs", bo, state),
            ("root", bo, "PUBLIC"),
            ("heir", bo, "PUBLIC"),
            ("played", nova, "PUBLIC"),
        ):
            kind = Kind(named[name].partition("_")[0])
            row = {"id": ids[name], "kind": kind.value.upper(), "owner_id": owner, "title": named["title"] + name}
            await connection.execute(insert(tables.asset).values(**row, state=shown, badges=["HUMAN_MADE"]))
            detail = {"duration_ms": 60_000} if kind is Kind.TRACK else {"current_version_id": ids["version"]}
            await connection.execute(insert(tables.metadata.tables[kind.value]).values(id=ids[name], **detail))
        version = {"id": ids["version"], "release_id": ids["release"], "number": 1}
        await connection.execute(insert(tables.release_version).values(version))
        staged = {"id": ids["staged"], "asset_id": ids["track"], "account_id": self.ids["owner"], "role": "MASTER"}
        staged |= {"sha256": "a" * 64, "byte_size": 1, "expires_at": now() + timedelta(days=1)}
        await connection.execute(insert(tables.staged_upload).values(staged))
        hook = {"id": ids["hook"], "track_id": ids["hooked"], "start_ms": 0, "end_ms": 30_000}
        await connection.execute(insert(tables.hook).values(hook))
        hook |= {"id": ids["their_hook"], "track_id": ids["theirs"]}
        await connection.execute(insert(tables.hook).values(hook))
        await connection.execute(insert(tables.visual_world).values(id=ids["visual"], owner_id=nova))
        await index_names(connection, [(ids["track"], FoundKind.TRACK, [named["title"]])])
        for name, child, parent, standing in (
            ("claim", "heir", "track", ("CLAIMED", "PENDING")),
            ("mine", "track", "root", ("CLAIMED", "PENDING")),
            ("made", "hooked", "root", ("CONFIRMED", "REGISTERED")),
        ):
            ends = {"child_id": ids[child], "parent_id": ids[parent], "kind": "REMIX_OF"}
            row = {"status": standing[0], "registration": standing[1], "binding": True, "child_is_older": False}
            said = {"evidence_source": "CHILD_OWNER"}
            await connection.execute(insert(tables.lineage_edge).values(id=ids[name], **ends, **row, **said))

    async def _releases(self, connection: Any, ids: dict[str, UUID]) -> None:
        """One that lacks nothing before it is published, and one that is out."""
        sound = {"asset_id": ids["root"], "role": "MASTER", "sha256": ids["root"].hex * 2}
        await connection.execute(insert(tables.media).values(id=uuid7(), **sound))
        for name, version, state, status in (
            ("coming", "sounding", "PRIVATE", "DRAFT"),
            ("out", "shown", "PUBLIC", "PUBLISHED"),
        ):
            row = {"id": ids[name], "kind": "RELEASE", "owner_id": self.ids["nova"], "title": name, "state": state}
            await connection.execute(insert(tables.asset).values(row))
            await connection.execute(insert(tables.release).values(id=ids[name], status=status))
            row = {"id": ids[version], "release_id": ids[name], "number": 1, "is_compatibility": status == "PUBLISHED"}
            await connection.execute(insert(tables.release_version).values(**row, state=status))
            item = {"id": uuid7(), "version_id": ids[version], "asset_id": ids["root"], "position": 1}
            await connection.execute(insert(tables.release_item).values(item))
        body = f'{{"release":"{ids["shown"]}"}}'
        signed = {"id": ids["shown"], "hash": f"sha256:{digest(body.encode())}", "body": body, "proof": "{}"}
        await connection.execute(insert(tables.manifest).values(signed))

    async def _around(self, connection: Any, ids: dict[str, UUID], named: dict[str, Any]) -> None:
        """Who is credited, what is stated, granted and open to whom, a job, and codes that were sent."""
        for name, artist in (("person", None), ("self", self.ids["nova"])):
            await connection.execute(insert(tables.contributor).values(id=ids[name], name=name, artist_id=artist))
        place = {"position": 1}
        for id_, asset, contributor in ((ids["credit"], "theirs", "self"), (uuid7(), "track", "person")):
            who = {"asset_id": ids[asset], "contributor_id": ids[contributor]}
            await connection.execute(insert(tables.credit).values(id=id_, role="PRODUCER", **who, **place))
        share = {"asset_id": ids["theirs"], "contributor_id": ids["self"], "pool": "MASTER", "basis_points": 10_000}
        await connection.execute(insert(tables.split).values(id=ids["split"], **share, **place))
        terms = uuid7()
        await connection.execute(insert(tables.term_set).values(id=terms, digest=terms.hex))
        term = {"use": "SYNC", "decision": "ALLOWED", "position": 1}
        await connection.execute(insert(tables.term).values(id=uuid7(), term_set_id=terms, **term))
        for name, asset in (("policy", "track"), ("wide", "hooked")):
            row = {"level": "ASSET", "subject_id": ids[asset], "term_set_id": terms, "license_family": "CUSTOM"}
            await connection.execute(insert(tables.policy).values(id=ids[name], **row))
        row |= {"level": "AGENT_RULE", "subject_id": ids["shown"], "agent_id": self.ids["bo"]}
        await connection.execute(insert(tables.policy).values(id=ids["rule"], **row))
        grant = {"asset_id": ids["track"], "grantee_id": self.ids["bo"], "granted_by_id": self.ids["owner"]}
        await connection.execute(insert(tables.permission_grant).values(id=ids["grant"], term_set_id=terms, **grant))
        job = {"kind": "HASH_MEDIA", "subject_id": ids["track"], "owner_id": self.ids["nova"], "state": "DONE"}
        await connection.execute(insert(tables.job).values(id=ids["job"], **job))
        row = {"track_id": ids["track"], "kind": "CAPTION", "caption": "Oh", "provider": "x", "provider_version": "1"}
        await connection.execute(insert(tables.suggestion).values(id=ids["suggestion"], confidence=1, **row))
        given = {"account_id": self.ids["gate"], "scope": "TRACK", "asset_id": ids["track"], "source": "GRANT"}
        await connection.execute(insert(tables.entitlement).values(id=ids["given"], **given))
        standing = {"id": uuid7(), "entitlement_id": ids["given"], "state": "ACTIVE"}
        await connection.execute(insert(tables.entitlement_standing).values(standing))
        invite = {"artist_id": self.ids["trio"], "invited_by_id": self.ids["gate"], "role": "MEMBER"}
        lasts = {"secret_hash": secret_hash(named["code"]), "expires_at": now() + timedelta(days=1)}
        await connection.execute(insert(tables.membership_invite).values(id=uuid7(), **invite, **lasts))
        for name, purpose in (("reset", CodePurpose.RESET_PASSWORD), ("verify", CodePurpose.VERIFY_EMAIL)):
            row = {"id": uuid7(), "account_id": self.ids["sieve"], "email_key": "sieve@example.com", "purpose": purpose}
            lasts = {"secret_hash": secret_hash(named[name]), "expires_at": now() + timedelta(hours=1)}
            await connection.execute(insert(tables.mailed_code).values(**row, **lasts))

    async def _talk(self, connection: Any, ids: dict[str, UUID]) -> None:
        """What the fan said about a hook, of which the owner was told, and the link by which the owner shares it."""
        about = {"hook_id": ids["hook"]}
        said = {"id": ids["said"], "account_id": self.ids["fan"], "text": "Oh"}
        earlier = now() - timedelta(hours=1)
        await connection.execute(insert(tables.comment).values(**said, **about, created_at=earlier))
        told = {"id": ids["told"], "account_id": self.ids["owner"], "kind": "LIKED", "artist_id": self.ids["nova"]}
        await connection.execute(insert(tables.activity).values(**told, **about))
        code = spelled(Kind.HOOK, list(ids["shared"].bytes[-LENGTH:]))
        shared = {"id": ids["shared"], "account_id": self.ids["owner"], "code": code}
        await connection.execute(insert(tables.share_link).values(**shared, **about))

    async def _sell(self, connection: Any, ids: dict[str, UUID]) -> None:
        """A quote that the stranger's account asked for, on a track of Nova's that sounds, and the license it took."""
        sound = {"asset_id": ids["played"], "role": "MASTER", "sha256": ids["played"].hex * 2, "duration_ms": 60_000}
        media = uuid7()
        await connection.execute(insert(tables.media).values(id=media, **sound))
        await connection.execute(insert(tables.media_content).values(media_id=media, format="WAV", state="READY"))
        terms = uuid7()
        await connection.execute(insert(tables.term_set).values(id=terms, digest=terms.hex))
        said = {"use": "REMIX", "decision": "ALLOWED", "position": 1}
        await connection.execute(insert(tables.term).values(id=uuid7(), term_set_id=terms, **said))
        between = {"asset_id": ids["played"], "grantee_id": self.ids["far"]}
        grant = {"id": uuid7(), "term_set_id": terms, "granted_by_id": self.ids["owner"], **between}
        await connection.execute(insert(tables.permission_grant).values(grant))
        use = {"artist_id": self.ids["nova"], "asset_id": ids["played"], "account_id": self.ids["stranger"]}
        await connection.execute(insert(tables.agent_use).values(id=ids["use"], **use, kind="READ"))
        deal = {**between, "account_id": self.ids["stranger"], "owner_id": self.ids["nova"], "body": "{}"}
        asked = {"id": ids["quote"], "uses": ["REMIX"], "bound_to": "x", "offer_digest": "x", "grants": []}
        lasts = {"expires_at": now() + timedelta(minutes=15)}
        await connection.execute(insert(tables.license_quote).values(**deal, **asked, **lasts))
        paid = {"id": uuid7(), "quote_id": ids["quote"], "account_id": self.ids["stranger"], "method": "TEST"}
        paid |= {"state": "SETTLED", "settled_at": now(), "amount": "1", "reference": ids["quote"].hex}
        await connection.execute(insert(tables.machine_payment).values(paid))
        taken = {"id": ids["license"], "quote_id": ids["quote"], "payment_id": paid["id"], **deal}
        await connection.execute(insert(tables.license_).values(taken))
        await connection.execute(insert(tables.license_grant).values(license_id=ids["license"], grant_id=grant["id"]))

    async def _gather(self, connection: Any, ids: dict[str, UUID]) -> None:
        """The room of a hook, where the fan said something and something is to be played."""
        room = {"id": ids["room"], "artist_id": self.ids["nova"], "hook_id": ids["hook"]}
        await connection.execute(insert(tables.room).values(room))
        number = await add_room_event(connection, ids["room"], RoomEventKind.MESSAGE, None, {})
        row = {"id": ids["message"], "room_id": ids["room"], "event_id": number, "account_id": self.ids["fan"]}
        await connection.execute(insert(tables.room_message).values(**row, text="Ah"))
        row = {"id": ids["visitor"], "room_id": ids["room"], "account_id": self.ids["fan"], "joined_at": now()}
        await connection.execute(insert(tables.room_person).values(row))
        row = {"id": ids["queued"], "room_id": ids["room"], "account_id": self.ids["owner"], "track_id": ids["root"]}
        await connection.execute(insert(tables.room_queue).values(**row, position=1))

    async def _announce(self, connection: Any, ids: dict[str, UUID], named: dict[str, Any]) -> None:
        """A ritual around the hook, and times that are free for another: Nova has one at a time."""
        begins = now() + next(self._slots) * timedelta(minutes=10)
        opens, releases, ends, *free = [begins + timedelta(minutes=minute) for minute in (1, 3, 5, 6, 7, 8)]
        row = {"id": ids["ritual"], "artist_id": self.ids["nova"], "hook_id": ids["hook"], "room_id": ids["room"]}
        row |= {"title": "x", "announced_by_id": self.ids["owner"], "presave_count": 1}
        times = {"opens_at": opens, "releases_at": releases, "ends_at": ends}
        await connection.execute(insert(tables.ritual).values(**row, **times))
        row = {"id": ids["waits"], "ritual_id": ids["ritual"], "account_id": self.ids["fan"], "position": 1}
        await connection.execute(insert(tables.ritual_presave).values(**row, is_named=True))
        named |= dict(zip(("opensAt", "releasesAt", "endsAt"), map(write_moment, free), strict=True))

    async def _reply(self, connection: Any, ids: dict[str, UUID]) -> None:
        """What the counterpart sent in to the hook, and a sample of Nova's that may be sent in, too."""
        for name, owner in (("sound", "nova"), ("sent", "bo"), ("taken", "bo")):
            row = {"id": ids[name], "kind": "SAMPLE", "owner_id": self.ids[owner], "title": name, "state": "PUBLIC"}
            await connection.execute(insert(tables.asset).values(row))
            await connection.execute(insert(tables.sample).values(id=ids[name], duration_ms=20_000))
            who = {"asset_id": ids[name], "contributor_id": ids["self"], "role": "PRODUCER", "position": 1}
            await connection.execute(insert(tables.credit).values(id=uuid7(), **who))
            heard = {"id": ids[name], "asset_id": ids[name], "role": "MASTER", "sha256": ids[name].hex * 2}
            await connection.execute(insert(tables.media).values(**heard, duration_ms=20_000))
            await connection.execute(
                insert(tables.media_content).values(media_id=ids[name], format="WAV", state="READY")
            )
        row = {"hook_id": ids["hook"], "artist_id": self.ids["nova"], "start_ms": 0, "end_ms": 30_000}
        row |= {"account_id": self.ids["counterpart"], "sender_id": self.ids["bo"]}
        decided = {"state": "APPROVED", "decided_at": now(), "decided_by_id": self.ids["owner"]}
        for name, sample, stands in (("clip", "sent", {}), ("heard", "taken", decided)):
            sent = {"id": ids[name], "asset_id": ids[sample], "media_id": ids[sample], **stands}
            await connection.execute(insert(tables.clip).values(**row, **sent))

    async def _crowd(self, connection: Any, ids: dict[str, UUID], named: dict[str, Any]) -> None:
        """Keys and a linked sign-in of the owner; a duo that Nova's people hold as they hold her, a guest, an invite."""
        for name, artist in (("key", "nova"), ("own_key", None)):
            await self._add_key(connection, ids[name], "reads", ids[name].bytes, artist)
        row = {"id": ids["duo"], "handle": named["title"].lower(), "name": "duo", "kind": "DUO", "claimed": True}
        await connection.execute(insert(tables.artist).values(row))
        for name in MEMBERS:
            await self._let_in(connection, uuid7(), name, ids["duo"])
        guest = {"account_id": self.ids["gate"], "artist_id": ids["duo"], "role": "MEMBER"}
        await connection.execute(insert(tables.membership).values(id=ids["guest"], **guest))
        invite = {"artist_id": ids["duo"], "invited_by_id": self.ids["owner"], "role": "MEMBER"}
        lasts = {"secret_hash": ids["invite"].bytes, "expires_at": now() + timedelta(days=1)}
        await connection.execute(insert(tables.membership_invite).values(id=ids["invite"], **invite, **lasts))
        for id_, subject in ((ids["identity"], named["title"]), (uuid7(), named["handle"])):
            who = {"account_id": self.ids["owner"], "provider": "there", "issuer": "https://x.test", "subject": subject}
            await connection.execute(insert(tables.identity).values(id=id_, **who))

    async def ask(self, viewer: str, document: str, variables: dict[str, Any]) -> bytes:
        """What somebody is answered over HTTP."""
        caller = Caller(self.house, "address:192.0.2.1")
        answer = await self.reader.answer(document, None, variables, self.viewers[viewer], caller)
        await self.house.settled()
        return answer.body

    async def everything(self) -> dict[str, tuple[int, int]]:
        """By table, how many rows there are, and the sum of the transactions that wrote them."""
        async with self.database.read() as connection:
            return {name: (count, digest) for name, count, digest in await connection.execute(text(EVERYTHING))}
