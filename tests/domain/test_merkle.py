"""The tree over all events: published vectors, and a naive oracle at every size."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from domain.checkpoints import Checkpoint, checkpoint_of, open_note, sign_note, verifier_key
from domain.merkle import (
    EMPTY,
    WIDTH,
    Growing,
    Range,
    Segment,
    consistency,
    inclusion,
    is_consistent,
    is_included,
    leaf_hash,
    range_hash,
    root_hash,
    segments,
)
from domain.signatures import Unverified

# transparency-dev/merkle (Apache License 2.0): testonly/constants.go and testdata/.
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIX_OF_EIGHT = [
    "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
    "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
    "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
]
SIX_TO_EIGHT = ["DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=", *SIX_OF_EIGHT[1:]]
TWO_TO_FIVE = ["Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=", SIX_OF_EIGHT[0]]

MANY = [leaf_hash(b"%d" % number) for number in range(3 * WIDTH + 5)]


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


def proof(leaves: Sequence[bytes], ranges: list[Range]) -> list[bytes]:
    return [naive_root(leaves[begin:end]) for begin, end in ranges]


def decoded(texts: list[str]) -> list[bytes]:
    return [base64.b64decode(text) for text in texts]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_the_published_ones(size: int) -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
    growing = Growing()
    for leaf in leaves:
        growing.add(leaf)
    assert {root_hash(leaves).hex(), growing.root.hex(), naive_root(leaves).hex()} == {ROOTS[size]}


def test_the_proofs_are_the_published_ones() -> None:
    leaves, roots = [leaf_hash(entry) for entry in ENTRIES], [bytes.fromhex(root) for root in ROOTS]
    assert proof(leaves, inclusion(5, 8)) == decoded(SIX_OF_EIGHT)
    assert is_included(leaves[5], 5, 8, decoded(SIX_OF_EIGHT), roots[8])
    for first, second, wanted in ((6, 8, SIX_TO_EIGHT), (2, 5, TWO_TO_FIVE)):
        assert proof(leaves, consistency(first, second)) == decoded(wanted)
        assert is_consistent(first, second, (roots[first], roots[second]), decoded(wanted))


def test_every_leaf_of_every_tree_is_proved_and_at_no_other_place() -> None:
    for size in range(1, 70):
        leaves = MANY[:size]
        root = naive_root(leaves)
        for index in range(size):
            path = proof(leaves, inclusion(index, size))
            assert is_included(leaves[index], index, size, path, root)
            for other in {index - 1, index + 1, index ^ 1, size}:
                assert not is_included(leaves[index], other, size, path, root)
            assert not is_included(leaves[index], index, size, [*path, root], root)
            assert not path or not is_included(leaves[index], index, size, path[:-1], root)
            for place in range(len(path)):
                changed = [*path[:place], hashlib.sha256(path[place]).digest(), *path[place + 1 :]]
                assert not is_included(leaves[index], index, size, changed, root)


def test_every_tree_is_the_beginning_of_every_later_one() -> None:
    roots = [naive_root(MANY[:size]) for size in range(70)]
    for second in range(1, 70):
        for first in range(1, second + 1):
            path = proof(MANY, consistency(first, second))
            assert is_consistent(first, second, (roots[first], roots[second]), path)
            assert first == second or not is_consistent(first, second, (roots[second], roots[first]), path)
            assert not is_consistent(first, second, (roots[first], roots[second]), [*path, roots[1]])
            # Every hash counts, those in the middle too.
            for place in range(len(path)):
                changed = [*path[:place], hashlib.sha256(path[place]).digest(), *path[place + 1 :]]
                assert not is_consistent(first, second, (roots[first], roots[second]), changed)


def test_nothing_is_proved_of_an_empty_tree() -> None:
    assert not is_included(b"", 0, 1, [], b"")
    assert not is_consistent(0, 1, (EMPTY, MANY[0]), [])
    assert not is_consistent(2, 1, (EMPTY, MANY[0]), [])
    assert not is_included(MANY[0], -1, 1, [], MANY[0])


def test_hashes_of_other_lengths_prove_nothing() -> None:
    leaves = MANY[:4]
    first, second = proof(leaves, inclusion(0, 4))
    assert not is_included(leaves[0], 0, 4, [first[:-1], first[-1:] + second], naive_root(leaves))


def tiles() -> tuple[dict[tuple[int, int], bytes], list[bytes]]:
    """Every entry of every level, by (level, index), and the root at every size."""
    growing = Growing()
    entries, roots = {}, [growing.root]
    for number, leaf in enumerate(MANY):
        entries[0, number] = leaf
        entries.update({(level, index): hash_ for level, index, hash_ in growing.add(leaf)})
        roots.append(growing.root)
    return entries, roots


ENTRIES_BY_PLACE, ROOTS_BY_SIZE = tiles()


def entries_of(segment: Segment) -> list[bytes]:
    return [ENTRIES_BY_PLACE[segment.level, index] for index in range(segment.begin, segment.end)]


def test_a_growing_tree_has_the_root_of_a_tree_made_at_once() -> None:
    for size in range(len(MANY) + 1):
        assert ROOTS_BY_SIZE[size] == root_hash(MANY[:size])
    for size in (0, 1, 255, 256, 257, 511, 512, 513, len(MANY)):
        assert ROOTS_BY_SIZE[size] == naive_root(MANY[:size])


@given(st.data())
def test_proofs_come_out_of_tiles(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(MANY)))
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    path = [range_hash(leaves, entries_of) for leaves in inclusion(index, size)]
    assert is_included(MANY[index], index, size, path, ROOTS_BY_SIZE[size])
    path = [range_hash(leaves, entries_of) for leaves in consistency(first, size)]
    assert is_consistent(first, size, (ROOTS_BY_SIZE[first], ROOTS_BY_SIZE[size]), path)
    assert range_hash(Range(0, size), entries_of) == ROOTS_BY_SIZE[size]


@pytest.mark.parametrize(
    ("leaves", "wanted"),
    [
        (Range(0, 0), []),
        (Range(0, 255), [Segment(0, 0, 255)]),
        (Range(0, 256), [Segment(1, 0, 1)]),
        (Range(0, 257), [Segment(1, 0, 1), Segment(0, 256, 257)]),
        (Range(65536, 65536 + 512), [Segment(1, 256, 258)]),
        (Range(0, 65536), [Segment(2, 0, 1)]),
        (Range(0, 70000), [Segment(2, 0, 1), Segment(1, 256, 273), Segment(0, 69888, 70000)]),
    ],
)
def test_a_range_is_made_of_the_fewest_entries(leaves: Range, wanted: list[Segment]) -> None:
    assert list(segments(leaves)) == wanted


# golang.org/x/mod/sumdb/note, package documentation (BSD 3-Clause); C2SP signed-note, "Verifier keys" (CC BY 4.0).
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = f"{GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"


def read_key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.split("+", 2)[2])[1:])


def test_notes_are_written_and_read_as_others_do() -> None:
    key = Ed25519PrivateKey.from_private_bytes(GO_SEED)
    assert sign_note(GO_TEXT, "PeterNeumann", key) == GO_NOTE
    assert verifier_key("PeterNeumann", key.public_key()) == GO_KEY
    assert open_note(GO_NOTE, [read_key(GO_KEY)]) == (GO_TEXT, "PeterNeumann")
    assert open_note(C2SP_NOTE, [read_key(C2SP_KEY)]) == ("This is an example message.\n", "example.com/foo")
    with pytest.raises(Unverified, match="none of the keys"):
        open_note(C2SP_NOTE, [read_key(GO_KEY)])


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CHECKPOINT = Checkpoint("casset.example/log", 20852163, MANY[0])
NOTE = CHECKPOINT.signed(KEY)


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    assert checkpoint_of(NOTE, [KEY.public_key()]) == CHECKPOINT
    with pytest.raises(Unverified, match="none of the keys"):
        checkpoint_of(NOTE, [])


def test_no_byte_of_a_checkpoint_may_change() -> None:
    written = NOTE.encode()
    for place in range(len(written)):
        for byte in {0, 10, 32, 43, 61, written[place] ^ 1, written[place] ^ 32} - {written[place]}:
            changed = written[:place] + bytes([byte]) + written[place + 1 :]
            with pytest.raises((Unverified, UnicodeDecodeError)):
                checkpoint_of(changed.decode(), [KEY.public_key()])
    for changed in (NOTE + "\n", NOTE[:-1], NOTE + NOTE, NOTE + NOTE.rpartition("\n\n")[2], "\n" + NOTE, "", "\n\n"):
        with pytest.raises(Unverified):
            checkpoint_of(changed, [KEY.public_key()])


@pytest.mark.parametrize(
    "text",
    [
        "casset.example/log\n-1\n{}\n",
        "casset.example/log\n01\n{}\n",
        "casset.example/log\n1\n{}\nmore\n",
        "casset.example/log\n1\nAAAA\n",
        "casset.example/log\n१\n{}\n",
        "other.example/log\n1\n{}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    note = sign_note(text.format(base64.b64encode(EMPTY).decode()), "casset.example/log", KEY)
    with pytest.raises(Unverified):
        checkpoint_of(note, [KEY.public_key()])
