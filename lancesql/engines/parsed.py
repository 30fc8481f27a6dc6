"""What DuckDB's parser makes of texts. Queries are kept: to read one again takes longer than to bind it."""

from __future__ import annotations

import duckdb

from lancesql.errors import LanceSQLError

from .engine_errors import explain_engine_error

__all__ = ["ParsedQueries", "find_syntax_error"]

_MOST = 512
_LONG = 1 << 16


class ParsedQueries:
    """The queries of a connection by their text, for as long as nothing has run on it that is no query.

    What a text means to the parser follows from settings; only statements that are no queries change those.
    """

    def __init__(self) -> None:
        self._held: dict[str, duckdb.Statement] = {}

    def read(self, sql: str, connection: duckdb.DuckDBPyConnection) -> str | duckdb.Statement:
        """The query as DuckDB has read it, or the text when it is anything else.

        Raises:
            duckdb.Error: The text cannot be read.
        """
        held = self._held.get(sql)
        if held is not None:
            return held
        statements = connection.extract_statements(sql)
        if any(one.type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN) for one in statements):
            self._held.clear()
            return sql
        if len(statements) != 1 or len(sql) > _LONG:
            return sql
        if len(self._held) >= _MOST:
            self._held.pop(next(iter(self._held)), None)
        self._held[sql] = statements[0]
        return statements[0]


def find_syntax_error(sql: str, connection: duckdb.DuckDBPyConnection) -> LanceSQLError | None:
    """What keeps DuckDB's parser from reading a text; None when it can."""
    try:
        connection.extract_statements(sql)
    except duckdb.Error as error:
        return explain_engine_error(error)
    return None
