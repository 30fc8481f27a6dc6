"""The rows of an answer as an HTML table: vectors as pictures, images as thumbnails, scores with bars."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from lancesql.errors import LanceSQLError
from lancesql.execution.results.cells import NULL, format_column
from lancesql.execution.results.rows import column_to_values
from lancesql.execution.results.show import ShownColumn, build_columns, describe_rows

from .bars import is_score, scale_bars
from .images import ImageBudget, describe_bytes
from .style import wrap_markup
from .vectors import draw_vector, is_vector, read_reach

__all__ = ["render_error", "render_html"]

_CELL_LENGTH = 200
_TITLE_LENGTH = 1_000
_COLUMNS = 100
_BYTES_SHOWN = 12
_SCORE_DIGITS = 6


def render_html(
    table: pa.Table, engine_types: Sequence[str] | None = None, *, rows: int | None = None, complete: bool = True
) -> str:
    """Draws the table as HTML; every name and value is escaped.

    Args:
        table: The rows to draw, all of them.
        engine_types: The SQL types of the columns as DuckDB spells them, when known.
        rows: How many rows the answer has; more than the table when it is a preview.
        complete: Whether `rows` is all, or only what was read so far.
    """
    footer = describe_rows(table.num_rows, table.num_rows if rows is None else rows, complete=complete)
    if not table.num_columns:
        return wrap_markup(f"<p>{'Done.' if not table.num_rows else html.escape(footer)}</p>")
    if table.num_columns > _COLUMNS:
        footer += f", {_COLUMNS} of {table.num_columns:,} columns shown"
        table, engine_types = table.select(range(_COLUMNS)), engine_types and engine_types[:_COLUMNS]
    columns = build_columns(table, engine_types)
    head = "".join(
        f'<th scope="col"{_side(c)}>{html.escape(c.name)} <small>{html.escape(c.kind)}</small></th>' for c in columns
    )
    images = ImageBudget()
    cells = []
    for at, column in enumerate(columns):
        values = column_to_values(table.column(at), engine_types[at] if engine_types else None)
        cells.append(_draw_column(column, table.field(at), values, images))
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    return wrap_markup(
        f'<table class="rows"><caption>{html.escape(footer)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def render_error(error: LanceSQLError) -> str:
    """An error as it is printed, its place in the statement marked."""
    text = f"<b>{html.escape(type(error).__name__)}</b>: {html.escape(str(error))}"
    return wrap_markup(f'<pre class="error" role="alert">{text}</pre>')


def _draw_column(column: ShownColumn, field: pa.Field[Any], values: list[Any], images: ImageBudget) -> list[str]:
    draw = _choose_drawing(column, field, values, images)
    return [
        _draw_null(column) if value is None else draw(at, value, text)
        for at, (value, text) in enumerate(zip(values, column.cells, strict=True))
    ]


def _choose_drawing(
    column: ShownColumn, field: pa.Field[Any], values: list[Any], images: ImageBudget
) -> Callable[[int, Any, str], str]:
    if is_score(field.name, field.type):
        lengths = scale_bars(values)
        return lambda at, value, text: _draw_score(lengths[at], float(value), text)
    if pa.types.is_nested(field.type):
        reach = read_reach(values)
        return lambda _, value, text: f"<td>{draw_vector(value, reach, text)}</td>" if is_vector(value) else _draw(text)
    side = _side(column)
    return lambda _, value, text: _draw_bytes(value, images) if isinstance(value, bytes) else _draw(text, side)


def _draw_null(column: ShownColumn) -> str:
    return f'<td{_side(column)}><span class="null">{NULL}</span></td>'


def _draw(text: str, attribute: str = "") -> str:
    if len(text) <= _CELL_LENGTH:
        return f'<td dir="auto"{attribute}>{html.escape(text)}</td>'
    title = html.escape(text[:_TITLE_LENGTH])
    return f'<td dir="auto" title="{title}"{attribute}>{html.escape(text[: _CELL_LENGTH - 1])}…</td>'


def _draw_score(length: float | None, value: float, text: str) -> str:
    if length is None:
        return _draw(text, ' class="right"')
    below = " below" if length < 0 else ""
    bar = f'class="right bar{below}" style="--part:{abs(length):.1%}"'
    return f'<td {bar} title="{html.escape(text)}">{value:.{_SCORE_DIGITS}g}</td>'


def _draw_bytes(value: bytes, images: ImageBudget) -> str:
    image = images.draw(value)
    if image is not None:
        return f"<td>{image}</td>"
    (text,) = format_column([value[:_BYTES_SHOWN]], pa.binary())
    return _draw(text) if len(value) <= _BYTES_SHOWN else f"<td>{html.escape(text)}… {describe_bytes(len(value))}</td>"


def _side(column: ShownColumn) -> str:
    return ' class="right"' if column.right else ""
