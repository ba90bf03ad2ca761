"""A small, rich, deterministic data set: every state, every relation, every trap of text, number and time.

`Rows` writes rows under names, so that a test says `scene["hook.private"]` and gets a TypeID. `furnish` builds the
scene that the differential and the visibility tests look at: a part where every case stands once under its own name,
and a crowd of rows made by chance from a seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.dialects.postgresql import Range

from db import tables
from db.engine import Database
from db.provenance import append_events
from db.search import index_lyrics, index_names
from domain.accounts import EDITING_ROLES, Role, Viewer
from domain.assets import AssetKind, AssetState, Badge, MediaRole, SampleSubkind
from domain.clips import ClipState
from domain.contributors import Acceptance, CreditRole, Pool
from domain.ids import Kind, Ref
from domain.lineage import EdgeKind, EdgeStatus, EvidenceSource, Registration
from domain.links import LENGTH, spelled
from domain.provenance import Event, EventKind
from domain.releases import ReleaseKind, ReleaseStatus, VersionState
from domain.rights import Decision, Layer, LicenseFamily, Use
from domain.rituals import RitualState
from domain.search import FoundKind

START = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
FOREVER = Range(datetime(2020, 1, 1, tzinfo=UTC), None)
OVER = Range(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
TO_COME = Range(datetime(2100, 1, 1, tzinfo=UTC), None)

NASTY = (
    "",
    " ",
    'She said "no"',
    'back\\slash \\" \\n \\u0041 \\',
    "tab\tline\nreturn\r\b\f",
    "\u0001\u0002\u001f\u007f\u0080\u009f",
    "\u2028\u2029\ufeff\ufffe\uffff",
    "🥁🎹 👩‍👩‍👧 🏳️‍🌈",
    "مرحبا بالعالم",
    "\u202ereversed\u202c",
    "it's $1 %s %(x)s :name {0} ? -- /* */ ;",
    "e\u0301 vs é, ǅ İ ı ß ſ Å",
    "</script><!-- & -->",
    "null",
    "NULL",
    "120.500",
    "Kick & Drum",
    "KICK & DRUM",
    "x" * 300,
    "𝕌𝕟𝕚" * 90,
)
"""Texts that break a careless writer of JSON or SQL."""

OUTSIDE_KINDS = {
    "account": Kind.ACCOUNT,
    "activity": Kind.ACTIVITY,
    "artist": Kind.ARTIST,
    "clip": Kind.CLIP,
    "comment": Kind.COMMENT,
    "contributor": Kind.CONTRIBUTOR,
    "credit": Kind.CREDIT,
    "hook": Kind.HOOK,
    "lineage_edge": Kind.EDGE,
    "media": Kind.MEDIA,
    "permission_grant": Kind.GRANT,
    "policy": Kind.POLICY,
    "provenance_event": Kind.EVENT,
    "release_item": Kind.ITEM,
    "release_version": Kind.VERSION,
    "ritual": Kind.RITUAL,
    "ritual_presave": Kind.PRESAVE,
    "room": Kind.ROOM,
    "room_message": Kind.MESSAGE,
    "room_queue": Kind.QUEUED,
    "room_person": Kind.GUEST,
    "share_link": Kind.SHARE,
    "split": Kind.SPLIT,
    "suggestion": Kind.SUGGESTION,
    "theme": Kind.THEME,
    "visual_world": Kind.VISUAL,
}
"""The kind of reference that names a row of each table; an asset's is its own kind."""

DETAILS = {
    AssetKind.TRACK: tables.track,
    AssetKind.SAMPLE: tables.sample,
    AssetKind.INSTRUMENT: tables.instrument,
    AssetKind.RELEASE: tables.release,
}
COLOURS = dict.fromkeys(("base", "surface", "accent", "glow", "gradient_end", "footer_start", "footer_end"), "#0a0b0c")


@dataclass
class Rows:
    """Rows to be written, under names; ids come from a seed."""

    chance: random.Random
    refs: dict[str, str] = field(default_factory=dict)
    keys: dict[str, UUID] = field(default_factory=dict)
    _rows: list[tuple[Table, dict[str, Any]]] = field(default_factory=list)
    _found: list[tuple[UUID, FoundKind, list[str]]] = field(default_factory=list)
    _sung: list[tuple[UUID, str]] = field(default_factory=list)
    _events: list[Event] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        """The TypeID of the row of that name."""
        return self.refs[name]

    def key(self, name: str | None) -> UUID | None:
        """The key of the row of that name."""
        return None if name is None else self.keys[name]

    def new_key(self) -> UUID:
        """A fresh key."""
        return UUID(int=self.chance.getrandbits(128))

    def name(self, name: str, kind: Kind) -> UUID:
        """Give a name to a fresh key."""
        assert name not in self.keys, name
        self.keys[name] = self.new_key()
        self.refs[name] = str(Ref(kind, self.keys[name]))
        return self.keys[name]

    def add(self, name: str, table: Table, /, **values: Any) -> str:
        """Write a row of any table but asset's."""
        key = self.name(name, OUTSIDE_KINDS[table.name])
        self._rows.append((table, {"id": key, **values}))
        return name

    def put(self, table: Table, /, **values: Any) -> None:
        """Write a row that nobody refers to."""
        self._rows.append((table, values))

    def complete(self, table: Table, name: str, /, **values: Any) -> None:
        """Fill in a row that is still to be written, where rows point at each other."""
        written = next(row for table_, row in self._rows if table_ is table and row["id"] == self.keys[name])
        written.update(values)

    def artist(self, handle: str, name: str, *, claimed: bool = True, **values: Any) -> str:
        """Write an artist, findable by name and handle."""
        values = {"kind": "CREATOR", "created_at": START, **values}
        self.add(handle, tables.artist, handle=handle, name=name, claimed=claimed, **values)
        self._found.append((self.keys[handle], FoundKind.ARTIST, [name, handle]))
        return handle

    def account(self, handle: str, **roles: Role) -> Viewer:
        """Write an account with memberships, and answer the viewer it makes."""
        self.add(f"account.{handle}", tables.account, handle=handle, created_at=START)
        account = self.keys[f"account.{handle}"]
        for artist, role in roles.items():
            self.put(
                tables.membership,
                id=self.new_key(),
                account_id=account,
                artist_id=self.keys[artist],
                role=role,
            )
        edits = tuple(self.keys[artist] for artist, role in roles.items() if role in EDITING_ROLES)
        return Viewer(account, tuple(self.keys[artist] for artist in roles), edits)

    def asset(self, name: str, kind: AssetKind, owner: str, title: str, state: AssetState, **values: Any) -> str:
        """Write an asset of any kind with its detail row, findable by its title."""
        key = self.name(name, Kind(kind.lower()))
        base = {column: values.pop(column) for column in tuple(values) if column in tables.asset.c}
        base = {"created_at": START, **base}
        self.put(tables.asset, id=key, kind=kind, owner_id=self.keys[owner], title=title, state=state, **base)
        self.put(DETAILS[kind], id=key, **values)
        self._found.append((key, FoundKind(kind), [title]))
        return name

    def contributor(self, name: str, called: str, **values: Any) -> str:
        """Write a contributor, findable by name."""
        self.add(name, tables.contributor, name=called, created_at=START, **values)
        self._found.append((self.keys[name], FoundKind.CONTRIBUTOR, [called]))
        return name

    def edge(self, name: str, child: str, parent: str, kind: EdgeKind, **values: Any) -> str:
        """Write a lineage edge; confirmed, registered and binding where nothing else is said."""
        said = {
            "status": EdgeStatus.CONFIRMED,
            "registration": Registration.REGISTERED,
            "binding": True,
            "child_is_older": False,
            "evidence_source": EvidenceSource.IMPORT,
            "asserted_at": START,
            "created_at": START,
            "valid": FOREVER,
            **values,
        }
        return self.add(
            name,
            tables.lineage_edge,
            child_id=self.keys[child],
            parent_id=self.keys[parent],
            kind=kind,
            **said,
        )

    def term_set(self, *terms: dict[str, Any]) -> UUID:
        """Write a set of terms."""
        key = self.new_key()
        self.put(tables.term_set, id=key, digest=key.hex)
        for position, term in enumerate(terms):
            self.put(tables.term, id=self.new_key(), term_set_id=key, position=position, **term)
        return key

    def lyrics(self, name: str, line: str, start_ms: int) -> None:
        """Write the lyrics of a track, two lines of five seconds; the words of the first have times."""
        end_ms, words, timed = start_ms + 5_000, line.split(), []
        for number, word in enumerate(words):
            timed.append([start_ms + number * 100, start_ms + number * 100 + 100, word])
        lines = [[start_ms, end_ms, line, timed], [end_ms, end_ms + 5_000, line, []]]
        self.put(tables.lyrics, track_id=self.keys[name], language="pt-BR", lines=lines)
        self._sung.append((self.keys[name], line))

    def event(self, name: str, subject: str, kind: EventKind, **payload: Any) -> None:
        """Append a provenance event to its subject's chain."""
        key = self.name(name, Kind.EVENT)
        prefix = Kind(self.refs[subject].partition("_")[0])
        at = START + timedelta(seconds=len(self._events), microseconds=1)
        self._events.append(Event(key, Ref(prefix, self.keys[subject]), kind, at, None, payload))

    def merge(self, name: str, kind: Kind, into: str, **values: Any) -> None:
        """Let an old id lead to a row that took it over."""
        self.put(
            tables.merge,
            id=self.new_key(),
            old_id=self.name(name, kind),
            new_id=self.keys[into],
            **{"valid": FOREVER, **values},
        )

    def value(self, name: str, column: str) -> Any:
        """What was written in a column of the row of that name, or of its detail."""
        key = self.keys[name]
        return next(values[column] for _, values in self._rows if values.get("id") == key and column in values)

    async def write(self, database: Database) -> None:
        """Write everything in one transaction, in the order that foreign keys ask for."""
        place = {table.name: number for number, table in enumerate(tables.metadata.sorted_tables)}
        async with database.write() as connection:
            for table, values in sorted(self._rows, key=lambda row: place[row[0].name]):
                await connection.execute(insert(table).values(values))
            await append_events(connection, self._events)
            await index_names(connection, self._found)
            for track, line in self._sung:
                await index_lyrics(connection, track, [line])


def digest(text: str) -> str:
    """SHA-256 as media rows keep it."""
    return sha256(text.encode()).hexdigest()


def mbid(name: str) -> str:
    """The MusicBrainz id of a named asset."""
    return str(UUID(bytes=sha256(name.encode()).digest()[:16]))


@dataclass
class Scene:
    """What stands in the database, by name, and who looks at it."""

    rows: Rows
    viewers: dict[str, Viewer]

    def __getitem__(self, name: str) -> str:
        """The TypeID of the row of that name."""
        return self.rows[name]


async def furnish(database: Database, seed: int = 7, crowd: int = 60) -> Scene:
    """Write the whole scene and answer it."""
    rows = Rows(random.Random(seed))
    _people(rows)
    viewers = {
        "anonymous": Viewer(),
        "agent": Viewer(is_agent=True),
        "owner": rows.account("ada", nova=Role.OWNER),
        "editor": rows.account("eve", nova=Role.EDITOR, archive=Role.MEMBER),
        "member": rows.account("mel", nova=Role.MEMBER),
        "stranger": rows.account("sid", far=Role.OWNER),
    }
    rows.put(
        tables.membership,
        id=rows.new_key(),
        account_id=rows.keys["account.sid"],
        artist_id=rows.keys["nova"],
        role=Role.MEMBER,
        ended_at=START,
    )
    _looks(rows)
    _every_state(rows)
    _around_each(rows)
    _lineage(rows)
    _only_here(rows)
    _crowd(rows, crowd)
    _sung(rows)
    _talked(rows)
    _waited(rows)
    _replied(rows)
    _fed(rows)
    await rows.write(database)
    return Scene(rows, viewers)


def _people(rows: Rows) -> None:
    rows.artist("nova", "Nova Ångström", tagline='We say "hello" \\ 🥁', created_at=START)
    rows.artist("far", "Far", kind="DUO", created_at=START)
    rows.artist("archive", "Archive \u2028\u0001 مرحبا", claimed=False, kind="ESTATE", tagline="")
    rows.artist("far.b", "FAR", claimed=False, kind="LABEL", created_at=START + timedelta(microseconds=1))
    rows.artist("empty", "", claimed=False, kind="FAN", tagline=None)


def _looks(rows: Rows) -> None:
    """Themes of worlds."""
    for name, artist in (("theme.world", "nova"), ("theme.unworn", "nova"), ("theme.hidden", "nova")):
        rows.add(
            name,
            tables.theme,
            artist_id=rows.keys[artist],
            seed_source="CUSTOM",
            seed_hue=359,
            seed_saturation=0,
            seed_lightness=100,
            texture_opacity=0.1 if name == "theme.world" else 1e-7,
            pattern=NASTY[3],
            motion=None,
            **COLOURS,
        )


STATES = ("private", "unlisted", "public", "archived", "withdrawn")
UPCS = ("036000291452", "012345678905", "042100005264", "4006381333931", "5901234123457", "9780201379624")


def _every_state(rows: Rows) -> None:
    """Nova's asset of each kind in each state, and a scheduled release: `track.private`, `release.teased` …"""
    for number, state in enumerate((*STATES, "teased")):
        for kind in AssetKind:
            if state == "teased" and kind is not AssetKind.RELEASE:
                continue
            name = f"{kind.lower()}.{state}"
            details: dict[str, Any] = {}
            if kind is AssetKind.TRACK:
                details = {
                    "isrc": f"USABC26000{number:02}",
                    "bpm": Decimal("120.500"),
                    "duration_ms": 180_000,
                }
            elif kind is AssetKind.RELEASE:
                details = {"upc": UPCS[number], "label": "Løvely", "release_kind": ReleaseKind.EP}
                details["status"] = ReleaseStatus.SCHEDULED if state == "teased" else ReleaseStatus.PUBLISHED
            rows.asset(
                name,
                kind,
                "nova",
                f"{kind}{state}",
                AssetState.PRIVATE if state == "teased" else AssetState(state.upper()),
                teased=state == "teased",
                badges=[Badge.HUMAN_MADE],
                made_on=date(1999, 12, number + 1),
                **details,
            )
            rows.put(
                tables.origin,
                source="musicbrainz",
                source_ref=mbid(name),
                asset_id=rows.keys[name],
            )
            rows.merge(f"old.{name}", Kind(kind.lower()), name)


def named_assets(rows: Rows) -> list[str]:
    """The names of Nova's assets of each kind in each state."""
    return [f"{kind.lower()}.{state}" for state in STATES for kind in AssetKind] + ["release.teased"]


def _around_each(rows: Rows) -> None:
    """For each of them what may stand around an asset, named after it: `credit.track.private` …"""
    rows.contributor("person.everywhere", "Everywhere", artist_id=rows.keys["nova"], isni="0000000121032683")
    rows.asset("carried", AssetKind.TRACK, "far", "Carried", AssetState.PUBLIC)
    rows.asset("holder", AssetKind.RELEASE, "far", "Holder", AssetState.PUBLIC, status=ReleaseStatus.PUBLISHED)
    rows.add(
        "version.holder",
        tables.release_version,
        release_id=rows.keys["holder"],
        number=1,
        state=VersionState.PUBLISHED,
    )
    rows.complete(tables.release, "holder", current_version_id=rows.keys["version.holder"])
    everything = rows.term_set(*_terms())
    for position, name in enumerate(named_assets(rows), 1):
        asset = rows.keys[name]
        for acceptance in Acceptance:
            rows.add(
                f"credit.{name}" if acceptance is Acceptance.ACCEPTED else f"credit.{acceptance.lower()}.{name}",
                tables.credit,
                asset_id=asset,
                contributor_id=rows.keys["person.everywhere"],
                role={"PROPOSED": "COMPOSER", "ACCEPTED": "MAIN_ARTIST", "DECLINED": "PRODUCER"}[acceptance],
                acceptance=acceptance,
                position=0,
                created_at=START,
            )
        for role in (MediaRole.MASTER, MediaRole.SOURCE):
            rows.add(
                f"{role.lower()}.{name}",
                tables.media,
                asset_id=asset,
                role=role,
                sha256=digest(f"{role} {name}"),
                created_at=START,
            )
        rows.add(
            f"split.{name}",
            tables.split,
            asset_id=asset,
            contributor_id=rows.keys["person.everywhere"],
            pool=Pool.MASTER,
            basis_points=10_000,
            position=0,
            acceptance=Acceptance.ACCEPTED,
            valid=FOREVER,
        )
        rows.add(
            f"policy.{name}",
            tables.policy,
            level="ASSET",
            subject_id=asset,
            term_set_id=everything,
            license_family=LicenseFamily.CC_BY_SA,
            license="CC-BY-SA-4.0",
            valid=FOREVER,
        )
        rows.event(f"event.{name}", name, EventKind.ASSET_CREATED, ids=[rows[name]])
        rows.add(
            f"item.{name}",
            tables.release_item,
            version_id=rows.keys["version.holder"],
            asset_id=asset,
            position=position,
        )
        if name.startswith("track."):
            rows.add(
                f"hook.{name}",
                tables.hook,
                track_id=asset,
                start_ms=35_000,
                end_ms=65_000,
                caption=f"Hook of {name}",
                created_at=START,
            )
            rows.add(
                f"room.hook.{name}",
                tables.room,
                artist_id=rows.keys["nova"],
                hook_id=rows.keys[f"hook.{name}"],
            )
        if name.startswith("release."):
            _release_parts(rows, name)


def _release_parts(rows: Rows, name: str) -> None:
    """Versions in all states, the room and the cover of a release."""
    for number, state in enumerate((VersionState.SUPERSEDED, VersionState.PUBLISHED, VersionState.DRAFT), 1):
        version = rows.add(
            f"version.{state.lower()}.{name}",
            tables.release_version,
            release_id=rows.keys[name],
            number=number,
            state=state,
            title=None if state is VersionState.DRAFT else f"{name} {number}",
            created_at=START,
        )
        rows.add(
            f"item.{state.lower()}.{name}",
            tables.release_item,
            version_id=rows.keys[version],
            asset_id=rows.keys["carried"],
            position=1,
        )
    rows.add(f"visual.cover.{name}", tables.visual_world, owner_id=rows.keys["nova"], title=f"Cover of {name}")
    rows.add(f"room.{name}", tables.room, artist_id=rows.keys["nova"], release_id=rows.keys[name], title="Room")
    rows.add(
        f"policy.version.{name}",
        tables.policy,
        level="VERSION",
        subject_id=rows.keys[f"version.draft.{name}"],
        term_set_id=rows.term_set(),
        license_family=LicenseFamily.CUSTOM,
        stated_as=NASTY[2],
        valid=FOREVER,
    )
    current = None if name == "release.teased" else rows.keys[f"version.published.{name}"]
    rows.complete(tables.release, name, cover_id=rows.keys[f"visual.cover.{name}"], current_version_id=current)


def _terms() -> list[dict[str, Any]]:
    """Terms with every field stated and with none."""
    stated = {
        "use": Use.SYNC,
        "layer": Layer.MASTER,
        "decision": Decision.LICENSE_REQUIRED,
        "attribution": True,
        "share_alike": "CC-BY-SA-4.0",
        "territories": ["DE", 'a"b', "null", ""],
        "starts_on": date(2026, 1, 1),
        "ends_on": date(9999, 12, 30),
        "purpose": NASTY[3],
        "price_minor": 0,
        "currency": "EUR",
        "royalty_bp": 250,
        "route": NASTY[5],
    }
    bare = [{"use": use, "decision": Decision.ALLOWED, "territories": None} for use in (Use.REMIX, Use.STEMS)]
    return [
        *bare,
        stated,
        {"use": Use.REMIX, "layer": Layer.COMPOSITION, "decision": Decision.DENIED, "territories": []},
    ]


def _lineage(rows: Rows) -> None:
    """`hub` is made from each of Nova's assets, and each of them from `root`; `edge.…` are the cases of an edge."""
    rows.asset("hub", AssetKind.TRACK, "far", "Hub", AssetState.PUBLIC)
    rows.asset("root", AssetKind.SAMPLE, "far", "Root", AssetState.PUBLIC, subkind=SampleSubkind.LOOP)
    for name in named_assets(rows):
        rows.edge(f"parent.{name}", "hub", name, EdgeKind.DJ_MIX_OF, child_start_ms=0, child_end_ms=1)
        rows.edge(f"child.{name}", name, "root", EdgeKind.SAMPLES, parent_end_ms=500, note=NASTY[4])
    cases: dict[str, dict[str, Any]] = {
        "confirmed": {"evidence_score": Decimal("0.500"), "evidence_method": NASTY[6]},
        "claimed": {"status": EdgeStatus.CLAIMED, "registration": Registration.PENDING},
        "disputed": {"status": EdgeStatus.DISPUTED},
        "rejected": {"status": EdgeStatus.REJECTED, "binding": False},
        "refused": {"status": EdgeStatus.CLAIMED, "registration": Registration.REFUSED},
        "closed": {"known": OVER},
        "ended": {"valid": OVER},
        "to_come": {"valid": TO_COME},
    }
    for number, (name, values) in enumerate(cases.items()):
        # Child: somebody's who is neither viewer's; parent: Nova's; so that the stranger owns no end of these.
        rows.asset(f"child.{name}", AssetKind.SAMPLE, "archive", f"Child {name}", AssetState.PUBLIC)
        window = {"child_start_ms": number, "child_end_ms": number + 1}
        rows.edge(f"edge.{name}", f"child.{name}", "track.public", EdgeKind.SAMPLES, **{**window, **values})
    rows.asset("child.theirs", AssetKind.SAMPLE, "far", "Child theirs", AssetState.PUBLIC)
    for name in ("rejected", "refused"):
        rows.edge(
            f"edge.{name}.theirs",
            "child.theirs",
            "track.public",
            EdgeKind("REMIX_OF" if name == "refused" else "EDIT_OF"),
            **cases[name],
        )
    rows.edge("edge.both_hidden", "track.private", "sample.private", EdgeKind.SAMPLES)


def _only_here(rows: Rows) -> None:
    """Rows whose case is their own."""
    nova = rows.keys["nova"]
    rows.contributor("person.private", "Whisperer", account_id=None)
    rows.contributor("person.unlisted", "Mumbler")
    rows.contributor("person.declined", "Refuser")
    rows.contributor("person.uncredited", "Nobodyyet")
    rows.contributor("person.self", "Selfseen", account_id=rows.keys["account.sid"])
    for person, asset, acceptance in (
        ("person.private", "sample.private", Acceptance.ACCEPTED),
        ("person.unlisted", "sample.unlisted", Acceptance.ACCEPTED),
        ("person.declined", "sample.public", Acceptance.DECLINED),
        ("person.self", "sample.private", Acceptance.ACCEPTED),
    ):
        rows.add(
            f"credit.of.{person}",
            tables.credit,
            asset_id=rows.keys[asset],
            contributor_id=rows.keys[person],
            role=CreditRole.VOCALIST,
            instrument=NASTY[7],
            acceptance=acceptance,
            position=1,
        )
    for name, person, values in (
        ("declined", "person.declined", {"acceptance": Acceptance.DECLINED}),
        ("closed", "person.private", {"known": OVER}),
        ("ended", "person.unlisted", {"valid": OVER}),
    ):
        rows.add(
            f"split.{name}",
            tables.split,
            asset_id=rows.keys["sample.public"],
            contributor_id=rows.keys[person],
            pool=Pool.PUBLISHING,
            basis_points=1,
            position=1,
            **{"valid": FOREVER, "acceptance": Acceptance.PROPOSED, **values},
        )
    nothing = rows.term_set()
    granted = rows.term_set({"use": Use.REMIX, "decision": Decision.ALLOWED, "sublicense": True, "purpose": NASTY[4]})
    for name, values in {
        "artist": {"level": "ARTIST", "subject_id": nova},
        "platform": {"level": "PLATFORM", "subject_id": None},
        "closed": {"level": "ASSET", "subject_id": rows.keys["hub"], "known": OVER},
    }.items():
        rows.add(
            f"policy.{name}",
            tables.policy,
            term_set_id=nothing,
            license_family=LicenseFamily.ALL_RIGHTS_RESERVED,
            **{"valid": FOREVER, **values},
        )
    for name, values in {
        "given": {"asset_id": rows.keys["hub"], "grantee_id": nova},
        "private": {"asset_id": rows.keys["track.private"]},
        "withdrawn": {"asset_id": rows.keys["track.withdrawn"], "grantee_id": rows.keys["archive"]},
        "closed": {"asset_id": rows.keys["hub"], "known": OVER},
        "ended": {"asset_id": rows.keys["track.public"], "valid": OVER},
    }.items():
        rows.add(
            f"grant.{name}",
            tables.permission_grant,
            term_set_id=granted,
            granted_by_id=rows.keys["account.ada"],
            **{"grantee_id": rows.keys["far"], "valid": FOREVER, **values},
        )
    rows.event("event.artist", "nova", EventKind.ASSET_UPDATED)
    visuals = {
        "public_hook": {"hook_id": rows.keys["hook.track.public"], "colour": "#0a0b0c"},
        "retired": {"hook_id": rows.keys["hook.track.public"], "state": "RETIRED"},
        "private_hook": {"hook_id": rows.keys["hook.track.private"]},
        "world": {"title": NASTY[10], "badges": [Badge.NO_AI_USED, Badge.REMIX]},
        "unworn": {},
    }
    for name, values in visuals.items():
        rows.add(f"visual.{name}", tables.visual_world, owner_id=nova, **values)
    rows.asset("lead", AssetKind.TRACK, "nova", "Lead", AssetState.PRIVATE)
    rows.add(
        "hook.lead",
        tables.hook,
        track_id=rows.keys["lead"],
        start_ms=0,
        end_ms=1,
        caption="Lead hook",
        theme_id=rows.keys["theme.hidden"],
        badges=[Badge.AI_ASSISTED],
    )
    rows.complete(tables.release, "release.teased", lead_hook_id=rows.keys["hook.lead"])
    rows.complete(tables.hook, "hook.track.public", theme_id=rows.keys["theme.world"])
    for name, visibility in (("public", "PUBLIC"), ("members", "MEMBERS"), ("supporters", "SUPPORTERS")):
        artist = {"public": "nova", "members": "far", "supporters": "archive"}[name]
        rows.add(f"room.{name}", tables.room, artist_id=rows.keys[artist], title=NASTY[8], visibility=visibility)
        _gather(rows, name)
    rows.complete(
        tables.room,
        "room.public",
        now_track_id=rows.keys["track.public"],
        now_hook_id=rows.keys["hook.track.public"],
        now_since=START,
        slow_mode_seconds=5,
    )
    rows.merge("old.nobody", Kind.TRACK, "hub", known=OVER)
    rows.complete(
        tables.artist,
        "nova",
        theme_id=rows.keys["theme.world"],
        visual_id=rows.keys["visual.world"],
        lead_hook_id=rows.keys["hook.track.public"],
    )
    rows.complete(
        tables.artist,
        "far",
        visual_id=rows.keys["visual.retired"],
        lead_hook_id=rows.keys["hook.track.unlisted"],
    )


def _gather(rows: Rows, name: str) -> None:
    """What is said in a room and what shall be played there, who joined, and who is held back."""
    room = rows.keys[f"room.{name}"]
    for number, text in enumerate(("Ah", *filter(None, NASTY)), 1):
        gone = {"text": None, "deleted_at": START} if number % 4 == 0 else {"text": text[:1000]}
        said = {"account_id": rows.keys["account.sid"], "event_id": number, "created_at": START}
        message = f"message.{name}" if number == 1 else f"message.{name}.{number}"
        rows.add(message, tables.room_message, room_id=room, **said, **gone)
    for number, track in enumerate(("track.public", "track.private"), 1):
        for hook in (None, rows.keys[f"hook.{track}"]):
            piece = {"track_id": rows.keys[track], "hook_id": hook, "position": number}
            item = f"queued.{name}.{track}" + (".hook" if hook else "")
            rows.add(item, tables.room_queue, room_id=room, account_id=rows.keys["account.mel"], **piece)
    people = {"account.sid": {"joined_at": START}, "account.mel": {"joined_at": START, "muted_until": TO_COME.lower}}
    for account, values in people.items():
        person = {"account_id": rows.keys[account], "joined_at": None, "muted_until": None, **values}
        rows.add(f"guest.{name}.{account}", tables.room_person, room_id=room, **person)


def _crowd(rows: Rows, size: int) -> None:
    """Rows by chance: many equal sort keys, many NULLs, long and short lists."""
    chance, owners = rows.chance, ("nova", "far", "archive", "far.b")
    moments = [START + timedelta(microseconds=chance.choice((0, 0, 1, 999_999, 86_400_000_000))) for _ in range(6)]
    people = [
        rows.contributor(
            f"crowd.person.{n}",
            chance.choice(NASTY) or "–",
            artist_id=chance.choice((None, rows.keys["far"])),
        )
        for n in range(8)
    ]
    names = []
    for n in range(size):
        kind = chance.choice(list(AssetKind))
        details: dict[str, Any] = {}
        if kind in {AssetKind.TRACK, AssetKind.SAMPLE}:
            bpm = chance.choice((None, Decimal(120), Decimal("120.500"), Decimal("9999.999"), Decimal("0.001")))
            details = {
                "bpm": bpm,
                "musical_key": chance.choice((None, "F♯ minor", "")),
                "duration_ms": chance.choice((None, 1)),
            }
        elif kind is AssetKind.INSTRUMENT:
            details = {"family": chance.choice((None, *NASTY[:4])), "format": None}
        names.append(
            rows.asset(
                f"crowd.{n}",
                kind,
                chance.choice(owners),
                chance.choice(NASTY),
                chance.choice((AssetState.PUBLIC, AssetState.PUBLIC, *AssetState)),
                created_at=chance.choice(moments),
                made_on=chance.choice((None, date(1, 1, 2), date(9999, 12, 30))),
                badges=chance.choice(([], [Badge.DERIVATIVE, Badge.REMIX], [Badge.GENERATED])),
                **details,
            )
        )
    for n, name in enumerate(names):
        for m in range(chance.choice((0, 0, 1, 5))):
            rows.put(
                tables.credit,
                id=rows.new_key(),
                asset_id=rows.keys[name],
                contributor_id=rows.keys[chance.choice(people)],
                role=chance.choice(list(CreditRole)),
                instrument=str(m),
                acceptance=chance.choice(list(Acceptance)),
                position=chance.choice((0, 0, 1)),
                created_at=chance.choice(moments),
            )
            rows.put(
                tables.media,
                id=rows.new_key(),
                asset_id=rows.keys[name],
                role=chance.choice(list(MediaRole)),
                sha256=digest(chance.choice("abc")),
                mime_type=chance.choice((None, "audio/flac")),
                created_at=chance.choice(moments),
            )
        for parent in {chance.choice(names[:n]) for _ in range(chance.choice((0, 1, 4))) if n}:
            rows.edge(
                f"crowd.edge.{n}.{parent}",
                name,
                parent,
                chance.choice(list(EdgeKind)),
                status=chance.choice(list(EdgeStatus)),
                registration=chance.choice(list(Registration)),
                binding=chance.random() < 0.8,
                evidence_score=chance.choice((None, Decimal(1), Decimal("0.125"))),
                created_at=chance.choice(moments),
                child_start_ms=chance.choice((None, 0)),
                parent_start_ms=chance.choice((None, 7)),
            )
        if rows[name].startswith("track") and chance.random() < 0.5:
            rows.add(
                f"crowd.hook.{n}",
                tables.hook,
                track_id=rows.keys[name],
                start_ms=0,
                end_ms=30_000,
                caption=chance.choice(NASTY),
                created_at=chance.choice(moments),
            )
        for _ in range(chance.choice((0, 1, 3))):
            rows.event(f"crowd.event.{rows.chance.getrandbits(64)}", name, chance.choice(list(EventKind)))
        if rows[name].startswith("release"):
            _crowd_release(rows, n, name, names)


def _crowd_release(rows: Rows, number: int, name: str, names: list[str]) -> None:
    """A release of the crowd: no version, an empty one, or a full one."""
    chance = rows.chance
    if chance.random() < 0.3:
        return
    version = rows.add(
        f"crowd.version.{number}",
        tables.release_version,
        release_id=rows.keys[name],
        number=1,
        state=VersionState.PUBLISHED,
        title=chance.choice(NASTY),
        is_compatibility=True,
        published_at=START,
    )
    rows.complete(tables.release, name, current_version_id=rows.keys[version])
    for position, item in enumerate(chance.sample(names, chance.choice((0, 2, 9))), 1):
        if item != name:
            rows.put(
                tables.release_item,
                id=rows.new_key(),
                version_id=rows.keys[version],
                asset_id=rows.keys[item],
                position=position,
                title=chance.choice((None, "Frozen")),
            )


def _sung(rows: Rows) -> None:
    """Lyrics of Nova's tracks, and what is suggested for them: `suggestion.timing.track.private` …"""
    for number, state in enumerate(STATES):
        name = f"track.{state}"
        # Across the beginning of the hook of the track.
        rows.lyrics(name, f'Sung in {name} \\ " 🥁', 34_850)
        track = rows.keys[name]
        opinion = {"track_id": track, "provider": "Listener", "provider_version": "1", "created_at": START}
        for kind, content in (
            ("HOOK_WINDOW", {"start_ms": 1_000, "end_ms": 31_000}),
            ("CAPTION", {"caption": NASTY[number]}),
            ("TIMING", {"lines": [[0, 10, f"Heard in {name}", []]], "language": None}),
            ("COLOURS", {"hue": 359, "saturation": 0, "lightness": 100}),
        ):
            said = {"kind": kind, "confidence": Decimal("0.5000"), **content}
            rows.add(f"suggestion.{kind.lower()}.{name}", tables.suggestion, **opinion, **said)


def _talked(rows: Rows) -> None:
    """What Sid did around Nova's hooks, whatever their state, and what Mel was told of it."""
    sid = {"account_id": rows.keys["account.sid"], "created_at": START}
    rows.put(tables.tie, id=rows.new_key(), kind="FOLLOW", artist_id=rows.keys["nova"], **sid)
    for number, state in enumerate(STATES):
        name = f"track.{state}"
        about = {"hook_id": rows.keys[f"hook.{name}"]}
        rows.put(tables.tie, id=rows.new_key(), kind="LIKE", **about, **sid)
        ended = {"ended_at": START} if number % 2 else {}
        rows.put(tables.tie, id=rows.new_key(), kind="SAVE", **about, **sid, **ended)
        said = {"text": NASTY[number + 2] or "–", "position_ms": None if number % 2 else 35_000 + number}
        rows.add(f"comment.{name}", tables.comment, **about, **sid, **said)
        gone = {"text": None, "deleted_at": START}
        rows.add(f"comment.gone.{name}", tables.comment, **about, **sid, **gone)
        told = {"account_id": rows.keys["account.mel"], "artist_id": rows.keys["nova"], "at": START, **about}
        actor = {"actor_id": rows.keys["account.sid"], "comment_id": rows.keys[f"comment.{name}"]}
        rows.add(f"activity.{name}", tables.activity, kind="COMMENTED", **told, **actor)
        rows.add(f"activity.read.{name}", tables.activity, kind="LIKED", times=number + 1, read_at=START, **told)
        code = spelled(Kind.HOOK, [number] * LENGTH)
        rows.add(f"share.{name}", tables.share_link, code=code, visits=3, visitors=number % 2, **about, **sid)
    rows.add("comment.world", tables.comment, artist_id=rows.keys["nova"], text="Nova!", **sid)
    measured = {"energy": 12.5, "early_motion": 1, "trusted_circulation": 2, "participants": 3, "formula": "x/1"}
    measured["rise"] = 0.5
    for name in ("nova", "hook.track.public", "release.public"):
        for taken_at in (START, START + timedelta(hours=1)):
            rows.put(tables.participation, id=rows.new_key(), subject_id=rows.keys[name], taken_at=taken_at, **measured)


def _fed(rows: Rows) -> None:
    """What the feed tells: hooks that rose, the one as much as the other, and what is new whenever it is looked at."""
    late = TO_COME.lower
    counts = {"energy": 50.0, "early_motion": 1, "trusted_circulation": 0, "participants": 3, "formula": "x/1"}
    for number, state in enumerate(STATES):
        age = timedelta(microseconds=number // 2)
        rows.complete(tables.hook, f"hook.track.{state}", created_at=late - age)
        rows.complete(tables.release_version, f"version.published.release.{state}", published_at=late - age)
        subject = {"id": rows.new_key(), "subject_id": rows.keys[f"hook.track.{state}"], "taken_at": late}
        rows.put(tables.participation, **subject, **counts, rise=[99.9, 0.1, 0.1][number % 3])


def _waited(rows: Rows) -> None:
    """Rituals around hooks and releases in every state of theirs, one after the other; who waited, named or not."""
    memory = {"people": 3, "messages": 2, "reactions": 0, "clips": 1, "best_moments": [START]}
    around = [("hook_id", f"hook.track.{state}", f"room.hook.track.{state}") for state in STATES]
    around += [("release_id", f"release.{state}", f"room.release.{state}") for state in (*STATES, "teased")]
    for number, (column, subject, room) in enumerate(around):
        opens, state = START + timedelta(hours=10 * number), list(RitualState)[number % len(RitualState)]
        times = {"opens_at": opens, "releases_at": opens + timedelta(hours=1), "ends_at": opens + timedelta(hours=2)}
        row = {"artist_id": rows.keys["nova"], column: rows.keys[subject], "room_id": rows.keys[room], "title": "Night"}
        row |= {"announced_by_id": rows.keys["account.sid"], "state": state.value, "presave_count": 2, **times}
        row |= _promised(rows, number)
        name = f"ritual.{subject}"
        rows.add(name, tables.ritual, **row, **(memory if state is RitualState.MEMORY else {}))
        said = {"account_id": rows.keys["account.sid"], "text": "Soon!", "created_at": START}
        rows.add(f"comment.{name}", tables.comment, ritual_id=rows.keys[name], **said)
        for position, account in enumerate(("account.sid", "account.mel"), 1):
            proof = {"nth": position} if state is RitualState.MEMORY else None
            who = {"account_id": rows.keys[account], "position": position, "is_named": position == 1, "proof": proof}
            rows.add(
                f"presave.{subject}.{position}",
                tables.ritual_presave,
                ritual_id=rows.keys[name],
                created_at=START,
                **who,
            )


def _promised(rows: Rows, number: int) -> dict[str, Any]:
    """What a ritual unlocks: nothing, its world, or a release or a track that not everybody may see."""
    given = (None, None), ("CASSET", None), ("RELEASE", "release.private"), ("TRACK", "track.unlisted")
    scope, asset = given[number % len(given)]
    return {"unlock_scope": scope, "unlock_asset_id": rows.key(asset)}


def _replied(rows: Rows) -> None:
    """Sid's clips in every state at the hooks of Nova's tracks in every state, of samples that go by one state each.

    The sample of one was given another sound since: `clip.changed`.
    """
    for number, state in enumerate(STATES):
        _clip(rows, f"clip.{state}", state, ClipState.APPROVED, hook="track.public", ritual="hook.track.public")
        _clip(rows, f"clip.hook.{state}", "unlisted", ClipState.APPROVED, hook=f"track.{state}")
        _clip(rows, f"clip.at.{number}", "public", list(ClipState)[number], hook="track.public")
    _clip(rows, "clip.changed", "public", ClipState.APPROVED, hook="track.public")
    later = {"asset_id": rows.keys["sample.clip.changed"], "created_at": START + timedelta(hours=1)}
    rows.put(tables.media, id=rows.new_key(), role=MediaRole.MASTER, sha256=digest("later"), **later)


def _clip(rows: Rows, name: str, shown: str, state: ClipState, hook: str, ritual: str | None = None) -> None:
    sample = rows.asset(f"sample.{name}", AssetKind.SAMPLE, "far", f"Of {name}", AssetState(shown.upper()))
    master = {"asset_id": rows.keys[sample], "role": MediaRole.MASTER, "sha256": digest(name), "duration_ms": 12_345}
    rows.add(f"master.{name}", tables.media, **master, created_at=START)
    decided = {} if state is ClipState.PENDING else {"decided_at": START, "decided_by_id": rows.keys["account.ada"]}
    rows.add(
        name,
        tables.clip,
        hook_id=rows.keys[f"hook.{hook}"],
        ritual_id=None if ritual is None else rows.keys[f"ritual.{ritual}"],
        artist_id=rows.keys["nova"],
        asset_id=rows.keys[sample],
        media_id=rows.keys[f"master.{name}"],
        sender_id=rows.keys["far"],
        account_id=rows.keys["account.sid"],
        start_ms=35_000,
        end_ms=65_000,
        state=state.value,
        created_at=START,
        **decided,
    )
