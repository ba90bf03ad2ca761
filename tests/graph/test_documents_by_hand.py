"""Documents and answers written by hand, over a catalogue small enough to know by heart; both executions must agree.

`<name>` stands for the TypeID of the row of that name, `<ORDER name>` for its cursor in an order. Ids grow in the order in
which the rows are written here, so that ties can be foretold.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from db import tables
from db.engine import Database
from db.orders import MOST_DERIVED, NAME, NEWEST, OLDEST, POSITION, SEQUENCE, TITLE
from domain.accounts import Role, Viewer
from domain.assets import AssetKind, AssetState, Badge, MediaRole, SampleSubkind
from domain.contributors import Acceptance
from domain.ids import Kind, Ref
from domain.lineage import EdgeKind, EdgeStatus, Registration
from domain.provenance import EventKind
from graph.answers import Answer
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from tests.graph.documents import ordered
from tests.graph.scene import COLOURS, FOREVER, Rows, digest

DAWN = datetime(2026, 1, 1, tzinfo=UTC)
MBID = "5b11f4ce-a62d-471e-81fc-a69a8278c7da"


def at(number: int) -> datetime:
    """Distinct moments, a second and a microsecond apart."""
    return DAWN + number * timedelta(seconds=1, microseconds=1)


@dataclass
class Counting:
    """Chance without chance: 1, 2, 3 …"""

    numbers: count[int] = field(default_factory=lambda: count(1))

    def getrandbits(self, bits: int) -> int:
        """The next number."""
        return next(self.numbers)


def catalogue() -> tuple[Rows, dict[str, Viewer]]:
    """Two artists, six assets, and one of everything around them."""
    rows = Rows(Counting())
    rows.artist("ada", "Ada Byte", created_at=at(0), tagline='Soft "machines".')
    rows.artist("bo", "Bö", claimed=False, kind="GROUP", created_at=at(1))
    viewers = {"anonymous": Viewer(), "owner": rows.account("ada", ada=Role.OWNER)}
    ada, public = "ada", AssetState.PUBLIC
    song = {"isrc": "USABC2600001", "bpm": Decimal("120.500"), "musical_key": "A minor", "duration_ms": 200_000}
    song |= {"made_on": date(2025, 6, 1), "badges": [Badge.HUMAN_MADE, Badge.REMIX]}
    ep = {"release_kind": "EP", "status": "PUBLISHED", "published_at": at(9), "upc": "036000291452", "label": "Own"}
    hit = SampleSubkind.ONE_SHOT
    rows.asset("kick", AssetKind.SAMPLE, ada, "Kick", public, created_at=at(1), subkind=hit, bpm=Decimal(120))
    rows.asset("drum", AssetKind.SAMPLE, "bo", "Drum Loop", public, created_at=at(2), subkind=SampleSubkind.LOOP)
    rows.asset("kit", AssetKind.INSTRUMENT, ada, "Café Kit", public, created_at=at(3), family="drums", format="sfz")
    rows.asset("song", AssetKind.TRACK, ada, "Night Drive", public, created_at=at(4), **song)
    rows.asset("demo", AssetKind.TRACK, ada, "Demo", AssetState.PRIVATE, created_at=at(5))
    rows.asset("ep", AssetKind.RELEASE, ada, "First EP", public, created_at=at(6), **ep)
    rows.contributor("ada.person", "Ada Byte", artist_id=rows.keys["ada"])
    rows.contributor("zoe", "Zoë Drummer", isni="0000000121032683", ipi="00004")
    _people_of_the_song(rows)
    _lineage(rows)
    _look(rows)
    _release(rows)
    rows.merge("old.song", Kind.TRACK, "song")
    rows.put(tables.origin, source="musicbrainz", source_ref=MBID, asset_id=rows.keys["song"])
    rows.event("created", "song", EventKind.ASSET_CREATED)
    rows.event("hooked", "song", EventKind.HOOK_CHANGED)
    return rows, viewers


def _people_of_the_song(rows: Rows) -> None:
    song, accepted, proposed = rows.keys["song"], Acceptance.ACCEPTED, Acceptance.PROPOSED
    for name, person, role, instrument, acceptance, position in (
        ("sung", "ada.person", "MAIN_ARTIST", None, accepted, 1),
        ("drummed", "zoe", "INSTRUMENTALIST", "drums", proposed, 2),
        ("not.written", "zoe", "COMPOSER", None, Acceptance.DECLINED, 3),
    ):
        who, when = rows.keys[person], at(position)
        rows.add(
            name, tables.credit, asset_id=song, contributor_id=who, role=role, instrument=instrument,
            acceptance=acceptance, position=position, created_at=when,
        )  # fmt: skip  # a row reads as a row
    rows.add(
        "hit", tables.credit, asset_id=rows.keys["kick"], contributor_id=rows.keys["zoe"], role="PRODUCER",
        acceptance=accepted, position=1, created_at=at(9),
    )  # fmt: skip  # as above
    for name, person, pool, points, position in (
        ("most", "ada.person", "MASTER", 6000, 1),
        ("rest", "zoe", "MASTER", 4000, 2),
        ("all", "ada.person", "PUBLISHING", 10_000, 3),
    ):
        who = rows.keys[person]
        rows.add(
            name, tables.split, asset_id=song, contributor_id=who, pool=pool, basis_points=points,
            acceptance=accepted, position=position, valid=FOREVER,
        )  # fmt: skip  # as above
    for number, role in enumerate((MediaRole.MASTER, MediaRole.PREVIEW, MediaRole.SOURCE)):
        sha, when = digest(role), at(number)
        rows.add(
            role.lower(), tables.media, asset_id=song, role=role, sha256=sha, mime_type="audio/flac", created_at=when
        )


def _lineage(rows: Rows) -> None:
    rows.edge(
        "sampled", "song", "kick", EdgeKind.SAMPLES, created_at=at(1), note='"one" bar', evidence_score=Decimal("0.500"),
        child_start_ms=1000, child_end_ms=2000, parent_end_ms=500,
    )  # fmt: skip  # a row reads as a row
    rows.edge("played", "song", "kit", EdgeKind.USES_INSTRUMENT, created_at=at(2))
    rows.edge("built", "kit", "drum", EdgeKind.SAMPLES, created_at=at(3))
    claimed = {"status": EdgeStatus.CLAIMED, "registration": Registration.PENDING}
    rows.edge("remixed", "drum", "kick", EdgeKind.REMIX_OF, created_at=at(4), **claimed)
    rows.edge("secret", "demo", "song", EdgeKind.VERSION_OF, created_at=at(5))


def _look(rows: Rows) -> None:
    ada = rows.keys["ada"]
    rows.add(
        "theme", tables.theme, artist_id=ada, seed_source="COVER", seed_hue=200, seed_saturation=50, seed_lightness=40,
        is_extracted=True, texture="VINYL", texture_opacity=0.25, created_at=at(0), **COLOURS | {"accent": "#ff0080"},
    )  # fmt: skip  # a row reads as a row
    rows.add(
        "hook", tables.hook, track_id=rows.keys["song"], start_ms=35_000, end_ms=65_000, caption="Drive!",
        theme_id=rows.keys["theme"], badges=[Badge.HUMAN_MADE], created_at=at(7),
    )  # fmt: skip  # as above
    rows.add("hook.demo", tables.hook, track_id=rows.keys["demo"], start_ms=0, end_ms=1, created_at=at(8))
    rows.add("rain", tables.visual_world, owner_id=ada, hook_id=rows.keys["hook"], title="Rain", created_at=at(1))
    rows.add("cover", tables.visual_world, owner_id=ada, title="Cover", colour="#ff0080", created_at=at(2))
    rows.add("lounge", tables.room, artist_id=ada, title="Lounge")
    rows.add("booth", tables.room, artist_id=ada, hook_id=rows.keys["hook"], visibility="MEMBERS")
    rows.complete(
        tables.artist, "ada", theme_id=rows.keys["theme"], visual_id=rows.keys["rain"], lead_hook_id=rows.keys["hook"]
    )
    terms = rows.term_set(
        {"use": "REMIX", "decision": "ALLOWED", "attribution": True},
        {"use": "SYNC", "layer": "MASTER", "decision": "LICENSE_REQUIRED", "price_minor": 5000, "currency": "EUR"},
    )
    song = rows.keys["song"]
    rows.add(
        "policy", tables.policy, level="ASSET", subject_id=song, term_set_id=terms, license_family="CC_BY",
        license="CC-BY-4.0", valid=FOREVER,
    )  # fmt: skip  # as above


def _release(rows: Rows) -> None:
    ep = rows.keys["ep"]
    for number, state in enumerate(("SUPERSEDED", "PUBLISHED", "DRAFT"), 1):
        title = None if state == "DRAFT" else f"EP, take {number}"
        rows.add(
            f"v{number}",
            tables.release_version,
            release_id=ep,
            number=number,
            state=state,
            title=title,
            created_at=at(number),
        )
    for position, name in enumerate(("song", "demo", "kick"), 1):
        version, asset = rows.keys["v2"], rows.keys[name]
        rows.add(
            f"item.{name}",
            tables.release_item,
            version_id=version,
            asset_id=asset,
            position=position,
            title=name.title(),
        )
    looks = {"cover_id": rows.keys["cover"], "lead_hook_id": rows.keys["hook"]}
    rows.complete(tables.release, "ep", current_version_id=rows.keys["v2"], **looks)


CURSORS: dict[str, Callable[[Rows, str], str]] = {
    "NEWEST": lambda rows, name: NEWEST.write(rows.value(name, "created_at"), rows.keys[name]),
    "OLDEST": lambda rows, name: OLDEST.write(rows.value(name, "created_at"), rows.keys[name]),
    "TITLE": lambda rows, name: TITLE.write(rows.value(name, "title").lower(), rows.keys[name]),
    "NAME": lambda rows, name: NAME.write(rows.value(name, "name").lower(), rows.keys[name]),
    "POSITION": lambda rows, name: POSITION.write(rows.value(name, "position"), rows.keys[name]),
    "DERIVED0": lambda rows, name: MOST_DERIVED.write(0, rows.keys[name]),
    "SEQUENCE1": lambda rows, name: SEQUENCE.write(1, rows.keys[name]),
}


def filled(text: str, rows: Rows) -> str:
    """The text with ids and cursors in their places."""

    def known(found: re.Match[str]) -> str:
        order, _, name = found[1].rpartition(" ")
        return CURSORS[order](rows, name) if order else rows[name]

    return re.sub(r"<([\w. ]+)>", known, text)


# -- questions and answers -----------------------------------------------------------------------------------------

ANYBODY: list[tuple[str, Any]] = [
    # Roots.
    ("{ viewer { account { handle } } }", {"viewer": None}),
    ("{ __typename }", {"__typename": "Query"}),
    (
        '{ node(id: "<song>") { __typename id ... on Artist { name } ... on Track { title isrc bpm durationMs musicalKey } } }',
        {
            "node": {
                "__typename": "Track", "id": "<song>", "title": "Night Drive", "isrc": "USABC2600001", "bpm": 120.5,
                "durationMs": 200000, "musicalKey": "A minor",
            }
        },
    ),
    (
        '{ nodes(ids: ["<kit>", "<demo>", "<ada>", "<kit>", "track_7zzzzzzzzzzzzzzzzzzzzzzzzz"]) { id ... on Asset { title } } }',
        {"nodes": [{"id": "<kit>", "title": "Café Kit"}, None, {"id": "<ada>"}, {"id": "<kit>", "title": "Café Kit"}, None]},
    ),
    ("{ nodes(ids: []) { id } }", {"nodes": []}),
    (
        '{ asset(id: "<kick>") { title state version madeOn derivedCount createdAt badges ... on Sample { subkind bpm } } }',
        {
            "asset": {
                "title": "Kick", "state": "PUBLIC", "version": 1, "madeOn": None, "derivedCount": 2,
                "createdAt": "2026-01-01T00:00:01.000001Z", "badges": [], "subkind": "ONE_SHOT", "bpm": 120,
            }
        },
    ),
    ('{ asset(id: "<demo>") { title } }', {"asset": None}),
    ('{ asset(id: "<old.song>") { id title } }', {"asset": {"id": "<song>", "title": "Night Drive"}}),
    ('{ node(id: "<old.song>") { id } nodes(ids: ["<old.song>"]) { id } }', {"node": {"id": "<song>"}, "nodes": [{"id": "<song>"}]}),
    (
        '{ release(id: "<ep>") { releaseKind status publishedAt upc label cover { title colour } hook { caption } room { id } } }',
        {
            "release": {
                "releaseKind": "EP", "status": "PUBLISHED", "publishedAt": "2026-01-01T00:00:09.000009Z", "upc": "036000291452",
                "label": "Own", "cover": {"title": "Cover", "colour": "#ff0080"}, "hook": {"caption": "Drive!"}, "room": None,
            }
        },
    ),
    (
        '{ artist(handle: "ADA") { id handle name kind claimed createdAt policy { id } world { handle } } bo: artist(handle: "bo") { claimed } }',
        {
            "artist": {
                "id": "<ada>", "handle": "ada", "name": "Ada Byte", "kind": "CREATOR", "claimed": True,
                "createdAt": "2026-01-01T00:00:00.000000Z", "policy": None, "world": {"handle": "ada"},
            },
            "bo": {"claimed": False},
        },
    ),
    ('{ artist(handle: "nobody") { id } world(handle: "nobody") { name } }', {"artist": None, "world": None}),
    (
        """{ world(handle: "ada") {
          name tagline artist { id } visualWorld { title state } leadHook { id } room { title visibility }
          theme { seed { source hue saturation lightness } tokens { accent base } isExtracted texture textureOpacity pattern }
          hooks { nodes { caption } totalCount } releases { nodes { title } }
        } }""",
        {
            "world": {
                "name": "Ada Byte", "tagline": 'Soft "machines".', "artist": {"id": "<ada>"},
                "visualWorld": {"title": "Rain", "state": "ACTIVE"}, "leadHook": {"id": "<hook>"},
                "room": {"title": "Lounge", "visibility": "PUBLIC"},
                "theme": {
                    "seed": {"source": "COVER", "hue": 200, "saturation": 50, "lightness": 40},
                    "tokens": {"accent": "#ff0080", "base": "#0a0b0c"},
                    "isExtracted": True, "texture": "VINYL", "textureOpacity": 0.25, "pattern": None,
                },
                "hooks": {"nodes": [{"caption": "Drive!"}], "totalCount": 1},
                "releases": {"nodes": [{"title": "First EP"}]},
            }
        },
    ),
    (
        '{ contributor(id: "<zoe>") { name ipi isni artist { id } credits { nodes { role asset { title } } } } }',
        {
            "contributor": {
                "name": "Zoë Drummer", "ipi": "00004", "isni": "0000000121032683", "artist": None,
                "credits": {
                    "nodes": [
                        {"role": "PRODUCER", "asset": {"title": "Kick"}},
                        {"role": "INSTRUMENTALIST", "asset": {"title": "Night Drive"}},
                    ]
                },
            }
        },
    ),
    ('{ __schema { queryType { name } } artist(handle: "bo") { name } }', {"__schema": {"queryType": {"name": "Query"}}, "artist": {"name": "Bö"}}),
    # References of every form.
    (
        """{
          id: resolve(ref: "<hook>") { matched node { id } }
          old: resolve(ref: "<old.song>") { matched node { id } }
          handle: resolve(ref: "@Ada") { matched node { id } }
          bare: resolve(ref: "bo") { matched node { __typename } }
          address: resolve(ref: "https://casset.example/ada") { matched node { id } }
          path: resolve(ref: "/bo/") { matched node { ... on Artist { name } } }
        }""",
        {
            "id": {"matched": "ID", "node": {"id": "<hook>"}},
            "old": {"matched": "ID", "node": {"id": "<song>"}},
            "handle": {"matched": "HANDLE", "node": {"id": "<ada>"}},
            "bare": {"matched": "HANDLE", "node": {"__typename": "Artist"}},
            "address": {"matched": "ADDRESS", "node": {"id": "<ada>"}},
            "path": {"matched": "ADDRESS", "node": {"name": "Bö"}},
        },
    ),
    (
        f"""{{
          isrc: resolve(ref: "us-abc-26-00001") {{ matched node {{ id }} }}
          upc: resolve(ref: "036000291452") {{ node {{ id }} matched }}
          mbid: resolve(ref: "{MBID.upper()}") {{ matched node {{ ... on Asset {{ title }} }} }}
          file: resolve(ref: "{digest("MASTER")}") {{ matched node {{ id }} }}
          named: resolve(ref: "sha256:{digest("PREVIEW").upper()}") {{ matched __typename }}
        }}""",
        {
            "isrc": {"matched": "ISRC", "node": {"id": "<song>"}},
            "upc": {"node": {"id": "<ep>"}, "matched": "UPC"},
            "mbid": {"matched": "MBID", "node": {"title": "Night Drive"}},
            "file": {"matched": "MEDIA_SHA256", "node": {"id": "<song>"}},
            "named": {"matched": "MEDIA_SHA256", "__typename": "Resolution"},
        },
    ),
    (
        f"""{{
          secret: resolve(ref: "<demo>") {{ matched }} nobody: resolve(ref: "@nobody") {{ matched }}
          source: resolve(ref: "{digest("SOURCE")}") {{ matched }} other: resolve(ref: "{digest("other")}") {{ matched }}
          nothing: resolve(ref: "not a reference!") {{ matched }} empty: resolve(ref: "") {{ matched }}
        }}""",
        {"secret": None, "nobody": None, "source": None, "other": None, "nothing": None, "empty": None},
    ),
    # Orders and pages.
    (
        "{ assets { nodes { title } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }",
        {
            "assets": {
                "nodes": [{"title": title} for title in ("First EP", "Night Drive", "Café Kit", "Drum Loop", "Kick")],
                "totalCount": 5,
                "pageInfo": {
                    "hasNextPage": False, "hasPreviousPage": False, "startCursor": "<NEWEST ep>", "endCursor": "<NEWEST kick>",
                },
            }
        },
    ),
    (
        "{ assets(first: 2, order: NEWEST) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } } }",
        {
            "assets": {
                "edges": [{"cursor": "<NEWEST ep>", "node": {"id": "<ep>"}}, {"cursor": "<NEWEST song>", "node": {"id": "<song>"}}],
                "pageInfo": {"hasNextPage": True, "hasPreviousPage": False},
            }
        },
    ),
    (
        '{ assets(first: 2, after: "<NEWEST song>") { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor } } }',
        {
            "assets": {
                "nodes": [{"id": "<kit>"}, {"id": "<drum>"}],
                "pageInfo": {"hasNextPage": True, "hasPreviousPage": True, "startCursor": "<NEWEST kit>"},
            }
        },
    ),
    (
        "{ assets(last: 2, order: TITLE) { nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }",
        {
            "assets": {
                "nodes": [{"title": "Kick"}, {"title": "Night Drive"}],
                "pageInfo": {
                    "hasNextPage": False, "hasPreviousPage": True, "startCursor": "<TITLE kick>", "endCursor": "<TITLE song>",
                },
            }
        },
    ),
    (
        '{ assets(last: 2, order: TITLE, before: "<TITLE kick>") { edges { cursor } pageInfo { hasNextPage hasPreviousPage } } }',
        {
            "assets": {
                "edges": [{"cursor": "<TITLE drum>"}, {"cursor": "<TITLE ep>"}],
                "pageInfo": {"hasNextPage": True, "hasPreviousPage": True},
            }
        },
    ),
    (
        '{ assets(order: TITLE, after: "<TITLE kit>", before: "<TITLE song>", first: 2) { nodes { title } totalCount } }',
        {"assets": {"nodes": [{"title": "Drum Loop"}, {"title": "First EP"}], "totalCount": 5}},
    ),
    (
        "{ assets(order: MOST_DERIVED) { nodes { id derivedCount } pageInfo { endCursor } } }",
        {
            "assets": {
                "nodes": [
                    {"id": "<kick>", "derivedCount": 2}, {"id": "<song>", "derivedCount": 1}, {"id": "<kit>", "derivedCount": 1},
                    {"id": "<drum>", "derivedCount": 1}, {"id": "<ep>", "derivedCount": 0},
                ],
                "pageInfo": {"endCursor": "<DERIVED0 ep>"},
            }
        },
    ),
    (
        '{ assets(after: "<NEWEST kick>") { nodes { id } edges { cursor } pageInfo { hasPreviousPage startCursor } totalCount } }',
        {"assets": {"nodes": [], "edges": [], "pageInfo": {"hasPreviousPage": True, "startCursor": None}, "totalCount": 5}},
    ),
    ("{ assets { totalCount } }", {"assets": {"totalCount": 5}}),
    ("{ assets { pageInfo { hasPreviousPage __typename } __typename } }", {"assets": {"pageInfo": {"hasPreviousPage": False, "__typename": "PageInfo"}, "__typename": "AssetConnection"}}),
    (
        "{ artists { edges { cursor node { name } } } newest: artists(order: NEWEST, last: 1) { nodes { name } pageInfo { hasPreviousPage } } }",
        {
            "artists": {
                "edges": [{"cursor": "<NAME ada>", "node": {"name": "Ada Byte"}}, {"cursor": "<NAME bo>", "node": {"name": "Bö"}}]
            },
            "newest": {"nodes": [{"name": "Ada Byte"}], "pageInfo": {"hasPreviousPage": True}},
        },
    ),
    (
        "{ hooks { nodes { id } totalCount } oldest: hooks(order: OLDEST) { edges { cursor } } }",
        {"hooks": {"nodes": [{"id": "<hook>"}], "totalCount": 1}, "oldest": {"edges": [{"cursor": "<OLDEST hook>"}]}},
    ),
    # Filters.
    (
        """{
          kinds: assets(filter: { kinds: [SAMPLE, INSTRUMENT] }) { nodes { title } }
          none: assets(filter: { kinds: [] }) { totalCount }
          owner: assets(filter: { owner: "<bo>" }) { nodes { title } }
          badge: assets(filter: { badge: REMIX }) { nodes { title } }
          family: assets(filter: { licenseFamily: CC_BY }) { nodes { title } }
          other: assets(filter: { licenseFamily: CC0 }) { nodes { title } }
          hooked: assets(filter: { hasHook: true }) { nodes { title } }
          unhooked: assets(filter: { hasHook: false, kinds: [TRACK] }) { totalCount }
        }""",
        {
            "kinds": {"nodes": [{"title": "Café Kit"}, {"title": "Drum Loop"}, {"title": "Kick"}]},
            "none": {"totalCount": 0},
            "owner": {"nodes": [{"title": "Drum Loop"}]},
            "badge": {"nodes": [{"title": "Night Drive"}]},
            "family": {"nodes": [{"title": "Night Drive"}]},
            "other": {"nodes": []},
            "hooked": {"nodes": [{"title": "Night Drive"}]},
            "unhooked": {"totalCount": 0},
        },
    ),
    (
        """{
          decided: assets(filter: { policyDecision: { use: SYNC, decision: LICENSE_REQUIRED } }) { nodes { title } }
          undecided: assets(filter: { policyDecision: { use: SYNC, decision: ALLOWED } }) { nodes { title } }
          from: assets(filter: { createdFrom: "2026-01-01T01:00:04.000004+01:00" }) { nodes { title } }
          before: assets(filter: { createdBefore: "2026-01-01T00:00:02.000002Z" }) { nodes { title } }
          credited: assets(filter: { contributor: "<zoe>" }) { nodes { title } }
          made: assets(filter: { madeFrom: "<kick>" }) { nodes { title } totalCount }
          moved: assets(filter: { madeFrom: "<old.song>" }) { totalCount }
          all: assets(filter: { kinds: [TRACK], owner: "<ada>", badge: REMIX, madeFrom: "<kit>" }) { totalCount }
          nothing: assets(filter: null, order: null) { totalCount }
        }""",
        {
            "decided": {"nodes": [{"title": "Night Drive"}]},
            "undecided": {"nodes": []},
            "from": {"nodes": [{"title": "First EP"}, {"title": "Night Drive"}]},
            "before": {"nodes": [{"title": "Kick"}]},
            "credited": {"nodes": [{"title": "Night Drive"}, {"title": "Kick"}]},
            "made": {"nodes": [{"title": "Night Drive"}, {"title": "Drum Loop"}], "totalCount": 2},
            "moved": {"totalCount": 0},
            "all": {"totalCount": 1},
            "nothing": {"totalCount": 5},
        },
    ),
    (
        '{ artist(handle: "ada") { assets(order: TITLE, first: 1, filter: { kinds: [SAMPLE] }) { nodes { title } totalCount } } }',
        {"artist": {"assets": {"nodes": [{"title": "Kick"}], "totalCount": 1}}},
    ),
    # Connections of an asset.
    (
        """{ asset(id: "<song>") {
          credits { nodes { role instrument acceptance position contributor { name } asset { id } } totalCount edges { cursor } }
          splits { nodes { pool basisPoints } } master: splits(pool: MASTER, first: 1) { nodes { basisPoints } totalCount }
        } }""",
        {
            "asset": {
                "credits": {
                    "nodes": [
                        {
                            "role": "MAIN_ARTIST", "instrument": None, "acceptance": "ACCEPTED", "position": 1,
                            "contributor": {"name": "Ada Byte"}, "asset": {"id": "<song>"},
                        },
                        {
                            "role": "INSTRUMENTALIST", "instrument": "drums", "acceptance": "PROPOSED", "position": 2,
                            "contributor": {"name": "Zoë Drummer"}, "asset": {"id": "<song>"},
                        },
                    ],
                    "totalCount": 2,
                    "edges": [{"cursor": "<POSITION sung>"}, {"cursor": "<POSITION drummed>"}],
                },
                "splits": {
                    "nodes": [
                        {"pool": "MASTER", "basisPoints": 6000}, {"pool": "MASTER", "basisPoints": 4000},
                        {"pool": "PUBLISHING", "basisPoints": 10000},
                    ]
                },
                "master": {"nodes": [{"basisPoints": 6000}], "totalCount": 2},
            }
        },
    ),
    (
        """{ asset(id: "<song>") {
          media { nodes { role sha256 mimeType durationMs } } previews: media(roles: [PREVIEW, SOURCE]) { totalCount }
          provenance { nodes { sequence kind } } head: provenance(first: 1) { edges { cursor node { previousHash } } totalCount }
          releases { nodes { title } totalCount }
        } }""",
        {
            "asset": {
                "media": {
                    "nodes": [
                        {"role": "MASTER", "sha256": digest("MASTER"), "mimeType": "audio/flac", "durationMs": None},
                        {"role": "PREVIEW", "sha256": digest("PREVIEW"), "mimeType": "audio/flac", "durationMs": None},
                    ]
                },
                "previews": {"totalCount": 1},
                "provenance": {
                    "nodes": [{"sequence": 1, "kind": "ASSET_CREATED"}, {"sequence": 2, "kind": "HOOK_CHANGED"}]
                },
                "head": {"edges": [{"cursor": "<SEQUENCE1 created>", "node": {"previousHash": None}}], "totalCount": 2},
                "releases": {"nodes": [{"title": "First EP"}], "totalCount": 1},
            }
        },
    ),
    (
        """{ asset(id: "<song>") {
          parents { nodes { kind status binding note childIsOlder parent { id } childWindow { startMs endMs }
            parentWindow { startMs endMs } evidence { source score method } } }
          played: parents(kinds: [USES_INSTRUMENT]) { nodes { parent { title } childWindow { startMs } } }
          children { totalCount nodes { kind status child { id } note } }
        } }""",
        {
            "asset": {
                "parents": {
                    "nodes": [
                        {
                            "kind": "SAMPLES", "status": "CONFIRMED", "binding": True, "note": '"one" bar', "childIsOlder": False,
                            "parent": {"id": "<kick>"}, "childWindow": {"startMs": 1000, "endMs": 2000},
                            "parentWindow": {"startMs": None, "endMs": 500},
                            "evidence": {"source": "IMPORT", "score": 0.5, "method": None},
                        },
                        {
                            "kind": "USES_INSTRUMENT", "status": "CONFIRMED", "binding": True, "note": None, "childIsOlder": False,
                            "parent": {"id": "<kit>"}, "childWindow": None, "parentWindow": None,
                            "evidence": {"source": "IMPORT", "score": None, "method": None},
                        },
                    ]
                },
                "played": {"nodes": [{"parent": {"title": "Café Kit"}, "childWindow": None}]},
                "children": {
                    "totalCount": 1, "nodes": [{"kind": "VERSION_OF", "status": "CONFIRMED", "child": None, "note": None}]
                },
            }
        },
    ),
    (
        """{ asset(id: "<kick>") {
          children(statuses: [CLAIMED]) { nodes { id child { parents { totalCount } } } }
          confirmed: children(statuses: [CONFIRMED], last: 1) { nodes { id } pageInfo { hasPreviousPage } }
        } }""",
        {
            "asset": {
                "children": {"nodes": [{"id": "<remixed>", "child": {"parents": {"totalCount": 1}}}]},
                "confirmed": {"nodes": [{"id": "<sampled>"}], "pageInfo": {"hasPreviousPage": False}},
            }
        },
    ),
    (
        """{ asset(id: "<song>") { policy { level licenseFamily license statedAs validFrom terms {
          use layer decision attribution territories price { amountMinor currency }
        } } } }""",
        {
            "asset": {
                "policy": {
                    "level": "ASSET", "licenseFamily": "CC_BY", "license": "CC-BY-4.0", "statedAs": None,
                    "validFrom": "2020-01-01T00:00:00.000000Z",
                    "terms": [
                        {
                            "use": "REMIX", "layer": None, "decision": "ALLOWED", "attribution": True, "territories": None,
                            "price": None,
                        },
                        {
                            "use": "SYNC", "layer": "MASTER", "decision": "LICENSE_REQUIRED", "attribution": False,
                            "territories": None, "price": {"amountMinor": 5000, "currency": "EUR"},
                        },
                    ],
                }
            }
        },
    ),
    (
        """{ release(id: "<ep>") {
          currentVersion { number state title isCompatibility items { totalCount } }
          versions { nodes { number state release { id } } }
          items { nodes { position title asset { __typename id title } version { number } } }
        } }""",
        {
            "release": {
                "currentVersion": {
                    "number": 2, "state": "PUBLISHED", "title": "EP, take 2", "isCompatibility": False, "items": {"totalCount": 3},
                },
                "versions": {
                    "nodes": [
                        {"number": 2, "state": "PUBLISHED", "release": {"id": "<ep>"}},
                        {"number": 1, "state": "SUPERSEDED", "release": {"id": "<ep>"}},
                    ]
                },
                "items": {
                    "nodes": [
                        {
                            "position": 1, "title": "Song", "asset": {"__typename": "Track", "id": "<song>", "title": "Night Drive"},
                            "version": {"number": 2},
                        },
                        {"position": 2, "title": "Demo", "asset": None, "version": {"number": 2}},
                        {
                            "position": 3, "title": "Kick", "asset": {"__typename": "Sample", "id": "<kick>", "title": "Kick"},
                            "version": {"number": 2},
                        },
                    ]
                },
            }
        },
    ),
    (
        """{ node(id: "<hook>") { ... on Hook {
          startMs endMs durationMs caption badges createdAt track { title hook { id } } theme { id } room { id }
          visualWorld { title owner { handle } badges } world { handle }
        } } }""",
        {
            "node": {
                "startMs": 35000, "endMs": 65000, "durationMs": 30000, "caption": "Drive!", "badges": ["HUMAN_MADE"],
                "createdAt": "2026-01-01T00:00:07.000007Z", "track": {"title": "Night Drive", "hook": {"id": "<hook>"}},
                "theme": {"id": "<theme>"}, "room": None,
                "visualWorld": {"title": "Rain", "owner": {"handle": "ada"}, "badges": []}, "world": {"handle": "ada"},
            }
        },
    ),
    (
        '{ node(id: "<lounge>") { ... on Room { title visibility hook { id } release { id } world { name } } } }',
        {"node": {"title": "Lounge", "visibility": "PUBLIC", "hook": None, "release": None, "world": {"name": "Ada Byte"}}},
    ),
    # Search: ranks, beginnings, typos, accents, kinds.
    (
        '{ search(query: "drum") { totalCount nodes { __typename ... on Asset { title } ... on Contributor { name } } } }',
        {
            "search": {
                "totalCount": 2,
                "nodes": [{"__typename": "Sample", "title": "Drum Loop"}, {"__typename": "Contributor", "name": "Zoë Drummer"}],
            }
        },
    ),
    (
        '{ search(query: "drumm") { nodes { ... on Node { id } } } }',
        {"search": {"nodes": [{"id": "<zoe>"}, {"id": "<drum>"}]}},
    ),
    ('{ search(query: "kik") { nodes { ... on Node { id } } } }', {"search": {"nodes": [{"id": "<kit>"}, {"id": "<kick>"}]}}),
    (
        '{ whole: search(query: "CAFÉ kit") { nodes { ... on Node { id } } } begun: search(query: "caf") { nodes { ... on Node { id } } } }',
        {"whole": {"nodes": [{"id": "<kit>"}]}, "begun": {"nodes": [{"id": "<kit>"}]}},
    ),
    (
        """{
          ranked: search(query: "ada") { nodes { __typename } }
          turned: search(query: "byte, Ada!") { nodes { ... on Node { id } } }
          kinds: search(query: "ada", kinds: [CONTRIBUTOR]) { nodes { ... on Contributor { artist { handle } } } totalCount }
          accent: search(query: "zoe") { nodes { ... on Contributor { name } } }
          umlaut: search(query: "bö") { nodes { ... on Artist { handle } } }
        }""",
        {
            "ranked": {"nodes": [{"__typename": "Artist"}, {"__typename": "Contributor"}]},
            "turned": {"nodes": [{"id": "<ada>"}, {"id": "<ada.person>"}]},
            "kinds": {"nodes": [{"artist": {"handle": "ada"}}], "totalCount": 1},
            "accent": {"nodes": [{"name": "Zoë Drummer"}]},
            "umlaut": {"nodes": [{"handle": "bo"}]},
        },
    ),
    (
        '{ search(query: "demo") { totalCount } nothing: search(query: "xylophone") { nodes { __typename } totalCount pageInfo { endCursor } } }',
        {"search": {"totalCount": 0}, "nothing": {"nodes": [], "totalCount": 0, "pageInfo": {"endCursor": None}}},
    ),
    # The language: aliases, fragments, merging, order of keys, directives, variables.
    (
        """{ first: artist(handle: "ada") { b: name a: name name } second: artist(handle: "bo") { name } }""",
        {"first": {"b": "Ada Byte", "a": "Ada Byte", "name": "Ada Byte"}, "second": {"name": "Bö"}},
    ),
    (
        """{ asset(id: "<song>") { ...A title ... on Track { bpm owner { handle } } ...B } }
        fragment A on Asset { state owner { name } }
        fragment B on Node { id ... on Track { isrc owner { kind } } ... on Sample { subkind } }""",
        {
            "asset": {
                "state": "PUBLIC", "owner": {"name": "Ada Byte", "handle": "ada", "kind": "CREATOR"}, "title": "Night Drive",
                "bpm": 120.5, "id": "<song>", "isrc": "USABC2600001",
            }
        },
    ),
    (
        """{ assets(order: TITLE) { nodes {
          ... on Track { bpm } ... on Sample { bpm subkind } title ... on Instrument { family } ... on Sample { owner { handle } }
          ... on Release { owner { name } }
        } } }""",
        {
            "assets": {
                "nodes": [
                    {"title": "Café Kit", "family": "drums"},
                    {"bpm": None, "subkind": "LOOP", "title": "Drum Loop", "owner": {"handle": "bo"}},
                    {"title": "First EP", "owner": {"name": "Ada Byte"}},
                    {"bpm": 120, "subkind": "ONE_SHOT", "title": "Kick", "owner": {"handle": "ada"}},
                    {"bpm": 120.5, "title": "Night Drive"},
                ]
            }
        },
    ),
    (
        """{ nodes(ids: ["<song>", "<kick>", "<kit>"]) {
          ... on Track { x: credits(first: 1) { nodes { role } } } ... on Sample { x: credits(last: 1) { nodes { instrument } totalCount } }
        } }""",
        {"nodes": [{"x": {"nodes": [{"role": "MAIN_ARTIST"}]}}, {"x": {"nodes": [{"instrument": None}], "totalCount": 1}}, {}]},
    ),
    (
        """{ artist(handle: "ada") @include(if: true) { name @skip(if: true) handle @skip(if: false) ...N @include(if: false) } }
        fragment N on Artist { kind }""",
        {"artist": {"handle": "ada"}},
    ),
    (
        '{ artist(handle: "ada") { name @skip(if: true) world { name @include(if: false) } } gone: viewer @skip(if: true) { __typename } }',
        {"artist": {"world": {}}},
    ),
]  # fmt: skip  # an answer reads as the answer does

OWN: list[tuple[str, Any]] = [
    (
        "{ viewer { account { id handle } artists { totalCount nodes { handle } edges { cursor } } } }",
        {
            "viewer": {
                "account": {"id": "<account.ada>", "handle": "ada"},
                "artists": {"totalCount": 1, "nodes": [{"handle": "ada"}], "edges": [{"cursor": "<NAME ada>"}]},
            }
        },
    ),
    (
        "{ assets(first: 3) { nodes { title state } totalCount } }",
        {
            "assets": {
                "nodes": [
                    {"title": "First EP", "state": "PUBLIC"}, {"title": "Demo", "state": "PRIVATE"},
                    {"title": "Night Drive", "state": "PUBLIC"},
                ],
                "totalCount": 6,
            }
        },
    ),
    (
        '{ search(query: "demo") { nodes { ... on Track { title hook { durationMs } } } } hooks { nodes { caption track { title } } } }',
        {
            "search": {"nodes": [{"title": "Demo", "hook": {"durationMs": 1}}]},
            "hooks": {"nodes": [{"caption": None, "track": {"title": "Demo"}}, {"caption": "Drive!", "track": {"title": "Night Drive"}}]},
        },
    ),
    (
        """{ asset(id: "<song>") {
          credits { nodes { acceptance } } media(roles: [SOURCE]) { nodes { sha256 } } children { nodes { child { title } } }
          ... on Track { hook { room { visibility } } }
        } release(id: "<ep>") { versions { nodes { number title } } } }""",
        {
            "asset": {
                "credits": {"nodes": [{"acceptance": "ACCEPTED"}, {"acceptance": "PROPOSED"}, {"acceptance": "DECLINED"}]},
                "media": {"nodes": [{"sha256": digest("SOURCE")}]},
                "children": {"nodes": [{"child": {"title": "Demo"}}]},
                "hook": {"room": {"visibility": "MEMBERS"}},
            },
            "release": {
                "versions": {
                    "nodes": [{"number": 3, "title": None}, {"number": 2, "title": "EP, take 2"}, {"number": 1, "title": "EP, take 1"}]
                }
            },
        },
    ),
]  # fmt: skip  # as above

WITH_VARIABLES: list[tuple[str, dict[str, Any], Any]] = [
    (
        "query($ids: [ID!]!, $full: Boolean!) { nodes(ids: $ids) { id ... on Asset @include(if: $full) { title } } }",
        {"ids": ["<kick>", "<bo>"], "full": True},
        {"nodes": [{"id": "<kick>", "title": "Kick"}, {"id": "<bo>"}]},
    ),
    (
        "query($ids: [ID!]!, $full: Boolean = true) { nodes(ids: $ids) { id ... on Asset @skip(if: $full) { title } } }",
        {"ids": ["<kick>"]},
        {"nodes": [{"id": "<kick>"}]},
    ),
    (
        "query($n: Int = 1, $order: AssetOrder = TITLE) { assets(first: $n, order: $order) { nodes { title } } }",
        {},
        {"assets": {"nodes": [{"title": "Café Kit"}]}},
    ),
    (
        "query($n: Int = 1, $order: AssetOrder = TITLE) { assets(first: $n, order: $order) { totalCount nodes { title } } }",
        {"n": 2, "order": "NEWEST"},
        {"assets": {"totalCount": 5, "nodes": [{"title": "First EP"}, {"title": "Night Drive"}]}},
    ),
    (
        "query($n: Int, $last: Int, $after: String) { assets(first: $n, last: $last, after: $after) { nodes { id } } }",
        {"n": None, "last": 1},
        {"assets": {"nodes": [{"id": "<kick>"}]}},
    ),
    (
        "query($f: AssetFilter, $k: [AssetKind!], $o: ID) { a: assets(filter: $f) { totalCount } b: assets(filter: { kinds: $k, owner: $o }) { totalCount } }",
        {"f": {"kinds": ["RELEASE"], "owner": None}, "k": "TRACK"},
        {"a": {"totalCount": 1}, "b": {"totalCount": 1}},
    ),
    (
        'query A { artist(handle: "ada") { name } } query B($h: String = "bo") { artist(handle: $h) { name } }',
        {"operation": "B"},
        {"artist": {"name": "Bö"}},
    ),
]  # fmt: skip  # as above


@dataclass
class Desk:
    """Where questions are asked."""

    rows: Rows
    viewers: dict[str, Viewer]
    readers: dict[Execution, Reader]

    async def ask(
        self, execution: Execution, text: str, variables: dict[str, Any] | None = None, viewer: str = "anonymous"
    ) -> Answer:
        """One answer; the variable `operation` names the operation instead."""
        given = json.loads(filled(json.dumps(variables), self.rows)) or {}
        name = given.pop("operation", None)
        return await self.readers[execution].answer(filled(text, self.rows), name, given, self.viewers[viewer])


@pytest.fixture(scope="module")
async def desk(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Desk]:
    database = Database(new_target())
    await database.open()
    rows, viewers = catalogue()
    await rows.write(database)
    yield Desk(rows, viewers, {execution: Reader(executable(), database, execution) for execution in Execution})
    await database.close()


@pytest.mark.parametrize("execution", Execution)
@pytest.mark.parametrize(("text", "answer"), ANYBODY)
async def test_anybody_is_answered_as_written(desk: Desk, execution: Execution, text: str, answer: Any) -> None:
    await _answers(desk, await desk.ask(execution, text), answer)


@pytest.mark.parametrize("execution", Execution)
@pytest.mark.parametrize(("text", "answer"), OWN)
async def test_an_owner_is_answered_as_written(desk: Desk, execution: Execution, text: str, answer: Any) -> None:
    await _answers(desk, await desk.ask(execution, text, viewer="owner"), answer)


@pytest.mark.parametrize("execution", Execution)
@pytest.mark.parametrize(("text", "variables", "answer"), WITH_VARIABLES)
async def test_variables_are_answered_as_written(
    desk: Desk, execution: Execution, text: str, variables: dict[str, Any], answer: Any
) -> None:
    await _answers(desk, await desk.ask(execution, text, variables), answer)


async def _answers(desk: Desk, given: Answer, expected: Any) -> None:
    assert not given.refused
    assert ordered(given.body) == ordered(filled(json.dumps({"data": expected}), desk.rows).encode())


# -- pages from end to end -----------------------------------------------------------------------------------------

LISTS = {
    "assets": "query($f: Int, $l: Int, $a: String, $b: String) { list: assets(first: $f, last: $l, after: $a, before: $b) %s }",
    "assets by title": "query($f: Int, $l: Int, $a: String, $b: String)"
    " { list: assets(order: TITLE, first: $f, last: $l, after: $a, before: $b) %s }",
    "assets by children": "query($f: Int, $l: Int, $a: String, $b: String)"
    " { list: assets(order: MOST_DERIVED, first: $f, last: $l, after: $a, before: $b) %s }",
    "samples": "query($f: Int, $l: Int, $a: String, $b: String)"
    " { list: assets(filter: { kinds: [SAMPLE] }, first: $f, last: $l, after: $a, before: $b) %s }",
    "artists": "query($f: Int, $l: Int, $a: String, $b: String) { list: artists(first: $f, last: $l, after: $a, before: $b) %s }",
    "newest artists": "query($f: Int, $l: Int, $a: String, $b: String)"
    " { list: artists(order: NEWEST, first: $f, last: $l, after: $a, before: $b) %s }",
    "hooks": "query($f: Int, $l: Int, $a: String, $b: String) { list: hooks(first: $f, last: $l, after: $a, before: $b) %s }",
    "oldest hooks": "query($f: Int, $l: Int, $a: String, $b: String)"
    " { list: hooks(order: OLDEST, first: $f, last: $l, after: $a, before: $b) %s }",
    "search": 'query($f: Int, $l: Int, $a: String, $b: String) { list: search(query: "d", first: $f, last: $l, after: $a, before: $b) %s }',
    **{
        field_: f'query($f: Int, $l: Int, $a: String, $b: String) {{ asset(id: "<song>") {{ list: {field_}(first: $f, last: $l, after: $a, before: $b) %s }} }}'
        for field_ in ("credits", "splits", "media", "parents", "provenance", "releases")
    },
    **{
        f"release {field_}": f'query($f: Int, $l: Int, $a: String, $b: String) {{ release(id: "<ep>") {{ list: {field_}(first: $f, last: $l, after: $a, before: $b) %s }} }}'
        for field_ in ("versions", "items")
    },
}
PAGE_OF = "{ edges { cursor node { ... on Node { id } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }"


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("execution", Execution)
@pytest.mark.parametrize("name", LISTS)
async def test_cursors_followed_to_the_end_meet_every_row_once_in_order(
    desk: Desk, name: str, execution: Execution, *, backward: bool, size: int
) -> None:
    async def page(**asked: Any) -> dict[str, Any]:
        answer = json.loads((await desk.ask(execution, LISTS[name].replace("%s", PAGE_OF), asked, "owner")).body)
        data = answer["data"]
        return data["list"] if "list" in data else next(iter(data.values()))["list"]

    whole = await page(f=100)
    met: list[Any] = []
    cursor = None
    for _ in range(len(whole["edges"]) + 1):
        part = await page(**({"l": size, "b": cursor} if backward else {"f": size, "a": cursor}))
        info, edges = part["pageInfo"], part["edges"]
        assert 0 < len(edges) <= size
        assert part["totalCount"] == whole["totalCount"] == len(whole["edges"])
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        assert info["hasNextPage" if backward else "hasPreviousPage"] == (cursor is not None)
        met = [*edges, *met] if backward else [*met, *edges]
        cursor = info["startCursor" if backward else "endCursor"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            break
    assert met == whole["edges"]


# -- bad input -----------------------------------------------------------------------------------------------------

BAD: list[tuple[str, dict[str, Any]]] = [
    # An id of the wrong kind, or none at all.
    ('{ asset(id: "<ada>") { id } }', {}),
    ('{ asset(id: "<hook>") { id } }', {}),
    ('{ release(id: "<song>") { id } }', {}),
    ('{ contributor(id: "<ada>") { id } }', {}),
    ("query($id: ID!) { asset(id: $id) { id } }", {"id": "<ada>"}),
    ('{ assets(filter: { owner: "<song>" }) { totalCount } }', {}),
    ('{ assets(filter: { contributor: "<ada>" }) { totalCount } }', {}),
    ('{ assets(filter: { madeFrom: "<ada>" }) { totalCount } }', {}),
    ('{ artist(handle: "ada") { assets(filter: { madeFrom: "<hook>" }) { totalCount } } }', {}),
    *[
        ("query($id: ID!) { node(id: $id) { id } }", {"id": id_})
        for id_ in (
            "",
            "1",
            "track",
            "track_",
            "nothing_01jd0000000000000000000000",
            "track_01JD0000000000000000000000",
        )
    ],
    *[
        ("query($id: ID!) { node(id: $id) { id } }", {"id": id_})
        for id_ in (
            "track_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "track_01jd000000000000000000000",
            "track_01jd000000000000000000000u",
        )
    ],
    ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["<song>", "no id"]}),
    ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["<song>"] * 101}),
    # Cursors.
    ('{ assets(after: "") { totalCount } }', {}),
    ('{ assets(after: "nonsense") { totalCount } }', {}),
    ('{ assets(before: "ÄÖÜ") { totalCount } }', {}),
    ('{ assets(order: TITLE, after: "<NEWEST song>") { totalCount } }', {}),
    ('{ assets(after: "<TITLE song>") { totalCount } }', {}),
    ('{ artists(after: "<NEWEST song>") { totalCount } }', {}),
    ('{ hooks(order: OLDEST, before: "<NEWEST song>") { totalCount } }', {}),
    ('{ asset(id: "<song>") { credits(after: "<NEWEST song>") { totalCount } } }', {}),
    ("query($c: String) { assets(after: $c) { totalCount } }", {"c": "<NEWEST song>A"}),
    ("query($c: String) { assets(after: $c) { totalCount } }", {"c": "\ud800"}),
    # Pages.
    ("{ assets(first: 0) { totalCount } }", {}),
    ("{ assets(first: 101) { totalCount } }", {}),
    ("{ assets(first: -1) { totalCount } }", {}),
    ("{ assets(last: 0) { totalCount } }", {}),
    ("{ artists(last: 101) { totalCount } }", {}),
    ("{ hooks(first: 1, last: 1) { totalCount } }", {}),
    ("query($n: Int!) { assets(first: $n) { totalCount } }", {"n": 101}),
    ("query($n: Int!) { assets(first: $n) { totalCount } }", {"n": 2**31}),
    ("query($n: Int!) { assets(first: $n) { totalCount } }", {"n": "1"}),
    ('{ world(handle: "ada") { releases(first: 0) { totalCount } } }', {}),
    ('{ world(handle: "nobody") { releases(first: 101) { totalCount } } }', {}),
    # Words that no vocabulary holds.
    ("{ assets(order: BEST) { totalCount } }", {}),
    ("query($o: AssetOrder) { assets(order: $o) { totalCount } }", {"o": "BEST"}),
    ("query($o: AssetOrder) { assets(order: $o) { totalCount } }", {"o": "\ud800"}),
    ("query($k: [AssetKind!]) { assets(filter: { kinds: $k }) { totalCount } }", {"k": ["ARTIST"]}),
    ("{ assets(filter: { policyDecision: { use: SYNC, decision: UNKNOWN } }) { totalCount } }", {}),
    # Texts.
    ('{ search(query: "kick\\u0000") { totalCount } }', {}),
    ("query($q: String!) { search(query: $q) { totalCount } }", {"q": "kick\0"}),
    ("query($q: String!) { search(query: $q) { totalCount } }", {"q": "kick\ud83e"}),
    ("query($q: String!) { search(query: $q) { totalCount } }", {"q": "x" * 10_000}),
    ("query($q: String!) { search(query: $q) { totalCount } }", {"q": "a b c d e f g h i j k l m"}),
    ("query($q: String!) { search(query: $q) { totalCount } }", {"q": ""}),
    ("query($q: String!) { search(query: $q) { totalCount } }", {"q": " ?! "}),
    ("query($h: String!) { artist(handle: $h) { id } }", {"h": "a\0"}),
    ("query($h: String!) { world(handle: $h) { name } }", {"h": "\udfff"}),
    ("query($r: String!) { resolve(ref: $r) { matched } }", {"r": "\0"}),
    ("query($r: String!) { resolve(ref: $r) { matched } }", {"r": "x" * 10_000}),
    # Moments.
    ('{ assets(filter: { createdFrom: "2026-01-01" }) { totalCount } }', {}),
    ('{ assets(filter: { createdFrom: "2026-01-01T00:00:00" }) { totalCount } }', {}),
    ('{ assets(filter: { createdBefore: "9999-12-31T23:59:59-12:00" }) { totalCount } }', {}),
    ("query($m: DateTime) { assets(filter: { createdBefore: $m }) { totalCount } }", {"m": "soon"}),
    # Nulls where none may be.
    ('query($id: ID = "<song>") { asset(id: $id) { id } }', {"id": None}),
    ('query($id: ID = "<song>") { nodes(ids: [$id]) { id } }', {"id": None}),
    ('query($h: String = "ada") { artist(handle: $h) { id } }', {"h": None}),
    ("query($b: Boolean = true) { viewer @include(if: $b) { __typename } }", {"b": None}),
    ("query($id: ID!) { asset(id: $id) { id } }", {}),
    # Documents that mean nothing.
    ("", {}),
    ("{ assets { totalCount }", {}),
    ("{ nothing }", {}),
    ("fragment F on Query { __typename }", {}),
    ("query A { __typename } query B { __typename }", {}),
    ("query A { __typename }", {"operation": "B"}),
]


@pytest.mark.parametrize("execution", Execution)
@pytest.mark.parametrize(("text", "variables"), BAD)
async def test_bad_input_is_refused_before_anything_is_read(
    desk: Desk, execution: Execution, text: str, variables: dict[str, Any]
) -> None:
    answer = await desk.ask(execution, text, variables)
    assert answer.refused
    body = json.loads(answer.body)
    assert body.keys() == {"errors"}
    for error in body["errors"]:
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}
        assert error["message"]
        assert "path" not in error


async def test_bad_input_in_what_is_skipped_harms_nobody(desk: Desk) -> None:
    text = "query($on: Boolean!) { assets(first: 0) @include(if: $on) { totalCount } __typename }"
    for execution in Execution:
        assert (await desk.ask(execution, text, {"on": True})).refused
        assert json.loads((await desk.ask(execution, text, {"on": False})).body) == {"data": {"__typename": "Query"}}


async def test_an_unknown_id_of_every_kind_is_nothing(desk: Desk) -> None:
    for execution in Execution:
        for kind in Kind:
            answer = await desk.ask(execution, f'{{ node(id: "{Ref(kind, desk.rows.new_key())}") {{ id }} }}')
            assert answer.body == b'{"data":{"node":null}}'
