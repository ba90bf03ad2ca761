"""The commands of casset, as their own declarations tell them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from typer.main import get_command


def casset() -> Any:
    """The root command; typer keeps its command classes to itself, hence Any."""
    try:
        cli = import_module("graph.server.cli")
    except ImportError as missing:
        pytest.fail(f"casset has no commands: {missing}", pytrace=False)
    return get_command(cli.app)


def every(command: Any) -> Iterator[Any]:
    """A command and all below it."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from every(below)


def named(command: Any, words: list[str]) -> Any | None:
    """The command that words lead to, None where they lead nowhere; an option or an argument ends the way."""
    for word in words:
        if word.startswith("-") or not hasattr(command, "commands"):
            break
        if word not in command.commands:
            return None
        command = command.commands[word]
    return command


def help_texts(command: Any) -> Iterator[str]:
    """What `--help` says, before it is wrapped into a box."""
    for part in every(command):
        yield from filter(None, (part.help, part.short_help, part.epilog))
        yield from (parameter.help for parameter in part.params if getattr(parameter, "help", None))
