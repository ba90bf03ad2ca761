"""What a license would take: what one payment clears, what is still needed from others, and what is granted for it.

Policy comes first: what is denied, or to be asked for, is never quoted. One payment goes to one owner, that of the
asset asked about; what others have in the way is named, and asked of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from domain.blockers import Blocker
from domain.errors import CassetError, Code
from domain.ids import Kind, Ref
from domain.levels import Reason
from domain.rights import Decision, Layer, Outcome, Term, Use
from domain.verdicts import RouteKind, Verdict

QUOTE_LASTS = timedelta(minutes=15)
ACCESS_LASTS = timedelta(hours=1)
"""How long a license opens the sound for, before it is asked for again."""
QUOTE_SCHEMA, LICENSE_SCHEMA = "casset-quote/1", "casset-license/1"
LONGEST_PURPOSE = 200


class PolicyDenied(CassetError):
    """A policy is in the way that no payment clears; `route` says whether somebody can be asked."""

    code = Code.POLICY_DENIED

    def __init__(self, message: str, use: Use, route: RouteKind, *, path: tuple[str, ...] = ()) -> None:
        """Keep what was asked for, and the way on."""
        super().__init__(message, path=path)
        self.use, self.route = use, route


class Unpayable(StrEnum):
    """Why a quote cannot be paid."""

    NOTHING_TO_CLEAR = "NOTHING_TO_CLEAR"
    NO_PRICE = "NO_PRICE"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    NOBODY_SPOKE = "NOBODY_SPOKE"


class UseKind(StrEnum):
    """What a program did with a work, as its artist is told."""

    READ = "READ"
    CHECK = "CHECK"
    QUOTE = "QUOTE"
    LICENSE = "LICENSE"
    ACCESS = "ACCESS"
    DERIVE = "DERIVE"


class Need(NamedTuple):
    """Something in the way of one use.

    Attributes:
        asset: of which asset; None where the asker may not see it.
        owner: whose consent it takes; None where the asker may not see them.
        use: the use.
        layers: in which layers.
        outcome: what is said.
        policy: the policy that says so; None where none spoke, or it may not be told.
        term: what of it decides.
    """

    asset: UUID | None
    owner: UUID | None
    use: Use
    layers: tuple[Layer, ...]
    outcome: Outcome
    policy: UUID | None
    term: Term | None


class Offer(NamedTuple):
    """What a payment to one owner clears, and what it does not."""

    clears: tuple[Need, ...]
    still_needed: tuple[Need, ...]

    @property
    def price(self) -> tuple[int, str] | Unpayable:
        """Minor units and their currency, or why there is none."""
        if not self.clears:
            return Unpayable.NOTHING_TO_CLEAR
        if any(need.policy is None for need in self.clears):
            return Unpayable.NOBODY_SPOKE
        terms = [need.term for need in self.clears if need.term is not None]
        prices = [term.price_minor for term in terms if term.price_minor is not None]
        currencies = {term.currency for term in terms if term.currency is not None}
        if len(prices) < len(self.clears):
            return Unpayable.NO_PRICE
        if len(currencies) != 1:
            return Unpayable.OTHER_CURRENCY
        return sum(prices), currencies.pop()


def offered(verdicts: Sequence[Verdict], seller: UUID, shown: Collection[UUID]) -> Offer:
    """What the owner of an asset could be paid for, out of the verdicts on it.

    A term is paid once for an asset and a use, also where it speaks for both layers.

    Args:
        verdicts: on one asset.
        seller: who owns it.
        shown: the assets the asker may see; what they may not is needed still, and not named.

    Raises:
        PolicyDenied: the use is closed, cannot be told, or the owner is to be asked.
    """
    for verdict in verdicts:
        _refuse_closed(verdict, seller)
    met: dict[tuple[Any, ...], Need] = {}
    for verdict in verdicts:
        for blocker in verdict.blockers:
            need = _need(blocker, verdict.use, is_shown=blocker.asset in shown)
            key = (blocker.asset, need.use, need.outcome, need.policy, need.term)
            before = met.get(key)
            layers = need.layers if before is None else tuple(dict.fromkeys((*before.layers, *need.layers)))
            met[key] = need._replace(layers=layers)
    needs = tuple(met.values())
    clears = tuple([need for need in needs if _is_cleared(need, seller)])
    still = [need for need in needs if not _is_cleared(need, seller)]
    # What is hidden counts, and not how often: one line for each use and what is said of it.
    return Offer(clears, tuple(dict.fromkeys([_blurred(need) for need in still])))


def _refuse_closed(verdict: Verdict, seller: UUID) -> None:
    doing = verdict.use.value.replace("_", " ").lower()
    if verdict.outcome is Outcome.UNKNOWN:
        said = f"Part of what it is made of could not be read, so nothing is offered for {doing}."
        raise PolicyDenied(said, verdict.use, RouteKind.NONE, path=("uses",))
    if verdict.outcome is Outcome.DENIED:
        silent = verdict.route.kind is RouteKind.CONTACT
        said = f"Nobody has opened it for {doing}: ask the owner." if silent else f"It is closed for {doing}."
        raise PolicyDenied(said, verdict.use, verdict.route.kind, path=("uses",))
    asked = [it for it in verdict.blockers if it.owner == seller and it.outcome is Outcome.CONTACT_OWNER]
    if asked or verdict.conflicts:
        said = f"Ask the owner about {doing}." if asked else f"Licenses exclude each other: ask about {doing}."
        raise PolicyDenied(said, verdict.use, RouteKind.CONTACT, path=("uses",))


def _need(blocker: Blocker, use: Use, *, is_shown: bool) -> Need:
    if not is_shown:
        return Need(None, None, use, (blocker.layer,), blocker.outcome, None, None)
    policy = None if blocker.reason is Reason.NOT_STATED else blocker.statement
    return Need(blocker.asset, blocker.owner, use, (blocker.layer,), blocker.outcome, policy, blocker.term)


def _is_cleared(need: Need, seller: UUID) -> bool:
    return need.owner == seller and need.outcome is Outcome.LICENSE_REQUIRED


def _blurred(need: Need) -> Need:
    return need if need.asset is not None else need._replace(layers=tuple(Layer))


def granted_terms(needs: Iterable[Need], territory: str | None, purpose: str | None) -> dict[UUID, tuple[Term, ...]]:
    """What is granted of each asset for what was paid: what was asked, within what the owner's terms hold for."""
    granted: dict[UUID, list[Term]] = {}
    for need in needs:
        if need.asset is None or need.term is None:
            continue
        layer = None if len(need.layers) == len(Layer) else need.layers[0]
        term = need.term._replace(
            use=need.use,
            layer=layer,
            decision=Decision.ALLOWED,
            exception=None,
            territories=need.term.territories if territory is None else (territory,),
            purpose=need.term.purpose if purpose is None else purpose,
            price_minor=None,
            currency=None,
            reaches_outputs=False,
            route=None,
        )
        granted.setdefault(need.asset, []).append(term)
    return {asset: tuple(terms) for asset, terms in granted.items()}


class Asked(NamedTuple):
    """What somebody asks a license for.

    Attributes:
        asset: the asset, as it goes by now.
        bound_to: which state of it: the hash of its manifest, or its id and version.
        grantee: the artist it is for.
        uses: for what.
        territory: where; None for everywhere.
        purpose: for which purpose; None for any.
    """

    asset: Ref
    bound_to: str
    grantee: Ref
    uses: tuple[Use, ...]
    territory: str | None
    purpose: str | None


def quote_told(
    id_: Ref,
    asked: Asked,
    offer: Offer,
    refs: Mapping[UUID, Ref],
    issued_at: datetime,
    settled: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What a quote says, to be signed; absent means absent. It says when it ends beside when it began.

    Args:
        id_: of the quote, which is its settlement reference too.
        asked: what was asked.
        offer: what is offered.
        refs: references of the assets that are named.
        issued_at: when.
        settled: what is paid, and in what; None where it cannot be paid.
    """
    price = offer.price
    told: dict[str, Any] = {
        "schema": QUOTE_SCHEMA,
        "id": str(id_),
        **_scope(asked),
        "clears": [_need_told(need, refs) for need in offer.clears],
        "stillNeeded": [_need_told(need, refs) for need in offer.still_needed],
        "issuedAt": issued_at,
        "expiresAt": issued_at + QUOTE_LASTS,
    }
    if isinstance(price, Unpayable):
        return {**told, "unpayable": price.value}
    told["price"] = {"amountMinor": price[0], "currency": price[1]}
    return {**told, "settlement": dict(settled)} if settled is not None else {**told, "unpayable": _OTHER.value}


_OTHER = Unpayable.OTHER_CURRENCY


def license_told(
    id_: Ref, quote: Ref, asked: Asked, grants: Sequence[Ref], paid: Mapping[str, Any], at: datetime
) -> Any:
    """What a license says, to be signed."""
    return {
        "schema": LICENSE_SCHEMA,
        "id": str(id_),
        "quote": str(quote),
        **_scope(asked),
        "grants": [str(grant) for grant in grants],
        "payment": dict(paid),
        "issuedAt": at,
    }


def _scope(asked: Asked) -> dict[str, Any]:
    told: dict[str, Any] = {
        "asset": str(asked.asset),
        "boundTo": asked.bound_to,
        "grantee": str(asked.grantee),
        "uses": [use.value for use in asked.uses],
    }
    narrowed = {"territory": asked.territory, "purpose": asked.purpose}
    return told | {name: value for name, value in narrowed.items() if value is not None}


def _need_told(need: Need, refs: Mapping[UUID, Ref]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "use": need.use.value,
        "layers": [layer.value for layer in need.layers],
        "decision": need.outcome.value,
    }
    if need.asset is not None and need.asset in refs:
        told["asset"] = str(refs[need.asset])
    if need.owner is not None:
        told["owner"] = str(Ref(Kind.ARTIST, need.owner))
    if need.policy is not None:
        told["policy"] = str(Ref(Kind.POLICY, need.policy))
    if need.term is not None and need.term.price_minor is not None:
        told["price"] = {"amountMinor": need.term.price_minor, "currency": need.term.currency}
    return told
