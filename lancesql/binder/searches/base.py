"""`vector_search((SELECT … FROM docs …), …)`: a subquery as what is searched, written out before a statement is bound.

A subquery that only filters one table is a search of that table with the filter; any other one is a search of the table
among the rows the subquery has, joined with those rows again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from lancesql.binder.filters.conjuncts import is_computed, is_volatile
from lancesql.binder.literals import read_literal
from lancesql.binder.qualifiers import expand_qualifiers
from lancesql.binder.scope import Relation, Scope, find_owner_node, read_scope
from lancesql.binder.shape import read_limit
from lancesql.binder.splice import Edit, splice, write_expansion
from lancesql.binder.tables import find_lance_table, name_alias, table_span
from lancesql.catalog import Catalog
from lancesql.errors import LanceSQLError, Span, UnsupportedError
from lancesql.parser import Statement, parse_expression, parse_statement, read_tokens
from lancesql.parser.calls import Argument, SearchCall
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.expansion import Expansion
from lancesql.plan.sources import DISTANCE, RANK_TEXT, RANK_VECTOR, RELEVANCE, ROW_ID, SCORE

__all__ = ["FOUND", "expand_bases"]

_SCORES = {
    "vector_search": (DISTANCE,),
    "fts": (SCORE,),
    "hybrid_search": (RELEVANCE, DISTANCE, SCORE, RANK_VECTOR, RANK_TEXT),
}
FOUND = "__lancesql_found"
"""What a search among the rows of a subquery is called: the rows are its filter."""
_ROW, _BASE = "__lancesql_row", "__lancesql_base"


@dataclass(frozen=True)
class Base:
    """The subquery of a call, read.

    Attributes:
        text: The subquery, without the parentheses around it.
        table: Its Lance table as it is written, with `AT (…)`.
        alias: What the table is called in it.
        simple: Whether it has no other relation, and no expression in its SELECT list.
        columns: The text of the SELECT list.
        where: The text of WHERE, or "".
    """

    text: str
    table: str
    alias: str
    simple: bool
    columns: str
    where: str


def expand_bases(statement: Statement, catalog: Catalog) -> Expansion | None:
    """The statement with every search over a subquery written out; None when there is none.

    Raises:
        UnsupportedError: When the subquery is more than rows of one Lance table joined with others.
    """
    found = {name: call for name, call in statement.stand_ins.items() if _has_base(call)}
    if not found:
        return None
    edits: list[Edit] = []
    for node in statement.tree.find_all(exp.Table):
        if node.name in found:
            edits += _expand(found[node.name], node, statement, catalog)
    return write_expansion(statement, edits)


def _has_base(call: SearchCall) -> bool:
    tokens = call.arguments[0].tokens if call.arguments else ()
    return len(tokens) > 2 and tokens[0].token_type is TokenType.L_PAREN


def _expand(call: SearchCall, node: exp.Table, statement: Statement, catalog: Catalog) -> list[Edit]:
    """The text before and behind the call's other arguments, which stay as they are."""
    first = call.arguments[0]
    base = _read_base(call, first, statement, catalog)
    owner = find_owner_node(node)
    scope = read_scope(owner) if owner is not None else None
    alias = node.alias or call.function
    predicates, k = _read_block(call, node, scope, alias, statement, catalog)
    scores = _SCORES[call.function]
    if base.simple:
        conditions = [f"({base.where})"] if base.where else []
        conditions += [f"({_requalify(text, alias, base.alias)})" for text in predicates]
        shown = base.columns if base.columns.strip() == "*" else f"{base.columns}, {', '.join(scores)}"
        head = f"(SELECT {shown} FROM {call.function}({base.table}"
        tail = f"{k}) AS {_quote(base.alias)}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "") + ")"
    else:
        rows = _write_rows(base, alias, predicates)
        order = f"{scores[0]}{'' if scores[0] == DISTANCE else ' DESC'}"
        shown = ", ".join(f"{FOUND}.{score}" for score in scores)
        head = f"(SELECT {_BASE}.* EXCLUDE ({_ROW}), {shown} FROM {call.function}({base.table}"
        tail = (
            f"{k}) AS {FOUND} JOIN ({rows}) AS {_BASE} ON {_BASE}.{_ROW} = {FOUND}.{ROW_ID}"
            f" WHERE {FOUND}.{ROW_ID} IN (SELECT {_ROW} FROM ({rows}))"
            f" ORDER BY {FOUND}.{order}, {FOUND}.{ROW_ID}{_write_limit(call, k, statement)})"
        )
    edits = [Edit(Span(call.span.start, first.span.end), head), Edit(Span(call.span.end - 1, call.span.end), tail)]
    if node.args.get("alias") is None:
        edits[1] = Edit(edits[1].span, f"{tail} AS {_quote(alias)}")
    return edits


def _read_base(call: SearchCall, argument: Argument, statement: Statement, catalog: Catalog) -> Base:
    if call.function not in _SCORES:
        raise UnsupportedError(
            f"{call.function}() searches a table, not a subquery",
            hint=f"{call.function.removeprefix('lance_')}() does",
            span=argument.span,
        )
    numbered = [Edit(one.span, f"${one.name}") for one in statement.parameters if one.anonymous]
    text = splice(statement.sql, numbered, Span(argument.span.start + 1, argument.span.end - 1))
    try:
        inner = parse_statement(text)
        expansion = expand_qualifiers(inner, catalog)
        if expansion is not None:
            text = expansion.text
            inner = parse_statement(text)
    except LanceSQLError as error:
        error.span = argument.span
        raise
    tree = inner.tree
    if not isinstance(tree, exp.Select) or tree.args.get("with_") or not is_word(inner.tokens[0], "SELECT"):
        raise _refuse("is one SELECT … FROM a Lance table", argument)
    if inner.stand_ins:
        raise _refuse("holds no search of its own", argument)
    changes = ("group", "having", "distinct", "qualify", "windows", "sample", "limit", "offset", "order", "laterals")
    changed = next((name for name in changes if tree.args.get(name)), None)
    if changed is not None or any(next(item.find_all(exp.AggFunc, exp.Window), None) for item in tree.expressions):
        raise _refuse("keeps its rows as they are: without groups, aggregates, DISTINCT, ORDER BY and LIMIT", argument)
    if is_volatile(read_tokens(text), catalog):
        raise _refuse("calls no function that answers differently each time", argument)
    scope = read_scope(tree)
    node = scope.relations[0].node if scope.relations else None
    span = table_span(node) if isinstance(node, exp.Table) else None
    if not isinstance(node, exp.Table) or span is None or scope.relations[0].nullable or scope.relations[0].paired:
        raise _refuse("starts with a Lance table: FROM docs …", argument)
    try:
        table = find_lance_table(node, span, text, catalog, None)
    except LanceSQLError as error:
        error.span = argument.span
        raise
    if table is None:
        raise _refuse("starts with a Lance table: FROM docs …", argument)
    at = next((one.span for one in inner.at_clauses if not text[span.end : one.span.start].strip()), None)
    block = inner.token_tree.read_block(span.start)
    columns = block.clauses["SELECT"]
    where = block.clauses.get("WHERE")
    plain = all(
        isinstance(item, exp.Column | exp.Star) and not (isinstance(item, exp.Star) and any(item.args.values()))
        for item in tree.expressions
    )
    starred = any(isinstance(item, exp.Star) for item in tree.expressions)
    return Base(
        text=text,
        table=text[span.start : span.end] + (f" {text[at.start : at.end]}" if at is not None else ""),
        alias=node.alias or name_alias(node.name),
        simple=len(scope.relations) == 1 and plain and (not starred or len(tree.expressions) == 1),
        columns=text[columns.start : columns.end],
        where=text[where.start : where.end] if where is not None else "",
    )


def _refuse(what: str, argument: Argument) -> UnsupportedError:
    return UnsupportedError(
        f"a subquery that is searched {what}",
        hint="CREATE TABLE … AS SELECT … makes a table of any other query",
        span=argument.span,
    )


def _read_block(
    call: SearchCall, node: exp.Table, scope: Scope | None, alias: str, statement: Statement, catalog: Catalog
) -> tuple[list[str], str]:
    """The predicates of the block that are the search's filter, and the `k => …` its LIMIT says."""
    arguments = {(one.name or "").lower(): one for one in call.arguments}
    if "prefilter" in arguments:
        raise UnsupportedError(
            "a search over a subquery takes WHERE before the top-k",
            hint="put the predicate around the query: SELECT * FROM (SELECT … FROM vector_search(…)) WHERE …",
            span=arguments["prefilter"].name_span,
        )
    own = scope.of(node) if scope is not None else None
    if scope is None or own is None:
        return [], ""
    block = statement.token_tree.read_block(call.span.start)
    alone = len(scope.relations) == 1
    before = _find_before(call, scope, own, statement)
    inner = [span for join in block.joins if join.inner for span in join.conjuncts]
    outer = [span for join in block.joins if not join.inner for span in join.conjuncts]
    numbered = [Edit(one.span, f"${one.name}") for one in statement.parameters if one.anonymous]
    chosen, rest = [], list(outer)
    for span in (*block.where, *inner):
        text = splice(statement.sql, numbered, span)
        tree = parse_expression(text)
        columns = list(tree.find_all(exp.Column)) if tree is not None else []
        plain = tree is not None and columns and not tree.find(exp.Select, exp.Columns, exp.Lambda)
        reads_own = _reads_own(columns, alias, before, alone=alone)
        if plain and reads_own and not own.nullable and not is_volatile(read_tokens(text), catalog):
            chosen.append(text)
        else:
            rest.append(span)
    if {"k", "top_k", "num_results"} & set(arguments):
        return chosen, ""
    values = read_limit(scope, block, statement, tuple(rest), call.function)
    texts = [statement.sql[value.span.start : value.span.end] for value in values if value.span is not None]
    texts = [splice(statement.sql, numbered, value.span) for value in values if value.span is not None] or texts
    return chosen, f", k => {' + '.join(texts)}" if texts else ""


def _find_before(call: SearchCall, scope: Scope, own: Relation, statement: Statement) -> set[str]:
    """The relations whose columns are constants for the search: those before one that is carried out for each row."""
    before = {one.alias for one in scope.relations[: scope.relations.index(own)]}
    trees = [parse_expression(statement.sql[one.span.start : one.span.end]) for one in call.arguments[1:]]
    named = {one.parts[0].name.lower() for tree in trees if tree is not None for one in tree.find_all(exp.Column)}
    return before if call.lateral is not None or named & before else set()


def _reads_own(columns: list[exp.Column], alias: str, before: set[str], *, alone: bool) -> bool:
    """Whether the columns are the call's own, one at least, and those of relations before it."""
    if any(is_computed(column.name.lower()) for column in columns):
        return False
    owners = [column.parts[0].name.lower() if len(column.parts) > 1 else "" for column in columns]
    own = {alias.lower(), *([""] if alone else [])}
    return any(owner in own for owner in owners) and all(owner in own | before for owner in owners)


def _requalify(text: str, alias: str, base: str) -> str:
    """A predicate on the call's columns as one on the table's."""
    tree = parse_expression(text)
    edits = []
    for column in tree.find_all(exp.Column) if tree is not None else ():
        first = column.parts[0]
        if len(column.parts) > 1 and first.name.lower() == alias.lower():
            edits.append(Edit(Span(first.meta["start"], first.meta["end"] + 1), _quote(base)))
    return splice(text, edits)


def _write_rows(base: Base, alias: str, predicates: list[str]) -> str:
    """The subquery's rows, each with the id of the table's row it comes from."""
    at = base.text.lower().index(base.columns.lower()) + len(base.columns)
    rows = f"{base.text[:at]}, {_quote(base.alias)}.{ROW_ID} AS {_ROW} {base.text[at:]}"
    if not predicates:
        return rows
    return f"SELECT * FROM ({rows}) AS {_quote(alias)} WHERE {' AND '.join(f'({text})' for text in predicates)}"


def _write_limit(call: SearchCall, k: str, statement: Statement) -> str:
    if k:
        return f" LIMIT {k.removeprefix(', k => ')}"
    given = next((one for one in call.arguments if (one.name or "").lower() in ("k", "top_k", "num_results")), None)
    if given is None:
        return "" if call.function == "fts" else " LIMIT 10"
    constant = read_literal(given.tokens)
    if constant is not None and constant.value is None:
        return ""
    numbered = [Edit(one.span, f"${one.name}") for one in statement.parameters if one.anonymous]
    return f" LIMIT {splice(statement.sql, numbered, given.span)}"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
