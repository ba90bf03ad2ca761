"""Sharing: a link to a world, a hook, a release or a room, and what coming by it leads to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from db import links
from db.changes import record_changes
from db.signals import Around, add_signal
from domain.accounts import ANONYMOUS, person_of
from domain.errors import Invalid, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.links import ALPHABET, LENGTH, LINKS_A_DAY, address_of, kind_of, spelled, visitor_of
from domain.measures import SignalKind
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once

DAY = timedelta(days=1)
_TRIES = 8


async def create_share_link(acting: Acting, subject: Ref, idempotency_key: str | None) -> Ref:
    """Make a link to something; who shares it again has the same link.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing for the viewer.
        Invalid: these are links enough for a day.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        found = await links.shared(connection, acting.viewer, subject)
        if found is None:
            raise NotFound("There is no such thing to share.", path=("subject",))
        made = await links.count_links(connection, account, acting.now() - DAY)
        known = await links.link_of(connection, account, found.subject)
        if known is not None:
            return {"link": str(Ref(Kind.SHARE, known))}
        if made >= LINKS_A_DAY:
            raise Invalid(f"You have made {LINKS_A_DAY} links today.", path=("subject",))
        link = await _make(connection, acting, account, found)
        return {"link": str(link)}

    outcome = await done_once(acting, "createShareLink", {"subject": str(subject)}, idempotency_key, work)
    return parse_ref(outcome["link"])


async def _make(connection: Any, acting: Acting, account: UUID, found: links.Shared) -> Ref:
    link = Ref(Kind.SHARE, acting.new_id())
    for _ in range(_TRIES):
        code = spelled(found.subject.kind, [secrets.randbelow(len(ALPHABET)) for _ in range(LENGTH)])
        if await links.add_link(connection, link.id, account, found.subject, code):
            break
    else:
        raise RuntimeError("no code is free: there are as many links as codes")
    await record_changes(connection, [(found.subject.id, "SHARED", [link.id])])
    if acting.caller is not None:
        # Who made it is no visitor of theirs.
        secret = await links.visitor_secret(connection, secrets.token_bytes(32))
        visitor = visitor_of(secret, found.subject.id, acting.caller.network)
        await links.add_visitor(connection, link.id, visitor, own=True)
    await add_signal(connection, acting.viewer, SignalKind.SHARE, _around(found))
    return link


def _around(found: links.Shared) -> Around:
    kind, id_ = found.subject
    return Around(found.artist) if kind is Kind.ARTIST else Around(found.artist, **{kind.value: id_})


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a link leads, and which it is."""

    address: str
    link: UUID
    subject: UUID


async def followed(acting: Acting, code: str) -> Visit:
    """Where a link leads, for anybody who has it.

    Raises:
        NotFound: there is no such link, or nothing there for everybody.
    """
    kind = kind_of(code)
    async with acting.database.read() as connection:
        found = None if kind is None else await links.led_to(connection, ANONYMOUS, kind, code)
    if found is None:
        raise NotFound("This link leads nowhere, or not any more.")
    link, shared = found
    return Visit(address_of(shared.handle, shared.subject), link, shared.subject.id)


async def count_visit(acting: Acting, visit: Visit, network: str) -> None:
    """Note that somebody came by a link from a network: what is kept of that leads back to nobody."""
    async with acting.database.write() as connection:
        secret = await links.visitor_secret(connection, secrets.token_bytes(32))
        await links.add_visit(connection, visit.link, visitor_of(secret, visit.subject, network))
