"""Where the members of an artist live, and the invites that lead to more of them.

Who writes locks the artist first, and reads its members afterwards: who was an owner before the wait may be none now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.accounts import handle_of
from db.places import Stored, ToOne, Type, columns, refer
from db.viewers import viewer_values
from domain.accounts import Role, Viewer
from domain.memberships import Member

MEMBERSHIP = Type(
    "Membership",
    tables.membership,
    {
        **columns(tables.membership, "role", "created_at", id="ref"),
        "handle": Stored(handle_of),
        "artist": ToOne("Artist", refer("artist_id"), always=True),
    },
)


INVITE = Type(
    "Invite",
    tables.membership_invite,
    {
        **columns(tables.membership_invite, "role", "created_at", "expires_at", id="ref"),
        "sender": Stored(lambda invite: handle_of(invite, "invited_by_id")),
        "artist": ToOne("Artist", refer("artist_id"), always=True),
    },
)


@dataclass(frozen=True, slots=True)
class HeldMembers:
    """An artist under the writer's lock, and all who hold it, by the ids of their memberships."""

    artist: UUID
    members: dict[UUID, Member]


async def hold_members(
    connection: AsyncConnection,
    viewer: Viewer,
    action: Action,
    *,
    artist: UUID | None = None,
    member: UUID | None = None,
) -> HeldMembers | None:
    """Lock an artist, named by itself or by one of its members, of whom the viewer may decide about somebody.

    None where there is no such artist or member, or it is not theirs.
    """
    table, row = tables.membership, tables.membership.alias()
    named = row.c.artist_id == artist if member is None else row.c.id == member
    locked = await _lock(connection, viewer, row, and_(named, allowed(table, action, row)))
    if locked is None:
        return None
    query = select(row.c.id, row.c.account_id, row.c.role, allowed(table, action, row).label("decided")).where(
        row.c.artist_id == locked, row.c.ended_at.is_(None)
    )
    rows = (await connection.execute(query, viewer_values(viewer))).all()
    members = {each.id: Member(each.account_id, Role(each.role), each.decided) for each in rows}
    return HeldMembers(locked, members) if any(member.decided for member in members.values()) else None


async def artists_held(connection: AsyncConnection, viewer: Viewer) -> list[UUID]:
    """The artists that the viewer's account holds, in the order in which they are locked; it gets no more meanwhile."""
    account, membership = tables.account.alias(), tables.membership.alias()
    mine = select(account.c.id).where(allowed(tables.account, Action.READ, account))
    await connection.execute(mine.with_for_update(key_share=True), viewer_values(viewer))
    own = select(membership.c.artist_id).where(allowed(tables.membership, Action.WRITE, membership))
    return sorted((await connection.execute(own, viewer_values(viewer))).scalars())


async def account_to_promote(connection: AsyncConnection, viewer: Viewer, member_id: UUID) -> UUID | None:
    """Whose membership it is, who is no owner yet; None where there is none, or the viewer may not decide about it."""
    row = tables.membership.alias()
    query = select(row.c.account_id).where(
        row.c.id == member_id, row.c.role != Role.OWNER.value, allowed(tables.membership, Action.OWN, row)
    )
    return (await connection.execute(query, viewer_values(viewer))).scalar()


class Invite(NamedTuple):
    """An invite that came to its end; `member` is the id of the membership it leads to."""

    member: UUID
    artist: UUID
    role: Role


def _good(invite: Any, secret_hash: bytes) -> ColumnElement[bool]:
    within = invite.c.expires_at > func.clock_timestamp()
    return and_(invite.c.secret_hash == secret_hash, invite.c.ended_at.is_(None), within)


async def invited_as(connection: AsyncConnection, secret_hash: bytes) -> Role | None:
    """What a code invites somebody to be; None where it is none, or was one."""
    invite = tables.membership_invite
    role = (await connection.execute(select(invite.c.role).where(_good(invite, secret_hash)))).scalar()
    return None if role is None else Role(role)


async def follow_invite(connection: AsyncConnection, secret_hash: bytes) -> Invite | None:
    """Lock the artist that a code invites to, and use the code up; None where it is none, or was one."""
    invite, row = tables.membership_invite, tables.membership_invite.alias()
    if await _lock(connection, Viewer(), row, _good(row, secret_hash)) is None:
        return None
    used = (
        update(invite)
        .where(_good(invite, secret_hash))
        .values(ended_at=func.clock_timestamp())
        .returning(invite.c.id, invite.c.artist_id, invite.c.role)
    )
    found = (await connection.execute(used)).first()
    return None if found is None else Invite(found.id, found.artist_id, Role(found.role))


async def withdraw_invite(connection: AsyncConnection, viewer: Viewer, invite_id: UUID) -> Invite | None:
    """Lock the artist an open invite leads to, and end the invite; None where there is none, or it is not theirs."""
    invite, row = tables.membership_invite, tables.membership_invite.alias()
    mine = allowed(tables.membership_invite, Action.OWN, row)
    if await _lock(connection, viewer, row, and_(row.c.id == invite_id, mine)) is None:
        return None
    # Who waited for the lock may be an owner no longer, and the invite may be followed by now.
    still = select(row.c.id).where(row.c.id == invite_id, mine)
    ended = (
        update(invite)
        .where(invite.c.id.in_(still))
        .values(ended_at=func.clock_timestamp())
        .returning(invite.c.id, invite.c.artist_id, invite.c.role)
    )
    found = (await connection.execute(ended, viewer_values(viewer))).first()
    return None if found is None else Invite(found.id, found.artist_id, Role(found.role))


async def add_member(connection: AsyncConnection, invite: Invite, account_id: UUID) -> bool:
    """Let somebody hold an artist they are invited to; False where they do already."""
    row = {"id": invite.member, "account_id": account_id, "artist_id": invite.artist, "role": invite.role.value}
    added = upsert(tables.membership).values(row).on_conflict_do_nothing().returning(tables.membership.c.id)
    return (await connection.execute(added)).first() is not None


async def _lock(connection: AsyncConnection, viewer: Viewer, row: Any, which: ColumnElement[bool]) -> UUID | None:
    artist = tables.artist
    query = (
        select(artist.c.id)
        .join_from(artist, row, row.c.artist_id == artist.c.id)
        .where(which)
        .limit(1)
        .with_for_update(of=artist)
    )
    return (await connection.execute(query, viewer_values(viewer))).scalar()


async def set_role(connection: AsyncConnection, member_id: UUID, role: Role) -> None:
    """Let a member be something else."""
    member = tables.membership
    await connection.execute(update(member).where(member.c.id == member_id).values(role=role.value))


async def end_membership(connection: AsyncConnection, member_id: UUID) -> None:
    """Let somebody hold an artist no longer."""
    member = tables.membership
    await connection.execute(update(member).where(member.c.id == member_id).values(ended_at=func.clock_timestamp()))


async def count_invites(connection: AsyncConnection, artist_id: UUID) -> int:
    """How many are invited to an artist and have not come yet."""
    invite = tables.membership_invite
    query = select(func.count()).where(
        invite.c.artist_id == artist_id, invite.c.ended_at.is_(None), invite.c.expires_at > func.now()
    )
    return (await connection.execute(query)).scalar_one()


async def add_invite(
    connection: AsyncConnection,
    invite_id: UUID,
    artist_id: UUID,
    invited_by: UUID,
    role: Role,
    secret_hash: bytes,
    expires_at: datetime,
) -> None:
    """Keep an invite."""
    row = {"id": invite_id, "artist_id": artist_id, "invited_by_id": invited_by, "role": role.value}
    lasts = {"secret_hash": secret_hash, "expires_at": expires_at}
    await connection.execute(insert(tables.membership_invite).values(**row, **lasts))


async def end_ownership(connection: AsyncConnection, artist_id: UUID, account_id: UUID) -> None:
    """End what somebody issued as an owner of an artist: its keys, and invites to it that nobody followed yet."""
    key, invite = tables.agent_key, tables.membership_invite
    keys = key.c.artist_id == artist_id, key.c.account_id == account_id, key.c.revoked_at.is_(None)
    await connection.execute(update(key).where(*keys).values(revoked_at=func.clock_timestamp()))
    invites = invite.c.artist_id == artist_id, invite.c.invited_by_id == account_id, invite.c.ended_at.is_(None)
    await connection.execute(update(invite).where(*invites).values(ended_at=func.clock_timestamp()))
