"""The mutations of releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.verdicts import ASSET_REF_KINDS
from domain.errors import CycleClosed, Moved
from domain.ids import Kind, Ref, parse_ref_of
from domain.keys import KeyScope
from domain.publishing import NotReady
from domain.simulations import Paging
from graph.fields import DateTime, optional, stored
from graph.releases import Release, ReleaseVersion
from graph.simulations import VerdictChanges
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.publishing import publish_version
from resolvers.releases import archive_release, create_version, set_release_items, withdraw_release
from resolvers.scheduling import schedule_release


def expected_field() -> Any:
    """The field of an input that says how the release was read."""
    return strawberry.field(description="The `version` of the release you read: refused when it has moved since.")


@strawberry.type(description="The draft with its items as they are now.")
class SetReleaseItemsSuccess:
    """The payload."""

    release: Release = stored("The release.")
    version: ReleaseVersion = stored("Its draft, which only the members of its artist see.")


@strawberry.input(description="All that a release shall hold, in order.")
class SetReleaseItemsInput:
    """The input of `setReleaseItems`."""

    release: strawberry.ID = strawberry.field(description="The release.")
    items: list[strawberry.ID] = strawberry.field(
        description="At most 500 assets of any kind, each once: yours, or any that you may see."
    )
    expected_version: int = expected_field()
    idempotency_key: str | None = key_field()


def _set_release_items(asked: Mapping[str, Any]) -> Act:
    release = parse_ref_of(asked["release"], frozenset({Kind.RELEASE}))
    items = [parse_ref_of(item, ASSET_REF_KINDS) for item in asked["items"]]
    expected, key = asked["expectedVersion"], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        written, version = await set_release_items(acting, release, items, expected, key)
        return {"release": written, "version": version}

    return act


@strawberry.type(description="The release, and the draft that stands.")
class CreateVersionSuccess:
    """The payload."""

    release: Release = stored("The release.")
    version: ReleaseVersion = stored("Its draft, which only the members of its artist see.")


@strawberry.type(description="The release, and the version that is out: it never changes again.")
class PublishVersionSuccess:
    """The payload."""

    release: Release = stored("The release.")
    version: ReleaseVersion = stored("The version, with its manifest.")


@strawberry.type(description="The release as it stands now.")
class ReleaseSuccess:
    """The payload of what says how a release stands."""

    release: Release = stored("The release.")


@strawberry.type(description="The release as it stands now, and the verdicts that this flipped.")
class WithdrawReleaseSuccess:
    """The payload."""

    release: Release = stored("The release.")
    flipped: VerdictChanges = stored("The verdicts it flipped: the first hundred of them.")


@strawberry.input(description="A release of which another draft shall begin.")
class CreateVersionInput:
    """The input of `createVersion`."""

    release: strawberry.ID = strawberry.field(description="The release.")
    expected_version: int = expected_field()
    idempotency_key: str | None = key_field()


@strawberry.input(description="A draft that shall be out.")
class PublishVersionInput:
    """The input of `publishVersion`."""

    version: strawberry.ID = strawberry.field(description="The draft: `version_…`.")
    expected_version: int = expected_field()
    idempotency_key: str | None = key_field()


@strawberry.input(description="A release that was never out, and when it shall be.")
class ScheduleReleaseInput:
    """The input of `scheduleRelease`."""

    release: strawberry.ID = strawberry.field(description="The release.")
    at: DateTime | None = optional("When, within ten years. Null or left out: no longer.")
    expected_version: int = expected_field()
    idempotency_key: str | None = key_field()


@strawberry.input(description="A release that is out, and shall be so no longer.")
class EndReleaseInput:
    """The input of what takes a release back."""

    release: strawberry.ID = strawberry.field(description="The release.")
    expected_version: int = expected_field()
    idempotency_key: str | None = key_field()


def _create_version(asked: Mapping[str, Any]) -> Act:
    release, expected, key = _read(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        written, version = await create_version(acting, release, expected, key)
        return {"release": written, "version": version}

    return act


def _publish_version(asked: Mapping[str, Any]) -> Act:
    version = parse_ref_of(asked["version"], frozenset({Kind.VERSION}))
    expected, key = asked["expectedVersion"], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        release, out = await publish_version(acting, version, expected, key)
        return {"release": release, "version": out}

    return act


def _schedule_release(asked: Mapping[str, Any]) -> Act:
    release, expected, key = _read(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"release": await schedule_release(acting, release, asked.get("at"), expected, key)}

    return act


def _archive_release(asked: Mapping[str, Any]) -> Act:
    release, expected, key = _read(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"release": await archive_release(acting, release, expected, key)}

    return act


def _withdraw_release(asked: Mapping[str, Any]) -> Act:
    release, expected, key = _read(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        written, foreseen = await withdraw_release(acting, release, expected, key)
        return {"release": written, "flipped": foreseen.told(Paging())}

    return act


def _read(asked: Mapping[str, Any]) -> tuple[Ref, int, str | None]:
    """The release, the version it was read at, and the idempotency key."""
    return parse_ref_of(asked["release"], frozenset({Kind.RELEASE})), asked["expectedVersion"], key_of(asked)


DEEDS = (
    Deed(
        "set_release_items",
        "Says what the draft of a release holds. What was published never changes: where the last version is out, "
        "another draft begins.",
        SetReleaseItemsInput,
        SetReleaseItemsSuccess,
        _set_release_items,
        (Moved, CycleClosed),
        KeyScope.ASSETS_WRITE,
    ),
    Deed(
        "create_version",
        "Begins another draft of a release, which holds what the version before it holds. Where one has begun, it "
        "stands.",
        CreateVersionInput,
        CreateVersionSuccess,
        _create_version,
        (Moved,),
    ),
    Deed(
        "publish_version",
        "Publishes a draft: makes what it holds of yours public, freezes titles, credits, splits, policies, windows, "
        "badges and media, and makes and signs its manifest, all at once or not at all. It asks for no form: what "
        "nobody said is filled by the rules. Once it is out nothing is written again. Sign in within 12 hours.",
        PublishVersionInput,
        PublishVersionSuccess,
        _publish_version,
        (Moved, NotReady, CycleClosed),
    ),
    Deed(
        "schedule_release",
        "Lets a release that was never out come out at a time, in your name; until then people see its title, cover, "
        "hook and room. Nothing may be missing. Sign in within 12 hours.",
        ScheduleReleaseInput,
        ReleaseSuccess,
        _schedule_release,
        (Moved, NotReady, CycleClosed),
    ),
    Deed(
        "archive_release",
        "Puts a release away: it is in no list any more, and may be read by its id.",
        EndReleaseInput,
        ReleaseSuccess,
        _archive_release,
        (Moved,),
    ),
    Deed(
        "withdraw_release",
        "Takes a release back: others see its title, whose it is, and that it was withdrawn. What it is made of stays.",
        EndReleaseInput,
        WithdrawReleaseSuccess,
        _withdraw_release,
        (Moved,),
    ),
)
