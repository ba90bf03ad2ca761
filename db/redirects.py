"""How one asset takes the place of another: what leads to the other leads to it, and the old id does.

What both have, the kept one keeps; what only the other has, it takes over. Nothing is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Uuid, case, delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.custody import DETAILS
from db.engine import Database
from db.history import change_rows, end_rows, holds_at, since
from db.lyrics import take_over_lyrics
from domain.ids import Kind, Ref
from domain.releases import VersionState
from domain.rights import Level


async def is_out(connection: AsyncConnection, asset_id: UUID) -> bool:
    """Whether a version of a release that is no draft holds an asset."""
    item, version = tables.release_item, tables.release_version
    query = select(
        exists()
        .select_from(item.join(version, version.c.id == item.c.version_id))
        .where(item.c.asset_id == asset_id, version.c.state != VersionState.DRAFT.value)
    )
    return bool((await connection.execute(query)).scalar())


def _hook_taken_over(keep: UUID, retire: UUID) -> Any:
    hook, known = tables.hook.alias(), tables.hook.alias()
    track, other = tables.track.alias(), tables.track.alias()
    # How long the kept track is by then: the length is taken over, too.
    lasts = func.coalesce(track.c.duration_ms, other.c.duration_ms, hook.c.end_ms)
    return select(hook.c.id).where(
        hook.c.track_id == retire,
        other.c.id == retire,
        track.c.id == keep,
        lasts >= hook.c.end_ms,
        ~exists().where(known.c.track_id == keep),
    )


async def hook_taken_over(database: Database, keep: UUID, retire: UUID) -> UUID | None:
    """The hook of a track that would be another's once they are one: where that has none, and it fits."""
    async with database.read() as connection:
        hook: UUID | None = (await connection.execute(_hook_taken_over(keep, retire))).scalar()
    return hook


@dataclass(frozen=True, slots=True)
class TakeOver:
    """One asset takes the place of another from a moment on; both are held, and so is lineage."""

    connection: AsyncConnection
    keep: Ref
    retire: Ref
    at: datetime
    new_id: Callable[[], UUID]

    async def run(self) -> None:
        """Take over everything, and let the old id lead to the kept asset."""
        await self._edges()
        split, policy, grant = tables.split, tables.policy, tables.permission_grant
        # A pool is divided as a whole: the kept one's division stands where there is one.
        await self._rows(split, "asset_id", lambda row: row.pool)
        await self._rows(policy, "subject_id", lambda _: Level.ASSET.value)
        await self._rows(grant, "asset_id", lambda row: (row.grantee_id, row.term_set_id))
        await self._credits()
        await self._details()
        await self._media()
        if self.keep.kind is Kind.TRACK:
            await take_over_lyrics(self.connection, self.keep.id, self.retire.id)
        await self._clips()
        await self._items()
        await self._origins()
        await self._redirect()

    async def _rows(self, table: Table, column: str, key: Callable[[Any], Hashable]) -> None:
        """Rows with history: those of the other asset whose key the kept one has end, the rest are its own from now."""
        both = table.c[column].in_((self.keep.id, self.retire.id))
        rows = (await self.connection.execute(select(table).where(both, holds_at(table, self.at)))).all()
        known = {key(row) for row in rows if getattr(row, column) == self.keep.id}
        theirs = [row for row in rows if getattr(row, column) == self.retire.id]
        await self._move(
            table,
            [row.id for row in theirs if key(row) not in known],
            [row.id for row in theirs if key(row) in known],
            {column: literal(self.keep.id, Uuid)},
        )

    async def _edges(self) -> None:
        """Edges of the other asset; one that would lead from the kept one to itself ends.

        Of two that would be the same the kept one's stands, but for one that binds: nobody is rid of it by a merge.
        """
        edge, ends = tables.lineage_edge, ("child_id", "parent_id")
        both = (self.keep.id, self.retire.id)
        query = select(edge).where(or_(*[edge.c[end].in_(both) for end in ends]), holds_at(edge, self.at))
        known: set[Hashable] = set()
        moved: list[UUID] = []
        ended: list[UUID] = []
        theirs = or_(*[edge.c[end] == self.retire.id for end in ends])
        rows = await self.connection.execute(
            query.order_by(edge.c.binding.desc(), theirs, edge.c.created_at, edge.c.id)
        )
        for row in rows.all():
            child, parent = (self.keep.id if id_ == self.retire.id else id_ for id_ in (row.child_id, row.parent_id))
            key = (child, parent, row.kind, row.child_start_ms, row.child_end_ms)
            if child == parent or key in known:
                ended.append(row.id)
            elif self.retire.id in (row.child_id, row.parent_id):
                moved.append(row.id)
            known.add(key)
        keep = literal(self.keep.id, Uuid)
        values = {end: case((edge.c[end] == self.retire.id, keep), else_=edge.c[end]) for end in ends}
        await self._move(edge, moved, ended, values)

    async def _move(self, table: Table, moved: Sequence[UUID], ended: Sequence[UUID], values: Any) -> None:
        await end_rows(self.connection, table, ended, self.at, self.new_id)
        if moved:
            await change_rows(self.connection, table, moved, values, self.at, self.new_id)

    async def _credits(self) -> None:
        """Credits come after those of the kept asset; one it has already, or has taken back, stays where it is."""
        credit, known, last = tables.credit, tables.credit.alias(), tables.credit.alias()
        same = exists().where(
            known.c.asset_id == self.keep.id,
            known.c.contributor_id == credit.c.contributor_id,
            known.c.role == credit.c.role,
            known.c.instrument.is_not_distinct_from(credit.c.instrument),
        )
        after = select(func.coalesce(func.max(last.c.position), 0)).where(last.c.asset_id == self.keep.id)
        await self.connection.execute(
            update(credit)
            .where(credit.c.asset_id == self.retire.id, ~same)
            .values(asset_id=self.keep.id, position=credit.c.position + after.scalar_subquery())
        )

    async def _details(self) -> None:
        """What its kind has of its own, and is not known of the kept asset."""
        table = DETAILS[self.keep.kind]
        other = table.alias()
        theirs = {
            column.name: select(other.c[column.name]).where(other.c.id == self.retire.id).scalar_subquery()
            for column in table.columns
            if not column.primary_key
        }
        values = {name: func.coalesce(table.c[name], value) for name, value in theirs.items()}
        await self.connection.execute(update(table).where(table.c.id == self.keep.id).values(values))

    async def _media(self) -> None:
        """Files of roles the kept asset has none of, and the hook where it has none and this one fits."""
        media, known = tables.media, tables.media.alias()
        same = exists().where(known.c.asset_id == self.keep.id, known.c.role == media.c.role)
        await self.connection.execute(
            update(media).where(media.c.asset_id == self.retire.id, ~same).values(asset_id=self.keep.id)
        )
        hook = tables.hook
        await self.connection.execute(
            update(hook)
            .where(hook.c.id.in_(_hook_taken_over(self.keep.id, self.retire.id)))
            .values(track_id=self.keep.id, version=hook.c.version + 1)
        )

    async def _clips(self) -> None:
        """What was sent in, but where the kept one was sent in itself."""
        clip, known = tables.clip, tables.clip.alias()
        same = exists().where(known.c.asset_id == self.keep.id, known.c.hook_id == clip.c.hook_id)
        await self.connection.execute(
            update(clip).where(clip.c.asset_id == self.retire.id, ~same).values(asset_id=self.keep.id)
        )

    async def _items(self) -> None:
        """Places in drafts; a draft that holds both loses the other."""
        item, known = tables.release_item, tables.release_item.alias()
        theirs = item.c.asset_id == self.retire.id
        same = exists().where(known.c.version_id == item.c.version_id, known.c.asset_id == self.keep.id)
        await self.connection.execute(delete(item).where(theirs, same))
        await self.connection.execute(update(item).where(theirs).values(asset_id=self.keep.id))

    async def _origins(self) -> None:
        """An import that brings the other asset again means the kept one."""
        origin = tables.origin
        await self.connection.execute(
            update(origin).where(origin.c.asset_id == self.retire.id).values(asset_id=self.keep.id)
        )

    async def _redirect(self) -> None:
        """The old id leads to the kept asset, and so does every id that led to the old one."""
        merge = tables.merge
        query = select(merge.c.id).where(merge.c.new_id == self.retire.id, holds_at(merge, self.at))
        led = list((await self.connection.execute(query)).scalars())
        await self._move(merge, led, (), {"new_id": literal(self.keep.id, Uuid)})
        row = {"id": self.new_id(), "old_id": self.retire.id, "new_id": self.keep.id, **since(self.at)}
        await self.connection.execute(insert(merge).values(row))
