"""The contract of programs, judged by others: linters of OpenAPI, and Schemathesis on every operation over HTTP.

`pytest tests/conformance/test_agents.py -n0 -s --examples 1000`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conformance.conftest import ROOT, Served
from tests.conformance.node import Node
from tests.conformance.test_fuzzing import things

DESCRIBED = ROOT / "graph" / "agents" / "openapi.json"
EXAMPLES = 6
"""Requests for each operation where --examples does not say; 1,000 were tried once for the note."""
SEED = 1
SECONDS_AN_EXAMPLE = 3
WRITES = ("anchorOwnVersion", "createOwnVersion", "publishOwnVersion", "takeReleaseLicense", "takeAssetLicense")
"""What is done once and not again, or is paid for: tests/graph/server does it."""
# Where text drawn at random names nothing: parameters by their names, wherever they stand.
NAMES = {
    "path.handle": "handles",
    "query.ref": "handles",
    "query.artist": "artists",
    "query.query": "handles",
}

USED = """
import type { paths } from "./client";
type Asked = paths["/api/agents/releases"]["get"];
type Told = Asked["responses"]["200"]["content"]["application/json"];
const told: Told = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
const first: NonNullable<Asked["parameters"]["query"]>["first"] = 3;
// @ts-expect-error: a number is asked for
const wrong: NonNullable<Asked["parameters"]["query"]>["first"] = "three";
export { told, first, wrong };
"""


def test_redocly_finds_no_error(node: Node) -> None:
    done = node.run("node_modules/@redocly/cli/bin/cli.js", "lint", str(DESCRIBED), "--format=json")
    found = json.loads(done.stdout[done.stdout.index("{") :])["totals"]
    assert found["errors"] == 0, done.stdout


def test_spectral_finds_no_error(node: Node, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text('extends: ["spectral:oas"]\n')
    words = ["lint", str(DESCRIBED), "--ruleset", str(tmp_path / "rules.yaml"), "--fail-severity=error"]
    done = node.run("node_modules/@stoplight/spectral-cli/dist/index.js", *words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_request_meets_an_error_of_the_servers_or_an_answer_that_is_not_described(
    served: Served, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    examples = pytestconfig.getoption("examples", None) or EXAMPLES
    address = served.url.removesuffix("/graphql")
    (tmp_path / "schemathesis.toml").write_text(configuration(served))
    options = [
        "--phases=fuzzing",
        # Who draws goes on while the server answers.
        "--workers=2",
        f"--max-examples={examples}",
        f"--seed={SEED}",
        "--continue-on-failure",
        "--no-color",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", *options],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60 + SECONDS_AN_EXAMPLE * examples * 30,
        check=False,
    )
    print(done.stdout)  # noqa: T201  # for the note
    assert done.returncode == 0, done.stdout + done.stderr
    assert httpx.get(f"{address}/livez").status_code == 200


def configuration(served: Served) -> str:
    """Schemathesis, told who asks, what there is, and what it shall take amiss."""
    dictionaries = [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in things(served).items()]
    parameters = [f'"{name}" = {{ dictionary = "{words}", probability = 0.7 }}' for name, words in NAMES.items()]
    return "\n".join(
        [
            f'headers = {{ Authorization = "Bearer {served.session()}" }}',
            # Rules that JSON Schema cannot say (ids that are there, cursors, windows) are refused with 400, 404 or 422.
            "checks.positive_data_acceptance.enabled = false",
            # What is too long for the head of a request never comes to its operation, nor does what comes too often.
            "checks.negative_data_rejection.expected-statuses = [400, 401, 403, 404, 406, 412, 413, 415, 422, 428, 429, 431]",
            *dictionaries,
            "[parameters]",
            *parameters,
            *[
                f'[[operations]]\ninclude-path-regex = "{path}"\n'
                f'parameters = {{ "path.id" = {{ dictionary = "{words}", probability = 0.7 }} }}'
                for path, words in (("/assets/", "assets"), ("/releases/", "releases"), ("/versions/", "versions"))
            ],
            *[f'[[operations]]\ninclude-operation-id = "{name}"\nenabled = false' for name in WRITES],
        ]
    )


def test_a_typed_client_is_generated_and_compiles(node: Node, tmp_path: Path) -> None:
    client = tmp_path / "client.ts"
    done = node.run("node_modules/openapi-typescript/bin/cli.js", str(DESCRIBED), "-o", str(client))
    assert done.returncode == 0, done.stdout + done.stderr
    used = tmp_path / "used.ts"
    used.write_text(USED)
    done = node.run("node_modules/typescript/bin/tsc", "--noEmit", "--strict", str(used), str(client))
    assert done.returncode == 0, done.stdout + done.stderr
