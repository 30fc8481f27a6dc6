"""The vector store of LlamaIndex, beside its own store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

pytest.importorskip("llama_index.core")
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores import MetadataFilter, MetadataFilters, VectorStoreQuery
from llama_index.core.vector_stores.simple import SimpleVectorStore
from llama_index.core.vector_stores.types import VectorStoreQueryMode

from lancesql.llama_index import LanceVectorStore
from tests.differential.conftest import DIFFERENTIAL, scaled


def make_node(at: int, text: str, metadata: dict[str, Any]) -> TextNode:
    source = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"document {at % 2}")}
    vector = [1.0, float(at), float(at * at % 7)]
    return TextNode(id_=str(at), text=text, metadata=metadata, relationships=source, embedding=vector)


NODES = [
    make_node(0, "a banana", {"kind": "fruit", "price": 1, "tags": ["yellow", "soft"]}),
    make_node(1, "green peas", {"kind": "vegetable", "price": 3, "tags": ["green"]}),
    make_node(2, "a papaya", {"kind": "fruit", "price": 4, "tags": []}),
    make_node(3, "radish and onion", {"kind": "vegetable", "price": 2}),
    make_node(4, "Bananas it's", {"kind": "Fruit's", "price": 5, "tags": ["yellow"]}),
]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LanceVectorStore, SimpleVectorStore]]:
    simple = SimpleVectorStore()
    simple.add(NODES)
    with lancesql.connect(tmp_path_factory.mktemp("nodes")) as db:
        store = LanceVectorStore(db, metadata_columns={"kind": "VARCHAR"})
        store.add(NODES)
        yield store, simple


FILTERS = st.one_of(
    st.builds(
        lambda operator, value: MetadataFilter(key="price", operator=operator, value=value),
        st.sampled_from(["==", "!=", ">", ">=", "<", "<="]),
        st.sampled_from([1, 2, 3, 3.5, 5]),
    ),
    st.builds(
        lambda operator, value: MetadataFilter(key="kind", operator=operator, value=value),
        st.sampled_from(["==", "!=", "text_match", "text_match_insensitive"]),
        st.sampled_from(["fruit", "f", "FRUIT", "it's", "Fruit's"]),
    ),
    st.builds(
        lambda operator, value: MetadataFilter(key="kind", operator=operator, value=value),
        st.sampled_from(["in", "nin"]),
        st.lists(st.sampled_from(["fruit", "vegetable", "x"])),
    ),
    st.builds(
        lambda operator, value: MetadataFilter(key="tags", operator=operator, value=value),
        st.sampled_from(["any", "all"]),
        st.lists(st.sampled_from(["yellow", "soft", "green", "x"]), min_size=1),
    ),
    st.just(MetadataFilter(key="tags", operator="contains", value="yellow")),
    st.builds(
        lambda key: MetadataFilter(key=key, operator="is_empty", value=None),
        st.sampled_from(["tags", "missing", "kind"]),
    ),
)


@settings(DIFFERENTIAL, max_examples=scaled(60))
@given(
    filters=st.lists(FILTERS, min_size=1, max_size=3),
    condition=st.sampled_from(["and", "or", "not"]),
    k=st.integers(1, 5),
    chosen=st.none() | st.lists(st.sampled_from("012345"), min_size=1, unique=True),
)
def test_the_same_nodes_as_in_memory(
    stores: tuple[LanceVectorStore, SimpleVectorStore],
    filters: list[MetadataFilter],
    condition: Any,
    k: int,
    chosen: list[str] | None,
) -> None:
    store, simple = stores
    query = VectorStoreQuery(
        query_embedding=[1.0, 2.0, 1.0],
        similarity_top_k=k,
        filters=MetadataFilters(filters=filters, condition=condition),
        node_ids=chosen,
    )
    found, expected = store.query(query), simple.query(query)
    assert found.ids == expected.ids
    assert found.similarities == pytest.approx(expected.similarities, abs=1e-6)


def test_nodes_come_back(stores: tuple[LanceVectorStore, SimpleVectorStore]) -> None:
    found = stores[0].get_nodes(["3", "0", "9"])
    assert [node.node_id for node in found] == ["3", "0"]
    for node, expected in zip(found, (NODES[3], NODES[0]), strict=True):
        assert node.get_content() == expected.get_content()
        assert node.metadata == expected.metadata
        assert node.ref_doc_id == expected.ref_doc_id


def test_modes(stores: tuple[LanceVectorStore, SimpleVectorStore]) -> None:
    def ask(mode: VectorStoreQueryMode, **options: Any) -> list[str] | None:
        return stores[0].query(VectorStoreQuery(query_embedding=[1.0, 0.0, 0.0], mode=mode, **options)).ids

    assert ask(VectorStoreQueryMode.TEXT_SEARCH, query_str="papaya", similarity_top_k=3) == ["2"]
    assert ask(VectorStoreQueryMode.HYBRID, query_str="onion", similarity_top_k=1, alpha=0.0) == ["3"]
    assert ask(VectorStoreQueryMode.HYBRID, query_str="onion", similarity_top_k=1, alpha=1.0) == ["0"]
    assert len(ask(VectorStoreQueryMode.MMR, similarity_top_k=3, mmr_threshold=0.2) or []) == 3
    assert ask(VectorStoreQueryMode.DEFAULT, similarity_top_k=5, doc_ids=["document 1"]) == ["1", "3"]
    with pytest.raises(lancesql.UnsupportedError, match="mode 'svm' is not known"):
        ask(VectorStoreQueryMode.SVM)
    with pytest.raises(lancesql.ArgumentError, match="needs query_str"):
        ask(VectorStoreQueryMode.HYBRID)
    with pytest.raises(lancesql.UnsupportedError, match="output_fields"):
        ask(VectorStoreQueryMode.DEFAULT, output_fields=["kind"])


def test_nested_filters(stores: tuple[LanceVectorStore, SimpleVectorStore]) -> None:
    inner = MetadataFilters(
        filters=[MetadataFilter(key="price", value=1), MetadataFilter(key="price", value=2)], condition="or"
    )
    outer = MetadataFilters(filters=[inner, MetadataFilter(key="kind", value="fruit")])
    query = VectorStoreQuery(query_embedding=[1.0, 0.0, 0.0], similarity_top_k=5, filters=outer)
    assert stores[0].query(query).ids == ["0"]
    assert asyncio.run(stores[0].aquery(query)).ids == ["0"]


def test_an_index_over_it(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        store = LanceVectorStore(db)
        context = StorageContext.from_defaults(vector_store=store)
        nodes = [TextNode(text=node.text, id_=node.node_id, metadata=node.metadata) for node in NODES]
        index = VectorStoreIndex(nodes, storage_context=context, embed_model=MockEmbedding(embed_dim=4))
        filters = MetadataFilters(filters=[MetadataFilter(key="kind", value="vegetable")])
        found = index.as_retriever(similarity_top_k=5, filters=filters).retrieve("anything")
        assert {one.node.node_id for one in found} == {"1", "3"}
        again = VectorStoreIndex.from_vector_store(store, embed_model=MockEmbedding(embed_dim=4))
        assert len(again.as_retriever(similarity_top_k=9).retrieve("anything")) == 5


def test_deleting(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        store = LanceVectorStore(db)
        assert store.query(VectorStoreQuery(query_embedding=[1.0, 0.0, 0.0])).ids == []
        assert store.add(NODES) == [node.node_id for node in NODES]
        store.delete("document 0")
        assert [node.node_id for node in store.get_nodes()] == ["1", "3"]
        store.delete_nodes(filters=MetadataFilters(filters=[MetadataFilter(key="price", value=2)]))
        assert [node.node_id for node in store.get_nodes()] == ["1"]
        store.clear()
        assert store.get_nodes() == []
        assert store.client is db


def test_a_table_that_was_there(library: Path) -> None:
    store = LanceVectorStore(library, "movies", text_column="plot", metric="l2")
    filters = MetadataFilters(filters=[MetadataFilter(key="year", operator=">", value=1980)])
    found = store.query(VectorStoreQuery(query_embedding=[1, 0, 0, 0], similarity_top_k=1, filters=filters))
    assert found.ids == ["2"]
    assert found.nodes is not None
    assert found.nodes[0].metadata["title"] == "Aliens"
    assert found.similarities == [pytest.approx(0.5)]
