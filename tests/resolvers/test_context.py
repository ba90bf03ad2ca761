"""Work over many things leaves everybody else their turn."""

from __future__ import annotations

import asyncio

import pytest

from resolvers import context
from resolvers.context import unhurried


@pytest.mark.parametrize(("turn", "turns"), [(-1.0, 5), (60.0, 0)])
async def test_others_have_their_turn_between_things(monkeypatch: pytest.MonkeyPatch, turn: float, turns: int) -> None:
    monkeypatch.setattr(context, "TURN", turn)
    seen = 0

    async def other() -> None:
        nonlocal seen
        while True:
            seen += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    assert [thing async for thing in unhurried(range(5))] == [0, 1, 2, 3, 4]
    beside.cancel()
    assert seen == turns
