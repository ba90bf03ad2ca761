"""`casset rights` and `casset lineage` tell what the graph answers, to whoever asks, and nothing that is not theirs."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console
from sqlalchemy import insert, text
from typer.testing import CliRunner

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.errors import BadInput, NotFound
from domain.rights import Use
from graph.server.asking import Asker, asker_for, clock
from graph.server.cli import app
from graph.server.drawing import draw
from graph.server.importing import run_import
from graph.server.lineage import Family, family_of, show_family
from graph.server.verdicts import show_rights
from tests.graph.scene import Scene
from tests.graph.server.families import read_svg

NASTY = '<script>alert("1")</script> & \x1b[31mred'
SHA = "ab" * 32
MANY = 344
CATALOGUE = {
    "artists.csv": "handle,name,kind\nada,Ada,creator\nben,Ben,creator\ncleo,Cleo,creator\n",
    "assets.csv": (
        "ref,kind,title,owner,subkind,created,license,media_sha256,bpm\n"
        f"remix,track,The Remix,ada,,,CC-BY-4.0,{SHA},\n"
        "song,track,The Song,ben,,,CC-BY-4.0,,\n"
        "loop,sample,The Loop,cleo,LOOP,,CC-BY-NC-4.0,,\n"
        "secret,sample,The Secret,cleo,LOOP,,LicenseRef-all-rights-reserved,,\n"
        "silent,track,The Silence,ben,,,,,\n"
        "medley,track,The Medley,ada,,,CC0-1.0,,\n"
        + "".join(f"part{number},sample,Part {number},cleo,LOOP,,CC0-1.0,,\n" for number in range(MANY))
    ),
    "edges.csv": (
        "child,parent,kind,child_start_ms,child_end_ms,parent_start_ms,parent_end_ms,note\n"
        "remix,song,REMIX_OF,,,,,\n"
        "song,loop,SAMPLES,0,40000,5000,45250,\n"
        "song,secret,SAMPLES,0,10000,,,\n" + "".join(f"medley,part{number},SAMPLES,,,,,\n" for number in range(MANY))
    ),
    "credits.csv": "asset,name,role\n",
}


@pytest.fixture(scope="module")
async def catalogue(new_target: Callable[[], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A remix of a song that samples a loop and a secret, and a medley of very many parts. Cleo signs in."""
    folder = tmp_path_factory.mktemp("catalogue")
    for name, content in CATALOGUE.items():
        (folder / name).write_text(content)
    database = Database(new_target())
    await database.open()
    await run_import(database, folder, None, Console(file=io.StringIO()))
    async with database.write() as connection:
        await connection.execute(text("UPDATE asset SET state = 'PRIVATE' WHERE title = 'The Secret'"))
        await connection.execute(text("UPDATE asset SET title = :nasty WHERE title = 'Part 7'"), {"nasty": NASTY})
        account, cleo = uuid4(), text("SELECT id FROM artist WHERE handle = 'cleo'")
        await connection.execute(insert(tables.account).values(id=account, handle="cleo.signs.in"))
        artist = (await connection.execute(cleo)).scalar()
        membership = {"id": uuid4(), "account_id": account, "artist_id": artist, "role": "OWNER"}
        await connection.execute(insert(tables.membership).values(membership))
    yield database
    await database.close()


async def ref(database: Database, name: str) -> str:
    async with database.read() as connection:
        query = text("SELECT ref FROM asset JOIN origin ON asset_id = id WHERE source_ref = :name")
        return str((await connection.execute(query, {"name": name})).scalar())


def paper() -> Console:
    return Console(file=io.StringIO(), width=140)


async def rights(database: Database, name: str, handle: str | None = None, **asked: Any) -> str:
    console = paper()
    await show_rights(await asker_for(database, handle), await ref(database, name), console, **asked)
    return str(console.file.getvalue())  # type: ignore[attr-defined]  # it is a StringIO


async def lineage(database: Database, name: str, handle: str | None = None, depth: int | None = None) -> str:
    console = paper()
    show_family(await family_of(await asker_for(database, handle), await ref(database, name), depth), console)
    return str(console.file.getvalue())  # type: ignore[attr-defined]  # it is a StringIO


async def test_what_is_in_the_way_whose_it_is_how_it_is_reached_and_what_to_do(catalogue: Database) -> None:
    said = await rights(catalogue, "remix", uses=[Use.COMMERCIAL_USE])
    assert "“The Remix” by ada, track" in said
    assert "COMMERCIAL_USE (recording and composition): license required" in said
    assert "“The Loop” by cleo (REMIX_OF “The Song” > SAMPLES): CC-BY-NC-4.0: commercial use needs a license." in said
    assert "something you may not see" in said
    assert "Ask: cleo about “The Loop”; an owner you may not see" in said
    assert "Or drop: REMIX_OF “The Song”" in said
    assert said.endswith("Information, not legal advice.\n")
    assert "The Secret" not in said


async def test_whoever_holds_it_is_told_its_name_and_the_decisions_are_the_same(catalogue: Database) -> None:
    theirs, mine = await rights(catalogue, "remix"), await rights(catalogue, "remix", "cleo.signs.in")
    assert "“The Secret” by cleo" in mine
    assert re.findall(r"│.*│", mine) == re.findall(r"│.*│", theirs)
    assert await rights(catalogue, "remix", "cleo") == mine


async def test_a_silent_artist_is_not_quoted_as_refusing(catalogue: Database) -> None:
    said = await rights(catalogue, "silent", uses=[Use.AI_TRAINING])
    assert "AI_TRAINING (recording and composition): not stated (by default: not allowed)" in said
    assert "Ask: ben about “The Silence”" in said


async def test_what_is_allowed_needs_no_more_words(catalogue: Database) -> None:
    said = await rights(catalogue, "part1")
    assert said.count("allowed") == 2 * len(Use)
    assert "Ask" not in said


async def test_the_layers_and_decisions_are_those_of_the_graph(catalogue: Database) -> None:
    words = {
        "ALLOWED": "allowed",
        "LICENSE_REQUIRED": "license required",
        "CONTACT_OWNER": "ask the owner",
        "DENIED": "not allowed",
    }
    answer = await Asker(catalogue, ANONYMOUS).ask(
        "query($id: ID!) { asset(id: $id) { rights { use decision } } }", id=await ref(catalogue, "remix")
    )
    cells = re.findall(r"│ (\w+) +│ ([\w ()]+?) +│ ([\w ()]+?) +│", await rights(catalogue, "remix"))
    told = [decided for use, *decisions in cells for decided in decisions]
    assert [words[verdict["decision"]] for verdict in answer["asset"]["rights"]] == told


async def test_a_reference_of_another_form_leads_to_the_same(catalogue: Database) -> None:
    console = paper()
    await show_rights(await asker_for(catalogue, None), f"sha256:{SHA}", console)
    assert console.file.getvalue() == await rights(catalogue, "remix")  # type: ignore[attr-defined]  # it is a StringIO


@pytest.mark.parametrize("handle", [None, "ada"])
async def test_what_is_not_there_and_what_is_not_theirs_are_refused_alike(
    catalogue: Database, handle: str | None
) -> None:
    if handle is not None:
        with pytest.raises(NotFound, match="Nobody signs in for 'ada'"):
            await asker_for(catalogue, handle)
        return
    asker, said = await asker_for(catalogue, handle), set()
    for wanted in (await ref(catalogue, "secret"), "track_01jd0000000000000000000000", "nobody"):
        for asked in (show_rights(asker, wanted, paper()), family_of(asker, wanted)):
            with pytest.raises(NotFound) as refusal:
                await asked
            said.add(refusal.value.message.replace(wanted, "…"))
    assert said == {"There is nothing here that '…' leads to, or you may not see it."}


async def test_an_artist_has_no_rights_but_works_that_do(catalogue: Database) -> None:
    with pytest.raises(BadInput, match="leads to one Artist; ask about one of these: Track") as refusal:
        await show_rights(await asker_for(catalogue, None), "@ada", paper())
    assert await ref(catalogue, "remix") in refusal.value.message


async def test_a_question_that_makes_no_sense_is_refused_in_a_sentence(catalogue: Database) -> None:
    with pytest.raises(BadInput, match="ISO 3166-1"):
        await rights(catalogue, "remix", territory="Germany")


async def test_a_tree_tells_kinds_windows_and_what_may_not_be_seen(catalogue: Database) -> None:
    said = await lineage(catalogue, "remix")
    assert said.splitlines()[:2] == [
        "“The Remix” by ada is made of 3 works",
        "└── REMIX_OF: The Song by ben, track",
    ]
    assert "SAMPLES at 0:00–0:40 from 0:05–0:45.250: The Loop by cleo, sample" in said
    assert re.search(r"── SAMPLES.*: unnamed\n", said)
    assert said.splitlines()[-1] == "“The Remix” is in nothing"
    assert "The Secret" not in said
    assert "The Secret by cleo" in await lineage(catalogue, "remix", "cleo")
    above = await lineage(catalogue, "loop")
    assert above.splitlines() == [
        "“The Loop” is made of nothing",
        "“The Loop” by cleo is in 2 works",
        "└── SAMPLES at 0:00–0:40 from 0:05–0:45.250: The Song by ben, track",
        "    └── REMIX_OF: The Remix by ada, track",
    ]


async def test_a_tree_that_was_cut_says_so(catalogue: Database) -> None:
    assert "Ancestors: There is more beyond that depth." in await lineage(catalogue, "remix", depth=1)
    assert "There is more" not in await lineage(catalogue, "remix", depth=2)


async def test_titles_steer_neither_the_terminal_nor_the_picture(catalogue: Database) -> None:
    said = await lineage(catalogue, "medley")
    assert said.count("── SAMPLES") == MANY
    assert "\x1b" not in said
    document = read_svg(draw(await family_of(await asker_for(catalogue, None), await ref(catalogue, "medley"))))
    assert any('<script>alert("1")</script> & ' in element.text for element in document.all())
    assert sum("data-work" in element.attributes for element in document.all()) == 1 + MANY


WALKS = """query($id: ID!) { asset(id: $id) {
  id
  ancestors(first: 40) { ...W } descendants(first: 40) { ...W }
} }
fragment W on LineageWalk { complete assets { distance asset { id } through { kind edge { id } item { id } } } }"""


@pytest.mark.parametrize("viewer", ["anonymous", "owner", "stranger"])
async def test_a_picture_holds_what_the_graph_answers_and_nothing_else(
    scene: Scene, scene_database: Database, viewer: str
) -> None:
    asker = Asker(scene_database, scene.viewers[viewer])
    drawn = 0
    for name, wanted in list(scene.rows.refs.items()):
        if not wanted.startswith(("track_", "sample_", "instrument_", "release_")) or name.startswith("crowd"):
            continue
        asset = (await asker.ask(WALKS, id=wanted))["asset"]
        walks = [(1, asset["ancestors"]), (-1, asset["descendants"])] if asset else []
        if not walks or not all(walk and walk["complete"] for _, walk in walks):
            continue
        told = [(step, sign) for sign, walk in walks for step in walk["assets"]]
        family = await family_of(asker, wanted)
        document = read_svg(draw(family))
        works = Counter(it.attributes["data-work"] for it in document.all() if "data-work" in it.attributes)
        assert set(works.values()) == {1}
        assert {key for key in works if not key.startswith("unseen")} == {
            asset["id"],
            *[step["asset"]["id"] for step, _ in told if step["asset"]],
        }
        assert unseen(family) == Counter(sign * step["distance"] for step, sign in told if not step["asset"])
        ways = [way for step, _ in told for way in step["through"]]
        links = [element.attributes["data-link"] for element in document.all() if element.name == "path"]
        assert len(links) == len(set(links)) == len(ways)
        assert set(links) >= {(way["edge"] or way["item"])["id"] for way in ways if way["edge"] or way["item"]}
        drawn += len(ways) > 0
    assert drawn > 3


def unseen(family: Family) -> Counter[int]:
    return Counter({work.level: work.count for work in family.works.values() if work.title is None})


async def test_a_long_walk_is_gathered_page_by_page_and_told_once(catalogue: Database) -> None:
    family = await family_of(await asker_for(catalogue, None), await ref(catalogue, "medley"))
    assert family.count(upwards=True) == len(family.works) - 1 == len(family.links) == MANY
    assert family.missing == []


@pytest.mark.parametrize(("milliseconds", "said"), [(0, "0:00"), (65_000, "1:05"), (3_600_001, "60:00.001")])
def test_a_moment_in_a_recording(milliseconds: int, said: str) -> None:
    assert clock(milliseconds) == said


def test_the_commands_answer_draw_and_refuse_in_one_sentence(catalogue: Database, tmp_path: Path) -> None:
    target, drawn = catalogue._target, tmp_path / "lineage.svg"
    address = f"postgresql://{target['user']}@/{target['database']}?host={target['host']}"
    runner = CliRunner(env={"DATABASE_URL": address})
    known = f"sha256:{SHA}"
    assert "Or drop: REMIX_OF" in runner.invoke(app, ["rights", known, "--use", "commercial_use"]).stdout
    assert "not allowed" in runner.invoke(app, ["rights", known, "--as", "cleo", "--territory", "DE"]).stdout
    assert "made of 3 (above), part of 0 (below)" in runner.invoke(app, ["lineage", known, "--svg", str(drawn)]).stdout
    assert "The Loop" in {element.text for element in read_svg(drawn.read_text()).all()}
    long_ago = runner.invoke(app, ["rights", known, "--as-of", "2020-01-01"])
    assert "not stated" in long_ago.stdout
    for command in ("rights", "lineage"):
        done = runner.invoke(app, [command, "nobody"])
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "There is nothing here that 'nobody' leads to, or you may not see it.\n"
