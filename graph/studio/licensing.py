"""The mutations of licensing: a quote, the sound that a license opens, and a derivative that is registered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from db.verdicts import ASSET_REF_KINDS
from domain.assets import AssetKind
from domain.errors import BadInput, CycleClosed, Moved
from domain.ids import Kind, parse_ref_of
from domain.keys import KeyScope
from domain.licensing import LONGEST_PURPOSE, PolicyDenied
from domain.lineage import EdgeKind, EdgeStatus, Registration
from domain.rights import Use
from graph.assets import Asset
from graph.fields import DateTime, optional, stored
from graph.licensing import LicenseQuote
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.derivatives import Derived, NewWork, open_access, register_derivative
from resolvers.licensing import Wish, quote_license

_TERRITORY = re.compile("[A-Z]{2}")
_SHA256 = re.compile("[0-9a-f]{64}")
_ARTIST = frozenset({Kind.ARTIST})


@strawberry.type(description="What a license takes.")
class QuoteLicenseSuccess:
    """The payload."""

    quote: LicenseQuote = stored("The quote.")


@strawberry.input(description="What a license is asked for.")
class QuoteLicenseInput:
    """The input of `quoteLicense`."""

    asset: strawberry.ID = strawberry.field(description="The asset; of a release, the version that is out.")
    uses: list[Use] = strawberry.field(description="For which uses; at least one.")
    grantee: strawberry.ID | None = optional("The artist it is for; leave it out where you act for one only.")
    territory: str | None = optional("Where, as an ISO 3166-1 code such as DE; everywhere where none is given.")
    purpose: str | None = optional("For which purpose, at most 200 characters; any where none is given.")
    idempotency_key: str | None = key_field()


@strawberry.type(description="Where the track is heard, all of it.")
class OpenAccessSuccess:
    """The payload."""

    url: str = stored("Where, on this host; it is good for minutes. Ask again for another.")
    expires_at: DateTime = stored("Until when the address is good.")
    duration_ms: int = stored("How long the track is.")


@strawberry.input(description="A track to hear under a license.")
class OpenAccessInput:
    """The input of `openAccess`."""

    license: strawberry.ID = strawberry.field(description="A license that you took, or your artist has.")
    track: strawberry.ID = strawberry.field(description="The track it is on, or one of the release's own it is on.")
    asset: strawberry.ID | None = optional("What the license is on: refused where it is on something else.")
    idempotency_key: str | None = key_field()


@strawberry.type(description="How the derivative stands. A work that is private is told by its id alone.")
class RegisterDerivativeSuccess:
    """The payload."""

    child_id: strawberry.ID = stored("The derivative.")
    edge_id: strawberry.ID = stored("The edge that says what it is made from.")
    status: EdgeStatus = stored("How the edge stands.")
    registration: Registration = stored("Whether the derivative is registered.")
    parent: Asset | None = stored("What it is made from; null where it is unlisted.")


@strawberry.input(description="A work whose bytes are elsewhere; it becomes a private draft.")
class NewWorkInput:
    """A new work."""

    kind: AssetKind = strawberry.field(description="What it is; not a release.")
    title: str = strawberry.field(description="Its title.")
    sha256: str = strawberry.field(description="SHA-256 of its bytes, in lower-case hex.")
    owner: strawberry.ID | None = optional("Whose it becomes; leave it out where you act for one artist only.")


@strawberry.input(description="What is made from what: a child of yours, or a new work.")
class RegisterDerivativeInput:
    """The input of `registerDerivative`."""

    parent: strawberry.ID = strawberry.field(description="What it is made from.")
    kind: EdgeKind = strawberry.field(description="How.")
    child: strawberry.ID | None = optional("What you made, where it is here already.")
    new: NewWorkInput | None = optional("What you made, where it is not.")
    idempotency_key: str | None = key_field()


def _quote_license(asked: Mapping[str, Any]) -> Act:
    uses = frozenset(Use(use) for use in asked["uses"])
    if not uses:
        raise BadInput("Say for which uses.")
    territory, purpose = asked.get("territory"), asked.get("purpose")
    if territory is not None and not _TERRITORY.fullmatch(territory):
        raise BadInput("A territory is an ISO 3166-1 code of two capital letters, such as DE.")
    if purpose is not None:
        clean_text("purpose", purpose, longest=LONGEST_PURPOSE)
    given = asked.get("grantee")
    grantee = None if given is None else parse_ref_of(given, _ARTIST)
    wish = Wish(parse_ref_of(asked["asset"], ASSET_REF_KINDS), uses, grantee, territory, purpose)
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"quote": await quote_license(acting, wish, key)}

    return act


def _open_access(asked: Mapping[str, Any]) -> Act:
    license_ = parse_ref_of(asked["license"], frozenset({Kind.LICENSE}))
    track, key = parse_ref_of(asked["track"], frozenset({Kind.TRACK})), key_of(asked)
    given = asked.get("asset")
    asset = None if given is None else parse_ref_of(given, ASSET_REF_KINDS)

    async def act(acting: Acting) -> Mapping[str, Any]:
        ticket = await open_access(acting, license_, track, asset, key)
        length = ticket.window.end_ms or 0
        return {"url": ticket.url, "expiresAt": ticket.expires_at, "durationMs": length}

    return act


def _register_derivative(asked: Mapping[str, Any]) -> Act:
    child, given = asked.get("child"), asked.get("new")
    owner = None if given is None else given.get("owner")
    if given is not None and not _SHA256.fullmatch(given["sha256"]):
        raise BadInput("A hash is 64 digits of lower-case hex.")
    wish = Derived(
        parse_ref_of(asked["parent"], ASSET_REF_KINDS),
        EdgeKind(asked["kind"]),
        None if child is None else parse_ref_of(child, ASSET_REF_KINDS),
        None if given is None else NewWork(AssetKind(given["kind"]), given["title"], given["sha256"]),
        None if owner is None else parse_ref_of(owner, _ARTIST),
    )
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        done = await register_derivative(acting, wish, key)
        return {
            "childId": str(done.child),
            "edgeId": str(done.edge),
            "status": done.status.value,
            "registration": done.registration.value,
            "parent": wish.parent,
        }

    return act


DEEDS = (
    Deed(
        "quote_license",
        "Says what a license takes: what one payment to the owner clears, what is still needed from others, and how it "
        "is paid. It is free, and good for 15 minutes. What is denied, or to be asked for, is refused with the way on.",
        QuoteLicenseInput,
        QuoteLicenseSuccess,
        _quote_license,
        (PolicyDenied,),
        KeyScope.LICENSE,
    ),
    Deed(
        "open_access",
        "Opens the sound of a track for an hour to whoever took a license on it, or on the release it is on.",
        OpenAccessInput,
        OpenAccessSuccess,
        _open_access,
        (),
        KeyScope.LICENSE,
    ),
    Deed(
        "register_derivative",
        "Registers that a work is made from another. The parent's permission, or a license, decides whether it is "
        "registered at once; the parent's owner sees it either way.",
        RegisterDerivativeInput,
        RegisterDerivativeSuccess,
        _register_derivative,
        (Moved, CycleClosed),
        KeyScope.DERIVE,
    ),
)
