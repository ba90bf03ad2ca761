"""Where contributors, credits and splits live."""

from __future__ import annotations

from db import tables
from db.access import Action
from db.arguments import Paging
from db.orders import NEWEST
from db.places import Page, ToOne, Type, belong, columns, refer

CONTRIBUTOR = Type(
    "Contributor",
    tables.contributor,
    {
        **columns(tables.contributor, "name", "ipi", "isni", id="ref"),
        "artist": ToOne("Artist", refer("artist_id")),
        "credits": Page("Credit", belong("contributor_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
    },
)

CREDIT = Type(
    "Credit",
    tables.credit,
    {
        **columns(tables.credit, "role", "instrument", "acceptance", "position", id="ref"),
        "contributor": ToOne("Contributor", refer("contributor_id"), always=True),
        "asset": ToOne("Asset", refer("asset_id")),
    },
)

SPLIT = Type(
    "Split",
    tables.split,
    {
        **columns(tables.split, "pool", "basis_points", "acceptance", id="ref"),
        "contributor": ToOne("Contributor", refer("contributor_id"), always=True),
        "asset": ToOne("Asset", refer("asset_id")),
    },
)
