"""What a block does to the rows of its one source: LIMIT, order, and which columns it passes through."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pyarrow as pa
from sqlglot import exp

from lancesql.catalog import Catalog
from lancesql.errors import Span
from lancesql.parser import Statement
from lancesql.parser.blocks import Block
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.query import OutputColumn, QueryShape
from lancesql.plan.sources import DISTANCE, RELEVANCE, ROW_ID, SCORE, Source, VectorSearch, score_fields
from lancesql.plan.values import Parameter, Value
from lancesql.plan.vector_options import Diversity

from .drafts import is_named
from .literals import read_literal
from .scope import Scope

__all__ = ["changes_rows", "keeps_rows", "read_count", "read_limit", "read_output", "read_shape"]

_CHANGES = ("group", "having", "distinct", "qualify", "windows", "sample", "laterals", "joins", "match", "connect")
_PLAIN = {"expressions": None, "from_": None, "where": "WHERE", "order": "ORDER", "limit": "LIMIT", "offset": "OFFSET"}
"""The parts of a tree that are answered without the engine, and the clauses that they are found in."""
_SCORES = {
    "vector_search": DISTANCE,
    "lance_vector_search": DISTANCE,
    "fts": SCORE,
    "lance_fts": SCORE,
    "hybrid_search": RELEVANCE,
    "rrf": RELEVANCE,
    "rerank": RELEVANCE,
    "lance_hybrid_search": "_hybrid_score",
}
_NODES = (exp.AggFunc, exp.Window, exp.Unnest, exp.Explode, exp.Columns)


def read_limit(
    scope: Scope | None, block: Block, statement: Statement, rest: tuple[Span, ...], function: str
) -> tuple[Value, ...]:
    """The values whose sum is the number of rows the block can show; () when that cannot be said."""
    if scope is None or rest or block.combined or not keeps_rows(scope):
        return ()
    if not _orders_by_score(scope, _SCORES.get(function)):
        return ()
    limit, offset = read_count(block, statement, "LIMIT"), read_count(block, statement, "OFFSET")
    if limit is None or ("OFFSET" in block.clauses and offset is None):
        return ()
    return (limit, offset) if offset is not None else (limit,)


def read_shape(
    source: Source, scope: Scope, block: Block, statement: Statement, *, filtered: bool
) -> QueryShape | None:
    """The shape of a statement that is one plain block over one source; None for any other."""
    if (
        scope.owner is not statement.tree
        or statement.tree.args.get("with_")
        or block.combined
        or not keeps_rows(scope)
        or not block.outermost
        or not _is_plain(scope.owner, block)
    ):
        return None
    limit, offset = read_count(block, statement, "LIMIT"), read_count(block, statement, "OFFSET")
    if (limit is None and "LIMIT" in block.clauses) or (offset is None and "OFFSET" in block.clauses):
        return None
    outputs = read_output(scope.owner, {source.alias.lower(): source})
    output = tuple(one for one in outputs if one is not None) if outputs is not None else None
    if outputs is not None and (output is None or len(output) != len(outputs)):
        output = None
    if output is not None and len({one.name.lower() for one in output}) != len(output):
        output = None
    score = next((field.name for field in score_fields(source)), None)
    if isinstance(source, VectorSearch) and isinstance(source.selection, Diversity):
        score = None  # the order of choice is no column's
    keeps_order = _orders_by_score(scope, score)
    return QueryShape(output, limit, offset, keeps_order=keeps_order, filtered=filtered)


def _is_plain(tree: exp.Expr, block: Block) -> bool:
    """Whether nothing of a block would be left unsaid: the engine may know more than is read here, or refuse it."""
    parts = {name for name, value in tree.args.items() if value}
    found = all(_PLAIN[name] in (None, *block.clauses) for name in parts if name in _PLAIN)
    return parts <= _PLAIN.keys() and found and all(map(is_named, tree.find_all(exp.Table)))


def read_output(tree: exp.Expr, sources: Mapping[str, Source]) -> tuple[OutputColumn | None, ...] | None:
    """Which result columns are a source's, passed through; None when the columns cannot be told from the text."""
    if not isinstance(tree, exp.Select):
        return None
    from .scope import read_scope

    scope = read_scope(tree)
    output: list[OutputColumn | None] = []
    for item in tree.expressions:
        expression = item.this if isinstance(item, exp.Alias) else item
        star = expression.this if isinstance(expression, exp.Column) else expression
        if isinstance(star, exp.Star):
            expanded = _expand_star(star, expression, scope, sources)
            if expanded is None:
                return None
            output += expanded
        elif isinstance(expression, exp.Columns):
            return None
        else:
            output.append(_pass_through(expression, item, scope, sources))
    return tuple(output)


def _expand_star(
    star: exp.Star, item: exp.Expr, scope: Scope, sources: Mapping[str, Source]
) -> list[OutputColumn | None] | None:
    if star.args.get("replace") or star.args.get("rename") or scope.merged or scope.natural:
        return None
    alias = item.table.lower() if isinstance(item, exp.Column) else ""
    relations = [relation for relation in scope.relations if relation.visible and alias in ("", relation.alias)]
    if alias and not relations:
        return None  # the fields of a struct
    excluded = {column.name.lower() for column in star.args.get("except_") or ()}
    output: list[OutputColumn | None] = []
    unknown = set(excluded)
    for relation in relations:
        source = sources.get(relation.alias)
        if source is None or not isinstance(relation.node, exp.Table) or relation.node.args.get("pivots"):
            return None
        types = _column_types(source)
        unknown -= {name.lower() for name in source.columns}
        shown = [name for name in source.columns if name != ROW_ID and name.lower() not in excluded]
        output += [OutputColumn(name, name, types[name]) for name in shown]
    return None if unknown else output  # EXCLUDE of a column that does not exist is the engine's to refuse


def _pass_through(
    expression: exp.Expr, item: exp.Expr, scope: Scope, sources: Mapping[str, Source]
) -> OutputColumn | None:
    if not isinstance(expression, exp.Column):
        return None
    parts = [part.name.lower() for part in expression.parts]
    if len(parts) == 3 and parts[0] == "lance":
        parts = parts[1:]
    if len(parts) > 2:
        return None
    relations = [relation for relation in scope.relations if len(parts) == 1 or relation.alias == parts[0]]
    holders = []
    for relation in relations:
        source = sources.get(relation.alias)
        if source is None and len(parts) == 1:
            return None
        if source is not None:
            holders += [(name, type_) for name, type_ in _column_types(source).items() if name.lower() == parts[-1]]
    if len(holders) != 1:
        return None
    name, type_ = holders[0]
    return OutputColumn(item.alias if isinstance(item, exp.Alias) else name, name, type_)


def _column_types(source: Source) -> dict[str, pa.DataType]:
    types = {field.name: field.type for field in source.table.schema}
    types |= {field.name: field.type for field in score_fields(source)}
    if ROW_ID in source.columns:
        types[ROW_ID] = pa.uint64()
    return {name: types[name] for name in source.columns}


def changes_rows(block: Block, statement: Statement, catalog: Catalog) -> bool:
    """Whether the SELECT list or ORDER BY calls a function that changes the number of rows."""
    tree, tokens = statement.token_tree, statement.tokens
    spans = [block.clauses[clause] for clause in ("SELECT", "ORDER") if clause in block.clauses]
    return any(
        following.token_type is TokenType.L_PAREN and catalog.changes_rows(token.text.lower())
        for span in spans
        for token, following in pairwise(tokens[tree.find_token(span.start) : tree.find_token(span.end - 1) + 1])
        if token.text.replace("_", "").isalnum()
    )


def keeps_rows(scope: Scope) -> bool:
    """Whether every row of the block is one row of its one relation."""
    owner = scope.owner
    if not isinstance(owner, exp.Select) or scope.reshaped or len(scope.relations) != 1:
        return False
    if any(owner.args.get(key) for key in _CHANGES):
        return False
    if scope.relations[0].paired or isinstance(owner.args.get("limit"), exp.Fetch):
        return False
    return not any(next(item.find_all(*_NODES), None) for item in owner.expressions)


def _orders_by_score(scope: Scope, score: str | None) -> bool:
    """Whether the block asks for no order, or for the search's own: nearest or best first."""
    ordered = scope.owner.args.get("order")
    if ordered is None:
        return True
    keys = ordered.expressions
    if len(keys) != 1 or not isinstance(keys[0], exp.Ordered) or not isinstance(keys[0].this, exp.Column):
        return False
    name, descending = keys[0].this.name.lower(), bool(keys[0].args.get("desc"))
    if any(isinstance(item, exp.Alias) and item.alias.lower() == name for item in scope.owner.expressions):
        return False  # ORDER BY means the alias
    return name == score and descending == (score != DISTANCE)


def read_count(block: Block, statement: Statement, clause: str) -> Value | None:
    """The number LIMIT or OFFSET names, or its parameter; None for anything else."""
    span = block.clauses.get(clause)
    if span is None:
        return None
    tree, tokens = statement.token_tree, statement.tokens
    own = tokens[tree.find_token(span.start) : tree.find_token(span.end - 1) + 1]
    if own and is_word(own[-1], "ROW", "ROWS"):
        own = own[:-1]
    constant = read_literal(own)
    if constant is not None:
        return constant if isinstance(constant.value, int) and constant.value >= 0 else None
    use = next((one for one in statement.parameters if one.span == span), None)
    return Parameter(use.name, use.span) if use is not None else None
