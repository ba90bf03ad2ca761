"""Where presaves live: who waits for what comes out, in which place, and what they can show of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Boolean, Integer, Select, Text, Uuid, bindparam, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.accounts import handle_of
from db.places import Stored, ToOne, Type, columns, refer
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from domain.rituals import AWAITED, Presave, RitualState

_AWAITED = [state.value for state in AWAITED]

PRESAVE = Type(
    "Presave",
    tables.ritual_presave,
    {
        **columns(tables.ritual_presave, id="ref"),
        "handle": Stored(handle_of),
        "nth": Stored(lambda presave: presave.c.position),
        "since": Stored(lambda presave: presave.c.created_at),
        "ritual": ToOne("Ritual", refer("ritual_id"), action=Action.READ),
    },
)
RITUAL_PARTICIPATION = Type(
    "RitualParticipation",
    tables.ritual_presave,
    {
        "nth": Stored(lambda presave: presave.c.position),
        "since": Stored(lambda presave: presave.c.created_at),
        "isNamed": Stored(lambda presave: presave.c.is_named),
        "proof": Stored(lambda presave: presave.c.proof.cast(Text), nullable=True),
    },
)


@dataclass(frozen=True, slots=True)
class MetRitual:
    """A ritual as somebody meets it who would wait for it; nobody holds it.

    Attributes:
        artist: whose it is.
        hook: it is around; or else
        release: it is around.
        state: where it stood when they came.
        is_own: they may change it.
    """

    artist: UUID
    hook: UUID | None
    release: UUID | None
    state: RitualState
    is_own: bool


def _meeting() -> Select[Any]:
    ritual = tables.ritual.alias()
    turn = func.hashtextextended(bindparam("turn", type_=Text), 0)
    about = ritual.c.artist_id, ritual.c.hook_id, ritual.c.release_id, ritual.c.state
    is_own = allowed(tables.ritual, Action.WRITE, ritual)
    query = select(*about, is_own.label("is_own"), func.pg_advisory_xact_lock(turn).cast(Text))
    return query.where(ritual.c.id == bindparam("ritual", type_=Uuid), allowed(tables.ritual, Action.READ, ritual))


_MEET = _meeting()


async def meet_ritual(connection: AsyncConnection, viewer: Viewer, ritual_id: UUID) -> MetRitual | None:
    """A ritual the viewer may read, as it stood; until the end of the transaction nobody else presaves as them."""
    values = {**viewer_values(viewer), "ritual": ritual_id, "turn": f"presave/{ritual_id}/{viewer.account}"}
    row = (await connection.execute(_MEET, values)).first()
    if row is None:
        return None
    return MetRitual(row.artist_id, row.hook_id, row.release_id, RitualState(row.state), row.is_own)


_NAME = (
    update(tables.ritual_presave)
    .where(
        tables.ritual_presave.c.account_id == bindparam("account", type_=Uuid),
        tables.ritual_presave.c.ritual_id == bindparam("ritual", type_=Uuid),
    )
    .values(is_named=bindparam("named", type_=Boolean))
    .returning(tables.ritual_presave.c.id)
)


async def name_presave(connection: AsyncConnection, ritual_id: UUID, account_id: UUID, *, is_named: bool) -> bool:
    """Say whether somebody who is there is named; False where they are not there."""
    values = {"account": account_id, "ritual": ritual_id, "named": is_named}
    return (await connection.execute(_NAME, values)).first() is not None


# The lock of the ritual gives the places out: all that can be done without it is done before.
_PRESAVE = text("""
    WITH counted AS (
      UPDATE ritual SET presave_count = presave_count + 1 WHERE id = :ritual AND state = ANY(:awaited)
      RETURNING presave_count
    ), logged AS (
      INSERT INTO change (subject_id, kind) SELECT :ritual, 'PRESAVED' FROM counted
    )
    INSERT INTO ritual_presave (id, ritual_id, account_id, position, is_named)
    SELECT :id, :ritual, :account, presave_count, :named FROM counted RETURNING position
""").bindparams(
    bindparam("ritual", type_=Uuid),
    bindparam("id", type_=Uuid),
    bindparam("account", type_=Uuid),
    bindparam("named", type_=Boolean),
    bindparam("awaited", type_=ARRAY(Text)),
)


async def add_presave(
    connection: AsyncConnection, new_id: UUID, ritual_id: UUID, account_id: UUID, *, is_named: bool
) -> bool:
    """Let somebody be there before it is out, the next in the order of arrival; False where nothing is awaited now.

    Everybody who comes waits for the transaction of whoever came before: write it last.
    """
    values = {"id": new_id, "ritual": ritual_id, "account": account_id, "named": is_named, "awaited": _AWAITED}
    return (await connection.execute(_PRESAVE, values)).first() is not None


async def presaves_after(connection: AsyncConnection, ritual_id: UUID, nth: int, most: int) -> list[Presave]:
    """The next of those who were there, in the order of arrival."""
    presave = tables.ritual_presave
    query = select(presave.c.account_id, presave.c.created_at, presave.c.position)
    following = presave.c.ritual_id == ritual_id, presave.c.position > nth
    rows = await connection.execute(query.where(*following).order_by(presave.c.position).limit(most))
    return [Presave(Ref(Kind.ACCOUNT, row.account_id), row.created_at, row.position) for row in rows]


async def add_proofs(connection: AsyncConnection, ritual_id: UUID, proofs: Mapping[int, Mapping[str, Any]]) -> None:
    """Keep what participants can show, by their place in the order of arrival."""
    presave = tables.ritual_presave
    written = literal([orjson.dumps(dict(proof)).decode() for proof in proofs.values()], ARRAY(Text))
    given = func.unnest(literal([*proofs], ARRAY(Integer)), written)
    each = select(given.table_valued("nth", "proof").render_derived()).subquery()
    signed = update(presave).where(presave.c.ritual_id == ritual_id, presave.c.position == each.c.nth)
    await connection.execute(signed.values(proof=each.c.proof.cast(JSONB)))
