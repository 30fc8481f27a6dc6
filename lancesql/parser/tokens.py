"""Tokens of a statement, with their places in the text."""

from __future__ import annotations

import re
from typing import ClassVar

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from lancesql.errors import ParseError, Span

__all__ = [
    "DISTANCE_OPERATORS",
    "Token",
    "TokenType",
    "find_closing",
    "is_word",
    "read_grammar_tokens",
    "read_tokens",
    "split_statements",
]

DISTANCE_OPERATORS = ("<->", "<=>", "<#>", "<+>")
"""As pgvector spells them. DuckDB reads all but `<#>`, sqlglot only the first as what it is."""
_SPLIT_OPERATORS = ("<#>", "<+>")

# sqlglot takes $a,$b for a string that $a,$ opens: texts without dollar quotes are read without them.


class _GrammarTokenizer(DuckDB.Tokenizer):
    HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []


class _QuoteTokenizer(DuckDB.Tokenizer):
    COMMANDS: ClassVar[set[TokenType]] = set()  # SHOW and its kind swallow the rest of the text as one string


class _Tokenizer(_QuoteTokenizer):
    HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []


_DOLLAR_QUOTE = re.compile(r"\$([^\W\d]\w*)?\$")

_OPENING = {
    TokenType.L_PAREN: TokenType.R_PAREN,
    TokenType.L_BRACKET: TokenType.R_BRACKET,
    TokenType.L_BRACE: TokenType.R_BRACE,
}
_CLOSING = frozenset(_OPENING.values())


def read_tokens(sql: str) -> list[Token]:
    """The tokens of `sql`; `token.start` and `token.end` are character offsets, the end inclusive.

    Raises:
        ParseError: When a string, a comment or an identifier is not closed.
    """
    try:
        tokenizer = _QuoteTokenizer if _DOLLAR_QUOTE.search(sql) else _Tokenizer
        tokens = list(tokenizer(dialect=DuckDB).tokenize(sql))
    except TokenError:
        raise _explain_unclosed(sql) from None
    return _join_operators(tokens, sql) if any(one in sql for one in _SPLIT_OPERATORS) else tokens


_CLOSED = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | (?P<open>'|"|/\*|\$\w*\$) | .""",
    re.DOTALL | re.VERBOSE,
)
_UNCLOSED = {"'": "the text", '"': "the name", "/": "the comment", "$": "the text"}


def _explain_unclosed(sql: str) -> ParseError:
    opened = next((found for found in _CLOSED.finditer(sql) if found["open"]), None)
    if opened is None:
        return ParseError("the text cannot be read", hint="a quote or a comment might not be closed")
    return ParseError(f"{_UNCLOSED[opened[0][0]]} that begins here is not closed", span=Span(*opened.span()))


def _join_operators(tokens: list[Token], sql: str) -> list[Token]:
    """`<#>` and `<+>` as one token each; nothing else is written so."""
    joined: list[Token] = []
    end = -1
    for token in tokens:
        text = sql[token.start : token.start + 3]
        if token.token_type is TokenType.LT and text in _SPLIT_OPERATORS:
            end = token.start + 2
            joined.append(Token(TokenType.LR_ARROW, text, token.line, token.col, token.start, end))
        elif token.start > end:
            joined.append(token)
    return joined


def read_grammar_tokens(sql: str) -> list[Token]:
    """The tokens as sqlglot's own parser wants them.

    Raises:
        TokenError: sqlglot's, when a string, a comment or an identifier is not closed.
    """
    tokenizer = DuckDB.Tokenizer if _DOLLAR_QUOTE.search(sql) else _GrammarTokenizer
    return list(tokenizer(dialect=DuckDB).tokenize(sql))


def is_word(token: Token, *words: str) -> bool:
    """Whether the token is one of these words, in any case, and not quoted."""
    return token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER) and token.text.upper() in words


def find_closing(tokens: list[Token], opening: int) -> int:
    """The index of the token that closes the bracket at index `opening`.

    Raises:
        ParseError: When it is never closed.
    """
    depth = 0
    for index in range(opening, len(tokens)):
        kind = tokens[index].token_type
        if kind in _OPENING:
            depth += 1
        elif kind in _CLOSING:
            depth -= 1
            if depth == 0:
                return index
    token = tokens[opening]
    raise ParseError("this bracket is not closed", span=Span(token.start, token.end + 1))


def split_statements(tokens: list[Token]) -> list[Span]:
    """The spans of the statements that semicolons separate, empty ones left out."""
    spans: list[Span] = []
    first: Token | None = None
    last: Token | None = None
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            if first is not None and last is not None:
                spans.append(Span(first.start, last.end + 1))
            first = None
            continue
        first, last = first or token, token
    if first is not None and last is not None:
        spans.append(Span(first.start, last.end + 1))
    return spans
