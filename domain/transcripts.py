"""A log that was written out, checked by itself: events, the hashes of leaves, signed checkpoints and keys.

`events.jsonl` holds a canonical event a line, in the order of the log; `leaves` the 32 bytes of each leaf's hash;
`checkpoints` signed notes, oldest first, an empty line after each; `did.json` the keys. The checkpoints bind the
leaves, the leaves bind the events, and events of one subject bind each other. So what was changed has a place: the line
itself, or, where somebody was thorough, the lines between the last checkpoint that fits and the first that does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.checkpoints import Checkpoint, checkpoint_of
from domain.merkle import WIDTH, Range, Segment, range_hash, root_hash
from domain.signatures import Unverified

EVENTS, LEAVES, CHECKPOINTS, KEYS = "events.jsonl", "leaves", "checkpoints", "did.json"
"""The files of a transcript."""


class Misplaced(Unverified):
    """An event is not the one that was logged at its place.

    Attributes:
        first: the number of the event, from 1, or of the first that may be it.
        last: the last that may be it.
    """

    def __init__(self, message: str, first: int, last: int | None = None) -> None:
        """Keep the place."""
        super().__init__(message)
        self.first, self.last = first, first if last is None else last


class Verified(NamedTuple):
    """What was found good.

    Attributes:
        checkpoint: the newest.
        subjects: how many things the events are about.
    """

    checkpoint: Checkpoint
    subjects: int


class Tree:
    """The tree over some leaves, as tiles."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hash upwards."""
        self._levels = [leaves]
        while len(self._levels[-1]) >= WIDTH:
            below = self._levels[-1]
            full = len(below) - len(below) % WIDTH
            self._levels.append([root_hash(below[begin : begin + WIDTH]) for begin in range(0, full, WIDTH)])

    def fits(self, checkpoint: Checkpoint) -> bool:
        """Whether a checkpoint says what these leaves come to."""
        if checkpoint.size > len(self._levels[0]):
            return False
        return range_hash(Range(0, checkpoint.size), self._entries) == checkpoint.root

    def _entries(self, segment: Segment) -> Sequence[bytes]:
        return self._levels[segment.level][segment.begin : segment.end]


def write_checkpoints(notes: Iterable[str]) -> str:
    """The text of the file of checkpoints."""
    return "".join(f"{note}\n" for note in notes)


def read_checkpoints(text: str, keys: Mapping[str, Ed25519PublicKey]) -> list[Checkpoint]:
    """The checkpoints in the text of their file, oldest first.

    Raises:
        Unverified: one is not signed by a trusted key, or they are not of one log that grows.
    """
    parts = text.split("\n\n")
    if len(parts) < 3 or parts.pop() or len(parts) % 2:
        raise Unverified(f"{CHECKPOINTS} is not signed notes with an empty line after each.")
    found: list[Checkpoint] = []
    for said, signed in zip(parts[::2], parts[1::2], strict=True):
        number = len(found) + 1
        try:
            checkpoint = checkpoint_of(f"{said}\n\n{signed}\n", keys.values())
        except Unverified as error:
            raise Unverified(f"Checkpoint {number}: {error}") from None
        if found and (checkpoint.origin != found[-1].origin or checkpoint.size <= found[-1].size):
            raise Unverified(f"Checkpoint {number} is not of the same log, later than the one before.")
        found.append(checkpoint)
    return found


def check_log(checkpoints: Sequence[Checkpoint], leaves: bytes, events: Iterable[bytes]) -> Verified:
    """Check the events of a log against what was signed of it.

    Args:
        checkpoints: those that are trusted, smallest first; the last one is of the whole log.
        leaves: 32 bytes each.
        events: the lines of the file, each with its end.

    Raises:
        Misplaced: an event is not the one that was logged; it says where.
        Unverified: a leaf was changed, and the events were not; it says where.
    """
    signed = [leaves[begin : begin + 32] for begin in range(0, len(leaves), 32)]
    tree = Tree(signed)
    if len(signed) != checkpoints[-1].size or not all(map(tree.fits, checkpoints)):
        raise _difference(checkpoints, signed, [_leaf(line) for line in events])
    return Verified(checkpoints[-1], _follow(signed, events))


def _follow(leaves: Sequence[bytes], events: Iterable[bytes]) -> int:
    """Hold every event against its leaf, and against the one before it in its chain; how many chains there are."""
    sha256, loads, number = hashlib.sha256, orjson.loads, 0
    heads: dict[str, tuple[int, str | None]] = {}
    beginning = 0, None
    try:
        for number, line in enumerate(events, 1):
            hashed = sha256(line[:-1])
            if sha256(b"\0" + hashed.digest()).digest() != leaves[number - 1] or line[-1:] != b"\n":
                raise Misplaced(f"Event {number} is not the one that was logged there.", number)
            event = loads(line)
            subject = event["subject"]
            if heads.get(subject, beginning) != (event["sequence"] - 1, event.get("prev")):
                raise Misplaced(f"Event {number} does not follow the one before it in the chain of {subject}.", number)
            heads[subject] = event["sequence"], hashed.hexdigest()
    except IndexError:
        raise _surplus(number) from None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise Misplaced(f"Event {number} was logged, and is no event.", number) from None
    if number < len(leaves):
        raise _missing(number + 1)
    return len(heads)


def _difference(checkpoints: Sequence[Checkpoint], signed: Sequence[bytes], told: Sequence[bytes]) -> Unverified:
    """Where a log differs from its checkpoints, knowing that its leaves do.

    Args:
        checkpoints: smallest first.
        signed: the leaves as they are in their file.
        told: the leaves as they come out of the events.
    """
    shared = min(len(signed), len(told))
    differing = next((number for number in range(shared) if signed[number] != told[number]), shared) + 1
    tree, size = Tree(told), checkpoints[-1].size
    misfit = next((place for place, checkpoint in enumerate(checkpoints) if not tree.fits(checkpoint)), None)
    if misfit is None and len(told) == size:
        return Unverified(f"Leaf {differing} was changed; the events are as they were logged.")
    if misfit is None:
        return _surplus(size + 1)
    begin, end = checkpoints[misfit - 1].size + 1 if misfit else 1, checkpoints[misfit].size
    if Tree(signed).fits(checkpoints[misfit]) and begin <= differing <= shared:
        return Misplaced(f"Event {differing} is not the one that was logged there.", differing)
    if begin > len(told):
        return _missing(len(told) + 1)
    return Misplaced(f"One of the events {begin} to {end} is not the one that was logged there.", begin, end)


def _surplus(number: int) -> Misplaced:
    return Misplaced(f"Event {number} was never logged: the log ends before it.", number)


def _missing(number: int) -> Misplaced:
    return Misplaced(f"Event {number} is missing: the log does not end there.", number)


def _leaf(line: bytes) -> bytes:
    hashed = hashlib.sha256(line.removesuffix(b"\n")).digest()
    return hashlib.sha256(b"\0" + hashed).digest()
