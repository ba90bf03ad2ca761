"""How policies are read from what somebody states, and written: the subject locked, history kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.arguments import Given, clean_text
from db.assets import current_id
from db.history import change_row, end_row, holds_at, moment_under_locks, since
from db.verdicts import ASSET_REF_KINDS
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from domain.policies import PolicyPreset, Stated
from domain.rights import Decision, Layer, Level, Term, Use

POLICY_SUBJECTS = frozenset({*ASSET_REF_KINDS, Kind.ARTIST, Kind.VISUAL})
LONGEST_WORDING = 200


def read_said(given: Given) -> tuple[str | None, PolicyPreset | None, list[Term]]:
    """The `license`, the `preset` and the `terms` somebody gives; whether they can be stated is not asked yet.

    Raises:
        BadInput: a text is none.
    """
    license_, chosen = given.get("license"), given.get("preset")
    if license_ is not None:
        clean_text("license", license_, longest=LONGEST_WORDING)
    terms = [read_term(term) for term in given.get("terms") or ()]
    return license_, None if chosen is None else PolicyPreset(chosen), terms


def read_term(given: Given) -> Term:
    """A term somebody states.

    Raises:
        BadInput: a text is none.
    """
    price = given.get("price") or {}
    texts = {name: given.get(field) for name, field in _WORDINGS.items()}
    for name, text in texts.items():
        if text is not None:
            clean_text(name, text, longest=LONGEST_WORDING)
    layer = given.get("layer")
    return Term(
        Use(given["use"]),
        None if layer is None else Layer(layer),
        Decision(given["decision"]),
        attribution=bool(given.get("attribution")),
        territories=tuple(given.get("territories") or ()) or None,
        starts_on=given.get("startsOn"),
        ends_on=given.get("endsOn"),
        price_minor=price.get("amountMinor"),
        currency=price.get("currency"),
        reaches_outputs=bool(given.get("reachesOutputs")),
        sublicense=bool(given.get("sublicense")),
        royalty_bp=given.get("royaltyBp"),
        **texts,
    )


_WORDINGS = {"share_alike": "shareAlike", "exception": "exception", "purpose": "purpose", "route": "route"}


@dataclass(frozen=True, slots=True)
class HeldPolicy:
    """What a policy speaks for, under the writer's lock.

    Attributes:
        subject: the asset, the artist or the visual world.
        teller: whose chain tells of it: the subject, or the artist whose visual world it is.
        level: which speaks.
        policy: the one that holds; None where nothing is stated.
        at: the moment from which on another holds.
    """

    subject: Ref
    teller: Ref
    level: Level
    policy: UUID | None
    at: datetime


def subject_level(subject: Ref) -> Level:
    """The level at which a policy of it speaks."""
    return {Kind.ARTIST: Level.ARTIST, Kind.VISUAL: Level.VISUAL}.get(subject.kind, Level.ASSET)


async def hold_policy(connection: AsyncConnection, viewer: Viewer, subject: Ref) -> HeldPolicy | None:
    """Lock what the viewer may state something of, or whose visual world it is; None where it is not there for them."""
    if subject.kind is Kind.VISUAL:
        visual, artist = tables.visual_world.alias(), tables.artist.alias()
        query = (
            select(visual.c.id, artist.c.id.label("teller"))
            .join_from(visual, artist, artist.c.id == visual.c.owner_id)
            .where(visual.c.id == subject.id, allowed(tables.visual_world, Action.WRITE, visual))
            .with_for_update(of=artist)
        )
    else:
        table = tables.artist if subject.kind is Kind.ARTIST else tables.asset
        row = table.alias()
        query = (
            select(row.c.id, row.c.id.label("teller"))
            .where(row.c.id == current_id(literal(subject.id, Uuid)), allowed(table, Action.WRITE, row))
            .with_for_update()
        )
    held = (await connection.execute(query, viewer_values(viewer))).first()
    if held is None:
        return None
    found, teller = held.id, Ref(Kind.ARTIST if subject.kind is Kind.VISUAL else subject.kind, held.teller)
    at = await moment_under_locks(connection)
    level = subject_level(subject)
    policy = tables.policy
    stands = select(policy.c.id).where(
        policy.c.subject_id == found, policy.c.level == level.value, holds_at(policy, at)
    )
    standing = (await connection.execute(stands)).scalar()
    return HeldPolicy(Ref(subject.kind, found), teller, level, standing, at)


async def write_policy(
    connection: AsyncConnection,
    held: HeldPolicy,
    stated: Stated,
    term_set: UUID,
    account: UUID,
    new_id: Callable[[], UUID],
) -> UUID:
    """Let a policy hold from now on; the id of its row, which is the version that answers name."""
    values = {
        "term_set_id": term_set,
        "license_family": stated.license.family.value,
        "license": stated.license.id,
        "stated_as": None,
        "stated_by_id": account,
        "created_at": held.at,
    }
    if held.policy is not None:
        return await change_row(connection, tables.policy, held.policy, values, held.at, new_id)
    id_ = new_id()
    row = {"id": id_, "level": held.level.value, "subject_id": held.subject.id, **values, **since(held.at)}
    await connection.execute(insert(tables.policy).values(row))
    return id_


async def end_policy(connection: AsyncConnection, held: HeldPolicy, new_id: Callable[[], UUID]) -> None:
    """Let nothing be stated from now on."""
    if held.policy is not None:
        await end_row(connection, tables.policy, held.policy, held.at, new_id)
