"""Signing in with another house: what ties its answer to one browser, what is believed of it, and what follows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from domain.accounts import checked_email
from domain.artists import checked_name
from domain.errors import BadInput, Invalid, Moved, SignInNeeded
from domain.handles import LONGEST_HANDLE, checked_handle

FLOW_LASTS = timedelta(minutes=10)
"""From the way out to the way back."""
MOST_IDENTITIES = 20
"""Of one account."""
LONGEST_SUBJECT = 255
LONGEST_PLACE = 2000
# What a browser reads as a path on the same host: no second slash, no backslash (which it takes for one), no blanks.
_PLACE = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_PROVIDER = re.compile(r"[a-z](?:-?[a-z0-9]){0,29}")
_SOMEONE = "someone"


class Proofs(NamedTuple):
    """What a flow sends along, so that only what was asked for here comes back here.

    Attributes:
        state: comes back beside the answer (RFC 6749 section 10.12).
        nonce: comes back in the id token (OpenID Connect Core section 3.1.2.1).
        verifier: is told when the code is redeemed (RFC 7636).
    """

    state: str
    nonce: str
    verifier: str


class Vouched(NamedTuple):
    """What another house says of somebody who signed in there.

    Attributes:
        issuer: the house.
        subject: who it is, there.
        name: what they are called; None where it is not told, or is no name.
        email: their address; None where it is not told, or is none.
        email_verified: the house says it was shown to be theirs.
    """

    issuer: str
    subject: str
    name: str | None = None
    email: str | None = None
    email_verified: bool = False


class Step(Enum):
    """What follows when somebody comes back."""

    ENTER = "sign in to the account it is linked to"
    LINK = "link it to the account that is signed in"
    JOIN = "open an account"


def checked_provider(name: str) -> str:
    """The name of a provider, as it stands in addresses.

    Raises:
        Invalid: it is none.
    """
    if not _PROVIDER.fullmatch(name):
        raise Invalid("A provider's name has up to 30 letters a to z and digits, with single - between them.")
    return name


def checked_place(text: str | None) -> str:
    """Where somebody goes on after they came back: a path on this host; its root where none is given.

    Raises:
        BadInput: it may lead elsewhere.
    """
    if text is None:
        return "/"
    if len(text) > LONGEST_PLACE or not _PLACE.fullmatch(text):
        raise BadInput("next is a path on this host, such as /studio.")
    return text


def proofs_of(secret: str) -> Proofs:
    """The proofs of a flow, each derived from the secret that one browser keeps; none of them tells it."""
    return Proofs(*[_derived(secret, purpose) for purpose in Proofs._fields])


def _derived(secret: str, purpose: str) -> str:
    digest = hmac.digest(secret.encode(errors="surrogatepass"), purpose.encode("ascii"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def is_answer_to(secret: str, state: str) -> bool:
    """Whether a state that came back is of the flow whose secret the browser keeps."""
    return hmac.compare_digest(proofs_of(secret).state.encode(), state.encode(errors="surrogatepass"))


def vouched(issuer: str, claims: Mapping[str, Any]) -> Vouched:
    """Read what a house says of somebody, by the names of OpenID Connect's standard claims.

    What is not needed is not believed blindly: a name or an address that could not be given here is left out.

    Raises:
        SignInNeeded: it does not say who it is.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not _is_plain(subject):
        raise SignInNeeded("The answer does not say who signed in.")
    # One large house writes its booleans as strings.
    verified = str(claims.get("email_verified")).lower() == "true"
    email = _taken(checked_email, claims.get("email"))
    return Vouched(issuer, subject, _taken(checked_name, claims.get("name")), email, verified and email is not None)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _taken(check: Any, value: Any) -> str | None:
    """A text where it passes a check."""
    if isinstance(value, str):
        with suppress(Invalid):
            return str(check(value))
    return None


def handles_for(name: str | None, tail: str) -> Iterator[str]:
    """Handles for somebody who was not asked for one, the nicest first; the last is nobody's but for chance.

    Args:
        name: what they are called.
        tail: a few characters that nobody else is given.
    """
    spelled = unicodedata.normalize("NFKD", name or "").encode("ascii", "ignore").decode("ascii").lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", spelled))[: LONGEST_HANDLE - len(tail) - 1].strip("-")
    for handle in (slug, f"{slug}-{tail}", f"{_SOMEONE}-{tail}"):
        with suppress(Invalid):
            yield checked_handle(handle)


def what_follows(linked: UUID | None, begun_by: UUID | None, signed_in: UUID | None) -> Step:
    """What follows when somebody comes back from another house.

    Args:
        linked: the account their identity there is linked to.
        begun_by: the account that was signed in when they left.
        signed_in: the account that is signed in now.

    Raises:
        Moved: it is linked to another account than the one it shall be linked to.
        SignInNeeded: who wanted to link it is signed in no longer.
    """
    if begun_by is None:
        return Step.JOIN if linked is None else Step.ENTER
    if linked is not None and linked != begun_by:
        raise Moved("This sign-in is linked to another account. Unlink it there first.")
    if linked is not None:
        return Step.ENTER
    if signed_in != begun_by:
        raise SignInNeeded("You are signed in no longer. Sign in, and link it again.")
    return Step.LINK


def check_way_left(identities: int, *, has_password: bool) -> None:
    """Let one of some identities be unlinked.

    Raises:
        Moved: there would be no way left to sign in.
    """
    if identities <= 1 and not has_password:
        raise Moved("This is your only way to sign in. Set a password or link another one first.", path=("id",))


def check_room_for_identity(identities: int) -> None:
    """Let one more be linked.

    Raises:
        Invalid: these are enough.
    """
    if identities >= MOST_IDENTITIES:
        raise Invalid(f"One account is linked to at most {MOST_IDENTITIES} sign-ins.")
