"""Texts given to an embedding function, each once, and its vectors checked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import EmbeddingError, Span
from lancesql.plan.embeddings import Role, refuse_text
from lancesql.storage.embeddings import TextEmbedder

from .failures import explain_failure, is_passing
from .registry import Embedding

if TYPE_CHECKING:
    from lancesql.execution.run import Run
    from lancesql.execution.watch import Watch

__all__ = ["call_function", "embed_texts", "find_embedding"]

Vector = np.ndarray[Any, Any]

_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


def find_embedding(table: TableInfo | str, column: str, run: Run, span: Span | None) -> Embedding:
    """The function of a column.

    Raises:
        ArgumentError: When it has none.
    """
    found = run.embeddings.find(table, column) if run.embeddings is not None else None
    if found is None:
        name = table if isinstance(table, str) else table.name
        raise refuse_text(name, column, [] if run.embeddings is None else run.embeddings.registered(), span)
    return found


def embed_texts(
    table: TableInfo | str,
    column: str,
    texts: Sequence[str],
    run: Run,
    *,
    role: Role = "query",
    span: Span | None = None,
) -> list[Any]:
    """A vector for each text; equal texts of a statement are embedded once. A text that is stored may have none.

    Raises:
        ArgumentError: When the column has no embedding function.
        EmbeddingError: When the function fails, or gives what cannot be vectors of the column.
    """
    embedding = find_embedding(table, column, run, span)
    type_ = table.schema.field(column).type if isinstance(table, TableInfo) else None
    distinct = list(dict.fromkeys(map(str, texts)))
    key = (embedding.info.identity, str(type_), role)
    with run.embedded.lock:
        known = run.embedded.find(key, distinct)
        missing = iter([text for text in distinct if text not in known])
        while batch := list(islice(missing, embedding.batch_size)):
            made = call_function(embedding, batch, type_, role, run.watch, span)
            found: dict[str, Vector | None] = dict(zip(batch, made, strict=True))
            run.embedded.keep(key, found)
            known.update(found)
    vectors = []
    for text in texts:
        vector = known[str(text)]
        if vector is None and role == "query":
            raise EmbeddingError(f"{_name(embedding)} gave no vector for {_show(text)}", span=span)
        vectors.append(vector)
    return vectors


def call_function(
    embedding: Embedding, texts: list[str], type_: Any, role: Role, watch: Watch, span: Span | None = None
) -> list[Vector | None]:
    """One call of the function, its vectors checked; None where it gives none for a text.

    Args:
        embedding: The function.
        texts: What it is given.
        type_: The type of the column; None when its table does not exist yet.
        role: What the texts are for.
        watch: The execution: what stops it is heard between two calls.
        span: Where the texts stand.
    """
    try:
        embedder = watch.call_function(embedding.load)
        vectors = watch.call_function(lambda: _list_vectors(_call(embedder, texts, role, watch)))
    except Exception as error:  # noqa: BLE001 - a function of the user's raises whatever it likes
        raise explain_failure(error, embedding.info, span) from None
    if len(vectors) != len(texts):
        raise EmbeddingError(
            f"{_name(embedding)} gave {len(vectors)} vectors for {len(texts)} texts",
            hint="it is given a list of texts, and gives a vector for each",
            span=span,
        )
    return [_check(one, text, type_, embedding, span) for one, text in zip(vectors, texts, strict=True)]


def _call(embedder: TextEmbedder, texts: list[str], role: Role, watch: Watch) -> Any:
    act = embedder.embed_queries if role == "query" else embedder.embed_sources
    tries, pause = embedder.retries, _PAUSE
    while True:
        watch.check()
        try:
            return act(list(texts))
        except Exception as error:
            if tries <= 0 or not is_passing(error):
                raise
        tries -= 1
        until = time.monotonic() + pause
        while time.monotonic() < until:
            watch.check()
            time.sleep(0.1)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _list_vectors(raw: Any) -> list[object]:
    if isinstance(raw, str | bytes | dict):
        raise TypeError(f"it gave {type(raw).__name__}, not a list of vectors")
    if hasattr(raw, "to_pylist"):
        raw = raw.to_pylist()
    return list(raw)


def _check(raw: Any, text: str, type_: Any, embedding: Embedding, span: Span | None) -> Vector | None:
    if raw is None:
        return None
    what = f"{_name(embedding)} gave"
    try:
        vector = np.asarray(raw.to_pylist() if hasattr(raw, "to_pylist") else raw)
        if vector.dtype == object:
            vector = vector.astype(np.float64)
    except (TypeError, ValueError):
        vector = np.empty(0, np.str_)
    if vector.dtype.kind not in "fiu":
        raise EmbeddingError(f"{what} what is no list of numbers for {_show(text)}: {type(raw).__name__}", span=span)
    single = type_ is None or pa.types.is_fixed_size_list(type_)
    if vector.ndim != 1 and (single or vector.ndim != 2):
        raise EmbeddingError(
            f"{what} {vector.ndim} dimensions of nesting for {_show(text)}, one vector is wanted",
            hint="it is given a list of texts, and gives a list of vectors",
            span=span,
        )
    if type_ is not None:
        wanted = type_.list_size if single else type_.value_type.list_size
        if vector.shape[-1] != wanted:
            column = f"column '{embedding.info.table}.{embedding.info.column}'"
            raise EmbeddingError(
                f"{what} a vector of {vector.shape[-1]} dimensions, {column} has {wanted}",
                hint="the column's vectors come from another model",
                span=span,
            )
    if not np.isfinite(vector).all():
        raise EmbeddingError(f"{what} NaN or an infinity for {_show(text)}", span=span)
    return vector


def _name(embedding: Embedding) -> str:
    return f"the embedding function '{embedding.info.function}'"


def _show(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}…")
