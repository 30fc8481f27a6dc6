"""The arguments of `match()`, `highlight()` and `snippet()`: what there are, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lancesql.binder.literals import read_literal
from lancesql.binder.searches.text_reading import find_in_literal
from lancesql.errors import ArgumentError, Span, nearest_name
from lancesql.parser.calls import Argument
from lancesql.parser.parameters import ParameterUse
from lancesql.parser.text_calls import TextCall
from lancesql.parser.text_syntax import read_text_query
from lancesql.parser.tokens import TokenType
from lancesql.plan.text import TextReading, TextSyntax
from lancesql.plan.values import Constant, Parameter

__all__ = [
    "POSITIONS",
    "USAGE",
    "name_call",
    "read_constant",
    "read_escape",
    "read_options",
    "read_query",
    "split_tuple",
    "write_value",
]

USAGE = {
    "match": "match(text, 'query', operator => 'and', …); several texts: match((title, text), 'query')",
    "highlight": "highlight(text, 'query', start => '<b>', end => '</b>', …)",
    "snippet": "snippet(text, 'query', max_chars => 160, start => '<b>', end => '</b>', …)",
}
POSITIONS = {"match": (), "highlight": ("start", "end"), "snippet": ("max_chars", "start", "end")}
_READING = ("operator", "syntax", "fuzziness", "slop")
_OPTIONS = {
    "match": _READING,
    "highlight": ("start", "end", "escape", *_READING),
    "snippet": ("max_chars", "start", "end", "escape", *_READING),
}


def read_options(call: TextCall, given: dict[str, Argument]) -> dict[str, Argument]:
    """The arguments with a name; `given` are those without one, by what they stand for.

    Raises:
        ArgumentError: When one does not exist, or is given twice.
    """
    options: dict[str, Argument] = {}
    for argument in call.options:
        name = (argument.name or "").lower()
        if name not in _OPTIONS[call.function]:
            near = nearest_name(name, _OPTIONS[call.function])
            listed = f"arguments: {', '.join(_OPTIONS[call.function])}"
            raise ArgumentError(
                f"{call.function}() has no argument '{argument.name}'",
                hint=f"did you mean '{near}'?" if near else listed,
                span=argument.name_span,
            )
        if name in options or name in given:
            raise ArgumentError(f"argument '{argument.name}' is given twice", span=argument.name_span)
        options[name] = argument
    return options


def read_constant(options: Mapping[str, Argument], name: str) -> tuple[object, Span | None]:
    """The value of an option, which is written in the statement, and its place; None for one that is not given."""
    argument = options.get(name)
    if argument is None:
        return None, None
    constant = read_literal(argument.tokens)
    if constant is None:
        raise ArgumentError(f"'{argument.name}' is a value written in the statement", span=argument.span)
    return constant.value, argument.span


def read_escape(options: Mapping[str, Argument]) -> bool:
    """Whether the text is written as HTML."""
    value, span = read_constant(options, "escape")
    if value is not None and value != "html":
        raise ArgumentError("'escape' is 'html', or is left out", span=span)
    return value is not None


def name_call(call: TextCall, sql: str) -> str:
    """What a column that is nothing but the call is called, as the engine would call one of its own, between quotes."""
    given = [sql[one.span.start : one.span.end] for one in call.arguments]
    given += [f"{one.name} := {sql[one.span.start : one.span.end]}" for one in call.options]
    return f"{call.function}({', '.join(given)})".replace('"', '""')


def split_tuple(argument: Argument) -> list[Span]:
    """The places of what stands between the parentheses of `(a, b)`."""
    spans: list[Span] = []
    depth, start = 0, argument.tokens[0].end + 1
    for token in argument.tokens[1:]:
        if token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            depth += 1
        elif depth and token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE):
            depth -= 1
        elif not depth and token.token_type in (TokenType.COMMA, TokenType.R_PAREN):
            spans.append(Span(start, token.start))
            start = token.end + 1
    return spans


def read_query(
    argument: Argument, parameters: Sequence[ParameterUse], syntax: TextSyntax, reading: TextReading
) -> Constant | Parameter | None:
    """The query when it is written in the statement, or a parameter; a mistake in it is shown there."""
    constant = read_literal(argument.tokens)
    if constant is None:
        use = next((one for one in parameters if one.span == argument.span), None)
        return None if use is None else Parameter(use.name, argument.span)
    if isinstance(constant.value, str):
        try:
            read_text_query(constant.value, syntax, reading)
        except ArgumentError as error:
            if error.span is not None and (place := find_in_literal(argument, error.span)):
                error.span, error.sql = place, None
            raise
    elif constant.value is not None:
        raise ArgumentError(f"the text query is a text, not {constant.value}", span=argument.span)
    return Constant(constant.value, argument.span)


def write_value(argument: Argument, parameters: Sequence[ParameterUse], sql: str) -> str:
    """The text of an option's value."""
    constant = read_literal(argument.tokens)
    use = next((one for one in parameters if one.span == argument.span), None)
    if use is not None:
        return f"${use.name}"
    if constant is None:
        raise ArgumentError(
            f"'{argument.name}' is a value written in the statement, or a parameter", span=argument.span
        )
    return sql[argument.span.start : argument.span.end]
