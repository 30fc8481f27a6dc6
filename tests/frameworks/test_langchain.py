"""The vector store of LangChain beyond its standard tests: filters, ways to search, scores, tables that were there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql

pytest.importorskip("langchain_core")
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from lancesql.langchain import LanceTranslator, LanceVectorStore


class Letters(Embeddings):
    """As many of each of four letters as there are in a text."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [float(text.count(letter)) for letter in "aeio"]


DOCUMENTS = [
    Document("a banana", metadata={"kind": "fruit", "price": 1}, id="1"),
    Document("green peas", metadata={"kind": "vegetable", "price": 2.5}, id="2"),
    Document("a papaya", metadata={"kind": "fruit", "price": 4}, id="3"),
    Document("radish and onion", metadata={"kind": "vegetable"}, id="4"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LanceVectorStore]:
    with lancesql.connect(tmp_path) as db:
        yield LanceVectorStore.from_documents(DOCUMENTS, Letters(), db=db, metadata_columns={"kind": "VARCHAR"})


def ids(found: list[Document]) -> list[str | None]:
    return [one.id for one in found]


def test_filters(store: LanceVectorStore) -> None:
    assert ids(store.similarity_search("aaa", k=2)) == ["1", "3"]
    assert ids(store.similarity_search("aaa", k=1, filter={"kind": "vegetable"})) == ["4"]
    assert ids(store.similarity_search("aaa", k=4, filter={"price": {"$gte": 2, "$lt": 5}})) == ["3", "2"]
    assert ids(store.similarity_search("aaa", k=4, filter="kind = 'fruit' AND length(text) > 8")) == []
    assert ids(store.similarity_search_by_vector([0, 1, 0, 0], k=1, filter={"price": {"$exists": True}})) == ["2"]


def test_retrievers(store: LanceVectorStore) -> None:
    retriever = store.as_retriever(search_kwargs={"k": 1, "filter": {"kind": "vegetable"}})
    assert ids(retriever.invoke("aaa")) == ["4"]
    assert ids(asyncio.run(retriever.ainvoke("eee"))) == ["2"]
    unlike = store.as_retriever(search_type="mmr", search_kwargs={"k": 2, "lambda_mult": 0.1})
    assert ids(unlike.invoke("aaa")) != ids(store.similarity_search("aaa", k=2))
    near = store.as_retriever(search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.99})
    assert ids(near.invoke("aaa")) == ["1", "3"]
    text = store.as_retriever(search_kwargs={"mode": "text", "k": 5})
    assert ids(text.invoke("papaya")) == ["3"]


def test_scores(store: LanceVectorStore) -> None:
    distances = [score for _, score in store.similarity_search_with_score("aaa", k=4)]
    assert distances == sorted(distances)
    assert distances[0] == pytest.approx(0, abs=1e-6)
    relevances = [score for _, score in store.similarity_search_with_relevance_scores("aaa", k=4)]
    assert relevances == pytest.approx([1 - distance / 2 for distance in distances])
    best, score = store.similarity_search_with_score("onion", k=1, mode="hybrid")[0]
    assert best.id == "4"
    assert score > 0
    with pytest.raises(lancesql.UnsupportedError, match="not between 0 and 1"):
        store.similarity_search_with_relevance_scores("onion", mode="text")


def test_what_is_not_known_is_an_error(store: LanceVectorStore) -> None:
    with pytest.raises(lancesql.ArgumentError, match="add_texts\\(\\) has no argument 'batch'"):
        store.add_texts(["a"], batch=3)
    with pytest.raises(lancesql.ArgumentError, match="nprobess"):
        store.similarity_search("a", nprobess=3)
    with pytest.raises(lancesql.ArgumentError, match=r"from_texts\(\) needs db="):
        LanceVectorStore.from_texts(["a"], Letters())


def test_deleting(store: LanceVectorStore) -> None:
    assert store.delete(filter={"kind": "fruit"})
    assert ids(store.similarity_search("aaa", k=9)) == ["4", "2"]
    assert store.delete()
    assert store.similarity_search("aaa") == []


def test_a_table_that_was_there(library: Path) -> None:
    store = LanceVectorStore(Letters(), library, "movies", text_column="plot", metric="l2")
    (found,) = store.similarity_search_by_vector([1, 0, 0, 0], k=1, filter={"year": {"$gt": 1980}})
    assert (found.id, found.metadata["title"]) == ("2", "Aliens")


def test_structured_queries(store: LanceVectorStore) -> None:
    from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery

    cheap = Comparison(comparator=Comparator.LT, attribute="price", value=3)
    fruit = Comparison(comparator=Comparator.EQ, attribute="kind", value="fruit")
    rare = Comparison(comparator=Comparator.CONTAIN, attribute="tags", value="rare")
    wanted = Operation(
        operator=Operator.AND, arguments=[cheap, Operation(operator=Operator.NOT, arguments=[fruit, rare])]
    )
    text, given = LanceTranslator().visit_structured_query(StructuredQuery(query="aaa", filter=wanted, limit=3))
    assert ids(store.similarity_search(text, **given)) == ["2"]


def test_dates_of_structured_queries(library: Path) -> None:
    from langchain_core.structured_query import Comparator, Comparison, StructuredQuery

    late = Comparison(comparator=Comparator.GT, attribute="released", value={"date": "1990-01-01", "type": "date"})
    text, given = LanceTranslator().visit_structured_query(StructuredQuery(query="a", filter=late, limit=None))
    store = LanceVectorStore(Letters(), library, "movies", text_column="plot")
    assert sorted(ids(store.similarity_search(text, **given))) == ["7", "8", "9"]
