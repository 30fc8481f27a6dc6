"""Conjuncts written outside a subquery or a common table expression that its Lance tables can be read with.

A conjunct is copied, never moved: the relation keeps it where the user wrote it. A search is not reached this way: a
filter written outside sees its k rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from lancesql.binder.drafts import Draft
from lancesql.binder.places import find_place
from lancesql.binder.scope import Relation, Scope
from lancesql.binder.splice import Edit, splice
from lancesql.catalog import Catalog
from lancesql.errors import Span
from lancesql.parser import Statement, parse_expression, read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.sources import ROW_ID, Conjunct, Source, TableScan
from lancesql.plan.text_functions import TextFunction

from .barriers import find_barrier, find_clause_barrier, find_combination_barrier
from .conjuncts import is_volatile
from .ctes import count_references
from .lineage import Lineage
from .moving import Moving
from .null_rows import rejects_null
from .text_matches import find_text_match
from .transferred import transfer_conjuncts

__all__ = ["inherit_conjuncts"]


def inherit_conjuncts(
    sources: list[Source],
    lineage: Lineage,
    statement: Statement,
    catalog: Catalog,
    edits: list[Edit],
    functions: list[TextFunction],
) -> list[Source]:
    """The sources, each scan with the conjuncts it can be read with beyond those of its own block."""
    if statement.tree.find(exp.Subquery, exp.CTE, exp.Join) is None:
        return sources
    reader = _Reader(statement, lineage, catalog, edits, functions)
    found: dict[str, list[Conjunct]] = {}
    for select in statement.tree.find_all(exp.Select):
        for relation, moving in reader.read_conjuncts(select):
            for draft, conjunct in reader.enter(relation, moving):
                found.setdefault(draft.placeholder, []).append(conjunct)
    return [
        replace(source, filter=_merge(source.alias, source.filter, found[source.placeholder]))
        if isinstance(source, TableScan) and source.placeholder in found and source.nearest is None
        else source
        for source in sources
    ]


def _merge(alias: str, own: tuple[Conjunct, ...], found: list[Conjunct]) -> tuple[Conjunct, ...]:
    """Its own conjuncts, and those of the others that say something else."""
    qualifier = re.compile(rf"(?<![\w.]){re.escape(alias)}\.", re.IGNORECASE)
    texts = {qualifier.sub("", conjunct.sql) for conjunct in own}
    return (*own, *(conjunct for conjunct in found if conjunct.sql not in texts))


class _Reader:
    def __init__(
        self,
        statement: Statement,
        lineage: Lineage,
        catalog: Catalog,
        edits: list[Edit],
        functions: list[TextFunction],
    ) -> None:
        self.functions = functions
        self.statement = statement
        self.lineage = lineage
        self.catalog = catalog
        self.edits = edits
        self.references = count_references(statement.tree)

    def read_conjuncts(self, select: exp.Select) -> Iterator[tuple[Relation, Moving]]:
        """The conjuncts that restrict a query of the block, or by an equality any relation of it, with that one."""
        scope = self.lineage.scope_of(select)
        if not _has_conditions(select) or not self._has_scans(scope) or (place := find_place(select)) is None:
            return
        block = self.statement.token_tree.read_block(place)
        inner = [span for join in block.joins if join.inner for span in join.conjuncts]
        trees: list[exp.Expr] = []
        read: list[tuple[Relation, Moving]] = []
        for span in (*block.where, *inner):
            text = splice(self.statement.sql, self.edits, span)
            tree = parse_expression(text)
            if tree is None or tree.find(exp.Select, exp.Lambda, exp.Comprehension, exp.Columns, exp.Star) is not None:
                continue
            trees.append(tree)
            found = [(column, self.lineage.resolve(column, scope)) for column in tree.find_all(exp.Column)]
            relations = {id(owner[0]) if owner is not None else 0 for _, owner in found}
            if len(relations) != 1 or found[0][1] is None or is_volatile(read_tokens(text), self.catalog):
                continue
            places = tuple((_span_column(column), owner[1]) for column, owner in found if owner is not None)
            read.append((found[0][1][0], Moving(text, tree, span, places)))
        yield from ((relation, moving) for relation, moving in read if self.lineage.query_of(relation) is not None)
        yield from transfer_conjuncts(read, trees, scope, self.lineage)

    def _has_scans(self, scope: Scope) -> bool:
        """Whether a conjunct of the block can reach a scan: within a query, or beside another relation."""
        drafts = [self.lineage.draft_of(relation) for relation in scope.relations]
        if len(drafts) > 1 and any(draft is not None and draft.call is None for draft in drafts):
            return True
        return any(self.lineage.query_of(relation) is not None for relation in scope.relations)

    def enter(self, relation: Relation, moving: Moving) -> Iterator[tuple[Draft, Conjunct]]:
        """The scans that a conjunct on a relation reaches."""
        if not moving.barrier:
            moving = replace(moving, barrier=self._find_relation_barrier(relation, moving))
        draft = self.lineage.draft_of(relation)
        if draft is not None:
            if draft.call is None and not (moving.barrier and moving.transferred):
                conjunct = self._write_conjunct(draft, moving)
                if conjunct is not None:
                    yield draft, conjunct
            return
        query, columns = self.lineage.query_of(relation), self.lineage.columns_of(relation)
        outputs = self.lineage.outputs_of(query) if query is not None else None
        if query is None or columns is None or outputs is None:
            return
        if any(columns.count(name) != 1 for name in moving.names):
            return
        positions = {name: columns.index(name) for name in moving.names}
        yield from self._enter_query(query, moving, positions)

    def _find_relation_barrier(self, relation: Relation, moving: Moving) -> str:
        if relation.paired:
            return "the rows are sampled or paired before it"
        if relation.nullable and not rejects_null(moving.tree):
            return "it might keep the NULLs of an outer join"
        cte = self.lineage.cte_of(relation)
        if cte is not None and self.references.get(id(cte), 0) > 1:
            return f"{cte.alias} is read more than once"
        return ""

    def _enter_query(
        self, query: exp.Expr, moving: Moving, positions: dict[str, int]
    ) -> Iterator[tuple[Draft, Conjunct]]:
        if isinstance(query, exp.Subquery):
            moving = replace(moving, barrier=moving.barrier or find_clause_barrier(query, ("this", "with_", "order")))
            yield from self._enter_query(query.this, moving, positions)
        elif isinstance(query, exp.SetOperation):
            barrier = find_combination_barrier(query, set(positions.values()), self.lineage)
            moving = replace(moving, barrier=moving.barrier or barrier)
            arms = [query.this] if isinstance(query, exp.Except) else [query.this, query.expression]
            for arm in arms:
                yield from self._enter_query(arm, moving, positions)
        elif isinstance(query, exp.Select):
            outputs = self.lineage.outputs_of(query)
            found = {name: outputs[at] for name, at in positions.items()} if outputs is not None else {}
            relations = {id(output.relation): output.relation for output in found.values()}
            if len(relations) != 1:
                return
            (relation,) = relations.values()
            if relation is None:
                return
            read = {(id(relation.node), output.column) for output in found.values()}
            barrier = find_barrier(query, read, self.lineage) or self._find_volatile_barrier(query)
            moving = replace(moving, barrier=moving.barrier or barrier)
            yield from self.enter(relation, moving.rename({name: output.column for name, output in found.items()}))

    def _find_volatile_barrier(self, select: exp.Select) -> str:
        start = find_place(select)
        tokens = self.statement.tokens if start is None else self.statement.token_tree.read_query(start)
        return "a function that answers anew each time comes before it" if is_volatile(tokens, self.catalog) else ""

    def _write_conjunct(self, draft: Draft, moving: Moving) -> Conjunct | None:
        names = {name.lower(): name for name in (*draft.table.schema.names, ROW_ID)}
        if any(name not in names for name in moving.names):
            return None
        edits = [
            Edit(span, _write_name(names[name], moving.text[span.start : span.end])) for span, name in moving.places
        ]
        text = splice(moving.text, edits)
        tree = None if moving.barrier or not self.functions else parse_expression(text)
        return Conjunct(
            sql=text,
            columns=tuple(dict.fromkeys(names[name] for _, name in moving.places)),
            span=moving.span,
            reason=moving.barrier,
            parameters=tuple(dict.fromkeys(use.name for use in find_parameters(read_tokens(text)))),
            barred=bool(moving.barrier),
            match=None if tree is None else find_text_match(tree, draft.table, self.functions),
        )


def _write_name(name: str, written: str) -> str:
    """A column's name as SQL: as the user spells it where that is the name alone."""
    return written if written.lower() == name.lower() else exp.column(name).sql(dialect="duckdb")


def _span_column(column: exp.Column) -> Span:
    parts = column.parts
    return Span(parts[0].meta["start"], parts[-1].meta["end"] + 1)


def _has_conditions(select: exp.Select) -> bool:
    joins = select.args.get("joins") or ()
    return select.args.get("where") is not None or any(join.args.get("on") is not None for join in joins)
