"""Functions of LanceDB: those of a table's own metadata, written by LanceDB itself, and instances handed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import lancedb
import numpy as np
import pyarrow as pa
import pytest
from lancedb.embeddings import TextEmbeddingFunction, get_registry
from lancedb.pydantic import LanceModel, Vector

import lancesql
from tests.embeddings.bag import TEXTS, Bag, embed_text

CALLS: list[tuple[str, int]] = []


class TestBag(TextEmbeddingFunction):
    """A function without a query method of its own."""

    __test__ = False
    dims: int = 16
    fault: str = ""

    def ndims(self) -> int:
        return self.dims

    def generate_embeddings(self, texts: Any, *args: Any, **kwargs: Any) -> list[Any]:
        CALLS.append(("source", len(texts)))
        if self.fault == "key":
            raise ValueError("the api_key option must be set, or the BAG_API_KEY environment variable")
        if self.fault == "package":
            raise ImportError("Please install bag-of-words")
        if self.fault == "module":
            raise ModuleNotFoundError("No module named 'bagwords'", name="bagwords")
        return [embed_text(text, self.dims).astype(np.float32) for text in texts]


class TestAskingBag(TestBag):
    """A function whose queries are embedded one at a time, and otherwise than what is stored."""

    __test__ = False

    def compute_query_embeddings(self, query: str, *args: Any, **kwargs: Any) -> list[Any]:
        assert isinstance(query, str)
        CALLS.append(("query", 1))
        return [-embed_text(query, self.dims)]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    registry = get_registry()
    held = dict(registry._functions)
    registry.register("test-bag")(TestBag)
    registry.register("test-asking-bag")(TestAskingBag)
    CALLS.clear()
    yield
    registry._functions.clear()
    registry._functions.update(held)


def make_table(folder: Path, name: str, function: Any) -> Any:
    class Doc(LanceModel):
        id: int
        text: str = function.SourceField()
        vector: Vector(function.ndims()) = function.VectorField()  # type: ignore[valid-type]

    table = lancedb.connect(str(folder)).create_table(name, schema=Doc)
    table.add([{"id": at, "text": text} for at, text in enumerate(TEXTS)])
    return table


def test_the_function_of_the_table(tmp_path: Path) -> None:
    table = make_table(tmp_path, "docs", get_registry().get("test-bag").create())
    wanted = [row["id"] for row in table.search("stone moon").limit(5).to_list()]
    CALLS.clear()
    with lancesql.connect(tmp_path) as db:
        search = "SELECT id FROM vector_search('docs', 'stone moon', k => 5)"
        assert [row[0] for row in db.sql(search).fetchall()] == wanted
        assert CALLS == [("source", 1)]
        rows = db.sql("SELECT query_index, id FROM vector_search('docs', ['moon', 'salt', 'moon'], k => 1)").fetchall()
        vectors = [embed_text(text) for text in ("moon", "salt", "moon")]
        batch = "SELECT query_index, id FROM vector_search('docs', $q, k => 1)"
        assert rows == db.sql(batch, {"q": vectors}).fetchall()
        assert CALLS[1:] == [("source", 2)]
        assert "embedding  test-bag, of the table's metadata" in db.explain(search)


def test_queries_that_are_embedded_otherwise(tmp_path: Path) -> None:
    table = make_table(tmp_path, "docs", get_registry().get("test-asking-bag").create())
    wanted = [row["id"] for row in table.search("stone moon").limit(5).to_list()]
    CALLS.clear()
    with lancesql.connect(tmp_path) as db:
        got = db.sql("SELECT id FROM vector_search('docs', 'stone moon', k => 5)").fetchall()
        assert [row[0] for row in got] == wanted
        rows = "(VALUES ('salt'), ('crow'), ('salt')) q(t)"
        assert len(db.sql(f"SELECT d.id FROM {rows}, LATERAL vector_search('docs', q.t, k => 1) d").fetchall()) == 3
    assert CALLS == [("query", 1)] * 3


def test_the_session_overrules_the_table(tmp_path: Path) -> None:
    make_table(tmp_path, "docs", get_registry().get("test-bag").create())
    with lancesql.connect(tmp_path) as db:
        search = "SELECT id FROM vector_search('docs', 'stone moon', k => 5)"
        near = db.sql(search).fetchall()
        db.register_embedding("docs", "vector", get_registry().get("test-asking-bag").create())
        far = db.sql(search).fetchall()
        assert far != near
        assert (
            far
            == db.sql("SELECT id FROM vector_search('docs', $q, k => 5)", {"q": -embed_text("stone moon")}).fetchall()
        )
        assert "embedding  test-asking-bag, registered" in db.explain(search)
        db.unregister_embedding("docs", "vector")
        assert db.sql(search).fetchall() == near


def write_metadata(folder: Path, metadata: bytes) -> None:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(32, np.float32)), 16)
    table = pa.table({"id": [1, 2], "text": ["a", "b"], "vector": vectors})
    schema = table.schema.with_metadata({b"embedding_functions": metadata})
    lance.write_dataset(table.cast(schema), str(folder / "docs.lance"))


def describe(name: str = "test-bag", **model: object) -> bytes:
    one = {"name": name, "model": model, "source_column": "text", "vector_column": "vector"}
    return json.dumps([one]).encode()


NAMED = "the embedding function '{}' of 'docs.vector' "


@pytest.mark.parametrize(
    ("metadata", "message", "hint"),
    [
        (describe("unheard-of"), NAMED.format("unheard-of") + "is not registered with LanceDB in this process",
         "import the module that registers it (lancedb.embeddings.register), or db.register_embedding('docs'"),
        (describe(fault="package"), NAMED.format("test-bag") + "needs a package that is not installed: bag-of-words",
         "pip install bag-of-words"),
        (describe(fault="module"), NAMED.format("test-bag") + "needs a package that is not installed: bagwords",
         "install it; No module named 'bagwords'"),
        (describe(fault="key"), NAMED.format("test-bag") + "failed: ValueError: the api_key option must be set, or",
         "set the environment variable BAG_API_KEY"),
        (describe(fault="$var:secret"), NAMED.format("test-bag") + "needs the variable 'secret', which is not set",
         "set_var('secret', …)"),
        (describe(dims="many"), NAMED.format("test-bag") + "failed: ValidationError: 1 validation error for TestBag",
         "db.register_embedding('docs', 'vector', function)"),
        (describe(dims=8), "the embedding function 'test-bag' gave a vector of 8 dimensions, column 'docs.vector'",
         "the column's vectors come from another model"),
        (b"{}", "the embedding functions in the metadata of table 'docs' cannot be read", "db.register_embedding"),
        (b"[{}]", "the embedding functions in the metadata of table 'docs' cannot be read", "db.register_embedding"),
        (b"no json", "the embedding functions in the metadata of table 'docs' cannot be read", "db.register_embedding"),
    ],
)  # fmt: skip
def test_functions_that_cannot_be_used(tmp_path: Path, metadata: bytes, message: str, hint: str) -> None:
    write_metadata(tmp_path, metadata)
    with lancesql.connect(tmp_path) as db:
        for statement in [
            "SELECT id FROM vector_search('docs', 'moon', k => 1)",
            "SELECT d.id FROM (SELECT 'moon' AS t) q, LATERAL vector_search('docs', q.t, k => 1) d",
        ]:
            with pytest.raises(lancesql.EmbeddingError) as caught:
                db.sql(statement).fetchall()
            assert caught.value.message.startswith(message)
            assert hint in (caught.value.hint or "")
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
        ones = [1.0] * 16
        assert len(db.sql("SELECT id FROM vector_search('docs', $q, k => 2)", {"q": ones}).fetchall()) == 2


def test_another_column_than_the_metadata_names(tmp_path: Path) -> None:
    write_metadata(tmp_path, describe().replace(b'"vector"', b'"other"'))
    with lancesql.connect(tmp_path) as db, pytest.raises(lancesql.ArgumentError, match="has no embedding function"):
        db.sql("SELECT id FROM vector_search('docs', 'moon', k => 1)").fetchall()


def test_a_class_is_no_function(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db, pytest.raises(lancesql.ArgumentError, match="TestBag is a class"):
        db.register_embedding("docs", "vector", TestBag)


def test_a_service_that_asks_for_patience_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lancesql.execution.embeddings.embed._PAUSE", 0.01)
    make_table(tmp_path, "docs", get_registry().get("test-bag").create())
    left = [3]

    class BusyError(Exception):
        status_code = 429

    class Busy(TestBag):
        __test__ = False

        def generate_embeddings(self, texts: Any, *args: Any, **kwargs: Any) -> list[Any]:
            left[0] -= 1
            if left[0] >= 0:
                raise BusyError("slow down")
            return super().generate_embeddings(texts)

    with lancesql.connect(tmp_path) as db:
        search = "SELECT id FROM vector_search('docs', 'moon', k => 2)"
        wanted = db.sql(search).fetchall()
        db.register_embedding("docs", "vector", Busy.create(max_retries=3))
        assert db.sql(search).fetchall() == wanted
        left[0] = 3
        db.register_embedding("docs", "vector", Busy.create(max_retries=2))
        with pytest.raises(lancesql.EmbeddingError, match="failed: BusyError: slow down"):
            db.sql(search).fetchall()


def test_show_embeddings(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        assert db.sql("SHOW EMBEDDINGS").fetchall() == []
        make_table(tmp_path, "docs", get_registry().get("test-bag").create())
        make_table(tmp_path, "pages", get_registry().get("test-asking-bag").create())
        db.register_embedding("pages", "vector", Bag())
        db.register_embedding("later", "v", Bag(), source="t")
        shown = db.sql("show embeddings;")
        assert shown.columns == ["table", "column", "function", "source", "origin"]
        assert shown.fetchall() == [
            ("docs", "vector", "test-bag", "text", "table"),
            ("later", "v", "Bag", "t", "session"),
            ("pages", "vector", "Bag", None, "session"),
        ]
        assert [("source", len(TEXTS))] * 2 == CALLS  # what LanceDB embedded when it wrote the rows
        db.execute("CREATE TABLE embeddings AS SELECT 1 AS id")
        assert db.sql("SHOW embeddings").fetchall()[0][:2] == ("id", "INTEGER")
        db.execute("DROP TABLE embeddings")
        db.execute("CREATE TEMP TABLE embeddings AS SELECT 2 AS number")
        assert db.sql("SHOW embeddings").fetchall()[0][0] == "number"
