"""The settings of a process. Nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

from domain.accounts import checked_email
from domain.errors import Invalid
from graph.execution import Execution
from graph.server.mail import MailServer, mail_server
from graph.server.providers import Registration, any_house, apple, google, none_twice, spotify

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
        proxies: addresses or networks of reverse proxies, whose `X-Forwarded-For` is believed.
        mail_server: sends letters; without it they are written into the data folder.
        mail_from: the address they come from.
        providers: other houses where people sign in.
        blobs_url: where uploads are stored, such as `s3://bucket/prefix`; without it they are in the data folder.
        keys: the folder of the keys that sign; without it they are in the data folder.
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
    proxies: tuple[str, ...] = ()
    mail_server: MailServer | None = None
    mail_from: str = "casset@localhost.localdomain"
    providers: tuple[Registration, ...] = ()
    blobs_url: str | None = None
    keys: Path | None = None
    points: int = 20_000
    points_per_second: int = 1_000


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
        proxies=_read("CASSET_PROXIES", _networks, defaults.proxies),
        mail_server=_read("CASSET_SMTP", mail_server, defaults.mail_server),
        mail_from=_read("CASSET_MAIL_FROM", _mail_address, defaults.mail_from),
        providers=_providers(),
        blobs_url=os.environ.get("CASSET_BLOBS") or None,
        keys=_read("CASSET_KEYS", Path, defaults.keys),
        points=_read("CASSET_POINTS", _positive, defaults.points),
        points_per_second=_read("CASSET_POINTS_PER_SECOND", _positive, defaults.points_per_second),
    )


def _read(name: str, reading: Callable[[str], Setting], default: Setting) -> Setting:
    text = os.environ.get(name, "")
    try:
        return reading(text) if text else default
    except ValueError as error:
        raise SettingRefused(f"{name}: {error}.") from None


def _providers() -> tuple[Registration, ...]:
    """The other houses of `CASSET_GOOGLE`, `CASSET_APPLE`, `CASSET_SPOTIFY` and `CASSET_OIDC`."""
    read = (("GOOGLE", google), ("APPLE", apple), ("SPOTIFY", spotify), ("OIDC", any_house))
    none: tuple[Registration, ...] = ()
    known = sum((_read(f"CASSET_{name}", reading, none) for name, reading in read), none)
    try:
        return none_twice(known)
    except ValueError as error:
        raise SettingRefused(f"CASSET_OIDC: {error}.") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(word)) for word in _listed(text))


def _mail_address(text: str) -> str:
    try:
        return checked_email(text)
    except Invalid as error:
        raise ValueError(error.message.rstrip(".")) from None


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_POINTS:
        raise ValueError(f"{text} is not from 1 to {MOST_POINTS}")
    return number
