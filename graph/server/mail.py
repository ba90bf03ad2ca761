"""Sending letters: into a folder, where nothing else was set up, or through an SMTP server."""

from __future__ import annotations

import asyncio
import os
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from domain.letters import Letter

SECONDS = 15.0
"""That a mail server has for each of its answers."""
_PORTS = {"smtp": 587, "smtps": 465}


class MailServer(NamedTuple):
    """Where letters go.

    Attributes:
        host: of the server.
        port: of the server.
        encrypted: from the first byte on; else as soon as the server offers it.
        user: to sign in there; None where nobody needs to.
        password: of that user.
    """

    host: str
    port: int
    encrypted: bool
    user: str | None
    password: str


def mail_server(url: str) -> MailServer:
    """Read `smtp://user:password@host:587`, or `smtps://`.

    Raises:
        ValueError: it is no such address.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        # Not the address itself: it may hold a password.
        raise ValueError("write smtp://user:password@host:587 or smtps://user:password@host:465")
    user = None if parts.username is None else unquote(parts.username)
    port = parts.port or _PORTS[parts.scheme]
    return MailServer(parts.hostname, port, parts.scheme == "smtps", user, unquote(parts.password or ""))


class Folder:
    """Letters as files, one each, that nobody else on this machine may read."""

    def __init__(self, folder: Path, sender: str) -> None:
        """Make the folder when the first letter comes."""
        self._folder = folder
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Write a letter as `<when>-<id>.eml`."""
        await asyncio.to_thread(self._write, bytes(_message(letter, self._sender)))

    def _write(self, message: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4()}.eml"
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message)


class Smtp:
    """Letters by SMTP, a connection for each."""

    def __init__(self, server: MailServer, sender: str) -> None:
        """Connect to nothing yet."""
        self._server = server
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Hand a letter to the server; an OSError or SMTPException of smtplib where it does not take it."""
        await asyncio.to_thread(self._hand_over, _message(letter, self._sender))

    def _hand_over(self, message: EmailMessage) -> None:
        host, port = self._server.host, self._server.port
        if self._server.encrypted:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=SECONDS, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(host, port, timeout=SECONDS)
        with connection:
            connection.ehlo()
            if not self._server.encrypted and connection.has_extn("starttls"):
                connection.starttls(context=ssl.create_default_context())
                connection.ehlo()
            if self._server.user is not None:
                connection.login(self._server.user, self._server.password)
            connection.send_message(message)


def _message(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    # Not the name of this machine.
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(letter.text)
    return message
