"""The letters this house writes: plain text, and nothing in them that a stranger chose but a handle."""

from __future__ import annotations

from typing import NamedTuple


class Letter(NamedTuple):
    """A letter to one address."""

    to: str
    subject: str
    text: str


def reset_letter(to: str, handle: str, code: str) -> Letter:
    """The code that gives an account another password."""
    return _letter(
        to,
        "Your Casset password",
        f"Somebody, hopefully you, asked for another password of @{handle}. With this code you choose one, within an "
        f"hour and once:",
        code,
        "If it was not you, nothing has changed, and you need do nothing.",
    )


def verification_letter(to: str, handle: str, code: str) -> Letter:
    """The code that shows that an address is theirs."""
    return _letter(
        to,
        "Your address on Casset",
        f"@{handle} on Casset gave this address as theirs. With this code you show that it is, within a day:",
        code,
        "If it was not you, do nothing: without the code the address is not used.",
    )


def changed_letter(to: str, handle: str) -> Letter:
    """Word that an account has another password."""
    return _letter(
        to,
        "Your Casset password was changed",
        f"@{handle} has another password since a moment ago, and is signed out everywhere else.",
        "If it was not you, ask for another password at once.",
    )


def moved_letter(to: str, handle: str) -> Letter:
    """Word that an account has another address."""
    return _letter(
        to,
        "Your address on Casset was changed",
        f"@{handle} gave another address as theirs a moment ago. Letters no longer come here.",
        "If it was not you, sign in with your handle and take another password at once.",
    )


def erased_letter(to: str, handle: str) -> Letter:
    """Word that an account is gone."""
    return _letter(
        to,
        "Your Casset account was deleted",
        f"@{handle} was deleted a moment ago, by somebody who was signed in. This is the last letter to this address.",
        "If it was not you, somebody knew your password: choose another one wherever you used the same.",
    )


def linked_letter(to: str, handle: str, provider: str) -> Letter:
    """Word that an account is signed in to by another house, too."""
    return _letter(
        to,
        "Another sign-in on Casset",
        f"@{handle} is signed in to by {provider}, too, since a moment ago.",
        "If it was not you, unlink it and take another password at once.",
    )


def _letter(to: str, subject: str, *paragraphs: str) -> Letter:
    return Letter(to, subject, "\n\n".join(paragraphs) + "\n")
