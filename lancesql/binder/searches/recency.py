"""`recency => {'column': …, 'half_life': …}`: how a fused score decays with age."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from sqlglot import exp

from lancesql.errors import ArgumentError, Span, UnknownColumnError, nearest_name
from lancesql.parser import parse_expression, read_tokens
from lancesql.parser.calls import Argument
from lancesql.parser.parameters import find_parameters
from lancesql.parser.tokens import Token, TokenType, find_closing
from lancesql.plan.fusion import RECENCY_FIELDS, Recency, can_decay
from lancesql.plan.type_names import name_arrow_type
from lancesql.plan.values import ConstantExpression, Parameter

from .arguments import SearchContext

__all__ = ["bind_recency"]

_USAGE = "recency => {'column': 'published', 'half_life': INTERVAL 30 DAYS}"
_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)


def bind_recency(argument: Argument, context: SearchContext, schema: pa.Schema) -> Recency:
    """The decay an argument describes: a struct written in the statement, or a parameter with the same fields.

    Raises:
        ArgumentError: When it is neither, a field is unknown or missing, or a value is no constant.
        UnknownColumnError: When the table has no such column.
    """
    tokens = argument.tokens
    if tokens[0].token_type is not TokenType.L_BRACE or find_closing(list(tokens), 0) != len(tokens) - 1:
        is_parameter = tokens[0].token_type in (TokenType.PARAMETER, TokenType.PLACEHOLDER)
        value = context.read_value(argument) if is_parameter else None
        if isinstance(value, Parameter):
            return Recency(given=value, span=argument.span)
        raise ArgumentError(
            "recency is a struct, or a parameter that holds one", hint=f"write {_USAGE}", span=argument.span
        )
    fields: dict[str, Sequence[Token]] = {}
    for name, held in _split_fields(tokens[1:-1], argument):
        folded = name.text.lower()
        span = Span(name.start, name.end + 1)
        if folded not in RECENCY_FIELDS:
            near = nearest_name(folded, RECENCY_FIELDS)
            listed = f"fields: {', '.join(RECENCY_FIELDS)}"
            hint = f"did you mean '{near}'? {listed}" if near else listed
            raise ArgumentError(f"recency has no field '{name.text}'", hint=hint, span=span)
        if folded in fields:
            raise ArgumentError(f"field '{name.text}' is given twice", span=span)
        fields[folded] = held
    for needed in ("column", "half_life"):
        if needed not in fields:
            raise ArgumentError(f"recency needs a field '{needed}'", hint=f"write {_USAGE}", span=argument.span)

    def read(name: str) -> ConstantExpression | None:
        return _read_constant(name, fields[name], context) if name in fields else None

    return Recency(
        column=_read_column(fields["column"], schema),
        half_life=read("half_life"),
        now=read("now"),
        weight=read("weight"),
        span=argument.span,
    )


def _split_fields(tokens: Sequence[Token], argument: Argument) -> Iterator[tuple[Token, Sequence[Token]]]:
    index = 0
    while index < len(tokens):
        end = index
        while end < len(tokens) and tokens[end].token_type is not TokenType.COMMA:
            if tokens[end].token_type in _OPENING:
                end = find_closing(list(tokens), end)
            end += 1
        field = tokens[index:end]
        if len(field) < 3 or field[1].token_type is not TokenType.COLON:
            raise ArgumentError("recency is a struct of names and values", hint=f"write {_USAGE}", span=argument.span)
        yield field[0], field[2:]
        index = end + 1


def _read_column(tokens: Sequence[Token], schema: pa.Schema) -> str:
    name = tokens[0].text
    span = _span(tokens)
    if len(tokens) > 1 or tokens[0].token_type in (TokenType.NUMBER, TokenType.PLACEHOLDER, TokenType.PARAMETER):
        raise ArgumentError("the column of recency is a name, written in the statement", span=span)
    matches = [column for column in schema.names if column.lower() == name.lower()]
    if name in matches or len(matches) == 1:
        column = name if name in matches else matches[0]
        type_ = schema.field(column).type
        if not can_decay(type_):
            raise ArgumentError(
                f"recency reads a date, a timestamp or a year, and column '{column}' is {name_arrow_type(type_)}",
                span=span,
            )
        return column
    near = nearest_name(name, schema.names)
    listed = f"columns: {', '.join(schema.names)}"
    raise UnknownColumnError(
        f"the table has no column '{name}'", hint=f"did you mean '{near}'? {listed}" if near else listed, span=span
    )


def _read_constant(name: str, tokens: Sequence[Token], context: SearchContext) -> ConstantExpression:
    """The text of a value that is the same for every row."""
    span = _span(tokens)
    text = context.read_text(span)
    tree = parse_expression(text)
    if tree is None or tree.find(exp.Column, exp.Select) is not None:
        raise ArgumentError(
            f"the {name} of recency is one value for the whole statement: no column, no subquery",
            hint="a constant, a parameter, or an expression of both",
            span=span,
        )
    uses = find_parameters(read_tokens(text))
    return ConstantExpression(text, tuple(dict.fromkeys(use.name for use in uses)))


def _span(tokens: Sequence[Token]) -> Span:
    return Span(tokens[0].start, tokens[-1].end + 1)
