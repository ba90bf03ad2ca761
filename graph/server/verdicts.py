"""`casset rights`: may I use this for X, as a person reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from domain.errors import NotFound
from domain.rights import Use
from domain.verdicts import RouteKind
from graph.server.asking import Asker, printable, quoted

KINDS = ("Track", "Sample", "Instrument", "Release", "Hook")
MOST_NAMED = 10
"""Things that one line or list names; the others are counted."""
_DECLARED = ", $uses: [Use!], $territory: String, $purpose: String, $asOf: DateTime"
_ASKED = "rights(uses: $uses, territory: $territory, purpose: $purpose, asOf: $asOf)"
_VERDICT = """{
  use layer decision route { kind price { amountMinor currency } } conflicts { licenses assets { title } }
  blockers { decision reason clause asset { title } owner { handle } path { kind parent { title } } }
  askAtLeast { owner { handle } assets { title } }
  clearBy { reRecordable step { kind parent { title } } } clearByReason
}"""
_PARTS = f"""
... on Asset {{ title owner {{ handle }} {_ASKED} {_VERDICT} }}
... on Hook {{ track {{ title owner {{ handle }} }} {_ASKED} {_VERDICT} }}
... on Release {{ termsInWords }}
... on Hook {{ remixTerms }}
"""
_LAYERS = {"MASTER": "recording", "COMPOSITION": "composition"}
_DECISIONS = {
    "ALLOWED": "allowed",
    "LICENSE_REQUIRED": "license required",
    "CONTACT_OWNER": "ask the owner",
    "UNKNOWN": "unknown",
    "DENIED": "not allowed",
}
_STYLES = {
    "ALLOWED": "green",
    "LICENSE_REQUIRED": "yellow",
    "CONTACT_OWNER": "yellow",
    "UNKNOWN": "magenta",
    "DENIED": "red",
}
_WHY_NOT_CLEAR = {
    "OWN_POLICY": "Dropping what it is made of would not do: its own owner is in the way.",
    "UNREAD": "What to drop cannot be told: part of it could not be read.",
    "HIDDEN": "What to drop is not told: it is not all yours to see.",
}


async def show_rights(
    asker: Asker,
    ref: str,
    console: Console,
    *,
    uses: Sequence[Use] = (),
    territory: str | None = None,
    purpose: str | None = None,
    as_of: datetime | None = None,
) -> None:
    """Print what may be done with something, what is in the way, whom to ask and what to change.

    Args:
        asker: who asks.
        ref: a reference of any form.
        console: where to print.
        uses: for what; for everything where none is named.
        territory: where; everywhere where none is given.
        purpose: for which purpose.
        as_of: what held then; now where none is given.

    Raises:
        NotFound: there is nothing, or nothing is told of it.
        BadInput: it is nothing that has rights, or the question makes no sense.
    """
    node = await asker.find(
        ref,
        KINDS,
        _PARTS,
        _DECLARED,
        uses=[use.value for use in uses] or None,
        territory=territory,
        purpose=purpose,
        asOf=as_of and as_of.isoformat(),
    )
    subject = node["track"] if node["__typename"] == "Hook" else node
    if node["rights"] is None:
        raise NotFound(f"What may be done with {ref!r} is not told: it is withdrawn, or not yours to see.")
    kind = node["__typename"].lower()
    by = f" by {printable(subject['owner']['handle'])}" if subject else ""
    _say(console, f"{quoted(subject)}{by}, {kind}")
    if words := node.get("termsInWords") or node.get("remixTerms"):
        _say(console, words)
    console.print(_table(node["rights"]))
    for _, verdicts in groupby(node["rights"], lambda verdict: verdict["use"]):
        for layers, verdict in _apart(list(verdicts)):
            for line in _explained(layers, verdict):
                _say(console, line)
    _say(console, "Information, not legal advice.")


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(verdicts: Sequence[Any]) -> Table:
    """One row for each use, one column for each layer."""
    table = Table("use", *_LAYERS.values())
    for use, of_use in groupby(verdicts, lambda verdict: verdict["use"]):
        told = {verdict["layer"]: verdict for verdict in of_use}
        cells = [f"[{_STYLES[told[layer]['decision']]}]{_decided(told[layer])}[/]" for layer in _LAYERS]
        table.add_row(use, *cells)
    return table


def _decided(verdict: Any) -> str:
    """The decision in words; a silent artist is not quoted as refusing."""
    decision = verdict["decision"]
    deciding = [blocker for blocker in verdict["blockers"] if blocker["decision"] == decision]
    is_silent = deciding and all(blocker["reason"] == "NOT_STATED" for blocker in deciding)
    return f"not stated (by default: {_DECISIONS[decision]})" if is_silent else _DECISIONS[decision]


def _apart(verdicts: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """The verdicts on one use by their layers; two that say the same are one."""
    told = [{name: value for name, value in verdict.items() if name != "layer"} for verdict in verdicts]
    if all(each == told[0] for each in told):
        yield " and ".join(_LAYERS[verdict["layer"]] for verdict in verdicts), verdicts[0]
    else:
        yield from ((_LAYERS[verdict["layer"]], verdict) for verdict in verdicts)


def _explained(layers: str, verdict: Any) -> Iterator[str]:
    """What is in the way, whom to ask, what to drop; nothing where all is allowed."""
    if verdict["decision"] == "ALLOWED":
        return
    yield f"\n{verdict['use']} ({layers}): {_decided(verdict)}"
    yield from [f"  - {said}" for said in _some(verdict["blockers"], _in_the_way)]
    for conflict in verdict["conflicts"]:
        yield f"  - {_exclusive(conflict)}"
    yield f"  Ask: {_whom(verdict['askAtLeast'])}"
    if verdict["clearBy"] is None:
        yield f"  {_WHY_NOT_CLEAR[verdict['clearByReason']]}"
    elif verdict["clearBy"]:
        yield f"  Or drop: {'; '.join(_some(verdict['clearBy'], _dropped))}"
    price = verdict["route"]["price"]
    if price is not None:
        yield f"  The licenses cost {price['amountMinor']} {price['currency']} together, in minor units."
    elif verdict["route"]["kind"] == RouteKind.NONE:
        yield "  No way on is known."


def _some(things: Sequence[Any], name: Callable[[Any], str]) -> list[str]:
    """The first things by name, and how many there are besides."""
    more = len(things) - MOST_NAMED
    return [*map(name, things[:MOST_NAMED]), *([f"and {more} more"] if more > 0 else [])]


def _in_the_way(blocker: Any) -> str:
    said = blocker["clause"] or _DECISIONS[blocker["decision"]]
    if blocker["asset"] is None:
        return f"{quoted(None)}: {said}"
    by = f" by {printable(blocker['owner']['handle'])}" if blocker["owner"] else ""
    *before, last = blocker["path"] or [None]
    path = " > ".join([*map(_step, before), last["kind"]]) if last else "itself"
    return f"{quoted(blocker['asset'])}{by} ({path}): {printable(said)}"


def _exclusive(conflict: Any) -> str:
    licenses = [printable(license_) for license_ in conflict["licenses"]]
    if len(licenses) < 2:
        return f"{''.join(licenses) or 'a license'} and a license of something you may not see exclude each other"
    return f"{' and '.join(licenses)} exclude each other ({', '.join(map(quoted, conflict['assets']))})"


def _step(step: Any) -> str:
    return f"{step['kind']} {quoted(step['parent'])}"


def _whom(askings: Sequence[Any] | None) -> str:
    if askings is None:
        return "nobody can tell whom, as part of it could not be read."
    return "; ".join(map(_asking, askings)) or "nobody."


def _asking(asking: Any) -> str:
    if asking["owner"] is None:
        return "an owner you may not see, to whom we pass a message on"
    return f"{printable(asking['owner']['handle'])} about {', '.join(_some(asking['assets'], quoted))}"


def _dropped(clearing: Any) -> str:
    return f"{_step(clearing['step'])}{' (or play it again)' * clearing['reRecordable']}"
