"""What the house signs is taken by a verifier that others wrote, and so is what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.manifests import manifest
from domain.signatures import Signer
from domain.signers import with_key
from tests.conformance.node import Node
from tests.domain.test_manifests import PLAIN

NOW = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
CONTEXT = ["https://w3id.org/security/data-integrity/v2"]
DOCUMENT = {
    "@context": CONTEXT,
    "title": "Übersee \u2028 \U0001f4a0",
    "tracks": [{"position": 1}],
    "previous": "sha256:0",
}


def test_digital_bazaar_verifies_what_old_and_new_keys_signed_and_refuses_what_was_changed(
    node: Node, tmp_path: Path
) -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keys = with_key(with_key(None, "casset.example:8443", old.public_key()), "casset.example:8443", new.public_key())
    signers = [Signer(method, key) for method, key in zip(keys["assertionMethod"], (old, new), strict=True)]
    good = [{**DOCUMENT, "proof": signer.proof(DOCUMENT, NOW)} for signer in signers]
    changed = [
        {**good[0], "title": "Ubersee"},
        {**good[0], "proof": {**good[0]["proof"], "created": "2026-03-02T12:00:00Z"}},
        {**good[0], "proof": {**good[0]["proof"], "verificationMethod": signers[1].method}},
        {**good[0], "proof": good[1]["proof"] | {"verificationMethod": signers[0].method}},
    ]
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({"keys": keys, "documents": good + changed}))
    answers = node.outcome("integrity.mjs", str(file))
    assert answers[:2] == [{"verified": True, "errors": []}] * 2
    assert answers[2:] == [{"verified": False, "errors": ["Invalid signature."]}] * 4


def test_digital_bazaar_verifies_a_release_manifest_and_refuses_every_part_of_it_that_was_changed(
    node: Node, tmp_path: Path
) -> None:
    key = Ed25519PrivateKey.generate()
    keys = with_key(None, "casset.example", key.public_key())
    told = manifest(PLAIN).told
    signed = {**told, "proof": Signer(keys["assertionMethod"][0], key).proof(told, NOW)}
    changed = [{**signed, name: [] if isinstance(value, list) else {}} for name, value in told.items()]
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({"keys": keys, "documents": [signed, *changed]}))
    first, *others = node.outcome("integrity.mjs", str(file))
    assert first == {"verified": True, "errors": []}
    assert [answer["verified"] for answer in others] == [False] * len(changed)
