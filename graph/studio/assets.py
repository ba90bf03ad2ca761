"""The mutations of assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.verdicts import ASSET_REF_KINDS
from domain.assets import AssetDraft, AssetKind, AssetState, AssetUpdate, Badge, Details, SampleSubkind
from domain.errors import Moved
from domain.ids import Kind, parse_ref_of
from domain.keys import KeyScope
from domain.releases import ReleaseKind
from domain.simulations import Paging
from graph.assets import Asset
from graph.fields import Date, optional, stored
from graph.simulations import VerdictChanges
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.assets import create_asset, set_asset_state, update_asset
from resolvers.context import Acting


@strawberry.type(description="The new asset. Only the members of its artist see it.")
class CreateAssetSuccess:
    """The payload."""

    asset: Asset = stored("The asset.")


@strawberry.type(description="The asset as it is now.")
class UpdateAssetSuccess:
    """The payload."""

    asset: Asset = stored("The asset after the update.")


@strawberry.type(description="The asset as it is now, and the verdicts that this flipped.")
class SetAssetStateSuccess:
    """The payload."""

    asset: Asset = stored("The asset.")
    flipped: VerdictChanges = stored("The verdicts it flipped: the first hundred of them.")


@strawberry.input(description="What a track has of its own. What is left out stays as it is; null takes it away.")
class TrackDetailsInput:
    """Details of a track."""

    bpm: float | None = optional("Its tempo in beats per minute, to three decimals.")
    musical_key: str | None = optional("Its key, as its artist writes it; at most 40 characters.")
    isrc: str | None = optional("Its ISRC (ISO 3901), with or without hyphens.")


@strawberry.input(description="What a sample has of its own. What is left out stays as it is; null takes it away.")
class SampleDetailsInput:
    """Details of a sample."""

    subkind: SampleSubkind | None = optional("What sort of sample it is.")
    bpm: float | None = optional("Its tempo in beats per minute, to three decimals.")
    musical_key: str | None = optional("Its key, as its artist writes it; at most 40 characters.")


@strawberry.input(description="What an instrument has of its own. What is left out stays as it is; null takes it away.")
class InstrumentDetailsInput:
    """Details of an instrument."""

    family: str | None = optional("What family it belongs to, at most 100 characters.")
    format: str | None = optional("The format it is kept in, at most 100 characters.")


@strawberry.input(description="What a release has of its own. What is left out stays as it is; null takes it away.")
class ReleaseDetailsInput:
    """Details of a release."""

    release_kind: ReleaseKind | None = optional("Its form.")
    upc: str | None = optional("Its UPC or EAN.")
    label: str | None = optional("The label it names, at most 300 characters.")


@strawberry.input(description="What only assets of one kind have. The field that is given says the kind.", one_of=True)
class AssetDetailsInput:
    """Details of one kind."""

    track: TrackDetailsInput | None = optional("Of a track.")
    sample: SampleDetailsInput | None = optional("Of a sample.")
    instrument: InstrumentDetailsInput | None = optional("Of an instrument.")
    release: ReleaseDetailsInput | None = optional("Of a release.")


@strawberry.input(description="Something new. Its details say what kind of asset it is.")
class CreateAssetInput:
    """The input of `createAsset`."""

    owner: strawberry.ID = strawberry.field(description="The artist who will own it.")
    title: str = strawberry.field(description="Its title, at most 300 characters; may be empty.")
    details: AssetDetailsInput = strawberry.field(description="What kind it is, and what that kind has of its own.")
    badges: list[Badge] | None = optional("The badges it wears; only a signed-in person gives them.")
    made_on: Date | None = optional("The work's own date, where it is known.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What to change of an asset. What is left out stays as it is.")
class UpdateAssetInput:
    """The input of `updateAsset`."""

    id: strawberry.ID = strawberry.field(description="The asset.")
    expected_version: int = strawberry.field(description="The `version` you read: refused when it has moved since.")
    title: str | None = optional("A new title, at most 300 characters.")
    badges: list[Badge] | None = optional("All badges it shall wear; only a signed-in person gives them.")
    made_on: Date | None = optional("The work's own date; null takes it away.")
    details: AssetDetailsInput | None = optional("What its kind has of its own.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Who shall see an asset.")
class SetAssetStateInput:
    """The input of `setAssetState`."""

    id: strawberry.ID = strawberry.field(description="The asset.")
    state: AssetState = strawberry.field(description="Who shall see it.")
    expected_version: int = strawberry.field(description="The `version` you read: refused when it has moved since.")
    idempotency_key: str | None = key_field()


_COLUMNS = {"musicalKey": "musical_key", "releaseKind": "release_kind"}
_WORDS = {"subkind": SampleSubkind, "releaseKind": ReleaseKind}


def _details(given: Mapping[str, Any]) -> Details:
    ((kind, values),) = given.items()
    read = {
        _COLUMNS.get(name, name): _WORDS[name](value) if name in _WORDS and value is not None else value
        for name, value in values.items()
    }
    return Details(AssetKind(kind.upper()), read)


def _badges(asked: Mapping[str, Any]) -> frozenset[Badge] | None:
    badges = asked.get("badges")
    return None if badges is None else frozenset(Badge(badge) for badge in badges)


def _create_asset(asked: Mapping[str, Any]) -> Act:
    draft = AssetDraft(
        owner=parse_ref_of(asked["owner"], frozenset({Kind.ARTIST})),
        title=asked["title"],
        details=_details(asked["details"]),
        badges=_badges(asked) or frozenset(),
        made_on=asked.get("madeOn"),
    )
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"asset": await create_asset(acting, draft, key)}

    return act


def _update_asset(asked: Mapping[str, Any]) -> Act:
    change = AssetUpdate(
        asset=parse_ref_of(asked["id"], ASSET_REF_KINDS),
        expected_version=asked["expectedVersion"],
        title=asked.get("title"),
        badges=_badges(asked),
        made_on=asked.get("madeOn"),
        clears_made_on="madeOn" in asked and asked["madeOn"] is None,
        details=None if asked.get("details") is None else _details(asked["details"]),
    )
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"asset": await update_asset(acting, change, key)}

    return act


def _set_asset_state(asked: Mapping[str, Any]) -> Act:
    asset, state = parse_ref_of(asked["id"], ASSET_REF_KINDS), AssetState(asked["state"])
    expected, key = asked["expectedVersion"], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        written, foreseen = await set_asset_state(acting, asset, state, expected, key)
        return {"asset": written, "flipped": foreseen.told(Paging())}

    return act


DEEDS = (
    Deed(
        "create_asset",
        "Makes a track, a sample, an instrument or a release that only the members of its artist see. A release begins "
        "with an empty draft.",
        CreateAssetInput,
        CreateAssetSuccess,
        _create_asset,
        scope=KeyScope.ASSETS_WRITE,
    ),
    Deed(
        "update_asset",
        "Changes the title, the badges, the date or the details of an asset.",
        UpdateAssetInput,
        UpdateAssetSuccess,
        _update_asset,
        (Moved,),
        KeyScope.ASSETS_WRITE,
    ),
    Deed(
        "set_asset_state",
        "Says who may see an asset; only a signed-in person may. Nothing is deleted: what is withdrawn keeps its id, "
        "its title and its owner, and is denied to everybody. A release is shown by publishing it.",
        SetAssetStateInput,
        SetAssetStateSuccess,
        _set_asset_state,
        (Moved,),
    ),
)
