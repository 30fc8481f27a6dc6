"""The columns of the relations beside a source: an alias of the SELECT list means itself where none has its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from lancesql.binder.scope import Relation
from lancesql.catalog import Catalog
from lancesql.errors import AmbiguousNameError, Span

from .lineage import Lineage

__all__ = ["ColumnsBeside"]


class ColumnsBeside:
    """Answers about some relations of a block, found when the first one is asked for.

    Args:
        relations: The relations.
        lineage: Knows the columns of most.
        catalog: Asked for those of the others.
        asks_engine: Whether it is worth while.
    """

    def __init__(self, relations: Sequence[Relation], lineage: Lineage, catalog: Catalog, *, asks_engine: bool) -> None:
        self._relations, self._lineage, self._catalog, self._asks_engine = relations, lineage, catalog, asks_engine

    @cached_property
    def _columns(self) -> list[frozenset[str] | None]:
        return [self._list_columns(one) for one in self._relations]

    def _list_columns(self, relation: Relation) -> frozenset[str] | None:
        names = self._lineage.columns_of(relation)
        if names is None and self._asks_engine:
            cte = self._lineage.cte_of(relation)
            before = f"WITH {cte.sql(dialect='duckdb')} " if cte is not None else ""
            asked = self._catalog.query_columns(f"{before}SELECT * FROM {relation.node.sql(dialect='duckdb')}")
            names = None if asked is None else tuple(map(str.lower, asked))
        return None if names is None else frozenset(names)

    def hold(self, name: str) -> bool | None:
        """Whether one of them has a column of that name; None when it cannot be told."""
        if any(names is not None and name in names for names in self._columns):
            return True
        return None if None in self._columns else False

    def require(self, name: str, span: Span) -> bool:
        """As `hold`, where it has to be known.

        Raises:
            AmbiguousNameError: When it cannot be told.
        """
        held = self.hold(name)
        if held is None:
            relation = self._relations[self._columns.index(None)]
            raise AmbiguousNameError(
                f"whether '{name}' is a column of '{relation.alias}' or an alias of the SELECT list cannot be told"
                " before the search",
                hint=f"write {relation.alias}.{name}, or the expression that the alias stands for",
                span=span,
            )
        return held
