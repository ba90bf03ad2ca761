"""The errors a caller can meet, each with a stable code. Codes never change; sentences may."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.ids import Ref


class Code(StrEnum):
    """Stable error codes, shared by GraphQL `extensions.code` and REST problem documents (RFC 9457)."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION = "VALIDATION"
    CONFLICT = "CONFLICT"
    LINEAGE_CYCLE = "LINEAGE_CYCLE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    NOT_OFFERED = "NOT_OFFERED"
    POLICY_DENIED = "POLICY_DENIED"
    PAYMENT_REQUIRED = "PAYMENT_REQUIRED"
    TOO_COSTLY = "TOO_COSTLY"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED_MEDIA = "UNSUPPORTED_MEDIA"
    RANGE = "RANGE"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105  # a word of a vocabulary, not a password
    RATE_LIMIT = "RATE_LIMIT"
    DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    SUBSCRIPTION_TRANSPORT_REQUIRED = "SUBSCRIPTION_TRANSPORT_REQUIRED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class CassetError(Exception):
    """An error meant for the caller: `code` is stable, the message is a sentence that helps."""

    code = Code.INTERNAL

    def __init__(self, message: str, *, path: tuple[str, ...] = ()) -> None:
        """Keep the sentence and, for input errors, where in the input it points."""
        super().__init__(message)
        self.message = message
        self.path = path


class BadInput(CassetError):
    """An argument is malformed: refused before anything is read or written."""

    code = Code.BAD_USER_INPUT


class NotFound(CassetError):
    """There is no such thing, or it is not yours: the two look the same."""

    code = Code.NOT_FOUND


class SignInNeeded(CassetError):
    """The caller is anonymous and the action needs a person."""

    code = Code.UNAUTHENTICATED


class Invalid(CassetError):
    """The input is well formed and breaks a rule of the domain; `path` names the field."""

    code = Code.VALIDATION


class Forbidden(CassetError):
    """The caller may see the thing and may not do this with it, or only a signed-in person may."""

    code = Code.FORBIDDEN


class Moved(CassetError):
    """Somebody else wrote first: the thing is no longer at the expected version, or in the state this needs."""

    code = Code.CONFLICT


class CycleClosed(CassetError):
    """An edge would make something from itself; `cycle` is the way round, None where the caller may not see it."""

    code = Code.LINEAGE_CYCLE

    def __init__(self, message: str, cycle: Sequence[Ref | None], *, path: tuple[str, ...] = ()) -> None:
        """Keep the way round."""
        super().__init__(message, path=path)
        self.cycle = tuple(cycle)


class NotOffered(CassetError):
    """This house was not set up for that; another one may be."""

    code = Code.NOT_OFFERED


class KeyReused(CassetError):
    """An idempotency key came back with another request."""

    code = Code.IDEMPOTENCY_MISMATCH


class TooLarge(CassetError):
    """What is sent has more bytes than are taken."""

    code = Code.TOO_LARGE


class Unsupported(CassetError):
    """A file is not what it should be, by its content."""

    code = Code.UNSUPPORTED_MEDIA


class BadRange(CassetError):
    """None of the bytes asked for is there, or they were asked for in more than one range."""

    code = Code.RANGE

    def __init__(self, message: str, size: int) -> None:
        """Keep how many bytes there are."""
        super().__init__(message)
        self.size = size


class TokenExpired(CassetError):
    """A token was good, and is no more."""

    code = Code.TOKEN_EXPIRED


class TooCostly(CassetError):
    """The operation asks for more than one answer may cost."""

    code = Code.TOO_COSTLY


class TooMany(CassetError):
    """Too many attempts, or too many at once: the same may be tried again after `seconds`."""

    code = Code.RATE_LIMIT

    def __init__(self, seconds: float) -> None:
        """Keep how long to wait."""
        super().__init__(f"Too many attempts. Try again in {math.ceil(seconds)} s.")
        self.seconds = seconds


class TooSoon(CassetError):
    """The same may be done after `seconds`; until then somebody has done enough of it."""

    code = Code.RATE_LIMIT

    def __init__(self, message: str, seconds: float) -> None:
        """Say how long to wait."""
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(f"{message} Try again in {self.seconds} s.")


class Unavailable(CassetError):
    """The database does not answer for the moment; the request may be repeated."""

    code = Code.UNAVAILABLE


class RefusalCode(StrEnum):
    """The codes with which a mutation refuses."""

    UNAUTHENTICATED = Code.UNAUTHENTICATED.value
    FORBIDDEN = Code.FORBIDDEN.value
    NOT_FOUND = Code.NOT_FOUND.value
    VALIDATION = Code.VALIDATION.value
    CONFLICT = Code.CONFLICT.value
    LINEAGE_CYCLE = Code.LINEAGE_CYCLE.value
    IDEMPOTENCY_MISMATCH = Code.IDEMPOTENCY_MISMATCH.value
    NOT_OFFERED = Code.NOT_OFFERED.value
    POLICY_DENIED = Code.POLICY_DENIED.value
    RATE_LIMIT = Code.RATE_LIMIT.value
