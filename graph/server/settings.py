"""The settings of a process. Nothing else reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from domain.accounts import checked_email
from domain.errors import Invalid
from graph.execution import Execution
from graph.server.mail import MailServer, mail_server
from graph.server.providers import Registration, any_house, apple, google, none_twice, spotify

Setting = TypeVar("Setting")
MOST_POINTS = 1_000_000
GWEI = 10**9
SHORTEST_SECRET = 16


class Environment(StrEnum):
    """Where the process serves."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Documents(StrEnum):
    """Which documents are answered."""

    ANY = "any"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where programs pay.

    Attributes:
        chain_id: of the EVM chain.
        node: the address of a node of it.
        payee: the address that is paid.
        key_file: holds the key of the account that sends what payers signed.
    """

    chain_id: int
    node: str = field(repr=False)
    payee: str
    key_file: Path


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
        origins: trusted with cookies, such as `https://casset.example`; worlds are at the first of them.
        hosts: the names this process answers to; empty for any.
        proxies: addresses or networks of reverse proxies, whose `X-Forwarded-For` is believed.
        mail_server: sends letters; without it they are written into the data folder.
        mail_from: the address they come from.
        providers: other houses where people sign in.
        blobs_url: where uploads are stored, such as `s3://bucket/prefix`; without it they are in the data folder.
        keys: the folder of the keys that sign; without it they are in the data folder.
        chain_url: where the chain is asked that roots over manifests are anchored on; without it nothing is anchored.
        anchor_key: the file with the key of the account that pays there.
        anchor_fees: the most that is paid there, in wei: for a unit of gas, and for a batch.
        cron_secret: who sends it may do the work of `/api/cron/…`; without it there is no such address.
        settlement: the chain on which programs pay for licenses; none without it.
        points: in a full bucket of one actor; one is an object read, or a tenth of a millisecond of preparation.
        points_per_second: restored to it.
    """

    data: Path = field(default_factory=lambda: Path(".casset"))
    database_url: str | None = field(default=None, repr=False)
    environment: Environment = Environment.DEVELOPMENT
    execution: Execution = Execution.PLAN
    documents: Documents = Documents.ANY
    redis_url: str | None = field(default=None, repr=False)
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    mail_server: MailServer | None = field(default=None, repr=False)
    mail_from: str = "casset@localhost.localdomain"
    providers: tuple[Registration, ...] = ()
    blobs_url: str | None = field(default=None, repr=False)
    keys: Path | None = None
    chain_url: str | None = field(default=None, repr=False)
    anchor_key: Path | None = None
    anchor_fees: tuple[int, int] = (2 * GWEI, 500_000 * GWEI)
    cron_secret: str | None = field(default=None, repr=False)
    settlement: Settlement | None = None
    points: int = 20_000
    points_per_second: int = 1_000

    @property
    def origin(self) -> str:
        """With what the addresses of worlds begin; empty where that is not known."""
        return self.origins[0] if self.origins else ""


class SettingRefused(Exception):
    """A variable of the environment holds what it cannot mean."""


def from_environment(data: Path) -> Settings:
    """Read `DATABASE_URL`, `REDIS_URL`, `EXECUTION` and the variables that begin with `CASSET_`.

    Raises:
        SettingRefused: one of them holds an unknown word, or no number where one belongs.
    """
    defaults = Settings()
    settings = Settings(
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
        chain_url=_read("CASSET_CHAIN", _chain_url, defaults.chain_url),
        anchor_key=_read("CASSET_ANCHOR_KEY", Path, defaults.anchor_key),
        anchor_fees=_read("CASSET_ANCHOR_FEES", _fees, defaults.anchor_fees),
        cron_secret=_read("CASSET_CRON", _secret, defaults.cron_secret),
        settlement=_read("CASSET_SETTLEMENT", _settlement, defaults.settlement),
        points=_read("CASSET_POINTS", _positive, defaults.points),
        points_per_second=_read("CASSET_POINTS_PER_SECOND", _positive, defaults.points_per_second),
    )
    if settings.settlement is not None and settings.settlement.key_file == settings.anchor_key:
        raise SettingRefused(
            "CASSET_ANCHOR_KEY: who anchors and who settles number what they send: they are two accounts."
        )
    return settings


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


def _settlement(text: str) -> Settlement:
    """`eip155:84532 https://node.example 0x… key-file`: the chain, a node of it, who is paid, and who sends."""
    words = text.split()
    if len(words) != 4 or words[0] not in _CHAINS or not _ADDRESS.fullmatch(words[2]):
        raise ValueError("name a chain (eip155:8453 or eip155:84532), a node, an address that is paid, and a key file")
    return Settlement(_CHAINS[words[0]], words[1], words[2], Path(words[3]))


_CHAINS = {"eip155:8453": 8453, "eip155:84532": 84532}
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def _mail_address(text: str) -> str:
    try:
        return checked_email(text)
    except Invalid as error:
        raise ValueError(error.message.rstrip(".")) from None


def _chain_url(text: str) -> str:
    url = urlsplit(text)
    near = url.hostname in {"localhost", "127.0.0.1", "::1"}
    if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and near)):
        raise ValueError("it is no https URL (http is for this machine)")
    return text


def _fees(text: str) -> tuple[int, int]:
    """`gwei-for-a-unit-of-gas gwei-for-a-batch`."""
    try:
        per_gas, per_batch = (int(Decimal(word) * GWEI) for word in text.split())
    except ArithmeticError:
        raise ValueError("it is not two amounts of gwei") from None
    if not 0 < per_gas <= per_batch < 2**62:
        raise ValueError("it is not two amounts, of which the second is no less than the first")
    return per_gas, per_batch


def _secret(text: str) -> str:
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"a secret has at least {SHORTEST_SECRET} characters")
    return text


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_POINTS:
        raise ValueError(f"{text} is not from 1 to {MOST_POINTS}")
    return number
