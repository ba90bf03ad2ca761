"""Who may see and do what is decided in one place each, and nowhere beside it.

`db.access` says which rows (its predicates, through `allowed`), out of what `db.viewers` tells of who asks, `domain.accounts.allow` what a key's scopes reach to
(through `Deed`), and two doors make viewers. What stands elsewhere stands here, with its reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.architecture.tree import ROOT, at, code, modules, none_of, parsed

Place = tuple[str, str]
"""A module, and a name that it takes up."""

FACTS = frozenset({"holds", "edits", "is_agent", "scopes"})
"""What a viewer may, as it came through the door."""
READ_ELSEWHERE: Mapping[Place, str] = {
    ("resolvers/simulations.py", "holds"): "whose verdicts are compared: the question is about one's own assets",
    ("resolvers/feeds.py", "holds"): "whose news somebody listens to: they are about one's own works",
    ("resolvers/assets.py", "is_agent"): "a key may write an asset and not its badges: one input, two answers",
    ("resolvers/audio.py", "is_agent"): "a key hears what anybody hears",
}
VIEWERS_MADE: Mapping[str, str] = {
    "db/accounts.py": "of a session and its memberships",
    "db/keys.py": "of a key",
    "domain/accounts.py": "of nobody",
    "db/memberships.py": "of nobody: who holds the code of an invite shows it by the code",
}
SCOPES_ASKED: Mapping[str, str] = {
    "domain/accounts.py": "what only a person does",
    "graph/studio/deeds.py": "every mutation, by its deed",
    "graph/server/actors.py": "every field of the root that is read",
    "graph/server/payments.py": "a license that is paid for, which is no mutation",
    "graph/server/uploads.py": "before a byte of an upload is taken",
    "resolvers/media.py": "what an upload does, which is no mutation",
}
MEMBERSHIPS_READ: Mapping[str, str] = {
    "db/access/accounts.py": "the rules",
    "db/viewers.py": "whose an artist is",
    "db/accounts.py": "viewers are made of them, and first owners",
    "db/artists.py": "how many artists one account owns is bounded",
    "db/memberships.py": "they are its noun",
    "db/keys.py": "for whom a key acts",
    "db/licensing.py": "what an artist's own people do with its works is no use by others",
    "db/participation.py": "whose own links count for nothing",
    "db/signals.py": "whose own acts count for nothing, of many at once",
    "db/admissions.py": "what those hold by now who stay for long",
    "db/inbox.py": "who is told of what others did around an artist's works",
}
PARTS_OF_RULES: Mapping[Place, str] = {
    ("db/social.py", "VIEWER_ACCOUNT"): "whom a room does not hear, wherever they do something",
    ("db/signals.py", "held"): "whose own acts count for nothing, not who may act",
    ("db/keys.py", "owned"): "a key is good as long as its issuer owns the artist; there is no viewer yet",
    ("db/credentials.py", "owned"): "the same, while it listens",
    ("db/handles.py", "owned"): "whose a name is, not who may change it",
    ("db/media.py", "held"): "who hears all of a track",
    ("db/media.py", "VIEWER_ACCOUNT"): "a key hears what anybody hears",
    ("db/presence.py", "VIEWER_ACCOUNT"): "under which handle somebody is in a room, not who may be there",
    ("db/map.py", "VIEWER_ACCOUNT"): "`viewer` is the account that asks",
    ("db/entitlements.py", "VIEWER_ACCOUNT"): "what was opened is opened to an account",
}
"""`held`, `edited`, `owned` and `VIEWER_ACCOUNT` are what the rules are made of; elsewhere `allowed` is asked."""
LOCKED_UNASKED: Mapping[Place, str] = {
    ("db/jobs.py", "claim"): "a worker takes what is due, for nobody",
    ("db/jobs.py", "wake"): "what comes round is nobody's",
    ("db/queues.py", "hold_playing"): "what waits is played when its time has come, in nobody's name",
    ("db/anchors.py", "hold_anchored"): "the chains of releases go on in the name of who asked for their anchor",
    ("db/keys.py", "count_keys"): "one's own account, against a bound",
    (
        "db/licensing.py",
        "hold_assets",
    ): "what was paid for is written to the chains of works of others, as it was quoted",
    ("db/artists.py", "artists_owned"): "one's own account, against a bound",
    ("db/claims.py", "open_claims"): "one's own account, against a bound",
    ("db/entitlements.py", "open_entitlement"): "one's own account, against getting it twice",
    ("db/claims.py", "hold_claimable"): "anybody who signs in may claim an artist nobody signs in for",
    ("db/claims.py", "hold_claim"): "a person of this house decides, at the command line",
    ("db/manifests.py", "hold_items"): "what a held draft holds: nobody changes it while it is copied",
    ("db/manifests.py", "hold_scheduled"): "a promise nobody could keep is taken back, in nobody's name",
    ("db/memberships.py", "_lock"): "its callers say of whom: by a rule, or by the code of an invite",
    ("db/rituals.py", "hold_due"): "its time has come, for nobody",
    ("db/rituals.py", "hold_awaiting"): "what waits for a release has it in the transaction that publishes it",
    ("db/uploads.py", "hold_staging"): "one's own account, against a bound",
    ("db/uploads.py", "hold_staged"): "what it is for is held by a rule before anything is done with it",
    ("db/integrity.py", "hold_unsigned"): "what nobody signed is signed by a worker, in nobody's name",
    ("db/demo.py", "hold_work"): "a worker gives a work of the demo scene its sound, for nobody",
}


def attributes(path: Path) -> Iterator[tuple[int, str]]:
    """What is read of a viewer, with the lines."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute) and node.attr in FACTS and isinstance(node.ctx, ast.Load):
            named = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if named in {"viewer", "asker"} or node.attr == "is_agent":
                yield node.lineno, node.attr


def calls(path: Path, name: str) -> Iterator[int]:
    """The lines where something of that name is called."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and called(node) == name:
            yield node.lineno


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def imported(path: Path, module: str) -> Iterator[tuple[int, str]]:
    """The names that a file takes from a module."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module == module:
            yield from ((node.lineno, name.name) for name in node.names)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def unused(listed: Mapping[str, str] | Mapping[Place, str], found: set[str] | set[Place]) -> list[str]:
    """Exceptions that nothing needs any more."""
    return [f"{place} needs no exception any more" for place in listed if place not in found]


def test_what_a_viewer_may_is_read_by_the_rules_only() -> None:
    rules = {"db/viewers.py", "domain/accounts.py"}
    found = [(path, line, name) for path in code() for line, name in attributes(path) if name_of(path) not in rules]
    none_of(
        [
            f"{at(path, line)} reads `{name}` of a viewer: who may do what is said in db/access"
            for path, line, name in found
            if (name_of(path), name) not in READ_ELSEWHERE
        ]
        + unused(READ_ELSEWHERE, {(name_of(path), name) for path, _, name in found})
    )


def test_viewers_are_made_at_the_doors_only() -> None:
    found = [(path, line) for path in code() for line in calls(path, "Viewer")]
    none_of(
        [f"{at(path, line)} makes a viewer" for path, line in found if name_of(path) not in VIEWERS_MADE]
        + unused(VIEWERS_MADE, {name_of(path) for path, _ in found})
    )


def test_scopes_are_asked_for_by_deeds_and_at_the_doors_only() -> None:
    found = [(path, line) for path in code() for line in calls(path, "allow")]
    none_of(
        [f"{at(path, line)} asks for a scope" for path, line in found if name_of(path) not in SCOPES_ASKED]
        + unused(SCOPES_ASKED, {name_of(path) for path, _ in found})
    )


def test_who_is_with_whom_is_read_by_the_rules_only() -> None:
    found = [
        (path, node.lineno)
        for path in modules("db")
        if path.parent.name != "tables"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "tables.membership"
    ]
    none_of(
        [f"{at(path, line)} reads memberships" for path, line in found if name_of(path) not in MEMBERSHIPS_READ]
        + unused(MEMBERSHIPS_READ, {name_of(path) for path, _ in found})
    )


def test_no_rule_is_put_together_beside_the_rules() -> None:
    raw = {"held", "edited", "owned", "VIEWER_ACCOUNT"}
    others = [path for path in code() if not name_of(path).startswith("db/access/")]
    found = [(path, *taken) for path in others for taken in imported(path, "db.viewers") if taken[1] in raw]
    none_of(
        [
            f"{at(path, line)} makes a rule of `{name}`: say it in db/access, and ask `allowed`"
            for path, line, name in found
            if (name_of(path), name) not in PARTS_OF_RULES
        ]
        + unused(PARTS_OF_RULES, {(name_of(path), name) for path, _, name in found})
    )


def unasked(path: Path) -> Iterator[tuple[int, str]]:
    """The functions that lock rows and do not ask whose they are."""
    for function in ast.walk(parsed(path)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {called(node) for node in ast.walk(function) if isinstance(node, ast.Call)}
            if "with_for_update" in names and "allowed" not in names:
                yield function.lineno, function.name


def test_what_is_locked_to_be_changed_is_loaded_through_a_rule() -> None:
    found = [(path, *place) for path in modules("db") for place in unasked(path)]
    none_of(
        [
            f"{at(path, line)} {name} locks a row and does not ask whose it is (`allowed`)"
            for path, line, name in found
            if (name_of(path), name) not in LOCKED_UNASKED
        ]
        + unused(LOCKED_UNASKED, {(name_of(path), name) for path, _, name in found})
    )


def test_another_path_is_noticed(tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(
        "from db.viewers import edited, held\n"
        "def hold(acting, row):\n"
        "    if row.owner in acting.viewer.edits and not acting.viewer.is_agent:\n"
        "        return select(row).with_for_update()\n"
        "    allow(Viewer(), None)\n"
    )
    assert sorted(attributes(other)) == [(3, "edits"), (3, "is_agent")]
    assert list(calls(other, "Viewer")) == list(calls(other, "allow")) == [5]
    assert list(imported(other, "db.viewers")) == [(1, "edited"), (1, "held")]
    assert list(unasked(other)) == [(2, "hold")]
