"""Who may see quotes, licenses, how payments are shared, and what programs asked."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, not_, or_

from db import tables
from db.access.actions import Action, Predicates, Row, seen
from db.viewers import ASKER, IS_AGENT, held


def _own_quote(quote: Row) -> ColumnElement[bool]:
    """A quote is for the account that asked, whether in person or by a key."""
    return quote.c.account_id == ASKER


def _license_seen(license_: Row) -> ColumnElement[bool]:
    """A license is between who took it, whom it is for, and whose work it is on."""
    theirs = or_(held(license_.c.grantee_id), held(license_.c.owner_id))
    return or_(license_.c.account_id == ASKER, theirs)


def _use_told(use: Row) -> ColumnElement[bool]:
    """Who asked what about somebody's work is told to the members of that artist, in person."""
    return and_(held(use.c.artist_id), not_(IS_AGENT))


def _share_told(entry: Row) -> ColumnElement[bool]:
    """How a payment is shared is told to the members of who was paid, in person."""
    license_ = tables.license_.alias()
    theirs = exists().where(license_.c.payment_id == entry.c.payment_id, held(license_.c.owner_id))
    return and_(theirs.correlate_except(license_), not_(IS_AGENT))


def _licensed(license_: Row) -> ColumnElement[bool]:
    """What a license opens is for who took it, and whom it is for."""
    return or_(license_.c.account_id == ASKER, held(license_.c.grantee_id))


PREDICATES: Predicates = {
    tables.license_quote: seen(_own_quote),
    tables.license_: {**seen(_license_seen), Action.OWN: _licensed},
    tables.agent_use: seen(_use_told),
    tables.ledger_entry: {Action.REACH: _share_told},
}
