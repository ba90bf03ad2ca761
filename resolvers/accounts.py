"""What can be done with an account: open it, sign in and out, and look after its password, address and handle."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db import accounts, identities, passwords
from db.accounts import Named, account_named, account_of, viewer_of_account
from db.handles import hold_handle, release_handle
from db.passwords import Code
from domain.accounts import ANONYMOUS, CodePurpose, Viewer, checked_email, email_key, freshly_signed_in, person_of
from domain.artists import ArtistDraft, checked_name
from domain.errors import Forbidden, Invalid, SignInNeeded
from domain.handles import checked_handle, handle_taken
from domain.ids import Kind, Ref, parse_ref
from domain.letters import Letter, changed_letter, moved_letter, reset_letter, verification_letter
from domain.passwords import checked_password
from resolvers.artists import make_artist
from resolvers.callers import Caller, secret_hash
from resolvers.context import Acting
from resolvers.links import brought
from resolvers.writing import Outcome, done_once

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody gives who opens an account; their first artist is named like its handle where no name is given.

    `via` is the code of the link they came by.
    """

    handle: str
    email: str
    password: str
    artist_name: str | None
    via: str | None = None


def caller_of(acting: Acting) -> Caller:
    """The other end of the request.

    Raises:
        Forbidden: the request did not come over HTTP.
    """
    if acting.caller is None:
        raise Forbidden("Sign in and out with POST over HTTP.")
    return acting.caller


async def sign_up(acting: Acting, wanted: SignUp) -> tuple[Ref, Ref]:
    """Open an account with its first artist, and sign in; the account and the artist.

    Whether the address is somebody else's is not told: it is theirs who show it.

    Raises:
        Invalid: the handle, the address, the password or the name cannot be taken.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    await caller.attempt("sign-up")
    handle, email = checked_handle(wanted.handle), checked_email(wanted.email)
    checked_password(wanted.password, handle, email)
    draft = ArtistDraft(handle, checked_name(wanted.artist_name or handle, "artistName"))
    encoded = await caller.house.passwords.hashed(wanted.password)
    account, artist = Ref(Kind.ACCOUNT, acting.new_id()), Ref(Kind.ARTIST, acting.new_id())
    async with acting.database.write() as connection:
        if not await hold_handle(connection, handle, account.id, account):
            raise handle_taken()
        await accounts.add_account(connection, account.id, handle, email)
        await passwords.set_password(connection, account.id, encoded)
        await make_artist(connection, acting, account.id, artist, draft)
        entering = await open_session(connection, acting, caller, account.id)
        await brought(connection, acting, entering[0], wanted.via)
    caller.enter(*entering)
    caller.house.later(send_code(acting, caller, account.id, CodePurpose.VERIFY_EMAIL))
    return account, artist


async def sign_in(acting: Acting, name: str, password: str) -> Ref:
    """Sign in by handle or address; the session that came with the request ends.

    Raises:
        SignInNeeded: the name or the password is wrong; which of them is not told, neither by the time it takes.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    await caller.attempt("sign-in", name.strip().removeprefix("@").lower())
    async with acting.database.read() as connection:
        found = await account_named(connection, name)
    if not await caller.house.passwords.check(found and found.encoded, password) or found is None:
        raise SignInNeeded("The name or the password is wrong.")
    async with acting.database.write() as connection:
        entering = await open_session(connection, acting, caller, found.id)
    caller.enter(*entering)
    return Ref(Kind.ACCOUNT, found.id)


async def open_session(connection: Any, acting: Acting, caller: Caller, account: UUID) -> tuple[Viewer, str]:
    """Open a session in place of the one that came along, which somebody else may have planted."""
    if caller.session is not None:
        await accounts.revoke_session(connection, caller.session)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await accounts.add_session(connection, acting.new_id(), account, secret_hash(secret), loopback_only=False)
    return await viewer_of_account(connection, account, acting.now()), secret


async def sign_out(acting: Acting) -> int:
    """End the session that came with the request; how many ended.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    person_of(acting.viewer)
    async with acting.database.write() as connection:
        ended = 0 if caller.session is None else await accounts.revoke_session(connection, caller.session)
    caller.enter(ANONYMOUS, "")
    return ended


async def sign_out_everywhere(acting: Acting) -> int:
    """End all sessions of the account; how many ended.

    Raises:
        As `sign_out` does.
    """
    caller = caller_of(acting)
    account = person_of(acting.viewer)
    async with acting.database.write() as connection:
        ended = await accounts.revoke_sessions(connection, account)
    caller.enter(ANONYMOUS, "")
    return ended


async def change_password(acting: Acting, current: str | None, new: str) -> Ref:
    """Take another password; every session ends but this one, which goes on under another secret.

    An account without a password takes its first within 12 hours of a sign-in.

    Raises:
        SignInNeeded: nobody is signed in, or too long ago.
        Invalid: the current one is wrong, or the new one cannot be taken.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    known = await proven(acting, caller, current, "currentPassword")
    account = known.id
    checked_password(new, known.handle, known.email or "", field="newPassword")
    encoded = await caller.house.passwords.hashed(new)
    async with acting.database.write() as connection:
        await _set_password(connection, account, encoded)
        entering = await open_session(connection, acting, caller, account)
    caller.enter(*entering)
    caller.house.later(send_word(caller, known, changed_letter))
    return Ref(Kind.ACCOUNT, account)


async def proven(acting: Acting, caller: Caller, password: str | None, field: str) -> Named:
    """The account of whoever asks, who shows that it is they: by its password or, where it has none, a fresh sign-in.

    Raises:
        SignInNeeded: nobody is signed in, or too long ago.
        Invalid: the password, given in that field, is wrong.
        TooMany: too many attempts.
        Forbidden: a key asks.
    """
    account = person_of(acting.viewer)
    await caller.attempt("password", str(account))
    async with acting.database.read() as connection:
        known = await account_of(connection, account)
    if known.encoded is None:
        freshly_signed_in(acting.viewer, acting.now())
    elif password is None or not await caller.house.passwords.check(known.encoded, password):
        raise Invalid("This is not the current password.", path=(field,))
    return known


async def _set_password(connection: Any, account: UUID, encoded: str) -> None:
    """Another password: whoever came in by the old one, or holds a code for a new one, is out."""
    await passwords.set_password(connection, account, encoded)
    await passwords.void_codes(connection, account, CodePurpose.RESET_PASSWORD)
    await accounts.revoke_sessions(connection, account)


async def request_password_reset(acting: Acting, email: str) -> None:
    """Send a code to an address, where it is somebody's; whether it is, the answer does not tell.

    Raises:
        Invalid: it is no address.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    address = checked_email(email)
    await caller.attempt("reset", email_key(address))
    caller.house.later(_look_up_and_send(acting, caller, address))


async def _look_up_and_send(acting: Acting, caller: Caller, address: str) -> None:
    async with acting.database.read() as connection:
        found = await account_named(connection, address)
    if found is not None:
        await send_code(acting, caller, found.id, CodePurpose.RESET_PASSWORD)


_LETTERS = {CodePurpose.RESET_PASSWORD: reset_letter, CodePurpose.VERIFY_EMAIL: verification_letter}


async def send_code(acting: Acting, caller: Caller, account: UUID, purpose: CodePurpose) -> None:
    """Make a code, keep its hash, and send it; a full letter box gets none."""
    async with acting.database.read() as connection:
        known = await account_of(connection, account)
    if known.email is None or not await caller.house.may_write_to(email_key(known.email)):
        return
    secret = secrets.token_urlsafe(SECRET_BYTES)
    code = Code(account, email_key(known.email))
    async with acting.database.write() as connection:
        await passwords.add_code(connection, acting.new_id(), code, purpose, secret_hash(secret))
    await caller.house.post.send(_LETTERS[purpose](known.email, known.handle, secret))


async def send_word(caller: Caller, known: Named, letter: Callable[[str, str], Letter]) -> None:
    """Send a letter about an account to its address, where it has one."""
    if known.email is not None and await caller.house.may_write_to(email_key(known.email)):
        await caller.house.post.send(letter(known.email, known.handle))


async def reset_password(acting: Acting, code: str, new: str) -> str:
    """Take another password with a code from a letter; every session ends. The handle to sign in with.

    Sign-ins of other houses that were linked before anybody had shown the address end, too: whoever gave it first may
    have been somebody else, who waited for its owner.

    Raises:
        Invalid: the code is not good, or not any more, or the password cannot be taken; then the code stays good.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    await caller.attempt("code")
    given = secret_hash(code.strip())
    async with acting.database.read() as connection:
        sent = _good(await passwords.look_up_code(connection, given, CodePurpose.RESET_PASSWORD))
        known = await account_of(connection, sent.account_id)
    checked_password(new, known.handle, known.email or "", field="newPassword")
    encoded = await caller.house.passwords.hashed(new)
    async with acting.database.write() as connection:
        sent = _good(await passwords.use_code(connection, given, CodePurpose.RESET_PASSWORD))
        await _set_password(connection, sent.account_id, encoded)
        await identities.end_identities_before_proof(connection, sent.account_id)
        await accounts.verify_email(connection, sent.account_id, sent.email_key)
    caller.house.later(send_word(caller, known, changed_letter))
    return known.handle


def _good(sent: Code | None) -> Code:
    if sent is None:
        raise Invalid("This code is not good, or not any more. Ask for another.", path=("code",))
    return sent


async def request_email_verification(acting: Acting, email: str | None) -> Ref:
    """Send a code that shows an address to be the account's: the one it has, or another, which takes its place.

    Raises:
        SignInNeeded: nobody is signed in; or, for another address, too long ago.
        Invalid: it is no address.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    account = person_of(acting.viewer)
    await caller.attempt("verification", str(account))
    if email is not None:
        freshly_signed_in(acting.viewer, acting.now())
        address = checked_email(email)
        async with acting.database.write() as connection:
            known = await account_of(connection, account)
            await accounts.set_email(connection, account, address)
        caller.house.later(send_word(caller, known, moved_letter))
    caller.house.later(send_code(acting, caller, account, CodePurpose.VERIFY_EMAIL))
    return Ref(Kind.ACCOUNT, account)


async def verify_email(acting: Acting, code: str) -> None:
    """Show by a code from a letter that an address is theirs; the letter may be read where nobody is signed in.

    Raises:
        Invalid: the code is not good, or not any more, or the address is another account's.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    await caller_of(acting).attempt("code")
    async with acting.database.write() as connection:
        sent = _good(await passwords.use_code(connection, secret_hash(code.strip()), CodePurpose.VERIFY_EMAIL))
        if not await accounts.verify_email(connection, sent.account_id, sent.email_key):
            raise Invalid("Another account has shown this address to be theirs.", path=("code",))


async def rename_account(acting: Acting, handle: str, idempotency_key: str | None) -> Ref:
    """Sign in under another handle; the one let go stays reserved for the account.

    Raises:
        SignInNeeded: nobody is signed in.
        Invalid: the handle cannot be taken.
        KeyReused: the idempotency key belongs to another request.
    """
    account, wanted = Ref(Kind.ACCOUNT, person_of(acting.viewer)), checked_handle(handle)

    async def work(connection: Any) -> Outcome:
        if not await hold_handle(connection, wanted, account.id, account):
            raise handle_taken()
        known = await account_of(connection, account.id)
        if known.handle != wanted:
            await release_handle(connection, known.handle, account)
            await accounts.rename_account(connection, account.id, wanted)
        return {"account": str(account)}

    outcome = await done_once(acting, "updateAccount", {"handle": wanted}, idempotency_key, work)
    return parse_ref(outcome["account"])
