"""Parameters that name a version of a table: `AT (VERSION => $v)`, `version => ?`, `RESTORE TABLE t TO VERSION $v`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lancesql.errors import LanceSQLError, Span

from .calls import Argument, SearchCall, find_search_calls, read_search_argument
from .commands import (
    CloneTableSyntax,
    CommandSyntax,
    CreateReferenceSyntax,
    CreateViewSyntax,
    DiffSyntax,
    ExplainSyntax,
    RestoreSyntax,
    find_inner_commands,
    read_command,
)
from .parameters import ParameterUse, find_parameters
from .snapshots import SNAPSHOT_KINDS, SnapshotKind, find_at_clauses
from .tokens import Token, TokenType, is_word, read_tokens, split_statements

__all__ = ["VersionParameter", "find_version_parameters"]

_MAY_NAME = re.compile(
    r"\b(?:version|timestamp|tag|branch|system_version|system_time|clone|restore|diff)\b", re.IGNORECASE
)
_LONG = 1 << 16
"""So long a text is not kept for the sake of what was found in it."""
_OF_VERSIONS = (CloneTableSyntax, CreateReferenceSyntax, DiffSyntax, RestoreSyntax)
_BETWEEN = (TokenType.FARROW, TokenType.EQ, TokenType.COLON_EQ)


@dataclass(frozen=True)
class VersionParameter:
    """One of them.

    Attributes:
        kind: What it is the name of.
        alone: It is all that is said of the version; else a part of an expression that means a moment.
    """

    use: ParameterUse
    kind: SnapshotKind
    alone: bool


def find_version_parameters(sql: str) -> tuple[VersionParameter, ...]:
    """Those of a text, in their order; none of a text that keeps them, as a view would, or that cannot be read.

    Example:
        >>> [(one.use.name, one.kind) for one in find_version_parameters("FROM a AT (TAG => $x) WHERE b = $y")]
        [('x', 'tag')]
    """
    return _find_in_text(sql) if len(sql) < _LONG else _find_in_text.__wrapped__(sql)


@lru_cache(maxsize=512)
def _find_in_text(sql: str) -> tuple[VersionParameter, ...]:
    if not ("$" in sql or "?" in sql) or _MAY_NAME.search(sql) is None:
        return ()
    try:
        tokens = read_tokens(sql)
        uses = find_parameters(tokens)
        if not uses or len(split_statements(tokens)) > 1 or is_word(tokens[0], "PREPARE"):
            return ()
        found = {one.use.span: one for one in _find(sql, tokens, uses)}
    except LanceSQLError:
        return ()  # planning it will say what is wrong
    return tuple(found[span] for span in sorted(found))


def _read_command(sql: str, tokens: list[Token]) -> CommandSyntax | None:
    try:
        return read_command(sql, tokens)
    except LanceSQLError:  # it may be read when the parameter is a value
        return None


def _find(sql: str, tokens: list[Token], uses: tuple[ParameterUse, ...]) -> Iterator[VersionParameter]:
    syntax = _read_command(sql, tokens)
    if isinstance(syntax, CreateViewSyntax):
        return
    if isinstance(syntax, ExplainSyntax):
        yield from _find(sql, _cut(tokens, syntax.body), uses)
        return
    if isinstance(syntax, _OF_VERSIONS):
        for use in uses:
            yield VersionParameter(use, _read_kind(tokens, use), alone=True)
        return
    for _, command in find_inner_commands(tokens):
        within = tuple(use for use in uses if command.start <= use.span.start < command.end)
        if within:
            yield from _find(sql, _cut(tokens, command), within)
    for clause in find_at_clauses(tokens):
        yield from _read(clause.value, clause.kind, uses)
        if clause.branch is not None:
            yield from _read(clause.branch, "branch", uses)
    for call in find_search_calls(tokens):
        yield from _find_in_call(call, uses)


def _find_in_call(call: SearchCall, uses: tuple[ParameterUse, ...]) -> Iterator[VersionParameter]:
    for argument in call.arguments:
        inner = read_search_argument(argument)
        kind = SNAPSHOT_KINDS.get((argument.name or "").upper())
        if inner is not None:
            yield from _find_in_call(inner, uses)
        elif kind is not None:
            yield from _read(argument, kind, uses)


def _read(value: Argument, kind: SnapshotKind, uses: tuple[ParameterUse, ...]) -> Iterator[VersionParameter]:
    for use in uses:
        alone = use.span == value.span
        if alone or (kind == "timestamp" and value.span.start <= use.span.start < value.span.end):
            yield VersionParameter(use, kind, alone)


def _read_kind(tokens: list[Token], use: ParameterUse) -> SnapshotKind:
    """What the word before a parameter of a command says: `TAG $x`, `VERSION AS OF $x`, `(BRANCH => $x)`."""
    at = next(index for index, token in enumerate(tokens) if token.start == use.span.start) - 1
    while at > 0 and (tokens[at].token_type in _BETWEEN or is_word(tokens[at], "AS", "OF")):
        at -= 1
    return SNAPSHOT_KINDS.get(tokens[at].text.upper(), "version")


def _cut(tokens: list[Token], span: Span) -> list[Token]:
    return [token for token in tokens if span.start <= token.start < span.end]
