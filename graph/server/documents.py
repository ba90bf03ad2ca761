"""`casset documents`: registering the operations that clients name by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError
from rich.console import Console

from db.documents import add_documents, documents
from db.engine import Database
from graph.documents import Documents
from graph.schema import executable

_PREFIX = "sha256:"


class FileRefused(Exception):
    """A file holds no documents, or not what it says."""


def read_file(path: Path) -> Mapping[str, str]:
    """Read the documents of a file, by their hashes.

    A `.graphql` file is one document; a `.json` file is what graphql-codegen (`sha256:…`) or the Relay compiler (bare
    hashes) wrote.

    Raises:
        FileRefused: it cannot be read, is neither, or a hash in it is not that of its document.
    """
    try:
        data = path.read_bytes()
        text = data.decode()
        listed: Any = {_hash(text): text} if path.suffix == ".graphql" else orjson.loads(data)
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror}.") from None
    except ValueError:
        raise FileRefused(f"{path}: not JSON in UTF-8.") from None
    if not isinstance(listed, dict) or not all(isinstance(document, str) for document in listed.values()):
        raise FileRefused(f"{path}: neither a .graphql file nor an object of documents by their hashes.")
    found = {}
    for key, document in listed.items():
        sha256 = key.removeprefix(_PREFIX)
        if sha256 != _hash(document):
            raise FileRefused(f"{path}: {key} is not the SHA-256 of its document.")
        found[sha256] = document
    return found


def problems_of(texts: Mapping[str, str]) -> Mapping[str, Sequence[GraphQLError]]:
    """What is wrong with documents, by their hashes; none of those that are good."""
    schema = Documents(executable())
    return {sha256: errors for sha256, text in texts.items() if (errors := schema.problems(text))}


async def add(database: Database, paths: Sequence[Path], console: Console) -> bool:
    """Register the documents of files, all or none; False where one of them is not good."""
    texts: dict[str, str] = {}
    try:
        for path in paths:
            texts |= read_file(path)
    except FileRefused as refused:
        console.print(str(refused), highlight=False, markup=False, soft_wrap=True)
        return False
    problems = problems_of(texts)
    _say(problems, texts, console)
    if problems:
        console.print("Nothing was registered.")
        return False
    new = await add_documents(database, texts)
    console.print(f"{len(texts)} documents, {len(new)} of them new.")
    return True


async def list_(database: Database, console: Console) -> bool:
    """Show what is registered."""
    for sha256, text in (await documents(database)).items():
        console.print(f"{_PREFIX}{sha256}  {_title(text)}", highlight=False, markup=False, soft_wrap=True)
    return True


async def check(database: Database, console: Console) -> bool:
    """Validate everything that is registered against the schema as it is now; False where something is not good."""
    texts = await documents(database)
    problems = problems_of(texts)
    _say(problems, texts, console)
    console.print(f"{len(texts)} documents, {len(problems)} of them not good any more.")
    return not problems


def _say(problems: Mapping[str, Sequence[GraphQLError]], texts: Mapping[str, str], console: Console) -> None:
    for sha256, errors in problems.items():
        for error in errors:
            said = f"{_PREFIX}{sha256} {_title(texts[sha256])}: {error.message}"
            console.print(said, highlight=False, markup=False, soft_wrap=True)


def _title(text: str) -> str:
    return " ".join(text.split())[:60]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
