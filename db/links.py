"""Where share links live, where they lead, and who came by them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.assets import current_id
from db.places import Stored, ToOne, Type, columns, refer
from db.referrals import BROUGHT
from db.signals import Around
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from domain.links import KEY_LASTS, SHARED

SHARE_LINK = Type(
    "ShareLink",
    tables.share_link,
    {
        **columns(tables.share_link, "code", "created_at", id="ref"),
        "path": Stored(lambda link: func.concat("/s/", link.c.code, type_=Text)),
        "visitCount": Stored(lambda link: link.c.visits),
        "visitorCount": Stored(lambda link: link.c.visitors),
        "referralCount": BROUGHT,
        "artist": ToOne("Artist", refer("artist_id")),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "release": ToOne("Release", refer("release_id"), action=Action.READ),
        "room": ToOne("Room", refer("room_id"), action=Action.READ),
        "ritual": ToOne("Ritual", refer("ritual_id"), action=Action.READ),
    },
)
_COLUMNS = {kind: f"{kind.value}_id" for kind in SHARED}


class Shared(NamedTuple):
    """What is shared: as it goes by now, the handle of the world it is in, and around what it is."""

    subject: Ref
    handle: str
    around: Around


async def shared(connection: AsyncConnection, viewer: Viewer, subject: Ref) -> Shared | None:
    """Something the viewer may read, to be shared; None where it is not there for them."""
    return await _found(connection, viewer, subject.kind, literal(subject.id, Uuid))


async def led_to(connection: AsyncConnection, viewer: Viewer, kind: Kind, code: str) -> tuple[UUID, Shared] | None:
    """The link with a code, and where it leads; None where there is none, or nothing there for the viewer."""
    link = tables.share_link
    row = (await connection.execute(select(link.c.id, link.c[_COLUMNS[kind]]).where(link.c.code == code))).first()
    found = None if row is None or row[1] is None else await _found(connection, viewer, kind, literal(row[1], Uuid))
    return None if row is None or found is None else (row.id, found)


async def _found(connection: AsyncConnection, viewer: Viewer, kind: Kind, id_: ColumnElement[Any]) -> Shared | None:
    artist, asset, hook, room, ritual = (
        table.alias() for table in (tables.artist, tables.asset, tables.hook, tables.room, tables.ritual)
    )
    source: Any = artist
    around: dict[str, Any] = {}
    match kind:
        case Kind.HOOK:
            row, seen, around = hook, [allowed(tables.hook, Action.READ, hook)], {"hook": hook.c.id}
            source = hook.join(asset, asset.c.id == hook.c.track_id).join(artist, artist.c.id == asset.c.owner_id)
        case Kind.RELEASE:
            row = asset
            shown = asset_shown(asset, Exposure.TEASER)
            seen = [allowed(tables.asset, Action.READ, asset), shown, asset.c.kind == "RELEASE"]
            around = {"release": asset.c.id}
            source = asset.join(artist, artist.c.id == asset.c.owner_id)
        case Kind.ROOM:
            row, seen, around = room, [allowed(tables.room, Action.READ, room)], {"room": room.c.id}
            source = room.join(artist, artist.c.id == room.c.artist_id)
        case Kind.RITUAL:
            row, seen = ritual, [allowed(tables.ritual, Action.READ, ritual)]
            source = ritual.join(artist, artist.c.id == ritual.c.artist_id)
            around = {"hook": ritual.c.hook_id, "release": ritual.c.release_id}
        case _:
            row, seen = artist, [allowed(tables.artist, Action.READ, artist)]
    query = select(row.c.id, artist.c.handle, artist.c.id, *around.values()).select_from(source)
    found = (await connection.execute(query.where(row.c.id == current_id(id_), *seen), viewer_values(viewer))).first()
    if found is None:
        return None
    id_found, handle, artist_id, *rest = found
    return Shared(Ref(kind, id_found), handle, Around(artist_id, **dict(zip(around, rest, strict=True))))


async def link_of(connection: AsyncConnection, account_id: UUID, subject: Ref) -> UUID | None:
    """The link with which an account shares something."""
    link = tables.share_link
    mine = link.c.account_id == account_id, link.c[_COLUMNS[subject.kind]] == subject.id
    return (await connection.execute(select(link.c.id).where(*mine))).scalar()


async def count_links(connection: AsyncConnection, account_id: UUID, since: datetime) -> int:
    """How many links an account has made since; it makes no other before this transaction ends."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"links/{account_id}", 0))
    await connection.execute(select(lock))
    link = tables.share_link
    query = select(func.count()).where(link.c.account_id == account_id, link.c.created_at > since)
    return (await connection.execute(query)).scalar_one()


async def add_link(connection: AsyncConnection, id_: UUID, account_id: UUID, subject: Ref, code: str) -> bool:
    """Make a link; False where the code is another's."""
    row = {"id": id_, "code": code, "account_id": account_id, _COLUMNS[subject.kind]: subject.id}
    link = tables.share_link
    query = upsert(link).values(row).on_conflict_do_nothing(index_elements=[link.c.code]).returning(link.c.id)
    return (await connection.execute(query)).first() is not None


async def visitor_secret(connection: AsyncConnection, fresh: bytes) -> bytes:
    """With what visitors are told apart; after its time it is `fresh`, and nobody knows the former one any more."""
    key = tables.visitor_key
    over = key.c.made_at < func.now() - literal(KEY_LASTS)
    renewed = update(key).where(over).values(secret=fresh, made_at=func.now()).returning(key.c.secret)
    secret: bytes | None = (await connection.execute(renewed)).scalar()
    return secret or (await connection.execute(select(key.c.secret))).scalar_one()


async def add_visitor(connection: AsyncConnection, link_id: UUID, visitor: bytes, *, own: bool) -> bool:
    """Note who came by a link; False where they came before."""
    row = {"link_id": link_id, "visitor": visitor, "own": own}
    query = upsert(tables.share_visitor).values(row).on_conflict_do_nothing()
    return (await connection.execute(query.returning(tables.share_visitor.c.link_id))).first() is not None


async def add_visit(connection: AsyncConnection, link_id: UUID, visitor: bytes) -> None:
    """Count a visit, and the visitor where they are new. A crash may lose the last ones: nobody waits for the disk."""
    await connection.execute(text("SET LOCAL synchronous_commit TO off"))
    new = await add_visitor(connection, link_id, visitor, own=False)
    link = tables.share_link
    values = {"visits": link.c.visits + 1, "visitors": link.c.visitors + int(new)}
    await connection.execute(update(link).where(link.c.id == link_id).values(values))


def subject_of_code(kind: Kind) -> Any:
    """The thing of that kind that the link with the code `text` leads to."""

    def on(_: Any, target: Any, bound: Any) -> ColumnElement[bool]:
        link = tables.share_link.alias()
        leads = select(link.c[_COLUMNS[kind]]).where(link.c.code == bound["text"]).correlate_except(link)
        return target.c.id == current_id(leads.scalar_subquery())

    return on
