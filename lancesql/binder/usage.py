"""What the relation may ask of a source: the columns it names, or everything.

A name counts wherever it may mean a column of the source: in the query the source stands in and, where a star hands its
columns out of that query, in the queries that read it. A column may be read in vain, but none is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlglot import exp

from lancesql.binder.filters.conjuncts import COMPUTED
from lancesql.binder.filters.ctes import find_cte, is_recursive
from lancesql.binder.filters.lineage import Lineage
from lancesql.parser import Statement
from lancesql.parser.tokens import Token, TokenType, is_word
from lancesql.plan.query import Usage
from lancesql.plan.sources import RANK, ROW_ID

from .drafts import Draft, is_reshaped
from .places import find_place
from .scope import Relation, find_owner_node

__all__ = ["UsageReader"]

_Names = dict[str, set[int]]
"""Names in lower case, and where in the statement each of them stands."""


class UsageReader:
    """Reads the usage of each source of a statement."""

    def __init__(self, statement: Statement, lineage: Lineage) -> None:
        self._statement = statement
        self._lineage = lineage
        tables = statement.tree.find_all(exp.Table, exp.Subquery, exp.Lateral, exp.CTE, exp.Unnest)
        self._aliases = {table.alias_or_name.lower() for table in tables}
        self._by_place = statement.tree.find(exp.PositionalColumn) is not None

    def read(self, draft: Draft) -> Usage:
        """The names by which a source's columns may be asked for, or that any may be."""
        owner = draft.owner
        if not isinstance(owner, exp.Select) or is_reshaped(draft.node) or self._by_place:
            return Usage(draft.placeholder, frozenset(), everything=True)
        relation = self._lineage.scope_of(owner).of(draft.node)
        names = None if relation is None else self._read_names(relation, owner)
        if names is None:
            return Usage(draft.placeholder, frozenset(), everything=True)
        places = {name: frozenset(starts) for name, starts in names.items()}
        return Usage(draft.placeholder, frozenset({ROW_ID, *names}), places=places)

    def _read_names(self, relation: Relation, select: exp.Select) -> _Names | None:
        """The names that may mean a column of a relation of a block, and where they stand; None for every column."""
        scope = self._lineage.scope_of(select)
        if scope.natural or _is_whole(relation, select, self._list_columns(relation)):
            return None
        named: _Names = {}
        for item in select.expressions:
            star = item.this if isinstance(item, exp.Column) else item
            if isinstance(star, exp.Star) and (
                not isinstance(item, exp.Column) or item.table.lower() == relation.alias
            ):
                beyond = self._read_names_beyond(select)
                if beyond is None:
                    return None
                _add_places(named, beyond)
        columns = set(self._list_columns(relation) or ())
        for token in self._list_names(relation, select, columns):
            named.setdefault(token.text.lower(), set()).add(token.start)
        return named

    def _list_columns(self, relation: Relation) -> tuple[str, ...] | None:
        draft = self._lineage.draft_of(relation)
        if draft is not None:
            return tuple(name.lower() for name in draft.table.schema.names)
        return self._lineage.columns_of(relation) if self._lineage.query_of(relation) is not None else None

    def _list_names(self, relation: Relation, select: exp.Select, columns: set[str]) -> Iterator[Token]:
        """The names around a relation, but those that another relation's name stands before."""
        tokens = self._list_tokens(relation, select)
        others = self._aliases - {relation.alias} - columns
        skipped = False
        for at, token in enumerate(tokens):
            is_part = at > 0 and tokens[at - 1].token_type is TokenType.DOT
            qualifier = tokens[at - 2] if at > 1 else token
            skipped = is_part and (skipped or qualifier.text.lower() in others)
            if not skipped and token.token_type not in (TokenType.STRING, TokenType.DOT):
                yield token

    def _list_tokens(self, relation: Relation, select: exp.Select) -> list[Token]:
        """The tokens of the query a block is in, without the relation's own and its common table expressions'."""
        place = find_place(select)
        tree = self._statement.token_tree
        if place is None:
            return self._statement.tokens
        tokens = tree.read_query(place)
        hidden: set[int] = set()
        draft = self._lineage.draft_of(relation)
        if draft is not None:
            hidden |= {id(one) for one in tokens if draft.span.start <= one.start and one.end < draft.span.end}
        with_ = select.args.get("with_")
        for cte in with_.expressions if with_ is not None else ():
            start = cte.args["alias"].this.meta.get("start")
            at = tree.find_token(start) if start is not None else len(tree.tokens)
            opening = next((one for one in range(at, len(tree.tokens)) if _opens_query(tree.tokens, one)), None)
            if opening is not None:
                hidden |= {id(one) for one in tree.tokens[opening : tree.partner.get(opening, opening)]}
        elsewhere = self._find_bound_inside(select)
        return [one for one in tokens if id(one) not in hidden and one.start not in elsewhere]

    def _find_bound_inside(self, select: exp.Select) -> set[int]:
        """Where the columns stand that belong to a relation of a query within the block."""
        places: set[int] = set()
        for column in select.find_all(exp.Column):
            inner = column.find_ancestor(exp.Select)
            while inner is not None and inner is not select:
                if self._lineage.resolve(column, self._lineage.scope_of(inner)) is not None:
                    places |= {part.meta["start"] for part in column.parts if "start" in part.meta}
                    break
                inner = inner.find_ancestor(exp.Select)
        return places

    def _read_names_beyond(self, select: exp.Select) -> _Names | None:
        """The names by which the columns of a query's star may be asked for outside of it; None for every column."""
        if not self._hands_out_by_name(select):
            return None
        parent = select.parent
        if isinstance(parent, exp.CTE):
            if is_recursive(parent) or parent.args["alias"].args.get("columns"):
                return None
            tables = self._statement.tree.find_all(exp.Table)
            readers: list[exp.Expr] = [one for one in tables if find_cte(one) is parent]
        elif isinstance(parent, exp.Subquery):
            readers = [parent.parent if isinstance(parent.parent, exp.Lateral) else parent]
        else:
            return None
        found: _Names = {}
        for reader in readers:
            alias = reader.args.get("alias")
            owner = find_owner_node(reader)
            if not isinstance(owner, exp.Select) or reader.args.get("pivots"):
                return None
            if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
                return None
            relation = self._lineage.scope_of(owner).of(reader)
            names = None if relation is None else self._read_names(relation, owner)
            if names is None:
                return None
            _add_places(found, names)
        return found

    def _hands_out_by_name(self, select: exp.Select) -> bool:
        """Whether leaving out a column of the star changes nothing but that it is missing."""
        if select.args.get("distinct") is not None or select.args.get("kind"):
            return False
        group, order = select.args.get("group"), select.args.get("order")
        if group is not None and (group.args.get("all") or any(isinstance(k, exp.Literal) for k in group.expressions)):
            return False
        keys = [key.this for key in order.expressions] if order is not None else []
        if any(isinstance(key, exp.Literal | exp.Var) for key in keys):
            return False
        names: Counter[str] = Counter()
        covered: set[int] = set()
        for item in select.expressions:
            if not item.is_star:
                names[item.alias_or_name.lower()] += bool(item.alias_or_name)
                continue
            star = item.this if isinstance(item, exp.Column) else item
            if star.args.get("rename"):
                return False
            alias = item.table.lower() if isinstance(item, exp.Column) else ""
            for relation in self._lineage.scope_of(select).relations:
                if alias in ("", relation.alias) and id(relation) not in covered:
                    covered.add(id(relation))
                    columns = self._list_columns(relation)
                    if columns is None:
                        return False
                    draft = self._lineage.draft_of(relation)
                    names.update(columns)
                    if draft is not None and draft.call is not None:
                        names.update((*COMPUTED, *(f"{RANK}{at + 1}" for at in range(len(draft.parts)))))
        return max(names.values(), default=0) <= 1  # DuckDB counts the columns of one name


def _add_places(names: _Names, others: _Names) -> None:
    for name, places in others.items():
        names.setdefault(name, set()).update(places)


def _is_whole(relation: Relation, select: exp.Select, columns: tuple[str, ...] | None) -> bool:
    """Whether something in the block may mean every column, other than a star of its SELECT list."""
    if next(select.find_all(exp.Columns), None) is not None:
        return True
    if any(_asks_for_a_row(star, relation, select) for star in select.find_all(exp.Star)):
        return True
    if columns is not None and relation.alias in columns:
        return False
    return any(not column.table and column.name.lower() == relation.alias for column in select.find_all(exp.Column))


def _asks_for_a_row(star: exp.Star, relation: Relation, select: exp.Select) -> bool:
    """Whether a star stands for the relation's columns elsewhere than in the SELECT list of the block."""
    item = star.parent if isinstance(star.parent, exp.Column) else star
    around = item.parent
    if isinstance(item, exp.Column) and item.table.lower() == relation.alias and around is not select:
        return True
    return not isinstance(around, exp.Select | exp.Count)


def _opens_query(tokens: list[Token], at: int) -> bool:
    behind = tokens[at - 1] if at else tokens[at]
    return tokens[at].token_type is TokenType.L_PAREN and is_word(behind, "AS", "MATERIALIZED")
