"""Lance tables as a vector store of LangChain.

`LanceVectorStore(embedding, db, "documents")` is a `VectorStore`: chains, retrievers and indexes take it as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from lancesql.documents import Document as Row
from lancesql.documents import DocumentTable
from lancesql.documents.table import open_connection
from lancesql.errors import ArgumentError, ExecutionError, UnsupportedError

if TYPE_CHECKING:
    from typing import Self

    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.structured_query import (
        Comparator,
        Comparison,
        Operation,
        Operator,
        StructuredQuery,
        Visitor,
    )
    from langchain_core.vectorstores import VectorStore
else:
    try:
        from langchain_core.documents import Document
        from langchain_core.structured_query import Comparator, Operator, Visitor
        from langchain_core.vectorstores import VectorStore
    except ImportError:
        Comparator, Operator, Visitor, VectorStore = (), (), object, object

__all__ = ["LanceTranslator", "LanceVectorStore"]


class LanceVectorStore(VectorStore):
    """A Lance table as a vector store.

    A table that does not exist is made by the first documents, with the columns `id`, `text`, `metadata` (JSON) and
    `vector`, and those of `metadata_columns`. One that exists is used as it is: name its columns. Its other columns are
    metadata, each under its own key.

    Filters are dicts (`{"year": {"$gte": 1980}}`) or predicates of SQL (`"year >= 1980"`), and always applied before
    the top-k.

    Args:
        embedding: Makes vectors of texts.
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
        ExecutionError: LangChain is not installed.
    """

    def __init__(
        self,
        embedding: Embeddings,
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
        if VectorStore is object:
            raise ExecutionError(
                "LanceVectorStore needs langchain-core, which is not installed",
                hint="pip install 'lancesql[langchain]'",
            )
        self._embedding = embedding
        self._documents = DocumentTable(
            open_connection(db),
            table,
            id=id_column,
            text=text_column,
            vector=vector_column,
            metadata=metadata_column,
            columns=metadata_columns,
            metric=metric,
        )

    @property
    def embeddings(self) -> Embeddings:
        """What makes vectors of texts."""
        return self._embedding

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Embeds and writes texts, in one commit, in place of documents with the same ids.

        Args:
            texts: The texts.
            metadatas: Their metadata.
            ids: Their ids; made where there is none.
            kwargs: None is known.

        Returns:
            The ids.
        """
        _refuse_arguments("add_texts", kwargs)
        listed = list(texts)
        vectors = self._embedding.embed_documents(listed) if listed else []
        return self._documents.write(listed, vectors, metadatas, ids)

    def delete(self, ids: list[str] | None = None, *, filter: Any = None, **kwargs: Any) -> bool:
        """Deletes the documents with these ids that the filter keeps; all of them when neither is given."""
        _refuse_arguments("delete", kwargs)
        self._documents.delete(ids, filter)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with these ids, in their order; those that are not there are left out."""
        return [_make_document(one) for one in self._documents.read(list(ids))]

    def similarity_search(
        self, query: str, k: int = 4, filter: Any = None, *, mode: str = "vector", **kwargs: Any
    ) -> list[Document]:
        """The k documents nearest to a text.

        Args:
            query: The text.
            k: How many.
            filter: A dict, or a predicate of SQL.
            mode: `vector`, `text` for full-text search, or `hybrid` for both.
            kwargs: Further arguments of the search function, such as `recall`, `exact`, `alpha` or `fusion`.
        """
        found = self.similarity_search_with_score(query, k, filter, mode=mode, **kwargs)
        return [document for document, _ in found]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Any = None, *, mode: str = "vector", **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """As `similarity_search`, with the distance of each; with the score, by `text` and `hybrid`."""
        vector = None if mode == "text" else self._embedding.embed_query(query)
        return _pair(self._documents.search(mode, vector=vector, text=query, k=k, filter=filter, **kwargs))

    async def asimilarity_search(
        self, query: str, k: int = 4, filter: Any = None, *, mode: str = "vector", **kwargs: Any
    ) -> list[Document]:
        """As `similarity_search`, awaited; whoever cancels the task stops the search."""
        found = await self.asimilarity_search_with_score(query, k, filter, mode=mode, **kwargs)
        return [document for document, _ in found]

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, filter: Any = None, *, mode: str = "vector", **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """As `similarity_search_with_score`, awaited."""
        vector = None if mode == "text" else await self._embedding.aembed_query(query)
        given = {"vector": vector, "text": query, "k": k, "filter": filter, **kwargs}
        return _pair(await self._documents.search_async(mode, **given))

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Any = None, **kwargs: Any
    ) -> list[Document]:
        """The k documents nearest to a vector."""
        return [one for one, _ in self.similarity_search_with_score_by_vector(embedding, k, filter, **kwargs)]

    def similarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, filter: Any = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The k documents nearest to a vector, with their distances."""
        return _pair(self._documents.search("vector", vector=embedding, k=k, filter=filter, **kwargs))

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Any = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Documents near to a text and unlike each other, of the `fetch_k` nearest."""
        vector = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, filter, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Any = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Documents near to a vector and unlike each other, of the `fetch_k` nearest."""
        given = {"mmr": float(lambda_mult), "candidates": max(fetch_k, k), **kwargs}
        return [
            _make_document(one) for one in self._documents.search("mmr", vector=embedding, k=k, filter=filter, **given)
        ]

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """A store with these texts; further arguments, `db` first, are those of the class."""
        if "db" not in kwargs:
            raise ArgumentError("from_texts() needs db=…", hint="a connection of lancesql, or the path of a database")
        store = cls(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        _refuse_mode(kwargs)
        found: list[tuple[Document, float]] = super()._similarity_search_with_relevance_scores(query, k, **kwargs)
        return found

    async def _asimilarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        _refuse_mode(kwargs)
        found: list[tuple[Document, float]]
        found = await super()._asimilarity_search_with_relevance_scores(query, k, **kwargs)
        return found

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        metric = self._documents.metric
        if metric == "cosine":
            return lambda distance: 1 - distance / 2
        if metric == "dot":
            return lambda distance: (2 - distance) / 2
        return lambda distance: 1 / (1 + max(distance, 0))


class LanceTranslator(Visitor):
    """Makes filters of the structured queries that a `SelfQueryRetriever` has a model write.

    `SelfQueryRetriever.from_llm(…, vectorstore=store, structured_query_translator=LanceTranslator())`
    """

    allowed_comparators = tuple(Comparator)
    allowed_operators = tuple(Operator)

    def visit_operation(self, operation: Operation) -> dict[str, Any]:
        """All, any or none of several conditions."""
        return {f"${operation.operator.value}": [one.accept(self) for one in operation.arguments]}

    def visit_comparison(self, comparison: Comparison) -> dict[str, Any]:
        """A condition on one key."""
        word = {"contain": "contains"}.get(comparison.comparator.value, comparison.comparator.value)
        return {comparison.attribute: {f"${word}": _read_value(comparison.value)}}

    def visit_structured_query(self, structured_query: StructuredQuery) -> tuple[str, dict[str, Any]]:
        """The text that is searched for, and the arguments of the search."""
        given: dict[str, Any] = {}
        if structured_query.filter is not None:
            given["filter"] = structured_query.filter.accept(self)
        if structured_query.limit is not None:
            given["k"] = structured_query.limit
        return structured_query.query, given


def _read_value(value: Any) -> Any:
    """A value; LangChain writes dates and moments as dicts."""
    if isinstance(value, Mapping) and value.get("type") == "date":
        return date.fromisoformat(value["date"])
    if isinstance(value, Mapping) and value.get("type") == "datetime":
        return datetime.fromisoformat(value["datetime"])
    return value


def _pair(rows: Sequence[Row]) -> list[tuple[Document, float]]:
    return [(_make_document(one), one.score if one.score is not None else 0.0) for one in rows]


def _make_document(row: Row) -> Document:
    return Document(id=row.id, page_content=row.text, metadata=row.metadata)


def _refuse_mode(given: Mapping[str, Any]) -> None:
    mode = given.get("mode", "vector")
    if mode != "vector":
        raise UnsupportedError(f"the scores of '{mode}' are not between 0 and 1", hint="similarity_search_with_score()")


def _refuse_arguments(method: str, given: Mapping[str, Any]) -> None:
    if given:
        raise ArgumentError(f"{method}() has no argument '{next(iter(given))}'")
