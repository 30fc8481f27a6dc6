"""What a table asks of the rows that are written to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .fills import Fill

__all__ = ["RowRules"]


def _make_nothing(_: str, __: int) -> None:
    return None


def _leave_text(array: pa.Array[Any], _: pa.Field[Any]) -> pa.Array[Any]:
    return array


def _take_all(_: pa.RecordBatch) -> None:
    return None


@dataclass(frozen=True)
class RowRules:
    """How columns that a statement leaves out are made, and what rows are refused.

    Attributes:
        find_fills: Says what makes vector columns of the texts beside them.
        make_default: So many values of a column's default; None for a column without one.
        check: Raises for rows that the table does not take.
        read_text: The values of a column that is given as text, in the type of the column; other values as they are.
        finite: A vector with NaN or an infinity is refused.
    """

    find_fills: Callable[[], Sequence[Fill]] = tuple
    make_default: Callable[[str, int], pa.Array[Any] | None] = _make_nothing
    check: Callable[[pa.RecordBatch], None] = _take_all
    read_text: Callable[[pa.Array[Any], pa.Field[Any]], pa.Array[Any]] = _leave_text
    finite: bool = False
