"""Where contributors, credits and splits live."""

from __future__ import annotations

from sqlalchemy import and_

from db import tables
from db.access import Action
from db.arguments import Given, Paging, Reading
from db.history import holds_now
from db.orders import NEWEST, POSITION
from db.places import Page, ToOne, Type, belong, columns, refer
from db.verdicts import ASSET_REF_KINDS, Unbound
from domain.contributors import Acceptance, Pool, Share, checked_shares
from domain.errors import BadInput, Invalid
from domain.ids import Kind, parse_ref_of

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
        "visualWorld": ToOne("VisualWorld", refer("visual_id")),
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

PROPOSED_CREDITS = Page(
    "Credit",
    lambda _, credit, __: credit.c.acceptance == Acceptance.PROPOSED.value,
    Paging({"NEWEST": NEWEST}, "NEWEST"),
    action=Action.WRITE,
)
PROPOSED_SPLITS = Page(
    "Split",
    lambda _, split, __: and_(split.c.acceptance == Acceptance.PROPOSED.value, holds_now(split)),
    Paging({"POSITION": POSITION}, "POSITION"),
    action=Action.WRITE,
)
"""What waits for the viewer's answer."""


class ByShares(Unbound):
    """`asset pool shares amountMinor`."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds, shares that do not divide a pool, and an amount below nothing."""
        amount = given.get("amountMinor")
        if amount is not None and amount < 0:
            raise BadInput("amountMinor is 0 or more.")
        try:
            shares = read_shares(given)
            checked_shares(shares)
        except Invalid as error:
            raise BadInput(error.message) from None
        asset = parse_ref_of(given["asset"], ASSET_REF_KINDS).id
        return None, {"asset": asset, "pool": Pool(given["pool"]), "shares": shares, "amount_minor": amount}


def read_shares(given: Given) -> list[Share]:
    """The `shares` somebody gives; whether they divide a pool is not asked yet.

    Raises:
        BadInput: an id is none of a contributor.
    """
    kinds = frozenset({Kind.CONTRIBUTOR})
    return [Share(parse_ref_of(each["contributor"], kinds), each["basisPoints"]) for each in given["shares"]]
