"""The viewer in a statement: the parameters that the predicates of `db.access` speak of, and whose an artist is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Uuid, any_, bindparam, exists

from db import tables
from domain.accounts import Role, Viewer

VIEWER_ACCOUNT = bindparam("viewer_account", type_=Uuid)
ASKER = bindparam("viewer_asker", type_=Uuid)
_HOLDS = bindparam("viewer_holds", type_=ARRAY(Uuid))
_GRANTEES = bindparam("viewer_grantees", type_=ARRAY(Uuid))
_EDITS = bindparam("viewer_edits", type_=ARRAY(Uuid))
IS_AGENT = bindparam("viewer_is_agent", type_=Boolean)


def viewer_values(viewer: Viewer) -> dict[str, object]:
    """The values of the parameters that the predicates speak of. A key sees nothing of the account it is of."""
    return {
        "viewer_account": None if viewer.is_agent else viewer.account,
        "viewer_asker": viewer.account,
        "viewer_holds": viewer.holds,
        "viewer_grantees": viewer.grantees,
        "viewer_edits": viewer.edits,
        "viewer_is_agent": viewer.is_agent,
    }


def held(artist_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The viewer is a member of the artist."""
    return artist_id == any_(_HOLDS)


def granted_to(artist_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The viewer asks for the artist: as a member, or by a key that acts for them."""
    return artist_id == any_(_GRANTEES)


def edited(artist_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The viewer may change what is the artist's."""
    return artist_id == any_(_EDITS)


def owned(artist_id: ColumnElement[Any], account_id: ColumnElement[Any] = VIEWER_ACCOUNT) -> ColumnElement[bool]:
    """The account, the viewer's where none is named, is an owner of the artist."""
    membership = tables.membership.alias()
    owning = exists().where(
        membership.c.artist_id == artist_id,
        membership.c.account_id == account_id,
        membership.c.role == Role.OWNER.value,
        membership.c.ended_at.is_(None),
    )
    return owning.correlate_except(membership)
