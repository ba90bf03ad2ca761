"""The mutations of accounts. What they tell of a session is a cookie beside the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from domain.accounts import LONGEST_EMAIL
from domain.errors import Moved
from domain.passwords import LONGEST_PASSWORD
from graph.accounts import Account
from graph.artists import Artist
from graph.fields import optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of, via_field
from resolvers import accounts
from resolvers.accounts import SignUp
from resolvers.context import Acting
from resolvers.erasure import delete_account


@strawberry.type(description="The account, signed in: the session is in the cookie beside the answer.")
class SignUpSuccess:
    """The payload."""

    account: Account = stored("The new account.")
    artist: Artist = stored("Its first artist: the holder of its world.")


@strawberry.type(description="The account, signed in: the session is in the cookie beside the answer.")
class SignInSuccess:
    """The payload."""

    account: Account = stored("Who is signed in now.")


@strawberry.type(description="Nobody is signed in any more.")
class SignOutSuccess:
    """The payload."""

    sessions_ended: int = stored("How many sessions ended.")


@strawberry.type(description="The account as it is now.")
class AccountSuccess:
    """The payload of what changes an account."""

    account: Account = stored("The account.")


@strawberry.type(description="If the address is somebody's, a letter is on its way to it. Whether it is, is not told.")
class RequestPasswordResetSuccess:
    """The payload."""

    email: str = stored("The address as it was given.")


@strawberry.type(description="The password was changed, and every session has ended: sign in with the new one.")
class ResetPasswordSuccess:
    """The payload."""

    handle: str = stored("The handle to sign in with.")


@strawberry.type(description="The address is theirs.")
class VerifyEmailSuccess:
    """The payload."""

    verified: bool = stored("Always true.")


@strawberry.type(description="Nothing is left of the account but its id. Nobody is signed in any more.")
class DeleteAccountSuccess:
    """The payload."""

    deleted_id: strawberry.ID = stored("The account that was.")


@strawberry.input(description="What it takes to join.")
class SignUpInput:
    """The input of `signUp`."""

    handle: str = strawberry.field(
        description="The name to sign in with and the address of the first world: 3 to 30 letters a to z and digits, "
        "with single - or _ between them."
    )
    email: str = strawberry.field(description="Where letters go.")
    password: str = strawberry.field(description="10 to 256 characters.")
    artist_name: str | None = optional("The name of the first artist; the handle where none is given.")
    via: str | None = via_field()


@strawberry.input(description="Who signs in.")
class SignInInput:
    """The input of `signIn`."""

    name: str = strawberry.field(description="The handle or the address.")
    password: str = strawberry.field(description="The password.")


@strawberry.input(description="Which session ends.")
class SignOutInput:
    """The input of `signOut`."""

    everywhere: bool | None = optional("All sessions of the account; else the one that asks.")


@strawberry.input(description="The old password and the new one.")
class ChangePasswordInput:
    """The input of `changePassword`."""

    current_password: str | None = optional("The password until now; left out where the account has none yet.")
    new_password: str = strawberry.field(description="10 to 256 characters.")


@strawberry.input(description="Where the letter goes.")
class RequestPasswordResetInput:
    """The input of `requestPasswordReset`."""

    email: str = strawberry.field(description="The address of the account.")


@strawberry.input(description="The code of a letter and the new password.")
class ResetPasswordInput:
    """The input of `resetPassword`."""

    code: str = strawberry.field(description="The code from the letter. It works once, within an hour.")
    new_password: str = strawberry.field(description="10 to 256 characters.")


@strawberry.input(description="Which address it is about.")
class RequestEmailVerificationInput:
    """The input of `requestEmailVerification`."""

    email: str | None = optional("Another address for the account, in place of the one it has; else that one.")


@strawberry.input(description="The code of a letter.")
class VerifyEmailInput:
    """The input of `verifyEmail`."""

    code: str = strawberry.field(description="The code from the letter. It works once, within a day.")


@strawberry.input(description="What to change of your account.")
class UpdateAccountInput:
    """The input of `updateAccount`."""

    handle: str = strawberry.field(description="Another name to sign in with. The old one stays reserved for you.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What it takes to leave.")
class DeleteAccountInput:
    """The input of `deleteAccount`."""

    password: str | None = optional("Your password; left out where the account has none, within 12 hours of a sign-in.")


def _text(asked: Mapping[str, Any], name: str, longest: int) -> str:
    """A text of an input, no longer than anything it may be."""
    return clean_text(name, asked[name], longest=longest)


def _password(asked: Mapping[str, Any], name: str) -> str:
    # What is too long is refused by name, and not read as a sentence.
    return _text(asked, name, 4 * LONGEST_PASSWORD)


def _sign_up(asked: Mapping[str, Any]) -> Act:
    wanted = SignUp(
        _text(asked, "handle", LONGEST_EMAIL),
        _text(asked, "email", 2 * LONGEST_EMAIL),
        _password(asked, "password"),
        asked.get("artistName"),
        asked.get("via"),
    )

    async def act(acting: Acting) -> Mapping[str, Any]:
        account, artist = await accounts.sign_up(acting, wanted)
        return {"account": account, "artist": artist}

    return act


def _sign_in(asked: Mapping[str, Any]) -> Act:
    name, password = _text(asked, "name", 2 * LONGEST_EMAIL), _password(asked, "password")

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"account": await accounts.sign_in(acting, name, password)}

    return act


def _sign_out(asked: Mapping[str, Any]) -> Act:
    end = accounts.sign_out_everywhere if asked.get("everywhere") else accounts.sign_out

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"sessionsEnded": await end(acting)}

    return act


def _change_password(asked: Mapping[str, Any]) -> Act:
    current = None if asked.get("currentPassword") is None else _password(asked, "currentPassword")
    new = _password(asked, "newPassword")

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"account": await accounts.change_password(acting, current, new)}

    return act


def _request_password_reset(asked: Mapping[str, Any]) -> Act:
    email = _text(asked, "email", 2 * LONGEST_EMAIL)

    async def act(acting: Acting) -> Mapping[str, Any]:
        await accounts.request_password_reset(acting, email)
        return {"email": email}

    return act


def _reset_password(asked: Mapping[str, Any]) -> Act:
    code, new = _text(asked, "code", 200), _password(asked, "newPassword")

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"handle": await accounts.reset_password(acting, code, new)}

    return act


def _request_email_verification(asked: Mapping[str, Any]) -> Act:
    email = None if asked.get("email") is None else _text(asked, "email", 2 * LONGEST_EMAIL)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"account": await accounts.request_email_verification(acting, email)}

    return act


def _verify_email(asked: Mapping[str, Any]) -> Act:
    code = _text(asked, "code", 200)

    async def act(acting: Acting) -> Mapping[str, Any]:
        await accounts.verify_email(acting, code)
        return {"verified": True}

    return act


def _update_account(asked: Mapping[str, Any]) -> Act:
    handle, key = _text(asked, "handle", LONGEST_EMAIL), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"account": await accounts.rename_account(acting, handle, key)}

    return act


def _delete_account(asked: Mapping[str, Any]) -> Act:
    password = None if asked.get("password") is None else _password(asked, "password")

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"deletedId": str(await delete_account(acting, password))}

    return act


DEEDS = (
    Deed(
        "sign_up",
        "Opens an account with its first artist, and signs in.",
        SignUpInput,
        SignUpSuccess,
        _sign_up,
    ),
    Deed(
        "sign_in",
        "Signs in, in place of whoever was. A wrong name and a wrong password answer alike.",
        SignInInput,
        SignInSuccess,
        _sign_in,
    ),
    Deed("sign_out", "Signs out, here or everywhere.", SignOutInput, SignOutSuccess, _sign_out),
    Deed(
        "change_password",
        "Takes another password. Every other session ends.",
        ChangePasswordInput,
        AccountSuccess,
        _change_password,
    ),
    Deed(
        "request_password_reset",
        "Sends a letter with a code for another password. Known and unknown addresses are answered alike.",
        RequestPasswordResetInput,
        RequestPasswordResetSuccess,
        _request_password_reset,
    ),
    Deed(
        "reset_password",
        "Takes another password with the code of a letter. Every session ends.",
        ResetPasswordInput,
        ResetPasswordSuccess,
        _reset_password,
    ),
    Deed(
        "request_email_verification",
        "Sends a letter with a code that shows an address to be yours; another address than until now needs a sign-in "
        "of the last 12 hours.",
        RequestEmailVerificationInput,
        AccountSuccess,
        _request_email_verification,
    ),
    Deed(
        "verify_email",
        "Shows an address to be yours with the code of a letter.",
        VerifyEmailInput,
        VerifyEmailSuccess,
        _verify_email,
    ),
    Deed(
        "update_account",
        "Changes the name you sign in with.",
        UpdateAccountInput,
        AccountSuccess,
        _update_account,
    ),
    Deed(
        "delete_account",
        "Erases your account for good: its name, address, sign-ins, keys, follows and messages to you. What you said "
        "stays without your name, unless you take it back first; a place you had in a ritual stays counted. An artist "
        "that only you hold goes with it, and what it kept private is for nobody; that is refused while others meet "
        "its works or rituals.",
        DeleteAccountInput,
        DeleteAccountSuccess,
        _delete_account,
        (Moved,),
    ),
)
