"""Statements that change rows and name columns with the database of their table: `DELETE FROM a.t WHERE a.t.id = 1`."""

from __future__ import annotations

from dataclasses import replace

from lancesql.binder.qualifiers import expand_qualifiers
from lancesql.catalog import MAIN_DATABASE
from lancesql.errors import ParseError
from lancesql.parser import parse_statement, read_tokens
from lancesql.parser.commands import CommandSyntax, DeleteSyntax, InsertSyntax, MergeSyntax, UpdateSyntax
from lancesql.parser.tokens import is_word
from lancesql.plan.commands import Command, DeleteRows, MergeRows, UpdateRows
from lancesql.plan.expansion import Expansion

from .targets import CommandContext, read_lance_name

__all__ = ["expand_change", "note_expansion"]


def expand_change(syntax: CommandSyntax, context: CommandContext) -> Expansion | None:
    """The statement with plain names before its columns; None when nothing has to be written in another way.

    Raises:
        AmbiguousNameError: When it is not said which of several tables a column belongs to.
    """
    catalog = context.catalog
    match syntax:
        case UpdateSyntax() | DeleteSyntax() | MergeSyntax():
            pass
        case InsertSyntax() if syntax.conflict is not None or syntax.returning is not None:
            pass
        case _:
            return None
    if all(one.name == MAIN_DATABASE for one in catalog.databases()):
        return None
    name, _ = read_lance_name(syntax.name, catalog)
    if name is None or catalog.find_table(name) is None:
        return None
    try:
        statement = parse_statement(_hide_order(context.sql))
    except ParseError:
        return None  # what only the grammar of commands reads is read without such names
    return expand_qualifiers(replace(statement, sql=context.sql), catalog)


def _hide_order(sql: str) -> str:
    """The text with blanks for `BY NAME` behind UPDATE in a MERGE, which sqlglot does not read."""
    tokens = read_tokens(sql)
    for word, by, order in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if is_word(word, "UPDATE") and is_word(by, "BY") and is_word(order, "NAME", "POSITION"):
            sql = sql[: by.start] + " " * (order.end + 1 - by.start) + sql[order.end + 1 :]
    return sql


def note_expansion(command: Command, expansion: Expansion) -> Command:
    """The command, with what places its errors in the user's own text."""
    if not isinstance(command, DeleteRows | UpdateRows | MergeRows):
        return command
    changed = command.changed
    returning = None if changed.returning is None else replace(changed.returning, expansion=expansion)
    composition = replace(changed.composition, expansion=expansion)
    return replace(command, changed=replace(changed, composition=composition, returning=returning))
