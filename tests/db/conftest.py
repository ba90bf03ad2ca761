"""How hard the workers of test_jobs.py are treated."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/db/test_jobs.py -n0 -s --jobs 3000 --kills 200`."""
    parser.addoption("--jobs", type=int, default=200, help="How many jobs there are.")
    parser.addoption("--kills", type=int, default=8, help="How many workers are killed while they do them.")
