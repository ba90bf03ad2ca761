"""The tree over all events: RFC 6962 hashing, proofs of inclusion and consistency (RFC 9162), and tiles of hashes.

Leaves are numbered from 0. A proof is a list of ranges of leaves, each with the hash over it. Hashes are kept as tiles
(C2SP tlog-tiles): level 0 holds the leaves; an entry of level t is the hash over 256**t of them, and exists once they
are all there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

WIDTH = 256
"""Hashes of a full tile."""
EMPTY = hashlib.sha256().digest()
"""The root over no leaf."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two neighbours."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_hash(hashes: Sequence[bytes]) -> bytes:
    """The hash over some neighbours: leaves, or full subtrees of one size of which the last may be smaller."""
    if not hashes:
        return EMPTY
    sha256, row = hashlib.sha256, list(hashes)
    while len(row) > 1:
        paired = [sha256(b"\1" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
        row = [*paired, row[-1]] if len(row) % 2 else paired
    return row[0]


class Range(NamedTuple):
    """The leaves from `begin` up to `end`, without it."""

    begin: int
    end: int


class Segment(NamedTuple):
    """Entries of one level of the tiles, from `begin` up to `end`, without it."""

    level: int
    begin: int
    end: int


def inclusion(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that a leaf is in the tree of the first `size`, the nearest first."""
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(begin, middle))
            begin = middle
    return path[::-1]


def consistency(first: int, second: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of the first `first` leaves is the beginning of that of `second`."""
    if not 0 < first < second:
        return []
    begin, end, path = 0, second, []
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(begin, middle))
            begin = middle
    if begin:
        path.append(Range(begin, end))
    return path[::-1]


def _split(leaves: int) -> int:
    """The largest power of two below a number of leaves."""
    return 1 << (leaves - 1).bit_length() - 1


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf is in a tree (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, *path, root):
        return False
    place, last, reached = index, size - 1, leaf
    for hash_ in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(hash_, reached)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def is_consistent(first: int, second: int, roots: tuple[bytes, bytes], path: Sequence[bytes]) -> bool:
    """Whether a proof shows that one tree is the beginning of another (RFC 9162 section 2.1.4.2).

    Args:
        first: leaves of the one.
        second: leaves of the other.
        roots: of the one and of the other.
        path: the proof.
    """
    if not 0 < first <= second or not _are_hashes(*roots, *path):
        return False
    if first == second:
        return not path and roots[0] == roots[1]
    hashes = [roots[0], *path] if first & (first - 1) == 0 else list(path)
    if not hashes:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = node_hash(hash_, older), node_hash(hash_, newer)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and (older, newer) == roots


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(hash_) == 32 for hash_ in hashes)


def segments(leaves: Range) -> Iterator[Segment]:
    """The entries of tiles that a range is made of, the highest level first.

    Args:
        leaves: a range of a proof, or of a whole tree: it begins at a multiple of a power of two that it fits into.
    """
    begin, end = leaves
    level = max(0, (end - begin).bit_length() - 1) // 8
    while begin < end:
        unit = WIDTH**level
        count = (end - begin) // unit
        if count:
            yield Segment(level, begin // unit, begin // unit + count)
        begin += count * unit
        level -= 1


def range_hash(leaves: Range, entries: Callable[[Segment], Sequence[bytes]]) -> bytes:
    """The hash over a range, out of the entries of tiles."""
    reached: list[bytes] = []
    for segment in reversed(list(segments(leaves))):
        reached = [root_hash([*entries(segment), *reached])]
    return reached[0] if reached else EMPTY


@dataclass(slots=True)
class Growing:
    """The right edge of a tree that leaves are added to.

    Attributes:
        size: how many leaves there are.
        edge: by level, the entries of the tile that is not full.
    """

    size: int = 0
    edge: list[list[bytes]] = field(default_factory=list)

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add the hash of a leaf; the entries (level, index, hash) of higher levels that are there from now on."""
        self.size += 1
        made, level, index, entry = [], 0, self.size - 1, leaf
        while True:
            if level == len(self.edge):
                self.edge.append([])
            self.edge[level].append(entry)
            if level:
                made.append((level, index, entry))
            if len(self.edge[level]) < WIDTH:
                return made
            entry = root_hash(self.edge[level])
            self.edge[level] = []
            level, index = level + 1, index // WIDTH

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        reached: list[bytes] = []
        for entries in self.edge:
            if entries or reached:
                reached = [root_hash([*entries, *reached])]
        return reached[0] if reached else EMPTY
