"""The SDL of refusals: why a mutation wrote nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import errors
from domain.errors import RefusalCode
from domain.licensing import PolicyDenied
from domain.publishing import NotReady
from domain.rights import Use
from domain.verdicts import RouteKind
from graph.fields import described, stored
from resolvers.manifests import lack_told

if TYPE_CHECKING:
    from graph.assets import Asset
    from graph.manifests import ReleaseLack

described(
    RefusalCode,
    UNAUTHENTICATED="Sign in first.",
    FORBIDDEN="It is yours to see and not to do, or only a person may.",
    NOT_FOUND="There is no such thing, or it is not yours.",
    VALIDATION="A value breaks a rule; `path` says which.",
    CONFLICT="Somebody else wrote first, or the thing is in another state.",
    LINEAGE_CYCLE="Something would be made from itself.",
    IDEMPOTENCY_MISMATCH="The idempotency key belongs to another request.",
    NOT_OFFERED="This house was not set up for that.",
    POLICY_DENIED="A policy is in the way, and no payment clears it.",
    RATE_LIMIT="It was done often enough for now.",
)


@strawberry.interface(description="Why a mutation was refused. Nothing was written.")
class UserError:
    """An expected refusal."""

    code: RefusalCode = stored("A stable code.")
    message: str = stored("A sentence for the person who asked.")
    path: list[str] = stored("Where in the input it points; empty when nowhere.")


@strawberry.type(description="Nobody is signed in, or not by this name and password, or too long ago for this.")
class SignInNeededError(UserError):
    """Anonymous."""


@strawberry.type(description="It is yours to see and not to do, or only a signed-in person may do it.")
class ForbiddenError(UserError):
    """Forbidden."""


@strawberry.type(description="There is no such thing, or it is not yours: the two answer alike.")
class NotFoundError(UserError):
    """Not found."""


@strawberry.type(description="A value breaks a rule.")
class InvalidError(UserError):
    """Invalid."""


@strawberry.type(description="Somebody else wrote first, or the thing is in another state: read again, decide again.")
class ConflictError(UserError):
    """The version or the state moved."""


@strawberry.type(description="The idempotency key was used for another request.")
class IdempotencyError(UserError):
    """The key was reused."""


@strawberry.type(description="This house was not set up for that.")
class NotOfferedError(UserError):
    """Switched off."""


@strawberry.type(description="The edge would make something from itself. `cycle` names the way round.")
class LineageCycleError(UserError):
    """A cycle, named."""

    cycle: list[Annotated["Asset", strawberry.lazy("graph.assets")] | None] = stored(
        "From the child over the parent and up to the child again; null where you may not see it."
    )


@strawberry.type(description="A version cannot be published yet. `lacks` is all that is missing.")
class NotReadyError(UserError):
    """Something is missing."""

    lacks: list[Annotated["ReleaseLack", strawberry.lazy("graph.manifests")]] = stored("All of it.")


@strawberry.type(description="A policy is in the way that no payment clears. Nothing is quoted and nothing is charged.")
class PolicyDeniedError(UserError):
    """Denied, or to be asked for."""

    use: Use = stored("For which use.")
    route: RouteKind = stored("CONTACT where the owners can be asked; NONE where nothing can be done.")


@strawberry.type(description="It was done often enough for now.")
class TooSoonError(UserError):
    """Too soon."""

    seconds: int = stored("How long to wait.")


REFUSALS: Mapping[type[errors.CassetError], type[UserError]] = {
    errors.SignInNeeded: SignInNeededError,
    errors.Forbidden: ForbiddenError,
    errors.NotFound: NotFoundError,
    errors.Invalid: InvalidError,
    errors.Moved: ConflictError,
    errors.KeyReused: IdempotencyError,
    errors.NotOffered: NotOfferedError,
    errors.CycleClosed: LineageCycleError,
    NotReady: NotReadyError,
    PolicyDenied: PolicyDeniedError,
    errors.TooSoon: TooSoonError,
}


def told(refusal: errors.CassetError) -> dict[str, Any]:
    """A refusal as a value by SDL names."""
    values: dict[str, Any] = {"code": refusal.code.value, "message": refusal.message, "path": list(refusal.path)}
    if isinstance(refusal, errors.CycleClosed):
        values["cycle"] = list(refusal.cycle)
    if isinstance(refusal, NotReady):
        values["lacks"] = [lack_told(lack) for lack in refusal.lacks]
    if isinstance(refusal, PolicyDenied):
        values |= {"use": refusal.use.value, "route": refusal.route.value}
    if isinstance(refusal, errors.TooSoon):
        values["seconds"] = refusal.seconds
    return {"__typename": REFUSALS[type(refusal)].__name__, **values}
