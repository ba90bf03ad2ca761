"""What an offer of x402 says beside its price: what is asked for (`bazaar`), and that a payment may bear a name of the
payer's (`payment-identifier`), under which the same is answered again.

Nothing of a chain is imported here: the name of a payment is read before anybody pays.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from domain.errors import BadInput
from graph.agents.paid import BODY, TAKEN
from graph.agents.schemas import Json

IDENTIFIER = "payment-identifier"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAME = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
_EXAMPLE = "quote_01jd0000000000000000000000"

EXTENSIONS: Mapping[str, Json] = {
    "bazaar": {
        "info": {
            "input": {"type": "http", "method": "POST", "bodyType": "json", "body": {"quote": _EXAMPLE}},
            "output": {"type": "json", "example": {"license": "license_01jd0000000000000000000000", "document": {}}},
        },
        "schema": {
            "$schema": _DRAFT,
            "type": "object",
            "properties": {
                "input": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "const": "http"},
                        "method": {"type": "string", "enum": ["POST"]},
                        "bodyType": {"type": "string", "enum": ["json"]},
                        "body": BODY,
                    },
                    "required": ["type", "method", "bodyType", "body"],
                    "additionalProperties": False,
                },
                "output": {
                    "type": "object",
                    "properties": {"type": {"type": "string"}, "example": TAKEN},
                    "required": ["type"],
                },
            },
            "required": ["input"],
        },
    },
    IDENTIFIER: {
        "info": {"required": False},
        "schema": {
            "$schema": _DRAFT,
            "type": "object",
            "properties": {
                "required": {"type": "boolean"},
                "id": {"type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[a-zA-Z0-9_-]+$"},
            },
            "required": ["required"],
        },
    },
}


def extended(offer: str) -> str:
    """An offer, the value of `PAYMENT-REQUIRED`, with the extensions beside those it has."""
    told = orjson.loads(b64decode(offer))
    told["extensions"] = {**told.get("extensions", {}), **EXTENSIONS}
    return b64encode(orjson.dumps(told)).decode()


def payment_name(payment: str | None) -> str | None:
    """The payer's own name for a payment, the value of `PAYMENT-SIGNATURE`; None where it has none.

    Raises:
        BadInput: the name is none of 16 to 128 letters, digits, hyphens and underscores.
    """
    try:
        told: Any = orjson.loads(b64decode(payment or "", validate=True))
        name = told["extensions"][IDENTIFIER]["info"]["id"]
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError):
        # What is no payment is told so where payments are read.
        return None
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise BadInput("A payment's id has 16 to 128 letters, digits, hyphens and underscores.", path=(IDENTIFIER,))
    return name
