"""The database as the rest of the house meets it: reads that answer bytes, and writes that are one transaction.

Two pools serve one database as `casset_app`: bare asyncpg connections for compiled statements (`db.connections`), and
SQLAlchemy connections for everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from db.connections import Connections
from domain.errors import TooCostly, Unavailable

APP_ROLE = "casset_app"
POOL_SIZE = 8
POOL_WAIT = 2.0
CACHED_STATEMENTS = 200
READING = "3s"
"""For a compiled statement: with the wait for a connection, an operation has its answer or its refusal in five."""
SERVING = {
    "application_name": "casset",
    "role": APP_ROLE,
    "jit": "off",
    "statement_timeout": "5s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "10s",
    "pg_trgm.similarity_threshold": "0.2",
    "TimeZone": "UTC",
}
LOST = (
    ConnectionError,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.InterfaceError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
)
"""What asyncpg and the socket raise where the server is away for the moment."""

Watch = Callable[[str], None]


class Database:
    """One PostgreSQL database, served with the rights of `casset_app`."""

    def __init__(
        self,
        target: Mapping[str, Any],
        *,
        recover: Callable[[], None] | None = None,
        watch: Watch | None = None,
        origin: str = "",
    ) -> None:
        """Describe the database; nothing is connected before `open`.

        Args:
            target: keyword arguments of `asyncpg.connect` that name the database.
            recover: brings a server of our own back after its loss.
            watch: told the text of every statement (to count them, for example).
            origin: with what the addresses begin that it tells, such as `https://casset.example`.
        """
        self._serving = {**SERVING, "casset.origin": origin}
        self._target = dict(target)
        self._recover = recover
        self._watch = watch
        self._plans: Connections | None = None
        self._recovering: asyncio.Task[None] | None = None
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=POOL_WAIT,
            # An error is logged, and what was to be written may be an address or the hash of a password.
            hide_parameters=True,
        )
        if watch is not None:
            # asyncpg's own log leaves prepared statements out, and SQLAlchemy prepares all of its own.
            event.listen(self._engine.sync_engine, "before_cursor_execute", lambda _, __, sql, *___: watch(sql))

    async def _connect(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(**self._target, server_settings=self._serving)
        watch = self._watch
        if watch is not None:
            connection.add_query_logger(lambda record: watch(record.query))
        return connection

    async def _connect_for_plans(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            **self._target,
            server_settings={**self._serving, "statement_timeout": READING},
            statement_cache_size=CACHED_STATEMENTS,
            max_cacheable_statement_size=0,
            max_cached_statement_lifetime=0,
        )
        # asyncpg looks array types up once per connection: now, rather than during the first request.
        await connection.prepare("SELECT $1::uuid[], $2::text[], $3::int[], $4::bool[]")
        return connection

    async def open(self) -> None:
        """Connect.

        Raises:
            Unavailable: the server does not answer.
        """
        async with self._guarded():
            self._plans = Connections(self._connect_for_plans, POOL_SIZE, POOL_WAIT)
            self._plans.give_back(await self._plans.take())

    async def close(self) -> None:
        """Disconnect; the database may be opened again."""
        if self._plans is not None:
            await self._plans.close()
            self._plans = None
        await self._engine.dispose()

    async def fetch(self, sql: str, values: Sequence[Any], *, keep: bool) -> bytes:
        """Run a compiled statement and answer its one value, bytes of JSON.

        Args:
            sql: a statement of the compiler.
            values: its parameters in order.
            keep: prepare it under a name, so that it is planned once per connection; worth it from the second time on.

        Raises:
            Unavailable: the server is away; the read may be repeated.
        """
        async with self.plan_connection(sql) as connection:
            if keep:
                return await connection.fetchval(sql, *values)
            once = await connection.prepare(sql, name="")
            return await once.fetchval(*values)

    @asynccontextmanager
    async def plan_connection(self, sql: str) -> AsyncIterator[asyncpg.Connection]:
        """Borrow a bare connection for a statement; set nothing on it."""
        if self._plans is None:
            raise Unavailable("The database is not open.")
        if self._watch is not None:
            # asyncpg's own log comes a turn of the loop too late, and leaves prepared statements out.
            self._watch(sql)
        plans = self._plans
        async with self._guarded():
            connection = await plans.take()
            try:
                yield connection
            except asyncpg.exceptions.PostgresError:
                # The statement failed, the connection did not; where it did, it is closed and not lent again.
                plans.give_back(connection)
                raise
            except BaseException:
                plans.mend(connection)
                raise
            plans.give_back(connection)

    @asynccontextmanager
    async def read(self, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection for reading; with `snapshot`, several statements see one state."""
        async with self._guarded(), self._engine.connect() as connection:
            if snapshot:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: everything written inside is committed together, or not at all."""
        async with self._guarded(), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def listening(self, channel: str, heard: Callable[[str], None]) -> AsyncIterator[asyncio.Event]:
        """Hear a channel meanwhile, on a connection beside the pools; the event is set when it is lost.

        Args:
            channel: its name.
            heard: told the payload of every notification.

        Raises:
            Unavailable: the server is away.
        """
        lost = asyncio.Event()
        async with self._guarded():
            connection = await self._connect()
        try:
            async with self._guarded():
                connection.add_termination_listener(lambda _: lost.set())
                await connection.add_listener(channel, lambda *said: heard(said[-1]))
            yield lost
        finally:
            connection.terminate()

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """Turn the loss of the server into Unavailable, and a statement past its time into TooCostly."""
        try:
            yield
        except (TimeoutError, PoolTimeout):
            raise Unavailable("The database is busy. Try again in a moment.") from None
        except asyncpg.QueryCanceledError:
            raise TooCostly("The operation took too long. Ask for less at once.") from None
        except LOST as error:
            if isinstance(error, ValueError):
                # A value asyncpg cannot send: its class is an InterfaceError too, and nothing was lost.
                raise
            self._lost(error)
        except DBAPIError as error:
            cause = error.orig and error.orig.__cause__
            if isinstance(cause, asyncpg.QueryCanceledError):
                raise TooCostly("The operation took too long. Ask for less at once.") from None
            if error.connection_invalidated or isinstance(cause, LOST):
                self._lost(error)
            raise

    def _lost(self, error: Exception) -> NoReturn:
        """Bring a server of our own back in the background; whoever asks meanwhile is told to come again."""
        if self._recover is not None and (self._recovering is None or self._recovering.done()):
            self._recovering = asyncio.create_task(asyncio.to_thread(self._recover))
        raise Unavailable("The database is away for a moment. Try again.") from error
