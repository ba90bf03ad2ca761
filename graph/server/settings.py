"""The settings of a process. Nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from graph.reading import Execution

Setting = TypeVar("Setting")
MOST_POINTS = 1_000_000


class Environment(StrEnum):
    """Where the process serves."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Documents(StrEnum):
    """Which documents are answered."""

    ANY = "any"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process is told.

    Attributes:
        data: the data folder of the embedded engines.
        database_url: a PostgreSQL to use instead of the embedded one.
        environment: GraphiQL is served in development only.
        execution: how operations are executed.
        documents: whether any document is answered, or only registered ones.
        redis_url: keeps the buckets of several processes; without it each process keeps its own.
        origins: trusted with cookies, such as `https://casset.example`.
        hosts: the names this process answers to; empty for any.
        points: in a full bucket of one actor; one is an object read, or a tenth of a millisecond of preparation.
        points_per_second: restored to it.
    """

    data: Path = field(default_factory=lambda: Path(".casset"))
    database_url: str | None = None
    environment: Environment = Environment.DEVELOPMENT
    execution: Execution = Execution.PLAN
    documents: Documents = Documents.ANY
    redis_url: str | None = None
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    points: int = 100_000
    points_per_second: int = 5_000


class SettingRefused(Exception):
    """A variable of the environment holds what it cannot mean."""


def from_environment(data: Path) -> Settings:
    """Read `DATABASE_URL`, `REDIS_URL`, `EXECUTION` and the variables that begin with `CASSET_`.

    Raises:
        SettingRefused: one of them holds an unknown word, or no number where one belongs.
    """
    defaults = Settings()
    return Settings(
        data=data,
        database_url=os.environ.get("DATABASE_URL") or None,
        environment=_read("CASSET_ENVIRONMENT", Environment, defaults.environment),
        execution=_read("EXECUTION", Execution, defaults.execution),
        documents=_read("CASSET_DOCUMENTS", Documents, defaults.documents),
        redis_url=os.environ.get("REDIS_URL") or None,
        origins=_read("CASSET_ORIGINS", _listed, defaults.origins),
        hosts=_read("CASSET_HOSTS", _listed, defaults.hosts),
        points=_read("CASSET_POINTS", _positive, defaults.points),
        points_per_second=_read("CASSET_POINTS_PER_SECOND", _positive, defaults.points_per_second),
    )


def _read(name: str, reading: Callable[[str], Setting], default: Setting) -> Setting:
    text = os.environ.get(name, "")
    try:
        return reading(text) if text else default
    except ValueError as error:
        raise SettingRefused(f"{name}: {error}.") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_POINTS:
        raise ValueError(f"{text} is not from 1 to {MOST_POINTS}")
    return number
