"""What can be done with credits and splits: an owner proposes, the person they name answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db import crediting
from db.assets import HeldAsset, update_asset
from db.changes import record_changes
from db.crediting import Parties, Party
from db.custody import standing_of
from db.search import index_names
from domain.canonical import canonical, digest
from domain.contributors import (
    Acceptance,
    CreditWish,
    Pool,
    Share,
    answered,
    checked_credits,
    checked_shares,
    divided,
)
from domain.errors import Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from domain.search import FoundKind
from resolvers.assets import held_asset
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import Announcement, asset_updated, proposal_changed


async def set_credits(
    acting: Acting, asset: Ref, wishes: Sequence[CreditWish], expected_version: int, idempotency_key: str | None
) -> Ref:
    """Say who did what, all of it: what is not named any more is taken back. Others than oneself are asked.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such asset, or it is not the viewer's to change; or there is no such person.
        Moved: `expected_version` is no longer the current one.
        Invalid: a credit breaks a rule, or stands twice.
        KeyReused: the idempotency key belongs to another request.
    """
    wanted = checked_credits(wishes)

    async def work(connection: Any) -> Outcome:
        held = await held_asset(connection, acting, asset, expected_version, "asset")
        await credit_people(connection, acting, held, wanted)
        return {"asset": str(held.ref)}

    said = [[str(wish.party), wish.role.value, wish.instrument] for wish in wanted]
    request = {"asset": str(asset), "credits": said, "expectedVersion": expected_version}
    outcome = await done_once(acting, "setCredits", request, idempotency_key, work)
    return parse_ref(outcome["asset"])


async def credit_people(connection: Any, acting: Acting, held: HeldAsset, wanted: Sequence[CreditWish]) -> None:
    """Credit people on a held asset as `set_credits` does; the credits are checked.

    Raises:
        NotFound: there is no such person.
        Invalid: a credit stands twice.
    """
    written = await write_credits(connection, acting, held.ref, wanted)
    if written is not None:
        await update_asset(connection, held, {})
        payload = {"credits": written.digest, "version": held.version + 1}
        events = [happened(acting, held.ref, EventKind.CONTRIBUTORS_UPDATED, payload)]
        told = [asset_updated(held.ref, held.version + 1), *written.proposals]
        await follow(connection, events, told, touched=written.touched)


@dataclass(frozen=True, slots=True)
class Written:
    """What credits that were written leave behind.

    Attributes:
        digest: of all of them, in order.
        proposals: what those hear who are asked.
        touched: the contributors.
    """

    digest: str
    proposals: Sequence[Announcement]
    touched: Sequence[UUID]


async def write_credits(connection: Any, acting: Acting, of: Ref, wanted: Sequence[CreditWish]) -> Written | None:
    """Write all the credits of an asset or a visual world that is held; None where nothing changes.

    Raises:
        NotFound: there is no such person.
        Invalid: a credit stands twice.
    """
    parties = await _credited(connection, acting, of.id, wanted)
    known = {
        (row.contributor_id, row.role, row.instrument): row for row in await crediting.credits_of(connection, of.id)
    }
    new, changed, proposed = [], [], []
    keys: dict[Any, None] = {}
    for position, wish in enumerate(wanted, 1):
        party = parties[wish.party]
        key = (party.id, wish.role.value, wish.instrument)
        if key in keys:
            raise Invalid("This credit stands twice.", path=("credits", str(position - 1)))
        keys[key] = None
        row = known.get(key)
        acceptance = answered(row and Acceptance(row.acceptance), is_own=party.is_own)
        if row is None:
            credit = {"id": acting.new_id(), "contributor_id": party.id}
            said = {"role": wish.role.value, "instrument": wish.instrument, "acceptance": acceptance.value}
            new.append({**credit, **said, "position": position})
            proposed += [credit["id"]] if acceptance is Acceptance.PROPOSED else []
        elif row.ended_at is not None or (row.position, row.acceptance) != (position, acceptance):
            changed.append((row.id, position, acceptance))
    ended = [row.id for key, row in known.items() if key not in keys and row.ended_at is None]
    if not (new or changed or ended):
        return None
    await crediting.write_credits(connection, of, new, changed, ended)
    return Written(
        digest(canonical([[str(id_), *rest] for id_, *rest in keys])),
        [proposal_changed(Ref(Kind.CREDIT, id_), of, Acceptance.PROPOSED) for id_ in proposed],
        list({party.id for party in parties.values()}),
    )


async def set_splits(
    acting: Acting,
    asset: Ref,
    pool: Pool,
    shares: Sequence[Share],
    expected_version: int,
    idempotency_key: str | None,
) -> Ref:
    """Divide a pool, all of it, or leave it to the owner by naming nobody. Others than oneself are asked.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such asset, or it is not the viewer's to change; or there is no such contributor.
        Moved: `expected_version` is no longer the current one.
        Invalid: the shares are not 10,000 basis points in all.
        KeyReused: the idempotency key belongs to another request.
    """
    checked_shares(shares)

    async def work(connection: Any) -> Outcome:
        held = await held_asset(connection, acting, asset, expected_version, "asset")
        named = [share.contributor for share in shares]
        parties = await crediting.contributors_of(connection, acting.viewer, held.ref.id, named)
        holders = _found(parties, named, "shares", "contributor")
        at, rows = await crediting.splits_at(connection, held.ref.id, pool)
        planned = _planned(shares, holders, rows)
        new, changed = [], []
        for position, plan in enumerate(planned, 1):
            values = {"basis_points": plan.basis_points, "position": position, "acceptance": plan.acceptance.value}
            if plan.held is None:
                new.append({"asset_id": held.ref.id, "contributor_id": plan.holder, "pool": pool.value, **values})
            elif any(getattr(plan.held, name) != value for name, value in values.items()):
                changed.append((plan.held.id, values))
        kept = {plan.holder for plan in planned}
        ended = [row.id for row in rows if row.contributor_id not in kept]
        if new or changed or ended:
            proposed = await crediting.write_splits(connection, at, new, changed, ended, acting.new_id)
            await update_asset(connection, held, {})
            divided = [[str(plan.holder), plan.basis_points] for plan in planned]
            said = {"pool": pool.value, "shares": digest(canonical(divided))}
            events = [happened(acting, held.ref, EventKind.CONTRIBUTORS_UPDATED, {**said, "version": held.version + 1})]
            told = [proposal_changed(Ref(Kind.SPLIT, id_), held.ref, Acceptance.PROPOSED) for id_ in proposed]
            told_all = [asset_updated(held.ref, held.version + 1), *told]
            await follow(connection, events, told_all, touched=[plan.holder for plan in planned])
        return {"asset": str(held.ref)}

    said = [[str(share.contributor), share.basis_points] for share in shares]
    request = {"asset": str(asset), "pool": pool.value, "shares": said, "expectedVersion": expected_version}
    outcome = await done_once(acting, "setSplits", request, idempotency_key, work)
    return parse_ref(outcome["asset"])


async def preview_splits(
    acting: Acting, asset: UUID, pool: Pool, shares: Sequence[Share], amount_minor: int | None
) -> list[dict[str, Any]] | None:
    """What a division would be, before it is saved; None where the asset is not the asker's, or somebody is not there.

    Args:
        acting: who asks.
        asset: whose pool it is.
        pool: which income.
        shares: 10,000 basis points in all.
        amount_minor: an amount to divide, in minor units; None for none.
    """
    standing = await standing_of(acting.database, acting.viewer, asset)
    if standing is None:
        return None
    named = [share.contributor for share in shares]
    async with acting.database.read() as connection:
        parties = await crediting.contributors_of(connection, acting.viewer, standing[0], named)
        _, rows = await crediting.splits_at(connection, standing[0], pool)
    if not all(contributor in parties for contributor in named):
        return None
    planned = _planned(shares, [parties[contributor] for contributor in named], rows)
    parts = (
        [None] * len(planned) if amount_minor is None else divided(amount_minor, [it.basis_points for it in planned])
    )
    return [
        {
            "__typename": "SplitPreview",
            "contributor": Ref(Kind.CONTRIBUTOR, plan.holder),
            "basisPoints": plan.basis_points,
            "basisPointsBefore": plan.held and plan.held.basis_points,
            "acceptance": plan.acceptance.value,
            "amountMinor": part,
        }
        for plan, part in zip(planned, parts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A share as it will be: whose, how much, whether they agree, and the row that holds for them now."""

    holder: UUID
    basis_points: int
    acceptance: Acceptance
    held: Any | None


def _planned(shares: Sequence[Share], holders: Sequence[Party], rows: Sequence[Any]) -> list[_Plan]:
    """Another share is another question: who agreed to the old one is asked again."""
    known = {row.contributor_id: row for row in rows}
    planned = []
    for share, party in zip(shares, holders, strict=True):
        row = known.get(party.id)
        agreed = row is not None and row.basis_points == share.basis_points
        acceptance = answered(Acceptance(row.acceptance) if row and agreed else None, is_own=party.is_own)
        planned.append(_Plan(party.id, share.basis_points, acceptance, row))
    return planned


async def answer_proposal(acting: Acting, proposal: Ref, accept: bool, idempotency_key: str | None) -> Ref:
    """Agree to a credit or a share that names oneself, or decline it; its reference, which is another for a share.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such credit or split, or it names somebody else.
        Moved: it stands no longer as it was read.
        KeyReused: the idempotency key belongs to another request.
    """
    answer = Acceptance.ACCEPTED if accept else Acceptance.DECLINED

    async def work(connection: Any) -> Outcome:
        held = await crediting.hold_proposal(connection, acting.viewer, proposal)
        if held is None:
            raise NotFound(f"There is no such {proposal.kind.value}.", path=("id",))
        if held.acceptance is None:
            raise Moved(f"The {proposal.kind.value} has changed. Read it again.", path=("id",))
        if held.acceptance is answer:
            return {"proposal": str(proposal)}
        answered_ = await crediting.answer_proposal(connection, held, answer, acting.new_id)
        payload = {proposal.kind.value: str(answered_), "acceptance": answer.value}
        events = [happened(acting, held.subject, EventKind.CONTRIBUTORS_UPDATED, payload)]
        told = [proposal_changed(answered_, held.of, answer)]
        await follow(connection, events, told, touched=[answered_.id])
        return {"proposal": str(answered_)}

    name = f"answer{proposal.kind.value.capitalize()}"
    done = await done_once(acting, name, {"id": str(proposal), "accept": accept}, idempotency_key, work)
    return parse_ref(done["proposal"])


async def _credited(connection: Any, acting: Acting, of: UUID, wishes: Sequence[CreditWish]) -> Parties:
    """Everybody some credits name, who is new made and findable.

    Raises:
        NotFound: there is no such contributor or artist.
    """
    named = list(dict.fromkeys(wish.party for wish in wishes))
    refs = {kind: [party for party in named if isinstance(party, Ref) and party.kind is kind] for kind in Kind}
    names = [party for party in named if isinstance(party, str)]
    parties: dict[Ref | str, Party] = {}
    made: dict[UUID, str] = {}
    if refs[Kind.CONTRIBUTOR]:
        parties |= await crediting.contributors_of(connection, acting.viewer, of, refs[Kind.CONTRIBUTOR])
    if refs[Kind.ARTIST]:
        found, new = await crediting.artists_credited(connection, acting.viewer, refs[Kind.ARTIST], acting.new_id)
        parties, made = {**parties, **found}, {**made, **new}
    if names:
        found, new = await crediting.outsiders_named(connection, of, names, acting.new_id)
        parties, made = {**parties, **found}, {**made, **new}
    _found(parties, [wish.party for wish in wishes], "credits", "party")
    if made:
        await index_names(connection, [(id_, FoundKind.CONTRIBUTOR, [name]) for id_, name in made.items()])
        await record_changes(connection, [(id_, "CONTRIBUTOR_CREATED", []) for id_ in made])
    return parties


def _found(parties: Parties, named: Sequence[Ref | str], field: str, inner: str) -> list[Party]:
    """The parties in the order they were named."""
    for number, party in enumerate(named):
        if party not in parties:
            raise NotFound("There is nobody by this id.", path=(field, str(number), inner))
    return [parties[party] for party in named]
