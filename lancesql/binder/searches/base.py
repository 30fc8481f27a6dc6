"""`vector_search((SELECT … FROM docs …), …)`: a query as what is searched, written out before a statement is bound.

A query that only filters one table is a search of that table with the filter; any other one is a search of the table
among the rows the query has, joined with those rows again.
"""

from __future__ import annotations

from sqlglot import exp

from lancesql.binder.literals import read_literal
from lancesql.binder.scope import find_owner_node, read_scope
from lancesql.binder.splice import Edit, number_parameters, splice, write_expansion
from lancesql.catalog import Catalog
from lancesql.errors import Span, UnsupportedError
from lancesql.parser import Statement
from lancesql.parser.calls import SearchCall
from lancesql.parser.tokens import TokenType
from lancesql.plan.expansion import Expansion
from lancesql.plan.sources import DISTANCE, RANK_TEXT, RANK_VECTOR, RELEVANCE, ROW_ID, SCORE
from lancesql.plan.spelling import quote_name

from .base_filter import read_base_filter
from .base_query import ROW, BaseQuery, read_base_query, requalify
from .named_queries import NamedQueries, read_name

__all__ = ["FOUND", "expand_bases"]

_SCORES = {
    "vector_search": (DISTANCE,),
    "fts": (SCORE,),
    "hybrid_search": (RELEVANCE, DISTANCE, SCORE, RANK_VECTOR, RANK_TEXT),
}
FOUND = "__lancesql_found"
"""What a search among the rows of a subquery is called: the rows are its filter."""
_BASE = "__lancesql_base"


def expand_bases(statement: Statement, catalog: Catalog) -> Expansion | None:
    """The statement with every search over a query written out; None when there is none.

    Raises:
        UnsupportedError: When the query is more than rows of one Lance table joined with others.
    """
    edits: list[Edit] = []
    for node in statement.tree.find_all(exp.Table):
        call = statement.stand_ins.get(node.name)
        base = _read_base(call, node, statement, catalog) if call is not None and call.arguments else None
        if call is not None and base is not None:
            edits += _expand(call, base, node, statement, catalog)
    return write_expansion(statement, edits) if edits else None


def _read_base(call: SearchCall, node: exp.Table, statement: Statement, catalog: Catalog) -> BaseQuery | None:
    """The query that a call searches; None when it is a table."""
    first = call.arguments[0]
    names = NamedQueries(statement, node, first.span, node)
    name = read_name(first)
    if name is not None:
        found = names.find(name)
        if found is None:
            return None
        text, names = found
    elif len(first.tokens) > 2 and first.tokens[0].token_type is TokenType.L_PAREN:
        numbered = number_parameters(statement)
        text = splice(statement.sql, numbered, Span(first.span.start + 1, first.span.end - 1))
    else:
        return None
    if call.function not in _SCORES:
        raise UnsupportedError(
            f"{call.function}() searches a table, not a subquery",
            hint=f"{call.function.removeprefix('lance_')}() does",
            span=first.span,
        )
    return read_base_query(text, names, catalog)


def _expand(call: SearchCall, base: BaseQuery, node: exp.Table, statement: Statement, catalog: Catalog) -> list[Edit]:
    """The text before and behind the call's other arguments, which stay as they are."""
    first = call.arguments[0]
    owner = find_owner_node(node)
    scope = read_scope(owner) if owner is not None else None
    alias = node.alias or call.function
    around = read_base_filter(call, node, scope, base, statement, catalog)
    predicates, k = around.predicates, around.k
    scores = _SCORES[call.function]
    if base.simple and around.flat:
        conditions = [f"({base.where})"] if base.where else []
        conditions += [f"({requalify(text, alias, base.alias, base.names)})" for text in predicates]
        shown = base.columns if base.columns.strip() == "*" else f"{base.columns}, {', '.join(scores)}"
        if shown != base.columns and _asks_which(call, statement):
            others = ", ".join(map(quote_name, (*base.all_columns, *scores)))
            shown = f"{quote_name(base.alias)}.* EXCLUDE ({others}), {shown}"  # query_index, when there are several
        head = f"(SELECT {shown} FROM {call.function}({base.table}"
        tail = f"{k}) AS {quote_name(base.alias)}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "") + ")"
    else:
        rows = _write_rows(base, alias, predicates)
        order = f"{scores[0]}{'' if scores[0] == DISTANCE else ' DESC'}"
        shown = ", ".join(f"{FOUND}.{score}" for score in scores)
        head = f"(SELECT {_BASE}.* EXCLUDE ({ROW}), {shown} FROM {call.function}({base.table}"
        tail = (
            f"{k}) AS {FOUND} JOIN ({rows}) AS {_BASE} ON {_BASE}.{ROW} = {FOUND}.{ROW_ID}"
            f" WHERE {FOUND}.{ROW_ID} IN (SELECT {ROW} FROM ({rows}))"
            f" ORDER BY {FOUND}.{order}, {FOUND}.{ROW_ID}{_write_limit(call, k, statement)})"
        )
    edits = [Edit(Span(call.span.start, first.span.end), head), Edit(Span(call.span.end - 1, call.span.end), tail)]
    if node.args.get("alias") is None:
        edits[1] = Edit(edits[1].span, f"{tail} AS {quote_name(alias)}")
    return [*edits, *(Edit(span, "true") for span in around.settled)]


def _asks_which(call: SearchCall, statement: Statement) -> bool:
    """Whether several vectors are searched for, and the rows are to say which of them found each."""
    if call.function != "vector_search":
        return False
    constants = [read_literal(one.tokens) for one in call.arguments[1:] if one.name is None]
    written = [one.value for one in constants if one is not None and isinstance(one.value, list | tuple)]
    is_several = any(isinstance(value, list | tuple | str) for one in written for value in one)
    return is_several or "query_index" in statement.sql.lower()


def _write_rows(base: BaseQuery, alias: str, predicates: tuple[str, ...]) -> str:
    """The query's rows that meet the predicates, each with the id of the table's row it comes from."""
    if not predicates:
        return base.rows
    return (
        f"SELECT * FROM ({base.rows}) AS {quote_name(alias)} WHERE {' AND '.join(f'({text})' for text in predicates)}"
    )


def _write_limit(call: SearchCall, k: str, statement: Statement) -> str:
    if k:
        return f" LIMIT {k.removeprefix(', k => ')}"
    given = next((one for one in call.arguments if (one.name or "").lower() in ("k", "top_k", "num_results")), None)
    if given is None:
        return "" if call.function == "fts" else " LIMIT 10"
    constant = read_literal(given.tokens)
    if constant is not None and constant.value is None:
        return ""
    numbered = number_parameters(statement)
    return f" LIMIT {splice(statement.sql, numbered, given.span)}"
