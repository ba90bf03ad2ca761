"""What a room hears from now on, and what it hears after that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import queues
from db.changes import record_changes
from db.engine import Database
from db.jobs import enqueue
from db.rooms import add_room_event
from domain.ids import Kind, Ref
from domain.jobs import JobKind, NewJob
from domain.queues import QueueState
from domain.rooms import RoomEventKind
from resolvers.context import uuid7
from resolvers.jobs import Doing, Effect, Running


async def hear(
    connection: Any, new_id: Callable[[], UUID], room: UUID, piece: queues.Piece | None, account: UUID | None
) -> None:
    """Let a held room hear a piece, or nothing; where its end is known, what waits then follows by itself."""
    since = await queues.play(connection, room, piece)
    await record_changes(connection, [(room, "ROOM_NOW_CHANGED", [])])
    said: dict[str, Any] = {}
    if piece is not None and since is not None:
        shown = None if piece.title is None else str(Ref(Kind.TRACK, piece.track))
        hook = None if piece.hook is None else str(Ref(Kind.HOOK, piece.hook))
        said = {"track": shown, "hook": hook, "title": piece.title, "durationMs": piece.duration_ms}
        said["since"] = since.isoformat()
        if piece.duration_ms is not None:
            over = since + timedelta(milliseconds=piece.duration_ms)
            follows = NewJob(new_id(), JobKind.PLAY_NEXT, room, None, {"since": said["since"]}, over)
            await enqueue(connection, [follows])
    await add_room_event(connection, room, RoomEventKind.NOW_CHANGED, account, said)


@dataclass(frozen=True, slots=True)
class Player:
    """Plays what waits in a room when what is heard there is over."""

    database: Database

    def doings(self) -> Mapping[JobKind, Doing]:
        """How the jobs of queues are done."""
        return {JobKind.PLAY_NEXT: self._next}

    async def _next(self, running: Running) -> Effect:
        room, since = running.job.subject, datetime.fromisoformat(running.job.payload["since"])

        async def effect(connection: Any) -> None:
            artist = await queues.hold_playing(connection, room, since)
            if artist is None:
                return
            while (waiting := await queues.next_queued(connection, room, None)) is not None:
                item, piece = waiting
                found = await queues.piece_of(connection, piece, artist)
                # What closed since it was put there is passed over.
                await queues.end_queued(connection, item, QueueState.REMOVED if found is None else QueueState.PLAYED)
                if found is not None:
                    await hear(connection, uuid7, room, found, None)
                    return

        return effect
