"""The SDL of where something is heard."""

from __future__ import annotations

import strawberry

from graph.fields import DateTime, stored


@strawberry.type(description="Where a hook or a clip is heard, for a few minutes.")
class Playback:
    """A token, as an address."""

    url: str = stored("Where its sound is, on this host: of a hook an object that holds its window and nothing else.")
    expires_at: DateTime = stored("When the address ends; ask again for another.")
    start_ms: int = stored("Where the sound begins in the track, in milliseconds.")
    duration_ms: int = stored("How long it is, in milliseconds.")
