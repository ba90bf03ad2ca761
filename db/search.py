"""Where found things live: words by prefix, forgiving a typo, in order of how well the name fits.

Ranks: 0 the whole name, 1 the beginning of a name, 2 every word by its beginning, 3 with a typo in some word, 4 in the
lyrics of a track, every word by its beginning. A search answers at most a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Text,
    any_,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action
from db.arguments import LONGEST_TEXT, Bound, Filter, Paging, clean_text
from db.orders import WORDS, Order
from db.places import Kind, Page, Permitted, Type
from domain.errors import BadInput
from domain.search import LONGEST_QUERY_WORDS, LONGEST_WORD, FoundKind, fold, words_of

MOST_FOUND = 1000
MOST_VARIANTS = 50
RELEVANCE = Order("re", "rank_key", WORDS)


def _read_query(text: str) -> list[str]:
    """The folded words of a query.

    Raises:
        BadInput: nothing to look for, too long, or no text.
    """
    words = fold(clean_text("query", text)).split()
    if not words:
        raise BadInput("query holds no letter and no digit to look for.")
    if len(words) > LONGEST_QUERY_WORDS:
        raise BadInput(f"query has more than {LONGEST_QUERY_WORDS} words.")
    return words


def _same(_: Any, __: Any) -> ColumnElement[bool]:
    """The condition stands in the source itself, before its thousand are counted."""
    return true()


def _quoted(word: ColumnElement[Any]) -> ColumnElement[str]:
    return func.concat(literal_column("''''"), word, literal_column("''''"), type_=Text)


def _tsquery(words: ColumnElement[Any], *, typos: bool) -> ColumnElement[Any]:
    """Every word by its beginning, or, with `typos`, by a known word an edit or two away."""
    word = func.unnest(words, type_=Text).table_valued("word", name="asked").render_derived()
    beginning = _quoted(word.c.word).concat(literal_column("':*'"))
    wanted: ColumnElement[Any] = beginning
    if typos:
        known = tables.search_word.alias()
        length = func.char_length(word.c.word, type_=Integer)
        edits = case((length < 3, 0), (length < 6, 1), else_=2)
        apart = func.levenshtein_less_equal(known.c.word, word.c.word, edits, type_=Integer)
        near = (
            select(known.c.word)
            .where(known.c.word.bool_op("%")(word.c.word), edits > 0, apart <= edits)
            .order_by(apart, known.c.word)
            .limit(literal_column(str(MOST_VARIANTS)))
            .correlate_except(known)
            .subquery()
        )
        variants = select(func.string_agg(_quoted(near.c.word), literal_column("' | '"), type_=Text))
        wanted = func.concat_ws(literal_column("' | '"), beginning, variants.scalar_subquery(), type_=Text)
    all_ = func.string_agg(func.concat("(", wanted, ")", type_=Text), literal_column("' & '"), type_=Text)
    return select(cast(all_, TSQUERY)).select_from(word).scalar_subquery()


def _found(bound: Bound, permitted: Permitted) -> FromClause:
    """At most a thousand entries that may be seen, ranked. Of a track whoever may list it may see everything."""
    entry, words = tables.search_entry.alias(), bound["query"]
    # Worked out once, however often they are spoken of.
    asked = select(_tsquery(words, typos=False).label("exactly"), _tsquery(words, typos=True).label("nearly")).cte()
    exactly, nearly = (select(column_).scalar_subquery() for column_ in (asked.c.exactly, asked.c.nearly))
    whole = func.array_to_string(words, literal_column("' '"), type_=Text)
    name = func.unnest(entry.c.names, type_=Text).table_valued("name", name="named").render_derived()
    begins = exists().where(func.starts_with(name.c.name, whole)).select_from(name).correlate(entry)
    rank = case(
        (whole == any_(entry.c.names), literal_column("'0'")),
        (begins, literal_column("'1'")),
        (entry.c.words.bool_op("@@")(exactly), literal_column("'2'")),
        (entry.c.words.bool_op("@@")(nearly), literal_column("'3'")),
        else_=literal_column("'4'"),
    )
    rank_key = func.concat(rank, entry.c.sort_key, type_=Text(collation="C")).collate("C").label("rank_key")
    found = or_(entry.c.words.bool_op("@@")(nearly), entry.c.lyrics.bool_op("@@")(exactly))
    conditions = [found, permitted(tables.search_entry, entry)]
    if "kinds" in bound:
        conditions.append(entry.c.kind == any_(bound["kinds"]))
    ranked = select(entry.c.node_id.label("id"), entry.c.kind, rank_key).where(*conditions)
    return ranked.order_by(column("rank_key"), entry.c.node_id).limit(literal_column(str(MOST_FOUND))).subquery()


def _follow(row: Any, target: Any, _: Bound) -> ColumnElement[bool]:
    return target.c.id == row.c.id


SEARCH_PAGING = Paging(
    {"RELEVANCE": RELEVANCE},
    "RELEVANCE",
    {"query": Filter(_same, ARRAY(Text()), _read_query), "kinds": Filter(_same, ARRAY(Text()), list)},
)

SEARCH_RESULT = Type(
    "SearchResult",
    tables.search_entry,
    {},
    kinds=(
        Kind(("TRACK",), "Track", _follow),
        Kind(("SAMPLE",), "Sample", _follow),
        Kind(("INSTRUMENT",), "Instrument", _follow),
        Kind(("RELEASE",), "Release", _follow),
        Kind(("ARTIST",), "Artist", _follow),
        Kind(("CONTRIBUTOR",), "Contributor", _follow),
    ),
)

SEARCH = Page("SearchResult", lambda *_: true(), SEARCH_PAGING, action=Action.LIST, source=_found)


async def index_names(connection: AsyncConnection, entries: Sequence[tuple[UUID, FoundKind, Sequence[str]]]) -> None:
    """Make things findable by their names (the first is the one they are sorted by), replacing what was indexed."""
    if not entries:
        return
    rows: list[dict[str, object]] = []
    known: set[str] = set()
    for node_id, kind, names in entries:
        folded = [fold(name) for name in names]
        words = words_of(*names)
        known.update(word for word in words if len(word) <= LONGEST_WORD)
        rows.append(
            {
                "node_id": str(node_id),
                "kind": kind.value,
                "names": folded,
                "sort_key": folded[0][:LONGEST_TEXT],
                "words": words,
            }
        )
    written = {"entries": orjson.dumps(rows).decode(), "known": sorted(known)}
    await connection.execute(_INDEX, written)


async def index_lyrics(connection: AsyncConnection, track_id: UUID, lines: Sequence[str]) -> None:
    """Make a track findable by its lyrics, as they are now."""
    entry = tables.search_entry
    words = sorted({word[:LONGEST_WORD] for word in words_of(*lines)})
    found = func.array_to_tsvector(literal(words, ARRAY(Text))) if words else None
    await connection.execute(update(entry).where(entry.c.node_id == track_id).values(lyrics=found))


# Words in order, so that two who add the same ones wait for each other in one direction only.
_INDEX = text("""
    WITH entries AS (
      INSERT INTO search_entry (node_id, kind, names, sort_key, words)
      SELECT node_id, kind, names, sort_key, array_to_tsvector(words)
      FROM json_to_recordset(CAST(:entries AS json))
        AS entry (node_id uuid, kind text, names text[], sort_key text, words text[])
      ON CONFLICT (node_id) DO UPDATE SET kind = excluded.kind, names = excluded.names, sort_key = excluded.sort_key,
        words = excluded.words
    )
    INSERT INTO search_word (word) SELECT word FROM unnest(CAST(:known AS text[])) AS word ORDER BY word COLLATE "C"
    ON CONFLICT DO NOTHING""")
