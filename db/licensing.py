"""Where quotes, licenses and what programs asked about somebody's work live, and how they are written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.accounts import handle_of
from db.arguments import Paging
from db.assets import current_id
from db.engine import Database
from db.history import holds_now
from db.ledger import SHARES
from db.orders import NEWEST
from db.places import Computed, Inline, Page, Stored, ToOne, Type, belong, column, columns, refer
from db.viewers import viewer_values
from domain.accounts import ANONYMOUS, Viewer
from domain.assets import MediaRole, asset_ref
from domain.ids import Ref
from domain.licensing import UseKind
from domain.payments import SETTLED_DECIMALS, SETTLED_IN


def _named(use: Any) -> ColumnElement[str]:
    key = tables.agent_key.alias()
    return select(key.c.name).where(key.c.id == use.c.key_id).correlate_except(key).scalar_subquery()


def _payable(quote: Any, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((quote.c.amount.is_not(None), value))


LICENSE_QUOTE = Type(
    "LicenseQuote",
    tables.license_quote,
    {
        **columns(tables.license_quote, "territory", "purpose", "bound_to", "body", "proof", id="ref"),
        **columns(tables.license_quote, "created_at", "expires_at"),
        "uses": Stored(lambda quote: quote.c.uses),
        "asset": ToOne("Asset", refer("asset_id")),
        "grantee": ToOne("Artist", refer("grantee_id"), always=True),
        "price": Inline(
            "Price",
            columns(tables.license_quote, amountMinor="price_minor", currency="currency"),
            present=lambda quote: quote.c.price_minor.is_not(None),
        ),
        "clears": Computed(),
        "stillNeeded": Computed(),
        "settlement": Inline(
            "Settlement",
            {
                "amount": column(tables.license_quote, "amount"),
                "asset": Stored(lambda quote: _payable(quote, literal(SETTLED_IN, Text)), nullable=True),
                "decimals": Stored(lambda quote: _payable(quote, literal(SETTLED_DECIMALS, Integer)), nullable=True),
                "reference": column(tables.license_quote, "ref"),
                "unpayable": Stored(lambda quote: cast(quote.c.body, JSONB)["unpayable"].astext, nullable=True),
            },
        ),
        "license": ToOne("License", lambda quote, license_, _: license_.c.quote_id == quote.c.id),
    },
)

LICENSE = Type(
    "License",
    tables.license_,
    {
        **columns(tables.license_, "body", "proof", "created_at", id="ref"),
        "asset": ToOne("Asset", refer("asset_id")),
        "owner": ToOne("Artist", refer("owner_id"), always=True),
        "grantee": ToOne("Artist", refer("grantee_id"), always=True),
        "payment": Computed(),
        "shares": SHARES,
    },
)

AGENT_USE = Type(
    "AgentUse",
    tables.agent_use,
    {
        **columns(tables.agent_use, "kind", "decision", "created_at", id="ref"),
        "uses": Stored(lambda use: use.c.uses),
        "handle": Stored(handle_of),
        "agent": Stored(_named, nullable=True),
        "asset": ToOne("Asset", refer("asset_id")),
    },
)

USAGE = Page("AgentUse", belong("artist_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST)
"""Of an artist: who asked what about their work."""


@dataclass(frozen=True, slots=True)
class Sold:
    """An asset that a license is asked for: as it goes by now, whose it is, and which state of it is out."""

    ref: Ref
    owner: UUID
    bound_to: str


async def sold(database: Database, viewer: Viewer, asset: Ref) -> Sold | None:
    """An asset the viewer may read; None where there is none for them."""
    async with database.read() as connection:
        return await _sold(connection, viewer, asset)


async def sold_still(connection: AsyncConnection, asset: Ref) -> Sold | None:
    """An asset that was quoted for, as it is now."""
    return await _sold(connection, None, asset)


async def _sold(connection: AsyncConnection, viewer: Viewer | None, asked: Ref) -> Sold | None:
    asset, release, version = (each.alias() for each in (tables.asset, tables.release, tables.release_version))
    query = (
        select(asset.c.id, asset.c.kind, asset.c.owner_id, asset.c.version, version.c.manifest_hash)
        .select_from(asset)
        .outerjoin(release, release.c.id == asset.c.id)
        .outerjoin(version, version.c.id == release.c.current_version_id)
        .where(asset.c.id == current_id(literal(asked.id, Uuid)))
    )
    if viewer is not None:
        query = query.where(allowed(tables.asset, Action.READ, asset), asset_shown(asset, Exposure.FULL))
    row = (await connection.execute(query, viewer_values(viewer or ANONYMOUS))).first()
    if row is None:
        return None
    ref = asset_ref(row.kind, row.id)
    return Sold(ref, row.owner_id, row.manifest_hash or f"{ref}@{row.version}")


_IDS = bindparam("ids", type_=ARRAY(Uuid), required=True)


async def refs_of(connection: AsyncConnection, assets: Collection[UUID]) -> dict[UUID, Ref]:
    """The references of some assets."""
    asset = tables.asset
    rows = await connection.execute(
        select(asset.c.id, asset.c.kind).where(asset.c.id == any_(_IDS)), {"ids": [*assets]}
    )
    return {row.id: asset_ref(row.kind, row.id) for row in rows}


async def stated_by(connection: AsyncConnection, policies: Collection[UUID]) -> dict[UUID, UUID]:
    """Who stated some policies in person; without those that nobody did, such as an import's."""
    policy = tables.policy
    query = select(policy.c.id, policy.c.stated_by_id).where(
        policy.c.id == any_(_IDS), policy.c.stated_by_id.is_not(None)
    )
    return {row.id: row.stated_by_id for row in await connection.execute(query, {"ids": [*policies]})}


async def add_quote(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Keep a quote, by its columns."""
    await connection.execute(insert(tables.license_quote).values(dict(values)))


async def quote_of(connection: AsyncConnection, viewer: Viewer, quote_id: UUID, *, hold: bool = False) -> Any | None:
    """A quote of the viewer's, locked where it shall be held; None where there is none."""
    quote = tables.license_quote.alias()
    query = select(quote).where(quote.c.id == quote_id, allowed(tables.license_quote, Action.READ, quote))
    if hold:
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"quote/{quote_id}", 0))))
    return (await connection.execute(query, viewer_values(viewer))).first()


async def hold_assets(connection: AsyncConnection, assets: Collection[UUID]) -> dict[UUID, Ref]:
    """Lock some assets, whosever they are, so that one after the other writes to their chains."""
    asset = tables.asset
    query = select(asset.c.id, asset.c.kind).where(asset.c.id == any_(_IDS)).order_by(asset.c.id).with_for_update()
    return {row.id: asset_ref(row.kind, row.id) for row in await connection.execute(query, {"ids": [*assets]})}


async def license_of(connection: AsyncConnection, quote_id: UUID) -> Any | None:
    """The license that was taken on a quote; None where none was."""
    table = tables.license_
    return (await connection.execute(select(table).where(table.c.quote_id == quote_id))).first()


async def add_license(connection: AsyncConnection, values: Mapping[str, Any], grants: Sequence[UUID]) -> None:
    """Keep a license with its grants."""
    await connection.execute(insert(tables.license_).values(dict(values)))
    if grants:
        rows = [{"license_id": values["id"], "grant_id": grant} for grant in dict.fromkeys(grants)]
        await connection.execute(insert(tables.license_grant), rows)


async def opens(connection: AsyncConnection, viewer: Viewer, license_id: UUID, track_id: UUID) -> Any | None:
    """The license (its row) of whoever asks, where it still opens the sound of a track; None where it does not.

    It opens what was granted, as long as the grant holds; of a release, the tracks of its own owner.
    """
    license_, link, grant = tables.license_.alias(), tables.license_grant.alias(), tables.permission_grant.alias()
    term, release = tables.term.alias(), tables.release.alias()
    item, track = tables.release_item.alias(), tables.asset.alias()
    current = current_id(literal(track_id, Uuid))
    within = exists().where(
        release.c.id == grant.c.asset_id,
        item.c.version_id == release.c.current_version_id,
        item.c.asset_id == track.c.id,
        track.c.owner_id == license_.c.owner_id,
    )
    in_time = exists().where(
        term.c.term_set_id == grant.c.term_set_id,
        func.coalesce(term.c.starts_on <= func.current_date(), literal(True)),
        func.coalesce(term.c.ends_on > func.current_date(), literal(True)),
    )
    query = (
        select(license_.c.id, license_.c.asset_id, track.c.id.label("track_id"))
        .join_from(license_, link, link.c.license_id == license_.c.id)
        .join(grant, and_(grant.c.id == link.c.grant_id, holds_now(grant)))
        .join(track, track.c.id == current)
        .where(
            license_.c.id == license_id,
            allowed(tables.license_, Action.OWN, license_),
            track.c.kind == "TRACK",
            (grant.c.asset_id == track.c.id) | within.correlate_except(release, item),
            in_time.correlate_except(term),
        )
        .limit(1)
    )
    return (await connection.execute(query, viewer_values(viewer))).first()


async def add_access(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Let an account hear a track for a while."""
    await connection.execute(insert(tables.access_grant).values(dict(values)))


async def add_hash(connection: AsyncConnection, id_: UUID, asset_id: UUID, sha256: str) -> None:
    """Say by which bytes an asset is known; they are not here."""
    row = {"id": id_, "asset_id": asset_id, "role": MediaRole.MASTER.value, "sha256": sha256}
    await connection.execute(insert(tables.media).values(row))


@dataclass(frozen=True, slots=True)
class Noted:
    """What a program did with a work."""

    asset: UUID
    account: UUID
    key: UUID | None
    kind: UseKind
    uses: tuple[str, ...] = ()
    decision: str | None = None


async def note_uses(connection: AsyncConnection, noted: Sequence[tuple[UUID, Noted]]) -> None:
    """Keep what programs did with works, by new ids; whose they are is looked up. What is an own work is not told."""
    asset, membership, use = tables.asset.alias(), tables.membership.alias(), tables.agent_use
    if not noted:
        return
    told = func.unnest(
        literal([id_ for id_, _ in noted], ARRAY(Uuid)),
        literal([each.asset for _, each in noted], ARRAY(Uuid)),
        literal([each.account for _, each in noted], ARRAY(Uuid)),
        literal([each.key for _, each in noted], ARRAY(Uuid)),
        literal([each.kind.value for _, each in noted], ARRAY(Text)),
        literal([",".join(each.uses) for _, each in noted], ARRAY(Text)),
        literal([each.decision for _, each in noted], ARRAY(Text)),
    ).table_valued("id", "asset_id", "account_id", "key_id", "kind", "uses", "decision", name="told")
    told = told.render_derived()
    own = exists().where(
        membership.c.artist_id == asset.c.owner_id,
        membership.c.account_id == told.c.account_id,
        membership.c.ended_at.is_(None),
    )
    listed = func.string_to_array(told.c.uses, ",", type_=ARRAY(Text))
    columns_ = [told.c.id, asset.c.owner_id, asset.c.id, told.c.account_id, told.c.key_id, told.c.kind, listed]
    query = (
        select(*columns_, told.c.decision)
        .join_from(told, asset, asset.c.id == current_id(told.c.asset_id))
        .where(~own.correlate_except(membership))
    )
    names = ["id", "artist_id", "asset_id", "account_id", "key_id", "kind", "uses", "decision"]
    await connection.execute(insert(use).from_select(names, query))


class Told(NamedTuple):
    """A document that was signed, as it is kept: quotes tell what they say, licenses how they were paid."""

    id: UUID
    body: str


async def bodies_of(database: Database, table: Any, ids: Sequence[UUID]) -> list[Told]:
    """The bodies of some quotes or licenses. It asks nobody who they are: the rows were seen before."""
    async with database.read() as connection:
        rows = await connection.execute(
            select(table.c.id, table.c.body).where(table.c.id == any_(_IDS)), {"ids": [*ids]}
        )
        return [Told(row.id, row.body) for row in rows]
