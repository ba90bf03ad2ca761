"""Hostile requests: documents, variables, heads and frames that are as dear to look at as they can be made.

`tests/graph/server/test_hostile.py` holds what they are answered, `tests/benchmarks/attacks.py` measures what they cost.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from graph.limits import ANONYMOUS, Limits

BODY = 64 * 1024
Body = Callable[[int], bytes]
"""An attack's n-th request, as JSON: each differs from the one before."""


def asking(text: str, variables: Any = None) -> Body:
    """A document, told apart by the spaces behind it."""
    return lambda number: json.dumps({"query": text + " " * number, "variables": variables}).encode()


def raw(variables: str, text: str = "query ($v: [ID!]!) { nodes(ids: $v) { id } }") -> Body:
    """Variables that no JSON writer would write."""
    return lambda number: f'{{"query": {json.dumps(text + " " * number)}, "variables": {variables}}}'.encode()


def fragments(count: int, inside: str, last: str = "__typename", on: str = "Artist") -> str:
    """Fragments, each of which spreads the next one as `inside` says with NEXT."""
    chain = [f"fragment F{n} on {on} {{ {inside.replace('NEXT', f'...F{n + 1}')} }}" for n in range(count)]
    return " ".join([*chain, f"fragment F{count} on {on} {{ {last} }}"])


def _start(rest: str) -> str:
    return '{ artist(handle: "a") { ...F0 } } ' + rest


def published() -> dict[str, Body]:
    """The documents that reference works on hostile input list."""
    twice = "a: world { artist { NEXT } } b: world { artist { NEXT } }"
    types = "ofType { " * 50 + "name" + " }" * 50
    return {
        "1 chain of 22 fragments, each spread twice": asking(_start(fragments(22, "NEXT NEXT"))),
        "1 chain of 60 fragments, each spread twice": asking(_start(fragments(60, "NEXT NEXT"))),
        "2 circle of fragments": asking(_start(fragments(5, "NEXT ...F0", "...F0"))),
        "3 10^8 aliases through fragments": asking(_start(fragments(27, twice))),
        "4 2,000 @include on one field": asking("{ __typename " + "@include(if: true) " * 2000 + "}"),
        "4 240 unknown directives": asking("{ __typename " + "@aa " * 240 + "}"),
        "5 300 repeated nested fields": asking("{ viewer { " + "account { id } " * 300 + "} }"),
        "6 comment of 5 MB": asking("{ __typename } #" + "c" * 5_000_000),
        "6 string of 5 MB": asking('{ search(query: "' + "s" * 5_000_000 + '") { totalCount } }'),
        "6 comment of 64 KiB": asking("{ nope } #" + "c" * (BODY - 500)),
        "6 string of 64 KiB": asking('{ search(query: "' + "s" * (BODY - 500) + '") { totalCount } }'),
        "7 20,000 open braces": asking("{a" * 20_000),
        "7 20,000 nested list types": asking("query ($a: " + "[" * 20_000),
        "7 190 nested lists": asking("{ asset(id: " + "[" * 190 + "]" * 190 + ") { id } }"),
        "8 2,000 operations": asking(" ".join(f"query Q{n} {{ __typename }}" for n in range(2000))),
        "8 80 operations, none named": asking(" ".join(f"query Q{n} {{ __typename }}" for n in range(80))),
        "9 batch of 100": lambda number: json.dumps([{"query": "{ __typename }"}] * (100 + number)).encode(),
        "11 introspection, 50 deep": asking(f"{{ __schema {{ types {{ {types} }} }} }}"),
        "11 introspection of lists": asking(
            "{ __schema { types { fields { type { fields { type { fields { name }}}}}}}}"
        ),
        "12 names nearly right": asking("{ asets artits wrld relase viewr hoks serach nods }"),
        "13 pages out of bounds": asking(
            "{ a: assets(first: 2147483647) { totalCount } b: assets(first: -1) { totalCount } "
            "c: assets(first: 1.5) { totalCount } d: assets(first: null, last: 0) { totalCount } }"
        ),
        "14 variables nested 10,000 deep": raw('{"v": ' + "[" * 10_000 + "]" * 10_000 + "}"),
        "14 variables nested 1,000 deep": raw('{"v": ' + "[" * 1000 + "]" * 1000 + "}"),
        "14 variables of 64 KiB": raw('{"v": [' + ",".join(["1"] * 30_000) + "]}"),
        "14 keys twice": raw('{"v": ["a"], "v": 1, "v": [null]}'),
        "14 NaN": raw('{"v": [NaN, Infinity]}'),
        "14 half a surrogate pair": raw('{"v": ["\\ud800"]}'),
        "14 NUL": raw('{"v": ["\\u0000"]}'),
    }


def near(limits: Limits) -> dict[str, Body]:
    """What keeps all limits, or nearly all, and is as dear as it can be made."""
    left = limits.tokens - 40
    fields = limits.fields - 10
    spreads = [" ".join(f"...F{later}" for later in (n + 1, n + 2)) for n in range(left // 10)]
    dense = " ".join(f"fragment F{n} on Viewer {{ {spread} }}" for n, spread in enumerate(spreads[:-2]))
    wrong = "a b c d e"
    lines = "\n" * 30_000
    repeated = "account {} " * min(fields, left // 3)
    arguments = "credits(first: 1) {} " * min(fields, left // 8)
    return {
        "one field, again and again": asking(f"{{ viewer {{ {'__typename ' * fields} }} }}"),
        "one field with fields, again and again": asking(
            f"{{ viewer {{ {'account { id } ' * min(fields // 2, left // 4)} }} }}"
        ),
        "one field without fields, again and again": asking(f"{{ viewer {{ {repeated} }} }}"),
        "the same, with arguments": asking(f"{{ assets {{ nodes {{ {arguments} }} }} }}"),
        "the same, refused in the end": asking(f"{{ viewer {{ {repeated} }} nope }}"),
        "fragments, each spreading two others": asking(f"{{ viewer {{ ...F0 ...F1 }} }} {dense}"),
        "one field per fragment": asking(
            f"{{ viewer {{ {' '.join(f'...F{n}' for n in range(left // 9))} }} }} "
            + " ".join(f"fragment F{n} on Viewer {{ __typename }}" for n in range(left // 9))
        ),
        "list of many values": asking(f"{{ nodes(ids: [{'1 ' * left}]) {{ id }} }}"),
        "many variables": asking(
            f"query ({' '.join(f'$v{n}: ID!' for n in range(left // 8))}) "
            f"{{ nodes(ids: [{' '.join(f'$v{n}' for n in range(left // 8))}]) {{ id }} }}"
        ),
        "inline fragments, 100 deep": asking("{ viewer " + "{ ... on Viewer " * 80 + "{ nope }" + " }" * 80 + " }"),
        "50 directives": asking("{ " + " ".join(["__typename @skip(if: false)"] * 18) + " }"),
        "30,000 lines": asking(lines + "{ __typename }"),
        "30,000 lines, five errors": asking(f"{lines} {{ {wrong} }}"),
        "30,000 lines, five errors, one field again and again": asking(
            f"{{ viewer {{ {repeated} }} }} {lines} fragment F on Query {{ {wrong} }}"
        ),
        "escapes, 64 KiB": asking('{ search(query: "' + "\\ud83d\\ude00" * 4500 + '") { totalCount } }'),
        "block string, 64 KiB": asking('{ search(query: """' + "\n a" * 14_000 + '""") { totalCount } }'),
        "number of 60,000 digits": asking("{ assets(first: " + "9" * 60_000 + ") { totalCount } }"),
        "names of 12,000 letters": asking("{ " + " ".join(letter * 12_000 for letter in "abcde") + " }"),
    }


def widest(limits: Limits) -> Body:
    """An operation that is answered, whose statement is long and never made before: each asks under another alias."""
    credit = "contributor { id name ipi isni artist { id handle name kind } }"
    edge = f"nodes {{ id kind status note parent {{ id title owner {{ id }} credits(first: 1) {{ nodes {{ {credit} }} }} }} }}"
    one = f"id title createdAt version derivedCount parents(first: 1) {{ {edge} }} children(first: 1) {{ {edge} }} "
    asset = one + f"credits(first: 1) {{ nodes {{ id role {credit} }} }}"
    kinds = ("Track", "Sample", "Instrument")[: 2 if limits is ANONYMOUS else 3]
    body = " ".join(f"... on {kind} {{ {asset} }}" for kind in kinds)
    return lambda number: json.dumps(
        {"query": f"{{ assets(first: 2) {{ nodes {{ a{number}: id {body} }} }} }}"}
    ).encode()


def heads() -> dict[str, Callable[[int], dict[str, str]]]:
    """Attacks in the head of a request, by what they add to it."""
    return {
        "cookie of 30,000 backslashes": lambda number: {"cookie": 'casset_session="' + "\\" * (30_000 - number) + '"'},
        "Accept of 30,000 commas": lambda number: {"accept": "*/*" + "," * (30_000 - number)},
        "Accept-Encoding of 30,000 commas": lambda number: {"accept-encoding": "," * (30_000 - number)},
        "tokens that are not good": lambda number: {"authorization": f"Bearer {number}"},
    }


HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: casset\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
_EMPTY = b"\x80\x00\x00\x00\x00"
"""Masked with zeros, as clients must mask."""
OPENING = b"\x01" + _EMPTY
"""A message that goes on."""


def frames() -> dict[str, bytes]:
    """WebSocket frames that are no messages, to be sent without end after an `OPENING`."""
    return {"pings": b"\x89" + _EMPTY, "pongs": b"\x8a" + _EMPTY, "empty pieces of a message": b"\x00" + _EMPTY}


def crumbs(count: int) -> bytes:
    """A request whose body comes in pieces of one byte."""
    head = b"POST /graphql HTTP/1.1\r\nhost: casset\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"1\r\nx\r\n" * count + b"0\r\n\r\n"
