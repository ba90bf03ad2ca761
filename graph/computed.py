"""The computed fields: for each, the function that makes its values for many rows at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from resolvers.context import Acting

Batch = Callable[[Acting, Sequence[UUID], Mapping[str, Any]], Awaitable[Mapping[UUID, Any]]]
"""(who asks, keys of rows, arguments as they were read) -> values by key; a root has one row, whose key is zero."""

COMPUTED: Mapping[tuple[str, str], Batch] = {}
"""By the type that declares a field, and its name."""
