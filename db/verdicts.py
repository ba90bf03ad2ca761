"""Where verdicts and walks come from: they are computed, and this is how their arguments are read."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

from db.arguments import DEFAULT_PAGE, LARGEST_PAGE, Bound, Given, Reading, clean_text
from db.orders import WALKED
from domain.assets import AssetKind
from domain.errors import BadInput, Invalid
from domain.hooks import HOOK_MS
from domain.ids import Kind, parse_ref_of
from domain.lineage import EdgeKind, EdgeStatus, StepKind
from domain.rights import Use
from domain.windows import Window, checked_window

MOST_ASSETS = 500
"""That one question may be about."""
MOST_WAYS, MOST_KIN = 10, 20
DEFAULT_WALK, LARGEST_WALK, LARGEST_DEPTH = 100, 3000, 1000
ASSET_REF_KINDS = frozenset({Kind.TRACK, Kind.SAMPLE, Kind.INSTRUMENT, Kind.RELEASE})
_CONTRIBUTORS = frozenset({Kind.CONTRIBUTOR})
_TERRITORY = re.compile(r"[A-Z]{2}")


class Unbound:
    """Arguments of a computed field: they never form the statement."""

    def bind(self, shape: Hashable, prefix: str) -> Bound:
        """Nothing: the statement does not speak of them."""
        return {}


class ByQuestion(Unbound):
    """`uses asOf knownAt territory purpose window`."""

    def read(self, given: Given) -> Reading:
        """Refuse a window that is none, and a territory that is no code."""
        values: dict[str, Any] = {
            "uses": read_uses(given),
            "territory": read_territory(given),
            "purpose": given.get("purpose"),
            "window": read_window(given),
            "valid_at": given.get("asOf"),
            "known_at": given.get("knownAt"),
        }
        if values["purpose"] is not None:
            clean_text("purpose", values["purpose"])
        return None, values


class ByAssets(ByQuestion):
    """The same, of at most 500 assets."""

    def read(self, given: Given) -> Reading:
        """Refuse too many ids, and those of other kinds."""
        _, values = super().read(given)
        if len(given["ids"]) > MOST_ASSETS:
            raise BadInput(f"ids takes at most {MOST_ASSETS} ids, not {len(given['ids'])}.")
        return None, {**values, "assets": [parse_ref_of(id_, ASSET_REF_KINDS) for id_ in given["ids"]]}


class ByParents(ByQuestion):
    """The same, of something that might be made of some assets."""

    def read(self, given: Given) -> Reading:
        """Refuse none or too many parents, and ids of other kinds."""
        _, values = super().read(given)
        if not 1 <= len(given["parents"]) <= MOST_ASSETS:
            raise BadInput(f"parents takes 1 to {MOST_ASSETS} ids, not {len(given['parents'])}.")
        parents = [parse_ref_of(id_, ASSET_REF_KINDS).id for id_ in given["parents"]]
        return None, {**values, "parents": parents, "kind": EdgeKind(given.get("kind") or EdgeKind.DERIVED_FROM)}


class ByLength(ByQuestion):
    """The same, of windows of a length."""

    def read(self, given: Given) -> Reading:
        """Refuse a length that is none."""
        _, values = super().read(given)
        length = given.get("lengthMs")
        length = HOOK_MS if length is None else length
        if length < 1:
            raise BadInput(f"lengthMs must be 1 or more, not {length}.")
        return None, {**values, "length_ms": length}


class ByWalk(Unbound):
    """`kinds statuses assetKinds contributor window depth asOf knownAt first after`."""

    def read(self, given: Given) -> Reading:
        """Refuse sizes and depths out of bounds, windows that are none, and cursors of other lists."""
        first, depth = given.get("first"), given.get("depth")
        first = DEFAULT_WALK if first is None else first
        if not 1 <= first <= LARGEST_WALK:
            raise BadInput(f"first must be from 1 to {LARGEST_WALK}, not {first}.")
        if depth is not None and depth < 1:
            raise BadInput(f"depth must be 1 or more, not {depth}.")
        contributor, after = given.get("contributor"), given.get("after")
        kinds, statuses, told = given.get("kinds"), given.get("statuses"), given.get("assetKinds")
        return None, {
            "kinds": tuple(StepKind if kinds is None else kinds),
            "statuses": tuple(EdgeStatus if statuses is None else statuses),
            "asset_kinds": None if told is None else frozenset(map(AssetKind, told)),
            "contributor": None if contributor is None else parse_ref_of(contributor, _CONTRIBUTORS).id,
            "window": read_window(given),
            "depth": LARGEST_DEPTH if depth is None else min(depth, LARGEST_DEPTH),
            "valid_at": given.get("asOf"),
            "known_at": given.get("knownAt"),
            "first": first,
            "after": None if after is None else WALKED.read(after),
        }


class ByEnds(Unbound):
    """`from to k`: two assets, and how many ways between them."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds, and numbers out of bounds."""
        ends = [parse_ref_of(given[name], ASSET_REF_KINDS).id for name in ("from", "to")]
        return None, {"one": ends[0], "other": ends[1], "most": read_count(given, "k", 1, MOST_WAYS)}


class ByKin(Unbound):
    """`ids first`: some assets, and how much is told of what they have in common."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds, and numbers out of bounds."""
        if not 1 <= len(given["ids"]) <= MOST_KIN:
            raise BadInput(f"ids takes 1 to {MOST_KIN} ids, not {len(given['ids'])}.")
        assets = [parse_ref_of(id_, ASSET_REF_KINDS).id for id_ in given["ids"]]
        return None, {"assets": assets, "most": read_count(given, "first", DEFAULT_PAGE, LARGEST_PAGE)}


class ByRoot(Unbound):
    """`id first`: an asset, and how much is told of where it began."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds, and numbers out of bounds."""
        asset = parse_ref_of(given["id"], ASSET_REF_KINDS).id
        return None, {"asset": asset, "most": read_count(given, "first", DEFAULT_PAGE, LARGEST_PAGE)}


def read_uses(given: Given) -> frozenset[Use]:
    """The uses asked for; all of them where none is named."""
    uses = given.get("uses")
    return frozenset(map(Use, uses) if uses else Use)


def read_territory(given: Given) -> str | None:
    """The territory asked for; None for everywhere.

    Raises:
        BadInput: it is no code.
    """
    territory: str | None = given.get("territory")
    if territory is not None and not _TERRITORY.fullmatch(territory):
        raise BadInput("territory is an ISO 3166-1 code of two capital letters, such as DE.")
    return territory


def read_window(given: Given, name: str = "window") -> Window | None:
    """A window asked for.

    Raises:
        BadInput: it is none.
    """
    asked = given.get(name)
    try:
        return None if asked is None else checked_window(asked["startMs"], asked.get("endMs"))
    except Invalid as error:
        raise BadInput(f"{name}: {error.message}") from None


def read_count(given: Given, name: str, default: int, most: int) -> int:
    """How many are asked for, from 1 to `most`.

    Raises:
        BadInput: fewer, or more.
    """
    asked = given.get(name)
    count: int = default if asked is None else asked
    if not 1 <= count <= most:
        raise BadInput(f"{name} must be from 1 to {most}, not {count}.")
    return count
