"""Small sets of facts and questions, drawn so that whatever rules meet does meet: few names, many statements."""

from __future__ import annotations

from datetime import date
from random import Random
from uuid import UUID

from hypothesis import strategies as st

from domain.assets import AssetKind
from domain.facts import CONTAINS, Bond, Facts, Grant, Part, Question, Statement
from domain.lineage import EdgeKind
from domain.rights import COMPOSITION_EXCEPTION, Decision, Layer, Level, LicenseFamily, Term, Use, preset, read_license
from domain.windows import Window

MEDIA_MS = 9
DAY = date(2026, 5, 1)
OWNERS = [UUID(int=100 + number) for number in range(4)]
ANYTHING = tuple(Term(use, None, Decision.ALLOWED) for use in Use)
LICENSES = (
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "GPL-2.0-only",
    "GPL-3.0-only",
    "LicenseRef-GPL-2.0-or-later-with-composition-exception",
    "LicenseRef-all-rights-reserved",
)  # fmt: skip - a list of names reads better in two lines


def asset(number: int) -> UUID:
    return UUID(int=1 + number)


def version_of(asset_: UUID) -> UUID:
    return UUID(int=900 + asset_.int)


def term(chance: Random) -> Term:
    return Term(
        use=chance.choice([Use.REMIX, Use.SYNC, Use.AI_TRAINING]),
        layer=chance.choice([None, *Layer]),
        decision=chance.choice([Decision.ALLOWED, Decision.ALLOWED, *Decision]),
        attribution=chance.random() < 0.5,
        share_alike=chance.choice([None, None, "CC-BY-SA-3.0", "GPL-2.0-only"]),
        exception=chance.choice([None, None, None, COMPOSITION_EXCEPTION, "accessibility"]),
        territories=chance.choice([None, None, None, ("DE",), ("DE", "FR")]),
        starts_on=chance.choice([None, None, date(2026, 1, 1), DAY, date(2026, 6, 1)]),
        ends_on=chance.choice([None, None, date(2026, 3, 1), DAY, date(2027, 1, 1)]),
        purpose=chance.choice([None, None, None, "film"]),
        reaches_outputs=chance.random() < 0.5,
    )


def policies(chance: Random) -> list[tuple[Term, ...]]:
    """One draw each, because a draw is what an example costs: the open one, those of licenses, and mixtures."""
    licensed = [preset(read_license(text)) for text in LICENSES]
    mixed = [
        (*chance.choice([(), (), ANYTHING[2:]]), *(term(chance) for _ in range(chance.randint(1, 3))))
        for _ in range(300)
    ]
    return [*[ANYTHING] * 200, *licensed * 20, *mixed]


def allowances(chance: Random) -> list[tuple[Term, ...]]:
    """What is granted: everything, and mixtures; whatever is not allowed is not heard."""
    whole = [tuple(term_._replace(sublicense=passes) for term_ in ANYTHING) for passes in (False, True)]
    mixed = [
        tuple(
            term(chance)._replace(
                decision=chance.choice([Decision.ALLOWED] * 7 + [Decision.DENIED]), sublicense=chance.random() < 0.6
            )
            for _ in range(chance.randint(1, 3))
        )
        for _ in range(200)
    ]
    return [*whole * 40, *mixed]


spoken = st.sampled_from(policies(Random(1)))
allowed = st.sampled_from(allowances(Random(2)))
stretches = [
    Window(start, end) for start in range(MEDIA_MS) for end in (None, *range(start + 1, start + 5)) if start or end
]
windows = st.sampled_from([*[None] * 25, *stretches])
MAKING = (EdgeKind.SAMPLES, EdgeKind.REMIX_OF, EdgeKind.COVER_OF, EdgeKind.INTERPOLATES, EdgeKind.USES_INSTRUMENT)
bond_kinds = st.sampled_from([*MAKING, *MAKING, EdgeKind.INSPIRED_BY, EdgeKind.GENERATED_FROM, CONTAINS])


grants = st.builds(
    Grant,
    id=st.just(UUID(int=990)),
    asset=st.integers(0, 5).map(asset),
    grantee=st.sampled_from(OWNERS),
    terms=allowed,
)


@st.composite
def facts(draw: st.DrawFn, *, least: int = 1, with_cycles: bool = False, with_unread: bool = True) -> Facts:
    count = draw(st.integers(least, 6))
    parts = {
        asset(number): Part(
            asset(number),
            draw(st.sampled_from(OWNERS)),
            draw(st.sampled_from(AssetKind)),
            MEDIA_MS,
            is_withdrawn=draw(st.integers(0, 9)) == 9,
            version=version_of(asset(number)),
        )
        for number in range(count)
    }
    bonds = []
    for number in range(draw(st.integers(1, 8)) if count > 1 else 0):
        child, parent = draw(st.integers(0, min(number, count - 1))), draw(st.integers(0, count - 1))
        if child != parent:
            if not with_cycles:
                child, parent = sorted((child, parent))
            ends = asset(child), asset(parent)
            bonds.append(Bond(UUID(int=500 + number), *ends, draw(bond_kinds), draw(windows), draw(windows)))
    subjects = [(Level.ASSET, id_) for id_ in parts]
    others = [(Level.ARTIST, owner) for owner in OWNERS]
    others += [(level, version_of(asset(at))) for at in (0, 0, 1) for level in (Level.VERSION, Level.AGENT_RULE)]
    said = [subject for subject in subjects if draw(st.integers(0, 4))]
    said += draw(st.lists(st.sampled_from([*others, *subjects]), max_size=3))
    statements = [
        Statement(UUID(int=700 + number), subject, level, draw(spoken), LicenseFamily.CUSTOM, f"L{number}")
        for number, (level, subject) in enumerate(said)
    ]
    unread = draw(st.sets(st.sampled_from(sorted(parts)), max_size=1)) if with_unread and draw(st.booleans()) else set()
    granted = [
        grant._replace(id=UUID(int=980 + number)) for number, grant in enumerate(draw(st.lists(grants, max_size=3)))
    ]
    return Facts(parts, bonds, statements, frozenset(unread), granted)


questions = st.builds(
    Question,
    asset=st.just(asset(0)),
    uses=st.just(frozenset({Use.REMIX, Use.SYNC, Use.AI_TRAINING, Use.COMMERCIAL_USE})),
    on=st.just(DAY),
    territory=st.sampled_from([None, None, "DE", "US"]),
    purpose=st.sampled_from([None, None, "film", "accessibility"]),
    window=windows,
    grantees=st.sampled_from([frozenset[UUID](), frozenset(OWNERS[:1]), frozenset(OWNERS[1:3])]),
)
