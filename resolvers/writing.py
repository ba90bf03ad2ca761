"""How something is done: by somebody, in one transaction, and once for an idempotency key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from db.changes import recall_outcome, record_outcome
from db.traces import leave_traces
from domain.canonical import canonical, digest
from domain.errors import SignInNeeded
from domain.ids import Ref
from domain.provenance import Event, EventKind
from resolvers.context import Acting
from subscriptions.events import Announcement

Outcome = Mapping[str, Any]
"""What was done, as JSON: ids, never what is secret."""


async def done_once(
    acting: Acting,
    name: str,
    request: Mapping[str, Any],
    idempotency_key: str | None,
    work: Callable[[Any], Awaitable[Outcome]],
) -> Outcome:
    """Do some work in one transaction; a request that comes again under its key answers what it led to the first time.

    Args:
        acting: who does it.
        name: of the mutation.
        request: what was asked, as JSON: the same key with another request is refused.
        idempotency_key: None where the request may be repeated.
        work: takes the transaction's connection.

    Raises:
        SignInNeeded: nobody is signed in.
        KeyReused: the key belongs to another request.
    """
    account = acting.viewer.account
    if account is None:
        raise SignInNeeded("Sign in first.")
    asked = digest(canonical({name: dict(request)}))
    async with acting.database.write() as connection:
        if idempotency_key is not None:
            known = await recall_outcome(connection, account, idempotency_key, asked)
            if known is not None:
                return dict(known)
        outcome = await work(connection)
        if idempotency_key is not None:
            await record_outcome(connection, account, idempotency_key, asked, dict(outcome))
    return outcome


def happened(acting: Acting, subject: Ref, kind: EventKind, payload: Mapping[str, Any]) -> Event:
    """What somebody did to a subject, now."""
    return Event(acting.new_id(), subject, kind, acting.now(), acting.viewer.account, payload)


async def follow(
    connection: Any,
    events: Sequence[Event],
    announcements: Sequence[Announcement],
    *,
    touched: Sequence[UUID] = (),
    begins: bool = False,
) -> None:
    """What a write leaves behind: provenance, the change log and announcements.

    Args:
        connection: of the transaction, which holds a lock on every subject.
        events: what happened, in order.
        announcements: what subscribers are told after the commit.
        touched: the ids that the change log names beside the subjects.
        begins: the subjects are new.
    """
    announced = [(announcement.topic, announcement.payload) for announcement in announcements]
    await leave_traces(connection, events, touched, announced, begins=begins)
