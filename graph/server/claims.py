"""`casset claims`: a person of this house looks at the proof of a claim, and decides."""

from __future__ import annotations

from rich.console import Console

from db.claims import claims_waiting
from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.claims import ClaimState, proof_text
from domain.ids import Kind, parse_ref, parse_ref_of
from resolvers.claims import decide_claim
from resolvers.context import Acting, now, uuid7


async def show_claims(database: Database, console: Console) -> None:
    """Print the open claims."""
    async with database.read() as connection:
        waiting = await claims_waiting(connection)
    for claim in waiting:
        _say(console, f"{claim.ref}  @{claim.claimant} claims to be {claim.name} (@{claim.artist})")
        _say(console, f'  look at {claim.proof_address} for "{proof_text(parse_ref(claim.ref).id)}"')
    _say(console, f"{len(waiting)} open.")


async def settle_claim(database: Database, claim: str, state: ClaimState, console: Console) -> None:
    """Approve or refuse a claim.

    Raises:
        CassetError: this is no open claim, or the artist is claimed meanwhile.
    """
    ref = parse_ref_of(claim, frozenset({Kind.CLAIM}))
    await decide_claim(Acting(database, ANONYMOUS, now, uuid7), ref, state)
    _say(console, f"{state.value.capitalize()}.")


def _say(console: Console, text: str) -> None:
    # What somebody typed is shown, not obeyed.
    console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)
