"""What is asked: the operations, the subjects they are asked about, and the requests as they travel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

HERE = Path(__file__).parent
NAMES = ("W", "D", "A", "P", "S")


@dataclass(frozen=True, slots=True)
class Workload:
    """One operation and the variables of some hundreds of requests."""

    name: str
    document: str
    variables: Sequence[dict[str, Any]]

    def graphql(self) -> list[bytes]:
        """The requests to a GraphQL server."""
        return [_post("/graphql", {"query": self.document, "variables": variables}) for variables in self.variables]

    def bare(self) -> list[bytes]:
        """The requests to the bare routes."""
        return [_post(f"/{self.name}", variables) for variables in self.variables]


async def workload(connection: asyncpg.Connection, name: str) -> Workload:
    """Draw the subjects of an operation, always the same ones."""
    folder = HERE / "operations"
    rows = await connection.fetch((folder / f"{name}.subjects.sql").read_text())
    return Workload(name, (folder / f"{name}.graphql").read_text(), [json.loads(row[0]) for row in rows])


def twins() -> dict[str, str]:
    """The statements written by hand, by operation."""
    return {path.stem: path.read_text() for path in sorted((HERE / "twins").glob("*.sql"))}


def _post(path: str, body: Any) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data
