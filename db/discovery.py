"""Where the feed comes from: at most fifty rows of a kind for each reason, read by an index, put in one order.

The order is the reason, then a time or the rise of a hook, then the id. No badge stands in it, and nothing that was
spent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Interval,
    Numeric,
    Text,
    case,
    cast,
    exists,
    extract,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from db import tables
from db.access import Action, Met
from db.arguments import Bound, Filter, Paging
from db.orders import WORDS, Order
from db.participation import around_release
from db.places import Kind, Page, Permitted, Stored, Type
from domain.discovery import IN_WORDS, MOST_FOLLOWED, MOST_TOLD, NEW, NEWCOMER, PART_OF, SOON, FeedReason
from domain.measures import APART
from domain.releases import VersionState
from domain.rituals import RitualState
from domain.social import TieKind

FEED = Order("fe", "place", WORDS)
_LATEST = literal_column(str(10**19), Numeric)
"""In microseconds, later than any moment there is."""
_DIGITS = 20


def _micros(at: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(extract("epoch", at), Numeric) * literal_column("1000000", Numeric)


def _first(number: int) -> ColumnElement[int]:
    return literal_column(str(number), Integer)


def _told(
    reason: FeedReason,
    kind: str,
    row: Any,
    at: ColumnElement[Any],
    by: ColumnElement[Any] | None = None,
    number: ColumnElement[Any] | None = None,
) -> Any:
    """Rows of a kind that are told for a reason: the latest, or the first in another order, as it is in numbers."""
    number = _LATEST - _micros(at) if number is None else number
    written = func.lpad(cast(func.trunc(number), Text), _DIGITS, literal_column("'0'"), type_=Text)
    place = literal_column(f"'{list(FeedReason).index(reason)}'", Text).concat(written)
    return (
        select(
            row.c.id,
            literal_column(f"'{kind}'", Text).label("kind"),
            place.collate("C").label("place"),
            literal_column(f"'{reason}'", Text).label("why"),
            at.label("at"),
        )
        .order_by(at.desc() if by is None else by, row.c.id)
        .limit(_first(MOST_TOLD))
    )


def _since(age: timedelta) -> ColumnElement[Any]:
    return func.now() - literal(age, Interval)


def _is_now(ritual: Any) -> ColumnElement[bool]:
    return ritual.c.state.in_((RitualState.OPEN.value, RitualState.RELEASED.value))


def _is_soon(ritual: Any) -> ColumnElement[bool]:
    announced = ritual.c.state == RitualState.ANNOUNCED.value
    return announced & (ritual.c.opens_at < func.now() + literal(SOON, Interval))


def _is_out(version: Any) -> ColumnElement[bool]:
    """The version that is out was published by a person, lately: what an import brought came out elsewhere before."""
    published = (version.c.state == VersionState.PUBLISHED.value) & ~version.c.is_compatibility
    return published & (version.c.published_at > _since(NEW))


def _followed(permitted: Permitted) -> list[Any]:
    """What is now, soon or new in the worlds the viewer follows; nobody follows none."""
    tie, ritual, hook, version = (
        table.alias() for table in (tables.tie, tables.ritual, tables.hook, tables.release_version)
    )
    track, album = tables.asset.alias(), tables.asset.alias()
    worlds = (
        select(tie.c.artist_id.label("id"))
        .where(tie.c.kind == TieKind.FOLLOW.value, permitted(tables.tie, tie))
        .order_by(tie.c.created_at.desc(), tie.c.id)
        .limit(_first(MOST_FOLLOWED))
        .cte()
    )
    reason = FeedReason.FOLLOWED_WORLD
    return [
        _told(reason, "Ritual", ritual, ritual.c.opens_at)
        .join_from(worlds, ritual, ritual.c.artist_id == worlds.c.id)
        .where(or_(_is_now(ritual), _is_soon(ritual)), permitted(tables.ritual, ritual)),
        _told(reason, "Hook", hook, hook.c.created_at)
        .join_from(worlds, track, track.c.owner_id == worlds.c.id)
        .join(hook, hook.c.track_id == track.c.id)
        .where(hook.c.created_at > _since(NEW), permitted(tables.hook, Met(hook, "track_id", track))),
        _told(reason, "Release", album, version.c.published_at)
        .join_from(worlds, album, album.c.owner_id == worlds.c.id)
        .join(version, version.c.release_id == album.c.id)
        .where(_is_out(version), permitted(tables.asset, album)),
    ]


def _rituals_now(permitted: Permitted) -> Any:
    ritual = tables.ritual.alias()
    told = _told(FeedReason.RITUAL_NOW, "Ritual", ritual, ritual.c.opens_at)
    return told.where(_is_now(ritual), permitted(tables.ritual, ritual))


def _rituals_soon(permitted: Permitted) -> Any:
    ritual = tables.ritual.alias()
    opens = ritual.c.opens_at
    told = _told(FeedReason.RITUAL_SOON, "Ritual", ritual, opens, opens, _micros(opens))
    return told.where(_is_soon(ritual), permitted(tables.ritual, ritual))


def _rising(permitted: Permitted) -> Any:
    """Hooks that rose when that was last measured, while that is no longer ago than what it is compared with."""
    taken, newest = tables.participation.alias(), tables.participation.alias()
    hook, track = tables.hook.alias(), tables.asset.alias()
    last = select(func.max(newest.c.taken_at)).correlate_except(newest).scalar_subquery()
    fallen = cast(1000 - taken.c.rise * 10, Numeric)
    return (
        _told(FeedReason.RISING_HOOK, "Hook", hook, taken.c.taken_at, taken.c.rise.desc(), func.round(fallen))
        .join_from(taken, hook, hook.c.id == taken.c.subject_id)
        .join(track, track.c.id == hook.c.track_id)
        .where(taken.c.taken_at == last, taken.c.taken_at > _since(APART), taken.c.rise > 0)
        .where(permitted(tables.hook, Met(hook, "track_id", track)))
    )


def _released(permitted: Permitted) -> Any:
    version, album = tables.release_version.alias(), tables.asset.alias()
    return (
        _told(FeedReason.NEW_RELEASE, "Release", album, version.c.published_at)
        .join_from(version, album, album.c.id == version.c.release_id)
        .where(_is_out(version), permitted(tables.asset, album))
    )


def _fed(bound: Bound, permitted: Permitted) -> FromClause:
    """All that is told, each thing once, for the first reason."""
    told = [(FeedReason.FOLLOWED_WORLD, each) for each in _followed(permitted)]
    told += [
        (FeedReason.RITUAL_NOW, _rituals_now(permitted)),
        (FeedReason.RISING_HOOK, _rising(permitted)),
        (FeedReason.RITUAL_SOON, _rituals_soon(permitted)),
        (FeedReason.NEW_RELEASE, _released(permitted)),
    ]
    if "kind" in bound:
        told = [(reason, each.where(bound["kind"] == literal_column(f"'{PART_OF[reason]}'"))) for reason, each in told]
    each = union_all(*[select(query.subquery()) for _, query in told]).subquery()
    return select(each).ext(distinct_on(each.c.id)).order_by(each.c.id, each.c.place).subquery()


def _firsts(release: Any) -> Any:
    """The first of all that each of those who took part did around a release."""
    signal = tables.signal.alias()
    firsts = select(signal.c.account_id, signal.c.artist_id, func.min(signal.c.at).label("at"))
    around = firsts.where(around_release(signal, release.c.id), ~signal.c.own).correlate_except(signal)
    return around.group_by(signal.c.account_id, signal.c.artist_id).subquery()


def _people(*more: Callable[[Any], ColumnElement[bool]]) -> Stored:
    def value(release: Any) -> ColumnElement[int]:
        first = _firsts(release)
        people = func.count(first.c.account_id.distinct())
        found = select(people).select_from(first).where(*[each(first) for each in more])
        return func.coalesce(found.correlate(release).scalar_subquery(), 0, type_=Integer)

    return Stored(value)


def _entered(first: Any) -> ColumnElement[bool]:
    before = tables.signal.alias()
    same = before.c.account_id == first.c.account_id, before.c.artist_id == first.c.artist_id
    return ~exists().where(*same, before.c.at < first.c.at).correlate_except(before)


def _brought(first: Any) -> ColumnElement[bool]:
    referral = tables.referral.alias()
    same = referral.c.account_id == first.c.account_id, referral.c.artist_id == first.c.artist_id
    return exists().where(*same).correlate_except(referral)


DISCOVERY_SUMMARY = Type(
    "DiscoverySummary",
    tables.asset,
    {
        "people": _people(),
        "newcomers": _people(lambda first: first.c.at > _since(NEWCOMER)),
        "entered": _people(_entered),
        "brought": _people(_brought),
    },
)


def _follow(row: Any, target: Any, _: Bound) -> ColumnElement[bool]:
    return target.c.id == row.c.id


def _in_words(row: Any) -> ColumnElement[str]:
    words = [(row.c.why == reason.value, literal_column(f"'{said}'", Text)) for reason, said in IN_WORDS.items()]
    return case(*words, else_=row.c.why)


FEED_ITEM = Type(
    "FeedItem",
    None,
    {},
    kinds=tuple(Kind((name,), name, _follow) for name in ("Ritual", "Hook", "Release")),
)
FEED_PAGE = Page(
    "FeedItem",
    lambda *_: true(),
    Paging({"PLACE": FEED}, "PLACE", {"kind": Filter(lambda *_: true(), Text(), str)}),
    action=Action.LIST,
    source=_fed,
    edge={
        "why": Stored(lambda row: row.c.why, plain=True),
        "inWords": Stored(_in_words),
        "at": Stored(lambda row: row.c.at),
    },
)
