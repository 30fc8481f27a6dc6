"""`SELECT count(*) FROM table WHERE …`: a block that Lance answers with a number instead of rows."""

from __future__ import annotations

from sqlglot import exp

from lancesql.binder.filters.own import FilterContext, read_filter
from lancesql.parser.blocks import Block
from lancesql.parser.tokens import is_word
from lancesql.plan.query import OutputColumn, QueryShape
from lancesql.plan.sources import COUNT, Conjunct, RowCount, score_fields
from lancesql.plan.spelling import quote_name

from .drafts import Draft, is_named, is_reshaped
from .splice import Edit

__all__ = ["answer_with_count", "edit_count", "read_row_count"]

_CLAUSES = frozenset({"SELECT", "FROM", "WHERE"})
_PARTS = frozenset({"kind", "expressions", "from_", "where"})


def read_row_count(draft: Draft, context: FilterContext) -> RowCount | None:
    """The count that the block of a draft is; None when the block says anything else."""
    scope, block = context.scope, context.block
    owner = draft.owner
    if draft.call is not None or scope is None or not isinstance(owner, exp.Select) or len(scope.relations) != 1:
        return None
    if any(value for key, value in owner.args.items() if key not in _PARTS) or len(owner.expressions) != 1:
        return None
    first = context.statement.tokens[context.statement.token_tree.find_token(block.span.start)]
    if not block.clauses.keys() <= _CLAUSES or not is_word(first, "SELECT", "FROM"):
        return None
    item = owner.expressions[0]
    counted = item.this if isinstance(item, exp.Alias) else item
    if not isinstance(counted, exp.Count) or counted.expressions:
        return None
    name = item.alias if isinstance(item, exp.Alias) else _name_count(counted)
    column = _find_counted(counted, draft)
    if name is None or column is None:
        return None
    (relation,) = scope.relations
    if relation.paired or is_reshaped(draft.node) or not is_named(draft.node):
        return None
    conjuncts, rest = read_filter(context, draft.alias, relation)
    if rest or any(one.subquery for one in conjuncts):
        return None
    if column:
        conjuncts = (*conjuncts, Conjunct(f"{quote_name(column)} IS NOT NULL", (column,)))
    return RowCount(draft.placeholder, draft.alias, draft.table, (COUNT,), name, conjuncts, draft.span)


def edit_count(count: RowCount, block: Block) -> Edit:
    """The block as it reads the number."""
    return Edit(block.span, f'SELECT "{COUNT}" AS {quote_name(count.name)} FROM "{count.placeholder}"')


def answer_with_count(count: RowCount) -> QueryShape:
    """The shape of a statement that is nothing but the count."""
    (field,) = score_fields(count)
    return QueryShape((OutputColumn(count.name, COUNT, field.type),))


def _name_count(counted: exp.Count) -> str | None:
    """The name DuckDB gives a count without an alias, where it is sure."""
    if counted.this is None or isinstance(counted.this, exp.Star):
        return "count_star()"
    if isinstance(counted.this, exp.Literal) and not counted.this.is_string and counted.this.name.isdigit():
        return f"count({counted.this.name})"
    return None


def _find_counted(counted: exp.Count, draft: Draft) -> str | None:
    """The column whose NULLs are not counted, "" for none of them; None for an expression that is not looked into."""
    what = counted.this
    if what is None or isinstance(what, exp.Star | exp.Literal):
        return ""
    if not isinstance(what, exp.Column) or isinstance(what.this, exp.Star):
        return None
    parts = [part.name.lower() for part in what.parts]
    if len(parts) == 2 and parts[0] == draft.alias.lower():
        parts = parts[1:]
    names = [name for name in draft.table.schema.names if name.lower() == parts[0]]
    return names[0] if len(parts) == 1 and len(names) == 1 else None
