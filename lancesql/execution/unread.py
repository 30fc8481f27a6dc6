"""Queries that the planner cannot read: DuckDB scans the Lance tables they name, and applies all else itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.engines.dataset import ScanDataset
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.parsed import find_syntax_error
from lancesql.errors import ParseError
from lancesql.parser import OWN_GRAMMAR, disguise_statement
from lancesql.parser.calls import SEARCH_FUNCTIONS
from lancesql.parser.text_calls import names_text_function
from lancesql.parser.tokens import Token, TokenType, is_word
from lancesql.storage.databases import Databases
from lancesql.storage.scan import open_scan
from lancesql.storage.types import widen_schema

__all__ = ["offer_unread_tables", "refuse_unreadable"]

_QUERIES = ("SELECT", "FROM", "WITH", "PIVOT", "PIVOT_WIDER", "UNPIVOT", "TABLE", "VALUES", "SUMMARIZE")


def refuse_unreadable(sql: str, error: ParseError, engine: DuckDBEngine) -> None:
    """Says what DuckDB says of a statement that neither parser reads: ours notices some mistakes too late.

    Raises:
        ParseError: DuckDB's error of the statement.
    """
    refused = find_syntax_error(disguise_statement(sql), engine.connection) if error.hint == OWN_GRAMMAR else None
    if refused is not None:
        raise refused


def offer_unread_tables(
    tokens: Sequence[Token], database: Databases, engine: DuckDBEngine, views: Collection[str]
) -> dict[str, ScanDataset]:
    """The Lance tables that a query names, as objects that DuckDB scans; {} when that would not be the same.

    Args:
        tokens: Those of the query.
        database: Where the tables are, each at its newest version.
        engine: Its own tables of the same name come first.
        views: Names of views, whose text only the planner knows.
    """
    first = next((token for token in tokens if token.token_type is not TokenType.L_PAREN), None)
    words = {token.text.lower() for token in tokens}
    text = " ".join(token.text for token in tokens)
    if first is None or not is_word(first, *_QUERIES) or words & (SEARCH_FUNCTIONS | {*views, "lance", "at"}):
        return {}
    if names_text_function(text) or "embed" in words or "facets" in words:
        return {}
    offered: dict[str, ScanDataset] = {}
    for token in tokens:
        name = token.text
        if name in offered or name.lower() not in database.known_names() or token.token_type is TokenType.STRING:
            continue
        table = database.find_table(name)
        if table is not None and not engine.tables_named(name):
            offered[name] = _offer_table(table, database)
    return offered


def _offer_table(table: TableInfo, database: Databases) -> ScanDataset:
    dataset = database.open_dataset(table)

    def open_reader(columns: Sequence[str]) -> pa.RecordBatchReader:
        return open_scan(dataset, columns)

    schema: Any = widen_schema(table.schema)
    return ScanDataset(schema, open_reader)
