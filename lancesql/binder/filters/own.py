"""The filter of a source: the conjuncts of WHERE and of inner joins' ON that use its base columns alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from sqlglot import exp

from lancesql.binder.literals import read_literal
from lancesql.binder.nearest.operators import spell_operators
from lancesql.binder.scope import Relation, Scope, is_within
from lancesql.binder.searches.correlation import OuterColumns
from lancesql.binder.searches.signatures import SIGNATURES
from lancesql.binder.select_aliases import list_written_columns, read_select_aliases, write_out_aliases
from lancesql.binder.splice import Edit, splice
from lancesql.binder.text_functions import bind_filter_functions
from lancesql.catalog import Catalog, TableInfo
from lancesql.errors import ArgumentError, ParseError, Span, UnknownColumnError, nearest_name
from lancesql.parser import Statement, parse_expression, read_tokens
from lancesql.parser.blocks import Block, TokenTree
from lancesql.parser.calls import Argument
from lancesql.parser.parameters import find_parameters
from lancesql.parser.text_calls import names_text_function
from lancesql.parser.tokens import TokenType, find_closing
from lancesql.plan.sources import ROW_ID, Conjunct
from lancesql.plan.text_functions import TextFunction

from .columns_beside import ColumnsBeside
from .conjuncts import find_owners, is_bound_inside, is_computed, is_volatile, refuse_unknown_columns
from .lineage import Lineage
from .null_rows import drops_null_row
from .text_matches import find_text_match

__all__ = [
    "FilterContext",
    "lateral_conditions",
    "left_conditions",
    "read_explicit_filter",
    "read_filter",
    "read_prelude",
]


@dataclass(frozen=True)
class FilterContext:
    """A block, and what is known of its sources: alias → base columns, by their names in lower case.

    `outer` is there for a search that sees other relations; `functions` grow by those that a text of a filter calls.
    """

    statement: Statement
    catalog: Catalog
    block: Block
    scope: Scope | None
    columns: Mapping[str, Mapping[str, str]]
    edits: list[Edit]
    lineage: Lineage
    outer: OuterColumns | None = None
    functions: list[TextFunction] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)


def read_filter(
    context: FilterContext, alias: str, relation: Relation | None
) -> tuple[tuple[Conjunct, ...], tuple[Span, ...]]:
    """The conjuncts that are the filter of the source called `alias`, and the spans of the block's other conjuncts."""
    if context.scope is None or relation is None:
        return (), context.block.where
    aliases = read_select_aliases(context.statement, context.block, context.scope)
    chosen: list[Conjunct] = []
    rest: list[Span] = []
    inner = [span for join in context.block.joins if join.inner for span in join.conjuncts]
    outer = [span for join in context.block.joins if not join.inner for span in join.conjuncts]
    for span in (*context.block.where, *inner):
        conjunct = _read_conjunct(context, span, alias.lower(), relation, aliases)
        if conjunct is None:
            rest.append(span)
        else:
            chosen.append(conjunct)
    for span in lateral_conditions(context, relation):
        conjunct = _read_conjunct(context, span, alias.lower(), replace(relation, nullable=False), aliases)
        if conjunct is not None:
            chosen.append(conjunct)
            outer.remove(span)
    return tuple(chosen), (*rest, *outer)


def lateral_conditions(context: FilterContext, relation: Relation) -> tuple[Span, ...]:
    """The conjuncts of the ON by which a search for each row is joined from the left: they choose among its rows."""
    if context.outer is None or not context.outer.lateral:
        return ()
    return left_conditions(relation.node, context.block)


def left_conditions(node: exp.Expr, block: Block) -> tuple[Span, ...]:
    """The conjuncts of the ON of a left join whose right side a table is; none where it stands otherwise."""
    join = node.parent
    if not isinstance(join, exp.Join) or not join.args.get("on") or str(join.args.get("side")).upper() != "LEFT":
        return ()
    place = node.this.meta["end"]
    return next((one.conjuncts for one in block.joins if one.conjuncts[0].start > place), ())


def _read_conjunct(
    context: FilterContext, span: Span, alias: str, relation: Relation, aliases: Mapping[str, Span]
) -> Conjunct | None:
    assert context.scope is not None
    text = splice(context.statement.sql, context.edits, span)
    tree = parse_expression(text)
    if tree is None:
        if relation.node.name in context.statement.stand_ins:  # its filter might be missing
            raise ParseError("this predicate beside a search cannot be read", span=span)
        return None
    draft = context.lineage.draft_of(relation)
    call = draft.call if draft is not None and "prefilter" not in draft.arguments else None
    if call is not None and SIGNATURES[call.function].prefilter:
        refuse_unknown_columns(tree, span)
    expanded = _expand_aliases(context, text, aliases, relation, span)
    if expanded is None:
        return None
    if expanded != text:
        text, tree = expanded, parse_expression(expanded)
        if tree is None:
            return None
    held = len(context.outer.values) if context.outer is not None else 0
    if context.outer is not None:
        text = context.outer.replace_in_predicate(text, tree)
        tree = parse_expression(text) or tree
    tokens = read_tokens(text)
    if (
        find_owners(tree, context.scope, context.columns, context.catalog) != {alias}
        or is_volatile(tokens, context.catalog)
        or (
            relation.nullable and not (draft and drops_null_row(text, tree, alias, draft.table.schema, context.catalog))
        )
    ):
        if context.outer is not None:
            del context.outer.values[held:]
        return None
    names = {token.text.lower() for token in tokens if token.token_type is not TokenType.STRING}
    return Conjunct(
        sql=text,
        columns=tuple(
            name
            for folded, name in context.columns[relation.alias].items()
            if folded in names or (name != ROW_ID and tree.find(exp.Columns) is not None)
        ),
        span=span,
        prelude=read_prelude(context.statement, relation.node, text, context.edits) if tree.find(exp.Select) else "",
        parameters=tuple(dict.fromkeys(use.name for use in find_parameters(tokens))),
        subquery=tree.find(exp.Select) is not None,
        match=find_text_match(tree, draft.table, context.functions) if draft is not None else None,
    )


def read_explicit_filter(
    alias: str, table: TableInfo, argument: Argument, context: FilterContext
) -> tuple[Conjunct, ...]:
    """The conjunct of `filter => '…'`.

    Raises:
        ArgumentError: When it is not a predicate on the table's own columns.
    """
    constant = read_literal(argument.tokens)
    if constant is None or not isinstance(constant.value, str):
        if constant is not None and constant.value is None:
            return ()
        raise ArgumentError(
            "filter takes a predicate as text, written in the statement",
            hint="filter => 'year > 2000'",
            span=argument.span,
        )
    text = constant.value
    try:
        tokens = read_tokens(text)
    except ParseError as error:
        raise ArgumentError(f"the filter cannot be read: {error.message}", span=argument.span) from None
    tree = parse_expression(text)
    if (
        tree is None
        or isinstance(tree, exp.Query | exp.Command)
        or any(t.token_type is TokenType.SEMICOLON for t in tokens)
    ):
        raise ArgumentError("the filter is not a predicate", hint="filter => 'year > 2000'", span=argument.span)
    edits = list(spell_operators(text, TokenTree(tokens), []))
    if names_text_function(text):
        try:
            functions, calls = bind_filter_functions(text, tokens, tree, table, context.numbers)
        except ArgumentError as error:
            error.span = argument.span
            raise
        context.functions.extend(functions)
        edits += calls
    text = splice(text, edits)
    columns = {name.lower(): name for name in table.schema.names}
    for column in tree.find_all(exp.Column):
        parts = [part.name.lower() for part in column.parts]
        name = parts[1] if len(parts) > 1 and parts[0] == alias.lower() else parts[0]
        if name not in columns and name != "_rowid" and column.find_ancestor(exp.Select, exp.Lambda) is None:
            near = nearest_name(name, columns)
            raise UnknownColumnError(
                f"the filter names '{name}', which table '{table.name}' does not have",
                hint=f"did you mean '{near}'?" if near else f"columns: {', '.join(table.schema.names)}",
                span=argument.span,
            )
    names = {token.text.lower() for token in tokens if token.token_type is not TokenType.STRING}
    return (
        Conjunct(
            sql=f"({text})" if tree.find(exp.Or) else text,
            columns=tuple(name for name in table.schema.names if name.lower() in names),
            span=argument.span,
            explicit=True,
            match=find_text_match(parse_expression(text) or tree, table, context.functions),
        ),
    )


def read_prelude(statement: Statement, node: exp.Expr, text: str, edits: list[Edit]) -> str:
    """The `WITH …` that `text` needs when it stands alone: the CTEs in reach of `node`, when it names one of them."""
    lists: list[str] = []
    seen: set[str] = set()
    recursive = False
    folded = text.lower()
    current: exp.Expr | None = node
    while current is not None:
        with_ = current.args.get("with_")
        if with_ is not None:
            ctes = list(takewhile(lambda cte: not is_within(node, cte), with_.expressions))
            names = [cte.alias.lower() for cte in ctes]
            if any(name in folded for name in names) and not seen & set(names):
                lists.insert(0, splice(statement.sql, edits, _span_ctes(statement, ctes)))
                seen |= set(names)
                folded += lists[0].lower()
                recursive = recursive or bool(with_.args.get("recursive"))
        current = current.parent
    return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(lists)} " if lists else ""


def _span_ctes(statement: Statement, ctes: Sequence[exp.Expr]) -> Span:
    start = ctes[0].args["alias"].this.meta["start"]
    last = statement.token_tree.find_token(ctes[-1].args["alias"].this.meta["start"])
    tokens = statement.tokens
    while tokens[last].text.upper() != "AS":
        last += 1
    while tokens[last].token_type is not TokenType.L_PAREN:
        last += 1
    return Span(start, tokens[find_closing(tokens, last)].end + 1)


def _expand_aliases(
    context: FilterContext, text: str, aliases: Mapping[str, Span], relation: Relation, span: Span
) -> str | None:
    """DuckDB lets WHERE name an alias of the SELECT list; the predicate means the expression behind it.

    Returns:
        The text with such aliases expanded; None when a name may as well be a column of a relation that only the engine
        knows.

    Raises:
        AmbiguousNameError: When that is so beside a search, whose filter is meaning, not speed.
    """
    if not aliases:
        return text
    scope = context.scope
    assert scope is not None
    searched = relation.node.name in context.statement.stand_ins
    known = {name for names in context.columns.values() for name in names} | list_written_columns(scope)
    others = [one for one in scope.relations if one.alias not in context.columns and one.visible]
    beside = ColumnsBeside(others, context.lineage, context.catalog, asks_engine=searched)
    unsure = False

    def is_meant(column: exp.Column, tree: exp.Expr) -> bool:
        nonlocal unsure
        name = column.name.lower()
        if name in known or (searched and is_computed(name)):
            return False
        if is_bound_inside(column, tree, scope, context.catalog):
            return False
        held = beside.require(name, span) if searched else beside.hold(name)
        unsure = unsure or held is None
        return held is False

    def write(span: Span) -> str:
        return splice(context.statement.sql, context.edits, span)

    expanded = write_out_aliases(text, aliases, write, is_meant)
    return None if unsure else expanded
