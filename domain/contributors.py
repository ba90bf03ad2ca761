"""Credits and splits: who did what, and who holds which share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import Invalid
from domain.ids import Ref
from domain.texts import checked_text


class CreditRole(StrEnum):
    """What somebody did (DDEX role codes)."""

    MAIN_ARTIST = "MAIN_ARTIST"
    FEATURED_ARTIST = "FEATURED_ARTIST"
    COMPOSER = "COMPOSER"
    LYRICIST = "LYRICIST"
    ARRANGER = "ARRANGER"
    PRODUCER = "PRODUCER"
    MIXING_ENGINEER = "MIXING_ENGINEER"
    MASTERING_ENGINEER = "MASTERING_ENGINEER"
    REMIXER = "REMIXER"
    INSTRUMENTALIST = "INSTRUMENTALIST"
    VOCALIST = "VOCALIST"
    VISUAL_ARTIST = "VISUAL_ARTIST"


class Acceptance(StrEnum):
    """Whether the credited person agreed."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"


class Pool(StrEnum):
    """Which income a split divides."""

    MASTER = "MASTER"
    PUBLISHING = "PUBLISHING"


MOST_PARTIES = 100
"""Credits of an asset, and shares of a pool."""
WHOLE = 10_000
"""The basis points of a pool."""
LONGEST_NAME, LONGEST_INSTRUMENT = 300, 100


@dataclass(frozen=True, slots=True)
class CreditWish:
    """A credit somebody wants to give.

    Attributes:
        party: a contributor, an artist, or the name of somebody outside.
        role: what they did.
        instrument: what they played.
    """

    party: Ref | str
    role: CreditRole
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Which share of a pool a contributor shall hold, in basis points."""

    contributor: Ref
    basis_points: int


def checked_credits(wishes: Sequence[CreditWish]) -> list[CreditWish]:
    """Credits as they are stored, in their order.

    Raises:
        Invalid: there are too many, one stands twice, or a text breaks a rule.
    """
    if len(wishes) > MOST_PARTIES:
        raise Invalid(f"An asset has at most {MOST_PARTIES} credits.", path=("credits",))
    checked: dict[CreditWish, None] = {}
    for number, wish in enumerate(wishes):
        at = ("credits", str(number))
        party, instrument = wish.party, wish.instrument
        if isinstance(party, str):
            party = checked_text(party, LONGEST_NAME, (*at, "party", "name"))
            if not party:
                raise Invalid("Somebody who is credited has a name.", path=(*at, "party", "name"))
        if instrument is not None:
            instrument = checked_text(instrument, LONGEST_INSTRUMENT, (*at, "instrument")) or None
        if instrument is not None and wish.role is not CreditRole.INSTRUMENTALIST:
            raise Invalid("Only an instrumentalist plays an instrument.", path=(*at, "instrument"))
        credit = CreditWish(party, wish.role, instrument)
        if credit in checked:
            raise Invalid("This credit stands twice.", path=at)
        checked[credit] = None
    return list(checked)


def checked_shares(shares: Sequence[Share]) -> None:
    """Whether shares divide a pool: none of them, or 10,000 basis points in all.

    Raises:
        Invalid: they do not, there are too many, or somebody holds two.
    """
    if len(shares) > MOST_PARTIES:
        raise Invalid(f"A pool has at most {MOST_PARTIES} shares.", path=("shares",))
    for number, share in enumerate(shares):
        if not 1 <= share.basis_points <= WHOLE:
            said = f"A share is 1 to {WHOLE} basis points."
            raise Invalid(said, path=("shares", str(number), "basisPoints"))
        if any(share.contributor == other.contributor for other in shares[:number]):
            raise Invalid("Somebody holds two shares.", path=("shares", str(number), "contributor"))
    whole = sum(share.basis_points for share in shares)
    if shares and whole != WHOLE:
        raise Invalid(f"The shares of a pool are {WHOLE} basis points in all, not {whole}.", path=("shares",))


def answered(before: Acceptance | None, *, is_own: bool) -> Acceptance:
    """How a credit or share begins, or stands again: one's own is agreed to, and who declined is not asked again."""
    if is_own:
        return Acceptance.ACCEPTED
    return before or Acceptance.PROPOSED


def divided(amount_minor: int, basis_points: Sequence[int]) -> list[int]:
    """An amount in minor units divided by shares of 10,000 in all, exact to the unit: the largest remainders get one.

    Of equal remainders the earlier share comes first.
    """
    parts = [divmod(amount_minor * share, WHOLE) for share in basis_points]
    left = amount_minor - sum(part for part, _ in parts)
    first = sorted(range(len(parts)), key=lambda number: -parts[number][1])[:left]
    return [part + (number in first) for number, (part, _) in enumerate(parts)]
