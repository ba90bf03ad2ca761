"""Who may see credits, splits and who they name, and answer them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_

from db import tables
from db.access.actions import Action, Predicate, Predicates, Row, everyone
from db.access.assets import asset_listed, asset_read, held_asset, its_asset, of_asset
from db.access.visuals import visual_read
from db.history import holds_now
from db.viewers import VIEWER_ACCOUNT, edited, held


def _oneself(contributor: Row) -> ColumnElement[bool]:
    """The contributor is the person who asks, or an artist they edit."""
    return or_(contributor.c.account_id == VIEWER_ACCOUNT, edited(contributor.c.artist_id))


def _of_oneself(row: Row) -> ColumnElement[bool]:
    """A credit or split is answered by the person it names, who reads it whatever they may read of the asset."""
    contributor = tables.contributor.alias()
    named = exists().where(contributor.c.id == row.c.contributor_id, _oneself(contributor))
    return named.correlate_except(contributor)


def _agreed(row: Row, *also: ColumnElement[bool]) -> ColumnElement[bool]:
    """A credit or split its person declined is between them and the owner."""
    return or_(row.c.acceptance != "DECLINED", its_asset(row, "asset_id", held_asset), _of_oneself(row), *also)


def credit_stands(credit: Row) -> ColumnElement[bool]:
    """Nobody took the credit back or declined it."""
    return and_(credit.c.ended_at.is_(None), credit.c.acceptance != "DECLINED")


def _on_visual(credit: Row, predicate: Predicate) -> ColumnElement[bool]:
    """The credit is on a visual world for which that holds."""
    visual = tables.visual_world.alias()
    return exists().where(visual.c.id == credit.c.visual_id, predicate(visual)).correlate_except(visual)


def _credit_reached(credit: Row) -> ColumnElement[bool]:
    on_own = _on_visual(credit, lambda visual: held(visual.c.owner_id))
    return and_(credit.c.ended_at.is_(None), _agreed(credit, on_own))


def _credit_answered(credit: Row) -> ColumnElement[bool]:
    return and_(credit.c.ended_at.is_(None), _of_oneself(credit))


def _credit_read(credit: Row) -> ColumnElement[bool]:
    seen = or_(of_asset(credit, asset_read), _on_visual(credit, visual_read))
    return or_(and_(_credit_reached(credit), seen), _credit_answered(credit))


def _credit_listed(credit: Row) -> ColumnElement[bool]:
    return and_(_credit_reached(credit), or_(of_asset(credit, asset_listed), _on_visual(credit, visual_read)))


def _split_reached(split: Row) -> ColumnElement[bool]:
    return and_(holds_now(split), _agreed(split))


def _split_read(split: Row) -> ColumnElement[bool]:
    return or_(and_(_split_reached(split), of_asset(split, asset_read)), and_(holds_now(split), _of_oneself(split)))


def _contributor_listed(contributor: Row) -> ColumnElement[bool]:
    credit = tables.credit.alias()
    credited = exists().where(credit.c.contributor_id == contributor.c.id, _credit_listed(credit))
    return or_(credited.correlate_except(credit), contributor.c.account_id == VIEWER_ACCOUNT)


def _found_listed(entry: Row) -> ColumnElement[bool]:
    contributor = tables.contributor.alias()
    credited = exists().where(contributor.c.id == entry.c.node_id, _contributor_listed(contributor))
    return or_(
        entry.c.kind == "ARTIST",
        and_(entry.c.kind == "CONTRIBUTOR", credited.correlate_except(contributor)),
        its_asset(entry, "node_id", asset_listed),
    )


PREDICATES: Predicates = {
    tables.contributor: {
        Action.READ: _contributor_listed,
        Action.LIST: _contributor_listed,
        Action.REACH: everyone,
        Action.WRITE: _oneself,
    },
    tables.credit: {
        Action.READ: _credit_read,
        Action.LIST: _credit_listed,
        Action.REACH: _credit_reached,
        Action.WRITE: _credit_answered,
    },
    tables.search_entry: {Action.LIST: _found_listed},
    tables.split: {Action.READ: _split_read, Action.REACH: _split_reached, Action.WRITE: _of_oneself},
}
