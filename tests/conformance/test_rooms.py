"""The page of a room, in two real browsers: people talk, one is cut off, and nobody misses or hears anything twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.conftest import Served
from tests.conformance.node import Node

ROOM = "marrow-and-tide"
CUT_MS = 3_000
"""For how long one of them is cut off; `--cut-ms 30000` for longer, `--pictures FOLDER` to look at what they saw."""


def test_two_browsers_talk_and_who_is_cut_off_misses_nothing(
    node: Node, served: Served, chromium: str, pytestconfig: pytest.Config
) -> None:
    pictures: Path | None = pytestconfig.getoption("pictures")
    words = [str(pytestconfig.getoption("cut_ms") or CUT_MS), *([str(pictures)] if pictures else [])]
    told = node.outcome("clients/room.mjs", served.url, ROOM, chromium, *words)
    mark = told["mark"]
    assert told["complaints"] == []
    assert told["together"] == {
        "near": [f"far-{mark}", f"near-{mark}"],
        "far": [f"far-{mark}", f"near-{mark}"],
        "count": "2",
    }
    assert told["refusal"] == "Say something."
    assert told["missed"] == []
    away = [f"while you were away, {number} {mark}" for number in range(1, 6)]
    talk = [f"hello {mark}", f"here I am {mark}", *away, f"back again {mark}"]
    assert [text for text in told["near"] if text.endswith(mark)] == talk
    assert told["far"] == told["near"]
    assert told["left"] == [f"near-{mark}"]
    # The room wears the colours of its world, and says what is heard.
    assert told["worn"] == "#4fb3c8"
    assert told["now"].startswith("Ferry Light")
