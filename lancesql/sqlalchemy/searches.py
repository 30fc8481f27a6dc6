"""Searches as table-valued functions of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, bindparam, column, inspect
from sqlalchemy import types as sqltypes
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import BindParameter, ClauseElement, ColumnElement
from sqlalchemy.sql.functions import Function
from sqlalchemy.sql.visitors import InternalTraversal

from lancesql.binder.searches.signatures import SIGNATURES
from lancesql.plan.literals import write_literal

from .types import Vector, is_list

__all__ = ["Search", "argument", "fts", "hybrid_search", "rrf", "vector_search", "write_names"]

_BOUND = frozenset({"k", "query", "vector", "text", "like_id", "positive", "negative", "lower_bound", "upper_bound"})
"""What may differ from one execution of a statement to the next; the rest is part of its plan."""
_COLUMNS = frozenset({"column", "columns", "vector_column", "text_columns"})
_COMPUTED = {
    "vector_search": ("_distance",),
    "fts": ("_score",),
    "hybrid_search": ("_relevance_score", "_distance", "_score"),
    "rrf": ("_relevance_score",),
}


class _Option(sqltypes.UserDefinedType[Any]):
    """A value that is written in the statement."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "VARCHAR"

    def literal_processor(self, dialect: Any) -> Any:
        return write_literal


class _Written(ColumnElement[Any]):
    """A value as a part of the statement."""

    __visit_name__ = "lancesql_written"
    _traverse_internals = [("text", InternalTraversal.dp_string)]  # noqa: RUF012 - SQLAlchemy's

    def __init__(self, value: object) -> None:
        self.text = write_literal(value)
        self.type = sqltypes.NullType()


class _TableName(ColumnElement[Any]):
    """The table of a search."""

    __visit_name__ = "lancesql_table_name"
    _traverse_internals = [("parts", InternalTraversal.dp_string_list)]  # noqa: RUF012 - SQLAlchemy's

    def __init__(self, *parts: str) -> None:
        self.parts = parts
        self.type = sqltypes.String()


class _Argument(ColumnElement[Any]):
    """An argument with its name."""

    __visit_name__ = "lancesql_argument"
    _traverse_internals = [  # noqa: RUF012
        ("name", InternalTraversal.dp_string),
        ("value", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        self.type = value.type


@compiles(_Written)
def _write_value(element: _Written, _compiler: Any, **_: Any) -> str:
    return element.text


@compiles(_TableName)
def _write_table_name(element: _TableName, compiler: Any, **_: Any) -> str:
    return ".".join(compiler.preparer.quote(part) for part in element.parts)


@compiles(_Argument)
def _write_argument(element: _Argument, compiler: Any, **kw: Any) -> str:
    return f"{element.name} => {compiler.process(element.value, **kw)}"


def argument(name: str, value: Any) -> ColumnElement[Any]:
    """An argument by its name, for `func`.

    Example:
        >>> from sqlalchemy import func
        >>> print(func.fts("docs", "blue", argument("operator", "and")))
        fts(:fts_1, :fts_2, operator => 'and')
    """
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if isinstance(value, ClauseElement):
        return _Argument(name, value)
    return _Argument(name, _bind(value) if name in _BOUND else _Written(value))


def _bind(value: Any) -> Any:
    return bindparam(None, value, Vector(len(value)) if is_list(value) else None, unique=True)


def write_names(function: str, arguments: Sequence[Any]) -> list[Any]:
    """The arguments of a search, in which what names a table or a column is written and not bound."""
    places = [at for at, one in enumerate(arguments) if not isinstance(one, _Argument)]
    meanings = SIGNATURES[function].positions.get(len(places) - 1, ())
    named = {0, *(places[at] for at, name in enumerate(meanings, 1) if name in _COLUMNS)}
    return [_write_name(one) if at in named else one for at, one in enumerate(arguments)]


def _write_name(given: Any) -> Any:
    if not isinstance(given, BindParameter) or not isinstance(given.value, str | list | tuple):
        return given
    return bindparam(None, given.value, _Option(), unique=True, literal_execute=True)


class Search(Function[Any]):
    """A search; `table_valued` makes the rows it finds a table to select from.

    Attributes:
        searched: The table that is searched; None when it was given by its name.
    """

    inherit_cache = True

    def __init__(self, name: str, *arguments: Any, searched: Table | None = None) -> None:
        super().__init__(name, *arguments)
        self.searched = searched

    def table_valued(self, *columns: Any, **options: Any) -> Any:
        """The rows that are found, with these columns; without any, with the table's and the computed ones."""
        if not columns and self.searched is not None:
            columns = (
                *(column(one.name, one.type) for one in self.searched.columns),
                *(column(name, sqltypes.Float()) for name in _COMPUTED[self.name]),
            )
        return super().table_valued(*columns, **options)


def vector_search(table: Any, query: Any = None, *, column: str | None = None, **options: Any) -> Search:
    """The rows whose vectors are nearest: `vector_search(Doc, [0.1, 0.2], k=10).table_valued()`.

    Args:
        table: A Table, a mapped class, or a name.
        query: A vector, a text, or an expression; None where `like_id`, `positive` or `negative` say what to look for.
        column: The vector column; the only one unless given.
        options: The other arguments of `vector_search` in SQL: `k`, `metric`, `filter`, `exact`, …

    Example:
        >>> print(vector_search("docs", [0.1, 0.2], k=3, metric="cosine"))
        vector_search('docs', query => :param_1, k => :param_2, metric => 'cosine')
    """
    given = {"column": column, **options}
    return _make_search("vector_search", table, {"query": query}, given)


def fts(table: Any, query: Any, *, columns: str | list[str] | None = None, **options: Any) -> Search:
    """The rows whose texts match, best first; `options` are the other arguments of `fts` in SQL.

    Example:
        >>> print(fts("docs", "blue shirt", operator="and"))
        fts('docs', query => :param_1, operator => 'and')
    """
    return _make_search("fts", table, {"query": query}, {"columns": columns, **options})


def hybrid_search(table: Any, vector: Any = None, text: Any = None, **options: Any) -> Search:
    """The rows that are best by vector and text; `options` are the other arguments of `hybrid_search` in SQL.

    Example:
        >>> print(hybrid_search("docs", [0.1, 0.2], "blue", k=3))
        hybrid_search('docs', vector => :param_1, text => :param_2, k => :param_3)
    """
    return _make_search("hybrid_search", table, {"vector": vector, "text": text}, options)


def rrf(*searches: Search, **options: Any) -> Search:
    """The searches' rows by their reciprocal ranks; `options` are the other arguments of `rrf` in SQL.

    Example:
        >>> print(rrf(fts("docs", "blue"), fts("docs", "shirt"), k=5))
        rrf(fts('docs', query => :param_1), fts('docs', query => :param_2), k => :param_3)
    """
    searched = next((one.searched for one in searches if one.searched is not None), None)
    named = [argument(name, value) for name, value in options.items()]
    return Search("rrf", *searches, *named, searched=searched)


def _make_search(name: str, table: Any, sought: dict[str, Any], options: dict[str, Any]) -> Search:
    searched = _find_table(table)
    if searched is None:
        named: Any = _Written(str(table))
    else:
        named = _TableName(*([searched.schema] if searched.schema else []), searched.name)
    absent = ("column", "columns")
    given = {key: value for key, value in sought.items() if value is not None}
    given |= {key: value for key, value in options.items() if value is not None or key not in absent}
    return Search(name, named, *(argument(key, value) for key, value in given.items()), searched=searched)


def _find_table(table: Any) -> Table | None:
    if isinstance(table, str):
        return None
    found = table if isinstance(table, Table) else inspect(table).local_table
    assert isinstance(found, Table)
    return found
