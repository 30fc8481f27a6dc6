"""Which columns of a table a search means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.binder.literals import read_literal
from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, Span, UnknownColumnError, nearest_name
from lancesql.parser.calls import Argument, SearchCall
from lancesql.parser.tokens import TokenType
from lancesql.plan.type_names import name_arrow_type

__all__ = [
    "choose_text_columns",
    "choose_vector_column",
    "find_column",
    "is_multivector_column",
    "is_text_column",
    "is_vector_column",
    "read_name",
]


def choose_vector_column(call: SearchCall, table: TableInfo, argument: Argument | None) -> str:
    """The vector column a call names, or the only one there is; numbers that Lance can search come first."""
    candidates = [field.name for field in table.schema if is_vector_column(field.type)]
    if argument is None:
        likely = [name for name in candidates if not _holds_integers(table.schema.field(name).type)] or candidates
        if len(likely) == 1:
            return likely[0]
        if not candidates:
            raise ArgumentError(
                f"table '{table.name}' has no vector column", hint=_list_columns(table), span=call.name_span
            )
        raise ArgumentError(
            f"table '{table.name}' has several vector columns: {', '.join(likely)}",
            hint=f"name one: {call.function}('{table.name}', '{likely[0]}', …)",
            span=call.name_span,
        )
    column = find_column(table, read_name(argument), argument.span, candidates)
    if column not in candidates:
        listed = ", ".join(candidates) or "none"
        raise ArgumentError(
            f"column '{column}' is not a vector ({name_arrow_type(table.schema.field(column).type)})",
            hint=f"vector columns of '{table.name}': {listed}",
            span=argument.span,
        )
    return column


def choose_text_columns(
    call: SearchCall, table: TableInfo, argument: Argument | None, boosted: Sequence[str] = ()
) -> tuple[tuple[str, ...], bool]:
    """The text columns a call names, or the only one there is, one with a text index before others.

    Returns:
        The columns, and whether there are several of which none is named.
    """
    candidates = [field.name for field in table.schema if is_text_column(field.type)]
    if argument is not None:
        names = _read_names(argument, table)
        columns = tuple(find_column(table, name, argument.span, candidates) for name in names)
        for column in columns:
            if not _holds_texts(table.schema.field(column).type):
                raise ArgumentError(
                    f"column '{column}' is not text ({name_arrow_type(table.schema.field(column).type)})",
                    hint=f"text columns of '{table.name}': {', '.join(candidates) or 'none'}",
                    span=argument.span,
                )
        return tuple(dict.fromkeys(columns)), False
    indexed = [name for name in candidates if table.index_on(name, ("INVERTED", "FTS"))]
    chosen = indexed if len(indexed) == 1 else candidates
    if len(chosen) == 1:
        return (chosen[0],), False
    if not candidates:
        raise ArgumentError(f"table '{table.name}' has no text column", hint=_list_columns(table), span=call.name_span)
    named = {name.lower() for name in boosted}
    meant = [name for name in candidates if name.lower() in named]
    if meant:
        return tuple(meant), False
    return tuple(indexed if len(indexed) > 1 else candidates), True


def is_vector_column(type_: pa.DataType) -> bool:
    """Whether a column of this type can be searched by distance: a vector of numbers a row, or a list of vectors."""
    if is_multivector_column(type_):
        return True
    return pa.types.is_fixed_size_list(type_) and (
        pa.types.is_floating(type_.value_type) or pa.types.is_integer(type_.value_type)
    )


def is_multivector_column(type_: Any) -> bool:
    """Whether a row holds a list of vectors, searched by late interaction; its query is a matrix."""
    if not (pa.types.is_list(type_) or pa.types.is_large_list(type_)):
        return False
    return pa.types.is_fixed_size_list(type_.value_type) and pa.types.is_floating(type_.value_type.value_type)


def _holds_integers(type_: pa.DataType) -> bool:
    """Whether the numbers are integers wider than the bytes Lance compares by bits."""
    return (
        pa.types.is_fixed_size_list(type_)
        and pa.types.is_integer(type_.value_type)
        and not pa.types.is_uint8(type_.value_type)
    )


def is_text_column(type_: pa.DataType) -> bool:
    """Whether Lance can search a column of this type by its words."""
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _holds_texts(type_: Any) -> bool:
    """Whether a column can be searched by its words when it is named: text, of few values too, or lists of texts."""
    if pa.types.is_dictionary(type_) or pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return is_text_column(type_.value_type)
    return is_text_column(type_)


def find_column(table: TableInfo, name: str, span: Span, preferred: list[str]) -> str:
    """The column of that name, in any case."""
    matches = [column for column in table.schema.names if column.lower() == name.lower()]
    if name in matches:
        return name
    if len(matches) == 1:
        return matches[0]
    near = nearest_name(name, preferred) or nearest_name(name, table.schema.names)
    raise UnknownColumnError(
        f"table '{table.name}' has no column '{name}'"
        if not matches
        else f"column '{name}' is ambiguous: {', '.join(matches)}",
        hint=(f"did you mean '{near}'? " if near else "") + _list_columns(table),
        span=span,
    )


def _list_columns(table: TableInfo) -> str:
    return "columns: " + ", ".join(f"{field.name} {name_arrow_type(field.type)}" for field in table.schema)


def read_name(argument: Argument) -> str:
    """The column name an argument is."""
    tokens = argument.tokens
    if len(tokens) == 1 and tokens[0].token_type not in (TokenType.NUMBER, TokenType.PLACEHOLDER):
        return tokens[0].text
    raise ArgumentError("a column name is expected here", hint="write 'column' or column", span=argument.span)


def _read_names(argument: Argument, table: TableInfo) -> tuple[str, ...]:
    constant = read_literal(argument.tokens)
    if constant is not None and isinstance(constant.value, tuple) and constant.value:
        if all(isinstance(name, str) for name in constant.value):
            return tuple(str(name) for name in constant.value)
        raise ArgumentError(
            "a list of column names is expected here", hint="write ['title', 'text']", span=argument.span
        )
    name = read_name(argument)
    if "," in name and name.lower() not in map(str.lower, table.schema.names):
        return tuple(part.strip() for part in name.split(","))
    return (name,)
