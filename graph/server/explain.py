"""`casset explain`: how an operation is answered."""

from __future__ import annotations

import orjson
from rich.console import Console

from db.engine import Database
from domain.accounts import ANONYMOUS
from graph.answers import Refusal
from graph.reading import Reader
from graph.running import statement_values
from graph.schema import executable


async def explain(database: Database, document: str, operation: str | None, variables: str, console: Console) -> bool:
    """Print tier, cost, SQL and PostgreSQL's plan of an operation, asked anonymously; False where it is refused."""
    reader = Reader(executable(), database)
    try:
        prepared = reader.prepare(document, operation, orjson.loads(variables))
    except orjson.JSONDecodeError:
        console.print("The variables are no JSON object.")
        return False
    except Refusal as refusal:
        for error in refusal.errors:
            console.print(f"Refused: {error.message}", highlight=False, markup=False)
        return False
    console.print(f"Cost: at most {prepared.cost} objects")
    plan = prepared.plan
    if plan is None:
        kinds = {
            "mutation": "A mutation: each root field runs its function, and its payload is read by a plan of its own.",
            "subscription": "A subscription: each event is answered by graphql-core, tier 3.",
        }
        console.print(kinds[prepared.operation.kind])
        return True
    if plan.statement is None:
        console.print(f"Tier 3, graphql-core: {plan.refusal}", highlight=False, markup=False)
        return True
    holes = [f"{hole.owner}.{hole.field.name}" for hole in plan.statement.holes]
    said = f"Tier 2, with {', '.join(holes)} filled in" if holes else "Tier 1"
    console.print(f"{said}, one statement of {len(plan.statement.sql)} bytes\n", highlight=False)
    console.print(plan.statement.sql + "\n", highlight=False, markup=False, soft_wrap=True)
    values = statement_values(plan.statement, prepared.readings, ANONYMOUS)
    explaining = f"EXPLAIN (ANALYZE, BUFFERS, SUMMARY) {plan.statement.sql}"
    async with database.plan_connection(explaining) as connection:
        for row in await connection.fetch(explaining, *values):
            console.print(row[0], highlight=False, markup=False, soft_wrap=True)
    return True
