"""Which conjuncts of a block are a source's filter."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from sqlglot import exp

from lancesql.binder.scope import Relation, Scope, read_scope
from lancesql.binder.tables import join_name, read_parts
from lancesql.catalog import Catalog
from lancesql.errors import Span, UnsupportedError
from lancesql.parser.tokens import Token, TokenType
from lancesql.plan.sources import DISTANCE, RANK, RANK_TEXT, RANK_VECTOR, RELEVANCE, SCORE

__all__ = [
    "COMPUTED",
    "find_owners",
    "is_bound_for_sure",
    "is_bound_inside",
    "is_computed",
    "is_constant",
    "is_volatile",
    "list_known_columns",
    "may_belong",
    "means_columns_of",
    "refuse_unknown_columns",
]

COMPUTED = frozenset({DISTANCE, SCORE, RELEVANCE, RANK_VECTOR, RANK_TEXT, "_hybrid_score", "query_index"})
_RANK = re.compile(rf"{RANK}\d+")
_RANKS = frozenset({RANK_VECTOR, RANK_TEXT})
OTHER = "\0other"
"""Stands for any relation that is not a source, and for computed columns."""


def is_computed(name: str) -> bool:
    """Whether a column of that name, in lower case, is a search's own where no table has it."""
    return name in COMPUTED or _RANK.fullmatch(name) is not None


def find_owners(
    tree: exp.Expr,
    scope: Scope,
    columns: Mapping[str, Mapping[str, str]],
    catalog: Catalog,
) -> set[str]:
    """The aliases of the sources whose columns an expression uses; `OTHER` for anything else it uses.

    Args:
        tree: The expression.
        scope: The block it stands in.
        columns: Source alias → its table's columns, by their names in lower case.
        catalog: Asked for the columns of tables inside subqueries.
    """
    owners: set[str] = set()
    possible: set[str] = set()
    for column in tree.find_all(exp.Column):
        if not is_bound_inside(column, tree, scope, catalog):
            owners.add(OTHER if isinstance(column.this, exp.Star) else _find_owner(column, scope, columns))
        elif len(column.parts) == 1 and not is_bound_for_sure(column, tree, catalog):
            owner = _find_owner(column, scope, columns)
            possible |= {owner} if owner != OTHER or may_belong(column, scope, columns, catalog) else set()
    patterns = [chosen for chosen in tree.find_all(exp.Columns) if chosen.find_ancestor(exp.Select) is None]
    owners |= {_find_pattern_owner(chosen, scope, columns) for chosen in patterns}
    computed = any(is_computed(column.name.lower()) for column in tree.find_all(exp.Column))
    if not owners and not computed and tree.find(exp.Select) is not None:
        # A subquery over a relation of unknown columns may use the block's; asked of one of its rows, it says the same.
        found = {scope.relations[0].alias} if len(scope.relations) == 1 else possible
        owners |= found if len(found) == 1 else set()
    return owners


def may_belong(column: exp.Column, scope: Scope, besides: Collection[str], catalog: Catalog) -> bool:
    """Whether a name may mean a column of one of a block's relations, other than those called `besides`."""
    others = [list_known_columns(one, catalog) for one in scope.relations if one.visible and one.alias not in besides]
    return any(names is None or column.name.lower() in names for names in others)


def _find_owner(column: exp.Column, scope: Scope, columns: Mapping[str, Mapping[str, str]]) -> str:
    parts = [part.name.lower() for part in column.parts]
    if len(parts) > 2 and parts[0] == "lance" and scope.find(parts[1]):
        parts = parts[1:]
    if len(parts) > 1 and (relation := scope.find(parts[0])) is not None:
        own = columns.get(relation.alias, {})
        if parts[1] in own or parts[0] not in own or is_computed(parts[1]):
            return _owner_name(relation, parts[1], columns)
    name = parts[0]  # a column, or one of the name of its relation whose field is meant
    if name in COMPUTED - _RANKS:
        return OTHER
    holders = [relation for relation in scope.relations if name in columns.get(relation.alias, {}) and relation.visible]
    if name in scope.merged:
        first = scope.relations[0]
        return first.alias if first in holders and not first.nullable else OTHER
    return holders[0].alias if len(holders) == 1 else OTHER


def _find_pattern_owner(chosen: exp.Columns, scope: Scope, columns: Mapping[str, Mapping[str, str]]) -> str:
    """The one relation of a block of which `COLUMNS(…)` means base columns alone."""
    if len(scope.relations) != 1:
        return OTHER
    alias = scope.relations[0].alias
    return alias if means_columns_of(chosen, columns.get(alias, {})) else OTHER


def means_columns_of(chosen: exp.Columns, names: Collection[str], hidden: Collection[str] = ()) -> bool:
    """Whether `COLUMNS('pattern')` or `COLUMNS(['a', 'b'])` means columns of these names alone.

    Args:
        chosen: The expression.
        names: The base columns of the one relation there is, in lower case.
        hidden: Further columns of it that must not be meant, beside those of a search.
    """
    meant, others = chosen.this, (*COMPUTED, *hidden)
    if isinstance(meant, exp.Array):
        return all(item.is_string and item.name.lower() in names for item in meant.expressions)
    if not isinstance(meant, exp.Literal) or not meant.is_string:
        return False
    try:
        return not any(re.search(meant.name, name) for name in others)
    except re.error:
        return False


def refuse_unknown_columns(tree: exp.Expr, span: Span) -> None:
    """Refuses `COLUMNS(lambda name: …)` in a predicate beside a search, which may mean its own columns or not.

    Raises:
        UnsupportedError: When the predicate has one.
    """
    if any(isinstance(one.this, exp.Lambda) for one in tree.find_all(exp.Columns)):
        raise UnsupportedError(
            "which columns these are cannot be told before the search",
            hint="list them: COLUMNS(['title', 'year'])",
            span=span,
        )


def _owner_name(relation: Relation, column: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    return relation.alias if column in columns.get(relation.alias, {}) else OTHER


def is_bound_inside(column: exp.Column, tree: exp.Expr, outer: Scope, catalog: Catalog) -> bool:
    """Whether a subquery, a lambda or a list comprehension inside `tree` defines what the column names."""
    parts = [part.name.lower() for part in column.parts]
    node: exp.Expr | None = column
    while node is not None and node is not tree.parent:
        if isinstance(node, exp.Lambda) and any(one.name.lower() == parts[0] for one in node.expressions):
            return True
        if isinstance(node, exp.Comprehension) and node.args["expression"].name.lower() == parts[0]:
            return True
        if isinstance(node, exp.Select) and _defines(node, parts, outer, catalog):
            return True
        node = node.parent
    return False


def _defines(select: exp.Select, parts: list[str], outer: Scope, catalog: Catalog) -> bool:
    scope = read_scope(select)
    if len(parts) > 1 and scope.find(parts[0]) is not None:
        return True
    if len(parts) > 1 and outer.find(parts[0]) is not None:
        return False
    for relation in scope.relations:
        known = list_known_columns(relation, catalog)
        if known is None or parts[0] in known:
            return True
    return False


def is_constant(tree: exp.Expr, scope: Scope, columns: Mapping[str, Mapping[str, str]], catalog: Catalog) -> bool:
    """Whether an expression surely uses no column of its block, nor of a block around it.

    A column of a subquery over relations of unknown columns might be an outer one: it is taken for the subquery's own
    when the only block around has no column of that name.
    """
    nested = scope.owner.find_ancestor(exp.Select) is not None
    outer = {*columns, *(name for known in columns.values() for name in known)}
    for column in tree.find_all(exp.Column):
        names = {part.name.lower() for part in column.parts}
        if not is_bound_inside(column, tree, scope, catalog):
            return False
        if not is_bound_for_sure(column, tree, catalog) and (nested or names & outer):
            return False
    return True


def is_bound_for_sure(column: exp.Column, tree: exp.Expr, catalog: Catalog) -> bool:
    """Whether a lambda, or a subquery whose columns are known, defines what the column names."""
    parts = [part.name.lower() for part in column.parts]
    node: exp.Expr | None = column
    while node is not None and node is not tree.parent:
        if isinstance(node, exp.Lambda | exp.Comprehension):
            return True
        if isinstance(node, exp.Select):
            relations = read_scope(node).relations
            if len(parts) > 1 and any(relation.alias == parts[0] for relation in relations):
                return True
            if any(parts[0] in (list_known_columns(relation, catalog) or ()) for relation in relations):
                return True
        node = node.parent
    return False


def list_known_columns(relation: Relation, catalog: Catalog) -> list[str] | None:
    """The columns of a table or of rows of VALUES, in lower case; None when only the engine knows."""
    node = relation.node
    if isinstance(node, exp.Values):
        given, rows = node.alias_column_names, node.expressions
        is_named = bool(rows) and isinstance(rows[0], exp.Tuple) and len(rows[0].expressions) == len(given)
        return [name.lower() for name in given] if is_named else None
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        return None
    name, _ = join_name(read_parts(node), catalog)
    if name is None:
        return None
    table = catalog.find_table(name)
    names = table.schema.names if table is not None else catalog.engine_columns(node.name)
    return None if names is None else [name.lower() for name in names]


def is_volatile(tokens: Sequence[Token], catalog: Catalog) -> bool:
    """Whether the tokens call a function that may answer differently each time."""
    return any(
        following.token_type is TokenType.L_PAREN and catalog.is_volatile(token.text.lower())
        for token, following in pairwise(tokens)
        if token.text.replace("_", "").isalnum()
    )
