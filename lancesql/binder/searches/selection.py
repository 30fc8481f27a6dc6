"""What is made of a ranking: groups, or rows unlike each other."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, UnsupportedError
from lancesql.parser.calls import Argument
from lancesql.plan.type_names import name_arrow_type
from lancesql.plan.values import Constant
from lancesql.plan.vector_options import Diversity, Grouping

from .arguments import SearchContext
from .columns import find_column, is_multivector_column, read_name

__all__ = ["bind_selection"]


def bind_selection(
    table: TableInfo, type_: Any, arguments: dict[str, Argument], context: SearchContext
) -> Grouping | Diversity | None:
    """The selection a call names; None for the plain ranking.

    Args:
        table: The table searched.
        type_: The type of its vector column.
        arguments: The arguments of the call.
        context: The block it stands in.

    Raises:
        ArgumentError: When arguments contradict each other, or one is of no use without another.
    """
    if "group_by" in arguments and "mmr" in arguments:
        raise ArgumentError("group_by and mmr contradict each other", span=arguments["mmr"].span)
    for name, needed in (("group_size", "group_by"), ("candidates", "mmr")):
        if name in arguments and needed not in arguments:
            raise ArgumentError(f"{name} means nothing without {needed}", span=arguments[name].span)
    if "group_by" in arguments:
        argument = arguments["group_by"]
        column = find_column(table, read_name(argument), argument.span, table.schema.names)
        _check_groupable(table.schema.field(column), argument)
        size = context.read_value(arguments["group_size"]) if "group_size" in arguments else Constant(1)
        return Grouping(column, size)
    if "mmr" in arguments:
        argument = arguments["mmr"]
        if is_multivector_column(type_):
            raise UnsupportedError("mmr compares one vector a row, and the column holds lists", span=argument.span)
        candidates = context.read_value(arguments["candidates"]) if "candidates" in arguments else None
        return Diversity(context.read_value(argument), candidates)
    return None


def _check_groupable(field: pa.Field[Any], argument: Argument) -> None:
    type_ = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_nested(type_) or isinstance(type_, pa.BaseExtensionType) or pa.types.is_large_binary(type_):
        raise UnsupportedError(
            f"group_by takes a column of plain values, and '{field.name}' is {name_arrow_type(field.type)}",
            span=argument.span,
        )
