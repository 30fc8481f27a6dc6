"""Lance tables through Ibis: the same expressions over Ibis' own DuckDB tables, or numpy, are the oracles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

ibis = pytest.importorskip("ibis")

import lancesql  # noqa: E402
import lancesql.ibis  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.*infer_string")  # Ibis sets an option that pandas 3 deprecates

VECTORS = np.random.default_rng(5).normal(size=(30, 3)).astype(np.float32)
ROWS = pa.table(
    {
        "id": pa.array(range(30), pa.int64()),
        "name": [None if at % 7 == 0 else ("red", "blue", "it's green")[at % 3] for at in range(30)],
        "price": pa.array([None if at % 5 == 0 else at / 4 for at in range(30)], pa.float64()),
        "day": pa.array([at * 1000 for at in range(30)], pa.date32()),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), 3),
    }
)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.ibis.Backend]:
    """A database with one table; tests add others, by names of their own."""
    con = lancesql.ibis.connect(tmp_path_factory.mktemp("db"))
    con.create_table("docs", ROWS)
    yield con
    con.disconnect()


EXPRESSIONS: dict[str, Any] = {
    "filter": lambda t: t.filter(t.id > 20, t.price.notnull()).select("id", "price", "vector"),
    "text": lambda t: t.filter(t.name.like("%it's%")).name.upper(),
    "dates": lambda t: t.filter(t.day.year() == 1975).select("id", m=t.day.month()),
    "groups": lambda t: t.group_by("name").agg(n=t.count(), top=t.price.max(), mean=t.price.mean()),
    "window": lambda t: t.select("id", r=ibis.row_number().over(group_by=t.name, order_by=t.id)),
    "join": lambda t: t.join(t.view(), "name").agg(n=lambda j: j.count()),
    "order": lambda t: t.order_by(ibis.desc("price"), "id").limit(5).select("id"),
    "case": lambda t: t.select("id", kind=ibis.cases((t.price < 2, "cheap"), (t.price < 5, "fair"), else_="dear")),
    "first of vector": lambda t: t.select(t.vector[0].name("x")).filter(lambda r: r.x > 0),
    "distinct": lambda t: t.select("name").distinct(),
    "pivot": lambda t: t.pivot_wider(id_cols="day", names_from="name", names=["red", "blue"], values_from="price"),
    "memtable": lambda t: t.join(ibis.memtable({"id": [3, 4, 99], "w": ["a", "b", "c"]}), "id").select("id", "w"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression(con: lancesql.ibis.Backend, name: str) -> None:
    plain = con.create_table("plain", ROWS, temp=True, overwrite=True)
    answers = [
        sorted(map(repr, expression.as_table().to_pyarrow().to_pylist()))
        for expression in (EXPRESSIONS[name](con.table("docs")), EXPRESSIONS[name](plain))
    ]
    assert answers[0] == answers[1]
    assert answers[0]


def nearest(query: Any, k: int, keep: Any = None) -> list[int]:
    distances = ((VECTORS - np.asarray(query, np.float32)) ** 2).sum(axis=1)
    if keep is not None:
        distances[~keep] = np.inf
    return [int(at) for at in np.argsort(distances)[:k]]


def test_searches_are_tables(con: lancesql.ibis.Backend) -> None:
    query = VECTORS[4] + np.float32(0.25)
    cheap = np.array([price is not None and price < 3 for price in ROWS["price"].to_pylist()])
    found = con.vector_search("docs", query, k=6)
    assert found.columns == (*ROWS.column_names, "_distance")
    assert found.order_by("_distance").id.to_pandas().tolist() == nearest(query, 6)
    after = found.filter(found.price < 3).order_by("_distance").id
    assert after.to_pandas().tolist() == [at for at in nearest(query, 6) if cheap[at]]
    before = con.vector_search("docs", query, k=6, filter="price < 3").order_by("_distance").id
    assert before.to_pandas().tolist() == nearest(query, 6, cheap)
    named = found.join(con.table("docs"), "id").filter(lambda t: t.name == "red").id
    assert set(named.to_pandas()) == {at for at in nearest(query, 6) if ROWS["name"][at].as_py() == "red"}
    words = con.fts("docs", "green", k=50).filter(lambda t: t._score > 0)
    assert words.count().execute() == ROWS["name"].to_pylist().count("it's green")
    both = con.hybrid_search("docs", query, "green", k=5, rrf_k=10)
    with lancesql.connect(con.native.contents().databases()[0].path) as db:
        expected = db.sql(
            "SELECT id FROM hybrid_search('docs', $q, 'green', k => 5, rrf_k => 10)", {"q": query}
        ).fetchall()
    assert sorted(both.id.to_pandas()) == sorted(row[0] for row in expected)
    assert con.sql("SELECT id FROM vector_search('docs', [0, 0, 0], k => 1)").execute().id.tolist() == nearest(
        [0] * 3, 1
    )


def test_lance_evaluates_the_filter(con: lancesql.ibis.Backend) -> None:
    docs = con.table("docs")
    plan = con.native.explain(con.compile(docs.filter(docs.id == 3).select("name")))
    assert "columns    name" in plan
    assert "filter" in plan


def test_tables(con: lancesql.ibis.Backend) -> None:
    docs = con.table("docs")
    made = con.create_table("few", docs.filter(docs.id < 3).select("id", "vector"))
    assert made.count().execute() == 3
    assert con.native.contents().find_table("few") is not None
    with pytest.raises(lancesql.dbapi.Error, match="exists"):
        con.create_table("few", docs)
    con.create_table("few", {"id": [7]}, overwrite=True)
    con.insert("few", ibis.memtable({"id": [8, 9]}))
    assert sorted(con.table("few").id.to_pandas()) == [7, 8, 9]
    con.create_table("empty", schema={"a": "float32", "b": "string", "c": "array<int64>"})
    assert con.table("empty").schema() == ibis.schema({"a": "float32", "b": "string", "c": "array<int64>"})
    con.create_view("cheap", docs.filter(docs.price < 1).select("id"))
    con.create_table("beside", {"a": [1]}, temp=True)
    assert set(con.list_tables()) >= {"docs", "few", "empty", "cheap", "beside"}
    assert con.list_tables(like="fe") == ["few"]
    assert con.list_tables(database="lance") == ["docs", "empty", "few"]
    assert con.table("few", database="lance").count().execute() == 3
    con.drop_view("cheap")
    for name in ("few", "empty", "beside"):
        con.drop_table(name)
    con.drop_table("few", force=True)
    with pytest.raises(ibis.common.exceptions.TableNotFound):
        con.table("few")
    with pytest.raises(lancesql.ArgumentError, match="rows or a schema"):
        con.create_table("nothing")


def test_arrow_and_streams(con: lancesql.ibis.Backend) -> None:
    docs = con.table("docs")
    assert docs.order_by("id").to_pyarrow()["vector"].to_pylist() == ROWS["vector"].to_pylist()
    batches = list(docs.select("id").to_pyarrow_batches(chunk_size=7))
    assert sum(batch.num_rows for batch in batches) == 30
    assert docs.count().execute() == 30
    assert docs.to_polars().height == 30


def test_functions_of_python(con: lancesql.ibis.Backend) -> None:
    @ibis.udf.scalar.python  # type: ignore[untyped-decorator]
    def double(x: int) -> int:
        return 2 * x

    docs = con.table("docs")
    for _ in range(2):
        assert sorted(docs.select(d=double(docs.id)).d.to_pandas()) == list(range(0, 60, 2))


def test_a_connection_of_lancesql_stays_open(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE halves (v HALF[2], h HALF, j JSON, u UUID)")
        db.execute("INSERT INTO halves VALUES ([1, 0.5], 0.25, '{}', uuid())")
        con = lancesql.ibis.connect(db)
        assert con.table("halves").select("v", "h").to_pyarrow().to_pylist() == [{"v": [1.0, 0.5], "h": 0.25}]
        con.disconnect()
        assert db.sql("SELECT count(*) FROM halves").fetchall() == [(1,)]
