"""What is locked is named by version and hash and by no address: where packages come from is the machine's to say."""

from __future__ import annotations

import pytest

from tests.architecture.tree import ROOT, at, none_of

LOCKS = [ROOT / "requirements.lock", *(ROOT / "tests").glob("*/package-lock.json")]
LOCKS += (ROOT / "tests").glob("benchmarks/*/package-lock.json")


def addressed(text: str) -> list[int]:
    """The lines that name an address."""
    return [number for number, line in enumerate(text.splitlines(), 1) if "://" in line]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.relative_to(ROOT).as_posix())
def test_a_lock_names_no_address(lock):
    none_of([f"{at(lock, line)} names an address" for line in addressed(lock.read_text(encoding="utf-8"))])


def test_an_address_is_noticed():
    assert len(LOCKS) == 3
    assert addressed('{\n  "url": "https://github.com/sponsors/somebody"\n}\n') == [2]
