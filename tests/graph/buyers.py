"""Programs that come with keys: what they ask for, as the doors let them in."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from db import tables
from db.keys import viewer_of_key
from db.payments import Answered, Paid, add_payment
from domain.accounts import Viewer
from domain.ids import parse_ref
from domain.keys import ALPHABET, DRAWN, KeyMode, KeyScope, spelled
from domain.payments import PaymentMethod, PaymentState
from graph.schema import executable
from resolvers.callers import Caller, secret_hash
from resolvers.context import Acting, now, uuid7
from resolvers.payments import take_license
from tests.graph.company import Company
from tests.graph.readers import reader_of

BUYS = frozenset({KeyScope.READ, KeyScope.CHECK, KeyScope.LICENSE, KeyScope.DERIVE})
PRICED = {"use": "SYNC", "decision": "LICENSE_REQUIRED", "price": {"amountMinor": 500, "currency": "USD"}}
QUOTE = """id boundTo uses territory purpose body proof expiresAt asset { id } grantee { id handle } license { id }
  price { amountMinor currency } settlement { amount asset decimals reference unpayable }
  clears { use layers decision asset { id } owner { handle } policy { id } price { amountMinor } }
  stillNeeded { use layers decision asset { id } owner { handle } price { amountMinor } }"""


async def key_of(here: Company, who: str, scopes: Collection[KeyScope] = BUYS, artist: str | None = None) -> str:
    """The secret of a new key of somebody's."""
    id_ = uuid7()
    secret = spelled(KeyMode.LIVE, [ALPHABET[(id_.int >> 6 * place) % len(ALPHABET)] for place in range(DRAWN)])
    row = {
        "id": id_,
        "account_id": here.keys[who],
        "artist_id": None if artist is None else here.keys[artist],
        "name": f"{who}'s crawler",
        "mode": "LIVE",
        "scopes": sorted(scope.value for scope in scopes),
        "secret_hash": secret_hash(secret),
        "expires_at": now() + timedelta(days=1),
    }
    async with here.database.write() as connection:
        await connection.execute(insert(tables.agent_key).values(row))
    return secret


async def viewer_of(here: Company, secret: str) -> Viewer:
    """Whom a key stands for, as the door sees it."""
    holder = await viewer_of_key(here.database, secret_hash(secret))
    assert holder is not None
    return holder.viewer


async def act(here: Company, viewer: Viewer, mutation: str, asked: str, **given: Any) -> Any:
    """What a mutation answers to a viewer: the fields asked for of its success, or its refusal."""
    root = executable().mutation_type
    assert root is not None
    success = root.fields[mutation].type.of_type.types[0]
    input_ = root.fields[mutation].args["input"].type
    denied = "... on PolicyDeniedError { use route }" if mutation == "quoteLicense" else ""
    document = f"""mutation ($input: {input_}) {{ {mutation}(input: $input) {{ __typename {denied}
      ... on UserError {{ code message path }} ... on {success} {{ {asked} }} }} }}"""
    return await read(here, viewer, document, input=given)


async def read(here: Company, viewer: Viewer, document: str, **variables: Any) -> Any:
    """The first field's answer to a viewer."""
    reader = reader_of(here.database, here.execution)
    told = json.loads((await reader.answer(document, None, variables, viewer, Caller(here.house, "x"))).body)
    assert "errors" not in told, told
    return next(iter(told["data"].values()))


async def quote(here: Company, viewer: Viewer, asset: str, *uses: str, **more: Any) -> Any:
    """A quote, or why there is none."""
    told = await act(here, viewer, "quoteLicense", f"quote {{ {QUOTE} }}", asset=asset, uses=list(uses), **more)
    return told.get("quote", told)


async def paid_for(here: Company, viewer: Viewer, quoted: Any) -> Any:
    """Take the license on a quote as if it had been paid; what is answered."""
    acting = Acting(here.database, viewer, now, uuid7, Caller(here.house, "x"))
    ref = parse_ref(quoted["id"])
    told = PaymentMethod.TEST, PaymentState.SETTLED, f"test_{ref.id.hex}", None, None
    paid = Paid(uuid7(), *told, quoted["settlement"]["amount"])
    async with here.database.write() as connection:
        assert viewer.account is not None
        await add_payment(connection, ref.id, viewer.account, paid)

    def answered(license_: Any) -> Answered:
        return Answered(200, {}, json.dumps({"license": license_.ref, "document": json.loads(license_.body)}))

    return json.loads((await take_license(acting, ref, paid, None, answered)).body)
