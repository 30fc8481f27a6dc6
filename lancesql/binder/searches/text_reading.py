"""The query of a text search, read by what its arguments say: when they are constants, and again in every run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, Span
from lancesql.parser.calls import Argument
from lancesql.parser.text_arguments import read_boosts, read_fuzziness, read_operator, read_slop, read_syntax
from lancesql.parser.text_syntax import read_text_query
from lancesql.parser.tokens import TokenType
from lancesql.plan.sources import FullTextSearch
from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Demoting,
    Excluding,
    InColumn,
    Preferring,
    TextQuery,
    TextReading,
)
from lancesql.plan.values import Constant, Value

__all__ = ["check_constants", "find_in_literal", "read_source_query"]


def read_source_query(source: FullTextSearch, evaluate: Callable[[Value], object]) -> tuple[TextQuery, tuple[str, ...]]:
    """The tree of the query, and the columns that are searched.

    Raises:
        ArgumentError: When the query or an argument cannot be read; the place is one of the query where `sql` is it.
    """
    options, columns = source.options, source.text_columns
    syntax = read_syntax(*_read_option(options.syntax, evaluate))
    boosts, boosts_span = _read_option(options.boosts, evaluate)
    reading = TextReading(
        operator=read_operator(*_read_option(options.operator, evaluate)),
        fuzziness=read_fuzziness(*_read_option(options.fuzziness, evaluate)),
        slop=read_slop(*_read_option(options.slop, evaluate)),
        columns=columns,
        others=tuple(name for name in source.table.column_names if name not in columns),
        boosts=read_boosts(boosts, columns, boosts_span),
    )
    raw = evaluate(source.query)
    if not isinstance(raw, str) and not (syntax == "json" and isinstance(raw, Mapping)):
        shown = "NULL" if raw is None else "a list" if isinstance(raw, tuple | list) else type(raw).__name__
        hint = "syntax => 'json' reads a structured query" if isinstance(raw, Mapping) else None
        raise ArgumentError(f"the text query is a text, not {shown}", hint=hint, span=source.query.span)
    try:
        query = read_text_query(raw, syntax, reading)
    except ArgumentError as error:
        if error.span is None:  # a query that is no text has no places
            error.span = source.query.span
        raise
    if not source.undecided:
        return query, columns
    named = _find_columns(query)
    if None in named:
        raise _refuse_undecided(source.function, source.table, columns, source.span)
    return query, tuple(column for column in columns if column in named)


def _read_option(option: Value | None, evaluate: Callable[[Value], object]) -> tuple[object, Span | None]:
    return (None, None) if option is None else (evaluate(option), option.span)


def check_constants(source: FullTextSearch, argument: Argument) -> FullTextSearch:
    """Reads a query that is written in the statement, so that a mistake in it is shown there."""
    options = source.options
    values = (source.query, options.operator, options.syntax, options.fuzziness, options.slop, options.boosts)
    if not all(value is None or isinstance(value, Constant) for value in values) or not isinstance(
        _read_constant(source.query), str
    ):
        return source
    try:
        _, columns = read_source_query(source, _read_constant)
    except ArgumentError as error:
        if error.sql is not None and error.span is not None and (place := find_in_literal(argument, error.span)):
            error.span, error.sql = place, None
        raise
    return replace(source, text_columns=columns, undecided=False)


def _read_constant(value: Value) -> object:
    assert isinstance(value, Constant)
    return value.value


def _refuse_undecided(function: str, table: TableInfo, columns: tuple[str, ...], span: Span | None) -> ArgumentError:
    if span is not None:
        span = Span(span.start, span.start + len(function))
    return ArgumentError(
        f"table '{table.name}' has several text columns: {', '.join(columns)}",
        hint=f"name one: {function}('{table.name}', '{columns[0]}', …), several: columns => […], "
        f"or one for each word: {columns[0]}:word",
        span=span,
    )


def _find_columns(query: TextQuery) -> set[str | None]:
    """The columns a query names; None among them for what is asked of any."""
    match query:
        case InColumn(column, _):
            return {column}
        case Boosted(inner, _):
            return _find_columns(inner)
        case AllOf(items) | AnyOf(items):
            return set().union(*map(_find_columns, items))
        case Preferring(required, optional):
            return _find_columns(required).union(*map(_find_columns, optional))
        case Excluding(wanted, unwanted):
            return _find_columns(wanted).union(*map(_find_columns, unwanted))
        case Demoting(positive, negative, _):
            return _find_columns(positive) | _find_columns(negative)
        case _:
            return {None}


def find_in_literal(argument: Argument, span: Span) -> Span | None:
    """A place of a text as a place of the statement it is written in; None unless it stands between plain quotes."""
    token = argument.tokens[0]
    quoted = token.text.replace("'", "''")
    if len(argument.tokens) != 1 or token.token_type is not TokenType.STRING:
        return None
    if token.end + 1 - token.start != len(quoted) + 2:
        return None
    start, end = (at + token.text.count("'", 0, at) + token.start + 1 for at in span)
    return Span(start, end)
