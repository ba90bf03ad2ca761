"""What people are told of what others did, and that they have read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.changes import announce
from db.inbox import mark_read, tell_account, tell_editors
from db.social import Place
from domain.accounts import person_of
from domain.errors import NotFound
from domain.ids import Ref
from domain.social import ActivityKind
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once
from subscriptions.events import activity_added


async def tell(connection: Any, acting: Acting, place: Place, kind: ActivityKind, comment: UUID | None = None) -> None:
    """Tell those who care for an artist what the viewer did at a place of theirs."""
    told = await tell_editors(connection, place, kind, person_of(acting.viewer), acting.new_id, comment)
    await _announce(connection, told)


async def tell_one(connection: Any, acting: Acting, place: Place, kind: ActivityKind, account: UUID) -> None:
    """Tell somebody what was decided at a place of an artist; who of the artist's people decided it is not told."""
    await _announce(connection, await tell_account(connection, place, kind, account, acting.new_id))


async def _announce(connection: Any, told: Sequence[tuple[Ref, Ref]]) -> None:
    for account, activity in told:
        announcement = activity_added(account, activity)
        await announce(connection, announcement.topic, announcement.payload)


async def mark_activity_read(acting: Acting, until: Ref | None, idempotency_key: str | None) -> int:
    """Note that the viewer has read their inbox, as far as one line of it or all; how many are unread still.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such line of theirs.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        left = await mark_read(connection, acting.viewer, until and until.id)
        if left is None:
            raise NotFound("There is no such line in your inbox.", path=("until",))
        return {"unreadCount": left}

    outcome = await done_once(acting, "markActivityRead", {"until": until and str(until)}, idempotency_key, work)
    unread: int = outcome["unreadCount"]
    return unread
