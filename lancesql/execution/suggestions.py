"""The nearest of our names where DuckDB knows only its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lancesql.binder.searches.signatures import SIGNATURES
from lancesql.binder.tables import explain_unfinished
from lancesql.engines.error_places import find_error_span
from lancesql.errors import BindError, LanceSQLError, UnknownTableError, UnsupportedError, nearest_name
from lancesql.parser.calls import COMBINATORS, FACETS, SEARCH_FUNCTIONS
from lancesql.parser.text_calls import TEXT_FUNCTIONS
from lancesql.storage.databases import Databases

_SHOW = re.compile(r"\s*SHOW\s", re.IGNORECASE)
_SHOWN = ("TABLES", "DATABASES", "INDEXES", "EMBEDDINGS")
"""What SHOW takes without the name of a table."""

__all__ = ["complete_error", "suggest_database", "suggest_function", "suggest_table"]


def suggest_database(error: BindError, names: Sequence[str]) -> BindError:
    """DuckDB's error of a schema it does not have, with the nearest Lance database."""
    match = re.search(r"Schema with name (\S+) does not exist", error.message)
    near = nearest_name(match.group(1), names) if match else None
    if match and len(names) > 1:
        listed = f"Lance databases: {', '.join(names)}"
        error.hint = f"did you mean '{near}'? {listed}" if near else listed
    return error


def complete_error(error: LanceSQLError, database: Databases) -> LanceSQLError:
    """An error of a table that there is not, with those that there are; any other as it is."""
    return suggest_table(error, database) if isinstance(error, UnknownTableError) and error.hint is None else error


def suggest_table(error: UnknownTableError, database: Databases, sql: str = "") -> LanceSQLError:
    """DuckDB's error of a table it does not have, with the Lance tables there are."""
    names = sorted(database.table_names())
    asked = _read_missing(error, sql)
    if asked is not None and asked.lower() in {name.lower() for name in names}:
        if database.find_table(asked) is None:
            return _place_as(error, explain_unfinished(asked))
        return _place_as(
            error,
            UnsupportedError(
                f"'{asked}' is a Lance table, and this statement does not reach Lance tables",
                hint="queries do, and the statements of the SQL reference that make, change, index and describe tables",
            ),
        )
    near = None if asked is None else nearest_name(asked, names)
    listed = f"Lance tables: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else error.hint
    meant = None if near is None else f"'{near}'"
    if near is None and asked is not None and _SHOW.match(sql):
        shown = nearest_name(asked, _SHOWN)
        meant = None if shown is None else f"SHOW {shown}"
    error.hint = f"did you mean {meant}? {listed or ''}".rstrip() if meant else listed
    return error


def _read_missing(error: UnknownTableError, sql: str) -> str | None:
    """The table that DuckDB does not have, with what stands before its name in the text: DuckDB 1 leaves that out."""
    match = re.search(r'Table with name "?([^\s"]+)"? does not exist', error.message)
    if match is None or "." in match[1]:
        return None if match is None else match[1]
    qualified = re.search(rf'(\w+)"?\."?{re.escape(match[1])}(?!\w)', sql, re.IGNORECASE)
    return match[1] if qualified is None else f"{qualified[1]}.{match[1]}"


def _place_as(placed: LanceSQLError, error: LanceSQLError) -> LanceSQLError:
    error.span, error.sql = placed.span, placed.sql
    return error


def suggest_function(error: BindError, sql: str) -> BindError:
    """DuckDB's error of a table function it does not have, with the nearest search."""
    match = re.search(r"Table Function with name (\S+) does not exist", error.message)
    if match and match.group(1).lower() in COMBINATORS:
        name = match.group(1).lower()
        error.span = find_error_span(sql, error)
        error.message = f"{name}() takes {'searches' if name == 'rrf' else 'a search'}"
        error.hint = SIGNATURES[name].usage
        return error
    scalar = re.search(r"Scalar Function with name (\S+) does not exist", error.message)
    if scalar and scalar.group(1).lower() in TEXT_FUNCTIONS:
        error.hint = f"{scalar.group(1)}() is written as a call: {scalar.group(1)}(text, 'query')"
        return error
    near = nearest_name(match.group(1), SEARCH_FUNCTIONS | COMBINATORS | {FACETS}) if match else None
    if near is not None:
        error.hint = f"did you mean '{near}'?"
    return error
