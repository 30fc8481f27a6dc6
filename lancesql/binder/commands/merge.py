"""MERGE, bound: one query that pairs the rows of both sides and says which WHEN each pair is for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from lancesql.binder.drafts import find_drafts
from lancesql.binder.filters.lineage import Lineage
from lancesql.binder.scope import read_scope
from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, BindError, ParseError, Span
from lancesql.parser import parse_expression, parse_statement
from lancesql.parser.commands import AssignmentSyntax, BranchSyntax, MergeSyntax, NameSyntax
from lancesql.plan.commands import MergeBranch, MergeRows
from lancesql.plan.sources import ROW_ID

from .changes import ROW, find_alias, find_changed, plan_changes, quote_name, resolve_columns, write_value
from .targets import CommandContext

__all__ = ["bind_merge"]

BRANCH, PRESENT, SOURCE = "__lancesql_branch", "__lancesql_present", "__lancesql_source"


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
    values: list[str | Span] = []
    bound: list[MergeBranch] = []
    width = 2
    for number, branch in enumerate(branches):
        given = _complete_columns(branch, table)
        bound.append(MergeBranch(branch.action, resolve_columns([one.column for one in given], table), width))
        for at, one in enumerate(given):
            values += [f', CASE WHEN "{BRANCH}" = {number} THEN (', *write_value(one)]
            values.append(f') END AS "__lancesql_{number}_{at}"')
        width += len(given)
    target = quote_name(find_alias(syntax))
    parts: list[str | Span] = [] if syntax.prefix is None else [syntax.prefix, " "]
    parts += [f'SELECT {target}.{ROW_ID} AS "{ROW}", ', *_write_choice(branches, target, alias), *values]
    parts += [f' FROM (SELECT true AS "{PRESENT}", * FROM ', syntax.source, f") AS {quote_name(alias)} "]
    parts += [_name_join(branches), " JOIN ", syntax.target, " ON (", *_write_condition(syntax, target, alias), ")"]
    changed = plan_changes(syntax, context, table, parts)
    return MergeRows(changed, tuple(bound), _find_keys(syntax, context, table))


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


def _write_condition(syntax: MergeSyntax, target: str, alias: str) -> list[str | Span]:
    if syntax.on is not None:
        return [syntax.on]
    equal = [f"{target}.{quote_name(one.parts[-1])} = {quote_name(alias)}.{quote_name(one.parts[-1])}"
             for one in syntax.columns]  # fmt: skip
    return [" AND ".join(equal)]


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


def _find_keys(syntax: MergeSyntax, context: CommandContext, table: TableInfo) -> tuple[str, ...]:
    """The columns of the table that ON compares for equality with something of the source."""
    if syntax.on is None:
        return resolve_columns(syntax.columns, table)
    tree = parse_expression(context.sql[syntax.on.start : syntax.on.end])
    if tree is None:
        return ()
    folded = {name.lower(): name for name in table.schema.names}
    owner = find_alias(syntax).lower()
    keys = []
    for one in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        equal = one.unnest()
        if not isinstance(equal, exp.EQ):
            continue
        sides = [side for side in (equal.this, equal.expression) if isinstance(side, exp.Column)]
        keys += [
            folded[side.name.lower()]
            for side in sides
            if side.name.lower() in folded and side.table.lower() in (owner, "")
        ]
    return tuple(dict.fromkeys(keys))
