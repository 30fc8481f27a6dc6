"""The column of a Lance table that a column of a query is, through every query it passes unchanged."""

from __future__ import annotations

from sqlglot import exp

from lancesql.binder.drafts import Draft, is_reshaped
from lancesql.binder.scope import Relation

from .lineage import Lineage

__all__ = ["trace_column"]


def trace_column(column: exp.Column, lineage: Lineage) -> tuple[Draft, str] | None:
    """The source and its column; None when it is anything else, or only the engine knows."""
    select = column.find_ancestor(exp.Select)
    return None if select is None else _trace(column, select, lineage, frozenset())


def _trace(column: exp.Column, select: exp.Select, lineage: Lineage, seen: frozenset[str]) -> tuple[Draft, str] | None:
    scope = lineage.scope_of(select)
    name = column.name.lower()
    named = [] if column.table or name in seen else _find_items(name, select)
    found = lineage.resolve(column, scope)
    if found is not None:
        plain = [lineage.resolve(one, scope) for one in named if isinstance(one, exp.Column)]
        # Where the SELECT list calls something else so, which of the two is meant depends on the clause.
        return None if len(plain) < len(named) or any(one != found for one in plain) else _follow(*found, lineage)
    if named:
        (only,) = named if len(named) == 1 else (None,)
        return _trace(only, select, lineage, seen | {name}) if isinstance(only, exp.Column) else None
    if column.table:
        is_own = scope.find(column.parts[0].name) is not None
    else:
        known = [lineage.columns_of(relation) for relation in scope.relations]
        is_own = any(names is None or name in names for names in known)
    outer = None if is_own else select.find_ancestor(exp.Select)
    return None if outer is None else _trace(column, outer, lineage, seen)


def _find_items(name: str, select: exp.Select) -> list[exp.Expr]:
    """What the SELECT list calls `name`."""
    return [one.this for one in select.expressions if isinstance(one, exp.Alias) and one.alias.lower() == name]


def _follow(relation: Relation, name: str, lineage: Lineage) -> tuple[Draft, str] | None:
    draft = lineage.draft_of(relation)
    if draft is not None:
        names = [one for one in draft.table.schema.names if one.lower() == name]
        return (draft, names[0]) if len(names) == 1 and not is_reshaped(draft.node) else None
    query, columns = lineage.query_of(relation), lineage.columns_of(relation)
    if query is None:
        return None
    if columns is None:  # a star over a search hides how many there are
        cte = lineage.cte_of(relation)
        renames = any(node is not None and node.alias_column_names for node in (cte, relation.node))
        found = None if renames else _find_output(query, name, lineage)
    else:
        outputs = lineage.outputs_of(query)
        if outputs is None or columns.count(name) != 1:
            return None
        output = outputs[columns.index(name)]
        found = None if output.relation is None else (output.relation, output.column)
    return None if found is None else _follow(*found, lineage)


def _find_output(query: exp.Expr, name: str, lineage: Lineage) -> tuple[Relation, str] | None:
    """The relation within a query whose column it hands out as `name`, and what it is called there."""
    while isinstance(query, exp.Subquery) and not query.args.get("pivots"):
        query = query.this
    if not isinstance(query, exp.Select) or query.args.get("kind"):
        return None
    named = [item for item in query.expressions if item.alias_or_name.lower() == name]
    stars = [item for item in query.expressions if item.is_star or item.find(exp.Columns) is not None]
    scope = lineage.scope_of(query)
    if len(named) == 1 and not stars:
        inner = named[0].this if isinstance(named[0], exp.Alias) else named[0]
        return lineage.resolve(inner, scope) if isinstance(inner, exp.Column) else None
    if named or len(stars) != 1:
        return None
    star = stars[0].this if isinstance(stars[0], exp.Column) else stars[0]
    if not isinstance(star, exp.Star) or any(star.args.get(key) for key in ("except_", "replace", "rename")):
        return None
    return lineage.resolve(exp.column(name, stars[0].table if isinstance(stars[0], exp.Column) else None), scope)
