"""A search call → its table at its version, and its source."""

from __future__ import annotations

from lancesql.binder.tables import read_at_clause, read_table_argument, read_version, require_table
from lancesql.catalog import Catalog, TableInfo, VersionRef
from lancesql.errors import ArgumentError, UnsupportedError
from lancesql.parser.calls import Argument, SearchCall
from lancesql.parser.snapshots import AtClause
from lancesql.plan.sources import DISTANCE, RELEVANCE, SCORE, Search

from .arguments import SearchContext
from .hybrid import bind_hybrid_search
from .signatures import SIGNATURES, read_arguments
from .text import bind_text_search
from .vector import bind_vector_search

__all__ = ["bind_search", "find_search_table"]


def find_search_table(call: SearchCall, at: AtClause | None, catalog: Catalog) -> tuple[TableInfo, dict[str, Argument]]:
    """The table a call searches, and its other arguments by name."""
    table_argument, arguments = read_arguments(call)
    name = read_table_argument(table_argument)
    versions = [kind for kind in ("version", "tag", "timestamp") if kind in arguments]
    if len(versions) + (at is not None) > 1:
        raise ArgumentError("the version of the table is given twice", span=arguments[versions[-1]].span)
    version: VersionRef | None = None
    if at is not None:
        version = read_at_clause(at)
    elif versions:
        version = read_version(versions[0], arguments[versions[0]])
    table = require_table(name, table_argument.span, catalog, version)
    for reserved in (DISTANCE, SCORE, RELEVANCE):
        if reserved in table.schema.names:
            raise UnsupportedError(
                f"table '{table.name}' has a column '{reserved}', the name of a search's own column",
                hint="rename the column to search this table",
                span=table_argument.span,
            )
    return table, arguments


def bind_search(call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext) -> Search:
    """Binds a call whose table is known.

    Raises:
        ArgumentError: When an argument is missing or has a bad value.
        UnknownColumnError: When a column does not exist.
    """
    kind = SIGNATURES[call.function].kind
    if kind == "vector":
        return bind_vector_search(call, table, arguments, context)
    if kind == "text":
        return bind_text_search(call, table, arguments, context)
    return bind_hybrid_search(call, table, arguments, context)
