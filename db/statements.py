"""Statements as text: what is fixed is written into them, what differs between requests is a numbered parameter."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, PGDialect_asyncpg


class _ConstantsInline(PGCompiler_asyncpg):
    """Writes constants into the statement: only what differs between requests is a parameter."""

    def visit_bindparam(self, bindparam: BindParameter[Any], *args: Any, **options: Any) -> str:
        """Render a value known at compile time as a literal."""
        if not bindparam.required and bindparam.value is not None:
            options["literal_binds"] = True
        return str(super().visit_bindparam(bindparam, *args, **options))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


class _PlanDialect(PGDialect_asyncpg):
    statement_compiler = _ConstantsInline
    supports_statement_cache = False


_DIALECT = _PlanDialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def statement_text(statement: Any) -> tuple[str, tuple[str, ...]]:
    """The SQL of a statement and its parameters' names in order."""
    compiled = statement.compile(dialect=_DIALECT)
    return compiled.string, tuple(compiled.positiontup or ())
