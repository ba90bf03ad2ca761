"""GraphQL over HTTP, as its own audits see it."""

from __future__ import annotations

from tests.conformance.conftest import Served
from tests.conformance.node import Node

AUDITS = 61


def test_every_audit_of_graphql_over_http_is_passed_without_a_warning(node: Node, served: Served) -> None:
    found = node.outcome("clients/audits.mjs", served.url)
    failed = ["{status} {id} {name}: {reason}".format_map(audit) for audit in found if audit["status"] != "ok"]
    assert not failed, "\n".join(failed)
    assert len(found) == AUDITS
