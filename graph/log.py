"""The SDL of the log over all events."""

from __future__ import annotations

import strawberry

from domain.log import LogState
from graph.fields import described, stored

described(
    LogState,
    PENDING="It waits for its place in the log, for some seconds.",
    LOGGED="It has its place.",
)


@strawberry.type(
    description="Where an event is in the log, and the proof of it (RFC 6962). The hash of its leaf is SHA-256 over a "
    "zero byte and the 32 bytes of its own hash."
)
class LogInclusion:
    """A proof of inclusion."""

    state: LogState = stored("Whether it is in the log.")
    leaf_index: int | None = stored("The number of its leaf, from 0; null while it waits.")
    tree_size: int | None = stored("The number of leaves of the checkpoint.")
    hashes: list[str] | None = stored("The hashes beside the way from the leaf to the root, from below, in base64.")
    checkpoint: str | None = stored("The newest checkpoint, as a signed note (C2SP tlog-checkpoint).")


@strawberry.type(
    description="The proof that the log only grew: an earlier log is the beginning of a later one (RFC 6962)."
)
class LogConsistency:
    """A proof of consistency."""

    first: int = stored("The number of leaves of the earlier one.")
    second: int = stored("The number of leaves of the later one.")
    hashes: list[str] = stored("The proof, in base64.")
    checkpoint: str | None = stored("The newest checkpoint, where the later one is that; else null.")
