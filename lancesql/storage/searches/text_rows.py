"""The rows of a table whose texts match a query, and those that have a text at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lance
import numpy as np

from lancesql.plan.sources import ROW_ID
from lancesql.plan.text import TextQuery
from lancesql.storage.scan import read_row_ids

from .texts import search_texts

__all__ = ["find_matching_rows", "list_text_rows"]

RowIds = np.ndarray[Any, np.dtype[np.uint64]]


def find_matching_rows(dataset: lance.LanceDataset, columns: Sequence[str], query: TextQuery) -> RowIds:
    """The ids of the rows that a search for the query finds, in order."""
    found = search_texts(dataset, [ROW_ID], text_columns=columns, query=query, limit=None)
    rows: RowIds = np.sort(found.column(ROW_ID).to_numpy())
    return rows


def list_text_rows(dataset: lance.LanceDataset, columns: Sequence[str]) -> RowIds:
    """The ids of the rows that have a text in one of the columns, in order."""
    text = " OR ".join(f"`{column}` IS NOT NULL" for column in columns)
    rows: RowIds = np.sort(read_row_ids(dataset, text, None).to_numpy())
    return rows
