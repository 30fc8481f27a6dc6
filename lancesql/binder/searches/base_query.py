"""What a search over a query reads: the one Lance table, and the rows and columns the query makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from lancesql.binder.filters.conjuncts import is_computed, is_volatile
from lancesql.binder.qualifiers import expand_qualifiers
from lancesql.binder.scope import read_scope
from lancesql.binder.splice import Edit, splice
from lancesql.binder.tables import find_lance_table, name_alias, table_span
from lancesql.catalog import Catalog
from lancesql.errors import LanceSQLError, Span, UnknownColumnError, UnsupportedError, nearest_name
from lancesql.parser import Statement, parse_expression, parse_statement, read_tokens
from lancesql.parser.blocks import TokenTree
from lancesql.parser.tokens import find_closing, is_word
from lancesql.plan.sources import ROW_ID
from lancesql.plan.spelling import quote_name

from .named_queries import NamedQueries

__all__ = ["ROW", "BaseQuery", "read_base_query", "requalify"]

ROW = "__lancesql_row"
"""What the id of the table's row is called, in each row of a query."""


@dataclass(frozen=True)
class BaseQuery:
    """A query over one Lance table, read.

    Attributes:
        table: The Lance table as it is written, with `AT (…)`.
        alias: What the table is called in the query.
        simple: Whether it has no other relation, and no expression in its SELECT list.
        columns: The text of the SELECT list, when it is simple.
        names: The columns it has, in lower case; None when they are not known.
        types: Those of its columns that are columns of the table, by their names in lower case.
        where: The text of WHERE, or "", when it is simple.
        rows: The query, each row with the id of the table's row it comes from as `ROW`.
        all_columns: Those of the table.
    """

    table: str
    alias: str
    simple: bool
    columns: str
    names: frozenset[str] | None
    where: str
    rows: str
    all_columns: tuple[str, ...] = ()
    types: Mapping[str, pa.DataType] = field(default_factory=dict)


def read_base_query(text: str, names: NamedQueries, catalog: Catalog) -> BaseQuery:
    """Reads the query that is searched.

    Args:
        text: The query, without parentheses around it.
        names: What its names mean, other than tables.
        catalog: Answers about names.

    Raises:
        UnsupportedError: When it is more than rows of one Lance table joined with others.
    """
    span = names.span
    text = _write_select(text)
    try:
        query = parse_statement(text)
        expansion = expand_qualifiers(query, catalog)
        if expansion is not None:
            text = expansion.text
            query = parse_statement(text)
    except LanceSQLError as error:
        error.span = span
        raise
    tree = _require_rows(query, span)
    if is_volatile(read_tokens(text), catalog):
        raise _refuse("calls no function that answers differently each time", span)
    relations = read_scope(tree).relations
    if not relations or relations[0].nullable or relations[0].paired:
        raise _refuse("starts with a Lance table: FROM docs …", span)
    node, alone = relations[0].node, len(relations) == 1 and _is_plain(tree, relations[0].alias)
    clauses = query.token_tree.read_block(query.tokens[0].start).clauses
    where = clauses.get("WHERE")
    nested = _find_nested(node, query, clauses["FROM"], names)
    if nested is None:
        return _read_over_table(node, tree, query, alone=alone, span=span, catalog=catalog)
    place, inner_text, inner_names = nested
    inner = read_base_query(inner_text, inner_names, catalog)
    alias = node.alias_or_name
    edits = [Edit(place, f"({inner.rows})" + (f" AS {quote_name(alias)}" if alias and not node.alias else ""))]
    if not _has_star_of(tree, alias):
        qualifier = f"{quote_name(alias)}." if alias else ""
        edits.append(Edit(Span(clauses["SELECT"].end, clauses["SELECT"].end), f", {qualifier}{ROW}"))
    rows = splice(text, edits)
    condition = text[where.start : where.end] if where is not None else ""
    own = _read_column_names(node) | inner.names if inner.names is not None else None
    if len(relations) == 1:
        _check_names(tree, own, span)
    if alone and inner.simple and not _read_column_names(node) and not _reads_more(tree):
        return _merge(inner, tree, alias, condition, rows)
    types = {} if _read_column_names(node) else _read_types(tree, alias, inner.types)
    return BaseQuery(inner.table, inner.alias, False, "", _read_names(tree, alias, own), "", rows, types=types)


def _read_over_table(
    node: exp.Expr, tree: exp.Select, query: Statement, *, alone: bool, span: Span, catalog: Catalog
) -> BaseQuery:
    """A query whose first relation is the Lance table itself."""
    text = query.sql
    place = table_span(node) if isinstance(node, exp.Table) else None
    if not isinstance(node, exp.Table) or place is None:
        raise _refuse("starts with a Lance table: FROM docs …", span)
    try:
        table = find_lance_table(node, place, text, catalog, None)
    except LanceSQLError as error:
        error.span = span
        raise
    if table is None:
        raise _refuse("starts with a Lance table: FROM docs …", span)
    clauses = query.token_tree.read_block(place.start).clauses
    columns, where = clauses["SELECT"], clauses.get("WHERE")
    at = next((one.span for one in query.at_clauses if not text[place.end : one.span.start].strip()), None)
    alias = node.alias or name_alias(node.name)
    if len(read_scope(tree).relations) == 1:
        _check_names(tree, None, span)
    return BaseQuery(
        table=text[place.start : place.end] + (f" {text[at.start : at.end]}" if at is not None else ""),
        alias=alias,
        simple=alone,
        columns=text[columns.start : columns.end],
        names=_read_names(tree, alias, frozenset(map(str.lower, table.schema.names))),
        where=text[where.start : where.end] if where is not None else "",
        rows=splice(text, [Edit(Span(columns.end, columns.end), f", {quote_name(alias)}.{ROW_ID} AS {ROW}")]),
        all_columns=tuple(table.schema.names),
        types=_read_types(tree, alias, {one.name.lower(): one.type for one in table.schema}),
    )


def _write_select(text: str) -> str:
    """`FROM docs WHERE …` and `TABLE docs` with the SELECT they leave out."""
    tokens = read_tokens(text)
    if is_word(tokens[0], "TABLE"):
        return f"SELECT * FROM{text[tokens[0].end + 1 :]}"
    tree = TokenTree(tokens)
    is_short = not any(
        is_word(token, "SELECT") for token, parent in zip(tokens, tree.parent, strict=True) if parent < 0
    )
    return f"SELECT * {text}" if is_short and is_word(tokens[0], "FROM") else text


def _require_rows(query: Statement, span: Span) -> exp.Select:
    tree = query.tree
    if not isinstance(tree, exp.Select) or tree.args.get("with_") or not is_word(query.tokens[0], "SELECT"):
        raise _refuse("is one SELECT … FROM a Lance table", span)
    if query.stand_ins:
        raise _refuse("holds no search of its own", span)
    changes = ("group", "having", "distinct", "qualify", "windows", "sample", "limit", "offset", "order", "laterals")
    changed = next((name for name in changes if tree.args.get(name)), None)
    counted = tree.find_all(exp.AggFunc, exp.Window)
    if changed is not None or any(one.find_ancestor(exp.Select) is tree for one in counted):
        raise _refuse("keeps its rows as they are: without groups, aggregates, DISTINCT, ORDER BY and LIMIT", span)
    return tree


def _find_nested(
    node: exp.Expr, query: Statement, source: Span, names: NamedQueries
) -> tuple[Span, str, NamedQueries] | None:
    """Where another query stands as the first relation, its text, and what names mean in it."""
    if isinstance(node, exp.Table):
        found = names.find(node.name) if node.args.get("db") is None else None
        place = table_span(node)
        return (place, *found) if place is not None and found is not None else None
    if not isinstance(node, exp.Subquery) or not isinstance(node.this, exp.Select):
        return None
    tokens = query.tokens
    opening = query.token_tree.find_token(source.start)
    closing = find_closing(tokens, opening)
    text = query.sql[tokens[opening].end + 1 : tokens[closing].start]
    return Span(tokens[opening].start, tokens[closing].end + 1), text, names


def _is_plain(tree: exp.Select, alias: str) -> bool:
    """Whether the SELECT list is columns of its one relation alone, or a star alone."""
    items = tree.expressions
    if any(isinstance(item, exp.Star) for item in items):
        return len(items) == 1 and not any(items[0].args.values())
    return all(
        isinstance(item, exp.Column)
        and not isinstance(item.this, exp.Star)
        and [part.name.lower() for part in item.parts[:-1]] in ([], [alias])  # else a field
        for item in items
    )


def _has_star_of(tree: exp.Select, alias: str) -> bool:
    """Whether all columns of the first relation are selected, the id of the row among them."""
    for item in tree.expressions:
        if isinstance(item, exp.Star):
            return True
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Star) and item.table.lower() == alias.lower():
            return True
    return False


def _read_column_names(node: exp.Expr) -> frozenset[str]:
    """The names that an alias gives the first columns: `AS t(a, b)`."""
    alias = node.args.get("alias")
    return frozenset(one.name.lower() for one in alias.args.get("columns") or ()) if alias is not None else frozenset()


def _read_names(tree: exp.Select, alias: str, own: frozenset[str] | None) -> frozenset[str] | None:
    """The names of a SELECT list, where `own` are those of the first relation, in lower case."""
    names: set[str] = set()
    for item in tree.expressions:
        star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
        if isinstance(star, exp.Star):
            is_first = isinstance(item, exp.Column) and item.table.lower() == alias.lower()
            is_alone = item is star and len(read_scope(tree).relations) == 1
            if own is None or not (is_first or is_alone) or star.args.get("rename"):
                return None
            names |= own - {column.name.lower() for column in star.args.get("except_") or ()}
        elif item.find(exp.Star, exp.Columns) is not None or not item.alias_or_name:
            return None  # names that only the engine knows
        else:
            names.add(item.alias_or_name.lower())
    return frozenset(names)


def _read_types(tree: exp.Select, alias: str, own: Mapping[str, pa.DataType]) -> dict[str, pa.DataType]:
    """The types of the columns that a SELECT list passes on, where `own` are those of the first relation."""
    types: dict[str, pa.DataType] = {}
    qualifiers = [[alias.lower()]] if len(read_scope(tree).relations) > 1 else [[], [alias.lower()]]
    for item in tree.expressions:
        column = item.unalias()
        is_own = isinstance(column, exp.Column) and [one.name.lower() for one in column.parts[:-1]] in qualifiers
        if isinstance(column, exp.Star) or (is_own and isinstance(column.this, exp.Star)):
            types |= own if is_own or [] in qualifiers else {}
        elif is_own and column.name.lower() in own:
            types[item.alias_or_name.lower()] = own[column.name.lower()]
    return types


def _check_names(tree: exp.Select, names: frozenset[str] | None, span: Span) -> None:
    """The columns of the search around it are none of the query's: DuckDB would find them there.

    Raises:
        UnknownColumnError: When the query names a column that its one relation does not have.
    """
    given = {item.alias.lower() for item in tree.expressions if item.alias}
    for column in tree.find_all(exp.Column):
        name = column.name.lower()
        if column.find_ancestor(exp.Select) is not tree or len(column.parts) > 1 or isinstance(column.this, exp.Star):
            continue
        if name in given or column.find_ancestor(exp.Lambda) is not None:
            continue
        if is_computed(name) or (names is not None and name not in names):
            near = nearest_name(name, names or ())
            raise UnknownColumnError(
                f"the query that is searched has no column '{column.name}' there",
                hint=f"did you mean '{near}'?" if near else "",
                span=span,
            )


def _reads_more(tree: exp.Select) -> bool:
    """Whether a query reads more than the columns of its one relation, or names them with a database."""
    nested = tree.find(exp.Subquery, exp.Exists, exp.Columns, exp.Lambda) is not None
    return nested or any(column.db for column in tree.find_all(exp.Column))


def _merge(inner: BaseQuery, tree: exp.Select, alias: str, where: str, rows: str) -> BaseQuery:
    """One simple query for one within another."""
    starred = isinstance(tree.expressions[0], exp.Star)
    named = ", ".join(f"{quote_name(inner.alias)}.{quote_name(item.name)}" for item in tree.expressions)
    conditions = [text for text in (inner.where, requalify(where, alias, inner.alias, inner.names)) if text]
    return BaseQuery(
        table=inner.table,
        alias=inner.alias,
        simple=True,
        columns=inner.columns if starred else named,
        names=inner.names if starred else frozenset(item.name.lower() for item in tree.expressions),
        where=" AND ".join(f"({text})" for text in conditions),
        rows=rows,
        all_columns=inner.all_columns,
        types=_read_types(tree, alias, inner.types),
    )


def requalify(text: str, alias: str, base: str, names: frozenset[str] | None) -> str:
    """A predicate on the columns of `alias`, which are called `names`, as one on those of `base`."""
    tree = parse_expression(text) if text else None
    edits = []
    for column in tree.find_all(exp.Column) if tree is not None else ():
        first, *others = column.parts
        if not others or first.name.lower() != alias.lower():
            continue
        is_field = names is not None and alias.lower() in names and others[0].name.lower() not in names
        if not is_field:
            edits.append(Edit(Span(first.meta["start"], first.meta["end"] + 1), quote_name(base)))
    return splice(text, edits)


def _refuse(what: str, span: Span) -> UnsupportedError:
    return UnsupportedError(
        f"a subquery that is searched {what}",
        hint="CREATE TABLE … AS SELECT … makes a table of any other query",
        span=span,
    )
