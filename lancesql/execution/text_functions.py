"""`match()`, `highlight()` and `snippet()`, carried out: the relation calls them with a batch of texts at a time."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError, Span
from lancesql.execution.filters.text_matches import find_match_rows
from lancesql.execution.run import Run
from lancesql.plan.query import QueryPlan
from lancesql.plan.text import TextQuery
from lancesql.plan.text_functions import TextFunction
from lancesql.plan.type_names import name_arrow_type
from lancesql.storage.scan import select_rows
from lancesql.storage.texts.excerpts import cut_excerpt, write_marks
from lancesql.storage.texts.indexes import read_text_indexes
from lancesql.storage.texts.marks import Marker
from lancesql.storage.texts.places import WordFinder, open_finder
from lancesql.storage.texts.predicates import match_texts
from lancesql.storage.texts.terms import bind_query

from .text_queries import read_function_query, read_query

__all__ = ["TextCaller", "calls_texts", "name_text_columns", "offer_text_functions"]

_START, _END, _MOST = "<b>", "</b>", 160
_MANY = 2_048
"""After so many texts of a column it pays to ask the text index for all that match."""
_MOST_TEXTS = 200_000
"""So many texts that match are held to compare others with."""

Column = Any


@contextmanager
def offer_text_functions(run: Run) -> Iterator[list[TextCaller]]:
    """Gives the engine the functions that the relation calls, for a while."""
    offered: list[TextCaller] = []
    try:
        for function in _find_called(run.plan):
            caller = TextCaller(function, run)
            run.engine.add_scalar_function(caller.name, caller.answer, caller.type)
            offered.append(caller)
        yield offered
    finally:
        for caller in offered:
            run.engine.remove_function(caller.name)


def calls_texts(plan: QueryPlan) -> bool:
    """Whether the relation calls one of the functions."""
    return bool(_find_called(plan))


def _find_called(plan: QueryPlan) -> list[TextFunction]:
    return [one for one in plan.functions if f'"{one.placeholder}"(' in plan.relation]


def name_text_columns(names: list[str], plan: QueryPlan) -> list[str]:
    """The names of an answer's columns, with the user's name of a function where DuckDB repeats the text of a call."""
    for one in _find_called(plan):
        called = re.compile(rf'"?{one.placeholder}_[0-9a-f]+"?')
        names = [called.sub(one.function, name) for name in names]
    return names


class TextCaller:
    """One function of a statement.

    Attributes:
        name: The function's name in the engine, which nobody can have guessed.
        placeholder: The name the relation calls it by.
        type: The type of its values.
        failure: The first error within it; what the engine makes of it is only its text.
    """

    def __init__(self, function: TextFunction, run: Run) -> None:
        self.name = f"{function.placeholder}_{secrets.token_hex(8)}"
        self.placeholder = function.placeholder
        self.type = pa.bool_() if function.function == "match" else pa.string()
        self.failure: BaseException | None = None
        self._function = function
        self._run = run
        self._finders = {
            name: _open_finder(traced, run) for name, traced in zip(function.names, function.traced, strict=True)
        }
        self._markers: dict[str, Marker] = {}
        self._seen = 0
        self._known: pa.Array[Any] | None = None
        self._lock = threading.Lock()
        if function.query is not None:
            read_function_query(function, run)  # an error of the query is one without rows, too

    def answer(self, *columns: Column) -> Column:
        """A value for each row of the arguments, as the engine takes it."""
        try:
            whole = [
                pa.concat_arrays(column.chunks) if column.num_chunks else column.combine_chunks() for column in columns
            ]
            arguments = list(zip(self._function.arguments, self._function.spans, whole, strict=True))
            texts = [_read_texts(column, self._function, span) for name, span, column in arguments if name == "text"]
            others = {name: (column, span) for name, span, column in arguments if name != "text"}
            if self._function.function == "match":
                return self._match(texts, _read_texts(others["query"][0], self._function, others["query"][1]))
            return self._mark(texts[0], others)
        except BaseException as error:
            self.failure = self.failure or error
            raise

    def _match(self, texts: list[Column], queries: Column) -> Column:
        rows = len(queries)
        there = np.logical_or.reduce([_is_valid(text) for text in texts]) & _is_valid(queries)
        matching = np.zeros(rows, bool)
        for raw, asked in _group(queries, there):
            chosen = texts if len(asked) == rows else [text.take(pa.array(asked)) for text in texts]
            matching[asked] = self._match_query(raw, chosen)
        return pa.array(matching, pa.bool_(), mask=~there)

    def _match_query(self, raw: str, texts: list[Column]) -> Any:
        self._seen += len(texts[0])
        if self._seen > _MANY and self._function.query is not None and len(texts) == 1:
            known = self._find_known()
            if known is not None:
                found: Any = pc.is_in(texts[0], value_set=known)
                return found.to_numpy(zero_copy_only=False)
        columns = {name: text.to_pylist() for name, text in zip(self._function.names, texts, strict=True)}
        return match_texts(read_query(self._function, raw), columns, self._finders)

    def _find_known(self) -> Column | None:
        """Every text of the table that matches, when the texts come from one and there are not too many of them."""
        (traced,) = self._function.traced
        if traced is None:
            return None
        with self._lock:
            if self._known is None:
                rows = find_match_rows(self._function, self._run)
                if len(rows) <= _MOST_TEXTS:
                    dataset = self._run.database.open_dataset(traced.table)
                    read = select_rows(dataset, rows.tolist(), [traced.column])
                    self._known = read.column(traced.column).combine_chunks().cast(pa.string())
            return self._known

    def _mark(self, texts: Column, others: Mapping[str, tuple[Column, Span]]) -> Column:
        queries = _read_texts(*_place(others["query"], self._function))
        there = _is_valid(texts) & _is_valid(queries)
        starts = self._read_option(others.get("start"), _START)
        ends = self._read_option(others.get("end"), _END)
        most = self._read_lengths(others.get("max_chars"))
        written: list[str | None] = texts.to_pylist()
        escapes, cuts = self._function.escapes, self._function.function == "snippet"
        for raw, asked in _group(queries, there):
            found = self._find_marker(raw).find([written[at] or "" for at in asked])
            for at, (text, marks) in zip(asked, found, strict=True):
                written[at] = (
                    cut_excerpt(text, marks, most(at), starts(at), ends(at), escapes=escapes)
                    if cuts
                    else write_marks(text.text, marks, starts(at), ends(at), escapes=escapes)
                )
        for at in np.flatnonzero(_is_valid(texts) & ~there).tolist():
            written[at] = None  # a NULL query gives NULL, as any function of it
        return pa.array(written, pa.string())

    def _find_marker(self, raw: str) -> Marker:
        held = self._markers.get(raw)
        if held is None:
            if len(self._markers) >= 256:
                self._markers = {}
            query: TextQuery = read_query(self._function, raw)
            (name,) = self._function.names
            finder = self._finders[name]
            columns = self._function.reading.columns or (name,)
            node = bind_query(query, dict.fromkeys((*columns, name), finder))
            held = self._markers[raw] = Marker(node, name, finder)
        return held

    def _read_option(self, given: tuple[Column, Span] | None, default: str) -> Any:
        """The mark of each row; a NULL is an empty one."""
        if given is None:
            return lambda _: default
        values = _read_texts(*_place(given, self._function)).to_pylist()
        return lambda at: values[at] or ""

    def _read_lengths(self, given: tuple[Column, Span] | None) -> Any:
        if given is None:
            return lambda _: _MOST
        column, span = given
        if not pa.types.is_integer(column.type) or column.null_count or (len(column) and pc.min(column).as_py() < 1):
            raise ArgumentError("'max_chars' is a whole number, at least 1", span=span)
        values = column.to_pylist()
        return lambda at: values[at]


def _is_valid(column: Column) -> Any:
    valid: Any = column.is_valid()
    return valid.to_numpy(zero_copy_only=False)


def _open_finder(traced: Any, run: Run) -> WordFinder:
    if traced is None:
        return open_finder({})
    index = read_text_indexes(run.database.open_dataset(traced.table)).get(traced.column)
    return open_finder({} if index is None else index.options)


def _group(queries: Column, there: Any) -> Iterator[tuple[str, list[int]]]:
    """Each query with the rows that ask it, as far as nothing of them is NULL."""
    encoded = queries.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(False)
    for code, raw in enumerate(encoded.dictionary.to_pylist()):
        asked = np.flatnonzero((codes == code) & there)
        if len(asked):
            yield raw, asked.tolist()


def _place(given: tuple[Column, Span], function: TextFunction) -> tuple[Column, TextFunction, Span]:
    column, span = given
    return column, function, span


def _read_texts(column: Column, function: TextFunction, span: Span) -> Column:
    type_ = column.type
    if pa.types.is_string(type_) or pa.types.is_null(type_) or pa.types.is_large_string(type_):
        return column.cast(pa.string())
    if pa.types.is_string_view(type_) or pa.types.is_dictionary(type_):
        return column.cast(pa.string())
    raise ArgumentError(f"{function.function}() takes a text here, not {name_arrow_type(type_)}", span=span)
