"""Many subscribers in a process of their own, to be killed: `python -m tests.graph.server.crowd URL COUNT`.

It prints how many there are when each of them has seen an event, and waits.
"""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.client import ClientConnection, connect

from graph.server.messages import SUBPROTOCOL

BEGINNING = (
    '{"type":"connection_init"}',
    '{"id":"1","type":"subscribe","payload":{"query":"subscription { clock(every: 1000) { number } }"}}',
)
AT_ONCE = 50


async def gather(url: str, count: int) -> None:
    """Subscribe, say so, and stay."""
    room = asyncio.Semaphore(AT_ONCE)

    async def subscriber() -> ClientConnection:
        async with room:
            socket = await connect(url, subprotocols=[SUBPROTOCOL], compression=None, proxy=None, open_timeout=60)
            for message in BEGINNING:
                await socket.send(message)
                await socket.recv()
            return socket

    sockets = await asyncio.gather(*(subscriber() for _ in range(count)))
    print(len(sockets), flush=True)  # noqa: T201  # the test that started this reads it
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(gather(sys.argv[1], int(sys.argv[2])))
