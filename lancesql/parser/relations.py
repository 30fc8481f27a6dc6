"""The names that stand in a statement where tables do."""

from __future__ import annotations

from collections.abc import Sequence

from .tokens import Token, TokenType, is_word

__all__ = ["find_relation_names"]

_LISTING = ("FROM", "JOIN", "USING")
_NAMING = ("TABLE", "INTO", "UPDATE", "SUMMARIZE", "DESCRIBE", "SHOW", "PIVOT", "UNPIVOT", "PIVOT_WIDER")
_ENDING = ("SELECT", "WHERE", "HAVING", "QUALIFY", "WINDOW", "LIMIT", "SET", "VALUES", "RETURNING")
_SORTING = (TokenType.GROUP_BY, TokenType.ORDER_BY)
_CALLING = (TokenType.DOT, TokenType.L_PAREN)


def find_relation_names(tokens: Sequence[Token]) -> set[str]:
    """Names without a schema that a statement reads, in lower case; a few may be columns, none is missing.

    Example:
        >>> from lancesql.parser.tokens import read_tokens
        >>> sql = "SELECT title, f(a, b) FROM films f, (FROM seen) JOIN main.rated USING (id) ORDER BY year, id"
        >>> sorted(find_relation_names(read_tokens(sql)))
        ['films', 'seen']
    """
    names: set[str] = set()
    around: list[bool] = []
    lists, expects = False, False
    for index, token in enumerate(tokens):
        following = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        if is_word(token, *_LISTING):
            is_distinct = index > 0 and is_word(tokens[index - 1], "DISTINCT")
            expects = not is_distinct and not (is_word(token, "USING") and following is TokenType.L_PAREN)
            lists = lists or expects
        elif is_word(token, *_NAMING):
            expects = True
        elif is_word(token, *_ENDING) or token.token_type in _SORTING:
            lists = expects = False
        elif token.token_type is TokenType.L_PAREN:
            around.append(lists)
            lists = expects
        elif token.token_type is TokenType.R_PAREN:
            lists, expects = around.pop() if around else False, False
        elif token.token_type is TokenType.COMMA:
            expects = lists
        elif expects and not is_word(token, "LATERAL"):
            if following not in _CALLING and token.token_type is not TokenType.STRING:
                names.add(token.text.lower())
            expects = False
    return names
