"""Where comments on hooks, worlds and rituals live. Of one that was taken back the words are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.accounts import handle_of
from db.arguments import Paging
from db.orders import NEWEST
from db.places import Page, Stored, ToOne, Type, belong, columns, refer
from db.social import Place
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from domain.messages import MINUTE, Pace

COMMENT = Type(
    "Comment",
    tables.comment,
    {
        **columns(tables.comment, "position_ms", "created_at", id="ref"),
        "text": Stored(lambda comment: comment.c.text),
        "handle": Stored(handle_of),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "world": ToOne("World", refer("artist_id")),
        "ritual": ToOne("Ritual", refer("ritual_id"), action=Action.READ),
    },
)


_COLUMNS = {Kind.ARTIST: "artist_id", Kind.HOOK: "hook_id", Kind.RITUAL: "ritual_id"}


def comments_on(column: str) -> Page:
    """The comments that keep the row's id in a column, newest first."""
    return Page("Comment", belong(column), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST)


async def pace_of(connection: AsyncConnection, account_id: UUID) -> Pace:
    """How an account has been heard in its comments; it writes no other before this transaction ends."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"comments/{account_id}", 0))
    await connection.execute(select(lock))
    comment = tables.comment
    now = func.clock_timestamp(type_=DateTime(timezone=True))
    lately = comment.c.account_id == account_id, comment.c.created_at > now - literal(MINUTE)
    query = select(now.label("now"), func.count().label("recent"), func.min(comment.c.created_at).label("oldest"))
    row = (await connection.execute(query.where(*lately))).one()
    return Pace(row.now, False, None, 0, None, row.recent, row.oldest)


async def add_comment(
    connection: AsyncConnection, id_: UUID, account_id: UUID, place: Place, text: str, position_ms: int | None
) -> None:
    """Write what somebody says at a place."""
    subject = {_COLUMNS[place.subject.kind]: place.subject.id}
    row: dict[str, Any] = {"id": id_, "account_id": account_id, "text": text, "position_ms": position_ms, **subject}
    await connection.execute(insert(tables.comment).values(row))


@dataclass(frozen=True, slots=True)
class HeldComment:
    """A comment under the writer's lock, and what it is about; `logged` is that, or the track of the hook."""

    id: UUID
    subject: Ref
    logged: UUID


async def hold_comment(connection: AsyncConnection, viewer: Viewer, id_: UUID) -> HeldComment | None:
    """Lock a comment the viewer may take back; None where there is none, or it is not theirs to."""
    comment, hook = tables.comment.alias(), tables.hook.alias()
    query = (
        select(comment.c.id, *[comment.c[name] for name in _COLUMNS.values()], hook.c.track_id)
        .outerjoin_from(comment, hook, hook.c.id == comment.c.hook_id)
        .where(comment.c.id == id_, allowed(tables.comment, Action.WRITE, comment))
        .with_for_update(of=comment)
    )
    row = (await connection.execute(query, viewer_values(viewer))).first()
    if row is None:
        return None
    named = ((kind, getattr(row, column)) for kind, column in _COLUMNS.items())
    subject = next(Ref(kind, id_) for kind, id_ in named if id_ is not None)
    return HeldComment(row.id, subject, row.track_id or subject.id)


async def delete_comment(connection: AsyncConnection, held: HeldComment, account_id: UUID) -> None:
    """Take a held comment back: its words go, that it was there stays."""
    values = {"text": None, "deleted_at": func.now(), "deleted_by_id": account_id}
    await connection.execute(update(tables.comment).where(tables.comment.c.id == held.id).values(values))
