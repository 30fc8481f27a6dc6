"""LangChain's own tests of vector stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql

pytest.importorskip("langchain_tests")
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests.vectorstores import VectorStoreIntegrationTests

from lancesql.langchain import LanceVectorStore


class TestLanceVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Iterator[VectorStore]:
        with lancesql.connect(tmp_path) as db:
            yield LanceVectorStore(self.get_embeddings(), db)


class TestLanceVectorStoreWithColumns(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Iterator[VectorStore]:
        with lancesql.connect(tmp_path) as db:
            yield LanceVectorStore(
                self.get_embeddings(), db, metric="l2", metadata_columns={"some_other_field": "VARCHAR"}
            )
