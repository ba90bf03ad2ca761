"""Following the change log: what was done to whom, as far as the asker may meet them."""

from __future__ import annotations

from typing import Any

from db.changes import BEGINNING, Change, changes_after
from db.feeds import CHANGES, Position, subjects_seen
from domain.ids import Ref
from domain.provenance import EventKind
from resolvers.context import Acting, Told

LOOKED_AT, AT_ONCE = 10, 200
"""Pages of the log that are looked at, and how long they are; where less was found it is said how to go on."""
_TOLD = frozenset(kind.value for kind in EventKind)
"""What else the log holds is for those who keep the house."""
_TOLD_OF_STUBS = frozenset(
    kind.value
    for kind in (EventKind.ASSET_CREATED, EventKind.ASSET_UPDATED, EventKind.ASSET_MERGED, EventKind.RELEASE_WITHDRAWN)
)


async def changes(acting: Acting, after: Position, most: int) -> Told:
    """The next changes the asker may hear of, at most so many, in the order in which all will ever be told."""
    told: list[dict[str, Any]] = []
    end, complete = after, False
    async with acting.database.read() as connection:
        for _ in range(LOOKED_AT):
            lines = await changes_after(connection, end, AT_ONCE)
            named = [line for line in lines if line.kind in _TOLD]
            seen = await subjects_seen(connection, acting.viewer, {line.subject_id for line in named})
            for line in lines:
                end = line.xid, line.id
                subject, whole = seen.get(line.subject_id, (None, False))
                if subject is not None and line.kind in (_TOLD if whole else _TOLD_OF_STUBS):
                    told.append(_told(line, subject))
                    if len(told) == most:
                        break
            complete = len(lines) < AT_ONCE and (not lines or end == (lines[-1].xid, lines[-1].id))
            if complete or len(told) == most:
                break
    return {
        "__typename": "ChangeFeed",
        "changes": told,
        "complete": complete,
        "endCursor": None if end == BEGINNING else CHANGES.write(end),
    }


def _told(line: Change, subject: Ref) -> Told:
    return {
        "__typename": "Change",
        "kind": line.kind,
        "at": line.at,
        "subject": subject,
        "cursor": CHANGES.write((line.xid, line.id)),
    }
