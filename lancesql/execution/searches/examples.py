"""What a vector search looks for: its query vector, or the one its examples make, and the rows it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.errors import ArgumentError, Span, UnsupportedError
from lancesql.execution.embeddings.embed import embed_texts
from lancesql.execution.run import Run, evaluate
from lancesql.plan.predicates import Column, InList
from lancesql.plan.sources import ROW_ID, VectorSearch
from lancesql.plan.type_names import name_arrow_type
from lancesql.plan.values import Constant, Value
from lancesql.plan.vector_options import Examples
from lancesql.storage.filters.render import UnrenderableError, render_filter
from lancesql.storage.scan import list_row_ids, open_scan, read_scan

from .query_vectors import check_vector, read_vector

__all__ = ["Target", "read_target"]

Vector = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Target:
    """What is looked for.

    Attributes:
        vector: The query, checked.
        excluded: The ids of the rows that are its examples: they are not part of the answer.
    """

    vector: Vector
    excluded: tuple[int, ...] = ()


def read_target(source: VectorSearch, run: Run) -> Target | None:
    """Evaluates the query of a search; None when an optional example is missing.

    By example the query is 2 · mean(positive) − mean(negative), or mean(positive) without negatives. For cosine, where
    only directions count, every example is first scaled to length one.

    Raises:
        ArgumentError: When the query, or an example, is missing or cannot be searched for.
    """
    type_ = source.table.schema.field(source.column).type
    if not isinstance(source.query, Examples):
        span = source.query.span

        def embed(text: str) -> object:
            return embed_texts(source.table, source.column, [text], run, span=span)[0]

        return Target(read_vector(source.query, run, type_, source.metric, source.column, embed))
    return _blend_examples(source, source.query, type_, run)


def _blend_examples(source: VectorSearch, examples: Examples, type_: Any, run: Run) -> Target | None:
    positive, negative = _read_examples(examples.positive, run), _read_examples(examples.negative, run)
    ids = [*positive.ids, *negative.ids]
    if examples.like is not None:
        ids.append(like := _read_id(evaluate(examples.like, run), examples.like.span))
    found = _find_rows(source, examples, list(dict.fromkeys(ids)), run) if ids else {}
    if any(one not in found for one in ids):
        return None
    excluded = tuple(row_id for row_id, _ in found.values())

    def check(raw: object, span: Span | None) -> Vector:
        return check_vector(raw, type_, source.metric, source.column, span)

    near = [check(one, positive.span) for one in positive.vectors] + [found[one][1] for one in positive.ids]
    if examples.like is not None:
        near.append(found[like][1])
    away = [check(one, negative.span) for one in negative.vectors] + [found[one][1] for one in negative.ids]
    if not near:
        raise ArgumentError("positive is empty: there is nothing to be near to", span=positive.span or examples.span)
    if len(near) == 1 and not away:
        return Target(near[0], excluded)
    query = _average(near, source.metric)
    if away:
        query = 2 * query - _average(away, source.metric)
    if source.metric == "cosine" and np.allclose(query, 0, atol=1e-12):
        raise ArgumentError("the examples cancel each other out: what is left has no direction", span=examples.span)
    return Target(check(query, examples.span), excluded)


def _average(vectors: Sequence[Vector], metric: str) -> Vector:
    matrix = np.stack(vectors).astype(np.float64)
    if metric == "cosine":
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    mean: Vector = matrix.mean(axis=0)
    return mean


@dataclass(frozen=True)
class _Given:
    """The examples of one argument: ids, or vectors."""

    ids: tuple[int | str, ...] = ()
    vectors: tuple[object, ...] = ()
    span: Span | None = None


def _read_examples(value: Value | None, run: Run) -> _Given:
    if value is None:
        return _Given()
    raw: Any = evaluate(value, run)
    if raw is None:
        return _Given(span=value.span)
    listed = raw.to_pylist() if hasattr(raw, "to_pylist") else raw
    if not isinstance(listed, list | tuple | np.ndarray):
        raise ArgumentError(
            "examples are a list of ids, or a list of vectors", hint="[1, 2] or [[…], […]]", span=value.span
        )
    items = list(listed)
    vectors = [isinstance(item, list | tuple | np.ndarray) or hasattr(item, "to_pylist") for item in items]
    if all(vectors):
        return _Given(vectors=tuple(items), span=value.span)
    if any(vectors):
        raise ArgumentError("examples are all ids or all vectors, not some of each", span=value.span)
    return _Given(ids=tuple(_read_id(item, value.span) for item in items), span=value.span)


def _read_id(raw: object, span: Span | None) -> int | str:
    if isinstance(raw, np.generic):
        raw = raw.item()
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        shown = "NULL" if raw is None else f"{type(raw).__name__} {raw!r}"[:60]
        raise ArgumentError(
            f"the id of an example is a whole number or a text, not {shown}",
            hint="a vector as an example stands in a list of vectors: positive => [[…]]",
            span=span,
        )
    return raw


def _find_rows(
    source: VectorSearch, examples: Examples, ids: list[int | str], run: Run
) -> dict[int | str, tuple[int, Vector]]:
    """Row id and vector of each id, in the snapshot that is searched; not all of them when they are optional."""
    name, table = examples.id_column, source.table
    if not name:
        raise ArgumentError(
            f"table '{table.name}' has no primary key and no column 'id' to look examples up in",
            hint="name one: id_column => '…'",
            span=examples.span,
        )
    type_ = table.schema.field(name).type
    if not (pa.types.is_integer(type_) or pa.types.is_string(type_) or pa.types.is_large_string(type_)):
        raise UnsupportedError(
            f"examples are looked up in a column of integers or texts, and '{name}' is {name_arrow_type(type_)}",
            hint=f"pass the vector: (SELECT {source.column} FROM {table.name} WHERE {name} = …)",
            span=examples.span,
        )
    try:
        text = render_filter(InList(Column(name, type_), tuple(Constant(one) for one in ids)), {})
    except UnrenderableError:
        raise ArgumentError(
            f"column '{name}' is {name_arrow_type(type_)}, and an example's id is not", span=examples.span
        ) from None
    dataset = run.database.open_dataset(table)
    rows = read_scan(open_scan(dataset, [name, source.column, ROW_ID], filter=text, widen=False))
    found: dict[int | str, tuple[int, Vector]] = {}
    column = table.schema.field(source.column).type
    keys: list[Any] = rows.column(0).to_pylist()
    for at, (one, row_id) in enumerate(zip(keys, list_row_ids(rows.column(2)), strict=True)):
        if one in found:
            raise ArgumentError(f"several rows of '{table.name}' have {name} = {one!r}", span=examples.span)
        stored = _read_stored(rows.column(1)[at], source.metric)
        if stored is None and examples.optional:
            return {}
        if stored is None:
            raise ArgumentError(f"the row with {name} = {one!r} has no vector in '{source.column}'", span=examples.span)
        found[one] = (row_id, check_vector(stored, column, source.metric, source.column, examples.span))
    missing = [one for one in ids if one not in found]
    if missing and not examples.optional:
        listed = ", ".join(map(repr, missing[:5])) + (", …" if len(missing) > 5 else "")
        at_version = f"at version {table.version}"
        raise ArgumentError(f"table '{table.name}' has no row with {name} = {listed} {at_version}", span=examples.span)
    return found


def _read_stored(scalar: Any, metric: str) -> object:
    """The vector of a row; of a list of vectors, those that can be compared. None when there is none."""
    if not scalar.is_valid:
        return None
    if pa.types.is_fixed_size_list(scalar.type):
        return scalar.values.to_numpy(zero_copy_only=False)
    vectors = [np.asarray(one, np.float64) for one in scalar.as_py() if one is not None and None not in one]
    usable = [one for one in vectors if np.isfinite(one).all() and (metric != "cosine" or one.any())]
    return np.stack(usable) if usable else None
