"""The scene that several tests of the read engine look at, and how many documents the differential test tries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from db.engine import Database
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from tests.graph.company import PATIENCE
from tests.graph.scene import Scene, furnish

if TYPE_CHECKING:
    from tests.graph.graphs_placed import Ground


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/graph/test_differential.py -n0 --documents 10000 --seed 1 --viewers anonymous,owner,stranger`."""
    parser.addoption("--documents", type=int, help="How many random documents the differential test tries.")
    parser.addoption("--seed", type=int, help="The seed of the first of them.")
    parser.addoption("--pairs", type=int, default=50, help="How many pairs of writers race to close a cycle.")
    parser.addoption("--asks", type=int, default=400, help="How many ranges and tokens are tried on one recording.")
    parser.addoption("--viewers", help="Who asks each of them, by commas; otherwise each kind of viewer asks in turn.")


@pytest.fixture(scope="session")
def scene_statements() -> list[str]:
    """What reached the scene's database, in order."""
    return []


@pytest.fixture(scope="session")
async def scene_database(
    new_target: Callable[[], dict[str, Any]], scene_statements: list[str]
) -> AsyncIterator[Database]:
    """The database of the scene; nobody writes to it but `scene`."""
    opened = Database(
        new_target(),
        watch=scene_statements.append,
    )
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def scene(scene_database: Database) -> Scene:
    """The furnished scene."""
    return await furnish(scene_database)


@pytest.fixture(scope="session")
def readers(scene_database: Database) -> dict[Execution, Reader]:
    """The two executions over the scene; what is prepared for one serves the other."""
    readers = {execution: Reader(executable(), scene_database, execution) for execution in Execution}
    plan, reference = readers[Execution.PLAN], readers[Execution.REFERENCE]
    reference.documents, reference.plans = plan.documents, plan.plans
    return readers


@pytest.fixture(scope="module")
async def drawn_database(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Database]:
    """A database for graphs that are drawn, side by side."""
    opened = Database(new_target())
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def ground(drawn_database: Database) -> Iterator[Ground]:
    """Where drawn graphs stand; what is asked there is waited for, however slow the machine is just then."""
    from tests.graph.graphs_placed import Ground  # noqa: PLC0415  # laws are read once the profile of the run is known

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("graph.reading.DEADLINE", PATIENCE)
        yield Ground(drawn_database)
