"""The settings of a process. Nothing else reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from graph.reading import Execution


class Environment(StrEnum):
    """Where the process serves."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process is told.

    Attributes:
        data: the data folder of the embedded engines.
        database_url: a PostgreSQL to use instead of the embedded one.
        environment: GraphiQL is served in development only.
        execution: how operations are executed.
    """

    data: Path = field(default_factory=lambda: Path(".casset"))
    database_url: str | None = None
    environment: Environment = Environment.DEVELOPMENT
    execution: Execution = Execution.PLAN


class SettingRefused(Exception):
    """A variable of the environment holds a word it does not know."""


def from_environment(data: Path) -> Settings:
    """Read `DATABASE_URL`, `CASSET_ENVIRONMENT` and `EXECUTION`.

    Raises:
        SettingRefused: one of them holds an unknown word.
    """
    try:
        return Settings(
            data=data,
            database_url=os.environ.get("DATABASE_URL") or None,
            environment=Environment(os.environ.get("CASSET_ENVIRONMENT", Environment.DEVELOPMENT)),
            execution=Execution(os.environ.get("EXECUTION", Execution.PLAN)),
        )
    except ValueError as error:
        raise SettingRefused(f"CASSET_ENVIRONMENT or EXECUTION: {error}.") from None
