"""What is kept is bounded, made once where one thread asks, and never wrong where several do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from graph.kept import Kept, Unmade


def test_the_longest_unused_goes_first() -> None:
    kept = Kept(2)
    for key in ("a", "b", "a", "c"):
        kept.recall(key, key.upper)
    assert [kept.get(key) for key in ("a", "b", "c")] == ["A", None, "C"]


def test_what_is_kept_weighs_no_more_than_it_may() -> None:
    kept = Kept(10, len)
    for text in ("aaaa", "bbbb", "cc", "dddd"):
        kept.recall(text, text.upper)
    assert [kept.get(text) for text in ("aaaa", "bbbb", "cc", "dddd")] == [None, "BBBB", "CC", "DDDD"]
    kept.recall("long", lambda: "x" * 11)
    assert len(kept) == 1


def test_who_has_no_time_gets_only_what_is_there() -> None:
    kept = Kept(2)
    with pytest.raises(Unmade):
        kept.recall("a", lambda: pytest.fail("it was made"), quick=True)
    kept.recall("a", lambda: 1)
    assert kept.recall("a", lambda: pytest.fail("it was made again"), quick=True) == 1


def test_what_cannot_be_made_is_not_kept() -> None:
    kept = Kept(2)
    with pytest.raises(ZeroDivisionError):
        kept.recall("a", lambda: 1 // 0)
    assert len(kept) == 0


def test_many_threads_get_each_what_they_asked_for() -> None:
    kept = Kept(30, lambda value: value % 5)
    keys = [number * number % 97 for number in range(5000)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda key: kept.recall(key, lambda: key), keys))
    assert answers == keys
    assert kept._weight == sum(weight for _, weight in kept._entries.values()) <= 30
