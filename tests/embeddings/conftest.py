from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import lancesql
from tests.embeddings.bag import DIMENSION, TEXTS, embed_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of documents whose vectors were computed beforehand; not to be written to."""
    folder = tmp_path_factory.mktemp("embeddings")
    vectors = np.array([embed_text(text) for text in TEXTS], np.float32)
    documents = pa.table(  # noqa: F841 - DuckDB reads it by name
        {
            "id": pa.array(range(len(TEXTS)), pa.int64()),
            "text": TEXTS,
            "kind": [["a", "b", "c"][at % 3] for at in range(len(TEXTS))],
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION),
        }
    )
    with lancesql.connect(folder) as db:
        db.execute("CREATE TABLE docs AS SELECT * FROM documents")
        db.execute("CREATE INDEX ON docs USING FTS (text)")
        db.execute("CREATE TABLE plain AS SELECT id, text, kind FROM documents")
    return folder


@pytest.fixture
def db(folder: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(folder) as db:
        yield db
