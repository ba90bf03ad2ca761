"""Who may see and change what people do around a song."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_, select

from db import tables
from db.access.actions import Action, Predicates, Row, everyone, seen
from db.access.hooks import hook_read
from db.access.rituals import ritual_read
from db.viewers import VIEWER_ACCOUNT, edited


def _own(row: Row) -> ColumnElement[bool]:
    """What one did oneself, and what one is told."""
    return row.c.account_id == VIEWER_ACCOUNT


def _own_tie(tie: Row) -> ColumnElement[bool]:
    """Who follows, likes or saves something is known to themselves, for as long as they do."""
    return and_(tie.c.ended_at.is_(None), _own(tie))


def _said(comment: Row) -> ColumnElement[bool]:
    """Nobody took it back; what it is said about was itself seen."""
    return comment.c.deleted_at.is_(None)


def _comment_read(comment: Row) -> ColumnElement[bool]:
    hook = tables.hook.alias()
    of_hook = exists().where(hook.c.id == comment.c.hook_id, hook_read(hook)).correlate_except(hook)
    ritual = tables.ritual.alias()
    of_ritual = exists().where(ritual.c.id == comment.c.ritual_id, ritual_read(ritual)).correlate_except(ritual)
    return and_(_said(comment), or_(comment.c.artist_id.is_not(None), of_hook, of_ritual))


def _comment_taken_back(comment: Row) -> ColumnElement[bool]:
    """Who wrote it may, and the editors of the artist it is said to."""
    hook, asset = tables.hook.alias(), tables.asset.alias()
    owner = (
        select(asset.c.owner_id)
        .join_from(hook, asset, asset.c.id == hook.c.track_id)
        .where(hook.c.id == comment.c.hook_id)
        .correlate_except(hook, asset)
        .scalar_subquery()
    )
    ritual = tables.ritual.alias()
    host = select(ritual.c.artist_id).where(ritual.c.id == comment.c.ritual_id).correlate_except(ritual)
    theirs = (edited(each) for each in (comment.c.artist_id, owner, host.scalar_subquery()))
    return and_(_said(comment), or_(_own(comment), *theirs))


PREDICATES: Predicates = {
    tables.activity: seen(_own),
    tables.comment: {
        Action.READ: _comment_read,
        Action.LIST: _said,
        Action.REACH: _said,
        Action.WRITE: _comment_taken_back,
    },
    tables.participation: {Action.REACH: everyone},
    tables.share_link: seen(_own),
    tables.tie: seen(_own_tie),
}
