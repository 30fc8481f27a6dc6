"""A table as HTML, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pyarrow as pa

from .show import ShownColumn, build_columns, describe_rows

__all__ = ["render_html"]

_CELL_LENGTH = 200
_GREY = "opacity:0.6"


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
    columns = build_columns(table, engine_types)
    head = "".join(
        f'<th style="text-align:{_side(c)}">{html.escape(c.name)}<br>'
        f'<small style="font-weight:normal;{_GREY}">{html.escape(c.kind)}</small></th>'
        for c in columns
    )
    body = "".join(
        f"<tr>{''.join(_draw_cell(column, row) for column in columns)}</tr>" for row in range(table.num_rows)
    )
    footer = describe_rows(table.num_rows, table.num_rows if rows is None else rows, complete=complete)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'<p style="{_GREY}"><small>{html.escape(footer)}</small></p>'
    )


def _draw_cell(column: ShownColumn, row: int) -> str:
    text = column.cells[row]
    if len(text) > _CELL_LENGTH:
        text = text[: _CELL_LENGTH - 1] + "…"
    if column.missing[row]:
        return f'<td style="text-align:{_side(column)};{_GREY}">{html.escape(text)}</td>'
    return f'<td style="text-align:{_side(column)}">{html.escape(text)}</td>'


def _side(column: ShownColumn) -> str:
    return "right" if column.right else "left"
