"""References: TypeIDs, `<kind>_<uuidv7 in base32>` (TypeID specification 0.3).

A TypeID is the GraphQL `ID`, the Relay node id, the REST path part and the reference inside manifests.
Keys in the database are the bare UUIDs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from typeid import base32

from domain.errors import BadInput

SUFFIX_LENGTH = 26


class Kind(StrEnum):
    """Every kind of thing that has a reference; the value is the prefix of its TypeIDs."""

    ACCOUNT = "account"
    MEMBER = "member"
    ARTIST = "artist"
    TRACK = "track"
    SAMPLE = "sample"
    INSTRUMENT = "instrument"
    RELEASE = "release"
    VERSION = "version"
    ITEM = "item"
    HOOK = "hook"
    VISUAL = "visual"
    THEME = "theme"
    MEDIA = "media"
    CONTRIBUTOR = "contributor"
    CREDIT = "credit"
    SPLIT = "split"
    EDGE = "edge"
    POLICY = "policy"
    GRANT = "grant"
    RECEIPT = "receipt"
    QUOTE = "quote"
    LICENSE = "license"
    USE = "use"
    EVENT = "event"
    KEY = "key"
    CLAIM = "claim"
    IDENTITY = "identity"
    INVITE = "invite"
    ENTITLEMENT = "entitlement"
    RITUAL = "ritual"
    PRESAVE = "presave"
    ROOM = "room"
    MESSAGE = "message"
    CLIP = "clip"
    COMMENT = "comment"
    SHARE = "share"
    ACTIVITY = "activity"
    QUEUED = "queued"
    GUEST = "guest"
    JOB = "job"
    SUGGESTION = "suggestion"


class Ref(NamedTuple):
    """A typed reference: the kind and the key."""

    kind: Kind
    id: UUID

    def __str__(self) -> str:
        """Spell the reference as a TypeID."""
        return f"{self.kind.value}_{base32.encode(self.id.bytes)}"


def parse_ref(text: str) -> Ref:
    """Read a TypeID.

    Raises:
        BadInput: the text is not a TypeID of a kind Casset knows. Case matters (TypeID 0.3 is lower case).
    """
    prefix, _, suffix = text.rpartition("_")
    try:
        kind = Kind(prefix)
        if len(suffix) != SUFFIX_LENGTH or suffix[0] > "7":
            raise ValueError(suffix)
        return Ref(kind, UUID(bytes=bytes(base32.decode(suffix))))
    except (ValueError, RuntimeError):
        shown = text if len(text) <= 64 else text[:64] + "…"
        raise BadInput(f"{shown!r} is not an id. An id looks like track_01jd0000000000000000000000.") from None


def parse_ref_of(text: str, kinds: frozenset[Kind]) -> Ref:
    """Read a TypeID that must be one of `kinds`.

    Raises:
        BadInput: not a TypeID, or one of another kind.
    """
    ref = parse_ref(text)
    if ref.kind not in kinds:
        wanted = ", ".join(sorted(kinds))
        raise BadInput(f"{text!r} is the id of another kind: {ref.kind.value}. Wanted: {wanted}.")
    return ref
