"""How a release is passed on: the links to it and to the hooks of what it holds, and who came by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, func, select

from db import tables
from db.participation import leads_around_release
from db.places import Stored, Type


def _of_links(counted: Callable[[Any], ColumnElement[Any]], type_: type[Integer]) -> Stored:
    def value(release: Any) -> ColumnElement[Any]:
        link = tables.share_link.alias()
        found = select(counted(link)).where(leads_around_release(link, release.c.id)).correlate_except(link)
        return func.coalesce(found.scalar_subquery(), 0, type_=type_)

    return Stored(value)


def _brought(release: Any) -> ColumnElement[int]:
    link, referral = tables.share_link.alias(), tables.referral.alias()
    found = (
        select(func.count())
        .join_from(link, referral, referral.c.link_id == link.c.id)
        .where(leads_around_release(link, release.c.id))
        .correlate_except(link, referral)
    )
    return func.coalesce(found.scalar_subquery(), 0, type_=Integer)


def _trusted(release: Any) -> ColumnElement[int]:
    taken = tables.participation.alias()
    latest = select(taken.c.trusted_circulation).where(taken.c.subject_id == release.c.id)
    latest = latest.order_by(taken.c.taken_at.desc()).limit(1).correlate_except(taken)
    return func.coalesce(latest.scalar_subquery(), 0, type_=Integer)


CIRCULATION_SUMMARY = Type(
    "CirculationSummary",
    tables.asset,
    {
        "links": _of_links(lambda _: func.count(), Integer),
        "sharers": _of_links(lambda link: func.count(link.c.account_id.distinct()), Integer),
        "visits": _of_links(lambda link: func.sum(link.c.visits), BigInteger),
        "visitors": _of_links(lambda link: func.sum(link.c.visitors), BigInteger),
        "trusted": Stored(_trusted),
        "brought": Stored(_brought),
    },
)
