"""Memory is given back when a crowd has left, and what nobody holds is not left to chance."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest
from graphql import DocumentNode

from graph.answers import Refusal
from graph.server.protocol import CassetProtocol
from graph.server.tidying import CROWD, tidy
from tests.graph.server.serving_clock import NOWHERE, served, until

LOOK = 0.01


class Ring:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.self = self


class Crowd:
    """How many have left."""

    def __init__(self) -> None:
        self.left = 0
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return self.left

    async def looked_at(self) -> None:
        """Wait until somebody has asked twice more."""
        asked = self.asked
        await until(lambda: self.asked >= asked + 2)


@asynccontextmanager
async def tidying(crowd: Crowd) -> AsyncIterator[None]:
    draining = asyncio.Event()
    task = asyncio.create_task(tidy(crowd, draining, look=LOOK))
    await crowd.looked_at()
    yield
    draining.set()
    await task


@pytest.fixture
def garbage() -> Iterator[weakref.ref[Ring]]:
    """What only a collection finds, while none comes by itself."""
    gc.disable()
    yield weakref.ref(Ring())
    gc.enable()


async def test_what_holds_itself_is_gone_when_a_crowd_has_left(garbage: weakref.ref[Ring]) -> None:
    crowd = Crowd()
    async with tidying(crowd):
        crowd.left = CROWD
        await until(lambda: garbage() is None)


async def test_a_few_that_leave_stop_nobody(garbage: weakref.ref[Ring]) -> None:
    crowd = Crowd()
    async with tidying(crowd):
        crowd.left = CROWD - 1
        await crowd.looked_at()
        assert garbage() is not None
        # But they are not forgotten.
        crowd.left += 1
        await until(lambda: garbage() is None)


async def test_those_that_never_cease_to_leave_are_a_crowd_in_the_end(garbage: weakref.ref[Ring]) -> None:
    class Endless(Crowd):
        def __call__(self) -> int:
            self.left += CROWD
            return super().__call__()

    async with tidying(Endless()):
        await until(lambda: garbage() is None)


async def test_a_socket_leaves_nothing_of_its_handshake_to_the_collector() -> None:
    with alone(), served(NOWHERE, lifespan="off") as server:
        async with server.socket():
            assert not kept(CassetProtocol)


@pytest.mark.parametrize("text", ["{ nope }", "{", "{ viewer " * 300, "{ asset(id: [[1]]) { id } }"])
async def test_a_refused_document_leaves_nothing_to_the_collector(text: str) -> None:
    with alone(), served(NOWHERE, lifespan="off") as server:
        before = kept(DocumentNode) | kept(Refusal)
        async with httpx.AsyncClient() as client:
            assert "errors" in (await client.post(server.url, json={"query": text})).json()
        async with server.socket() as socket:
            assert (await socket.answer("1", text + " "))["type"] == "error"
        await until(lambda: kept(DocumentNode) <= before and kept(Refusal) <= before)


@contextmanager
def alone() -> Iterator[None]:
    """What others left is collected; nothing else is, until the end."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def kept(type_: type) -> set[int]:
    """By identity: others in this process may keep some of their own."""
    return {id(each) for each in gc.get_objects() if isinstance(each, type_)}
