"""Windows: stretches of a recording in milliseconds, half-open. None stands for the whole wherever a window may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain.errors import Invalid


class Window(NamedTuple):
    """A stretch from its first millisecond up to but not including its last; None as the end runs to the end."""

    start_ms: int
    end_ms: int | None


def checked_window(start_ms: int, end_ms: int | None, duration_ms: int | None = None) -> Window:
    """A window somebody asks about, cut at the end of the media.

    Raises:
        Invalid: it starts before 0 or at the end of the media or later, or ends where it starts or before.
    """
    if start_ms < 0:
        raise Invalid("A window starts at 0 ms or later.", path=("window", "startMs"))
    if end_ms is not None and end_ms <= start_ms:
        raise Invalid("A window ends after it starts.", path=("window", "endMs"))
    if duration_ms is None:
        return Window(start_ms, end_ms)
    if start_ms >= duration_ms:
        raise Invalid(f"The media ends at {duration_ms} ms, before the window.", path=("window", "startMs"))
    return Window(start_ms, duration_ms if end_ms is None else min(end_ms, duration_ms))


def stretch(start_ms: int | None, end_ms: int | None) -> Window | None:
    """A window as rows keep it: a missing start is the beginning, and where both are missing it is the whole."""
    return None if start_ms is None and end_ms is None else Window(start_ms or 0, end_ms)


def overlap(one: Window | None, other: Window | None) -> bool:
    """Whether two windows share a millisecond; the whole shares one with every window."""
    if one is None or other is None:
        return True
    return (other.end_ms is None or one.start_ms < other.end_ms) and (one.end_ms is None or other.start_ms < one.end_ms)


def common(one: Window, other: Window) -> Window | None:
    """The milliseconds of both; None where they share none."""
    ends = [end for end in (one.end_ms, other.end_ms) if end is not None]
    shared = Window(max(one.start_ms, other.start_ms), min(ends, default=None))
    return shared if shared.end_ms is None or shared.start_ms < shared.end_ms else None


def united(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same milliseconds in as few windows as can be, in order; windows that touch become one."""
    joined: list[Window] = []
    for window in sorted(windows, key=_start):
        last = joined[-1] if joined else None
        if last is None or (last.end_ms is not None and last.end_ms < window.start_ms):
            joined.append(window)
        elif last.end_ms is not None and (window.end_ms is None or window.end_ms > last.end_ms):
            joined[-1] = Window(last.start_ms, window.end_ms)
    return tuple(joined)


def gaps(windows: Iterable[Window], start_ms: int, end_ms: int) -> tuple[Window, ...]:
    """What the windows leave free between two moments, in order."""
    free = []
    for window in united(windows):
        if start_ms < min(window.start_ms, end_ms):
            free.append(Window(start_ms, min(window.start_ms, end_ms)))
        start_ms = max(start_ms, end_ms if window.end_ms is None else window.end_ms)
    return (*free, Window(start_ms, end_ms)) if start_ms < end_ms else tuple(free)


def _start(window: Window) -> int:
    return window.start_ms
