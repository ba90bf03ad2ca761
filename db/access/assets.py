"""Who may see and change assets, and what belongs to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, true

from db import tables
from db.access.actions import Action, Exposure, Predicate, Predicates, Row, everyone, seen
from db.viewers import IS_AGENT, edited, held, owned


def teased(asset: Row) -> ColumnElement[bool]:
    """A scheduled release, as people meet it: a teaser."""
    return and_(asset.c.teased, ~IS_AGENT)


def asset_listed(asset: Row) -> ColumnElement[bool]:
    """LIST of an asset; see the table of `db.access`."""
    return or_(asset.c.state == "PUBLIC", held(asset.c.owner_id), teased(asset))


def asset_reached(asset: Row) -> ColumnElement[bool]:
    """REACH of an asset; see the table of `db.access`."""
    return or_(asset.c.state.in_(("PUBLIC", "ARCHIVED", "WITHDRAWN")), held(asset.c.owner_id), teased(asset))


def asset_read(asset: Row) -> ColumnElement[bool]:
    """READ of an asset; see the table of `db.access`."""
    return or_(asset.c.state != "PRIVATE", held(asset.c.owner_id), teased(asset))


def asset_shown(asset: Row, exposure: Exposure) -> ColumnElement[bool]:
    """Whether a field of that exposure is shown of an asset that may be seen."""
    if exposure is Exposure.STUB:
        return true()
    if exposure is Exposure.WITHIN:
        return and_(held(asset.c.owner_id), ~IS_AGENT)
    hidden = ("WITHDRAWN",) if exposure is Exposure.TEASER else ("WITHDRAWN", "PRIVATE")
    return or_(asset.c.state.not_in(hidden), held(asset.c.owner_id))


@dataclass(frozen=True, slots=True)
class Met:
    """A row met through its asset, whose id it keeps in a column: the asset's own row need not be looked up again."""

    row: Row
    column: str
    asset: Row

    @property
    def c(self) -> Any:
        """The columns of the row."""
        return self.row.c


def its_asset(row: Row, column: str, *wanted: Predicate) -> ColumnElement[bool]:
    """The asset whose id the row keeps in that column is one for which all the predicates hold."""
    if isinstance(row, Met) and row.column == column:
        return and_(*[predicate(row.asset) for predicate in wanted])
    asset = tables.asset.alias()
    found = exists().where(asset.c.id == row.c[column], *[predicate(asset) for predicate in wanted])
    return found.correlate_except(asset)


def fully(asset: Row) -> ColumnElement[bool]:
    """Everything is shown of an asset that may be seen."""
    return asset_shown(asset, Exposure.FULL)


def held_asset(asset: Row) -> ColumnElement[bool]:
    """The asset is of an artist the viewer is a member of."""
    return held(asset.c.owner_id)


def of_asset(row: Row, listed: Predicate) -> ColumnElement[bool]:
    """Met through its asset, of which everything is shown."""
    return its_asset(row, "asset_id", listed, fully)


def _asset_inspected(asset: Row) -> ColumnElement[bool]:
    """By its people, and by programs as far as anybody may read it."""
    return or_(held(asset.c.owner_id), and_(IS_AGENT, asset_read(asset), fully(asset)))


def asset_written(asset: Row) -> ColumnElement[bool]:
    """WRITE of an asset: its artist's things are the viewer's to change."""
    return edited(asset.c.owner_id)


def _event_read(event: Row) -> ColumnElement[bool]:
    artist = tables.artist.alias()
    of_artist = exists().where(artist.c.id == event.c.subject_id).correlate_except(artist)
    return or_(its_asset(event, "subject_id", asset_read, fully), of_artist)


def _suggested(suggestion: Row) -> ColumnElement[bool]:
    """What programs suggest is for the track's people, and for the programs that write for them."""
    return its_asset(suggestion, "track_id", held_asset)


PREDICATES: Predicates = {
    tables.asset: {
        Action.READ: asset_read,
        Action.LIST: asset_listed,
        Action.REACH: asset_reached,
        Action.INSPECT: _asset_inspected,
        Action.WRITE: asset_written,
        Action.OWN: lambda asset: owned(asset.c.owner_id),
    },
    tables.provenance_event: {Action.READ: _event_read, Action.REACH: everyone},
    tables.suggestion: {
        **seen(_suggested),
        Action.WRITE: lambda suggestion: its_asset(suggestion, "track_id", asset_written),
    },
}
