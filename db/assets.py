"""Where the four kinds of asset and their media live: one base row under one contract, one detail row per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown, credit_stands, edge_ends_seen
from db.arguments import Bound, Filter, Paging
from db.containment import contained
from db.history import holds_now
from db.orders import MOST_DERIVED, NEWEST, OLDEST, POSITION, SEQUENCE, TITLE
from db.places import Computed, Inline, Kind, OfAsset, Page, Stored, ToOne, Type, belong, column, columns, refer
from db.verdicts import ASSET_REF_KINDS, ByLength, ByQuestion, ByWalk
from db.viewers import viewer_values
from domain import ids
from domain.accounts import Viewer
from domain.assets import AssetState, asset_ref
from domain.errors import BadInput
from domain.ids import parse_ref_of
from domain.rights import Decision


def current_id(id_: ColumnElement[Any]) -> ColumnElement[Any]:
    """The id a thing goes by now: old ids keep working after a merge, whose chains are flattened when it is made."""
    merge = tables.merge.alias()
    moved = select(merge.c.new_id).where(
        merge.c.old_id == id_, func.upper_inf(merge.c.known), func.upper_inf(merge.c.valid)
    )
    return func.coalesce(moved.correlate_except(merge).scalar_subquery(), id_)


def owned_by(artist_id: ColumnElement[Any]) -> Select[Any]:
    """The ids of an artist's assets."""
    asset = tables.asset.alias()
    return select(asset.c.id).where(asset.c.owner_id == artist_id).correlate_except(asset)


def in_any(name: str) -> Filter:
    """The column holds one of some words."""
    return Filter(lambda row, words: row.c[name] == any_(words), ARRAY(Text()), list)


def _licensed(asset: Any, family: ColumnElement[Any]) -> ColumnElement[bool]:
    policy = tables.policy.alias()
    return (
        exists()
        .where(policy.c.subject_id == asset.c.id, policy.c.license_family == family, holds_now(policy))
        .correlate_except(policy)
    )


def _decided(asset: Any, pair: ColumnElement[Any]) -> ColumnElement[bool]:
    policy, term = tables.policy.alias(), tables.term.alias()
    return (
        exists()
        .select_from(policy.join(term, term.c.term_set_id == policy.c.term_set_id))
        .where(
            policy.c.subject_id == asset.c.id,
            term.c.use == func.split_part(pair, " ", 1),
            term.c.decision == func.split_part(pair, " ", 2),
            holds_now(policy),
        )
        .correlate_except(policy, term)
    )


def _has_hook(asset: Any, wanted: ColumnElement[Any]) -> ColumnElement[bool]:
    hook = tables.hook.alias()
    return exists().where(hook.c.track_id == asset.c.id).correlate_except(hook) == wanted


def _has_policy(asset: Any, wanted: ColumnElement[Any]) -> ColumnElement[bool]:
    policy = tables.policy.alias()
    own = and_(policy.c.level == "ASSET", policy.c.subject_id == asset.c.id)
    of_artist = and_(policy.c.level == "ARTIST", policy.c.subject_id == asset.c.owner_id)
    stated = [exists().where(on, holds_now(policy)).correlate_except(policy) for on in (own, of_artist)]
    return or_(*stated) == wanted


def _credits(asset: Any, contributor_id: ColumnElement[Any]) -> ColumnElement[bool]:
    credit = tables.credit.alias()
    return (
        exists()
        .where(
            credit.c.asset_id == asset.c.id,
            credit.c.contributor_id == current_id(contributor_id),
            credit_stands(credit),
        )
        .correlate_except(credit)
    )


def _made_from(asset: Any, parent_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Over edges the viewer may see with both their ends: the filter tells no more than the edge would."""
    edge = tables.lineage_edge.alias()
    return (
        exists()
        .where(
            edge.c.child_id == asset.c.id,
            edge.c.parent_id == current_id(parent_id),
            edge.c.binding,
            allowed(tables.lineage_edge, Action.REACH, edge),
            edge_ends_seen(edge),
        )
        .correlate_except(edge)
    )


def id_of(*kinds: ids.Kind) -> Any:
    """Read a filter's id of one of some kinds."""
    return lambda text: parse_ref_of(text, frozenset(kinds)).id


def _pair(value: Any) -> str:
    if value["decision"] not in set(Decision):
        raise BadInput(f"{value['decision']} is no decision a policy can state.")
    return f"{value['use']} {value['decision']}"


def _openly(on: Callable[[Any, Any], ColumnElement[bool]]) -> Callable[[Any, Any], ColumnElement[bool]]:
    """A condition on what only an asset shown in full tells: a teaser is not found by what it hides."""
    return lambda asset, value: and_(asset_shown(asset, Exposure.FULL), on(asset, value))


ASSET_FILTERS = {
    "kinds": in_any("kind"),
    "owner": Filter(lambda asset, id_: asset.c.owner_id == current_id(id_), Uuid(), id_of(ids.Kind.ARTIST)),
    "badge": Filter(_openly(lambda asset, word: word == any_(asset.c.badges)), Text()),
    "licenseFamily": Filter(_openly(_licensed), Text()),
    "policyDecision": Filter(_openly(_decided), Text(), _pair),
    "hasPolicy": Filter(_openly(_has_policy), Boolean()),
    "hasHook": Filter(_openly(_has_hook), Boolean()),
    "createdFrom": Filter(_openly(lambda asset, moment: asset.c.created_at >= moment), DateTime(timezone=True)),
    "createdBefore": Filter(_openly(lambda asset, moment: asset.c.created_at < moment), DateTime(timezone=True)),
    "contributor": Filter(_openly(_credits), Uuid(), id_of(ids.Kind.CONTRIBUTOR)),
    "madeFrom": Filter(_made_from, Uuid(), id_of(*ASSET_REF_KINDS)),
}
ASSET_PAGING = Paging({"NEWEST": NEWEST, "TITLE": TITLE, "MOST_DERIVED": MOST_DERIVED}, "NEWEST", ASSET_FILTERS)


def _stated(row: Any, policy: Any, _: Bound) -> ColumnElement[bool]:
    return and_(policy.c.subject_id == row.c.id, policy.c.level == "ASSET")


def _releases_of(row: Any, asset: Any, _: Bound) -> ColumnElement[bool]:
    item = contained()
    return asset.c.id.in_(select(item.c.release_id).where(item.c.asset_id == row.c.id).correlate_except(item))


_EDGE_FILTERS = {"kinds": in_any("kind"), "statuses": in_any("status")}

ASSET = Type(
    "Asset",
    tables.asset,
    {
        "id": column(tables.asset, "ref", plain=True, exposure=Exposure.STUB),
        "title": column(tables.asset, "title", exposure=Exposure.STUB),
        "state": column(tables.asset, "state", plain=True, exposure=Exposure.STUB),
        "owner": ToOne("Artist", refer("owner_id"), always=True, exposure=Exposure.STUB),
        **columns(tables.asset, "created_at", "made_on", "version", "derived_count"),
        "badges": Stored(lambda row: row.c.badges, closed="[]"),
        "policy": ToOne("PermissionPolicy", _stated),
        "grants": Page("PermissionGrant", OfAsset("asset_id"), Paging({"OLDEST": OLDEST}, "OLDEST")),
        "credits": Page("Credit", OfAsset("asset_id"), Paging({"POSITION": POSITION}, "POSITION")),
        "splits": Page(
            "Split",
            OfAsset("asset_id"),
            Paging(
                {"POSITION": POSITION},
                "POSITION",
                {"pool": Filter(lambda split, pool: split.c.pool == pool, Text())},
            ),
        ),
        "media": Page("Media", OfAsset("asset_id"), Paging({"OLDEST": OLDEST}, "OLDEST", {"roles": in_any("role")})),
        "parents": Page("LineageEdge", OfAsset("child_id"), Paging({"OLDEST": OLDEST}, "OLDEST", _EDGE_FILTERS)),
        "children": Page("LineageEdge", OfAsset("parent_id"), Paging({"OLDEST": OLDEST}, "OLDEST", _EDGE_FILTERS)),
        "provenance": Page("ProvenanceEvent", OfAsset("subject_id"), Paging({"SEQUENCE": SEQUENCE}, "SEQUENCE")),
        "rights": Computed(ByQuestion(), exposure=Exposure.STUB),
        "clearWindows": Computed(ByLength()),
        "attribution": Computed(ByQuestion()),
        "ancestors": Computed(ByWalk()),
        "descendants": Computed(ByWalk()),
        "releases": Page("Release", _releases_of, Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
    },
    kinds=(
        Kind(("TRACK",), "Track"),
        Kind(("SAMPLE",), "Sample"),
        Kind(("INSTRUMENT",), "Instrument"),
        Kind(("RELEASE",), "Release"),
    ),
    shown=asset_shown,
)

TRACK = Type(
    "Track",
    tables.track,
    {
        **columns(tables.track, "duration_ms", "bpm", "musical_key", "isrc"),
        "hook": ToOne("Hook", belong("track_id")),
        "lyrics": Computed(),
        "waveform": Computed(),
        "analysis": Computed(),
        "suggestions": Page(
            "Suggestion",
            belong("track_id"),
            Paging({"NEWEST": NEWEST}, "NEWEST", {"states": in_any("state")}),
        ),
    },
    base="Asset",
)
SAMPLE = Type(
    "Sample",
    tables.sample,
    columns(tables.sample, "subkind", "duration_ms", "bpm", "musical_key"),
    base="Asset",
)
INSTRUMENT = Type("Instrument", tables.instrument, columns(tables.instrument, "family", "format"), base="Asset")


def _read_in(name: str) -> Stored:
    """What was read in an upload, by column of what is known of its bytes."""

    def value(row: Any) -> ColumnElement[Any]:
        content = tables.media_content.alias()
        return select(content.c[name]).where(content.c.media_id == row.c.id).correlate_except(content).scalar_subquery()

    return Stored(value, nullable=True)


def _has_seed(row: Any) -> ColumnElement[bool]:
    content = tables.media_content.alias()
    return exists().where(content.c.media_id == row.c.id, content.c.seed_hue.is_not(None)).correlate_except(content)


MEDIA = Type(
    "Media",
    tables.media,
    {
        **columns(tables.media, "role", "mime_type", "duration_ms", "created_at", id="ref"),
        "sha256": column(tables.media, "sha256", plain=True),
        "shownSha256": _read_in("shown_sha256"),
        "seed": Inline(
            "MediaSeed",
            {name: _read_in(f"seed_{name}") for name in ("hue", "saturation", "lightness")},
            present=_has_seed,
        ),
        "asset": ToOne("Asset", refer("asset_id")),
    },
)


@dataclass(frozen=True, slots=True)
class HeldAsset:
    """An asset under the writer's lock."""

    ref: ids.Ref
    version: int
    title: str
    badges: tuple[str, ...]
    made_on: date | None
    owner: UUID
    state: AssetState


async def hold_asset(connection: AsyncConnection, viewer: Viewer, asset_id: UUID) -> HeldAsset | None:
    """Lock an asset the viewer may change; None where there is no such asset, or it is not theirs."""
    asset = tables.asset.alias()
    query = (
        select(asset)
        .where(asset.c.id == current_id(literal(asset_id, Uuid)), allowed(tables.asset, Action.WRITE, asset))
        .with_for_update()
    )
    row = (await connection.execute(query, viewer_values(viewer))).first()
    return None if row is None else held_row(row)


def held_row(row: Any) -> HeldAsset:
    """An asset whose row is locked."""
    ref, state = asset_ref(row.kind, row.id), AssetState(row.state)
    return HeldAsset(ref, row.version, row.title, tuple(row.badges), row.made_on, row.owner_id, state)


async def update_asset(connection: AsyncConnection, held: HeldAsset, values: Mapping[str, Any]) -> None:
    """Write new values to a held asset and move its version on."""
    table = tables.asset
    await connection.execute(
        update(table).where(table.c.id == held.ref.id).values({**values, "version": held.version + 1})
    )


async def refs_shown(connection: AsyncConnection, viewer: Viewer, assets: Sequence[UUID]) -> dict[UUID, ids.Ref]:
    """The references of those assets that the viewer may meet."""
    asset = tables.asset.alias()
    query = select(asset.c.id, asset.c.kind).where(
        asset.c.id == any_(literal(list(assets), ARRAY(Uuid))),
        allowed(tables.asset, Action.REACH, asset),
        asset_shown(asset, Exposure.FULL),
    )
    rows = await connection.execute(query, viewer_values(viewer))
    return {row.id: asset_ref(row.kind, row.id) for row in rows}
