"""EXPLAIN, read."""

from __future__ import annotations

from lancesql.parser.tokens import TokenType, is_word

from .cursor import TokenCursor
from .syntax import ExplainSyntax

__all__ = ["read_explain"]


def read_explain(cursor: TokenCursor) -> ExplainSyntax | None:
    """`EXPLAIN [ANALYZE | (ANALYZE, RECALL)] statement`."""
    analyze, recall = cursor.accept("ANALYZE"), False
    if not analyze and cursor.at_kind(TokenType.L_PAREN):
        options = _read_explain_options(cursor)
        if options is None:
            return None
        analyze, recall = "ANALYZE" in options, "RECALL" in options
    if cursor.at_end():
        raise cursor.expected("a statement")
    return ExplainSyntax(analyze, cursor.rest, recall)


def _read_explain_options(cursor: TokenCursor) -> set[str] | None:
    """`(ANALYZE, RECALL)`; nothing for a query in brackets, None for options of DuckDB."""
    option = cursor.ahead(1)
    if option is None or not is_word(option, "ANALYZE", "RECALL", "FORMAT"):
        return set()
    options: set[str] = set()
    cursor.take()
    while cursor.at_word("ANALYZE", "RECALL"):
        options.add(cursor.take().text.upper())
        if cursor.accept_kind(TokenType.R_PAREN):
            return options
        if not cursor.accept_kind(TokenType.COMMA):
            break
    if "RECALL" in options:
        raise cursor.expected("ANALYZE, RECALL or ')'")
    return None
