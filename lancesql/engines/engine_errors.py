"""DuckDB's errors as ours."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

from lancesql.errors import (
    ArgumentError,
    BindError,
    ConnectionClosedError,
    EngineError,
    LanceSQLError,
    ParameterError,
    ParseError,
    QueryInterruptedError,
    UnknownColumnError,
    UnknownTableError,
    UnsupportedError,
    nearest_name,
)
from lancesql.plan.file_errors import condense_csv_error

from .error_places import NO_VALUE, read_mark

__all__ = ["explain_engine_error"]

_BUSY = "an earlier result of this connection is still being read"
_LINE = re.compile(r"\n\s*\nLINE \d+:.*", re.DOTALL)
_MISSING_COLUMN = re.compile(r'Referenced column "([^"]+)"|column named "([^"]+)"')
_SYSTEM_TABLE = re.compile(r'"(pg|duckdb|sqlite)_')  # what DuckDB proposes for any name that is like no table
_MISSING_TABLE = re.compile(r'Table with name "?([^\s"]+)"? does not exist')
_MISSING_TYPE = re.compile(r"Type with name (\S+) does not exist")
_TYPES = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    *("UBIGINT", "FLOAT", "HALF", "REAL", "DOUBLE", "DECIMAL", "NUMERIC", "CHAR", "VARCHAR", "STRING", "TEXT", "BLOB"),
    *("DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "UUID", "JSON", "STRUCT", "MAP"),
)
_LIST_FOR_ARRAY = re.compile(r"types 'array_\w+\((?:(\w+\[\d+\]), [^']*\[\]|[^']*\[\], (\w+\[\d+\]))\)'")
_UNKNOWN_OPTION = re.compile(r'Unrecognized option "([^"]+)" for (\w+)')
_UNKNOWN_VALUE = re.compile(r"Unable to transform python value of type '<class '([^']+)'>'")
_MISSING_VALUES = re.compile(r"Values were not provided for the following parameters: (.+)")
_EXCESS_VALUES = re.compile(r"identifiers of the excess parameters: (.+)")


def explain_engine_error(error: Exception, ask_again: Callable[[], object] | None = None) -> LanceSQLError:
    """DuckDB's error as one of ours; an error raised inside a source is the one that counts.

    `ask_again` asks for the same without a relation, whose errors of names and types do not say where they are.
    """
    explained = _translate(error)
    if isinstance(error, duckdb.ParserException) or not duckdb.__version__.startswith("1."):
        explained.mark = read_mark(str(error))  # DuckDB 1 marks another spelling of a relation, where it is in ours
    if explained.mark is None and ask_again is not None and isinstance(error, duckdb.BinderException):
        try:
            ask_again()
        except duckdb.Error as placed:
            explained.mark = read_mark(str(placed))
    return explained


def _translate(error: Exception) -> LanceSQLError:
    # Upstream: a message that shows bytes is no UTF-8.
    text = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    message = _LINE.sub("", text).strip()
    kind, _, rest = message.partition(" Error: ")
    if rest:
        message = rest
    head, _, tail = message.partition("\n")
    hint = " ".join(tail.split()).replace("bindings: : ", "bindings: ") or None
    if hint and _SYSTEM_TABLE.search(hint):
        hint = None
    if condensed := condense_csv_error(message):
        return EngineError(condensed)
    if isinstance(error, duckdb.ParserException):
        return ParseError(head, hint=hint)
    if option := _UNKNOWN_OPTION.search(head):
        near = re.findall(r'"([^"]+)"', hint or "")
        proposed = f"did you mean '{near[0]}'?" if near else None
        return ArgumentError(f"there is no option '{option.group(1)}' for {option.group(2)}", hint=proposed)
    if isinstance(error, duckdb.InterruptException):
        return QueryInterruptedError("the statement was interrupted")
    if isinstance(error, duckdb.ConnectionException) and "closed" in head:
        return ConnectionClosedError("the connection is closed", hint="open another with lancesql.connect()")
    if unknown := _MISSING_TYPE.search(head):
        nearest = nearest_name(unknown.group(1), _TYPES)
        return BindError(head.rstrip("!"), hint=f"did you mean {nearest}?" if nearest else None)
    if _MISSING_TABLE.search(head) and "__lancesql_" in head:
        return UnsupportedError(
            "DuckDB does not look for objects of Python, by which lancesql offers it Lance tables",
            hint="SET python_enable_replacements = true",
        )
    if _MISSING_TABLE.search(head):
        return UnknownTableError(head.replace("!", ""), hint=hint)
    if _MISSING_COLUMN.search(head):
        return UnknownColumnError(head.replace("!", ""), hint=hint)
    if "Unexpected prepared parameter" in head:  # what DuckDB 1 says where 2 names the parameter
        return ParameterError(NO_VALUE)
    if array := _LIST_FOR_ARRAY.search(head):
        type_ = array.group(1) or array.group(2)
        hint = f"cast the list, …::{type_}, or write the distance as an operator: <->, <=>, <#>"
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return BindError(head, hint=hint)
    if refused := _UNKNOWN_VALUE.search(head):
        return ParameterError(f"a parameter is a {refused.group(1)}, for which DuckDB has no type")
    if missing := _MISSING_VALUES.search(head):
        return ParameterError(f"no value for parameter {_list_parameters(missing.group(1))}")
    if excess := _EXCESS_VALUES.search(head):
        return ParameterError(f"the statement does not use parameter {_list_parameters(excess.group(1))}")
    if "prepared statement parameters" in head or "Invalid Input Error: Parameter" in text:
        return ParameterError(head, hint=hint)
    if "open result" in head or kind == "Resource In Use":
        return EngineError(_BUSY, hint="read that result to its end, or let go of it, before the next statement")
    failure = EngineError(head, hint=hint)
    failure.condition = kind.lower() if rest else ""
    return failure


def _list_parameters(names: str) -> str:
    return ", ".join(f"${name.strip()}" for name in names.split(","))
