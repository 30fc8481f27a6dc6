"""INSERT embeds what it stores: the vectors of rows that do not bring them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lancesql.catalog import TableInfo
from lancesql.execution.progress import Report
from lancesql.execution.run import Run
from lancesql.storage.writes.fills import Fill

from .embed import call_function
from .registry import Embedding

__all__ = ["find_fills"]


def find_fills(table: TableInfo, run: Run, report: Report | None) -> list[Fill]:
    """What makes the vector columns of a table that have a function with a source."""
    found = run.embeddings.find_sources(table) if run.embeddings is not None else []
    return [_make_fill(one, table, run, report) for one in found]


def _make_fill(embedding: Embedding, table: TableInfo, run: Run, report: Report | None) -> Fill:
    type_ = table.schema.field(embedding.info.column).type
    done = 0

    def embed(texts: list[str]) -> Sequence[np.ndarray[Any, Any] | None]:
        nonlocal done
        vectors = call_function(embedding, texts, type_, "source", run.watch)
        done += len(texts)
        if report is not None:
            report("texts embedded", done, None)
        return vectors

    assert embedding.info.source is not None
    return Fill(embedding.info.column, embedding.info.source, embedding.batch_size, embed)
