"""The mutations of rituals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import strawberry

from domain.entitlements import SCOPES
from domain.errors import Moved
from domain.ids import Kind, Ref, parse_ref_of
from domain.rituals import RitualDraft, RitualTimes
from graph.fields import DateTime, optional, stored
from graph.rituals import Ritual
from graph.studio.deeds import Act, Deed, key_field, key_of, via_field
from resolvers.context import Acting
from resolvers.rituals import announce_ritual, cancel_ritual, open_ritual, presave

_RITUALS = frozenset({Kind.RITUAL})


@strawberry.type(description="The ritual as it is now.")
class RitualSuccess:
    """The payload of what is done with a ritual."""

    ritual: Ritual = stored("The ritual.")


@strawberry.input(description="What to gather around, and when.")
class AnnounceRitualInput:
    """The input of `announceRitual`."""

    subject: strawberry.ID = strawberry.field(description="A hook or a release of yours.")
    title: str = strawberry.field(description="1 to 200 characters.")
    opens_at: DateTime = strawberry.field(description="When it opens: in the future, within a year.")
    releases_at: DateTime = strawberry.field(
        description="When it is out, a minute after the opening or later. A release comes out when it is published."
    )
    ends_at: DateTime = strawberry.field(description="When it becomes a memory, 31 days after the opening at most.")
    unlocks: strawberry.ID | None = optional(
        "What those get who wait for it, once it is out: the world of its artist, or a release or a track of theirs, "
        "which you own."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which ritual.")
class RitualInput:
    """The input of `openRitual` and `cancelRitual`."""

    ritual: strawberry.ID = strawberry.field(description="A ritual of yours.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Where to be before it is out.")
class PresaveInput:
    """The input of `presave`."""

    ritual: strawberry.ID = strawberry.field(description="The ritual.")
    is_named: bool | None = optional("Whether others may read that you were there; not where nothing is said.")
    via: str | None = via_field()
    idempotency_key: str | None = key_field()


def _announce(asked: Mapping[str, Any]) -> Act:
    times = RitualTimes(asked["opensAt"], asked["releasesAt"], asked["endsAt"])
    subject = parse_ref_of(asked["subject"], frozenset({Kind.HOOK, Kind.RELEASE}))
    promised = asked.get("unlocks")
    unlocks = None if promised is None else parse_ref_of(promised, frozenset(SCOPES))
    draft = RitualDraft(subject, asked["title"], times, unlocks)
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"ritual": await announce_ritual(acting, draft, key)}

    return act


def _with_ritual(done: Callable[[Acting, Ref, str | None], Awaitable[Ref]]) -> Callable[[Mapping[str, Any]], Act]:
    def read(asked: Mapping[str, Any]) -> Act:
        ritual, key = parse_ref_of(asked["ritual"], _RITUALS), key_of(asked)

        async def act(acting: Acting) -> Mapping[str, Any]:
            return {"ritual": await done(acting, ritual, key)}

        return act

    return read


def _presave(asked: Mapping[str, Any]) -> Act:
    ritual, key, is_named = parse_ref_of(asked["ritual"], _RITUALS), key_of(asked), bool(asked.get("isNamed"))
    via = asked.get("via")

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"ritual": await presave(acting, ritual, key, is_named=is_named, via=via)}

    return act


DEEDS = (
    Deed(
        "announce_ritual",
        "Announces a ritual around a hook or a release, whose room is opened where there is none; only a person of the "
        "artist may, signed in within the last 12 hours. An artist has one at a time.",
        AnnounceRitualInput,
        RitualSuccess,
        _announce,
    ),
    Deed(
        "open_ritual",
        "Opens a ritual before its time; only a signed-in person may.",
        RitualInput,
        RitualSuccess,
        _with_ritual(open_ritual),
        (Moved,),
    ),
    Deed(
        "cancel_ritual",
        "Calls a ritual off, as long as what it is around is awaited; only a signed-in person may.",
        RitualInput,
        RitualSuccess,
        _with_ritual(cancel_ritual),
        (Moved,),
    ),
    Deed(
        "presave",
        "Waits for what a ritual is around, the next in the order of arrival. Again, it only says whether you are "
        "named.",
        PresaveInput,
        RitualSuccess,
        _presave,
        (Moved,),
    ),
)
