"""Where a column of a query comes from: through subqueries, common table expressions and their renamings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from lancesql.binder.drafts import Draft, is_reshaped
from lancesql.binder.scope import Relation, Scope, read_scope
from lancesql.catalog import Catalog
from lancesql.plan.sources import ROW_ID

from .ctes import find_cte, is_recursive

__all__ = ["Lineage", "OutputName", "compare_alike"]


@dataclass(frozen=True)
class OutputName:
    """One column of a query.

    Attributes:
        name: What it is called, in lower case; "" when only the engine knows.
        relation: The relation of the block whose column it is, passed through; None for anything computed.
        column: That relation's name of it, in lower case.
    """

    name: str
    relation: Relation | None = None
    column: str = ""


class Lineage:
    """Answers about one statement, each found once.

    Args:
        drafts: The statement's sources.
        catalog: Asked for the columns of the engine's tables.
        scopes: The blocks read so far, by the identity of their nodes.
    """

    def __init__(self, drafts: list[Draft], catalog: Catalog, scopes: Mapping[int, Scope]) -> None:
        self._catalog = catalog
        self._drafts = {id(draft.node): draft for draft in drafts}
        self._scopes = dict(scopes)
        self._outputs: dict[int, tuple[OutputName, ...] | None] = {}

    def draft_of(self, relation: Relation) -> Draft | None:
        """The source a relation is."""
        return self._drafts.get(id(relation.node))

    def scope_of(self, select: exp.Select) -> Scope:
        """The relations of a block."""
        if id(select) not in self._scopes:
            self._scopes[id(select)] = read_scope(select)
        return self._scopes[id(select)]

    def query_of(self, relation: Relation) -> exp.Expr | None:
        """The query a relation is: a subquery's, a common table expression's; None for a table."""
        node = relation.node
        if isinstance(node, exp.Lateral):
            node = node.this
        if node.args.get("pivots"):
            return None
        if isinstance(node, exp.Subquery):
            inner: exp.Expr = node.this
            return inner
        cte = self.cte_of(relation)
        return cte.this if cte is not None and not is_recursive(cte) else None

    def cte_of(self, relation: Relation) -> exp.CTE | None:
        """The common table expression a relation reads."""
        node = relation.node
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier) or id(node) in self._drafts:
            return None
        return find_cte(node)

    def columns_of(self, relation: Relation) -> tuple[str, ...] | None:
        """Every column of a relation in order, in lower case; None when only the engine knows."""
        draft = self.draft_of(relation)
        if draft is not None:
            return None if is_reshaped(draft.node) else tuple(name.lower() for name in draft.table.schema.names)
        query = self.query_of(relation)
        cte = self.cte_of(relation)
        if query is None:
            return None if cte is not None else self._columns_of_table(relation)
        outputs = self.outputs_of(query)
        if outputs is None:
            return None
        names = [output.name for output in outputs]
        for holder in (cte, relation.node):
            renamed = _read_column_aliases(holder)
            names[: len(renamed)] = renamed[: len(names)]
        return tuple(names)

    def _columns_of_table(self, relation: Relation) -> tuple[str, ...] | None:
        node = relation.node
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            return None
        if node.args.get("db") is not None or is_reshaped(node):
            return None
        names = self._catalog.engine_columns(node.name)
        return None if names is None else tuple(name.lower() for name in names)

    def outputs_of(self, query: exp.Expr) -> tuple[OutputName, ...] | None:
        """The columns of a query in order; None when only the engine knows how many there are."""
        if id(query) not in self._outputs:
            self._outputs[id(query)] = None  # while it is read: nothing is known of a query that reads itself
            self._outputs[id(query)] = self._read_outputs(query)
        return self._outputs[id(query)]

    def _read_outputs(self, query: exp.Expr) -> tuple[OutputName, ...] | None:
        if isinstance(query, exp.Subquery) and not query.args.get("pivots") and not query.args.get("alias"):
            return self.outputs_of(query.this)
        if isinstance(query, exp.SetOperation) and not query.args.get("by_name"):
            left, right = self.outputs_of(query.this), self.outputs_of(query.expression)
            if left is None or right is None or len(left) != len(right):
                return None
            return tuple(OutputName(output.name) for output in left)
        if not isinstance(query, exp.Select) or query.args.get("kind"):
            return None
        outputs: list[OutputName] = []
        for item in query.expressions:
            found = self._read_item(item, self.scope_of(query))
            if found is None:
                return None
            outputs += found
        names = Counter(output.name for output in outputs if output.name)
        return None if any(count > 1 for count in names.values()) else tuple(outputs)

    def _read_item(self, item: exp.Expr, scope: Scope) -> list[OutputName] | None:
        expression = item.this if isinstance(item, exp.Alias) else item
        star = expression.this if isinstance(expression, exp.Column) else expression
        if isinstance(star, exp.Star):
            return self._expand_star(star, expression, scope)
        if isinstance(expression, exp.Unnest | exp.Explode | exp.Aliases) or expression.find(exp.Columns) is not None:
            return None  # it may be several columns
        found = self.resolve(expression, scope) if isinstance(expression, exp.Column) else None
        name = (
            item.alias if isinstance(item, exp.Alias) else expression.name if isinstance(expression, exp.Column) else ""
        )
        return [OutputName(name.lower(), *found)] if found is not None else [OutputName(name.lower())]

    def _expand_star(self, star: exp.Star, item: exp.Expr, scope: Scope) -> list[OutputName] | None:
        alias = item.table.lower() if isinstance(item, exp.Column) else ""
        if star.args.get("rename") or scope.natural or scope.merged:
            return None
        excluded = {column.name.lower() for column in star.args.get("except_") or ()}
        replaced = {column.alias.lower() for column in star.args.get("replace") or ()}
        relations = [one for one in scope.relations if one.visible and alias in ("", one.alias)]
        outputs: list[OutputName] = []
        for relation in relations:
            draft = self.draft_of(relation)
            names = self.columns_of(relation) if draft is None or draft.call is None else None
            if names is None or "" in names:
                return None
            shown = [name for name in names if name not in excluded]
            outputs += [OutputName(name) if name in replaced else OutputName(name, relation, name) for name in shown]
        return outputs if relations else None

    def resolve(self, column: exp.Column, scope: Scope) -> tuple[Relation, str] | None:
        """The relation of a block that a column belongs to, and its name there; None when that is not sure."""
        parts = [part.name.lower() for part in column.parts]
        if len(parts) == 3 and parts[0] == "lance":
            parts = parts[1:]
        if len(parts) == 2 and (relation := scope.find(parts[0])) is not None:
            names = self._names_of(relation)
            return (relation, parts[1]) if names is not None and parts[1] in names else None
        if len(parts) != 1:
            return None
        visible = [relation for relation in scope.relations if relation.visible]
        holders = [one for one in visible if (names := self._names_of(one)) is not None and parts[0] in names]
        if parts[0] in scope.merged or scope.natural:
            first = scope.relations[0]
            merges = len(scope.relations) == 2 and first in holders and not first.nullable and not scope.natural
            return (first, parts[0]) if merges else None
        return (holders[0], parts[0]) if len(holders) == 1 else None

    def _names_of(self, relation: Relation) -> tuple[str, ...] | None:
        """The names by which a Lance table's or a query's columns can be asked for."""
        is_source = self.draft_of(relation) is not None
        if not is_source and self.query_of(relation) is None:
            return None
        names = self.columns_of(relation)
        return (*names, ROW_ID) if is_source and names is not None else names

    def type_of(self, query: exp.Expr, position: int) -> pa.DataType | None:
        """The type of a query's column, when it is a column of a Lance table passed through."""
        if isinstance(query, exp.Subquery):
            return self.type_of(query.this, position)
        if isinstance(query, exp.SetOperation):
            left, right = self.type_of(query.this, position), self.type_of(query.expression, position)
            return left if left is not None and right is not None and compare_alike(left, right) else None
        outputs = self.outputs_of(query)
        if outputs is None or (relation := outputs[position].relation) is None:
            return None
        return self.type_of_column(relation, outputs[position].column)

    def type_of_column(self, relation: Relation, name: str) -> pa.DataType | None:
        """The type of a relation's column, when it is a column of a Lance table passed through."""
        draft = self.draft_of(relation)
        if draft is not None:
            fields = [field for field in draft.table.schema if field.name.lower() == name]
            return fields[0].type if len(fields) == 1 else None
        query, names = self.query_of(relation), self.columns_of(relation)
        if query is None or names is None or names.count(name) != 1:
            return None
        return self.type_of(query, names.index(name))


def compare_alike(left: pa.DataType, right: pa.DataType) -> bool:
    """Whether a value compares with a constant in the same way whichever of the two types holds it."""
    families = (pa.types.is_integer, lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_))
    return left == right or any(family(left) and family(right) for family in families)


def _read_column_aliases(node: exp.Expr | None) -> list[str]:
    alias = node.args.get("alias") if node is not None else None
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    return [column.name.lower() for column in columns or ()]
