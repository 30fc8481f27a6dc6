"""Relations that a table scan is joined with by equality: a row of the scan without a partner there does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from lancesql.binder.drafts import is_reshaped
from lancesql.binder.scope import Join, Relation, Scope, read_scope
from lancesql.binder.splice import splice
from lancesql.binder.tables import table_span
from lancesql.catalog import TableInfo
from lancesql.errors import Span
from lancesql.parser import parse_expression, read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.parser.tokens import is_word
from lancesql.plan.sources import KeyQuery, is_key_type
from lancesql.plan.spelling import quote_name

from .conjuncts import is_volatile
from .ctes import find_cte
from .own import FilterContext, read_prelude

__all__ = ["find_semi_joins"]

_COUNTED = ("group", "having", "qualify", "limit", "offset", "distinct", "laterals", "sample")
"""Clauses that decide which rows of a subquery there are, beside WHERE."""

_PLAIN = (exp.Star, exp.Column, exp.Literal, exp.Boolean, exp.Null)

Known = Mapping[str, frozenset[str] | None]
"""Alias → the columns of the relation in lower case; None where they are not known."""


@dataclass(frozen=True)
class _Equality:
    """`left = right`, true of every row in which a droppable relation has a part of its own."""

    left: tuple[Relation, str]
    right: tuple[Relation, str]
    droppable: tuple[Relation, ...]

    def drops(self, relation: Relation) -> bool:
        return any(one.node is relation.node for one in self.droppable)


def find_semi_joins(relation: Relation, table: TableInfo, context: FilterContext) -> tuple[KeyQuery, ...]:
    """For each relation that the scan equals a column of: the query of that column, able to stand alone.

    The rows of a scan that no equality keeps are dropped wherever the equality is asked of them: by WHERE and by an
    inner or a semi join on both sides, by a LEFT or an anti join on its right side, by a RIGHT join on its left side.
    """
    scope = context.scope
    if scope is None or not isinstance(scope.owner, exp.Select):
        return ()
    matched = _find_matches(relation, table, context, scope)
    if len(scope.relations) < 2:
        return matched
    known = {one.alias: _read_columns(one, context) for one in scope.relations}
    if len(known) < len(scope.relations):
        return ()  # two relations of one name
    found: dict[tuple[str, str, str], KeyQuery] = {}
    for equality in _find_equalities(scope, known):
        for (mine, column), (other, key) in ((equality.left, equality.right), (equality.right, equality.left)):
            if mine.node is not relation.node or other.node is relation.node or not equality.drops(relation):
                continue
            field = _find_key_field(column, table)
            if field is None or (field, other.alias, key) in found:
                continue
            query = _write_query(field, other, key, known, context)
            if query is not None:
                found[field, other.alias, key] = query
    return (*found.values(), *matched)


def _find_matches(relation: Relation, table: TableInfo, context: FilterContext, scope: Scope) -> tuple[KeyQuery, ...]:
    """The queries behind `EXISTS (SELECT … FROM other WHERE other.key = relation.column …)`."""
    where = scope.owner.args.get("where")
    queries: list[KeyQuery] = []
    for tree in _split(where.this) if where is not None else ():
        inner = tree.this if isinstance(tree, exp.Exists) else None
        if not isinstance(inner, exp.Select) or any(inner.args.get(clause) for clause in _COUNTED):
            continue
        if not all(isinstance(item.unalias(), _PLAIN) for item in inner.expressions):
            continue  # an aggregate gives a row whatever WHERE says
        within = read_scope(inner)
        if within.find(relation.alias) is not None or inner.args.get("where") is None:
            continue
        known: Known = {one.alias: None for one in within.relations}
        for equality in _split(inner.args["where"].this):
            sides = (equality.left, equality.right) if isinstance(equality, exp.EQ) else ()
            mine = [side for side in sides if isinstance(side, exp.Column) and side.table.lower() == relation.alias]
            other = [found for side in sides if (found := _resolve_qualified(side, within)) is not None]
            field = _find_key_field(mine[0].name, table) if len(mine) == 1 else None
            if field is None or len(other) != 1:
                continue
            span = _find_span(other[0][0].node, context)
            if span is not None:
                block = context.statement.token_tree.read_block(span.start)
                around = replace(context, scope=within, block=block, columns={})
                query = _write_query(field, *other[0], known, around)
                queries += [query] if query is not None else []
    return tuple(queries)


def _split(condition: exp.Expr) -> Iterator[exp.Expr]:
    """The conjuncts of a condition, out of their parentheses."""
    bare = condition.unnest()
    if isinstance(bare, exp.And):
        yield from _split(bare.left)
        yield from _split(bare.right)
    else:
        yield bare


def _resolve_qualified(tree: exp.Expr, scope: Scope) -> tuple[Relation, str] | None:
    relation = scope.find(tree.table) if isinstance(tree, exp.Column) and tree.table else None
    return None if relation is None or isinstance(tree.this, exp.Star) else (relation, tree.name.lower())


def _find_key_field(name: str, table: TableInfo) -> str | None:
    """The table's column of that name, when its values can be keys."""
    field = next((field for field in table.schema if field.name.lower() == name.lower()), None)
    return field.name if field is not None and is_key_type(field.type) else None


def _read_columns(relation: Relation, context: FilterContext) -> frozenset[str] | None:
    own = context.columns.get(relation.alias)
    if own is not None:
        return frozenset(own)
    node = relation.node
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        return None
    if node.args.get("db") is not None or find_cte(node) is not None or is_reshaped(node):
        return None
    names = context.catalog.engine_columns(node.name)
    return None if names is None else frozenset(name.lower() for name in names)


def _find_equalities(scope: Scope, known: Known) -> Iterator[_Equality]:
    where = scope.owner.args.get("where")
    if where is not None:
        visible = tuple(one for one in scope.relations if one.visible)
        yield from _read_condition(where.this, visible, known, scope)
    for join in scope.joins:
        droppable = _find_droppable(join)
        if join.node.args.get("on") is not None:
            beside = (*(one for one in join.left if one.visible), *join.right)
            yield from _read_condition(join.node.args["on"], beside, known, scope, droppable)
        for column in join.node.args.get("using") or ():
            name = column.name.lower()
            left, right = _find_holder(name, join.left, known), _find_holder(name, join.right, known)
            if left is not None and right is not None:
                yield _Equality((left, name), (right, name), droppable)


def _find_droppable(join: Join) -> tuple[Relation, ...]:
    side, kind, method = (str(join.node.args.get(key) or "").upper() for key in ("side", "kind", "method"))
    if method or side == "FULL":
        return ()
    if side == "LEFT" or kind == "ANTI":
        return join.right
    if side == "RIGHT":
        return join.left
    return (*join.left, *join.right)


def _read_condition(
    condition: exp.Expr,
    relations: tuple[Relation, ...],
    known: Known,
    scope: Scope,
    droppable: tuple[Relation, ...] | None = None,
) -> Iterator[_Equality]:
    for bare in _split(condition):
        if isinstance(bare, exp.EQ):
            left, right = (_resolve(side, relations, known, scope) for side in (bare.left, bare.right))
            if left is not None and right is not None:
                yield _Equality(left, right, scope.relations if droppable is None else droppable)


def _resolve(
    tree: exp.Expr, relations: tuple[Relation, ...], known: Known, scope: Scope
) -> tuple[Relation, str] | None:
    if not isinstance(tree, exp.Column) or isinstance(tree.this, exp.Star):
        return None
    parts = [part.name.lower() for part in tree.parts]
    if len(parts) == 3 and parts[0] == "lance":
        parts = parts[1:]
    if len(parts) == 2:
        relation = next((one for one in relations if one.alias == parts[0]), None)
        return None if relation is None else (relation, parts[1])
    if len(parts) > 2 or parts[0] in scope.merged:
        return None
    holder = _find_holder(parts[0], relations, known)
    return None if holder is None else (holder, parts[0])


def _find_holder(name: str, relations: tuple[Relation, ...], known: Known) -> Relation | None:
    """The one relation that has the column, when it is sure that no other has."""
    if len(relations) == 1 and known[relations[0].alias] is None:
        return relations[0]
    columns = [known[one.alias] for one in relations]
    holders = [one for one, names in zip(relations, columns, strict=True) if names is not None and name in names]
    return holders[0] if len(holders) == 1 and None not in columns else None


def _write_query(column: str, other: Relation, key: str, known: Known, context: FilterContext) -> KeyQuery | None:
    statement = context.statement
    span = _find_span(other.node, context)
    if other.paired or span is None or _reads_around(other, context):
        return None
    item = splice(statement.sql, context.edits, span)
    sql = f"SELECT {quote_name(other.alias)}.{quote_name(key)} FROM {item}"
    own = _find_restrictions(other, known, context)
    if own:
        sql += f" WHERE {' AND '.join(f'({one})' for one in own)}"
    prelude = read_prelude(statement, other.node, sql, context.edits)
    if isinstance(other.node, exp.Table) and find_cte(other.node) is not None and not prelude:
        return None  # the name of the recursion it stands in
    tokens = read_tokens(prelude + sql)
    if is_volatile(tokens, context.catalog):
        return None
    return KeyQuery(
        column=column,
        sql=sql,
        label=f"of {other.alias}.{key}",
        prelude=prelude,
        parameters=tuple(dict.fromkeys(use.name for use in find_parameters(tokens))),
    )


def _find_span(node: exp.Expr, context: FilterContext) -> Span | None:
    """Where a relation stands, its alias included; None for one that is not cut out."""
    alias = node.args.get("alias")
    name = alias.this if alias is not None else None
    end = name.meta["end"] + 1 if name is not None and "end" in name.meta else None
    if isinstance(node, exp.Table):
        call = context.statement.stand_ins.get(node.name)
        span = call.span if call is not None else table_span(node)
        if span is None or is_reshaped(node) or not isinstance(node.this, exp.Identifier) or node.args.get("joins"):
            return None
        return span if end is None else Span(span.start, end)
    if not isinstance(node, exp.Subquery | exp.Values) or end is None or node.args.get("pivots"):
        return None
    tree, tokens = context.statement.token_tree, context.statement.tokens
    at = tree.find_token(end - 1)
    before = at - 1 - is_word(tokens[at - 1], "AS")
    opening = next((one for one, closing in tree.partner.items() if closing == before), None)
    if alias is not None and alias.args.get("columns"):
        end = tokens[tree.partner[at + 1]].end + 1
    return None if opening is None else Span(tokens[opening].start, end)


def _reads_around(other: Relation, context: FilterContext) -> bool:
    """Whether a subquery names a relation beside it, or the recursion around it."""
    tables = {one.name.lower() for one in other.node.find_all(exp.Table)}
    parent = other.node.parent
    while parent is not None:
        if isinstance(parent, exp.CTE) and parent.alias.lower() in tables:
            return True
        parent = parent.parent
    assert context.scope is not None
    inside = {one.alias_or_name.lower() for one in other.node.find_all(exp.Table, exp.Subquery)}
    beside = {one.alias for one in context.scope.relations} - inside
    return any(column.table.lower() in beside for column in other.node.find_all(exp.Column) if column.table)


def _find_restrictions(other: Relation, known: Known, context: FilterContext) -> list[str]:
    """What WHERE and the inner joins ask of this relation alone."""
    inner = [span for join in context.block.joins if join.inner for span in join.conjuncts]
    texts = []
    for span in (*context.block.where, *inner):
        text = splice(context.statement.sql, context.edits, span)
        tree = _read_conjunct(text)
        if tree is not None and _is_about(tree, other, known):
            texts.append(text)
    return texts


@lru_cache(maxsize=256)
def _read_conjunct(text: str) -> exp.Expr | None:
    """The tree of a conjunct, to be looked at alone: every pair of relations asks for it."""
    return parse_expression(text)


def _is_about(tree: exp.Expr, other: Relation, known: Known) -> bool:
    if tree.find(exp.Select, exp.Columns, exp.Star, exp.Lambda, exp.Window, exp.AggFunc) is not None:
        return False
    columns = list(tree.find_all(exp.Column))
    return bool(columns) and all(_belongs(column, other, known) for column in columns)


def _belongs(column: exp.Column, other: Relation, known: Known) -> bool:
    parts = [part.name.lower() for part in column.parts]
    if len(parts) > 1:
        return parts[0] == other.alias
    names = known[other.alias]
    others = [one for alias, one in known.items() if alias != other.alias]
    return names is not None and parts[0] in names and all(one is not None and parts[0] not in one for one in others)
