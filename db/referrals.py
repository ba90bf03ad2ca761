"""Who was new to an artist's world and came by somebody's link: kept once for each world, and never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, exists, func, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.places import Stored
from db.viewers import viewer_values
from domain.accounts import Viewer


def _brought(link: Any) -> Any:
    referral = tables.referral.alias()
    count = select(func.count()).where(referral.c.link_id == link.c.id).correlate_except(referral).scalar_subquery()
    return func.coalesce(count, 0, type_=Integer)


BROUGHT = Stored(_brought)
"""How many new people came by a link."""


async def add_referral(
    connection: AsyncConnection, newcomer: Viewer, link_id: UUID, artist_id: UUID, visitor: bytes | None
) -> UUID | None:
    """Keep that somebody came by a link who is new to an artist's world; the account that made the link.

    Call it before what they came for leaves a signal: whoever has left one there is not new. So whoever brought
    somebody is new there no more, and nobody is brought in a circle.

    Args:
        connection: of the transaction.
        newcomer: a person.
        link_id: of the link.
        artist_id: of the artist into whose world it leads.
        visitor: what is kept of where they come from; None where that is not known.

    Returns:
        None where they are not new, made the link, come from where it was made, hold the artist, or have themselves
        brought whoever made it, into any world.
    """
    link, artist = tables.share_link, tables.artist.alias()
    bringer: UUID = (await connection.execute(select(link.c.account_id).where(link.c.id == link_id))).scalar_one()
    # Two who bring each other at the same moment come one after the other.
    pair = "/".join(sorted(map(str, (bringer, newcomer.account))))
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"referral/{pair}", 0))))
    other, signal, came = (each.alias() for each in (tables.referral, tables.signal, tables.share_visitor))
    me, there = bindparam("me", type_=Uuid, required=True), literal(artist_id, Uuid)
    own = exists().where(artist.c.id == there, allowed(tables.artist, Action.INSPECT, artist))
    known = exists().where(signal.c.account_id == me, signal.c.artist_id == there)
    back = exists().where(other.c.account_id == literal(bringer, Uuid), other.c.bringer_id == me)
    at_home = exists().where(came.c.link_id == literal(link_id, Uuid), came.c.visitor == visitor, came.c.own)
    row = select(me, there, literal(bringer, Uuid), literal(link_id, Uuid)).where(
        me != literal(bringer, Uuid), ~own, ~known, ~back, ~at_home
    )
    columns = ["account_id", "artist_id", "bringer_id", "link_id"]
    added = upsert(tables.referral).from_select(columns, row).on_conflict_do_nothing()
    written = await connection.execute(
        added.returning(tables.referral.c.bringer_id), {**viewer_values(newcomer), "me": newcomer.account}
    )
    found: UUID | None = written.scalar()
    return found
