"""What can be said about hooks, worlds and rituals, and taken back."""

from __future__ import annotations

from typing import Any

from db import comments
from db.changes import record_changes
from db.rooms import add_room_event
from db.signals import add_signal
from domain.accounts import person_of
from domain.errors import NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.measures import SignalKind
from domain.messages import checked_message, refuse_haste
from domain.rooms import RoomEventKind
from domain.social import COMMENTS_A_MINUTE, ActivityKind, check_position
from resolvers.context import Acting
from resolvers.inbox import tell
from resolvers.social import around, placed
from resolvers.writing import Outcome, done_once


async def comment_on(
    acting: Acting, subject: Ref, said: str, position_ms: int | None, name: str, idempotency_key: str | None
) -> Ref:
    """Say something about a hook, maybe at a place of it, or about a world or a ritual; the comment.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such artist, or no such hook or ritual for the viewer.
        Invalid: nothing is said, too much, what is no text, or beside the hook.
        TooSoon: they have said enough for this minute.
        KeyReused: the idempotency key belongs to another request.
    """
    account, text = person_of(acting.viewer), checked_message(said)

    async def work(connection: Any) -> Outcome:
        place = await placed(connection, acting, subject)
        check_position(position_ms, place.start_ms, place.end_ms)
        refuse_haste(await comments.pace_of(connection, account), COMMENTS_A_MINUTE)
        comment = Ref(Kind.COMMENT, acting.new_id())
        await comments.add_comment(connection, comment.id, account, place, text, position_ms)
        await record_changes(connection, [(place.logged, "COMMENTED", [*place.touched, comment.id])])
        await tell(connection, acting, place, ActivityKind.COMMENTED, comment.id)
        if place.room is not None:
            hook = None if place.hook is None else str(Ref(Kind.HOOK, place.hook))
            payload = {"comment": str(comment), "hook": hook, "positionMs": position_ms}
            await add_room_event(connection, place.room, RoomEventKind.COMMENT, account, payload)
        await add_signal(connection, acting.viewer, SignalKind.COMMENT, around(place))
        return {"comment": str(comment)}

    request = {"subject": str(subject), "text": text, "positionMs": position_ms}
    outcome = await done_once(acting, name, request, idempotency_key, work)
    return parse_ref(outcome["comment"])


async def delete_comment(acting: Acting, comment: Ref, idempotency_key: str | None) -> Ref:
    """Take a comment back, as who wrote it or as an editor of the artist it is said to; what it was about.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such comment, or it is not theirs to take back.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await comments.hold_comment(connection, acting.viewer, comment.id)
        if held is None:
            raise NotFound("There is no such comment that you may take back.", path=("id",))
        await comments.delete_comment(connection, held, account)
        await record_changes(connection, [(held.logged, "COMMENT_DELETED", [held.id])])
        return {"subject": str(held.subject)}

    outcome = await done_once(acting, "deleteComment", {"id": str(comment)}, idempotency_key, work)
    return parse_ref(outcome["subject"])
