"""The arguments of a text search that say how its query is read."""

from __future__ import annotations

from collections.abc import Sequence

from lancesql.binder.literals import read_literal
from lancesql.errors import ArgumentError, Span
from lancesql.parser.calls import Argument
from lancesql.parser.text_arguments import find_boosted, read_boosts
from lancesql.parser.tokens import Token, TokenType
from lancesql.plan.text_options import TextOptions
from lancesql.plan.values import Constant, Parameter, Value

from .arguments import SearchContext

__all__ = ["bind_text_options", "list_boosted"]

_PARAMETERS = (TokenType.PARAMETER, TokenType.PLACEHOLDER)


def bind_text_options(arguments: dict[str, Argument], columns: tuple[str, ...], context: SearchContext) -> TextOptions:
    """Binds the options; what is written in the statement is checked when the query is read."""
    boosts: Value | None = None
    if "boosts" in arguments:
        members = _read_members(arguments["boosts"].tokens)
        boosts = (
            context.read_value(arguments["boosts"]) if members is None else _bind_members(members, columns, arguments)
        )
    return TextOptions(
        operator=_bind_word(arguments.get("operator"), context),
        syntax=_bind_word(arguments.get("syntax"), context),
        fuzziness=_bind_fuzziness(arguments.get("fuzziness"), context),
        slop=context.read_value(arguments["slop"]) if "slop" in arguments else None,
        boosts=boosts,
    )


def list_boosted(arguments: dict[str, Argument]) -> list[str]:
    """The columns that `boosts => {'title': 3}` names; none when it is written in another way."""
    members = _read_members(arguments["boosts"].tokens) if "boosts" in arguments else None
    return [name.text for name, _ in members or ()]


def _bind_word(argument: Argument | None, context: SearchContext) -> Value | None:
    if argument is None:
        return None
    if len(argument.tokens) == 1 and argument.tokens[0].token_type is not TokenType.PLACEHOLDER:
        return Constant(argument.tokens[0].text, argument.span)
    value = context.read_value(argument) if argument.tokens[0].token_type in _PARAMETERS else None
    if not isinstance(value, Parameter):
        raise ArgumentError(
            f"'{argument.name}' takes a word, written in the statement, or a parameter", span=argument.span
        )
    return value


def _bind_fuzziness(argument: Argument | None, context: SearchContext) -> Value | None:
    if argument is None:
        return None
    if len(argument.tokens) == 1 and argument.tokens[0].text.lower() == "auto":
        return Constant("auto", argument.span)
    return context.read_value(argument)


def _bind_members(
    members: list[tuple[Token, Sequence[Token]]], columns: tuple[str, ...], arguments: dict[str, Argument]
) -> Value:
    """Numbers by name, written in the statement, as one number for each column."""
    factors: dict[str, float] = {}
    for name, tokens in members:
        span = Span(name.start, name.end + 1)
        column = find_boosted(name.text, columns, span)
        if column in factors:
            raise ArgumentError(f"'boosts' names column '{column}' twice", span=span)
        constant = read_literal(tokens)
        value = constant.value if constant is not None else None
        factors[column] = read_boosts([value], (column,), Span(tokens[0].start, tokens[-1].end + 1))[0]
    return Constant(tuple(factors.get(column, 1.0) for column in columns), arguments["boosts"].span)


def _read_members(tokens: Sequence[Token]) -> list[tuple[Token, Sequence[Token]]] | None:
    """The names and values of a struct of literals; None for anything else."""
    if (
        len(tokens) < 5
        or tokens[0].token_type is not TokenType.L_BRACE
        or tokens[-1].token_type is not TokenType.R_BRACE
    ):
        return None
    members: list[tuple[Token, Sequence[Token]]] = []
    inner = tokens[1:-1]
    start = 0
    for end in [*(at for at, one in enumerate(inner) if one.token_type is TokenType.COMMA), len(inner)]:
        part = inner[start:end]
        if len(part) < 3 or part[1].token_type is not TokenType.COLON or read_literal(part[2:]) is None:
            return None
        members.append((part[0], part[2:]))
        start = end + 1
    return members
