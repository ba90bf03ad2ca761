"""Where permission policies and their terms live."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func

from db import tables
from db.arguments import Bound
from db.places import Inline, Many, Stored, Type, columns


def _terms_of(row: Any, term: Any, _: Bound) -> ColumnElement[bool]:
    return term.c.term_set_id == row.c.term_set_id


PERMISSION_POLICY = Type(
    "PermissionPolicy",
    tables.policy,
    {
        **columns(tables.policy, "level", "license_family", "license", "stated_as", id="ref"),
        "validFrom": Stored(lambda row: func.lower(row.c.valid, type_=tables.policy.c.created_at.type), nullable=True),
        "terms": Many("PermissionTerm", _terms_of, "position", cap=16),
    },
)

PERMISSION_TERM = Type(
    "PermissionTerm",
    tables.term,
    {
        **columns(tables.term, "use", "layer", "decision", "attribution", "share_alike", "territories", "starts_on"),
        **columns(
            tables.term,
            "ends_on",
            "purpose",
            "exception",
            "reaches_outputs",
            "sublicense",
            "royalty_bp",
            "route",
        ),
        "price": Inline(
            "Price",
            columns(tables.term, amountMinor="price_minor", currency="currency"),
            present=lambda row: row.c.price_minor.is_not(None),
        ),
    },
)
