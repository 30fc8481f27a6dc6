"""CREATE TABLE and DROP TABLE, bound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from lancesql.binder.options import Flag, Names, Option, read_options
from lancesql.binder.tables import find_rivals, is_lance_path, require_table, show_choices
from lancesql.catalog import TableInfo
from lancesql.errors import (
    AmbiguousNameError,
    BindError,
    LanceSQLError,
    Span,
    UnknownTableError,
    UnsupportedError,
)
from lancesql.parser import read_tokens
from lancesql.parser.commands import CloneTableSyntax, CreateTableSyntax, DropTableSyntax
from lancesql.parser.tokens import Token, TokenType, is_word
from lancesql.plan.commands import CreateTable, DefineTable, DropTable
from lancesql.plan.composition import compose
from lancesql.plan.constraints import read_checks, with_checks

from .constraints import name_defined
from .targets import CommandContext, find_target, read_lance_name

__all__ = ["TABLE_NAME", "bind_create_table", "bind_drop_table", "find_place", "read_columns"]

_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)
TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_REFUSED = {
    "COLLATE": ("collations", "leave it out"),
    "GENERATED": ("generated columns", "ALTER TABLE … ADD COLUMN name AS expression fills one"),
    "UNIQUE": ("unique columns but its primary key", "leave it out; MERGE and ON CONFLICT keep keys apart"),
    "REFERENCES": ("foreign keys", "leave it out"),
    "FOREIGN": ("foreign keys", "leave it out"),
}
_TABLE_OPTIONS: dict[str, Option] = {"float16": Names(), "vectors": Flag()}


def bind_create_table(syntax: CreateTableSyntax, context: CommandContext) -> CreateTable | DefineTable | None:
    """The new table; None when it is DuckDB's."""
    place = find_place(syntax, context)
    if place is None:
        return None
    name, _ = place
    if syntax.is_defined:
        read_options(syntax.options, {}, "CREATE TABLE (columns)")
        schema = name_defined(read_columns(syntax.body, context), name)
        return DefineTable(name, schema, syntax.replace, syntax.if_not_exists)
    options, _ = read_options(syntax.options, _TABLE_OPTIONS, "CREATE TABLE")
    return CreateTable(
        name=name,
        query=context.bind_query(syntax.body),
        replace=syntax.replace,
        if_not_exists=syntax.if_not_exists,
        options=options,
    )


def find_place(
    syntax: CreateTableSyntax | CloneTableSyntax, context: CommandContext
) -> tuple[str, TableInfo | None] | None:
    """What a new table is called, and the table of that name that is there; None when it is to be one of DuckDB.

    Raises:
        BindError: When there cannot be a table of that name, or there is one and neither may be replaced nor stay.
    """
    name, explicit = read_lance_name(syntax.name, context.catalog)
    if name is None or (not explicit and not context.has_database):
        return None
    is_path = is_lance_path(name)
    owners = [one.name.lower() for one in context.catalog.databases()]
    if not context.has_database and not is_path and syntax.name.parts[0].lower() not in owners:
        raise BindError(
            "this connection has no Lance database",
            hint="open one: lancesql.connect('directory')",
            span=syntax.name.span,
        )
    existing = context.catalog.find_table(name)
    rivals = () if is_path else find_rivals(syntax.name.parts, existing, context.catalog)
    if existing is None and explicit and rivals:
        return None
    if syntax.problem is not None:
        raise syntax.problem
    if syntax.replace and syntax.if_not_exists:
        raise BindError(
            "OR REPLACE and IF NOT EXISTS exclude each other", hint="leave one of them out", span=syntax.name.span
        )
    if rivals:
        raise AmbiguousNameError(
            f"'{'.'.join(syntax.name.parts)}' is a DuckDB table already",
            hint=show_choices(existing or name, rivals),
            span=syntax.name.span,
        )
    if not is_path and not TABLE_NAME.fullmatch(name):
        raise BindError(
            f"'{name}' cannot be the name of a Lance table",
            hint="letters, digits, '_', '-' and '.' can",
            span=syntax.name.span,
        )
    context.refuse_writing(syntax.name)
    if existing is not None and not syntax.replace and not syntax.if_not_exists:
        raise BindError(
            f"table '{existing.name}' exists already",
            hint=f"CREATE OR REPLACE TABLE {existing.name}, or INSERT INTO it",
            span=syntax.name.span,
        )
    return (_find_remains(name, context) or name if existing is None else existing.name), existing


def read_columns(span: Span, context: CommandContext) -> pa.Schema:
    """The schema of column definitions; `HALF` is a floating-point number of 16 bits, which DuckDB has not."""
    text = context.sql[span.start : span.end]
    tokens = read_tokens(text)
    halves: set[str] = set()
    parts: list[str | Span] = []
    depth, first, written = 0, True, span.start
    column = ""
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        at = Span(span.start + token.start, span.start + token.end + 1)
        if first and not is_word(token, "UNIQUE", "FOREIGN"):
            column, first = token.text, False
        elif token.token_type is TokenType.COMMA and depth == 0:
            first = True
        elif depth == 0 and is_word(token, *_REFUSED):
            what, hint = _REFUSED[token.text.upper()]
            raise UnsupportedError(f"a Lance table has no {what}", hint=hint, span=at)
        elif is_word(token, "HALF", "FLOAT16"):
            halves.add(column)
            parts += [Span(written, at.start), "FLOAT"]
            written = at.end
    composition = compose(context.sql, [*parts, Span(written, span.end)])
    try:
        schema = context.catalog.read_definition(composition.text, halves)
    except LanceSQLError as error:
        error.sql = None
        composition.place_error(error)
        error.span = error.span or span
        raise
    return _name_checks(schema, tokens, span)


def _name_checks(schema: pa.Schema, tokens: Sequence[Token], span: Span) -> pa.Schema:
    """The schema with the names that checks are given, which DuckDB does not keep; it keeps their order."""
    given: list[str] = []
    depth = 0
    for before, last, token in zip([None, None, *tokens], [None, *tokens], tokens, strict=False):
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth or not is_word(token, "CHECK"):
            continue
        named = before is not None and last is not None and is_word(before, "CONSTRAINT")
        name = last.text if named and last is not None else ""
        if name and name.lower() in {one.lower() for one in given} and last is not None:
            place = Span(span.start + last.start, span.start + last.end + 1)
            raise BindError(f"two constraints are called '{name}'", hint="give one another name", span=place)
        given.append(name)
    if not any(given):
        return schema
    checks = read_checks(schema)
    named_checks = [replace(check, name=name) for check, name in zip(checks, given, strict=False)]
    return with_checks(schema, [*named_checks, *checks[len(given) :]])


def bind_drop_table(syntax: DropTableSyntax, context: CommandContext) -> DropTable | None:
    """The table to drop; None when it is DuckDB's."""
    name, explicit = read_lance_name(syntax.name, context.catalog)
    if name is None or (not explicit and not context.has_database):
        return None
    try:
        table = find_target(syntax.name, context.catalog)
        left = None
    except UnknownTableError:
        table, left = None, _find_remains(name, context)
        if left is None and not syntax.if_exists:
            raise
    if table is None:
        if find_rivals(syntax.name.parts, None, context.catalog):
            return None
        left = left or _find_remains(name, context)
        if left is None and not syntax.if_exists:
            require_table(name, syntax.name.span, context.catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    return DropTable(left or name if table is None else table.name, table, has_remains=left is not None)


def _find_remains(name: str, context: CommandContext) -> str | None:
    """The name as it is listed, of a table that has no version: its writer was killed."""
    return next((one for one in context.catalog.table_names() if one.lower() == name.lower()), None)
