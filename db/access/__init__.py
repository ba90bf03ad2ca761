"""Who may see and who may change what: one predicate per (table, action), and no second copy anywhere.

The read engine injects them at every access, root or nested; mutations load their target through them.
What a viewer may not see answers exactly as what does not exist.

READ: named by an id or another reference. LIST: found in a list, a search or a reverse relation. REACH: met through
the row it belongs to, which was itself seen. CITE: named by an answer, as it stood at the time the answer speaks of.
INSPECT: looked through from within, by its own people; of an asset, programs look at what anybody may read.
WRITE: about to be changed. OWN: about to be decided for, as its owner.

    asset state  LIST               REACH              READ
    PRIVATE      members            members            members
    UNLISTED     members            members            everyone
    PUBLIC       everyone           everyone           everyone
    ARCHIVED     members            everyone           everyone
    WITHDRAWN    members            everyone, a stub   everyone, a stub

A scheduled release is PRIVATE and *teased*: people may list, reach and read its teaser; agents may not.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table

from db.access import (
    accounts,
    assets,
    clips,
    contributors,
    hooks,
    licensing,
    lineage,
    releases,
    rights,
    rituals,
    rooms,
    social,
    visuals,
)
from db.access.actions import Action, Exposure, Predicate, Predicates, Row
from db.access.assets import Met, asset_shown
from db.access.clips import clip_stands
from db.access.contributors import credit_stands
from db.access.lineage import edge_ends_seen, edge_stands, edge_told

__all__ = [
    "Action",
    "Exposure",
    "Met",
    "Predicate",
    "PredicateMissing",
    "allowed",
    "asset_shown",
    "clip_stands",
    "credit_stands",
    "edge_ends_seen",
    "edge_stands",
    "edge_told",
]

_NOUNS = (
    accounts,
    assets,
    clips,
    contributors,
    hooks,
    licensing,
    lineage,
    releases,
    rights,
    rituals,
    rooms,
    social,
    visuals,
)
_PREDICATES: Predicates = {table: by for noun in _NOUNS for table, by in noun.PREDICATES.items()}


class PredicateMissing(Exception):
    """No predicate is declared for a table and an action: nothing may be read that way."""


def allowed(table: Table, action: Action, row: Row) -> ColumnElement[bool]:
    """The predicate of (table, action) over `row`, an alias of the table.

    Raises:
        PredicateMissing: the table has none for that action.
    """
    try:
        predicate = _PREDICATES[table][action]
    except KeyError:
        raise PredicateMissing(f"{table.name} has no predicate for {action.name}") from None
    return predicate(row)
