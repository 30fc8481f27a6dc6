"""A table as text that fits the terminal."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lancesql.plan.type_names import name_arrow_type

from .cells import escape_text, format_column, is_combining, is_elastic, is_right_aligned
from .rows import column_to_values

__all__ = ["build_columns", "describe_rows", "render_table"]

_FALLBACK_WIDTH = 100
_NARROWEST = 40
_LEAST = 16
_TEXT_FLOOR = 12
_VALUE_FLOOR = 28  # a number, a moment or a vector says something else when it is cut
_TYPE_LENGTH = 24
_GAP = "…"


@dataclass(frozen=True)
class ShownColumn:
    """One column, every cell already text.

    Attributes:
        name: The column's name.
        kind: The SQL name of its type.
        cells: One text for each row.
        missing: Which of the rows are NULL.
        right: Whether the cells are aligned to the right.
        floor: How narrow the column may be drawn.
    """

    name: str
    kind: str
    cells: tuple[str, ...]
    missing: tuple[bool, ...]
    right: bool
    floor: int = _TEXT_FLOOR


def render_table(
    table: pa.Table,
    engine_types: Sequence[str] | None = None,
    *,
    rows: int | None = None,
    complete: bool = True,
    max_width: int | None = None,
) -> str:
    """Draws the table, with the names and SQL types of its columns and a count of its rows.

    Args:
        table: The rows to draw, all of them.
        engine_types: The SQL types of the columns as DuckDB spells them, when known.
        rows: How many rows the answer has; more than the table when it is a preview.
        complete: Whether `rows` is all, or only what was read so far.
        max_width: How many characters a line may have; the terminal's width when None.

    Example:
        >>> print(render_table(pa.table({"id": [1, 20], "title": ["Alien", None]})))
        ┌────────┬─────────┐
        │     id │ title   │
        │ BIGINT │ VARCHAR │
        ├────────┼─────────┤
        │      1 │ Alien   │
        │     20 │ NULL    │
        └────────┴─────────┘
          2 rows
    """
    width = max_width if max_width is not None else shutil.get_terminal_size((_FALLBACK_WIDTH, 24)).columns
    width = max(width, _NARROWEST) if max_width is None else max(width, _LEAST)
    columns = build_columns(table, engine_types)
    footer = describe_rows(table.num_rows, table.num_rows if rows is None else rows, complete=complete)
    if not columns:
        return f"  {footer}"
    kept, widths = _fit_columns(columns, width)
    if len(kept) < len(columns):
        footer += f", {len(kept)} of {len(columns)} columns shown"
        middle = (len(kept) + 1) // 2
        gap = ShownColumn(_GAP, _GAP, (_GAP,) * table.num_rows, (False,) * table.num_rows, right=False)
        kept = [*kept[:middle], gap, *kept[middle:]]
        widths = [*widths[:middle], 1, *widths[middle:]]
    return "\n".join([*_draw_lines(kept, widths), f"  {footer}"])


def build_columns(table: pa.Table, engine_types: Sequence[str] | None) -> list[ShownColumn]:
    """The text of every cell of the table."""
    columns: list[ShownColumn] = []
    for index, field in enumerate(table.schema):
        engine_type = engine_types[index] if engine_types is not None else None
        values = column_to_values(table.column(index), engine_type)
        kind = escape_text(engine_type or name_arrow_type(field.type)).replace('"NULL"', "NULL")
        columns.append(
            ShownColumn(
                escape_text(field.name),
                kind if len(kind) <= _TYPE_LENGTH else _shorten_type(kind),
                tuple(format_column(values, field.type)),
                tuple(value is None for value in values),
                is_right_aligned(field.type),
                _TEXT_FLOOR if is_elastic(field.type) else _VALUE_FLOOR,
            )
        )
    return columns


def describe_rows(shown: int, rows: int, *, complete: bool) -> str:
    """The line under the table.

    Example:
        >>> describe_rows(20, 10_000, complete=False), describe_rows(20, 21, complete=False)
        ('at least 10,000 rows, 20 shown', 'the first 20 rows, there are more')
    """
    if not complete and rows == shown + 1:
        return f"the first {shown:,} row{'' if shown == 1 else 's'}, there are more"
    count = f"{rows:,} row{'' if rows == 1 else 's'}"
    if not complete:
        count = f"at least {count}"
    return count if shown == rows and complete else f"{count}, {shown:,} shown"


def _shorten_type(kind: str) -> str:
    opening = kind.find("(")
    if 0 < opening < _TYPE_LENGTH - 4 and kind.split("(", 1)[0] in {"STRUCT", "ENUM", "UNION", "MAP", "TUPLE"}:
        suffix = kind[kind.rfind(")") + 1 :]
        return f"{kind[:opening]}({_GAP}){suffix}"
    return kind[: _TYPE_LENGTH - 1] + _GAP


def _fit_columns(columns: list[ShownColumn], width: int) -> tuple[list[ShownColumn], list[int]]:
    """Drops columns from the middle, then narrows the widest, until a line fits."""
    measure = _load_measure()
    wanted = [max(measure(text) for text in (c.name, c.kind, *c.cells)) for c in columns]
    least = [
        max(min(size, _TEXT_FLOOR), min(max((measure(text) for text in c.cells), default=0), c.floor))
        for size, c in zip(wanted, columns, strict=True)
    ]
    left, right = list(range((len(columns) + 1) // 2)), list(range((len(columns) + 1) // 2, len(columns)))

    def find_room() -> int:
        count = len(left) + len(right)
        gap = 0 if count == len(columns) else 4
        return width - 3 * count - 1 - gap

    while len(left) + len(right) > 1 and sum(least[i] for i in left + right) > find_room():
        (left if len(left) > len(right) else right).pop(-1 if len(left) > len(right) else 0)
    kept = left + right
    sizes = {i: least[i] for i in kept}
    room = find_room() - sum(sizes.values())
    if room < 0:  # one column, wider than the terminal
        sizes[kept[0]] = max(1, sizes[kept[0]] + room)
    hungry = [i for i in kept if sizes[i] < wanted[i]]
    while room > 0 and hungry:
        share = max(1, room // len(hungry))
        for i in hungry:
            given = min(share, wanted[i] - sizes[i], room)
            sizes[i] += given
            room -= given
        hungry = [i for i in hungry if sizes[i] < wanted[i]]
    return [columns[i] for i in kept], [sizes[i] for i in kept]


def _draw_lines(columns: list[ShownColumn], widths: list[int]) -> list[str]:
    def draw_rule(left: str, cross: str, right: str) -> str:
        return left + cross.join("─" * (width + 2) for width in widths) + right

    def draw_row(texts: Sequence[str]) -> str:
        cells = (_pad(text, width, c.right) for text, width, c in zip(texts, widths, columns, strict=True))
        return f"│ {' │ '.join(cells)} │"

    return [
        draw_rule("┌", "┬", "┐"),
        draw_row([c.name for c in columns]),
        draw_row([c.kind for c in columns]),
        draw_rule("├", "┼", "┤"),
        *(draw_row(texts) for texts in zip(*(c.cells for c in columns), strict=True)),
        draw_rule("└", "┴", "┘"),
    ]


def _pad(text: str, width: int, right: bool) -> str:
    text = _cut(text, width)
    spaces = " " * (width - _load_measure()(text))
    return spaces + text if right else text + spaces


def _cut(text: str, width: int) -> str:
    measure = _load_measure()
    if measure(text) <= width:
        return text
    kept = text[: 2 * width]  # room for marks, which have no width of their own
    while kept and measure(kept) > width - 1:
        kept = kept[:-1]
    while len(kept) < len(text) and is_combining(text[len(kept)]) and kept:
        kept = kept[:-1]  # a mark must not be parted from its character
    return kept + _GAP


@functools.cache
def _load_measure() -> Callable[[str], int]:
    from rich.cells import cell_len

    return cell_len
