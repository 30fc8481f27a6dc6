"""`facets(rows, columns => […], top => 10)` written out as SQL that reads the rows once."""

from __future__ import annotations

from sqlglot import exp

from lancesql.errors import ArgumentError, Span, UnknownColumnError, UnsupportedError, nearest_name
from lancesql.parser import Statement
from lancesql.parser.calls import FACETS, Argument, SearchCall
from lancesql.parser.tokens import TokenType
from lancesql.plan.expansion import Expansion
from lancesql.plan.spelling import quote_name, quote_text

from .literals import read_literal
from .splice import Edit, number_parameters, splice, write_expansion

__all__ = ["expand_facets"]

_USAGE = "facets(rows, columns => ['genre', 'year'], top => 10)"
_POSITIONS = ("columns", "top")
_COLUMNS = ("facet", "value", "count", "share")
_SYNONYMS = {"column": "columns", "k": "top", "limit": "top", "top_k": "top"}
_TOP = "10"
_ROWS, _VALUES, _COUNTS, _ROW = "__lancesql_rows", "__lancesql_values", "__lancesql_counts", "__lancesql_row"


def expand_facets(statement: Statement) -> Expansion | None:
    """The statement with every `facets()` written out; None when there is none.

    Each column is a part of its own over the same rows: a value counts the rows that hold it, once also where a list
    holds it twice.

    Raises:
        ArgumentError: When an argument does not fit.
        UnsupportedError: When it does not stand in FROM.
    """
    calls = {name: call for name, call in statement.stand_ins.items() if call.function == FACETS}
    if not calls:
        return None
    nodes = {node.name: node for node in statement.tree.find_all(exp.Table)}
    edits: list[Edit] = []
    for name, call in calls.items():
        if name not in nodes:
            raise UnsupportedError("facets() is a table: it stands in FROM", hint=_USAGE, span=call.name_span)
        _check_where(nodes[name])
        edits += _expand(call, statement, named=nodes[name].args.get("alias") is not None)
    return write_expansion(statement, edits)


def _expand(call: SearchCall, statement: Statement, *, named: bool) -> list[Edit]:
    """The text before and behind the rows, which stay as they are."""
    rows, arguments = _read_arguments(call)
    columns = _read_columns(arguments["columns"])
    numbered = number_parameters(statement)
    top = _read_top(arguments["top"], statement, numbered) if "top" in arguments else _TOP
    values = [f"{_ROW}_{number}" for number in range(len(columns))]
    read = ", ".join(f"{quote_name(column)} AS {value}" for column, value in zip(columns, values, strict=True))
    parts = [
        f"SELECT {place} AS place, {quote_text(column)} AS facet, {_ROW}, "
        f"CAST(unnest([{value}], max_depth := 2) AS VARCHAR) AS value FROM {_ROWS} "
        f"UNION SELECT {place}, {quote_text(column)}, {_ROW}, NULL FROM {_ROWS} WHERE {value} IS NULL"
        for place, (column, value) in enumerate(zip(columns, values, strict=True))
    ]
    head = f"(WITH {_ROWS} AS MATERIALIZED (SELECT row_number() OVER () AS {_ROW}, {read} FROM "
    tail = (
        f" AS {_ROWS}_read), {_VALUES} AS ({' UNION '.join(parts)}), {_COUNTS} AS ("
        f'SELECT place, facet, value, count(*) AS "count", count(*) / (SELECT count(*) FROM {_ROWS}) AS share, '
        f"row_number() OVER (PARTITION BY place ORDER BY count(*) DESC, value ASC NULLS LAST) AS rank FROM {_VALUES} "
        f'GROUP BY place, facet, value) SELECT facet, value, "count", share FROM {_COUNTS} '
        f"WHERE ({top}) IS NULL OR rank <= ({top}) ORDER BY place ASC, rank ASC)" + ("" if named else f" AS {FACETS}")
    )
    if len(rows.tokens) == 1 and rows.tokens[0].token_type is TokenType.STRING:
        return [Edit(call.span, head + quote_name(rows.tokens[0].text) + tail)]
    return [Edit(Span(call.span.start, rows.span.start), head), Edit(Span(rows.span.end, call.span.end), tail)]


def _check_where(node: exp.Table) -> None:
    """Refuses a predicate on the rows where only facets are: WHERE beside a search would be its filter."""
    owner, alias = node.find_ancestor(exp.Select), node.args.get("alias")
    where = None if owner is None else owner.args.get("where")
    if where is None or owner is None or owner.args.get("joins") or owner.parent_select is not None:
        return
    if alias is not None and alias.args.get("columns"):
        return
    for column in where.find_all(exp.Column):
        inside = column.find_ancestor(exp.Select) is owner and column.find_ancestor(exp.Lambda) is None
        if inside and column.name.lower() not in _COLUMNS:
            start, end = column.this.meta.get("start"), column.this.meta.get("end")
            raise UnknownColumnError(
                f"facets() has no column '{column.name}': it has {', '.join(_COLUMNS)}",
                hint="filter the rows that are counted: facets((SELECT * FROM … WHERE …), …)",
                span=None if start is None or end is None else Span(start, end + 1),
            )


def _read_arguments(call: SearchCall) -> tuple[Argument, dict[str, Argument]]:
    if not call.arguments or call.arguments[0].name is not None:
        raise ArgumentError(
            "facets() needs the rows it counts first: a search, a table, a subquery or the name of a CTE",
            hint=_USAGE,
            span=call.name_span,
        )
    found: dict[str, Argument] = {}
    for place, argument in enumerate(call.arguments[1:]):
        if argument.name is None and place >= len(_POSITIONS):
            raise ArgumentError("facets() takes no more arguments", hint=_USAGE, span=argument.span)
        name = _POSITIONS[place] if argument.name is None else argument.name.lower()
        name = _SYNONYMS.get(name, name)
        if name not in _POSITIONS:
            near = nearest_name(name, [*_POSITIONS, *_SYNONYMS])
            raise ArgumentError(
                f"facets() has no argument '{argument.name}'",
                hint=f"did you mean '{near}'? {_USAGE}" if near else _USAGE,
                span=argument.name_span,
            )
        if name in found:
            raise ArgumentError(f"argument '{name}' is given twice", span=argument.name_span)
        found[name] = argument
    if "columns" not in found:
        raise ArgumentError("facets() needs the columns it counts by", hint=_USAGE, span=call.name_span)
    return call.arguments[0], found


def _read_columns(argument: Argument) -> list[str]:
    """A list of names, as texts or bare, or one of them."""
    tokens = list(argument.tokens)
    if tokens[0].token_type is TokenType.L_BRACKET and tokens[-1].token_type is TokenType.R_BRACKET:
        tokens = tokens[1:-1]
    names = [token.text for token in tokens[::2]]
    listed = all(token.token_type is TokenType.COMMA for token in tokens[1::2]) and len(tokens) % 2 == 1
    if not listed or any(
        token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER) and not token.text.isidentifier()
        for token in tokens[::2]
    ):
        raise ArgumentError("'columns' is a list of column names", hint=_USAGE, span=argument.span)
    for place, token in enumerate(tokens[::2]):
        if token.text.lower() in [name.lower() for name in names[:place]]:
            raise ArgumentError(f"column '{token.text}' is named twice", span=Span(token.start, token.end + 1))
    return names


def _read_top(argument: Argument, statement: Statement, numbered: list[Edit]) -> str:
    literal = read_literal(argument.tokens)
    value = None if literal is None else literal.value
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ArgumentError(
            f"'top' is how many values of a column are listed, a whole number from 0, not {value!r}",
            hint="top => NULL lists all of them",
            span=argument.span,
        )
    return splice(statement.sql, numbered, argument.span)
