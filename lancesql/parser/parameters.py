"""Parameters of a statement: `$name`, `$1` and `?`."""

from __future__ import annotations

from dataclasses import dataclass

from lancesql.errors import ParseError, Span

from .tokens import Token, TokenType

__all__ = ["ParameterUse", "find_parameters"]


@dataclass(frozen=True)
class ParameterUse:
    """One place where a parameter stands; the n-th `?` is called `n`."""

    name: str
    span: Span
    anonymous: bool = False


def find_parameters(tokens: list[Token]) -> tuple[ParameterUse, ...]:
    """Every parameter, in the order of the text.

    Raises:
        ParseError: When `?` is mixed with `$1` or `$name`.
    """
    uses: list[ParameterUse] = []
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.PLACEHOLDER and token.text == "?":
            name = str(sum(use.anonymous for use in uses) + 1)
            uses.append(ParameterUse(name, Span(token.start, token.end + 1), anonymous=True))
        elif token.token_type is TokenType.PARAMETER and token.text == "$" and index + 1 < len(tokens):
            following = tokens[index + 1]
            if following.start == token.end + 1:
                uses.append(ParameterUse(following.text, Span(token.start, following.end + 1)))
    anonymous = [use for use in uses if use.anonymous]
    if anonymous and len(anonymous) < len(uses):
        raise ParseError(
            "? and $ parameters are mixed in one statement",
            hint="write $1, $2, … or names throughout",
            span=anonymous[0].span,
        )
    return tuple(uses)
