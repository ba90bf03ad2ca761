"""How something is done: by somebody, in one transaction, and once for an idempotency key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from db.changes import recall_outcome, record_outcome
from db.map import TYPES
from db.resolution import met
from db.rows import RowReader
from db.traces import leave_traces
from domain.canonical import canonical, digest
from domain.errors import BadInput, NotFound, SignInNeeded
from domain.ids import Ref, parse_ref
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

    It is answered to who may still see that: somebody who was a member then and is none now hears nothing of it.

    Args:
        acting: who does it.
        name: of the mutation.
        request: what was asked, as JSON: the same key with another request is refused.
        idempotency_key: None where the request may be repeated.
        work: takes the transaction's connection.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: the request comes again, and what it led to is not there for the viewer any more.
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
                await _check_seen(connection, acting, known)
                return dict(known)
        outcome = await work(connection)
        if idempotency_key is not None:
            await record_outcome(connection, account, idempotency_key, asked, dict(outcome))
    return outcome


async def _check_seen(connection: Any, acting: Acting, outcome: Outcome) -> None:
    """Let somebody hear again what a request of theirs led to, as a payload leads there."""
    reader = RowReader(TYPES, connection, acting.viewer)
    for ref in _refs(outcome):
        if not await reader.named(met(ref.kind), [ref.id]):
            raise NotFound("What this request led to is not there any more, or not for you.")


def _refs(outcome: Outcome) -> Iterator[Ref]:
    for value in outcome.values():
        if isinstance(value, str):
            with suppress(BadInput):
                yield parse_ref(value)


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
