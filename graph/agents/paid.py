"""OpenAPI of what is paid for: licenses on quotes. It is no operation over the graph, since a payment comes before it.

`x-payment-info` is written for both families of readers: the offers of MPP, and the prices and protocols of x402's.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.ids import Kind
from graph.agents.schemas import Json, id_pattern

_WORKS = frozenset({Kind.TRACK, Kind.SAMPLE, Kind.INSTRUMENT, Kind.RELEASE})
_PAYMENT: Json = {
    "offers": [
        {
            "intent": "charge",
            "method": "evm",
            "amount": None,
            "currency": "USD",
            "description": "What the quote says.",
        }
    ],
    "price": {"mode": "dynamic", "currency": "USD", "min": "0", "max": "1000000"},
    "protocols": [{"x402": {}}, {"mpp": {"method": "evm", "intent": "charge", "currency": "USD"}}],
}
BODY: Json = {
    "type": "object",
    "required": ["quote"],
    "properties": {
        "quote": {
            "type": "string",
            "pattern": id_pattern(frozenset({Kind.QUOTE})),
            "description": "A quote of the last 15 minutes.",
        }
    },
    "additionalProperties": False,
}
TAKEN: Json = {
    "type": "object",
    "required": ["license", "document"],
    "properties": {
        "license": {"type": "string", "description": "Its id."},
        "document": {"type": "object", "description": "The license itself, whose canonical JSON is signed."},
        "proof": {"type": "object", "description": "Its signature: W3C Data Integrity, `eddsa-jcs-2022`."},
    },
}


def paid_paths() -> Iterator[tuple[str, Json]]:
    """(path, what is there) of everything that is paid for."""
    for noun, family, kinds in (("Release", "releases", frozenset({Kind.RELEASE})), ("Asset", "assets", _WORKS)):
        yield f"/api/agents/{family}/{{id}}/license", {"post": _license(noun, kinds)}


def _license(noun: str, kinds: frozenset[Kind]) -> Json:
    problems = {
        "400": "BadRequest",
        "401": "Unauthenticated",
        "402": "PaymentRequired",
        "403": "Forbidden",
        "404": "NotFound",
        "405": "MethodNotAllowed",
        "409": "Conflict",
        "413": "TooLarge",
        "422": "Unprocessable",
        "429": "TooMany",
        "431": "HeadTooLarge",
        "500": "Internal",
        "501": "NotOffered",
        "503": "Unavailable",
    }
    return {
        "operationId": f"take{noun}License",
        "summary": "Takes a license on a quote",
        "description": "Takes a license on a quote, for what it costs: 402 says what to pay, for MPP "
        "(`WWW-Authenticate: Payment`) and x402 (`PAYMENT-REQUIRED`) alike; the same request again with the payment "
        "answers the license, with its receipt in the headers. The same Idempotency-Key, or id of a payment of x402, "
        "answers the same. What is sold is a grant to an artist, so a key comes before any price.",
        "tags": ["agents"],
        "security": [{"apiKey": []}],
        "x-scopes": ["LICENSE"],
        "x-payment-info": _PAYMENT,
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "description": "What the quote is on.",
                "schema": {"type": "string", "pattern": id_pattern(kinds)},
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Repeating a request with the same key answers the same and pays nothing again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._:~-]+$"},
            },
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
        "responses": {
            "200": {
                "description": "The license.",
                "content": {"application/json": {"schema": TAKEN}},
                "headers": {"Payment-Receipt": {"description": "How it was paid.", "schema": {"type": "string"}}},
            },
            **{code: {"$ref": f"#/components/responses/{name}"} for code, name in problems.items()},
        },
    }
