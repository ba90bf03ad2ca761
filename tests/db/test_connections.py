"""The connections of compiled statements: never more than allowed, never a broken one, never one lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from db.connections import Connections

MOST = 2


@pytest.fixture
async def opened() -> list[asyncpg.Connection]:
    return []


@pytest.fixture
async def connections(
    new_target: Callable[[], dict[str, Any]], opened: list[asyncpg.Connection]
) -> AsyncIterator[Connections]:
    target = new_target()

    async def connect() -> asyncpg.Connection:
        opened.append(await asyncpg.connect(**target))
        return opened[-1]

    made = Connections(connect, MOST, wait=0.2)
    yield made
    await made.close()


async def ask(connections: Connections, sql: str = "SELECT 1") -> Any:
    connection = await connections.take()
    try:
        answer = await connection.fetchval(sql)
    except BaseException:
        connections.mend(connection)
        raise
    connections.give_back(connection)
    return answer


async def settled(connections: Connections) -> None:
    """What was left is ended."""
    await asyncio.gather(*connections._mending)


async def test_one_after_the_other_use_one_connection(
    connections: Connections, opened: list[asyncpg.Connection]
) -> None:
    for _ in range(5):
        assert await ask(connections) == 1
    assert len(opened) == 1


async def test_there_are_never_more_than_allowed(connections: Connections, opened: list[asyncpg.Connection]) -> None:
    answers = await asyncio.gather(*(ask(connections, "SELECT 1 FROM pg_sleep(0.01)") for _ in range(12)))
    assert answers == [1] * 12
    assert len(opened) == MOST


async def test_who_waits_is_served_in_order(connections: Connections) -> None:
    lent = [await connections.take() for _ in range(MOST)]
    served: list[int] = []

    async def wait(number: int) -> None:
        connection = await connections.take()
        served.append(number)
        connections.give_back(connection)

    waiting = [asyncio.create_task(wait(number)) for number in range(4)]
    await asyncio.sleep(0)
    for connection in lent:
        connections.give_back(connection)
    await asyncio.gather(*waiting)
    assert served == [0, 1, 2, 3]


async def test_who_waits_too_long_is_told_and_forgotten(connections: Connections) -> None:
    lent = [await connections.take() for _ in range(MOST)]
    with pytest.raises(TimeoutError):
        await connections.take()
    for connection in lent:
        connections.give_back(connection)
    assert await asyncio.gather(*(ask(connections) for _ in range(MOST))) == [1] * MOST


async def test_a_connection_handed_to_somebody_who_left_is_not_lost(connections: Connections) -> None:
    lent = [await connections.take() for _ in range(MOST)]
    leaving = asyncio.create_task(connections.take())
    await asyncio.sleep(0)
    connections.give_back(lent[0])
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    connections.give_back(lent[1])
    assert await asyncio.gather(*(ask(connections) for _ in range(MOST))) == [1] * MOST


async def test_a_statement_that_was_left_is_ended_on_the_server_and_its_connection_lent_again(
    connections: Connections, opened: list[asyncpg.Connection]
) -> None:
    leaving = asyncio.create_task(ask(connections, "SELECT pg_sleep(30)"))
    await asyncio.sleep(0.05)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await settled(connections)
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'"
    assert await ask(connections, running) == 0
    assert len(opened) == 1
    assert await asyncio.gather(*(ask(connections) for _ in range(MOST))) == [1] * MOST


async def test_a_connection_the_server_ended_is_not_lent_again(
    connections: Connections, opened: list[asyncpg.Connection]
) -> None:
    first = await connections.take()
    second = await connections.take()
    await first.fetchval("SELECT pg_terminate_backend($1)", second.get_server_pid())
    connections.give_back(second)
    connections.give_back(first)
    await asyncio.sleep(0.05)
    assert await asyncio.gather(*(ask(connections) for _ in range(MOST))) == [1] * MOST
    assert second.is_closed()


async def test_a_server_that_does_not_answer_takes_no_place() -> None:
    async def refuse() -> asyncpg.Connection:
        raise ConnectionRefusedError

    refusing = Connections(refuse, 1, wait=0.2)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await refusing.take()
