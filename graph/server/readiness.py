"""Whether roots can be brought to a chain, and how those stand that were, as a person sees it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from rich.console import Console

from db.anchors import standing
from db.batches import Batch
from db.engine import Database
from domain.anchors import CONTRACT, NETWORK, AnchorState, Caps
from graph.server.settings import GWEI
from resolvers.anchoring import Anchorer
from resolvers.chains import Hindered

_USUAL_GAS = 60_000
"""What bringing a root takes, about: 45,869, and a quarter more."""


class Finding(NamedTuple):
    """Something that is needed.

    Attributes:
        what: it is.
        ready: it is there.
        said: what was found.
    """

    what: str
    ready: bool
    said: str


async def findings(anchorer: Anchorer | None) -> list[Finding]:
    """What is needed to anchor, and whether it is there; nothing is sent."""
    if anchorer is None:
        return [Finding("chain", ready=False, said="None is named: CASSET_CHAIN is empty, and nothing is anchored.")]
    found, address = [], None
    try:
        address = (await anchorer.wallet()).address
        found.append(Finding("key", ready=True, said=f"It is that of {address}."))
    except Hindered as error:
        found.append(Finding("key", ready=False, said=error.message))
    try:
        async with anchorer.chains() as chain:
            await chain.check()
            head, fees = await chain.head(), await chain.fees()
            asked = fees.base + fees.tip
            found += [
                Finding("chain", ready=True, said=f"{NETWORK}, at block {head:,}, with {CONTRACT}."),
                Finding("fee", ready=_affordable(asked, anchorer.caps), said=_told_fee(asked, anchorer.caps)),
            ]
            if address is not None:
                has, needed = await chain.balance(address), _USUAL_GAS * asked
                said = f"It has {_gwei(has)}; a batch costs about {_gwei(needed)}, and what the chain takes for data."
                found.append(Finding("balance", ready=has >= needed, said=said))
    except Hindered as error:
        found.append(Finding("chain", ready=False, said=error.message))
    return found


def _affordable(asked: int, caps: Caps) -> bool:
    return asked <= min(caps.per_gas, caps.per_batch // _USUAL_GAS)


def _told_fee(asked: int, caps: Caps) -> str:
    most = f"{_gwei(caps.per_gas)}, and {_gwei(caps.per_batch)} for a batch"
    return f"The chain asks {_gwei(asked)} for a unit of gas; this house pays up to {most}."


def _gwei(wei: int) -> str:
    return f"{(Decimal(wei) / GWEI).normalize():,f} gwei"


async def show_findings(anchorer: Anchorer | None, console: Console) -> bool:
    """Print what is needed to anchor; whether all of it is there."""
    found = await findings(anchorer)
    for each in found:
        state = "ready" if each.ready else "missing"
        console.print(f"{each.what:<8} {state:<8} {each.said}", highlight=False, markup=False, soft_wrap=True)
    return all(each.ready for each in found)


async def show_batches(database: Database, batches: Sequence[Batch], console: Console) -> bool:
    """Print how some batches stand, and how all that was asked for does; whether none is another than it was."""
    for batch in batches:
        held = "" if batch.stamp is None else f", block {batch.stamp.block}, {batch.stamp.transaction}"
        line = f"{batch.state.value:<9} {batch.root}  manifests: {batch.size}{held}"
        console.print(
            line if batch.note is None else f"{line}\n          {batch.note}", highlight=False, soft_wrap=True
        )
    async with database.read() as connection:
        now = await standing(connection)
    counted = ", ".join(f"{count} {state.value.lower()}" for state, count in now.states.items() if count)
    console.print(f"Anchors: {counted or 'none'}.", highlight=False)
    return not any(batch.state is AnchorState.MISMATCH for batch in batches)
