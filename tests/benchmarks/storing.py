"""The databases of the lineage benchmark: one for each graph, in the cluster of its folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import asyncpg
from graphs import SCALE, Drawn, music, scale
from preparing import FILLING, HERE, SESSION, is_prepared, made, recipe, renew
from rich.console import Console

from db.embedded import EmbeddedPostgres
from domain.rights import Term, preset, read_license, terms_digest

FILES = (HERE / "graphs.py", HERE / "graphs.sql", HERE / "storing.py", FILLING)
GRAPHS: dict[str, Callable[[], Drawn]] = {"music": music, "scale": scale}
"""By the name of its database."""
LICENSES = (
    *("CC-BY-4.0", "CC-BY-4.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-SA-3.0"),
    *("CC-BY-NC-SA-3.0", "CC-BY-ND-4.0", "GPL-3.0-only", "LicenseRef-all-rights-reserved"),
)
"""Drawn evenly: open music mostly, under licenses some of which exclude each other."""


async def store(server: EmbeddedPostgres, console: Console) -> list[str]:
    """Store the graphs that are not there yet; the names of those that are there now."""
    there = []
    for name, draw in GRAPHS.items():
        if name == "scale" and not SCALE.exists():
            console.print(f"[bold]The graph scale is skipped: {SCALE.name} is not here.[/bold]")
            continue
        there.append(name)
        if await is_prepared(server, name, recipe(*FILES)):
            continue
        console.print(f"The graph {name} is drawn and stored …")
        await renew(server, name)
        await _fill(server, name, draw())
        console.print(f"The graph {name} is stored.")
    return there


async def _fill(server: EmbeddedPostgres, name: str, graph: Drawn) -> None:
    tools = re.split(r"^-- == .+\n", FILLING.read_text(), flags=re.MULTILINE)[1]
    steps = re.split(r"^-- == .+\n", (HERE / "graphs.sql").read_text(), flags=re.MULTILINE)[1:]
    connection = await asyncpg.connect(**server.dsn(user="postgres", database=name), server_settings=SESSION)
    try:
        await connection.execute(tools)
        await connection.execute(
            "CREATE UNLOGGED TABLE bench.node (n int, level int, is_older boolean);"
            "CREATE UNLOGGED TABLE bench.bond (child_n int, parent_n int);"
            "CREATE UNLOGGED TABLE bench.licensed (place int, terms uuid, family text, license text)"
        )
        nodes = ((n, level, n in graph.older) for n, level in enumerate(graph.levels))
        await connection.copy_records_to_table("node", records=nodes, schema_name="bench")
        await connection.copy_records_to_table("bond", records=graph.edges, schema_name="bench")
        await _license(connection)
        for statements in steps:
            await connection.execute(statements)
        await connection.execute("CHECKPOINT")
        await made(connection, name, recipe(*FILES))
    finally:
        await connection.close()


async def _license(connection: asyncpg.Connection) -> None:
    """The terms of the presets."""
    for place, license_ in enumerate(map(read_license, LICENSES)):
        terms, digest = preset(license_), terms_digest(preset(license_))
        set_id = UUID(digest[:32])
        if (
            await connection.execute("INSERT INTO term_set VALUES ($1, $2) ON CONFLICT DO NOTHING", set_id, digest)
            == "INSERT 0 1"
        ):
            rows = [
                (UUID(int=set_id.int ^ position), set_id, position, *term) for position, term in enumerate(terms, 1)
            ]
            columns = ["id", "term_set_id", "position", *Term._fields]
            await connection.copy_records_to_table("term", records=rows, columns=columns)
        licensed = (place, set_id, license_.family.value, license_.id)
        await connection.execute("INSERT INTO bench.licensed VALUES ($1, $2, $3, $4)", *licensed)
