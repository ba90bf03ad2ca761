"""What can be done with sign-ins of other houses: go there, come back, and unlink one.

A provider's codes and tokens are used up in `vouch` and not kept; what stays is who said who somebody is.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from db import accounts, identities
from db.accounts import account_named, account_of
from db.handles import hold_handle
from db.identities import Flow
from domain.accounts import CodePurpose, email_key, freshly_signed_in, person_of
from domain.artists import ArtistDraft
from domain.errors import BadInput, Moved, NotFound, SignInNeeded
from domain.handles import handle_taken
from domain.identities import (
    Proofs,
    Step,
    Vouched,
    check_room_for_identity,
    check_way_left,
    checked_place,
    handles_for,
    is_answer_to,
    proofs_of,
    what_follows,
)
from domain.ids import Kind, Ref
from domain.letters import linked_letter
from resolvers.accounts import SECRET_BYTES, caller_of, open_session, send_code, send_word
from resolvers.artists import make_artist
from resolvers.callers import secret_hash
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once

_TAIL = 6
"""Characters of an id that tell handles apart."""


class Provider(Protocol):
    """Another house where people sign in."""

    @property
    def name(self) -> str:
        """As it stands in addresses."""

    async def address(self, proofs: Proofs, callback: str) -> str:
        """Where somebody goes to sign in, and comes back from to `callback`; Unavailable where it is away."""

    async def vouch(self, code: str, proofs: Proofs, callback: str, now: datetime) -> Vouched:
        """Redeem a code; SignInNeeded where the house does not stand by it, Unavailable where it is away."""


class Begun(NamedTuple):
    """A flow: where to go, and the secret that the browser keeps until it comes back."""

    address: str
    secret: str


class Came(NamedTuple):
    """What came back.

    Attributes:
        secret: what the browser kept; None where it kept nothing.
        state: beside the answer.
        code: to be redeemed.
        error: why there is no code.
    """

    secret: str | None
    state: str | None
    code: str | None
    error: str | None


async def begin_sign_in(acting: Acting, provider: Provider, place: str | None, callback: str) -> Begun:
    """Send somebody to another house; who is signed in here links what comes back.

    Raises:
        BadInput: `place` may lead to another host.
        Forbidden: a key asks.
        TooMany: too many attempts.
        Unavailable: the other house is away.
    """
    await caller_of(acting).attempt("sign-in elsewhere", provider.name)
    linking = None if acting.viewer.account is None else person_of(acting.viewer)
    flow = Flow(provider.name, linking, checked_place(place))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    address = await provider.address(proofs_of(secret), callback)
    async with acting.database.write() as connection:
        await identities.add_flow(connection, acting.new_id(), flow, secret_hash(secret))
    return Begun(address, secret)


async def end_sign_in(acting: Acting, provider: Provider, came: Came, callback: str) -> str:
    """Come back: sign in, link or join; where to go on.

    Raises:
        BadInput: this browser did not leave for there, or came back before, or too late.
        SignInNeeded: the other house does not stand by it; or, to link it, nobody is signed in any more, or too long
            ago.
        Moved: it is linked to another account; or its address is another account's, which it is linked to only from
            within.
        Invalid: these are sign-ins enough.
        TooMany: too many attempts.
        Unavailable: the other house is away.
    """
    await caller_of(acting).attempt("sign-in from elsewhere", provider.name)
    flow = await _use_flow(acting, provider, came)
    if came.code is None or came.error is not None:
        raise SignInNeeded(f"{provider.name} did not sign you in.")
    proofs = proofs_of(came.secret or "")
    who = await provider.vouch(came.code, proofs, callback, acting.now())
    await _enter(acting, provider, flow, who)
    return flow.place


async def _use_flow(acting: Acting, provider: Provider, came: Came) -> Flow:
    """The flow of this browser; from here on nobody comes back by it again."""
    flow = None
    if came.secret is not None and came.state is not None and is_answer_to(came.secret, came.state):
        async with acting.database.write() as connection:
            flow = await identities.use_flow(connection, secret_hash(came.secret), provider.name)
    if flow is None:
        raise BadInput("This sign-in was not begun in this browser, or is over. Begin again.")
    return flow


async def _enter(acting: Acting, provider: Provider, flow: Flow, who: Vouched) -> None:
    caller, entering = caller_of(acting), None
    async with acting.database.write() as connection:
        linked = await identities.account_linked(connection, who)
        step = what_follows(linked, flow.account, acting.viewer.account)
        account = linked or flow.account or acting.new_id()
        if step is Step.JOIN:
            await _join(connection, acting, account, provider, who)
        if step is Step.LINK:
            freshly_signed_in(acting.viewer, acting.now())
            check_room_for_identity(len((await identities.hold_ways_in(connection, acting.viewer)).identities))
        if step is not Step.ENTER:
            await identities.add_identity(connection, acting.new_id(), account, provider.name, who)
        if step is not Step.LINK:
            entering = await open_session(connection, acting, caller, account)
        known = await account_of(connection, account)
    if entering is not None:
        caller.enter(*entering)
    if step is Step.LINK:
        caller.house.later(send_word(caller, known, partial(linked_letter, provider=provider.name)))
    if step is Step.JOIN and not who.email_verified:
        caller.house.later(send_code(acting, caller, account, CodePurpose.VERIFY_EMAIL))


async def _join(connection: Any, acting: Acting, account: UUID, provider: Provider, who: Vouched) -> None:
    """Open an account with its first artist, as signing up does.

    An address that the other house did not verify is only said to be theirs; whether it is somebody's is not told.
    """
    if who.email_verified and await account_named(connection, who.email or "") is not None:
        raise _theirs(provider)
    handle = await _free_handle(connection, acting, account, who.name)
    await accounts.add_account(connection, account, handle, who.email)
    if who.email is not None and who.email_verified:
        shown = await accounts.verify_email(connection, account, email_key(who.email))
        if not shown:
            raise _theirs(provider)
    artist = Ref(Kind.ARTIST, acting.new_id())
    await make_artist(connection, acting, account, artist, ArtistDraft(handle, who.name or handle))


def _theirs(provider: Provider) -> Moved:
    return Moved(
        f"An account has this address already. Sign in to it as you do, and link {provider.name} there; with a "
        "forgotten password, ask for another by mail."
    )


async def _free_handle(connection: Any, acting: Acting, account: UUID, name: str | None) -> str:
    for handle in handles_for(name, acting.new_id().hex[-_TAIL:]):
        if await hold_handle(connection, handle, account, Ref(Kind.ACCOUNT, account)):
            return handle
    raise handle_taken()


async def unlink_identity(acting: Acting, identity: Ref, idempotency_key: str | None) -> Ref:
    """Sign in no longer by an identity of another house; the account. Whoever came in by it stays signed in.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: no such identity is linked to the viewer's account.
        Moved: there would be no way left to sign in.
        KeyReused: the idempotency key belongs to another request.
    """
    account = Ref(Kind.ACCOUNT, person_of(acting.viewer))

    async def work(connection: Any) -> Outcome:
        ways = await identities.hold_ways_in(connection, acting.viewer)
        if identity.id not in ways.identities:
            raise NotFound("There is no such sign-in.", path=("id",))
        check_way_left(len(ways.identities), has_password=ways.has_password)
        await identities.end_identity(connection, identity.id)
        return {"account": str(account)}

    await done_once(acting, "unlinkIdentity", {"id": str(identity)}, idempotency_key, work)
    return account
