"""The words of lineage."""

from __future__ import annotations

from domain.facts import CARRIES, CONTAINS
from domain.lineage import EdgeKind, StepKind


def test_a_step_goes_along_an_edge_of_any_kind_or_into_what_a_release_holds() -> None:
    assert [step.value for step in StepKind] == [*[kind.value for kind in EdgeKind], CONTAINS.value]
    assert set(CARRIES) == {*EdgeKind, CONTAINS}
