"""Does the Node peer answer what Casset answers? Each operation, for subjects spread over its list and for others.

Run it as `python tests/benchmarks/mercurius/check.py http://127.0.0.1:PORT --data .casset-bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from db.embedded import EmbeddedPostgres  # noqa: E402  # the path above finds it
from db.engine import Database  # noqa: E402  # the path above finds it
from domain.accounts import ANONYMOUS  # noqa: E402  # the path above finds it
from graph.reading import Reader  # noqa: E402  # the path above finds it
from graph.schema import executable  # noqa: E402  # the path above finds it

OPERATIONS = HERE.parent / "operations"
SUBJECTS = 30
STRAYS = {
    "A": "SELECT json_build_object('id', ref)::text FROM asset WHERE {}",
    "D": "SELECT json_build_object('id', ref)::text FROM asset WHERE kind = 'RELEASE' AND {}",
    "P": "SELECT json_build_object('id', ref)::text FROM asset WHERE {}",
    "S": "SELECT json_build_object('id', ref)::text FROM asset WHERE {}",
    "W": "SELECT json_build_object('handle', handle)::text FROM artist ORDER BY md5(handle) DESC LIMIT 30",
}
"""What the lists of subjects leave out: assets in every state, teased ones, artists with little."""
STATES = ("PRIVATE", "UNLISTED", "PUBLIC", "ARCHIVED", "WITHDRAWN")


async def subjects(connection: asyncpg.Connection, operation: str) -> list[dict[str, Any]]:
    """Variables of requests: some of the operation's own subjects, then some strays."""
    own = await connection.fetch((OPERATIONS / f"{operation}.subjects.sql").read_text())
    rows = own[:: max(1, len(own) // SUBJECTS)][:SUBJECTS]
    stray = STRAYS[operation]
    wheres = [f"state = '{state}' AND NOT teased" for state in STATES] + ["teased"]
    for where in wheres if "{}" in stray else [""]:
        limit = " ORDER BY md5(ref) DESC LIMIT 10" if where else ""
        rows += await connection.fetch(stray.format(where) + limit)
    return [json.loads(row[0]) for row in rows]


def ask(url: str, query: str, variables: Mapping[str, Any]) -> Any:
    """What the peer answers."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and list(ours) == list(theirs):
        for key in ours:
            yield from differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path}: Casset {json.dumps(ours)[:200]} / Mercurius {json.dumps(theirs)[:200]}"


async def check(base: str, data: Path) -> int:
    """Compare, and answer how many answers differ."""
    server = EmbeddedPostgres(data, durable=False)
    server.start()
    database = Database(server.dsn(user="casset_owner"))
    await database.open()
    connection = await asyncpg.connect(**server.dsn(user="postgres"))
    reader = Reader(executable(), database)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    wrong = 0
    try:
        for operation in sorted(STRAYS):
            query = (OPERATIONS / f"{operation}.graphql").read_text()
            asked = await subjects(connection, operation)
            found = size = 0
            for variables in asked:
                answer = await reader.answer(query, None, variables, ANONYMOUS)
                ours = json.loads(answer.body)
                theirs = await asyncio.to_thread(ask, f"{base.rstrip('/')}/graphql", query, variables)
                found += next(iter(ours["data"].values())) is not None
                size += len(answer.body)
                differing = list(differences(ours, theirs))
                wrong += bool(differing)
                for line in differing[:5]:
                    console.print(f"{operation} {json.dumps(variables)} {line}")
            console.print(f"{operation}: {len(asked)} compared, {found} not null, {size // len(asked)} bytes each")
    finally:
        await connection.close()
        await database.close()
        server.stop()
    console.print(f"{wrong} answers differ")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="where the peer listens: http://127.0.0.1:PORT")
    parser.add_argument("--data", type=Path, default=Path(".casset-bench"), help="the folder of the benchmark database")
    arguments = parser.parse_args()
    sys.exit(1 if asyncio.run(check(arguments.base, arguments.data)) else 0)
