"""What a reference of unknown form is: a TypeID, an address, a handle, or an identifier of the trade."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from stdnum import ean, isrc

from domain.errors import BadInput
from domain.ids import Kind, parse_ref
from domain.links import SHARED, kind_of

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
_MBID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HANDLE = re.compile(r"@?([a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?)")
_IN_WORLD = re.compile(r"/[^/]+/([a-z]+)s/([^/]+)")
_UPC_LENGTH = 12


class Match(StrEnum):
    """What a reference was recognised as."""

    ID = "ID"
    ADDRESS = "ADDRESS"
    SHARE_LINK = "SHARE_LINK"
    HANDLE = "HANDLE"
    ISRC = "ISRC"
    UPC = "UPC"
    MBID = "MBID"
    MEDIA_SHA256 = "MEDIA_SHA256"
    MANIFEST_SHA256 = "MANIFEST_SHA256"


class Reference(NamedTuple):
    """A recognised reference: the form, the kind of thing where the form tells, and the value to look up."""

    match: Match
    kind: Kind | None
    value: UUID | str


def recognise(text: str) -> Reference | None:
    """Say what a reference is; None when it has no form we know. The first form that fits wins."""
    text = text.strip()
    try:
        ref = parse_ref(text)
    except BadInput:
        pass
    else:
        return Reference(Match.ID, ref.kind, ref.id)
    if found := _SHA256.fullmatch(text):
        return Reference(Match.MEDIA_SHA256, None, found[1].lower())
    if _MBID.fullmatch(text):
        return Reference(Match.MBID, None, text.lower())
    if isrc.is_valid(text):
        return Reference(Match.ISRC, None, isrc.compact(text))
    if text.isdecimal() and text.isascii() and ean.is_valid(text.zfill(_UPC_LENGTH + 1)):
        return Reference(Match.UPC, None, text)
    if text.startswith(("/", "https://", "http://")):
        return _address(text)
    if found := _HANDLE.fullmatch(text.casefold()):
        return Reference(Match.HANDLE, None, found[1])
    return None


def _address(text: str) -> Reference | None:
    """`/[handle]` is the address of a world, `/[handle]/hooks/[id]` of a hook in it, `/s/[code]` a share link."""
    try:
        path = urlsplit(text).path
    except ValueError:
        return None
    code = path.removeprefix("/s/")
    kind = None if code == path else kind_of(code)
    if kind is not None:
        return Reference(Match.SHARE_LINK, kind, code)
    if within := _IN_WORLD.fullmatch(path):
        return _within(*within.groups())
    found = _HANDLE.fullmatch(path.strip("/").casefold())
    return Reference(Match.ADDRESS, None, found[1]) if found else None


def _within(kind: str, text: str) -> Reference | None:
    """What is in a world; which one that is, its id says: an address stays good when a handle changes."""
    try:
        ref = parse_ref(text)
    except BadInput:
        return None
    is_there = ref.kind.value == kind and ref.kind in SHARED and ref.kind is not Kind.ARTIST
    return Reference(Match.ADDRESS, ref.kind, ref.id) if is_there else None
