"""What is exported is a catalogue: brought into an empty house, and exported from there, it is the same files."""

from __future__ import annotations

import csv
import io
import string
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import text, update

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.catalogues import ASSETS, CREDITS, EDGES, FILE_NAMES
from domain.errors import BadInput, NotFound
from domain.exports import Spoken, told_rights
from domain.imports import Outcome
from domain.rights import (
    PLATFORM_DEFAULT,
    Decision,
    Layer,
    Term,
    Use,
    overruled,
    preset,
    read_license,
    stricter,
    terms_digest,
)
from graph.server import exporting
from graph.server.exporting import run_export
from resolvers.catalogues import import_catalogue
from resolvers.context import Acting, now, uuid7
from resolvers.demo import load_demo

CATALOGUES = Path(__file__).parents[4] / "shared" / "data" / "catalogues"
HEADERS = {
    "artists.csv": "handle,name,kind",
    "assets.csv": "ref,kind,title,owner,subkind,created,license,media_sha256,bpm",
    "edges.csv": "child,parent,kind,child_start_ms,child_end_ms,parent_start_ms,parent_end_ms,note",
    "credits.csv": "asset,name,role",
    "policies.csv": "asset,use,decision",
}
NewTarget = Callable[[], dict[str, Any]]
Files = dict[str, str]


@asynccontextmanager
async def opened(new_target: NewTarget) -> Any:
    """An empty house."""
    database = Database(new_target())
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def bring(database: Database, files: Files, source: str = "test") -> Any:
    def open_file(name: str) -> io.BytesIO | None:
        return io.BytesIO(files[name].encode()) if name in files else None

    return await import_catalogue(database, open_file, source, progress=lambda *_: None, now=now, new_id=uuid7)


async def exported(database: Database, folder: Path, handle: str | None = None) -> tuple[Files, str]:
    """The files, and what was said."""
    out = io.StringIO()
    await run_export(database, folder, handle, Console(file=out, width=300))
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert set(files) == set(FILE_NAMES)
    return files, out.getvalue()


def rows(files: Files, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name])))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def round_trip(database: Database, new_target: NewTarget, folder: Path) -> tuple[Files, str]:
    """What is exported; from an empty house that it was brought into, the same is."""
    folder.mkdir(exist_ok=True)
    first, said = await exported(database, folder / "first")
    async with opened(new_target) as empty:
        report = await bring(empty, first, "again")
        assert [str(problem) for problem in report.problems if problem.skipped] == []
        assert report.outcome is Outcome.IMPORTED
        second, _ = await exported(empty, folder / "second")
    assert second == first
    return first, said


async def test_the_demo_comes_back_as_it_was(database: Database, new_target: NewTarget, tmp_path: Path) -> None:
    await load_demo(Acting(database, ANONYMOUS, now, uuid7), lambda *_: None)
    files, said = await round_trip(database, new_target, tmp_path)
    assert len(rows(files, "assets.csv")) > 60
    assert len(rows(files, "edges.csv")) > 100
    assert {row["kind"] for row in rows(files, "edges.csv")} >= {"SAMPLES", "CONTAINS", "DJ_MIX_OF"}
    async with database.read() as connection:
        hidden = set((await connection.execute(text("SELECT title FROM asset WHERE state <> 'PUBLIC'"))).scalars())
        told = len(rows(files, "assets.csv"))
        assert (await connection.execute(text("SELECT count(*) FROM asset WHERE state = 'PUBLIC'"))).scalar() == told
    assert hidden
    assert not hidden & {row["title"] for row in rows(files, "assets.csv")}
    assert "the whole house" in said
    assert "assets that are not public" in said


@pytest.mark.parametrize("name", ["ccmixter", "studio-packs"])
async def test_a_real_catalogue_comes_back_as_it_was(
    database: Database, new_target: NewTarget, tmp_path: Path, name: str
) -> None:
    folder = CATALOGUES / name
    if not folder.is_dir():
        pytest.skip(f"the catalogue {name} is not on this machine")
    given_ = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")}
    report = await bring(database, given_, name)
    skipped = {(problem.file, problem.line) for problem in report.problems if problem.skipped}
    files, _ = await round_trip(database, new_target, tmp_path)
    for file, columns in (
        ("artists.csv", ("handle",)),
        ("assets.csv", ("ref", "title", "owner", "created", "license", "media_sha256")),
        ("edges.csv", ("child", "parent", "child_start_ms", "child_end_ms", "note")),
    ):
        wanted = {
            tuple(row.get(column, "") or "" for column in columns)
            for line, row in numbered(given_[file])
            if (file, line) not in skipped
        }
        assert wanted <= {tuple(row[column] for column in columns) for row in rows(files, file)}, file


def numbered(content: str) -> Iterable[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(content))
    for row in reader:
        yield reader.line_num, row


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=12)
"""Letters of any alphabet, commas, quotes, spaces at both ends."""
NUMBERS = st.integers(0, 5)
LICENSES = ("", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-3.0-US", "CC-BY-NC-ND-4.0", "GPL-2.0-only", "Beerware, please")
LICENSED = st.sampled_from(LICENSES)


def spelled(name: str, lines: Iterable[Iterable[Any]]) -> str:
    into = io.StringIO()
    csv.writer(into, lineterminator="\n").writerows([HEADERS[name].split(","), *lines])
    return into.getvalue()


@st.composite
def catalogues(draw: Any) -> Files:
    handles = ["ada", "bo.x"]
    kinds = draw(st.lists(st.sampled_from(["TRACK", "SAMPLE", "INSTRUMENT", "RELEASE"]), min_size=1, max_size=6))
    refs = [
        f"{number} {draw(st.text(string.ascii_letters + ',é', max_size=4))}".strip() for number in range(len(kinds))
    ]
    assets = [
        (
            ref,
            kind,
            draw(WORDS),
            draw(st.sampled_from(handles)),
            draw(st.sampled_from(["", "LOOP", "STEM"])) if kind == "SAMPLE" else "",
            draw(st.sampled_from(["", "2001-02-03", "0001-01-02"])),
            draw(LICENSED),
            draw(st.sampled_from(["", "a" * 64, "b" * 64])),
            draw(st.sampled_from(["", "93.5", "120", "0.001"])) if kind in {"TRACK", "SAMPLE"} else "",
        )
        for ref, kind in zip(refs, kinds, strict=True)
    ]
    edges = []
    for child, parent in draw(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8)):
        if child < parent < len(kinds):  # so that nothing is made from itself
            is_item = kinds[child] == "RELEASE" and draw(st.booleans())
            window = ("", "") if is_item else draw(st.sampled_from([("", ""), ("0", "500"), ("200", ""), ("", "90")]))
            other = ("", "") if is_item else draw(st.sampled_from([("", ""), ("7", "8")]))
            note = "" if is_item else draw(WORDS)
            kind = "CONTAINS" if is_item else draw(st.sampled_from(["SAMPLES", "INSPIRED_BY", "USES_INSTRUMENT"]))
            edges.append((refs[child], refs[parent], kind, *window, *other, note))
    credits_ = [
        (draw(st.sampled_from(refs)), name, role)
        for name, role in draw(st.lists(st.tuples(WORDS, st.sampled_from(["PRODUCER", "COMPOSER"])), max_size=5))
    ]
    policies = [
        (draw(st.sampled_from(refs)), use.value, decision.value)
        for use, decision in draw(st.lists(st.tuples(st.sampled_from(Use), st.sampled_from(Decision)), max_size=5))
    ]
    return {
        "artists.csv": spelled("artists.csv", [(handle, draw(WORDS), "CREATOR") for handle in handles]),
        "assets.csv": spelled("assets.csv", assets),
        "edges.csv": spelled("edges.csv", edges),
        "credits.csv": spelled("credits.csv", credits_),
        "policies.csv": spelled("policies.csv", policies),
    }


@given(files=catalogues())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
async def test_every_catalogue_comes_back_as_it_was(
    new_target: NewTarget, tmp_path_factory: pytest.TempPathFactory, files: Files
) -> None:
    async with opened(new_target) as house:
        report = await bring(house, files)
        skipped = {(problem.file, problem.line) for problem in report.problems if problem.skipped}
        told, _ = await round_trip(house, new_target, tmp_path_factory.mktemp("export"))
    for file, columns in ((ASSETS.name, HEADERS[ASSETS.name]), (EDGES.name, HEADERS[EDGES.name])):
        kept = [row for line, row in numbered(files[file]) if (file, line) not in skipped]
        names = columns.split(",")
        back = {tuple(row[name].strip() for name in names[:4]) for row in rows(told, file)}
        assert {tuple(row[name].strip() for name in names[:4]) for row in kept} <= back
    assert len(rows(told, CREDITS.name)) == report.counts[CREDITS.name].new


# -- rights: what is written is never more open than what was meant ------------------------------------------------

TERMS = st.tuples(
    st.sampled_from(Use),
    st.sampled_from([None, None, *Layer]),
    st.sampled_from(Decision),
    st.booleans(),
    st.sampled_from([None, None, ("DE",)]),
    st.sampled_from([None, None, "film"]),
).map(lambda it: Term(*it[:4], territories=it[4], purpose=it[5]))


@st.composite
def policies(draw: Any) -> list[Spoken]:
    said = []
    for _ in range(draw(st.integers(0, 3))):
        license_ = read_license(draw(st.sampled_from(LICENSES[1:])))
        if draw(st.booleans()):
            said.append(Spoken(license_.family.value, license_.id, license_.stated_as, preset(license_)))
        else:
            terms = {(term.use, term.layer): term for term in draw(st.lists(TERMS, max_size=6))}
            said.append(Spoken("CUSTOM", None, None, tuple(terms.values())))
    return said


def comes_to(told: Any) -> tuple[Term, ...]:
    """The terms that an import makes of it."""
    return overruled(preset(read_license(told.license)) if told.license else (), told.decisions)


@given(said=policies())
@settings(max_examples=500, deadline=None)
def test_what_is_told_of_rights_is_what_was_said_or_more_closed(said: list[Spoken]) -> None:
    told = told_rights(said)
    speaking = {use: next((s.terms for s in said if any(t.use is use for t in s.terms)), ()) for use in Use}
    effective = tuple(term for use in Use for term in speaking[use] if term.use is use)
    if told.whole:
        assert terms_digest(comes_to(told)) == terms_digest(effective)
    default = {term.use: term.decision for term in PLATFORM_DEFAULT}
    written = {term.use: term.decision for term in comes_to(told)}
    for use in Use:
        for term in (term for term in effective if term.use is use):
            meant = term.decision if term.use in written else default[use]
            assert stricter(written.get(use, default[use]), meant) == written.get(use, default[use])
            is_bare = term == Term(use, None, term.decision)
            assert told.whole or is_bare or written[use] is not Decision.ALLOWED


@pytest.mark.parametrize("license_", LICENSES[1:])
def test_a_license_is_told_by_its_name(license_: str) -> None:
    read = read_license(license_)
    told = told_rights([Spoken(read.family.value, read.id, read.stated_as, preset(read))])
    assert (told.license, told.decisions, told.whole) == (license_, {}, True)


def test_what_an_artist_says_of_all_their_works_is_told_of_each() -> None:
    read = read_license("CC-BY-4.0")
    of_artist = Spoken(read.family.value, read.id, None, preset(read))
    own = Spoken("CUSTOM", None, None, (Term(Use.SYNC, None, Decision.DENIED),))
    assert told_rights([of_artist]).license == "CC-BY-4.0"
    told = told_rights([own, of_artist])
    assert (told.license, told.decisions) == (None, told.decisions)
    assert told.decisions[Use.SYNC] is Decision.DENIED
    assert told.decisions[Use.REMIX] is Decision.CONTACT_OWNER, "a name that must be given is a condition"


# -- the folder ----------------------------------------------------------------------------------------------------

SMALL = {
    "artists.csv": "handle,name,kind\nada,Ada,CREATOR\nbo,Bo,CREATOR\n",
    "assets.csv": f"{HEADERS['assets.csv']}\n1,TRACK,One,ada,,,,,\n2,TRACK,Two,bo,,,,,\n3,TRACK,Three,ada,,,,,\n",
    "edges.csv": f"{HEADERS['edges.csv']}\n1,2,SAMPLES,,,,,\n1,3,SAMPLES,,,,,\n",
}


async def test_one_artist_is_exported_alone_and_what_leads_away_is_counted(database: Database, tmp_path: Path) -> None:
    await bring(database, SMALL)
    files, said = await exported(database, tmp_path / "out", "@ADA")
    assert [row["handle"] for row in rows(files, "artists.csv")] == ["ada"]
    assert [row["ref"] for row in rows(files, "assets.csv")] == ["1", "3"]
    assert [(row["child"], row["parent"]) for row in rows(files, "edges.csv")] == [("1", "3")]
    assert "Not told: 1 edges to what is not here." in said
    assert "Exported what is public of @ADA" in said
    with pytest.raises(NotFound):
        await exported(database, tmp_path / "none", "nobody")
    assert names(tmp_path) == ["out"]


async def test_what_is_not_public_stays_here(database: Database, tmp_path: Path) -> None:
    await bring(database, SMALL)
    for state in ("PRIVATE", "UNLISTED", "ARCHIVED", "WITHDRAWN"):
        async with database.write() as connection:
            await connection.execute(update(tables.asset).where(tables.asset.c.title == "Two").values(state=state))
        files, said = await exported(database, tmp_path / state)
        assert "Two" not in "".join(files.values())
        assert [row["ref"] for row in rows(files, "assets.csv")] == ["1", "3"]
        assert "Not told: 1 assets that are not public." in said


async def test_two_catalogues_that_use_one_ref_are_told_apart(
    database: Database, new_target: NewTarget, tmp_path: Path
) -> None:
    await bring(database, SMALL, "one")
    others = {name: content.replace("ada", "cy").replace("bo", "dee") for name, content in SMALL.items()}
    await bring(database, others, "two")
    files, _ = await round_trip(database, new_target, tmp_path)
    refs = [row["ref"] for row in rows(files, "assets.csv")]
    assert len(set(refs)) == 6
    assert all(ref.startswith("track_") for ref in refs)


async def test_a_folder_with_something_in_it_is_left_alone(database: Database, tmp_path: Path) -> None:
    await bring(database, SMALL)
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for target in (full, tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadInput):
            await exported(database, target)
    (tmp_path / "empty").mkdir()
    await exported(database, tmp_path / "empty")
    assert names(tmp_path) == ["empty", "file", "full"]
    assert names(full) == ["mine"]


async def test_an_export_that_fails_leaves_no_folder(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bring(database, SMALL)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting.os, "fsync", full)
    with pytest.raises(BadInput, match="No space"):
        await exported(database, tmp_path / "out")
    assert names(tmp_path) == []
