"""Tools that read schema.graphql: Relay's compiler, codegen, inspector and the linter find nothing to complain of."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from graphql import parse, validate

from graph.schema import executable
from tests.conformance.conftest import ROOT
from tests.conformance.node import HERE, Node

SCHEMA = ROOT / "schema.graphql"
OPERATIONS = "tests/conformance/operations/*.graphql"
INSPECTOR = "node_modules/@graphql-inspector/cli/cjs/index.js"


def test_relays_compiler_takes_the_schema_and_what_it_persists_is_valid(node: Node, tmp_path: Path) -> None:
    app = Path(shutil.copytree(HERE / "relay", tmp_path / "app"))
    shutil.copy(SCHEMA, app)
    done = node.run("node_modules/relay-compiler/cli.js", "relay.config.json", cwd=app)
    assert done.returncode == 0, done.stdout + done.stderr
    persisted = json.loads((app / "persisted.json").read_text())
    assert_documents({f"sha256:{digest}": text for digest, text in persisted.items()}, 3)


def test_codegen_takes_the_schema_and_what_it_persists_is_valid(node: Node) -> None:
    assert_documents(node.outcome("codegen.mjs", str(SCHEMA), str(ROOT / OPERATIONS)), 4)


def assert_documents(persisted: dict[str, str], expected: int) -> None:
    """Each is the document of its hash, and valid."""
    assert len(persisted) == expected
    for name, text in persisted.items():
        assert name == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        assert validate(executable(), parse(text)) == []


def test_inspector_finds_the_operations_of_a_client_valid_and_within_limits(node: Node) -> None:
    limits = ["--maxDepth", "8", "--maxAliasCount", "15", "--maxTokenCount", "1000"]
    done = node.run(INSPECTOR, "validate", OPERATIONS, str(SCHEMA), "--deprecated", *limits, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_inspector_finds_nothing_broken_since_the_last_commit_that_was_not_deprecated(
    node: Node, tmp_path: Path
) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no earlier schema to compare with")
    shown = subprocess.run(["git", "show", "HEAD:schema.graphql"], cwd=ROOT, capture_output=True, text=True, check=True)
    committed = tmp_path / "committed.graphql"
    committed.write_text(shown.stdout)
    allowed = ["--rule", "suppressRemovalOfDeprecatedField"]
    done = node.run(INSPECTOR, "diff", str(committed), str(SCHEMA), *allowed, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing_that_breaks_the_rules_of_schemas_and_of_relay(node: Node) -> None:
    config = ["--config", str(HERE / "eslint.config.mjs")]
    accepted = ["--suppressions-location", str(HERE / "eslint-suppressions.json")]
    done = node.run("node_modules/eslint/bin/eslint.js", *config, *accepted, "--max-warnings=0", SCHEMA.name, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
