"""Searches for each row of other relations: which columns around a search its arguments and its filter name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from lancesql.binder.drafts import Draft
from lancesql.binder.filters.conjuncts import is_bound_inside, is_computed
from lancesql.binder.literals import read_literal
from lancesql.binder.scope import Relation, Scope, read_scope
from lancesql.binder.splice import Edit, splice
from lancesql.catalog import Catalog
from lancesql.errors import Span
from lancesql.parser import Statement, parse_expression
from lancesql.parser.calls import Argument
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import OuterValue

from .source import SearchDraft

__all__ = [
    "OuterColumns",
    "find_around",
    "find_outer_columns",
    "is_within_lateral",
    "value_arguments",
    "write_search_text",
]

_WORDS = frozenset({"column", "columns", "vector_column", "text_columns", "id_column", "group_by", "metric", "filter",
                    "prefilter", "operator", "syntax", "fusion", "normalize", "recency", "reranker", "version", "tag",
                    "branch", "timestamp"})  # fmt: skip
"""Arguments that are words of the statement, never values."""


@dataclass
class OuterColumns:
    """What one search may take from the relations around it, and what it does take.

    Attributes:
        scope: The block it stands in.
        own: Its own relation in the block.
        around: The relations of the enclosing blocks.
        columns: Source alias → base columns, of the block's sources.
        lateral: Whether it sees the relations before it in its FROM.
        within_lateral: Whether the subquery it stands in is one for each row: `LATERAL (SELECT … FROM search …)`.
        filtered: Whether its block's predicates are its filter.
        values: What it takes; the parameters are `$__outer_0`, `$__outer_1`, …
        inner: The plans of values that read Lance tables of their own.
    """

    scope: Scope
    own: Relation
    around: tuple[Relation, ...]
    columns: Mapping[str, Mapping[str, str]]
    catalog: Catalog
    prefix: str
    lateral: bool = False
    within_lateral: bool = False
    filtered: bool = True
    values: list[OuterValue] = field(default_factory=list)
    inner: dict[str, QueryPlan] = field(default_factory=dict)

    def take(self, text: str) -> str:
        """The name of the parameter that holds the value of `text`."""
        held = next((value for value in self.values if value.sql == text), None)
        if held is None:
            held = OuterValue(f"{self.prefix}{len(self.values)}", text)
            self.values.append(held)
        return held.parameter

    def find_in_argument(self, tree: exp.Expr) -> list[exp.Column]:
        """The columns of the relations before and around the search that an argument of it names."""
        return [column for column in self._find_free(tree) if self._is_outer(column, self._before(), own=False)]

    def replace_in_predicate(self, text: str, tree: exp.Expr) -> str:
        """The predicate with each column of an outer relation as a parameter."""
        if not self.filtered:
            return text
        before = self._before() if self.lateral else frozenset()
        edits = []
        for column in self._find_free(tree):
            if not self._is_outer(column, before, own=True):
                continue
            places = [part.meta for part in column.parts if "start" in part.meta]
            if len(places) != len(column.parts):
                return text
            span = Span(places[0]["start"], places[-1]["end"] + 1)
            name = f"${self.take(text[span.start : span.end])}"
            edits.append(Edit(span, f"({name})" if text[span.end : span.end + 1] in (".", "[") else name))
        return splice(text, edits)

    def _find_free(self, tree: exp.Expr) -> list[exp.Column]:
        reach = replace(self.scope, relations=(*self.scope.relations, *self.around))
        return [
            column
            for column in tree.find_all(exp.Column)
            if not isinstance(column.this, exp.Star) and not is_bound_inside(column, tree, reach, self.catalog)
        ]

    def _before(self) -> frozenset[str]:
        relations = self.scope.relations
        return frozenset(one.alias for one in relations[: relations.index(self.own)] if one.visible)

    def _is_outer(self, column: exp.Column, before: frozenset[str], *, own: bool) -> bool:
        parts = [part.name.lower() for part in column.parts]
        if len(parts) > 2 and parts[0] == "lance":
            parts = parts[1:]
        if len(parts) > 1:
            if self.scope.find(parts[0]) is not None:
                return parts[0] in before
            if any(one.alias == parts[0] for one in self.around):
                return True
        name = parts[0]
        holders = [alias for alias, names in self.columns.items() if name in names and (own or alias != self.own.alias)]
        if holders:
            return len(holders) == 1 and holders[0] in before
        if name in self.scope.merged or (own and is_computed(name)):
            return False
        unknown = [one.alias for one in self.scope.relations if one is not self.own and one.alias not in self.columns]
        if any(alias not in before for alias in unknown):
            return False
        return bool(unknown or self.around)


def find_outer_columns(
    draft: Draft,
    scope: Scope | None,
    columns: Mapping[str, Mapping[str, str]],
    catalog: Catalog,
    statement: Statement,
) -> OuterColumns | None:
    """What a search may take from other relations; None when there is none that it sees."""
    own = scope.of(draft.node) if scope is not None else None
    if draft.call is None or scope is None or own is None:
        return None
    around = tuple(find_around(scope.owner))
    if len(scope.relations) == 1 and not around:
        return None
    prefix = "__outer_"
    while prefix in statement.sql:
        prefix = "_" + prefix
    outer = OuterColumns(scope, own, around, columns, catalog, prefix, lateral=draft.call.lateral is not None)
    outer.within_lateral = is_within_lateral(scope.owner)
    if not outer.lateral:
        before = {relation.alias for relation in scope.relations[: scope.relations.index(own)]}
        for argument in value_arguments(draft):
            tree = parse_expression(statement.sql[argument.span.start : argument.span.end])
            found = outer.find_in_argument(tree) if tree is not None else []
            outer.lateral = outer.lateral or any(_names_one_of(column, before, outer) for column in found)
    return outer


def value_arguments(draft: Draft | SearchDraft) -> list[Argument]:
    """The arguments that an outer relation may give: neither words of the statement nor literals."""
    own = [
        argument
        for name, argument in draft.arguments.items()
        if name not in _WORDS and read_literal(argument.tokens) is None
    ]
    return [*own, *(argument for part in draft.parts for argument in value_arguments(part))]


def _names_one_of(column: exp.Column, before: set[str], outer: OuterColumns) -> bool:
    qualifier = column.parts[0].name.lower() if len(column.parts) > 1 else ""
    if outer.scope.find(qualifier) is not None:
        return qualifier in before
    return bool(before) and not any(one.alias == qualifier for one in outer.around)


def find_around(owner: exp.Expr) -> list[Relation]:
    """The relations of the SELECT blocks that enclose a block."""
    found: list[Relation] = []
    node, in_cte = owner.parent, False
    while node is not None:
        if isinstance(node, exp.Select) and not in_cte:
            found += read_scope(node).relations
        in_cte = isinstance(node, exp.CTE | exp.With)  # a CTE does not see the FROM of the block it belongs to
        node = node.parent
    return found


def is_within_lateral(owner: exp.Expr) -> bool:
    """Whether a block is what a `LATERAL (…)` has in FROM, not part of a predicate or a value in it."""
    node = owner.parent
    while isinstance(node, exp.Subquery | exp.Select | exp.SetOperation | exp.From | exp.Join):
        node = node.parent
    return isinstance(node, exp.Lateral)


def write_search_text(draft: Draft, outer: OuterColumns) -> str:
    """What the relation holds in place of a search for each row: a call of a function that gives a list of rows."""
    texts = [
        outer.inner[value.sql].relation.removeprefix("SELECT ") if value.sql in outer.inner else value.sql
        for value in outer.values
    ]
    return f'(SELECT unnest("{draft.placeholder}"({", ".join(texts)}), max_depth := 2))'
