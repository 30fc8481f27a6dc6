"""MERGE, bound: one query that pairs the rows of both sides and says which WHEN each pair is for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from lancesql.binder.drafts import find_drafts
from lancesql.binder.filters.lineage import Lineage
from lancesql.binder.scope import read_scope
from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, BindError, ParseError, Span
from lancesql.parser import parse_expression, parse_statement
from lancesql.parser.commands import AssignmentSyntax, BranchSyntax, MergeSyntax, NameSyntax
from lancesql.plan.commands import MergeBranch, MergeRows
from lancesql.plan.constraints import read_constraints
from lancesql.plan.sources import ROW_ID
from lancesql.plan.spelling import quote_name

from .changes import ROW, find_alias, plan_changes, resolve_columns, write_value
from .targets import CommandContext, find_changed

__all__ = ["Pairs", "bind_merge", "plan_pairs", "write_equality"]

BRANCH, PRESENT, SOURCE = "__lancesql_branch", "__lancesql_present", "__lancesql_source"


@dataclass(frozen=True)
class Pairs:
    """Two sides of which rows are paired.

    Attributes:
        target: The table with its alias, as they stand.
        target_alias: What the statement calls the table.
        source: The other side, in parts.
        source_alias: What the statement calls it.
        on: When two rows are a pair.
        branches: What is done with which pairs.
        keys: The columns of the table by which `on` finds its rows.
        prefix: The common table expressions in front.
        renamed: The alias to give the table, which stands without one.
        by_keys: Nothing but the keys decides which rows are a pair.
        appends: Rows are added without a look at those that are there.
        statement: What the history calls it.
    """

    target: Span
    target_alias: str
    source: tuple[str | Span, ...]
    source_alias: str
    on: str | Span
    branches: tuple[BranchSyntax, ...]
    keys: tuple[str, ...] = ()
    prefix: Span | None = None
    renamed: str | None = None
    by_keys: bool = False
    appends: bool = False
    statement: str = "MERGE"


def bind_merge(syntax: MergeSyntax, context: CommandContext) -> MergeRows | None:
    """What becomes of which rows; None when the table is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        return None
    assert syntax.source is not None
    alias, columns = _read_source(syntax, context)
    if alias.lower() == find_alias(syntax).lower():
        raise BindError(
            f"both sides are called '{alias}'",
            hint="give the source another name: USING … AS s",
            span=syntax.source,
        )
    branches = [_pair_columns(one, table, alias, columns) for one in syntax.branches]
    keys, by_keys = _find_keys(syntax, context, table)
    pairs = Pairs(
        target=syntax.target,
        target_alias=find_alias(syntax),
        source=(syntax.source,),
        source_alias=alias,
        on=_write_condition(syntax, alias),
        branches=tuple(branches),
        keys=keys,
        prefix=syntax.prefix,
        by_keys=by_keys,
    )
    return plan_pairs(pairs, table, context, syntax.returning)


def plan_pairs(pairs: Pairs, table: TableInfo, context: CommandContext, returning: Span | None) -> MergeRows:
    """The query that pairs the rows of both sides, planned, with what is done with the pairs of each branch."""
    values: list[str | Span] = []
    bound: list[MergeBranch] = []
    width = 2
    for number, branch in enumerate(pairs.branches):
        given = _complete_columns(branch, table)
        columns = resolve_columns([one.column for one in given], table)
        says, unmatched = branch.message is not None, branch.matched == "source only"
        bound.append(MergeBranch(branch.action, columns, width, says=says, unmatched=unmatched))
        if branch.message is not None:
            values += [f', CASE WHEN "{BRANCH}" = {number} THEN (', branch.message, ")::VARCHAR END"]
        for at, one in enumerate(given):
            is_array = pa.types.is_fixed_size_list(table.schema.field(columns[at]).type)
            as_list = "[:]" if is_array and not context.catalog.chooses_arrays() else ""
            values += [f', CASE WHEN "{BRANCH}" = {number} THEN (', write_value(one, table, columns[at], context)]
            values.append(f'){as_list} END AS "__lancesql_{number}_{at}"')
        width += len(given) + says
    target, alias = quote_name(pairs.target_alias), pairs.source_alias
    parts: list[str | Span] = [] if pairs.prefix is None else [pairs.prefix, " "]
    parts += [f'SELECT {target}.{ROW_ID} AS "{ROW}", ', *_write_choice(pairs.branches, target, alias), *values]
    parts += [f' FROM (SELECT true AS "{PRESENT}", * FROM ', *pairs.source, f") AS {quote_name(alias)} "]
    renamed = "" if pairs.renamed is None else f" AS {quote_name(pairs.renamed)}"
    parts += [_name_join(pairs.branches), " JOIN ", pairs.target, renamed, " ON (", pairs.on, ")"]
    changed = plan_changes(context, table, pairs.target_alias, parts, returning)
    return MergeRows(
        changed, tuple(bound), pairs.keys, looks_up=_looks_up(pairs, bound, table), statement=pairs.statement
    )


def _looks_up(pairs: Pairs, branches: Sequence[MergeBranch], table: TableInfo) -> bool:
    """Whether rows get a primary key that a row may have which was not found."""
    primary = set(read_constraints(table.schema).primary_key)
    if not primary or pairs.appends:
        return False
    if any(one.action == "update" and primary & set(one.columns) for one in branches):
        return True
    found_by_it = pairs.by_keys and set(pairs.keys) <= primary
    return any(one.action == "insert" and not (found_by_it and one.unmatched) for one in branches)


def _name_join(branches: Sequence[BranchSyntax]) -> str:
    kinds = {one.matched for one in branches}
    if "target only" in kinds:
        return "FULL" if "source only" in kinds else "RIGHT"
    return "LEFT" if "source only" in kinds else "INNER"


def _write_choice(branches: Sequence[BranchSyntax], target: str, alias: str) -> list[str | Span]:
    """The number of the first WHEN a pair is for; NULL for none."""
    present, row = f'{quote_name(alias)}."{PRESENT}"', f"{target}.{ROW_ID}"
    tests = {
        "matched": f"{present} IS NOT NULL AND {row} IS NOT NULL",
        "source only": f"{row} IS NULL",
        "target only": f"{present} IS NULL",
    }
    parts: list[str | Span] = ["CASE"]
    for number, one in enumerate(branches):
        parts.append(f" WHEN {tests[one.matched]}")
        if one.condition is not None:
            parts += [" AND (", one.condition, ")"]
        parts.append(f" THEN {number}")
    return [*parts, f' END AS "{BRANCH}"']


def _write_condition(syntax: MergeSyntax, alias: str) -> str | Span:
    return syntax.on or write_equality([one.parts[-1] for one in syntax.columns], find_alias(syntax), alias)


def write_equality(columns: Sequence[str], target: str, source: str) -> str:
    """That two rows have the same values in these columns."""
    sides = [(f"{quote_name(target)}.{quote_name(one)}", f"{quote_name(source)}.{quote_name(one)}") for one in columns]
    return " AND ".join(f"{left} = {right}" for left, right in sides)


def _read_source(syntax: MergeSyntax, context: CommandContext) -> tuple[str, tuple[str, ...] | None]:
    """What the source is called, and its columns in lower case when they are known."""
    assert syntax.source is not None
    prefix = "" if syntax.prefix is None else context.sql[syntax.prefix.start : syntax.prefix.end] + " "
    statement = parse_statement(f"{prefix}SELECT * FROM {context.sql[syntax.source.start : syntax.source.end]}")
    tree = statement.tree
    if not isinstance(tree, exp.Select):
        raise ParseError("a table or a query in brackets is expected", span=syntax.source)
    scope = read_scope(tree)
    if len(scope.relations) != 1:
        raise ParseError(
            "the source of a MERGE is one table or query", hint="write USING (SELECT …) AS s", span=syntax.source
        )
    drafts = find_drafts(statement, context.catalog, itertools.count())
    relation = scope.relations[0]
    columns = Lineage(drafts, context.catalog, {}).columns_of(relation)
    if (columns is None or "" in columns) and not drafts:
        names = context.catalog.query_columns(statement.sql)
        columns = None if names is None else tuple(name.lower() for name in names)
    return relation.node.alias_or_name or SOURCE, None if columns is not None and "" in columns else columns


def _pair_columns(branch: BranchSyntax, table: TableInfo, alias: str, columns: tuple[str, ...] | None) -> BranchSyntax:
    """UPDATE and INSERT without a list, written out: which column of the source goes to which of the table."""
    if branch.by is None:
        return branch
    if columns is None:
        raise ArgumentError(
            "the columns of the source are not known before it runs",
            hint="name them: UPDATE SET column = value, INSERT (column, …) VALUES (…)",
            span=branch.span,
        )
    names = table.schema.names
    folded = [name.lower() for name in names]
    if branch.by == "position" and len(columns) != len(names):
        raise BindError(
            f"the source has {len(columns)} columns, and table '{table.name}' has {len(names)}",
            hint="write BY NAME, or name the columns",
            span=branch.span,
        )
    crossed = [name for name, other in zip(columns, folded, strict=False) if name != other and name in folded]
    if branch.by == "position" and crossed:
        raise BindError(
            f"by position, column '{crossed[0]}' of the source goes to a column of another name",
            hint="write BY NAME, or name the columns",
            span=branch.span,
        )
    pairs = zip(columns, names, strict=True) if branch.by == "position" else zip(columns, columns, strict=True)
    assignments = tuple(
        AssignmentSyntax(
            NameSyntax((target,), quoted_string=False, span=branch.span), f"{quote_name(alias)}.{quote_name(source)}"
        )
        for source, target in pairs
    )
    return replace(branch, assignments=assignments)


def _complete_columns(branch: BranchSyntax, table: TableInfo) -> tuple[AssignmentSyntax, ...]:
    """The values of a WHEN with their columns: those of INSERT VALUES without names are all of the table's."""
    if not branch.assignments or branch.assignments[0].column.parts:
        return branch.assignments
    names = table.schema.names
    if len(branch.assignments) != len(names):
        raise BindError(
            f"table '{table.name}' has {len(names)} columns, and {len(branch.assignments)} values are given",
            hint=f"name them: INSERT ({', '.join(names)}) VALUES (…)",
            span=branch.span,
        )
    return tuple(
        replace(one, column=NameSyntax((name,), quoted_string=False, span=branch.span))
        for one, name in zip(branch.assignments, names, strict=True)
    )


def _find_keys(syntax: MergeSyntax, context: CommandContext, table: TableInfo) -> tuple[tuple[str, ...], bool]:
    """The columns of the table that ON compares for equality with something of the source, and whether that is all."""
    if syntax.on is None:
        return resolve_columns(syntax.columns, table), True
    tree = parse_expression(context.sql[syntax.on.start : syntax.on.end])
    if tree is None:
        return (), False
    folded = {name.lower(): name for name in table.schema.names}
    owner = find_alias(syntax).lower()
    keys: list[str] = []
    conjuncts = list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
    for one in conjuncts:
        equal = one.unnest()
        sides = (equal.this, equal.expression) if isinstance(equal, exp.EQ) else ()
        found = [
            folded[side.name.lower()]
            for side in sides
            if isinstance(side, exp.Column) and side.name.lower() in folded and side.table.lower() in (owner, "")
        ]
        keys += found[:1]
    return tuple(dict.fromkeys(keys)), len(keys) == len(conjuncts)
