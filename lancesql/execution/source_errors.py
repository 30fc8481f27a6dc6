"""Errors of Lance that reach the engine in a stream, and come back as text within an error of its own."""

from __future__ import annotations

from lancesql.errors import EngineError, LanceSQLError
from lancesql.plan.query import QueryPlan
from lancesql.storage.lance_errors import find_lance_text
from lancesql.storage.scan import wrap_lance_error

__all__ = ["explain_source_error"]


def explain_source_error(error: LanceSQLError, plan: QueryPlan) -> LanceSQLError:
    """The engine's error as one of storage with the table's name, when it is Lance's; any other as it is."""
    text = find_lance_text(error.message) if isinstance(error, EngineError) else None
    if text is None:
        return error
    named = [source for source in plan.sources if f"'{source.placeholder}'" in error.message]  # DuckDB 1 names none
    tables = {source.table.name for source in named or plan.sources}
    what = f"table '{min(tables)}'" if len(tables) == 1 else "a table"
    explained = wrap_lance_error(ValueError(text), f"reading {what}")
    return explained if isinstance(explained, LanceSQLError) else error
