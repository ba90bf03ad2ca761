"""The search index: one row per thing that can be found, and the words that occur, for typo tolerance."""

from sqlalchemy import ARRAY, Column, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from db.tables.columns import metadata, word
from domain.search import FoundKind

search_entry = Table(
    "search_entry",
    metadata,
    Column("node_id", Uuid, primary_key=True),
    *word("kind", FoundKind),
    # Names as they are looked for: folded words joined by one space; the first is the name itself.
    Column("names", ARRAY(Text), nullable=False),
    Column("sort_key", Text(collation="C"), nullable=False),
    Column("words", TSVECTOR, nullable=False),
    # The words of a track's lyrics; NULL where it has none.
    Column("lyrics", TSVECTOR),
    Index("search_entry_words", "words", postgresql_using="gin"),
    Index("search_entry_lyrics", "lyrics", postgresql_using="gin", postgresql_where=text("lyrics IS NOT NULL")),
)

search_word = Table(
    "search_word",
    metadata,
    Column("word", Text(collation="C"), primary_key=True),
    Index("search_word_trigrams", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
)
