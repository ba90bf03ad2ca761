"""A worker as a process of its own, to be killed: `python -m tests.db.working TARGET SECONDS`.

Each job takes about so many seconds, and writes one change.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

from db.changes import record_changes
from db.engine import Database
from domain.jobs import JobKind
from resolvers.jobs import Effect, Running, Workshop

HANDS = 4


async def do(running: Running) -> Effect:
    await asyncio.sleep(2 * random.random() * float(sys.argv[2]))

    async def effect(connection: Any) -> None:
        await record_changes(connection, [(running.job.subject, "EFFECT", [])])
        await asyncio.sleep(random.random() / 100)

    return effect


async def main(target: dict[str, Any]) -> None:
    shop = Workshop(Database(target), {JobKind.HASH_MEDIA: do}, hands=HANDS)
    while True:
        if not await shop.turn():
            await shop.hand_free(0.02)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
