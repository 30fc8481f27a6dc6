"""Commands that answer rows, in the place of a query: `FROM (SHOW VERSIONS ON docs)`."""

from __future__ import annotations

from lancesql.errors import Span
from lancesql.parser.tokens import Token, TokenType, find_closing, is_word

__all__ = ["find_inner_commands"]

_SHOWN = (
    "VERSIONS", "TAGS", "BRANCHES", "INDEXES", "INDICES", "HEALTH", "MAINTENANCE", "EMBEDDINGS", "TABLES",
    "DATABASES", "CONSTRAINTS",
)  # fmt: skip
_DOING = ("DIFF", "OPTIMIZE", "VACUUM", "REINDEX", "ALTER")
_MADE = ("INDEX", "VECTOR", "SEARCH")


def find_inner_commands(tokens: list[Token]) -> list[tuple[Span, Span]]:
    """Where they stand, with the brackets around them and without.

    Example:
        >>> from lancesql.parser.tokens import read_tokens
        >>> find_inner_commands(read_tokens("FROM (SHOW TAGS ON t) s"))
        [(Span(start=5, end=21), Span(start=6, end=20))]
    """
    found = []
    for index in range(1, len(tokens) - 3):
        opening, first, second = tokens[index : index + 3]
        if opening.token_type is not TokenType.L_PAREN or not is_word(tokens[index - 1], "FROM", "JOIN", ","):
            continue
        shown = is_word(first, "SHOW") and is_word(second, *_SHOWN)
        made = is_word(first, "CREATE") and is_word(second, *_MADE)
        if shown or made or is_word(first, *_DOING):
            closing = tokens[find_closing(tokens, index)]
            found.append((Span(opening.start, closing.end + 1), Span(first.start, closing.start)))
    return found
