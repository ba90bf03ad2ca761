"""Where artists and their worlds live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, and_, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.addresses import address_of_world
from db.arguments import Bound, Paging
from db.assets import ASSET_PAGING, owned_by
from db.comments import comments_on
from db.licensing import USAGE
from db.orders import NEWEST, OLDEST, SEQUENCE
from db.participation import PARTICIPATION
from db.places import Page, Stored, ToOne, Type, belong, columns, refer
from db.rituals import current_ritual
from db.social import counted, tied
from db.viewers import viewer_values
from domain.accounts import Role, Viewer
from domain.artists import ArtistDraft
from domain.social import TieKind


def _badges_of_world(row: Any) -> ColumnElement[Any]:
    """Those that its theme shows."""
    theme = tables.theme.alias()
    shown = select(theme.c.badges).where(theme.c.id == row.c.theme_id).correlate_except(theme).scalar_subquery()
    return func.coalesce(shown, literal_column("'{}'::text[]", ARRAY(Text)))


def _stated_by_artist(row: Any, policy: Any, _: Bound) -> ColumnElement[bool]:
    return and_(policy.c.subject_id == row.c.id, policy.c.level == "ARTIST")


def _of_world(row: Any, room: Any, _: Bound) -> ColumnElement[bool]:
    return and_(room.c.artist_id == row.c.id, room.c.hook_id.is_(None), room.c.release_id.is_(None))


def _hooks_of(row: Any, hook: Any, _: Bound) -> ColumnElement[bool]:
    return hook.c.track_id.in_(owned_by(row.c.id))


ARTIST = Type(
    "Artist",
    tables.artist,
    {
        **columns(tables.artist, "handle", "name", "kind", "claimed", "version", "created_at", id="ref"),
        "world": ToOne("World", lambda row, world, _: world.c.id == row.c.id, always=True),
        "policy": ToOne("PermissionPolicy", _stated_by_artist),
        "members": Page("Membership", belong("artist_id"), Paging({"OLDEST": OLDEST}, "OLDEST"), action=Action.LIST),
        "invites": Page("Invite", belong("artist_id"), Paging({"OLDEST": OLDEST}, "OLDEST"), action=Action.LIST),
        "assets": Page("Asset", belong("owner_id"), ASSET_PAGING, action=Action.LIST),
        "provenance": Page("ProvenanceEvent", belong("subject_id"), Paging({"SEQUENCE": SEQUENCE}, "SEQUENCE")),
        "usage": USAGE,
    },
)

WORLD = Type(
    "World",
    tables.artist,
    {
        **columns(tables.artist, "handle", "name", "tagline", "bio"),
        "url": address_of_world(),
        "artist": ToOne("Artist", lambda row, artist, _: artist.c.id == row.c.id, always=True),
        "theme": ToOne("Theme", refer("theme_id")),
        "badges": Stored(_badges_of_world),
        "visualWorld": ToOne("VisualWorld", refer("visual_id")),
        "leadHook": ToOne("Hook", refer("lead_hook_id"), action=Action.LIST),
        "hooks": Page("Hook", _hooks_of, Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
        "releases": Page("Release", belong("owner_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
        "room": ToOne("Room", _of_world),
        "currentRitual": ToOne("Ritual", current_ritual),
        "followerCount": counted("followers"),
        "commentCount": counted("comments"),
        "shareCount": counted("shares"),
        "viewerFollows": tied(TieKind.FOLLOW, "artist_id"),
        "comments": comments_on("artist_id"),
        "participation": PARTICIPATION,
    },
)


@dataclass(frozen=True, slots=True)
class HeldArtist:
    """An artist under the writer's lock, with the columns that may be changed."""

    id: UUID
    version: int
    values: Mapping[str, Any]


CHANGEABLE = ("handle", "name", "kind", "tagline", "bio")


async def hold_artist(
    connection: AsyncConnection, viewer: Viewer, artist_id: UUID, action: Action = Action.WRITE
) -> HeldArtist | None:
    """Lock an artist the viewer may change, or decide for; None where there is none, or it is not theirs."""
    artist = tables.artist.alias()
    query = select(artist).where(artist.c.id == artist_id, allowed(tables.artist, action, artist)).with_for_update()
    row = (await connection.execute(query, viewer_values(viewer))).mappings().first()
    return None if row is None else HeldArtist(row["id"], row["version"], {name: row[name] for name in CHANGEABLE})


async def add_artist(connection: AsyncConnection, artist_id: UUID, draft: ArtistDraft) -> None:
    """Make an artist somebody signs in for."""
    row = {"handle": draft.handle, "name": draft.name, "kind": draft.kind, "tagline": draft.tagline, "bio": draft.bio}
    await connection.execute(insert(tables.artist).values(id=artist_id, claimed=True, **row))


async def update_artist(connection: AsyncConnection, held: HeldArtist, values: Mapping[str, Any]) -> None:
    """Write new values to a held artist and move its version on."""
    artist = tables.artist
    await connection.execute(
        update(artist).where(artist.c.id == held.id).values({**values, "version": held.version + 1})
    )


async def artists_owned(connection: AsyncConnection, account_id: UUID) -> int:
    """How many artists an account owns; it gets no more before this transaction ends."""
    account = tables.account
    # Not FOR UPDATE: who holds an artist's lock may be about to name the account in a row of their own.
    await connection.execute(select(account.c.id).where(account.c.id == account_id).with_for_update(key_share=True))
    membership = tables.membership
    query = select(func.count()).where(
        membership.c.account_id == account_id,
        membership.c.role == Role.OWNER.value,
        membership.c.ended_at.is_(None),
    )
    return (await connection.execute(query)).scalar_one()
