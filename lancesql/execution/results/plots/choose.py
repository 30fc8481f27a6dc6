"""What of an answer is drawn, and with which columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name
from lancesql.execution.results.markup.bars import is_score

from .figure import Plot, add_axes
from .scores import draw_scores
from .vectors import draw_vectors

__all__ = ["draw_plot"]

_KINDS = ("scores", "vectors")


def draw_plot(table: pa.Table, kind: str | None, column: str | None, color: str | None, axes: Any) -> Plot:
    """Draws the answer.

    Args:
        table: The answer.
        kind: `scores` or `vectors`; what the column is, or what there is, unless given.
        column: The column to draw; the only one of its kind unless given.
        color: The column that colours the points.
        axes: Matplotlib's axes to draw on.

    Raises:
        ArgumentError: When there is nothing of the kind, or more than one.
        UnknownColumnError: When there is no column of the name.
        UnsupportedError: Without Matplotlib.
    """
    if kind is not None and kind not in _KINDS:
        near = nearest_name(str(kind), _KINDS)
        raise ArgumentError(
            f"there is no plot '{kind}'", hint=f"did you mean '{near}'?" if near else "scores or vectors"
        )
    for name in (column, color):
        if name is not None:
            _check_name(name, table)
    vectors = [field.name for field in table.schema if _is_vector(field.type)]
    scores = [field.name for field in table.schema if is_score(field.name, field.type)]
    if kind is None:
        if column is not None:
            kind = "vectors" if column in vectors else "scores"
        else:
            kind = "vectors" if vectors and (color is not None or not scores) else "scores"
    if kind == "vectors":
        return draw_vectors(table, _choose(column, vectors, "vectors"), color, add_axes(axes))
    if color is not None:
        raise ArgumentError("a distribution has no colours", hint="color is for kind='vectors'")
    if column is not None and not _is_number(table.schema.field(column).type):
        raise ArgumentError(f"column '{column}' holds no numbers", hint="name a column of numbers or of vectors")
    return draw_scores(table, column or _choose(None, scores, "scores"), add_axes(axes))


def _check_name(name: str, table: pa.Table) -> None:
    count = table.column_names.count(name)
    if count == 0:
        near = nearest_name(name, table.column_names)
        hint = f"did you mean '{near}'?" if near else f"the columns are {', '.join(table.column_names)}"
        raise UnknownColumnError(f"the answer has no column '{name}'", hint=hint)
    if count > 1:
        raise ArgumentError(f"the answer has {count} columns '{name}'", hint="give them other names with AS")


def _choose(given: str | None, found: list[str], what: str) -> str:
    if given is not None:
        if given not in found:
            raise ArgumentError(f"column '{given}' holds no {what}", hint="name another, or leave out the kind")
        return given
    if not found:
        named = "a vector column" if what == "vectors" else "a column _distance, _score or _relevance_score"
        raise ArgumentError(f"the answer has no {what} to draw", hint=f"SELECT {named} too, or name a column=")
    if len(found) > 1:
        raise ArgumentError(f"there are several: {', '.join(found)}", hint=f"column='{found[0]}' draws the first")
    return found[0]


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _is_vector(kind: pa.DataType) -> bool:
    listed: Any = kind
    is_list = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return is_list and pa.types.is_floating(listed.value_type)
