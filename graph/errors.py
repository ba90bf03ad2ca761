"""Errors as the caller meets them in `errors`: a sentence, where it points, and a stable code."""

from __future__ import annotations

import re
from typing import Any

import structlog
from graphql import GraphQLError

from domain.errors import CassetError, Code

log = structlog.get_logger()

_PYTHONS = re.compile(r", but encountered error '.*?'; found: ", re.DOTALL)
LONGEST_MESSAGE = 500
"""Characters of a sentence; some of graphql-core's quote all they were given."""


def masked(error: GraphQLError) -> Any:
    """What the caller learns of an unexpected error: where, and nothing else."""
    if error.original_error is None:
        return error.formatted
    if isinstance(error.original_error, CassetError):
        known = error.original_error
        return {"message": known.message, "path": error.path, "extensions": {"code": known.code.value}}
    log.error("resolver failed", path=error.path, exc_info=error.original_error)
    return {
        "message": "Something went wrong on our side.",
        "path": error.path,
        "extensions": {"code": Code.INTERNAL.value},
    }


def bad_input(error: GraphQLError) -> GraphQLError:
    """The same error with its code: half a surrogate pair shows its escape, a long sentence its ends.

    What Python says of a value it could not read is left out: it speaks of us, not of the request.
    """
    message = _PYTHONS.sub("; found: ", error.message.encode(errors="backslashreplace").decode())
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[: LONGEST_MESSAGE // 2]} … {message[-LONGEST_MESSAGE // 2 :]}"
    # Where it was raised is all that was looked at, itself included: nothing but a full collection would find that.
    error.__traceback__ = None
    if error.original_error is not None:
        error.original_error.__traceback__ = None
    extensions = {"code": Code.BAD_USER_INPUT.value, **(error.extensions or {})}
    return GraphQLError(message, error.nodes, error.source, error.positions, extensions=extensions)


def refused(error: CassetError) -> GraphQLError:
    """An error of ours, before anything was executed."""
    return GraphQLError(error.message, extensions={"code": error.code.value})
