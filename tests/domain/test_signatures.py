"""Signatures: published vectors, outside judges, and every changed byte."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from domain.attestations import PREDICATE, opened, sealed, statement
from domain.canonical import canonical
from domain.signatures import Signer, Unverified, base58, multikey, public_key, unbase58, verified
from domain.signers import key_set, trusted, with_key

# W3C, vc-di-eddsa, TestVectors/eddsa-jcs-2022/signedJCS.json (W3C Software and Document License).
CREDENTIAL = "https://www.w3.org/ns/credentials/"
W3C_KEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
W3C_METHOD = f"did:key:{W3C_KEY}#{W3C_KEY}"
W3C: dict[str, Any] = {
    "@context": [f"{CREDENTIAL}v2", f"{CREDENTIAL}examples/v2"],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": W3C_METHOD,
        "proofPurpose": "assertionMethod",
        "@context": [f"{CREDENTIAL}v2", f"{CREDENTIAL}examples/v2"],
        "proofValue": "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX",
    },
}

# cyberphone/json-canonicalization, testdata/ (Apache License 2.0): what goes in, and what comes out.
JCS = {
    "arrays": (r'[56, {"d": true, "10": null, "1": [ ]}]', '[56,{"1":[],"10":null,"d":true}]'),
    "french": (
        (
            r'{"peach": "This sorting order", "p\u00e9ch\u00e9": "is wrong according to French",'
            r' "p\u00eache": "but canonicalization MUST", "sin":   "ignore locale"}'
        ),
        (
            '{"peach":"This sorting order","p\u00e9ch\u00e9":"is wrong according to French",'
            '"p\u00eache":"but canonicalization MUST","sin":"ignore locale"}'
        ),
    ),
    "structures": (
        (
            r'{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { },'
            r' "111": [ {"e": "yes","E": "no" } ], "A": { }}'
        ),
        r'{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}',
    ),
    "unicode": (r'{"Unnormalized Unicode":"A\u030a"}', '{"Unnormalized Unicode":"A\u030a"}'),
    "values": (
        r'{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        r' "string": "\u20ac$\u000F\u000aA' + "'" + r'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}',
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$' + r"\u000f\nA'B\"\\\\\"/" + '"}',
    ),
    "weird": (
        (
            r'{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\u000a": "Newline", "1": "One",'
            r' "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley", "\u00f6": "Latin Small Letter O With Diaeresis",'
            r' "\ufb33": "Hebrew Letter Dalet With Dagesh", "</script>": "Browser Challenge"}'
        ),
        (
            r'{"\n":"Newline","\r":"Carriage Return","1":"One","</script>":"Browser Challenge",'
            '"\u0080":"Control\u007f","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign",'
            '"\U0001f602":"Smiley","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
        ),
    ),
}

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
METHOD = f"did:web:casset.example#{multikey(KEY.public_key())}"
SIGNER = Signer(METHOD, KEY)
KEYS = {METHOD: KEY.public_key()}
RELEASE = {"@context": ["https://casset.example/ns/v1"], "title": "Nachtfahrt", "tracks": [{"position": 1}]}
SIGNED = {**RELEASE, "proof": SIGNER.proof(RELEASE, NOON)}


@pytest.mark.parametrize("name", JCS)
def test_the_published_vectors_have_their_canonical_form(name: str) -> None:
    given_, wanted = JCS[name]
    assert rfc8785.dumps(json.loads(given_)) == wanted.encode()


@pytest.mark.parametrize("name", ["arrays", "french", "weird"])
def test_our_canonical_form_is_the_published_one(name: str) -> None:
    given_, wanted = JCS[name]
    assert canonical(json.loads(given_)) == wanted.encode()


def test_the_vector_of_the_w3c_is_verified_and_none_of_its_texts_may_change() -> None:
    keys = {W3C_METHOD: public_key(W3C_KEY)}
    assert verified(W3C, keys) == W3C_METHOD
    assert multikey(public_key(W3C_KEY)) == W3C_KEY
    for place in ("name", "validFrom"):
        with pytest.raises(Unverified, match="does not sign"):
            verified({**W3C, place: W3C[place] + " "}, keys)


def test_signing_again_says_the_same() -> None:
    assert SIGNER.proof(SIGNED, NOON) == SIGNED["proof"]
    assert verified(SIGNED, KEYS) == METHOD


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("type", "Ed25519Signature2020", "proof.type"),
        ("cryptosuite", "eddsa-rdfc-2022", "proof.cryptosuite"),
        ("proofPurpose", "authentication", "proof.proofPurpose"),
        ("@context", ["https://casset.example/ns/v2"], "proof.@context"),
        ("verificationMethod", "did:web:elsewhere.example#key", "proof.verificationMethod"),
        ("verificationMethod", ["a"], "proof.verificationMethod"),
        ("created", "2026-03-01T12:00:01Z", "does not sign"),
        ("proofValue", "z1", "no signature"),
        ("proofValue", "z" + "0" * 88, "no signature"),
        ("proofValue", "z" + "1" * 100_000, "no signature"),
        ("proofValue", None, "no signature"),
        ("nonce", 0.5, "does not sign"),
        ("nonce", 2**60, "no canonical form"),
        ("nonce", float("nan"), "no canonical form"),
    ],
)
def test_a_changed_proof_is_named(place: str, value: Any, said: str) -> None:
    changed = {**SIGNED, "proof": {**SIGNED["proof"], place: value}}
    with pytest.raises(Unverified, match=said):
        verified(changed, KEYS)


@pytest.mark.parametrize("proof", [None, [], "z", [SIGNED["proof"]]])
def test_what_is_no_proof_is_refused(proof: Any) -> None:
    with pytest.raises(Unverified, match="no proof"):
        verified({**RELEASE, "proof": proof}, KEYS)


def test_a_context_that_nobody_signed_is_refused() -> None:
    with pytest.raises(Unverified, match="@context"):
        verified({**SIGNED, "@context": [*RELEASE["@context"], "https://elsewhere.example"]}, KEYS)


def test_nesting_without_end_has_no_canonical_form() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Unverified, match="no canonical form"):
        verified({**SIGNED, "deep": deep}, KEYS)


@given(st.data())
def test_every_changed_value_is_found(data: st.DataObject) -> None:
    changed = copy.deepcopy(SIGNED)
    text = rfc8785.dumps(changed)
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    try:
        read = json.loads(text[:place] + bytes([byte]) + text[place + 1 :])
    except (ValueError, UnicodeDecodeError):
        return
    if read == SIGNED:
        return  # a blank where there was none: the same JSON
    with pytest.raises(Unverified):
        verified(read, KEYS)


@given(st.binary(max_size=80))
def test_base58_is_read_as_it_was_written(data: bytes) -> None:
    assert unbase58(base58(data)) == data


def test_base58_is_what_others_say_it_is() -> None:
    # draft-msporny-base58-03, section 5
    assert base58(b"Hello World!") == "2NEpo7TZRRrLZSi2U"
    assert base58(bytes.fromhex("0000287fb4cd")) == "11233QC4"


def test_old_keys_verify_what_they_signed_after_others_were_added() -> None:
    document = with_key(None, "casset.example", KEY.public_key())
    later = Ed25519PrivateKey.generate()
    document = with_key(document, "casset.example", later.public_key())
    keys = trusted(document)
    assert list(keys) == [METHOD, f"did:web:casset.example#{multikey(later.public_key())}"]
    assert verified(SIGNED, keys) == METHOD
    newer = Signer(document["assertionMethod"][-1], later)
    assert verified({**RELEASE, "proof": newer.proof(RELEASE, NOON)}, keys) == newer.method
    with pytest.raises(Unverified, match="none of the keys"):
        verified({**RELEASE, "proof": newer.proof(RELEASE, NOON)}, KEYS)


def test_a_house_that_moves_keeps_the_ids_of_its_keys() -> None:
    first = with_key(None, "localhost", KEY.public_key())
    moved = with_key(first, "casset.example:8443", Ed25519PrivateKey.generate().public_key())
    assert moved["id"] == "did:web:casset.example%3A8443"
    assert moved["alsoKnownAs"] == ["did:web:localhost"]
    assert next(iter(trusted(moved))) == first["assertionMethod"][0]


def test_the_key_set_is_that_of_rfc_8037() -> None:
    # RFC 8037, appendix A.2
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    keys = {"did:web:casset.example#1": public_key("z" + base58(b"\xed\x01" + raw))}
    (told,) = key_set(keys)["keys"]
    assert (told["kty"], told["crv"], told["x"]) == ("OKP", "Ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"verificationMethod": [], "assertionMethod": []},
        {"verificationMethod": [{}], "assertionMethod": [1]},
    ],
)
def test_what_lists_no_key_is_refused(document: Any) -> None:
    with pytest.raises(Unverified):
        trusted(document)


def test_what_is_no_key_is_refused() -> None:
    for text in ("", "z", "z6Mk", "u" + W3C_KEY[1:], "z0OIl", "z" + base58(b"\xe7\x01" + bytes(32)), "z" * 10_000):
        with pytest.raises(Unverified, match="Multikey"):
            public_key(text)


SUBJECTS = {"manifest.json": "0" * 64, "02.wav": "2" * 64, "01.wav": "1" * 64}


def test_securesystemslib_verifies_our_envelope() -> None:
    envelope = sealed(statement(SUBJECTS, {"manifest": "0" * 64}), SIGNER)
    judge = SSlibKey(METHOD, "ed25519", "ed25519", {"public": KEY.public_key().public_bytes_raw().hex()})
    assert Envelope.from_dict(copy.deepcopy(envelope)).verify([judge], 1)
    told = opened(envelope, KEYS)
    assert (told["_type"], told["predicateType"]) == ("https://in-toto.io/Statement/v1", PREDICATE)
    assert [subject["name"] for subject in told["subject"]] == ["01.wav", "02.wav", "manifest.json"]


def test_a_changed_envelope_is_named() -> None:
    envelope = sealed(statement(SUBJECTS, {}), SIGNER)
    (signature,) = envelope["signatures"]
    other = sealed(statement({}, {}), SIGNER)
    for changed, said in (
        ({**envelope, "payloadType": "text/plain"}, "payloadType"),
        ({**envelope, "payload": other["payload"]}, "does not sign"),
        ({**envelope, "payload": envelope["payload"] + "\n"}, "base64"),
        ({**envelope, "payload": None}, "base64"),
        ({**envelope, "signatures": []}, "exactly one"),
        ({**envelope, "signatures": [signature, signature]}, "exactly one"),
        ({**envelope, "signatures": [{**signature, "keyid": "did:web:elsewhere.example#1"}]}, "keyid"),
        ({**envelope, "signatures": [{**signature, "sig": "AAAA"}]}, "does not sign"),
    ):
        with pytest.raises(Unverified, match=said):
            opened(changed, KEYS)
