"""Where the inbox lives: what people are told of what others did around what is theirs, and of what they follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.accounts import handle_of
from db.places import Stored, ToOne, Type, columns, refer
from db.social import Place
from db.viewers import viewer_values
from domain.accounts import EDITING_ROLES, Viewer
from domain.assets import AssetState
from domain.ids import Kind, Ref
from domain.social import ActivityKind

ACTIVITY = Type(
    "Activity",
    tables.activity,
    {
        **columns(tables.activity, "kind", "times", "at", "read_at", id="ref"),
        "handle": Stored(lambda activity: handle_of(activity, "actor_id"), nullable=True),
        "artist": ToOne("Artist", refer("artist_id"), always=True),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "release": ToOne("Release", refer("release_id"), action=Action.READ),
        "comment": ToOne("Comment", refer("comment_id"), action=Action.READ),
    },
)


async def tell_editors(
    connection: AsyncConnection,
    place: Place,
    kind: ActivityKind,
    actor: UUID,
    new_id: Callable[[], UUID],
    comment: UUID | None = None,
) -> list[tuple[Ref, Ref]]:
    """Tell who cares for an artist what somebody else did at a place of theirs; the accounts, each with what is told.

    What one has not looked at yet gathers: the next like of the same hook makes no second line.
    """
    membership = tables.membership
    query = (
        select(membership.c.account_id)
        .where(
            membership.c.artist_id == place.artist,
            membership.c.role.in_([role.value for role in EDITING_ROLES]),
            membership.c.ended_at.is_(None),
            membership.c.account_id != actor,
        )
        .order_by(membership.c.account_id)
    )
    accounts = list((await connection.execute(query)).scalars())
    said = {"kind": kind.value, "actor_id": actor, "comment_id": comment}
    return await _gather(connection, place, accounts, said, new_id)


async def tell_account(
    connection: AsyncConnection, place: Place, kind: ActivityKind, account: UUID, new_id: Callable[[], UUID]
) -> list[tuple[Ref, Ref]]:
    """Tell somebody what an artist decided at a place of theirs, in nobody's name; the account with what is told."""
    return await _gather(connection, place, [account], {"kind": kind.value, "actor_id": None}, new_id)


async def _gather(
    connection: AsyncConnection,
    place: Place,
    accounts: Sequence[UUID],
    said: Mapping[str, Any],
    new_id: Callable[[], UUID],
) -> list[tuple[Ref, Ref]]:
    if not accounts:
        return []
    activity = tables.activity
    at = {"artist_id": place.artist, "hook_id": place.hook}
    # In one order, whoever writes: two who tell the same people wait for each other, and not in a circle.
    rows = [{"id": new_id(), "account_id": account, **at, **said} for account in accounts]
    written = upsert(activity).values(rows)
    subject = func.coalesce(activity.c.comment_id, activity.c.release_id, activity.c.hook_id, activity.c.artist_id)
    gathered = written.on_conflict_do_update(
        index_elements=[activity.c.account_id, activity.c.kind, subject],
        index_where=activity.c.read_at.is_(None),
        set_={
            "actor_id": written.excluded.actor_id,
            "times": activity.c.times + 1,
            "at": func.clock_timestamp(),
        },
    )
    told = await connection.execute(gathered.returning(activity.c.account_id, activity.c.id))
    return [(Ref(Kind.ACCOUNT, row.account_id), Ref(Kind.ACTIVITY, row.id)) for row in told]


class News(NamedTuple):
    """A release that is out, and by whom it was published."""

    release: UUID
    artist: UUID
    publisher: UUID | None


class Follower(NamedTuple):
    """Somebody who follows an artist."""

    tie: UUID
    account: UUID


async def news_of(connection: AsyncConnection, version_id: UUID) -> News | None:
    """What followers are told of a version that was published; None where its release is not for everybody."""
    version, asset = tables.release_version, tables.asset
    query = (
        select(asset.c.id, asset.c.owner_id, version.c.published_by_id)
        .join_from(version, asset, asset.c.id == version.c.release_id)
        .where(version.c.id == version_id, asset.c.state == AssetState.PUBLIC.value)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else News(*row)


async def followers_after(connection: AsyncConnection, news: News, last: UUID | None, first: int) -> list[Follower]:
    """The next who follow the artist of a release."""
    tie = tables.tie
    query = select(tie.c.id, tie.c.account_id).where(tie.c.artist_id == news.artist, tie.c.ended_at.is_(None))
    if last is not None:
        query = query.where(tie.c.id > last)
    return [Follower(*row) for row in await connection.execute(query.order_by(tie.c.id).limit(first))]


async def tell_followers(
    connection: AsyncConnection, news: News, followers: Sequence[Follower], new_id: Callable[[], UUID]
) -> list[tuple[Ref, Ref]]:
    """Tell some followers of a release, but for whoever published it; the accounts, each with what is told.

    Who has not read of it yet since the version before is told nothing more.
    """
    said = {"kind": ActivityKind.RELEASE_PUBLISHED.value, "artist_id": news.artist, "release_id": news.release}
    rows = [
        {"id": new_id(), "account_id": each.account, **said} for each in followers if each.account != news.publisher
    ]
    if not rows:
        return []
    activity = tables.activity
    written = upsert(activity).values(rows).on_conflict_do_nothing().returning(activity.c.account_id, activity.c.id)
    told = await connection.execute(written)
    return [(Ref(Kind.ACCOUNT, row.account_id), Ref(Kind.ACTIVITY, row.id)) for row in told]


async def mark_read(connection: AsyncConnection, viewer: Viewer, until: UUID | None) -> int | None:
    """Note that somebody has read their inbox, as far as one line of it; how many are unread still.

    None where there is no such line of theirs.
    """
    activity, line = tables.activity, tables.activity.alias()
    mine = allowed(tables.activity, Action.READ, activity), activity.c.read_at.is_(None)
    values = viewer_values(viewer)
    marked = update(activity).where(*mine).values(read_at=func.now())
    if until is not None:
        query = select(line.c.at).where(line.c.id == until, allowed(tables.activity, Action.READ, line))
        at = (await connection.execute(query, values)).scalar()
        if at is None:
            return None
        marked = marked.where(activity.c.at <= at)
    await connection.execute(marked, values)
    left = select(func.count()).select_from(activity).where(*mine)
    return (await connection.execute(left, values)).scalar_one()
