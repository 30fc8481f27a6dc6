"""`ORDER BY … LIMIT n` over one Lance table: what has to be known of each row to tell the first n."""

from __future__ import annotations

from sqlglot import exp

from lancesql.binder.filters.conjuncts import find_owners, is_volatile
from lancesql.binder.filters.own import FilterContext
from lancesql.parser import parse_expression, read_tokens
from lancesql.parser.blocks import split_list
from lancesql.plan.sources import Conjunct, FirstRows

from .drafts import Draft, is_reshaped
from .select_aliases import read_select_aliases
from .shape import keeps_rows, read_count
from .splice import splice

__all__ = ["read_first_rows"]

_REFUSED = (exp.Select, exp.AggFunc, exp.Window, exp.Star, exp.Columns, exp.Unnest, exp.Explode)


def read_first_rows(draft: Draft, context: FilterContext, conjuncts: tuple[Conjunct, ...]) -> FirstRows | None:
    """The order and the count of the rows a block shows, when both can be told from its table's columns alone.

    Args:
        draft: The block's table.
        context: The block, all of whose WHERE is `conjuncts`.
        conjuncts: The filter of the table.
    """
    scope, block, statement = context.scope, context.block, context.statement
    if scope is None or "ORDER" not in block.clauses or "LIMIT" not in block.clauses or block.combined:
        return None
    if not keeps_rows(scope) or is_reshaped(draft.node) or any(one.subquery for one in conjuncts):
        return None
    counts = [read_count(block, statement, clause) for clause in ("LIMIT", "OFFSET") if clause in block.clauses]
    limit = tuple(count for count in counts if count is not None)
    order = scope.owner.args.get("order")
    tree, span = statement.token_tree, block.clauses["ORDER"]
    places = split_list(tree, tree.find_token(span.start), tree.find_token(span.end - 1) + 1)
    if len(limit) != len(counts) or order is None or len(places) != len(order.expressions):
        return None
    keys = [
        _read_key(key, splice(statement.sql, context.edits, tree.span(first, last)), draft, context)
        for key, (first, last) in zip(order.expressions, places, strict=True)
    ]
    written = [key for key in keys if key is not None]
    if len(written) != len(keys):
        return None
    text = ", ".join(written)
    names = {token.text.lower() for token in read_tokens(text)}
    return FirstRows(
        order=text,
        columns=tuple(name for name in draft.table.schema.names if name.lower() in names),
        limit=limit,
    )


def _read_key(ordered: exp.Expr, text: str, draft: Draft, context: FilterContext) -> str | None:
    """One key as it stands over the table alone; None when it means something else, or may."""
    key = ordered.this if isinstance(ordered, exp.Ordered) else ordered
    if isinstance(key, exp.Column) and not key.table:
        text = _expand_alias(key, text, context) or ""
    elif isinstance(key, exp.Literal) or _name_aliases(context) & {column.name for column in key.find_all(exp.Column)}:
        return None
    tree = parse_expression(f"SELECT 1 ORDER BY {text}") if text else None
    if tree is None or context.scope is None or is_volatile(read_tokens(text), context.catalog):
        return None
    expression = tree.args["order"].expressions[0].this
    if next(expression.find_all(*_REFUSED), None) is not None:
        return None
    return (
        text
        if find_owners(expression, context.scope, context.columns, context.catalog) == {draft.alias.lower()}
        else None
    )


def _expand_alias(key: exp.Column, text: str, context: FilterContext) -> str | None:
    """A name means the column of the SELECT list that is called so before it means the table's."""
    name = key.name.lower()
    items = context.scope.owner.expressions if context.scope is not None else []
    if any(item.is_star and (_stars(item).args.get("replace") or _stars(item).args.get("rename")) for item in items):
        return None
    aliased = [item for item in items if isinstance(item, exp.Alias) and item.alias.lower() == name]
    if not aliased:
        return None if name == "all" else text
    span = read_select_aliases(context.statement, context.block, context.scope).get(name)
    known = any(name in columns for columns in context.columns.values())
    if len(aliased) != 1 or span is None or (known and any(item.is_star for item in items)):
        return None
    expression = splice(context.statement.sql, context.edits, span)
    end = key.parts[0].meta["end"] - key.parts[0].meta["start"] + 1
    return f"({expression}){text[end:]}"


def _stars(item: exp.Expr) -> exp.Expr:
    star = item.this if isinstance(item, exp.Column) else item
    return star if isinstance(star, exp.Expr) else item


def _name_aliases(context: FilterContext) -> set[str]:
    items = context.scope.owner.expressions if context.scope is not None else []
    return {item.alias for item in items if isinstance(item, exp.Alias)}
