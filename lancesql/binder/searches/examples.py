"""A query by example: rows of the table, or vectors, to be near to and away from."""

from __future__ import annotations

from typing import Any

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError
from lancesql.parser.calls import Argument
from lancesql.plan.vector_options import Examples

from .arguments import SearchContext
from .columns import find_column, is_multivector_column, read_name

__all__ = ["bind_examples"]

_PRIMARY_KEY = b"lance-schema:unenforced-primary-key"


def bind_examples(
    table: TableInfo, type_: Any, metric: str, arguments: dict[str, Argument], context: SearchContext
) -> Examples | None:
    """The examples a call names; None when it names none.

    Raises:
        ArgumentError: When they contradict a query vector, or have no mean.
    """
    named = [arguments[name] for name in ("like_id", "positive", "negative") if name in arguments]
    if not named:
        if "id_column" in arguments:
            raise ArgumentError(
                "id_column says where like_id is looked up, and there is no like_id", span=arguments["id_column"].span
            )
        return None
    span = named[0].span
    if "query" in arguments:
        raise ArgumentError(
            f"the query is given twice: as a vector, and by {named[0].name}",
            hint="leave out the query vector, or add it to the examples: positive => [$q]",
            span=span,
        )
    if "like_id" not in arguments and "positive" not in arguments:
        raise ArgumentError(
            "negative says what to be away from, and nothing says what to be near to",
            hint="add positive => […] or like_id => …",
            span=span,
        )
    blended = next((arguments[name] for name in ("positive", "negative") if name in arguments), None)
    if blended is not None and (is_multivector_column(type_) or metric == "hamming"):
        what = "lists of vectors have" if is_multivector_column(type_) else "bits have"
        raise ArgumentError(f"{what} no mean, which '{blended.name}' asks for", hint="use like_id", span=blended.span)
    values = {
        name: context.read_value(arguments[name]) for name in ("like_id", "positive", "negative") if name in arguments
    }
    return Examples(
        id_column=_choose_id_column(table, arguments),
        like=values.get("like_id"),
        positive=values.get("positive"),
        negative=values.get("negative"),
        span=span,
    )


def _choose_id_column(table: TableInfo, arguments: dict[str, Argument]) -> str:
    """The column named, else the table's primary key, else the one called `id`; "" when there is none."""
    if "id_column" in arguments:
        argument = arguments["id_column"]
        return find_column(table, read_name(argument), argument.span, table.schema.names)
    keys = [field.name for field in table.schema if any(key.startswith(_PRIMARY_KEY) for key in field.metadata or {})]
    if len(keys) == 1:
        return keys[0]
    named = [name for name in table.schema.names if name.lower() == "id"]
    if len(named) == 1:
        return named[0]
    if "like_id" in arguments:
        raise ArgumentError(
            f"table '{table.name}' has no primary key and no column 'id' to look the example up in",
            hint="name one: id_column => '…'",
            span=arguments["like_id"].span,
        )
    return ""
