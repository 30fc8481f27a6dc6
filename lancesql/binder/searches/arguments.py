"""Readers of a search call's arguments: counts, words, flags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lancesql.catalog import Catalog
from lancesql.errors import ArgumentError, Span, nearest_name
from lancesql.parser.calls import Argument, SearchCall
from lancesql.parser.tokens import TokenType
from lancesql.plan.sources import Conjunct
from lancesql.plan.values import Constant, Value

from .signatures import SIGNATURES

__all__ = ["SearchContext", "choose_k", "choose_word", "is_null", "read_flag", "read_word"]

DEFAULT_K = 10


@dataclass(frozen=True)
class SearchContext:
    """What a call's block says about it.

    Attributes:
        limit: The values whose sum is k when the call names none, or () when its block gives none.
        read_value: Reads an argument's value; a text it cannot read is evaluated by the engine.
        catalog: Answers about names.
        read_text: The text of a place of the statement, its parameters numbered.
        read_filter: Reads `filter => '…'`.
    """

    placeholder: str
    alias: str
    limit: tuple[Value, ...]
    filter: tuple[Conjunct, ...]
    read_value: Callable[[Argument], Value]
    catalog: Catalog
    read_text: Callable[[Span], str]
    read_filter: Callable[[Argument], tuple[Conjunct, ...]]


def choose_k(call: SearchCall, arguments: dict[str, Argument], context: SearchContext) -> tuple[tuple[Value, ...], str]:
    """The values whose sum is k, and where they come from: the argument, the block's LIMIT, or the default."""
    if "k" in arguments:
        value = context.read_value(arguments["k"])
        if isinstance(value, Constant) and not (isinstance(value.value, int) and value.value >= 1):
            raise ArgumentError(
                f"{call.function} requires k > 0", hint="k is a whole number of rows", span=arguments["k"].span
            )
        return (value,), "k"
    if context.limit and SIGNATURES[call.function].prefilter:
        return context.limit, "LIMIT"
    return (Constant(DEFAULT_K),), "default"


def is_null(argument: Argument | None, context: SearchContext) -> bool:
    """Whether the argument is a NULL written in the statement."""
    if argument is None:
        return False
    value = context.read_value(argument)
    return isinstance(value, Constant) and value.value is None


def read_word(argument: Argument) -> str:
    """The one word or text an argument holds."""
    if len(argument.tokens) == 1 and argument.tokens[0].token_type is not TokenType.PLACEHOLDER:
        return argument.tokens[0].text
    raise ArgumentError(f"'{argument.name}' takes a word, written in the statement", span=argument.span)


def choose_word(argument: Argument | None, words: tuple[str, ...]) -> str:
    """The argument's word, which is one of `words`; the first when it is not given."""
    if argument is None:
        return words[0]
    word = read_word(argument).lower()
    if word not in words:
        near = nearest_name(word, words)
        raise ArgumentError(
            f"'{argument.name}' is one of {', '.join(words)}",
            hint=f"did you mean '{near}'?" if near else None,
            span=argument.span,
        )
    return word


def read_flag(argument: Argument, context: SearchContext) -> bool:
    """TRUE or FALSE, written in the statement."""
    value = context.read_value(argument)
    if isinstance(value, Constant) and isinstance(value.value, bool):
        return value.value
    raise ArgumentError(f"'{argument.name}' is true or false, written in the statement", span=argument.span)
