"""The functions that stand in the place of `embed()`: the engine has them while a statement that calls them runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, LanceSQLError, UnsupportedError
from lancesql.execution.run import Run
from lancesql.plan.embeddings import EmbedFunction
from lancesql.plan.query import QueryPlan
from lancesql.plan.type_names import name_arrow_type
from lancesql.storage.types import widen_type
from lancesql.storage.writes.conversion import convert_column
from lancesql.storage.writes.fills import Fill, fill_column

from .embed import embed_texts

__all__ = ["explain_hidden", "name_embeds", "offer_embeds"]

_MOST = 2048
"""Rows of one call of DuckDB; how many texts a function is given at a time is its own matter."""


@contextmanager
def offer_embeds(run: Run) -> Iterator[None]:
    """Gives the engine the functions that a plan calls, for a while; the error of one of them is its own.

    Raises:
        LanceSQLError: What a function raised, in the place of what the engine makes of it.
    """
    functions = [_Function(one, run) for one in run.plan.embeds]
    offered: list[_Function] = []
    try:
        for function in functions:
            run.engine.share_scalar_function(function.name, function.answer, function.type)
            offered.append(function)
        yield
    except LanceSQLError as error:
        failure = next((one.failure for one in functions if one.failure is not None), error)
        raise failure from None
    finally:
        for function in offered:
            run.engine.release_scalar_function(function.name)


def name_embeds(text: str, plan: QueryPlan) -> str:
    """A text of the engine with the calls as they were written."""
    for one in plan.embeds:
        text = text.replace(f'"{one.name}"', "embed").replace(one.name, "embed")
    return text


def explain_hidden(error: LanceSQLError, plan: QueryPlan) -> LanceSQLError:
    """The error of a connection beside the user's own, which does not see a function within an open transaction."""
    if plan.embeds and "Function with name embed does not exist" in error.message:
        return UnsupportedError(
            "a predicate with values of the row cannot call embed() while a transaction is open",
            hint="COMMIT first, or let a relation before the search give the vector",
            span=error.span,
            sql=error.sql,
        )
    return error


class _Function:
    """One call of `embed()` in a statement.

    Attributes:
        failure: The first error within it; what the engine makes of it is only its text.
    """

    def __init__(self, call: EmbedFunction, run: Run) -> None:
        self.name = call.name
        self.failure: BaseException | None = None
        self._call, self._run = call, run
        self._stored: pa.DataType = pa.list_(pa.float32())
        if isinstance(call.table, TableInfo):
            self._stored = call.table.schema.field(call.column).type
        self.type: Any = widen_type(self._stored)

    def answer(self, texts: Any, *_: Any) -> Any:
        """The vectors of a column of texts, as the engine takes them; NULL for NULL."""
        try:
            column = pa.concat_arrays(texts.chunks) if isinstance(texts, pa.ChunkedArray) else texts
            return self._answer(column)
        except BaseException as error:
            if isinstance(error, LanceSQLError) and error.span is not None and error.sql is None:
                error.sql = self._run.plan.sql
            self.failure = self.failure or error
            raise

    def _answer(self, column: Any) -> Any:
        if pa.types.is_null(column.type):
            return pa.nulls(len(column), self.type)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise ArgumentError(
                f"embed() takes a text, not {name_arrow_type(column.type)}",
                hint="cast it: …::VARCHAR",
                span=self._call.span,
            )
        if not isinstance(self._call.table, TableInfo):
            return self._answer_lists(column)
        fill = Fill(self._call.column, "", _MOST, self._embed)
        return convert_column(fill_column(column, fill, self._stored), self.type, self._call.column)

    def _answer_lists(self, column: Any) -> Any:
        """The vectors of a table that does not exist yet: of any length."""
        texts: list[Any] = column.to_pylist()
        distinct = list(dict.fromkeys(text for text in texts if text is not None))
        known = dict(zip(distinct, self._embed(distinct), strict=True))
        vectors = [None if text is None else known[text] for text in texts]
        return pa.array([None if one is None else one.astype(np.float32) for one in vectors], self.type)

    def _embed(self, texts: list[str]) -> Sequence[np.ndarray[Any, Any] | None]:
        call = self._call
        return embed_texts(call.table, call.column, texts, self._run, role=call.role, span=call.span)
