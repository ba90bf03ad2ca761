"""Errors as the caller meets them in `errors`: a sentence, where it points, and a stable code."""

from __future__ import annotations

from typing import Any

import structlog
from graphql import GraphQLError

from domain.errors import CassetError, Code

log = structlog.get_logger()


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
    """The same error with its code; a message that quotes half a surrogate pair shows its escape."""
    message = error.message.encode(errors="backslashreplace").decode()
    extensions = {"code": Code.BAD_USER_INPUT.value, **(error.extensions or {})}
    return GraphQLError(message, error.nodes, error.source, error.positions, extensions=extensions)


def refused(error: CassetError) -> GraphQLError:
    """An error of ours, before anything was executed."""
    return GraphQLError(error.message, extensions={"code": error.code.value})
