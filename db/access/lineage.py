"""Who may see edges."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from db import tables
from db.access.actions import Action, Predicates, Row
from db.access.assets import asset_reached, fully, held_asset, its_asset
from db.history import has_begun, holds_now


def edge_ends_seen(edge: Row) -> ColumnElement[bool]:
    """Both ends of the edge may be seen: only then is more told of it than its kind and status."""
    return and_(its_asset(edge, "child_id", asset_reached, fully), its_asset(edge, "parent_id", asset_reached, fully))


def edge_stands(edge: Row) -> ColumnElement[bool]:
    """Nobody rejected the edge, or refused to register it."""
    return and_(edge.c.status != "REJECTED", edge.c.registration != "REFUSED")


def edge_told(edge: Row) -> ColumnElement[bool]:
    """An edge that does not stand is heard of by both owners only."""
    theirs = or_(its_asset(edge, "child_id", held_asset), its_asset(edge, "parent_id", held_asset))
    return or_(edge_stands(edge), theirs)


def _edge_reached(edge: Row) -> ColumnElement[bool]:
    return and_(holds_now(edge), edge_told(edge))


def _edge_read(edge: Row) -> ColumnElement[bool]:
    either = or_(its_asset(edge, "child_id", asset_reached, fully), its_asset(edge, "parent_id", asset_reached, fully))
    return and_(has_begun(edge), edge_told(edge), either)


PREDICATES: Predicates = {
    tables.lineage_edge: {Action.READ: _edge_read, Action.REACH: _edge_reached, Action.CITE: edge_told},
}
