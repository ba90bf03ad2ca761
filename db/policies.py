"""How policies are read from what somebody states, and written: the subject locked, history kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.arguments import Given, clean_text
from db.assets import current_id
from db.history import change_row, end_row, holds_at, moment_under_locks, since
from db.verdicts import ASSET_REF_KINDS
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.errors import BadInput, Moved
from domain.ids import Kind, Ref, parse_ref_of
from domain.policies import PolicyPreset, Stated
from domain.releases import VersionState
from domain.rights import Decision, Layer, Level, Term, Use

POLICY_SUBJECTS = frozenset({*ASSET_REF_KINDS, Kind.ARTIST, Kind.VISUAL, Kind.VERSION})
_ARTISTS = frozenset({Kind.ARTIST})
LONGEST_WORDING = 200


def read_agent(given: Given, subject: Ref) -> Ref | None:
    """The `agent` that a policy of a subject speaks to alone; None for everybody.

    Raises:
        BadInput: it is no artist, or the subject is no version.
    """
    agent = given.get("agent")
    if agent is not None and subject.kind is not Kind.VERSION:
        raise BadInput("agent is for a version of a release alone.")
    return None if agent is None else parse_ref_of(agent, _ARTISTS)


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
        subject: the asset, the artist, the visual world or the version.
        teller: whose chain tells of it: the subject, the artist of the visual world, or the release of the version.
        level: which speaks.
        agent: the artist whose programs alone it speaks to; None for everybody.
        policy: the one that holds; None where nothing is stated.
        at: the moment from which on another holds.
    """

    subject: Ref
    teller: Ref
    level: Level
    agent: UUID | None
    policy: UUID | None
    at: datetime


def subject_level(subject: Ref, agent: UUID | None = None) -> Level:
    """The level at which a policy of it speaks, to everybody or to one agent."""
    return Level.AGENT_RULE if agent is not None else _LEVELS.get(subject.kind, Level.ASSET)


async def hold_policy(
    connection: AsyncConnection, viewer: Viewer, subject: Ref, agent: UUID | None = None
) -> HeldPolicy | None:
    """Lock what the viewer may state something of, or what it belongs to; None where it is not there for them.

    Raises:
        Moved: it is a version that another one took the place of.
    """
    held = (await connection.execute(_lock(subject), viewer_values(viewer))).first()
    if held is None:
        return None
    if subject.kind is Kind.VERSION and held.state not in _SPEAKING:
        raise Moved("This version is out no longer, and speaks for nothing.", path=("subject",))
    at = await moment_under_locks(connection)
    level, policy = subject_level(subject, agent), tables.policy
    stands = select(policy.c.id).where(
        policy.c.subject_id == held.id,
        policy.c.level == level.value,
        policy.c.agent_id.is_not_distinct_from(agent),
        holds_at(policy, at),
    )
    standing = (await connection.execute(stands)).scalar()
    teller = Ref(_TELLERS.get(subject.kind, subject.kind), held.teller)
    return HeldPolicy(Ref(subject.kind, held.id), teller, level, agent, standing, at)


_LEVELS = {Kind.ARTIST: Level.ARTIST, Kind.VISUAL: Level.VISUAL, Kind.VERSION: Level.VERSION}
_TELLERS = {Kind.VISUAL: Kind.ARTIST, Kind.VERSION: Kind.RELEASE}
_SPEAKING = frozenset({VersionState.DRAFT.value, VersionState.PUBLISHED.value})


def _lock(subject: Ref) -> Select[Any]:
    """The subject, and whose chain tells of it, which is locked."""
    if subject.kind is Kind.VISUAL:
        visual, artist = tables.visual_world.alias(), tables.artist.alias()
        return (
            select(visual.c.id, artist.c.id.label("teller"))
            .join_from(visual, artist, artist.c.id == visual.c.owner_id)
            .where(visual.c.id == subject.id, allowed(tables.visual_world, Action.WRITE, visual))
            .with_for_update(of=artist)
        )
    if subject.kind is Kind.VERSION:
        version, release = tables.release_version.alias(), tables.asset.alias()
        return (
            select(version.c.id, release.c.id.label("teller"), version.c.state)
            .join_from(version, release, release.c.id == version.c.release_id)
            .where(version.c.id == subject.id, allowed(tables.release_version, Action.WRITE, version))
            .with_for_update(of=release)
        )
    table = tables.artist if subject.kind is Kind.ARTIST else tables.asset
    row = table.alias()
    return (
        select(row.c.id, row.c.id.label("teller"))
        .where(row.c.id == current_id(literal(subject.id, Uuid)), allowed(table, Action.WRITE, row))
        .with_for_update()
    )


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
    spoken = {"level": held.level.value, "subject_id": held.subject.id, "agent_id": held.agent}
    row = {"id": id_, **spoken, **values, **since(held.at)}
    await connection.execute(insert(tables.policy).values(row))
    return id_


async def end_policy(connection: AsyncConnection, held: HeldPolicy, new_id: Callable[[], UUID]) -> None:
    """Let nothing be stated from now on."""
    if held.policy is not None:
        await end_row(connection, tables.policy, held.policy, held.at, new_id)
