"""What the client accepts (RFC 9110 section 12.5): media types and content codings, by their quality values."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

import brotli

RESPONSE_TYPE = b"application/graphql-response+json"
JSON_TYPE = b"application/json"
EVENT_STREAM = b"text/event-stream"
MULTIPART = b"multipart/mixed"

VARY = (b"vary", b"Accept, Accept-Encoding, Authorization, Cookie")
LONGEST_HEADER = 1024
"""Bytes of such a header that are read; no client writes more."""
SMALLEST_CODED = 1024
"""Bytes below which coding a body costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a request may be answered with; None where not at all.

    Attributes:
        json: the media type of a whole answer.
        stream: the media type of an answer in parts.
    """

    json: bytes | None
    stream: bytes | None


def accepted(header: bytes | None) -> Accepted:
    """Read an Accept header: GraphQL's JSON where it is named and liked as well, plain JSON where anything will do."""
    return _accepted(header and header[:LONGEST_HEADER])


@lru_cache(maxsize=512)
def _accepted(header: bytes | None) -> Accepted:
    if header is None or not header.strip():
        return Accepted(JSON_TYPE, None)
    ranges = _ranges(header)
    response, plain = _quality(ranges, RESPONSE_TYPE), _quality(ranges, JSON_TYPE)
    named = any(name == RESPONSE_TYPE for name, _ in ranges)
    json = RESPONSE_TYPE if response and named and response >= plain else JSON_TYPE if plain else None
    # A stream is sent to those who name it: `*/*` means one answer.
    streams = {name: quality for name, quality in ranges if name in {EVENT_STREAM, MULTIPART} and quality}
    return Accepted(json, max(streams, key=lambda name: streams[name]) if streams else None)


def coding(header: bytes | None) -> bytes | None:
    """The content coding to use, out of br and gzip; None for none."""
    return None if header is None else _coding(header[:LONGEST_HEADER])


@lru_cache(maxsize=512)
def _coding(header: bytes) -> bytes | None:
    ranges = _ranges(header)
    offered = {name: _quality(ranges, name) for name in (b"br", b"gzip")}
    best = max(offered, key=lambda name: offered[name])
    return best if offered[best] else None


def coded(body: bytes, name: bytes) -> bytes:
    """The body in a content coding, quickly rather than tightly."""
    if name == b"br":
        return brotli.compress(body, quality=4)
    packer = zlib.compressobj(5, wbits=31)
    return packer.compress(body) + packer.flush()


def _ranges(header: bytes) -> list[tuple[bytes, float]]:
    """(range, quality) of each element of a list; what is not well formed is not there."""
    found = []
    for element in header.lower().split(b","):
        name, *parameters = [part.strip() for part in element.split(b";")]
        quality = next((part[2:] for part in parameters if part.startswith(b"q=")), b"1")
        try:
            found.append((name, min(max(float(quality), 0.0), 1.0)))
        except ValueError:
            continue
    return found


def _quality(ranges: list[tuple[bytes, float]], name: bytes) -> float:
    """The quality of the most specific range that a name falls in."""
    family = name.partition(b"/")[0] + b"/*"
    for range_ in (name, family, b"*/*", b"*"):
        found = [quality for each, quality in ranges if each == range_]
        if found:
            return max(found)
    return 0.0
