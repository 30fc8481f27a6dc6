"""Lance tables as a vector store of LlamaIndex.

`VectorStoreIndex.from_vector_store(LanceVectorStore("films", "documents"))` and storage contexts take it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lancesql.connection import Connection
from lancesql.documents import Condition, DocumentTable, Filter, Group
from lancesql.documents import Document as Row
from lancesql.documents.table import open_connection
from lancesql.errors import ArgumentError, ExecutionError, UnsupportedError

if TYPE_CHECKING:
    from llama_index.core.schema import BaseNode, TextNode
    from llama_index.core.vector_stores.types import (
        BasePydanticVectorStore,
        MetadataFilters,
        VectorStoreQuery,
        VectorStoreQueryResult,
    )
    from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
    from pydantic import PrivateAttr
else:
    try:
        from llama_index.core.schema import TextNode
        from llama_index.core.vector_stores.types import BasePydanticVectorStore, VectorStoreQueryResult
        from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
        from pydantic import PrivateAttr
    except ImportError:
        BasePydanticVectorStore, PrivateAttr = object, object

__all__ = ["LanceVectorStore"]

_OPERATORS = {
    "==": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "in": "in", "nin": "nin", "any": "any",
    "all": "all", "contains": "contains", "is_empty": "empty", "text_match": "part", "text_match_insensitive": "ipart",
}  # fmt: skip
_MODES = {
    "default": "vector", "sparse": "text", "text_search": "text", "hybrid": "hybrid", "semantic_hybrid": "hybrid",
    "mmr": "mmr",
}  # fmt: skip
_DOCUMENT, _NODE = "doc_id", "node"
_REPEATED = ("_node_content", "_node_type", "document_id", "doc_id", "ref_doc_id")
"""What LlamaIndex puts among the metadata of a node, and has a column here."""


class LanceVectorStore(BasePydanticVectorStore):
    """A Lance table as a vector store.

    A table that does not exist is made by the first nodes, with the columns `id`, `text`, `doc_id`, `node` (what else
    LlamaIndex knows of the node), `metadata` (JSON) and `vector`, and those of `metadata_columns`. One that exists is
    used as it is: name its columns. Its other columns are metadata, each under its own key.

    Metadata filters are predicates of SQL, always applied before the top-k.

    Args:
        db: A connection of lancesql, or what `lancesql.connect` takes.
        table: The name of the table.
        id_column: The column of the ids.
        text_column: The column of the texts.
        vector_column: The column of the vectors.
        metadata_column: The column of JSON.
        metadata_columns: Keys of the metadata that get columns of their own when the table is made, with their types in
            SQL. Filters on them are fast, and may be indexed.
        metric: How vectors are compared: as the index of the column does unless given, else by cosine.

    Raises:
        ExecutionError: LlamaIndex is not installed.
    """

    stores_text: bool = True
    flat_metadata: bool = False
    _documents: Any = PrivateAttr()

    def __init__(
        self,
        db: Any,
        table: str = "documents",
        *,
        id_column: str = "id",
        text_column: str = "text",
        vector_column: str = "vector",
        metadata_column: str = "metadata",
        metadata_columns: Mapping[str, str] | None = None,
        metric: str | None = None,
    ) -> None:
        if BasePydanticVectorStore is object:
            raise ExecutionError(
                "LanceVectorStore needs llama-index-core, which is not installed",
                hint="pip install 'lancesql[llama-index]'",
            )
        super().__init__(stores_text=True)
        self._documents = DocumentTable(
            open_connection(db),
            table,
            id=id_column,
            text=text_column,
            vector=vector_column,
            metadata=metadata_column,
            columns={_DOCUMENT: "VARCHAR", _NODE: "VARCHAR", **(metadata_columns or {})},
            metric=metric,
        )

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex knows the class."""
        return "LanceSQLVectorStore"

    @property
    def client(self) -> Connection:
        """The connection of lancesql."""
        connection: Connection = self._documents.connection
        return connection

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Writes nodes with their embeddings, in one commit, in place of nodes with the same ids."""
        _refuse_arguments("add", kwargs)
        texts, vectors, metadatas = [], [], []
        for node in nodes:
            given = node_to_metadata_dict(node, remove_text=True, flat_metadata=False)
            metadata = {key: value for key, value in given.items() if key not in _REPEATED}
            metadata[_DOCUMENT] = node.ref_doc_id
            metadata[_NODE] = json.dumps({key: given[key] for key in ("_node_content", "_node_type")})
            texts.append(node.get_content(metadata_mode="none"))
            vectors.append(node.get_embedding())
            metadatas.append(metadata)
        written: list[str] = self._documents.write(texts, vectors, metadatas, [node.node_id for node in nodes])
        return written

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Deletes the nodes of a document."""
        _refuse_arguments("delete", delete_kwargs)
        self._documents.delete(filter=Condition(_DOCUMENT, "eq", ref_doc_id))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Deletes the nodes with these ids that the filters keep; all of them when neither is given."""
        _refuse_arguments("delete_nodes", delete_kwargs)
        self._documents.delete(node_ids, _read_filters(filters))

    def clear(self) -> None:
        """Deletes every node."""
        self._documents.delete()

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """The nodes with these ids, in their order, that the filters keep."""
        return [_make_node(row) for row in self._documents.read(node_ids, _read_filters(filters))]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The best nodes by a vector, by text, by both (`hybrid`), or near and unlike each other (`mmr`).

        Args:
            query: What is asked for.
            kwargs: Further arguments of the search function, such as `recall`, `exact` or `fusion`; `mmr_threshold`.

        Raises:
            UnsupportedError: For a mode that trains a model, and for `output_fields`.
        """
        mode, given = self._read_query(query, kwargs)
        return self._answer(self._documents.search(mode, **given), mode)

    async def aquery(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """As `query`, awaited; whoever cancels the task stops the search."""
        mode, given = self._read_query(query, kwargs)
        return self._answer(await self._documents.search_async(mode, **given), mode)

    def _read_query(self, query: VectorStoreQuery, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The way to search, and what is searched for."""
        given = dict(options)
        mode = _MODES.get(query.mode.value)
        if mode is None:
            raise UnsupportedError(f"mode '{query.mode.value}' is not known here", hint=f"modes: {', '.join(_MODES)}")
        if query.output_fields:
            raise UnsupportedError("output_fields is not known here", hint="a node comes with all of its metadata")
        if query.embedding_field not in (None, self._documents.vector):
            raise UnsupportedError("a store searches one vector column", hint="make another store with vector_column=…")
        if mode in ("text", "hybrid") and query.query_str is None:
            raise ArgumentError(f"mode '{query.mode.value}' needs query_str")
        if mode != "text" and query.query_embedding is None:
            raise ArgumentError(f"mode '{query.mode.value}' needs query_embedding")
        k = query.similarity_top_k
        if mode == "hybrid":
            k = query.hybrid_top_k or k
            given.setdefault("alpha", query.alpha)
            given.setdefault("candidates", max(k, query.similarity_top_k, query.sparse_top_k or 0, 50))
        if mode == "text":
            k = query.sparse_top_k or k
        if mode == "mmr":
            threshold = given.pop("mmr_threshold", query.mmr_threshold)
            given.setdefault("mmr", 0.5 if threshold is None else float(threshold))
        given |= {"vector": query.query_embedding, "text": query.query_str, "k": k, "filter": _join_filters(query)}
        given["ids"] = query.node_ids or None  # LlamaIndex gives an empty list where it means all
        return mode, given

    def _answer(self, rows: Sequence[Row], mode: str) -> VectorStoreQueryResult:
        return VectorStoreQueryResult(
            nodes=[_make_node(row) for row in rows],
            similarities=[self._measure(row, mode) for row in rows],
            ids=[row.id for row in rows],
        )

    def _measure(self, row: Row, mode: str) -> float:
        """The greater the more alike: what cosine and dot mean, what is left of 1 by any other distance."""
        assert row.score is not None
        if mode in ("text", "hybrid"):
            return row.score
        return 1 - row.score if self._documents.metric in ("cosine", "dot") else 1 / (1 + max(row.score, 0))


def _make_node(row: Row) -> BaseNode:
    metadata = dict(row.metadata)
    content, document = metadata.pop(_NODE, None), metadata.pop(_DOCUMENT, None)
    if content is None:
        node = TextNode(id_=row.id, text=row.text, metadata=metadata)
        return node if document is None else TextNode(id_=row.id, text=row.text, metadata=metadata, ref_doc_id=document)
    return metadata_dict_to_node(json.loads(content), text=row.text)


def _join_filters(query: VectorStoreQuery) -> Filter | None:
    parts = [one for one in (_read_filters(query.filters),) if one is not None]
    if query.doc_ids:
        parts.append(Condition(_DOCUMENT, "in", list(query.doc_ids)))
    return Group("and", tuple(parts)) if parts else None


def _read_filters(filters: MetadataFilters | None) -> Filter | None:
    if filters is None or not filters.filters:
        return None
    word = "and" if filters.condition is None else filters.condition.value
    parts: list[Filter] = []
    for one in filters.filters:
        if hasattr(one, "filters"):
            inner = _read_filters(one)
            parts += [] if inner is None else [inner]
        else:
            key = _DOCUMENT if one.key in ("document_id", "ref_doc_id") else one.key
            parts.append(Condition(key, _OPERATORS[one.operator.value], one.value))
    return Group("not" if word == "not" else "or" if word == "or" else "and", tuple(parts))


def _refuse_arguments(method: str, given: Mapping[str, Any]) -> None:
    if given:
        raise ArgumentError(f"{method}() has no argument '{next(iter(given))}'")
