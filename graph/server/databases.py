"""The database a process is told to use: begun early, and opened once everything else is there."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from db.embedded import EmbeddedPostgres
from domain.errors import Unavailable
from graph.server.settings import Settings

if TYPE_CHECKING:
    from db.engine import Database


def begin(settings: Settings) -> Future[EmbeddedPostgres] | None:
    """Start the embedded server, unless another process has, on a thread of its own: it takes as long as our imports.

    It ends with this process. None where a database was named by its URL.
    """
    if settings.database_url is not None:
        return None
    server = EmbeddedPostgres(settings.data)

    def start() -> EmbeddedPostgres:
        server.start()
        return server

    with_one_hand = ThreadPoolExecutor(1)
    try:
        return with_one_hand.submit(start)
    finally:
        with_one_hand.shutdown(wait=False)


async def database_of(settings: Settings, begun: Future[EmbeddedPostgres] | None) -> Database:
    """The database, migrated.

    Args:
        settings: of the process.
        begun: what `begin` gave.
    """
    from db.engine import Database  # noqa: PLC0415  # as slow to come as the server is to start
    from db.migrate import OWNER_ROLE, migrate  # noqa: PLC0415  # as above

    if begun is None:
        target: dict[str, Any] = {"dsn": settings.database_url}
        await migrate(target)
        return Database(target, origin=settings.origin)
    server = await asyncio.wrap_future(begun)
    target = dict(server.dsn(user=OWNER_ROLE))
    try:
        await migrate(target)
    except Unavailable:
        # It was another process', which has ended since, as an import does whose server was killed.
        await asyncio.to_thread(server.ensure)
        await migrate(target)
    return Database(target, recover=server.ensure, origin=settings.origin)
