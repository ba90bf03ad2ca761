"""Where accounts and the viewer live."""

from __future__ import annotations

from sqlalchemy import select

from db import tables
from db.access import Action
from db.arguments import Paging
from db.orders import NAME
from db.places import Page, ToOne, Type, columns

ACCOUNT = Type("Account", tables.account, columns(tables.account, "handle", "created_at", id="ref"))

VIEWER = Type(
    "Viewer",
    tables.account,
    {
        "account": ToOne("Account", lambda row, account, _: account.c.id == row.c.id, always=True),
        "artists": Page(
            "Artist",
            lambda row, artist, _: artist.c.id.in_(
                select(tables.membership.c.artist_id).where(
                    tables.membership.c.account_id == row.c.id, tables.membership.c.ended_at.is_(None)
                )
            ),
            Paging({"NAME": NAME}, "NAME"),
            action=Action.LIST,
        ),
    },
)
