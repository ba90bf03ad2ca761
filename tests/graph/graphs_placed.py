"""Drawn graphs written side by side into one database: each has owners, accounts and ids of its own."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.custody import DETAILS
from db.engine import Database
from db.rights import keep_terms
from domain.accounts import Viewer
from domain.assets import AssetKind
from domain.facts import CONTAINS, Bond
from domain.ids import Kind, Ref
from domain.lineage import EdgeKind
from domain.rights import Term
from resolvers.context import now, uuid7
from tests.domain.facts_drawn import MEDIA_MS, OWNERS, version_of
from tests.graph.graphs_drawn import ANSWERS, SUBJECTS, Change, Drawn
from tests.graph.readers import reader_of

ACCOUNT = UUID(int=50)


class Ground:
    """A database in which graphs stand side by side."""

    def __init__(self, database: Database) -> None:
        """Let nothing stand in it yet."""
        self.database = database
        self.reader = reader_of(database)
        self._numbers = count(1)
        self._terms: dict[tuple[Term, ...], UUID] = {}

    async def place(self, graph: Drawn) -> Placed:
        """Write a graph down as rows."""
        placed = Placed(self, graph, next(self._numbers) << 64)
        async with self.database.write() as connection:
            for table, rows in placed.rows().items():
                await connection.execute(insert(table), rows)
            for table, rows in (await self._spoken(connection, placed)).items():
                await connection.execute(insert(table), rows)
        return placed

    async def _spoken(self, connection: AsyncConnection, placed: Placed) -> dict[Table, list[dict[str, Any]]]:
        known, at = placed.graph.facts, placed.id
        policies = [
            {
                "id": at(said.id),
                "level": said.level.value,
                "subject_id": at(said.subject),
                "term_set_id": await self.terms(connection, said.terms),
                "license_family": said.family.value,
                "license": said.license,
            }
            for said in known.statements
        ]
        grants = [
            {
                "id": at(grant.id),
                "asset_id": at(grant.asset),
                "grantee_id": at(grant.grantee),
                "term_set_id": await self.terms(connection, grant.terms),
                "granted_by_id": at(ACCOUNT),
            }
            for grant in known.grants
        ]
        return {table: rows for table, rows in ((tables.policy, policies), (tables.permission_grant, grants)) if rows}

    async def terms(self, connection: AsyncConnection, terms: tuple[Term, ...]) -> UUID:
        """The set of some terms."""
        if terms not in self._terms:
            self._terms[terms] = await keep_terms(connection, terms, uuid7)
        return self._terms[terms]


@dataclass
class Placed:
    """A graph as it was written down: what is named by a drawn id goes by another here."""

    ground: Ground
    graph: Drawn
    number: int

    def id(self, drawn: UUID) -> UUID:
        """The id something goes by."""
        return UUID(int=self.number | drawn.int)

    def ref(self, drawn: UUID) -> str:
        """The reference of an artist, an asset, a version, an edge or a grant."""
        known = self.graph.facts
        kinds = {**dict.fromkeys(OWNERS, Kind.ARTIST), **dict.fromkeys(self.graph.standings, Kind.EDGE)}
        kinds |= {id_: Kind(part.kind.value.lower()) for id_, part in known.parts.items()}
        kinds |= {grant.id: Kind.GRANT for grant in known.grants} | dict.fromkeys(self.graph.versions, Kind.VERSION)
        return str(Ref(kinds[drawn], self.id(drawn)))

    def hook(self, track: UUID) -> UUID:
        """The id of the hook of a track."""
        return self.id(UUID(int=4000 + track.int))

    def viewer(self, holds: Collection[UUID]) -> Viewer:
        """The person of this graph, as an owner of some artists."""
        artists = tuple(map(self.id, sorted(holds)))
        return Viewer(self.id(ACCOUNT), artists, artists)

    def rows(self) -> dict[Table, list[dict[str, Any]]]:
        """Everything but what was said, in an order in which it may be written."""
        known, at = self.graph.facts, self.id
        handles = [(at(owner), f"{self.number >> 64}-{owner.int}") for owner in OWNERS]
        states = {id_: state.value for id_, state in self.graph.states.items()}
        rows: dict[Table, list[dict[str, Any]]] = {
            tables.account: [{"id": at(ACCOUNT), "handle": f"{self.number >> 64}"}],
            tables.artist: [
                {"id": id_, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
                for id_, handle in handles
            ],
            tables.asset: [
                {"id": at(id_), "kind": part.kind.value, "owner_id": at(part.owner), "title": "", "state": states[id_]}
                for id_, part in known.parts.items()
            ],
            tables.asset_standing: [
                {"id": at(id_), "asset_id": at(id_), "owner_id": at(part.owner), "state": states[id_]}
                for id_, part in known.parts.items()
            ],
        }
        for id_, part in known.parts.items():
            rows.setdefault(DETAILS[Kind(part.kind.value.lower())], []).append(self._details(id_, part.kind))
        out = {"number": 1, "state": "PUBLISHED", "is_compatibility": True, "published_at": now()}
        rows[tables.release_version] = [
            {"id": at(version), "release_id": at(id_), **out} for version, id_ in self.graph.versions.items()
        ]
        rows[tables.release_item] = [
            {
                "id": at(bond.id),
                "version_id": at(version_of(bond.child)),
                "asset_id": at(bond.parent),
                "position": 1 + position,
            }
            for position, bond in enumerate(known.bonds)
            if bond.kind is CONTAINS
        ]
        rows[tables.hook] = [
            {"id": self.hook(id_), "track_id": at(id_), "start_ms": window.start_ms, "end_ms": window.end_ms}
            for id_, window in self.graph.hooks.items()
        ]
        rows[tables.lineage_edge] = [self._edge(bond) for bond in known.bonds if bond.kind is not CONTAINS]
        return {table: listed for table, listed in rows.items() if listed}

    def _details(self, asset: UUID, kind: AssetKind) -> dict[str, Any]:
        row: dict[str, Any] = {"id": self.id(asset)}
        if kind in (AssetKind.TRACK, AssetKind.SAMPLE):
            row["duration_ms"] = MEDIA_MS
        if kind is AssetKind.RELEASE:
            row |= {"status": "PUBLISHED", "current_version_id": self.id(version_of(asset))}
        return row

    def _edge(self, bond: Bond) -> dict[str, Any]:
        status, registration, binding = self.graph.standings[bond.id]
        row: dict[str, Any] = {
            "id": self.id(bond.id),
            "child_id": self.id(bond.child),
            "parent_id": self.id(bond.parent),
            "kind": bond.kind.value,
            "status": status,
            "registration": registration,
            "binding": binding and bond.kind is not EdgeKind.INSPIRED_BY,
            "child_is_older": False,
            "evidence_source": "CHILD_OWNER",
        }
        for end, window in (("child", bond.child_window), ("parent", bond.parent_window)):
            row[f"{end}_start_ms"], row[f"{end}_end_ms"] = window or (None, None)
        return row

    async def ask(self, viewer: Viewer, document: str, **variables: Any) -> Any:
        """The answer of the first field."""
        answer = json.loads((await self.ground.reader.answer(document, None, variables, viewer)).body)
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    def named(self, change: Change) -> dict[str, Any]:
        """What a change takes, by the names of its input; without the versions that are expected."""
        return {**dict(zip(SUBJECTS[change.mutation], map(self.ref, change.subjects), strict=True)), **change.given}

    async def do(self, viewer: Viewer, change: Change, asked: str = "__typename") -> Any:
        """Do it: what is asked for of the success, or the refusal."""
        name = change.mutation[0].upper() + change.mutation[1:]
        inputs, given = {**dict.fromkeys(ANSWERS, "AnswerEdge"), "withdrawRelease": "EndRelease"}, self.named(change)
        input_ = inputs.get(change.mutation, name)
        if change.mutation in ("setAssetState", "withdrawRelease", "mergeAssets"):
            versions = [await self._version(asset) for asset in change.subjects]
            given |= dict(zip(("expectedVersion", "expectedRetiredVersion"), versions, strict=False))
        success = f"{input_ if change.mutation in ANSWERS[:-1] else name}Success"
        document = f"""mutation ($input: {input_}Input!) {{ {change.mutation}(input: $input) {{ __typename
          ... on UserError {{ code message }} ... on {success} {{ {asked} }} }} }}"""
        return await self.ask(viewer, document, input=given)

    async def _version(self, asset: UUID) -> int:
        table = tables.asset
        async with self.ground.database.read() as connection:
            query = select(table.c.version).where(table.c.id == self.id(asset))
            return (await connection.execute(query)).scalar_one()
