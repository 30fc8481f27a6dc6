"""INSERT, bound: rows to append, or pairs of rows where some may be there already."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from lancesql.binder.splice import Edit
from lancesql.binder.tables import name_alias
from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, BindError, Span, UnsupportedError
from lancesql.parser import parse_expression, read_tokens
from lancesql.parser.commands import AssignmentSyntax, BranchSyntax, ConflictSyntax, InsertSyntax, NameSyntax
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.commands import InsertInto, MergeRows
from lancesql.plan.constraints import read_constraints
from lancesql.plan.spelling import quote_name

from .changes import resolve_columns
from .constraints import write_default
from .merge import Pairs, plan_pairs, write_equality
from .targets import CommandContext, find_changed

__all__ = ["bind_insert"]

EXCLUDED = "excluded"
Parts = list[str | Span]


def bind_insert(syntax: InsertSyntax, context: CommandContext) -> InsertInto | MergeRows | None:
    """The rows to write; None when the table is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        return None
    columns = resolve_columns(syntax.columns, table)
    body = _write_body(syntax, table, columns, context)
    if syntax.conflict is None and syntax.returning is None:
        prefix: Parts = [] if syntax.prefix is None else [syntax.prefix, " "]
        whole = len(body) == 1 and not prefix and isinstance(body[0], Span)
        query = (
            context.bind_query(body[0])  # type: ignore[arg-type]
            if whole
            else context.bind_composition(context.compose([*prefix, *body]))
        )
        return InsertInto(table, query, columns, syntax.by_name)
    return _bind_upsert(syntax, table, columns, body, context)


def _bind_upsert(
    syntax: InsertSyntax, table: TableInfo, columns: tuple[str, ...], body: Parts, context: CommandContext
) -> MergeRows:
    alias = syntax.alias or name_alias(syntax.name.parts[-1])
    given = columns or (_read_names(syntax, body, table, context) if syntax.by_name else tuple(table.schema.names))
    conflict = syntax.conflict
    keys = () if conflict is None else _find_keys(conflict, table)
    missing = [key for key in keys if key not in given]
    if missing:
        raise BindError(
            f"the rows do not give '{missing[0]}', by which they are told apart",
            span=None if conflict is None else conflict.span,
        )
    insert = BranchSyntax("source only", "insert", syntax.name.span, assignments=_take_excluded(given, syntax))
    branches = [insert] if conflict is None else [_write_update(conflict, given, keys, alias, table, context), insert]
    target = Span(syntax.name.span.start, syntax.name.span.end)
    named = f"({', '.join(map(quote_name, given))})"
    pairs = Pairs(
        target=target,
        target_alias=alias,
        source=("(", *body, f") AS {EXCLUDED}{named}"),
        source_alias=EXCLUDED,
        on=write_equality(keys, alias, EXCLUDED) if keys else "false",
        branches=tuple(branches),
        keys=keys,
        by_keys=bool(keys),
        appends=conflict is None,
        statement="INSERT",
        prefix=syntax.prefix,
        renamed=None if syntax.alias is None else alias,
    )
    return plan_pairs(pairs, table, context, syntax.returning)


def _find_keys(conflict: ConflictSyntax, table: TableInfo) -> tuple[str, ...]:
    keys = resolve_columns(conflict.columns, table) or read_constraints(table.schema).primary_key
    if not keys:
        raise ArgumentError(
            f"table '{table.name}' has no primary key, so it is not known what a conflict is",
            hint="name the columns: ON CONFLICT (id) DO …",
            span=conflict.span,
        )
    return keys


def _write_update(
    conflict: ConflictSyntax,
    given: Sequence[str],
    keys: Sequence[str],
    alias: str,
    table: TableInfo,
    context: CommandContext,
) -> BranchSyntax:
    """What is done with a row whose key is there: columns without a qualifier are the table's."""
    if conflict.action == "nothing":
        return BranchSyntax("matched", "nothing", conflict.span)
    if conflict.everything:
        others = [name for name in given if name not in keys]
        assignments = tuple(_take_column(name, conflict.span) for name in others)
        return BranchSyntax("matched", "update" if others else "nothing", conflict.span, assignments=assignments)
    qualified = tuple(
        AssignmentSyntax(one.column, _qualify(one.value, alias, table, context)) for one in conflict.assignments
    )
    where = None if conflict.where is None else _qualify(conflict.where, alias, table, context)
    return BranchSyntax("matched", "update", conflict.span, where, qualified)


def _qualify(value: Span | str | None, alias: str, table: TableInfo, context: CommandContext) -> Span | str | None:
    if not isinstance(value, Span):
        return value
    text = context.read(value)
    tree = parse_expression(text)
    names = {name.lower() for name in table.schema.names}
    edits = [
        Edit(Span(column.this.meta["start"], column.this.meta["start"]), f"{quote_name(alias)}.")
        for column in (tree.find_all(exp.Column) if tree is not None else ())
        if not column.table and column.name.lower() in names and column.find_ancestor(exp.Select, exp.Lambda) is None
    ]
    return _insert(text, edits) if edits else value


def _insert(text: str, edits: Sequence[Edit]) -> str:
    for edit in sorted(edits, key=lambda one: -one.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.start :]
    return text


def _take_excluded(columns: Sequence[str], syntax: InsertSyntax) -> tuple[AssignmentSyntax, ...]:
    return tuple(_take_column(name, syntax.name.span) for name in columns)


def _take_column(name: str, span: Span) -> AssignmentSyntax:
    return AssignmentSyntax(NameSyntax((name,), quoted_string=False, span=span), f"{EXCLUDED}.{quote_name(name)}")


def _read_names(syntax: InsertSyntax, body: Parts, table: TableInfo, context: CommandContext) -> tuple[str, ...]:
    """What the columns of the query are called, as the table spells it."""
    prefix: Parts = [] if syntax.prefix is None else [syntax.prefix, " "]
    plan = context.bind_composition(context.compose([*prefix, *body]))
    known = None if plan.sources else context.catalog.query_columns(plan.sql)
    if known is None and plan.output is not None and all(one is not None for one in plan.output):
        known = [one.name for one in plan.output if one is not None]
    if known is None:
        raise ArgumentError(
            "the columns of the query are not known before it runs",
            hint="name them: INSERT INTO t (id, …) SELECT …",
            span=syntax.name.span,
        )
    spelled = {name.lower(): name for name in table.schema.names}
    return tuple(name if name in table.schema.names else spelled.get(name.lower(), name) for name in known)


def _write_body(syntax: InsertSyntax, table: TableInfo, columns: Sequence[str], context: CommandContext) -> Parts:
    """The query, with the columns' own defaults in the place of DEFAULT."""
    if syntax.body is None:
        values = [write_default(table, name, context.catalog) for name in table.schema.names]
        return [f"SELECT {', '.join(values)}"]
    text = context.sql[syntax.body.start : syntax.body.end]
    tokens = read_tokens(text)
    if not tokens or not is_word(tokens[0], "VALUES"):
        return [syntax.body]
    names = columns or table.schema.names
    parts: Parts = []
    at, depth, place = syntax.body.start, 0, 0
    for token in tokens:
        if token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            depth += 1
            place = 0 if depth == 1 else place
        elif token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE):
            depth -= 1
        elif token.token_type is TokenType.COMMA and depth == 1:
            place += 1
        elif depth == 1 and is_word(token, "DEFAULT"):
            start = syntax.body.start + token.start
            if place >= len(names):
                raise UnsupportedError("there is no column for this DEFAULT", span=Span(start, start + len("DEFAULT")))
            parts += [Span(at, start), write_default(table, names[place], context.catalog)]
            at = start + len("DEFAULT")
    return [*parts, Span(at, syntax.body.end)]
