"""The computed fields: for each, the function that makes its values for many rows at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from db.orders import WALKED
from resolvers.context import Acting
from resolvers.kinship import common_ancestors, lineage_paths, lineage_roots
from resolvers.lineage import Walk, walked
from resolvers.verdicts import (
    Terms,
    attributions_of,
    clear_windows_of,
    hypothetical_rights,
    permissions_of,
    rights_of,
)

Batch = Callable[[Acting, Sequence[UUID], Mapping[str, Any]], Awaitable[Mapping[UUID, Any]]]
"""(who asks, keys of rows, arguments as they were read) -> values by key; a root has one row, whose key is zero."""


async def _rights(acting: Acting, assets: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
    return await rights_of(acting, assets, Terms(**given))


async def _clear_windows(acting: Acting, assets: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
    asked = dict(given)
    return await clear_windows_of(acting, assets, asked.pop("length_ms"), Terms(**asked))


async def _attribution(acting: Acting, assets: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
    return await attributions_of(acting, assets, Terms(**given))


async def _permissions(acting: Acting, roots: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
    asked = dict(given)
    answers = await permissions_of(acting, asked.pop("assets"), Terms(**asked))
    return dict.fromkeys(roots, answers)


async def _hypothetical(acting: Acting, roots: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
    asked = dict(given)
    verdicts = await hypothetical_rights(acting, asked.pop("parents"), asked.pop("kind"), Terms(**asked))
    return dict.fromkeys(roots, verdicts)


def _walk(*, upwards: bool) -> Batch:
    async def walk(acting: Acting, assets: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
        return await walked(acting, assets, Walk(upwards=upwards, **given), WALKED.write)

    return walk


def _at_root(answer: Callable[..., Awaitable[Any]]) -> Batch:
    async def once(acting: Acting, roots: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
        return dict.fromkeys(roots, await answer(acting, **given))

    return once


COMPUTED: Mapping[tuple[str, str], Batch] = {
    ("Asset", "rights"): _rights,
    ("Asset", "clearWindows"): _clear_windows,
    ("Asset", "attribution"): _attribution,
    ("Asset", "ancestors"): _walk(upwards=True),
    ("Asset", "descendants"): _walk(upwards=False),
    ("Query", "permissionCheck"): _permissions,
    ("Query", "hypotheticalRights"): _hypothetical,
    ("Query", "lineagePath"): _at_root(lineage_paths),
    ("Query", "commonAncestors"): _at_root(common_ancestors),
    ("Query", "lineageRoots"): _at_root(lineage_roots),
}
"""By the type that declares a field, and its name."""
