"""Sharing: a link to a world or to something in it, what coming by it leads to, and whom it brings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from db import links
from db.accounts import viewer_of_account
from db.changes import record_changes
from db.referrals import add_referral
from db.signals import add_signal
from domain.accounts import ANONYMOUS, Viewer, person_of
from domain.errors import Invalid, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.links import ALPHABET, LENGTH, LINKS_A_DAY, address_of, came_by, kind_of, spelled, visitor_of
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
    await add_signal(connection, acting.viewer, SignalKind.SHARE, found.around)
    return link


async def brought(
    connection: Any, acting: Acting, newcomer: Viewer, code: str | None, artist: UUID | None = None
) -> None:
    """Note by whose link somebody came, where they are new to the world it leads into: it counts for who made it.

    A code that leads nowhere brings nobody, and is no reason to refuse what they came for. Call it before that leaves
    a signal of theirs.

    Args:
        connection: of the transaction in which they do what they came for.
        acting: how they do it.
        newcomer: who they are.
        code: of the link they say they came by.
        artist: in whose world they do it; None where they only join the house.
    """
    found = None if code is None else await _led_to(connection, code)
    if found is None or artist not in {None, found[1].around.artist}:
        return
    link, shared = found
    visitor = None
    if acting.caller is not None:
        secret = await links.visitor_secret(connection, secrets.token_bytes(32))
        visitor = visitor_of(secret, shared.subject.id, acting.caller.network)
    bringer = await add_referral(connection, newcomer, link, shared.around.artist, visitor)
    if bringer is not None:
        await record_changes(connection, [(shared.subject.id, "REFERRED", [link])])
        by = await viewer_of_account(connection, bringer)
        await add_signal(connection, by, SignalKind.REFERRAL, shared.around)


async def _led_to(connection: Any, code: str) -> tuple[UUID, links.Shared] | None:
    """The link with a code, and where it leads everybody."""
    kind = kind_of(code)
    return None if kind is None else await links.led_to(connection, ANONYMOUS, kind, code)


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
    async with acting.database.read() as connection:
        found = await _led_to(connection, code)
    if found is None:
        raise NotFound("This link leads nowhere, or not any more.")
    link, shared = found
    return Visit(came_by(address_of(shared.handle, shared.subject), code), link, shared.subject.id)


async def count_visit(acting: Acting, visit: Visit, network: str) -> None:
    """Note that somebody came by a link from a network: what is kept of that leads back to nobody."""
    async with acting.database.write() as connection:
        secret = await links.visitor_secret(connection, secrets.token_bytes(32))
        await links.add_visit(connection, visit.link, visitor_of(secret, visit.subject, network))
