"""Asking the graph from the terminal: the same operations that anybody sends, answered in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from db.accounts import account_holding, viewer_of_account
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.errors import BadInput, NotFound
from graph.reading import Reader
from graph.schema import executable

_ARTIST = "... on Artist { assets(first: 3) { nodes { id title } } }"
_JOINER = "\u200d"
"""Binds the parts of an emoji."""


class Asker:
    """Asks operations for one viewer."""

    def __init__(self, database: Database, viewer: Viewer) -> None:
        """Ask over an open database."""
        self._reader = Reader(executable(), database)
        self._viewer = viewer

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data of an answer.

        Raises:
            BadInput: the operation was refused, for what it was asked with.
        """
        answer = orjson.loads((await self._reader.answer(document, None, variables, self._viewer)).body)
        if "errors" in answer:
            raise BadInput(" ".join(error["message"] for error in answer["errors"]))
        return answer["data"]

    async def find(self, ref: str, kinds: Sequence[str], parts: str, declared: str = "", **variables: Any) -> Any:
        """What a reference of any form leads to.

        Args:
            ref: the reference.
            kinds: SDL types that will do.
            parts: what is selected of the node.
            declared: the variables the parts use, as an operation declares them.
            **variables: their values.

        Raises:
            NotFound: nowhere that this viewer may see.
            BadInput: to something of another kind; or the operation was refused.
        """
        document = (
            f"query($ref: String!{declared}) {{ resolve(ref: $ref) {{ node {{ __typename {_ARTIST} {parts} }} }} }}"
        )
        found = (await self.ask(document, ref=ref, **variables))["resolve"]
        if found is None:
            raise NotFound(f"There is nothing here that {ref!r} leads to, or you may not see it.")
        node = found["node"]
        if node["__typename"] not in kinds:
            works = [f"{asset['id']} {quoted(asset)}" for asset in node.get("assets", {}).get("nodes", ())]
            near = f" Works of theirs: {'; '.join(works)}." if works else ""
            said = f"{ref!r} leads to one {node['__typename']}; ask about one of these: {', '.join(kinds)}."
            raise BadInput(said + near)
        return node


async def asker_for(database: Database, handle: str | None) -> Asker:
    """Who asks for an account, or for whoever holds an artist; for anybody where no handle is given.

    Raises:
        NotFound: nobody signs in for that handle.
    """
    if handle is None:
        return Asker(database, ANONYMOUS)
    async with database.read() as connection:
        account = await account_holding(connection, handle.casefold())
        if account is None:
            raise NotFound(f"Nobody signs in for {handle!r}.")
        return Asker(database, await viewer_of_account(connection, account))


def printable(text: str) -> str:
    """A text of somebody else's without what would steer a terminal or break a picture."""
    return "".join(letter if letter.isprintable() or letter == _JOINER else "\ufffd" for letter in text)


def quoted(asset: Any) -> str:
    """How an asset is named in a sentence; None is one that may not be seen."""
    if asset is None:
        return "something you may not see"
    return f"“{printable(asset['title'])}”" if asset["title"] else "an untitled work"


def clock(milliseconds: int) -> str:
    """`1:05.250`, without the fraction where there is none."""
    minutes, rest = divmod(milliseconds, 60_000)
    seconds, fraction = divmod(rest, 1000)
    return f"{minutes}:{seconds:02}{f'.{fraction:03}' if fraction else ''}"
