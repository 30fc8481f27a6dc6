"""Embedding functions of LanceDB: those that a table's metadata names, and those a user hands over."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lancesql.catalog import TableInfo
from lancesql.errors import EmbeddingError

__all__ = ["TableEmbedding", "TextEmbedder", "load_embedding", "read_embeddings", "wrap_lancedb_function"]

Embed = Callable[[list[str]], Sequence[object]]

_KEY = b"embedding_functions"
_LOADING = threading.Lock()


@dataclass(frozen=True)
class TextEmbedder:
    """A function that is ready to be called with a list of texts.

    Attributes:
        name: What messages call it.
        embed_queries: Embeds texts that are looked for.
        embed_sources: Embeds texts that are stored.
        retries: How often a call that a service refused for the moment is tried again.
    """

    name: str
    embed_queries: Embed
    embed_sources: Embed
    retries: int = 0


@dataclass(frozen=True)
class TableEmbedding:
    """What a table's metadata says of a vector column.

    Attributes:
        name: The name of the function in LanceDB's registry.
        model: Its arguments, as JSON.
        column: The vector column.
        source: The column of the texts.
    """

    name: str
    model: str
    column: str
    source: str


def read_embeddings(table: TableInfo) -> dict[str, TableEmbedding]:
    """The functions of a table's metadata, by vector column; none of them is loaded.

    Raises:
        EmbeddingError: When the metadata cannot be read.
    """
    held = (table.schema.metadata or {}).get(_KEY)
    if held is None:
        return {}
    try:
        listed = json.loads(held)
        found = [
            TableEmbedding(
                str(one["name"]),
                json.dumps(one["model"], sort_keys=True),
                str(one["vector_column"]),
                str(one["source_column"]),
            )
            for one in (listed if isinstance(listed, list) else [listed])
        ]
    except (ValueError, KeyError, TypeError):
        raise EmbeddingError(
            f"the embedding functions in the metadata of table '{table.name}' cannot be read",
            hint=f"db.register_embedding('{table.name}', column, function) overrules them for this session",
        ) from None
    return {one.column: one for one in found}


def load_embedding(embedding: TableEmbedding) -> TextEmbedder:
    """The function of a table's metadata, from LanceDB's registry; loaded once.

    Raises:
        Exception: Whatever the function raises while it is made.
        LookupError: When nothing is registered under its name.
    """
    from lancedb.embeddings import get_registry

    try:
        made = get_registry().get(embedding.name)
    except KeyError:
        raise LookupError(embedding.name) from None
    with _LOADING:  # a model can be large, and is not to be loaded twice
        return _make_embedder(made, embedding.name, embedding.model)


@lru_cache(maxsize=16)
def _make_embedder(made: Any, name: str, model: str) -> TextEmbedder:
    embedder = wrap_lancedb_function(made.create(**json.loads(model)), name)
    assert embedder is not None
    return embedder


def wrap_lancedb_function(function: Any, name: str = "") -> TextEmbedder | None:
    """An instance of LanceDB's EmbeddingFunction as one that takes lists; None when it is something else."""
    from lancedb.embeddings.base import EmbeddingFunction, TextEmbeddingFunction

    if not isinstance(function, EmbeddingFunction):
        return None
    alias = getattr(function, "__embedding_function_registry_alias__", None)

    def embed_queries(texts: list[str]) -> Sequence[object]:
        # A query method of a function's own is made for one query; of what it gives, the first is the vector.
        return [_take_first(function.compute_query_embeddings(text)) for text in texts]

    def embed_sources(texts: list[str]) -> Sequence[object]:
        found: Sequence[object] = function.compute_source_embeddings(texts)
        return found

    plain = getattr(type(function), "compute_query_embeddings", None) is TextEmbeddingFunction.compute_query_embeddings
    return TextEmbedder(
        name=name or str(alias or type(function).__name__),
        embed_queries=embed_sources if plain else embed_queries,
        embed_sources=embed_sources,
        retries=int(getattr(function, "max_retries", 0) or 0),
    )


def _take_first(vectors: Any) -> object:
    return vectors[0] if len(vectors) else None
