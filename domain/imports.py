"""What an import found and did: problems, counts and the outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from domain.errors import CassetError, Code


class Problem(NamedTuple):
    """What the import did not take: a whole row (`skipped`), or something in it."""

    file: str
    line: int
    reason: str
    skipped: bool

    def __str__(self) -> str:
        """`file:line: reason`."""
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(slots=True)
class Count:
    """What became of the rows of one file: read = new + updated + unchanged + skipped.

    `dropped` counts fields, and defaults taken in their place.
    """

    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    dropped: int = 0


class Outcome(StrEnum):
    """How an import ended."""

    IMPORTED = "IMPORTED"
    CHECKED = "CHECKED"
    """A dry run: nothing was written."""
    REFUSED = "REFUSED"
    """There were problems and the import was strict: nothing was written."""


@dataclass(slots=True)
class Report:
    """What an import found and did, by file."""

    source: str
    counts: dict[str, Count] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    outcome: Outcome = Outcome.CHECKED

    def note(self, problem: Problem) -> None:
        """Add a problem and count it."""
        self.problems.append(problem)
        count = self.counts[problem.file]
        if problem.skipped:
            count.skipped += 1
        else:
            count.dropped += 1


class ImportRunning(CassetError):
    """Another import is on its way; there is one at a time."""

    code = Code.CONFLICT


class ImportDisturbed(CassetError):
    """Somebody wrote to the same things between check and merge: what is merged stays, the rest needs a new check."""

    code = Code.CONFLICT
