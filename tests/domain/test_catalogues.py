"""Reading catalogues row by row, and the cycles that edges close."""

import random
from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogues import (
    ARTISTS,
    ASSETS,
    CREDITS,
    EDGES,
    POLICIES,
    ArtistRow,
    AssetRow,
    CatalogueUnreadable,
    CreditRow,
    EdgeRow,
    PolicyRow,
    checked_source,
)
from domain.cells import WHOLE, Window, read_handle
from domain.cycles import closing_edges
from domain.errors import BadInput
from domain.imports import Report
from domain.rights import read_license

ASSET_HEADER = "ref,kind,title,owner,subkind,created,license,media_sha256,bpm"
EDGE_HEADER = "child,parent,kind,child_start_ms,child_end_ms,parent_start_ms,parent_end_ms,note"
SHA256 = "0a" * 32


def read(file, *lines):
    """The rows of a file made of lines, and its report."""
    report = Report("test")
    data = [line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines]
    rows = list(file.rows(data, report))
    count = report.counts[file.name]
    assert count.read == len(rows) + count.skipped
    assert count.skipped == sum(problem.skipped for problem in report.problems)
    assert count.dropped == sum(not problem.skipped for problem in report.problems)
    return rows, [str(problem) for problem in report.problems]


def asset(cells, header=ASSET_HEADER):
    rows, problems = read(ASSETS, header, cells)
    return (rows[0] if rows else None), problems


def edge(cells):
    rows, problems = read(EDGES, EDGE_HEADER, cells)
    return (rows[0] if rows else None), problems


def test_every_field_of_an_asset_is_read():
    row, problems = asset(f"smp:1,Sample,Kick,@Drummer,one-shot,2003-04-05,CC-BY-3.0,{SHA256.upper()},93.5")
    assert not problems
    license_ = read_license("CC-BY-3.0")
    told = ("smp:1", "SAMPLE", "Kick", "drummer", "ONE_SHOT", date(2003, 4, 5), license_, SHA256, Decimal("93.5"))
    assert row == AssetRow(2, *told)


def test_columns_are_found_by_name_and_optional_ones_may_be_missing():
    row, problems = asset("Song,a,track,1", header="\ufeffTitle, OWNER,kind,ref")
    assert not problems
    assert row == AssetRow(2, "1", "TRACK", "Song", "a", None, None, None, None, None)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("ref,kind,title", "missing columns: 'owner'"),
        ("ref,kind,title,owner,mood,colour", "unknown columns: 'mood', 'colour'"),
        ("ref,kind,title,owner,ref", "repeated columns: 'ref'"),
        ("", "missing columns: 'ref', 'kind', 'title', 'owner'"),
    ],
)
def test_a_header_of_another_format_is_refused(header, named):
    with pytest.raises(CatalogueUnreadable, match=named) as refusal:
        asset("1,track,x,a", header=header)
    assert refusal.value.message.startswith("assets.csv:1: ")


def test_an_empty_file_is_refused():
    with pytest.raises(CatalogueUnreadable, match=r"artists\.csv:1: the first line"):
        read(ARTISTS)


def test_broken_utf8_is_refused_with_its_line():
    with pytest.raises(CatalogueUnreadable, match=r"artists\.csv:3: not UTF-8 \(byte 5"):
        read(ARTISTS, "handle,name,kind", "a,A,creator", b"b,Zo\xff,creator\n")


def test_half_a_surrogate_pair_is_no_utf8():
    with pytest.raises(CatalogueUnreadable, match=r"artists\.csv:2: not UTF-8"):
        read(ARTISTS, "handle,name,kind", b"a,\xed\xa0\x80,creator\n")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (",track,x,a", "ref ''"),
        ("1,song,x,a", "kind 'song' is none of TRACK"),
        ("1,,x,a", "kind ''"),
        ("1,track,x,", "owner ''"),
        ("1,track,x,two words", "owner 'two words'"),
        (f"{'r' * 501},track,x,a", "ref 'rrr"),
        ("1\x002,track,x,a", r"ref '1\\x002'"),
        ("1,track,x,a,,,,,,more", "has 10 cells under 9 columns"),
        ('1,track,"x" y,a', "is no CSV"),
    ],
)
def test_a_row_without_usable_ref_kind_and_owner_is_skipped(cells, reason):
    row, problems = asset(cells)
    assert row is None
    assert problems == [problems[0]]
    assert problems[0].startswith(f"assets.csv:2: {reason}".replace("\\\\", "\\"))


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ("1,track,x,a,loop,,,,", "subkind", "only samples"),
        ("1,sample,x,a,riff,,,,", "subkind", "is none of LOOP"),
        ("1,track,x,a,,2003,,,", "made_on", "no ISO date"),
        ("1,track,x,a,,2003-02-30,,,", "made_on", "no ISO date"),
        ("1,track,x,a,,,,abc,", "media_sha256", "64 hexadecimal"),
        ("1,track,x,a,,,,,0", "bpm", "no decimal above 0"),
        ("1,track,x,a,,,,,-1", "bpm", "no decimal above 0"),
        ('1,track,x,a,,,,,"67,95"', "bpm", "no decimal above 0"),
        ("1,track,x,a,,,,,1e2", "bpm", "no decimal above 0"),
        ("1,track,x,a,,,,,NaN", "bpm", "no decimal above 0"),
        ("1,track,x,a,,,,,٤", "bpm", "no decimal above 0"),
        ("1,track,x,a,,,,,9999.9999", "bpm", "no decimal above 0"),
        ("1,track,x,a,,,,,0.0004", "bpm", "no decimal above 0"),
        ("1,instrument,x,a,,,,,120", "bpm", "only tracks and samples"),
        ("1,release,x,a,,,,,120", "bpm", "only tracks and samples"),
    ],
)
def test_a_bad_optional_field_is_dropped_and_the_row_kept(cells, field, reason):
    row, problems = asset(cells)
    assert getattr(row, field) is None
    assert len(problems) == 1
    assert reason in problems[0]


def test_a_license_nobody_can_read_is_kept_word_for_word():
    row, problems = asset("1,track,x,a,,,Free as beer,,")
    assert row.license == read_license("Free as beer")
    assert "taken for all rights reserved" in problems[0]


def test_bpm_is_decimal_to_the_thousandth():
    assert asset("1,track,x,a,,,,,120.125")[0].bpm == Decimal("120.125")
    row, problems = asset("1,track,x,a,,,,,99.12345")
    assert row.bpm == Decimal("99.123")
    assert "rounded" in problems[0]


def test_a_moment_is_taken_for_its_date():
    assert asset("1,track,x,a,,2003-04-05T23:00:00+02:00,,,")[0].made_on == date(2003, 4, 5)


def test_titles_are_kept_even_empty_and_cut_at_300():
    assert asset("1,track,,a") == (AssetRow(2, "1", "TRACK", "", "a", *[None] * 5), [])
    row, problems = asset(f"1,track,{'é' * 301},a")
    assert row.title == "é" * 300
    assert "301 characters" in problems[0]
    row, problems = asset('1,track,"two\nlines\x00",a')
    assert row.title == "two lines"
    assert "control characters" in problems[0]


def test_a_row_is_named_by_its_first_line_and_an_open_quote_by_its_reach():
    rows, problems = read(ASSETS, ASSET_HEADER, '1,track,"two', 'lines",a', "", '2,track,"open,a', "3,track,x,a")
    assert [row.line for row in rows] == [2]
    assert problems[1:] == ["assets.csv:5: is no CSV (unexpected end of data, up to line 6)"]


def test_artists_are_read_and_their_kind_never_costs_them_their_place():
    rows, problems = read(ARTISTS, "handle,name,kind", "ANNA,Anna,Duo", "bo,,punk", "x y,X,creator")
    assert rows == [ArtistRow(2, "anna", "Anna", "DUO"), ArtistRow(3, "bo", "bo", "CREATOR")]
    assert ["taken for CREATOR" in problem for problem in problems] == [True, False]


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("Abc", "abc"),
        (" @a.b_c-d ", "a.b_c-d"),
        ("\uff41\uff42", "ab"),  # full-width letters
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("-a", None),
        ("a-", None),
        ("é", None),
        ("", None),
        ("a/b", None),
    ],
)
def test_handles_are_small_letters_digits_and_few_signs(text, handle):
    assert read_handle(text) == handle


def test_edges_are_read_with_windows_and_notes():
    row, problems = edge("a,b,remix of,0,1000,500,,the chorus")
    assert not problems
    assert row == EdgeRow(2, "a", "b", "REMIX_OF", Window(0, 1000), Window(500, None), "the chorus")


@pytest.mark.parametrize("window", ["5,5", "9,3", "-1,3", "a,b", ",0", "0,2147483648", "2147483647,"])
def test_a_window_that_is_none_becomes_the_whole(window):
    row, problems = edge(f"a,b,SAMPLES,{window},,,")
    assert row.child_window == WHOLE
    assert "the whole is taken" in problems[0]


def test_an_edge_to_itself_is_named_and_skipped():
    assert edge("a, a,SAMPLES,,,,,")[1] == ["edges.csv:2: 'a' cannot be made from itself (SAMPLES)"]


def test_a_release_contains_items_as_a_whole():
    row, problems = edge("r,i,Contains,1,2,,,x")
    assert (row.kind, row.child_window, row.note) == ("CONTAINS", WHOLE, None)
    assert len(problems) == 1


@pytest.mark.parametrize("spelling", ["MixingEngineer", "MIXING_ENGINEER", "mixing engineer", "Mixing-Engineer"])
def test_roles_are_read_in_any_common_spelling(spelling):
    rows, problems = read(CREDITS, "asset,name,role", f"1, Zoë ,{spelling}")
    assert (rows, problems) == ([CreditRow(2, "1", "Zoë", "MIXING_ENGINEER")], [])


def test_credits_without_name_or_role_and_policies_without_use_are_skipped():
    assert len(read(CREDITS, "asset,name,role", "1,,Producer", "1,x,Guitarist", ",x,Producer")[1]) == 3
    rows, problems = read(POLICIES, "asset,use,decision", "1,remix,allowed", "1,fun,ALLOWED", "1,SYNC,maybe")
    assert rows == [PolicyRow(2, "1", "REMIX", "ALLOWED")]
    assert len(problems) == 2


@pytest.mark.parametrize("name", ["", "a/b", "x" * 101, "a\nb", "\ud800"])
def test_a_source_needs_a_name_it_can_keep(name):
    with pytest.raises(BadInput):
        checked_source(name)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=12))
def test_no_row_is_lost_and_no_text_of_a_cell_breaks_the_reader(cells):
    read(ASSETS, ASSET_HEADER, ",".join(cells))
    read(EDGES, EDGE_HEADER, ",".join(cells))


@given(st.binary(max_size=200))
def test_bytes_are_rows_or_a_typed_refusal(data):
    for file in (ARTISTS, ASSETS, EDGES, CREDITS, POLICIES):
        header = ",".join((*file.required, *file.optional))
        with suppress(CatalogueUnreadable):
            read(file, header, *(line + b"\n" for line in data.split(b"\n")))


def reaches(edges, start, goal):
    """Whether a parent leads up to a goal: the plain way."""
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        above = {parent for child, parent in edges if child == node} - seen
        seen |= above
        waiting += above
    return goal in seen


@given(st.data())
def test_exactly_the_edges_that_close_a_cycle_are_found_and_the_cycle_is_real(data):
    nodes = st.integers(0, data.draw(st.integers(1, 9)))
    edges = st.lists(st.tuples(nodes, nodes), max_size=30)
    known = [(child, parent) for child, parent in data.draw(edges) if child < parent]
    new = data.draw(edges)
    standing, expected = set(known), []
    for index, (child, parent) in enumerate(new):
        if reaches(standing, parent, child):
            expected.append(index)
        else:
            standing.add((child, parent))
    found = closing_edges(known, new)
    assert list(found) == expected
    for index, path in found.items():
        assert (path[0], path[1], path[-1]) == (*new[index], new[index][0])
        assert set(pairwise(path[1:])) <= standing


def test_a_cycle_is_told_from_the_edge_that_closes_it():
    assert closing_edges([("b", "a")], [("c", "b"), ("a", "c")]) == {1: ["a", "c", "b", "a"]}


def test_a_deep_chain_costs_no_stack_and_little_time():
    chain = [(number + 1, number) for number in range(50_000)]
    random.Random(4).shuffle(chain)
    assert closing_edges([], chain) == {}
    assert list(closing_edges(chain, [(0, 50_000)])) == [0]
