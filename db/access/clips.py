"""Who may see clips, hear them, and decide about them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_, select

from db import tables
from db.access.actions import Action, Predicates, Row, seen
from db.access.assets import asset_read, fully, its_asset
from db.access.hooks import hook_read
from db.viewers import edited, held


def clip_stands(clip: Row) -> ColumnElement[bool]:
    """What was sent in is there: its sample may be read, and its newest master is the one that was sent in."""
    media = tables.media.alias()
    newest = (
        select(media.c.id)
        .where(media.c.asset_id == clip.c.asset_id, media.c.role == "MASTER")
        .order_by(media.c.created_at.desc(), media.c.id.desc())
        .limit(1)
        .correlate_except(media)
        .scalar_subquery()
    )
    return and_(its_asset(clip, "asset_id", asset_read, fully), clip.c.media_id == newest)


def _at_hook(clip: Row) -> ColumnElement[bool]:
    hook = tables.hook.alias()
    return exists().where(hook.c.id == clip.c.hook_id, hook_read(hook)).correlate_except(hook)


def _clip_seen(clip: Row) -> ColumnElement[bool]:
    """By everybody once it was approved, as long as it stands and its hook may be read.

    By who sent it in whatever became of it, and by who decides unless it was taken back.
    """
    decides = and_(edited(clip.c.artist_id), clip.c.state != "WITHDRAWN")
    shown = and_(clip.c.state == "APPROVED", clip_stands(clip), _at_hook(clip))
    return or_(held(clip.c.sender_id), decides, shown)


PREDICATES: Predicates = {
    tables.clip: {
        **seen(_clip_seen),
        Action.WRITE: lambda clip: and_(edited(clip.c.artist_id), clip.c.state != "WITHDRAWN"),
        Action.OWN: lambda clip: edited(clip.c.sender_id),
    },
}
