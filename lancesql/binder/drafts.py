"""The sources of a statement, found by name: searches and Lance tables, each with its place and its table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from lancesql.binder.filters.ctes import find_cte
from lancesql.binder.searches.source import SearchDraft, read_search
from lancesql.catalog import Catalog, TableInfo, VersionRef
from lancesql.errors import ParseError, Span, UnsupportedError, nearest_name
from lancesql.parser import Statement
from lancesql.parser.calls import COMBINATORS, FACETS, Argument, SearchCall
from lancesql.parser.snapshots import AtClause

from .scope import find_owner_node
from .tables import find_lance_table, may_be_lance, name_alias, read_at_clause, table_span

__all__ = ["Draft", "contains", "find_drafts", "is_named", "is_reshaped", "is_target"]

PLACEHOLDER = "__lancesql_"
_NAMED = {"this", "db", "catalog", "alias"}


@dataclass
class Draft:
    """One source while the statement is being bound.

    Attributes:
        parts: The searches that the call is a function of.
    """

    node: exp.Table
    span: Span
    alias: str
    table: TableInfo
    placeholder: str
    call: SearchCall | None = None
    arguments: dict[str, Argument] = field(default_factory=dict)
    owner: exp.Expr | None = None
    at: AtClause | None = None
    aliased: bool = True
    parts: tuple[SearchDraft, ...] = ()


def find_drafts(statement: Statement, catalog: Catalog, numbers: Iterator[int]) -> list[Draft]:
    """The searches and Lance tables of a statement, in the order of the text; `numbers` names them."""
    drafts: list[Draft] = []
    found: set[str] = set()
    for node in statement.tree.find_all(exp.Table):
        call = statement.stand_ins.get(node.name)
        span = call.span if call is not None else table_span(node)
        if span is None or (call is None and find_cte(node) is not None):
            continue
        if call is None and is_target(node):
            _refuse_write(node, span, statement, catalog)
            continue
        at = _find_at_clause(node, span, statement, call)
        parts: tuple[SearchDraft, ...] = ()
        if call is not None:
            found.add(node.name)
            search = read_search(call, at, statement, catalog)
            table, arguments, parts = search.table, search.arguments, search.parts
            alias = node.alias or call.function
        else:
            version: VersionRef | None = None
            if at is not None and may_be_lance(node, catalog):
                version = read_at_clause(at, statement.sql, catalog)
            lance_table = find_lance_table(node, span, statement.sql, catalog, version)
            if lance_table is None:
                continue
            _refuse_unread(node, span)
            table, arguments, alias = lance_table, {}, node.alias or name_alias(node.name)
        aliased = node.args.get("alias") is not None
        if not aliased:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        drafts.append(
            Draft(
                node=node,
                span=span,
                alias=alias,
                table=table,
                placeholder="",
                call=call,
                arguments=arguments,
                owner=find_owner_node(node),
                at=at,
                aliased=aliased,
                parts=parts,
            )
        )
    for name, call in statement.stand_ins.items():
        if name not in found:
            raise UnsupportedError(
                f"{call.function}() is a table function and cannot stand here",
                hint=_suggest_combinator(call, statement) or f"use it in FROM: SELECT … FROM {call.function}(…)",
                span=call.span,
            )
    drafts.sort(key=lambda draft: draft.span.start)
    for draft in drafts:
        draft.placeholder = f"{PLACEHOLDER}{next(numbers)}"
    return drafts


def _suggest_combinator(call: SearchCall, statement: Statement) -> str | None:
    """What is meant by a function around a search that has almost the name of a function of searches."""
    tree = statement.token_tree
    opening = tree.parent[tree.find_token(call.span.start)]
    around = tree.tokens[opening - 1].text if opening > 0 else ""
    near = nearest_name(around, COMBINATORS | {FACETS})
    return f"did you mean {near}({call.function}(…), …)?" if near else None


def is_target(node: exp.Table) -> bool:
    """Whether the table is what a statement writes or names, not what it reads."""
    parent = node.parent
    if isinstance(parent, exp.Schema):
        parent = parent.parent
    if isinstance(parent, exp.TruncateTable):
        return True
    if isinstance(parent, exp.Insert | exp.Create | exp.Update | exp.Delete | exp.Merge | exp.Drop | exp.Alter):
        return parent.this is node or parent.this is node.parent
    return False


def _refuse_write(node: exp.Table, span: Span, statement: Statement, catalog: Catalog) -> None:
    """A write to a Lance table that came as far as this is not one of the commands."""
    made_by_engine = statement.tree.find(exp.Create) is not None  # CREATE TEMP TABLE beside a Lance table of that name
    if made_by_engine or not may_be_lance(node, catalog) or catalog.engine_tables(node.name):
        return
    kind = statement.tokens[0].text.upper()
    raise UnsupportedError(
        f"{kind} of a Lance table is not supported",
        hint="CREATE OR REPLACE TABLE … AS SELECT … rewrites a table",
        span=span,
    )


def _refuse_unread(node: exp.Table, span: Span) -> None:
    """A version that was not found among the tokens would be left out."""
    if node.args.get("version") is not None or node.args.get("when") is not None:
        raise ParseError(
            "this version of a table is not understood", hint="AT (VERSION => 3), AT (TIMESTAMP => '…')", span=span
        )


def _find_at_clause(node: exp.Table, span: Span, statement: Statement, call: SearchCall | None) -> AtClause | None:
    searched = call.arguments[0].span if call is not None and call.arguments else None
    for clause in statement.at_clauses:
        if searched is not None and call is not None and contains(searched, clause.span):
            return clause if call.function not in COMBINATORS else None
    end = span.end
    alias = node.args.get("alias")
    ends = {end}
    if alias is not None and alias.this is not None and "end" in alias.this.meta:
        ends.add(alias.this.meta["end"] + 1)
    for clause in statement.at_clauses:
        if any(one <= clause.span.start and not statement.sql[one : clause.span.start].strip() for one in ends):
            return clause
    return None


def is_reshaped(node: exp.Expr) -> bool:
    """Whether the table is pivoted, or its columns are renamed."""
    alias = node.args.get("alias")
    return bool(node.args.get("pivots") or (alias is not None and alias.args.get("columns")))


def is_named(node: exp.Table) -> bool:
    """Whether a table is a name and an alias, and nothing else: sqlglot takes `t@1` for an alias."""
    parts = {name for name, value in node.args.items() if value}
    return parts <= _NAMED and isinstance(getattr(node.args.get("alias"), "this", None), exp.Identifier | None)


def contains(outer: Span, inner: Span) -> bool:
    """Whether one span lies within another."""
    return outer.start <= inner.start and inner.end <= outer.end
