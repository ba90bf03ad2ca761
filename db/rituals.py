"""Where rituals live, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, DateTime, and_, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.addresses import address_in_world
from db.arguments import Bound, Paging
from db.assets import current_id
from db.clips import clips_with
from db.comments import comments_on
from db.orders import NEWEST, POSITION, SOONEST
from db.places import Page, Stored, ToOne, Type, belong, columns, refer
from db.social import counted
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.entitlements import SCOPES
from domain.ids import Kind, Ref
from domain.releases import ReleaseStatus
from domain.rituals import BEST_MOMENTS, OVER, RitualDraft, RitualState, RitualTimes

_ENDED = [state.value for state in OVER]


def _remembered(row: Any, memory: Any, _: Bound) -> ColumnElement[bool]:
    return and_(memory.c.id == row.c.id, memory.c.state == RitualState.MEMORY.value)


def current_ritual(world: Any, ritual: Any, _: Bound) -> ColumnElement[bool]:
    """The ritual of a world that is under way, or else comes next."""
    other = tables.ritual.alias()
    soonest = (
        select(other.c.id)
        .where(
            other.c.artist_id == world.c.id, other.c.state.not_in(_ENDED), allowed(tables.ritual, Action.LIST, other)
        )
        .order_by(other.c.opens_at, other.c.id)
        .limit(1)
        .correlate_except(other)
    )
    return ritual.c.id == soonest.scalar_subquery()


RITUAL_PAGING = Paging({"SOONEST": SOONEST, "NEWEST": NEWEST}, "SOONEST")
RITUAL = Type(
    "Ritual",
    tables.ritual,
    {
        **columns(
            tables.ritual, "title", "state", "opens_at", "releases_at", "ends_at", "presave_count", "version", id="ref"
        ),
        "url": address_in_world(Kind.RITUAL),
        "world": ToOne("World", refer("artist_id"), always=True),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "release": ToOne("Release", refer("release_id"), action=Action.READ),
        "room": ToOne("Room", refer("room_id"), action=Action.READ),
        "firstSupporters": Page(
            "Presave", belong("ritual_id"), Paging({"POSITION": POSITION}, "POSITION"), action=Action.LIST
        ),
        "participation": ToOne("RitualParticipation", belong("ritual_id")),
        "unlockScope": Stored(lambda ritual: ritual.c.unlock_scope, nullable=True, plain=True),
        "unlocked": ToOne(
            "Asset", lambda row, asset, _: asset.c.id == current_id(row.c.unlock_asset_id), action=Action.READ
        ),
        "clips": clips_with("ritual_id"),
        "commentCount": counted("comments"),
        "comments": comments_on("ritual_id"),
        "memory": ToOne("RitualMemory", _remembered),
    },
)
RITUAL_MEMORY = Type(
    "RitualMemory",
    tables.ritual,
    {
        # Its columns are empty before, when it is none.
        "presaves": Stored(lambda ritual: ritual.c.presave_count),
        "people": Stored(lambda ritual: ritual.c.people),
        "messages": Stored(lambda ritual: ritual.c.messages),
        "reactions": Stored(lambda ritual: ritual.c.reactions),
        "clips": Stored(lambda ritual: ritual.c.clips),
        "bestMoments": Stored(lambda ritual: ritual.c.best_moments),
    },
)


@dataclass(frozen=True, slots=True)
class HeldRitual:
    """A ritual, as who writes around it needs it.

    Attributes:
        id: of the ritual.
        artist: whose it is.
        subject: the hook or the release it is around.
        room: where people gather.
        state: where it stands.
        times: of it.
        presaves: how many wait for it, or waited.
        unlocks: what those get who waited, once it is out.
        is_out: what it is around is there for everybody; a hook is from its time on.
        version: the optimistic version.
    """

    id: UUID
    artist: UUID
    subject: Ref
    room: UUID
    state: RitualState
    times: RitualTimes
    presaves: int
    unlocks: Ref | None
    is_out: bool
    version: int

    @property
    def around(self) -> tuple[UUID | None, UUID | None]:
        """The hook, or the release."""
        return (self.subject.id, None) if self.subject.kind is Kind.HOOK else (None, self.subject.id)


async def hold_ritual(
    connection: AsyncConnection, viewer: Viewer, ritual_id: UUID, action: Action
) -> HeldRitual | None:
    """Lock a ritual the viewer may read, or change; None where there is none, or it is not for them."""
    ritual = tables.ritual.alias()
    seen = [] if action is Action.READ else [allowed(tables.ritual, action, ritual)]
    query = select(ritual).where(ritual.c.id == ritual_id, allowed(tables.ritual, Action.READ, ritual), *seen)
    row = (await connection.execute(query.with_for_update(of=ritual, key_share=True), viewer_values(viewer))).first()
    return None if row is None else await _held(connection, row)


async def hold_due(connection: AsyncConnection, ritual_id: UUID) -> HeldRitual:
    """Lock a ritual whose time has come: nobody asks for it."""
    ritual = tables.ritual
    query = select(ritual).where(ritual.c.id == ritual_id).with_for_update(key_share=True)
    return await _held(connection, (await connection.execute(query)).one())


async def ritual_of(connection: AsyncConnection, ritual_id: UUID) -> HeldRitual:
    """A ritual as it stands; nobody asks for it."""
    query = select(tables.ritual).where(tables.ritual.c.id == ritual_id)
    return await _held(connection, (await connection.execute(query)).one())


async def hold_awaiting(connection: AsyncConnection, release_id: UUID) -> list[HeldRitual]:
    """Lock the rituals that wait for a release that comes out in this transaction."""
    ritual = tables.ritual
    query = select(ritual).where(ritual.c.release_id == release_id, ritual.c.state.not_in(_ENDED))
    rows = (await connection.execute(query.order_by(ritual.c.id).with_for_update(key_share=True))).all()
    return [await _held(connection, row) for row in rows]


async def _held(connection: AsyncConnection, row: Any) -> HeldRitual:
    subject, is_out = Ref(Kind.HOOK, row.hook_id), True
    if row.hook_id is None:
        release = tables.release
        query = select(release.c.status).where(release.c.id == row.release_id)
        subject = Ref(Kind.RELEASE, row.release_id)
        is_out = (await connection.execute(query)).scalar_one() == ReleaseStatus.PUBLISHED.value
    times = RitualTimes(row.opens_at, row.releases_at, row.ends_at)
    state, unlocks = RitualState(row.state), _unlocks(row)
    about = row.artist_id, subject, row.room_id, state, times
    return HeldRitual(row.id, *about, row.presave_count, unlocks, is_out, row.version)


def _unlocks(row: Any) -> Ref | None:
    if row.unlock_scope is None:
        return None
    kind = next(kind for kind, scope in SCOPES.items() if scope.value == row.unlock_scope)
    return Ref(kind, row.unlock_asset_id or row.artist_id)


async def overlaps(connection: AsyncConnection, artist_id: UUID, times: RitualTimes) -> bool:
    """Whether a held artist has another ritual in that time."""
    ritual = tables.ritual
    at_once = func.tstzrange(ritual.c.opens_at, ritual.c.ends_at).op("&&")(
        func.tstzrange(times.opens_at, times.ends_at)
    )
    query = select(ritual.c.id).where(
        ritual.c.artist_id == artist_id, ritual.c.state != RitualState.CANCELLED.value, at_once
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def add_ritual(
    connection: AsyncConnection, ritual_id: UUID, artist_id: UUID, room_id: UUID, account_id: UUID, draft: RitualDraft
) -> None:
    """Write a ritual down."""
    around = {"hook_id" if draft.subject.kind is Kind.HOOK else "release_id": draft.subject.id}
    times = {"opens_at": draft.times.opens_at, "releases_at": draft.times.releases_at, "ends_at": draft.times.ends_at}
    row = {"id": ritual_id, "artist_id": artist_id, "room_id": room_id, "announced_by_id": account_id}
    promised: dict[str, Any] = {}
    if draft.unlocks is not None:
        of_world = draft.unlocks.kind is Kind.ARTIST
        asset = None if of_world else draft.unlocks.id
        promised = {"unlock_scope": SCOPES[draft.unlocks.kind].value, "unlock_asset_id": asset}
    await connection.execute(insert(tables.ritual).values(**row, **around, **times, **promised, title=draft.title))


async def move_ritual(
    connection: AsyncConnection, held: HeldRitual, state: RitualState, memory: Mapping[str, Any]
) -> None:
    """Let a held ritual stand somewhere else; with what is remembered, where it becomes a memory."""
    ritual = tables.ritual
    values = {"state": state.value, "version": ritual.c.version + 1, **memory}
    await connection.execute(update(ritual).where(ritual.c.id == held.id).values(values))


_MEMORY = text("""
    WITH here AS (
      SELECT kind, account_id, at FROM room_event WHERE room_id = :room AND at >= :begins AND at < :ends
    ), moments AS (
      SELECT date_trunc('minute', at) AS minute, count(*) AS times FROM here WHERE account_id IS NOT NULL
      GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
    )
    SELECT (SELECT count(*) FROM (
              SELECT account_id FROM here WHERE account_id IS NOT NULL
              UNION SELECT account_id FROM ritual_presave WHERE ritual_id = :ritual) AS everybody) AS people,
           (SELECT count(*) FROM here WHERE kind = 'MESSAGE') AS messages,
           (SELECT count(*) FROM here WHERE kind = 'REACTION') AS reactions,
           (SELECT count(*) FROM clip WHERE ritual_id = :ritual AND state = 'APPROVED') AS clips,
           coalesce((SELECT array_agg(minute ORDER BY minute) FROM moments), '{}') AS best_moments
""").columns(best_moments=ARRAY(DateTime(timezone=True)))


async def remembered(connection: AsyncConnection, held: HeldRitual, until: datetime) -> dict[str, Any]:
    """What a held ritual came to, from its opening on: people, messages, reactions and clips, and its best minutes."""
    values = {"room": held.room, "begins": held.times.opens_at, "ends": until, "most": BEST_MOMENTS, "ritual": held.id}
    return dict((await connection.execute(_MEMORY, values)).mappings().one())
