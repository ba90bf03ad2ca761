"""Accounts and the viewer: who asks."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import Forbidden, Invalid, SignInNeeded
from domain.keys import KeyScope


class Role(StrEnum):
    """What a member of an artist may do."""

    OWNER = "OWNER"
    EDITOR = "EDITOR"
    CONTRIBUTOR = "CONTRIBUTOR"
    MEMBER = "MEMBER"


EDITING_ROLES = frozenset({Role.OWNER, Role.EDITOR})


class CodePurpose(StrEnum):
    """What a code sent by mail is good for."""

    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105  # a word of a vocabulary, not a password
    VERIFY_EMAIL = "VERIFY_EMAIL"


CODE_LASTS = {CodePurpose.RESET_PASSWORD: timedelta(hours=1), CodePurpose.VERIFY_EMAIL: timedelta(hours=24)}
SESSION_LASTS = timedelta(days=30)
"""From the last day it was used."""
FRESH = timedelta(hours=12)
"""How long a sign-in is good for keys, money and publishing."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who enters a read or a write.

    Attributes:
        account: the signed-in account, or the one a key was issued by; None for anonymous.
        holds: the artists whose private things the viewer may see.
        edits: the artists whose things the viewer may change; a part of `holds`.
        is_agent: a program with a key, not a person.
        scopes: what an agent's key allows.
        signed_in_at: when the person last proved who they are; None for an agent.
        acts_for: the artists an agent's key takes licenses for, whose grants its questions hear; what is private to
            them it does not see.
        key: which key an agent has.
        only_tries: the key is for trying: it writes nothing.
    """

    account: UUID | None = None
    holds: tuple[UUID, ...] = ()
    edits: tuple[UUID, ...] = ()
    is_agent: bool = False
    scopes: frozenset[KeyScope] = frozenset()
    signed_in_at: datetime | None = None
    acts_for: tuple[UUID, ...] = ()
    key: UUID | None = None
    only_tries: bool = False

    @property
    def grantees(self) -> tuple[UUID, ...]:
        """The artists whose grants are heard when the viewer asks."""
        return (*self.holds, *self.acts_for)

    @property
    def licensees(self) -> tuple[UUID, ...]:
        """The artists for whom the viewer takes licenses and registers derivatives."""
        return (*self.edits, *self.acts_for)

    def deriving(self) -> Viewer:
        """The viewer as whoever registers a derivative: a key then edits the works of the artists it acts for.

        What it is answered names those works by their ids alone.
        """
        return replace(self, holds=self.grantees, edits=self.licensees)

    def asking_for(self, artist: UUID) -> Viewer:
        """The viewer as whoever asks for one of those artists."""
        return replace(self, acts_for=(artist,))


ANONYMOUS = Viewer()
PROGRAM = Viewer(is_agent=True, scopes=frozenset({KeyScope.READ, KeyScope.CHECK}))
"""A program without a key: what is only announced is shown to people, in worlds, and not to programs."""


def allow(viewer: Viewer, scope: KeyScope | None, *, writes: bool = False) -> None:
    """Let a key do what its scopes say, and a person anything.

    Args:
        viewer: who asks.
        scope: what a key must allow; None for what only a person does.
        writes: something is kept of it, which no key does that only tries.

    Raises:
        Forbidden: a key asks for more than it allows.
    """
    if viewer.is_agent and scope is None:
        raise Forbidden("Only a signed-in person may do this, never a key.")
    if viewer.is_agent and scope not in viewer.scopes:
        raise Forbidden(f"This key lacks the scope {scope}.")
    if viewer.only_tries and writes:
        raise Forbidden("A test key writes nothing.")


def person_of(viewer: Viewer) -> UUID:
    """The account of a signed-in person.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: a key asks.
    """
    allow(viewer, None)
    if viewer.account is None:
        raise SignInNeeded("Sign in first.")
    return viewer.account


def freshly_signed_in(viewer: Viewer, now: datetime) -> UUID:
    """The account of a person who signed in within the last 12 hours.

    Raises:
        SignInNeeded: nobody is signed in, or too long ago.
        Forbidden: a key asks.
    """
    account = person_of(viewer)
    if viewer.signed_in_at is None or now - viewer.signed_in_at > FRESH:
        raise SignInNeeded("Sign in again: this needs a sign-in of the last 12 hours.")
    return account


LONGEST_EMAIL = 254
# What mail systems agree on, not all of RFC 5322: nothing of it can end a header or quote its way out of one.
_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})+")


def checked_email(text: str) -> str:
    """An address mail can be sent to, as it was written.

    Raises:
        Invalid: it is none.
    """
    email = text.strip()
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise Invalid("This is no address that mail can be sent to.", path=("email",))
    return email


def email_key(email: str) -> str:
    """By what an address is known: letter case aside."""
    return unicodedata.normalize("NFC", email.strip()).lower()
